package share

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// A parcel is some entries on their way: a byte that says how it is written, the
// CRC-32 of what follows (nobody forges it on the way, but parts of two could be
// joined), and the entries, each with its length before it. What follows the known part of an
// entry is skipped: a later release may add to it.
const (
	plain  = 1
	packed = 2 // by flate
	// entriesMost and bytesMost are how much is put into one parcel; plainMost is
	// how much is ever taken from one, unpacked.
	entriesMost = 64
	bytesMost   = 16 << 10
	plainMost   = 64 << 10
	// packFrom is from which size packing is worth it: what one packet carries.
	packFrom = 400
	head     = 5
)

// MaxParcel is the longest parcel that is taken.
const MaxParcel = plainMost + head

// Parcels writes entries, in their order. Each parcel is of use without the
// others.
func Parcels(list []Entry, now time.Time) [][]byte {
	var out [][]byte
	var body, one []byte
	n := 0
	for i := range list {
		one = list[i].append(one[:0], now)
		if n == entriesMost || n > 0 && len(body)+len(one) > bytesMost {
			out = append(out, wrap(body))
			body, n = nil, 0
		}
		body = binary.AppendUvarint(body, uint64(len(one)))
		body = append(body, one...)
		n++
	}
	if n > 0 {
		out = append(out, wrap(body))
	}
	return out
}

// wrap makes a parcel of a body.
func wrap(body []byte) []byte {
	if len(body) >= packFrom {
		b := bytes.NewBuffer(make([]byte, head))
		w, err := flate.NewWriter(b, flate.BestCompression)
		if err == nil {
			_, err = w.Write(body)
		}
		if err == nil && w.Close() == nil && b.Len() <= len(body) {
			return seal(packed, b.Bytes())
		}
	}
	return seal(plain, append(make([]byte, head), body...))
}

// seal writes the head of a parcel.
func seal(how byte, parcel []byte) []byte {
	parcel[0] = how
	binary.BigEndian.PutUint32(parcel[1:], crc32.ChecksumIEEE(parcel[head:]))
	return parcel
}

func (e *Entry) append(dst []byte, now time.Time) []byte {
	left := int64(0)
	if !e.Until.IsZero() { // at least a little: 0 is never
		left = int64(min(max(e.Until.Sub(now), time.Second), maxLeft) / time.Second)
	}
	dst = append(dst, byte(e.State), e.Node)
	dst = binary.AppendUvarint(dst, e.Version)
	dst = binary.AppendUvarint(dst, uint64(left))          //nolint:gosec // above 0
	dst = binary.AppendUvarint(dst, uint64(seconds(e.At))) //nolint:gosec // an entry of a set: above 0
	for _, w := range []string{e.Kind, e.Name, e.Value, e.Who, e.Where, e.Why} {
		dst = binary.AppendUvarint(dst, uint64(len(w)))
		dst = append(dst, w...)
	}
	return dst
}

var errShort = errors.New("it ends within an entry")

// Open reads a parcel. One that is damaged gives nothing at all. Whether entries
// can be such is for [Set.Merge] to say.
func Open(parcel []byte, now time.Time) ([]Entry, error) {
	body, err := unwrap(parcel)
	if err != nil {
		return nil, fmt.Errorf("state of the other director: %w", err)
	}
	var list []Entry
	for r := (reader{body}); len(r.rest) > 0; {
		one, ok := r.bytes()
		var e Entry
		if ok {
			e, ok = read(reader{one}, now)
		}
		if !ok {
			return nil, fmt.Errorf("state of the other director: %w", errShort)
		}
		list = append(list, e)
	}
	return list, nil
}

func unwrap(parcel []byte) ([]byte, error) {
	switch {
	case len(parcel) < head || len(parcel) > MaxParcel:
		return nil, fmt.Errorf("%d bytes are no parcel", len(parcel))
	case binary.BigEndian.Uint32(parcel[1:]) != crc32.ChecksumIEEE(parcel[head:]):
		return nil, errors.New("it was damaged on its way")
	case parcel[0] == plain:
		return parcel[head:], nil
	case parcel[0] != packed:
		return nil, fmt.Errorf("it is written in a way (%d) that this release does not know", parcel[0])
	}
	body, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(parcel[head:])), plainMost+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("unpack: %w", err)
	case len(body) > plainMost:
		return nil, fmt.Errorf("unpacked it has more than %d bytes", plainMost)
	}
	return body, nil
}

// reader takes a body apart.
type reader struct{ rest []byte }

func (r *reader) number() (uint64, bool) {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		return 0, false
	}
	r.rest = r.rest[size:]
	return n, true
}

func (r *reader) bytes() ([]byte, bool) {
	n, ok := r.number()
	if !ok || n > uint64(len(r.rest)) {
		return nil, false
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b, true
}

// read reads one entry.
func read(r reader, now time.Time) (e Entry, ok bool) {
	if len(r.rest) < 2 {
		return e, false
	}
	e.State, e.Node = State(r.rest[0]), r.rest[1]
	r.rest = r.rest[2:]
	var numbers [3]uint64
	for i := range numbers {
		if numbers[i], ok = r.number(); !ok {
			return e, false
		}
	}
	e.Version = numbers[0]
	if left := numbers[1]; left > 0 {
		e.Until = now.Add(time.Duration(min(left, uint64(maxLeft/time.Second))) * time.Second) //nolint:gosec // in range by min
	}
	if at := numbers[2]; at > 0 {
		e.At = time.Unix(int64(min(at, maxSeconds)), 0) //nolint:gosec // in range by min
	}
	for _, w := range []*string{&e.Kind, &e.Name, &e.Value, &e.Who, &e.Where, &e.Why} {
		b, ok := r.bytes()
		if !ok {
			return e, false
		}
		*w = string(b)
	}
	return e, true
}
