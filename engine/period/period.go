// Package period reads and evaluates the period expressions of mon.cf, which
// are those of Perl's Time::Period: "wd {Mon-Fri} hr {9am-4pm}, wd {Sat}".
// It is pure: the time is an argument, and it is read in its own location. It
// is not for intervals or cron expressions (engine/schedule).
//
// An expression is a list of sub-periods separated by commas, one of which
// must hold. A sub-period is a list of scales with values, "hr {9-12 14-17}",
// all of which must hold; a scale that is given twice holds if either does. A
// value is a closed slot: "hr {9-16}" is 09:00:00 to 16:59:59.
//
// Differences from Time::Period, all malformed here: it stops at the first
// sub-period that holds, so "hr {9}, junk" passes between nine and ten; it
// ignores what follows a single day of the year, "yd {60x}", and the middle of
// a range that begins with a name, "wd {Mon-junk-Fri}".
package period

import (
	"strings"
	"time"
)

// Spec is a parsed period expression. The zero Spec is always. It is
// immutable and cheap to copy; compare with [Spec.Equal], not with ==.
type Spec struct {
	text string
	// subs is nil for always and points to an empty list for never, so that
	// a Spec stays two words and a pointer.
	subs *[]sub
}

// sub is one sub-period: the values allowed of each scale.
type sub struct {
	// limits has bit i set if scale i has a say. A scale that allows all its
	// values has none, so that "wd {Sun-Sat}" costs and means nothing.
	limits uint16
	sets   [scales]set
	years  []span
}

// holds reports whether the scales of which (a bit set) allow m.
func (s *sub) holds(m *moment, which uint16) bool {
	limits := s.limits & which
	if limits&(1<<year) != 0 && !inYears(s.years, m[year]) {
		return false
	}
	for i := month; i < scales; i++ {
		if limits&(1<<i) != 0 && !s.sets[i].has(m[i]) {
			return false
		}
	}
	return true
}

// String is the expression as it was written.
func (s Spec) String() string { return s.text }

// Equal reports whether s and other were written the same.
func (s Spec) Equal(other Spec) bool { return s.text == other.text }

// Contains reports whether t, in its location, is inside the period. A year
// of two digits is one of t's century.
func (s Spec) Contains(t time.Time) bool {
	if s.subs == nil {
		return true
	}
	m := momentOf(t)
	for i := range *s.subs {
		if (*s.subs)[i].holds(&m, allScales) {
			return true
		}
	}
	return false
}

// isNone reports whether text is the word that means never.
func isNone(text string) bool {
	return strings.EqualFold(strings.Trim(text, blanks), "none")
}
