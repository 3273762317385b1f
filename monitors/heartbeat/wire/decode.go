package wire

import (
	"net/netip"
	"time"
)

// Decode reads what Append wrote into b, whose slices it uses again. It reports
// false for a body that is no beat, and b then means nothing. What a beat says
// is bounded: all numbers are in the ranges that Beat names, no link or group
// is there twice. What only a later release knows reads as nothing, but a claim:
// that one reads as Holding, the safest that it can mean.
func (b *Beat) Decode(body []byte) bool {
	*b = Beat{Links: b.Links[:0], Groups: b.Groups[:0]}
	return values(body, b.value) && b.Number != 0
}

func (b *Beat) value(kind byte, v []byte) bool {
	switch kind {
	case tlvNode:
		return b.decodeNode(v)
	case tlvLink:
		return b.decodeLink(v)
	case tlvGroup:
		return b.decodeGroup(v)
	case tlvGrant:
		return b.decodeGrant(v)
	case tlvAddresses:
		return b.decodeAddresses(v)
	}
	return true
}

func (b *Beat) decodeNode(v []byte) bool {
	if len(v) < 30 || b.Number != 0 {
		return false
	}
	b.Number = be.Uint32(v)
	b.Interval = time.Duration(be.Uint16(v[4:])) * time.Millisecond
	b.Dead = time.Duration(be.Uint16(v[6:])) * time.Millisecond
	b.Flags = Flags(be.Uint16(v[8:]))
	b.ConfigVersion = be.Uint32(v[10:])
	b.ConfigHash = be.Uint64(v[14:])
	b.Replica = be.Uint64(v[22:])
	return b.Number != 0
}

func (b *Beat) decodeLink(v []byte) bool {
	if len(v) < 13 || len(b.Links) == MaxLinks || b.Link(v[0]) != nil {
		return false
	}
	b.Links = append(b.Links, Link{
		Link: v[0], Hears: v[1]&1 != 0, Sent: be.Uint16(v[2:]), Last: be.Uint32(v[4:]),
		Ago: min(time.Duration(be.Uint32(v[8:]))*time.Microsecond, time.Hour), Loss: min(v[12], 100),
	})
	return true
}

func (b *Beat) decodeGroup(v []byte) bool {
	if len(v) < 22 || len(b.Groups) == MaxGroups || b.Group(be.Uint16(v)) != nil {
		return false
	}
	g := b.nextGroup()
	*g = Group{
		Group: be.Uint16(v), Claim: known(Claim(v[2]>>4), claims, Holding), Order: known(Order(v[2]&15), orders, Auto),
		Asks: known(Cause(v[3]>>4), causes, NoCause), Gives: v[3]&1 != 0, Known: v[3]&2 != 0, Able: v[3]&4 != 0, Frozen: v[3]&8 != 0,
		Priority: v[4], Held: v[5], Total: v[6], Fitness: min(v[7], 100),
		Epoch: uint64(be.Uint16(v[8:]))<<32 | uint64(be.Uint32(v[10:])), Digest: be.Uint32(v[14:]),
		Lease:   time.Duration(be.Uint16(v[18:])) * time.Millisecond,
		Traffic: be.Uint16(v[20:]), Addresses: g.Addresses[:0],
	}
	if be.Uint16(v[18:]) == permanent {
		g.Lease = Permanent
	}
	return true
}

// nextGroup is one more group, with the slice of addresses that it had before.
func (b *Beat) nextGroup() *Group {
	n := len(b.Groups)
	if n < cap(b.Groups) {
		b.Groups = b.Groups[:n+1]
	} else {
		b.Groups = append(b.Groups, Group{})
	}
	return &b.Groups[n]
}

// known is v if this release knows it.
func known[T ~uint8](v, limit, otherwise T) T {
	if v >= limit {
		return otherwise
	}
	return v
}

func (b *Beat) decodeGrant(v []byte) bool {
	if len(v) < 10 {
		return false
	}
	g := b.Group(be.Uint16(v))
	if g == nil {
		return false
	}
	g.Grant = Grant{Incarnation: be.Uint32(v[2:]), Beat: be.Uint32(v[6:])}
	return true
}

func (b *Beat) decodeAddresses(v []byte) bool {
	if len(v) < 2 {
		return false
	}
	g := b.Group(be.Uint16(v))
	if g == nil {
		return false
	}
	g.Addresses = g.Addresses[:0]
	for v = v[2:]; len(v) > 0; {
		n := int(v[0])
		if len(v) < 1+n {
			return false
		}
		a, ok := netip.AddrFromSlice(v[1 : 1+n])
		if !ok {
			return false
		}
		g.Addresses = append(g.Addresses, a)
		v = v[1+n:]
	}
	return true
}

// Link is what b says of a link, nil for nothing.
func (b *Beat) Link(link uint8) *Link {
	for i := range b.Links {
		if b.Links[i].Link == link {
			return &b.Links[i]
		}
	}
	return nil
}

// Group is what b says of a group, nil for nothing.
func (b *Beat) Group(group uint16) *Group {
	for i := range b.Groups {
		if b.Groups[i].Group == group {
			return &b.Groups[i]
		}
	}
	return nil
}
