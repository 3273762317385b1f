package probe

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mondhq/mond/alerts/lvs/doctor"
)

// For no more than 256 addresses is asked on a link, and it is said for which
// others not; each link counts by itself.
func TestManyAddresses(t *testing.T) {
	var s doctor.Site
	f := &doctor.Facts{Links: []doctor.Link{{Index: 2, Name: "eth0", Up: true, ARP: true}, {Index: 3, Name: "eth1", Up: true, ARP: true}}}
	for _, net := range []struct{ words, link string }{
		{"-V 10.0.0.0/24:80", "eth0"}, {"-V 10.0.1.0-44:80", "eth0"}, {"-V [2001:db8::/120]:80", "eth1"},
	} {
		var of doctor.Site
		for _, site := range []*doctor.Site{&s, &of} {
			if err := site.AddClaim("", strings.Fields(net.words+" --service -s wlc")); err != nil {
				t.Fatal(err)
			}
		}
		for _, a := range of.VIPs() {
			f.Addrs = append(f.Addrs, doctor.Addr{Link: net.link, Prefix: doctor.Host(a)})
		}
	}
	list := questions(s, f)
	if len(list) != 2 || len(list[0].addrs) != maxAsked || len(list[1].addrs) != 256 {
		t.Fatalf("%d questions, the first of %d", len(list), len(list[0].addrs))
	}
	if first, last := list[0].addrs[0], list[0].addrs[maxAsked-1]; first != netip.MustParseAddr("10.0.0.0") || last != netip.MustParseAddr("10.0.0.255") {
		t.Errorf("asks for %s to %s", first, last)
	}
	want := []doctor.Unread{{What: "who answers for 10.0.1.0 to 10.0.1.44 on eth0", Err: "only the first 256 of 301 virtual addresses are asked for, lest the network be flooded"}}
	if !slices.Equal(f.Unread, want) {
		t.Errorf("unread %+v", f.Unread)
	}
}
