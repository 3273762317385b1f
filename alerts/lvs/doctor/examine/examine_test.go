package examine

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mondhq/mond/alerts/lvs/doctor"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// shown is /proc/net/ip_vs as Linux 6.1 shows it.
const shown = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A000003:0050 wlc persistent 36000 FFFFFF00
  -> C0A80002:1F90      Masq    1      0          0         
  -> C0A80001:0050      Route   5      0          0         
UDP  0A000003:0035 rr ops 
TCP  [2001:0db8:0000:0000:0000:0000:0000:0003]:0050 rr 
  -> [2001:0db8:0000:0000:0000:0000:0000:0001]:0050      Tunnel  0      0          0         
FWM  00000007 sh 
  -> [2001:0db8:0000:0000:0000:0000:0000:0001]:0000      Route   1      0          0         
`

func TestParseTable(t *testing.T) {
	ap := netip.MustParseAddrPort
	want := []doctor.Row{
		{
			Service: ipvs.Service{Virtual: ipvs.Virtual{Protocol: ipvs.TCP, Addr: ap("10.0.0.3:80")}, Scheduler: "wlc", Persist: 36000},
			Reals: []ipvs.Destination{
				{Addr: ap("192.168.0.2:8080"), Forward: ipvs.NAT, Weight: 1}, {Addr: ap("192.168.0.1:80"), Forward: ipvs.Direct, Weight: 5},
			},
		},
		{Service: ipvs.Service{Virtual: ipvs.Virtual{Protocol: ipvs.UDP, Addr: ap("10.0.0.3:53")}, Scheduler: "rr", OnePacket: true}},
		{
			Service: ipvs.Service{Virtual: ipvs.Virtual{Protocol: ipvs.TCP, Addr: ap("[2001:db8::3]:80")}, Scheduler: "rr"},
			Reals:   []ipvs.Destination{{Addr: ap("[2001:db8::1]:80"), Forward: ipvs.Tunnel}},
		},
		{
			Service: ipvs.Service{Virtual: ipvs.Virtual{Mark: 7, V6: true}, Scheduler: "sh"},
			Reals:   []ipvs.Destination{{Addr: ap("[2001:db8::1]:0"), Forward: ipvs.Direct, Weight: 1}},
		},
	}
	got, err := ParseTable([]byte(shown))
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{
		"  -> C0A80001:0050 Route 5 0 0", "TCP 0A000003:0050", "ICMP 0A000003:0050 rr", "TCP 0A0003:0050 rr", "TCP 0A000003 rr", "FWM x rr",
		"FWM 7 rr\n -> C0A80001:0050 Magic 5 0 0", "FWM 7 rr\n -> C0A80001:0050 Route", "TCP 0A000003:99999 rr", "TCP [x]:0050 rr",
	} {
		if _, err := ParseTable([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add([]byte(shown))
	f.Fuzz(func(_ *testing.T, text []byte) { _, _ = ParseTable(text) })
}

func TestKeepers(t *testing.T) {
	got := Keepers("/etc/ha.d/haresources", []byte("# comment\n\nlvs1.domain.com 10.0.0.3 \\\n  lvs mon # both\nlvs2 10.0.0.4\n"))
	want := []doctor.Keeper{
		{File: "/etc/ha.d/haresources", Line: 3, Text: "lvs1.domain.com 10.0.0.3  lvs mon"},
		{File: "/etc/ha.d/haresources", Line: 5, Text: "lvs2 10.0.0.4"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a machine without anything of the sort has is read without complaint:
// files of other programs are taken from another root.
func TestReadFiles(t *testing.T) {
	root := t.TempDir()
	release := strings.TrimSpace(output(t, "uname", "-r"))
	write(t, filepath.Join(root, "lib/modules", release, "modules.dep"), "kernel/net/netfilter/ipvs/ip_vs.ko.xz: kernel/x.ko\nkernel/net/ipv4/ip-vs-x.ko:\n")
	write(t, filepath.Join(root, "lib/modules", release, "modules.builtin"), "kernel/net/netfilter/ipvs/ip_vs_rr.ko\n")
	write(t, filepath.Join(root, "etc/keepalived/keepalived.conf"), "! comment\nvirtual_server 10.0.0.3 80 {\n}\n")
	f, s, err := Read(t.Context(), Options{Root: root}, func(*doctor.Facts) doctor.Site { return doctor.Site{} })
	if err != nil || len(s.Virtuals) > 0 {
		t.Fatal(err)
	}
	m := f.Modules
	if !m.Known || !m.Available["ip_vs"] || !m.Available["ip_vs_x"] || !m.Loaded["ip_vs_rr"] {
		t.Errorf("%+v", m)
	}
	if f.Kernel != release || len(f.Links) == 0 || f.Sysctls["net/ipv4/ip_forward"] == "" {
		t.Errorf("%+v", f)
	}
	if len(f.Keepers) != 2 || f.Keepers[0].Line != 2 {
		t.Errorf("%+v", f.Keepers)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func output(t *testing.T, words ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), words[0], words[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

func TestNoSuchNamespace(t *testing.T) {
	_, _, err := Read(t.Context(), Options{Netns: "mond-no-such"}, func(*doctor.Facts) doctor.Site { return doctor.Site{} })
	if err == nil || !strings.Contains(err.Error(), "mond-no-such") {
		t.Error(err)
	}
}

// A namespace of its own is read, and not the machine's.
func TestReadNamespace(t *testing.T) {
	name := namespace(t)
	output(t, "ip", "-n", name, "-batch", "testdata/net.ip")
	site := func(*doctor.Facts) doctor.Site {
		var s doctor.Site
		for _, line := range []string{"-V 10.0.0.3:80 -R 192.168.0.1", "-V 10.0.0.3:80 -R 192.168.1.1", "-V 10.0.0.3:80 -R 203.0.113.9", "-V [2001:db8::3]:80 -R 2001:db8::1"} {
			if err := s.AddClaim("", strings.Fields(line)); err != nil {
				t.Error(err)
			}
		}
		return s
	}
	f, _, err := Read(t.Context(), Options{Netns: name}, site)
	if err != nil {
		t.Fatal(err)
	}
	a := netip.MustParseAddr
	want := map[netip.Addr]doctor.Route{
		a("10.0.0.3"):    {Local: true, Link: "lo", Source: a("10.0.0.3")},
		a("192.168.0.1"): {Link: "eth0", Source: a("192.168.0.254")},
		a("192.168.1.1"): {Link: "eth0", Source: a("192.168.0.254"), Gateway: a("192.168.0.9")},
		a("203.0.113.9"): {None: true, Err: f.Routes[a("203.0.113.9")].Err},
		a("2001:db8::1"): {Link: "eth0", Source: a("2001:db8::fe"), Six: true},
		a("2001:db8::3"): {Local: true, Link: "lo", Source: a("2001:db8::3"), Six: true},
	}
	if diff := cmp.Diff(want, f.Routes, cmpopts.EquateComparable(netip.Addr{}), cmpopts.SortMaps(netip.Addr.Less)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, l := range f.Links {
		if l.Name == "eth0" && (!l.ARP || !l.Up || !l.Carrier || l.MTU != 1400 || l.MAC == "") || l.Name == "lo" && l.ARP {
			t.Errorf("%+v", l)
		}
	}
	if len(f.Default) != 1 || f.Default[0].Link != "eth0" || f.Default[0].Gateway != a("192.168.0.99") {
		t.Errorf("%+v", f.Default)
	}
	held := 0
	for _, h := range f.Addrs {
		if h.Prefix == netip.MustParsePrefix("10.0.0.3/32") && h.Link == "eth0" || h.Prefix == netip.MustParsePrefix("2001:db8::3/128") && h.Link == "lo" {
			held++
		}
	}
	if held != 2 {
		t.Errorf("%+v", f.Addrs)
	}
}

// namespace makes a network namespace that ends with the test.
func namespace(t *testing.T) string {
	t.Helper()
	name := "mond-" + strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
	if out, err := exec.CommandContext(t.Context(), "ip", "netns", "add", name).CombinedOutput(); err != nil {
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatalf("ip netns add: %v\n%s", err, out)
		}
		t.Skipf("needs root and network namespaces (package iproute2): %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	return name
}

// Managers are known by what they keep in /run, and by their files' drop-ins.
func TestReadManagers(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "run/systemd/netif/links/1"), "ADMIN_STATE=configured\nNETWORK_FILE=/run/systemd/network/10-lo.network\n")
	write(t, filepath.Join(root, "run/systemd/network/10-lo.network"), "[Network]\nKeepConfiguration=static\n")
	write(t, filepath.Join(root, "usr/lib/systemd/network/10-lo.network.d/b.conf"), "KeepConfiguration=no\n")
	write(t, filepath.Join(root, "etc/systemd/network/10-lo.network.d/b.conf"), "KeepConfiguration=yes\n")
	write(t, filepath.Join(root, "run/NetworkManager/devices/1"), "[device]\nmanaged=true\n")
	write(t, filepath.Join(root, "run/dhclient.lo.pid"), "1\n")
	f, _, err := Read(t.Context(), Options{Root: root}, func(*doctor.Facts) doctor.Site { return doctor.Site{} })
	if err != nil {
		t.Fatal(err)
	}
	want := []doctor.Manager{
		{Program: doctor.Networkd, Link: "lo", File: "/run/systemd/network/10-lo.network", Keeps: "yes"},
		{Program: doctor.NetworkManager, Link: "lo"},
		{Program: doctor.Dhclient, Link: "lo", File: "/run/dhclient.lo.pid"},
	}
	if diff := cmp.Diff(want, f.Managers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
