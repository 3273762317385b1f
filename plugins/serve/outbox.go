package serve

import (
	"context"
	"runtime"
	"sync"

	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// maxReports is how many reports wait for the host before who reports has to
// wait himself.
const maxReports = 1024

// outbox gathers what is to be sent while the stream is busy. Results are
// bounded by the checks that are out, reports by the channel.
type outbox struct {
	wake    chan struct{} // capacity 1: something is there
	reports chan *pb.Report

	mu     sync.Mutex
	queued parcel
	roles  rolesOut
}

// parcel is what goes out next. The pong and the word that all is done come
// after the results, since they say something about these.
type parcel struct {
	results []*pb.Result
	pong    uint64
	drained bool
}

func newOutbox() *outbox {
	return &outbox{wake: make(chan struct{}, 1), reports: make(chan *pb.Report, maxReports)}
}

func (o *outbox) notify() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outbox) result(r *pb.Result) {
	o.mu.Lock()
	o.queued.results = append(o.queued.results, r)
	o.mu.Unlock()
	o.notify()
}

func (o *outbox) answer(ping uint64) {
	o.mu.Lock()
	o.queued.pong = ping
	o.mu.Unlock()
	o.notify()
}

func (o *outbox) allDone() {
	o.mu.Lock()
	o.queued.drained = true
	o.mu.Unlock()
	o.notify()
}

// report queues r; it waits while too many are queued, until ctx ends.
func (o *outbox) report(ctx context.Context, r *pb.Report) {
	select {
	case o.reports <- r:
		o.notify()
	case <-ctx.Done():
	}
}

// take returns all that is queued; spare is a slice to gather in from now on.
func (o *outbox) take(spare []*pb.Result) parcel {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.queued
	o.queued = parcel{results: spare[:0]}
	return p
}

// run sends until ctx ends or sending fails. It waits for nothing to fill a
// message: what has gathered while the last one was on its way goes together.
func (o *outbox) run(ctx context.Context, send func(*pb.PluginMessage) error) error {
	var spare []*pb.Result
	for {
		select {
		case <-o.wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		// Checks that are just ending may add theirs: that takes no time of
		// an idle processor, and saves messages on a busy one.
		runtime.Gosched()
		p := o.take(spare)
		if err := o.deliver(p, send); err != nil {
			return err
		}
		clear(p.results) // sent: let them go
		spare = p.results
	}
}

// deliver sends p, and as many reports as fit beside it, in messages within
// the limits. What there is of roles goes with the first message that is made
// after it came, however much else waits.
func (o *outbox) deliver(p parcel, send func(*pb.PluginMessage) error) error {
	for rest := p.results; ; {
		m := &pb.PluginMessage{}
		bytes := o.takeRoles(m)
		bytes += o.takeReports(m)
		n := fitting(rest, rpc.MaxItems-len(m.Reports), rpc.MaxBytes-bytes)
		m.Results, rest = rest[:n], rest[n:]
		last := len(rest) == 0
		if last {
			m.Pong, m.Drained = p.pong, p.drained
		}
		if n+len(m.Reports)+len(m.Tokens)+len(m.Stands)+len(m.Left)+len(m.Shared) > 0 || m.Pong != 0 || m.Drained {
			if err := send(m); err != nil {
				return err
			}
		}
		if last && len(o.reports) == 0 {
			return nil
		}
		if last {
			p.pong, p.drained = 0, false // said once
		}
	}
}

// fitting is how many of results go into a message with so much room; at least
// one, whatever its size.
func fitting(results []*pb.Result, items, bytes int) int {
	for n, r := range results {
		bytes -= rpc.ResultSize(r)
		if n == items || n > 0 && bytes < 0 {
			return n
		}
	}
	return len(results)
}

// takeReports leaves half of the message to results.
func (o *outbox) takeReports(m *pb.PluginMessage) (bytes int) {
	for len(m.Reports) < rpc.MaxItems/2 && bytes < rpc.MaxBytes/2 {
		select {
		case r := <-o.reports:
			m.Reports = append(m.Reports, r)
			bytes += rpc.ResultSize(r.Result)
		default:
			return bytes
		}
	}
	return bytes
}
