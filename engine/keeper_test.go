package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

// A keeper that comes back says so, and gets its set then, not when the wait
// between tries is over.
func TestKeeperThatReturnsIsServedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		gone := true
		r.sender.OnKeep = func(context.Context, string, bool, []alert.Claim) error {
			if gone {
				return errors.New("plugin lost")
			}
			return nil
		}
		r.start()
		r.pass(15 * time.Second)
		if s := selfStatus(r, "plugins"); s != opstatus.Fail {
			t.Errorf("mond:plugins is %v while the keeper is not reached", s)
		}
		gone = false
		r.sender.Restart("lvs.alert")
		r.pass(time.Millisecond)
		r.wantOut(false)
		r.pass(2 * time.Second)
		if s := selfStatus(r, "plugins"); s != opstatus.OK {
			t.Errorf("mond:plugins is %v after it returned", s)
		}
		r.must(r.end())
	})
}

// A host that is taken out of all checks is taken out of what is pushed too.
func TestDisabledHostIsNotWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "hostgroup www1 a b\n\nwatch www1\n    service http\n        interval 10s\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n")
		r.programs["http.monitor"] = engine.Program{Watcher: true}
		r.start()
		watched := func() (hosts []string) {
			for _, c := range r.runner.Watched() {
				hosts = append(hosts, c.Request.Hosts...)
			}
			return hosts
		}
		if got := watched(); len(got) != 2 {
			t.Fatalf("watched %v", got)
		}
		r.must(r.engine.DisableHost(t.Context(), "a", "ann", ""))
		if got := watched(); len(got) != 1 || got[0] != "b" {
			t.Errorf("watched %v, want b", got)
		}
		r.must(r.engine.DisableHost(t.Context(), "b", "ann", ""))
		if got := r.runner.Watched(); len(got) != 0 {
			t.Errorf("watched without a host: %+v", got)
		}
		r.must(r.engine.EnableHost(t.Context(), "a", "ann"))
		if got := watched(); len(got) != 1 || got[0] != "a" {
			t.Errorf("watched %v, want a", got)
		}
		r.must(r.end())
	})
}

// A failure that was pushed changes the pace of the polled checks too.
func TestPushedFailureChangesThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "hostgroup www1 a\n\nwatch www1\n    service http\n        interval 1h\n        failure_interval 2s\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n")
		r.down("a")
		r.start()
		r.runner.Push("www1", "http", monitor.Failed("a", ""))
		r.pass(21 * time.Second)
		if n := len(r.runner.Ran()); n < 9 || n > 11 {
			t.Errorf("%d checks in 21 s at a failure_interval of 2 s", n)
		}
		r.must(r.end())
	})
}

// A monitor that lies about how long it took moves nothing.
func TestAbsurdTimeTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "hostgroup www1 a\n\nwatch www1\n    service http\n        interval 10s\n        failure_interval 2s\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n")
		bad := monitor.Failed("a", "")
		bad.Took = 1<<63 - 1
		r.down("a")
		r.start()
		r.runner.Push("www1", "http", bad)
		r.pass(21 * time.Second)
		if n := len(r.runner.Ran()); n < 9 || n > 11 {
			t.Errorf("%d checks in 21 s", n)
		}
		r.must(r.end())
	})
}

// Trying a monitor that runs is what it does already: no second check, and no
// other pace.
func TestTryingAMonitorThatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.pass(15 * time.Second)
		n := len(r.runner.Ran())
		r.must(r.engine.TestMonitor(t.Context(), web))
		r.pass(time.Millisecond * 20)
		if m := len(r.runner.Ran()); m != n+1 {
			t.Errorf("%d checks, want one", m-n)
		}
		r.must(r.end())
	})
}

// Why an alert was held back is history, once for as long as the reason stays,
// also where two periods hold back for different reasons.
func TestSuppressedDecisionsAreHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "hostgroup www1 www1.example\n\nwatch www1\n    service http\n        interval 10s\n        monitor http.monitor\n        period A: wd {Sun-Sat}\n            alertevery 1h\n            alert mail.alert x\n        period B: wd {Sun-Sat}\n            alertafter 1000\n            alert mail.alert y\n")
		r.start()
		r.down("www1.example")
		r.pass(5 * time.Minute)
		rows := r.engine.Board().Service(web).Decisions
		if len(rows) != 3 {
			t.Errorf("%d rows: %+v", len(rows), rows)
		}
		if n := events(r, "decision", "failure A: held by alertevery"); n != 1 {
			t.Errorf("alertevery: %d rows of history", n)
		}
		if n := events(r, "decision", "failure B: too few failures"); n != 1 {
			t.Errorf("alertafter: %d rows of history", n)
		}
		r.up()
		r.pass(10 * time.Second)
		r.down("www1.example")
		r.pass(10 * time.Second)
		if n := events(r, "decision", "failure B: too few failures"); n != 2 {
			t.Errorf("a new outage: %d rows of history in all", n)
		}
		r.must(r.end())
	})
}

// Who stopped, started and disabled what is history.
func TestOperatorsAreHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.must(r.engine.StopScheduler(t.Context(), "ann", "moving"))
		r.must(r.engine.StartScheduler(t.Context(), "ann"))
		r.must(r.engine.DisableWatch(t.Context(), "www1", "ann", "new disk"))
		r.must(r.engine.EnableWatch(t.Context(), "www1", "ann"))
		r.must(r.engine.DisableHost(t.Context(), "www1.example", "ann", "new disk"))
		r.must(r.engine.EnableHost(t.Context(), "www1.example", "ann"))
		r.pass(time.Second)
		for _, want := range []string{
			"ann: scheduler stopped: moving", "ann: scheduler started", "ann: watch disabled: new disk",
			"ann: watch enabled", "ann: host www1.example disabled: new disk", "ann: host www1.example enabled",
		} {
			if events(r, "operator", want) != 1 {
				t.Errorf("no word of %q in %+v", want, r.store.Events())
			}
		}
		r.must(r.end())
	})
}

// A check that is never answered makes its service blind, and is followed by
// the next; an answer that comes after all is dropped.
func TestCheckThatIsNeverAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		answers := 0
		r.runner.Script(func(job.Check) enginetest.Answer {
			if answers++; answers == 1 {
				return enginetest.Answer{Result: monitor.Failed("www1.example", ""), After: 5 * time.Minute}
			}
			return enginetest.Answer{Result: monitor.OK(""), After: time.Second}
		})
		r.start()
		r.pass(2*time.Minute + 9*time.Second)
		if row := r.engine.Board().Service(web); row.State.Blind == nil || len(r.runner.Ran()) != 2 {
			t.Errorf("after %d checks: %+v", len(r.runner.Ran()), row.State)
		}
		r.pass(4 * time.Minute)
		r.wantOut(false)
		r.wantTold()
		if s := selfStatus(r, "plugins"); s != opstatus.OK {
			t.Errorf("mond:plugins is %v", s)
		}
		r.must(r.end())
	})
}

// Answers that nobody waits for change nothing: unknown ids, one id twice,
// services that are not there.
func TestStrayAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.pass(11 * time.Second)
		bad := monitor.Failed("www1.example", "")
		r.runner.Send(
			job.Done{ID: r.runner.Ran()[0].ID, Group: "www1", Service: "http", Result: bad},
			job.Done{ID: 1 << 60, Group: "www1", Service: "http", Result: bad},
			job.Done{Group: "www9", Service: "http", Result: bad},
		)
		r.pass(time.Second)
		r.wantOut(false)
		r.wantTold()
		r.must(r.end())
	})
}
