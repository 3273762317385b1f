package wire

import "encoding/binary"

// A body is a row of type, length and value; the length is a byte.
const maxValue = 255

// The types. A number is never used for something else.
const (
	tlvNode      = 1
	tlvLink      = 2
	tlvGroup     = 3
	tlvGrant     = 4
	tlvAddresses = 5
	tlvHello     = 6
	tlvChunk     = 7
	tlvData      = 8
	tlvNack      = 9
	tlvAsk       = 10
	tlvVote      = 11
)

// values walks over the values of a body; it stops at the first that is longer
// than what is left.
func values(body []byte, each func(kind byte, v []byte) bool) bool {
	for len(body) > 0 {
		if len(body) < 2 || len(body)-2 < int(body[1]) {
			return false
		}
		v := body[2 : 2+int(body[1])]
		if !each(body[0], v) {
			return false
		}
		body = body[2+len(v):]
	}
	return true
}

// open begins a value; close ends it.
func open(dst []byte, kind byte) ([]byte, int) {
	dst = append(dst, kind, 0)
	return dst, len(dst)
}

func closed(dst []byte, at int) []byte {
	dst[at-1] = byte(len(dst) - at)
	return dst
}

var be = binary.BigEndian
