package period

import (
	"slices"
	"time"
)

// Never reports whether the period can never hold: "none", "hr {}", or a
// contradiction such as "md {31} mo {Feb}". It does not know of slots that a
// zone's clock changes skip.
func (s Spec) Never() bool {
	if s.subs == nil {
		return false
	}
	for i := range *s.subs {
		if (*s.subs)[i].possible() {
			return false
		}
	}
	return true
}

// Always reports whether the period holds at any time. It takes no account of
// sub-periods that name years, unless they name all ("yr {0-99}").
func (s Spec) Always() bool {
	if s.subs == nil {
		return true
	}
	w := newWalker(slices.DeleteFunc(slices.Clone(*s.subs), func(s sub) bool {
		return s.limits&(1<<year) != 0
	}))
	for _, y := range kinds {
		for t := newYear(y); t.Year() == y; t = t.AddDate(0, 0, 1) {
			if w.setDay(t); w.dayCover() != all {
				return false
			}
		}
	}
	return true
}

// kinds are years of all fourteen kinds, by leap day and weekday of the first
// of January.
var kinds = [14]int{1995, 1996, 1997, 1998, 1999, 2000, 2001, 2002, 2004, 2005, 2008, 2012, 2016, 2020}

// possible reports whether s holds at some time.
func (s *sub) possible() bool {
	for i := hour; i < scales; i++ {
		if s.limits&(1<<i) != 0 && s.sets[i] == (set{}) {
			return false
		}
	}
	for _, y := range kinds {
		if s.hasYearLike(y) && s.hasDay(y) {
			return true
		}
	}
	return false
}

// cycle is the number of years after which the calendar repeats.
const cycle = 400

// hasYearLike reports whether s allows a year whose calendar is that of kind.
// A year that is past the next cycle is taken to be of any kind.
func (s *sub) hasYearLike(kind int) bool {
	if s.limits&(1<<year) == 0 {
		return true
	}
	for y := firstYear; y < firstYear+cycle; y++ {
		if calendar(y) == calendar(kind) && inYears(s.years, y) {
			return true
		}
	}
	for _, span := range s.years {
		if max(span.from, span.to) >= firstYear+cycle {
			return true
		}
	}
	return false
}

// firstYear is the earliest that four digits can name.
const firstYear = 1970

// calendar tells the kinds of year apart.
func calendar(y int) [2]int {
	t := newYear(y)
	return [2]int{int(t.Weekday()), t.AddDate(1, 0, -1).YearDay()}
}

// hasDay reports whether s allows a day of year y, whatever it says of years.
func (s *sub) hasDay(y int) bool {
	var m moment
	for t := newYear(y); t.Year() == y; t = t.AddDate(0, 0, 1) {
		if m.setDay(t); s.holds(&m, dayScales&^(1<<year)) {
			return true
		}
	}
	return false
}

func newYear(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
