package opstatus

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/plugins/monitor"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func exit(n int, summary, detail string) monitor.Result {
	return monitor.Result{Cause: monitor.Exited, Exit: n, Summary: summary, Detail: detail}
}

// play observes results ten seconds apart, beginning at t0.
func play(s State, set Settings, results ...monitor.Result) (State, Transition) {
	var t Transition
	for i, r := range results {
		s, t = Observe(s, set, Event{Kind: Exit, Result: r}, t0.Add(time.Duration(i)*10*time.Second))
	}
	return s, t
}

func TestObserveResults(t *testing.T) {
	ok, bad := exit(0, "up", ""), exit(2, "w1", "refused")
	at := func(n int) time.Time { return t0.Add(time.Duration(n) * 10 * time.Second) }
	for _, row := range []struct {
		name    string
		set     Settings
		results []monitor.Result
		want    State
		change  Transition
	}{
		{"first success", Settings{}, []monitor.Result{ok},
			State{Status: OK, Last: Untested, FirstOK: t0, LastOK: t0, LastCheck: t0, Summary: "up", Output: "up\n", Tested: true},
			Transition{From: Untested, To: OK, Event: Exit, Success: true}},
		{"still good", Settings{}, []monitor.Result{ok, ok},
			State{Status: OK, Last: OK, FirstOK: t0, LastOK: at(1), LastCheck: at(1), Summary: "up", Output: "up\n", Tested: true},
			Transition{From: OK, To: OK, Event: Exit, Success: true}},
		{"first ever failure", Settings{}, []monitor.Result{bad},
			State{Status: Fail, Last: Untested, Failures: 1, Total: 1, FirstFail: t0, LastFail: t0, LastCheck: t0, Exit: 2,
				Summary: "w1", Output: "w1\nrefused", FailSummary: "w1", FailOutput: "w1\nrefused", Tested: true},
			Transition{From: Untested, To: Fail, Event: Exit, Failure: true, First: true}},
		{"failing again", Settings{}, []monitor.Result{bad, bad},
			State{Status: Fail, Last: Fail, Failures: 2, Total: 2, FirstFail: t0, LastFail: at(1), LastCheck: at(1), Exit: 2,
				Summary: "w1", Output: "w1\nrefused", FailSummary: "w1", FailOutput: "w1\nrefused", Tested: true},
			Transition{From: Fail, To: Fail, Event: Exit, Failure: true}},
		{"recovery", Settings{}, []monitor.Result{bad, bad, ok},
			State{Status: OK, Last: Fail, Total: 2, FirstOK: at(2), LastOK: at(2), LastCheck: at(2), Summary: "up", Output: "up\n", Tested: true},
			Transition{From: Fail, To: OK, Event: Exit, Success: true, Recovered: true, Downtime: 20 * time.Second}},
		{"blank summary", Settings{}, []monitor.Result{exit(1, "  ", "x")},
			State{Status: Fail, Failures: 1, Total: 1, FirstFail: t0, LastFail: t0, LastCheck: t0, Exit: 1,
				Summary: NoSummary, Output: "  \nx", FailSummary: NoSummary, FailOutput: "  \nx", Tested: true},
			Transition{From: Untested, To: Fail, Event: Exit, Failure: true, First: true}},
		{"empty success", Settings{}, []monitor.Result{exit(0, "", "")},
			State{Status: OK, FirstOK: t0, LastOK: t0, LastCheck: t0, Tested: true},
			Transition{From: Untested, To: OK, Event: Exit, Success: true}},
		{"warn", Settings{}, []monitor.Result{{Cause: monitor.Exited, Warn: true, Summary: "slow"}},
			State{Status: Warn, FirstOK: t0, LastOK: t0, LastCheck: t0, Summary: "slow", Output: "slow\n", Tested: true},
			Transition{From: Untested, To: Warn, Event: Exit, Success: true}},
		{"time limit", Settings{}, []monitor.Result{ok, {Cause: monitor.TimedOut}},
			State{Status: Timeout, Last: OK, Failures: 1, Total: 1, FirstFail: at(1), LastFail: at(1), FirstOK: t0, LastOK: t0, LastCheck: at(1),
				Exit: TimeoutExit, Summary: "timed out", FailSummary: "timed out", Tested: true},
			Transition{From: OK, To: Timeout, Event: Exit, Failure: true, First: true}},
		{"fall not reached", Settings{Fall: 3}, []monitor.Result{ok, bad, bad},
			State{Status: OK, Bad: 2, FirstOK: t0, LastOK: t0, LastCheck: at(2), Exit: 2, Summary: "w1", Output: "w1\nrefused", Tested: true},
			Transition{From: OK, To: OK, Event: Exit, Suspect: true}},
		{"fall reached", Settings{Fall: 3}, []monitor.Result{ok, bad, bad, bad},
			State{Status: Fail, Last: OK, Failures: 1, Total: 1, FirstFail: at(3), LastFail: at(3), FirstOK: t0, LastOK: t0, LastCheck: at(3), Exit: 2,
				Summary: "w1", Output: "w1\nrefused", FailSummary: "w1", FailOutput: "w1\nrefused", Tested: true},
			Transition{From: OK, To: Fail, Event: Exit, Failure: true, First: true}},
		{"fall broken by a success", Settings{Fall: 2}, []monitor.Result{ok, bad, ok, bad},
			State{Status: OK, Last: OK, Bad: 1, FirstOK: t0, LastOK: at(2), LastCheck: at(3), Exit: 2, Summary: "w1", Output: "w1\nrefused", Tested: true},
			Transition{From: OK, To: OK, Event: Exit, Suspect: true}},
		{"fall of an untested service", Settings{Fall: 2}, []monitor.Result{bad},
			State{Status: Untested, Bad: 1, LastCheck: t0, Exit: 2, Summary: "w1", Output: "w1\nrefused", Tested: true},
			Transition{From: Untested, To: Untested, Event: Exit, Suspect: true}},
		{"first success whatever rise", Settings{Rise: 5}, []monitor.Result{ok},
			State{Status: OK, FirstOK: t0, LastOK: t0, LastCheck: t0, Summary: "up", Output: "up\n", Tested: true},
			Transition{From: Untested, To: OK, Event: Exit, Success: true}},
		{"rise not reached", Settings{Rise: 2}, []monitor.Result{bad, ok},
			State{Status: Fail, Good: 1, Failures: 1, Total: 1, FirstFail: t0, LastFail: t0, LastCheck: at(1), Summary: "up", Output: "up\n",
				FailSummary: "w1", FailOutput: "w1\nrefused", Tested: true},
			Transition{From: Fail, To: Fail, Event: Exit, Suspect: true}},
		{"rise reached", Settings{Rise: 2}, []monitor.Result{bad, ok, ok},
			State{Status: OK, Last: Fail, Total: 1, FirstOK: at(2), LastOK: at(2), LastCheck: at(2), Summary: "up", Output: "up\n", Tested: true},
			Transition{From: Fail, To: OK, Event: Exit, Success: true, Recovered: true, Downtime: 20 * time.Second}},
		{"timeout then exit is one outage", Settings{}, []monitor.Result{{Cause: monitor.TimedOut, Summary: "slow"}, bad},
			State{Status: Fail, Last: Timeout, Failures: 2, Total: 2, FirstFail: t0, LastFail: at(1), LastCheck: at(1), Exit: 2,
				Summary: "w1", Output: "w1\nrefused", FailSummary: "w1", FailOutput: "w1\nrefused", Tested: true},
			Transition{From: Timeout, To: Fail, Event: Exit, Failure: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, change := play(New(), row.set, row.results...)
			if d := cmp.Diff(row.want, got); d != "" {
				t.Errorf("state (-want +got):\n%s", d)
			}
			if d := cmp.Diff(row.change, change); d != "" {
				t.Errorf("transition (-want +got):\n%s", d)
			}
		})
	}
}

func TestBlindChangesNothingElse(t *testing.T) {
	before, _ := play(New(), Settings{Fall: 3}, exit(0, "up", ""), exit(1, "w1", ""))
	lost := monitor.Blinded(monitor.PluginLost, "tcp.monitor died")
	s, change := Observe(before, Settings{}, Event{Kind: Exit, Result: lost}, t0.Add(time.Minute))
	s, _ = Observe(s, Settings{}, Event{Kind: Exit, Result: monitor.Blinded(monitor.Killed, "killed")}, t0.Add(2*time.Minute))

	want := before
	want.Blind = &Blind{Cause: monitor.Killed, Reason: "killed", Since: t0.Add(time.Minute), Times: 2}
	if d := cmp.Diff(want, s); d != "" {
		t.Errorf("state (-want +got):\n%s", d)
	}
	if d := cmp.Diff(Transition{From: OK, To: OK, Event: Exit, Blind: true}, change); d != "" {
		t.Errorf("transition (-want +got):\n%s", d)
	}
	s, _ = Observe(s, Settings{Fall: 9}, Event{Kind: Exit, Result: exit(1, "w1", "")}, t0.Add(3*time.Minute))
	if s.Blind != nil {
		t.Error("a verdict did not end being blind")
	}
}

func TestTraps(t *testing.T) {
	later := t0.Add(time.Hour)
	s, change := Observe(New(), Settings{Fall: 5}, Event{Kind: Trap, Result: exit(3, "disk full", "\nline1")}, t0)
	want := State{Status: Fail, Failures: 1, Total: 1, FirstFail: t0, LastFail: t0, LastTrap: t0, Exit: 3,
		Summary: "disk full", Output: "disk full\n\nline1", FailSummary: "disk full", FailOutput: "disk full\n\nline1", Tested: true}
	if d := cmp.Diff(want, s); d != "" {
		t.Errorf("trap (-want +got):\n%s", d)
	}
	if d := cmp.Diff(Transition{From: Untested, To: Fail, Event: Trap, Failure: true, First: true}, change); d != "" {
		t.Errorf("trap (-want +got):\n%s", d)
	}

	over, change := Observe(s, Settings{}, Event{Kind: TrapExpired}, later)
	wantOver := State{Status: OK, Last: Fail, Total: 1, FirstOK: later, LastOK: later, LastTrap: t0,
		Summary: "trap expired", Output: "trap expired\n", Tested: true}
	if d := cmp.Diff(wantOver, over); d != "" {
		t.Errorf("expired (-want +got):\n%s", d)
	}
	if d := cmp.Diff(Transition{From: Fail, To: OK, Event: TrapExpired, Success: true, Recovered: true, Downtime: time.Hour}, change); d != "" {
		t.Errorf("expired (-want +got):\n%s", d)
	}

	again, change := Observe(over, Settings{}, Event{Kind: TrapExpired}, later)
	if cmp.Diff(over, again) != "" || change.Success {
		t.Error("a trap that expired on a good service is an event")
	}

	silent, change := Observe(New(), Settings{Fall: 2}, Event{Kind: TrapTimeout}, later)
	if silent.Exit != 1 || silent.Summary != "trap timeout" || !change.Failure || !silent.LastTrap.IsZero() || !silent.LastCheck.IsZero() {
		t.Errorf("trap timeout gives %+v, %+v", silent, change)
	}
}

func TestAck(t *testing.T) {
	note := Note{At: t0, User: "alice", Text: "on it"}
	failing, _ := play(New(), Settings{}, exit(1, "w1", ""))
	acked, change := Observe(failing, Settings{}, Event{Kind: Ack, Note: note}, t0)
	if acked.Ack == nil || *acked.Ack != note || change.Event != Ack || failing.Ack != nil {
		t.Errorf("ack gives %+v, %+v", acked.Ack, change)
	}
	good, _ := Observe(acked, Settings{}, Event{Kind: Exit, Result: exit(0, "", "")}, t0)
	if good.Ack != nil {
		t.Error("a success did not end the acknowledgement")
	}
	refused, change := Observe(good, Settings{}, Event{Kind: Ack, Note: note}, t0)
	if refused.Ack != nil || change.Event != None {
		t.Error("a good service was acknowledged")
	}
}

func TestEventsThatChangeNothing(t *testing.T) {
	s, _ := play(New(), Settings{Rise: 2}, exit(1, "w1", ""), exit(0, "", ""))
	for _, kind := range []EventKind{None, Disable, Enable, Startup} {
		got, change := Observe(s, Settings{}, Event{Kind: kind}, t0)
		if d := cmp.Diff(s, got); d != "" {
			t.Errorf("event %d (-want +got):\n%s", kind, d)
		}
		if d := cmp.Diff(Transition{From: Fail, To: Fail, Event: kind}, change); d != "" {
			t.Errorf("event %d (-want +got):\n%s", kind, d)
		}
	}
}

func TestTold(t *testing.T) {
	bad, ok := exit(1, "w1", "refused"), exit(0, "fine", "")
	failing, first := play(New(), Settings{}, bad)
	good, recovered := Observe(failing, Settings{}, Event{Kind: Exit, Result: ok}, t0)
	_, still := Observe(good, Settings{}, Event{Kind: Exit, Result: exit(0, "", "")}, t0)
	for _, row := range []struct {
		name            string
		ev              Event
		change          Transition
		was, is         State
		summary, output string
	}{
		{"failure", Event{Kind: Exit}, first, New(), failing, "w1", "w1\nrefused"},
		{"recovery", Event{Kind: Exit}, recovered, failing, good, "w1", "w1\nrefused"},
		{"still good", Event{Kind: Exit}, still, good, good, "fine", "fine\n"},
		{"ack", Event{Kind: Ack, Note: Note{User: "alice", Text: "first"}}, Transition{Event: Ack}, failing, failing, "alice: first", "alice: first"},
		{"disable", Event{Kind: Disable, Note: Note{User: "alice"}}, Transition{Event: Disable}, good, good, "alice", "alice"},
		{"startup", Event{Kind: Startup}, Transition{Event: Startup}, good, good, NoSummary, ""},
	} {
		summary, output := Told(row.ev, row.change, row.was, row.is)
		if summary != row.summary || output != row.output {
			t.Errorf("%s: told %q, %q, want %q, %q", row.name, summary, output, row.summary, row.output)
		}
	}
}

func TestStatusNames(t *testing.T) {
	want := map[Status]string{Fail: "fail 0", OK: "ok 1", Coldstart: "coldstart 2", Warmstart: "warmstart 3", Linkdown: "linkdown 4",
		Unknown: "unknown 5", Timeout: "timeout 6", Untested: "untested 7", Dependency: "dependency 8", Warn: "warn 9", 99: "unknown 5"}
	for s, text := range want {
		if got := s.String() + " " + string(rune('0'+s.Number())); got != text {
			t.Errorf("status %d is %q, want %q", s, got, text)
		}
		if s.Good() && s.Failing() {
			t.Errorf("%s is good and failing", s)
		}
	}
}

func TestParseKey(t *testing.T) {
	for text, want := range map[string]Key{"web:http": {"web", "http"}, "web,http": {"web", "http"}} {
		if got, ok := ParseKey(text); !ok || got != want || got.String() != "web:http" {
			t.Errorf("%q is %v, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "web", ":http", "web:", ","} {
		if got, ok := ParseKey(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func drawEvent(t *rapid.T) Event {
	return Event{
		Kind: EventKind(rapid.IntRange(int(None), int(Startup)).Draw(t, "kind")),
		Result: monitor.Result{
			Cause:   monitor.Cause(rapid.IntRange(0, int(monitor.LocalFault)).Draw(t, "cause")),
			Exit:    rapid.IntRange(0, 2).Draw(t, "exit"),
			Warn:    rapid.Bool().Draw(t, "warn"),
			Summary: rapid.SampledFrom([]string{"", " ", "a", "b"}).Draw(t, "summary"),
			Detail:  rapid.SampledFrom([]string{"", "d", "\n"}).Draw(t, "detail"),
		},
	}
}

// What must hold after any history.
func TestObserveProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, now := New(), t0
		set := Settings{Fall: rapid.IntRange(0, 3).Draw(t, "fall"), Rise: rapid.IntRange(0, 3).Draw(t, "rise")}
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			now = now.Add(time.Second)
			ev := drawEvent(t)
			next, change := Observe(s, set, ev, now)
			checkTransition(t, s, next, ev, change)
			s = next
		}
	})
}

func checkTransition(t *rapid.T, was, is State, ev Event, c Transition) {
	checks := []struct {
		ok   bool
		what string
	}{
		{c.From == was.Status && c.To == is.Status, "From and To are the statuses"},
		{!(c.Success && c.Failure), "no event is a success and a failure"},
		{!c.Failure || is.Status.Failing() && is.Failures == was.Failures+1, "a failure fails and counts"},
		{!c.Success || is.Status.Good() && is.Failures == 0 && is.Ack == nil && is.FailOutput == "" && is.FirstFail.IsZero(), "a success closes the outage"},
		{c.Success || c.Failure || is.Status == was.Status, "only events change the status"},
		{is.Status.Failing() == !is.FirstFail.IsZero(), "a failing service, and no other, has a first failure"},
		{!is.Status.Failing() || is.FailSummary != "", "a failing service says why"},
		{!(is.Good > 0 && is.Bad > 0) && is.Suspect() == (c.Suspect || !c.Success && !c.Failure && was.Suspect()), "suspicion is one-sided and lasts"},
		{c.Recovered == (c.Success && was.Status.Failing()), "recovery is success after failure"},
		{is.Total >= was.Total, "the total never falls"},
	}
	for _, check := range checks {
		if !check.ok {
			t.Fatalf("not so: %s\nevent %+v\nwas %+v\nis %+v\nchange %+v", check.what, ev, was, is, c)
		}
	}
	if c.Blind {
		is.Blind, was.Blind, is.LastTrap, was.LastTrap = nil, nil, time.Time{}, time.Time{}
		if d := cmp.Diff(was, is); d != "" {
			t.Fatalf("a blind result changed:\n%s", d)
		}
	}
}

// The common path, a success like the one before, must not burden the
// collector: the loop does it ten thousand times a second.
func TestSteadySuccessAllocatesNothing(t *testing.T) {
	s, _ := play(New(), Settings{}, exit(0, "up", "all well"))
	ev := Event{Kind: Exit, Result: exit(0, "up", "all well")}
	if n := testing.AllocsPerRun(100, func() { s, _ = Observe(s, Settings{}, ev, t0) }); n != 0 {
		t.Errorf("%v allocations a success, want none", n)
	}
}
