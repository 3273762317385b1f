package trap

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	trapalert "github.com/mondhq/mond/alerts/trap"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/trap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// doorman lets in trapper with the password trappw, from the loopback.
type doorman struct {
	mu    sync.Mutex
	asked int
	slow  time.Duration
}

var errDoor = errors.New("no such user, or another password")

func (d *doorman) Trap(from netip.Addr, user, password string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	time.Sleep(d.slow)
	if !from.IsLoopback() || user != "trapper" || password != "trappw" {
		return errDoor
	}
	return nil
}

// engine takes what it gets, but for the group "gone".
type engine struct {
	mu    sync.Mutex
	taken []Arrival
	news  chan struct{} // holds a token when something was taken
}

func newEngine() *engine { return &engine{news: make(chan struct{}, 1)} }

func (e *engine) take(_ context.Context, list []Arrival) []error {
	errs := make([]error, len(list))
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, a := range list {
		if a.Trap.Group == "gone" {
			errs[i] = errors.New("no such watch")
			continue
		}
		e.taken = append(e.taken, a)
	}
	select {
	case e.news <- struct{}{}:
	default:
	}
	return errs
}

// wait waits for n traps.
func (e *engine) wait(t *testing.T, n int) []Arrival {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		e.mu.Lock()
		got := slices.Clone(e.taken)
		e.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-e.news:
		case <-limit:
			t.Fatalf("%d traps of %d arrived", len(got), n)
		}
	}
}

// serving is a receiver on a port of its own.
type serving struct {
	engine  *engine
	book    *enginetest.Log
	address string
	ahead   int    // how many datagrams the kernel keeps for certain
	stop    func() // and wait for the end
}

func serve(t *testing.T, bind string) *serving {
	t.Helper()
	conn, err := Listen(t.Context(), bind, 0)
	check(t, err)
	s := &serving{engine: newEngine(), book: &enginetest.Log{}, address: conn.LocalAddr().String(), ahead: bufferOf(conn) / 1000}
	log := slog.New(slog.NewTextHandler(s.book, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r := New(Options{Auth: &doorman{}, Take: s.engine.take, Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(ctx, conn) }()
	s.stop = sync.OnceFunc(func() { cancel(); check(t, <-ended) })
	t.Cleanup(s.stop)
	return s
}

// dial is a way to what s listens at.
func (s *serving) dial(t *testing.T, host string) net.Conn {
	t.Helper()
	_, port, err := net.SplitHostPort(s.address)
	check(t, err)
	c, err := net.Dial("udp", net.JoinHostPort(host, port))
	check(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// good is a trap that may be taken.
func good(summary string) trap.Trap {
	return trap.Trap{User: "trapper", Password: "trappw", Group: "tr", Service: "a", Status: 1, HasStatus: true, Summary: summary}
}

// TestBurst is the burst of which mon keeps 257 datagrams (live3.transcript).
func TestBurst(t *testing.T) {
	const burst = 2000
	s := serve(t, "127.0.0.1")
	c := s.dial(t, "127.0.0.1")
	for i := range burst {
		if i >= s.ahead && i%s.ahead == 0 {
			s.engine.wait(t, i) // this machine does not give us the buffer
		}
		_, err := c.Write(good(fmt.Sprint("n", i)).Append(nil))
		check(t, err)
	}
	for i, a := range s.engine.wait(t, burst) {
		if want := fmt.Sprint("n", i); a.Trap.Summary != want {
			t.Fatalf("trap %d is %q", i, a.Trap.Summary)
		}
		if a.Trap.Password != "" || a.From.String() != "127.0.0.1" {
			t.Fatalf("it arrives as %+v", a)
		}
	}
	s.stop()
	if text := s.book.String(); strings.Contains(text, "dropped") || !strings.Contains(text, "receive_buffer=") {
		t.Errorf("the log says\n%s", text)
	}
}

// TestListen is where traps may be sent to.
func TestListen(t *testing.T) {
	for _, row := range []struct{ bind, to, from string }{
		{"", "127.0.0.1", "127.0.0.1"},
		{"", "::1", "::1"},
		{"0.0.0.0", "127.0.0.1", "127.0.0.1"},
		{"::", "::1", "::1"},
		{"::1", "::1", "::1"},
		{"localhost", "127.0.0.1", "127.0.0.1"},
	} {
		t.Run(row.bind+" "+row.to, func(t *testing.T) {
			s := serve(t, row.bind)
			_, err := s.dial(t, row.to).Write(good("x").Append(nil))
			check(t, err)
			if got := s.engine.wait(t, 1)[0].From; got.String() != row.from {
				t.Errorf("it comes from %v", got)
			}
		})
	}
}

func TestListenRefused(t *testing.T) {
	conn, err := Listen(t.Context(), "127.0.0.1", 0)
	check(t, err)
	defer func() { _ = conn.Close() }()
	port := conn.LocalAddr().(*net.UDPAddr).Port
	for _, row := range []struct {
		bind string
		port int
		want string
	}{
		{"127.0.0.1", port, "stop the mon or mond that has the port"},
		{"192.0.2.1", 0, "no address of this host"},
		{"no.such.host.invalid", 0, "listen for traps"},
	} {
		if c, err := Listen(t.Context(), row.bind, row.port); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s:%d: %v, %v", row.bind, row.port, c, err)
		}
	}
}

// The buffer is large where this process may make it so.
func TestBuffer(t *testing.T) {
	conn, err := Listen(t.Context(), "127.0.0.1", 0)
	check(t, err)
	defer func() { _ = conn.Close() }()
	if got := bufferOf(conn); os.Geteuid() == 0 && got < wantBuffer {
		t.Errorf("root gets a buffer of %d bytes", got)
	} else if got <= 0 {
		t.Errorf("a buffer of %d bytes", got)
	}
}

// TestRefused is what is not taken, and what the log says of it.
func TestRefused(t *testing.T) {
	for _, row := range []struct{ name, packet, want string }{
		{"password", "pro=0.3807\nusr=trapper\npas=hush\ngrp=tr\nsvc=a\nsta=1\n", `user=trapper group=tr service=a reason="no such user, or another password"`},
		{"no user", "pro=0.3807\ngrp=tr\nsvc=a\nsta=1\n", `user="" group=tr`},
		{"the sender before the protocol", "pro=0.37\nusr=x\npas=hush\nsta=1\n", "another password"},
		{"protocol", "pro=0.37\nusr=trapper\npas=trappw\ngrp=tr\nsvc=a\n", "older than 0.3807"},
		{"status", "pro=0.3807\nusr=trapper\npas=trappw\ngrp=tr\nsvc=a\n", "it has no status"},
		{"a status that is none", "pro=0.3807\nusr=trapper\npas=trappw\nsta=ok\n", "not understood is line 4"},
		{"a name that is none", "pro=0.3807\nusr=trapper\npas=trappw\ngrp=gone\nsvc=a\nsta=0\n", "no such watch"},
		{"nothing", "", "another password"},
		{"a password with a line end", "pro=0.3807\nusr=trapper\npas='hu\nhush'\nsta=x\n", "another password"},
		{"a long name", "usr=" + strings.Repeat("x", 1000) + "\n", strings.Repeat("x", 60) + "..."},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := serve(t, "127.0.0.1")
			c := s.dial(t, "127.0.0.1")
			_, err := c.Write([]byte(row.packet))
			check(t, err)
			_, err = c.Write(good("x").Append(nil))
			check(t, err)
			if got := s.engine.wait(t, 1); len(got) != 1 || got[0].Trap.Summary != "x" {
				t.Errorf("taken are %+v", got)
			}
			s.stop()
			text := s.book.String()
			if !strings.Contains(text, row.want) || !strings.Contains(text, "from=127.0.0.1") {
				t.Errorf("the log has no %q:\n%s", row.want, text)
			}
			for _, secret := range []string{"hush", "trappw"} {
				if strings.Contains(text, secret) {
					t.Errorf("the log has the password:\n%s", text)
				}
			}
		})
	}
}

// Lines that are not understood are skipped, and named.
func TestOddLines(t *testing.T) {
	s := serve(t, "127.0.0.1")
	_, err := s.dial(t, "127.0.0.1").Write(append(good("x").Append(nil), "pas hush\nsumary='y'\n"...))
	check(t, err)
	if got := s.engine.wait(t, 1)[0].Trap; got.Summary != "x" {
		t.Errorf("it arrives as %+v", got)
	}
	s.stop()
	if text := s.book.String(); !strings.Contains(text, "not understood is line 13, 14") || strings.Contains(text, "hush") {
		t.Errorf("the log says\n%s", text)
	}
}

// TestRecordedPacket is what Mon::Client sent to mon in live2.transcript.
func TestRecordedPacket(t *testing.T) {
	packet := "pro='0.3807'\nusr='trapper'\npas='trappw'\nspc='0'\nseq='0'\ntyp='trap'\ngrp='db'\nsvc='trap'\nsta='3'\nspc='0'\n" +
		"tsp='1795445583'\nsum='sum\\20\\27x\\27\\20\\\\\\20back'\ndtl='d1\\0ad2\\20\\22q\\22'\n"
	got, err := New(Options{Auth: &doorman{}}).Judge([]byte(packet), netip.MustParseAddr("127.0.0.1"))
	check(t, err)
	if got.Group != "db" || got.Service != "trap" || got.Status != 3 || got.Summary != `sum 'x' \ back` || got.Detail != "d1\nd2 \"q\"" {
		t.Errorf("it reads %+v", got)
	}
}

// TestMonClient sends by Perl's Mon::Client.
func TestMonClient(t *testing.T) {
	if err := exec.Command("perl", "-MMon::Client", "-e", "1").Run(); err != nil {
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatal("Mon::Client is not installed (Debian package mon-client)")
		}
		t.Skip("Mon::Client is not installed (Debian package mon-client)")
	}
	s := serve(t, "127.0.0.1")
	_, port, _ := net.SplitHostPort(s.address)
	script := `use Mon::Client;
my $c = Mon::Client->new(host => "127.0.0.1", port => shift, username => "trapper", password => "trappw");
for my $text ("it's \"this\" \\ that", "plain") {
	$c->send_trap(group => "db", service => "trap", retval => 3, opstatus => "fail", summary => $text, detail => "one\ntwo\\20") or die $c->error;
}`
	if out, err := exec.Command("perl", "-e", script, port).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := s.engine.wait(t, 2)
	if a := got[0].Trap; a.Summary != `it's "this" \ that` || a.Detail != "one\ntwo\\20" || a.Status != 3 || a.Group != "db" || a.Service != "trap" {
		t.Errorf("it arrives as %+v", a)
	}
}

// TestTrapAlert sends by our trap.alert.
func TestTrapAlert(t *testing.T) {
	s := serve(t, "127.0.0.1")
	fs := flag.NewFlagSet(trapalert.Name, flag.ContinueOnError)
	a := trapalert.New(fs)
	check(t, fs.Parse([]string{"-U", "trapper", "-P", "trappw", s.address}))
	r := alert.Request{ID: "1", Group: "web", Service: "http", Kind: alert.Failure, Exit: 3, Summary: "web2", Output: "web2\nconnection 'refused' \\\n"}
	check(t, a.Alert(t.Context(), r))
	r.ID, r.Kind = "2", alert.Up
	check(t, a.Alert(t.Context(), r))
	got := s.engine.wait(t, 2)
	if a := got[0].Trap; a.Group != "web" || a.Service != "http" || a.Status != 3 || a.Summary != "web2" || a.Detail != "connection 'refused' \\" {
		t.Errorf("the failure arrives as %+v", a)
	}
	if a := got[1].Trap; a.Status != 0 {
		t.Errorf("the recovery arrives as %+v", a)
	}
}

// A flood that is refused does not fill the log.
func TestRefusalsAreCounted(t *testing.T) {
	var b enginetest.Log
	s := &session{Receiver: New(Options{Log: slog.New(slog.NewTextHandler(&b, nil))})}
	now := time.Unix(1e9, 0)
	for range 1000 {
		s.note("refused", trap.Trap{}, netip.Addr{}, now)
	}
	if n := strings.Count(b.String(), "\n"); n != tellMost {
		t.Errorf("%d lines", n)
	}
	s.tell(0)
	if !strings.Contains(b.String(), "taken in part\" count=990") {
		t.Errorf("the log says\n%s", b.String())
	}
	s.note("refused", trap.Trap{}, netip.Addr{}, now.Add(tellInterval))
	if n := strings.Count(b.String(), "\n"); n != tellMost+2 {
		t.Errorf("%d lines in the next second", n)
	}
}

func TestDropsAreTold(t *testing.T) {
	var b enginetest.Log
	s := &session{Receiver: New(Options{Log: slog.New(slog.NewTextHandler(&b, nil))})}
	s.counts.overrun.Add(3)
	s.counts.missed.Store(7)
	missed := s.tell(0)
	s.tell(missed) // nothing new
	s.counts.missed.Store(2)
	s.tell(^uint32(0)) // it wrapped
	for _, want := range []string{"judged\" count=3", "cap_net_admin\" count=7", "cap_net_admin\" count=3"} {
		if strings.Count(b.String(), want) != 1 {
			t.Errorf("the log says\n%s", b.String())
		}
	}
	if n := strings.Count(b.String(), "\n"); n != 3 {
		t.Errorf("%d lines", n)
	}
}

// The kernel says what it dropped once the buffer was full.
func TestKernelDropsAreCounted(t *testing.T) {
	conn, err := Listen(t.Context(), "127.0.0.1", 0)
	check(t, err)
	control(conn, func(fd int) { _ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096) })
	c, err := net.Dial("udp", conn.LocalAddr().String())
	check(t, err)
	defer func() { _ = c.Close() }()
	for range 200 {
		_, err := c.Write(make([]byte, 500))
		check(t, err)
	}
	s := &session{Receiver: New(Options{}), queue: newQueue(1 << 20)}
	ctx, cancel := context.WithCancel(t.Context())
	var reader sync.WaitGroup
	reader.Go(func() { check(t, s.read(ctx, conn)) })
	limit := time.After(20 * time.Second)
	for s.counts.missed.Load() == 0 { // it comes with what is received after the loss
		_, err := c.Write([]byte("x"))
		check(t, err)
		select {
		case <-s.queue.filled:
		case <-limit:
			t.Fatal("the kernel told of no loss")
		}
	}
	cancel()
	_ = conn.Close()
	reader.Wait()
}

func TestQueueIsBounded(t *testing.T) {
	q := newQueue(3 * (1000 + overhead))
	large := datagram{data: make([]byte, 1000)}
	if n := q.put([]datagram{large, large, large, large, {}}); n != 2 {
		t.Errorf("%d dropped", n)
	}
	if got := q.take(2, nil); len(got) != 2 {
		t.Errorf("%d taken", len(got))
	}
	if n := q.put([]datagram{large, large, large}); n != 1 {
		t.Errorf("%d dropped once there was room", n)
	}
	if got := q.take(10, nil); len(got) != 3 || len(q.take(10, nil)) != 0 {
		t.Errorf("%d taken", len(got))
	}
}

// A socket that is taken away is an error, an end of ctx is none.
func TestServeEnds(t *testing.T) {
	conn, err := Listen(t.Context(), "127.0.0.1", 0)
	check(t, err)
	_ = conn.Close()
	if err := New(Options{Auth: &doorman{}, Take: newEngine().take}).Serve(t.Context(), conn); !errors.Is(err, net.ErrClosed) {
		t.Errorf("served a closed socket: %v", err)
	}
}

// FuzzJudge: no bytes crash it, and none are taken that its sender may not
// send.
func FuzzJudge(f *testing.F) {
	f.Add([]byte("pro='0.3807'\nusr='trapper'\npas='trappw'\ngrp='tr'\nsvc='a'\nsta='1'\nsum='x'\n"))
	f.Add([]byte("pro=9\nusr=trapper\npas=trappw\nsta=-1\npas=x"))
	f.Add([]byte("pas='trap\\70w'\nusr=\\74rapper\npro=1e9\nsta= 7"))
	from := netip.MustParseAddr("::1")
	r := New(Options{Auth: &doorman{}})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := r.Judge(data, from)
		raw, _ := trap.Parse(data)
		may := raw.User == "trapper" && raw.Password == "trappw" && raw.Check() == nil
		if (err == nil) != may || got.Password != "" {
			t.Errorf("%q: %+v, %v", data, got, err)
		}
		if _, err := r.Judge(data, netip.MustParseAddr("192.0.2.1")); err == nil {
			t.Errorf("%q is taken from anywhere", data)
		}
	})
}
