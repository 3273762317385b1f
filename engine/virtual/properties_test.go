package virtual

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/opstatus"
)

var (
	someWords = []string{"ok", "ok", "ok", "ok", "fail", "fail", "fail", "ok,fail", "fail,ok", "warn", "timeout", "untested", "blind", "seeing",
		"maint", "drain", "drain=20s", "insist", "free", "free", "weight=0", "weight=7", "weight=99999", "table=0", "table=5", "table=-",
		"conns=0", "conns=0/3/0", "conns=0/0/2", "conns=4", "conns=0/-1/-1", "ask=3", "ask=0", "ask=100000", "percent=50", "delta=-4", "delta=9",
		"load=0", "load=0.5", "load=7", "hold", "mute"}
	someTimes = []string{"+1ms", "+1s", "+10s", "+30s", "+7m", "-1s", "-1h"}
	someTurns = []string{"fault=link", "fault=", "fault=", "standby=1", "standby=0", "crash", "*:ok", "*:fail"}
)

func drawGate(t *rapid.T, name string) Gate {
	by := rapid.SampledFrom([]Unit{ByWeight, ByCount, ByPercent}).Draw(t, name+" unit")
	down := rapid.IntRange(0, 4).Draw(t, name)
	up := down + rapid.IntRange(0, 2).Draw(t, name+" hysteresis")
	if scale := map[Unit]int{ByWeight: 10, ByCount: 1, ByPercent: 15}[by]; rapid.Bool().Draw(t, name+" set") {
		return Gate{Up: Amount{up * scale, by}, Down: Amount{down * scale, by}}
	}
	return Gate{}
}

func drawTime(t *rapid.T, name string, times ...time.Duration) time.Duration {
	return rapid.SampledFrom(times).Draw(t, name)
}

func drawPool(t *rapid.T) *Pool {
	p := &Pool{
		Name:          "shop",
		Start:         rapid.SampledFrom([]Start{Adopt, Pessimistic, Optimistic}).Draw(t, "start"),
		Quorum:        drawGate(t, "quorum"),
		StandbyQuorum: drawGate(t, "standby"),
		Panic:         drawGate(t, "panic"),
		Return:        drawTime(t, "return", 0, 0, 15*time.Second),
		Eject:         Amount{rapid.IntRange(0, 3).Draw(t, "eject"), ByCount},
		Warn:          rapid.SampledFrom([]int{0, 30}).Draw(t, "warn"),
		Drain: Drain{
			Deadline:    drawTime(t, "deadline", 0, 20*time.Second, 20*time.Second, Forever),
			Idle:        drawTime(t, "idle", 0, 5*time.Second),
			Persistence: drawTime(t, "persistence", 0, 0, 40*time.Second),
			UDP:         drawTime(t, "udp", 0, 0, 40*time.Second),
		},
		Ramp: Ramp{Over: drawTime(t, "ramp", 0, 12*time.Second), Steps: rapid.IntRange(0, 6).Draw(t, "steps"), Shape: Shape(rapid.IntRange(0, 1).Draw(t, "shape"))},
		Asks: Limits{
			Min: rapid.SampledFrom([]int{0, 20}).Draw(t, "min"), Max: rapid.SampledFrom([]int{0, 50, 300}).Draw(t, "max"),
			Ignore: rapid.SampledFrom([]int{0, 30}).Draw(t, "ignore"), Step: rapid.SampledFrom([]int{0, 25}).Draw(t, "step"),
			Every: drawTime(t, "every", 0, 5*time.Second),
		},
	}
	if p.Eject.N == 3 {
		p.Eject = Amount{50, ByPercent}
	}
	names := []string{"a", "b2", "c", "d2", "e", "f"}
	for i, name := range names[:rapid.IntRange(1, len(names)).Draw(t, "members")] {
		m := pool(name).Members[0]
		m.Need = rapid.IntRange(0, len(m.Checks)).Draw(t, "need")
		m.Weight = rapid.SampledFrom([]int{0, 1, 10, 10, 65535}).Draw(t, "weight")
		m.OnFail = rapid.SampledFrom([]OnFail{Remove, Remove, Quiesce, Leave, Ignore}).Draw(t, "on_fail")
		if i > 0 {
			m.Tier = rapid.SampledFrom([]Tier{Primary, Primary, Primary, Standby(1), Standby(2), Fallback}).Draw(t, "tier")
		}
		p.Members = append(p.Members, m)
	}
	return p
}

// someStep is a few things that happen at once.
func (w *world) someStep(t *rapid.T, tb testing.TB) {
	for range rapid.IntRange(0, 4).Draw(t, "words") {
		what := rapid.SampledFrom(someWords).Draw(t, "what")
		i := rapid.IntRange(0, len(w.p.Members)-1).Draw(t, "who")
		w.word(tb, w.p.Members[i].Name+":"+what)
	}
	switch rapid.IntRange(0, 5).Draw(t, "turn") {
	case 0:
		w.word(tb, rapid.SampledFrom(someTurns).Draw(t, "which"))
	case 1, 2, 3:
		// time passes without a decision, as if the loop were late
		if d, _ := time.ParseDuration(rapid.SampledFrom(someTimes).Draw(t, "time")); d < 0 || rapid.Bool().Draw(t, "late") {
			w.now = w.now.Add(d)
		} else {
			w.wait(d)
		}
	}
	if n := len(w.p.Members); n > 1 && rapid.IntRange(0, 60).Draw(t, "reload") == 0 {
		if name := w.p.Members[n-1].Name; !slices.ContainsFunc(w.in.Left, func(l SeenLeft) bool { return l.Name == name }) {
			w.remove(name)
		}
	}
}

// After any history these hold for every decision.
func TestDecideProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(drawPool(rt))
		defer func() {
			if rt.Failed() {
				rt.Logf("%+v\n%s", *w.p, strings.Join(w.log, " "))
			}
		}()
		if err := w.p.Validate(); err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			w.someStep(rt, t)
			was := w.st
			w.decide()
			checkPure(rt, w, was)
			checkMembers(rt, w)
			checkEject(rt, w, was)
			checkPanic(rt, w)
			checkTier(rt, w)
			checkFault(rt, w, was)
			checkWake(rt, w)
		}
		checkConverges(rt, w)
	})
}

func equal(t *rapid.T, what string, want, got any) {
	if reflect.DeepEqual(want, got) {
		return // soon said
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

// checkPure: the same arguments give the same, also from a state that was
// written and read; deciding again changes nothing.
func checkPure(t *rapid.T, w *world, was State) {
	equal(t, "decided again from the same", w.out, Decide(w.p, was, w.in, w.now))

	again := Decide(w.p, w.out.State, w.in, w.now)
	if again.Changes != nil {
		t.Fatalf("deciding twice changes %v", again.Changes)
	}
	once := w.out
	once.Changes = nil
	equal(t, "decided twice", once, again)

	if rapid.IntRange(0, 3).Draw(t, "written") > 0 {
		return
	}
	text, err := json.Marshal(w.out.State)
	if err != nil {
		t.Fatal(err)
	}
	var read State
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	equal(t, "decided from what was read", again, Decide(w.p, read, w.in, w.now))
}

func checkMembers(t *rapid.T, w *world) {
	var names []string
	for d := range w.out.Members() {
		names = append(names, d.Name)
		if d.Reason == NoReason || d.Reason >= WentIdle {
			t.Fatalf("%v has no reason", d)
		}
		if d.Weight < 0 || d.Weight > MaxWeight || d.Weight > 0 && !d.In || d.In != (d.Phase != Out) || d.Since.After(w.now) {
			t.Fatalf("%+v makes no sense", d)
		}
		if d.Weight > 0 && !d.Phase.carries() {
			t.Fatalf("%v carries", d)
		}
	}
	for i, m := range w.p.Members {
		if names[i] != m.Name {
			t.Fatalf("members %v are not in the order of the pool", names)
		}
		d := w.out.State.Members[i].Desired
		switch w.in.Members[i].Order.Kind {
		case Maintenance:
			if d.In && (d.Phase != Quiet || m.OnFail != Quiesce) {
				t.Fatalf("%v is in, against an order", d)
			}
		case DrainOut:
			if d.Phase.carries() || d.Phase == Quiet {
				t.Fatalf("%v is not drained, against an order", d)
			}
		case NoOrder, Insist:
		}
	}
}

// checkEject: no more are out by their checks than may, and who went out by
// them counts.
func checkEject(t *rapid.T, w *world, was State) {
	limit := w.p.Eject
	for tier := Primary; tier < Fallback; tier++ {
		ejected, of := 0, 0
		for i, m := range w.p.Members {
			if m.Tier != tier {
				continue
			}
			of++
			s := w.out.State.Members[i]
			if s.Ejected {
				ejected++
			}
			old, _ := was.Member(m.Name)
			if s.Reason == Failed && old.Phase.carries() && !s.Phase.carries() && !s.Ejected && w.st.Serving == tier {
				t.Fatalf("%v was ejected and does not count", s.Desired)
			}
		}
		most := limit.N
		if limit.By == ByPercent {
			most = max(1, of*limit.N/100)
		}
		if limit.N > 0 && ejected > most {
			t.Fatalf("%d of %s are ejected, more than %d", ejected, tier, most)
		}
	}
}

// checkPanic: in a panic nobody of the tier is out but by order or to await
// his first verdict; and failing checks alone never empty a pool with a panic
// threshold.
func checkPanic(t *rapid.T, w *world) {
	for i, m := range w.p.Members {
		d := w.out.State.Members[i].Desired
		if w.st.Panic && m.Tier == w.st.Serving && !d.Phase.carries() && !d.Held && d.Reason != InMaintenance && d.Reason != OrderedDrain && d.Reason != Awaited {
			t.Fatalf("panic, and %v is out", d)
		}
	}
	if w.p.Panic.down().N == 0 {
		return
	}
	someFail, carried := false, false
	for i, m := range w.p.Members {
		s := &w.out.State.Members[i]
		order := w.in.Members[i].Order.Kind
		someFail = someFail || m.Tier != Fallback && order == NoOrder && s.Believed == IsFailing && !s.Unsure && m.OnFail != Ignore && m.Weight > 0
		carried = carried || s.Phase.carries() || s.Held || s.Reason == Awaited
	}
	if someFail && !carried {
		t.Fatalf("checks emptied the pool: %s", w)
	}
}

// checkTier: a tier that does not serve gets no new clients, but while it
// hands over; the fallback serves only when no other has a good member in.
func checkTier(t *rapid.T, w *world) {
	for i, m := range w.p.Members {
		s := w.out.State.Members[i]
		if m.Tier != w.st.Serving && s.Phase.carries() && !s.Held && s.Reason != HandsOver {
			t.Fatalf("%s serves, and %v is in", w.st.Serving, s.Desired)
		}
		if s.Reason == HandsOver && (m.Tier != w.st.Overlap || m.Tier <= w.st.Serving) {
			t.Fatalf("%v hands over to %s", s.Desired, w.st.Serving)
		}
	}
}

// checkFault: while there is one nobody is judged.
func checkFault(t *rapid.T, w *world, was State) {
	if w.in.Fault == "" {
		return
	}
	if w.out.Status != opstatus.Fail {
		t.Fatalf("a local fault, and the pool is %s", w.out.Status)
	}
	for _, old := range was.Members {
		if m, ok := w.out.State.Member(old.Name); ok && m.Believed != old.Believed {
			t.Fatalf("%v was judged in spite of a fault", m)
		}
	}
}

// checkWake: until Wake nothing changes, and Wake is not further away than
// anything lasts.
func checkWake(t *rapid.T, w *world) {
	until := w.now.Add(2 * time.Hour)
	if wake := w.out.Wake; !wake.IsZero() {
		if !wake.After(w.now) || wake.After(w.now.Add(40*time.Second)) {
			t.Fatalf("it is %s, wake at %s", w.now, wake)
		}
		until = wake.Add(-1)
	}
	between := w.now.Add(time.Duration(rapid.Int64Range(0, int64(until.Sub(w.now))).Draw(t, "between")))
	for _, at := range []time.Time{between, until} {
		if out := Decide(w.p, w.st, w.in, at); out.Changes != nil || !reflect.DeepEqual(out.State, w.st) {
			t.Fatalf("it is %s, wake at %s, and at %s it changes: %v\n%s", w.now, w.out.Wake, at, out.Changes, cmp.Diff(w.st, out.State))
		}
	}
}

// checkConverges: if nothing happens any more, it comes to rest.
func checkConverges(t *rapid.T, w *world) {
	for range 300 {
		if w.out.Wake.IsZero() {
			return
		}
		w.now = w.out.Wake
		w.decide()
		checkWake(t, w)
	}
	t.Fatalf("it does not come to rest:\n%s", strings.Join(w.told[max(0, len(w.told)-20):], "\n"))
}

// Decide makes what it can of a Pool and a State that make no sense.
func TestNonsense(t *testing.T) {
	p := &Pool{
		Members: []Member{{Name: "a", Tier: 77, Weight: -4, Need: 9, OnFail: 99}, {Name: "a", Weight: 1 << 30, Checks: []string{"x"}, Need: 3}, {}},
		Quorum:  Gate{Up: Amount{-1, 9}}, Panic: Gate{Down: Amount{500, ByPercent}}, Eject: Amount{-3, ByWeight},
		Drain: Drain{Deadline: -9, Idle: -1}, Ramp: Ramp{Over: 1, Steps: 1 << 30, Shape: 9}, Asks: Limits{Min: 500, Max: 20, Step: -1, Every: -1},
		Start: 9, Warn: 900,
	}
	if err := p.Validate(); err == nil {
		t.Error("it is valid")
	}
	st := State{Standing: Standing{Serving: 200, Overlap: 100, Better: 99, Quorum: 7}, Members: []MemberState{{Desired: Desired{Name: "a", Phase: 99, Reason: 200, Weight: -1}, Believed: 50}}}
	for _, in := range []Input{{}, {Fault: "x", Members: make([]Seen, 9)}, {Members: []Seen{{Order: Order{Kind: 9, Weighted: true, Weight: -1}}, {Ask: Ask{Kind: 77, N: 1 << 40}, Conns: Conns{Known: true, Active: -9}}}}} {
		out := Decide(p, st, in, t0)
		for d := range out.Members() {
			if d.Weight < 0 || d.Weight > MaxWeight {
				t.Errorf("%+v", d)
			}
		}
		if out.Summary() == "" || Why(p, out.State, in, "a", t0) == nil {
			t.Error("nothing to say")
		}
	}
}
