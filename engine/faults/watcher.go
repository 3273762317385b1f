package faults

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mondhq/mond/engine/config"
)

const (
	// interval is how often is looked though the kernel says nothing, and at
	// most how often a gateway is probed.
	interval = time.Second
	// calm is how long all must have been well before a fault is over: the
	// first packets after a link is back are lost as often as not.
	calm = 2 * time.Second
	// least is the least time between two looks: a link that flaps wakes no
	// more than that.
	least = 20 * time.Millisecond
)

// machine is this machine as the watcher asks it; tests have their own.
type machine interface {
	// look says what is at fault with f now; empty if nothing is. known is
	// false if that cannot be said at present.
	look(f config.LocalFault) (text string, known bool, err error)
	// events holds a token when anything changed.
	events() <-chan struct{}
	// watch begins and ends to listen for events.
	watch(on bool)
}

// Watcher watches. Its methods may be called from any goroutine while Run is
// running.
type Watcher struct {
	log     *slog.Logger
	machine machine
	out     chan []Change
	wake    chan struct{} // holds one: "another set"

	mu  sync.Mutex
	set []config.LocalFault
}

// New makes a Watcher of this machine; [Watcher.Run] runs it. Nobody is asked
// anything while there is nothing to watch.
func New(log *slog.Logger) *Watcher { return newWatcher(log, newKernel(log)) }

func newWatcher(log *slog.Logger, m machine) *Watcher {
	return &Watcher{log: log, machine: m, out: make(chan []Change), wake: make(chan struct{}, 1)}
}

// Watch replaces the set that is watched. It never blocks.
func (w *Watcher) Watch(set []config.LocalFault) {
	w.mu.Lock()
	w.set = slices.Clone(set)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Changes says what began and ended to be at fault, gathered while nobody
// reads.
func (w *Watcher) Changes() <-chan []Change { return w.out }

// standing is how one of the set stands.
type standing struct {
	text string // what is told of it
	// well is since when it looks well, while it is told to be at fault.
	well   time.Time
	failed string // the error of the last look, as it was logged
}

// Run watches until ctx ends.
func (w *Watcher) Run(ctx context.Context) error {
	defer w.machine.watch(false)
	states := map[config.LocalFault]*standing{}
	pending := map[config.LocalFault]Change{}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		var ticks <-chan time.Time
		if len(states) > 0 {
			ticks = tick.C
		}
		out, changes := w.offer(pending)
		select {
		case <-ctx.Done():
			return nil
		case out <- changes:
			clear(pending)
			continue
		case <-w.wake:
			states = w.take(states)
			maps.DeleteFunc(pending, func(f config.LocalFault, _ Change) bool { return states[f] == nil })
		case <-w.machine.events():
			if !pause(ctx, least) {
				return nil
			}
		case <-ticks:
		}
		for f, s := range states {
			w.look(f, s, pending, time.Now())
		}
	}
}

// offer is the channel to send changes to, nil while there are none.
func (w *Watcher) offer(pending map[config.LocalFault]Change) (chan<- []Change, []Change) {
	if len(pending) == 0 {
		return nil, nil
	}
	return w.out, slices.Collect(maps.Values(pending))
}

// take takes over the set that is to be watched.
func (w *Watcher) take(old map[config.LocalFault]*standing) map[config.LocalFault]*standing {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := make(map[config.LocalFault]*standing, len(w.set))
	for _, f := range w.set {
		if next[f] = old[f]; next[f] == nil {
			next[f] = &standing{}
		}
	}
	w.machine.watch(len(next) > 0)
	return next
}

// look looks at one of the set. What cannot be said stays as it was.
func (w *Watcher) look(f config.LocalFault, s *standing, pending map[config.LocalFault]Change, now time.Time) {
	text, known, err := w.machine.look(f)
	if err != nil {
		if err.Error() != s.failed {
			w.log.Warn("what may be at fault cannot be looked at, it stays as it was", "what", describe(f), "err", err)
		}
		s.failed = err.Error()
		return
	}
	s.failed = ""
	switch {
	case !known:
		return
	case text == "" && s.text == "":
		return
	case text == "" && s.well.IsZero():
		s.well = now
		return
	case text == "" && now.Sub(s.well) < calm:
		return
	case text != "":
		s.well = time.Time{}
	}
	if text != s.text {
		s.text = text
		pending[f] = Change{Fault: f, Text: text}
	}
}

// pause waits for d; false means that ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// describe names f as the configuration does.
func describe(f config.LocalFault) string {
	switch f.Kind {
	case config.FaultLink:
		return "link " + f.Link
	case config.FaultSource:
		return "source " + f.Addr.String()
	case config.FaultGateway:
		return "gateway " + f.Addr.String()
	}
	return "unknown"
}
