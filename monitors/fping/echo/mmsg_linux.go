package echo

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is the kernel's struct of that name: one packet of sendmmsg(2) and
// recvmmsg(2). The compiler pads it as C does.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

const (
	// inLen is enough of a packet: an IPv4 header with options, ours, and the
	// stamp. The rest is cut off by the kernel.
	inLen = 60 + headLen
	// oobLen holds a time and an extended error with the address of who sent it.
	oobLen = 128
)

// inbox is room for packets that are received together.
type inbox struct {
	msgs  [batch]mmsghdr
	iovs  [batch]unix.Iovec
	names [batch]unix.RawSockaddrInet6 // the larger one
	data  [batch][inLen]byte
	oob   [batch][oobLen]byte
}

func newInbox() *inbox {
	in := new(inbox)
	for i := range in.msgs {
		in.iovs[i].Base = &in.data[i][0]
		in.iovs[i].SetLen(inLen)
		h := &in.msgs[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&in.names[i]))
		h.Iov = &in.iovs[i]
		h.SetIovlen(1)
		h.Control = &in.oob[i][0]
	}
	return in
}

// receive takes up to batch packets; none is an error.
func (in *inbox) receive(fd, flags int) (int, unix.Errno) {
	for i := range in.msgs {
		h := &in.msgs[i].hdr
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(oobLen)
	}
	return mmsg(unix.SYS_RECVMMSG, fd, in.msgs[:], flags|unix.MSG_DONTWAIT)
}

// packet is the i-th packet that was received.
func (in *inbox) packet(i int) []byte { return in.data[i][:min(int(in.msgs[i].n), inLen)] }

// control is what the kernel says about the i-th packet.
func (in *inbox) control(i int) []byte {
	return in.oob[i][:min(uint64(in.msgs[i].hdr.Controllen), oobLen)] //nolint:unconvert // its type varies
}

// name is the address of the i-th packet: where it comes from or, of an error,
// where the packet went that it is about.
func (in *inbox) name(i int) netip.Addr {
	n := &in.names[i]
	switch n.Family {
	case unix.AF_INET:
		return netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(n)).Addr)
	case unix.AF_INET6:
		return netip.AddrFrom16(n.Addr)
	}
	return netip.Addr{}
}

// outbox is room for packets that are sent together.
type outbox struct {
	msgs  [batch]mmsghdr
	iovs  [batch][2]unix.Iovec
	names [batch]unix.RawSockaddrInet6
	heads [batch][headLen]byte
}

// put makes the i-th packet, with filler behind the head.
func (out *outbox) put(i int, to netip.Addr, filler []byte) (head []byte) {
	v := &out.iovs[i]
	v[0].Base = &out.heads[i][0]
	v[0].SetLen(headLen)
	h := &out.msgs[i].hdr
	h.Iov = &v[0]
	h.SetIovlen(1)
	if len(filler) > 0 {
		v[1].Base = &filler[0]
		v[1].SetLen(len(filler))
		h.SetIovlen(2)
	}
	n := &out.names[i]
	h.Name = (*byte)(unsafe.Pointer(n))
	if to.Is4() {
		*(*unix.RawSockaddrInet4)(unsafe.Pointer(n)) = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.As4()}
		h.Namelen = unix.SizeofSockaddrInet4
	} else {
		*n = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: to.As16(), Scope_id: scope(to.Zone())}
		h.Namelen = unix.SizeofSockaddrInet6
	}
	return out.heads[i][:]
}

// send sends some of the packets and says how many went; the error is that of
// the next one.
func (out *outbox) send(fd, from, to int) (int, unix.Errno) {
	return mmsg(unix.SYS_SENDMMSG, fd, out.msgs[from:to], unix.MSG_DONTWAIT)
}

// mmsg calls sendmmsg or recvmmsg.
func mmsg(call uintptr, fd int, msgs []mmsghdr, flags int) (int, unix.Errno) {
	for {
		n, _, errno := unix.Syscall6(call, uintptr(fd), uintptr(unsafe.Pointer(&msgs[0])), uintptr(len(msgs)), uintptr(flags), 0, 0)
		if errno == 0 {
			return int(n), 0 //nolint:gosec // at most len(msgs)
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}

// note is what the kernel says about a packet.
type note struct {
	// at is when it came, by the wall clock; zero if that is not known.
	at time.Time
	// what and from are an ICMP error and who sent it, if it is one.
	icmp       bool
	from       netip.Addr
	kind, code uint8
}

// readControl reads the control messages of a packet. They are the kernel's,
// not the network's.
func readControl(oob []byte) (n note) {
	for len(oob) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return n
		}
		oob = rest
		switch {
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
			ts := *(*unix.Timespec)(unsafe.Pointer(&data[0]))
			n.at = time.Unix(ts.Unix())
		case h.Level == unix.SOL_IP && h.Type == unix.IP_RECVERR, h.Level == unix.SOL_IPV6 && h.Type == unix.IPV6_RECVERR:
			n.readError(data)
		}
	}
	return n
}

// readError reads a sock_extended_err and the address behind it, see ip(7).
func (n *note) readError(b []byte) {
	if len(b) < 16 || b[4] != unix.SO_EE_ORIGIN_ICMP && b[4] != unix.SO_EE_ORIGIN_ICMP6 {
		return
	}
	n.icmp, n.kind, n.code = true, b[5], b[6]
	if b = b[16:]; len(b) < 2 {
		return
	}
	switch family := binary.NativeEndian.Uint16(b); {
	case family == unix.AF_INET && len(b) >= unix.SizeofSockaddrInet4:
		n.from = netip.AddrFrom4([4]byte(b[4:]))
	case family == unix.AF_INET6 && len(b) >= unix.SizeofSockaddrInet6:
		n.from = netip.AddrFrom16([16]byte(b[8:]))
	}
}

// scope is the number of an interface that a zone names; 0 for none. Calls have
// only zones in figures.
func scope(zone string) uint32 {
	n, err := strconv.ParseUint(zone, 10, 32)
	if err != nil {
		return interfaceIndex(zone)
	}
	return uint32(n)
}
