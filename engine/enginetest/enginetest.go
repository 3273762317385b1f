// Package enginetest stands in for what lies beyond the engine's seams: a
// scripted [Runner], a recording [Sender] and an in-memory [Store], all fit
// for testing/synctest. Everything above the seams is tested through it; it is
// not for production.
package enginetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

// Answer is what a scripted check answers, and after how long.
type Answer struct {
	Result monitor.Result
	After  time.Duration
}

// Runner answers checks by a script. The zero value answers OK at once.
type Runner struct {
	mu      sync.Mutex
	script  func(c job.Check) Answer
	ran     []job.Check
	times   []time.Time
	watched []job.Check
	ended   []uint64
	out     chan []job.Done
	pending sync.WaitGroup
}

// NewRunner makes a Runner; script may be nil and may be called concurrently.
func NewRunner(script func(c job.Check) Answer) *Runner {
	if script == nil {
		script = func(job.Check) Answer { return Answer{Result: monitor.OK("")} }
	}
	return &Runner{script: script, out: make(chan []job.Done)}
}

// Script replaces the script.
func (r *Runner) Script(f func(c job.Check) Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script = f
}

// Set makes all checks of one service answer res at once; others keep the
// script they had.
func (r *Runner) Set(key opstatus.Key, res monitor.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.script
	r.script = func(c job.Check) Answer {
		if c.Request.Group == key.Group && c.Request.Service == key.Service {
			return Answer{Result: res}
		}
		return old(c)
	}
}

// Run answers each job by the script, in goroutines that end with Close.
func (r *Runner) Run(jobs []job.Check) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, j := range jobs {
		r.ran, r.times = append(r.ran, j), append(r.times, time.Now())
		answer := r.script(j)
		r.pending.Go(func() { r.answer(j, answer) })
	}
}

func (r *Runner) answer(j job.Check, a Answer) {
	time.Sleep(a.After) // bubble time under synctest
	res := a.Result
	res.Took = a.After
	r.out <- []job.Done{{ID: j.ID, Group: j.Request.Group, Service: j.Request.Service, Result: res}}
}

// Push sends a result that nobody asked for.
func (r *Runner) Push(group, service string, res monitor.Result) {
	r.out <- []job.Done{{Group: group, Service: service, Result: res}}
}

// Send gives the loop answers that no check asked for.
func (r *Runner) Send(dones ...job.Done) { r.out <- dones }

// Watch keeps the set for [Runner.Watched]: pushed results come from
// [Runner.Push].
func (r *Runner) Watch(jobs []job.Check) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watched = jobs
}

// Watched is the last set of services that may speak unasked.
func (r *Runner) Watched() []job.Check {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.watched)
}

// Cancel keeps the ids for [Runner.Canceled]: scripted checks answer in their
// own time.
func (r *Runner) Cancel(ids []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = append(r.ended, ids...)
}

// Canceled is every id so far that was to end early.
func (r *Runner) Canceled() []uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ended)
}

// Results is where answers arrive.
func (r *Runner) Results() <-chan []job.Done { return r.out }

// Ran is every job so far.
func (r *Runner) Ran() []job.Check {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ran)
}

// Times is when each of Ran began.
func (r *Runner) Times() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.times)
}

// Drain takes answers until all checks have answered; call it when the engine
// has ended, so that no goroutine is left.
func (r *Runner) Drain() {
	done := make(chan struct{})
	go func() { r.pending.Wait(); close(done) }()
	for {
		select {
		case <-r.out:
		case <-done:
			return
		}
	}
}

// Sent is one notice that reached the Sender.
type Sent struct {
	At      time.Time
	Program string
	Request alert.Request
}

// Kept is one call of Keep.
type Kept struct {
	At      time.Time
	Program string
	Full    bool
	Claims  []alert.Claim
}

// Asked is one call of Standing.
type Asked struct {
	At       time.Time
	Program  string
	Services []string
}

// Sender records what it is told. OnSend and OnKeep may make it slow or fail.
type Sender struct {
	OnSend func(ctx context.Context, program string, r alert.Request) error
	OnKeep func(ctx context.Context, program string, full bool, claims []alert.Claim) error
	// OnStanding answers Standing; without it every call is an error.
	OnStanding func(ctx context.Context, program string, services []string) ([]alert.Standing, error)
	// OnCopying answers Copying; without it every call is an error.
	OnCopying func(ctx context.Context, program string) ([]alert.Copying, error)

	mu      sync.Mutex
	sent    []Sent
	kept    []Kept
	asked   []Asked
	held    map[string]map[string]alert.Claim
	restart chan string
}

// NewSender makes a Sender that accepts everything.
func NewSender() *Sender {
	return &Sender{held: map[string]map[string]alert.Claim{}, restart: make(chan string)}
}

// Send records a notice once OnSend has accepted it.
func (s *Sender) Send(ctx context.Context, program string, r alert.Request) error {
	if s.OnSend != nil {
		if err := s.OnSend(ctx, program, r); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, Sent{time.Now(), program, r})
	return nil
}

// Keep records claims once OnKeep has accepted them.
func (s *Sender) Keep(ctx context.Context, program string, full bool, claims []alert.Claim) error {
	if s.OnKeep != nil {
		if err := s.OnKeep(ctx, program, full, claims); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, Kept{time.Now(), program, full, claims})
	if full || s.held[program] == nil {
		s.held[program] = map[string]alert.Claim{}
	}
	for _, c := range claims {
		if c.Withdrawn {
			delete(s.held[program], c.ID)
		} else {
			s.held[program][c.ID] = c
		}
	}
	return nil
}

// Standing answers by OnStanding.
func (s *Sender) Standing(ctx context.Context, program string, services []string) ([]alert.Standing, error) {
	s.mu.Lock()
	s.asked = append(s.asked, Asked{time.Now(), program, services})
	s.mu.Unlock()
	if s.OnStanding == nil {
		return nil, errors.New("this keeper does not say how its table stands")
	}
	return s.OnStanding(ctx, program, services)
}

// Copying answers by OnCopying.
func (s *Sender) Copying(ctx context.Context, program string) ([]alert.Copying, error) {
	if s.OnCopying == nil {
		return nil, errors.New("this keeper does not say how connections are copied")
	}
	return s.OnCopying(ctx, program)
}

// Asked is every call of Standing so far.
func (s *Sender) Asked() []Asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// Restart says that a keeper lost its memory.
func (s *Sender) Restart(program string) {
	s.mu.Lock()
	delete(s.held, program)
	s.mu.Unlock()
	s.restart <- program
}

// Restarted is read by the loop.
func (s *Sender) Restarted() <-chan string { return s.restart }

// Sent is every notice so far.
func (s *Sender) Sent() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// Kept is every call of Keep so far.
func (s *Sender) Kept() []Kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept)
}

// Held is what a keeper holds now, by claim ID.
func (s *Sender) Held(program string) map[string]alert.Claim {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.held[program])
}

// Store keeps batches in memory, as if every commit took Delay.
type Store struct {
	Delay time.Duration

	mu     sync.Mutex
	saved  store.Saved
	events []store.Event
	loaded bool
	closed bool
	fail   error
	wait   sync.WaitGroup
	last   chan struct{} // closed when the newest batch was applied
}

// NewStore makes an empty Store; saved may hold what an earlier run left.
func NewStore(saved store.Saved) *Store {
	saved.Outbox = slices.Clone(saved.Outbox)
	saved.Records = maps.Clone(saved.Records)
	saved.Pools = maps.Clone(saved.Pools)
	if saved.Pools == nil {
		saved.Pools = map[string]store.Pool{}
	}
	if saved.Records == nil {
		saved.Records = map[opstatus.Key]store.Record{}
	}
	return &Store{saved: saved}
}

// Load is what was saved; from then on the stop is not clean.
func (s *Store) Load() (store.Saved, error) {
	out := s.Snapshot()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved.Clean, s.loaded = false, true
	return out, nil
}

// Snapshot is what would be found after a kill -9 now.
func (s *Store) Snapshot() store.Saved {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.saved
	out.Records, out.Pools = maps.Clone(s.saved.Records), maps.Clone(s.saved.Pools)
	out.Outbox = slices.Clone(s.saved.Outbox)
	return out
}

// Append applies b after Delay, and after what came before it.
func (s *Store) Append(b store.Batch, committed func(error)) {
	applied := make(chan struct{})
	s.mu.Lock()
	before := s.last
	s.last = applied
	s.mu.Unlock()
	s.wait.Go(func() {
		defer close(applied)
		time.Sleep(s.Delay)
		if before != nil {
			<-before
		}
		s.apply(b)
		if committed != nil {
			committed(nil)
		}
	})
}

func (s *Store) apply(b store.Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, b.Events...)
	if !b.Alive.IsZero() {
		s.saved.Alive = b.Alive
	}
	for _, k := range b.Gone {
		delete(s.saved.Records, k)
	}
	maps.Copy(s.saved.Records, b.Records)
	for name, p := range b.Pools {
		if p == nil {
			delete(s.saved.Pools, name)
		} else {
			s.saved.Pools[name] = *p
		}
	}
	if b.Globals != nil {
		s.saved.Globals = *b.Globals
	}
	s.saved.Outbox = append(s.saved.Outbox, b.Queued...)
	for _, n := range b.Queued {
		s.saved.NextSeq = max(s.saved.NextSeq, n.Seq+1)
	}
	s.saved.Outbox = slices.DeleteFunc(s.saved.Outbox, func(n store.Notice) bool { return slices.Contains(b.Done, n.Seq) })
}

// Events is the history so far, oldest first.
func (s *Store) Events() []store.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Recent is the last rows of some kinds, oldest first.
func (s *Store) Recent(kinds []string, most int) ([]store.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := slices.DeleteFunc(slices.Clone(s.events), func(e store.Event) bool { return !slices.Contains(kinds, e.Kind) })
	return rows[max(len(rows)-most, 0):], nil
}

// Retain keeps all there is.
func (s *Store) Retain(int, time.Duration) {}

// Fail makes Health report err, or all well for nil.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Health reports what Fail was given.
func (s *Store) Health() (bool, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fail == nil, time.Time{}, s.fail
}

// Closed reports whether Close was called.
func (s *Store) Closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Close waits for what was appended and marks the stop as clean, unless
// nothing was loaded.
func (s *Store) Close(context.Context) error {
	s.wait.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved.Clean, s.closed = s.saved.Clean || s.loaded, true
	return nil
}
