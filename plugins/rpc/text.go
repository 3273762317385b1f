package rpc

import (
	"strings"
	"time"
	"unicode/utf8"
)

// CutMark ends a text that was cut.
const CutMark = "\n[mond: cut here, the rest was too long]\n"

// text is s in valid UTF-8, as proto3 demands of a string: one bad byte would
// end the whole session.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func texts(list []string) []string {
	for i, s := range list {
		if !utf8.ValidString(s) {
			return cleaned(list, i)
		}
	}
	return list
}

// cleaned is a copy of list, all valid; those before index from are known to be.
func cleaned(list []string, from int) []string {
	out := make([]string, len(list))
	copy(out, list[:from])
	for i := from; i < len(list); i++ {
		out[i] = text(list[i])
	}
	return out
}

// Cut is s, valid UTF-8, of at most limit bytes; what was cut is replaced by
// [CutMark]. limit is at least the length of the mark.
func Cut(s string, limit int) string {
	if len(s) > limit {
		s = s[:min(len(s), limit+utf8.UTFMax)] // no need to look at all of it
	}
	if s = text(s); len(s) <= limit {
		return s
	}
	return clip(s, limit-len(CutMark)) + CutMark
}

// clip is the valid string s without what is past limit bytes.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// line is the first line of s, at most limit bytes, without a mark.
func line(s string, limit int) string {
	s, _, _ = strings.Cut(s, "\n")
	return clip(text(s), limit)
}

// pairs is m as key, value, key, value; each value is cut at MaxOutput.
func pairs(m map[string]string) []string {
	if len(m) == 0 {
		return nil
	}
	out := make([]string, 0, 2*len(m))
	for k, v := range m {
		out = append(out, text(k), Cut(v, MaxOutput))
	}
	return out
}

// unpair is the inverse of pairs; a key without a value is dropped.
func unpair(list []string) map[string]string {
	if len(list) < 2 {
		return nil
	}
	m := make(map[string]string, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}

func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func unstamp(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

func size(list []string) int {
	n := 0
	for _, s := range list {
		n += len(s) + 3 // tag and length
	}
	return n
}
