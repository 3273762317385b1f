package period

import "time"

// scale is a unit that a sub-period can limit, the coarsest first.
type scale uint8

const (
	year scale = iota
	month
	week // of the month
	yday
	mday
	wday
	hour
	minute
	second
	scales
)

// Bit sets of scales.
const (
	allScales   uint16 = 1<<scales - 1
	clockScales uint16 = 1<<hour | 1<<minute | 1<<second
	dayScales          = allScales &^ clockScales
)

// units describe the scales: the two names each goes by, its values and how
// they are written (want, for messages).
var units = [scales]struct {
	code, long string
	min, max   int
	want       string
}{
	year:   {"yr", "year", 0, maxYear, "0-99, or 1970 or later"},
	month:  {"mo", "month", 1, 12, "1-12 or a name such as Jan"},
	week:   {"wk", "week", 1, 6, "1-6"},
	yday:   {"yd", "yday", 1, 366, "1-366"},
	mday:   {"md", "mday", 1, 31, "1-31"},
	wday:   {"wd", "wday", 1, 7, "1-7 (1 is Sunday) or a name such as Mon"},
	hour:   {"hr", "hour", 0, 23, "0-23, 9am, 5pm or 12noon"},
	minute: {"min", "minute", 0, 59, "0-59"},
	second: {"sec", "second", 0, 59, "0-59"},
}

// maxYear caps years; larger ones mean the same: not in our time.
const maxYear = 1_000_000

// moment is a time as the scales see it.
type moment [scales]int

func momentOf(t time.Time) moment {
	var m moment
	m.setDay(t)
	m[hour], m[minute], m[second] = t.Clock()
	return m
}

// setDay fills in all but the time of day.
func (m *moment) setDay(t time.Time) {
	y, mo, d := t.Date()
	wd := int(t.Weekday())
	m[year], m[month], m[mday], m[yday], m[wday] = y, int(mo), d, t.YearDay(), wd+1
	m[week] = weekOfMonth(d, wd)
}

// weekOfMonth is the row of a calendar leaf with Sunday first that holds day
// d (1-31), a weekday wd (0 is Sunday).
func weekOfMonth(d, wd int) int {
	first := (wd + 36 - d) % 7 // the weekday of the 1st; 36 keeps it positive
	return (d+first-1)/7 + 1
}

// span is a range of years as written: ends below 100 are of the century of
// the time that is asked about, and the ends may be in either order.
type span struct{ from, to int }

func inYears(spans []span, y int) bool {
	century := y - y%100
	for _, s := range spans {
		lo, hi := inCentury(s.from, century), inCentury(s.to, century)
		if min(lo, hi) <= y && y <= max(lo, hi) {
			return true
		}
	}
	return false
}

func inCentury(y, century int) int {
	if y < 100 {
		return century + y
	}
	return y
}

// set is a set of small numbers; 366 is the largest there is.
type set [6]uint64

func (s *set) has(i int) bool { return s[i>>6]>>(i&63)&1 != 0 }

func (s *set) add(lo, hi int) {
	for i := lo; i <= hi; i++ {
		s[i>>6] |= 1 << (i & 63)
	}
}

// addWrapped adds lo to hi; if lo is the larger, the range goes over the end
// of the scale.
func (s *set) addWrapped(sc scale, lo, hi int) {
	if lo <= hi {
		s.add(lo, hi)
		return
	}
	s.add(lo, units[sc].max)
	s.add(units[sc].min, hi)
}

// fullSet holds every value of sc.
func fullSet(sc scale) set {
	var s set
	s.add(units[sc].min, units[sc].max)
	return s
}
