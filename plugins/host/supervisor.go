package host

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

// How a plugin is looked after.
const (
	tickBusy   = 50 * time.Millisecond  // while checks are waiting or out
	healthBusy = 300 * time.Millisecond // between signs of life that are asked for, while checks are out
	healthIdle = 2 * time.Second
	// defaultInflight is how many checks are out at once with a plugin that
	// names no number.
	defaultInflight = 4096
)

// state is what a supervisor is doing.
type state uint8

const (
	idle     state = iota // not asked for yet
	starting              // a start is under way
	serving               // a session is open
	pausing               // it waits to start again
	stopping              // it ends
)

// supervisor keeps one resident plugin running. Its goroutine owns the process
// and all fields below "owned"; checks go past it through flights and link,
// and calls get the process from it.
type supervisor struct {
	prog     Program
	identity identity
	log      *slog.Logger
	launch   func(ctx context.Context) (*process, error)
	mail     *mailbox
	lane     *lane
	most     int // checks out at once, whatever the manifest says; 0 leaves it to that
	spared   bool
	flights  *flights
	link     atomic.Pointer[link] // nil unless serving
	users    users
	crashed  func(keys []string)
	came     func(d *job.Done)

	poke    chan struct{} // capacity 1: look at the fields under mu, and at flights
	calls   chan call
	started chan outcome // capacity 1: one start at a time
	ended   chan ending
	quit    chan struct{} // closed by stop
	done    chan struct{} // closed when the goroutine has ended

	mu     sync.Mutex
	watch  []job.Check
	roles  ruling
	fresh  bool // watch is to be sent
	retry  bool // whatever is wrong may have been mended
	renew  bool // end this process and start another
	wanted bool
	limit  context.Context // of the stop
	once   sync.Once

	// owned
	state    state
	proc     *process
	ends     row
	again    *time.Timer
	lastErr  error
	waiting  []call
	ping     uint64
	silent   time.Duration
	missed   int           // signs of life in a row
	working  time.Duration // of the silence, how long it worked
	messages uint64        // had come at the last look
	worked   time.Duration // its processor time at the last look
	interval time.Duration
	health   time.Time
	cancel   context.CancelFunc // of a start that is under way
}

// call asks for a process that serves.
type call struct {
	reply chan<- reply // capacity 1
}

type reply struct {
	proc *process
	err  error
}

type outcome struct {
	proc *process
	err  error
	took time.Duration
}

// ending is that a session broke.
type ending struct {
	proc *process
	why  string
}

func newSupervisor(prog Program, log *slog.Logger, mail *mailbox, lane *lane, lost func() time.Duration) *supervisor {
	return &supervisor{
		prog: prog, identity: identify(prog.Path), log: log.With("plugin", prog.Name), mail: mail, lane: lane,
		flights: newFlights(defaultInflight, lost),
		crashed: func([]string) {}, came: func(*job.Done) {},
		poke: make(chan struct{}, 1), calls: make(chan call),
		started: make(chan outcome, 1), ended: make(chan ending),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
}

// run looks after the plugin until stop is called.
func (s *supervisor) run() {
	defer close(s.done)
	tick, again := time.NewTimer(0), time.NewTimer(0)
	defer tick.Stop()
	defer again.Stop()
	s.again = again
	for {
		tick.Reset(s.nextTick())
		select {
		case <-s.poke:
			s.look()
		case c := <-s.calls:
			s.call(c)
		case o := <-s.started:
			s.begun(o)
		case e := <-s.ended:
			s.broke(e)
		case <-again.C:
			s.retryNow()
		case <-tick.C:
			s.tick(time.Now())
		case <-s.quit:
			s.finish()
			return
		}
	}
}

// nextTick is when to look at the clock next.
func (s *supervisor) nextTick() time.Duration {
	if w, o := s.flights.busy(); w+o > 0 {
		return tickBusy
	}
	return s.healthPace()
}

// add queues checks; it never waits.
func (s *supervisor) add(checks []job.Check) {
	first, refused := s.flights.add(checks, time.Now())
	s.mail.put(refused...)
	if l := s.link.Load(); l != nil {
		l.notify()
	}
	if first {
		s.nudge()
	}
}

func (s *supervisor) nudge() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// set changes a field under mu and makes the goroutine look at it.
func (s *supervisor) set(change func()) {
	s.mu.Lock()
	change()
	s.mu.Unlock()
	s.nudge()
}

func (s *supervisor) setWatch(set []job.Check) {
	s.set(func() { s.watch, s.fresh = set, true })
}

// get returns the process when it serves. It starts it if need be; an error is
// why it does not start.
func (s *supervisor) get(ctx context.Context) (*process, error) {
	answer := make(chan reply, 1)
	select {
	case s.calls <- call{answer}:
	case <-s.quit:
		return nil, errStopped
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case r := <-answer:
		return r.proc, r.err
	case <-s.done:
		return nil, errStopped
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// look does what was asked for by set and add.
func (s *supervisor) look() {
	s.mu.Lock()
	retry, renew, wanted, fresh := s.retry, s.renew, s.wanted, s.fresh
	s.retry, s.renew, s.wanted, s.fresh = false, false, false, false
	set := s.watch
	s.mu.Unlock()
	waiting, _ := s.flights.busy()
	switch {
	case s.state == idle && (waiting > 0 || wanted || len(set) > 0 || s.rules()):
		s.start()
	case s.state == pausing && retry:
		s.ends = row{}
		s.start()
	case s.state == serving && renew:
		s.lose("it is replaced: its file or its capabilities were changed", false)
	}
	if l := s.link.Load(); fresh && l != nil {
		l.order(func(o *orders) { o.watch = &set })
	}
	s.tick(time.Now())
}

func (s *supervisor) call(c call) {
	switch s.state {
	case serving:
		c.reply <- reply{proc: s.proc}
		return
	case pausing:
		if s.lastErr != nil {
			c.reply <- reply{err: s.lastErr}
			return
		}
	case idle:
		s.start()
	case starting, stopping:
	}
	s.waiting = append(s.waiting, c)
}

func (s *supervisor) answerCalls(r reply) {
	for _, c := range s.waiting {
		c.reply <- r
	}
	s.waiting = nil
}

// start begins to start; begun hears of it.
func (s *supervisor) start() {
	s.state = starting
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go func() { // bounded by startLimit
		began := time.Now()
		p, err := s.launch(ctx)
		s.started <- outcome{p, err, time.Since(began)}
	}()
}

// begun puts a process to work, or waits to try again.
func (s *supervisor) begun(o outcome) {
	s.cancel()
	now := time.Now()
	if o.err == nil {
		if o.err = o.proc.suits(s.prog); o.err != nil {
			go o.proc.kill() // ends with the process
		}
	}
	if o.err != nil {
		s.lastErr = o.err
		pause := s.ends.end(time.Time{}, now)
		s.log.Error("plugin does not start", "reason", o.err.Error(), "again", max(pause, pauseStep))
		s.answerCalls(reply{err: o.err})
		s.blind(faultOf(o.err), now)
		s.mail.put(s.flights.flush(faultOf(o.err), now)...)
		s.wait(max(pause, pauseStep)) // at once again would find the same
		return
	}
	s.serve(o.proc, now)
	s.log.Info("plugin started", "pid", o.proc.pid(), "took", o.took.Round(time.Millisecond))
	s.answerCalls(reply{proc: o.proc})
	if o.proc.manifest.Keeper && !s.spared {
		s.mail.restarted(s.prog.Name)
	}
}

// serve opens the way for checks.
func (s *supervisor) serve(p *process, now time.Time) {
	s.state, s.proc, s.lastErr = serving, p, nil
	s.silent, s.missed, s.working, s.messages, s.worked = 0, 0, 0, 0, 0
	s.interval = s.healthPace()
	s.health = now.Add(s.interval)
	s.flights.setLimit(s.inflight(p.manifest.MaxInflight))
	l := newLink(p.stream, s.flights, s.mail.put)
	l.answered = s.came
	l.lane, l.program = s.lane, s.prog.Name
	l.pong.Store(s.ping)
	s.mu.Lock()
	set := s.watch
	s.fresh = false
	s.mu.Unlock()
	if len(set) > 0 {
		l.order(func(o *orders) { o.watch = &set })
	}
	s.link.Store(l)
	s.takeOver(l)
	ctx := p.stream.Context()
	go func() { // ends with the stream
		if err := l.send(ctx); err != nil && ctx.Err() == nil {
			p.release()
		}
	}()
	go func() { // likewise
		err := l.receive()
		select {
		case s.ended <- ending{p, p.lost(err)}:
		case <-s.done:
		}
	}()
	l.notify()
}

func (s *supervisor) inflight(manifest int) int {
	switch {
	case s.most > 0:
		return s.most
	case manifest > 0:
		return manifest
	}
	return defaultInflight
}

// broke is that a session broke by itself.
func (s *supervisor) broke(e ending) {
	if e.proc == s.proc {
		s.lose(e.why, e.proc.crashed())
	}
}

// lose gives the process up: everything that is out is blind at once, and
// another is started. blame says that a check may have caused it.
func (s *supervisor) lose(why string, blame bool) {
	now := time.Now()
	p := s.proc
	s.proc = nil
	s.link.Store(nil)
	res := monitor.Blinded(monitor.PluginLost, s.prog.Name+" "+why)
	dones, keys := s.flights.lose(res, now)
	if blame {
		s.crashed(keys)
	}
	s.mail.put(dones...)
	s.blind(res, now)
	pause := s.ends.end(p.up, now)
	s.log.Error("plugin lost", "pid", p.pid(), "reason", why, "checks", len(dones), "again", pause)
	go p.kill() // a process that the kernel holds ends when it likes
	if s.spared {
		s.state = idle
		s.nudge()
		return
	}
	s.wait(pause)
}

// wait starts again after a pause.
func (s *supervisor) wait(pause time.Duration) {
	s.state = pausing
	s.again.Reset(pause)
}

func (s *supervisor) retryNow() {
	if s.state == pausing {
		s.start()
	}
}

// blind reports r for every watched service.
func (s *supervisor) blind(r monitor.Result, now time.Time) {
	s.mu.Lock()
	set := s.watch
	s.mu.Unlock()
	r.Started = now
	for _, c := range set {
		s.mail.put(unasked(c, r))
	}
	s.blindElections(r)
}

// tick looks at the clock: for checks whose time is over, and for life.
func (s *supervisor) tick(now time.Time) {
	l := s.link.Load()
	pong := s.ping
	if l != nil {
		pong = l.pong.Load()
	}
	sw := s.flights.sweep(now, s.ping+1, pong, s.stuck())
	s.mail.put(sw.dones...)
	if l == nil {
		return
	}
	if len(sw.cancel) > 0 {
		l.order(func(o *orders) { o.cancel = append(o.cancel, sw.cancel...) })
	}
	if sw.ask {
		s.askPing(l)
	}
	if !now.Before(s.health) {
		s.checkHealth(l, now)
	}
	if _, out := s.flights.busy(); out > 0 && s.interval == healthIdle {
		s.interval = healthBusy
		s.health = now.Add(healthBusy)
	}
}

// stuck is the answer for a check whose time is over before it was sent.
func (s *supervisor) stuck() monitor.Result {
	switch {
	case s.state == serving:
		return tooLate(s.inflight(s.proc.manifest.MaxInflight))
	case s.lastErr != nil:
		return faultOf(s.lastErr)
	}
	return monitor.Blinded(monitor.PluginLost, s.prog.Name+" did not start within its time")
}
