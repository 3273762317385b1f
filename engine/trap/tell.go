package trap

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/mondhq/mond/plugins/trap"
)

const (
	// tellInterval is how often what was dropped is told.
	tellInterval = time.Second
	// tellMost is how many traps are logged about one by one in that time. A
	// sender that is not let in must not fill the log.
	tellMost = 10
)

// counts are what there is to tell: the reader and the judge count, one
// goroutine tells.
type counts struct {
	overrun atomic.Uint64 // found the queue full
	missed  atomic.Uint32 // the kernel's own count; it wraps
	held    atomic.Uint64 // refused or odd, and not logged one by one

	// The rest is the judge's: when its second began, and how many lines were
	// logged in it.
	second time.Time
	logged int
}

// note logs something about a trap; of many in a second only the number.
func (s *session) note(what string, t trap.Trap, from netip.Addr, now time.Time, more ...any) {
	c := &s.counts
	if since := now.Sub(c.second); since < 0 || since >= tellInterval {
		c.second, c.logged = now, 0
	}
	if c.logged++; c.logged > tellMost {
		c.held.Add(1)
		return
	}
	s.opt.Log.Warn(what, append([]any{"from", from.String(), "user", short(t.User), "group", short(t.Group), "service", short(t.Service)}, more...)...)
}

// short is the beginning of what a stranger wrote.
func short(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}

// tellAll tells once a second what was counted, until ctx ends.
func (s *session) tellAll(ctx context.Context) {
	tick := time.NewTicker(tellInterval)
	defer tick.Stop()
	var missed uint32
	for {
		select {
		case <-ctx.Done():
			s.tell(missed)
			return
		case <-tick.C:
			missed = s.tell(missed)
		}
	}
}

// tell logs what was counted since it was called last, when the kernel's count
// was missed; it returns what that is now.
func (s *session) tell(missed uint32) uint32 {
	if n := s.counts.held.Swap(0); n > 0 {
		s.opt.Log.Warn("more traps refused, or taken in part", "count", n)
	}
	if n := s.counts.overrun.Swap(0); n > 0 {
		s.opt.Log.Error("traps dropped: too many wait to be judged", "count", n)
	}
	now := s.counts.missed.Load()
	if n := now - missed; n > 0 {
		s.opt.Log.Error("traps dropped by the kernel: raise net.core.rmem_max, or start mond with cap_net_admin", "count", n)
	}
	return now
}
