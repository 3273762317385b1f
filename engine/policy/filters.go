package policy

import (
	"fmt"
	"strconv"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/plugins/alert"
)

// filter is a test of one period. NoReason lets the event pass; a filter may
// count in st either way.
type filter func(r *round, p *config.Period, st *State) (Reason, string)

// The filters of each kind of event, in mon's order.
var (
	failureFilters = []filter{inPeriod, exitRange, limit, every, afterCount, afterTime, afterWindow}
	upFilters      = []filter{inPeriod, pairedUp, loneUp, upAfter}
	ackFilters     = []filter{inPeriod, pairedUp}
	otherFilters   = []filter{inPeriod}
)

func filters(on alert.Kind) []filter {
	switch on {
	case alert.Failure:
		return failureFilters
	case alert.Up:
		return upFilters
	case alert.Ack:
		return ackFilters
	case alert.Unset, alert.Startup, alert.Trap, alert.TrapTimeout, alert.Disable, alert.Test:
	}
	return otherFilters
}

func inPeriod(r *round, p *config.Period, _ *State) (Reason, string) {
	if p.When.Contains(r.now) {
		return NoReason, ""
	}
	return OutsidePeriod, p.When.String()
}

// pairedUp: only who heard of the failure hears that it is over, or that
// somebody is on it.
func pairedUp(_ *round, p *config.Period, st *State) (Reason, string) {
	if p.NoComp || st.Sent > 0 {
		return NoReason, ""
	}
	return NoAlertBefore, ""
}

// loneUp: with no_comp_alerts an upalert needs no alert before it, but is not
// repeated.
func loneUp(_ *round, p *config.Period, st *State) (Reason, string) {
	if p.NoComp && st.Up {
		return UpAlready, ""
	}
	return NoReason, ""
}

// upAfter is a test that mon reads and never makes.
func upAfter(r *round, p *config.Period, _ *State) (Reason, string) {
	if lasted := span(r.in.Change.Downtime, p.UpAfter); lasted < p.UpAfter {
		return OutageTooShort, fmt.Sprintf("it lasted %s, upalertafter %s", lasted, p.UpAfter)
	}
	return NoReason, ""
}

func exitRange(r *round, p *config.Period, _ *State) (Reason, string) {
	if p.Exit.Match(r.exit()) {
		return NoReason, ""
	}
	return WrongExit, exitNote(r.exit(), p.Exit)
}

func limit(_ *round, p *config.Period, st *State) (Reason, string) {
	if p.Limit == 0 || st.Sent < p.Limit {
		return NoReason, ""
	}
	return LimitReached, fmt.Sprintf("%d of %d sent", st.Sent, p.Limit)
}

func every(r *round, p *config.Period, st *State) (Reason, string) {
	if p.Every.For == 0 || st.LastAlert.IsZero() || r.changed(p.Every.Mode) {
		return NoReason, ""
	}
	gone := span(r.now.Sub(st.LastAlert), p.Every.For)
	if gone < 0 || gone >= p.Every.For {
		return NoReason, "" // a clock that was set back must not silence anybody for hours
	}
	return TooSoon, fmt.Sprintf("last alert %s ago, alertevery %s", gone, p.Every.For)
}

// changed reports whether the failure says something else than the one before
// it, in the part that mode compares. Blanks and the order of words count.
func (r *round) changed(mode config.EveryMode) bool {
	was, is := &r.in.Was, &r.in.Is
	switch mode {
	case config.EverySummary:
		return was.FailSummary != is.FailSummary
	case config.EveryDetail:
		return was.FailOutput != is.FailOutput
	case config.EveryIgnoreSummary, config.EveryStrict:
	}
	return false
}

func afterCount(r *round, p *config.Period, _ *State) (Reason, string) {
	if n := r.out.Service.Failures; n < p.After.Count {
		return TooFew, fmt.Sprintf("%d of %d failures", n, p.After.Count)
	}
	return NoReason, ""
}

// afterTime starts its clock at the first failure that gets this far. As in
// mon, `alertafter N TV` in the same period takes its place.
func afterTime(r *round, p *config.Period, st *State) (Reason, string) {
	if p.After.For == 0 || p.After.Times > 0 {
		return NoReason, ""
	}
	if st.FirstFail.IsZero() || st.FirstFail.After(r.now) {
		st.FirstFail = r.now
	}
	if gone := span(r.now.Sub(st.FirstFail), p.After.For); gone <= p.After.For {
		return TooYoung, fmt.Sprintf("failing for %s, alertafter %s", gone, p.After.For)
	}
	return NoReason, ""
}

// afterWindow counts failures in a window that begins with the first of them;
// one that comes too late begins the next.
func afterWindow(r *round, p *config.Period, st *State) (Reason, string) {
	if p.After.Times == 0 {
		return NoReason, ""
	}
	st.FailCount++
	gone := span(r.now.Sub(st.FirstFail), p.After.Within)
	if st.FirstFail.IsZero() || gone < 0 || gone > p.After.Within {
		st.FailCount, st.FirstFail = 1, r.now
	}
	if st.FailCount < p.After.Times {
		return TooSparse, fmt.Sprintf("%d of %d failures within %s", st.FailCount, p.After.Times, p.After.Within)
	}
	return NoReason, ""
}

// span is d as it is compared with limit: in whole seconds when limit is. mon
// counts whole seconds, and a check that comes a millisecond early must not
// make `alertevery 1m` miss a whole interval.
func span(d, limit time.Duration) time.Duration {
	if limit%time.Second != 0 {
		return d
	}
	return d.Round(time.Second)
}

func exitNote(exit int, r config.ExitRange) string {
	if r.Min == r.Max {
		return fmt.Sprintf("exit %d, not %d", exit, r.Min)
	}
	return fmt.Sprintf("exit %d, not %d-%d", exit, r.Min, r.Max)
}

func quoted(s string) string { return strconv.Quote(s) }
