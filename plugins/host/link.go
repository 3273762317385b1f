package host

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// wire is the stream of a session.
type wire interface {
	Send(*pb.HostMessage) error
	Recv() (*pb.PluginMessage, error)
}

// link is the host's end of one session: a sender and a receiver goroutine
// around the flights of a plugin. It decides nothing.
type link struct {
	wire     wire
	flights  *flights
	answered func(*job.Done) // of each check that came back, before deliver
	deliver  func(...job.Done)
	subjects *subjects
	wake     chan struct{} // capacity 1
	pong     atomic.Uint64 // the last ping that was answered
	messages atomic.Uint64 // how many have come
	drained  chan struct{} // closed when the plugin says so
	lane     *lane
	program  string
	// shares is what each election was last told to share, by number; the
	// sender's.
	shares map[uint32]*role.Share

	mu     sync.Mutex
	orders orders
	heard  bool // drained was closed
	filled bool // a holder was given all its work
}

// orders are what is to be sent beside jobs.
type orders struct {
	cancel []uint64
	watch  *[]job.Check
	ping   uint64
	drain  bool
	// For electors and holders: these go first.
	elections *[]job.Election
	work      role.Work
}

func (o orders) none() bool {
	return len(o.cancel) == 0 && o.watch == nil && o.ping == 0 && !o.drain && o.elections == nil && o.work.None()
}

func newLink(w wire, fs *flights, deliver func(...job.Done)) *link {
	l := &link{
		wire: w, flights: fs, deliver: deliver, answered: func(*job.Done) {}, lane: newLane(),
		subjects: newSubjects(), wake: make(chan struct{}, 1), drained: make(chan struct{}),
	}
	fs.own(l)
	return l
}

// notify makes the sender look.
func (l *link) notify() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// order adds to what is to be sent.
func (l *link) order(add func(*orders)) {
	l.mu.Lock()
	add(&l.orders)
	l.mu.Unlock()
	l.notify()
}

func (l *link) takeOrders() orders {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.orders
	l.orders = orders{}
	return o
}

// send sends until ctx ends or the stream breaks. It waits for nothing to fill
// a message.
func (l *link) send(ctx context.Context) error {
	var batch []*flight
	for {
		select {
		case <-l.wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		for {
			now := time.Now()
			// Orders first: a ping proves only what was sent before it.
			o := l.takeOrders()
			var late []job.Done
			batch, late = l.flights.takeFor(l, batch[:0], rpc.MaxItems, now)
			l.deliver(late...)
			if len(batch) == 0 && o.none() {
				break
			}
			if err := l.sendRoles(o); err != nil {
				return err
			}
			if err := l.dispatch(batch, o, now); err != nil {
				return err
			}
			clear(batch)
		}
	}
}

// dispatch sends checks and then orders, in as many messages as it takes.
func (l *link) dispatch(batch []*flight, o orders, now time.Time) error {
	m, bytes := &pb.HostMessage{}, 0
	for _, f := range batch {
		j, def, forget, err := l.encode(f, now)
		if err != nil {
			l.refuse(f, err, now)
			continue
		}
		n := rpc.JobSize(j)
		if def != nil {
			n += rpc.SubjectSize(def)
		}
		if forget || bytes > 0 && bytes+n > rpc.MaxBytes {
			if err := l.flush(&m, &bytes); err != nil {
				return err
			}
		}
		m.Forget = forget
		if def != nil {
			m.Subjects = append(m.Subjects, def)
		}
		m.Jobs = append(m.Jobs, j)
		bytes += n
	}
	if err := l.flush(&m, &bytes); err != nil {
		return err
	}
	return l.command(o)
}

// flush sends m, if anything is in it, and begins another.
func (l *link) flush(m **pb.HostMessage, bytes *int) error {
	full := *m
	if *bytes == 0 {
		return nil
	}
	*m, *bytes = &pb.HostMessage{}, 0
	return l.wire.Send(full)
}

// encode writes a check, with the time that it still has.
func (l *link) encode(f *flight, now time.Time) (j *pb.Job, def *pb.Subject, forget bool, err error) {
	j = &pb.Job{Id: f.wire, RemainingMs: rpc.Remaining(f.ends.Sub(now))}
	if j.Env, err = rpc.EncodeEnv(f.check.Request.Env); err != nil {
		return nil, nil, false, err
	}
	j.Subject, def, forget, err = l.subjects.number(f.check.Request)
	return j, def, forget, err
}

// refuse answers a check that cannot be sent.
func (l *link) refuse(f *flight, err error, now time.Time) {
	if d, ok := l.flights.drop(f.wire, monitor.Blinded(monitor.CouldNotStart, err.Error()), now); ok {
		l.deliver(d)
	}
}

// command sends orders.
func (l *link) command(o orders) error {
	if o.watch != nil {
		if err := l.sendWatch(*o.watch); err != nil {
			return err
		}
	}
	for ids := range slices.Chunk(o.cancel, rpc.MaxItems) {
		if err := l.wire.Send(&pb.HostMessage{Cancel: ids}); err != nil {
			return err
		}
	}
	if o.ping == 0 && !o.drain {
		return nil
	}
	return l.wire.Send(&pb.HostMessage{Ping: o.ping, Drain: o.drain})
}

// sendWatch sends the whole set in one message, after the subjects it names: a
// part of it would end what is in the other part.
func (l *link) sendWatch(set []job.Check) error {
	w := &pb.Watch{}
	for _, c := range set {
		env, err := rpc.EncodeEnv(c.Request.Env)
		if err == nil {
			var def *pb.Subject
			var forget bool
			var number uint32
			if number, def, forget, err = l.subjects.number(c.Request); err == nil {
				w.Watched = append(w.Watched, &pb.Watched{Subject: number, Env: env})
			}
			if def != nil {
				if serr := l.wire.Send(&pb.HostMessage{Forget: forget, Subjects: []*pb.Subject{def}}); serr != nil {
					return serr
				}
			}
		}
		if err != nil {
			l.deliver(unasked(c, monitor.Blinded(monitor.CouldNotStart, err.Error())))
		}
	}
	return l.wire.Send(&pb.HostMessage{Watch: w})
}

// unasked is a result that nobody asked for.
func unasked(c job.Check, r monitor.Result) job.Done {
	return job.Done{Group: c.Request.Group, Service: c.Request.Service, Result: r}
}

// receive reads until the stream breaks.
func (l *link) receive() error {
	for {
		m, err := l.wire.Recv()
		if err != nil {
			return err
		}
		l.take(m)
	}
}

func (l *link) take(m *pb.PluginMessage) {
	now := time.Now()
	l.messages.Add(1)
	l.takeRoles(m) // before all else that came with it
	if dones := l.results(m.GetResults(), now); len(dones) > 0 {
		l.deliver(dones...)
		if l.flights.ready() { // there is room for others
			l.notify()
		}
	}
	for _, r := range m.GetReports() {
		if s, ok := l.subjects.name(r.GetSubject()); ok {
			l.deliver(job.Done{Group: s.group, Service: s.name, About: r.GetService(), Result: rpc.DecodeResult(r.GetResult(), now)})
		}
	}
	if p := m.GetPong(); p > l.pong.Load() {
		l.pong.Store(p)
	}
	if m.GetDrained() {
		l.hear()
	}
}

// results are the answers to checks that are out; others are counted.
func (l *link) results(list []*pb.Result, now time.Time) []job.Done {
	dones := make([]job.Done, 0, len(list))
	for _, p := range list {
		d, ok := l.flights.answer(p.GetId(), rpc.DecodeResult(p, now), now)
		if ok {
			l.answered(&d)
			dones = append(dones, d)
		}
	}
	return dones
}

func (l *link) hear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.heard {
		l.heard = true
		close(l.drained)
	}
}
