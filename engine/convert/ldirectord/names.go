package ldirectord

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Names looks up hosts and services.
type Names interface {
	// Host is the address of a host, of IPv6 or IPv4.
	Host(name string, six bool) (netip.Addr, error)
	// Port is that of a service; the network is tcp or udp.
	Port(network, service string) (int, error)
}

// lookupTime bounds the search for one name.
const lookupTime = 3 * time.Second

// maxLookups bounds how many names are looked up for one file, so that a file
// full of names that nobody knows does not hold up a start for long.
const maxLookups = 200

// System are the names that this machine knows.
func System() Names { return system{net.DefaultResolver} }

type system struct{ r *net.Resolver }

func (s system) Host(name string, six bool) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	network := "ip4"
	if six {
		network = "ip6"
	}
	all, err := s.r.LookupNetIP(ctx, network, name)
	if err != nil {
		return netip.Addr{}, err
	}
	slices.SortFunc(all, netip.Addr.Compare) // the same one at each start
	return all[0].Unmap(), nil
}

func (s system) Port(network, service string) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	return s.r.LookupPort(ctx, network, service)
}

// lookups remembers what was looked up.
type lookups struct {
	names Names
	hosts map[string]netip.Addr
	fails map[string]error
}

func (l *lookups) host(name string, six bool) (netip.Addr, error) {
	key := fmt.Sprint(name, six)
	if a, ok := l.hosts[key]; ok {
		return a, nil
	}
	if err, ok := l.fails[key]; ok {
		return netip.Addr{}, err
	}
	if len(l.hosts)+len(l.fails) >= maxLookups {
		return netip.Addr{}, fmt.Errorf("more than %d names to look up: write addresses", maxLookups)
	}
	a, err := l.names.Host(name, six)
	if err != nil {
		l.fails[key] = err
		return a, err
	}
	l.hosts[key] = a
	return a, nil
}
