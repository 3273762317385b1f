package pair

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// every is the time between the client's questions.
const every = 5 * time.Millisecond

// asker is a client that asks the virtual address again and again who it is.
type asker struct {
	every   time.Duration
	mu      sync.Mutex
	answers []answer
	wait    sync.WaitGroup
	conns   []net.PacketConn
	ended   chan struct{}
}

// answer is one that came.
type answer struct {
	at   time.Time
	from string
}

// newAsker begins: both directors answer, for whatever address they have.
func newAsker(t testing.TB, w *world) *asker { return newAskerEach(t, w, every) }

// newAskerEach is a client that asks at this pace.
func newAskerEach(t testing.TB, w *world, pace time.Duration) *asker {
	t.Helper()
	a := &asker{every: pace, ended: make(chan struct{})}
	for _, n := range []string{"a", "b"} {
		a.answerer(t, w, n)
	}
	var c net.PacketConn
	must(t, w.enter("c", func() (err error) {
		c, err = net.ListenPacket("udp4", ":0")
		return err
	}))
	a.conns = append(a.conns, c)
	a.wait.Go(func() { a.ask(c) })
	a.wait.Go(func() { a.hear(c) })
	t.Cleanup(a.end)
	return a
}

// answerer says its name to who asks, from the address that was asked.
func (a *asker) answerer(t testing.TB, w *world, n string) {
	t.Helper()
	var c net.PacketConn
	must(t, w.enter(n, func() (err error) {
		c, err = net.ListenPacket("udp4", ":7")
		return err
	}))
	a.conns = append(a.conns, c)
	a.wait.Go(func() {
		buf := make([]byte, 64)
		for {
			_, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteTo([]byte(n), from)
		}
	})
}

func (a *asker) ask(c net.PacketConn) {
	tick := time.NewTicker(a.every)
	defer tick.Stop()
	to := &net.UDPAddr{IP: net.ParseIP(vip), Port: 7}
	for {
		select {
		case <-a.ended:
			return
		case <-tick.C:
			_, _ = c.WriteTo([]byte("who"), to) // an address that nobody has is no error of ours
		}
	}
}

func (a *asker) hear(c net.PacketConn) {
	buf := make([]byte, 64)
	for {
		n, _, err := c.ReadFrom(buf)
		if err != nil {
			select {
			case <-a.ended:
				return
			default:
				continue // what came back for a question before
			}
		}
		a.mu.Lock()
		a.answers = append(a.answers, answer{time.Now(), string(buf[:n])})
		a.mu.Unlock()
	}
}

func (a *asker) end() {
	close(a.ended)
	for _, c := range a.conns {
		_ = c.Close()
	}
	a.wait.Wait()
}

// since are the answers since then.
func (a *asker) since(then time.Time) []answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.answers, func(x answer) bool { return x.at.After(then) })
	if i < 0 {
		return nil
	}
	return slices.Clone(a.answers[i:])
}

// last is who answered last, "" if nobody did within the last half second.
func (a *asker) last() string {
	all := a.since(time.Now().Add(-500 * time.Millisecond))
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1].from
}

// gap is the longest time without an answer since then, and who answered before
// and after it.
func (a *asker) gap(then time.Time) (longest time.Duration, from, to string) {
	all := a.since(then.Add(-10 * every))
	for i := 1; i < len(all); i++ {
		if d := all[i].at.Sub(all[i-1].at); d > longest {
			longest, from, to = d, all[i-1].from, all[i].from
		}
	}
	return longest, from, to
}

// changes are the changes of who answered since then, in words.
func (a *asker) changes(then time.Time) string {
	var b strings.Builder
	var last answer
	for _, x := range a.since(then) {
		if x.from != last.from {
			fmt.Fprintf(&b, "%s at %v; ", x.from, x.at.Sub(then).Round(time.Millisecond))
		}
		last = x
	}
	return b.String()
}
