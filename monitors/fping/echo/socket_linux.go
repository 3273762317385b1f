package echo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// rcvbuf is the receive buffer that is asked for, in bytes. It holds the replies
// to 250 ms of requests at full pace, each of which counts for some 800 bytes;
// without CAP_NET_ADMIN the kernel may give less.
const rcvbuf = 4 << 20

// open makes the socket of a key: a raw one, which takes CAP_NET_RAW, or else
// an ICMP datagram socket, which takes a group in the sysctl
// net.ipv4.ping_group_range. It is no non-blocking one, so that the runtime's
// poller leaves it alone; every call on it says that it does not wait.
func (k socketKey) open(privileged bool) (fd int, raw bool, id uint16, err error) {
	family, protocol := unix.AF_INET, unix.IPPROTO_ICMP
	if k.six {
		family, protocol = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	raw, err = privileged, unix.EPERM
	if privileged {
		fd, err = k.Socket(family, unix.SOCK_RAW, protocol, "")
	}
	if refused(err) {
		raw = false
		fd, err = k.Socket(family, unix.SOCK_DGRAM, protocol, "")
	}
	if refused(err) {
		return -1, false, 0, errNotPermitted
	}
	if err != nil {
		return -1, raw, 0, opening(err)
	}
	id = uint16(rand.Uint32()) //nolint:gosec // any will do; packets are known by their nonce
	if err := k.prepare(fd, raw, id); err != nil {
		_ = unix.Close(fd)
		return -1, raw, 0, err
	}
	return fd, raw, id, nil
}

// opening is the error of a socket that could not be opened. That of an origin
// says all there is to say.
func opening(err error) error {
	if _, ok := errors.AsType[unix.Errno](err); ok {
		return fmt.Errorf("open an ICMP socket: %w", err)
	}
	return err
}

// refused reports whether err is for want of privileges.
func refused(err error) bool { return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) }

// errNotPermitted says what is to be done about it.
var errNotPermitted = errors.New("open an ICMP socket: not permitted: give the program the capability cap_net_raw " +
	"(mond does so if it was started with it), or its group a place in the sysctl net.ipv4.ping_group_range")

// option is a socket option with what it is for.
type option struct {
	what        string
	level, name int
	value       int
}

// prepare sets the options of a new socket.
func (k socketKey) prepare(fd int, raw bool, id uint16) error {
	// Forcing takes CAP_NET_ADMIN. Without, the kernel gives what it may.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, rcvbuf) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, rcvbuf)
	}
	// Without times of arrival the time of reading stands in.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	for _, o := range k.options() {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("%s: %w", o.what, err)
		}
	}
	if k.Source.IsValid() {
		if err := unix.Bind(fd, sockaddr(k)); err != nil {
			return fmt.Errorf("send from the address %v: %w", k.Source.Addr, err)
		}
	}
	if raw {
		return k.filter(fd, id)
	}
	return nil
}

func sockaddr(k socketKey) unix.Sockaddr {
	if k.six {
		return &unix.SockaddrInet6{Addr: k.Source.As16(), ZoneId: scope(k.Source.Zone())}
	}
	return &unix.SockaddrInet4{Addr: k.Source.As4()}
}

// options are those that are plain numbers. IP_RECVERR makes the kernel hand
// out ICMP errors with the request they are about, and tell when a packet was
// dropped on its way out (ENOBUFS).
func (k socketKey) options() []option {
	level, recverr, ttl, tos := unix.SOL_IP, unix.IP_RECVERR, unix.IP_TTL, unix.IP_TOS
	if k.six {
		level, recverr, ttl, tos = unix.SOL_IPV6, unix.IPV6_RECVERR, unix.IPV6_UNICAST_HOPS, unix.IPV6_TCLASS
	}
	list := []option{{"ask for ICMP errors", level, recverr, 1}}
	if k.TTL != 0 {
		list = append(list, option{"set the time to live", level, ttl, int(k.TTL)})
	}
	if k.TOS != 0 {
		list = append(list, option{"set the type of service", level, tos, int(k.TOS)})
	}
	return list
}

// filter lets echo replies with our id through, and nothing else: a raw socket
// gets a copy of every ICMP packet of the machine. The kernel's filter by type
// comes before the copy is made.
func (k socketKey) filter(fd int, id uint16) error {
	program := bpf4(id)
	if k.six {
		program = bpf6(id)
		types := unix.ICMPv6Filter{Data: [8]uint32{}}
		for i := range types.Data {
			types.Data[i] = ^uint32(0) // set bits are held back
		}
		types.Data[echoReply6>>5] &^= 1 << (echoReply6 & 31)
		if err := unix.SetsockoptICMPv6Filter(fd, unix.SOL_ICMPV6, unix.ICMPV6_FILTER, &types); err != nil {
			return fmt.Errorf("filter by the type of ICMP: %w", err)
		}
	} else if err := unix.SetsockoptInt(fd, unix.SOL_RAW, unix.ICMP_FILTER, int(^uint32(1<<echoReply4))); err != nil {
		return fmt.Errorf("filter by the type of ICMP: %w", err)
	}
	code, err := bpf.Assemble(program)
	if err != nil {
		return fmt.Errorf("filter by the id: %w", err)
	}
	list := make([]unix.SockFilter, len(code))
	for i, c := range code {
		list[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	f := unix.SockFprog{Len: uint16(len(list)), Filter: &list[0]} //nolint:gosec // a handful
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &f); err != nil {
		return fmt.Errorf("filter by the id: %w", err)
	}
	return nil
}

// accept ends a filter whose last load was the id.
func accept(id uint16) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(id), SkipFalse: 1},
		bpf.RetConstant{Val: 1 << 18},
		bpf.RetConstant{Val: 0},
	}
}

// bpf4 is for packets that begin with an IPv4 header.
func bpf4(id uint16) []bpf.Instruction {
	return append([]bpf.Instruction{bpf.LoadMemShift{Off: 0}, bpf.LoadIndirect{Off: 4, Size: 2}}, accept(id)...)
}

// bpf6 is for packets that begin with the ICMPv6 header.
func bpf6(id uint16) []bpf.Instruction {
	return append([]bpf.Instruction{bpf.LoadAbsolute{Off: 4, Size: 2}}, accept(id)...)
}

// drops is how many packets a socket has lost because its receive buffer was
// full; 0 if the kernel does not say.
func drops(fd int) uint32 {
	const which = 8 // SK_MEMINFO_DROPS
	var info [which + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 || size != uint32(unsafe.Sizeof(info)) {
		return 0
	}
	return info[which]
}

// interfaceIndex is the number of an interface, 0 if there is none.
func interfaceIndex(name string) uint32 {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return 0
	}
	return uint32(i.Index) //nolint:gosec // never negative
}
