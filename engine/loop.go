package engine

import (
	"context"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/outbox"
	"github.com/mondhq/mond/engine/schedule"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/alert"
)

// loop owns all watch state; its fields are touched by the goroutine of
// [loop.run] only. It never blocks: nothing in it waits for a disk, a plugin
// or a client.
type loop struct {
	*Engine
	loaded   Loaded
	services []*service // position = id in the heap
	byKey    map[opstatus.Key]*service
	watches  map[string]bool // those that the file declares
	heap     *schedule.Heap  // checks
	trapHeap *schedule.Heap  // the clocks of traps
	// trapsHeld is since when those stand still; zero while they run.
	trapsHeld time.Time
	inflight  map[uint64]*service
	lastID    uint64
	lastSeq   uint64
	globals   store.Globals
	outbox    *outbox.Outbox
	keepers   map[string]*keeper
	// startKeeper runs a keeper's worker, startLooker that of a looker; set by
	// start.
	startKeeper func(*keeper)
	startLooker func(*looker)
	self        self
	roles       roles
	shared      shared
	daemon      view.Daemon

	// pools are the virtual services, position = id in poolHeap; dirtyPools
	// those that this turn touched, decided and claimed scratch.
	pools      []*pool
	poolHeap   *schedule.Heap
	dirtyPools []*pool
	decided    []*pool
	claimed    []alert.Claim
	ticks      int
	lookers    map[string]*looker // by keeper
	looks      chan looked
	copies     copies
	marker     *marker
	marks      chan marksRead
	unread     map[string]string // directories of maintenance that cannot be read, and why
	// faults are those of this machine that hold now, each with a sentence.
	faults        map[config.LocalFault]string
	faultsWatched []config.LocalFault

	grain     time.Duration // how close batches of checks may be
	lastBatch time.Time

	// batch is what this turn makes durable, touched the services whose rows
	// it changed.
	batch   store.Batch
	safe    chan struct{} // closed when this turn's batch is on disk; nil if nobody waits
	touched []*service
	// newlyBlind counts the services that went blind since the last tick.
	newlyBlind int
	// offChanged is set when this turn changed what is disabled.
	offChanged bool
	signed     time.Time // when the last sign of life went to the store
	due        []int     // scratch
}

// newLoop builds the loop's state from a configuration and what was saved.
func (e *Engine) newLoop(loaded Loaded, saved store.Saved) *loop {
	now := time.Now()
	l := &loop{
		Engine:   e,
		byKey:    map[opstatus.Key]*service{},
		inflight: map[uint64]*service{},
		keepers:  map[string]*keeper{},
		lastSeq:  max(saved.NextSeq, 1) - 1,
		globals:  saved.Globals,
		outbox:   e.newOutbox(loaded.Config.Globals),
		lookers:  map[string]*looker{}, looks: make(chan looked),
		marks: make(chan marksRead), unread: map[string]string{}, faults: map[config.LocalFault]string{},
		roles:  e.newRoles(saved),
		daemon: view.Daemon{Version: e.opt.Version, PID: os.Getpid(), Started: now},
	}
	if e.opt.Stopped {
		l.globals.Stopped = &opstatus.Note{At: now, Text: "started stopped"}
	}
	l.copies.asker = newCopier(e.opt.Sender)
	l.marker = &marker{out: l.marks, wake: make(chan struct{}, 1)}
	l.started(saved, now)
	known, pools := saved.Records, saved.Pools
	if e.opt.Forget {
		known, pools = nil, nil
	}
	l.install(loaded, known, pools, !saved.Clean, now)
	l.gonePools(saved.Pools)
	l.listenAgain(saved, now)
	l.overwrite(saved.Records, now)
	l.startShared(saved.Globals.Shared, now)
	for _, s := range l.services {
		s.publish()
	}
	l.showBoard()
	l.restoreOutbox(saved)
	return l
}

// overwrite makes the disk hold what runs now: what was forgotten, or is of
// services that left the configuration, does not come back after a crash.
func (l *loop) overwrite(saved map[opstatus.Key]store.Record, now time.Time) {
	for key, r := range saved {
		if s := l.byKey[key]; s == nil {
			l.batch.Gone = append(l.batch.Gone, key)
			l.removed(key, r, now)
		} else if l.opt.Forget {
			l.forgot(s, r, "forgotten at the start", now)
			l.touch(s, true)
		}
	}
}

// start begins the workers, all of which end with ctx, sends keepers their
// full sets and tells of the start.
func (l *loop) start(ctx context.Context, group *errgroup.Group) {
	l.startKeeper = func(k *keeper) {
		group.Go(func() error { k.run(ctx); return nil })
	}
	l.startLooker = func(k *looker) {
		group.Go(func() error { k.run(ctx); return nil })
	}
	// The clock may have decided something while mond was down, such as
	// maintenance by schedule: a real server is not put in for a moment by what
	// was so before.
	l.decide(time.Now())
	for _, k := range l.keepers {
		l.startKeeper(k)
	}
	group.Go(func() error { l.marker.run(ctx); return nil })
	group.Go(func() error { l.copies.asker.run(ctx); return nil })
	l.startLane(func(run func(context.Context)) { group.Go(func() error { run(ctx); return nil }) })
	l.firstLooks()
	now := time.Now()
	l.startup(now)
	l.publishDaemon(now)
	l.flush()
}

// run is the loop. Each case is one call of a named handler.
func (l *loop) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	tick := time.NewTicker(selfInterval)
	defer tick.Stop()
	faultChanges := l.faultChanges()
	for {
		l.roles.lane.signs()
		timer.Reset(l.untilDue())
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			l.handleDue(time.Now())
		case done := <-l.opt.Runner.Results():
			l.handleResults(done, time.Now())
		case program := <-l.opt.Sender.Restarted():
			l.handleRestarted(program, time.Now())
		case a := <-l.looks:
			l.handleLook(a, time.Now())
		case c := <-l.copies.asker.answers:
			l.handleCopies(c, time.Now())
		case r := <-l.marks:
			l.handleMarks(r, time.Now())
		case c := <-faultChanges:
			l.handleFaults(c, time.Now())
		case <-l.roles.wake():
			l.roles.lane.signs() // a token may wait for it
			l.handleLane(time.Now())
		case list := <-l.roles.shared():
			l.handleShared(list, time.Now())
		case c := <-l.calls:
			l.handleCall(c, time.Now())
		case <-tick.C:
			l.handleTick(time.Now())
		}
		l.flush()
	}
}

// grainMost is the most that a check may be late so that several go out as one
// batch: a wake-up, a message and its answer cost more than a check.
const grainMost = 20 * time.Millisecond

// grainOf is a fiftieth of the shortest interval, grainMost at most.
func grainOf(services []*service) time.Duration {
	grain := grainMost
	for _, s := range services {
		for _, phase := range []schedule.Phase{schedule.Up, schedule.Suspect, schedule.Down} {
			if i := s.cfg.Plan.Interval(phase); i > 0 {
				grain = min(grain, i/50)
			}
		}
	}
	return grain
}

// untilDue is how long the loop may sleep: until something is due, but no check
// before a grain has passed since the last batch of them.
func (l *loop) untilDue() time.Duration {
	wait, now := time.Hour, time.Now()
	if _, due, ok := l.poolHeap.Peek(); ok {
		wait = min(wait, max(due.Sub(now), 0))
	}
	if l.globals.Stopped != nil {
		return wait
	}
	if _, due, ok := l.heap.Peek(); ok {
		wait = min(wait, max(due.Sub(now), l.lastBatch.Add(l.grain).Sub(now), 0))
	}
	if _, due, ok := l.trapHeap.Peek(); ok && l.trapsHeld.IsZero() {
		wait = min(wait, max(due.Sub(now), 0))
	}
	return wait
}

// flush ends a turn: pools are decided, rows are published, the turn's changes
// go to the store.
func (l *loop) flush() {
	l.decide(time.Now())
	if len(l.shared.early) > 0 {
		l.lookEarly(time.Now())
	}
	if l.shared.dirty {
		l.sayShared(time.Now())
	}
	for _, s := range l.touched {
		if s.dirty {
			l.record(s)
		}
	}
	if l.roles.site.dirty {
		l.sendSites()
	}
	l.append() // first: what readers see is in the store's hands
	for _, s := range l.touched {
		s.publish()
		s.touched, s.dirty = false, false
	}
	l.touched = l.touched[:0]
}

// append hands the turn's batch to the store; notices become free to go when
// it is on disk.
func (l *loop) append() {
	b := l.batch
	if b.Records == nil && b.Pools == nil && b.Gone == nil && b.Globals == nil && b.Queued == nil && b.Events == nil && b.Alive.IsZero() {
		return
	}
	l.batch = store.Batch{}
	l.signed = time.Now()
	b.Alive = l.signed
	safe := l.safe
	l.safe = nil
	if len(b.Queued) == 0 && safe == nil {
		l.opt.Store.Append(b, nil) // nobody waits: the store may gather
		return
	}
	seqs := make([]uint64, len(b.Queued))
	for i, n := range b.Queued {
		seqs[i] = n.Seq
	}
	box := l.outbox
	l.opt.Store.Append(b, func(err error) {
		if safe != nil {
			close(safe)
		}
		if err == nil {
			box.Committed(seqs...)
		}
	})
}

// record puts a service's durable state into the turn's batch.
func (l *loop) record(s *service) {
	if l.batch.Records == nil {
		l.batch.Records = map[opstatus.Key]store.Record{}
	}
	l.batch.Records[s.key()] = s.record()
}

// touch marks a service as changed in this turn; durable marks it as worth a
// write as well.
func (l *loop) touch(s *service, durable bool) {
	s.dirty = s.dirty || durable
	if !s.touched {
		s.touched = true
		l.touched = append(l.touched, s)
	}
}

// saveAll makes everything durable, counters and times included.
func (l *loop) saveAll() {
	for _, s := range l.services {
		l.touch(s, true)
	}
	for _, p := range l.pools {
		l.savePool(p)
	}
	l.flush()
}
