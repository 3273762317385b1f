package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netns"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon is how long a test waits for what comes at once.
const soon = 10 * time.Second

var labs atomic.Uint32

// lab is two machines and a cable, veth0, between them: 10.8.0.1 and .2,
// fd08::1 and ::2, fe80::1 and ::2.
type lab struct {
	t     testing.TB
	space [3]string // by machine; the first is none
}

func newLab(t testing.TB) *lab {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatal("network namespaces need root")
		}
		t.Skip("network namespaces need root")
	}
	l := &lab{t: t}
	number := labs.Add(1)
	for n := 1; n <= 2; n++ {
		l.space[n] = fmt.Sprintf("mond-link-%d-%d-%d", os.Getpid(), number, n)
		ip(t, "netns add "+l.space[n])
		t.Cleanup(func() { _, _ = exec.Command("ip", "netns", "del", l.space[n]).CombinedOutput() })
	}
	l.cable()
	return l
}

func (l *lab) cable() {
	l.t.Helper()
	ip(l.t, "-n "+l.space[1]+" link add veth0 type veth peer name veth0 netns "+l.space[2])
	for n := 1; n <= 2; n++ {
		l.ip(n, fmt.Sprintf("addr add 10.8.0.%d/24 dev veth0", n), fmt.Sprintf("addr add fd08::%d/64 dev veth0 nodad", n),
			"link set veth0 addrgenmode none", fmt.Sprintf("addr add fe80::%d/64 dev veth0 nodad", n), "link set veth0 up")
	}
}

func ip(t testing.TB, words string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(words)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", words, err, out)
	}
}

func (l *lab) ip(n int, commands ...string) {
	l.t.Helper()
	for _, c := range commands {
		ip(l.t, "-n "+l.space[n]+" "+c)
	}
}

// inside runs do on a machine.
func (l *lab) inside(n int, do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // it ends with the goroutine, in that namespace
		ns, err := netns.GetFromName(l.space[n])
		if err == nil {
			err = netns.Set(ns)
			_ = ns.Close()
		}
		if err == nil {
			err = do()
		}
		done <- err
	}()
	return <-done
}

// end is one end of a link that runs.
type end struct {
	*Link
	t     testing.TB
	stop  context.CancelFunc
	ended sync.WaitGroup
	came  chan []byte
	ages  chan time.Duration
}

// begin runs a link on a machine, 0 for this one.
func begin(t testing.TB, l *lab, n int, words string) *end {
	t.Helper()
	s, err := Parse(words)
	if err != nil {
		t.Fatal(err)
	}
	e := &end{Link: New(s), t: t, came: make(chan []byte, 1000)}
	if n > 0 {
		e.open = func(s Spec) (m medium, err error) {
			err = errors.Join(err, l.inside(n, func() (err error) { m, err = open(s); return err }))
			return m, err
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.ended.Go(func() {
		e.Run(ctx, func(b []byte, _ time.Duration) {
			select {
			case e.came <- bytes.Clone(b):
			default:
			}
		})
	})
	t.Cleanup(func() { stop(); e.ended.Wait() })
	return e
}

// until waits for a state.
func (e *end) until(what string, is func(State) bool) {
	e.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(soon); !is(e.State()); <-tick.C {
		if time.Now().After(end) {
			e.t.Fatalf("%s: no %s: %+v", e.Spec(), what, e.State())
		}
	}
}

func (e *end) opened() {
	e.t.Helper()
	e.until("open link", func(s State) bool { return s.Open })
}

// gets waits for a packet, which is sent by the other end until it comes.
func (e *end) gets(from *end, text string) {
	e.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(soon)
	from.Send([]byte(text))
	for {
		select {
		case b := <-e.came:
			if string(b) == text {
				return
			}
		case <-tick.C:
			from.Send([]byte(text))
		case <-limit:
			e.t.Fatalf("%s: %q did not come: %+v, sent by %+v", e.Spec(), text, e.State(), from.State())
		}
	}
}
