package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/plugins/role/boottime"
)

const (
	// hops is the TTL of what is sent (RFC 5082).
	hops = 255
	// cs6 is the traffic class of what keeps a network together (RFC 2474), in
	// the place where IP_TOS and IPV6_TCLASS have it.
	cs6 = 6 << 5
	// priority is that of the interface's queue; a higher one takes a privilege.
	priority = 6
	// longest is how long a packet can have waited in this machine for its
	// timestamp to be believed: the clock may have been set since.
	longest = time.Minute
)

// datagrams is an open socket.
type datagrams struct {
	conn   *net.UDPConn
	raw    syscall.RawConn
	to     unix.Sockaddr // nil where the socket is connected
	onLink bool
	device string
	shut   sync.Once

	// packet and err are send's, so that nothing is allocated.
	packet []byte
	err    error
	put    func(fd uintptr) bool
	// oob is receive's; overrun and refused are counted.
	oob              []byte
	overrun, refused atomic.Uint64
}

// openUDP opens the socket of a link.
func openUDP(s Spec) (medium, error) {
	d := &datagrams{oob: make([]byte, 256)}
	bind := s.Group
	var ifi *net.Interface
	var err error
	if s.Kind == Unicast {
		bind = s.Local
		ifi, d.onLink, err = interfaceOf(s.Local.Addr(), s.Peer.Addr())
	} else {
		d.onLink = true
		if ifi, err = net.InterfaceByName(s.Device); err != nil {
			err = fmt.Errorf("interface %s: %w", s.Device, bare(err))
		}
	}
	if err != nil {
		return nil, err
	}
	if ifi.Flags&net.FlagUp == 0 {
		return nil, fmt.Errorf("interface %s is down", ifi.Name)
	}
	d.device = ifi.Name
	fd, err := d.socket(s, bind, ifi)
	if err != nil {
		return nil, err
	}
	return d, d.adopt(fd, s)
}

// bare is err without the operation that package net names.
func bare(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// interfaceOf is the interface that has the local address, and whether the peer
// is on its network.
func interfaceOf(local, peer netip.Addr) (*net.Interface, bool, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, false, fmt.Errorf("list the interfaces: %w", err)
	}
	for _, ifi := range all {
		if local.Zone() != "" && local.Zone() != ifi.Name {
			continue
		}
		addrs, err := ifi.Addrs()
		if err != nil {
			continue // it went meanwhile
		}
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			// All of lo's network is this machine.
			own := p.Addr().WithZone("") == local.WithZone("") || ifi.Flags&net.FlagLoopback != 0 && p.Masked().Contains(local)
			if err == nil && own {
				return &ifi, p.Masked().Contains(peer.WithZone("")), nil
			}
		}
	}
	return nil, false, fmt.Errorf("no interface of this machine has the address %s", local)
}

// option is one option of a socket; what need not be there may be refused.
type option struct {
	level, name, value int
	need               bool
	what               string
}

func options(s Spec, six bool, ifi *net.Interface) []option {
	list := []option{
		{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1, false, "timestamps"},
		{unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1, false, "counts of packets lost"},
		{unix.SOL_SOCKET, unix.SO_PRIORITY, priority, false, "priority"},
	}
	if s.Kind != Unicast || s.Shared {
		list = append(list, option{unix.SOL_SOCKET, unix.SO_REUSEADDR, 1, true, "sharing the port"})
	}
	if six {
		return append(list,
			option{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1, true, "IPv6 only"},
			option{unix.IPPROTO_IPV6, unix.IPV6_TCLASS, cs6, false, "traffic class"},
			option{unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, hops, true, "hop limit"},
			option{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, hops, true, "hop limit"},
			option{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, ifi.Index, true, "interface"},
			option{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP, 0, true, "no packets to itself"},
			option{unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1, true, "hop limits of what comes"})
	}
	list = append(list,
		option{unix.IPPROTO_IP, unix.IP_TOS, cs6, false, "type of service"},
		option{unix.IPPROTO_IP, unix.IP_TTL, hops, true, "TTL"},
		option{unix.IPPROTO_IP, unix.IP_RECVTTL, 1, true, "TTLs of what comes"})
	switch s.Kind {
	case Multicast:
		list = append(list,
			option{unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, hops, true, "TTL"},
			option{unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 0, true, "no packets to itself"})
	case Broadcast:
		list = append(list, option{unix.SOL_SOCKET, unix.SO_BROADCAST, 1, true, "broadcast"})
	case Unicast, Serial:
	}
	return list
}

// socket makes, sets and binds the socket.
func (d *datagrams) socket(s Spec, bind netip.AddrPort, ifi *net.Interface) (_ int, err error) {
	family := unix.AF_INET
	if bind.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, os.NewSyscallError("open a UDP socket", err)
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	for _, o := range options(s, family == unix.AF_INET6, ifi) {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil && o.need {
			return -1, fmt.Errorf("set %s: %w", o.what, err)
		}
	}
	// A unicast link works without: its addresses say where it goes, too.
	if err := unix.BindToDevice(fd, ifi.Name); err != nil && (s.Kind != Unicast || !errors.Is(err, unix.EPERM)) {
		return -1, fmt.Errorf("bind to the interface %s: %w", ifi.Name, err)
	}
	if err := unix.Bind(fd, sockaddr(bind, ifi)); err != nil {
		return -1, fmt.Errorf("bind to %s: %w", bind, explain(err))
	}
	switch s.Kind {
	case Unicast:
		if err := unix.Connect(fd, sockaddr(s.Peer, ifi)); err != nil {
			return -1, fmt.Errorf("connect to %s: %w", s.Peer, err)
		}
	case Multicast:
		if err := join(fd, s.Group.Addr(), ifi); err != nil {
			return -1, fmt.Errorf("join %s on %s: %w", s.Group.Addr(), ifi.Name, err)
		}
	case Broadcast, Serial:
	}
	if s.Kind != Unicast {
		d.to = sockaddr(s.Group, ifi)
	}
	return fd, nil
}

// explain adds what to do about an error.
func explain(err error) error {
	if errors.Is(err, unix.EADDRINUSE) {
		return fmt.Errorf("%w: another program has that port, or another heartbeat.monitor runs here", err)
	}
	return err
}

func join(fd int, group netip.Addr, ifi *net.Interface) error {
	if group.Is6() {
		return unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, &unix.IPv6Mreq{Multiaddr: group.As16(), Interface: uint32(ifi.Index)})
	}
	m := &unix.IPMreqn{Multiaddr: group.As4(), Ifindex: int32(ifi.Index)}
	if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, m); err != nil {
		return err
	}
	return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, m)
}

func sockaddr(a netip.AddrPort, ifi *net.Interface) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	to := &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	if a.Addr().IsLinkLocalUnicast() || a.Addr().IsLinkLocalMulticast() {
		to.ZoneId = uint32(ifi.Index)
	}
	return to
}

// adopt makes fd the runtime's, so that reading it waits without a thread.
func (d *datagrams) adopt(fd int, s Spec) error {
	f := os.NewFile(uintptr(fd), s.String())
	defer f.Close() // FilePacketConn has its own
	c, err := net.FilePacketConn(f)
	if err != nil {
		return fmt.Errorf("wait on the socket: %w", bare(err))
	}
	d.conn = c.(*net.UDPConn)
	if d.raw, err = d.conn.SyscallConn(); err != nil {
		return err
	}
	d.put = func(fd uintptr) bool {
		if d.to == nil {
			_, d.err = unix.Write(int(fd), d.packet)
		} else {
			d.err = unix.Sendto(int(fd), d.packet, unix.MSG_DONTWAIT, d.to)
		}
		return true // never wait
	}
	return nil
}

func (d *datagrams) send(packet []byte) error {
	d.packet = packet
	err := d.raw.Write(d.put)
	d.packet = nil
	switch {
	case err != nil:
		return err
	case d.err == unix.EAGAIN || d.err == unix.ENOBUFS:
		return errFull
	}
	return d.err
}

func (d *datagrams) receive(buf []byte) ([]byte, time.Duration, error) {
	n, oob, _, _, err := d.conn.ReadMsgUDPAddrPort(buf, d.oob)
	if err != nil {
		return nil, 0, bare(err)
	}
	age, ttl := d.control(d.oob[:oob])
	if d.onLink && ttl != hops {
		d.refused.Add(1)
		return nil, 0, nil
	}
	return buf[:n], boottime.Now() - age, nil
}

// control reads what the kernel says about a packet: for how long it has waited
// here, and its TTL.
func (d *datagrams) control(oob []byte) (age time.Duration, ttl int) {
	for len(oob) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return age, ttl
		}
		oob = rest
		switch {
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPNS && len(data) >= 16:
			at := time.Unix(int64(binary.NativeEndian.Uint64(data)), int64(binary.NativeEndian.Uint64(data[8:])))
			if d := time.Since(at); d > 0 && d < longest {
				age = d
			}
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_RXQ_OVFL && len(data) >= 4:
			d.overrun.Store(uint64(binary.NativeEndian.Uint32(data)))
		case len(data) >= 4 && (h.Level == unix.IPPROTO_IP && h.Type == unix.IP_TTL || h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_HOPLIMIT):
			ttl = int(binary.NativeEndian.Uint32(data))
		}
	}
	return age, ttl
}

func (d *datagrams) ready(int) bool { return true }

func (d *datagrams) counts() (overrun, refused uint64) { return d.overrun.Load(), d.refused.Load() }

// carrier asks the interface that the socket was opened on.
func (d *datagrams) carrier() (there bool) {
	err := d.raw.Control(func(fd uintptr) {
		r, err := unix.NewIfreq(d.device)
		if err == nil {
			err = unix.IoctlIfreq(int(fd), unix.SIOCGIFFLAGS, r)
		}
		there = err == nil && r.Uint16()&unix.IFF_RUNNING != 0
	})
	return err == nil && there
}

func (d *datagrams) close() { d.shut.Do(func() { _ = d.conn.Close() }) }
