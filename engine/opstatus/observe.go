package opstatus

import (
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
)

// NoSummary stands for the summary of a failure whose first line is blank.
const NoSummary = "(NO SUMMARY)"

// TimeoutExit is the exit status that stands for a check that did not answer
// in its limit: what most monitors answer for "down", so that `exit=1` and
// alertexitrange treat a hang as the failure it is.
const TimeoutExit = 1

// New is the state of a service that was never checked.
func New() State { return State{Exit: -1} }

// Observe says what ev does to s: the state after it, and what changed. It
// never changes what s points to.
//
// Results that were run or pushed obey set; those against the status that do
// not yet suffice to change it only count (Transition.Suspect). The first
// success of an untested service decides at once, its first failures obey
// Fall. Traps decide at once whatever set says: nobody repeats a trap.
func Observe(s State, set Settings, ev Event, now time.Time) (State, Transition) {
	t := Transition{From: s.Status, To: s.Status, Event: ev.Kind}
	switch ev.Kind {
	case Exit, Pushed:
		return result(s, set, ev.Result, t, now)
	case Trap:
		s.LastTrap = now
		return result(s, Settings{}, ev.Result, t, now)
	case TrapTimeout:
		return result(s, Settings{}, trapTimeout(ev.Result), t, now)
	case TrapExpired:
		return expire(s, ev.Result, t, now)
	case Ack:
		return acknowledge(s, ev.Note, t)
	case None, Disable, Enable, Startup:
	}
	return s, t
}

// Ackable reports whether there is anything to acknowledge.
func (s State) Ackable() bool {
	return s.Status != OK && s.Status != Untested && s.Status != Warn
}

// Suspect reports whether the last result was against the status, but not yet
// enough to change it.
func (s State) Suspect() bool { return s.Good > 0 || s.Bad > 0 }

// result takes a result in, a verdict or not.
func result(s State, set Settings, r monitor.Result, t Transition, now time.Time) (State, Transition) {
	if r.Blind() {
		s.Blind, t.Blind = s.Blind.again(r, now), true
		return s, t
	}
	if t.Event == Exit || t.Event == Pushed {
		s.Blind = nil // a trap does not say that the monitor sees again
	}
	s.Tested = true
	s.note(r, t.Event, now)
	if s.unsettled(set, r.Failing()) {
		t.Suspect = true
		return s, t
	}
	if r.Failing() {
		return fail(s, r, t, now)
	}
	return succeed(s, goodStatus(r), t, now)
}

// again is b after one more blind result; Since stays that of the first.
func (b *Blind) again(r monitor.Result, now time.Time) *Blind {
	next := Blind{Cause: r.Cause, Reason: r.Summary, Since: now, Times: 1}
	if b != nil {
		next.Since, next.Times = b.Since, b.Times+1
	}
	return &next
}

// note keeps what a verdict said. A check's own start is when it looked; a
// trap is no check.
func (s *State) note(r monitor.Result, kind EventKind, now time.Time) {
	s.Exit = exitStatus(r)
	s.Summary, s.Output = summary(r), output(r, s.Output)
	if kind != Exit && kind != Pushed {
		return
	}
	s.Took, s.LastCheck = r.Took, r.Started
	if r.Started.IsZero() {
		s.LastCheck = now
	}
}

// unsettled counts a verdict for rise and fall, and reports whether it is
// against the status without being enough to change it.
func (s *State) unsettled(set Settings, failing bool) bool {
	if failing == s.Status.Failing() {
		s.Good, s.Bad = 0, 0
		return false
	}
	count, need := &s.Good, set.Rise
	if failing {
		count, need = &s.Bad, set.Fall
	}
	*count++
	if *count < need {
		return true
	}
	s.Good, s.Bad = 0, 0
	return false
}

// fail makes s fail, again or for the first time.
func fail(s State, r monitor.Result, t Transition, now time.Time) (State, Transition) {
	t.Failure, t.First = true, !s.Status.Failing()
	if t.First || s.FirstFail.IsZero() {
		s.FirstFail = now
	}
	s.Failures++
	s.Total++
	s.LastFail = now
	s.FailSummary, s.FailOutput = s.Summary, s.Output
	s.Last, s.Status = s.Status, Fail
	if r.Cause == monitor.TimedOut {
		s.Status = Timeout
	}
	t.To = s.Status
	return s, t
}

// succeed makes s good, again or after an outage, which it closes.
func succeed(s State, to Status, t Transition, now time.Time) (State, Transition) {
	t.Success, t.Recovered = true, s.Status.Failing()
	if t.Recovered && !s.FirstFail.IsZero() {
		t.Downtime = max(0, now.Sub(s.FirstFail))
	}
	if t.Recovered || s.FirstOK.IsZero() {
		s.FirstOK = now
	}
	s.Last, s.Status, s.LastOK = s.Status, to, now
	s.Failures, s.FirstFail, s.LastFail = 0, time.Time{}, time.Time{}
	s.FailSummary, s.FailOutput, s.Ack = "", "", nil
	t.To = to
	return s, t
}

// expire ends what a trap said. mon sets the status alone; here a failing
// service recovers as if it had been told so, and a good one stays as it is.
func expire(s State, r monitor.Result, t Transition, now time.Time) (State, Transition) {
	if !s.Status.Failing() {
		return s, t
	}
	if r.Summary == "" {
		r.Summary = "trap expired"
	}
	s.Good, s.Bad, s.Exit = 0, 0, 0
	s.Summary, s.Output = r.Summary, r.Output()
	return succeed(s, OK, t, now)
}

// acknowledge keeps n; where there is nothing to acknowledge it is no event.
func acknowledge(s State, n Note, t Transition) (State, Transition) {
	if !s.Ackable() {
		t.Event = None
		return s, t
	}
	s.Ack = &n
	return s, t
}

// trapTimeout is r, or a failure when the caller gave none: silence is the
// verdict.
func trapTimeout(r monitor.Result) monitor.Result {
	if r.Failing() {
		return r
	}
	return monitor.Failed("trap timeout", "")
}

func goodStatus(r monitor.Result) Status {
	if r.Warn {
		return Warn
	}
	return OK
}

func exitStatus(r monitor.Result) int {
	if r.Cause == monitor.TimedOut {
		return TimeoutExit
	}
	return r.Exit
}

// summary is the first line of r; a failure always has one.
func summary(r monitor.Result) string {
	line, _, _ := strings.Cut(r.Summary, "\n")
	if !r.Failing() || strings.TrimSpace(line) != "" {
		return line
	}
	if r.Cause == monitor.TimedOut {
		return "timed out"
	}
	return NoSummary
}

// output is r.Output(), or prev when that is the same text: a service that
// says the same for weeks keeps one string.
func output(r monitor.Result, prev string) string {
	rest, ok := strings.CutPrefix(prev, r.Summary)
	if ok && r.Detail != "" && len(rest) == len(r.Detail)+1 && rest[0] == '\n' && rest[1:] == r.Detail {
		return prev
	}
	if ok && r.Detail == "" && r.Summary != "" && rest == "\n" {
		return prev
	}
	return r.Output()
}
