package doctor

import (
	"fmt"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// kernel judges whether there is a table at all.
func (r *report) kernel() {
	f := r.facts
	switch {
	case f.IPVS && len(r.site.Virtuals) == 0:
		r.add(Finding{
			Level: Advice, Code: "no-virtual", Subject: Kernel,
			What: "has IPVS, and there is no virtual service to judge",
			Do:   "name mond's configuration (monctl doctor --config FILE), or run this when the table is filled",
			Why:  "what is needed depends on how packets are to reach the real servers",
		})
	case f.IPVS:
		r.ok("ip-vs", Kernel, "has IPVS, release "+f.Kernel)
	case f.Modules.Fixed:
		r.add(Finding{
			Level: Error, Code: "no-ip-vs", Subject: Kernel,
			What: f.Kernel + " has no IPVS, and takes no modules",
			Do:   "boot a kernel with IPVS (a distribution's usual one has it), or give mond a table in a file (lvs.alert --table) to try things",
			Why:  "without IPVS nothing is balanced",
		})
	case f.Modules.Known && !f.Modules.Available["ip_vs"]:
		r.add(Finding{
			Level: Error, Code: "no-ip-vs", Subject: Kernel,
			What: f.Kernel + " has no module ip_vs",
			Do:   "install the package with the rest of its modules (linux-modules-extra-" + f.Kernel + " on Ubuntu), or boot a kernel that is not cut down for clouds",
			Why:  "without IPVS nothing is balanced",
		})
	default:
		r.add(Finding{
			Level: Error, Code: "no-ip-vs", Subject: Kernel,
			What: "ip_vs is not loaded",
			Do:   "load it, and write it into /etc/modules-load.d/ipvs.conf so that it is loaded at boot",
			Run:  []string{"modprobe ip_vs"},
			Why:  "without IPVS nothing is balanced",
		})
	}
}

// schedulers judges the modules that services need beside ip_vs.
func (r *report) schedulers() {
	if !r.facts.IPVS && r.facts.Modules.Fixed {
		return // all has been said
	}
	for i := range r.site.Virtuals {
		v := &r.site.Virtuals[i]
		if v.Scheduler != "" {
			r.module("ip_vs_"+v.Scheduler, v, "its scheduler "+v.Scheduler, "the kernel refuses a virtual service whose scheduler it does not have")
		}
		if v.Engine != "" {
			r.module("ip_vs_pe_"+v.Engine, v, "its persistence engine "+v.Engine, "the kernel refuses a virtual service whose engine it does not have")
		}
		if v.Addr.Port() == 21 && v.Protocol == ipvs.TCP && v.uses(ipvs.NAT) {
			r.ftp(v)
		}
	}
}

// module judges a module that the kernel loads by itself when it is first
// used.
func (r *report) module(name string, v *Virtual, what, why string) {
	m := r.facts.Modules
	if m.Loaded[name] || r.facts.tableUses(v) {
		return
	}
	f := Finding{Code: "module", Subject: v.Subject(), Why: why}
	switch {
	case m.Fixed:
		f.Level, f.What, f.Do = Error, what+" is not in the kernel, which takes no modules", "choose a scheduler that it has, or boot another kernel"
	case m.Known && !m.Available[name]:
		f.Level, f.What = Error, what+" needs the module "+name+", which there is none of"
		f.Do = "choose another, or install the package with the rest of the kernel's modules; is the name right?"
	case m.Known:
		return // loaded when it is first used
	default:
		f.Level, f.What = Warning, what+" needs the module "+name+", which is not loaded"
		f.Do, f.Run = "load it, and write it into /etc/modules-load.d/ipvs.conf", []string{"modprobe " + name}
	}
	r.add(f)
}

// tableUses reports whether the table has v as it is to be: then the kernel
// has what it needs.
func (f *Facts) tableUses(v *Virtual) bool {
	for _, row := range f.Table {
		if row.Virtual == v.Virtual {
			return row.Scheduler == v.Scheduler && row.Engine == v.Engine
		}
	}
	return false
}

func (r *report) ftp(v *Virtual) {
	if r.facts.Modules.Loaded["ip_vs_ftp"] {
		return
	}
	r.add(Finding{
		Level: Warning, Code: "ftp", Subject: v.Subject(),
		What: "FTP by nat, and ip_vs_ftp is not loaded",
		Do:   "load it, and write it into /etc/modules-load.d/ipvs.conf",
		Run:  []string{"modprobe ip_vs_ftp"},
		Why:  "FTP tells addresses inside its connections; without the module transfers of data fail",
	})
}

// forwarding judges what the kernel does with packets that are not its own.
func (r *report) forwarding() {
	if r.site.uses(ipvs.NAT, false) {
		r.forward("net/ipv4/ip_forward", "IPv4", "ip-forward")
		r.redirects()
	}
	if r.site.uses(ipvs.NAT, true) {
		r.forward("net/ipv6/conf/all/forwarding", "IPv6", "ip6-forward")
	}
	r.reversePath()
}

func (r *report) forward(path, family, code string) {
	switch n, ok := r.facts.Sysctls.Int(path); {
	case !ok:
	case n == 0:
		r.add(Finding{
			Level: Error, Code: code, Subject: Forwarding,
			What: family + " is not forwarded, and there are real servers by nat",
			Do:   "turn it on, and keep it in /etc/sysctl.d" + raHint(family),
			Run:  []string{SysctlCommand(path, "1")},
			Why:  "answers of real servers by nat pass through the director; without forwarding it drops them",
		})
	default:
		r.ok(code, Forwarding, family+" is forwarded")
	}
}

// raHint: a router does not listen to router advertisements.
func raHint(family string) string {
	if family != "IPv6" {
		return ""
	}
	return "; where the director's own route comes from router advertisements, set net.ipv6.conf.IFACE.accept_ra to 2 before"
}

// redirects judges nat where clients and reals are on one link.
func (r *report) redirects() {
	seen := map[string]bool{}
	for i := range r.site.Virtuals {
		v := &r.site.Virtuals[i]
		if v.Is6() || !v.uses(ipvs.NAT) {
			continue
		}
		for _, link := range r.oneNet(v) {
			n, ok := r.facts.Sysctls.Most(link, "send_redirects")
			if seen[link] || !ok || n == 0 {
				continue
			}
			seen[link] = true
			r.add(Finding{
				Level: Warning, Code: "send-redirects", Subject: Forwarding,
				What: fmt.Sprintf("clients and real servers by nat are both on %s, and send_redirects is on", link),
				Do:   "turn it off for all and for " + link + " (it is on if either is), and keep it in /etc/sysctl.d",
				Run: []string{
					SysctlCommand("net/ipv4/conf/all/send_redirects", "0"),
					SysctlCommand("net/ipv4/conf/"+link+"/send_redirects", "0"),
				},
				Why: "the director would tell real servers of a shorter way to the clients, past itself, and their answers would have the wrong address",
			})
		}
	}
}

// oneNet are the links that lead both to clients of v and to its reals by nat.
func (r *report) oneNet(v *Virtual) []string {
	outside := map[string]bool{}
	for _, h := range r.facts.holds(v.VIP()) {
		outside[h.Link] = true
	}
	for _, d := range r.facts.Default {
		outside[d.Link] = true
	}
	var out []string
	for _, real := range v.Reals {
		route := r.facts.Routes[real.Addr.Addr()]
		if real.Forward == ipvs.NAT && outside[route.Link] && !route.Local {
			out = append(out, route.Link)
		}
	}
	return distinct(out)
}

// reversePath judges strict reverse path filtering where clients come in by
// one link and the way to them is another.
func (r *report) reversePath() {
	seen := map[string]bool{}
	for _, vip := range r.vips {
		for _, h := range r.here[vip] {
			n, ok := r.facts.Sysctls.Most(h.Link, "rp_filter")
			out := r.otherWay(h.Link)
			if !vip.Is4() || !ok || n != 1 || out == "" || seen[h.Link] {
				continue
			}
			seen[h.Link] = true
			r.add(Finding{
				Level: Warning, Code: "rp-filter", Subject: Forwarding,
				What: fmt.Sprintf("%s has virtual addresses and a strict rp_filter, and the way to clients is %s", h.Link, out),
				Do:   "make it loose, and keep it in /etc/sysctl.d; or let the default route lead over " + h.Link,
				Run:  []string{SysctlCommand("net/ipv4/conf/"+h.Link+"/rp_filter", "2")},
				Why:  "packets of clients that come in by " + h.Link + " are dropped, since answers to them would leave by " + out,
			})
		}
	}
}

// otherWay is the link of the default route if that is another than link, and
// link is one that packets come in by.
func (r *report) otherWay(link string) string {
	l := r.facts.link(link)
	if l == nil || !l.ARP {
		return ""
	}
	other := ""
	for _, d := range r.facts.Default {
		if d.Six {
			continue
		}
		if d.Link == link {
			return ""
		}
		other = d.Link
	}
	return other
}
