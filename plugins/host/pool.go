package host

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mondhq/mond/plugins/classic"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pulse"
)

// classicGrace is from SIGTERM to SIGKILL for a classic monitor whose time is
// over: half of Grace, so that its end is seen within it.
const classicGrace = Grace / 2

// errand is one check of a classic program.
type errand struct {
	exec     classic.Exec
	check    job.Check
	arrived  time.Time
	deadline time.Time
	timer    *time.Timer        // deadline while it waits, deadline and Grace while it runs
	cancel   context.CancelFunc // nil while it waits
	answered bool
	pid      atomic.Int64 // 0 while no process runs
}

// pool runs classic monitors, at most max at once and in the order in which
// they came.
type pool struct {
	mail *mailbox
	lost func() time.Duration
	run  func(context.Context, classic.Exec, monitor.Request) monitor.Result

	mu      sync.Mutex
	max     int
	running map[*errand]bool
	queue   []*errand
	stopped bool
	idle    chan struct{} // closed when stopped and nothing runs
}

func newPool(mail *mailbox, lost func() time.Duration) *pool {
	return &pool{mail: mail, lost: lost, run: classic.RunMonitor, running: map[*errand]bool{}, idle: make(chan struct{})}
}

// resize says how many run at once; those that run are not disturbed.
func (p *pool) resize(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.max = n
	p.next()
}

// add queues checks; it never waits.
func (p *pool) add(e classic.Exec, jobs []job.Check) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range jobs {
		w := &errand{exec: e, check: c, arrived: now, deadline: now.Add(c.Timeout)}
		if p.stopped {
			p.answer(w, stopped())
			continue
		}
		w.timer = time.AfterFunc(c.Timeout, func() { p.tooLate(w) })
		p.queue = append(p.queue, w)
	}
	p.next()
}

// next starts what may start. The caller holds mu.
func (p *pool) next() {
	for len(p.running) < p.max && len(p.queue) > 0 {
		w := p.queue[0]
		p.queue[0] = nil
		p.queue = p.queue[1:]
		switch {
		case w.answered:
		case !time.Now().Before(w.deadline):
			w.timer.Stop()
			p.answer(w, p.crowded())
		default:
			p.begin(w)
		}
	}
}

func (p *pool) begin(w *errand) {
	ctx, cancel := context.WithDeadline(context.Background(), w.deadline)
	w.cancel = cancel
	p.running[w] = true
	w.timer.Reset(time.Until(w.deadline) + Grace)
	go func() { // ends with the program, or when the kernel lets it go
		defer cancel()
		mark := p.lost()
		e := w.exec
		e.Started = func(pid int) { w.pid.Store(int64(pid)) }
		r := p.run(ctx, e, w.request())
		p.done(w, p.sober(r, w, p.lost()-mark))
	}()
}

// request adds the time limit, so that a program of ours ends by itself.
func (w *errand) request() monitor.Request {
	r := w.check.Request
	if _, ok := r.Env[rpc.TimeoutEnv]; ok {
		return r
	}
	env := make(map[string]string, len(r.Env)+1)
	maps.Copy(env, r.Env)
	env[rpc.TimeoutEnv] = time.Until(w.deadline).Round(time.Millisecond).String()
	r.Env = env
	return r
}

// sober takes back a time-out while which mond did not run.
func (p *pool) sober(r monitor.Result, w *errand, lost time.Duration) monitor.Result {
	if r.Cause == monitor.TimedOut && pulse.Spoils(lost, w.check.Timeout) {
		return monitor.Blinded(monitor.Overloaded, fmt.Sprintf("mond itself did not run for %v of this check's %v", lost.Round(time.Millisecond), w.check.Timeout))
	}
	return r
}

func (p *pool) done(w *errand, r monitor.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.timer.Stop()
	p.answer(w, r)
	delete(p.running, w)
	p.next()
	p.rest()
}

// rest notes that nothing runs any more. The caller holds mu.
func (p *pool) rest() {
	if p.stopped && len(p.running) == 0 {
		select {
		case <-p.idle:
		default:
			close(p.idle)
		}
	}
}

// tooLate answers for a check that waited too long, or whose program the
// kernel does not end.
func (p *pool) tooLate(w *errand) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.cancel == nil {
		p.answer(w, p.crowded())
		return
	}
	p.answer(w, monitor.Blinded(monitor.LocalFault, "its program hangs inside the kernel and cannot be ended"))
}

// crowded is the answer for a check that did not get its turn in time.
func (p *pool) crowded() monitor.Result {
	return monitor.Blinded(monitor.Overloaded, fmt.Sprintf("its time was over before it could run: %d classic monitors were running, as many as maxprocs allows", p.max))
}

// answer gives the one answer. The caller holds mu.
func (p *pool) answer(w *errand, r monitor.Result) {
	if w.answered {
		return
	}
	w.answered = true
	if r.Started.IsZero() {
		r.Started, r.Took = w.arrived, time.Since(w.arrived)
	}
	p.mail.put(job.Done{ID: w.check.ID, Group: w.check.Request.Group, Service: w.check.Request.Service, Result: r})
}

// cancel withdraws checks: those that wait are answered now, those that run
// when their program has ended.
func (p *pool) cancel(ids map[uint64]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.queue {
		if ids[w.check.ID] {
			p.answer(w, monitor.Blinded(monitor.NotRun, "cancelled"))
			w.timer.Stop()
		}
	}
	for w := range p.running {
		if ids[w.check.ID] {
			w.cancel()
			w.timer.Reset(Grace)
		}
	}
}

// stop lets what runs end by itself until shortly before ctx does, and then
// ends it.
func (p *pool) stop(ctx context.Context) {
	p.mu.Lock()
	p.stopped = true
	for _, w := range p.queue {
		p.answer(w, stopped())
		w.timer.Stop()
	}
	p.queue = nil
	p.rest()
	p.mu.Unlock()
	wait := drainMost
	if end, ok := ctx.Deadline(); ok {
		wait = min(wait, max(time.Until(end)-drainShare, 0))
	}
	select {
	case <-p.idle:
		return
	case <-time.After(wait):
	case <-ctx.Done():
	}
	p.mu.Lock()
	for w := range p.running {
		w.cancel()
	}
	p.mu.Unlock()
	select {
	case <-p.idle:
	case <-ctx.Done():
	}
}
