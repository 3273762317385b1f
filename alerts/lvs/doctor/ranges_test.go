package doctor

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// claims makes a site of the words of lvs.alert.
func claims(t *testing.T, list ...string) Site {
	t.Helper()
	var s Site
	for _, c := range list {
		if err := s.AddClaim("web", strings.Fields(c)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// whats are what the findings with a code say.
func whats(list []Finding, code string) (out []string) {
	for _, f := range list {
		if f.Code == code {
			out = append(out, f.What)
		}
	}
	return out
}

// Each address of a range is looked at, and what is so of several is said once.
func TestRanges(t *testing.T) {
	const web = "-P tcp -V 10.0.0.3-20:80"
	_, f := guide(0)
	for _, a := range []string{"10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.9"} {
		f.Addrs = append(f.Addrs, Addr{Link: "eth0", Prefix: Host(addr(a))})
	}
	s := claims(t, web+" --service -s wlc", web+" -R 192.168.0.1 -F dr")
	list := Judge(s, f)
	want := []string{"10.0.0.7, 10.0.0.8 and 10.0.0.10 to 10.0.0.20 are on no interface, and nothing that was found would bring them"}
	if diff := cmp.Diff(want, whats(list, "vip-absent")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"10.0.0.3 to 10.0.0.6 and 10.0.0.9 are on eth0"}, whats(list, "vip")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	i := slices.IndexFunc(list, func(f Finding) bool { return f.Code == "vip-absent" })
	if run := strings.Join(list[i].Run, "\n"); !strings.HasPrefix(run, "for a in 10.0.0.7 10.0.0.8 10.0.0.10 ") || !strings.HasSuffix(run, " 10.0.0.20; do ip addr add $a/32 dev eth0; done") {
		t.Errorf("runs %q", run)
	}
	if do := list[i].Do; !strings.HasPrefix(do, "add them to the interface") {
		t.Errorf("says to %q", do)
	}
	if at := s.Virtuals[0].Subject(); len(s.Virtuals) != 1 || at != "web (tcp 10.0.0.3-10.0.0.20:80)" {
		t.Errorf("%d virtual services, %s", len(s.Virtuals), at)
	}
}

// Of a range whose rows others make, those that are missing are told.
func TestRangeWithoutRows(t *testing.T) {
	_, f := guide(0)
	s := claims(t, "-P tcp -V 10.0.0.3-9:80 -R 192.168.0.1 -F dr", "-P tcp -V 10.0.0.5:80 --service -s wlc")
	for _, at := range []string{"10.0.0.3:80", "10.0.0.9:80"} { // the ends alone
		row := s.Virtuals[0].Virtual
		row.Addr = netip.MustParseAddrPort(at)
		f.Table = append(f.Table, Row{})
		f.Table[len(f.Table)-1].Virtual = row
	}
	want := []string{"the table has no virtual service for 10.0.0.4 and 10.0.0.6 to 10.0.0.8, and the configuration only names its real servers"}
	list := Judge(s, f)
	if diff := cmp.Diff(want, whats(list, "no-service")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	i := slices.IndexFunc(list, func(f Finding) bool { return f.Code == "no-service" })
	if diff := cmp.Diff([]string{"for a in 10.0.0.4 10.0.0.6 10.0.0.7 10.0.0.8; do ipvsadm -A -t $a:80 -s wlc; done"}, list[i].Run); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A great many addresses are bounded, and it is said what was not looked at.
func TestVeryManyAddresses(t *testing.T) {
	var list []string
	for i := range 64 {
		list = append(list, "-P tcp -V "+netip.AddrFrom4([4]byte{10, 0, byte(4 * i), 0}).String()+"/22:80 --service -s wlc")
	}
	s := claims(t, list...)
	_, f := guide(0)
	got := Judge(s, f)
	want := []string{"there are 65536 virtual addresses: 16384 were looked at, and not 10.0.64.0 to 10.0.255.255"}
	if diff := cmp.Diff(want, whats(got, "vip-many")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	i := slices.IndexFunc(got, func(f Finding) bool { return f.Code == "vip-absent" })
	if run := got[i].Run[0]; strings.Count(run, "10.0.") != inCommand || !strings.HasSuffix(got[i].Do, "(the command is for the first 64 of 16382)") {
		t.Errorf("runs %q, %s", run, got[i].Do)
	}
	if len(got) > 20 {
		t.Errorf("%d findings", len(got))
	}
}

func TestNoRangeIsTooLarge(t *testing.T) {
	var s Site
	err := s.AddClaim("web", strings.Fields("-P tcp -V 10.0.0.0/8:80 --service -s wlc"))
	if err == nil || !strings.Contains(err.Error(), "more than 1024 addresses") {
		t.Errorf("got %v", err)
	}
}

func TestStretch(t *testing.T) {
	for _, tt := range []struct{ addrs, want string }{
		{"10.0.0.3", "10.0.0.3"},
		{"10.0.0.4 10.0.0.3 10.0.0.3", "10.0.0.3 and 10.0.0.4"},
		{"10.0.0.3 10.0.0.4 10.0.0.5", "10.0.0.3 to 10.0.0.5"},
		{"10.0.0.255 10.0.1.0 10.0.1.1 10.0.1.7", "10.0.0.255 to 10.0.1.1 and 10.0.1.7"},
		{"10.0.0.1 10.0.0.3 10.0.0.5 10.0.0.7 10.0.0.9", "10.0.0.1, 10.0.0.3, 10.0.0.5 and 2 more"},
		{"255.255.255.254 255.255.255.255 2001:db8::1", "255.255.255.254, 255.255.255.255 and 2001:db8::1"},
	} {
		var list []netip.Addr
		for _, a := range strings.Fields(tt.addrs) {
			list = append(list, addr(a))
		}
		if got := Stretch(list); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.addrs, got, tt.want)
		}
	}
}

// What is not quite the same stays apart, and an address that only begins with
// another is none.
func TestStretchesKeepApart(t *testing.T) {
	var s Stretches
	f := func(what string) []Finding { return []Finding{{Code: "x", What: what}} }
	s.Add(addr("10.0.0.3"), f("10.0.0.3 is beside 10.0.0.33"))
	s.Add(addr("10.0.0.4"), f("10.0.0.4 is beside 10.0.0.33"))
	s.Add(addr("10.0.0.5"), f("10.0.0.5 is beside 10.0.0.53"))
	s.Add(addr("2001:db8::1"), f("2001:db8::1 is beside 2001:db8::1f"))
	want := []string{"10.0.0.3 and 10.0.0.4 are beside 10.0.0.33", "10.0.0.5 is beside 10.0.0.53", "2001:db8::1 is beside 2001:db8::1f"}
	if diff := cmp.Diff(want, whats(s.Findings(), "x")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
