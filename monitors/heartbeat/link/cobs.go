package link

import (
	"encoding/binary"
	"hash/crc32"
)

// A frame on a serial line is the packet and its CRC-32 (that of Ethernet, least
// byte first), with all zeros taken out by Consistent Overhead Byte Stuffing
// (Cheshire and Baker, 1999), between two zeros. A receiver that comes in the
// middle, or lost bytes, is in step again with the next zero.

// maxFrame is the largest frame without its zeros.
const maxFrame = MaxPacket + crc32.Size + (MaxPacket+crc32.Size)/254 + 1

// appendFrame adds the frame of a packet to dst. scratch has room for maxFrame
// bytes.
func appendFrame(dst, packet, scratch []byte) []byte {
	scratch = append(scratch[:0], packet...)
	scratch = binary.LittleEndian.AppendUint32(scratch, crc32.ChecksumIEEE(packet))
	return append(appendStuffed(append(dst, 0), scratch), 0)
}

// appendStuffed adds data without its zeros: each run of at most 254 other bytes
// follows a byte that says how many it is and one more; a zero follows each run
// that is shorter, but the last.
func appendStuffed(dst, data []byte) []byte {
	code := len(dst)
	dst = append(dst, 1)
	for i, b := range data {
		if b != 0 {
			dst = append(dst, b)
			dst[code]++
		}
		if b == 0 || dst[code] == 255 && i < len(data)-1 {
			code = len(dst)
			dst = append(dst, 1)
		}
	}
	return dst
}

// deframer takes the bytes of a line apart into packets.
type deframer struct {
	frame []byte
	// long: the frame got too long, and the rest of it is skipped.
	long bool
	// bad counts frames that were damaged.
	bad uint64
}

// take takes one byte. When it ends a frame that is whole, packet is it; it is
// the deframer's until the next byte.
func (d *deframer) take(b byte) (packet []byte) {
	if b != 0 {
		if len(d.frame) == maxFrame {
			d.long = true
			return nil
		}
		d.frame = append(d.frame, b)
		return nil
	}
	frame, long := d.frame, d.long
	d.frame, d.long = d.frame[:0], false
	if len(frame) == 0 {
		return nil // the zero before a frame
	}
	data, ok := unstuff(frame)
	n := len(data) - crc32.Size
	if !ok || long || n < 1 || binary.LittleEndian.Uint32(data[n:]) != crc32.ChecksumIEEE(data[:n]) {
		d.bad++
		return nil
	}
	return data[:n]
}

// unstuff puts the zeros back, in the same memory: it gets no longer.
func unstuff(frame []byte) ([]byte, bool) {
	out := frame[:0]
	for i := 0; i < len(frame); {
		code := int(frame[i])
		if code == 0 || i+code > len(frame) {
			return nil, false
		}
		out = append(out, frame[i+1:i+code]...)
		i += code
		if code < 255 && i < len(frame) {
			out = append(out, 0)
		}
	}
	return out, true
}
