package realserver

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/doctor"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// Judge says what there is to say of a real server of the site. director are
// the facts of the director, by which the way back of nat is judged; nil if
// they are not known.
func Judge(s doctor.Site, director *doctor.Facts, f *Facts) []doctor.Finding {
	j := &judge{facts: f, director: director, subject: "real server " + f.Host, here: map[netip.Addr][]doctor.Addr{}}
	for _, a := range f.Addrs {
		j.here[a.Prefix.Addr()] = append(j.here[a.Prefix.Addr()], a)
	}
	served := 0
	for i := range s.Virtuals {
		for _, real := range s.Virtuals[i].Reals {
			if len(j.here[real.Addr.Addr()]) > 0 {
				served++
				j.service(&s.Virtuals[i], real)
			}
		}
	}
	if served == 0 {
		j.add(doctor.Finding{
			Level: doctor.Error, Code: "no-real", What: "none of its addresses is that of a real server: " + f.addresses(),
			Do:  "look whether these are the facts of the machine that is meant, and whether the configuration names it by the right address",
			Why: "nothing can be judged of a machine that serves nothing",
		})
	}
	return doctor.Order(j.findings)
}

// judge gathers the findings of one real server.
type judge struct {
	facts    *Facts
	director *doctor.Facts
	subject  string
	here     map[netip.Addr][]doctor.Addr // the interfaces that have an address
	findings []doctor.Finding
}

func (j *judge) add(f doctor.Finding) {
	f.Subject = j.subject
	j.findings = append(j.findings, f)
}

func (j *judge) ok(code, what string) {
	j.add(doctor.Finding{Level: doctor.OK, Code: code, What: what})
}

func (f *Facts) addresses() string {
	var out []string
	for _, a := range f.Addrs {
		if !a.Prefix.Addr().IsLoopback() {
			out = append(out, a.Prefix.Addr().String())
		}
	}
	return strings.Join(out, ", ")
}

func (f *Facts) link(name string) *doctor.Link {
	if at := slices.IndexFunc(f.Links, func(l doctor.Link) bool { return l.Name == name }); at >= 0 {
		return &f.Links[at]
	}
	return nil
}

// service judges one virtual service that the machine is a real server of.
func (j *judge) service(v *doctor.Virtual, real doctor.Real) {
	switch real.Forward {
	case ipvs.NAT:
		j.gateway(v, real)
	case ipvs.Tunnel:
		if v.Mark == 0 {
			j.tunnel(v, real)
		}
		fallthrough
	default:
		if v.Mark == 0 {
			j.each(v, func(vip netip.Addr) { j.address(v, vip) })
			j.forwards(v)
		}
	}
	switch {
	case v.Mark != 0:
	case real.Forward == ipvs.NAT:
		j.listens(v.Protocol, real.Addr)
	default:
		j.each(v, func(a netip.Addr) { j.listens(v.Protocol, netip.AddrPortFrom(a, v.Addr.Port())) })
	}
}

// each judges the virtual addresses of v one by one, and says once what is so
// of several.
func (j *judge) each(v *doctor.Virtual, of func(netip.Addr)) {
	var all doctor.Stretches
	before := j.findings
	for a := range v.Addrs() {
		j.findings = nil
		of(a)
		all.Add(a, j.findings)
	}
	j.findings = append(before, all.Findings()...)
}

// address judges the virtual address of dr and tun: it is to be the machine's,
// and nobody on the network may hear of that.
func (j *judge) address(v *doctor.Virtual, vip netip.Addr) {
	held := j.here[vip]
	if h, ok := j.network(v, vip); ok {
		held = []doctor.Addr{h}
	}
	if len(held) == 0 {
		j.add(doctor.Finding{
			Level: doctor.Error, Code: "no-vip",
			What: fmt.Sprintf("%s is on no interface", vip),
			Do:   "add it to lo; `monctl realserver setup` does all that is needed",
			Run:  []string{addCommand(vip)},
			Why:  "packets arrive with the virtual address and are dropped by a machine that does not have it",
		})
		return
	}
	for _, h := range held {
		j.held(vip, h)
	}
}

// network is the address on lo whose network has vip and none but addresses of
// the range v: on lo all of them are the machine's own.
func (j *judge) network(v *doctor.Virtual, vip netip.Addr) (doctor.Addr, bool) {
	for _, h := range j.facts.Addrs {
		whole := h.Prefix.Masked()
		if h.Link == "lo" && !whole.IsSingleIP() && whole.Contains(vip) && v.Covers(whole.Addr()) && v.Covers(lastIn(whole)) {
			return doctor.Addr{Link: h.Link, Prefix: doctor.Host(vip)}, true
		}
	}
	return doctor.Addr{}, false
}

// lastIn is the last address of a network.
func lastIn(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func addCommand(vip netip.Addr) string {
	command := "ip addr add " + doctor.Host(vip).String() + " dev lo"
	if vip.Is6() {
		command += " nodad"
	}
	return command
}

func (j *judge) held(vip netip.Addr, h doctor.Addr) {
	move := []string{"ip addr del " + h.Prefix.String() + " dev " + h.Link, addCommand(vip)}
	l := j.facts.link(h.Link)
	switch {
	case l != nil && l.ARP && (l.Up || vip.Is6()) && !isDummy(l):
		j.add(doctor.Finding{
			Level: doctor.Error, Code: "vip-on-link",
			What: fmt.Sprintf("%s is on %s, which answers for it", vip, h.Link),
			Do:   "move it to lo",
			Run:  move,
			Why:  "clients' packets come here past the director, whenever this answer is the first",
		})
		return
	case h.Duplicate || h.Tentative:
		j.add(doctor.Finding{
			Level: doctor.Error, Code: "vip-duplicate",
			What: fmt.Sprintf("%s is not in use on %s: duplicate address detection found the director's, or has not ended", vip, h.Link),
			Do:   "add it without duplicate address detection",
			Run:  move,
			Why:  "packets arrive with the virtual address and are dropped by a machine that does not have it",
		})
		return
	case !h.Prefix.IsSingleIP():
		j.add(doctor.Finding{
			Level: doctor.Error, Code: "vip-mask",
			What: fmt.Sprintf("%s has the mask /%d on %s", vip, h.Prefix.Bits(), h.Link),
			Do:   fmt.Sprintf("give it the mask /%d", vip.BitLen()),
			Run:  move,
			Why:  "on lo a whole network becomes the machine's own: it answers no client of that network",
		})
		return
	}
	if !vip.Is4() {
		j.ok("vip", fmt.Sprintf("%s is on %s", vip, h.Link))
		return
	}
	j.quiet(vip, h)
}

// isDummy tells a dummy interface, which has the address of a card but no
// network, by the name that everybody gives it.
func isDummy(l *doctor.Link) bool { return strings.HasPrefix(l.Name, "dummy") }

// quiet judges what the interfaces say of the address in ARP.
func (j *judge) quiet(vip netip.Addr, h doctor.Addr) {
	quiet := true
	for _, l := range j.facts.Links {
		if !l.ARP || !l.Up || l.Name == h.Link || isDummy(&l) {
			continue
		}
		for _, f := range doctor.JudgeARP(j.subject, vip, h.Link, l.Name, j.facts.Sysctls) {
			j.add(f)
			quiet = false
		}
	}
	if quiet {
		j.ok("vip", fmt.Sprintf("%s is on %s, and nothing is said of it in ARP", vip, h.Link))
	}
}

// forwards judges whether the machine sends on what is not its own.
func (j *judge) forwards(v *doctor.Virtual) {
	if n, ok := j.facts.Sysctls.Int("net/ipv4/ip_forward"); !ok || n == 0 || !v.VIP().Is4() {
		return
	}
	j.add(doctor.Finding{
		Level: doctor.Advice, Code: "ip-forward",
		What: "it forwards packets (ip_forward is 1)",
		Do:   "turn it off unless it is a router, or carries containers or virtual machines",
		Run:  []string{doctor.SysctlCommand("net/ipv4/ip_forward", "0")},
		Why:  "without the virtual address it would send clients' packets back to the director, in circles, instead of dropping them",
	})
}

// tunnel judges what takes the packets out of their wrapping.
func (j *judge) tunnel(v *doctor.Virtual, real doctor.Real) {
	w := Want{VIP: v.VIP(), Forward: ipvs.Tunnel, Tunnel: real.Tunnel, Real: real.Addr.Addr()}
	module, name := w.device()
	l := j.unwraps(name)
	switch {
	case l == nil:
		f := doctor.Finding{
			Level: doctor.Error, Code: "tunnel",
			What: fmt.Sprintf("there is no %s to take packets out of the tunnel", name),
			Do:   "load its module, and bring it up",
			Run:  []string{"modprobe " + module, "ip link set dev " + name + " up"},
			Why:  "packets of " + v.VIP().String() + " come wrapped, and nothing unwraps them",
		}
		if made(name) {
			f.Do = "make one, and bring it up"
			f.Run = []string{"ip link add " + name + " type " + w.makes(), "ip link set dev " + name + " up"}
		}
		if w.summedGRE() {
			f.Why += ": what the kernel itself makes for GRE drops packets with a checksum"
		}
		j.add(f)
		return
	case !l.Up:
		j.add(doctor.Finding{
			Level: doctor.Error, Code: "tunnel",
			What: l.Name + " is down",
			Do:   "bring it up",
			Run:  []string{"ip link set dev " + l.Name + " up"},
			Why:  "packets of " + v.VIP().String() + " come wrapped, and nothing unwraps them",
		})
	default:
		j.ok("tunnel", l.Name+" takes packets out of the tunnel")
	}
	if v.VIP().Is4() {
		j.reversePath(v.VIP(), l.Name)
	}
	if real.Tunnel.Type == ipvs.GUE {
		j.gue(w)
	}
}

// reversePath judges the filter on the tunnel's interface. Loose is not enough
// where that has no address: the kernel then drops all that it cannot place.
func (j *judge) reversePath(vip netip.Addr, link string) {
	n, ok := j.facts.Sysctls.Most(link, "rp_filter")
	bare := !slices.ContainsFunc(j.facts.Addrs, func(a doctor.Addr) bool { return a.Link == link && a.Prefix.Addr().Is4() })
	f := doctor.Finding{
		Level: doctor.Error, Code: "rp-filter",
		What: "rp_filter is strict on " + link,
		Do:   "make it loose, and keep it in /etc/sysctl.d",
		Run:  []string{doctor.SysctlCommand("net/ipv4/conf/"+link+"/rp_filter", "2")},
		Why:  "packets of clients come out of the tunnel, but the way to clients is not into it: they are dropped",
	}
	switch {
	case !ok || n == 0, n != 1 && !bare:
		return
	case n == 1 && bare:
		f.What += ", which has no address"
	case bare:
		f.What, f.Run = "rp_filter is loose on "+link+", which has no address", nil
	}
	if bare {
		f.Do = "give it the virtual address as well, and let the filter be loose; keep both over boots"
		f.Run = append(f.Run, "ip addr add "+doctor.Host(vip).String()+" dev "+link)
	}
	j.add(f)
}

// unwraps is the interface of that name, or another of its kind that somebody
// made.
func (j *judge) unwraps(name string) *doctor.Link {
	l := j.facts.link(name)
	if l != nil && l.Up {
		return l
	}
	kinds := map[string]string{"tunl0": "ipip", "gre0": "gre", "sit0": "sit", "ip6tnl0": "tunnel6", tunnel46: "tunnel6", "ip6gre0": "gre6", summed: "gre", summed6: "gre6"}
	ofKernel := map[string]string{tunnel46: "ip6tnl0", summed: "gre0", summed6: "ip6gre0"} // which do not serve in its place
	for i := range j.facts.Links {
		if other := &j.facts.Links[i]; other.Kind == kinds[name] && other.Up && other.Name != ofKernel[name] {
			return other
		}
	}
	return l
}

func (j *judge) gue(w Want) {
	port, option := w.Tunnel.Port, familyOption(w.outer6())
	switch {
	case slices.Contains(j.facts.GUE, GUEPort{Port: port, Six: w.outer6()}):
		j.ok("gue", fmt.Sprintf("GUE is taken at port %d", port))
	default:
		j.add(doctor.Finding{
			Level: doctor.Error, Code: "gue",
			What: fmt.Sprintf("GUE is not taken at port %d", port),
			Do:   "let the kernel take it",
			Run:  []string{"modprobe fou", fmt.Sprintf("ip %s fou add port %d gue", option, port)},
			Why:  "packets come wrapped in UDP to that port, and nothing unwraps them",
		})
	}
}

// gateway judges the way back of answers by nat: they must pass the director.
func (j *judge) gateway(v *doctor.Virtual, real doctor.Real) {
	six := real.Addr.Addr().Is6()
	var gateways []netip.Addr
	for _, d := range j.facts.Default {
		if d.Six == six && d.Gateway.IsValid() {
			gateways = append(gateways, d.Gateway)
		}
	}
	director := j.directorFor(real.Addr.Addr())
	f := doctor.Finding{
		Level: doctor.Error, Code: "nat-gateway",
		Do:  "let the default route lead to the director, best to an address that moves with the role",
		Why: "an answer that takes another way has this machine's address, and the client throws it away",
	}
	if director.IsValid() {
		f.Run = []string{fmt.Sprintf("ip %s route replace default via %s", familyOption(six), director)}
	}
	switch {
	case len(gateways) == 0:
		f.What = fmt.Sprintf("it has no default route, and %s reaches it by nat", v.Subject())
		j.add(f)
	case j.director == nil || len(j.director.Addrs) == 0:
		f.Level, f.Run = doctor.Advice, nil
		f.What = fmt.Sprintf("its default route leads to %s; whether that is the director is not known here", gateways[0])
		j.add(f)
	case !j.isDirector(gateways[0]):
		f.What = fmt.Sprintf("its default route leads to %s, which is no address of this director, and %s reaches it by nat", gateways[0], v.Subject())
		j.add(f)
	default:
		j.ok("nat-gateway", fmt.Sprintf("its default route leads to %s, this director", gateways[0]))
	}
}

// isDirector reports whether the address is the director's, or will be when it
// has the role.
func (j *judge) isDirector(a netip.Addr) bool {
	for _, h := range j.director.Addrs {
		if h.Prefix.Addr() == a {
			return true
		}
	}
	return false
}

// directorFor is the director's address among the real servers.
func (j *judge) directorFor(real netip.Addr) netip.Addr {
	if j.director == nil {
		return netip.Addr{}
	}
	if s := j.director.Routes[real].Source; s.IsValid() {
		return s
	}
	for _, h := range j.director.Addrs {
		if h.Prefix.Contains(real) && !h.Prefix.IsSingleIP() {
			return h.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// listens judges whether something takes the connections.
func (j *judge) listens(protocol ipvs.Protocol, at netip.AddrPort) {
	if !j.facts.Read["socket"] || at.Port() == 0 || protocol == ipvs.SCTP {
		return
	}
	var others []string
	for _, s := range j.facts.Sockets {
		if s.UDP != (protocol == ipvs.UDP) || s.Addr.Port() != at.Port() {
			continue
		}
		if s.takes(at.Addr()) {
			j.ok("listens", fmt.Sprintf("something listens on %s port %d of %s", protocol, at.Port(), at.Addr()))
			return
		}
		others = append(others, s.Addr.String())
	}
	f := doctor.Finding{
		Level: doctor.Error, Code: "listens",
		What: fmt.Sprintf("nothing listens on %s port %d of %s", protocol, at.Port(), at.Addr()),
		Do:   "start the service, or let it listen there or on any address",
		Why:  "connections are refused",
	}
	if len(others) > 0 {
		f.What += ", only on " + strings.Join(others, ", ")
	}
	j.add(f)
}

// takes reports whether the socket takes packets for the address. Whether one
// of IPv6 takes IPv4 as well cannot be seen; most do.
func (s Socket) takes(a netip.Addr) bool {
	if s.Addr.Addr().IsUnspecified() {
		return a.Is4() || s.Six
	}
	return s.Addr.Addr() == a
}
