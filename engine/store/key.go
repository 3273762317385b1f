package store

import (
	"encoding/binary"
	"math"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
)

// recordKey is the row of a service: group, a zero byte, service. A group's
// name holds no zero byte; the rows of a group lie side by side.
func recordKey(k opstatus.Key) []byte { return []byte(k.Group + "\x00" + k.Service) }

func parseRecordKey(b []byte) (opstatus.Key, bool) {
	g, s, ok := strings.Cut(string(b), "\x00")
	return opstatus.Key{Group: g, Service: s}, ok
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func parseSeqKey(b []byte) (uint64, bool) {
	if len(b) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(b), true
}

// eventKey sorts history by time, and events of one instant by their number.
// The number is given once, in Append, so that a commit which is tried again
// writes the same rows again and no others.
func eventKey(at time.Time, number uint64) []byte {
	return binary.BigEndian.AppendUint64(timeKey(at), number)
}

// eventTime and eventNumber are the halves of an eventKey.
func eventTime(key []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(key)^1<<63))
}

func eventNumber(key []byte) uint64 { return binary.BigEndian.Uint64(key[8:]) }

// timeKey is the first half of an eventKey: nanoseconds since 1970 with the
// sign bit turned, so that bytes sort as times do. Times out of range (before
// 1678, after 2261) go to the nearer end.
func timeKey(at time.Time) []byte {
	n := at.UnixNano()
	switch {
	case at.Before(time.Unix(0, math.MinInt64)):
		n = math.MinInt64
	case at.After(time.Unix(0, math.MaxInt64)):
		n = math.MaxInt64
	}
	return binary.BigEndian.AppendUint64(nil, uint64(n)^1<<63)
}
