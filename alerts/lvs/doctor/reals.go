package doctor

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// services judges whether the table has what the configuration leaves to
// others.
func (r *report) services() {
	if r.site.FromTable || r.facts.Table == nil {
		return
	}
	there := map[ipvs.Virtual]bool{}
	for _, row := range r.facts.Table {
		there[row.Virtual] = true
	}
	for i := range r.site.Virtuals {
		v := &r.site.Virtuals[i]
		if v.Declared {
			continue
		}
		if v.Mark != 0 {
			if !there[v.Virtual] {
				r.add(v.noService(v.Virtual))
			}
			continue
		}
		var missing Stretches
		for a := range v.Addrs() {
			one := v.Virtual
			one.Addr = netip.AddrPortFrom(a, v.Addr.Port())
			if !there[one] && !r.declared(v, a) {
				missing.Add(a, []Finding{v.noService(one)})
			}
		}
		r.findings = append(r.findings, missing.Findings()...)
	}
}

// declared reports whether another range declares the row of v at an address.
func (r *report) declared(v *Virtual, a netip.Addr) bool {
	return slices.ContainsFunc(r.site.Virtuals, func(o Virtual) bool {
		return o.Declared && o.Netns == v.Netns && o.Protocol == v.Protocol && o.Addr.Port() == v.Addr.Port() && o.Covers(a)
	})
}

// noService says that the row of v, or one of a range, is missing.
func (v *Virtual) noService(row ipvs.Virtual) Finding {
	f := Finding{
		Level: Error, Code: "no-service", Subject: v.Subject(),
		What: "the table has no such virtual service, and the configuration only names its real servers",
		Do:   "declare it whole (`virtual` in mon.cf), or make its row at boot",
		Run:  []string{"ipvsadm -A " + adminWord(row) + " -s wlc"},
		Why:  "a line of lvs.alert alone puts real servers into services that exist, and waits for the others",
	}
	if v.Last.IsValid() {
		f.What = "the table has no virtual service for " + row.Addr.Addr().String() + ", and the configuration only names its real servers"
	}
	return f
}

// adminWord is v as ipvsadm takes it.
func adminWord(v ipvs.Virtual) string {
	switch {
	case v.Mark != 0 && v.V6:
		return fmt.Sprintf("-f %d -6", v.Mark)
	case v.Mark != 0:
		return fmt.Sprintf("-f %d", v.Mark)
	case v.Protocol == ipvs.UDP:
		return "-u " + v.Addr.String()
	case v.Protocol == ipvs.SCTP:
		return "--sctp-service " + v.Addr.String()
	}
	return "-t " + v.Addr.String()
}

// reals judges the way to each real server.
func (r *report) reals() {
	for i := range r.site.Virtuals {
		v := &r.site.Virtuals[i]
		if v.Mark != 0 {
			r.mark(v)
		}
		gateways := []string{}
		for _, real := range v.Reals {
			r.real(v, real)
			if real.Forward == ipvs.NAT {
				gateways = append(gateways, real.Addr.Addr().String())
			}
		}
		if len(gateways) > 0 {
			r.backWay(v, distinct(gateways))
		}
	}
}

// mark says what a firewall mark needs, which is not judged.
func (r *report) mark(v *Virtual) {
	r.add(Finding{
		Level: Advice, Code: "mark", Subject: v.Subject(),
		What: "takes the packets that a firewall rule marks; the rules are not looked at",
		Do:   "see that a rule of the mangle table marks them, and that their addresses are local",
		Run:  []string{"nft list ruleset | grep -i mark; iptables-save -t mangle 2>/dev/null | grep -i mark"},
		Why:  "packets for an address that is not local never reach IPVS, marked or not",
	})
}

func (r *report) real(v *Virtual, real Real) {
	addr := real.Addr.Addr()
	if v.Covers(addr) {
		r.add(Finding{
			Level: Error, Code: "real-is-vip", Subject: v.Subject(),
			What: fmt.Sprintf("its real server %s has the virtual address", real.Addr),
			Do:   "name the real server by an address of its own; the director itself is 127.0.0.1 (nat), or one of its other addresses",
			Why:  "such packets go round in the director",
		})
		return
	}
	if port := v.Addr.Port(); v.Mark == 0 && real.Forward != ipvs.NAT && port != 0 && real.Addr.Port() != port {
		r.add(Finding{
			Level: Error, Code: "real-port", Subject: v.Subject(),
			What: fmt.Sprintf("its real server %s has another port than the virtual service, by %s", real.Addr, real.Forward),
			Do:   "let the real server listen on the same port, or reach it by nat",
			Why:  "by dr and tun packets arrive as the client sent them; only nat changes the port",
		})
	}
	r.way(v, real)
}

// way judges the route to a real and its neighbour entry.
func (r *report) way(v *Virtual, real Real) {
	addr := real.Addr.Addr()
	route, known := r.facts.Routes[addr]
	switch {
	case !known, route.Local:
	case route.None:
		r.add(Finding{
			Level: Error, Code: "no-route", Subject: v.Subject(),
			What: fmt.Sprintf("there is no way to its real server %s: %s", addr, route.Err),
			Do:   "give this director an address in the real servers' network, or a route to it",
			Why:  "packets for it are dropped",
		})
	case real.Forward == ipvs.Direct && route.Gateway.IsValid():
		r.add(Finding{
			Level: Error, Code: "dr-gateway", Subject: v.Subject(),
			What: fmt.Sprintf("its real server %s by dr is behind the router %s", addr, route.Gateway),
			Do:   "use tun or nat for it, or put it on a network that this director is on",
			Why:  "by dr only the address of the card is changed: the router sends the packet back to the virtual address, that is here",
		})
	case real.Forward != ipvs.NAT && r.isVIP[route.Source]:
		r.source(v, route.Source, addr)
	default:
		r.neighbour(v, real, route)
	}
}

// source judges that this machine would speak to a real with a virtual
// address, which by dr and tun is the real's own, too. IPv6 chooses the address
// that is most like the other's (RFC 6724, rule 8), IPv4 the first of a network.
func (r *report) source(v *Virtual, vip, real netip.Addr) {
	f := Finding{
		Level: Error, Code: "vip-source", Subject: v.Subject(),
		What: fmt.Sprintf("this director would speak to its real server %s with the virtual address %s", real, vip),
		Do:   "give the director an address of its own in that network before the virtual one, and add the virtual one as " + Host(vip).String(),
		Why:  "the real server has that address, too: it answers itself, so that checks fail although all is well, and takes nothing out of an IPv6 tunnel that seems to come from itself",
	}
	if held := r.facts.holds(vip); vip.Is6() && len(held) > 0 {
		f.Do = "mark the virtual address as one not to speak with, wherever it is added"
		f.Run = []string{fmt.Sprintf("ip addr change %s dev %s preferred_lft 0", held[0].Prefix, held[0].Link)}
	}
	r.add(f)
}

func (r *report) neighbour(v *Virtual, real Real, route Route) {
	addr := real.Addr.Addr()
	if l := r.facts.link(route.Link); l != nil && (!l.Up || !l.Carrier) {
		r.add(Finding{
			Level: Error, Code: "real-link-down", Subject: v.Subject(),
			What: fmt.Sprintf("the way to its real server %s is %s, which is down or has no carrier", addr, route.Link),
			Do:   "bring the interface up; look at the cable and the switch",
			Run:  []string{"ip link set " + route.Link + " up"},
			Why:  "packets for it are dropped",
		})
		return
	}
	next := addr
	if route.Gateway.IsValid() {
		next = route.Gateway
	}
	for _, n := range r.facts.Neighbours {
		if n.Addr == next && n.Link == route.Link && n.Failed {
			r.add(Finding{
				Level: Warning, Code: "real-silent", Subject: v.Subject(),
				What: fmt.Sprintf("nobody on %s answers for %s, the next step to its real server %s", n.Link, next, addr),
				Do:   "look whether that machine runs, and is on the same network",
				Why:  "packets for it are dropped",
			})
			return
		}
	}
	r.ok("real", v.Subject(), fmt.Sprintf("its real server %s by %s is reached over %s", addr, real.Forward, way(route)))
}

func way(r Route) string {
	if r.Gateway.IsValid() {
		return r.Link + " via " + r.Gateway.String()
	}
	return r.Link
}

// backWay says how answers of reals by nat must come back, which cannot be
// seen from here.
func (r *report) backWay(v *Virtual, reals []string) {
	sources := []string{}
	for _, real := range v.Reals {
		if s := r.facts.Routes[real.Addr.Addr()].Source; real.Forward == ipvs.NAT && s.IsValid() {
			sources = append(sources, s.String())
		}
	}
	where := "this director"
	if len(sources) > 0 {
		where += " (" + list(distinct(sources)) + ", or better an address that moves with the role)"
	}
	first, _ := netip.ParseAddr(reals[0])
	r.add(Finding{
		Level: Advice, Code: "nat-gateway", Subject: v.Subject(),
		What: fmt.Sprintf("answers of %s must come back through %s, which cannot be seen from here", list(reals), where),
		Do:   "look at their default route with the script for real servers",
		Run:  []string{fmt.Sprintf("monctl realserver check | ssh root@%s sh | monctl doctor --real -", first)},
		Why:  "an answer that takes another way has the real server's address, and the client throws it away",
	})
}

// tunnels judges what of the packet's size the encapsulation leaves.
func (r *report) tunnels() {
	for i := range r.site.Virtuals {
		v := &r.site.Virtuals[i]
		for _, real := range v.Reals {
			if real.Forward == ipvs.Tunnel && !r.facts.isLocal(real.Addr.Addr()) {
				r.tunnel(v, real)
			}
		}
	}
}

// usualMTU is what clients on Ethernet send.
const usualMTU = 1500

// Overhead is what encapsulation adds to a packet, by the headers: IPv4 20
// octets or IPv6 40; GUE 8 for UDP and 4 of its own (RFC draft-ietf-intarea-gue),
// 8 more with remote checksum; GRE 4 (RFC 2784), 4 more with a checksum.
func Overhead(real Real) int {
	n := 20
	if real.Addr.Addr().Is6() {
		n = 40
	}
	switch t := real.Tunnel; t.Type {
	case ipvs.GUE:
		n += 12
		if t.Checksum == 2 {
			n += 8
		}
	case ipvs.GRE:
		n += 4
		if t.Checksum != 0 {
			n += 4
		}
	case ipvs.IPIP:
	}
	return n
}

// mtu is how large a packet to the real may be, and how that is known.
func (r *report) mtu(addr netip.Addr) (n int, how string) {
	route := r.facts.Routes[addr]
	if l := r.facts.link(route.Link); l != nil {
		n, how = l.MTU, "the MTU of "+l.Name
	}
	if route.MTU > 0 && (n == 0 || route.MTU < n) {
		n, how = route.MTU, "the MTU of the route"
	}
	if p := r.facts.Probes; p != nil && p.PathMTU[addr] > 0 && (n == 0 || p.PathMTU[addr] < n) {
		n, how = p.PathMTU[addr], "the largest packet that a ping got through with"
	}
	return n, how
}

func (r *report) tunnel(v *Virtual, real Real) {
	addr := real.Addr.Addr()
	n, how := r.mtu(addr)
	over := Overhead(real)
	if p := r.facts.Probes; p != nil && slices.Contains(p.Silent, addr) {
		r.add(Finding{
			Level: Advice, Code: "tun-silent", Subject: v.Subject(),
			What: fmt.Sprintf("its real server %s answers no ping: the MTU of the path was not measured", addr),
			Do:   "let it answer pings from this director, or look by other means",
			Why:  "what does not fit into the tunnel is lost where ICMP is filtered",
		})
	}
	if n == 0 || n-over >= usualMTU {
		return
	}
	f := Finding{
		Level: Advice, Code: "tun-mtu", Subject: v.Subject(),
		What: fmt.Sprintf("%s to %s is %d: the tunnel leaves %d of the %d octets that clients send", how, addr, n, n-over, usualMTU),
		Do: fmt.Sprintf("let the link to the real servers take %d octets where its switches do; or give the real server's routes to clients `advmss %d`",
			usualMTU+over, n-over-v.headers()),
		Why: "larger packets of clients are refused with an ICMP message; where a firewall on the way drops that, uploads hang",
	}
	if n < usualMTU {
		f.Level = Warning
	}
	if l := r.facts.link(r.facts.Routes[addr].Link); l != nil && l.MTU == n {
		f.Run = []string{fmt.Sprintf("ip link set dev %s mtu %d", l.Name, usualMTU+over)}
	}
	r.add(f)
}

// headers are the octets of IP and TCP in a client's packet.
func (v *Virtual) headers() int {
	if v.Is6() {
		return 60
	}
	return 40
}
