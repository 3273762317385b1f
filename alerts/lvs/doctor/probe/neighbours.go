package probe

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/alerts/lvs/doctor"
)

// The layout of ARP for IPv4 on Ethernet (RFC 826).
const (
	arpSize    = 28
	arpRequest = 1
	arpReply   = 2
)

// arpQuestion asks who has the address, as one who has none yet (RFC 5227).
func arpQuestion(mac net.HardwareAddr, who netip.Addr) []byte {
	b := []byte{0, 1, 8, 0, 6, 4, 0, arpRequest}
	b = append(b, mac...)
	b = append(b, 0, 0, 0, 0)
	b = append(b, 0, 0, 0, 0, 0, 0)
	return append(b, who.AsSlice()...)
}

// arpAnswer reads a reply: who has the address, and with which card.
func arpAnswer(b []byte) (who netip.Addr, mac string, ok bool) {
	if len(b) < arpSize || !bytes.Equal(b[:8], []byte{0, 1, 8, 0, 6, 4, 0, arpReply}) {
		return who, "", false
	}
	who, _ = netip.AddrFromSlice(b[14:18])
	return who, net.HardwareAddr(b[8:14]).String(), true
}

// htons is a number in the network's order.
func htons(n uint16) uint16 { return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, n)) }

// arp asks for all addresses on the link.
func (q *question) arp(ctx context.Context) ([]doctor.Answer, error) {
	mac, err := net.ParseMAC(q.link.MAC)
	if err != nil {
		return nil, err
	}
	s, err := open(unix.AF_PACKET, unix.SOCK_DGRAM, int(htons(unix.ETH_P_ARP)))
	if err != nil {
		return nil, err
	}
	defer unix.Close(s)
	if err := unix.Bind(s, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ARP), Ifindex: q.link.Index}); err != nil {
		return nil, err
	}
	all := &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ARP), Ifindex: q.link.Index, Halen: 6}
	copy(all.Addr[:], []byte{255, 255, 255, 255, 255, 255})
	send := func() error {
		for _, a := range q.addrs {
			if err := unix.Sendto(s, arpQuestion(mac, a), 0, all); err != nil {
				return err
			}
		}
		return nil
	}
	var out []doctor.Answer
	err = converse(ctx, s, send, func(packet []byte, _ unix.Sockaddr) {
		if who, from, ok := arpAnswer(packet); ok && from != q.link.MAC {
			out = q.answered(out, who, from)
		}
	})
	return out, err
}

// answered adds an answer to one of the questions, once.
func (q *question) answered(out []doctor.Answer, who netip.Addr, mac string) []doctor.Answer {
	a := doctor.Answer{VIP: who, Link: q.link.Name, MAC: mac}
	if !slices.Contains(q.addrs, who) || slices.Contains(out, a) {
		return out
	}
	return append(out, a)
}

// The layout of neighbour discovery (RFC 4861).
const (
	solicitation    = 135
	advertisement   = 136
	sourceOption    = 1
	targetOption    = 2
	discoverySize   = 24
	discoveryHops   = 255
	typeOfICMP6     = 58
	optionUnitBytes = 8
)

// solicitationFor asks who has the address; the kernel adds the checksum.
func solicitationFor(mac net.HardwareAddr, who netip.Addr) []byte {
	b := append([]byte{solicitation, 0, 0, 0, 0, 0, 0, 0}, who.AsSlice()...)
	return append(append(b, sourceOption, 1), mac...)
}

// advertised reads an advertisement: who has the address, and with which card.
func advertised(b []byte) (who netip.Addr, mac string, ok bool) {
	if len(b) < discoverySize || b[0] != advertisement || b[1] != 0 {
		return who, "", false
	}
	who, _ = netip.AddrFromSlice(b[8:24])
	for rest := b[discoverySize:]; len(rest) >= optionUnitBytes; {
		size := int(rest[1]) * optionUnitBytes
		if size == 0 || size > len(rest) {
			return who, "", false
		}
		if rest[0] == targetOption {
			return who, net.HardwareAddr(rest[2:8]).String(), true
		}
		rest = rest[size:]
	}
	return who, "", false
}

// solicitedNode is the group that whoever has the address listens to.
func solicitedNode(a netip.Addr) [16]byte {
	group := netip.MustParseAddr("ff02::1:ff00:0").As16()
	octets := a.As16()
	copy(group[13:], octets[13:])
	return group
}

// solicit asks for all addresses on the link.
func (q *question) solicit(ctx context.Context) ([]doctor.Answer, error) {
	mac, err := net.ParseMAC(q.link.MAC)
	if err != nil {
		return nil, err
	}
	s, err := open(unix.AF_INET6, unix.SOCK_RAW, typeOfICMP6)
	if err != nil {
		return nil, err
	}
	defer unix.Close(s)
	err = errors.Join(
		unix.BindToDevice(s, q.link.Name),
		unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, q.link.Index),
		unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, discoveryHops),
		unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP, 0),
	)
	if err != nil {
		return nil, err
	}
	send := func() error {
		for _, a := range q.addrs {
			to := &unix.SockaddrInet6{Addr: solicitedNode(a), ZoneId: uint32(q.link.Index)}
			if err := unix.Sendto(s, solicitationFor(mac, a), 0, to); err != nil {
				return err
			}
		}
		return nil
	}
	var out []doctor.Answer
	err = converse(ctx, s, send, func(packet []byte, _ unix.Sockaddr) {
		if who, from, ok := advertised(packet); ok && from != q.link.MAC {
			out = q.answered(out, who, from)
		}
	})
	return out, err
}
