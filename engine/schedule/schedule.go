// Package schedule says when a service is due next, and keeps what is due in
// order. It is pure: time and randomness are arguments. It starts nothing and
// waits for nothing; the engine's loop does.
//
// Intervals run on the monotonic clock, so a step of the wall clock does not
// move them: times are only added to, which keeps Go's monotonic reading.
// Calendars are of the wall clock.
package schedule

import "time"

// Calendar gives the times of a calendar schedule, such as a cron expression.
// It is the one method of robfig/cron's Schedule.
type Calendar interface {
	// Next is the first time after t, or the zero time if there is none.
	Next(t time.Time) time.Time
}

// Phase says which of a Plan's intervals counts.
type Phase uint8

// The phases of a service.
const (
	Up      Phase = iota // good
	Suspect              // the last result was against the status (rise, fall)
	Down                 // failing
)

// Plan is the schedule of one service. The zero Plan never comes due (a
// service that only gets traps).
type Plan struct {
	// Up is the interval, 10 ms at least; 0 means no interval.
	Up time.Duration
	// Suspect and Down are the intervals in those phases; 0 means Up.
	Suspect, Down time.Duration
	// Skew moves each due time by up to this much, either way (randskew).
	Skew time.Duration
	// RandStart spreads first checks at random over this span; 0 means the
	// stagger described at [Plan.First].
	RandStart time.Duration
	// Calendar replaces the intervals when it is set; Text is its source.
	Calendar Calendar
	Text     string
}

// Scheduled reports whether p ever comes due.
func (p Plan) Scheduled() bool { return p.Calendar != nil || p.Up > 0 }

// Interval is the interval in phase; 0 if p is a calendar or never comes due.
func (p Plan) Interval(phase Phase) time.Duration {
	if p.Calendar != nil || p.Up <= 0 {
		return 0
	}
	switch {
	case phase == Suspect && p.Suspect > 0:
		return p.Suspect
	case phase == Down && p.Down > 0:
		return p.Down
	}
	return p.Up
}

// Equal reports whether p and q come due at the same times. Calendars are
// equal if their Texts are.
func (p Plan) Equal(q Plan) bool {
	if (p.Calendar == nil) != (q.Calendar == nil) {
		return false
	}
	p.Calendar, q.Calendar = nil, nil
	return p == q
}

// maxStagger is how far at most first checks are spread.
const maxStagger = 10 * time.Second

// First is when the service called name is first due if the daemon starts at
// start: one interval later, less a stable hash of the name within the
// interval or 10 s, whichever is less. So short intervals begin at once, and
// all are spread. With RandStart it is a random time within that span, and for
// a calendar its next time. It is the zero time if p never comes due. random is
// asked only with RandStart and answers evenly in [0,n).
func (p Plan) First(name string, start time.Time, random func(n int64) int64) time.Time {
	switch {
	case p.Calendar != nil:
		return p.nextOnCalendar(start, start)
	case p.Up <= 0:
		return time.Time{}
	case p.RandStart > 0:
		return start.Add(time.Duration(random(int64(p.RandStart))))
	}
	spread := uint64(min(p.Up, maxStagger))
	return start.Add(p.Up - time.Duration(hash(name)%spread))
}

// hash is FNV-1a, with a last stir so that names which differ in the last
// letter only lie far apart.
func hash(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Next is when a service is due after the check that was planned for planned,
// asked at now; the zero time if never. random is asked only with Skew and
// answers evenly in [0,n).
//
// The cadence is kept: one interval after planned, however late the check was.
// If that is past, it is the first time of the cadence that is not, so what was
// missed is not made up for. It is never more than an interval from now.
//
// The interval is that of phase. A service that changes phase moves at once:
// ask again with the time of its last check as planned, and the answer is the
// first point not past on a cadence of the new interval that begins at that
// check.
//
// With Skew there is no cadence: it is one interval from now, moved by 1 ms to
// Skew either way, evenly, and at least 1 ms from now.
func (p Plan) Next(planned, now time.Time, phase Phase, random func(n int64) int64) time.Time {
	if p.Calendar != nil {
		return p.nextOnCalendar(planned, now)
	}
	i := p.Interval(phase)
	switch {
	case i <= 0:
		return time.Time{}
	case p.Skew > 0:
		return now.Add(max(i+skew(p.Skew, random), time.Millisecond))
	case planned.IsZero() || planned.After(now):
		return now.Add(i)
	}
	missed := (now.Sub(planned) - 1) / i // due times before now; one at now is not
	return planned.Add((missed + 1) * i)
}

// skew is 1 ms to limit or the same below zero, in whole milliseconds.
func skew(limit time.Duration, random func(n int64) int64) time.Duration {
	n := max(int64(limit/time.Millisecond), 1)
	ms := random(2*n) - n // -n to n-1
	if ms >= 0 {
		ms++
	}
	return time.Duration(ms) * time.Millisecond
}

// early is how much before its time on the wall clock a calendar's check may
// run, because the wall clock was moved while the heap waited on the monotonic
// one, without the same time being planned again.
const early = time.Minute

// nextOnCalendar is the first time of the calendar after now, and after
// planned if that is only just to come. The wait is by the wall clock as it is
// now; the result carries now's monotonic reading on, as the heap wants it.
func (p Plan) nextOnCalendar(planned, now time.Time) time.Time {
	after := now.Round(0)
	if ahead := planned.Round(0).Sub(after); ahead > 0 && ahead <= early {
		after = after.Add(ahead)
	}
	next := p.Calendar.Next(after)
	if next.IsZero() {
		return time.Time{}
	}
	return now.Add(next.Round(0).Sub(now.Round(0)))
}
