package share

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strings"
)

// Set is what a director knows. It is used by one goroutine.
type Set struct {
	entries           map[Key]Entry
	top               uint64
	live, ended       int
	sum               uint64
	maxLive, maxEnded int
	refused           int
}

// New makes a Set of what was saved; what cannot be an entry is left out.
func New(saved []Entry) *Set {
	s := &Set{entries: map[Key]Entry{}, maxLive: MaxLive, maxEnded: MaxEnded}
	s.Merge(saved)
	return s
}

// Get is what is known of a thing.
func (s *Set) Get(k Key) (Entry, bool) {
	e, ok := s.entries[k]
	return e, ok
}

// Len is how many entries stand, and how many ends are remembered.
func (s *Set) Len() (live, ended int) { return s.live, s.ended }

// Full reports whether what is added takes the place of something.
func (s *Set) Full() bool { return s.live >= s.maxLive }

// Refused is how many entries from outside could not be any.
func (s *Set) Refused() int { return s.refused }

// Say adds the word of an operator of this director, which is newer than all
// that is known. It reports whether it fits.
func (s *Set) Say(e Entry, node uint8) bool {
	e.Version, e.Node = s.top+1, node
	e, ok := e.Cut()
	if !ok || !e.valid() {
		return false
	}
	s.put(e)
	s.trim()
	return true
}

// Merge takes in what another director knows, or a part of it, and returns what
// is news.
func (s *Set) Merge(list []Entry) (news []Entry) {
	for i := range list {
		e := &list[i]
		if !e.valid() {
			s.refused++
			continue
		}
		if known, ok := s.entries[e.Key]; ok && compare(e, &known) <= 0 {
			continue
		}
		s.put(*e)
		news = append(news, *e)
	}
	s.trim()
	return slices.DeleteFunc(news, func(e Entry) bool {
		now, ok := s.entries[e.Key]
		return !ok || compare(&now, &e) != 0 // dropped again, or said twice in the list
	})
}

func (s *Set) put(e Entry) {
	s.drop(e.Key)
	s.entries[e.Key] = e
	s.top = max(s.top, e.Version)
	s.sum += e.hash()
	s.count(e.State, 1)
}

func (s *Set) drop(k Key) {
	if old, ok := s.entries[k]; ok {
		delete(s.entries, k)
		s.sum -= old.hash()
		s.count(old.State, -1)
	}
}

func (s *Set) count(state State, n int) {
	if state == Stands {
		s.live += n
	} else {
		s.ended += n
	}
}

// trim drops the oldest of what is too much.
func (s *Set) trim() {
	if s.live <= s.maxLive && s.ended <= s.maxEnded {
		return
	}
	live, ended := 0, 0
	for _, e := range s.All() {
		n, most := &ended, s.maxEnded
		if e.State == Stands {
			n, most = &live, s.maxLive
		}
		if *n++; *n > most {
			s.drop(e.Key)
		}
	}
}

// All are the entries, the newest first.
func (s *Set) All() []Entry {
	list := make([]Entry, 0, len(s.entries))
	for _, e := range s.entries {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b Entry) int {
		return cmp.Or(compare(&b, &a), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
	})
	return list
}

// Hash sums up what is known, for the beats: equal on both directors when they
// know the same. It is never 0.
func (s *Set) Hash() uint64 { return max(mix(s.sum+1), 1) }

// hash is of all that must be the same on both.
func (e *Entry) hash() uint64 {
	h := fnv.New64a()
	var b [26]byte
	binary.BigEndian.PutUint64(b[:], e.Version)
	binary.BigEndian.PutUint64(b[8:], uint64(seconds(e.At))) //nolint:gosec // any number will do
	b[16], b[17] = e.Node, byte(e.State)
	_, _ = h.Write(b[:18]) // a hash takes everything
	for _, w := range []string{e.Kind, e.Name, e.Value, e.Who, e.Where, e.Why} {
		binary.BigEndian.PutUint64(b[18:], uint64(len(w)))
		_, _ = h.Write(b[18:])
		_, _ = h.Write([]byte(w))
	}
	return mix(h.Sum64())
}

// mix spreads a number over all bits, so that sums of such do not cancel out
// (the end of splitmix64).
func mix(n uint64) uint64 {
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
