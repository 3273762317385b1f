package fping

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/mondhq/mond/monitors/fping/way"
	"github.com/mondhq/mond/plugins/monitor"
)

const (
	// patience is how long all names of a check are waited for at most, if none
	// of them was ever resolved before; later they are known. A resolver that
	// hangs is not to keep hosts from being pinged whose addresses are known.
	patience = 2 * time.Second
	// lookups is how many names are waited for side by side.
	lookups = 64
)

// targets are the hosts of a check that have an address.
type targets struct {
	addrs []netip.Addr
	hosts []int   // whose they are, by the place in the check
	errs  []error // why hosts have none, by the place in the check
}

// find finds the addresses of hosts.
func (p *probe) find(ctx context.Context, hosts []string) targets {
	found := make([]netip.Addr, len(hosts))
	t := targets{errs: make([]error, len(hosts))}
	var names []int
	for i, host := range hosts {
		if p.To.Given() || way.Figures(host) {
			found[i], t.errs[i] = p.Addr(ctx, host)
		} else {
			names = append(names, i)
		}
	}
	if len(names) > 0 {
		p.lookUp(ctx, hosts, names, found, t.errs)
	}
	for i, a := range found {
		if t.errs[i] == nil {
			t.addrs, t.hosts = append(t.addrs, a), append(t.hosts, i)
		}
	}
	return t
}

// lookUp resolves the hosts at the places of names.
func (p *probe) lookUp(ctx context.Context, hosts []string, names []int, found []netip.Addr, errs []error) {
	limit := patience
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)/2) // the other half is for the pings
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var wg sync.WaitGroup
	turn := make(chan struct{}, lookups)
	for _, i := range names {
		if _, known := p.Names.Age(hosts[i]); known {
			found[i], errs[i] = p.Addr(ctx, hosts[i]) // from memory
			continue
		}
		turn <- struct{}{}
		wg.Go(func() {
			found[i], errs[i] = p.Addr(ctx, hosts[i])
			<-turn
		})
	}
	wg.Wait()
}

// annotate adds a remark to what is said of a host.
func annotate(s *monitor.Seen, remark string) {
	switch {
	case s.Err != nil:
		s.Err = fmt.Errorf("%w%s", s.Err, remark)
	case s.Host.Detail == "":
		s.Host.Detail = "ok" + remark
	default:
		s.Host.Detail += remark
	}
}
