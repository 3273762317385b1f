package engine_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
)

// A reset that keeps the state is a reload.
func TestResetKeepsState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		r.start()
		r.down("w1")
		r.pass(2 * time.Minute)
		r.must(r.engine.Ack(t.Context(), web, "ann", "x"))
		r.must(r.engine.DisableService(t.Context(), other, "ann", "x"))
		before := r.engine.Board().Service(web).State
		r.must(r.engine.Reset(t.Context(), steer.ResetHow{KeepState: true}, "ann"))
		if got := r.engine.Board().Service(web); got.State != before || got.AlertsSent != 1 {
			t.Errorf("%+v, was %+v", got.State, before)
		}
		if r.engine.Board().Service(other).Disabled == nil {
			t.Error("the service is enabled")
		}
		r.must(r.end())
	})
}

// Without it all begin anew; hosts and watches stay disabled, services do not.
func TestResetForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		r.start()
		r.down("w1")
		r.runner.Set(other, monitor.Blinded(monitor.Killed, "gone"))
		r.pass(2 * time.Minute)
		r.must(r.engine.Ack(t.Context(), web, "ann", "x"))
		r.must(r.engine.DisableService(t.Context(), web, "ann", "x"))
		r.must(r.engine.DisableWatch(t.Context(), "single", "ann", "x"))
		r.must(r.engine.DisableHost(t.Context(), "w2", "ann", "x"))
		r.pass(time.Millisecond)
		r.wantTold("failure mail.alert", "disable mail.alert")
		r.must(r.engine.Reset(t.Context(), steer.ResetHow{}, "ann"))
		r.pass(time.Millisecond)
		row := r.engine.Board().Service(web)
		if row.State != opstatus.New() || row.Disabled != nil || row.AlertsSent != 0 || !row.LastAlert.IsZero() || len(row.Decisions) != 0 {
			t.Errorf("%+v", row)
		}
		if due := time.Until(row.Due); due <= 50*time.Second || due > time.Minute {
			t.Errorf("first check in %v", due)
		}
		if r.engine.Board().Service(other).State.Blind != nil {
			t.Error("still blind")
		}
		if d := r.engine.Board().Daemon(); len(d.Watches) != 1 || len(d.Hosts) != 1 || d.Stopped != nil {
			t.Errorf("%+v", d)
		}
		if s := selfStatus(r, "store"); s != opstatus.OK {
			t.Errorf("mond:store is %v", s)
		}
		for _, want := range []string{"ann: reset: all services", "forgotten at a reset: enabled"} {
			if events(r, "operator", want) != 1 {
				t.Errorf("no row %q in %v", want, r.rowsAbout("operator"))
			}
		}
		r.pass(2 * time.Minute) // a new outage, told anew
		r.wantTold("failure mail.alert", "disable mail.alert", "failure mail.alert")
		r.must(r.end())
	})
}

// A check that ran when everything began anew is ended, and does not count.
func TestResetWhileChecksRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		r.start()
		r.runner.Script(slowCheck(monitor.Failed("w1", ""), 30*time.Second))
		r.must(r.engine.TestMonitor(t.Context(), web))
		r.pass(time.Second)
		r.must(r.engine.Reset(t.Context(), steer.ResetHow{}, "ann"))
		if row := r.engine.Board().Service(web); row.Running || r.engine.Board().Daemon().Running != 0 {
			t.Errorf("%+v", row)
		}
		if n := len(r.runner.Canceled()); n != 1 {
			t.Errorf("%d checks ended", n)
		}
		r.pass(40 * time.Second) // the answer comes all the same
		if s := r.engine.Board().Service(web).State; s.Status != opstatus.Untested || s.Total != 0 {
			t.Errorf("%+v", s)
		}
		r.must(r.end())
	})
}

// A reset never takes back a claim: what is out stays out, as after an unclean
// stop, until a check says otherwise.
func TestResetKeepsClaims(t *testing.T) {
	for _, up := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, guide)
			r.start()
			r.down("www1.example")
			r.pass(11 * time.Second)
			r.wantOut(true)
			r.must(r.engine.Reset(t.Context(), steer.ResetHow{}, "ann"))
			r.pass(10 * time.Millisecond)
			r.wantOut(true)
			if c := r.sender.Held("lvs.alert")[lvsID]; !c.Provisional {
				t.Errorf("%+v", c)
			}
			for _, k := range r.sender.Kept() {
				if k.Full && len(k.Claims) == 0 && k.At.Equal(time.Now()) {
					t.Error("the keeper was given an empty set")
				}
			}
			if up {
				r.up()
			}
			r.pass(11 * time.Second)
			r.wantOut(!up)
			if c := r.sender.Held("lvs.alert")[lvsID]; c.Provisional {
				t.Errorf("after a check: %+v", c)
			}
			r.must(r.end())
		})
	}
}

// reset stopped stops, also where the file is bad, as under mon; reset alone
// does not start.
func TestResetStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		r.start()
		r.loads = errors.New("mon.cf:3:1: error: unknown word")
		if err := r.engine.Reset(t.Context(), steer.ResetHow{Stopped: true}, "ann"); !errors.Is(err, r.loads) {
			t.Error(err)
		}
		if d := r.engine.Board().Daemon(); d.Stopped == nil || d.Stopped.User != "ann" || d.ReloadError == "" {
			t.Errorf("%+v", d)
		}
		r.loads = nil
		r.must(r.engine.Reset(t.Context(), steer.ResetHow{}, "ann"))
		n := len(r.runner.Ran())
		r.pass(10 * time.Minute)
		if d := r.engine.Board().Daemon(); d.Stopped == nil || len(r.runner.Ran()) != n {
			t.Errorf("%+v", d)
		}
		r.must(r.engine.StartScheduler(t.Context(), "ann"))
		r.pass(time.Minute)
		if len(r.runner.Ran()) == n {
			t.Error("not started")
		}
		r.must(r.end())
	})
}

// startupalerts_on_reset is heeded by every reset, but not while stopped.
func TestResetTellsStartupAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := configtest.Replace(clients, "            disablealert mail.alert off\n", "            startupalert mail.alert up\n")
		r := newRig(t, "startupalerts_on_reset = yes\n"+text)
		r.start()
		r.wantTold("startup mail.alert")
		r.must(r.engine.Reset(t.Context(), steer.ResetHow{KeepState: true}, "ann"))
		r.must(r.engine.Reset(t.Context(), steer.ResetHow{}, "ann"))
		r.pass(time.Second)
		r.wantTold("startup mail.alert", "startup mail.alert", "startup mail.alert")
		r.must(r.engine.Reset(t.Context(), steer.ResetHow{Stopped: true}, "ann"))
		r.pass(time.Second)
		if n := len(r.told()); n != 3 {
			t.Errorf("%d told", n)
		}
		r.must(r.end())
	})
}

// What a client set is gone, and what the alerts counted is too.
func TestResetForgetsCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		r.start()
		r.down("w1")
		r.pass(2 * time.Minute)
		r.must(r.engine.TestAlert(t.Context(), web, steer.AlertTest{On: alert.Failure, Period: "ALL"}))
		r.wantVars(map[string]string{"_alert_count": "1"}) // a test does not count
		r.must(r.engine.Reset(t.Context(), steer.ResetHow{}, "ann"))
		r.wantVars(map[string]string{"_alert_count": "0", "_failure_count": "0", "_depend_status": "", "_exitval": "undef"})
		r.must(r.end())
	})
}
