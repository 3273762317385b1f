package neighbour

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"golang.org/x/net/bpf"
)

// Family is that of addresses.
type Family uint8

// The families.
const (
	IPv4 Family = iota
	IPv6
)

// FamilyOf is the family of an address.
func FamilyOf(a netip.Addr) Family {
	if a.Is4() {
		return IPv4
	}
	return IPv6
}

func (f Family) ether() uint16 {
	if f == IPv4 {
		return etherARP
	}
	return etherIPv6
}

// longest is how much of a frame is read: more than any that means something.
const longest = 1514

// maxFiltered is how many addresses a filter of the kernel tells apart: a
// program may have 4096 instructions and take 20 KiB (net.core.optmem_max). With
// more, all claims of the link come to this program, which sorts them out.
const maxFiltered = 256

// ofFrame are tests that a frame has to pass: what stands where.
type ofFrame struct{ offset, size, value uint32 }

// filter is the program that the kernel runs for every packet of the
// interface: it lets pass what claims one of the addresses, or any with many;
// none with none. What it lets pass is still to be parsed.
func filter(family Family, only []netip.Addr) []bpf.Instruction {
	if len(only) == 0 {
		return []bpf.Instruction{bpf.RetConstant{Val: 0}}
	}
	p := []bpf.Instruction{ // of another VLAN, which the card has taken the tag off
		bpf.LoadExtension{Num: bpf.ExtVLANTagPresent},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: 0},
	}
	if family == IPv4 {
		p = append(p, must(ofFrame{12, 2, etherARP}, ofFrame{14, 4, 0x00010800}, ofFrame{18, 2, 0x0604})...)
		return append(p, oneOf(28, words(only))...)
	}
	p = append(p, must(ofFrame{12, 2, etherIPv6}, ofFrame{20, 1, protoICMPv6}, ofFrame{21, 1, hops})...)
	asks, tells := oneOf(etherHeader+8+12, words(only)), oneOf(etherHeader+ipv6Header+8+12, words(only))
	p = append(p, bpf.LoadAbsolute{Off: etherHeader + ipv6Header, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: solicitation, SkipFalse: 1}, bpf.Jump{Skip: 3},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: advertisement, SkipFalse: 1}, bpf.Jump{Skip: 1 + uint32(len(asks))},
		bpf.RetConstant{Val: 0})
	return append(append(p, asks...), tells...)
}

// must refuses what fails a test.
func must(tests ...ofFrame) []bpf.Instruction {
	var p []bpf.Instruction
	for _, t := range tests {
		p = append(p, bpf.LoadAbsolute{Off: t.offset, Size: int(t.size)},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: t.value, SkipTrue: 1}, bpf.RetConstant{Val: 0})
	}
	return p
}

// oneOf lets pass what has one of the words at the offset, and refuses the rest.
func oneOf(offset uint32, words []uint32) []bpf.Instruction {
	if len(words) > maxFiltered {
		return []bpf.Instruction{bpf.RetConstant{Val: longest}}
	}
	p := []bpf.Instruction{bpf.LoadAbsolute{Off: offset, Size: 4}}
	for _, w := range words {
		p = append(p, bpf.JumpIf{Cond: bpf.JumpEqual, Val: w, SkipFalse: 1}, bpf.RetConstant{Val: longest})
	}
	return append(p, bpf.RetConstant{Val: 0})
}

// words are the last four octets of addresses, each once.
func words(addrs []netip.Addr) []uint32 {
	out := make([]uint32, 0, len(addrs))
	for _, a := range addrs {
		b := a.AsSlice()
		out = append(out, binary.BigEndian.Uint32(b[len(b)-4:]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
