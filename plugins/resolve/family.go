package resolve

import (
	"context"
	"errors"
	"net/netip"

	"github.com/mondhq/mond/plugins/monitor"
)

// Family is the kind of address that is wanted.
type Family uint8

// The families.
const (
	Any  Family = iota // IPv4 if the name has one, else IPv6
	IPv4               // IPv4 only
	IPv6               // IPv6 only
)

// String is the family in words.
func (f Family) String() string {
	switch f {
	case IPv4:
		return "IPv4"
	case IPv6:
		return "IPv6"
	case Any:
	}
	return "IPv4 or IPv6"
}

// Has reports whether a is of family f.
func (f Family) Has(a netip.Addr) bool {
	return f == Any || (f == IPv4) == a.Is4()
}

// Addr is the first address of host that is of family f: the one that is to be
// checked. Errors are those of [Resolver.Lookup]; a host without an address of
// that family is unresolved as well.
func (r *Resolver) Addr(ctx context.Context, host string, f Family) (netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		if a = a.Unmap(); f.Has(a) {
			return a, nil
		}
		return netip.Addr{}, &monitor.Unresolved{Host: host, Err: errors.New("it is no " + f.String() + " address")}
	}
	addrs, err := r.Lookup(ctx, host)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addrs {
		if f.Has(a) {
			return a, nil
		}
	}
	return netip.Addr{}, &monitor.Unresolved{Host: host, Err: errors.New("none of its addresses is " + f.String())}
}
