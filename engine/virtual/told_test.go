package virtual

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/opstatus"
)

func TestReasons(t *testing.T) {
	words := map[string]bool{}
	for _, e := range Reasons() {
		if e.Word == "" || !strings.HasSuffix(e.Text, ".") || words[e.Word] || e.Reason.String() != e.Word {
			t.Errorf("%d: %q: %q", e.Reason, e.Word, e.Text)
		}
		words[e.Word] = true
	}
	if reasons.String() != NoReason.String() || len(words) != int(reasons)-1 {
		t.Error("not all reasons are there")
	}
}

func TestSummary(t *testing.T) {
	two := quorum(Gate{Up: Amount{2, ByCount}})
	for _, c := range []struct {
		name   string
		pool   *Pool
		script string
		want   string
	}{
		{"all good", pool("a b"), "*:ok", "2 of 2 good, weight 20 of 20"},
		{"one fails", pool("a b c", two), "*:ok; a:fail", "2 of 3 good, weight 20 of 30, 2 members needed; failing: a"},
		{"quorum lost", pool("a b c f@f", two), "*:ok; a:fail b:maint", "quorum lost: 1 of 3 good, weight 10 of 30, 2 members needed; fallback serves; failing: a; taken out: b"},
		{"a standby serves", pool("a s@1"), "*:ok; a:fail", "quorum lost: 0 of 1 good, weight 0 of 10; standby 1 serves; failing: a"},
		{"panic", pool("a b c", panics(50, ByPercent)), "*:ok; a:fail b:fail", "1 of 3 good, weight 10 of 30; panic: all are kept in; failing: a b"},
		{"cap", pool("a b c", eject(1, ByCount)), "*:ok; a:fail b:fail", "1 of 3 good, weight 10 of 30; 1 kept in by the ejection cap; failing: a b"},
		{"local fault", pool("a b"), "*:ok; fault=link", "local fault: link; members are held; 2 of 2 good, weight 20 of 20"},
		{"many", pool("a b c d e f g h i j"), "*:ok; *:fail j:ok", "1 of 10 good, weight 10 of 100; failing: a b c d e f g h and 1 more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(c.pool)
			w.play(t, c.script)
			if got := w.out.Summary(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestChanges(t *testing.T) {
	w := newWorld(pool("a b s@1", drains(Drain{Deadline: time.Minute}), ramps(Ramp{Over: 10 * time.Second, Steps: 1}), panics(10, ByPercent)))
	w.play(t, "*:ok; a:fail; a:ok; +10s; b:drain; b:conns=0; +1s; a:fail; s:fail; fault=link; fault=; *:ok; s:drain; s:gone; s:table=-")
	want := []string{
		"quorum gained (2 of 2 good, weight 20 of 20)",
		"a: in with weight 10, was out: checks good",
		"b: in with weight 10, was out: checks good",
		"s: out, was out: stands by",
		"a: out, was in with weight 10: checks fail",
		"a: ramping with weight 5, was out: ramping",
		"a: in with weight 10, was ramping with weight 5: checks good",
		"b: draining, was in with weight 10: drained by order",
		"b: out, was draining: idle",
		"quorum lost (0 of 2 good, weight 0 of 20)",
		"tier changed (standby 1 serves instead of primary)",
		"a: out, was in with weight 10: checks fail",
		"s: in with weight 10, was out: took over",
		"tier changed (primary serves instead of standby 1)",
		"panic (1 of 1 fail)",
		"a: in with weight 10, was out: held by panic",
		"s: out, was in with weight 10: checks fail",
		"local fault (link)",
		"local fault over (link)",
		"quorum gained (1 of 2 good, weight 10 of 20)",
		"panic over (0 of 1 fail)",
		"a: in with weight 10, was in with weight 10: checks good",
		"s: out, was out: stands by",
		"s: out, was out: drained by order",
		"s: out, was out: not configured any more",
		"s: out, was out: forgotten",
	}
	if d := cmp.Diff(want, w.told); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestWhy(t *testing.T) {
	settings := []func(*Pool){drains(Drain{Deadline: time.Minute, Persistence: 6 * time.Minute, UDP: time.Second}), ramps(Ramp{Over: 40 * time.Second, Steps: 4}), returns(time.Minute)}
	for _, c := range []struct {
		name, members, script, who string
		want                       []string
	}{
		{"good", "a2 b", "*:ok", "a2", []string{"a2: in, weight 10: checks good, since 2026-03-01 12:00:00", "As many of its checks are good as must be.",
			"Checks, of which 2 must be good: x ok, y ok.", "It is of the tier primary; primary serves since 2026-03-01 12:00:00."}},
		{"draining", "a b", "*:ok; a:drain a:conns=2/3/4; +10s", "a", []string{"a: draining: drained by order, since 2026-03-01 12:00:00", OrderedDrain.Explain().Text, "Order: drain.",
			"Checks, of which 1 must be good: x ok.", "It is of the tier primary; primary serves since 2026-03-01 12:00:00.",
			"Draining since 2026-03-01 12:00:00: 2 active connections, 3 inactive, 4 persistent; the deadline is in 5m50s."}},
		{"idle on a standby", "a b", "*:ok standby=1; a:drain a:conns=0", "a", []string{"a: draining: drained by order, since 2026-03-01 12:00:00", OrderedDrain.Explain().Text, "Order: drain.",
			"Checks, of which 1 must be good: x ok.", "It is of the tier primary; primary serves since 2026-03-01 12:00:00.",
			"Draining since 2026-03-01 12:00:00: 0 active connections, 0 inactive, 0 persistent, which says nothing on a standby director; the deadline is in 6m0s."}},
		{"ramping", "a b", "*:ok; a:fail; a:ok; +15s", "a", []string{"a: ramping, weight 4: ramping, since 2026-03-01 12:00:10", Ramping.Explain().Text,
			"Checks, of which 1 must be good: x ok.", "It is of the tier primary; primary serves since 2026-03-01 12:00:00.", "Its ramp began at 2026-03-01 12:00:00; it has its whole weight in 25s."}},
		{"a fault, an order and an ask", "a b", "*:ok a:ask=4; a:weight=3; fault=link a:blind", "a", []string{"a: in, weight 3: held by a local fault, since 2026-03-01 12:00:00", HeldByFault.Explain().Text,
			"Order: weight 3.", "Local fault: link.", "Checks, of which 1 must be good: x ok (blind).", "It is of the tier primary; primary serves since 2026-03-01 12:00:00.",
			"Configured weight 10; a check asked for 4, of which it has 4."}},
		{"a better tier waits", "a s@1", "*:ok; a:fail; a:ok; +20s", "a", []string{"a: out: stood down, since 2026-03-01 12:00:00", StoodDown.Explain().Text,
			"Checks, of which 1 must be good: x ok.", "It is of the tier primary; standby 1 serves since 2026-03-01 12:00:00.", "The tier primary can serve again and takes over in 40s, if it still can."}},
		{"left over", "a b", "*:ok b:conns=1; b:gone; +1s", "b", []string{"b: draining: not configured any more, since 2026-03-01 12:00:00", NotConfigured.Explain().Text,
			"Draining since 2026-03-01 12:00:00: 1 active connections, 0 inactive, 0 persistent; the deadline is in 5m59s."}},
		{"unknown", "a", "*:ok", "z", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(pool(c.members, settings...))
			w.play(t, c.script)
			if d := cmp.Diff(c.want, Why(w.p, w.st, w.in, c.who, w.now)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Pool)
		want   string
	}{
		{"good", func(*Pool) {}, ""},
		{"name", func(p *Pool) { p.Members[0].Name = "" }, "a real without a name"},
		{"twice", func(p *Pool) { p.Members[1].Name = "a" }, "real a is there twice"},
		{"weight", func(p *Pool) { p.Members[0].Weight = 65536 }, "real a: weight 65536: a weight is a number from 0 to 65535"},
		{"need", func(p *Pool) { p.Members[0].Need = 2 }, "real a: 2 checks of 1 cannot be good"},
		{"tier", func(p *Pool) { p.Members[0].Tier = 10 }, "real a: there are 8 standby tiers at most"},
		{"on_fail", func(p *Pool) { p.Members[0].OnFail = 9 }, "real a: on_fail: say remove, quiesce, drain or ignore"},
		{"no primary", func(p *Pool) { p.Members = p.Members[2:] }, "no primary: say a real that is neither standby nor fallback"},
		{"units", func(p *Pool) { p.Quorum = Gate{Amount{2, ByCount}, Amount{5, ByPercent}} }, "quorum: 2 members and 5% cannot be compared: say both in one unit"},
		{"order", func(p *Pool) { p.Panic = Gate{Amount{2, ByCount}, Amount{3, ByCount}} }, "panic: it would be lost below 3 members and gained from 2 members on: the first must not be more"},
		{"percent", func(p *Pool) { p.Eject = Amount{101, ByPercent} }, "eject: 101% is more than there is"},
		{"eject by weight", func(p *Pool) { p.Eject = Amount{1, ByWeight} }, "eject: say a number of members or a percentage, not a weight"},
		{"negative", func(p *Pool) { p.StandbyQuorum.Up.N = -1 }, "standby quorum: -1 is less than nothing"},
		{"times", func(p *Pool) { p.Return, p.Ramp.Over = -time.Second, -1 }, "return: -1s is no time\nramp: -1ns is no time"},
		{"deadline", func(p *Pool) { p.Drain.Deadline = -2 }, "drain: -2ns is no time"},
		{"steps", func(p *Pool) { p.Ramp.Steps = 1001 }, "ramp: 1001 steps: say 1 to 1000"},
		{"bounds", func(p *Pool) { p.Asks = Limits{Min: 50, Max: 20} }, "weight_limits min 50% is above max 20%"},
		{"shares", func(p *Pool) { p.Warn, p.Asks.Ignore = 101, -1 }, "warn: 101%: say 0 to 100\nweight_limits ignore: -1%: say 0 to 100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pool("a b s@1")
			c.change(p)
			got := ""
			if err := p.Validate(); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	var words []string
	for _, w := range []interface{ String() string }{Adopt, Pessimistic, Optimistic, Start(9), Remove, Quiesce, Leave, Ignore, OnFail(9), Linear, Doubling,
		QuorumUnknown, QuorumUp, QuorumDown, Quorum(9), Out, Draining, Quiet, Rising, Serving, Phase(9), NoOrder, Maintenance, DrainOut, Insist, OrderKind(9),
		Primary, Standby(0), Standby(99), Fallback, Amount{7, ByWeight}, Amount{60, ByPercent}} {
		words = append(words, w.String())
	}
	want := "adopt pessimistic optimistic unknown remove quiesce drain ignore unknown linear doubling unknown up lost unknown " +
		"out draining quiet ramping in unknown none maintenance drain in unknown primary standby 1 standby 8 fallback weight 7 60%"
	if got := strings.Join(words, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestVerdictOf(t *testing.T) {
	blind := opstatus.State{Status: opstatus.Fail, Blind: &opstatus.Blind{}}
	if got, want := VerdictOf(&blind), (Verdict{opstatus.Fail, true}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	fresh := opstatus.New()
	if got := VerdictOf(&fresh); got != (Verdict{}) {
		t.Errorf("a service never checked: %v", got)
	}
}
