package faults

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/engine/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var eth0 = config.LocalFault{Kind: config.FaultLink, Link: "eth0"}

// fake is a machine that is as it is told.
type fake struct {
	mu    sync.Mutex
	text  string
	known bool
	err   error
	looks int
	on    bool
	wake  chan struct{}
}

func newFake() *fake { return &fake{known: true, wake: make(chan struct{}, 1)} }

func (m *fake) look(config.LocalFault) (string, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looks++
	return m.text, m.known, m.err
}

func (m *fake) events() <-chan struct{} { return m.wake }

func (m *fake) watch(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.on = on
}

// is makes eth0 be so; tell says that the kernel tells of it.
func (m *fake) is(text string, known bool, err error, tell bool) {
	m.mu.Lock()
	m.text, m.known, m.err = text, known, err
	m.mu.Unlock()
	if tell {
		m.wake <- struct{}{}
	}
}

// run runs a watcher of eth0 and hands what it says to the test.
func run(t *testing.T, test func(w *Watcher, m *fake, next func(within time.Duration) string)) {
	synctest.Test(t, func(t *testing.T) {
		m := newFake()
		w := newWatcher(slog.New(slog.DiscardHandler), m)
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = w.Run(ctx) })
		next := func(within time.Duration) string {
			select {
			case c := <-w.Changes():
				if len(c) != 1 || c[0].Fault != eth0 {
					t.Fatalf("changes %+v", c)
				}
				if c[0].Text == "" {
					return "over"
				}
				return c[0].Text
			case <-time.After(within):
				return "nothing"
			}
		}
		test(w, m, next)
		stop()
		wg.Wait()
		if m.on {
			t.Error("it still listens")
		}
	})
}

func TestFaultBeginsAndEnds(t *testing.T) {
	run(t, func(w *Watcher, m *fake, next func(time.Duration) string) {
		w.Watch([]config.LocalFault{eth0})
		want(t, next(10*time.Second), "nothing")
		m.is("no carrier", true, nil, true)
		want(t, next(50*time.Millisecond), "no carrier")
		want(t, next(10*time.Second), "nothing") // told once
		m.is("", true, nil, true)
		want(t, next(1900*time.Millisecond), "nothing") // it has to be calm first
		want(t, next(2*time.Second), "over")
	})
}

// A link that flaps is at fault all the while.
func TestFlappingIsOneFault(t *testing.T) {
	run(t, func(w *Watcher, m *fake, next func(time.Duration) string) {
		w.Watch([]config.LocalFault{eth0})
		m.is("no carrier", true, nil, false)
		want(t, next(1100*time.Millisecond), "no carrier") // the poll finds it too
		for range 10 {
			m.is("", true, nil, true)
			want(t, next(time.Second), "nothing")
			m.is("no carrier", true, nil, true)
			want(t, next(time.Second), "nothing")
		}
		m.is("", true, nil, true)
		want(t, next(4*time.Second), "over")
	})
}

// What cannot be said changes nothing.
func TestUnknownIsHeld(t *testing.T) {
	run(t, func(w *Watcher, m *fake, next func(time.Duration) string) {
		m.is("no carrier", true, nil, false)
		w.Watch([]config.LocalFault{eth0})
		want(t, next(time.Second), "no carrier")
		m.is("", false, nil, true)
		want(t, next(10*time.Second), "nothing")
		m.is("", true, errors.New("no memory"), true)
		want(t, next(10*time.Second), "nothing")
		m.is("", true, nil, true)
		want(t, next(5*time.Second), "over")
	})
}

// What leaves the set is not told of any more, and nothing is looked at while
// there is nothing to watch.
func TestSetIsReplaced(t *testing.T) {
	run(t, func(w *Watcher, m *fake, next func(time.Duration) string) {
		w.Watch([]config.LocalFault{eth0})
		m.is("no carrier", true, nil, true)
		time.Sleep(time.Second) // the change waits to be read
		w.Watch(nil)
		synctest.Wait()
		n := m.looks
		want(t, next(time.Minute), "nothing")
		if m.looks != n || m.on {
			t.Errorf("looked %d times more, listens: %v", m.looks-n, m.on)
		}
		w.Watch([]config.LocalFault{eth0})
		want(t, next(time.Second), "no carrier")
	})
}

// Events without end are looked at now and then.
func TestStormOfEvents(t *testing.T) {
	run(t, func(w *Watcher, m *fake, _ func(time.Duration) string) {
		w.Watch([]config.LocalFault{eth0})
		synctest.Wait()
		n := m.looks
		for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			select {
			case m.wake <- struct{}{}:
			default:
			}
		}
		if more := m.looks - n; more > 60 {
			t.Errorf("looked %d times in a second", more)
		}
	})
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Fatalf("the watcher says %q, want %q", got, want)
	}
}
