package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/alerts/lvs/doctor"
)

// sizes are those of the packets that are tried: what the link takes, those of
// Ethernet, of PPPoE, of the usual tunnels, and the least that IPv6 and IPv4
// allow.
func sizes(link int) []int {
	return []int{link, 9000, 1540, 1532, 1520, 1500, 1492, 1480, 1460, 1450, 1420, 1400, 1350, 1280, 576}
}

// The messages of ICMP (RFC 792) and ICMPv6 (RFC 4443).
const (
	echoRequest4, echoReply4 = 8, 0
	echoRequest6, echoReply6 = 128, 129
	echoHeader               = 8
)

// echo is one family's way to ask for an echo.
type echo struct {
	six            bool
	ident          uint16
	request, reply byte
	header         int // of IP
}

func echoOf(six bool) echo {
	e := echo{six: six, ident: uint16(os.Getpid()), request: echoRequest4, reply: echoReply4, header: 20}
	if six {
		e.request, e.reply, e.header = echoRequest6, echoReply6, 40
	}
	return e
}

// packet is a request that makes a packet of that size, which stands in it.
func (e echo) packet(size int) []byte {
	b := make([]byte, size-e.header)
	b[0] = e.request
	binary.BigEndian.PutUint16(b[4:], e.ident)
	binary.BigEndian.PutUint16(b[6:], uint16(size))
	if !e.six { // the kernel adds that of ICMPv6
		binary.BigEndian.PutUint16(b[2:], checksum(b))
	}
	return b
}

// answer reads a reply: the size of the packet that it answers.
func (e echo) answer(b []byte) (size int, ok bool) {
	if !e.six { // a raw socket of IPv4 gives the header, too
		if len(b) < 1 || len(b) < int(b[0]&15)*4 {
			return 0, false
		}
		b = b[int(b[0]&15)*4:]
	}
	if len(b) < echoHeader || b[0] != e.reply || binary.BigEndian.Uint16(b[4:]) != e.ident {
		return 0, false
	}
	return int(binary.BigEndian.Uint16(b[6:])), true
}

// checksum is the Internet checksum (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// open opens a socket whose packets nobody may cut to pieces, and which does
// not believe what the kernel has learnt of paths.
func (e echo) open() (int, error) {
	family, protocol := unix.AF_INET, unix.IPPROTO_ICMP
	if e.six {
		family, protocol = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	s, err := open(family, unix.SOCK_RAW, protocol)
	if err != nil {
		return -1, err
	}
	if e.six {
		err = unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE)
	} else {
		err = unix.SetsockoptInt(s, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE)
	}
	if err != nil {
		unix.Close(s)
		return -1, err
	}
	return s, nil
}

// pathMTU measures how large a packet reaches the reals and comes back.
func pathMTU(ctx context.Context, p *doctor.Probes, f *doctor.Facts, reals []netip.Addr, six bool) error {
	e := echoOf(six)
	s, err := e.open()
	if err != nil {
		return err
	}
	defer unix.Close(s)
	largest := map[netip.Addr]int{}
	send := func() error {
		for _, a := range reals {
			for _, size := range sizes(linkMTU(f, a)) {
				if err := unix.Sendto(s, e.packet(size), 0, sockaddr(a)); err != nil && !passing(err) {
					return err
				}
			}
		}
		return nil
	}
	err = converse(ctx, s, send, func(packet []byte, from unix.Sockaddr) {
		a := addrOf(from)
		if size, ok := e.answer(packet); ok && slices.Contains(reals, a) {
			largest[a] = max(largest[a], size)
		}
	})
	for _, a := range reals {
		if largest[a] > 0 {
			p.PathMTU[a] = largest[a]
		} else if !errors.Is(err, context.Canceled) {
			p.Silent = append(p.Silent, a)
		}
	}
	return err
}

// linkMTU is what the link to the address takes; what is larger cannot be sent.
func linkMTU(f *doctor.Facts, a netip.Addr) int {
	for _, l := range f.Links {
		if l.Name == f.Routes[a].Link {
			return min(max(l.MTU, 576), 65535)
		}
	}
	return 1500
}

func sockaddr(a netip.Addr) unix.Sockaddr {
	if a.Is6() {
		return &unix.SockaddrInet6{Addr: a.As16()}
	}
	return &unix.SockaddrInet4{Addr: a.As4()}
}

func addrOf(s unix.Sockaddr) netip.Addr {
	switch s := s.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(s.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(s.Addr)
	}
	return netip.Addr{}
}
