// Package share is what two directors of a pair know together of their
// operators: real servers in maintenance, draining or weighted, what is disabled,
// what is acknowledged. It says which of two words about the same thing holds,
// and how they are written for the way to the other director. It is pure: it asks
// no clock, stores nothing and applies nothing; engine does, and heartbeat.monitor
// carries it.
//
// # How two sets become one
//
// A [Set] has one [Entry] for each thing that it knows of ([Key]); also that an
// order ended is an entry. Of two about the same thing the newer holds: the one
// with the higher version, then that of the director with the higher number. A
// version is one more than all that its author knew, so whoever saw an order and
// then said otherwise wins, and of two that did not know of each other one wins
// on both directors, whatever came first and however often. No clock has a part
// in it: the times in an entry are for people.
//
// A director that was away comes back with what it knew, and with old versions:
// what was ended meanwhile ends there as well. That is so as long as the other
// one remembers the end: the newest [MaxEnded] of them, for as long as it takes.
//
// # Bounds
//
// The newest [MaxLive] entries that stand are kept, and their texts are cut. Both
// directors drop the same. An entry of a kind that this release does not know is
// kept and passed on.
package share

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"
)

// The bounds of a set and of an entry, in bytes for texts.
const (
	MaxLive  = 1024
	MaxEnded = 1024
	MaxName  = 600
	maxKind  = 32
	maxValue = 64
	maxWho   = 64
	maxWhere = 64
	maxWhy   = 256
	// MaxVersion is far beyond what operators can come to: more is damage.
	MaxVersion = 1 << 40
	// maxLeft bounds how long something stands.
	maxLeft = 10 * 366 * 24 * time.Hour
	// maxSeconds is the end of the year 9999: no time that people wrote is later.
	maxSeconds = 253402300799
)

// The kinds of things that entries are about, and what their names are.
const (
	Maint   = "maint"   // REAL or VIRTUAL/REAL
	Drain   = "drain"   // the same
	Weight  = "weight"  // the same
	Watch   = "watch"   // of a hostgroup
	Host    = "host"    // of any hostgroup
	Service = "service" // GROUP:SERVICE
	Ack     = "ack"     // GROUP:SERVICE
)

// Key is what an entry is about.
type Key struct{ Kind, Name string }

// String is for people.
func (k Key) String() string { return k.Kind + " " + k.Name }

// State says what an entry says.
type State uint8

// The states. Over is the end of an acknowledgement whose service came back on
// the entry's director: on the other one it may fail still, and that ends it
// itself.
const (
	Stands State = iota + 1
	Ended
	Over
)

// Entry is the word of an operator, or that it holds no more.
type Entry struct {
	Key

	State State
	// Value is what belongs to a kind: a weight, the deadline of a drain.
	Value string
	// Until is when it ends by itself, by this machine's clock; zero for never.
	// On the way it is how much is left. It decides nothing here.
	Until time.Time
	// Who said it, on which director, when and why: for people.
	Who, Where, Why string
	At              time.Time
	// Version and Node say which of two holds; Node is the number of the director
	// where it was said.
	Version uint64
	Node    uint8
}

// compare orders entries by what holds; of two that claim to be the same word
// and are not (a director was put back to an earlier day) their content decides.
func compare(a, b *Entry) int {
	return cmp.Or(
		cmp.Compare(a.Version, b.Version), cmp.Compare(a.Node, b.Node), cmp.Compare(a.State, b.State),
		strings.Compare(a.Value, b.Value), strings.Compare(a.Who, b.Who), strings.Compare(a.Where, b.Where),
		strings.Compare(a.Why, b.Why), cmp.Compare(seconds(a.At), seconds(b.At)),
	)
}

// seconds is t as it goes over the wire.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// Cut is e with its texts cut to what is passed on; ok is false for one that is
// not passed on at all.
func (e Entry) Cut() (_ Entry, ok bool) {
	e.Who, e.Where, e.Why = cut(e.Who, maxWho), cut(e.Where, maxWhere), cut(e.Why, maxWhy)
	return e, e.fits()
}

// fits reports whether an entry is within the bounds.
func (e *Entry) fits() bool {
	at := seconds(e.At)
	return e.Kind != "" && len(e.Kind) <= maxKind && e.Name != "" && len(e.Name) <= MaxName && len(e.Value) <= maxValue &&
		len(e.Who) <= maxWho && len(e.Where) <= maxWhere && len(e.Why) <= maxWhy &&
		e.State >= Stands && e.State <= Over && at >= 0 && at <= maxSeconds && e.Version <= MaxVersion
}

// valid reports whether an entry of a set, or from outside, can be one.
func (e *Entry) valid() bool { return e.fits() && e.Version > 0 && e.Node > 0 }

// cut cuts a text between two characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
