package neighbour

import (
	"net/netip"
)

// Claim is what a frame says of an address: that it is at a hardware address.
type Claim struct {
	Addr netip.Addr
	MAC  MAC
	Kind Kind
}

// Kind is how a claim was made.
type Kind uint8

// The kinds.
const (
	Announced  Kind = iota // ARP request or unsolicited advertisement to all: whose the address is
	Asked                  // a question to others by one who has the address
	Answered               // ARP reply, or solicited advertisement
	Advertised             // a gratuitous ARP reply to all
)

func (k Kind) String() string {
	return [...]string{"announced", "asked", "answered", "advertised"}[min(k, Advertised)]
}

// Read reads a frame. ok is false for one that claims nothing: not ARP or
// neighbour discovery, not sound, by one who has no address, or of a hardware
// address that no station can have.
func Read(frame []byte) (c Claim, ok bool) {
	if a, ok := ParseARP(frame); ok {
		return a.claim()
	}
	if d, ok := ParseDiscovery(frame); ok {
		return d.claim()
	}
	return c, false
}

func (a *ARP) claim() (Claim, bool) {
	c := Claim{Addr: a.Sender, MAC: a.SenderMAC, Kind: Asked}
	switch {
	case a.Reply && a.Sender == a.Target:
		c.Kind = Advertised
	case a.Reply:
		c.Kind = Answered
	case a.Sender == a.Target:
		c.Kind = Announced
	}
	return c, c.sound()
}

func (d *Discovery) claim() (Claim, bool) {
	if !d.Advert { // without the option it says who asks, but not for others to learn
		return d.at(Claim{Addr: d.Source, Kind: Asked})
	}
	if d.Solicited || !d.Dest.IsMulticast() {
		return d.at(Claim{Addr: d.Target, Kind: Answered})
	}
	return d.at(Claim{Addr: d.Target, Kind: Announced})
}

// at adds the hardware address: of the option, or else of the frame, since a
// unicast answer may go without the option (RFC 4861 4.4).
func (d *Discovery) at(c Claim) (Claim, bool) {
	if c.MAC = d.Card; c.MAC.IsZero() {
		c.MAC = d.From
	}
	return c, c.sound()
}

// sound reports whether the claim is of an address that one station can have.
func (c Claim) sound() bool {
	return c.MAC.unicast() && !c.Addr.IsUnspecified() && !c.Addr.IsMulticast()
}

// AppendAnnouncement appends a frame that tells all stations that the address
// is at the card: an ARP announcement (RFC 5227 3), or an unsolicited
// advertisement that overrides what they know (RFC 4861 7.2.6).
func AppendAnnouncement(b []byte, card MAC, addr netip.Addr, router bool) []byte {
	if addr.Is4() {
		return (&ARP{From: card, To: Broadcast(), SenderMAC: card, Sender: addr, Target: addr}).Append(b)
	}
	return advertTo(AllNodes(), card, addr, router).Append(b)
}

// AppendReply appends a gratuitous reply of ARP (RFC 5944 4.6), which some
// equipment heeds that ignores announcements.
func AppendReply(b []byte, card MAC, addr netip.Addr) []byte {
	a := ARP{From: card, To: Broadcast(), Reply: true, SenderMAC: card, Sender: addr, TargetMAC: card, Target: addr}
	return a.Append(b)
}

// AppendToRouters appends an advertisement to the routers of the link, which
// may make an entry of it where they have none (RFC 9131).
func AppendToRouters(b []byte, card MAC, addr netip.Addr, router bool) []byte {
	return advertTo(AllRouters(), card, addr, router).Append(b)
}

func advertTo(group netip.Addr, card MAC, addr netip.Addr, router bool) *Discovery {
	return &Discovery{
		From: card, To: GroupMAC(group), Source: addr, Dest: group,
		Advert: true, Target: addr, Router: router, Override: true, Card: card,
	}
}

// AppendQuestion appends the question who has the address, from one who has
// another: it tells the asked that from is at card. to is the station asked, as
// far as it is known, or zero: then all are (IPv4), or those that may have the
// address (IPv6). from and who are of one family.
func AppendQuestion(b []byte, card MAC, from netip.Addr, to MAC, who netip.Addr) []byte {
	if who.Is4() {
		if to.IsZero() {
			to = Broadcast()
		}
		return (&ARP{From: card, To: to, SenderMAC: card, Sender: from, Target: who}).Append(b)
	}
	d := Discovery{From: card, To: to, Source: from, Dest: who, Target: who, Card: card}
	if to.IsZero() {
		d.Dest = SolicitedNode(who)
		d.To = GroupMAC(d.Dest)
	}
	return d.Append(b)
}

// AppendProbe appends the question who has the address from one who has none:
// nobody learns anything from it (RFC 5227 1.1, RFC 4862 5.4.2).
//
// With IPv6 a station that is just testing whether the address is free takes
// the probe for another's test, and gives the address up. So it is for
// addresses that are added without that test.
func AppendProbe(b []byte, card MAC, who netip.Addr) []byte {
	if who.Is4() {
		return AppendQuestion(b, card, netip.IPv4Unspecified(), MAC{}, who)
	}
	d := Discovery{From: card, Source: netip.IPv6Unspecified(), Dest: SolicitedNode(who), Target: who}
	d.To = GroupMAC(d.Dest)
	return d.Append(b)
}
