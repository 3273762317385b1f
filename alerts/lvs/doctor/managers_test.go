package doctor

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

func TestManagers(t *testing.T) {
	networkd := func(keeps string) Manager {
		return Manager{Program: Networkd, Link: "eth0", File: "/run/systemd/network/10-netplan-eth0.network", Keeps: keeps}
	}
	for _, tt := range []struct {
		name  string
		spoil func(s *Site, f *Facts)
		want  []string
	}{
		{"nothing", func(*Site, *Facts) {}, []string{}},
		{"networkd", func(_ *Site, f *Facts) { f.Managers = []Manager{networkd("")} }, []string{"warning manager"}},
		{"networkd keeps what is for good", func(_ *Site, f *Facts) { f.Managers = []Manager{networkd("static")} }, []string{"warning manager"}},
		{"networkd keeps all", func(_ *Site, f *Facts) { f.Managers = []Manager{networkd("yes")} }, []string{}},
		{"NetworkManager", func(_ *Site, f *Facts) { f.Managers = []Manager{{Program: NetworkManager, Link: "eth0"}} }, []string{"warning manager"}},
		{"dhclient", func(_ *Site, f *Facts) { f.Managers = []Manager{{Program: Dhclient, Link: "eth0"}} }, []string{"warning manager"}},
		{"of another link", func(_ *Site, f *Facts) { f.Managers = []Manager{{Program: Dhclient, Link: "eth1"}} }, []string{}},
		{"no address moves", func(s *Site, f *Facts) { s.Holds, f.Managers = nil, []Manager{networkd("")} }, []string{}},
		{"standby", func(_ *Site, f *Facts) { f.drop("10.0.0.3"); f.Managers = []Manager{networkd("")} }, []string{"warning manager"}},
		{"arp_notify", func(_ *Site, f *Facts) {
			f.Sysctls["net/ipv4/conf/all/arp_notify"], f.Sysctls["net/ipv4/conf/eth0/arp_notify"] = "0", "0"
		}, []string{"advice arp-notify"}},
		{"secondary", func(_ *Site, f *Facts) {
			f.Sysctls["net/ipv4/conf/all/promote_secondaries"], f.Sysctls["net/ipv4/conf/eth0/promote_secondaries"] = "0", "0"
			f.drop("10.0.0.3")
			f.Addrs = append(f.Addrs, Addr{Link: "eth0", Prefix: netip.MustParsePrefix("10.0.0.3/24")})
		}, []string{"warning secondaries"}},
		{"secondary that is promoted", func(_ *Site, f *Facts) {
			f.Sysctls["net/ipv4/conf/all/promote_secondaries"], f.Sysctls["net/ipv4/conf/eth0/promote_secondaries"] = "0", "1"
			f.drop("10.0.0.3")
			f.Addrs = append(f.Addrs, Addr{Link: "eth0", Prefix: netip.MustParsePrefix("10.0.0.3/24")})
		}, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, f := guide(ipvs.Direct)
			s.Holds, f.Daemons = []netip.Addr{addr("10.0.0.3")}, []Daemon{{true, "eth1", 1}}
			tt.spoil(&s, f)
			list := Judge(s, f)
			if diff := cmp.Diff(tt.want, worse(list)); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, textOf(list))
			}
			wantComplete(t, list)
		})
	}
}

func TestManagerOf(t *testing.T) {
	const file = "/etc/systemd/network/10-eth0.network"
	for _, tt := range []struct {
		name  string
		lines []string
		ok    bool
	}{
		{"networkd", []string{"ADMIN_STATE=configured", "NETWORK_FILE=" + file}, true},
		{"networkd leaves it", []string{"ADMIN_STATE=unmanaged"}, false},
		{"NetworkManager", []string{"[device]", "managed=true"}, true},
		{"NetworkManager leaves it", []string{"[device]", "managed=false"}, false},
		{"nothing", nil, false},
	} {
		if _, ok := ManagerOf("x", "eth0", tt.lines); ok != tt.ok {
			t.Errorf("%s: %v, want %v", tt.name, ok, tt.ok)
		}
	}
	if got := Keeps([]string{"[Network]", "KeepConfiguration=true"}, "static"); got != "yes" {
		t.Errorf("it keeps %q", got)
	}
}
