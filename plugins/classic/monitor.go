package classic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/procgroup"
)

// ExitBlind is the exit status of a program that has not seen anything
// (EX_TEMPFAIL, "try again later"). mon knows only success and failure; of the
// two a check that did not happen must not pass for success, which would hide
// it for ever. mond takes it for blind again when the first line says so too,
// as [WriteMonitor] writes it: the status alone may be a count of hosts.
const ExitBlind = 75

// RunMonitor runs a monitor for one check, as mon does: words and hosts as
// arguments, r.Env in the environment, nothing to read. It returns within
// e.Grace and two seconds after the end of its time. It never returns a verdict on
// a program that could not run:
//
//   - exited: its status, the first line its summary, the rest its detail
//   - timed out: e.Limit or ctx's deadline passed while it ran; it was
//     stopped. What it printed until then is kept
//   - killed: by a signal that was not ours
//   - could not start: the reason is for whoever installed it
//   - local fault: no process, memory or descriptor to be had here
//   - overloaded: most of its time passed before it got its turn to start
//   - not run: ctx was cancelled
func RunMonitor(ctx context.Context, e Exec, r monitor.Request) monitor.Result {
	ctx, cancel := e.bounded(ctx)
	defer cancel()
	limit := remaining(ctx)
	o := e.run(ctx, MonitorWords(r), e.MonitorEnviron(r), nil, 0)
	res := o.result(limit, e.Limit)
	res.Started, res.Took = o.began, o.took
	return res
}

// MonitorWords are the arguments of a monitor.
func MonitorWords(r monitor.Request) []string { return slices.Concat(r.Args, r.Hosts) }

// MonitorEnviron is the environment of a monitor.
func (e Exec) MonitorEnviron(r monitor.Request) []string {
	return environ(e.Env, e.dirs(), map[string]string{"MON_GROUP": r.Group, "MON_SERVICE": r.Service}, r.Env)
}

// remaining is the time until ctx's deadline; 0 without one.
func remaining(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return time.Until(deadline)
}

// result says what a run that had left to go means for the service. limit is
// Exec.Limit.
func (o outcome) result(left, limit time.Duration) monitor.Result {
	switch {
	case o.startErr != nil:
		return unstarted(o.startErr)
	case o.ended != nil && !errors.Is(o.ended, context.DeadlineExceeded):
		return monitor.Blinded(monitor.NotRun, "stopped before it ended: "+o.ended.Error())
	case o.ended != nil && o.waited > left/2:
		return monitor.Blinded(monitor.Overloaded, "most of its time passed before it got its turn to start")
	case o.ended != nil:
		return o.late(limit)
	case o.exit.Signal != 0:
		return monitor.Result{Cause: monitor.Killed, Summary: o.exit.String(), Detail: o.output}
	case o.exit.Code < 0:
		return monitor.Blinded(monitor.LocalFault, "its exit status was lost")
	}
	return Verdict(o.exit.Code, o.output)
}

// Verdict is what a program's exit status and output say.
func Verdict(code int, output string) monitor.Result {
	summary, detail := firstLine(output)
	if cause, reason, ok := blindLine(summary); ok && code == ExitBlind {
		return monitor.Result{Cause: cause, Summary: reason, Detail: detail}
	}
	return monitor.Result{Cause: monitor.Exited, Exit: code, Summary: summary, Detail: detail}
}

// unstarted is the result of a program that did not start.
func unstarted(err error) monitor.Result {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return monitor.Blinded(monitor.Overloaded, "its time passed before it got its turn to start")
	case errors.Is(err, context.Canceled), errors.Is(err, procgroup.ErrClosed):
		return monitor.Blinded(monitor.NotRun, err.Error())
	case localShortage(err):
		return monitor.Blinded(monitor.LocalFault, err.Error())
	}
	return monitor.Blinded(monitor.CouldNotStart, err.Error())
}

// late is the result of a program that was stopped at its limit. A summary of
// ours is the same every time: one that changes is told anew.
func (o outcome) late(limit time.Duration) monitor.Result {
	why := "time limit reached"
	if limit > 0 {
		why = fmt.Sprintf("time limit of %v reached", limit)
	}
	if o.stuck {
		why += "; it hangs inside the kernel and cannot be killed yet"
	}
	summary, detail := firstLine(o.output)
	if strings.TrimSpace(summary) == "" {
		return monitor.Result{Cause: monitor.TimedOut, Summary: why, Detail: detail}
	}
	if detail != "" && !strings.HasSuffix(detail, "\n") {
		detail += "\n"
	}
	return monitor.Result{Cause: monitor.TimedOut, Summary: summary, Detail: detail + why + "\n"}
}

// firstLine divides an output as mon does.
func firstLine(output string) (summary, detail string) {
	summary, detail, _ = strings.Cut(output, "\n")
	return summary, detail
}

// MonitorRequest is what a monitor that was started as a program is asked, so
// far as its environment says; Args and Hosts are the caller's to find in its
// arguments. Env is the whole environment: service variables are not marked.
func MonitorRequest(env []string) monitor.Request {
	vars := variables(env)
	return monitor.Request{Group: vars["MON_GROUP"], Service: vars["MON_SERVICE"], Env: vars}
}

// WriteMonitor writes r as a program does whose standard output is w, and
// returns the exit status that goes with it. A blind r becomes [ExitBlind]
// with the cause in its first line. Warn, Hosts and times have no place in
// mon's contract and are lost; a time-out becomes exit 1.
func WriteMonitor(w io.Writer, r monitor.Result) (exit int) {
	// A reader that is gone cannot be told; the status still says it.
	_, _ = io.WriteString(w, text(r))
	switch {
	case r.Blind():
		return ExitBlind
	case r.Cause == monitor.TimedOut:
		return 1
	case r.Exit < 0 || r.Exit > 255:
		return 255 // the kernel would keep the low 8 bits: 256 would be success
	}
	return r.Exit
}

// text is what a program prints for r.
func text(r monitor.Result) string {
	// A second line would be taken for detail.
	r.Summary = strings.ReplaceAll(r.Summary, "\n", " ")
	if r.Blind() {
		r.Summary = fmt.Sprintf("blind (%s): %s", r.Cause, r.Summary)
	}
	out := r.Output()
	if out != "" && !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	return out
}

// blindLine reads the first line that text writes for a blind result.
func blindLine(line string) (cause monitor.Cause, reason string, ok bool) {
	rest, ok := strings.CutPrefix(line, "blind (")
	if !ok {
		return 0, "", false
	}
	for cause = monitor.NotRun; cause.Valid(); cause++ {
		reason, ok = strings.CutPrefix(rest, cause.String()+"): ")
		if ok && (monitor.Result{Cause: cause}).Blind() {
			return cause, reason, true
		}
	}
	return 0, "", false
}
