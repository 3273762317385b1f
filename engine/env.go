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
		if s.state.Summary != "" {
			env["MON_LAST_SUMMARY"] = s.state.Summary
		}
		if !s.state.FirstOK.IsZero() {
			env["MON_FIRST_SUCCESS"] = epoch(s.state.FirstOK)
		}
	}
	return env
}

// alertEnv is what mon gives an alert. summary and lastOutput follow the kind
// of alert: of the outage that ended for an upalert, of before this failure
// for a failure.
func (l *loop) alertEnv(s *service, kind alert.Kind, was opstatus.State, summary, lastOutput string) map[string]string {
	env := maps.Clone(s.baseEnv)
	env["MON_GROUP"], env["MON_SERVICE"] = s.cfg.Key.Group, s.cfg.Key.Service
	env["MON_ALERTTYPE"] = kind.String()
	env["MON_LAST_SUMMARY"], env["MON_LAST_OUTPUT"] = summary, lastOutput
	env["MON_OPSTATUS"] = strconv.Itoa(s.state.Status.Number())
	times := s.state
	if kind == alert.Up {
		times.FirstFail, times.LastFail = was.FirstFail, was.LastFail
	}
	env["MON_FIRST_FAILURE"], env["MON_LAST_FAILURE"] = epoch(times.FirstFail), epoch(times.LastFail)
	env["MON_FIRST_SUCCESS"], env["MON_LAST_SUCCESS"] = epoch(times.FirstOK), epoch(times.LastOK)
	if s.cfg.Description != "" {
		env["MON_DESCRIPTION"] = s.cfg.Description
	}
	if kind != alert.Ack && kind != alert.Disable {
		env["MON_RETVAL"] = strconv.Itoa(exitOf(s.state, kind))
	}
	if s.intended != "" {
		env["MON_TRAP_INTENDED"] = s.intended
	}
	if s.state.Ack != nil {
		env["MON_ACK"] = noteText(*s.state.Ack)
	}
	return env
}

func exitOf(s opstatus.State, kind alert.Kind) int {
	if kind == alert.Up || kind == alert.Startup || !s.Tested {
		return 0
	}
	return s.Exit
}

// noteText is "user: comment", or the comment alone.
func noteText(n opstatus.Note) string {
	if n.User == "" {
		return n.Text
	}
	return n.User + ": " + n.Text
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
