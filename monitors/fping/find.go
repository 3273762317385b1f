package fping

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

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
		if figures(host) {
			found[i], t.errs[i] = p.names.Addr(ctx, host, p.family())
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
		if _, known := p.names.Age(hosts[i]); known {
			found[i], errs[i] = p.names.Addr(ctx, hosts[i], p.family()) // from memory
			continue
		}
		turn <- struct{}{}
		wg.Go(func() {
			found[i], errs[i] = p.names.Addr(ctx, hosts[i], p.family())
			<-turn
		})
	}
	wg.Wait()
}

// figures reports whether host is an address rather than a name.
func figures(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// kept is a remark about the address of host if it is only kept from earlier,
// because the resolver does not give one any more; else it is empty.
func (p *probe) kept(host string) string {
	if figures(host) {
		return ""
	}
	err := p.names.LastError(host)
	age, ok := p.names.Age(host)
	if err == nil || !ok {
		return ""
	}
	return fmt.Sprintf("; its address is %s old, for the resolver says: %v", monitor.Span(age.Round(time.Second)), err)
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
