package policy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
)

// answer is what a filter says, and what it leaves of the period's State.
type answer struct {
	Why   Reason
	Note  string
	State State
}

// probe is a failure (or upalert) on its way through one filter.
type probe struct {
	period   string
	was, is  opstatus.State
	downtime time.Duration
	state    State
	on       alert.Kind
}

func (p probe) through(t *testing.T, f filter) answer {
	s := service(t, p.period)
	in := Input{Service: s, Was: p.was, Is: p.is, Change: opstatus.Transition{Downtime: p.downtime}}
	r := round{in: &in, now: noon, on: p.on, out: Outcome{Service: p.is}}
	if r.on == alert.Unset {
		r.on = alert.Failure
	}
	st := p.state
	why, note := f(&r, &s.Periods[0], &st)
	return answer{why, note, st}
}

type filterRow struct {
	name  string
	probe probe
	want  answer
}

func checkFilter(t *testing.T, f filter, rows []filterRow) {
	t.Helper()
	for _, row := range rows {
		if d := cmp.Diff(row.want, row.probe.through(t, f)); d != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, d)
		}
	}
}

func ago(d time.Duration) time.Time { return noon.Add(-d) }

func failing(summary, output string) opstatus.State {
	return opstatus.State{Status: opstatus.Fail, FailSummary: summary, FailOutput: output}
}

func TestInPeriod(t *testing.T) {
	checkFilter(t, inPeriod, []filterRow{
		{"always", probe{period: "alert a"}, answer{}},
		{"inside", probe{period: "when hr {9am-5pm}"}, answer{}},
		{"outside", probe{period: "when hr {1pm-5pm}"}, answer{Why: OutsidePeriod, Note: "hr {1pm-5pm}"}},
	})
}

func TestPairedUp(t *testing.T) {
	checkFilter(t, pairedUp, []filterRow{
		{"no alert", probe{period: "alert a"}, answer{Why: NoAlertBefore}},
		{"an alert", probe{period: "alert a", state: State{Sent: 1}}, answer{State: State{Sent: 1}}},
		{"no_comp_alerts", probe{period: "no_comp_alerts"}, answer{}},
	})
}

func TestLoneUp(t *testing.T) {
	checkFilter(t, loneUp, []filterRow{
		{"first", probe{period: "no_comp_alerts"}, answer{}},
		{"again", probe{period: "no_comp_alerts", state: State{Up: true}}, answer{Why: UpAlready, State: State{Up: true}}},
		{"paired periods do not mind", probe{period: "alert a", state: State{Up: true}}, answer{State: State{Up: true}}},
	})
}

func TestUpAfter(t *testing.T) {
	checkFilter(t, upAfter, []filterRow{
		{"none", probe{period: "alert a"}, answer{}},
		{"too short", probe{period: "upalertafter 1m", downtime: 59 * time.Second}, answer{Why: OutageTooShort, Note: "it lasted 59s, upalertafter 1m0s"}},
		{"just long enough", probe{period: "upalertafter 1m", downtime: time.Minute}, answer{}},
		{"a millisecond early", probe{period: "upalertafter 1m", downtime: time.Minute - time.Millisecond}, answer{}},
		{"milliseconds count when written", probe{period: "upalertafter 1500ms", downtime: 1499 * time.Millisecond},
			answer{Why: OutageTooShort, Note: "it lasted 1.499s, upalertafter 1.5s"}},
	})
}

func TestExitRange(t *testing.T) {
	at := func(exit int) opstatus.State { return opstatus.State{Exit: exit} }
	checkFilter(t, exitRange, []filterRow{
		{"none", probe{period: "alert a", is: at(200)}, answer{}},
		{"below", probe{period: "alertexitrange 2-4", is: at(1)}, answer{Why: WrongExit, Note: "exit 1, not 2-4"}},
		{"lower end", probe{period: "alertexitrange 2-4", is: at(2)}, answer{}},
		{"upper end", probe{period: "alertexitrange 2-4", is: at(4)}, answer{}},
		{"above", probe{period: "alertexitrange 2-4", is: at(5)}, answer{Why: WrongExit, Note: "exit 5, not 2-4"}},
		{"one", probe{period: "alertexitrange 2", is: at(3)}, answer{Why: WrongExit, Note: "exit 3, not 2"}},
	})
}

func TestLimit(t *testing.T) {
	sent := func(n int) State { return State{Sent: n} }
	checkFilter(t, limit, []filterRow{
		{"none", probe{period: "alert a", state: sent(99)}, answer{State: sent(99)}},
		{"0 is none", probe{period: "numalerts 0", state: sent(99)}, answer{State: sent(99)}},
		{"below", probe{period: "numalerts 3", state: sent(2)}, answer{State: sent(2)}},
		{"reached", probe{period: "numalerts 3", state: sent(3)}, answer{Why: LimitReached, Note: "3 of 3 sent", State: sent(3)}},
	})
}

func TestEvery(t *testing.T) {
	last := func(d time.Duration) State { return State{LastAlert: ago(d)} }
	same, more, other := failing("a", "a\nx"), failing("a", "a\ny"), failing("b", "b")
	held := func(d time.Duration) answer {
		return answer{Why: TooSoon, Note: "last alert " + d.String() + " ago, alertevery 1m0s", State: last(d)}
	}
	pass := func(d time.Duration) answer { return answer{State: last(d)} }
	const s = time.Second
	checkFilter(t, every, []filterRow{
		{"none", probe{period: "alert a", was: same, is: same, state: last(0)}, pass(0)},
		{"no alert yet", probe{period: "alertevery 1m", was: same, is: same}, answer{}},
		{"too soon", probe{period: "alertevery 1m", was: same, is: same, state: last(59 * s)}, held(59 * s)},
		{"in time", probe{period: "alertevery 1m", was: same, is: same, state: last(60 * s)}, pass(60 * s)},
		{"a millisecond early", probe{period: "alertevery 1m", was: same, is: same, state: last(60*s - 1e6)}, pass(60*s - 1e6)},
		{"set back", probe{period: "alertevery 1m", was: same, is: same, state: last(-5 * s)}, pass(-5 * s)},
		{"another detail", probe{period: "alertevery 1m", was: same, is: more, state: last(10 * s)}, held(10 * s)},
		{"another summary", probe{period: "alertevery 1m", was: same, is: other, state: last(10 * s)}, pass(10 * s)},
		{"observe_detail", probe{period: "alertevery 1m observe_detail", was: same, is: more, state: last(10 * s)}, pass(10 * s)},
		{"observe_detail, same", probe{period: "alertevery 1m observe_detail", was: same, is: same, state: last(10 * s)}, held(10 * s)},
		{"ignore_summary", probe{period: "alertevery 1m ignore_summary", was: same, is: other, state: last(10 * s)}, held(10 * s)},
		{"strict", probe{period: "alertevery 1m strict", was: same, is: other, state: last(10 * s)}, held(10 * s)},
	})
}

func TestAfterCount(t *testing.T) {
	at := func(n int) opstatus.State { return opstatus.State{Failures: n} }
	checkFilter(t, afterCount, []filterRow{
		{"none", probe{period: "alert a", is: at(1)}, answer{}},
		{"too few", probe{period: "alertafter 3", is: at(2)}, answer{Why: TooFew, Note: "2 of 3 failures"}},
		{"enough", probe{period: "alertafter 3", is: at(3)}, answer{}},
	})
}

func TestAfterTime(t *testing.T) {
	since := func(d time.Duration) State { return State{FirstFail: ago(d)} }
	checkFilter(t, afterTime, []filterRow{
		{"none", probe{period: "alert a"}, answer{}},
		{"starts its clock", probe{period: "alertafter 1m"}, answer{Why: TooYoung, Note: "failing for 0s, alertafter 1m0s", State: since(0)}},
		{"not longer than", probe{period: "alertafter 1m", state: since(time.Minute)}, answer{Why: TooYoung, Note: "failing for 1m0s, alertafter 1m0s", State: since(time.Minute)}},
		{"longer", probe{period: "alertafter 1m", state: since(61 * time.Second)}, answer{State: since(61 * time.Second)}},
		{"set back", probe{period: "alertafter 1m", state: since(-time.Hour)}, answer{Why: TooYoung, Note: "failing for 0s, alertafter 1m0s", State: since(0)}},
		{"put out by N TV", probe{period: "alertafter 1m; alertafter 2 1m"}, answer{}},
	})
}

func TestAfterWindow(t *testing.T) {
	st := func(n int, d time.Duration) State { return State{FailCount: n, FirstFail: ago(d)} }
	checkFilter(t, afterWindow, []filterRow{
		{"none", probe{period: "alertafter 2"}, answer{}},
		{"first", probe{period: "alertafter 3 1m"}, answer{Why: TooSparse, Note: "1 of 3 failures within 1m0s", State: st(1, 0)}},
		{"second", probe{period: "alertafter 3 1m", state: st(1, time.Minute)}, answer{Why: TooSparse, Note: "2 of 3 failures within 1m0s", State: st(2, time.Minute)}},
		{"third", probe{period: "alertafter 3 1m", state: st(2, time.Minute)}, answer{State: st(3, time.Minute)}},
		{"too late", probe{period: "alertafter 3 1m", state: st(2, 61*time.Second)}, answer{Why: TooSparse, Note: "1 of 3 failures within 1m0s", State: st(1, 0)}},
		{"set back", probe{period: "alertafter 3 1m", state: st(2, -time.Hour)}, answer{Why: TooSparse, Note: "1 of 3 failures within 1m0s", State: st(1, 0)}},
		{"one in a time", probe{period: "alertafter 1 1m"}, answer{State: st(1, 0)}},
	})
}

func TestGates(t *testing.T) {
	type say = Decision
	acked := &opstatus.Note{At: noon, User: "alice"}
	down := opstatus.Transition{Event: opstatus.Exit, Failure: true}
	up := opstatus.Transition{Event: opstatus.Exit, Success: true, Recovered: true}
	trap := opstatus.Transition{Event: opstatus.Trap, Failure: true}
	for _, row := range []struct {
		name   string
		change opstatus.Transition
		edit   func(*Input)
		want   []Decision
	}{
		{"stopped", down, func(in *Input) { in.Stopped, in.Disabled = true, true }, []say{{Kind: alert.Failure, Reason: Stopped}}},
		{"disabled", trap, func(in *Input) { in.Disabled, in.DependOK = true, false }, []say{{Kind: alert.Trap, Reason: Disabled}}},
		{"disabled, recovering", up, func(in *Input) { in.Disabled = true }, []say{{Kind: alert.Up, Reason: Disabled}}},
		{"dependency", down, func(in *Input) { in.DependOK, in.Is.Ack = false, acked }, []say{{Kind: alert.Failure, Reason: DependFailed, Note: "db:mysql"}}},
		{"acknowledged", down, func(in *Input) { in.Is.Ack = acked },
			[]say{{Kind: alert.Failure, Reason: Acked, Note: "by alice at 2026-03-02 12:00:00"}}},
		{"acknowledged, unack_summary, same words", down, func(in *Input) {
			in.Is.Ack, in.Was.FailSummary, in.Is.FailSummary = acked, "a b", " ab"
			in.Service.UnackSummary = true
		}, []say{{Kind: alert.Failure, Reason: Acked, Note: "by alice at 2026-03-02 12:00:00"}}},
		{"unack_summary", down, func(in *Input) {
			in.Is.Ack, in.Was.FailSummary, in.Is.FailSummary = acked, "a", "b"
			in.Service.UnackSummary = true
		}, []say{{Kind: alert.Failure, Reason: AckEnded, Note: `summary was "a", is "b"`}, {Kind: alert.Failure, Period: "p1", Reason: NoLine}}},
		{"suspect", opstatus.Transition{Event: opstatus.Exit, Suspect: true}, func(*Input) {}, nil},
		{"blind", opstatus.Transition{Event: opstatus.Exit, Blind: true}, func(*Input) {}, nil},
		{"enabled", opstatus.Transition{Event: opstatus.Enable}, func(*Input) {}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := Input{Service: behind(t, service(t, "upalert u")), Change: row.change, Periods: make([]State, 1), DependOK: true}
			row.edit(&in)
			if d := cmp.Diff(row.want, Decide(in, noon).Decisions); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// A service that a reload gave more or fewer periods than it had.
func TestPeriodsAreMadeToFit(t *testing.T) {
	in := Input{Service: service(t, pair, pair), Change: opstatus.Transition{Event: opstatus.Exit, Success: true}}
	if out := Decide(in, noon); len(out.Periods) != 2 {
		t.Errorf("%d states for 2 periods", len(out.Periods))
	}
}

func TestReasons(t *testing.T) {
	words := map[string]bool{}
	for i, e := range Reasons() {
		if e.Reason != Reason(i+1) || e.Word == "" || e.Text == "" || e.Word != e.Reason.String() || words[e.Word] {
			t.Errorf("reason %d is %+v", i+1, e)
		}
		words[e.Word] = true
	}
	if got := Reason(200).String(); got != NoReason.String() {
		t.Errorf("an unknown reason is %q", got)
	}
}

func steady(t testing.TB) Input {
	s := service(t, pair+"numalerts 3; alertevery 1h", pair+"startupalert s; alertafter 3")
	is := opstatus.State{Status: opstatus.OK}
	return Input{Service: s, Was: is, Is: is, Periods: make([]State, 2), DependOK: true,
		Change: opstatus.Transition{Event: opstatus.Exit, From: opstatus.OK, To: opstatus.OK, Success: true}}
}

func TestSteadySuccessAllocatesNothing(t *testing.T) {
	in := steady(t)
	if n := testing.AllocsPerRun(100, func() { Decide(in, noon) }); n != 0 {
		t.Errorf("%v allocations a success, want none", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	good := steady(b)
	bad := good
	bad.Change = opstatus.Transition{Event: opstatus.Exit, From: opstatus.Fail, To: opstatus.Fail, Failure: true}
	bad.Periods = []State{{Sent: 1, LastAlert: noon}, {Sent: 3}}
	strict := good
	strict.Service = service(b, "alert a; alertevery 1h strict")
	strict.Periods = []State{{LastAlert: noon}}
	for name, in := range map[string]Input{"success": good, "failure": bad, "strict": strict} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Decide(in, noon)
			}
		})
	}
}
