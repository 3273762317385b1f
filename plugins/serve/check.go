package serve

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc/pulse"
)

// guarded runs one check and always answers: a panic, or a goroutine that was
// ended by the check, is that check's result and nobody else's. answer is
// called while the stack unwinds: after a Goexit nothing else would be.
func guarded(ctx context.Context, m monitor.Monitor, r monitor.Request, answer func(monitor.Result)) {
	returned := false
	var res monitor.Result
	defer func() {
		if !returned {
			res = panicked(recover()) // nil after runtime.Goexit
		}
		answer(res)
	}()
	res = m.Check(ctx, r)
	returned = true
}

func panicked(v any) monitor.Result {
	r := monitor.Blinded(monitor.Panicked, "the monitor ended its own goroutine")
	if v != nil {
		r.Summary = fmt.Sprintf("panic: %v", v)
	}
	r.Detail = string(debug.Stack())
	return r
}

// timing is what is known of a check beside its answer.
type timing struct {
	started   time.Time
	took      time.Duration
	limit     time.Duration
	lost      time.Duration // of which this process did not run
	cancelled bool          // the host does not want it any more
}

// judge completes what a monitor answered, and withdraws a verdict of failure
// that it came to only because it was cancelled or did not run for a while.
func judge(r monitor.Result, t timing) monitor.Result {
	switch {
	case t.cancelled:
		r = monitor.Blinded(monitor.NotRun, "cancelled")
	case r.Failing() && pulse.Spoils(t.lost, t.limit):
		why := fmt.Sprintf("the plugin itself did not run for %v of this check's %v; it answered: %s",
			t.lost.Round(time.Millisecond), t.limit.Round(time.Millisecond), r.Summary)
		r = monitor.Result{Cause: monitor.Overloaded, Summary: why, Detail: r.Detail}
	case r.Blind() && r.Summary == "":
		r.Summary = "the monitor did not say why: " + r.Cause.String()
	}
	if r.Started.IsZero() {
		r.Started = t.started
	}
	if r.Took <= 0 {
		r.Took = t.took
	}
	return r
}
