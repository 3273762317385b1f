package engine

import (
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
)

// readDirective is the value of a directive in force. Times are in seconds.
func readDirective(s *service, name string, _ time.Time) (value string, ok bool) {
	c := s.cfg
	switch name {
	case "service":
		return c.Key.Service, true
	case "description":
		return c.Description, true
	case "interval":
		return seconds(c.Plan.Interval(s.phase)), true
	case "_old_interval":
		if c.Plan.Interval(s.phase) == c.Plan.Up {
			return "", true
		}
		return seconds(c.Plan.Up), true
	case "failure_interval":
		return seconds(c.Plan.Down), true
	case "suspect_interval":
		return seconds(c.Plan.Suspect), true
	case "schedule":
		return c.Plan.Text, true
	case "randskew":
		return count(c.Plan.Skew), true
	case "timeout":
		return seconds(c.Timeout), true
	case "monitor":
		return spelling(c.Monitor), true
	case "redistribute":
		return spelling(c.Redistribute), true
	case "traptimeout":
		return seconds(c.TrapTimeout), true
	case "trapduration":
		return seconds(c.TrapDuration), true
	case "rise":
		return strconv.Itoa(c.Settle.Rise), true
	case "fall":
		return strconv.Itoa(c.Settle.Fall), true
	case "disable":
		return yes(s.disabled != nil), true
	case "allow_empty_group":
		return yes(c.AllowEmptyGroup), true
	case "unack_summary":
		return flag(c.UnackSummary), true
	}
	return "", false
}

// readDepend is the value of a directive that names other services, hosts or
// times.
func readDepend(s *service, name string, _ time.Time) (value string, ok bool) {
	c := s.cfg
	switch name {
	case "exclude_hosts":
		return strings.Join(c.ExcludeHosts, " "), true
	case "exclude_period":
		if c.Exclude == nil {
			return "", true
		}
		return c.Exclude.String(), true
	case "depend":
		return c.Depend.Depend.String(), true
	case "alertdepend":
		return unlessDepend(c, config.DependAlert, c.Depend.Alert.String()), true
	case "monitordepend":
		return unlessDepend(c, config.DependMonitor, c.Depend.Monitor.String()), true
	case "hostdepend":
		return unlessDepend(c, config.DependHost, c.Depend.Host.String()), true
	case "dep_behavior":
		return c.Depend.Behavior.String(), true
	case "dep_memory":
		return count(c.Depend.Memory), true
	}
	return "", false
}

// unlessDepend is text, unless it is that of the depend line.
func unlessDepend(c *config.Service, b config.Behavior, text string) string {
	if c.Depend.Depend != nil && c.Depend.Behavior == b {
		return ""
	}
	return text
}

// readState is the value of what changes with each check.
func (l *loop) readState(s *service, name string, now time.Time) (value string, ok bool) {
	st := &s.state
	switch name {
	case "_op_status", "opstatus":
		return strconv.Itoa(st.Status.Number()), true
	case "_last_op_status":
		return strconv.Itoa(st.Last.Number()), true
	case "_exitval":
		if st.Exit < 0 {
			return "undef", true
		}
		return strconv.Itoa(st.Exit), true
	case "_timer":
		return until(s.planned, now), true
	case "_next_check":
		return stamp(s.planned), true
	case "_last_check":
		if s.running != 0 {
			return epoch(s.began), true
		}
		return stamp(st.LastCheck), true
	case "_monitor_running":
		return flag(s.running != 0), true
	case "_monitor_duration":
		if !st.Tested {
			return "-1", true
		}
		return strconv.FormatInt(int64(st.Took/time.Second), 10), true
	case "_last_summary":
		return st.Summary, true
	case "_last_detail":
		return detail(st.Output), true
	case "_last_output":
		return st.Output, true
	case "_depend_status":
		if s.dependOK == nil {
			return "", true
		}
		return flag(*s.dependOK), true
	case "_last_trap":
		return epoch(st.LastTrap), true
	case "_trap_timer":
		return clock(s.trapDue(), now), true
	case "_trap_duration_timer":
		return clock(s.trapEnds, now), true
	}
	return "", false
}

// readOutage is the value of what failures, successes and alerts left.
func readOutage(s *service, name string, _ time.Time) (value string, ok bool) {
	st := &s.state
	switch name {
	case "_failure_count":
		return strconv.Itoa(st.Total), true
	case "_consec_failures":
		return strconv.Itoa(st.Failures), true
	case "_alert_count":
		return strconv.Itoa(s.alerts), true
	case "_last_success":
		return epoch(st.LastOK), true
	case "_first_success":
		return stamp(st.FirstOK), true
	case "_last_failure":
		return epoch(st.LastFail), true
	case "_first_failure":
		if !st.Tested {
			return stamp(st.FirstFail), true
		}
		return epoch(st.FirstFail), true
	case "_failure_output":
		return st.FailOutput, true
	case "_failure_summary", "_last_failure_summary":
		return st.FailSummary, true
	case "_last_failure_detail":
		return detail(st.FailOutput), true
	case "_ack":
		if st.Ack == nil {
			return "0", true
		}
		return epoch(st.Ack.At), true
	case "_ack_comment":
		if st.Ack == nil {
			return "", true
		}
		return noteText(*st.Ack), true
	case "_last_alert":
		return stamp(s.lastAlert()), true
	}
	return "", false
}

// clock is how long a clock of traps still runs; empty if it does not.
func clock(ends, now time.Time) string {
	if ends.IsZero() {
		return ""
	}
	return until(ends, now)
}

// until is how many seconds it is to at, as mon counts them down; 0 for never.
func until(at, now time.Time) string {
	if at.IsZero() {
		return "0"
	}
	return strconv.FormatInt(int64(max(at.Sub(now), 0).Round(time.Second)/time.Second), 10)
}

// seconds is d in seconds, empty for 0; count writes the 0.
func seconds(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return count(d)
}

func count(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// stamp is t in seconds, empty for the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return epoch(t)
}

func yes(b bool) string {
	if b {
		return "1"
	}
	return ""
}

// spelling is a command as the file has it.
func spelling(c *config.Command) string {
	if c == nil {
		return ""
	}
	return string(c.Text)
}

// detail is output without its first line.
func detail(output string) string {
	_, rest, _ := strings.Cut(output, "\n")
	return rest
}
