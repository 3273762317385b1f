package period

import "time"

// horizon is how far [Spec.NextChange] looks. The rarest day that recurs, a
// 29th of February on a given weekday, can be 40 years away.
const horizon = 41 * 366 * 24 * time.Hour

const (
	perMinute = 60
	perHour   = 60 * perMinute
	perDay    = 24 * perHour
)

// cover says how much of a unit of time is inside a period.
type cover uint8

const (
	none cover = iota
	all
	part
)

// and joins the covers of two stretches of time, one after the other.
func (c cover) and(other cover) cover {
	if c == other {
		return c
	}
	return part
}

// is reports whether c is all of one value: inside.
func (c cover) is(inside bool) bool {
	return inside && c == all || !inside && c == none
}

// NextChange is the first time after t, to the second, at which
// [Spec.Contains] is not what it is at t; the zero time if there is none in
// the next 41 years. It is in t's location and right where the clocks change:
// a slot that is skipped or happens twice is skipped or happens twice. If t
// has a monotonic reading, that is carried on, so that a timer may wait for it.
func (s Spec) NextChange(t time.Time) time.Time {
	if s.subs == nil || len(*s.subs) == 0 {
		return time.Time{}
	}
	wall := t.Round(0)
	if at := s.change(wall); !at.IsZero() {
		return t.Add(at.Sub(wall))
	}
	return time.Time{}
}

// change is NextChange by the wall clock. It looks at whole days, hours and
// minutes as long as nothing in them changes.
func (s Spec) change(t time.Time) time.Time {
	now, end := s.Contains(t), t.Add(horizon)
	w := newWalker(*s.subs)
	for {
		// Between two changes of the zone, local time is linear.
		_, offset := t.Zone()
		next, last := zoneEnd(t, end)
		shift := int64(offset)
		if at, ok := w.find(t.Unix()+shift, next.Unix()+shift, now); ok {
			return time.Unix(at-shift, 0).In(t.Location())
		}
		if last {
			return time.Time{}
		}
		if t = next.In(t.Location()); s.Contains(t) != now {
			return t
		}
	}
}

// zoneEnd is when t's zone may change next, or limit if that is not before it
// (last). Go ends the zone of a rule in the far future a day early in leap
// years, so that the end may lie before t (seen with 1.26): such a time is
// taken an hour at a time.
func zoneEnd(t, limit time.Time) (end time.Time, last bool) {
	_, end = t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		end = t.Add(time.Hour)
	}
	if end.IsZero() || end.After(limit) {
		return limit, true
	}
	return end, false
}

// walker looks for changes in local time, in seconds since 1970 as if there
// were no zones.
type walker struct {
	subs []sub
	// day, hour and minute hold the sub-periods that allow the day, hour
	// and minute looked at.
	day, hour, minute []*sub
	// covers of days seen, by which sub-periods allow them (see key).
	covers map[string]cover
	key    []byte
}

func newWalker(subs []sub) *walker {
	return &walker{subs: subs, covers: map[string]cover{}, key: make([]byte, len(subs))}
}

// find is the first second in (from, end) where being inside is not now,
// which it is at from.
func (w *walker) find(from, end int64, now bool) (int64, bool) {
	for at := from; at < end; {
		w.setDay(time.Unix(at, 0).UTC())
		if c := w.dayCover(); !c.is(now) {
			if found, ok := w.inDay(at, now, c); ok {
				return found, found < end
			}
		}
		at = floor(at, perDay) + perDay
	}
	return 0, false
}

// inDay looks from at to the end of its day, which is covered as c says.
func (w *walker) inDay(at int64, now bool, c cover) (int64, bool) {
	if c != part {
		return at, true
	}
	for end := floor(at, perDay) + perDay; at < end; at = floor(at, perHour) + perHour {
		w.setHour(int(at-floor(at, perDay)) / perHour)
		if c := w.hourCover(); !c.is(now) {
			if found, ok := w.inHour(at, now, c); ok {
				return found, true
			}
		}
	}
	return 0, false
}

func (w *walker) inHour(at int64, now bool, c cover) (int64, bool) {
	if c != part {
		return at, true
	}
	for end := floor(at, perHour) + perHour; at < end; at = floor(at, perMinute) + perMinute {
		w.setMinute(int(at-floor(at, perHour)) / perMinute)
		if c := w.minuteCover(); !c.is(now) {
			if found, ok := w.inMinute(at, now, c); ok {
				return found, true
			}
		}
	}
	return 0, false
}

func (w *walker) inMinute(at int64, now bool, c cover) (int64, bool) {
	if c != part {
		return at, true
	}
	for end := floor(at, perMinute) + perMinute; at < end; at++ {
		if w.inSecond(int(at-floor(at, perMinute))) != now {
			return at, true
		}
	}
	return 0, false
}

// setDay finds the sub-periods that allow the day of t.
func (w *walker) setDay(t time.Time) {
	var m moment
	m.setDay(t)
	w.day = w.day[:0]
	for i := range w.subs {
		w.key[i] = 0
		if w.subs[i].holds(&m, dayScales) {
			w.key[i] = 1
			w.day = append(w.day, &w.subs[i])
		}
	}
}

func (w *walker) setHour(v int)   { w.hour = narrow(w.hour, w.day, hour, v) }
func (w *walker) setMinute(v int) { w.minute = narrow(w.minute, w.hour, minute, v) }

// narrow puts those of from into into that allow v.
func narrow(into, from []*sub, sc scale, v int) []*sub {
	into = into[:0]
	for _, s := range from {
		if s.limits&(1<<sc) == 0 || s.sets[sc].has(v) {
			into = append(into, s)
		}
	}
	return into
}

// dayCover is remembered, since there are few kinds of day.
func (w *walker) dayCover() cover {
	if c, ok := w.covers[string(w.key)]; ok {
		return c
	}
	w.setHour(0)
	c := w.hourCover()
	for h := 1; h < 24 && c != part; h++ {
		w.setHour(h)
		c = c.and(w.hourCover())
	}
	w.covers[string(w.key)] = c
	return c
}

func (w *walker) hourCover() cover {
	if len(w.hour) == 0 {
		return none
	}
	w.setMinute(0)
	c := w.minuteCover()
	for m := 1; m < 60 && c != part; m++ {
		w.setMinute(m)
		c = c.and(w.minuteCover())
	}
	return c
}

func (w *walker) minuteCover() cover {
	var seconds uint64
	for _, s := range w.minute {
		if s.limits&(1<<second) == 0 {
			return all
		}
		seconds |= s.sets[second][0]
	}
	switch seconds {
	case 0:
		return none
	case 1<<60 - 1:
		return all
	}
	return part
}

func (w *walker) inSecond(v int) bool {
	for _, s := range w.minute {
		if s.limits&(1<<second) == 0 || s.sets[second].has(v) {
			return true
		}
	}
	return false
}

// floor is the last multiple of unit that is not after at.
func floor(at int64, unit int64) int64 {
	return at - ((at%unit)+unit)%unit
}
