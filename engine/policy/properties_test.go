package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
)

var (
	someLines = []string{"alert lvs a", "alert lvs b", "upalert lvs a", "upalert lvs c", "alert mail", "upalert mail", "startupalert mail",
		"ackalert mail", "disablealert mail", "exit=2-9 alert mail severe", "upalert lvs b"}
	someLimits = []string{"numalerts 2", "alertevery 30s", "alertevery 30s strict", "alertevery 30s observe_detail", "alertevery 1m ignore_summary",
		"alertafter 2", "alertafter 20s", "alertafter 2 30s", "upalertafter 20s", "alertexitrange 1-2", "no_comp_alerts",
		"when hr {12pm}"}
	someEvents = []string{"F", "F", "F", "F2", "F:h2", "F:h1:x", "O", "O", "O", "W", "B", "L", "T", "TO", "X", "E", "S", "A", "D"}
	someTurns  = []string{"+30s", "+50m", "-1h", "dep-", "dep+", "dis+", "dis-", "stop+", "stop-"}
)

func drawWorld(t *rapid.T, tb testing.TB) *world {
	var periods []string
	for range rapid.IntRange(1, 3).Draw(t, "periods") {
		lines := rapid.SliceOfN(rapid.SampledFrom(someLines), 0, 6).Draw(t, "lines")
		limits := rapid.SliceOfN(rapid.SampledFrom(someLimits), 0, 3).Draw(t, "limits")
		periods = append(periods, strings.Join(append(lines, limits...), ";"))
	}
	s := behind(tb, service(tb, periods...))
	s.UnackSummary = rapid.Bool().Draw(t, "unack_summary")
	s.Settle = opstatus.Settings{Fall: rapid.IntRange(1, 2).Draw(t, "fall"), Rise: rapid.IntRange(1, 2).Draw(t, "rise")}
	w := newWorld(s)
	w.keepers = []string{"lvs"}
	return w
}

// step takes w through a few turns and one event.
func step(t *rapid.T, tb testing.TB, w *world) (was opstatus.State, ev opstatus.Event, out Outcome) {
	for _, word := range rapid.SliceOfN(rapid.SampledFrom(someTurns), 0, 2).Draw(t, "turns") {
		w.turn(tb, word)
	}
	was, ev = w.state, eventOf(tb, rapid.SampledFrom(someEvents).Draw(t, "event"))
	out = w.event(tb, ev)
	w.now = w.now.Add(10 * time.Second)
	return was, ev, out
}

// After any history these hold for every event.
func TestDecideProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt, t)
		told := map[string]bool{} // periods that told of something since the last success
		for range rapid.IntRange(1, 40).Draw(rt, "events") {
			was, ev, out := step(rt, t, w)
			_, change := opstatus.Observe(was, w.service.Settle, ev, w.now.Add(-10*time.Second))
			checkDecisions(rt, w, out, told)
			if change.Success {
				clear(told)
				checkReset(rt, w, out)
				checkClaims(rt, w)
			}
		}
	})
}

// checkDecisions: upalerts answer alerts, nothing is told while stopped,
// nothing but the disabling while disabled, and every "no" has a reason.
func checkDecisions(t *rapid.T, w *world, out Outcome, told map[string]bool) {
	order := -1
	for _, d := range out.Decisions {
		i := slices.IndexFunc(w.service.Periods, func(p config.Period) bool { return p.Name == d.Period })
		if i >= 0 && i < order {
			t.Fatalf("not in the order of the file: %v", out.Decisions)
		}
		order = max(order, i)
		if d.Reason == NoReason || d.Send != (d.Reason == Called) || d.Send && d.Command == nil {
			t.Fatalf("%v has no proper reason", d)
		}
		if d.Send && w.stopped || d.Send && w.disabled && d.Kind != alert.Disable {
			t.Fatalf("%v is told while stopped %t, disabled %t", d, w.stopped, w.disabled)
		}
		if d.Send && d.Kind == alert.Up && !w.service.Periods[i].NoComp && !told[d.Period] {
			t.Fatalf("%v answers no alert", d)
		}
	}
	for _, d := range out.Decisions {
		if d.Send {
			told[d.Period] = d.Kind != alert.Up
		}
	}
}

func checkReset(t *rapid.T, w *world, out Outcome) {
	for i, st := range out.Periods {
		if st.AfterSuccess(w.service.Periods[i].Every.Mode) != st {
			t.Fatalf("a success leaves %+v of period %d", st, i+1)
		}
	}
}

// checkClaims: a success clears all claims, and says "in" for every upalert
// line of a keeper.
func checkClaims(t *rapid.T, w *world) {
	for _, c := range w.claims {
		if c.Down || c.Provisional || c.Withdrawn {
			t.Fatalf("a success leaves the claim %+v", c)
		}
	}
	for _, p := range w.service.Periods {
		for _, l := range p.Lines {
			if l.On == alert.Up && l.Program == "lvs" && indexOf(w.claims, w.service.Key, &l.Command) < 0 {
				t.Fatalf("a success does not claim %v", l.Args)
			}
		}
	}
}

// A keeper that is only told what changed holds the same as one that is told
// all of it.
func TestChangesAddUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt, t)
		keeper := map[string]alert.Claim{}
		for range rapid.IntRange(1, 30).Draw(rt, "events") {
			ev := eventOf(t, rapid.SampledFrom(someEvents).Draw(rt, "event"))
			is, change := opstatus.Observe(w.state, w.service.Settle, ev, w.now)
			out := Decide(Input{Service: w.service, Was: w.state, Is: is, Change: change, Periods: w.periods, DependOK: true}, w.now)
			w.state, w.periods = out.Service, out.Periods
			for _, c := range w.keep(t, change, out.Decisions) {
				keeper[c.ID] = c
				if c.Withdrawn {
					delete(keeper, c.ID)
				}
			}
			w.now = w.now.Add(10 * time.Second)
			full := map[string]alert.Claim{}
			for _, c := range w.claims {
				full[c.ID] = c
			}
			if d := cmp.Diff(full, keeper); d != "" {
				rt.Fatalf("the changes do not add up (-held +kept):\n%s", d)
			}
		}
	})
}
