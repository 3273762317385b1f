package doctor

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// guide is a director with the guide's site, on which nothing is wrong: it has
// the virtual address, and two reals by f.
func guide(f ipvs.Forward) (Site, *Facts) {
	v := Virtual{
		Virtual:   ipvs.Virtual{Protocol: ipvs.TCP, Addr: netip.MustParseAddrPort("10.0.0.3:80")},
		Scheduler: "wlc", Declared: true,
	}
	facts := &Facts{
		Kernel: "6.1.0-26-amd64", IPVS: true, Table: []Row{}, Daemons: []Daemon{},
		Modules: Modules{Known: true, Loaded: map[string]bool{"ip_vs": true, "ip_vs_wlc": true}, Available: map[string]bool{"ip_vs_rr": true}},
		Links: []Link{
			{Index: 1, Name: "lo", Up: true, Carrier: true, MTU: 65536},
			{Index: 2, Name: "eth0", Up: true, Carrier: true, ARP: true, MTU: 1500, MAC: "02:00:00:00:00:02"},
			{Index: 3, Name: "eth1", Up: true, Carrier: true, ARP: true, MTU: 1520, MAC: "02:00:00:00:00:03"},
		},
		Addrs: []Addr{
			{Link: "lo", Prefix: netip.MustParsePrefix("127.0.0.1/8")},
			{Link: "eth0", Prefix: netip.MustParsePrefix("10.0.0.254/24")},
			{Link: "eth0", Prefix: netip.MustParsePrefix("10.0.0.3/32")},
			{Link: "eth1", Prefix: netip.MustParsePrefix("192.168.0.254/24")},
		},
		Routes: map[netip.Addr]Route{
			addr("10.0.0.3"):    {Local: true, Link: "lo"},
			addr("192.168.0.1"): {Link: "eth1", Source: addr("192.168.0.254")},
			addr("192.168.0.2"): {Link: "eth1", Source: addr("192.168.0.254")},
		},
		Default: []Route{{Link: "eth0", Gateway: addr("10.0.0.1")}},
		Sysctls: Sysctls{
			"net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1", "net/ipv4/vs/conntrack": "0",
			"net/ipv4/vs/conn_reuse_mode": "1", "net/ipv4/vs/expire_nodest_conn": "0", "net/ipv4/vs/expire_quiescent_template": "0",
			"net/ipv4/vs/sloppy_tcp": "0", "net/netfilter/nf_conntrack_count": "79", "net/netfilter/nf_conntrack_max": "100",
		},
		Timeouts: &Timeouts{TCP: 900, TCPFin: 120, UDP: 300},
	}
	for _, link := range []string{"all", "lo", "eth0", "eth1"} {
		for _, name := range []string{"arp_ignore", "arp_announce", "rp_filter", "accept_local", "send_redirects"} {
			facts.Sysctls["net/ipv4/conf/"+link+"/"+name] = "0"
		}
	}
	for i, host := range []string{"192.168.0.1:80", "192.168.0.2:80"} {
		v.Reals = append(v.Reals, Real{Name: []string{"www1", "www2"}[i], Addr: netip.MustParseAddrPort(host), Forward: f})
	}
	return Site{Virtuals: []Virtual{v}}, facts
}

// worse are the findings that are not well, as LEVEL CODE.
func worse(list []Finding) []string {
	out := []string{}
	for _, f := range list {
		if f.Level > OK {
			out = append(out, f.Level.String()+" "+f.Code)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestWell(t *testing.T) {
	for _, tt := range []struct {
		forward ipvs.Forward
		want    []string
	}{
		{ipvs.Direct, []string{}},
		{ipvs.Tunnel, []string{}},
		{ipvs.NAT, []string{"advice nat-gateway"}}, // which cannot be seen from here
	} {
		s, f := guide(tt.forward)
		if diff := cmp.Diff(tt.want, worse(Judge(s, f))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.forward, diff)
		}
	}
}

// Each row is one thing that is wrong with the guide's director.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name    string
		forward ipvs.Forward
		plant   func(s *Site, v *Virtual, f *Facts)
		want    []string
		says    string
	}{
		{"nothing to judge", ipvs.Direct, func(s *Site, _ *Virtual, _ *Facts) { s.Virtuals = nil }, []string{"advice no-virtual"}, "--config FILE"},
		{"module not loaded", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.IPVS, f.Modules.Available["ip_vs"] = false, true
		}, []string{"error no-ip-vs"}, "modprobe ip_vs"},
		{"no module", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.IPVS = false }, []string{"error no-ip-vs"}, "linux-modules-extra-6.1.0-26-amd64"},
		{"no modules at all", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.IPVS, f.Modules = false, Modules{Fixed: true} }, []string{"error no-ip-vs"}, "takes no modules"},
		{"modules unknown", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.IPVS, f.Modules = false, Modules{} }, []string{"error no-ip-vs", "warning module"}, "modprobe ip_vs_wlc"},
		{"scheduler missing", ipvs.Direct, func(_ *Site, v *Virtual, _ *Facts) { v.Scheduler = "nosuch" }, []string{"error module"}, "ip_vs_nosuch"},
		{"scheduler could be loaded", ipvs.Direct, func(_ *Site, v *Virtual, _ *Facts) { v.Scheduler = "rr" }, []string{}, ""},
		{"scheduler and no modules", ipvs.Direct, func(_ *Site, v *Virtual, f *Facts) { v.Scheduler, f.Modules.Fixed = "mh", true }, []string{"error module"}, "takes no modules"},
		{"scheduler built in", ipvs.Direct, func(_ *Site, v *Virtual, f *Facts) {
			v.Scheduler, f.Modules = "mh", Modules{Fixed: true}
			f.Table = []Row{{Service: ipvs.Service{Virtual: v.Virtual, Scheduler: "mh"}}}
		}, []string{}, ""},
		{"engine missing", ipvs.Direct, func(_ *Site, v *Virtual, _ *Facts) { v.Engine = "sip" }, []string{"error module"}, "ip_vs_pe_sip"},
		{"ftp by nat", ipvs.NAT, func(_ *Site, v *Virtual, _ *Facts) { v.Addr = netip.MustParseAddrPort("10.0.0.3:21") }, []string{"advice nat-gateway", "warning ftp"}, "modprobe ip_vs_ftp"},
		{"no forwarding", ipvs.NAT, func(_ *Site, _ *Virtual, f *Facts) { f.Sysctls["net/ipv4/ip_forward"] = "0" }, []string{"advice nat-gateway", "error ip-forward"}, "sysctl -w net.ipv4.ip_forward=1"},
		{"no forwarding by dr", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Sysctls["net/ipv4/ip_forward"] = "0" }, []string{}, ""},
		{"redirects, two nets", ipvs.NAT, func(_ *Site, _ *Virtual, f *Facts) { f.Sysctls["net/ipv4/conf/all/send_redirects"] = "1" }, []string{"advice nat-gateway"}, ""},
		{"redirects, one net", ipvs.NAT, func(_ *Site, _ *Virtual, f *Facts) {
			f.Sysctls["net/ipv4/conf/all/send_redirects"] = "1"
			f.Routes[addr("192.168.0.1")] = Route{Link: "eth0"}
		}, []string{"advice nat-gateway", "warning send-redirects"}, "net.ipv4.conf.eth0.send_redirects=0"},
		{"strict filter, one way", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Sysctls["net/ipv4/conf/all/rp_filter"] = "1" }, []string{}, ""},
		{"strict filter, two ways", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.Sysctls["net/ipv4/conf/all/rp_filter"], f.Default[0].Link = "1", "eth1"
		}, []string{"warning rp-filter"}, "net.ipv4.conf.eth0.rp_filter=2"},
		{"loose filter, two ways", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.Sysctls["net/ipv4/conf/all/rp_filter"], f.Sysctls["net/ipv4/conf/eth0/rp_filter"], f.Default[0].Link = "1", "2", "eth1"
		}, []string{}, ""},
		{"no address", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.drop("10.0.0.3") }, []string{"warning vip-absent"}, "ip addr add 10.0.0.3/32 dev eth0"},
		{"no address, nor read", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.drop("10.0.0.3"); f.Addrs = nil }, []string{}, ""},
		{"no address, heartbeat brings it", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.drop("10.0.0.3")
			f.Keepers = []Keeper{{"/etc/ha.d/haresources", 3, "lvs1 IPaddr2::10.0.0.3/24/eth0 mon"}}
		}, []string{"advice no-sync"}, ""},
		{"no address, heartbeat brings another", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.drop("10.0.0.3")
			f.Keepers = []Keeper{{"/etc/ha.d/haresources", 3, "lvs1 10.0.0.33"}}
		}, []string{"warning vip-absent"}, ""},
		{"no address, fake.alert brings it", ipvs.Direct, func(s *Site, _ *Virtual, f *Facts) {
			f.drop("10.0.0.3")
			s.Holds, f.Daemons = []netip.Addr{addr("10.0.0.3")}, []Daemon{{true, "eth1", 1}}
		}, []string{}, ""},
		{"address by a route", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.drop("10.0.0.3")
			f.Routes[addr("10.0.0.3")] = Route{Local: true}
		}, []string{}, ""},
		{"address on lo", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.move("10.0.0.3", "lo") }, []string{"warning vip-on-lo"}, "ip addr del 10.0.0.3/32 dev lo"},
		{"address on lo, silent", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.move("10.0.0.3", "lo")
			f.Sysctls["net/ipv4/conf/eth0/arp_ignore"] = "1"
		}, []string{"error vip-on-lo"}, "arp_ignore is set on eth0"},
		{"arp_ignore 1", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Sysctls["net/ipv4/conf/all/arp_ignore"] = "1" }, []string{}, ""},
		{"arp_ignore 8", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Sysctls["net/ipv4/conf/all/arp_ignore"] = "8" }, []string{"error vip-silent"}, ""},
		{"duplicate", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Addrs[2].Duplicate = true }, []string{"error vip-duplicate"}, ""},
		{"link down", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Links[1].Up = false }, []string{"error vip-link-down"}, "ip link set eth0 up"},
		{"director and real, loud", ipvs.Direct, func(_ *Site, v *Virtual, f *Facts) {
			f.move("10.0.0.3", "lo")
			v.Reals[0].Addr = netip.MustParseAddrPort("192.168.0.254:80")
		}, []string{"error arp-announce", "error arp-ignore", "warning by-role"}, "table = by-role"},
		{"director and real", ipvs.Direct, func(_ *Site, v *Virtual, f *Facts) {
			f.move("10.0.0.3", "lo")
			v.Reals[0].Addr, v.ByRole = netip.MustParseAddrPort("192.168.0.254:80"), true
			f.Sysctls["net/ipv4/conf/all/arp_ignore"], f.Sysctls["net/ipv4/conf/all/arp_announce"] = "1", "2"
		}, []string{}, ""},
		{"no such service", ipvs.Direct, func(_ *Site, v *Virtual, _ *Facts) { v.Declared = false }, []string{"error no-service"}, "ipvsadm -A -t 10.0.0.3:80 -s wlc"},
		{"real is the address", ipvs.Direct, func(_ *Site, v *Virtual, _ *Facts) { v.Reals[0].Addr = v.Addr }, []string{"error real-is-vip"}, ""},
		{"another port by dr", ipvs.Direct, func(_ *Site, v *Virtual, _ *Facts) { v.Reals[0].Addr = netip.MustParseAddrPort("192.168.0.1:8080") }, []string{"error real-port"}, ""},
		{"another port by nat", ipvs.NAT, func(_ *Site, v *Virtual, _ *Facts) { v.Reals[0].Addr = netip.MustParseAddrPort("192.168.0.1:8080") }, []string{"advice nat-gateway"}, ""},
		{"all ports", ipvs.Direct, func(_ *Site, v *Virtual, _ *Facts) { v.Addr = netip.MustParseAddrPort("10.0.0.3:0") }, []string{}, ""},
		{"behind a router", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.Routes[addr("192.168.0.1")] = Route{Link: "eth1", Gateway: addr("192.168.0.9")}
		}, []string{"error dr-gateway"}, "192.168.0.9"},
		{"tun behind a router", ipvs.Tunnel, func(_ *Site, _ *Virtual, f *Facts) {
			f.Routes[addr("192.168.0.1")] = Route{Link: "eth1", Gateway: addr("192.168.0.9")}
		}, []string{}, ""},
		{"no way", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.Routes[addr("192.168.0.1")] = Route{None: true, Err: "network is unreachable"}
		}, []string{"error no-route"}, "network is unreachable"},
		{"way down", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Links[2].Carrier = false }, []string{"error real-link-down"}, ""},
		{"speaks with the address", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.Routes[addr("192.168.0.1")] = Route{Link: "eth1", Source: addr("10.0.0.3")}
		}, []string{"error vip-source"}, "as 10.0.0.3/32"},
		{"speaks with the address, nat", ipvs.NAT, func(_ *Site, _ *Virtual, f *Facts) {
			f.Routes[addr("192.168.0.1")] = Route{Link: "eth1", Source: addr("10.0.0.3")}
		}, []string{"advice nat-gateway"}, ""},
		{"silent neighbour", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.Neighbours = []Neighbour{{"eth1", addr("192.168.0.2"), "", true}}
		}, []string{"warning real-silent"}, "192.168.0.2"},
		{"mark", ipvs.Direct, func(_ *Site, v *Virtual, _ *Facts) { v.Virtual = ipvs.Virtual{Mark: 7} }, []string{"advice mark"}, ""},
		{"MTU 1500", ipvs.Tunnel, func(_ *Site, _ *Virtual, f *Facts) { f.Links[2].MTU = 1500 }, []string{"advice tun-mtu"}, "ip link set dev eth1 mtu 1520"},
		{"MTU 1400", ipvs.Tunnel, func(_ *Site, _ *Virtual, f *Facts) { f.Links[2].MTU = 1400 }, []string{"warning tun-mtu"}, "advmss 1340"},
		{"MTU of GUE", ipvs.Tunnel, func(_ *Site, v *Virtual, _ *Facts) {
			v.Reals[0].Tunnel = ipvs.Encapsulation{Type: ipvs.GUE, Port: 6080}
		}, []string{"advice tun-mtu"}, "ip link set dev eth1 mtu 1532"},
		{"MTU of the route", ipvs.Tunnel, func(_ *Site, _ *Virtual, f *Facts) { f.Routes[addr("192.168.0.1")] = Route{Link: "eth1", MTU: 1480} }, []string{"warning tun-mtu"}, "the MTU of the route"},
		{"MTU measured", ipvs.Tunnel, func(_ *Site, _ *Virtual, f *Facts) {
			f.Probes = &Probes{PathMTU: map[netip.Addr]int{addr("192.168.0.1"): 1492}, Silent: []netip.Addr{addr("192.168.0.2")}}
		}, []string{"advice tun-silent", "warning tun-mtu"}, "ping got through"},
		{"through", ipvs.Direct, func(_ *Site, v *Virtual, f *Facts) { v.Through = true }, []string{"error accept-local"}, "net.ipv4.conf.eth1.accept_local=1"},
		{"through, strict", ipvs.Direct, func(_ *Site, v *Virtual, f *Facts) {
			v.Through, f.Sysctls["net/ipv4/conf/eth1/accept_local"], f.Sysctls["net/ipv4/conf/eth1/rp_filter"] = true, "1", "1"
		}, []string{"error through-rp-filter"}, "net.ipv4.conf.eth1.rp_filter=2"},
		{"through, a standby", ipvs.Direct, func(s *Site, v *Virtual, f *Facts) {
			f.drop("10.0.0.3")
			v.Through, s.Holds, f.Daemons = true, []netip.Addr{addr("10.0.0.3")}, nil
		}, []string{}, ""},
		{"through nat", ipvs.NAT, func(_ *Site, v *Virtual, _ *Facts) { v.Through = true }, []string{"advice nat-gateway"}, ""},
		{"removes", ipvs.Direct, func(_ *Site, v *Virtual, _ *Facts) { v.Removes = true }, []string{"advice expire-nodest-conn"}, "net.ipv4.vs.expire_nodest_conn=1"},
		{"templates", ipvs.Direct, func(_ *Site, v *Virtual, _ *Facts) { v.Quiesces, v.Persist = true, 360 }, []string{"warning expire-quiescent-template"}, ""},
		{"templates without persistence", ipvs.Direct, func(_ *Site, v *Virtual, _ *Facts) { v.Quiesces = true }, []string{}, ""},
		{"reuse, old", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.Kernel, f.Sysctls["net/ipv4/vs/conntrack"] = "5.8.18", "1"
		}, []string{"advice conntrack", "warning conn-reuse-mode"}, "net.ipv4.vs.conntrack=0"},
		{"reuse, old, not tracked", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Kernel = "4.19.0-27-amd64" }, []string{}, ""},
		{"reuse, new", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Sysctls["net/ipv4/vs/conn_reuse_mode"] = "0" }, []string{"warning conn-reuse-mode"}, "net.ipv4.vs.conn_reuse_mode=1"},
		{"sloppy", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Sysctls["net/ipv4/vs/sloppy_tcp"] = "1" }, []string{"advice sloppy-tcp"}, ""},
		{"UDP", ipvs.Direct, func(_ *Site, v *Virtual, _ *Facts) { v.Protocol = ipvs.UDP }, []string{"advice udp-timeout"}, "ipvsadm --set 0 0 30"},
		{"UDP by the packet", ipvs.Direct, func(_ *Site, v *Virtual, _ *Facts) { v.Protocol, v.OnePacket = ipvs.UDP, true }, []string{}, ""},
		{"TCP", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Timeouts.TCP = 60 }, []string{"warning tcp-timeout"}, ""},
		{"nearly full", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Sysctls["net/netfilter/nf_conntrack_count"] = "80" }, []string{"warning conntrack-full"}, "nf_conntrack_max=200"},
		{"full", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Sysctls["net/netfilter/nf_conntrack_count"] = "100" }, []string{"error conntrack-full"}, "100% full"},
		{"sync by packets only", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.Daemons = []Daemon{{true, "eth1", 1}}
			f.Sysctls["net/ipv4/vs/sync_refresh_period"] = "0"
		}, []string{"advice sync-refresh"}, "net.ipv4.vs.sync_refresh_period=10"},
		{"sync by time", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.Daemons = []Daemon{{true, "eth1", 1}}
			f.Sysctls["net/ipv4/vs/sync_refresh_period"] = "10"
		}, []string{}, ""},
		{"sync on a link that is gone", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) { f.Daemons = []Daemon{{true, "eth9", 1}} }, []string{"warning sync-link"}, "eth9"},
		{"the script lvs", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.Daemons, f.Keepers = nil, []Keeper{{"/etc/ha.d/haresources", 1, "lvs1.domain.com 10.0.0.3 lvs mon"}}
		}, []string{"warning ha-lvs"}, "haresources:1"},
		{"the script lvs, by role", ipvs.Direct, func(_ *Site, v *Virtual, f *Facts) {
			f.Daemons, v.ByRole, f.Keepers = nil, true, []Keeper{{"/etc/ha.d/haresources", 1, "lvs1.domain.com 10.0.0.3 /etc/init.d/lvs mon"}}
		}, []string{}, ""},
		{"ldirectord beside", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.Daemons, f.Keepers = nil, []Keeper{{"/etc/ha.d/haresources", 1, "lvs1 ldirectord::www.cf"}}
		}, []string{"warning second-writer"}, "monctl convert ldirectord"},
		{"keepalived beside", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.Daemons, f.Keepers = nil, []Keeper{{"/etc/keepalived/keepalived.conf", 9, "virtual_server 10.0.0.3 80 {"}}
		}, []string{"warning second-writer"}, ""},
		{"not root", ipvs.Direct, func(_ *Site, _ *Virtual, f *Facts) {
			f.Unread, f.Timeouts, f.Daemons = []Unread{{"timeouts", "not permitted"}}, nil, nil
		}, []string{"advice unread"}, "as root"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, f := guide(tt.forward)
			tt.plant(&s, &s.Virtuals[0], f)
			list := Judge(s, f)
			if diff := cmp.Diff(tt.want, worse(list)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			wantComplete(t, list)
			if text := textOf(list); !strings.Contains(text, tt.says) {
				t.Errorf("%q is not in\n%s", tt.says, text)
			}
		})
	}
}

// wantComplete: each finding that is not well says what to do and why.
func wantComplete(t *testing.T, list []Finding) {
	t.Helper()
	for _, f := range list {
		if f.Code == "" || f.Subject == "" || f.What == "" {
			t.Errorf("%+v is not whole", f)
		}
		if f.Level > OK && (f.Do == "" || f.Why == "") {
			t.Errorf("%+v does not say what to do, or why", f)
		}
	}
}

func textOf(list []Finding) string {
	var b strings.Builder
	for _, f := range list {
		b.WriteString(f.Level.String() + " " + f.What + "\n" + f.Do + "\n" + strings.Join(f.Run, "\n") + "\n" + f.Why + "\n")
	}
	return b.String()
}

// drop takes an address from the machine.
func (f *Facts) drop(a string) {
	f.Addrs = slices.DeleteFunc(f.Addrs, func(h Addr) bool { return h.Prefix.Addr() == addr(a) })
	f.Routes[addr(a)] = Route{Link: "eth0"}
}

func (f *Facts) move(a, link string) {
	f.drop(a)
	f.Addrs = append(f.Addrs, Addr{Link: link, Prefix: Host(addr(a))})
	f.Routes[addr(a)] = Route{Local: true, Link: "lo"}
}

// Who answers for a virtual address, and who may.
func TestAnswers(t *testing.T) {
	const real1, peer, other = "02:00:00:00:01:01", "02:00:00:00:00:aa", "02:00:00:00:00:bb"
	for _, tt := range []struct {
		name string
		here bool
		macs []string
		want []string
	}{
		{"active, alone", true, nil, []string{}},
		{"active, and the peer", true, []string{peer}, []string{"error vip-answered"}},
		{"active, and a real", true, []string{real1}, []string{"error real-answers"}},
		{"standby, the peer", false, []string{peer}, []string{}},
		{"standby, the peer and a real", false, []string{peer, real1}, []string{"error real-answers"}},
		{"standby, two", false, []string{peer, other}, []string{"error vip-answered"}},
		{"standby, nobody", false, nil, []string{"warning vip-unanswered"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, f := guide(ipvs.Direct)
			f.Daemons = nil
			if !tt.here {
				f.drop("10.0.0.3")
				s.Holds = []netip.Addr{addr("10.0.0.3")}
			}
			f.Neighbours = []Neighbour{{"eth1", addr("192.168.0.1"), real1, false}}
			f.Probes = &Probes{Asked: map[netip.Addr]string{addr("10.0.0.3"): "eth0"}}
			for _, mac := range tt.macs {
				f.Probes.Answers = append(f.Probes.Answers, Answer{addr("10.0.0.3"), "eth0", mac})
			}
			list := Judge(s, f)
			if diff := cmp.Diff(tt.want, worse(list)); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, textOf(list))
			}
			wantComplete(t, list)
		})
	}
}

// IPv6 has other ways to be wrong.
func TestFaults6(t *testing.T) {
	site := func(f ipvs.Forward) (Site, *Facts) {
		s, facts := guide(f)
		v := &s.Virtuals[0]
		v.Addr = netip.MustParseAddrPort("[2001:db8::3]:80")
		v.Reals = []Real{{Addr: netip.MustParseAddrPort("[2001:db8:1::1]:80"), Forward: f}}
		facts.Addrs = append(facts.Addrs, Addr{Link: "eth0", Prefix: netip.MustParsePrefix("2001:db8::3/128")}, Addr{Link: "eth0", Prefix: netip.MustParsePrefix("2001:db8::fe/64")})
		facts.Routes[addr("2001:db8::3")] = Route{Local: true, Six: true}
		facts.Routes[addr("2001:db8:1::1")] = Route{Link: "eth1", Six: true}
		return s, facts
	}
	for _, tt := range []struct {
		name    string
		forward ipvs.Forward
		plant   func(v *Virtual, f *Facts)
		want    []string
	}{
		{"well", ipvs.Direct, func(*Virtual, *Facts) {}, []string{}},
		{"no forwarding", ipvs.NAT, func(_ *Virtual, f *Facts) { f.Sysctls["net/ipv6/conf/all/forwarding"] = "0" }, []string{"advice nat-gateway", "error ip6-forward"}},
		{"on lo", ipvs.Direct, func(_ *Virtual, f *Facts) { f.move("2001:db8::3", "lo") }, []string{"error vip-on-lo"}},
		{"duplicate", ipvs.Direct, func(_ *Virtual, f *Facts) { f.Addrs[4].Duplicate = true }, []string{"error vip-duplicate"}},
		{"tunnel", ipvs.Tunnel, func(_ *Virtual, f *Facts) {}, []string{"advice tun-mtu"}},
		{"through", ipvs.Direct, func(v *Virtual, _ *Facts) { v.Through = true }, []string{}},
		{"speaks with the address", ipvs.Direct, func(_ *Virtual, f *Facts) {
			f.Routes[addr("2001:db8:1::1")] = Route{Link: "eth1", Six: true, Source: addr("2001:db8::3")}
		}, []string{"error vip-source"}},
	} {
		s, f := site(tt.forward)
		tt.plant(&s.Virtuals[0], f)
		list := Judge(s, f)
		if diff := cmp.Diff(tt.want, worse(list)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		wantComplete(t, list)
	}
}

// A machine of which nothing could be read is not said to be well or bad.
func TestNothingRead(t *testing.T) {
	s, _ := guide(ipvs.Direct)
	if got := worse(Judge(s, &Facts{IPVS: true, Modules: Modules{Known: true, Available: map[string]bool{"ip_vs_wlc": true}}})); len(got) > 0 {
		t.Errorf("%v of nothing", got)
	}
	Judge(Site{}, &Facts{})
}

func TestClaims(t *testing.T) {
	var s Site
	for _, line := range []string{
		"-P udp -V 10.0.0.3:80 --service -s sh -p 360 -M 24 --pe sip -o -b flag-1 --by-role",
		"-P udp -V 10.0.0.3:80 -R 192.168.0.1 -W 5 -F dr -x 9 -y 1",
		"-P udp -V 10.0.0.3:80 -R 192.168.0.1:80 -F dr -u",
		"-P udp -V 10.0.0.16/30:53 -R [2001:db8::1]:53 -F tun --tun-type gue --tun-port 6080 --tun-csum remcsum",
		"-V [2001:db8::3-2001:db8::9]:80 -R 2001:db8::1 -F nat",
		"-V fwmark:7 -R 192.168.0.1 -F dr",
		"-V fwmark6:7 -R 2001:db8::1 -F dr",
		"-V 10.0.0.9:80 -R 192.168.0.1 --table /tmp/file",
	} {
		if err := s.AddClaim("web", strings.Fields(line)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	got := map[string]string{}
	for _, v := range s.Virtuals {
		for _, r := range v.Reals {
			got[v.Subject()] += r.Addr.String() + " " + r.Forward.String() + " "
		}
	}
	want := map[string]string{
		"web (udp 10.0.0.3:80)": "192.168.0.1:80 dr ", "web (udp 10.0.0.16-10.0.0.19:53)": "[2001:db8::1]:53 tun ",
		"web (tcp [2001:db8::3-2001:db8::9]:80)": "[2001:db8::1]:80 nat ",
		"web (fwmark 7)":                         "192.168.0.1:0 dr ", "web (fwmark6 7)": "[2001:db8::1]:0 dr ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	first := s.Virtuals[0]
	if first.Scheduler != "sh" || first.Persist != 360 || first.Engine != "sip" || !first.OnePacket || !first.Declared || !first.ByRole || first.Name != "web" {
		t.Errorf("%+v", first)
	}
	if got := s.Virtuals[1].Reals[0].Tunnel; got != (ipvs.Encapsulation{Type: ipvs.GUE, Port: 6080, Checksum: 2}) {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{"", "-V 10.0.0.3", "-V x:80", "-V 10.0.0.3:99999", "-V 10.0.0.3:80 -R x", "-V fwmark:x", "-P icmp -V 10.0.0.3:80", "-V 10.0.0.3:80 --nosuch", "-V 10.0.0.3:80 --tun-type vxlan", "-V 10.0.0.3-x:80", "-V 10.0.0.3:80 -p x", "-V [fe80::1%x]:80", "-V 10.0.0.3:80 -R [fe80::1%x]:80", "-V 10.0.0.3:80 -R fe80::1%x"} {
		if err := s.AddClaim("", strings.Fields(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestNamespaces(t *testing.T) {
	var s Site
	for _, line := range []string{"-V 10.0.0.3:80 -R 192.168.0.1", "-V 10.0.0.3:80 -R 192.168.0.2 --netns red", "-V 10.0.0.4:80 -R 192.168.0.2 --netns blue"} {
		if err := s.AddClaim("", strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Namespaces(); !slices.Equal(got, []string{"", "blue", "red"}) {
		t.Error(got)
	}
	if red := s.In("red"); len(red.Virtuals) != 1 || red.Virtuals[0].Reals[0].Addr.String() != "192.168.0.2:80" || len(s.In("", "blue").Virtuals) != 2 {
		t.Errorf("%+v", red)
	}
}

// What the configuration leaves to others is taken from the table.
func TestFillFrom(t *testing.T) {
	s, _ := guide(ipvs.Direct)
	row := Row{Service: ipvs.Service{Virtual: s.Virtuals[0].Virtual, Scheduler: "mh", Persist: 60}}
	s.FillFrom([]Row{row})
	if s.Virtuals[0].Scheduler != "wlc" {
		t.Error("a declared service is not the table's")
	}
	s.Virtuals[0].Declared = false
	s.FillFrom([]Row{row})
	if v := s.Virtuals[0]; v.Scheduler != "mh" || v.Persist != 60 {
		t.Errorf("%+v", v)
	}
}

func TestSysctlCommand(t *testing.T) {
	for path, want := range map[string]string{
		"net/ipv4/ip_forward":                 "sysctl -w net.ipv4.ip_forward=1",
		"net/ipv4/conf/eth0.100/accept_local": "sysctl -w net/ipv4/conf/eth0.100/accept_local=1",
	} {
		if got := SysctlCommand(path, "1"); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
