package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/mondhq/mond/alerts/lvs/doctor"
	"github.com/mondhq/mond/alerts/lvs/doctor/examine"
)

// What is asked is what the RFCs say, and what they say is understood.
func TestPackets(t *testing.T) {
	for _, e := range []echo{echoOf(false), echoOf(true)} {
		for _, size := range sizes(1501) {
			p := e.packet(size)
			if len(p)+e.header != size || !e.six && checksum(p) != 0 {
				t.Errorf("a packet of %d has %d octets", size, len(p)+e.header)
			}
			p[0] = e.reply
			if !e.six {
				p = append(slices.Concat([]byte{0x45}, make([]byte, 19)), p...)
			}
			if got, ok := e.answer(p); !ok || got != size {
				t.Errorf("the answer to %d is read as %d", size, got)
			}
		}
	}
}

func FuzzPackets(f *testing.F) {
	f.Add(binary.BigEndian.AppendUint16([]byte{0x45}, 7))
	f.Fuzz(func(_ *testing.T, b []byte) {
		echoOf(false).answer(b)
		echoOf(true).answer(b)
	})
}

// In a namespace with three machines: this one, a peer and a real server by
// tun that answer for one address each, IPv4 and IPv6.
func TestAsk(t *testing.T) {
	names := network(t)
	var s doctor.Site
	for _, line := range []string{
		"-V 10.0.0.3:80 -R 10.0.0.11 -F tun", "-V 10.0.0.4:80 -R 10.0.0.99 -F tun", "-V 10.0.0.5:80 -R 10.0.0.11",
		"-V [2001:db8::3]:80 -R 2001:db8::11 -F tun", "-V [2001:db8::5]:80 -R 2001:db8::11",
	} {
		if err := s.AddClaim("", strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
	}
	f, _, err := examine.Read(t.Context(), examine.Options{Netns: names[0]}, func(*doctor.Facts) doctor.Site { return s })
	if err != nil {
		t.Fatal(err)
	}
	var p *doctor.Probes
	if err := examine.Inside(names[0], func() (err error) { p, err = Ask(t.Context(), s, f); return err }); err != nil {
		t.Fatal(err)
	}
	const peer, real = "02:00:00:00:00:02", "02:00:00:00:00:03"
	got := []string{}
	for _, a := range p.Answers {
		got = append(got, a.VIP.String()+" "+a.MAC+" "+a.Link)
	}
	slices.Sort(got)
	want := []string{"10.0.0.3 " + peer + " eth0", "10.0.0.4 " + real + " eth0", "2001:db8::3 " + peer + " eth0"}
	if !slices.Equal(got, want) || len(p.Asked) != 5 {
		t.Errorf("answers %v, want %v; asked %v; unread %v", got, want, p.Asked, f.Unread)
	}
	a := netip.MustParseAddr
	if p.PathMTU[a("10.0.0.11")] != 1400 || p.PathMTU[a("2001:db8::11")] != 1400 || !slices.Equal(p.Silent, []netip.Addr{a("10.0.0.99")}) {
		t.Errorf("%v, silent %v", p.PathMTU, p.Silent)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := examine.Inside(names[0], func() error { _, err := Ask(ended, s, f); return err }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// network makes three namespaces on one wire: this machine, a peer and a real
// server, whose link takes 1400 octets.
func network(t *testing.T) []string {
	t.Helper()
	names := []string{"mond-ask-here", "mond-ask-peer", "mond-ask-real"}
	batch := "netns add mond-ask-wire\nnetns add " + strings.Join(names, "\nnetns add ") + "\n"
	if out, err := ip(batch); err != nil {
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Skipf("needs root and network namespaces (package iproute2): %s", out)
	}
	t.Cleanup(func() { _, _ = ip("netns del mond-ask-wire\nnetns del " + strings.Join(names, "\nnetns del ") + "\n") })
	must := func(ns, batch string) {
		t.Helper()
		if out, err := ip(batch, "-n", ns); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	must("mond-ask-wire", "link add wire type bridge mcast_snooping 0\nlink set wire up\n")
	for i, name := range names {
		mtu := []string{"1500", "1500", "1400"}[i]
		number := []string{"1", "2", "3"}[i]
		must("mond-ask-wire", "link add p"+number+" type veth peer name eth0 address 02:00:00:00:00:0"+number+" netns "+name+"\nlink set p"+number+" master wire up\n")
		must(name, "link set lo up\nlink set eth0 mtu "+mtu+" up\n")
	}
	must(names[0], "address add 10.0.0.1/24 dev eth0\naddress add 10.0.0.5/32 dev eth0\naddress add 2001:db8::1/64 dev eth0 nodad\naddress add 2001:db8::5/128 dev eth0 nodad\n")
	must(names[1], "address add 10.0.0.2/24 dev eth0\naddress add 10.0.0.3/32 dev eth0\naddress add 2001:db8::2/64 dev eth0 nodad\naddress add 2001:db8::3/128 dev eth0 nodad\n")
	must(names[2], "address add 10.0.0.11/24 dev eth0\naddress add 10.0.0.4/32 dev lo\naddress add 2001:db8::11/64 dev eth0 nodad\naddress add 2001:db8::4/128 dev lo\n")
	return names
}

func ip(batch string, options ...string) ([]byte, error) {
	cmd := exec.Command("ip", append(options, "-batch", "-")...)
	cmd.Stdin = strings.NewReader(batch)
	return cmd.CombinedOutput()
}
