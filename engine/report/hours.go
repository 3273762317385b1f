package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/mondhq/mond/engine/period"
)

// hours is the part of a time that lies in a period, as stretches in order.
type hours struct {
	stretches []stretch
}

// stretch is a time that lies wholly in the period; before is how much of the
// period lies before it.
type stretch struct {
	from, to time.Time
	before   time.Duration
}

// mostStretches bounds what a period costs: an hour of each day for 100 years.
const mostStretches = 40_000

// hoursOf is the part of from to to that lies in p.
func hoursOf(p period.Spec, from, to time.Time) (hours, error) {
	var h hours
	var sum time.Duration
	for at := from; at.Before(to); {
		end := p.NextChange(at)
		if end.IsZero() || end.After(to) {
			end = to
		}
		if p.Contains(at) {
			h.stretches = append(h.stretches, stretch{at, end, sum})
			sum += end.Sub(at)
		}
		if len(h.stretches) > mostStretches {
			return h, fmt.Errorf("period %s changes more than %d times in that time; ask for less time", p, mostStretches)
		}
		at = end
	}
	return h, nil
}

// within is how much of from to to lies in the period.
func (h hours) within(from, to time.Time) time.Duration {
	if !from.Before(to) {
		return 0
	}
	return h.until(to) - h.until(from)
}

// until is how much of the period lies before t.
func (h hours) until(t time.Time) time.Duration {
	i, _ := slices.BinarySearchFunc(h.stretches, t, func(s stretch, t time.Time) int { return s.from.Compare(t) })
	if i == 0 {
		return 0
	}
	s := h.stretches[i-1]
	return s.before + earlier(s.to, t).Sub(s.from)
}
