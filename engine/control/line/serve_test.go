package line

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/configtest"
)

const small = "hostgroup g h\n\nwatch g\n service s\n  interval 1h\n  monitor m\n  period\n   alert a\n"

var running = []string{"scheduler running", "220 list state completed"}

func TestNewWantsAllOptions(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("no error without any option")
	}
}

// Commands that come in one packet are all answered, whatever ends their lines;
// what has no end is no command.
func TestPipelining(t *testing.T) {
	r := newRig(t, small)
	c := dial(t, r.serve(t))
	if _, err := io.WriteString(c, "list state\r\n\r\n\n\rversion\rlist watch\n\nquit\nversion"); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	want := "scheduler running\n220 list state completed\nversion 9745\n220 version completed\ng s\n220 list watch completed\n220 quitting\n"
	if err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}

// A client may send many commands before it reads anything.
func TestPipeliningManyCommands(t *testing.T) {
	const many = 5000
	r := newRig(t, small)
	c := newTalk(dial(t, r.serve(t)))
	go func() { _, _ = io.WriteString(c, strings.Repeat("list state\n", many)) }()
	for range many {
		if got := c.answer(); !cmp.Equal(running, got) {
			t.Fatal(got)
		}
	}
}

// A line may come in parts.
func TestDripFedCommand(t *testing.T) {
	r := newRig(t, small)
	p := newPipes()
	r.serveOn(t, p)
	c := newTalk(p.dial())
	defer c.Close()
	for _, b := range []byte("list state") {
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.ask(""); !cmp.Equal(running, got) {
		t.Error(got)
	}
}

func TestIdleClientsAreClosed(t *testing.T) {
	for _, drip := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, small)
			p := newPipes()
			r.serveOn(t, p)
			c := newTalk(p.dial())
			defer c.Close()
			time.Sleep(9 * time.Second)
			if got := c.ask("list state"); !cmp.Equal(running, got) {
				t.Error(got)
			}
			since := time.Now()
			var drops sync.WaitGroup
			if drip { // half a command is none
				drops.Go(func() {
					for {
						if _, err := c.Write([]byte("x")); err != nil {
							return
						}
						time.Sleep(time.Second)
					}
				})
			}
			if got := c.answer(); !cmp.Equal([]string{"<EOF>"}, got) || time.Since(since) != 10*time.Second {
				t.Errorf("%v after %v", got, time.Since(since))
			}
			c.Close()
			drops.Wait()
		})
	}
}

// cltimeout = 0 is a second: nobody could say anything else.
func TestTimeoutOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, small)
		r.set.Timeout = 0
		p := newPipes()
		r.serveOn(t, p)
		c := newTalk(p.dial())
		defer c.Close()
		if got := c.ask("list state"); !cmp.Equal(running, got) {
			t.Error(got)
		}
	})
}

// A client that does not read is given up, and holds up nobody meanwhile.
func TestClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, small)
		p := newPipes()
		r.serveOn(t, p)
		deaf, other := newTalk(p.dial()), newTalk(p.dial())
		defer deaf.Close()
		defer other.Close()
		if _, err := io.WriteString(deaf, "list state\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		if got := other.ask("list state"); !cmp.Equal(running, got) {
			t.Error(got)
		}
		time.Sleep(2 * time.Second)
		if got := deaf.answer(); !cmp.Equal([]string{"<EOF>"}, got) {
			t.Errorf("it was told %v after it slept", got)
		}
	})
}

// What waits for a slow client is bounded: an answer of megabytes is not made
// before it is taken.
func TestAnswersAreMadeAsTheyAreTaken(t *testing.T) {
	r := newRig(t, many(2000))
	ours, theirs := net.Pipe()
	defer ours.Close()
	s := r.session(t.Context(), theirs, netip.Addr{}, r.set)
	var over sync.WaitGroup
	over.Go(s.run)
	c := newTalk(ours)
	if _, err := io.WriteString(c, "list opstatus\n"); err != nil {
		t.Fatal(err)
	}
	if got := c.answer(); len(got) != 2001 {
		t.Errorf("%d lines", len(got))
	}
	c.ask("quit")
	over.Wait()
	if cap(s.out.buf) > 2*chunk {
		t.Errorf("%d bytes were held", cap(s.out.buf))
	}
}

func TestLongLines(t *testing.T) {
	r := newRig(t, small)
	a := r.serve(t)
	c := newTalk(dial(t, a))
	if got := c.ask("list state " + strings.Repeat("x", 60<<10)); !cmp.Equal(running, got) {
		t.Error(got)
	}
	for _, end := range []string{"", "\n"} {
		c := newTalk(dial(t, a))
		_, _ = io.WriteString(c, "list state "+strings.Repeat("x", 64<<10)+end)
		if got := c.answer(); !cmp.Equal([]string{"520 line too long"}, got) {
			t.Error(got)
		}
		if got := c.answer(); got[0] != "<EOF>" {
			t.Error(got)
		}
	}
}

func TestManyLoginsEndTheConnection(t *testing.T) {
	r := newRig(t, small)
	c := newTalk(dial(t, r.serve(t)))
	for range 10 {
		if got := c.ask("login alice hunter2"); !cmp.Equal([]string{"530 login unsuccessful"}, got) {
			t.Error(got)
		}
	}
	if got := c.ask("version"); got[len(got)-1] != "<EOF>" && !strings.Contains(got[len(got)-1], "broken pipe") {
		t.Error(got)
	}
}

// Commands are logged; passwords, and what may be one, are not.
func TestLog(t *testing.T) {
	r := newRig(t, small)
	c := newTalk(dial(t, r.serve(t)))
	c.ask("LOGIN hunter2 alice")
	c.ask("login alice secret")
	c.ask("list watch")
	c.ask("list " + strings.Repeat("x", 5000))
	c.ask(" login alice secret")
	c.ask("loggin alice secret")
	log := r.log.String()
	if !strings.Contains(log, `user=alice address=127.0.0.1 command="list watch"`) || !strings.Contains(log, "client logged in") {
		t.Error(log)
	}
	if strings.Contains(log, "hunter2") || strings.Contains(log, "secret") || len(log) > 3000 {
		t.Error(log)
	}
}

func TestAddresses(t *testing.T) {
	allow := func(patterns ...string) (all []*regexp.Regexp) {
		for _, p := range patterns {
			re, err := config.AllowPattern(p)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, re)
		}
		return all
	}
	for _, row := range []struct {
		name, on string
		allow    []*regexp.Regexp
		in       bool
	}{
		{"no patterns", "127.0.0.1:0", nil, true},
		{"no patterns, IPv6", "[::1]:0", nil, true},
		{"another address", "127.0.0.1:0", allow("10.0.0.1", `192.168.\d+.\d+`), false},
		{"a pattern", "127.0.0.1:0", allow("10.0.0.1", `127.\d+.\d+.\d+`), true},
		{"part of an address", "127.0.0.1:0", allow("127.0.0"), false},
		{"all of IPv4", "[::1]:0", allow(`\d+.\d+.\d+.\d+`), false},
		{"IPv6", "[::1]:0", allow("::1"), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, small)
			r.set.ClientAllow = row.allow
			l, err := net.Listen("tcp", row.on)
			if err != nil {
				t.Fatal(err)
			}
			r.serveOn(t, l)
			c := newTalk(dial(t, l.Addr()))
			got := c.answerAfter("list state")
			if row.in != cmp.Equal(running, got) {
				t.Error(got)
			}
		})
	}
}

// answerAfter is ask of a server that may have gone.
func (c *talk) answerAfter(command string) []string {
	_, _ = io.WriteString(c, command+"\n")
	return c.answer()
}

// A reload of clientallow counts for the next client.
func TestSettingsAreAskedForEachClient(t *testing.T) {
	r := newRig(t, small)
	a := r.serve(t)
	if got := newTalk(dial(t, a)).ask("list state"); !cmp.Equal(running, got) {
		t.Error(got)
	}
	r.mu.Lock()
	r.set.ClientAllow = []*regexp.Regexp{regexp.MustCompile("^$")}
	r.mu.Unlock()
	if got := newTalk(dial(t, a)).answerAfter("list state"); !cmp.Equal([]string{"<EOF>"}, got) {
		t.Error(got)
	}
}

func TestSettingsOf(t *testing.T) {
	for text, want := range map[string][]string{
		small: nil, "clientallow = 10.0.0.1 fe80.*\n\n" + small: {`^(?:10\.0\.0\.1)$`, `^(?:fe80\.*)$`},
	} {
		s := SettingsOf(&configtest.Parse(t, text).Globals)
		var got []string
		for _, re := range s.ClientAllow {
			got = append(got, re.String())
		}
		if s.Timeout != 30*time.Second || !cmp.Equal(want, got) {
			t.Errorf("%v %v", s.Timeout, got)
		}
	}
}

// A thousand clients are served beside each other; those above what may be are
// told and closed, and there is room again when some have left.
func TestManyClients(t *testing.T) {
	r := newRig(t, small)
	r.lim.clients, r.lim.each = 1000, 1000
	a := r.serve(t)
	clients := make([]*talk, 1000)
	for i := range clients {
		clients[i] = newTalk(dial(t, a))
	}
	var all sync.WaitGroup
	for range 2 {
		for _, c := range clients {
			all.Go(func() {
				if got := c.ask("list state"); !cmp.Equal(running, got) {
					t.Error(got)
				}
			})
		}
		all.Wait()
	}
	if got := newTalk(dial(t, a)).answer(); !cmp.Equal([]string{"520 too many clients"}, got) {
		t.Error(got)
	}
	clients[0].ask("quit")
	if got := clients[0].answer(); got[0] != "<EOF>" {
		t.Error(got)
	}
	if got := newTalk(dial(t, a)).ask("list state"); !cmp.Equal(running, got) {
		t.Error(got)
	}
}

func TestClientsOfOneAddress(t *testing.T) {
	r := newRig(t, small)
	one, two := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for range 500 {
		if !r.enter(one) {
			t.Fatal("no room")
		}
	}
	if r.enter(one) || !r.enter(two) {
		t.Error("one address may have 500, whatever others have")
	}
	r.leave(one)
	if !r.enter(one) {
		t.Error("one has left")
	}
	for range 500 {
		r.leave(one)
	}
	if r.leave(two); len(r.from) != 0 || r.total != 0 {
		t.Errorf("%v, %d are left", r.from, r.total)
	}
}

// The end of the daemon closes all clients, and term asks for it once the
// client was told.
func TestEnd(t *testing.T) {
	r := newRig(t, small)
	one, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	two := newPipes()
	ctx, cancel := context.WithCancel(t.Context())
	var servers sync.WaitGroup
	for _, l := range []net.Listener{one, two} {
		servers.Go(func() {
			if err := r.Serve(ctx, l); err != nil {
				t.Error(err)
			}
		})
	}
	a, b := newTalk(dial(t, one.Addr())), newTalk(two.dial())
	defer b.Close()
	a.ask("list state")
	b.ask("login alice secret")
	if got := b.ask("term"); !cmp.Equal([]string{"220 terminating server"}, got) {
		t.Error(got)
	}
	<-r.ended
	cancel()
	servers.Wait()
	if got := a.answer(); got[0] != "<EOF>" {
		t.Error(got)
	}
}

// broken fails a few times before it has a client.
type broken struct {
	*pipes
	times int
}

func (b *broken) Accept() (net.Conn, error) {
	if b.times--; b.times >= 0 {
		return nil, os.NewSyscallError("accept", errors.New("too many open files"))
	}
	return b.pipes.Accept()
}

func TestAcceptGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, small)
		p := newPipes()
		r.serveOn(t, &broken{p, 20})
		c := newTalk(p.dial())
		defer c.Close()
		if got := c.ask("list state"); !cmp.Equal(running, got) {
			t.Error(got)
		}
	})
}

// A listener that somebody else closed is no end of the daemon.
func TestListenerThatIsClosed(t *testing.T) {
	p := newPipes()
	p.Close()
	if err := newRig(t, small).Serve(t.Context(), p); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// many is a configuration of n services.
func many(n int) string {
	var b strings.Builder
	for g := 0; n > 0; g++ {
		fmt.Fprintf(&b, "hostgroup g%d web1.example web2.example\n\nwatch g%d\n", g, g)
		for s := range min(n, 100) {
			fmt.Fprintf(&b, " service s%d\n  interval 1m\n  description service \"%d\"\n  monitor http.monitor -p 80 -u \"/a b\" ;;\n  period\n   alert mail.alert ops@example.com\n", s, s)
		}
		b.WriteByte('\n')
		n -= 100
	}
	return b.String()
}

// A view that a reload removed shows all.
func TestViewThatLeft(t *testing.T) {
	r := newRig(t, "view v nosuch\n\n"+small)
	c := newTalk(dial(t, r.serve(t)))
	c.ask("setview v")
	if got := c.ask("list watch"); len(got) != 1 {
		t.Error(got)
	}
	r.publish(configtest.Parse(t, small))
	if got := c.ask("list watch"); !cmp.Equal([]string{"g s", "220 list watch completed"}, got) {
		t.Error(got)
	}
}
