package neighbour

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
	"pgregory.net/rapid"
)

var (
	card = MAC{2, 0, 0, 0, 0, 1}
	peer = MAC{2, 0, 0, 0, 0, 2}
	four = netip.MustParseAddr("10.0.0.3")
	six  = netip.MustParseAddr("2001:db8::3")
)

// The frames, octet for octet as the RFCs have them.
func TestFrames(t *testing.T) {
	gate4, gate6 := netip.MustParseAddr("10.0.0.254"), netip.MustParseAddr("2001:db8::fe")
	const source6, zero6 = "20010db8000000000000000000000003", "00000000000000000000000000000000"
	for _, c := range []struct {
		name  string
		got   []byte
		want  string
		claim string
	}{
		{"announcement", AppendAnnouncement(nil, card, four, true),
			"ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a000003 000000000000 0a000003", "10.0.0.3 02:00:00:00:00:01 announced"},
		{"reply", AppendReply(nil, card, four),
			"ffffffffffff 020000000001 0806 0001 0800 06 04 0002 020000000001 0a000003 020000000001 0a000003", "10.0.0.3 02:00:00:00:00:01 advertised"},
		{"question to one", AppendQuestion(nil, card, four, peer, gate4),
			"020000000002 020000000001 0806 0001 0800 06 04 0001 020000000001 0a000003 000000000000 0a0000fe", "10.0.0.3 02:00:00:00:00:01 asked"},
		{"question to all", AppendQuestion(nil, card, four, MAC{}, gate4),
			"ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a000003 000000000000 0a0000fe", "10.0.0.3 02:00:00:00:00:01 asked"},
		{"probe", AppendProbe(nil, card, four),
			"ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 00000000 000000000000 0a000003", ""},
		{"advertisement", AppendAnnouncement(nil, card, six, false),
			"333300000001 020000000001 86dd 60000000 0020 3a ff " + source6 + " ff020000000000000000000000000001" +
				"88 00 f926 20000000 " + source6 + " 0201 020000000001", "2001:db8::3 02:00:00:00:00:01 announced"},
		{"advertisement to routers, of a router", AppendToRouters(nil, card, six, true),
			"333300000002 020000000001 86dd 60000000 0020 3a ff " + source6 + " ff020000000000000000000000000002" +
				"88 00 7925 a0000000 " + source6 + " 0201 020000000001", "2001:db8::3 02:00:00:00:00:01 announced"},
		{"solicitation to one", AppendQuestion(nil, card, six, peer, gate6),
			"020000000002 020000000001 86dd 60000000 0020 3a ff " + source6 + " 20010db80000000000000000000000fe" +
				"87 00 0000 00000000 20010db80000000000000000000000fe 0101 020000000001", "2001:db8::3 02:00:00:00:00:01 asked"},
		{"solicitation to all", AppendQuestion(nil, card, six, MAC{}, gate6),
			"3333ff0000fe 020000000001 86dd 60000000 0020 3a ff " + source6 + " ff0200000000000000000001ff0000fe" +
				"87 00 0000 00000000 20010db80000000000000000000000fe 0101 020000000001", "2001:db8::3 02:00:00:00:00:01 asked"},
		{"probe of IPv6", AppendProbe(nil, card, six),
			"3333ff000003 020000000001 86dd 60000000 0018 3a ff " + zero6 + " ff0200000000000000000001ff000003" +
				"87 00 0000 00000000 " + source6, ""},
	} {
		want, err := hex.DecodeString(strings.ReplaceAll(c.want, " ", ""))
		if err != nil {
			t.Fatal(c.name, err)
		}
		got := slices.Clone(c.got)
		if len(want) > 54 && want[54] == solicitation && len(got) > 58 { // TestRoundTrip has their checksums
			got[56], got[57] = 0, 0
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n% x, want\n% x", c.name, got, want)
		}
		text := ""
		if claim, ok := Read(c.got); ok {
			text = claim.Addr.String() + " " + claim.MAC.String() + " " + claim.Kind.String()
		}
		if text != c.claim {
			t.Errorf("%s claims %q, want %q", c.name, text, c.claim)
		}
	}
}

// The filter of the kernel lets pass exactly the claims of the addresses (those
// that are like them in the last four octets may come, too).
func TestFilter(t *testing.T) {
	run := func(frame []byte, family Family, only ...netip.Addr) bool {
		t.Helper()
		p := filter(family, only)
		if _, err := bpf.Assemble(p); err != nil {
			t.Fatal(err)
		}
		if len(only) > 0 {
			p = p[3:] // the test for a VLAN tag, which only the kernel can do
		}
		vm, err := bpf.NewVM(p)
		if err != nil {
			t.Fatal(err)
		}
		n, err := vm.Run(frame)
		if err != nil {
			t.Fatal(err)
		}
		return n > 0
	}
	many4, many6 := []netip.Addr{}, []netip.Addr{}
	for a, b, i := netip.MustParseAddr("10.1.0.0"), netip.MustParseAddr("2001:db8:1::1:0"), 0; i < maxFiltered; i++ {
		many4, many6 = append(many4, a), append(many6, b)
		a, b = a.Next(), b.Next()
	}
	other4, other6 := netip.MustParseAddr("10.0.0.4"), netip.MustParseAddr("2001:db8::4")
	for _, c := range []struct {
		name   string
		frame  []byte
		family Family
		claims bool
		addr   netip.Addr
		other  netip.Addr
		many   []netip.Addr
	}{
		{"announcement", AppendAnnouncement(nil, card, four, false), IPv4, true, four, other4, many4},
		{"reply", AppendReply(nil, card, four), IPv4, true, four, other4, many4},
		{"question", AppendQuestion(nil, card, four, peer, other4), IPv4, true, four, other4, many4},
		{"probe", AppendProbe(nil, card, four), IPv4, false, four, other4, many4},
		{"advertisement", AppendAnnouncement(nil, card, six, false), IPv6, true, six, other6, many6},
		{"solicitation", AppendQuestion(nil, card, six, peer, other6), IPv6, true, six, other6, many6},
		{"probe of IPv6", AppendProbe(nil, card, six), IPv6, false, six, other6, many6},
		{"echo request", append(AppendAnnouncement(nil, card, six, false)[:54], 128, 0, 0, 0), IPv6, false, six, other6, many6},
		{"nothing", nil, IPv4, false, four, other4, nil},
		{"short", []byte{1, 2, 3}, IPv6, false, six, other6, nil},
	} {
		if run(c.frame, c.family) {
			t.Error(c.name, "passes though nobody listens")
		}
		if got := run(c.frame, c.family, c.addr, c.other); got != c.claims {
			t.Error(c.name, "passes:", got)
		}
		if run(c.frame, c.family, c.other) {
			t.Error(c.name, "of another address passes")
		}
		if run(c.frame, c.family, c.many...) {
			t.Error(c.name, "passes with many others")
		}
		if got := run(c.frame, c.family, append(c.many, c.addr, c.other)...); got != c.claims && c.many != nil && !strings.HasPrefix(c.name, "probe") {
			t.Error(c.name, "passes with very many:", got)
		}
	}
}

func genMAC() *rapid.Generator[MAC] {
	return rapid.Custom(func(t *rapid.T) MAC { return MAC(rapid.SliceOfN(rapid.Byte(), 6, 6).Draw(t, "mac")) })
}

func genAddr(size int) *rapid.Generator[netip.Addr] {
	return rapid.Custom(func(t *rapid.T) netip.Addr {
		a, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "addr"))
		return a
	})
}

// What was encoded is decoded; padding does not matter, and any changed bit of
// a packet of ICMPv6 is noticed.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		padding := rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "padding")
		a := ARP{
			From: genMAC().Draw(t, "from"), To: genMAC().Draw(t, "to"), Reply: rapid.Bool().Draw(t, "reply"),
			SenderMAC: genMAC().Draw(t, "sha"), TargetMAC: genMAC().Draw(t, "tha"),
			Sender: genAddr(4).Draw(t, "spa"), Target: genAddr(4).Draw(t, "tpa"),
		}
		if got, ok := ParseARP(append(a.Append(nil), padding...)); !ok || got != a {
			t.Fatalf("%+v, want %+v", got, a)
		}
		d := Discovery{
			From: a.From, To: a.To, Source: genAddr(16).Draw(t, "source"), Dest: genAddr(16).Draw(t, "dest"),
			Target: genAddr(16).Draw(t, "target"), Advert: rapid.Bool().Draw(t, "advert"), Card: genMAC().Draw(t, "card"),
		}
		if d.Advert {
			d.Router, d.Solicited, d.Override = rapid.Bool().Draw(t, "R"), rapid.Bool().Draw(t, "S"), rapid.Bool().Draw(t, "O")
		}
		frame := d.Append(nil)
		got, ok := ParseDiscovery(append(slices.Clone(frame), padding...))
		if ok != d.sound() || ok && got != d {
			t.Fatalf("%v %+v, want %v %+v", ok, got, d.sound(), d)
		}
		bit := rapid.IntRange(8*(etherHeader+8), 8*len(frame)-1).Draw(t, "bit")
		frame[bit/8] ^= 1 << (bit % 8)
		if _, ok := ParseDiscovery(frame); ok {
			t.Fatalf("bit %d was changed and nobody noticed", bit)
		}
	})
}

// What RFC 4861 7.1 says to discard is discarded.
func TestUnsound(t *testing.T) {
	good := func() Discovery { return *advertTo(AllNodes(), card, six, false) }
	asks := func() Discovery {
		return Discovery{From: card, To: peer, Source: six, Dest: SolicitedNode(six), Target: six, Card: card}
	}
	for name, change := range map[string]func() []byte{
		"hop limit":             func() []byte { d := good(); b := d.Append(nil); b[21] = 254; return b },
		"checksum":              func() []byte { d := good(); b := d.Append(nil); b[56]++; return b },
		"code":                  func() []byte { d := good(); b := d.Append(nil); b[55]++; b[57]--; return b },
		"VLAN tag":              func() []byte { d := good(); b := d.Append(nil); return slices.Insert(b, 12, 0x81, 0, 0, 5) },
		"another version":       func() []byte { d := good(); b := d.Append(nil); b[14] = 0x45; return b },
		"extension header":      func() []byte { d := good(); b := d.Append(nil); b[20] = 0; return b },
		"too short":             func() []byte { d := good(); return d.Append(nil)[:70] },
		"longer than the frame": func() []byte { d := good(); b := d.Append(nil); b[19] = 200; return b },
		"option without length": func() []byte { d := good(); b := d.Append(nil); b[79] = 0; b[57]++; return b },
		"solicited, to all":     func() []byte { d := good(); d.Solicited = true; return d.Append(nil) },
		"target a group":        func() []byte { d := good(); d.Target = AllNodes(); return d.Append(nil) },
		"from a group":          func() []byte { d := good(); d.Source = AllNodes(); return d.Append(nil) },
		"probe with an option":  func() []byte { d := asks(); d.Source = netip.IPv6Unspecified(); return d.Append(nil) },
		"probe to another": func() []byte {
			d := asks()
			d.Source, d.Card, d.Dest = netip.IPv6Unspecified(), MAC{}, six
			return d.Append(nil)
		},
		"claim of a group's MAC":   func() []byte { d := good(); d.Card = Broadcast(); return d.Append(nil) },
		"ARP of a group's MAC":     func() []byte { return AppendReply(nil, Broadcast(), four) },
		"ARP of a multicast group": func() []byte { return AppendReply(nil, card, netip.MustParseAddr("224.0.0.1")) },
		"ARP for something else":   func() []byte { b := AppendReply(nil, card, four); b[16] = 0x86; return b },
		"another operation":        func() []byte { b := AppendReply(nil, card, four); b[21] = 9; return b },
		"short ARP":                func() []byte { return AppendReply(nil, card, four)[:41] },
	} {
		if c, ok := Read(change()); ok {
			t.Errorf("%s: %+v", name, c)
		}
	}
	// without the option, the frame says where the address is
	d := good()
	d.Card, d.Dest, d.Solicited = MAC{}, six, true
	if c, ok := Read(d.Append(nil)); !ok || c.MAC != card || c.Kind != Answered {
		t.Error(c, ok)
	}
}

func TestNames(t *testing.T) {
	if g := SolicitedNode(netip.MustParseAddr("2001:db8::12:3456")); g != netip.MustParseAddr("ff02::1:ff12:3456") {
		t.Error(g)
	}
	if m := GroupMAC(AllRouters()).String(); m != "33:33:00:00:00:02" {
		t.Error(m)
	}
	for text, valid := range map[string]bool{"02:00:00:00:00:01": true, "0200.0000.0001": true, "x": false, "02:00:00:00:00:00:00:01": false} {
		if m, err := ParseMAC(text); (err == nil) != valid || valid && m != card {
			t.Error(text, m, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(AppendAnnouncement(nil, card, four, false))
	f.Add(AppendProbe(nil, card, six))
	f.Add(AppendToRouters(nil, card, six, true))
	f.Add(AppendQuestion(nil, card, six, peer, six))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, ok := Read(b); ok && (!c.MAC.unicast() || c.Addr.IsMulticast() || !c.Addr.IsValid() || c.Addr.IsUnspecified()) {
			t.Errorf("%+v", c)
		}
		if a, ok := ParseARP(b); ok && !slices.Equal(a.Append(nil), b[:etherHeader+arpSize]) {
			t.Errorf("%+v", a)
		}
	})
}

func FuzzNetlink(f *testing.F) {
	f.Add(netlinkRequest(16, 0, 1, linkRequest(3, "eth0")))
	f.Add(netlinkRequest(28, 0, 1, neighbourRequest(3, six)))
	f.Fuzz(func(_ *testing.T, b []byte) {
		for rest := b; ; {
			var m netlinkMessage
			var ok bool
			if m, rest, ok = nextMessage(rest); !ok {
				return
			}
			_ = m.failure()
			parseLink(m)
			parseNeighbour(m)
			parseAddress(m)
		}
	})
}
