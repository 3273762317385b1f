package doctor_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mondhq/mond/alerts/lvs/doctor"
	"github.com/mondhq/mond/alerts/lvs/doctor/examine"
	"github.com/mondhq/mond/alerts/lvs/doctor/probe"
	"github.com/mondhq/mond/alerts/lvs/doctor/realserver"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// built makes the site of scripts/lab-cluster once: a client, a director and
// the real servers rs1 and rs2 in namespaces of one kernel.
var built sync.Once

func newCluster(t *testing.T) {
	t.Helper()
	if os.Getenv("MOND_LAB") != "1" {
		t.Skip("needs a kernel with IPVS: make test runs it in one")
	}
	built.Do(func() {
		run(t, "../../../scripts/lab-cluster", "up")
		in(t, "director", "ipvsadm -a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 1")
		in(t, "director", "ipvsadm -a -t 10.0.0.3:80 -r 192.168.0.2:80 -g -w 1")
	})
}

func run(t *testing.T, words ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

// in runs a command of a shell in a node.
func in(t *testing.T, node, command string) (out string) {
	t.Helper()
	must(t, examine.Inside(node, func() error { out = run(t, "sh", "-c", command); return nil }))
	return out
}

// siteWith is the guide's site, its reals reached by f.
func siteWith(f ipvs.Forward, ports ...uint16) doctor.Site {
	v := doctor.Virtual{Name: "web", Virtual: tcp("10.0.0.3:80"), Scheduler: "wlc", Declared: true, Removes: true}
	for i, host := range []string{"192.168.0.1", "192.168.0.2"} {
		port := uint16(80)
		if i < len(ports) {
			port = ports[i]
		}
		v.Reals = append(v.Reals, doctor.Real{Addr: netip.AddrPortFrom(netip.MustParseAddr(host), port), Forward: f})
	}
	return doctor.Site{Virtuals: []doctor.Virtual{v}}
}

// site6 is a site of IPv6.
func site6() doctor.Site {
	v := doctor.Virtual{Virtual: tcp("[2001:db8::3]:80"), Scheduler: "rr", Declared: true}
	v.Reals = []doctor.Real{{Addr: netip.MustParseAddrPort("[2001:db8::1]:80"), Forward: ipvs.Direct}}
	return doctor.Site{Virtuals: []doctor.Virtual{v}}
}

// onDirector are the findings of the director, with answers of the network if
// ask is set.
func onDirector(t *testing.T, s doctor.Site, ask bool) []doctor.Finding {
	t.Helper()
	facts, s := read(t, s, ask)
	return doctor.Judge(s, facts)
}

func read(t *testing.T, s doctor.Site, ask bool) (*doctor.Facts, doctor.Site) {
	t.Helper()
	facts, s, err := examine.Read(t.Context(), examine.Options{Netns: "director"}, func(*doctor.Facts) doctor.Site { return s })
	must(t, err)
	if ask {
		must(t, examine.Inside("director", func() (err error) {
			facts.Probes, err = probe.Ask(t.Context(), s, facts)
			return err
		}))
	}
	if len(facts.Unread) > 0 {
		t.Errorf("root could not read %+v", facts.Unread)
	}
	return facts, s
}

// onReal are the findings of a real server by what its script prints.
func onReal(t *testing.T, node string, s doctor.Site) []doctor.Finding {
	t.Helper()
	f, err := realserver.Parse(strings.NewReader(in(t, node, realserver.Check())))
	must(t, err)
	facts, s := read(t, s, false)
	return realserver.Judge(s, facts, f)
}

// worse are the findings that are worse than advice, by their codes.
func worse(list []doctor.Finding) []string {
	var out []string
	for _, f := range list {
		if f.Level > doctor.Advice {
			out = append(out, f.Code)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func find(list []doctor.Finding, code string) (doctor.Finding, bool) {
	at := slices.IndexFunc(list, func(f doctor.Finding) bool { return f.Code == code && f.Level > doctor.OK })
	if at < 0 {
		return doctor.Finding{}, false
	}
	return list[at], true
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func tcp(s string) ipvs.Virtual {
	return ipvs.Virtual{Protocol: ipvs.TCP, Addr: netip.MustParseAddrPort(s)}
}

// A site that works gets no finding worse than advice, however it forwards.
func TestLabHealthy(t *testing.T) {
	newCluster(t)
	for _, f := range []ipvs.Forward{ipvs.Direct, ipvs.Tunnel} {
		s := siteWith(f)
		if got := worse(onDirector(t, s, true)); len(got) > 0 {
			t.Errorf("%s: director: %v", f, got)
		}
		if got := worse(onReal(t, "rs1", s)); len(got) > 0 {
			t.Errorf("%s: rs1: %v", f, got)
		}
	}
	table := func(f *doctor.Facts) doctor.Site { return doctor.FromTable(f.Table) }
	facts, s, err := examine.Read(t.Context(), examine.Options{Netns: "director"}, table)
	must(t, err)
	if got := worse(doctor.Judge(s, facts)); len(got) > 0 || len(s.Virtuals) != 1 || len(s.Virtuals[0].Reals) != 2 {
		t.Errorf("by the table: %v %+v", got, s)
	}
	if facts.Timeouts == nil || facts.Timeouts.TCP != 900 || facts.Timeouts.UDP != 300 || facts.Daemons == nil {
		t.Errorf("timeouts %+v, daemons %v", facts.Timeouts, facts.Daemons)
	}
}

// fault is one thing that is wrong on the site.
type fault struct {
	name  string
	node  string // director, or the real server that is judged
	site  doctor.Site
	plant string // in node
	code  string
	// mend restores what the advice alone does not; after the test.
	mend string
}

func labFaults() []fault {
	dr, tun, nat := siteWith(ipvs.Direct), siteWith(ipvs.Tunnel), siteWith(ipvs.NAT)
	through := siteWith(ipvs.Direct)
	through.Virtuals[0].Through = true
	persistent := siteWith(ipvs.Direct)
	persistent.Virtuals[0].Persist, persistent.Virtuals[0].Quiesces = 360, true
	return []fault{
		{name: "no forwarding for nat", node: "director", site: nat, plant: "sysctl -w net.ipv4.ip_forward=0", code: "ip-forward"},
		{name: "redirects for nat on one net", node: "director", site: nat, plant: "sysctl -w net.ipv4.conf.eth0.send_redirects=1", code: "send-redirects"},
		{name: "the address is gone", node: "director", site: dr, plant: "ip addr del 10.0.0.3/32 dev eth0", code: "vip-absent"},
		{
			name: "the address is on lo", node: "director", site: dr,
			plant: "ip addr del 10.0.0.3/32 dev eth0; ip addr add 10.0.0.3/32 dev lo; sysctl -w net.ipv4.conf.all.arp_ignore=1",
			code:  "vip-on-lo", mend: "sysctl -w net.ipv4.conf.all.arp_ignore=0",
		},
		{name: "nobody may answer", node: "director", site: dr, plant: "sysctl -w net.ipv4.conf.eth0.arp_ignore=8", code: "vip-silent"},
		{
			name: "strict filter and another way out", node: "director", site: dr,
			plant: "ip link add outer type dummy; ip link set outer up; ip addr add 198.51.100.1/24 dev outer; ip route add default via 198.51.100.2; sysctl -w net.ipv4.conf.eth0.rp_filter=1",
			code:  "rp-filter", mend: "ip link del outer; sysctl -w net.ipv4.conf.eth0.rp_filter=0",
		},
		{name: "checks through it", node: "director", site: through, plant: "sysctl -w net.ipv4.conf.eth0.accept_local=0", code: "accept-local", mend: "sysctl -w net.ipv4.conf.eth0.accept_local=0"},
		{
			name: "a real by dr behind a router", node: "director", site: dr,
			plant: "ip route add 192.168.0.1/32 via 192.168.0.2", code: "dr-gateway", mend: "ip route del 192.168.0.1/32",
		},
		{
			name: "it speaks with the address", node: "director", site: site6(), plant: "ip addr change 2001:db8::3/128 dev eth0 preferred_lft forever valid_lft forever",
			code: "vip-source",
		},
		{name: "no way to a real", node: "director", site: dr, plant: "ip route add unreachable 192.168.0.1/32", code: "no-route", mend: "ip route del unreachable 192.168.0.1/32"},
		{name: "another port by dr", node: "director", site: siteWith(ipvs.Direct, 8080), plant: "true", code: "real-port"},
		{name: "a small MTU", node: "director", site: tun, plant: "ip link set dev eth0 mtu 1400", code: "tun-mtu", mend: "ip link set dev eth0 mtu 1500"},
		{name: "templates stay", node: "director", site: persistent, plant: "sysctl -w net.ipv4.vs.expire_quiescent_template=0", code: "expire-quiescent-template", mend: "sysctl -w net.ipv4.vs.expire_quiescent_template=0"},
		{name: "ports stay", node: "director", site: dr, plant: "sysctl -w net.ipv4.vs.conn_reuse_mode=0", code: "conn-reuse-mode"},
		{name: "removed reals", node: "director", site: dr, plant: "sysctl -w net.ipv4.vs.expire_nodest_conn=0", code: "expire-nodest-conn", mend: "sysctl -w net.ipv4.vs.expire_nodest_conn=0"},
		{name: "TCP is forgotten", node: "director", site: dr, plant: "ipvsadm --set 60 0 0", code: "tcp-timeout"},
		{
			name: "a sync daemon on a link that is down", node: "director", site: dr,
			plant: "ip link add sync type veth peer name sync2; ip link set sync up; ip link set sync2 up; ipvsadm --start-daemon master --mcast-interface sync --syncid 7; ip link set sync down",
			code:  "sync-link", mend: "ipvsadm --stop-daemon master; ip link del sync",
		},

		{name: "arp_ignore forgotten", node: "rs1", site: dr, plant: "sysctl -w net.ipv4.conf.all.arp_ignore=0", code: "arp-ignore", mend: "sysctl -w net.ipv4.conf.eth0.arp_ignore=0"},
		{name: "arp_announce forgotten", node: "rs1", site: dr, plant: "sysctl -w net.ipv4.conf.all.arp_announce=0", code: "arp-announce", mend: "sysctl -w net.ipv4.conf.eth0.arp_announce=0"},
		{name: "no address", node: "rs1", site: dr, plant: "ip addr del 10.0.0.3/32 dev lo", code: "no-vip"},
		{name: "the address with a mask", node: "rs1", site: dr, plant: "ip addr del 10.0.0.3/32 dev lo; ip addr add 10.0.0.3/24 dev lo", code: "vip-mask"},
		{name: "the address on the link", node: "rs1", site: dr, plant: "ip addr del 10.0.0.3/32 dev lo; ip addr add 10.0.0.3/32 dev eth0", code: "vip-on-link"},
		{name: "the tunnel is down", node: "rs1", site: tun, plant: "ip link set tunl0 down", code: "tunnel"},
		{
			name: "strict filter on the tunnel", node: "rs1", site: tun,
			plant: "sysctl -w net.ipv4.conf.all.rp_filter=1", code: "rp-filter",
			mend: "sysctl -w net.ipv4.conf.all.rp_filter=0; sysctl -w net.ipv4.conf.tunl0.rp_filter=0; ip addr del 10.0.0.3/32 dev tunl0",
		},
		{name: "no way back for nat", node: "rs1", site: nat, plant: "true", code: "nat-gateway", mend: "ip route del default"},
		{
			name: "the wrong gateway for nat", node: "rs1", site: nat,
			plant: "ip route add default via 192.168.0.2", code: "nat-gateway", mend: "ip route del default",
		},
		{name: "forwarding", node: "rs1", site: dr, plant: "sysctl -w net.ipv4.ip_forward=1", code: "ip-forward"},
	}
}

// Each fault that is planted is found, nothing else is, and what the finding
// says to run makes it go away.
func TestLabFaults(t *testing.T) {
	newCluster(t)
	examineNode := func(t *testing.T, f fault) []doctor.Finding {
		if f.node == "director" {
			return onDirector(t, f.site, false)
		}
		return onReal(t, f.node, f.site)
	}
	for _, f := range labFaults() {
		t.Run(f.name, func(t *testing.T) {
			in(t, f.node, f.plant)
			defer func() {
				if f.mend != "" {
					in(t, f.node, f.mend)
				}
			}()
			list := examineNode(t, f)
			found, ok := find(list, f.code)
			if !ok {
				t.Fatalf("%s is not found; there are %v", f.code, worse(list))
			}
			if others := slices.DeleteFunc(worse(list), func(c string) bool { return c == f.code }); len(others) > 0 {
				t.Errorf("%v are found, too", others)
			}
			if found.Do == "" || found.Why == "" {
				t.Errorf("%+v does not say what to do, or why", found)
			}
			if len(found.Run) == 0 {
				return // only a person can mend it
			}
			for _, f2 := range list {
				if f2.Code == f.code {
					for _, command := range f2.Run {
						in(t, f.node, command)
					}
				}
			}
			if still, ok := find(examineNode(t, f), f.code); ok {
				t.Errorf("%q did not help: %+v", found.Run, still)
			}
		})
	}
}

// A real server that answers for the address is found by asking the network,
// and its setup, as the finding says to run it, silences it.
func TestLabProbe(t *testing.T) {
	newCluster(t)
	s := siteWith(ipvs.Direct)
	s.Virtuals = append(s.Virtuals, site6().Virtuals...)
	in(t, "director", "ip addr change 2001:db8::3/128 dev eth0 preferred_lft 0; ping -c 1 192.168.0.1; ping -c 1 2001:db8::1") // that it knows their cards
	if got := worse(onDirector(t, s, true)); len(got) > 0 {
		t.Fatalf("%v while all is well", got)
	}
	in(t, "rs1", "sysctl -w net.ipv4.conf.all.arp_ignore=0")
	found, ok := find(onDirector(t, s, true), "real-answers")
	if !ok || !strings.Contains(found.What, "192.168.0.1") {
		t.Errorf("%+v: a real server that answers ARP is not found", found)
	}
	script, err := realserver.Script(realserver.Setup, []realserver.Want{{VIP: netip.MustParseAddr("10.0.0.3"), Forward: ipvs.Direct}})
	must(t, err)
	in(t, "rs1", script)
	undo, err := realserver.Script(realserver.Undo, []realserver.Want{{VIP: netip.MustParseAddr("10.0.0.3")}})
	must(t, err)
	defer in(t, "rs1", undo+"\nsysctl -w net.ipv4.conf.all.arp_ignore=1")
	if got := worse(onDirector(t, s, true)); len(got) > 0 {
		t.Errorf("%v after the setup of the real server", got)
	}
	in(t, "rs1", "ip -6 addr del 2001:db8::3/128 dev lo; ip addr add 2001:db8::3/64 dev eth0 nodad")
	defer in(t, "rs1", "ip -6 addr del 2001:db8::3/64 dev eth0; ip addr add 2001:db8::3/128 dev lo nodad")
	if found, ok := find(onDirector(t, s, true), "real-answers"); !ok || !strings.Contains(found.What, "2001:db8::1") {
		t.Errorf("%+v: a real server that answers neighbour solicitations is not found", found)
	}
}

// The MTU of a path that is smaller than its links is measured.
func TestLabProbeMTU(t *testing.T) {
	newCluster(t)
	s := siteWith(ipvs.Tunnel)
	in(t, "director", "ip link set dev eth0 mtu 1600")
	defer in(t, "director", "ip link set dev eth0 mtu 1500")
	if _, ok := find(onDirector(t, s, false), "tun-mtu"); ok {
		t.Error("the link is large enough")
	}
	// rs1's link takes no more than 1500: what is larger never arrives
	found, ok := find(onDirector(t, s, true), "tun-mtu")
	if !ok || !strings.Contains(found.What, "1500") {
		t.Errorf("%+v: want what got through, 1500", found)
	}
}

// snapshot is all that a setup may change in a node.
func snapshot(t *testing.T, node string) string {
	return in(t, node, "ip -o addr; ip -o link; ip route; ip -6 route; cat /proc/sys/net/ipv4/conf/*/arp_*; cat /proc/sys/net/ipv4/conf/*/rp_filter; ip fou show 2>&1; ls /run/mond-realserver 2>&1; true")
}

// A bare machine becomes a real server by the script, serves clients, and is
// bare again after undo: by dr, nat and every tunnel, IPv4 and IPv6.
func TestLabSetup(t *testing.T) {
	newCluster(t)
	addr := netip.MustParseAddr
	for _, row := range []struct {
		name, service, real, url string
		want                     realserver.Want
	}{
		{"dr", "-t 10.0.0.7:80", "192.168.0.1:80 -g", "http://10.0.0.7/", realserver.Want{VIP: addr("10.0.0.7"), Forward: ipvs.Direct}},
		{"nat", "-t 10.0.0.7:80", "192.168.0.1:80 -m", "http://10.0.0.7/", realserver.Want{VIP: addr("10.0.0.7"), Forward: ipvs.NAT, Gateway: addr("192.168.0.254")}},
		{"tun", "-t 10.0.0.7:80", "192.168.0.1:80 -i", "http://10.0.0.7/", realserver.Want{VIP: addr("10.0.0.7"), Forward: ipvs.Tunnel}},
		{"gue", "-t 10.0.0.7:80", "192.168.0.1:80 -i --tun-type gue --tun-port 6080 --tun-nocsum", "http://10.0.0.7/", realserver.Want{
			VIP: addr("10.0.0.7"), Forward: ipvs.Tunnel, Tunnel: ipvs.Encapsulation{Type: ipvs.GUE, Port: 6080},
		}},
		{"gre", "-t 10.0.0.7:80", "192.168.0.1:80 -i --tun-type gre --tun-nocsum", "http://10.0.0.7/", realserver.Want{
			VIP: addr("10.0.0.7"), Forward: ipvs.Tunnel, Tunnel: ipvs.Encapsulation{Type: ipvs.GRE},
		}},
		{"IPv6 dr", "-t [2001:db8::7]:80", "[2001:db8::1]:80 -g", "http://[2001:db8::7]/", realserver.Want{VIP: addr("2001:db8::7"), Forward: ipvs.Direct}},
		{"IPv6 tun", "-t [2001:db8::7]:80", "[2001:db8::1]:80 -i", "http://[2001:db8::7]/", realserver.Want{VIP: addr("2001:db8::7"), Forward: ipvs.Tunnel}},
		{"IPv4 in IPv6", "-t 10.0.0.7:80", "[2001:db8::1]:80 -i", "http://10.0.0.7/", realserver.Want{VIP: addr("10.0.0.7"), Forward: ipvs.Tunnel, Real: addr("2001:db8::1")}},
		{"IPv6 in IPv4", "-t [2001:db8::7]:80", "192.168.0.1:80 -i", "http://[2001:db8::7]/", realserver.Want{VIP: addr("2001:db8::7"), Forward: ipvs.Tunnel, Real: addr("192.168.0.1")}},
	} {
		t.Run(row.name, func(t *testing.T) { trySetup(t, row.service, row.real, row.url, row.want) })
	}
}

func trySetup(t *testing.T, service, real, url string, w realserver.Want) {
	in(t, "rs1", "ip link set tunl0 down; sysctl -w net.ipv4.conf.all.arp_ignore=0; sysctl -w net.ipv4.conf.all.arp_announce=0; sysctl -w net.ipv4.conf.all.rp_filter=1")
	defer in(t, "rs1", "ip link set tunl0 up; sysctl -w net.ipv4.conf.all.arp_ignore=1; sysctl -w net.ipv4.conf.all.arp_announce=2; sysctl -w net.ipv4.conf.all.rp_filter=0")
	held := "10.0.0.7/32"
	if w.VIP.Is6() {
		held = "2001:db8::7/128 nodad preferred_lft 0"
		in(t, "director", "ip addr change 2001:db8::3/128 dev eth0 preferred_lft 0")
	}
	if w.Forward == ipvs.NAT { // or the way to the client would be a shorter one
		in(t, "rs1", "ip route del 10.0.0.0/24 dev eth0")
		defer in(t, "rs1", "ip route add 10.0.0.0/24 dev eth0")
	}
	in(t, "director", fmt.Sprintf("ip addr add dev eth0 %s; ipvsadm -A %s -s rr; ipvsadm -a %s -r %s", held, service, service, real))
	defer in(t, "director", fmt.Sprintf("ipvsadm -D %s; ip addr del %s/%d dev eth0", service, w.VIP, w.VIP.BitLen()))
	before := snapshot(t, "rs1")
	script, err := realserver.Script(realserver.Setup, []realserver.Want{w})
	must(t, err)
	made := in(t, "rs1", script)
	again := in(t, "rs1", script)
	if !strings.Contains(made, ": made\n") || strings.Contains(again, ": made\n") {
		t.Errorf("setup made\n%s\nand then\n%s", made, again)
	}
	if got := in(t, "client", "curl -gs -m 20 "+url); strings.TrimSpace(got) != "rs1" {
		t.Errorf("curl got %q", got)
	}
	undo, err := realserver.Script(realserver.Undo, []realserver.Want{{VIP: w.VIP}})
	must(t, err)
	undone := in(t, "rs1", undo)
	if after := snapshot(t, "rs1"); after != before {
		t.Errorf("undo said\n%s\nbefore\n%s\nafter\n%s", undone, before, after)
	}
}

// Without the module there is no table, and modprobe brings it.
func TestLabZModule(t *testing.T) {
	newCluster(t)
	in(t, "director", "ipvsadm -C; modprobe -r ip_vs_rr ip_vs_wrr ip_vs_wlc ip_vs_lc ip_vs_sh ip_vs_mh ip_vs")
	s := siteWith(ipvs.Direct)
	found, ok := find(onDirector(t, s, false), "no-ip-vs")
	if !ok || len(found.Run) != 1 {
		t.Fatalf("%+v: want the module's lack, and a command", found)
	}
	if strings.Contains(in(t, "director", "cat /proc/modules"), "ip_vs ") {
		t.Error("looking loaded the module")
	}
	in(t, "director", found.Run[0])
	if _, ok := find(onDirector(t, s, false), "no-ip-vs"); ok {
		t.Error("modprobe did not help")
	}
	s.Virtuals[0].Scheduler = "nosuch"
	if _, ok := find(onDirector(t, s, false), "module"); !ok {
		t.Error("a scheduler that there is not is not found")
	}
}
