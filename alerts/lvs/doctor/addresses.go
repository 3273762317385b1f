package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// addresses judges where the virtual addresses are.
func (r *report) addresses() {
	var all Stretches
	for _, vip := range r.vips {
		one := *r
		one.findings = nil
		one.address(vip)
		all.Add(vip, one.findings)
	}
	r.findings = append(r.findings, all.Findings()...)
	if more := r.site.Beyond(); len(more) > 0 {
		r.add(Finding{
			Level: Advice, Code: "vip-many", Subject: Addresses,
			What: fmt.Sprintf("there are %d virtual addresses: %d were looked at, and not %s", len(r.vips)+len(more), len(r.vips), Stretch(more)),
			Do:   "look at those with `ip addr` and `ip route get`; so many are better balanced by a firewall mark",
			Why:  "what was not looked at is not judged",
		})
	}
}

// address judges where one is, and who answers for it.
func (r *report) address(vip netip.Addr) {
	held := r.here[vip]
	switch {
	case len(held) == 0 && r.facts.Routes[vip].Local:
		r.ok("vip", Addresses, vip.String()+" is local by a route")
	case len(held) == 0:
		r.absent(vip)
	default:
		for _, h := range held {
			r.held(vip, h)
		}
	}
	r.answers(vip)
}

// absent judges a virtual address that this machine does not have: it may be
// the standby.
func (r *report) absent(vip netip.Addr) {
	if r.facts.Addrs == nil {
		return // not read
	}
	if who := r.brings[vip]; who != "" {
		r.ok("vip", Addresses, fmt.Sprintf("%s is not here; %s brings it when this director is the active one", vip, who))
		return
	}
	f := Finding{
		Level: Warning, Code: "vip-absent", Subject: Addresses,
		What: fmt.Sprintf("%s is on no interface, and nothing that was found would bring it", vip),
		Do:   "add it to the interface that faces the clients, or let heartbeat, keepalived or fake.alert do so; on a standby director this is as it should be",
		Why:  "packets for an address that is not local never reach IPVS",
	}
	if link := r.outerLink(vip); link != "" {
		f.Run = []string{addCommand(vip, link)}
	}
	r.add(f)
}

// outerLink is the link that vip would be on.
func (r *report) outerLink(vip netip.Addr) string { return r.facts.outer(vip) }

// outer is the link whose network vip is in, else that of the default route.
func (f *Facts) outer(vip netip.Addr) string {
	for _, a := range f.Addrs {
		if l := f.link(a.Link); a.Prefix.Contains(vip) && l != nil && l.ARP {
			return a.Link
		}
	}
	for _, d := range f.Default {
		if d.Six == vip.Is6() {
			return d.Link
		}
	}
	return ""
}

// AskOn is the link on which to ask who has vip: where it is, or would be. It
// is nil if there is none that could be asked on.
func (f *Facts) AskOn(vip netip.Addr) *Link {
	for _, h := range f.holds(vip) {
		if l := f.link(h.Link); l != nil && l.ARP && l.Up {
			return l
		}
	}
	if l := f.link(f.outer(vip)); l != nil && l.ARP && l.Up {
		return l
	}
	return nil
}

// addCommand adds a virtual address to a link; one of IPv6 as one not to speak
// with.
func addCommand(vip netip.Addr, link string) string {
	command := fmt.Sprintf("ip addr add %s dev %s", Host(vip), link)
	if vip.Is6() {
		command += " nodad preferred_lft 0"
	}
	return command
}

// Host is the prefix that is just the address.
func Host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// bringers say who brings which address, if anything that was read does.
func (s *Site) bringers(f *Facts) map[netip.Addr]string {
	out := map[netip.Addr]string{}
	for _, k := range slices.Backward(f.Keepers) { // the first line counts
		for a := range k.names() {
			out[a] = fmt.Sprintf("%s:%d", k.File, k.Line)
		}
	}
	for _, a := range s.Holds {
		out[a] = "fake.alert"
	}
	return out
}

// names are the addresses that the line names.
func (k Keeper) names() map[netip.Addr]bool {
	out := map[netip.Addr]bool{}
	separates := func(c rune) bool { return strings.ContainsRune(" \t/,;\"'{}[]", c) }
	for _, word := range strings.FieldsFunc(k.Text, separates) {
		// haresources writes NAME::ADDRESS, and :: may stand in the address
		if _, rest, ok := strings.Cut(word, "addr::"); ok {
			word = rest
		} else if _, rest, ok := strings.Cut(word, "addr2::"); ok {
			word = rest
		}
		if a, err := netip.ParseAddr(word); err == nil {
			out[a] = true
		}
	}
	return out
}

// held judges an address that is here.
func (r *report) held(vip netip.Addr, h Addr) {
	l := r.facts.link(h.Link)
	switch {
	case h.Duplicate:
		r.add(Finding{
			Level: Error, Code: "vip-duplicate", Subject: Addresses,
			What: fmt.Sprintf("%s is a duplicate on %s: another machine on the link has it", vip, h.Link),
			Do:   "take it from the other machine (a real server has it on lo), then remove it here and add it anew",
			Run:  []string{"ip addr del " + h.Prefix.String() + " dev " + h.Link, addCommand(vip, h.Link)},
			Why:  "the kernel does not use a duplicate address",
		})
	case l == nil:
	case !l.Up || !l.Carrier:
		r.add(Finding{
			Level: Error, Code: "vip-link-down", Subject: Addresses,
			What: fmt.Sprintf("%s is on %s, which is down or has no carrier", vip, h.Link),
			Do:   "bring the interface up; look at the cable and the switch",
			Run:  []string{"ip link set " + h.Link + " up"},
			Why:  "no client reaches the address",
		})
	case !l.ARP:
		r.onLoopback(vip, h)
	default:
		r.onLink(vip, h)
	}
}

// onLink is the usual case: the address is on an interface that speaks ARP.
func (r *report) onLink(vip netip.Addr, h Addr) {
	n, ok := r.facts.Sysctls.Most(h.Link, "arp_ignore")
	if vip.Is4() && ok && n >= 3 {
		r.add(Finding{
			Level: Error, Code: "vip-silent", Subject: Addresses,
			What: fmt.Sprintf("arp_ignore is %d on %s, which has %s", n, h.Link, vip),
			Do:   "set it to 0 or 1 for all and for " + h.Link,
			Run: []string{
				SysctlCommand("net/ipv4/conf/all/arp_ignore", "0"),
				SysctlCommand("net/ipv4/conf/"+h.Link+"/arp_ignore", "0"),
			},
			Why: "the director may answer nobody who asks for the address",
		})
		return
	}
	r.ok("vip", Addresses, fmt.Sprintf("%s is on %s", vip, h.Link))
}

// onLoopback judges an address that no interface speaks for. That is right on
// a real server, so also on a director that is one, while it is the standby.
func (r *report) onLoopback(vip netip.Addr, h Addr) {
	if !vip.Is4() {
		r.loopback6(vip, h)
		return
	}
	if r.isReal(vip) {
		r.directorAndReal(vip, h)
		return
	}
	silent := []string{}
	for _, l := range r.arpLinks() {
		if n, ok := r.facts.Sysctls.Most(l.Name, "arp_ignore"); ok && n > 0 {
			silent = append(silent, l.Name)
		}
	}
	f := Finding{
		Level: Warning, Code: "vip-on-lo", Subject: Addresses,
		What: fmt.Sprintf("%s is on %s, as on a real server", vip, h.Link),
		Do:   "on a director it belongs to the interface that faces the clients",
		Why:  "every interface answers for it, and nobody announces it after a takeover",
	}
	if len(silent) > 0 {
		f.Level, f.Why = Error, fmt.Sprintf("arp_ignore is set on %s: nobody answers clients' routers that ask for the address", list(silent))
	}
	if link := r.outerLink(vip); link != "" {
		f.Run = []string{"ip addr del " + h.Prefix.String() + " dev " + h.Link, addCommand(vip, link)}
	}
	r.add(f)
}

func (r *report) loopback6(vip netip.Addr, h Addr) {
	if r.isReal(vip) {
		r.ok("vip", Addresses, fmt.Sprintf("%s is on %s: this director is a real server, too", vip, h.Link))
		return
	}
	f := Finding{
		Level: Error, Code: "vip-on-lo", Subject: Addresses,
		What: fmt.Sprintf("%s is on %s, as on a real server", vip, h.Link),
		Do:   "on a director it belongs to the interface that faces the clients",
		Why:  "nobody answers neighbour solicitations for it",
	}
	if link := r.outerLink(vip); link != "" {
		f.Run = []string{"ip addr del " + h.Prefix.String() + " dev " + h.Link, addCommand(vip, link)}
	}
	r.add(f)
}

// isReal reports whether this machine is a real server of the address.
func (r *report) isReal(vip netip.Addr) bool {
	for _, v := range r.site.Virtuals {
		if !v.Covers(vip) {
			continue
		}
		for _, real := range v.Reals {
			if r.facts.isLocal(real.Addr.Addr()) {
				return true
			}
		}
	}
	return false
}

// arpLinks are the interfaces that are up and speak ARP.
func (r *report) arpLinks() []Link {
	var out []Link
	for _, l := range r.facts.Links {
		if l.ARP && l.Up {
			out = append(out, l)
		}
	}
	return out
}

// directorAndReal judges a standby director that is a real server, too.
func (r *report) directorAndReal(vip netip.Addr, h Addr) {
	well := true
	for _, l := range r.arpLinks() {
		for _, f := range JudgeARP(Addresses, vip, h.Link, l.Name, r.facts.Sysctls) {
			r.add(f)
			well = false
		}
	}
	if well {
		r.ok("vip", Addresses, fmt.Sprintf("%s is on %s: this director is a real server, too, and says nothing of it in ARP", vip, h.Link))
	}
	for i := range r.site.Virtuals {
		v := &r.site.Virtuals[i]
		if !v.Covers(vip) || v.ByRole || r.site.FromTable {
			continue
		}
		r.add(Finding{
			Level: Warning, Code: "by-role", Subject: v.Subject(),
			What: "this director is also a real server, and keeps its table warm",
			Do:   "say `table = by-role` in the configuration",
			Why:  "packets that the active director sends here would be balanced again, and go round in circles",
		})
	}
}

// JudgeARP judges how an interface speaks of an address that is on another
// one, for subject: it must neither answer for it nor ask with it.
func JudgeARP(subject string, vip netip.Addr, on, link string, s Sysctls) []Finding {
	var out []Finding
	if n, ok := s.Most(link, "arp_ignore"); ok && n == 0 {
		out = append(out, Finding{
			Level: Error, Code: "arp-ignore", Subject: subject,
			What: fmt.Sprintf("%s is on %s, and %s answers ARP for it: arp_ignore is 0", vip, on, link),
			Do:   "set arp_ignore to 1, and keep it in /etc/sysctl.d",
			Run:  []string{SysctlCommand("net/ipv4/conf/all/arp_ignore", "1"), SysctlCommand("net/ipv4/conf/"+link+"/arp_ignore", "1")},
			Why:  "clients' packets come here past the director, whenever this answer is the first",
		})
	}
	if n, ok := s.Most(link, "arp_announce"); ok && n < 2 {
		out = append(out, Finding{
			Level: Error, Code: "arp-announce", Subject: subject,
			What: fmt.Sprintf("%s is on %s, and %s may ask with it in ARP: arp_announce is %d", vip, on, link, n),
			Do:   "set arp_announce to 2, and keep it in /etc/sysctl.d",
			Run:  []string{SysctlCommand("net/ipv4/conf/all/arp_announce", "2"), SysctlCommand("net/ipv4/conf/"+link+"/arp_announce", "2")},
			Why:  "routers learn from the question that the address is here, and send clients' packets past the director",
		})
	}
	return out
}

// answers judges who answered for the address.
func (r *report) answers(vip netip.Addr) {
	p := r.facts.Probes
	if p == nil {
		return
	}
	link, asked := p.Asked[vip]
	if !asked {
		return
	}
	here := false // it is this machine that should answer
	for _, h := range r.here[vip] {
		if l := r.facts.link(h.Link); l != nil && l.ARP {
			here = true
		}
	}
	var others []string
	for _, a := range p.Answers {
		if a.VIP == vip {
			others = append(others, a.MAC)
		}
	}
	r.judgeAnswers(vip, link, here, distinct(others))
}

func (r *report) judgeAnswers(vip netip.Addr, link string, here bool, macs []string) {
	for _, mac := range macs {
		if real := r.realWith(mac, vip.Is6()); real.IsValid() {
			r.add(Finding{
				Level: Error, Code: "real-answers", Subject: Addresses,
				What: fmt.Sprintf("the real server %s (%s) answers %s for %s on %s", real, mac, protocolOf(vip), vip, link),
				Do:   "take the address from its network interface there, if it is on one, and run what `monctl realserver setup` prints",
				Run:  []string{fmt.Sprintf("monctl realserver setup --vip %s | ssh root@%s sh", vip, real)},
				Why:  "clients' packets go to that one real server past the director, whenever its answer is the first",
			})
		}
	}
	others := r.notReals(macs)
	switch {
	case here && len(others) > 0:
		r.add(Finding{
			Level: Error, Code: "vip-answered", Subject: Addresses,
			What: fmt.Sprintf("%s is here, and %s answers for it on %s, too", vip, list(others), link),
			Do:   "find that machine (ip neigh, the switch's table); if it is the other director, one of the two must let go of the address",
			Why:  "clients reach one or the other by chance",
		})
	case here:
		if len(macs) == 0 {
			r.ok("vip-answered", Addresses, fmt.Sprintf("nobody else answers for %s on %s", vip, link))
		}
	case len(others) > 1:
		r.add(Finding{
			Level: Error, Code: "vip-answered", Subject: Addresses,
			What: fmt.Sprintf("%s answer for %s on %s", list(others), vip, link),
			Do:   "find those machines (ip neigh, the switch's table); only the active director may answer",
			Why:  "clients reach one or the other by chance",
		})
	case len(macs) == 0:
		r.add(Finding{
			Level: Warning, Code: "vip-unanswered", Subject: Addresses,
			What: fmt.Sprintf("nobody answers for %s on %s", vip, link),
			Do:   "look whether the other director runs and holds it",
			Why:  "no client reaches the address",
		})
	default:
		r.ok("vip-answered", Addresses, fmt.Sprintf("%s alone answers for %s on %s", list(others), vip, link))
	}
}

// protocolOf is what hosts ask with for an address.
func protocolOf(a netip.Addr) string {
	if a.Is6() {
		return "neighbour solicitations"
	}
	return "ARP"
}

// realWith is the real whose neighbour entry has the address of the card, by
// its address of the same family if it has one.
func (r *report) realWith(mac string, six bool) netip.Addr {
	reals := r.site.RealAddrs()
	var found netip.Addr
	for _, n := range r.facts.Neighbours {
		if n.MAC == mac && slices.Contains(reals, n.Addr) && (!found.IsValid() || n.Addr.Is6() == six) {
			found = n.Addr
		}
	}
	return found
}

func (r *report) notReals(macs []string) []string {
	var out []string
	for _, m := range macs {
		if !r.realWith(m, false).IsValid() {
			out = append(out, m)
		}
	}
	return out
}
