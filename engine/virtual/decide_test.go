package virtual

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/opstatus"
)

type row struct {
	name string
	pool *Pool
	// script is played, and want is what it gives after each step.
	script, want string
	// reasons are those at the end, such as "a=Failed".
	reasons string
	status  opstatus.Status
}

func (c row) run(t *testing.T) {
	if err := c.pool.Validate(); err != nil {
		t.Fatal(err)
	}
	w := newWorld(c.pool)
	got := w.play(t, c.script)
	var want []string
	for s := range strings.SplitSeq(c.want, ";") {
		want = append(want, strings.TrimSpace(s))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s%s", d, strings.Join(w.told, "\n"))
	}
	for word := range strings.FieldsSeq(c.reasons) {
		name, reason, _ := strings.Cut(word, "=")
		if got := strings.ReplaceAll(w.reason(name).String(), " ", "_"); got != reason {
			t.Errorf("%s is so because: %s, want %s", name, got, reason)
		}
	}
	if c.status != opstatus.Untested && c.status != w.out.Status {
		t.Errorf("the pool is %s, want %s: %s", w.out.Status, c.status, w.out.Summary())
	}
}

func play(t *testing.T, rows []row) {
	for _, c := range rows {
		t.Run(c.name, c.run)
	}
}

// settings of pools
func start(s Start) func(*Pool)        { return func(p *Pool) { p.Start = s } }
func quorum(g Gate) func(*Pool)        { return func(p *Pool) { p.Quorum = g } }
func eject(n int, by Unit) func(*Pool) { return func(p *Pool) { p.Eject = Amount{n, by} } }
func panics(n int, by Unit) func(*Pool) {
	return func(p *Pool) { p.Panic = Gate{Down: Amount{n, by}} }
}
func drains(d Drain) func(*Pool)          { return func(p *Pool) { p.Drain = d } }
func ramps(r Ramp) func(*Pool)            { return func(p *Pool) { p.Ramp = r } }
func returns(d time.Duration) func(*Pool) { return func(p *Pool) { p.Return = d } }
func asks(l Limits) func(*Pool)           { return func(p *Pool) { p.Asks = l } }
func onFail(a OnFail) func(*Pool) {
	return func(p *Pool) {
		for i := range p.Members {
			p.Members[i].OnFail = a
		}
	}
}
func need(k int) func(*Pool) {
	return func(p *Pool) {
		for i := range p.Members {
			p.Members[i].Need = min(k, len(p.Members[i].Checks))
		}
	}
}

func TestChecks(t *testing.T) {
	play(t, []row{
		{"good and failing", pool("a b"), "*:ok; b:fail; b:ok", "a=10 b=10; a=10 b=-; a=10 b=10", "a=checks_good b=checks_good", opstatus.OK},
		{"a timeout is a failure", pool("a b"), "*:ok; b:timeout", "a=10 b=10; a=10 b=-", "b=checks_fail", opstatus.OK},
		{"all of two", pool("a2"), "*:ok,ok; a2:ok,fail; a2:fail,ok; a2:ok,ok", "a2=10; a2=-; a2=-; a2=10", "", opstatus.OK},
		{"any of two", pool("a2", need(1)), "*:ok,ok; a2:ok,fail; a2:fail,ok; a2:fail,fail", "a2=10; a2=10; a2=10; a2=-", "", opstatus.Fail},
		{"any of two, one untested", pool("a2", need(1), start(Pessimistic)), "a2:untested,fail; a2:ok,fail", "a2=-; a2=10", "", 0},
		{"all of two, one untested", pool("a2", start(Pessimistic)), "a2:untested,ok; a2:untested,fail; a2:ok,ok", "a2=-; a2=-; a2=10", "", 0},
		{"untested again stays as it was", pool("a b"), "*:ok; a:fail; *:untested", "a=10 b=10; a=- b=10; a=- b=10", "a=held,_checks_are_blind b=held,_checks_are_blind", 0},
		{"a failed dependency says nothing", pool("a b"), "*:ok; b:fail; *:dependency", "a=10 b=10; a=10 b=-; a=10 b=-", "a=held,_checks_are_blind", 0},
		{"blind stays as it was", pool("a b"), "*:ok; b:fail; *:blind", "a=10 b=10; a=10 b=-; a=10 b=-", "a=held,_checks_are_blind b=held,_checks_are_blind", 0},
		{"blind in one check, failing in the other", pool("a2"), "*:ok,ok; a2:blind,fail; a2:blind,ok", "a2=10; a2=-; a2=10", "a2=held,_checks_are_blind", 0},
		{"a blind check does not matter where others suffice", pool("a2", need(1)), "*:ok,ok; a2:blind,ok", "a2=10; a2=10", "a2=checks_good", 0},
		{"no checks", pool("a", func(p *Pool) { p.Members[0].Checks = nil }), "+1s", "a=10", "a=unchecked", opstatus.OK},
		{"warn, without a setting", pool("a"), "a:warn", "a=10", "a=checks_warn", opstatus.OK},
		{"warn carries less", pool("a b", func(p *Pool) { p.Warn = 25 }), "*:ok; a:warn; a:ok", "a=10 b=10; a=3 b=10; a=10 b=10", "", 0},
		{"any of two, one warns", pool("a2", need(1), func(p *Pool) { p.Warn = 25 }), "a2:warn,ok; a2:warn,fail", "a2=10; a2=3", "", 0},
		{"weight 0 is a weight", pool("a*0 b"), "*:ok", "a=0 b=10", "a=checks_good", opstatus.OK},
	})
}

func TestOnFail(t *testing.T) {
	play(t, []row{
		{"quiesce", pool("a b", onFail(Quiesce)), "*:ok; a:fail; +1h; a:ok", "a=10 b=10; a=q b=10; a=q b=10; a=10 b=10", "", 0},
		{"quiesce adds nobody", pool("a b", onFail(Quiesce), start(Pessimistic)), "a:fail b:ok", "a=- b=10", "", 0},
		{"ignore", pool("a b", onFail(Ignore)), "*:ok; *:fail", "a=10 b=10; a=10 b=10", "a=failure_ignored", opstatus.OK},
		{"drain, until the deadline", pool("a b", onFail(Leave), drains(Drain{Deadline: time.Minute})), "*:ok; a:fail; +59s; +1s",
			"a=10 b=10; a=d b=10; a=d b=10; a=- b=10", "a=checks_fail", 0},
		{"drain, and back before it ended", pool("a b", onFail(Leave), drains(Drain{Deadline: time.Minute})), "*:ok; a:fail; +59s; a:ok; +1m",
			"a=10 b=10; a=d b=10; a=d b=10; a=10 b=10; a=10 b=10", "a=checks_good", 0},
		{"the same with a ramp", pool("a b", onFail(Leave), drains(Drain{Deadline: time.Minute}), ramps(Ramp{Over: 10 * time.Second, Steps: 1})), "*:ok; a:fail; +59s; a:ok; +10s",
			"a=10 b=10; a=d b=10; a=d b=10; a=5r b=10; a=10 b=10", "a=checks_good", 0},
	})
}

func TestStart(t *testing.T) {
	play(t, []row{
		{"adopt keeps what is there", pool("a b c", start(Adopt)), "a:table=7 b:table=- c:table=0; a:fail b:ok c:ok", "a=7? b=-? c=q?; a=- b=10 c=10", "", opstatus.OK},
		{"adopt follows the table", pool("a", start(Adopt)), "a:table=7; a:table=3; a:table=-", "a=7?; a=3?; a=-?", "a=adopted", 0},
		{"adopt without a table", pool("a", start(Adopt)), "+1s; a:ok", "a=-?; a=10", "", 0},
		{"adopted and good needs no ramp", pool("a b", start(Adopt), ramps(Ramp{Over: time.Minute})), "*:table=10; *:ok", "a=10? b=10?; a=10 b=10", "", 0},
		{"adopt: an order has the last word", pool("a b", start(Adopt)), "*:table=10 a:maint", "a=- b=10?", "a=maintenance", 0},
		{"pessimistic", pool("a b", start(Pessimistic)), "*:table=10; a:ok; b:fail", "a=- b=-; a=10 b=-; a=10 b=-", "b=checks_fail", 0},
		{"optimistic", pool("a b"), "+1s; a:fail; b:ok", "a=10 b=10; a=- b=10; a=- b=10", "", 0},
		{"first successes need no ramp", pool("a b", start(Pessimistic), ramps(Ramp{Over: time.Minute})), "+1s; a:ok; b:ok", "a=- b=-; a=10 b=-; a=10 b=10", "", 0},
		{"adopt: no fallback for want of verdicts", pool("a f@f", start(Adopt)), "a:table=- f:table=-; a:ok", "a=-? f=-; a=10 f=-", "", opstatus.OK},
		{"adopt: the fallback that serves serves on", pool("a f@f", start(Adopt)), "a:table=- f:table=10; f:ok; a:ok", "a=-? f=10; a=-? f=10; a=10 f=-", "", opstatus.OK},
		{"pessimistic: the fallback meanwhile", pool("a f@f", start(Pessimistic)), "+1s; a:ok", "a=- f=10; a=10 f=-", "", opstatus.OK},
		{"a fallback is trusted until it fails", pool("a f@f"), "a:fail; f:fail; f:ok", "a=- f=10; a=- f=-; a=- f=10", "", opstatus.Fail},
		{"after an unclean stop the table holds", pool("a b c", start(Pessimistic)), "*:ok; b:fail; crash *:untested a:table=4 b:table=4 c:table=-; *:ok b:fail",
			"a=10 b=10 c=10; a=10 b=- c=10; a=4? b=4? c=-?; a=10 b=- c=10", "", 0},
	})
}

// A drain or ramp goes on after a crash, once its member is judged.
func TestCrashOnTheWay(t *testing.T) {
	play(t, []row{
		{"drain", pool("a b", onFail(Leave), drains(Drain{Deadline: time.Minute})), "*:ok; a:fail; +30s crash *:untested a:table=0 b:table=10; a:fail b:ok; +29s; +1s",
			"a=10 b=10; a=d b=10; a=d? b=10?; a=d b=10; a=d b=10; a=- b=10", "", 0},
		{"ramp", pool("a b", ramps(Ramp{Over: 40 * time.Second, Steps: 4})), "*:ok; a:fail; a:ok; +10s crash *:untested a:table=4 b:table=10; *:ok; +10s",
			"a=10 b=10; a=- b=10; a=2r b=10; a=4r? b=10?; a=4r b=10; a=6r b=10", "", 0},
		{"maintenance", pool("a b"), "*:ok; a:maint; crash *:untested *:table=10", "a=10 b=10; a=- b=10; a=- b=10?", "", 0},
	})
}

func TestOrders(t *testing.T) {
	minute := drains(Drain{Deadline: time.Minute})
	play(t, []row{
		{"maintenance is out at once", pool("a b", minute), "*:ok; a:maint; a:ok; a:free", "a=10 b=10; a=- b=10; a=- b=10; a=10 b=10", "", opstatus.OK},
		{"maintenance of one that would be quiet", pool("a b", onFail(Quiesce), panics(50, ByPercent)), "*:ok; a:maint b:fail; a:free", "a=10 b=10; a=q b=10; a=10 b=q", "", 0},
		{"whatever fails", pool("a b", onFail(Ignore), panics(50, ByPercent)), "*:ok; a:maint b:fail", "a=10 b=10; a=- b=10", "", 0},
		{"drain by order", pool("a b", minute), "*:ok; a:drain; +59s; +1s; a:free", "a=10 b=10; a=d b=10; a=d b=10; a=- b=10; a=10 b=10", "", 0},
		{"with its own deadline", pool("a b", minute), "*:ok; a:drain=10s; +10s", "a=10 b=10; a=d b=10; a=- b=10", "a=drained_by_order", 0},
		{"called off in good health", pool("a b", minute, ramps(Ramp{Over: time.Minute})), "*:ok; a:drain; +30s; a:free", "a=10 b=10; a=d b=10; a=d b=10; a=10 b=10", "", 0},
		{"nobody drains who is out", pool("a b", minute), "*:ok a:fail; a:drain", "a=- b=10; a=- b=10", "a=drained_by_order", 0},
		{"nothing drains without a deadline", pool("a b"), "*:ok; a:drain", "a=10 b=10; a=- b=10", "", 0},
		{"insist", pool("a b"), "*:ok; *:fail; a:insist", "a=10 b=10; a=- b=-; a=10 b=-", "a=in_by_order", opstatus.OK},
		{"weight by order", pool("a b"), "*:ok; a:weight=3; a:fail; a:ok; a:free", "a=10 b=10; a=3 b=10; a=- b=10; a=3 b=10; a=10 b=10", "", 0},
		{"weight by order is bounded", pool("a b"), "*:ok a:weight=70000 b:weight=-5", "a=65535 b=0", "a=weight_by_order", 0},
		{"an order does not wait for a fault to end", pool("a b"), "*:ok; fault=link; a:maint", "a=10 b=10; a=10 b=10; a=- b=10", "", opstatus.Fail},
	})
}

func TestFault(t *testing.T) {
	play(t, []row{
		{"holds everybody", pool("a b c"), "*:ok; a:fail; fault=link; *:fail; a:ok; fault=; *:ok",
			"a=10 b=10 c=10; a=- b=10 c=10; a=- b=10 c=10; a=- b=10 c=10; a=- b=10 c=10; a=10 b=- c=-; a=10 b=10 c=10", "", opstatus.OK},
		{"says so", pool("a b"), "*:ok; fault=link b:fail", "a=10 b=10; a=10 b=10", "a=checks_good b=held_by_a_local_fault", opstatus.Fail},
		{"holds what checks ask for", pool("a b"), "*:ok a:ask=4; fault=link a:ask=9; fault=", "a=4 b=10; a=4 b=10; a=9 b=10", "", 0},
		{"drains go on", pool("a b", onFail(Leave), drains(Drain{Deadline: time.Minute})), "*:ok; a:fail; fault=link; +1m", "a=10 b=10; a=d b=10; a=d b=10; a=- b=10", "", 0},
		{"needs no check for what has none", pool("a", func(p *Pool) { p.Members[0].Checks = nil; p.Start = Pessimistic }), "fault=link", "a=10", "a=unchecked", opstatus.Fail},
	})
}

func TestDrain(t *testing.T) {
	plain := drains(Drain{Deadline: 10 * time.Minute})
	idle := drains(Drain{Deadline: Forever, Idle: 5 * time.Second})
	sticky := drains(Drain{Deadline: time.Minute, Persistence: 6 * time.Minute})
	udp := drains(Drain{Deadline: 10 * time.Minute, UDP: 5 * time.Minute})
	play(t, []row{
		{"until idle", pool("a b", idle), "*:ok *:conns=3; a:drain; +1h; a:conns=0; +4s; +1s", "a=10 b=10; a=d b=10; a=d b=10; a=d b=10; a=d b=10; a=- b=10", "", 0},
		{"idle all the time", pool("a b", idle), "*:ok *:conns=3; a:drain; a:conns=0; +4s; a:conns=1; +1s; a:conns=0; +5s",
			"a=10 b=10; a=d b=10; a=d b=10; a=d b=10; a=d b=10; a=d b=10; a=d b=10; a=- b=10", "", 0},
		{"a second at least", pool("a b", plain), "*:ok *:conns=0; a:drain; +999ms; +1ms", "a=10 b=10; a=d b=10; a=d b=10; a=- b=10", "", 0},
		{"inactive ones do not matter for TCP", pool("a b", plain), "*:ok; a:drain a:conns=0/4/0; +1s", "a=10 b=10; a=d b=10; a=- b=10", "", 0},
		{"but for UDP", pool("a b", udp), "*:ok; a:drain a:conns=0/4/0; +5m; a:conns=0/0/0; +1s", "a=10 b=10; a=d b=10; a=d b=10; a=d b=10; a=- b=10", "", 0},
		{"flows not counted: the timeout of UDP", pool("a b", udp), "*:ok; a:drain a:conns=0/-1/0; +299s; +1s", "a=10 b=10; a=d b=10; a=d b=10; a=- b=10", "", 0},
		{"templates hold", pool("a b", sticky), "*:ok; a:drain a:conns=0/0/1; +5m; a:conns=0/0/0; +1s", "a=10 b=10; a=d b=10; a=d b=10; a=d b=10; a=- b=10", "", 0},
		{"templates not counted: idle for the persistence", pool("a b", sticky, drains(Drain{Deadline: Forever, Persistence: 6 * time.Minute})),
			"*:ok; a:drain a:conns=0/0/-1; +359s; +1s", "a=10 b=10; a=d b=10; a=d b=10; a=- b=10", "", 0},
		{"no deadline before the persistence is over", pool("a b", sticky), "*:ok; a:drain; +359s; +1s", "a=10 b=10; a=d b=10; a=d b=10; a=- b=10", "", 0},
		{"counts unknown: the deadline", pool("a b", plain), "*:ok; a:drain; +599s; +1s", "a=10 b=10; a=d b=10; a=d b=10; a=- b=10", "", 0},
		{"a standby director sees no connections", pool("a b", plain), "standby=1 *:ok *:conns=0; a:drain; +599s; +1s", "a=10 b=10; a=d b=10; a=d b=10; a=- b=10", "", 0},
		{"clock set back: the whole time again", pool("a b", plain), "*:ok; a:drain; +599s; -1h; +599s; +1s", "a=10 b=10; a=d b=10; a=d b=10; a=d b=10; a=d b=10; a=- b=10", "", 0},
		{"not configured any more", pool("a b", plain), "*:ok; b:gone; b:conns=0; +1s; b:table=10; b:table=-", "a=10 b=10; a=10 b=d; a=10 b=d; a=10 b=-; a=10 b=-; a=10", "", opstatus.OK},
		{"it is remembered until the table is known", pool("a b"), "*:ok; b:gone; +1h; b:table=-", "a=10 b=10; a=10 b=-; a=10 b=-; a=10", "", 0},
		{"removed by hand meanwhile", pool("a b", plain), "*:ok; b:gone; b:table=-", "a=10 b=10; a=10 b=d; a=10", "", 0},
	})
}

func TestConfiguredAgain(t *testing.T) {
	p := pool("a b", drains(Drain{Deadline: time.Minute}), ramps(Ramp{Over: time.Minute}))
	w := newWorld(p)
	w.play(t, "*:ok; b:gone; +10s")
	if got := w.String(); got != "a=10 b=d" {
		t.Fatal(got)
	}
	back := newWorld(p)
	back.st, back.now = w.st, w.now
	if got := back.play(t, "*:ok"); got[0] != "a=10 b=10" {
		t.Errorf("configured again: %s", got)
	}
}

func TestRamp(t *testing.T) {
	nanny := ramps(Ramp{Over: 100 * time.Second, Steps: 5, Shape: Doubling})
	linear := ramps(Ramp{Over: 40 * time.Second, Steps: 4})
	play(t, []row{
		{"doubling, as nanny", pool("a*32 b*32", nanny), "*:ok; a:fail; a:ok; +20s; +20s; +20s; +20s; +20s; +1h",
			"a=32 b=32; a=- b=32; a=1r b=32; a=2r b=32; a=4r b=32; a=8r b=32; a=16r b=32; a=32 b=32; a=32 b=32", "a=checks_good", 0},
		{"1 at least", pool("a*5 b", nanny), "*:ok; a:fail; a:ok; +60s; +20s; +20s", "a=5 b=10; a=- b=10; a=1r b=10; a=1r b=10; a=2r b=10; a=5 b=10", "", 0},
		{"linear", pool("a b", linear), "*:ok; a:fail; a:ok; +10s; +10s; +10s; +10s", "a=10 b=10; a=- b=10; a=2r b=10; a=4r b=10; a=6r b=10; a=8r b=10; a=10 b=10", "", 0},
		{"fails on its way", pool("a b", linear), "*:ok; a:fail; a:ok; +10s; a:fail; a:ok", "a=10 b=10; a=- b=10; a=2r b=10; a=4r b=10; a=- b=10; a=2r b=10", "a=ramping", 0},
		{"nobody else carries the load", pool("a b", linear), "*:ok; *:fail; a:ok; b:ok; +40s", "a=10 b=10; a=- b=-; a=10 b=-; a=10 b=2r; a=10 b=10", "", 0},
		{"somebody with weight 0 carries nothing", pool("a*0 b", linear), "*:ok; b:fail; b:ok", "a=0 b=10; a=0 b=-; a=0 b=10", "", 0},
		{"quiet and failing is cold too", pool("a b", linear, onFail(Quiesce)), "*:ok; a:fail; a:ok", "a=10 b=10; a=q b=10; a=2r b=10", "", 0},
		{"after maintenance", pool("a b", linear), "*:ok; a:maint; a:free", "a=10 b=10; a=- b=10; a=2r b=10", "", 0},
		{"an order's weight is no ramp's", pool("a b", linear), "*:ok; a:fail; a:ok; a:weight=9", "a=10 b=10; a=- b=10; a=2r b=10; a=9r b=10", "a=weight_by_order", 0},
		{"clock set back: the whole time again", pool("a b", linear), "*:ok; a:fail; a:ok; +30s; -1h; +10s", "a=10 b=10; a=- b=10; a=2r b=10; a=8r b=10; a=2r b=10; a=4r b=10", "", 0},
		{"weight 0 ramps to 0", pool("a*0 b", linear), "*:ok; a:fail; a:ok", "a=0 b=10; a=- b=10; a=0r b=10", "", 0},
	})
}

func TestNewMemberRamps(t *testing.T) {
	w := newWorld(pool("a"))
	w.play(t, "*:ok")
	w.p = pool("a b", ramps(Ramp{Over: time.Minute, Steps: 4}))
	w.in.Members = append(w.in.Members, Seen{Checks: make([]Verdict, 1)})
	if got := w.play(t, "b:ok"); got[0] != "a=10 b=2r" {
		t.Errorf("a member added to a pool: %s", got)
	}
}
