package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
)

const lvs = "alert lvs -R r1; upalert lvs -R r1; "

// lines renders claims, one word each: what is claimed, how, and "?" when it
// is provisional.
func lines(claims []alert.Claim) string {
	var words []string
	for _, c := range claims {
		word := strings.ReplaceAll(strings.TrimPrefix(c.ID, "www1:http "), " ", ".")
		switch {
		case c.Withdrawn:
			word += "=gone"
		case c.Down:
			word += "=out"
		default:
			word += "=in"
		}
		if c.Provisional {
			word += "?"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// playClaims gives what is held after each event of a script.
func (w *world) playClaims(t *testing.T, script string) []string {
	var held []string
	for word := range strings.FieldsSeq(script) {
		if w.turn(t, word) {
			continue
		}
		w.event(t, eventOf(t, word))
		held = append(held, lines(w.claims))
		w.now = w.now.Add(10 * time.Second)
	}
	return held
}

func TestClaims(t *testing.T) {
	in, out := "lvs.-R.r1=in", "lvs.-R.r1=out"
	for _, row := range []struct {
		name, period, script string
		want                 []string
	}{
		{"out and in", lvs, "F F O O F", []string{out, out, in, in, out}},
		{"first success says in", lvs, "O F", []string{in, out}},
		{"not before a verdict", lvs, "S B D O", []string{"", "", "", in}},
		{"alertafter is a fall count", lvs + "alertafter 3", "O F F F O", []string{in, in, in, out, in}},
		{"numalerts does not take it in", lvs + "numalerts 1", "F F F O", []string{out, out, out, in}},
		{"upalertafter does not keep it out", lvs + "upalertafter 1h", "F O", []string{out, in}},
		{"a period that is over does not keep it out", lvs + "when hr {12pm-12pm}", "F +1h O", []string{out, in}},
		{"nor does an acknowledgement", lvs, "F A F O", []string{out, out, out, in}},
		{"nor disabling", lvs, "F dis+ F O F", []string{out, out, in, in}},
		{"nor a stopped scheduler", lvs, "F stop+ O F", []string{out, in, in}},
		{"nor a dependency", lvs, "F dep- O F", []string{out, in, in}},
		{"blind and suspect change nothing", lvs, "F B O B", []string{out, out, in, in}},
		{"traps", lvs, "T TO X E", []string{out, in, out, in}},
		{"no upalert: hands off", "alert lvs -R r1", "O F O", []string{"", out, ""}},
		{"an upalert of other words", "alert lvs -R r1 -W 0; upalert lvs -R r1", "F O F",
			[]string{"lvs.-R.r1.-W.0=out", in, in + " lvs.-R.r1.-W.0=out"}},
		{"exit of lines", "exit=1 alert lvs a; exit=2 alert lvs b; upalert lvs a; upalert lvs b", "F F2 O",
			[]string{"lvs.a=out", "lvs.a=out lvs.b=out", "lvs.a=in lvs.b=in"}},
		{"startup and ack lines say nothing", lvs + "startupalert lvs x; ackalert lvs y; disablealert lvs z", "S F A D O",
			[]string{"", out, out, out, in}},
		{"notices are no claims", "alert mail; upalert mail", "F O", []string{"", ""}},
		{"upalert alone", "upalert lvs x", "F O", []string{"", "lvs.x=in"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(behind(t, service(t, row.period)))
			w.keepers = []string{"lvs"}
			if d := cmp.Diff(row.want, w.playClaims(t, row.script)); d != "" {
				t.Errorf("%s (-want +got):\n%s", row.script, d)
			}
		})
	}
}

func TestClaimsOfTwoPeriods(t *testing.T) {
	w := newWorld(service(t, "alert lvs a; when hr {12pm-12pm}", "upalert lvs a; when hr {1am}"))
	w.keepers = []string{"lvs"}
	want := []string{"lvs.a=out", "lvs.a=in"}
	if d := cmp.Diff(want, w.playClaims(t, "F O")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestClaimsOfRedistribute(t *testing.T) {
	s := service(t, "alertafter 9")
	s.Redistribute = &config.Command{Program: "lvs", Args: []string{"r1"}}
	w := newWorld(s)
	w.keepers = []string{"lvs"}
	want := []string{"", "lvs.r1=in", "lvs.r1=out", "lvs.r1=in", "lvs.r1=in"}
	if d := cmp.Diff(want, w.playClaims(t, "S O F O A")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestProvisionalClaims(t *testing.T) {
	for _, row := range []struct {
		name, period, event string
		down                bool
		held, changed       string
	}{
		{"out, good", lvs, "O", true, "lvs.-R.r1=in", "lvs.-R.r1=in"},
		{"in, good", lvs, "O", false, "lvs.-R.r1=in", "lvs.-R.r1=in"},
		{"out, failing", lvs, "F", true, "lvs.-R.r1=out", "lvs.-R.r1=out"},
		{"in, failing", lvs, "F", false, "lvs.-R.r1=out", "lvs.-R.r1=out"},
		{"out, failing too little", lvs + "alertafter 3", "F", true, "lvs.-R.r1=out", "lvs.-R.r1=out"},
		{"in, failing too little", lvs + "alertafter 3", "F", false, "lvs.-R.r1=in", "lvs.-R.r1=in"},
		{"blind", lvs, "B", true, "lvs.-R.r1=out?", ""},
		{"startup", lvs, "S", true, "lvs.-R.r1=out?", ""},
		{"out, good, no upalert", "alert lvs -R r1", "O", true, "", "lvs.-R.r1=gone"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(service(t, row.period))
			w.keepers = []string{"lvs"}
			cmd := &config.Command{Program: "lvs", Args: []string{"-R", "r1"}}
			c := newClaim(w.service.Key, cmd)
			c.Down, c.Provisional = row.down, true
			w.claims = []alert.Claim{c}
			is, change := opstatus.Observe(w.state, opstatus.Settings{}, eventOf(t, row.event), w.now)
			out := Decide(Input{Service: w.service, Was: w.state, Is: is, Change: change, Periods: w.periods, DependOK: true}, w.now)
			changed := w.keep(t, change, out.Decisions)
			if got := lines(w.claims); got != row.held {
				t.Errorf("held %q, want %q", got, row.held)
			}
			if got := lines(changed); got != row.changed {
				t.Errorf("changed %q, want %q", got, row.changed)
			}
		})
	}
}

func TestClaimTellsWhySinceWhen(t *testing.T) {
	w := newWorld(service(t, lvs))
	w.keepers = []string{"lvs"}
	w.run(t, "F:refused F:other")
	want := []alert.Claim{{ID: "www1:http lvs -R r1", Group: "www1", Service: "http", Reason: "www1:http failed: refused",
		Args: []string{"-R", "r1"}, Down: true, Since: noon}}
	if d := cmp.Diff(want, w.claims); d != "" {
		t.Errorf("out (-want +got):\n%s", d)
	}
	w.run(t, "O O")
	want[0].Down, want[0].Reason, want[0].Since = false, "www1:http is good", noon.Add(20*time.Second)
	if d := cmp.Diff(want, w.claims); d != "" {
		t.Errorf("in (-want +got):\n%s", d)
	}
}

func TestPrune(t *testing.T) {
	keepers := func(p string) bool { return p == "lvs" }
	old := service(t, "alert lvs a; upalert lvs a; alert lvs b; upalert lvs b; upalert lvs c")
	w := newWorld(old)
	w.keepers = []string{"lvs"}
	w.run(t, "O F")
	next := service(t, "alert lvs a; startupalert lvs b; upalert lvs c", "alert mail x")
	next.Key = old.Key
	kept, gone := Prune(next, keepers, w.claims)
	if got := lines(kept); got != "lvs.a=out lvs.c=in" {
		t.Errorf("kept %q", got)
	}
	if got := lines(gone); got != "lvs.b=gone" {
		t.Errorf("withdrawn %q", got)
	}
	if same, changed := Prune(old, keepers, w.claims); len(same) != 3 || changed != nil {
		t.Errorf("without a change: %q, %q", lines(same), lines(changed))
	}
	if none, all := Prune(nil, keepers, w.claims); none != nil || len(all) != 3 {
		t.Errorf("without the service: %q, %q", lines(none), lines(all))
	}
	if none, all := Prune(old, func(string) bool { return false }, w.claims); none != nil || len(all) != 3 {
		t.Errorf("without the keeper: %q, %q", lines(none), lines(all))
	}
}

func TestClaimID(t *testing.T) {
	key := opstatus.Key{Group: "www1", Service: "http"}
	ids := map[string]bool{}
	for _, c := range []config.Command{
		{Program: "lvs"}, {Program: "lvs2"}, {Program: "lvs", Args: []string{"a", "b"}}, {Program: "lvs", Args: []string{"a b"}},
		{Program: "lvs", Args: []string{""}}, {Program: "lvs", Args: []string{`"a`, `b"`}}, {Program: "lvs", Args: []string{`\`}},
	} {
		id := ClaimID(key, &c)
		if ids[id] || !strings.HasPrefix(id, "www1:http lvs") {
			t.Errorf("%q: ID %q", c.Args, id)
		}
		ids[id] = true
		claim := newClaim(key, &c)
		if !claimOf(&claim, key, &c) || claimOf(&claim, opstatus.Key{Group: "www1", Service: "ftp"}, &c) {
			t.Errorf("%q is not the claim of its own line alone", id)
		}
	}
}

func TestUnchangedClaimsAllocateNothing(t *testing.T) {
	w := newWorld(service(t, lvs, "alert mail; upalert mail"))
	keepers := func(p string) bool { return p == "lvs" }
	w.keepers = []string{"lvs"}
	for _, script := range []string{"O", "F"} {
		w.run(t, script)
		_, change := opstatus.Observe(w.state, opstatus.Settings{}, eventOf(t, script), w.now)
		in := ClaimInput{Service: w.service, Keepers: keepers, Held: w.claims, Change: change}
		if n := testing.AllocsPerRun(100, func() { Claims(in, noon) }); n != 0 {
			t.Errorf("%s: %v allocations, want none", script, n)
		}
		if next, changed := Claims(in, noon); changed != nil || !slices.EqualFunc(next, w.claims, func(a, b alert.Claim) bool { return a.ID == b.ID }) {
			t.Errorf("%s: changed %q", script, lines(changed))
		}
	}
}
