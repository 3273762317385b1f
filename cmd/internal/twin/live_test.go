package twin

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// live are the scenarios that are played now: those with the word, all of them
// in a soak.
func live(t *testing.T) []*scenario {
	t.Helper()
	return slices.DeleteFunc(readScenarios(t), func(s *scenario) bool { return !s.is("live") && os.Getenv("MOND_SOAK") == "" })
}

// tries is how often a scenario is played when the clock ticked between things
// that belong together, so that a replay cannot be exact.
const tries = 3

// Debian's mon runs now, and mond does what it does.
func TestLive(t *testing.T) {
	scenarios, f := live(t), forgiven{}
	for try := range tries {
		traces := playAll(t, scenarios, share)
		var again []*scenario
		for _, s := range scenarios {
			tr := traces[s.name]
			if try < tries-1 && tr.late && s.isTimed() {
				again = append(again, s)
				continue
			}
			t.Run(s.name, func(t *testing.T) { check(t, s, tr.records, f) })
		}
		if scenarios = again; len(scenarios) == 0 {
			return
		}
	}
}

// The whole of mond calls real programs as mon did when it was recorded. Times
// are not alike: what happened then is compared by its name. What operators and
// traps do in between is replayed in the engine only: when they have taken effect
// cannot be seen from outside as in mon.
func TestMond(t *testing.T) {
	scenarios := slices.DeleteFunc(live(t), func(s *scenario) bool { return s.is("alone") || s.isTimed() || !s.isPlain() })
	recorded, f := readTraces(t), forgiven{}
	for batch := range slices.Chunk(scenarios, share) {
		where := site(t, batch, "2s")
		where.Config = "timeout = 1h\n" + where.Config
		traces := drive(t, daemons.Mond(t, where), batch)
		for _, s := range batch {
			t.Run(s.name, func(t *testing.T) {
				mon, ok := recorded[s.name]
				if !ok {
					t.Fatal("not recorded as it stands: go test -run TestRecorded -record stale")
				}
				if wrong := compare(s, timeless(mon.records), timeless(traces[s.name].records), f); len(wrong) > 0 {
					t.Errorf("mond does not do what mon does:\n%s", strings.Join(wrong, "\n"))
				}
			})
		}
	}
}

// timeless is a trace with the names of events in place of their times, and the
// calls of each event in the order of their words: mond starts different
// programs side by side.
func timeless(trace []record) (all []record) {
	event := ""
	for _, r := range trace {
		if r.kind != "alert" {
			event = r.label()
		}
		r = r.moved(func(value string, _ int64) string { return eventAt(trace, r.service, value) }, 0)
		if t := slices.Index(r.args, "-t"); r.kind == "alert" && t >= 0 {
			r.args[t+1] = event
		}
		all = append(all, r)
	}
	for i := 0; i < len(all); i++ {
		n := 0
		for i+n < len(all) && all[i+n].kind == "alert" {
			n++
		}
		slices.SortStableFunc(all[i:i+n], func(a, b record) int {
			return cmp.Or(strings.Compare(a.text, b.text), slices.Compare(a.args, b.args))
		})
		i += n
	}
	return all
}

// eventAt names the last result of a service at a time.
func eventAt(trace []record, service, at string) string {
	for _, e := range slices.Backward(trace) {
		if e.kind == "result" && e.service == service && strconv.FormatInt(e.at, 10) == at {
			return e.label()
		}
	}
	return at
}
