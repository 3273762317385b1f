package neighbour

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
)

// MAC is a hardware address of Ethernet.
type MAC [6]byte

// Broadcast is every station of the link.
func Broadcast() MAC { return MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff} }

// ParseMAC reads a hardware address in a usual notation.
func ParseMAC(text string) (MAC, error) {
	b, err := net.ParseMAC(text)
	if err != nil {
		return MAC{}, err
	}
	if len(b) != len(MAC{}) {
		return MAC{}, fmt.Errorf("%s is not a hardware address of Ethernet, which has 6 octets", text)
	}
	return MAC(b), nil
}

func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }

// IsZero reports whether it names no station.
func (m MAC) IsZero() bool { return m == MAC{} }

// unicast reports whether it can be that of a station: not a group's, not zero.
func (m MAC) unicast() bool { return m[0]&1 == 0 && !m.IsZero() }

// The layout of Ethernet II.
const (
	etherHeader = 14
	etherARP    = 0x0806
	etherIPv6   = 0x86dd
)

// appendEther appends a frame's header.
func appendEther(b []byte, to, from MAC, kind uint16) []byte {
	b = append(append(b, to[:]...), from[:]...)
	return binary.BigEndian.AppendUint16(b, kind)
}

// parseEther reads a frame's header and returns what is in it.
func parseEther(frame []byte, kind uint16) (to, from MAC, rest []byte, ok bool) {
	if len(frame) < etherHeader || binary.BigEndian.Uint16(frame[12:]) != kind {
		return to, from, nil, false
	}
	return MAC(frame[:6]), MAC(frame[6:12]), frame[etherHeader:], true
}

// The operations of ARP.
const (
	arpRequest = 1
	arpReply   = 2
)

// arpSize is the length of a packet for IPv4 on Ethernet. The minimum of 60
// octets that a frame has on the wire is the driver's affair.
const arpSize = 28

// ARP is a packet of ARP for IPv4 on Ethernet, with its frame.
type ARP struct {
	// From and To are the frame's.
	From, To MAC
	// Reply tells a reply from a request.
	Reply bool
	// SenderMAC and Sender say who is where; Sender is 0.0.0.0 with one who has
	// no address yet.
	SenderMAC MAC
	Sender    netip.Addr
	// Target is whom a request looks for. TargetMAC says nothing in a request.
	TargetMAC MAC
	Target    netip.Addr
}

// arpHead is of every packet for IPv4 on Ethernet: their numbers, and the
// lengths of their addresses.
func arpHead() []byte { return []byte{0, 1, 8, 0, 6, 4, 0} }

// Append appends the frame. Sender and Target are IPv4.
func (a *ARP) Append(b []byte) []byte {
	b = appendEther(b, a.To, a.From, etherARP)
	operation := byte(arpRequest)
	if a.Reply {
		operation = arpReply
	}
	b = append(append(b, arpHead()...), operation)
	sender, target := a.Sender.As4(), a.Target.As4()
	b = append(append(b, a.SenderMAC[:]...), sender[:]...)
	return append(append(b, a.TargetMAC[:]...), target[:]...)
}

// ParseARP reads a frame; what follows the packet is padding. ok is false for
// whatever is not a request or reply for IPv4 on Ethernet.
func ParseARP(frame []byte) (a ARP, ok bool) {
	to, from, b, ok := parseEther(frame, etherARP)
	if !ok || len(b) < arpSize || !bytes.Equal(b[:7], arpHead()) || b[7] != arpRequest && b[7] != arpReply {
		return a, false
	}
	return ARP{
		From: from, To: to, Reply: b[7] == arpReply,
		SenderMAC: MAC(b[8:14]), Sender: netip.AddrFrom4([4]byte(b[14:18])),
		TargetMAC: MAC(b[18:24]), Target: netip.AddrFrom4([4]byte(b[24:28])),
	}, true
}
