package realserver

import (
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/alerts/lvs/doctor"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// told is what the script prints on a real server by tun that is well; rows
// are replaced by those of the test.
const told = `realserver 1
begin machine
rs1 6.1.0-26-amd64 x86_64
read machine
begin link
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
2: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000\    link/ether 02:00:00:00:01:01 brd ff:ff:ff:ff:ff:ff
3: tunl0@NONE: <NOARP,UP,LOWER_UP> mtu 1480 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\    link/ipip 0.0.0.0 brd 0.0.0.0
read link
begin addr
1: lo    inet 127.0.0.1/8 scope host lo\       valid_lft forever preferred_lft forever
1: lo    inet 10.0.0.3/32 scope global lo\       valid_lft forever preferred_lft forever
1: lo    inet6 2001:db8::3/128 scope global nodad \       valid_lft forever preferred_lft forever
2: eth0    inet 192.168.0.1/24 brd 192.168.0.255 scope global eth0\       valid_lft forever preferred_lft forever
2: eth0    inet6 2001:db8::1/64 scope global \       valid_lft forever preferred_lft forever
read addr
begin route4
default via 192.168.0.254 dev eth0 proto static
192.168.0.0/24 dev eth0 proto kernel scope link src 192.168.0.1
read route4
begin route6
default via 2001:db8::fe dev eth0 metric 1024 pref medium
read route6
begin fou
port 6080 gue
read fou
begin fou6
unread fou6
begin sysctl
/proc/sys/net/ipv4/ip_forward:0
/proc/sys/net/ipv4/conf/all/arp_ignore:1
/proc/sys/net/ipv4/conf/eth0/arp_ignore:0
/proc/sys/net/ipv4/conf/all/arp_announce:2
/proc/sys/net/ipv4/conf/eth0/arp_announce:0
/proc/sys/net/ipv4/conf/all/rp_filter:0
/proc/sys/net/ipv4/conf/eth0/rp_filter:1
/proc/sys/net/ipv4/conf/tunl0/rp_filter:0
read sysctl
begin socket
/proc/net/tcp:   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 42
/proc/net/tcp6:   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000
/proc/net/udp:   0: 0100A8C0:0035 00000000:0000 07 00000000:00000000
read socket
end
`

func parsed(t *testing.T, replace ...string) *Facts {
	t.Helper()
	for i := 0; i < len(replace); i += 2 {
		if replace[i] != "" && !strings.Contains(told, replace[i]) {
			t.Fatalf("there is no %q", replace[i])
		}
	}
	f, err := Parse(strings.NewReader(strings.NewReplacer(replace...).Replace(told)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestParse(t *testing.T) {
	f := parsed(t)
	if f.Host != "rs1" || f.Kernel != "6.1.0-26-amd64" || len(f.Links) != 3 || len(f.Addrs) != 5 {
		t.Errorf("%+v", f)
	}
	if diff := cmp.Diff(doctor.Link{Name: "eth0", Kind: "ether", Up: true, Carrier: true, ARP: true, MTU: 1500, MAC: "02:00:00:00:01:01"}, f.Links[1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantSockets := []Socket{
		{Addr: netip.MustParseAddrPort("0.0.0.0:80")}, {Addr: netip.MustParseAddrPort("[::]:80"), Six: true},
		{UDP: true, Addr: netip.MustParseAddrPort("192.168.0.1:53")},
	}
	if !slices.Equal(f.Sockets, wantSockets) {
		t.Errorf("%+v", f.Sockets)
	}
	if len(f.Default) != 2 || f.Default[0].Gateway != addr("192.168.0.254") || f.Default[1].Gateway != addr("2001:db8::fe") || !f.Default[1].Six {
		t.Errorf("%+v", f.Default)
	}
	if !slices.Equal(f.GUE, []GUEPort{{Port: 6080}}) || !f.Read["fou"] || f.Read["fou6"] {
		t.Errorf("%+v %v", f.GUE, f.Read)
	}
	for text, want := range map[string]string{
		"":                 "no facts of a real server",
		"hello\nend\n":     "no facts of a real server",
		told[:len(told)/2]: "cut off",
		"realserver 1\n" + strings.Repeat("x", longestLine+1): "too long",
		"realserver 1\n" + strings.Repeat("\n", mostLines):    "more than",
	} {
		if _, err := Parse(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
	big := parsed(t, "x86_64", "s390x", "0100A8C0:0035", "C0A80001:0035")
	if got := big.Sockets[2].Addr.String(); got != "192.168.0.1:53" {
		t.Errorf("a machine of the other order: %s", got)
	}
}

// What a real server prints stands in commands that people copy.
func TestParseNames(t *testing.T) {
	f := parsed(t, "2: eth0@if5:", "2: eth0;reboot@if5:", "2: eth0    inet 192", "2: $(reboot)    inet 192")
	if len(f.Links) != 2 || len(f.Addrs) != 4 {
		t.Errorf("%+v %+v", f.Links, f.Addrs)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(told)
	f.Fuzz(func(t *testing.T, text string) {
		facts, err := Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		s, d := guide(ipvs.Tunnel)
		Judge(s, d, facts)
	})
}

// guide is a site and its director, who knows rs1 by f.
func guide(f ipvs.Forward) (doctor.Site, *doctor.Facts) {
	real := doctor.Real{Addr: netip.MustParseAddrPort("192.168.0.1:80"), Forward: f}
	v := doctor.Virtual{Virtual: ipvs.Virtual{Protocol: ipvs.TCP, Addr: netip.MustParseAddrPort("10.0.0.3:80")}, Reals: []doctor.Real{real}}
	return doctor.Site{Virtuals: []doctor.Virtual{v}}, &doctor.Facts{
		Addrs:  []doctor.Addr{{Link: "eth0", Prefix: netip.MustParsePrefix("192.168.0.254/24")}},
		Routes: map[netip.Addr]doctor.Route{addr("192.168.0.1"): {Link: "eth0", Source: addr("192.168.0.254")}},
	}
}

func worse(list []doctor.Finding) []string {
	out := []string{}
	for _, f := range list {
		if f.Level > doctor.OK {
			out = append(out, f.Level.String()+" "+f.Code)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestJudge(t *testing.T) {
	const vip = "1: lo    inet 10.0.0.3/32 scope global lo"
	nothing := func(*doctor.Virtual) {}
	gue := func(port uint16) func(*doctor.Virtual) {
		return func(v *doctor.Virtual) { v.Reals[0].Tunnel = ipvs.Encapsulation{Type: ipvs.GUE, Port: port} }
	}
	greSum := func(v *doctor.Virtual) {
		v.Reals[0].Tunnel = ipvs.Encapsulation{Type: ipvs.GRE, Checksum: ipvs.WithChecksum}
	}
	for _, tt := range []struct {
		name    string
		forward ipvs.Forward
		site    func(*doctor.Virtual)
		replace []string
		want    []string
		says    string
	}{
		{"dr", ipvs.Direct, nothing, nil, []string{}, ""},
		{"tun", ipvs.Tunnel, nothing, nil, []string{}, ""},
		{"nat", ipvs.NAT, nothing, nil, []string{}, ""},
		{"gue", ipvs.Tunnel, gue(6080), nil, []string{}, ""},
		{"arp_ignore", ipvs.Direct, nothing, []string{"all/arp_ignore:1", "all/arp_ignore:0"}, []string{"error arp-ignore"}, "sysctl -w net.ipv4.conf.all.arp_ignore=1"},
		{"arp_ignore of the interface", ipvs.Direct, nothing, []string{"all/arp_ignore:1", "all/arp_ignore:0", "eth0/arp_ignore:0", "eth0/arp_ignore:1"}, []string{}, ""},
		{"arp_announce", ipvs.Direct, nothing, []string{"all/arp_announce:2", "all/arp_announce:1"}, []string{"error arp-announce"}, ""},
		{"no address", ipvs.Direct, nothing, []string{vip, "1: lo    inet 10.0.0.4/32 scope global lo"}, []string{"error no-vip"}, "ip addr add 10.0.0.3/32 dev lo"},
		{"no address by nat", ipvs.NAT, nothing, []string{vip, ""}, []string{}, ""},
		{"mask", ipvs.Direct, nothing, []string{vip, "1: lo    inet 10.0.0.3/24 scope global lo"}, []string{"error vip-mask"}, "ip addr del 10.0.0.3/24 dev lo"},
		{"on the link", ipvs.Direct, nothing, []string{vip, "2: eth0    inet 10.0.0.3/32 scope global eth0"}, []string{"error vip-on-link"}, "ip addr del 10.0.0.3/32 dev eth0"},
		{"on dummy0", ipvs.Direct, nothing, []string{vip, "4: dummy0    inet 10.0.0.3/32 scope global dummy0"}, []string{}, ""},
		{"no tunnel", ipvs.Tunnel, nothing, []string{"tunl0@NONE", "other@NONE", "link/ipip", "link/none"}, []string{"error tunnel"}, "modprobe ipip"},
		{"a tunnel of another name", ipvs.Tunnel, nothing, []string{"tunl0@NONE", "lvs@NONE"}, []string{}, ""},
		{"tunnel down", ipvs.Tunnel, nothing, []string{"<NOARP,UP,LOWER_UP>", "<NOARP>"}, []string{"error tunnel"}, "ip link set dev tunl0 up"},
		{"strict filter of all", ipvs.Tunnel, nothing, []string{"all/rp_filter:0", "all/rp_filter:1"}, []string{"error rp-filter"}, "net.ipv4.conf.tunl0.rp_filter=2"},
		{"loose filter over a strict one", ipvs.Tunnel, nothing, []string{"all/rp_filter:0", "all/rp_filter:1", "tunl0/rp_filter:0", "tunl0/rp_filter:2", vip, vip + "\n3: tunl0    inet 10.0.0.3/32 scope global tunl0"}, []string{}, ""},
		{"loose filter, no address", ipvs.Tunnel, nothing, []string{"tunl0/rp_filter:0", "tunl0/rp_filter:2"}, []string{"error rp-filter"}, "ip addr add 10.0.0.3/32 dev tunl0"},
		{"no gue", ipvs.Tunnel, gue(6081), nil, []string{"error gue"}, "ip -4 fou add port 6081 gue"},
		{"gre", ipvs.Tunnel, func(v *doctor.Virtual) { v.Reals[0].Tunnel.Type = ipvs.GRE }, nil, []string{"error tunnel"}, "modprobe ip_gre"},
		{"gre with checksums", ipvs.Tunnel, greSum, nil, []string{"error tunnel"}, "ip link add mondgre type gre local 192.168.0.1 icsum"},
		{"gre with checksums, but the kernel's own", ipvs.Tunnel, greSum, []string{"tunl0@NONE", "gre0@NONE", "link/ipip", "link/gre"}, []string{"error tunnel"}, "there is no mondgre"},
		{"gre with checksums, made by somebody", ipvs.Tunnel, greSum, []string{"tunl0@NONE", "lvs@NONE", "link/ipip", "link/gre"}, []string{}, ""},
		{"no way back", ipvs.NAT, nothing, []string{"default via 192.168.0.254 dev eth0 proto static\n", ""}, []string{"error nat-gateway"}, "ip -4 route replace default via 192.168.0.254"},
		{"another way back", ipvs.NAT, nothing, []string{"default via 192.168.0.254", "default via 192.168.0.9"}, []string{"error nat-gateway"}, "192.168.0.9"},
		{"nothing listens", ipvs.Direct, func(v *doctor.Virtual) { v.Addr = netip.MustParseAddrPort("10.0.0.3:81") }, nil, []string{"error listens"}, "tcp port 81 of 10.0.0.3"},
		{"listens elsewhere", ipvs.Direct, func(v *doctor.Virtual) { v.Protocol, v.Addr = ipvs.UDP, netip.MustParseAddrPort("10.0.0.3:53") }, nil, []string{"error listens"}, "only on 192.168.0.1:53"},
		{"listens by nat", ipvs.NAT, func(v *doctor.Virtual) {
			v.Protocol, v.Reals[0].Addr = ipvs.UDP, netip.MustParseAddrPort("192.168.0.1:53")
		}, nil, []string{}, ""},
		{"forwards", ipvs.Direct, nothing, []string{"ip_forward:0", "ip_forward:1"}, []string{"advice ip-forward"}, ""},
		{"another machine", ipvs.Direct, nothing, []string{"inet 192.168.0.1/24", "inet 192.168.0.7/24"}, []string{"error no-real"}, "192.168.0.7"},
		{"IPv6", ipvs.Direct, six, nil, []string{}, ""},
		{"IPv6, no address", ipvs.Direct, six, []string{"inet6 2001:db8::3/128", "inet6 2001:db8::4/128"}, []string{"error no-vip"}, "ip addr add 2001:db8::3/128 dev lo nodad"},
		{"IPv6, a duplicate", ipvs.Direct, six, []string{"global nodad", "global dadfailed tentative"}, []string{"error vip-duplicate"}, ""},
		{"IPv6, on the link", ipvs.Direct, six, []string{"1: lo    inet6", "2: eth0    inet6"}, []string{"error vip-on-link"}, ""},
		{"IPv6, no tunnel", ipvs.Tunnel, six, nil, []string{"error tunnel"}, "modprobe ip6_tunnel"},
		{"IPv6, no way back", ipvs.NAT, six, nil, []string{"error nat-gateway"}, "2001:db8::fe"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, director := guide(tt.forward)
			tt.site(&s.Virtuals[0])
			list := Judge(s, director, parsed(t, tt.replace...))
			if diff := cmp.Diff(tt.want, worse(list)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			text := ""
			for _, f := range list {
				if f.Level > doctor.OK && (f.Do == "" || f.Why == "") || f.Subject != "real server rs1" {
					t.Errorf("%+v is not whole", f)
				}
				text += f.What + "\n" + strings.Join(f.Run, "\n") + "\n"
			}
			if !strings.Contains(text, tt.says) {
				t.Errorf("%q is not in\n%s", tt.says, text)
			}
		})
	}
}

// six makes the virtual service one of IPv6.
func six(v *doctor.Virtual) {
	v.Addr, v.Reals[0].Addr = netip.MustParseAddrPort("[2001:db8::3]:80"), netip.MustParseAddrPort("[2001:db8::1]:80")
}

// Each address of a range is looked at, and what is so of several is said once.
func TestJudgeRange(t *testing.T) {
	const vip = "1: lo    inet 10.0.0.3/32 scope global lo"
	for _, tt := range []struct {
		name, has string // instead of vip
		last      string
		want      []string
	}{
		{"the ends alone", vip + "\n" + strings.ReplaceAll(vip, "0.3/", "0.9/"), "10.0.0.9", []string{
			"error: 10.0.0.4 to 10.0.0.8 are on no interface",
			"ok: 10.0.0.3 and 10.0.0.9 are on lo, and nothing is said of them in ARP",
			"ok: something listens on tcp port 80 of 10.0.0.3 to 10.0.0.9",
		}},
		{"one with a mask", vip + "\n" + strings.ReplaceAll(vip, "0.3/32", "0.4/24"), "10.0.0.4", []string{
			"error: 10.0.0.4 has the mask /24 on lo",
			"ok: 10.0.0.3 is on lo, and nothing is said of it in ARP",
			"ok: something listens on tcp port 80 of 10.0.0.3 and 10.0.0.4",
		}},
		{"a network", strings.ReplaceAll(vip, "0.3/32", "0.4/30"), "10.0.0.7", []string{
			"error: 10.0.0.3 is on no interface",
			"ok: 10.0.0.4 to 10.0.0.7 are on lo, and nothing is said of them in ARP",
			"ok: something listens on tcp port 80 of 10.0.0.3 to 10.0.0.7",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, director := guide(ipvs.Direct)
			s.Virtuals[0].Last = addr(tt.last)
			var got []string
			for _, f := range Judge(s, director, parsed(t, vip, tt.has)) {
				got = append(got, f.Level.String()+": "+f.What)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Without the director's facts its gateway is not judged.
func TestJudgeWithoutDirector(t *testing.T) {
	s, _ := guide(ipvs.NAT)
	if got := worse(Judge(s, nil, parsed(t))); !slices.Equal(got, []string{"advice nat-gateway"}) {
		t.Error(got)
	}
}

func TestScript(t *testing.T) {
	v4, v6, real4, real6 := addr("10.0.0.3"), addr("2001:db8::3"), addr("192.168.0.1"), addr("2001:db8::1")
	tun := func(vip, real netip.Addr, e ipvs.Encapsulation) Want {
		return Want{VIP: vip, Real: real, Forward: ipvs.Tunnel, Tunnel: e}
	}
	gue, csum := ipvs.Encapsulation{Type: ipvs.GUE, Port: 6080}, ipvs.Encapsulation{Type: ipvs.GRE, Checksum: ipvs.WithChecksum}
	for _, tt := range []struct {
		name string
		want Want
		has  string
		err  string
	}{
		{"dr", Want{VIP: v4, Forward: ipvs.Direct}, "use atleast net/ipv4/conf/all/arp_announce 2\n\tuse addr 10.0.0.3/32 lo\n", ""},
		{"dr, IPv6", Want{VIP: v6, Forward: ipvs.Direct}, "name=2001:db8::3\n\tuse addr 2001:db8::3/128 lo\n", ""},
		{"nat", Want{VIP: v4, Forward: ipvs.NAT, Gateway: addr("192.168.0.254")}, "use default -4 192.168.0.254\n", ""},
		{"tun", tun(v4, netip.Addr{}, ipvs.Encapsulation{}), "use module ipip\n\tuse up tunl0\n\tuse loose tunl0\n", ""},
		{"gue", tun(v4, real4, gue), "use module fou\n\tuse fou -4 6080\n", ""},
		{"gue over IPv6", tun(v6, real6, gue), "use up ip6tnl0\n\tuse module fou\n\tuse fou -6 6080\n", ""},
		{"gre", tun(v4, real4, ipvs.Encapsulation{Type: ipvs.GRE}), "use module ip_gre\n\tuse up gre0\n", ""},
		{"gre over IPv6", tun(v6, real6, ipvs.Encapsulation{Type: ipvs.GRE}), "use module ip6_gre\n\tuse up ip6gre0\n", ""},
		{"gre with checksums", tun(v4, real4, csum), "use module ip_gre\n\tuse tunnel mondgre 192.168.0.1\n\tuse up mondgre\n\tuse loose mondgre\n", ""},
		{"gre with checksums over IPv6", tun(v6, real6, csum), "use module ip6_gre\n\tuse tunnel mondgre6 2001:db8::1\n\tuse up mondgre6\n", ""},
		{"gre with checksums to whom", tun(v4, netip.Addr{}, csum), "", "own address"},
		{"IPv6 in IPv4", tun(v6, real4, ipvs.Encapsulation{}), "use module sit\n\tuse up sit0\n", ""},
		{"IPv4 in IPv6", tun(v4, real6, ipvs.Encapsulation{}), "use tunnel mond46 2001:db8::1\n\tuse up mond46\n\tuse loose mond46\n", ""},
		{"no address", Want{Forward: ipvs.Direct}, "", "no virtual address"},
		{"multicast", Want{VIP: addr("224.0.0.1"), Forward: ipvs.Direct}, "", "no virtual address"},
		{"zone", Want{VIP: addr("fe80::1%eth0;reboot"), Forward: ipvs.Direct}, "", "no virtual address"},
		{"nat without gateway", Want{VIP: v4, Forward: ipvs.NAT}, "", "--gateway"},
		{"nat with a gateway of the other family", Want{VIP: v4, Forward: ipvs.NAT, Gateway: real6}, "", "another family"},
		{"nat with a gateway with a zone", Want{VIP: v6, Forward: ipvs.NAT, Gateway: addr("fe80::1%e;x")}, "", "zone"},
		{"dr with gateway", Want{VIP: v4, Forward: ipvs.Direct, Gateway: real4}, "", "for nat only"},
		{"dr over the other family", Want{VIP: v4, Forward: ipvs.Direct, Real: real6}, "", "another family"},
		{"gue without port", tun(v4, real4, ipvs.Encapsulation{Type: ipvs.GUE}), "", "port"},
	} {
		got, err := Script(Setup, []Want{tt.want})
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
			}
			continue
		}
		if err != nil || !strings.Contains(got, tt.has) {
			t.Errorf("%s: %v\n%s", tt.name, err, got)
		}
	}
	if _, err := Script(Setup, nil); err == nil {
		t.Error("a script for nothing")
	}
}

// One real server cannot be ready for everything at a time.
func TestScriptDisagrees(t *testing.T) {
	tun := func(real string, e ipvs.Encapsulation) Want {
		w := Want{VIP: addr("10.0.0.3"), Forward: ipvs.Tunnel, Tunnel: e}
		if real != "" {
			w.Real = addr(real)
		}
		return w
	}
	gre, csum := ipvs.Encapsulation{Type: ipvs.GRE}, ipvs.Encapsulation{Type: ipvs.GRE, Checksum: ipvs.WithChecksum}
	for _, tt := range []struct {
		name  string
		wants []Want
		err   string
	}{
		{"the same twice", []Want{tun("192.168.0.1", csum), tun("192.168.0.1", csum)}, ""},
		{"two reals", []Want{tun("192.168.0.1", csum), tun("192.168.0.2", csum)}, "192.168.0.1 and 192.168.0.2 are two real servers"},
		{"two reals of IPv4 in IPv6", []Want{tun("2001:db8::1", ipvs.Encapsulation{}), tun("2001:db8::2", ipvs.Encapsulation{})}, "--real"},
		{"two reals of the kernel's own", []Want{tun("192.168.0.1", gre), tun("192.168.0.2", gre)}, ""},
		{"with and without", []Want{tun("192.168.0.1", gre), tun("192.168.0.1", csum)}, "with and without checksums to 192.168.0.1"},
		{"without, to whom", []Want{tun("192.168.0.1", csum), tun("", gre)}, "with and without"},
		{"with, and without at another address", []Want{tun("192.168.0.1", csum), tun("192.168.9.1", gre)}, ""},
		{"with over IPv4, without over IPv6", []Want{tun("192.168.0.1", csum), tun("2001:db8::1", gre)}, ""},
	} {
		_, err := Script(Setup, tt.wants)
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
		}
	}
}

// ip shows the ports of both families, whichever it is asked for.
func TestParseFou(t *testing.T) {
	f := parsed(t, "unread fou6", "port 6080 gue\nport 6081 gue -6\nread fou6")
	if want := []GUEPort{{Port: 6080}, {Port: 6081, Six: true}}; !slices.Equal(f.GUE, want) {
		t.Errorf("%+v, want %+v", f.GUE, want)
	}
}

// Every script is one that sh takes, and none runs anything before it looks
// who runs it.
func TestShTakesThem(t *testing.T) {
	setup, err := Script(Setup, []Want{{VIP: addr("10.0.0.3"), Forward: ipvs.Tunnel}, {VIP: addr("2001:db8::3"), Forward: ipvs.Direct}})
	if err != nil {
		t.Fatal(err)
	}
	undo, err := Script(Undo, []Want{{VIP: addr("10.0.0.3"), Forward: ipvs.NAT}}) // what it was for is not asked
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"check": Check(), "setup": setup, "undo": undo} {
		cmd := exec.CommandContext(t.Context(), "sh", "-n")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh")
	cmd.Stdin = strings.NewReader(Check())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(strings.NewReader(string(out)))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if name, _ := os.Hostname(); f.Host != name || len(f.Sysctls) == 0 {
		t.Errorf("%+v", f)
	}
}
