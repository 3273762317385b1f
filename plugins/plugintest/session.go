package plugintest

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// ahead is how many messages of a plugin wait to be looked at; it waits itself
// while that many do.
const ahead = 16

// session is a stream of checks, as mond opens one.
type session struct {
	stream grpc.BidiStreamingClient[pb.HostMessage, pb.PluginMessage]
	heard  chan *pb.PluginMessage // closed at the end of the stream
	stop   context.CancelFunc
	ended  error // why, once heard is closed
	jobs   uint64
	// pongs and drained are what came beside results.
	pong    uint64
	drained bool
}

// open begins a session, which ends with [session.close]. It waits until the
// plugin serves it: of two that are opened in turn the plugin might else begin
// with the second, which the first would end.
func (g *guest) open(ctx context.Context) (*session, error) {
	ctx, stop := context.WithCancel(ctx)
	stream, err := g.client.Session(ctx)
	if err != nil {
		stop()
		return nil, fmt.Errorf("open a session: %w", err)
	}
	se := &session{stream: stream, stop: stop, heard: make(chan *pb.PluginMessage, ahead)}
	go se.listen(ctx) // ends with ctx
	if err := se.served(); err != nil {
		se.close()
		return nil, fmt.Errorf("open a session: %w", err)
	}
	return se, nil
}

func (se *session) served() error {
	if err := se.ping(1); err != nil {
		return err
	}
	return se.hear(prompt, func() bool { return se.pong == 1 }, func(r *pb.Result) error {
		return fmt.Errorf("it answered job %d, which was not asked", r.GetId())
	})
}

func (se *session) listen(ctx context.Context) {
	defer close(se.heard)
	for {
		m, err := se.stream.Recv()
		if err != nil {
			se.ended = err
			return
		}
		select {
		case se.heard <- m:
		case <-ctx.Done():
			se.ended = ctx.Err()
			return
		}
	}
}

// close ends the stream and the goroutine that reads it.
func (se *session) close() {
	se.stop()
	for range se.heard { //nolint:revive // until it is closed
	}
}

// subjectNumber is the number of the only subject of a test.
const subjectNumber = 1

// begin sends n jobs about r, and returns the number of the first.
func (se *session) begin(r monitor.Request, n int, limit time.Duration) (first uint64, err error) {
	subject, err := rpc.EncodeSubject(subjectNumber, r)
	if err != nil {
		return 0, err
	}
	env, err := rpc.EncodeEnv(r.Env)
	if err != nil {
		return 0, err
	}
	first = se.jobs + 1
	m := &pb.HostMessage{Subjects: []*pb.Subject{subject}}
	for range n {
		se.jobs++
		m.Jobs = append(m.Jobs, &pb.Job{Id: se.jobs, Subject: subjectNumber, RemainingMs: rpc.Remaining(limit), Env: env})
	}
	return first, se.send(m)
}

func (se *session) send(m *pb.HostMessage) error {
	if err := se.stream.Send(m); err != nil {
		return fmt.Errorf("send to the session: %w", err)
	}
	return nil
}

// results waits for the answers to the n jobs from first on: exactly one each.
func (se *session) results(first uint64, n int, limit time.Duration) ([]monitor.Result, error) {
	got := make(map[uint64]monitor.Result, n)
	err := se.hear(limit, func() bool { return len(got) == n }, func(r *pb.Result) error {
		switch _, twice := got[r.Id]; {
		case r.Id < first || r.Id >= first+uint64(n): //nolint:gosec // not negative
			return fmt.Errorf("it answered job %d, which was not asked", r.Id)
		case twice:
			return fmt.Errorf("it answered job %d twice", r.Id)
		}
		got[r.Id] = rpc.DecodeResult(r, time.Now())
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%d of %d checks were answered: %w", len(got), n, err)
	}
	list := make([]monitor.Result, 0, n)
	for id := first; id < first+uint64(n); id++ { //nolint:gosec // not negative
		list = append(list, got[id])
	}
	return list, nil
}

// hear takes messages until enough reports true.
func (se *session) hear(limit time.Duration, enough func() bool, result func(*pb.Result) error) error {
	over := time.NewTimer(limit)
	defer over.Stop()
	for !enough() {
		select {
		case m, ok := <-se.heard:
			if !ok {
				return fmt.Errorf("the session ended: %w", se.ended)
			}
			se.pong, se.drained = max(se.pong, m.GetPong()), se.drained || m.GetDrained()
			for _, r := range m.GetResults() {
				if err := result(r); err != nil {
					return err
				}
			}
		case <-over.C:
			return fmt.Errorf("nothing more came within %v", limit)
		}
	}
	return nil
}

// check is one job and its answer.
func (se *session) check(r monitor.Request, limit time.Duration) (monitor.Result, error) {
	first, err := se.begin(r, 1, limit)
	if err != nil {
		return monitor.Result{}, err
	}
	list, err := se.results(first, 1, limit+prompt)
	if err != nil {
		return monitor.Result{}, err
	}
	return list[0], nil
}

func (se *session) cancel(ids ...uint64) error { return se.send(&pb.HostMessage{Cancel: ids}) }
func (se *session) ping(n uint64) error        { return se.send(&pb.HostMessage{Ping: n}) }
func (se *session) drain() error               { return se.send(&pb.HostMessage{Drain: true}) }
