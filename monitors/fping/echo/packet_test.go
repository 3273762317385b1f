package echo

import (
	"bytes"
	"net/netip"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/plugins/monitor"
)

// What is put is what golang.org/x/net/icmp makes, and what is read back.
func TestStamp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := stamp{
			id: rapid.Uint16().Draw(t, "id"), seq: rapid.Uint16().Draw(t, "seq"),
			nonce: rapid.Uint64().Draw(t, "nonce"), number: rapid.Uint32().Draw(t, "number"),
		}
		filler := rapid.SliceOfN(rapid.Byte(), 0, 99).Draw(t, "filler")
		b := make([]byte, headLen)
		s.put(b, false)
		c := checksum(sum(sum(0, filler), b))
		b[2], b[3] = byte(c>>8), byte(c)
		m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: int(s.id), Seq: int(s.seq), Data: append(b[headerLen:headLen:headLen], filler...)}}
		want, err := m.Marshal(nil)
		if err != nil || !bytes.Equal(want, append(b, filler...)) {
			t.Fatalf("%x, want %x, %v", append(b, filler...), want, err)
		}
		if got, ok := readQuote(want, false); !ok || got != s {
			t.Fatalf("%+v, want %+v", got, s)
		}
		s.put(b, true)
		if ipv6.ICMPType(b[0]) != ipv6.ICMPTypeEchoRequest {
			t.Fatal(b[0])
		}
		b[0] = echoReply6
		if got, ok := readReply(b, true, true); !ok || got != s {
			t.Fatalf("%+v, want %+v", got, s)
		}
	})
}

func TestUnreachableInWords(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")
	for _, tt := range []struct {
		u            Unreachable
		want         string
		final, local bool
	}{
		{Unreachable{From: four, Type: 3, Code: 1}, "10.0.0.1 says host unreachable", true, false},
		{Unreachable{From: four, Type: 3, Code: 1, Own: true}, "no neighbour answers for it: host unreachable", true, false},
		{Unreachable{From: four, Type: 3, Code: 13, Own: true}, "this machine says prohibited by a filter", true, true},
		{Unreachable{From: four, Type: 3, Code: 4}, "10.0.0.1 says ICMP type 3 code 4", false, false},
		{Unreachable{From: four, Type: 3, Code: 16}, "10.0.0.1 says ICMP type 3 code 16", false, false},
		{Unreachable{From: four, Type: 11, Code: 1}, "10.0.0.1 says ICMP type 11 code 1", false, false},
		{Unreachable{From: six, Type: 1, Code: 3}, "fd00::1 says address unreachable", true, false},
		{Unreachable{From: six, Type: 1, Code: 3, Own: true}, "no neighbour answers for it: address unreachable", true, false},
		{Unreachable{From: six, Type: 1, Code: 0, Own: true}, "this machine says no route", true, true},
		{Unreachable{From: six, Type: 2, Code: 0}, "fd00::1 says ICMP type 2 code 0", false, false},
		{Unreachable{From: six, Type: 3, Code: 0}, "fd00::1 says time to live exceeded", true, false},
	} {
		if got := tt.u.Error(); got != tt.want || tt.u.final() != tt.final || monitor.Local(tt.u.verdict()) != tt.local {
			t.Errorf("%+v: %s, final %v", tt.u, got, tt.u.final())
		}
	}
}

// FuzzPackets reads what may come from the network: nothing of it may break
// anything, and only what carries a whole stamp is a reply.
func FuzzPackets(f *testing.F) {
	whole := make([]byte, headLen)
	stamp{1, 2, false, 3, 4}.put(whole, false)
	whole[0] = echoReply4
	f.Add(whole)
	f.Add(append([]byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}, whole...))
	f.Add([]byte{0x4f, 9: 1, 19: 0})
	f.Add([]byte{0x41, 9: 1, 60: 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, six := range []bool{false, true} {
			for _, raw := range []bool{false, true} {
				if s, ok := readReply(b, six, raw); ok && (s.short || len(b) < headLen) {
					t.Errorf("%x is read as %+v", b, s)
				}
			}
			if s, ok := readQuote(b, six); ok && s.short != (len(b) < headLen) {
				t.Errorf("%x is read as %+v", b, s)
			}
		}
		checksum(sum(0, b))
	})
}
