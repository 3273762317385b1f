package serve

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// A watch that ended is begun again after a while that doubles.
const (
	watchAgain = time.Second
	watchLimit = 30 * time.Second
)

// wanted is a member of the set that is to be watched.
type wanted struct {
	subject *subject
	env     []string
}

func (w wanted) key() string { return w.subject.request.Group + "\x00" + w.subject.request.Service }

// same reports whether a watch for a need not be disturbed for b.
func same(a, b wanted) bool {
	x, y := a.subject, b.subject
	return x.number == y.number && x.from == y.from && x.err == nil && y.err == nil &&
		slices.Equal(x.request.Hosts, y.request.Hosts) &&
		maps.Equal(rpc.DecodeEnv(a.env), rpc.DecodeEnv(b.env))
}

// watch is one that runs.
type watch struct {
	wanted
	stop  context.CancelFunc
	ended chan struct{}
}

// watches are those of one session, owned by the goroutine that reads it.
type watches struct {
	ctx     context.Context
	out     *outbox
	log     *slog.Logger
	running map[string]*watch
}

// set makes want the whole set: what is new begins, what is gone ends, what has
// changed ends and begins again after it has ended.
func (ws *watches) set(want []wanted) {
	next := make(map[string]wanted, len(want))
	for _, w := range want {
		next[w.key()] = w
	}
	for key, old := range ws.running {
		if w, ok := next[key]; ok && same(old.wanted, w) {
			delete(next, key)
			continue
		}
		old.stop()
		if _, again := next[key]; !again {
			delete(ws.running, key)
		}
	}
	for key, w := range next {
		ws.begin(key, w)
	}
}

func (ws *watches) begin(key string, w wanted) {
	ctx, stop := context.WithCancel(ws.ctx)
	now := &watch{wanted: w, stop: stop, ended: make(chan struct{})}
	before := ws.running[key]
	ws.running[key] = now
	go func() { // ends with ctx, as soon as the author's Watch does
		defer close(now.ended)
		if before != nil {
			<-before.ended
		}
		ws.run(ctx, w)
	}()
}

// run watches until ctx ends. Each end before that leaves the service blind.
func (ws *watches) run(ctx context.Context, w wanted) {
	for pause := watchAgain; ctx.Err() == nil; pause = min(2*pause, watchLimit) {
		began := time.Now()
		r := ws.once(ctx, w)
		if ctx.Err() != nil {
			return
		}
		ws.report(ctx, w, r)
		ws.log.Warn("watch ended", "group", w.subject.request.Group, "service", w.subject.request.Service, "reason", r.Summary)
		if time.Since(began) > watchLimit {
			pause = watchAgain
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// once watches until the author's Watch returns; it returns what that means.
func (ws *watches) once(ctx context.Context, w wanted) (end monitor.Result) {
	defer func() {
		if v := recover(); v != nil {
			end = monitor.Blinded(monitor.Panicked, fmt.Sprintf("panic: %v", v))
			end.Detail = string(debug.Stack())
		}
	}()
	if w.subject.err != nil {
		return monitor.Blinded(monitor.CouldNotStart, w.subject.err.Error())
	}
	m, ok := w.subject.monitor.(monitor.Watcher)
	if !ok {
		return monitor.Blinded(monitor.CouldNotStart, "this monitor never speaks unasked: give its service an interval")
	}
	r := w.subject.request
	r.Env = rpc.DecodeEnv(w.env)
	err := m.Watch(ctx, r, func(res monitor.Result) { ws.report(ctx, w, res) })
	if err == nil {
		return monitor.Blinded(monitor.NotRun, "the watch ended by itself")
	}
	return monitor.Blinded(monitor.NotRun, "the watch ended: "+err.Error())
}

// report queues what a watch said; it waits while the host is slow.
func (ws *watches) report(ctx context.Context, w wanted, r monitor.Result) {
	if ctx.Err() != nil {
		return
	}
	ws.out.report(ctx, &pb.Report{Subject: w.subject.number, Result: rpc.EncodeResult(0, r, time.Now())})
}
