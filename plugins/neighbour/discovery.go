package neighbour

import (
	"encoding/binary"
	"net/netip"
)

// The layout of neighbour discovery (RFC 4861 4.3, 4.4) in IPv6 (RFC 8200).
const (
	ipv6Header    = 40
	protoICMPv6   = 58
	hops          = 255 // of what no router passed on (RFC 4861 3.1)
	solicitation  = 135
	advertisement = 136
	discoverySize = 24
	sourceOption  = 1
	targetOption  = 2
	optionUnit    = 8

	flagRouter    = 0x80
	flagSolicited = 0x40
	flagOverride  = 0x20
)

// AllNodes is every station of a link, AllRouters every router.
func AllNodes() netip.Addr { return netip.AddrFrom16([16]byte{0: 0xff, 1: 2, 15: 1}) }

// AllRouters is every router of a link.
func AllRouters() netip.Addr { return netip.AddrFrom16([16]byte{0: 0xff, 1: 2, 15: 2}) }

// SolicitedNode is the group that whoever has the address listens to (RFC 4291
// 2.7.1).
func SolicitedNode(a netip.Addr) netip.Addr {
	of := a.As16()
	return netip.AddrFrom16([16]byte{0xff, 2, 11: 1, 12: 0xff, 13: of[13], 14: of[14], 15: of[15]})
}

// GroupMAC is where a multicast address of IPv6 is heard (RFC 2464 7).
func GroupMAC(group netip.Addr) MAC {
	g := group.As16()
	return MAC{0x33, 0x33, g[12], g[13], g[14], g[15]}
}

// Discovery is a neighbour solicitation or advertisement, with its frame.
type Discovery struct {
	// From and To are the frame's, Source and Dest of the IPv6 header. Source is
	// :: with one who has no address yet.
	From, To     MAC
	Source, Dest netip.Addr
	// Advert tells an advertisement from a solicitation.
	Advert bool
	Target netip.Addr
	// Router, Solicited and Override are the flags of an advertisement.
	Router, Solicited, Override bool
	// Card is the link-layer address option: of Source in a solicitation, of
	// Target in an advertisement; zero for none.
	Card MAC
}

// Append appends the frame. All addresses are IPv6.
func (d *Discovery) Append(b []byte) []byte {
	size := discoverySize
	if !d.Card.IsZero() {
		size += optionUnit
	}
	b = appendEther(b, d.To, d.From, etherIPv6)
	source, dest, target := d.Source.As16(), d.Dest.As16(), d.Target.As16()
	b = append(b, 0x60, 0, 0, 0, 0, byte(size), protoICMPv6, hops)
	b = append(append(b, source[:]...), dest[:]...)
	packet := len(b)
	kind, flags, option := byte(solicitation), byte(0), byte(sourceOption)
	if d.Advert {
		kind, flags, option = advertisement, d.flags(), targetOption
	}
	b = append(b, kind, 0, 0, 0, flags, 0, 0, 0)
	b = append(b, target[:]...)
	if !d.Card.IsZero() {
		b = append(append(b, option, 1), d.Card[:]...)
	}
	binary.BigEndian.PutUint16(b[packet+2:], checksum(source, dest, b[packet:]))
	return b
}

func (d *Discovery) flags() byte {
	var f byte
	if d.Router {
		f |= flagRouter
	}
	if d.Solicited {
		f |= flagSolicited
	}
	if d.Override {
		f |= flagOverride
	}
	return f
}

// checksum is that of ICMPv6 (RFC 4443 2.3); 0 for a packet that has the right
// one in it.
func checksum(source, dest [16]byte, packet []byte) uint16 {
	sum := uint32(len(packet)) + protoICMPv6
	for _, part := range [][]byte{source[:], dest[:], packet} {
		for ; len(part) > 1; part = part[2:] {
			sum += uint32(binary.BigEndian.Uint16(part))
		}
		if len(part) == 1 {
			sum += uint32(part[0]) << 8
		}
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// ParseDiscovery reads a frame. ok is false for whatever is not a solicitation
// or advertisement, or one that RFC 4861 7.1 says to discard: that came through
// a router, with a wrong checksum, or contradicts itself.
func ParseDiscovery(frame []byte) (d Discovery, ok bool) {
	to, from, b, ok := parseEther(frame, etherIPv6)
	if !ok || len(b) < ipv6Header+discoverySize || b[0]>>4 != 6 || b[6] != protoICMPv6 || b[7] != hops {
		return d, false
	}
	size := int(binary.BigEndian.Uint16(b[4:]))
	if size < discoverySize || size > len(b)-ipv6Header {
		return d, false
	}
	source, dest := [16]byte(b[8:24]), [16]byte(b[24:40])
	b = b[ipv6Header : ipv6Header+size]
	if b[0] != solicitation && b[0] != advertisement || b[1] != 0 || checksum(source, dest, b) != 0 {
		return d, false
	}
	d = Discovery{
		From: from, To: to, Source: netip.AddrFrom16(source), Dest: netip.AddrFrom16(dest),
		Advert: b[0] == advertisement, Target: netip.AddrFrom16([16]byte(b[8:24])),
	}
	option := byte(sourceOption)
	if d.Advert {
		d.Router, d.Solicited, d.Override = b[4]&flagRouter != 0, b[4]&flagSolicited != 0, b[4]&flagOverride != 0
		option = targetOption
	}
	d.Card, ok = parseOptions(b[discoverySize:], option)
	return d, ok && d.sound()
}

// parseOptions finds the link-layer address option of that kind. An option
// without length makes the whole packet void (RFC 4861 4.6).
func parseOptions(b []byte, kind byte) (card MAC, ok bool) {
	for len(b) > 0 {
		if len(b) < 2 {
			return card, false
		}
		size := int(b[1]) * optionUnit
		if size == 0 || size > len(b) {
			return card, false
		}
		if b[0] == kind && card.IsZero() {
			card = MAC(b[2:8])
		}
		b = b[size:]
	}
	return card, true
}

// sound reports whether a packet's parts agree (RFC 4861 7.1.1, 7.1.2).
func (d *Discovery) sound() bool {
	switch {
	case d.Target.IsMulticast(), d.Source.IsMulticast():
		return false
	case d.Advert:
		return !d.Solicited || !d.Dest.IsMulticast()
	case d.Source.IsUnspecified():
		return d.Dest == SolicitedNode(d.Target) && d.Card.IsZero()
	}
	return true
}
