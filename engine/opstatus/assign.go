package opstatus

import "time"

// Assign is s with a status that an operator says it has. It is no verdict:
// what was seen, counted over all time, and blindness stay. A status that fails
// begins an outage unless there is one, one that does not ends it without
// telling anybody.
func Assign(s State, to Status, now time.Time) State {
	s.Last, s.Status = s.Status, to
	s.Good, s.Bad = 0, 0
	if to.Failing() {
		if s.FirstFail.IsZero() {
			s.FirstFail = now
		}
		if s.FailSummary == "" {
			s.FailSummary, s.FailOutput = s.Summary, s.Output
		}
		return s
	}
	s.Failures, s.FirstFail, s.LastFail = 0, time.Time{}, time.Time{}
	s.FailSummary, s.FailOutput, s.Ack = "", "", nil
	return s
}

// ParseStatus is the status of mon's number or name; ok is false for any other
// text.
func ParseStatus(text string) (s Status, ok bool) {
	for s := range statuses {
		if text == s.String() || text == string(rune('0'+s.Number())) {
			return s, true
		}
	}
	return Untested, false
}
