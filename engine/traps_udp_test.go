package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/trap"
	"github.com/mondhq/mond/engine/view"
	packet "github.com/mondhq/mond/plugins/trap"
)

// trapper lets in one user.
type trapper struct{}

func (trapper) Trap(from netip.Addr, user, password string) error {
	if !from.IsLoopback() || user != "trapper" || password != "trappw" {
		return errors.New("may send no traps")
	}
	return nil
}

// listening is an engine with a receiver in front of it, on a real socket.
type listening struct {
	engine *engine.Engine
	sender *enginetest.Sender
	conn   net.Conn // to it
	ahead  int      // how many datagrams the kernel keeps for certain
	taken  atomic.Int64
	news   chan struct{} // holds a token when traps were taken
}

func listen(t testing.TB, text string) *listening {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	loaded := engine.Loaded{Config: configtest.Parse(t, text), Programs: map[string]engine.Program{"mail.alert": {}, "http.monitor": {}}}
	n := &listening{sender: enginetest.NewSender(), news: make(chan struct{}, 1)}
	runner := enginetest.NewRunner(nil)
	e, err := engine.New(engine.Options{
		Load:   func(context.Context) (engine.Loaded, error) { return loaded, nil },
		Runner: runner, Sender: n.sender, Store: enginetest.NewStore(store.Saved{Clean: true}),
	})
	must(err)
	n.engine = e
	socket, err := trap.Listen(t.Context(), "127.0.0.1", 0)
	must(err)
	n.ahead = buffer(t, socket) / 1000
	n.conn, err = net.Dial("udp", socket.LocalAddr().String())
	must(err)
	r := trap.New(trap.Options{Auth: trapper{}, Take: n.take})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- e.Run(ctx) }()
	<-e.Ready()
	go func() { ended <- r.Serve(ctx, socket) }()
	t.Cleanup(func() {
		stop()
		must(errors.Join(<-ended, <-ended))
		runner.Drain()
		_ = n.conn.Close()
	})
	return n
}

// buffer is how much the kernel keeps for a socket.
func buffer(t testing.TB, socket *net.UDPConn) (size int) {
	t.Helper()
	raw, err := socket.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { size, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return size
}

func (n *listening) take(ctx context.Context, list []trap.Arrival) []error {
	errs := n.engine.Traps(ctx, list)
	n.taken.Add(int64(len(list)))
	select {
	case n.news <- struct{}{}:
	default:
	}
	return errs
}

// wait waits until so many were taken.
func (n *listening) wait(t testing.TB, count int64) {
	t.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for n.taken.Load() < count {
		select {
		case <-n.news:
		case <-limit.C:
			t.Fatalf("%d traps of %d were taken", n.taken.Load(), count)
		}
	}
}

// seen is the row of key once the last turn has shown what it did.
func (n *listening) seen(t *testing.T, key opstatus.Key) *view.Service {
	t.Helper()
	if !n.engine.Alive(t.Context()) {
		t.Fatal("the engine has ended")
	}
	return n.engine.Board().Service(key)
}

func (n *listening) send(t testing.TB, group, service string, status int, summary string) {
	t.Helper()
	p := packet.Trap{User: "trapper", Password: "trappw", Group: group, Service: service, Status: status, Summary: summary}
	if _, err := n.conn.Write(p.Append(nil)); err != nil {
		t.Fatal(err)
	}
}

// TestBurstOfTraps is the burst of live3.transcript, through a real socket:
// all arrive, in order, and each is an event.
func TestBurstOfTraps(t *testing.T) {
	const burst = 2000
	n := listen(t, trapConfig)
	for i := range burst {
		if i >= n.ahead && i%n.ahead == 0 {
			n.wait(t, int64(i)) // this machine does not give us the buffer
		}
		n.send(t, "db", "trap", 1, fmt.Sprint("n", i))
	}
	n.wait(t, burst)
	row := n.seen(t, trapped)
	if row.State.Failures != burst || row.State.Summary != fmt.Sprint("n", burst-1) || row.AlertsSent != burst {
		t.Errorf("%d failures, %d alerts, the last trap was %q", row.State.Failures, row.AlertsSent, row.State.Summary)
	}
}

// Whatever bytes come from wherever, a service changes only by a trap that its
// sender may send and that names it.
func TestNothingElseChangesAService(t *testing.T) {
	text := rapid.SampledFrom([]string{"trapper", "trappw", "db", "trap", "default", "zzz", "mond", "store", "0", "1", "-3", "0.3807", "0.1", "ok", "", "a\x00b", "\\\\", "'", "\n"})
	tag := rapid.SampledFrom([]string{"pro", "usr", "pas", "grp", "svc", "sta", "sum", "dtl", "xyz", "", "'"})
	rapid.Check(t, func(rt *rapid.T) {
		var failed any
		synctest.Test(t, func(t *testing.T) {
			defer func() { failed = recover() }()
			r := newRig(t, trapConfig+catching)
			r.start()
			defer func() { _ = r.end() }()
			for range rapid.IntRange(1, 8).Draw(rt, "packets") {
				r.hostile(rt, drawPacket(rt, tag, text), rapid.SampledFrom([]string{"127.0.0.1", "::1", "192.0.2.1"}).Draw(rt, "from"))
			}
		})
		again(failed)
	})
}

// drawPacket is a good packet with anything in it, or anything.
func drawPacket(rt *rapid.T, tag, text *rapid.Generator[string]) []byte {
	if rapid.Bool().Draw(rt, "bytes") {
		return rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(rt, "packet")
	}
	lines := []string{"pro=0.3807", "usr=trapper", "pas=trappw", "grp=db", "svc=trap", "sta=1"}
	for range rapid.IntRange(0, 3).Draw(rt, "changes") {
		at := rapid.IntRange(0, len(lines)-1).Draw(rt, "line")
		lines[at] = tag.Draw(rt, "tag") + "=" + text.Draw(rt, "text")
	}
	return []byte(strings.Join(lines, "\n"))
}

// hostile gives the engine a packet as the receiver does, and compares.
func (r *rig) hostile(rt *rapid.T, data []byte, from string) {
	before := r.traps()
	judge := trap.New(trap.Options{Auth: trapper{}})
	t, err := judge.Judge(data, netip.MustParseAddr(from))
	if err == nil {
		err = r.engine.Trap(r.t.Context(), t, netip.MustParseAddr(from))
	}
	r.pass(time.Millisecond) // the next one is later
	raw, _ := packet.Parse(data)
	may := from != "192.0.2.1" && raw.User == "trapper" && raw.Password == "trappw" && raw.Check() == nil
	if err == nil && !may {
		rt.Fatalf("%q was taken from %s", data, from)
	}
	want := ""
	switch to := raw.Group + ":" + raw.Service; {
	case !may:
	case to == "db:trap" || to == "default:known":
		want = to
	case raw.Group == "db":
	case raw.Service == "known":
		want = "default:known"
	default:
		want = "default:default"
	}
	for key, at := range r.traps() {
		if moved := at != before[key]; moved != (key.String() == want) {
			rt.Fatalf("%q from %s: %s got a trap: %t, and it is for %q", data, from, key, moved, want)
		}
	}
}

// traps are when each service had its last trap, and what it said.
func (r *rig) traps() map[opstatus.Key]string {
	all := map[opstatus.Key]string{}
	for s := range r.engine.Board().Services() {
		if !s.Hidden {
			all[s.Key] = fmt.Sprint(s.State.LastTrap, s.State.Exit, s.State.Output)
		}
	}
	return all
}

// BenchmarkTraps is a trap through everything: a real socket, the receiver,
// the engine, a store in memory. The sender waits when it is a burst ahead.
func BenchmarkTraps(b *testing.B) {
	for name, status := range map[string]int{"good": 0, "failing": 1} {
		b.Run(name, func(b *testing.B) {
			n := listen(b, configtest.Replace(trapConfig, "        period\n", "        period none\n"))
			p := packet.Trap{User: "trapper", Password: "trappw", Group: "db", Service: "trap", Status: status, Summary: "db1", Detail: strings.Repeat("some detail\n", 10)}.Append(nil)
			ahead := int64(min(n.ahead/2, 2000)) // two of these are out at most
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			sent := int64(0)
			for b.Loop() {
				if sent++; sent%ahead == 0 {
					n.wait(b, sent-ahead)
				}
				if _, err := n.conn.Write(p); err != nil {
					b.Fatal(err)
				}
			}
			n.wait(b, sent)
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "traps/s")
		})
	}
}
