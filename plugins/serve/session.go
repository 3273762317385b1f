package serve

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// defaultInflight is how many checks run at once when the plugin names no
// number. It matters only to a host that does not count: ours sends no more
// than it was told.
const defaultInflight = 1 << 16

// subject is what a number of the host stands for.
type subject struct {
	number  uint32
	request monitor.Request // without Env
	from    *instance
	monitor monitor.Monitor
	err     error // why it cannot be checked
}

// session is one host's stream. The goroutine that reads it owns subjects and
// watches; checks run in goroutines of their own.
type session struct {
	service  *service
	ctx      context.Context // of all checks; ends with the stream
	stop     context.CancelCauseFunc
	out      *outbox
	crew     *crew
	limit    int
	subjects map[uint32]*subject
	watches  *watches
	electing *elections
	// stopRoles ends electors and holders; it does nothing the second time.
	roleCtx   context.Context
	stopRoles context.CancelCauseFunc

	mu       sync.Mutex
	holding  *holding // nil until there is work
	running  map[uint64]context.CancelFunc
	owed     int // checks whose results were not queued yet
	draining bool
}

func newSession(ctx context.Context, s *service) *session {
	ctx, stop := context.WithCancelCause(ctx)
	ss := &session{
		service: s, ctx: ctx, stop: stop,
		out: newOutbox(), crew: newCrew(ctx), limit: s.plugin.maxInflight,
		subjects: map[uint32]*subject{},
		running:  map[uint64]context.CancelFunc{},
	}
	if ss.limit <= 0 {
		ss.limit = defaultInflight
	}
	ss.roleCtx, ss.stopRoles = context.WithCancelCause(context.WithoutCancel(ctx))
	ss.watches = &watches{running: map[string]*watch{}, ctx: ctx, out: ss.out, log: s.log}
	ss.electing = &elections{running: map[string]*election{}, ctx: ss.roleCtx, out: ss.out, log: s.log}
	return ss
}

// serve reads the stream until it ends. Checks that are out are cancelled then:
// nobody waits for them.
func (ss *session) serve(stream grpc.BidiStreamingServer[pb.HostMessage, pb.PluginMessage]) error {
	ss.service.ending.Add(1)
	defer ss.service.ending.Done()
	go func() { // ends with ss.ctx
		if err := ss.out.run(ss.ctx, stream.Send); err != nil {
			ss.stop(err)
		}
	}()
	go func() { // the stream itself ends Recv only for its own reasons
		err := ss.receive(stream)
		ss.stop(err)
	}()
	<-ss.ctx.Done()
	ss.endRoles()
	return context.Cause(ss.ctx)
}

func (ss *session) receive(stream grpc.BidiStreamingServer[pb.HostMessage, pb.PluginMessage]) error {
	for {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		ss.take(m)
	}
}

// take does what one message says, in the order of its fields.
func (ss *session) take(m *pb.HostMessage) {
	now := time.Now()
	if m.Forget {
		clear(ss.subjects)
	}
	for _, s := range m.Subjects {
		ss.subjects[s.Number] = ss.define(s)
	}
	ss.roles(m)
	for _, j := range m.Jobs {
		ss.start(j, now)
	}
	ss.cancel(m.Cancel)
	if m.Watch != nil {
		ss.watch(m.Watch.Watched)
	}
	if m.Ping != 0 {
		ss.out.answer(m.Ping)
	}
	if m.Drain {
		ss.drain()
	}
}

// define finds the monitor of a subject. Words among the arguments that are no
// options stand before the hosts, as they do on a command line.
func (ss *session) define(p *pb.Subject) *subject {
	s := &subject{number: p.Number, request: rpc.DecodeSubject(p)}
	s.from = ss.service.instances.get(s.request.Args)
	if s.monitor, s.err = s.from.monitor(); len(s.from.rest) > 0 {
		s.request.Hosts = slices.Concat(s.from.rest, s.request.Hosts)
	}
	return s
}

// start begins a check, or says why it cannot.
func (ss *session) start(j *pb.Job, now time.Time) {
	s := ss.subjects[j.Subject]
	switch {
	case s == nil:
		ss.refuse(j.Id, monitor.Garbled, fmt.Sprintf("the host named subject %d without saying what it is", j.Subject))
		return
	case s.err != nil:
		ss.refuse(j.Id, monitor.CouldNotStart, s.err.Error())
		return
	}
	limit := time.Duration(j.RemainingMs) * time.Millisecond
	ctx, cancel := context.WithDeadline(ss.ctx, now.Add(limit))
	if why := ss.admit(j.Id, cancel); why != "" {
		cancel()
		ss.refuse(j.Id, monitor.Overloaded, why)
		return
	}
	ss.crew.do(func() { ss.check(ctx, j, s, now, limit) }) // ends when the author's Check does
}

// admit notes that a check runs; it returns why it may not.
func (ss *session) admit(id uint64, cancel context.CancelFunc) string {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	switch {
	case ss.draining:
		return "the plugin is ending"
	case len(ss.running) >= ss.limit:
		return fmt.Sprintf("%d checks of this plugin are running already", len(ss.running))
	case ss.running[id] != nil:
		return "the host used a number twice"
	}
	ss.running[id] = cancel
	ss.owed++
	return ""
}

func (ss *session) refuse(id uint64, c monitor.Cause, why string) {
	ss.out.result(rpc.EncodeResult(id, monitor.Blinded(c, why), time.Now()))
}

// check runs one check and queues its result.
func (ss *session) check(ctx context.Context, j *pb.Job, s *subject, started time.Time, limit time.Duration) {
	r := s.request
	r.Env = rpc.DecodeEnv(j.Env)
	mark := ss.service.pulse.Lost()
	guarded(ctx, s.monitor, r, func(res monitor.Result) {
		now := time.Now()
		ss.finish(j.Id, r, now, judge(res, timing{
			started: started, took: now.Sub(started), limit: limit,
			lost:      ss.service.pulse.Lost() - mark,
			cancelled: ctx.Err() == context.Canceled, //nolint:errorlint // exactly this one
		}))
	})
}

// finish queues the result of a check.
func (ss *session) finish(id uint64, r monitor.Request, now time.Time, res monitor.Result) {
	if res.Cause == monitor.Panicked {
		ss.service.log.Error("check panicked", "group", r.Group, "service", r.Service, "reason", res.Summary)
	}
	ss.leave(id)
	ss.out.result(rpc.EncodeResult(id, res, now))
	ss.answered()
}

// leave makes room for another check. It comes before the result is queued: the
// host may send the next job as soon as it has that.
func (ss *session) leave(id uint64) {
	ss.mu.Lock()
	cancel := ss.running[id]
	delete(ss.running, id)
	ss.mu.Unlock()
	cancel()
}

// answered notes that a result was queued, the last one perhaps.
func (ss *session) answered() {
	ss.mu.Lock()
	ss.owed--
	done := ss.draining && ss.owed == 0
	ss.mu.Unlock()
	if done {
		ss.out.allDone()
	}
}

// cancel ends the contexts of checks; each still answers.
func (ss *session) cancel(ids []uint64) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, id := range ids {
		if stop := ss.running[id]; stop != nil {
			stop()
		}
	}
}

func (ss *session) watch(set []*pb.Watched) {
	want := make([]wanted, 0, len(set))
	for _, w := range set {
		if s := ss.subjects[w.Subject]; s != nil {
			want = append(want, wanted{subject: s, env: w.Env})
		}
	}
	ss.watches.set(want)
}

// drain takes no more jobs, ends all watches and elections and says so when the
// last check was answered. Who holds addresses goes on until the session ends.
func (ss *session) drain() {
	ss.watches.set(nil)
	ss.electing.set(nil)
	ss.mu.Lock()
	ss.draining = true
	done := ss.owed == 0
	ss.mu.Unlock()
	if done {
		ss.out.allDone()
	}
}
