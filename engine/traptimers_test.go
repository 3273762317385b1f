package engine_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
)

// waiting is trapConfig with a directive.
func waiting(directive string) string {
	return configtest.Replace(trapConfig, "        period\n", "        "+directive+"\n        period\n")
}

func TestTrapTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, waiting("traptimeout 90s"))
		r.start()
		began := time.Now()
		r.pass(89 * time.Second)
		r.wantStatus(opstatus.Untested)
		if due := r.row().TrapDue; !due.Equal(began.Add(90 * time.Second)) {
			t.Errorf("due %v after the start", due.Sub(began))
		}
		r.pass(time.Second)
		r.wantStatus(opstatus.Fail)
		r.pass(89 * time.Second)
		r.wantTold("traptimeout mail.alert")
		r.pass(time.Second)
		r.wantTold("traptimeout mail.alert", "traptimeout mail.alert")
		q := r.sender.Sent()[0].Request
		text := "trap timeout\ntrap timeout after 90s at " + began.Add(90*time.Second).Format(time.ANSIC) + "\n"
		if q.Summary != "trap timeout" || q.Output != text || q.Env["MON_ALERTTYPE"] != "traptimeout" || q.Env["MON_RETVAL"] != "1" || q.Exit != 1 {
			t.Errorf("told %+v", q)
		}
		if !r.row().State.LastTrap.IsZero() {
			t.Error("a timeout counts as a trap")
		}
		r.trap(0, "here")
		r.wantStatus(opstatus.OK)
		r.wantTold("traptimeout mail.alert", "traptimeout mail.alert", "up mail.alert")
		r.must(r.end())
	})
}

// Each trap begins the wait anew, whatever it says.
func TestTrapTimeoutIsRearmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, waiting("traptimeout 1m"))
		r.start()
		for range 10 {
			r.pass(50 * time.Second)
			r.trap(0, "fine")
		}
		r.wantStatus(opstatus.OK)
		r.trap(1, "bad")
		r.pass(59 * time.Second)
		r.wantTold("trap mail.alert")
		r.pass(time.Second)
		r.wantTold("trap mail.alert", "traptimeout mail.alert")
		r.must(r.end())
	})
}

// While the scheduler is stopped, or the global exclude_period holds, the
// clocks stand still, as under mon: what was left of them is left after it.
func TestTrapClocksStandStill(t *testing.T) {
	for _, row := range []struct{ name, directive string }{
		{"traptimeout", "traptimeout 1m"}, {"trapduration", "trapduration 1m"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, waiting(row.directive))
				r.start()
				status := 0
				if row.name == "trapduration" {
					status = 1
				}
				r.trap(status, "x")
				before := r.row().State.Status
				r.pass(40 * time.Second)
				r.must(r.engine.StopScheduler(t.Context(), "ann", ""))
				r.pass(time.Hour)
				r.wantStatus(before)
				r.must(r.engine.StartScheduler(t.Context(), "ann"))
				r.pass(19 * time.Second)
				r.wantStatus(before)
				r.pass(time.Second)
				if r.row().State.Status == before {
					t.Error("the clock does not run on")
				}
				r.must(r.end())
			})
		})
	}
}

// A trap during a stop begins the wait at the end of the stop.
func TestTrapDuringAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, waiting("traptimeout 1m"))
		r.start()
		r.pass(40 * time.Second)
		r.must(r.engine.StopScheduler(t.Context(), "ann", ""))
		r.pass(10 * time.Minute)
		r.trap(0, "fine")
		r.pass(10 * time.Minute)
		r.must(r.engine.StartScheduler(t.Context(), "ann"))
		r.pass(59 * time.Second)
		r.wantStatus(opstatus.OK)
		r.pass(time.Second)
		r.wantStatus(opstatus.Fail)
		r.must(r.end())
	})
}

func TestTrapTimeoutInsideExcludePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble begins at midnight
		r := newRig(t, "exclude_period = min {10-29}\n"+waiting("traptimeout 15m"))
		r.start()
		r.pass(34*time.Minute + 58*time.Second)
		r.wantStatus(opstatus.Untested)
		r.pass(5 * time.Second) // the period is looked at once a second
		r.wantStatus(opstatus.Fail)
		r.must(r.end())
	})
}

func TestTrapDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, waiting("trapduration 1m"))
		r.start()
		r.pass(time.Hour)
		r.wantStatus(opstatus.Untested) // mon makes it ok
		r.trap(1, "disk full")
		ends := time.Now().Add(time.Minute)
		if !r.row().TrapEnds.Equal(ends) {
			t.Errorf("ends at %v", r.row().TrapEnds)
		}
		r.pass(30 * time.Second)
		r.trap(1, "disk full")
		r.pass(59 * time.Second)
		r.wantStatus(opstatus.Fail)
		r.pass(time.Second)
		r.wantStatus(opstatus.OK)
		r.wantTold("trap mail.alert", "trap mail.alert", "up mail.alert")
		if s := r.row().State; s.Failures != 0 || !s.FirstFail.IsZero() || !r.row().TrapEnds.IsZero() {
			t.Errorf("it recovered to %+v", s)
		}
		r.pass(time.Hour)
		r.wantTold("trap mail.alert", "trap mail.alert", "up mail.alert")
		r.must(r.end())
	})
}

// A good trap begins it anew too; its end is nothing then.
func TestTrapDurationOfASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, waiting("trapduration 1m"))
		r.start()
		r.trap(0, "fine")
		summary := r.row().State.Summary
		r.pass(2 * time.Minute)
		r.wantStatus(opstatus.OK)
		if s := r.row().State.Summary; s != summary {
			t.Errorf("its end changed the summary to %q", s)
		}
		r.wantTold()
		r.must(r.end())
	})
}

// What a monitor says after the trap stands; the end of the trap does not take
// it back.
func TestTrapDurationIsOverruled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, configtest.Replace(both, "fall 3\n        rise 3", "trapduration 5m"))
		r.runner.Set(trapped, monitor.OK(""))
		r.start()
		r.pass(70 * time.Second)
		r.trap(1, "disk full")
		r.runner.Set(trapped, monitor.Failed("db1", ""))
		r.pass(61 * time.Second)
		if !r.row().TrapEnds.IsZero() {
			t.Error("the monitor's verdict did not end it")
		}
		r.pass(10 * time.Minute)
		r.wantStatus(opstatus.Fail)
		if slices.Contains(r.told(), "up mail.alert") {
			t.Errorf("told %v", r.told())
		}
		r.must(r.end())
	})
}

// Silence is a verdict too; and what comes first comes first.
func TestTrapTimeoutAndDuration(t *testing.T) {
	for _, row := range []struct {
		name, directives string
		after            time.Duration
		want             []string
	}{
		{"over, then silent", "traptimeout 2m\n        trapduration 1m", 3 * time.Minute, []string{"trap", "up", "traptimeout"}},
		{"silent, then over", "traptimeout 1m\n        trapduration 90s", 119 * time.Second, []string{"trap", "traptimeout"}},
		{"at once", "traptimeout 1m\n        trapduration 1m", 119 * time.Second, []string{"trap", "up", "traptimeout"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, waiting(row.directives))
				r.start()
				r.trap(1, "disk full")
				r.pass(row.after)
				r.wantStatus(opstatus.Fail)
				var got []string
				for _, s := range r.sender.Sent() {
					got = append(got, s.Request.Kind.String())
				}
				if !slices.Equal(got, row.want) {
					t.Errorf("told %v, want %v", got, row.want)
				}
				r.must(r.end())
			})
		})
	}
}

func TestTrapClocksOverAReload(t *testing.T) {
	for _, row := range []struct {
		name, before, after string
		status              int
		ends                time.Duration // after the trap; 0: not within an hour
	}{
		{"timeout unchanged", "traptimeout 60s", "traptimeout 1m", 0, time.Minute},
		{"timeout changed: it begins anew", "traptimeout 60s", "traptimeout 50s", 0, 90 * time.Second},
		{"timeout is new", "trapduration 1h", "traptimeout 60s", 0, 100 * time.Second},
		{"timeout is gone", "traptimeout 60s", "trapduration 1h", 0, 0},
		{"duration unchanged", "trapduration 60s", "trapduration 1m", 1, time.Minute},
		{"duration changed: it counts from the trap", "trapduration 60s", "trapduration 90s", 1, 90 * time.Second},
		{"duration is shorter than it lasted", "trapduration 60s", "trapduration 10s", 1, 40 * time.Second},
		{"duration is gone", "trapduration 60s", "traptimeout 2h", 1, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, waiting(row.before))
				r.start()
				r.trap(row.status, "x")
				began, before := time.Now(), r.row().State.Status
				r.pass(40 * time.Second)
				r.config = waiting(row.after)
				r.must(r.engine.Reload(t.Context()))
				r.until(began, before, row.ends)
				r.must(r.end())
			})
		})
	}
}

// until waits for the status to change from before, ends after began.
func (r *rig) until(began time.Time, before opstatus.Status, ends time.Duration) {
	r.t.Helper()
	for time.Since(began) < time.Hour {
		if synctest.Wait(); r.row().State.Status != before {
			break
		}
		time.Sleep(time.Second)
	}
	if got := time.Since(began); ends != 0 && got != ends || ends == 0 && got < time.Hour {
		r.t.Errorf("it changed to %v after %v, want %v", r.row().State.Status, got, ends)
	}
}

// A restart neither takes the time that mond was down for silence nor lets a
// silence be forgotten.
func TestTrapClocksOverARestart(t *testing.T) {
	for _, row := range []struct {
		name, directive string
		status          int
		clean           bool
		down            time.Duration
		ends            time.Duration // after the trap, which was 40 s before the stop
	}{
		{"a moment", "traptimeout 60s", 0, true, 0, 60 * time.Second},
		{"seconds", "traptimeout 60s", 0, true, 5 * time.Second, 65 * time.Second},
		{"long: it begins anew", "traptimeout 60s", 0, true, 10 * time.Minute, 11*time.Minute + 40*time.Second},
		{"killed", "traptimeout 60s", 0, false, 0, 60 * time.Second},
		{"a long traptimeout, a short stop", "traptimeout 50m", 0, true, time.Minute, 51 * time.Minute},
		{"a duration goes on", "trapduration 60s", 1, true, 5 * time.Second, 60 * time.Second},
		{"a duration that ended meanwhile", "trapduration 60s", 1, true, 10 * time.Minute, 10*time.Minute + 40*time.Second},
		{"a duration, killed", "trapduration 60s", 1, false, 5 * time.Second, 60 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, waiting(row.directive))
				r.start()
				r.pass(time.Second)
				r.trap(row.status, "x")
				began, before := time.Now(), r.row().State.Status
				r.pass(40 * time.Second)
				held := r.store.Snapshot()
				r.must(r.end())
				if row.clean {
					held = r.store.Snapshot()
				}
				time.Sleep(row.down)
				again := newRig(t, waiting(row.directive))
				again.store = enginetest.NewStore(held)
				again.start()
				if row.clean {
					again.until(began, before, row.ends)
				} else {
					again.untilAbout(began, before, row.ends)
				}
				again.must(again.end())
			})
		})
	}
}

// untilAbout is until for a crash: the last sign of life is up to a minute old,
// which only makes the wait longer, but the state is not lost.
func (r *rig) untilAbout(began time.Time, before opstatus.Status, ends time.Duration) {
	r.t.Helper()
	for time.Since(began) < ends {
		if synctest.Wait(); r.row().State.Status != before {
			r.t.Fatalf("it changed to %v after %v", r.row().State.Status, time.Since(began))
		}
		time.Sleep(time.Second)
	}
	r.pass(100 * time.Second)
	if got := r.row().State.Status; got == before {
		r.t.Errorf("it is still %v", got)
	}
}

// Whoever never sent one is waited for over a restart too.
func TestTrapTimeoutWithoutATrapOverRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, waiting("traptimeout 130m"))
		began := time.Now()
		r.start()
		for range 13 {
			r.pass(10*time.Minute - time.Second)
			r.must(r.end())
			again := newRig(t, r.config)
			again.store = enginetest.NewStore(r.store.Snapshot())
			time.Sleep(time.Second)
			r = again
			r.start()
		}
		r.wantStatus(opstatus.Untested)
		r.pass(time.Minute)
		r.wantStatus(opstatus.Fail)
		if got := time.Since(began); got > 132*time.Minute {
			t.Errorf("it took %v", got)
		}
		r.must(r.end())
	})
}

// A stop lasts over a restart, and so does the standstill.
func TestTrapClocksOverARestartWhileStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, waiting("trapduration 60s"))
		r.start()
		r.trap(1, "x")
		r.pass(40 * time.Second)
		r.must(r.engine.StopScheduler(t.Context(), "ann", ""))
		r.pass(time.Minute)
		r.must(r.end())
		again := newRig(t, r.config)
		again.store = enginetest.NewStore(r.store.Snapshot())
		time.Sleep(time.Hour)
		again.start()
		again.pass(time.Hour)
		again.wantStatus(opstatus.Fail)
		again.must(again.engine.StartScheduler(t.Context(), "ann"))
		again.pass(19 * time.Second)
		again.wantStatus(opstatus.Fail)
		again.pass(time.Second)
		again.wantStatus(opstatus.OK)
		again.must(again.end())
	})
}

// A clock that was set back while mond was down must not make it wait for
// years.
func TestTrapTimeoutFromTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, waiting("traptimeout 60s"))
		ahead := time.Now().Add(24 * 365 * time.Hour)
		r.store = enginetest.NewStore(store.Saved{Clean: true, Alive: ahead, Records: map[opstatus.Key]store.Record{
			trapped: {State: opstatus.State{Exit: -1, LastTrap: ahead}, TrapSince: ahead},
		}})
		r.start()
		r.pass(time.Minute)
		r.wantStatus(opstatus.Fail)
		r.must(r.end())
	})
}

// Keepers follow traps and their silence.
func TestTrapsMoveKeepers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, configtest.Replace(waiting("traptimeout 1m"), "            upalert mail.alert ann\n",
			"            alert lvs.alert -R 10.0.0.1\n            upalert lvs.alert -R 10.0.0.1\n"))
		r.start()
		out := func() bool {
			held := r.sender.Held("lvs.alert")
			c, ok := held["db:trap lvs.alert -R 10.0.0.1"]
			return ok && c.Down
		}
		steps := []struct {
			do   func()
			want bool
		}{
			{func() { r.trap(0, "") }, false},
			{func() { r.trap(1, "") }, true},
			{func() { r.trap(0, "") }, false},
			{func() { r.pass(time.Minute) }, true},
			{func() { r.trap(0, "") }, false},
		}
		for i, s := range steps {
			if s.do(); out() != s.want {
				t.Errorf("step %d: out is %t", i, out())
			}
		}
		for _, s := range r.sender.Sent() {
			if s.Request.Kind == alert.Up {
				t.Errorf("told %v", r.told())
			}
		}
		r.must(r.end())
	})
}
