package doctor

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// through judges what checks that go through the director need. Answers by dr
// and tun come from the virtual address to this director: where that is its own
// they look forged. IPv6 has no such test.
func (r *report) through() {
	seen := map[string]bool{}
	for i := range r.site.Virtuals {
		v := &r.site.Virtuals[i]
		if !v.Through || v.Is6() || !v.VIP().IsValid() || !r.facts.isLocal(v.VIP()) {
			continue // a standby, for which such answers are nobody's own
		}
		for _, real := range v.Reals {
			route := r.facts.Routes[real.Addr.Addr()]
			if real.Forward == ipvs.NAT || route.Local || route.Link == "" || real.Addr.Addr().Is6() {
				continue
			}
			if on := route.Link + " " + v.VIP().String(); !seen[on] {
				seen[on] = true
				r.throughLink(v.VIP(), route.Link)
			}
		}
	}
}

func (r *report) throughLink(vip netip.Addr, link string) {
	if n, ok := r.facts.Sysctls.Most(link, "accept_local"); ok && n == 0 {
		r.add(Finding{
			Level: Error, Code: "accept-local", Subject: Forwarding,
			What: fmt.Sprintf("real servers over %s are checked through the director, and accept_local is 0", link),
			Do:   "turn it on for " + link + " (and no other: it lets in packets that bear this director's addresses), and keep it in /etc/sysctl.d",
			Run:  []string{SysctlCommand("net/ipv4/conf/"+link+"/accept_local", "1")},
			Why:  "answers to such checks come from the virtual address, which is this director's own: the kernel drops them as forged, and every check times out",
		})
	}
	there := slices.ContainsFunc(r.facts.holds(vip), func(h Addr) bool { return h.Link == link })
	if n, ok := r.facts.Sysctls.Most(link, "rp_filter"); ok && n == 1 && !there {
		r.add(Finding{
			Level: Error, Code: "through-rp-filter", Subject: Forwarding,
			What: fmt.Sprintf("real servers over %s are checked through the director, %s is not on it, and its rp_filter is strict", link, vip),
			Do:   "make it loose, and keep it in /etc/sysctl.d",
			Run:  []string{SysctlCommand("net/ipv4/conf/"+link+"/rp_filter", "2")},
			Why:  "answers to such checks come from an address that is not that way: the kernel drops them, and every check times out",
		})
	}
}

// connections judges the settings of IPVS that decide what becomes of
// connections when a real leaves.
func (r *report) connections() {
	r.nodest()
	r.template()
	r.reuse()
	r.sloppy()
	r.timeouts()
}

const vs = "net/ipv4/vs/"

func (r *report) nodest() {
	n, ok := r.facts.Sysctls.Int(vs + "expire_nodest_conn")
	removes := slices.ContainsFunc(r.site.Virtuals, func(v Virtual) bool { return v.Removes })
	if !ok || n != 0 || !removes {
		return
	}
	r.add(Finding{
		Level: Advice, Code: "expire-nodest-conn", Subject: Connections,
		What: "expire_nodest_conn is 0, and real servers that fail are removed",
		Do:   "turn it on, and keep it in /etc/sysctl.d; leave it off where servers are removed for moments only and their connections should live on",
		Run:  []string{SysctlCommand(vs+"expire_nodest_conn", "1")},
		Why:  "packets for a removed server are dropped in silence until the client gives up; with it the connection is ended at once and the client can try anew",
	})
}

func (r *report) template() {
	n, ok := r.facts.Sysctls.Int(vs + "expire_quiescent_template")
	if !ok || n != 0 {
		return
	}
	for i := range r.site.Virtuals {
		v := &r.site.Virtuals[i]
		if v.Persist == 0 || !v.Quiesces {
			continue
		}
		r.add(Finding{
			Level: Warning, Code: "expire-quiescent-template", Subject: Connections,
			What: fmt.Sprintf("expire_quiescent_template is 0; %s is persistent, and its real servers get weight 0 when they fail or drain", v.Subject()),
			Do:   "turn it on, and keep it in /etc/sysctl.d",
			Run:  []string{SysctlCommand(vs+"expire_quiescent_template", "1")},
			Why:  "clients that have been with a server come back to it in spite of its weight 0 until their time of persistence has passed since they were last there",
		})
		return
	}
}

// reuse judges conn_reuse_mode: until Linux 5.9 a connection from a port that
// was used before had to wait a second if it was to go to another server and
// conntrack was on.
func (r *report) reuse() {
	mode, ok := r.facts.Sysctls.Int(vs + "conn_reuse_mode")
	if !ok {
		return
	}
	tracked, _ := r.facts.Sysctls.Int(vs + "conntrack")
	major, minor := r.facts.version()
	old := major > 0 && (major < 5 || major == 5 && minor < 9)
	switch {
	case old && mode != 0 && tracked != 0:
		r.add(Finding{
			Level: Warning, Code: "conn-reuse-mode", Subject: Connections,
			What: fmt.Sprintf("conn_reuse_mode is %d with conntrack on, on Linux %s", mode, r.facts.Kernel),
			Do:   "turn net.ipv4.vs.conntrack off if no firewall rule needs it, or boot Linux 5.9 or later; conn_reuse_mode=0 helps as well, but then busy clients stay with a server of weight 0",
			Run:  []string{SysctlCommand(vs+"conntrack", "0")},
			Why:  "before Linux 5.9 a client that uses a port again waits for a second",
		})
	case !old && mode == 0:
		r.add(Finding{
			Level: Warning, Code: "conn-reuse-mode", Subject: Connections,
			What: "conn_reuse_mode is 0",
			Do:   "set it to 1, and keep it in /etc/sysctl.d; only kernels before 5.9 had a reason for 0",
			Run:  []string{SysctlCommand(vs+"conn_reuse_mode", "1")},
			Why:  "a client that uses a port again stays with the server it had, even one of weight 0: a busy proxy never leaves a server that drains",
		})
	}
}

func (r *report) sloppy() {
	n, ok := r.facts.Sysctls.Int(vs + "sloppy_tcp")
	if !ok || n == 0 {
		return
	}
	for i := range r.site.Virtuals {
		v := &r.site.Virtuals[i]
		if v.Protocol != ipvs.TCP || v.Scheduler == "" || slices.Contains([]string{"sh", "dh", "mh"}, v.Scheduler) {
			continue
		}
		r.add(Finding{
			Level: Advice, Code: "sloppy-tcp", Subject: Connections,
			What: fmt.Sprintf("sloppy_tcp is on, and %s is scheduled by %s", v.Subject(), v.Scheduler),
			Do:   "turn it off, or use sh or mh, by which every director chooses the same server",
			Run:  []string{SysctlCommand(vs+"sloppy_tcp", "0")},
			Why:  "a packet from the midst of a connection that this director does not know goes to any server, which resets the connection",
		})
		return
	}
}

func (r *report) timeouts() {
	t := r.facts.Timeouts
	if t == nil {
		return
	}
	udp := slices.ContainsFunc(r.site.Virtuals, func(v Virtual) bool { return v.Protocol == ipvs.UDP && !v.OnePacket })
	if udp && t.UDP > 60 {
		r.add(Finding{
			Level: Advice, Code: "udp-timeout", Subject: Connections,
			What: fmt.Sprintf("the timeout of UDP is %d s", t.UDP),
			Do:   "make it shorter, or schedule each packet by itself (one_packet) where requests do not belong together",
			Run:  []string{"ipvsadm --set 0 0 30"},
			Why:  "a client that keeps sending stays with its server, even one that has left the table",
		})
	}
	tcp := slices.ContainsFunc(r.site.Virtuals, func(v Virtual) bool { return v.Protocol == ipvs.TCP })
	if tcp && t.TCP > 0 && t.TCP < 120 {
		r.add(Finding{
			Level: Warning, Code: "tcp-timeout", Subject: Connections,
			What: fmt.Sprintf("the timeout of idle TCP connections is %d s", t.TCP),
			Do:   "give it the 900 s that it usually has, or more than the clients' keepalive",
			Run:  []string{"ipvsadm --set 900 0 0"},
			Why:  "the director forgets connections that are silent for so long, and their next packet is lost",
		})
	}
}

// conntrack judges netfilter's own table of connections.
func (r *report) conntrack() {
	s := r.facts.Sysctls
	count, ok1 := s.Int("net/netfilter/nf_conntrack_count")
	limit, ok2 := s.Int("net/netfilter/nf_conntrack_max")
	if ok1 && ok2 && limit > 0 && count >= limit*8/10 {
		f := Finding{
			Level: Warning, Code: "conntrack-full", Subject: Connections,
			What: fmt.Sprintf("the firewall's table of connections is %d%% full: %d of %d", count*100/limit, count, limit),
			Do:   "make it larger, and keep it in /etc/sysctl.d; or let the firewall not track what IPVS forwards (notrack)",
			Run:  []string{SysctlCommand("net/netfilter/nf_conntrack_max", fmt.Sprint(max(2*limit, 2*count)))},
			Why:  "when it is full new connections are dropped",
		}
		if count >= limit {
			f.Level = Error
		}
		r.add(f)
	}
	if n, ok := s.Int(vs + "conntrack"); ok && n != 0 && (r.site.uses(ipvs.Direct, false) || r.site.uses(ipvs.Tunnel, false)) {
		r.add(Finding{
			Level: Advice, Code: "conntrack", Subject: Connections,
			What: "net.ipv4.vs.conntrack is on, and there are real servers by dr or tun",
			Do:   "turn it off unless a firewall rule needs the state of connections that IPVS forwards",
			Run:  []string{SysctlCommand(vs+"conntrack", "0")},
			Why:  "by dr and tun the director sees one direction only: such connections never look established to the firewall, and each costs memory twice",
		})
	}
}

// daemons judges connection synchronisation.
func (r *report) daemons() {
	refresh := false
	for _, d := range r.facts.Daemons {
		l := r.facts.link(d.Link)
		if l != nil && l.Up && l.Carrier {
			r.ok("sync", Connections, fmt.Sprintf("the sync daemon (%s) runs on %s with id %d", d.role(), d.Link, d.SyncID))
			refresh = refresh || d.Master
			continue
		}
		r.add(Finding{
			Level: Warning, Code: "sync-link", Subject: Connections,
			What: fmt.Sprintf("the sync daemon (%s) runs on %s, which is down or not there", d.role(), d.Link),
			Do:   "bring the interface up, or start the daemon on another",
			Run:  []string{"ip link set " + d.Link + " up"},
			Why:  "connections are not known to the other director, and end with a takeover",
		})
	}
	if refresh {
		r.refresh()
	}
	if r.facts.Daemons != nil && len(r.facts.Daemons) == 0 && r.paired() {
		r.add(Finding{
			Level: Advice, Code: "no-sync", Subject: Connections,
			What: "no sync daemon runs, and a virtual address moves between directors",
			Do:   "declare them on both directors (ipvs_sync = interface=" + r.syncLink() + ",syncid=1, better a cable between the two), or start one for each role",
			Run: []string{
				"ipvsadm --start-daemon master --mcast-interface " + r.syncLink() + " --syncid 1",
				"ipvsadm --start-daemon backup --mcast-interface " + r.syncLink() + " --syncid 1",
			},
			Why: "without it established connections end with every takeover",
		})
	}
}

// refresh judges when the master tells of a connection. By default that is with
// its third packet from the client, and then with each fiftieth.
func (r *report) refresh() {
	if n, ok := r.facts.Sysctls.Int(vs + "sync_refresh_period"); !ok || n > 0 {
		return
	}
	r.add(Finding{
		Level: Advice, Code: "sync-refresh", Subject: Connections,
		What: "the other director is told of a connection with its third packet, and then with each fiftieth only",
		Do:   "tell it when the connection is established, and again every 10 s while it has traffic; keep that in /etc/sysctl.d",
		Run:  []string{SysctlCommand(vs+"sync_threshold", `"0 0"`), SysctlCommand(vs+"sync_refresh_period", "10")},
		Why:  "connections with few packets end with a takeover, and a director that was started again learns of slow ones late or never",
	})
}

func (d Daemon) role() string {
	if d.Master {
		return "master"
	}
	return "backup"
}

// paired reports whether something moves a virtual address.
func (r *report) paired() bool {
	return slices.ContainsFunc(r.vips, func(a netip.Addr) bool { return r.brings[a] != "" })
}

// syncLink is a link that the other director is probably on.
func (r *report) syncLink() string {
	for _, vip := range r.vips {
		if link := r.outerLink(vip); link != "" {
			return link
		}
	}
	return "eth0"
}
