// Package outbox delivers notices: it starts each when it is safe on disk,
// one after the other for one service and program, and tries again what did
// not work. It runs in goroutines of its own, so that nothing it calls can
// hold up the engine's loop.
//
// It does not decide who is told (engine/policy), keeps nothing on disk
// (engine/store does, for the loop), and knows no claims: those are newest
// first and never queue.
package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/alert"
)

// Options say what an Outbox calls and how patient it is. Zero fields mean
// the defaults named at them. The functions are called from many goroutines,
// for one queue in order; while one of them waits, only that queue waits.
type Options struct {
	// Send runs the alert once and returns when it ended, at the latest soon
	// after ctx did. An error marked by alert.Permanent is not tried again,
	// any other is: a Sender that runs programs which may have told somebody
	// before they failed marks those errors.
	Send func(ctx context.Context, program string, r alert.Request) error
	// Started is called before the first try of a notice since it was added.
	Started func(n store.Notice)
	// Finished is called when a notice is over. err is nil if it was told;
	// gaveUp is set if err was one to try again, but not for ever.
	Finished func(n store.Notice, err error, attempts int, gaveUp bool)
	// PerProgram is how many notices of one program may run at once; 0 means
	// 16.
	PerProgram int
	// Timeout is how long one try may take; 0 means 1 minute. SetTimeout
	// changes it.
	Timeout time.Duration
	// LateAfter is how long a notice waits for its commit before it starts
	// without; 0 means 5 s.
	LateAfter time.Duration
	// RetryMin and RetryMax bound the pause before the next try, which doubles
	// each time; 0 means 1 s and 5 min.
	RetryMin, RetryMax time.Duration
	// MaxAge is how old a notice may be when it is tried again; 0 means 24 h.
	// The first try is made at any age.
	MaxAge time.Duration
	// MaxAttempts bounds the tries; 0 is no bound.
	MaxAttempts int
	// Log gets a line for each try that failed; nil is silent.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Started == nil {
		o.Started = func(store.Notice) {}
	}
	if o.Finished == nil {
		o.Finished = func(store.Notice, error, int, bool) {}
	}
	if o.PerProgram == 0 {
		o.PerProgram = 16
	}
	if o.LateAfter == 0 {
		o.LateAfter = 5 * time.Second
	}
	if o.RetryMin == 0 {
		o.RetryMin = time.Second
	}
	if o.RetryMax == 0 {
		o.RetryMax = 5 * time.Minute
	}
	if o.MaxAge == 0 {
		o.MaxAge = 24 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Outbox holds the notices that are not over. Its methods may be called from
// any goroutine and do not wait for a delivery, Stop excepted.
type Outbox struct {
	opt     Options
	timeout atomic.Int64
	// ctx ends the tries under way; stop ends everything between them.
	ctx    context.Context
	cancel context.CancelFunc
	stop   chan struct{}
	// lanes counts the goroutines, one for each queue that is not empty.
	lanes sync.WaitGroup

	mu      sync.Mutex
	stopped bool
	queues  map[queueKey]*queue
	items   map[uint64]*item
	slots   map[string]chan struct{}
}

// queueKey says which notices keep their order among themselves.
type queueKey struct{ group, service, program string }

// queue is never empty while it is in Outbox.queues; its first item is the one
// under way.
type queue struct {
	key   queueKey
	items []*item
}

// item is a notice in a queue; from onDisk on its fields are under Outbox.mu.
type item struct {
	notice store.Notice
	added  time.Time
	// ready is closed when the notice is on disk.
	ready    chan struct{}
	onDisk   bool
	attempts int
	err      error
	next     time.Time
	running  bool
}

// New makes an Outbox that is ready for Add; Stop ends it.
func New(o Options) *Outbox {
	ctx, cancel := context.WithCancel(context.Background())
	b := &Outbox{
		opt: o.withDefaults(), ctx: ctx, cancel: cancel, stop: make(chan struct{}),
		queues: map[queueKey]*queue{}, items: map[uint64]*item{}, slots: map[string]chan struct{}{},
	}
	b.SetTimeout(o.Timeout)
	return b
}

// SetTimeout changes how long a try may take from the next one on; 0 means 1
// minute.
func (b *Outbox) SetTimeout(d time.Duration) {
	if d <= 0 {
		d = time.Minute
	}
	b.timeout.Store(int64(d))
}

// Add queues n. It starts when [Outbox.Committed] names it and all before it
// in its queue are over, or after Options.LateAfter with Request.Late set. A
// Seq that is queued already, and anything after Stop, is not added.
func (b *Outbox) Add(n store.Notice) { b.add(n, false) }

// Restore queues what a store gave back after a restart, in order; it is on
// disk already.
func (b *Outbox) Restore(list []store.Notice) {
	for _, n := range list {
		b.add(n, true)
	}
}

func (b *Outbox) add(n store.Notice, onDisk bool) {
	it := &item{notice: n, added: time.Now(), ready: make(chan struct{})}
	if onDisk {
		it.commit()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped || b.items[n.Seq] != nil {
		b.opt.Log.Warn("notice not queued: stopped, or queued before", "seq", n.Seq, "alert", n.Program)
		return
	}
	b.items[n.Seq] = it
	key := queueKey{n.Request.Group, n.Request.Service, n.Program}
	if q := b.queues[key]; q != nil {
		q.items = append(q.items, it)
		return
	}
	q := &queue{key, []*item{it}}
	b.queues[key] = q
	b.lanes.Go(func() { b.serve(q, it) })
}

func (it *item) commit() {
	if !it.onDisk {
		it.onDisk = true
		close(it.ready)
	}
}

// Committed says that these notices are on disk. Unknown ones are passed
// over: they may have been told late and be over.
func (b *Outbox) Committed(seqs ...uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, seq := range seqs {
		if it := b.items[seq]; it != nil {
			it.commit()
		}
	}
}

// Len is how many notices are not over.
func (b *Outbox) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.items)
}

// Oldest is when the oldest notice that is not over was decided, zero if there
// is none.
func (b *Outbox) Oldest() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	var oldest time.Time
	for _, q := range b.queues {
		if at := q.items[0].notice.Queued; oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}

// Waiting is a notice that is not over, for people.
type Waiting struct {
	Notice store.Notice
	// Attempts counts the tries since the start of mond, Running is set during
	// one; Err is what the last one that ended said, Next when the next is.
	Attempts int
	Running  bool
	Err      error
	Next     time.Time
}

// List gives all notices that are not over, by Seq.
func (b *Outbox) List() []Waiting {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Waiting, 0, len(b.items))
	for _, it := range b.items {
		list = append(list, Waiting{it.notice, it.attempts, it.running, it.err, it.next})
	}
	slices.SortFunc(list, func(x, y Waiting) int {
		return int(min(max(int64(x.Notice.Seq-y.Notice.Seq), -1), 1))
	})
	return list
}

// stopGrace is how long Stop waits for tries that it cut short.
const stopGrace = time.Second

// Stop starts no more tries, waits for those under way until ctx ends, and
// then cuts them short. What is not over stays in the store and is given back
// by its next Load. An error says that tries were cut short.
func (b *Outbox) Stop(ctx context.Context) error {
	defer b.cancel()
	b.mu.Lock()
	if !b.stopped {
		b.stopped = true
		close(b.stop)
	}
	b.mu.Unlock()
	ended := make(chan struct{})
	go func() { // ends with the last try
		b.lanes.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	running := b.running()
	b.cancel()
	select {
	case <-ended:
	case <-time.After(stopGrace):
	}
	return fmt.Errorf("stop outbox: %d alerts were still running and will be repeated: %w", running, ctx.Err())
}

func (b *Outbox) running() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, it := range b.items {
		if it.running {
			n++
		}
	}
	return n
}
