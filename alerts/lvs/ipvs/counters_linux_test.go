package ipvs

import (
	"math"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink/nl"
)

// The kernel counts in 64 bits, and says so again in 32 for old readers: what is
// above 2^32 is read whole.
func TestCounters64(t *testing.T) {
	const above = 1 << 32
	for name, want := range map[string]Counters{
		"above 2^32": {Active: 1, Inactive: 2, Persistent: 3, Connections: above + 1, PacketsIn: above + 2, PacketsOut: above + 3, BytesIn: above + 4, BytesOut: above + 5},
		"as much as there is": {
			Active: math.MaxUint32, Inactive: math.MaxUint32, Persistent: math.MaxUint32,
			Connections: math.MaxUint64, PacketsIn: math.MaxUint64 - 1, PacketsOut: math.MaxUint64 - 2, BytesIn: math.MaxUint64 - 3, BytesOut: math.MaxUint64 - 4,
		},
		"nothing": {},
	} {
		d := Destination{Addr: netip.MustParseAddrPort("192.168.0.1:80"), Weight: 5, Forward: Direct, Counters: want}
		got, err := parseDestination(answerOfReal(d), Virtual{Protocol: TCP, Addr: netip.MustParseAddrPort("10.0.0.3:80")})
		if err != nil || got != d {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// answerOfReal is what the kernel answers about d.
func answerOfReal(d Destination) []byte {
	c := d.Counters
	a := destAll(d)
	a.AddRtAttr(destActive, nl.Uint32Attr(c.Active))
	a.AddRtAttr(destInactive, nl.Uint32Attr(c.Inactive))
	a.AddRtAttr(destPersistent, nl.Uint32Attr(c.Persistent))
	const stats32 = 10
	old, all := a.AddRtAttr(stats32, nil), a.AddRtAttr(destStats64, nil)
	for i, n := range []uint64{c.Connections, c.PacketsIn, c.PacketsOut, c.BytesIn, c.BytesOut} {
		old.AddRtAttr(i+1, nl.Uint32Attr(uint32(n)))
		all.AddRtAttr(i+1, nl.Uint64Attr(n))
	}
	return append(make([]byte, nl.SizeofGenlmsg), a.Serialize()...)
}
