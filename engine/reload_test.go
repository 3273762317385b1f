package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

// noKeeper is a configuration of one service without a keeper's lines.
const noKeeper = "hostgroup www1 www1.example\n\nwatch www1\n    service http\n        interval 10s\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n"

// A keeper that left the configuration and is not reached any more is no
// reason for alarm: nothing of it is wanted.
func TestKeeperThatLeftIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.pass(11 * time.Second)
		calls := 0
		r.sender.OnKeep = func(context.Context, string, bool, []alert.Claim) error {
			calls++
			return errors.New("lvs.alert: no such file")
		}
		r.config, r.programs = noKeeper, map[string]engine.Program{"mail.alert": {}, "http.monitor": {}}
		r.must(r.engine.Reload(t.Context()))
		r.pass(time.Minute)
		if s := selfStatus(r, "plugins"); s != opstatus.OK {
			t.Errorf("mond:plugins is %v because of a keeper that is not wanted", s)
		}
		if calls == 0 || calls > 20 {
			t.Errorf("%d tries to give it the empty set", calls)
		}
		r.sender.OnKeep, r.config = nil, guide // and back again
		r.programs = map[string]engine.Program{"lvs.alert": {Keeper: true}, "mail.alert": {}, "http.monitor": {}}
		r.must(r.engine.Reload(t.Context()))
		r.pass(11 * time.Second)
		r.wantOut(false)
		r.must(r.end())
	})
}

// A second reload does not tell a keeper that left of the empty set again:
// that would start it anew each time.
func TestKeeperThatLeftIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.pass(11 * time.Second)
		r.config, r.programs = noKeeper, map[string]engine.Program{"mail.alert": {}, "http.monitor": {}}
		r.must(r.engine.Reload(t.Context()))
		r.pass(time.Second)
		n := len(r.sender.Kept())
		r.must(r.engine.Reload(t.Context()))
		r.pass(time.Second)
		if m := len(r.sender.Kept()); m != n {
			t.Errorf("told %d times more", m-n)
		}
		r.must(r.end())
	})
}

// What a check that began under other words answers says nothing about the
// service as it is now.
func TestAnswerOfAnotherMonitorIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.runner.Script(func(c job.Check) enginetest.Answer {
			if len(c.Request.Args) == 0 {
				return enginetest.Answer{Result: monitor.Failed("www1.example", ""), After: 5 * time.Second}
			}
			return enginetest.Answer{Result: monitor.OK("")}
		})
		r.start()
		for len(r.runner.Ran()) == 0 {
			r.pass(time.Second)
		}
		r.config = configtest.Replace(guide, "monitor http.monitor", "monitor http.monitor -p 8080")
		r.must(r.engine.Reload(t.Context()))
		r.pass(30 * time.Second)
		r.wantOut(false)
		r.wantTold()
		if len(r.runner.Canceled()) != 1 {
			t.Errorf("canceled %v", r.runner.Canceled())
		}
		if row := r.engine.Board().Service(web); row.State.Status != opstatus.OK || row.Running {
			t.Errorf("%v, running %v", row.State.Status, row.Running)
		}
		r.must(r.end())
	})
}

// A check under way survives a reload that does not concern it.
func TestRunningCheckSurvivesAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.runner.Script(func(job.Check) enginetest.Answer {
			return enginetest.Answer{Result: monitor.Failed("www1.example", ""), After: 5 * time.Second}
		})
		r.start()
		for len(r.runner.Ran()) == 0 {
			r.pass(time.Second)
		}
		r.must(r.engine.Reload(t.Context()))
		r.pass(5 * time.Second)
		r.wantOut(true)
		if len(r.runner.Canceled()) != 0 {
			t.Errorf("canceled %v", r.runner.Canceled())
		}
		r.must(r.end())
	})
}

// A plugin that nobody uses any more is not what mond:plugins complains of.
func TestBlindnessDoesNotFollowToAnotherMonitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.runner.Set(web, monitor.Blinded(monitor.PluginLost, "killed"))
		r.start()
		r.pass(11 * time.Second)
		if s := selfStatus(r, "plugins"); s != opstatus.Fail {
			t.Fatalf("mond:plugins is %v", s)
		}
		r.config = configtest.Replace(configtest.Replace(guide, "monitor http.monitor", "monitor tcp.monitor"), "interval 10s", "interval 1h")
		r.must(r.engine.Reload(t.Context()))
		r.pass(2 * time.Second)
		if s := selfStatus(r, "plugins"); s != opstatus.OK {
			t.Errorf("mond:plugins is %v although the plugin is out of use", s)
		}
		if b := r.engine.Board().Service(web).State.Blind; b != nil {
			t.Errorf("blind: %+v", b)
		}
		r.must(r.end())
	})
}

// A service that saw nothing and leaves takes its complaint with it, also
// while others of its program stay.
func TestBlindServiceLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		more := "\nhostgroup www2 www2.example\n\nwatch www2\n    service http\n        interval 10s\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n"
		r := newRig(t, guide+more)
		r.runner.Set(opstatus.Key{Group: "www2", Service: "http"}, monitor.Blinded(monitor.PluginLost, "killed"))
		r.start()
		r.pass(21 * time.Second)
		if s := selfStatus(r, "plugins"); s != opstatus.Fail {
			t.Fatalf("mond:plugins is %v", s)
		}
		r.config = guide
		r.must(r.engine.Reload(t.Context()))
		r.pass(11 * time.Second)
		if s := selfStatus(r, "plugins"); s != opstatus.OK {
			t.Errorf("mond:plugins is %v", s)
		}
		r.must(r.end())
	})
}

// What an exclude_period held back until tonight runs now, once the line is
// taken out.
func TestReloadWithoutTheExcludePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, configtest.Replace(guide, "interval 10s", "interval 10s\n        exclude_period hr {0-11}"))
		r.start()
		r.pass(time.Minute)
		if n := len(r.runner.Ran()); n != 0 {
			t.Fatalf("%d checks in the exclude_period", n)
		}
		r.config = guide
		r.must(r.engine.Reload(t.Context()))
		r.pass(11 * time.Second)
		if len(r.runner.Ran()) == 0 {
			t.Error("still held back")
		}
		r.must(r.end())
	})
}

// A caller who hangs up has not shown the file to be bad.
func TestReloadOfACallerWhoLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r.loads = context.Canceled
		if err := r.engine.Reload(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("answered %v", err)
		}
		r.pass(2 * time.Second)
		if s := selfStatus(r, "config"); s != opstatus.OK {
			t.Errorf("mond:config is %v", s)
		}
		r.must(r.end())
	})
}

// What a reload takes from a keeper is history like any other claim.
func TestWithdrawnClaimsAreHistory(t *testing.T) {
	for name, text := range map[string]string{
		"line":    noKeeper,
		"service": strings.ReplaceAll(noKeeper, "www1", "www2"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, guide)
				r.start()
				r.pass(11 * time.Second)
				r.config = text
				r.must(r.engine.Reload(t.Context()))
				r.pass(time.Second)
				if !hasEvent(r, "claim", "withdrawn: "+lvsID) {
					t.Errorf("no word of it in %+v", r.store.Events())
				}
				r.must(r.end())
			})
		})
	}
}

// hasEvent reports whether history has a row of kind whose text begins so.
func hasEvent(r *rig, kind, text string) bool { return events(r, kind, text) > 0 }

func events(r *rig, kind, text string) (n int) {
	for _, e := range r.store.Events() {
		if e.Kind == kind && strings.HasPrefix(e.Text, text) {
			n++
		}
	}
	return n
}
