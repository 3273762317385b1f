// Package numbers is an option's value for lists of numbers, such as the
// statuses of HTTP that are well or the exit statuses that ask for another try.
package numbers

import (
	"fmt"
	"strconv"
	"strings"
)

// Set is a list of numbers and ranges, such as 200-299,401. Min and Max bound
// what may be in it.
type Set struct {
	Min, Max int
	spans    []span
	text     string
}

type span struct{ from, to int }

// New is the set that text describes; a text that it cannot read is a mistake
// of the program and panics.
func New(low, high int, text string) Set {
	s := Set{Min: low, Max: high}
	if err := s.Set(text); err != nil {
		panic(err)
	}
	return s
}

// String is the list as it was given.
func (s *Set) String() string { return s.text }

// Set reads a list; "none" is the empty one.
func (s *Set) Set(text string) error {
	s.text, s.spans = text, nil
	if text == "none" {
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		from, to, ranged := strings.Cut(part, "-")
		if !ranged {
			to = from
		}
		low, err := strconv.Atoi(from)
		high, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || low < s.Min || high > s.Max || low > high {
			return fmt.Errorf("want numbers from %d to %d, such as %d-%d,%d, or none", s.Min, s.Max, s.Min, s.Min+1, s.Max)
		}
		s.spans = append(s.spans, span{low, high})
	}
	return nil
}

// Has reports whether n is in the list.
func (s *Set) Has(n int) bool {
	for _, p := range s.spans {
		if p.from <= n && n <= p.to {
			return true
		}
	}
	return false
}
