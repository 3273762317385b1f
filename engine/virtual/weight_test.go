package virtual

import (
	"strconv"
	"testing"
	"time"
)

func TestAsks(t *testing.T) {
	slow := asks(Limits{Step: 20, Every: 10 * time.Second})
	play(t, []row{
		{"a weight", pool("a b"), "*:ok; a:ask=4; a:ask=0; a:mute", "a=10 b=10; a=4 b=10; a=0 b=10; a=10 b=10", "", 0},
		{"not more than configured", pool("a b"), "*:ok a:ask=400", "a=10 b=10", "a=checks_good", 0},
		{"or than said", pool("a b", asks(Limits{Max: 300})), "*:ok a:ask=400", "a=30 b=10", "a=weight_by_check", 0},
		{"not less than said", pool("a b", asks(Limits{Min: 20})), "*:ok a:ask=0", "a=2 b=10", "", 0},
		{"percent", pool("a b"), "*:ok a:percent=35", "a=4 b=10", "", 0},
		{"a difference", pool("a b", asks(Limits{Max: 1000})), "*:ok a:delta=-3; a:delta=5; a:delta=-50", "a=7 b=10; a=15 b=10; a=0 b=10", "", 0},
		{"held while blind", pool("a b"), "*:ok a:ask=4; a:hold; a:mute", "a=4 b=10; a=4 b=10; a=10 b=10", "", 0},
		{"a check begins to speak: from what it has", pool("a b", slow), "*:ok; a:ask=5; +10s; a:mute", "a=10 b=10; a=8 b=10; a=6 b=10; a=10 b=10", "", 0},
		{"step by step", pool("a b", slow), "*:ok a:ask=10; a:ask=5; +10s; +10s; +1h", "a=10 b=10; a=8 b=10; a=6 b=10; a=5 b=10; a=5 b=10", "a=weight_by_check", 0},
		{"it says so", pool("a b", slow), "*:ok a:ask=10; a:ask=5", "a=10 b=10; a=8 b=10", "a=weight_by_check,_limited", 0},
		{"not too often", pool("a b", asks(Limits{Every: 10 * time.Second})), "*:ok a:ask=5; a:ask=6; a:ask=7; +10s; a:ask=8; +10s", "a=5 b=10; a=6 b=10; a=6 b=10; a=7 b=10; a=7 b=10; a=8 b=10", "", 0},
		{"out and back: at once", pool("a b", slow), "*:ok a:ask=10; a:fail; a:ask=2; a:ok", "a=10 b=10; a=- b=10; a=- b=10; a=2 b=10", "", 0},
		{"small changes do not count", pool("a b", asks(Limits{Ignore: 30})), "*:ok a:ask=8; a:ask=6; a:ask=5; a:ask=0; a:ask=1", "a=8 b=10; a=8 b=10; a=5 b=10; a=0 b=10; a=1 b=10", "", 0},
		{"with a ramp", pool("a*100 b", ramps(Ramp{Over: 40 * time.Second, Steps: 4})), "*:ok a:ask=50; a:fail; a:ok; +10s", "a=50 b=10; a=- b=10; a=10r b=10; a=20r b=10", "a=ramping", 0},
		{"clock set back: it may wait as long again", pool("a b", slow), "*:ok a:ask=10; a:ask=5; -1h; +9s; +1s", "a=10 b=10; a=8 b=10; a=8 b=10; a=8 b=10; a=6 b=10", "", 0},
	})
}

// nanny's rule, as lvs-peers says it: every 20 s by (w/2)*cbrt(1-L), not
// below w, not above 10*w, and only if it is w/4 at least.
func TestLoad(t *testing.T) {
	play(t, []row{
		{"an idle machine gets more", pool("a*100 b"), "*:ok a:load=0.5; +20s; +20s a:load=0.5; +20s a:load=0.875", "a=100 b=10; a=140 b=10; a=180 b=10; a=205 b=10", "a=weight_by_check", 0},
		{"a sample counts once", pool("a*100 b"), "*:ok a:load=0.5; +1h; a:ok", "a=100 b=10; a=140 b=10; a=140 b=10", "", 0},
		{"not sooner than 20 s", pool("a*100 b"), "*:ok +1h a:load=0.5; +5s; +5s a:load=0.5; +9s; +1s", "a=100 b=10; a=100 b=10; a=100 b=10; a=100 b=10; a=140 b=10", "", 0},
		{"a busy one less, never below its weight", pool("a*100 b"), "*:ok; +20s a:load=0; +20s a:load=0; +20s a:load=2; +20s a:load=9; +20s a:load=9",
			"a=100 b=10; a=150 b=10; a=200 b=10; a=150 b=10; a=100 b=10; a=100 b=10", "a=checks_good", 0},
		{"small changes do not count", pool("a*100 b"), "*:ok; +1h a:load=0.9", "a=100 b=10; a=100 b=10", "", 0},
		{"ten times its weight at most", pool("a*100 b", asks(Limits{Every: time.Second})), "*:ok" + repeat("; +1s a:load=0", 20), "a=100 b=10" + climb(), "", 0},
		{"not before its ramp is over", pool("a*100 b", ramps(Ramp{Over: 10 * time.Second, Steps: 1})), "*:ok; a:fail; a:ok a:load=0; +10s; +19s; +1s", "a=100 b=10; a=- b=10; a=50r b=10; a=100 b=10; a=100 b=10; a=150 b=10", "", 0},
		{"held while blind", pool("a*100 b"), "*:ok; +1h a:load=0; a:hold; +1h", "a=100 b=10; a=150 b=10; a=150 b=10; a=150 b=10", "", 0},
		{"nonsense", pool("a*100 b"), "*:ok a:load=NaN; a:load=-3; a:load=+Inf", "a=100 b=10; a=100 b=10; a=100 b=10", "", 0},
	})
}

func repeat(s string, n int) (all string) {
	for range n {
		all += s
	}
	return all
}

func climb() (all string) {
	for w := range 20 {
		all += "; a=" + strconv.Itoa(min(150+50*w, 1000)) + " b=10"
	}
	return all
}

// A reload may lower what a check was given already.
func TestLowerBound(t *testing.T) {
	w := newWorld(pool("a b", asks(Limits{Max: 300})))
	w.play(t, "*:ok a:ask=25; a:hold")
	w.p = pool("a b", asks(Limits{Max: 200}))
	if got := w.play(t, "a:hold"); got[0] != "a=20 b=10" {
		t.Errorf("the bound is lower: %s", got)
	}
}
