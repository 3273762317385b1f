package neighbour

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// netlinkMessage is one message of netlink(7).
type netlinkMessage struct {
	kind   uint16
	flags  uint16
	serial uint32
	body   []byte
}

func align(n int) int { return (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }

func netlinkRequest(kind, flags uint16, serial uint32, body []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST|flags)
	b = binary.NativeEndian.AppendUint32(b, serial)
	b = binary.NativeEndian.AppendUint32(b, 0)
	return append(b, body...)
}

// nextMessage takes a message off b.
func nextMessage(b []byte) (m netlinkMessage, rest []byte, ok bool) {
	if len(b) < unix.SizeofNlMsghdr {
		return m, nil, false
	}
	size := int(binary.NativeEndian.Uint32(b))
	if size < unix.SizeofNlMsghdr || size > len(b) {
		return m, nil, false
	}
	m = netlinkMessage{
		kind:   binary.NativeEndian.Uint16(b[4:]),
		flags:  binary.NativeEndian.Uint16(b[6:]),
		serial: binary.NativeEndian.Uint32(b[8:]),
		body:   b[unix.SizeofNlMsghdr:size],
	}
	return m, b[min(align(size), len(b)):], true
}

// appendAttribute appends an attribute of rtnetlink(7).
func appendAttribute(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
	return append(b, make([]byte, align(len(value))-len(value))...)
}

// attributes calls take for each attribute in b.
func attributes(b []byte, take func(kind uint16, value []byte)) {
	for len(b) >= unix.SizeofRtAttr {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofRtAttr || size > len(b) {
			return
		}
		take(binary.NativeEndian.Uint16(b[2:])&^uint16(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER), b[unix.SizeofRtAttr:size])
		b = b[min(align(size), len(b)):]
	}
}

// linkRequest is the body of a question for an interface: by its index, or by
// its name, or for all.
func linkRequest(index int, name string) []byte {
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	if name != "" {
		b = appendAttribute(b, unix.IFLA_IFNAME, append([]byte(name), 0))
	}
	return b
}

// parseLink reads what the kernel says of an interface.
func parseLink(m netlinkMessage) (l Link, ok bool) {
	if m.kind != unix.RTM_NEWLINK && m.kind != unix.RTM_DELLINK || len(m.body) < unix.SizeofIfInfomsg || m.body[0] == unix.AF_BRIDGE {
		return l, false // a bridge tells of its ports in messages like these
	}
	flags := binary.NativeEndian.Uint32(m.body[8:])
	l.Index = int(int32(binary.NativeEndian.Uint32(m.body[4:])))
	l.Up, l.Carrier = flags&unix.IFF_UP != 0, flags&unix.IFF_UP != 0 && flags&unix.IFF_LOWER_UP != 0
	l.Gone = m.kind == unix.RTM_DELLINK
	ethernet := binary.NativeEndian.Uint16(m.body[2:]) == unix.ARPHRD_ETHER
	whole := true
	attributes(m.body[unix.SizeofIfInfomsg:], func(kind uint16, value []byte) {
		switch kind {
		case unix.IFLA_WIRELESS: // an event of a radio, which says nothing else
			whole = false
		case unix.IFLA_IFNAME:
			l.Name = unix.ByteSliceToString(value)
		case unix.IFLA_ADDRESS:
			if len(value) == len(l.MAC) {
				l.MAC = MAC(value)
			}
		case unix.IFLA_CARRIER_CHANGES:
			if len(value) == 4 {
				l.Changes = binary.NativeEndian.Uint32(value)
			}
		case unix.IFLA_AF_SPEC:
			l.Forwards = forwards(value)
		}
	})
	l.Neighbours = ethernet && !l.MAC.IsZero() && flags&(unix.IFF_LOOPBACK|unix.IFF_NOARP) == 0
	return l, whole && l.Name != ""
}

// forwards reads net.ipv6.conf.NAME.forwarding, the first of the settings that
// the kernel tells with an interface.
func forwards(spec []byte) (yes bool) {
	attributes(spec, func(family uint16, value []byte) {
		if family != unix.AF_INET6 {
			return
		}
		attributes(value, func(kind uint16, value []byte) {
			if kind == unix.IFLA_INET6_CONF && len(value) >= 4 {
				yes = binary.NativeEndian.Uint32(value) != 0
			}
		})
	})
	return yes
}

const sizeofNdmsg = int(unsafe.Sizeof(unix.NdMsg{}))

// neighbourRequest is the body of a question for an entry of the neighbour table.
func neighbourRequest(index int, who netip.Addr) []byte {
	b := make([]byte, sizeofNdmsg)
	b[0] = unix.AF_INET
	if who.Is6() {
		b[0] = unix.AF_INET6
	}
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	return appendAttribute(b, unix.NDA_DST, who.AsSlice())
}

// parseNeighbour reads where a neighbour is, if the kernel holds that to be true.
func parseNeighbour(m netlinkMessage) (mac MAC, ok bool) {
	const valid = unix.NUD_REACHABLE | unix.NUD_STALE | unix.NUD_DELAY | unix.NUD_PROBE | unix.NUD_PERMANENT
	if m.kind != unix.RTM_NEWNEIGH || len(m.body) < sizeofNdmsg || binary.NativeEndian.Uint16(m.body[8:])&valid == 0 {
		return mac, false
	}
	attributes(m.body[sizeofNdmsg:], func(kind uint16, value []byte) {
		if kind == unix.NDA_LLADDR && len(value) == len(mac) {
			mac, ok = MAC(value), true
		}
	})
	return mac, ok && mac.unicast()
}
