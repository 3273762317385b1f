package pair

import (
	"encoding/binary"
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
	sent    []time.Time // when each question was
	answers []answer    // as they came
	wait    sync.WaitGroup
	conns   []net.PacketConn
	ended   chan struct{}
}

// answer is one that came. What counts is when the question was sent: an answer
// may be late because this program is.
type answer struct {
	at, came time.Time
	number   int
	from     string
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
			size, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(append([]byte(n), buf[:size]...), from)
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
			a.mu.Lock()
			question := binary.BigEndian.AppendUint32(nil, uint32(len(a.sent)))
			a.sent = append(a.sent, time.Now())
			a.mu.Unlock()
			_, _ = c.WriteTo(question, to) // an address that nobody has is no error of ours
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
		if n != 5 {
			continue
		}
		number := int(binary.BigEndian.Uint32(buf[1:]))
		a.mu.Lock()
		a.answers = append(a.answers, answer{a.sent[number], time.Now(), number, string(buf[:1])})
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

// since are the answers to what was asked since then, in the order of the
// questions.
func (a *asker) since(then time.Time) (all []answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, x := range slices.Backward(a.answers) {
		if x.came.Before(then) {
			break
		}
		if x.at.After(then) {
			all = append(all, x)
		}
	}
	slices.SortStableFunc(all, func(x, y answer) int { return x.number - y.number })
	return all
}

// last is who answered the newest question that was answered, "" if nobody did
// within the last half second.
func (a *asker) last() string {
	all := a.since(time.Now().Add(-500 * time.Millisecond))
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1].from
}

// gap is the longest time in which questions were not answered since then, from
// the last that was before to the first that was after, and by whom those were.
func (a *asker) gap(then time.Time) (longest time.Duration, from, to string) {
	all := a.since(then.Add(-40 * every))
	for i := 1; i < len(all); i++ {
		if d := all[i].at.Sub(all[i-1].at); d > longest && all[i].number > all[i-1].number+1 {
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
