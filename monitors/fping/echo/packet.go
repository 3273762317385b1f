package echo

import (
	"encoding/binary"
	"strconv"
)

// The parts of a request: the ICMP header, then what we know our own by.
const (
	headerLen = 8
	// stampLen is the length of a stamp: a random number of 64 bits for the
	// call, then the number of the request in it, of 32 bits.
	stampLen = 12
	headLen  = headerLen + stampLen
)

// ICMP types and codes: RFC 792 and RFC 4443.
const (
	echoReply4, echoRequest4    = 0, 8
	echoReply6, echoRequest6    = 129, 128
	unreachable4, exceeded4     = 3, 11
	unreachable6, exceeded6     = 1, 3
	protocolICMP, protocolICMP6 = 1, 58
)

// stamp is what an echo packet says of itself.
type stamp struct {
	id, seq uint16
	// short is set on a quotation that ends before the nonce.
	short  bool
	nonce  uint64
	number uint32
}

// put writes the header and the stamp of an echo request into b, which has
// headLen bytes. The checksum is left at 0.
func (s stamp) put(b []byte, six bool) {
	b[0] = echoRequest4
	if six {
		b[0] = echoRequest6
	}
	b[1], b[2], b[3] = 0, 0, 0
	binary.BigEndian.PutUint16(b[4:], s.id)
	binary.BigEndian.PutUint16(b[6:], s.seq)
	binary.BigEndian.PutUint64(b[8:], s.nonce)
	binary.BigEndian.PutUint32(b[16:], s.number)
}

// readReply reads an echo reply as a socket hands it out: behind its IP header
// from a raw IPv4 socket, else without.
func readReply(b []byte, six, raw bool) (stamp, bool) {
	if raw && !six {
		if b = withoutHeader(b); b == nil {
			return stamp{}, false
		}
	}
	want := byte(echoReply4)
	if six {
		want = echoReply6
	}
	s, ok := readStamp(b, want)
	return s, ok && !s.short
}

// readQuote reads our request out of an ICMP error, which quotes it from the
// ICMP header on. All that must be there are the first 8 bytes.
func readQuote(b []byte, six bool) (stamp, bool) {
	if six {
		return readStamp(b, echoRequest6)
	}
	return readStamp(b, echoRequest4)
}

// readStamp reads a packet of the type want and code 0.
func readStamp(b []byte, want byte) (stamp, bool) {
	if len(b) < headerLen || b[0] != want || b[1] != 0 {
		return stamp{}, false
	}
	s := stamp{id: binary.BigEndian.Uint16(b[4:]), seq: binary.BigEndian.Uint16(b[6:])}
	if len(b) < headLen {
		s.short = true
		return s, true
	}
	s.nonce = binary.BigEndian.Uint64(b[8:])
	s.number = binary.BigEndian.Uint32(b[16:])
	return s, true
}

// withoutHeader is an ICMP packet without its IPv4 header, nil if it is none.
func withoutHeader(b []byte) []byte {
	if len(b) < 20 || b[0]>>4 != 4 || b[9] != protocolICMP {
		return nil
	}
	n := int(b[0]&15) * 4
	if n < 20 || n > len(b) {
		return nil
	}
	return b[n:]
}

// sum adds b, as numbers of 16 bits, to a sum of RFC 1071. b begins at an even
// place of the packet.
func sum(total uint32, b []byte) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		total += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		total += uint32(b[0]) << 8
	}
	return total
}

// checksum is what goes into the packet for a sum.
func checksum(total uint32) uint16 {
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return ^uint16(total) //nolint:gosec // it fits by now
}

// requests is a number of requests in words.
func requests(n int) string {
	if n == 1 {
		return "1 echo request"
	}
	return strconv.Itoa(n) + " echo requests"
}
