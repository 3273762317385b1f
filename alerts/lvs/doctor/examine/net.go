package examine

import (
	"errors"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/alerts/lvs/doctor"
)

// net reads links, addresses, default routes and neighbours.
func (r *reader) net() {
	names := map[int]string{}
	links, err := netlink.LinkList()
	if err != nil {
		r.unread("network interfaces", err)
		return
	}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
		r.facts.Links = append(r.facts.Links, link(l))
	}
	addrs, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		r.unread("addresses", err)
	}
	r.facts.Addrs = []doctor.Addr{}
	for _, a := range addrs {
		r.facts.Addrs = append(r.facts.Addrs, addr(a, names))
	}
	r.defaults(names)
	neighbours, err := netlink.NeighList(0, netlink.FAMILY_ALL)
	if err != nil {
		r.unread("neighbours", err)
	}
	for _, n := range neighbours {
		if a, ok := netip.AddrFromSlice(n.IP); ok {
			r.facts.Neighbours = append(r.facts.Neighbours, doctor.Neighbour{
				Link: names[n.LinkIndex], Addr: a.Unmap(), MAC: n.HardwareAddr.String(), Failed: n.State&unix.NUD_FAILED != 0,
			})
		}
	}
}

func link(l netlink.Link) doctor.Link {
	a := l.Attrs()
	return doctor.Link{
		Index: a.Index, Name: a.Name, Kind: l.Type(), MTU: a.MTU, MAC: a.HardwareAddr.String(),
		Up:      a.RawFlags&unix.IFF_UP != 0,
		Carrier: a.RawFlags&unix.IFF_LOWER_UP != 0,
		ARP:     a.RawFlags&(unix.IFF_LOOPBACK|unix.IFF_NOARP) == 0 && len(a.HardwareAddr) == 6,
	}
}

func addr(a netlink.Addr, names map[int]string) doctor.Addr {
	ip, _ := netip.AddrFromSlice(a.IP)
	bits, _ := a.Mask.Size()
	ip = ip.Unmap()
	return doctor.Addr{
		Link: names[a.LinkIndex], Prefix: netip.PrefixFrom(ip, bits),
		Tentative: a.Flags&unix.IFA_F_TENTATIVE != 0, Duplicate: a.Flags&unix.IFA_F_DADFAILED != 0,
	}
}

// defaults reads the default routes of both families.
func (r *reader) defaults(names map[int]string) {
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := netlink.RouteList(nil, family)
		if err != nil {
			r.unread("routes", err)
			continue
		}
		slices.SortStableFunc(routes, func(a, b netlink.Route) int { return a.Priority - b.Priority })
		for _, route := range routes {
			if route.Dst != nil && !isDefault(route.Dst) || route.Type != unix.RTN_UNICAST {
				continue
			}
			r.facts.Default = append(r.facts.Default, hops(route, names)...)
		}
	}
}

func isDefault(n *net.IPNet) bool {
	bits, _ := n.Mask.Size()
	return bits == 0 && n.IP.IsUnspecified()
}

// hops are the ways of a route, which may have several.
func hops(route netlink.Route, names map[int]string) []doctor.Route {
	six := route.Family == netlink.FAMILY_V6
	if len(route.MultiPath) == 0 {
		return []doctor.Route{{Link: names[route.LinkIndex], Gateway: toAddr(route.Gw), Source: toAddr(route.Src), Six: six}}
	}
	var out []doctor.Route
	for _, hop := range route.MultiPath {
		out = append(out, doctor.Route{Link: names[hop.LinkIndex], Gateway: toAddr(hop.Gw), Six: six})
	}
	return out
}

func toAddr(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// routes asks what becomes of packets to the addresses.
func (r *reader) routes(to []netip.Addr) {
	r.facts.Routes = map[netip.Addr]doctor.Route{}
	for _, a := range to {
		routes, err := netlink.RouteGet(net.IP(a.AsSlice()))
		switch {
		case noWay(err):
			r.facts.Routes[a] = doctor.Route{None: true, Err: err.Error(), Six: a.Is6()}
		case err != nil:
			r.unread("the route to "+a.String(), err)
		case len(routes) > 0:
			r.facts.Routes[a] = r.route(routes[0], a.Is6())
		}
	}
}

// noWay reports whether the kernel says that there is no way: none is known,
// or a route forbids it (unreachable, prohibit, blackhole).
func noWay(err error) bool {
	for _, e := range []error{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EACCES, unix.EINVAL} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (r *reader) route(route netlink.Route, six bool) doctor.Route {
	out := doctor.Route{
		Local: route.Type == unix.RTN_LOCAL, Gateway: toAddr(route.Gw), Source: toAddr(route.Src), MTU: route.MTU, Six: six,
	}
	for _, l := range r.facts.Links {
		if l.Index == route.LinkIndex {
			out.Link = l.Name
		}
	}
	return out
}
