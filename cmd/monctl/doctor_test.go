package main

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mondhq/mond/alerts/lvs/doctor"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/virtual"
)

// lines is a configuration with plain lines of lvs.alert, and an address that
// moves.
const lines = `hostgroup www1 192.168.0.1
hostgroup director 10.0.0.254

watch www1
    service http
	interval 10s
	monitor http.monitor
	period wd {Sun-Sat}
	    alert lvs.alert -P tcp -V 10.0.0.3:80 -R 192.168.0.1 -W 5 -F dr
	    upalert lvs.alert -P tcp -V 10.0.0.3:80 -R 192.168.0.1 -W 5 -F dr -u
	    alert lvs.alert -P udp -V 10.0.0.3:53 -R 192.168.0.1:5353 -F nat

watch director
    service role
	interval 10s
	monitor ping.monitor
	period wd {Sun-Sat}
	    alert fake.alert 10.0.0.3/24 eth0
`

func siteFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mon.cf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSiteOfLines(t *testing.T) {
	cfg, err := configured(t.Context(), os.Stderr, siteFile(t, lines))
	if err != nil {
		t.Fatal(err)
	}
	got, err := siteOf(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ap := netip.MustParseAddrPort
	want := doctor.Site{
		Holds: []netip.Addr{netip.MustParseAddr("10.0.0.3")},
		Virtuals: []doctor.Virtual{
			{Virtual: ipvs.Virtual{Protocol: ipvs.TCP, Addr: ap("10.0.0.3:80")}, Removes: true, Reals: []doctor.Real{{Addr: ap("192.168.0.1:80"), Forward: ipvs.Direct}}},
			{Virtual: ipvs.Virtual{Protocol: ipvs.UDP, Addr: ap("10.0.0.3:53")}, Removes: true, Reals: []doctor.Real{{Addr: ap("192.168.0.1:5353"), Forward: ipvs.NAT}}},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// declared is what a configuration makes of a virtual service that is declared
// whole and checked through the director.
func declared() *config.Config {
	words := strings.Fields
	key := opstatus.Key{Group: "www1", Service: "alive"}
	v := &config.Virtual{
		Name: "web",
		Pool: &virtual.Pool{Members: []virtual.Member{{Name: "192.168.0.1:80", OnFail: virtual.Quiesce}}},
		Rows: []config.VirtualRow{
			{Target: words("-P tcp -V 10.0.0.3:80 --service"), More: words("-s wrr -p 360 --by-role")},
			{Target: words("-V fwmark:1828716545 --service"), More: words("-s rr")},
			{Target: words("-V fwmark:1828716545 -R 192.168.0.1:80"), More: words("-F dr")},
		},
		Members: []config.VirtualMember{{
			Name: "www1", Addr: netip.MustParseAddrPort("192.168.0.1:80"), Checks: []opstatus.Key{key},
			Rows: []config.VirtualRow{{Target: words("-P tcp -V 10.0.0.3:80 -R 192.168.0.1:80"), More: words("-F tun --tun-type gue --tun-port 6080")}},
		}},
	}
	return &config.Config{Virtuals: []*config.Virtual{v}}
}

func TestSiteOfVirtual(t *testing.T) {
	got, err := siteOf(declared())
	if err != nil {
		t.Fatal(err)
	}
	ap := netip.MustParseAddrPort
	want := doctor.Site{Virtuals: []doctor.Virtual{{
		Name: "web", Virtual: ipvs.Virtual{Protocol: ipvs.TCP, Addr: ap("10.0.0.3:80")}, Scheduler: "wrr", Persist: 360,
		Declared: true, ByRole: true, Quiesces: true,
		Reals: []doctor.Real{{Name: "www1", Addr: ap("192.168.0.1:80"), Forward: ipvs.Tunnel, Tunnel: ipvs.Encapsulation{Type: ipvs.GUE, Port: 6080}}},
	}}}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if marked(nil) || marked(&config.Service{}) || !marked(&config.Service{Monitor: &config.Command{Args: []string{"--mark", "7"}}}) {
		t.Error("a check through the director is told by its mark")
	}
}

func TestFindingsText(t *testing.T) {
	list := []doctor.Finding{
		{Level: doctor.OK, Code: "ip-vs", Subject: doctor.Kernel, What: "has IPVS"},
		{Level: doctor.Error, Code: "a", Subject: "web (tcp 10.0.0.3:80)", What: "it is broken", Do: "mend it", Run: []string{"sysctl -w a=1", "sysctl -w b=2"}, Why: "nobody is served"},
		{Level: doctor.Advice, Code: "b", Subject: "web (tcp 10.0.0.3:80)", What: "it could be better", Do: "think", Why: "it would be faster"},
		{Level: doctor.Warning, Code: "c", Subject: "real server rs1", What: "hostile\x1b[31m\nname", Do: "look", Why: "it matters"},
	}
	golden(t, "doctor.txt", plain(findingsText(list, false)))
	golden(t, "doctor-all.txt", plain(findingsText(list, true)))
	golden(t, "doctor-well.txt", plain(findingsText(list[:1], false)))
}

// facts is what a real server by dr prints that has forgotten arp_ignore.
const facts = `realserver 1
begin machine
rs1 6.1.0 x86_64
read machine
begin link
2: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500\    link/ether 02:00:00:00:01:01
read link
begin addr
1: lo    inet 10.0.0.3/32 scope global lo
2: eth0    inet 192.168.0.1/24 scope global eth0
read addr
begin sysctl
/proc/sys/net/ipv4/conf/all/arp_ignore:0
/proc/sys/net/ipv4/conf/eth0/arp_ignore:0
read sysctl
end
`

// The machine of the test has what it has; what is said of the real server is
// known.
func TestDoctor(t *testing.T) {
	path, real := siteFile(t, lines), filepath.Join(t.TempDir(), "rs1")
	if err := os.WriteFile(real, []byte(facts), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, complaint := monctl("doctor", "--config", path, "--real", real)
	if code != 1 || complaint != "" || !strings.Contains(out, "real server rs1\n  error    10.0.0.3 is on lo, and eth0 answers ARP for it: arp_ignore is 0\n") {
		t.Errorf("exit status %d, said %q\n%s", code, complaint, out)
	}
	code, out, _ = monctl("doctor", "--config", path, "--real", real, "--json")
	var list []struct{ Level, Code, Subject, What, Do, Why string }
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 1 || len(list) == 0 {
		t.Fatalf("exit status %d: %v\n%s", code, err, out)
	}
	for _, f := range list {
		if f.Level == "" || f.Code == "" || f.Subject == "" || f.What == "" {
			t.Errorf("%+v", f)
		}
	}
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"doctor", "x"}, 2, "want no words"},
		{[]string{"doctor", "--config", "/nonexistent"}, 1, "/nonexistent"},
		{[]string{"doctor", "--netns", "mond-no-such"}, 1, "ip netns lists"},
		{[]string{"doctor", "--real", "/nonexistent"}, 1, "--real /nonexistent"},
		{[]string{"doctor", "--real", "-"}, 1, "no facts of a real server"},
	} {
		code, _, complaint := monctl(tt.args...)
		if code != tt.code || !strings.Contains(complaint, tt.says) {
			t.Errorf("%v: exit status %d, said %q; want %d and %q", tt.args, code, complaint, tt.code, tt.says)
		}
	}
}

// ranges is a configuration whose virtual services have several addresses.
const ranges = `syntax = mond

virtual web
    address tcp 10.0.0.3-10.0.0.5:80
    address tcp 10.0.0.16/30:443
    real 192.168.0.1

virtual tunnel
    address tcp [2001:db8::3-2001:db8::4]:80
    forward tun
    real 2001:db8:1::1
`

func TestRealserver(t *testing.T) {
	path, ranged := siteFile(t, lines), siteFile(t, ranges)
	for _, tt := range []struct {
		line string
		code int
		says string
	}{
		{"check", 0, "realserver 1"},
		{"setup --vip 10.0.0.3", 0, "use addr 10.0.0.3/32 lo"},
		{"setup --vip 10.0.0.3 --vip 2001:db8::3", 0, "use addr 2001:db8::3/128 lo"},
		{"setup --vip 10.0.0.3 --forward tun:gue:6080", 0, "use fou -4 6080"},
		{"setup --vip 10.0.0.3 --forward tun:gre", 0, "use up gre0"},
		{"setup --vip 10.0.0.3 --forward tun:gre:csum --real 192.168.0.1", 0, "use tunnel mondgre 192.168.0.1\n\tuse up mondgre"},
		{"setup --vip 10.0.0.3 --forward tun:gre:csum", 2, "gre with checksums: say the real server's own address"},
		{"setup --vip 10.0.0.3 --forward nat --gateway 192.168.0.254", 0, "use default -4 192.168.0.254"},
		{"setup 10.0.0.3:80 --config " + path, 0, "use atleast net/ipv4/conf/all/arp_ignore 1"},
		{"setup 10.0.0.3:53 --config " + path + " --real 192.168.0.1 --gateway 192.168.0.254", 0, "use default -4 192.168.0.254"},
		{"undo --vip 10.0.0.3", 0, "verb=undo"},
		{"undo 10.0.0.3:53 --config " + path, 0, `names="10.0.0.3"`},
		{"setup web --config " + ranged, 0, "\tname=10.0.0.5\n\tuse atleast net/ipv4/conf/all/arp_ignore 1\n\tuse atleast net/ipv4/conf/all/arp_announce 2\n\tuse addr 10.0.0.5/32 lo\n\tname=10.0.0.16\n"},
		{"setup web --config " + ranged, 0, `names="10.0.0.19 10.0.0.18 10.0.0.17 10.0.0.16 10.0.0.5 10.0.0.4 10.0.0.3"`},
		{"setup tunnel --config " + ranged, 0, "\tname=2001:db8::4\n\tuse module ip6_tunnel\n\tuse up ip6tnl0\n\tuse addr 2001:db8::4/128 lo\n"},
		{"undo web --config " + ranged, 0, `names="10.0.0.19 10.0.0.18 10.0.0.17 10.0.0.16 10.0.0.5 10.0.0.4 10.0.0.3"`},
		{"setup --vip 10.0.0.3-5 --vip 10.0.0.8/31", 0, `names="10.0.0.9 10.0.0.8 10.0.0.5 10.0.0.4 10.0.0.3"`},
		{"setup --vip 2001:db8::3-4 --forward tun", 0, "use addr 2001:db8::4/128 lo"},
		{"undo --vip 10.0.0.3-10.0.0.4", 0, `names="10.0.0.4 10.0.0.3"`},

		{"setup", 2, "say either VIRTUAL or --vip"},
		{"setup --vip 10.0.0.5-3", 2, "--vip 10.0.0.5-3: a range from 10.0.0.5 to 10.0.0.3 ends before it begins"},
		{"setup --vip 10.0.0.0/8", 2, "more than 1024 addresses"},
		{"setup web --vip 10.0.0.3", 2, "say either VIRTUAL or --vip"},
		{"setup web", 2, "say --config FILE"},
		{"setup a b --config " + path, 2, "one VIRTUAL at most"},
		{"setup web --config " + path, 1, `no virtual service "web": it has 10.0.0.3:80, 10.0.0.3:53`},
		{"setup 10.0.0.3:80 --real rs9 --config " + path, 1, `a real server "rs9"`},
		{"setup 10.0.0.3:53 --config " + path, 1, "--gateway"},
		{"setup 10.0.0.3:80 --forward tun --config " + path, 2, "the configuration says"},
		{"setup --vip 10.0.0.3 --config " + path, 2, "nothing is looked up"},
		{"setup --vip x", 2, "--vip x: say an address"},
		{"setup --vip 127.0.0.1-3", 2, "127.0.0.1 is no virtual address"},
		{"setup --vip 10.0.0.3 --real x", 2, `"x" is no address`},
		{"setup --vip 10.0.0.3 --forward nat", 2, "--gateway"},
		{"setup --vip 10.0.0.3 --forward nat --gateway x", 2, `"x" is no address`},
		{"setup --vip 10.0.0.3 --forward x", 2, "nat, tun or dr"},
		{"setup --vip 10.0.0.3 --forward dr:gue:1", 2, "only tun"},
		{"setup --vip 10.0.0.3 --forward tun:gue:0", 2, "port from 1"},
		{"setup --vip 10.0.0.3 --forward tun:vxlan", 2, "tun:gre"},
		{"undo --vip 10.0.0.3 --forward nat", 2, "unknown flag: --forward"},
		{"check --json", 2, "--json"},
	} {
		code, out, complaint := monctl(append([]string{"realserver"}, strings.Fields(tt.line)...)...)
		if code != tt.code || !strings.Contains(out+complaint, tt.says) {
			t.Errorf("%s: exit status %d, printed %q; want %d and %q", tt.line, code, out+complaint, tt.code, tt.says)
		}
	}
}

// The marks of checks through the director are no virtual services, of either
// family; those of clients are.
func TestPrivateMarks(t *testing.T) {
	for words, want := range map[string]bool{
		"-V fwmark:1829919422 --service": true, "-V fwmark6:1830178770 -R 2001:db8::1": true,
		"-V fwmark:7 --service": false, "-V fwmark6:7 --service": false, "-P tcp -V 10.0.0.3:80 --service": false,
	} {
		if got := isPrivate(strings.Fields(words)); got != want {
			t.Errorf("%s: %v", words, got)
		}
	}
}
