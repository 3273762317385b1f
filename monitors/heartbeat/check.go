package heartbeat

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/link"
	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/plugins/monitor"
)

// Check says once how the pair stands. Where this very monitor elects it says
// what that knows. Else it listens for twice the dead time, a second at least,
// and says on which links a packet of the peer came that opens. It sends
// nothing: a packet of its own would end the session of the program that elects.
// A witness serves instead, until ctx ends.
func (h *heart) Check(ctx context.Context, r monitor.Request) monitor.Result {
	if s := h.status.Load(); s != nil {
		return s.result
	}
	if h.Stays() {
		return h.byHand(ctx)
	}
	if h.alone() {
		return monitor.OK("there is no other director to hear")
	}
	keys, err := loadKeys(h.keys)
	if err != nil {
		return monitor.Blinded(monitor.LocalFault, err.Error())
	}
	select { // one at a time: they listen at the same ports
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return monitor.Blinded(monitor.Overloaded, "another check of the same pair goes on")
	}
	ctx, stop := context.WithTimeout(ctx, max(2*h.deadTime(), time.Second))
	defer stop()
	return h.judge(h.listen(ctx, keys), r)
}

// ear is what was heard on one link.
type ear struct {
	*link.Link
	heard  bool
	reason wire.Reason // why the last packet was refused
	state  link.State
}

// listen listens on all links until each was heard, or ctx ends.
func (h *heart) listen(ctx context.Context, keys *wire.Keys) (ears []*ear) {
	open, shut := context.WithCancel(context.WithoutCancel(ctx))
	all, enough := context.WithCancel(ctx)
	defer enough()
	var mu sync.Mutex
	var work sync.WaitGroup
	id := wire.Identity{Cluster: h.cluster, Self: wire.Node(h.self), Incarnation: draw()}
	missing := len(h.links)
	for i, spec := range h.links {
		e := &ear{Link: link.New(spec)}
		ears = append(ears, e)
		s := wire.NewSession(id, wire.Node(h.peer), keys, wire.SessionOptions{})
		work.Go(func() {
			e.Run(open, func(packet []byte, _ time.Duration) {
				_, reason := s.Open(uint8(i), packet)
				mu.Lock()
				defer mu.Unlock()
				// Unproven: it opened, but nobody challenged the peer.
				if reason != wire.Taken && reason != wire.Unproven {
					e.reason = reason
				} else if !e.heard {
					e.heard = true
					if missing--; missing == 0 {
						enough()
					}
				}
			})
		})
	}
	<-all.Done()
	for _, e := range ears {
		e.state = e.State()
	}
	shut()
	work.Wait()
	return ears
}

// judge makes a verdict of what was heard: a link that this machine cannot open
// says nothing of the peer.
func (h *heart) judge(ears []*ear, r monitor.Request) monitor.Result {
	peer := cmp.Or(strings.Join(r.Hosts, " "), h.peerName, fmt.Sprintf("node %d", h.peer))
	var silent, closed, lines []string
	for _, e := range ears {
		name := e.Spec().Name
		line := name + ": heard"
		switch {
		case e.heard:
		case !e.state.Open && e.state.Err != nil:
			closed = append(closed, name)
			line = name + ": " + e.state.Err.Error()
		case e.reason != wire.Taken:
			silent = append(silent, name)
			line = name + ": nothing that opens: the last packet was refused: " + e.reason.String()
		default:
			silent = append(silent, name)
			line = name + ": nothing was heard"
		}
		lines = append(lines, line)
	}
	detail := strings.Join(lines, "\n")
	switch {
	case len(silent) > 0:
		return monitor.Failed(peer+": not heard on "+strings.Join(silent, ", "), detail)
	case len(closed) > 0:
		res := monitor.Blinded(monitor.LocalFault, strings.Join(lines, "; "))
		res.Detail = detail
		return res
	}
	res := monitor.OK(fmt.Sprintf("%s: heard on %d links", peer, len(ears)))
	res.Detail = detail
	return res
}
