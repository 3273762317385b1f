package fping

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/fping/echo"
	"github.com/mondhq/mond/plugins/monitor"
)

const (
	// maxPaths is how many hosts' paths are looked for in one check: what many
	// have in common is seen in a few.
	maxPaths = 8
	// maxHops is how far a path is followed.
	maxHops = 30
	// stride is how many hops are asked side by side. A path ends with the
	// first stride of which none answers.
	stride = 10
	// maxTracing is how long it may take, for all hosts together; less if the
	// check has less time left.
	maxTracing = 5 * time.Second
	// tracers is how many checks of a process look for paths at a time: each has
	// a socket for every hop of a stride.
	tracers = 4
	// leastTracing is the least time that it is worth to begin with.
	leastTracing = 100 * time.Millisecond
)

// hop is what is known of one hop of a path.
type hop struct {
	from netip.Addr // not valid if nobody answered
	what string     // that is more than "it is here"
	rtt  time.Duration
	end  bool // nothing comes after it
}

// paths says which way packets go to those hosts that failed, as far as they
// come. It judges nothing, and what goes wrong in it is only told.
func (p *probe) paths(ctx context.Context, seen []monitor.Seen, t targets) string {
	names, addrs, more := failed(seen, t)
	if len(addrs) == 0 {
		return ""
	}
	limit := maxTracing
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)*3/4) // the rest is for the answer to come home
	}
	if limit < leastTracing {
		return "\npaths to hosts that failed: no time was left to look for them\n"
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	case <-ctx.Done():
		return "\npaths to hosts that failed: no time was left to look for them, beside those of other checks\n"
	}
	var b strings.Builder
	for i, hops := range p.trace(ctx, addrs, limit) {
		describe(&b, names[i], addrs[i], hops)
	}
	if more > 0 {
		fmt.Fprintf(&b, "\n%d more hosts failed, whose paths were not looked for\n", more)
	}
	return b.String()
}

// failed are the first hosts that failed by a verdict, and how many more there
// are. Hosts of one address are one.
func failed(seen []monitor.Seen, t targets) (names []string, addrs []netip.Addr, more int) {
	known := map[netip.Addr]bool{}
	for at, i := range t.hosts {
		err := seen[i].Err
		switch {
		case err == nil, monitor.Local(err), errors.Is(err, monitor.ErrNotStarted), known[t.addrs[at]]:
			continue
		case len(addrs) == maxPaths:
			more++
			continue
		}
		known[t.addrs[at]] = true
		names, addrs = append(names, seen[i].Host.Name), append(addrs, t.addrs[at])
	}
	return names, addrs, more
}

// trace finds the hops to each of addrs.
func (p *probe) trace(ctx context.Context, addrs []netip.Addr, limit time.Duration) [][]hop {
	// Sockets of many times to live are of no use to others, and a raw one costs
	// something for every ICMP packet of this machine.
	engine := new(echo.Engine)
	defer engine.Close()
	s := p.settings()
	s.Tries, s.Backoff, s.Wait = 2, 1, min(limit/8, 600*time.Millisecond)
	paths := make([][]hop, len(addrs))
	left := make([]int, len(addrs)) // places of those whose path has not ended
	for i := range left {
		left[i] = i
	}
	for first := 1; first <= maxHops && len(left) > 0 && ctx.Err() == nil; first += stride {
		to := make([]netip.Addr, len(left))
		for n, i := range left {
			to[n] = addrs[i]
		}
		answers := step(ctx, engine, s, to, first)
		var goOn []int
		for n, i := range left {
			hops, ended := follow(to[n], n, answers)
			paths[i] = append(paths[i], hops...)
			if !ended {
				goOn = append(goOn, i)
			}
		}
		left = goOn
	}
	return paths
}

// step asks the hops of a stride on the ways to all of to; the answers are by
// hop.
func step(ctx context.Context, engine *echo.Engine, s echo.Settings, to []netip.Addr, first int) (answers [stride][]echo.Answer) {
	monitor.InParallel(ctx, stride, stride, func(ctx context.Context, n int) {
		s := s
		s.TTL = uint8(first + n) //nolint:gosec // maxHops at most
		answers[n] = engine.Ping(ctx, s, to)
	})
	return answers
}

// follow is what the answers say of the way to a, which is the n-th, and whether
// it ends with them.
func follow(a netip.Addr, n int, answers [stride][]echo.Answer) (hops []hop, ended bool) {
	ended = true // if nobody answers
	for _, list := range answers {
		h := hopOf(a, list[n])
		hops = append(hops, h)
		if h.end {
			return hops, true
		}
		ended = ended && !h.from.IsValid()
	}
	return hops, ended
}

// hopOf is what an answer says of a hop on the way to a.
func hopOf(a netip.Addr, got echo.Answer) hop {
	if got.Err == nil {
		return hop{from: a, rtt: got.RTT, end: true}
	}
	u, ok := errors.AsType[*echo.Unreachable](got.Err)
	switch {
	case ok && u.Passed():
		return hop{from: u.From, rtt: got.Took}
	case ok:
		return hop{from: u.From, rtt: got.Took, what: u.Error(), end: true}
	case monitor.Local(got.Err):
		return hop{what: got.Err.Error(), end: true}
	}
	return hop{}
}

// describe writes a path as traceroute does, a line a hop, without those at its
// end that nobody answers for.
func describe(b *strings.Builder, name string, a netip.Addr, hops []hop) {
	fmt.Fprintf(b, "\npath to %s", name)
	if a.String() != name {
		fmt.Fprintf(b, " (%v)", a)
	}
	b.WriteString(":\n")
	known := len(hops)
	for known > 0 && hops[known-1] == (hop{}) {
		known--
	}
	for i, h := range hops[:known] {
		text := "*"
		switch {
		case h.what != "":
			text = h.what
		case h.from.IsValid():
			text = h.from.String() + "  " + monitor.Span(h.rtt)
		}
		fmt.Fprintf(b, "%3d  %s\n", i+1, text)
	}
	if known < len(hops) || known == 0 {
		fmt.Fprintf(b, "     no answer from hop %d on\n", known+1)
	}
}
