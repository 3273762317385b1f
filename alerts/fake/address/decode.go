package address

import (
	"bytes"
	"encoding/binary"
	"iter"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Numbers of linux/if_link.h that golang.org/x/sys/unix lacks or that are clearer
// with a name here.
const (
	lowerUp       = 0x10000 // IFF_LOWER_UP
	skipStats     = 1 << 3  // RTEXT_FILTER_SKIP_STATS
	attributeKind = 0x3fff  // NLA_TYPE_MASK
)

// packet is one message of the kernel's.
type packet struct {
	kind, flags uint16
	seq, port   uint32
	body        []byte
}

// packets are the messages in b; what is not whole is left out.
func packets(b []byte) iter.Seq[packet] {
	return func(yield func(packet) bool) {
		for len(b) >= headerLength {
			n := int(binary.NativeEndian.Uint32(b))
			if n < headerLength || n > len(b) {
				return
			}
			p := packet{
				kind: binary.NativeEndian.Uint16(b[4:]), flags: binary.NativeEndian.Uint16(b[6:]),
				seq: binary.NativeEndian.Uint32(b[8:]), port: binary.NativeEndian.Uint32(b[12:]), body: b[headerLength:n],
			}
			if !yield(p) {
				return
			}
			b = b[min((n+3)&^3, len(b)):]
		}
	}
}

// attributes are those in b.
func attributes(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= 4 {
			n := int(binary.NativeEndian.Uint16(b))
			if n < 4 || n > len(b) || !yield(binary.NativeEndian.Uint16(b[2:])&attributeKind, b[4:n]) {
				return
			}
			b = b[min((n+3)&^3, len(b)):]
		}
	}
}

func number32(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(b)
}

func cString(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}

// decodeRow reads struct ifaddrmsg and its attributes.
func decodeRow(b []byte) (r Row, ok bool) {
	if len(b) < 8 {
		return r, false
	}
	bits := int(b[1])
	r = Row{Index: int(binary.NativeEndian.Uint32(b[4:])), Flags: uint32(b[2]), left: forever}
	var local, peer netip.Addr
	for kind, v := range attributes(b[8:]) {
		switch kind {
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(v)
		case unix.IFA_ADDRESS:
			peer, _ = netip.AddrFromSlice(v)
		case unix.IFA_LABEL:
			r.Label = cString(v)
		case unix.IFA_FLAGS:
			r.Flags = number32(v)
		case ifaProto:
			if len(v) > 0 {
				r.Proto = v[0]
			}
		case unix.IFA_CACHEINFO:
			if len(v) >= 16 {
				r.left, r.Made, r.Changed = number32(v[4:]), number32(v[8:]), number32(v[12:])
			}
		}
	}
	if !local.IsValid() {
		local = peer // IPv6 says it once
	}
	if r.Prefix = netip.PrefixFrom(local, bits); !r.Prefix.IsValid() {
		return r, false
	}
	if r.left == forever || r.Flags&unix.IFA_F_PERMANENT != 0 {
		r.left, r.Expires = forever, Forever
	}
	return r, true
}

// decodeLink reads struct ifinfomsg and its attributes.
func decodeLink(b []byte) (l Link, ok bool) {
	if len(b) < 16 {
		return l, false
	}
	flags := binary.NativeEndian.Uint32(b[8:])
	l = Link{Index: int(int32(binary.NativeEndian.Uint32(b[4:]))), Up: flags&unix.IFF_UP != 0, Carrier: flags&lowerUp != 0}
	for kind, v := range attributes(b[16:]) {
		switch kind {
		case unix.IFLA_IFNAME:
			l.Name = cString(v)
		case unix.IFLA_ADDRESS:
			l.MAC = string(v)
		case unix.IFLA_CARRIER_UP_COUNT:
			l.Ups = number32(v)
		}
	}
	return l, l.Index > 0 && l.Name != ""
}

// decodeRoute reads which interface a route leads to, and whether the address
// is on its network: not behind a gateway, nor where all else goes.
func decodeRoute(b []byte) (index int, onLink bool) {
	if len(b) < 12 {
		return 0, false
	}
	onLink = b[1] > 0 && b[7] == unix.RTN_UNICAST
	for kind, v := range attributes(b[12:]) {
		switch kind {
		case unix.RTA_OIF:
			index = int(number32(v))
		case unix.RTA_GATEWAY, unix.RTA_VIA:
			onLink = false
		}
	}
	return index, onLink && index > 0
}
