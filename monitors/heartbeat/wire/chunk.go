package wire

import "slices"

// Limits of the reliable channel.
const (
	// MaxData is how much a chunk carries.
	MaxData = 448
	// MaxMissing is how many chunks a Nack can name.
	MaxMissing = 512
)

// Chunk is one part of a message on the reliable channel. The chunks of all
// messages of a sender's incarnation are numbered in one row, from 1.
type Chunk struct {
	Number uint32
	// Index of Of parts of its message.
	Index, Of uint16
	// Type is the caller's: what the message is.
	Type uint8
	Data []byte
}

// Append adds c to a body. Data beyond MaxData is a mistake in the program.
func (c *Chunk) Append(dst []byte) []byte {
	if len(c.Data) > MaxData {
		panic("wire: a chunk that is too long")
	}
	dst, at := open(dst, tlvChunk)
	dst = be.AppendUint32(dst, c.Number)
	dst = be.AppendUint16(dst, c.Index)
	dst = be.AppendUint16(dst, c.Of)
	dst = closed(append(dst, c.Type), at)
	for part := range slices.Chunk(c.Data, maxValue) {
		dst, at = open(dst, tlvData)
		dst = closed(append(dst, part...), at)
	}
	return dst
}

// Decode reads what Append wrote; Data's memory is used again.
func (c *Chunk) Decode(body []byte) bool {
	*c = Chunk{Data: c.Data[:0]}
	return values(body, c.value) && c.Number != 0 && c.Index < c.Of && len(c.Data) <= MaxData
}

func (c *Chunk) value(kind byte, v []byte) bool {
	switch {
	case kind == tlvChunk && (len(v) < 9 || c.Number != 0):
		return false
	case kind == tlvChunk:
		c.Number, c.Index, c.Of, c.Type = be.Uint32(v), be.Uint16(v[4:]), be.Uint16(v[6:]), v[8]
	case kind == tlvData:
		c.Data = append(c.Data, v...)
	}
	return true
}

// Nack says which chunks came: all up to Acked, and of those after it the ones
// that are not named by Missing.
type Nack struct {
	// Incarnation is the sender's whose chunks these are.
	Incarnation uint64
	Acked       uint32
	// Missing is a bitmap: bit i%8 of byte i/8 is chunk Acked+1+i. At most
	// MaxMissing bits; a chunk beyond it is not asked for yet.
	Missing []byte
}

// nackHead is the length of a Nack without its bitmap.
const nackHead = 12

// Append adds n to a body.
func (n *Nack) Append(dst []byte) []byte {
	dst, at := open(dst, tlvNack)
	dst = be.AppendUint64(dst, n.Incarnation)
	dst = be.AppendUint32(dst, n.Acked)
	return closed(append(dst, n.Missing[:min(len(n.Missing), MaxMissing/8)]...), at)
}

// Decode reads what Append wrote; Missing's memory is used again.
func (n *Nack) Decode(body []byte) bool {
	there := false
	missing := n.Missing[:0]
	ok := values(body, func(kind byte, v []byte) bool {
		switch {
		case kind != tlvNack:
			return true
		case there || len(v) < nackHead || len(v) > nackHead+MaxMissing/8:
			return false
		}
		there = true
		*n = Nack{Incarnation: be.Uint64(v), Acked: be.Uint32(v[8:]), Missing: append(missing, v[nackHead:]...)}
		return true
	})
	return ok && there
}

// Misses yields the numbers of the chunks that are asked for.
func (n *Nack) Misses(yield func(number uint32) bool) {
	for i := range len(n.Missing) * 8 {
		if n.Missing[i/8]&(1<<(i%8)) != 0 && !yield(n.Acked+1+uint32(i)) {
			return
		}
	}
}
