package engine

import (
	"maps"
	"strconv"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
)

// daemonEnv is the part of mon's environment that is the same for all.
func daemonEnv(g config.Globals) map[string]string {
	return map[string]string{"MON_STATEDIR": g.StateDir, "MON_LOGDIR": g.LogDir, "MON_CFBASEDIR": g.CfBaseDir}
}

// epoch is t in seconds, 0 for the zero time, as mon has it.
func epoch(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// monitorEnv is what mon gives a monitor (mon.1, ENVIRONMENT). Variables of
// the past are absent before the first check.
func (l *loop) monitorEnv(s *service) map[string]string {
	env := maps.Clone(s.baseEnv)
	env["MON_GROUP"], env["MON_SERVICE"] = s.cfg.Key.Group, s.cfg.Key.Service
	if s.cfg.Description != "" {
		env["MON_DESCRIPTION"] = s.cfg.Description
	}
	env["MON_LAST_FAILURE"], env["MON_LAST_SUCCESS"] = epoch(s.state.LastFail), epoch(s.state.LastOK)
	if s.dependOK != nil {
		env["MON_DEPEND_STATUS"] = flag(*s.dependOK)
	}
	if s.state.Tested {
		env["MON_FIRST_FAILURE"] = epoch(s.state.FirstFail)
		env["MON_LAST_OUTPUT"] = s.state.Output
		if hasSummary(s.state) {
			env["MON_LAST_SUMMARY"] = s.state.Summary
		}
		if !s.state.FirstOK.IsZero() {
			env["MON_FIRST_SUCCESS"] = epoch(s.state.FirstOK)
		}
	}
	return env
}

// alertEnv is what mon gives an alert. was is the state before the event.
func (l *loop) alertEnv(s *service, kind alert.Kind, was opstatus.State) map[string]string {
	env := maps.Clone(s.baseEnv)
	env["MON_GROUP"], env["MON_SERVICE"] = s.cfg.Key.Group, s.cfg.Key.Service
	env["MON_ALERTTYPE"] = kind.String()
	env["MON_OPSTATUS"] = strconv.Itoa(s.state.Status.Number())
	lastSaid(env, kind, was, s.state)
	times := s.state
	if kind == alert.Up { // an upalert is called before the outage is forgotten
		times = was
	}
	env["MON_LAST_FAILURE"], env["MON_LAST_SUCCESS"] = epoch(times.LastFail), epoch(times.LastOK)
	env["MON_FIRST_SUCCESS"] = epoch(times.FirstOK)
	if times.Tested {
		env["MON_FIRST_FAILURE"] = epoch(times.FirstFail)
	}
	if s.cfg.Description != "" {
		env["MON_DESCRIPTION"] = s.cfg.Description
	}
	if kind != alert.Ack && kind != alert.Disable {
		env["MON_RETVAL"] = strconv.Itoa(exitOf(s.state, kind))
	}
	if s.intended != "" {
		env["MON_TRAP_INTENDED"] = s.intended
	}
	if times.Ack != nil {
		env["MON_ACK"] = ackText(*times.Ack)
	}
	return env
}

// lastSaid sets MON_LAST_SUMMARY and MON_LAST_OUTPUT: of the outage that ended
// for an upalert, else of before the event; but a failure has its own summary.
func lastSaid(env map[string]string, kind alert.Kind, was, is opstatus.State) {
	summary, output, known := was.Summary, was.Output, hasSummary(was)
	switch {
	case kind == alert.Up && was.Status.Failing():
		summary, output = was.FailSummary, was.FailOutput
	case isFailure(kind):
		summary, known = is.FailSummary, true
	}
	if known {
		env["MON_LAST_SUMMARY"] = summary
	}
	if was.Tested {
		env["MON_LAST_OUTPUT"] = output
	}
}

// hasSummary reports whether the last verdict said anything.
func hasSummary(s opstatus.State) bool { return s.Summary != "" || s.Output != "" }

func isFailure(kind alert.Kind) bool {
	return kind == alert.Failure || kind == alert.Trap || kind == alert.TrapTimeout
}

func exitOf(s opstatus.State, kind alert.Kind) int {
	if kind == alert.Up || kind == alert.Startup || !s.Tested {
		return 0
	}
	return s.Exit
}

// ackText is MON_ACK. As under mon there is a colon before the comment of
// somebody who did not log in.
func ackText(n opstatus.Note) string { return n.Who() + ": " + n.Text }

// noteText is "user: comment", or the comment alone.
func noteText(n opstatus.Note) string {
	if n.Who() == "" {
		return n.Text
	}
	return n.Who() + ": " + n.Text
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
