package virtual

import (
	"testing"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
)

func TestQuorum(t *testing.T) {
	play(t, []row{
		{"any good primary", pool("a b"), "*:ok; a:fail; b:fail; b:ok", "a=10 b=10; a=- b=10; a=- b=-; a=- b=10", "", opstatus.OK},
		{"by count", pool("a b c", quorum(Gate{Up: Amount{2, ByCount}})), "*:ok; a:fail; b:fail", "a=10 b=10 c=10; a=- b=10 c=10; a=- b=- c=10", "", opstatus.Fail},
		{"by weight", pool("a*1 b*9", quorum(Gate{Up: Amount{5, ByWeight}})), "*:ok; b:fail", "a=1 b=9; a=1 b=-", "", opstatus.Fail},
		{"by weight, the light one", pool("a*1 b*9", quorum(Gate{Up: Amount{5, ByWeight}})), "*:ok; a:fail", "a=1 b=9; a=- b=9", "", opstatus.OK},
		{"by percent", pool("a b c", quorum(Gate{Up: Amount{60, ByPercent}})), "*:ok; a:fail", "a=10 b=10 c=10; a=- b=10 c=10", "", opstatus.OK},
		{"maintenance is missing capacity", pool("a b c", quorum(Gate{Up: Amount{60, ByPercent}})), "*:ok; a:maint b:maint", "a=10 b=10 c=10; a=- b=- c=10", "", opstatus.Fail},
		{"hysteresis", pool("a b c", quorum(Gate{Up: Amount{3, ByCount}, Down: Amount{2, ByCount}})), "*:ok; a:fail", "a=10 b=10 c=10; a=- b=10 c=10", "", opstatus.OK},
		{"hysteresis, lost", pool("a b c", quorum(Gate{Up: Amount{3, ByCount}, Down: Amount{2, ByCount}})), "*:ok; a:fail; b:fail; b:ok",
			"a=10 b=10 c=10; a=- b=10 c=10; a=- b=- c=10; a=- b=10 c=10", "", opstatus.Fail},
		{"a ramp does not lessen it", pool("a b", quorum(Gate{Up: Amount{20, ByWeight}}), ramps(Ramp{Over: time.Minute})), "*:ok; a:fail; a:ok", "a=10 b=10; a=- b=10; a=1r b=10", "", opstatus.OK},
		{"what a check asks for does", pool("a b", quorum(Gate{Up: Amount{20, ByWeight}})), "*:ok; a:ask=5", "a=10 b=10; a=5 b=10", "", opstatus.Fail},
		{"weight 0 is none", pool("a*0"), "*:ok", "a=0", "", opstatus.Fail},
	})
	w := newWorld(pool("a b c", start(Adopt), quorum(Gate{Up: Amount{2, ByCount}})))
	for _, c := range []struct {
		script string
		want   opstatus.Status
	}{
		{"*:table=10", opstatus.Untested}, {"a:ok", opstatus.Untested}, {"b:fail", opstatus.Untested}, {"c:ok", opstatus.OK}, {"c:untested", opstatus.OK},
	} {
		if w.play(t, c.script); w.out.Status != c.want {
			t.Errorf("after %s the pool is %s, want %s", c.script, w.out.Status, c.want)
		}
	}
}

func TestTiers(t *testing.T) {
	two := quorum(Gate{Up: Amount{2, ByCount}})
	minute := drains(Drain{Deadline: time.Minute})
	play(t, []row{
		{"the fallback when none is good", pool("a b f@f*1"), "*:ok; a:fail; b:fail; a:ok", "a=10 b=10 f=-; a=- b=10 f=-; a=- b=- f=1; a=10 b=- f=-", "f=stands_by", opstatus.OK},
		{"quorum lost: those left stand down", pool("a b f@f", two, minute), "*:ok; a:fail", "a=10 b=10 f=-; a=- b=d f=10", "b=stood_down f=took_over", opstatus.Fail},
		{"quorum lost and nothing else: those left serve", pool("a b", two), "*:ok; a:fail", "a=10 b=10; a=- b=10", "b=checks_good", opstatus.Fail},
		{"the fallback fails too: those left serve", pool("a b f@f", two), "*:ok; a:fail; f:fail; f:ok", "a=10 b=10 f=-; a=- b=- f=10; a=- b=10 f=-; a=- b=- f=10", "", opstatus.Fail},
		{"standbys in their order", pool("a s@1 t@2 f@f"), "*:ok; a:fail; s:fail; t:fail; t:ok; s:ok; a:ok",
			"a=10 s=- t=- f=-; a=- s=10 t=- f=-; a=- s=- t=10 f=-; a=- s=- t=- f=10; a=- s=- t=10 f=-; a=- s=10 t=- f=-; a=10 s=- t=- f=-", "s=stands_by", opstatus.OK},
		{"a standby that fails is passed over", pool("a s@1 t@2"), "*:ok s:fail; a:fail", "a=10 s=- t=-; a=- s=- t=10", "t=took_over", opstatus.Fail},
		{"the standby's quorum", pool("a s@1 t@1 f@f", func(p *Pool) { p.StandbyQuorum = Gate{Up: Amount{2, ByCount}, Down: Amount{1, ByCount}} }), "*:ok; a:fail; s:fail; t:fail; t:ok; s:ok",
			"a=10 s=- t=- f=-; a=- s=10 t=10 f=-; a=- s=- t=10 f=-; a=- s=- t=- f=10; a=- s=- t=- f=10; a=- s=10 t=10 f=-", "", opstatus.Fail},
		{"sparse tiers", pool("a s@5"), "*:ok; a:fail", "a=10 s=-; a=- s=10", "", opstatus.Fail},
		{"maintenance of all primaries", pool("a f@f"), "*:ok; a:maint; a:free", "a=10 f=-; a=- f=10; a=10 f=-", "", opstatus.OK},
		{"return waits", pool("a s@1", returns(time.Minute)), "*:ok; a:fail; a:ok; +59s; +1s", "a=10 s=-; a=- s=10; a=- s=10; a=- s=10; a=10 s=-", "", opstatus.OK},
		{"return waits anew after a failure", pool("a s@1", returns(time.Minute)), "*:ok; a:fail; a:ok; +59s a:fail; a:ok; +59s; +1s",
			"a=10 s=-; a=- s=10; a=- s=10; a=- s=10; a=- s=10; a=- s=10; a=10 s=-", "", opstatus.OK},
		{"return does not wait for a standby that fails", pool("a s@1", returns(time.Minute)), "*:ok; a:fail; a:ok; s:fail", "a=10 s=-; a=- s=10; a=- s=10; a=10 s=-", "", 0},
		{"nor for the fallback", pool("a f@f", returns(time.Minute)), "*:ok; a:fail; a:ok", "a=10 f=-; a=- f=10; a=10 f=-", "", 0},
		{"a standby drains", pool("a s@1", minute), "*:ok; a:fail; a:ok; +1m", "a=10 s=-; a=- s=10; a=10 s=d; a=10 s=-", "", 0},
		{"and takes over again while it drains", pool("a s@1", minute, ramps(Ramp{Over: 10 * time.Second, Steps: 1})), "*:ok; a:fail; a:ok; +10s; a:fail",
			"a=10 s=-; a=- s=10; a=5r s=10; a=10 s=d; a=- s=10", "", 0},
		{"a standby stays while primaries ramp", pool("a b s@1", two, ramps(Ramp{Over: 10 * time.Second, Steps: 1})), "*:ok; *:fail s:ok; a:ok b:ok; +9s; +1s",
			"a=10 b=10 s=-; a=- b=- s=10; a=5r b=5r s=10; a=5r b=5r s=10; a=10 b=10 s=-", "s=stands_by", opstatus.OK},
		{"but not if it fails", pool("a s@1", ramps(Ramp{Over: 10 * time.Second, Steps: 1})), "*:ok; a:fail; a:ok; s:fail", "a=10 s=-; a=- s=10; a=5r s=10; a=5r s=-", "s=checks_fail", 0},
		{"a standby that takes over does not ramp", pool("a s@1", ramps(Ramp{Over: 10 * time.Second, Steps: 1})), "*:ok; a:fail", "a=10 s=-; a=- s=10", "", 0},
		{"a fallback drains", pool("a f@f", minute), "*:ok; a:fail; a:ok; +1m", "a=10 f=-; a=- f=10; a=10 f=d; a=10 f=-", "", 0},
		{"but lets persistent clients go", pool("a f@f", drains(Drain{Deadline: time.Minute, Persistence: time.Minute})), "*:ok; a:fail; a:ok", "a=10 f=-; a=- f=10; a=10 f=-", "", 0},
		{"after the fallback nobody ramps", pool("a b f@f", ramps(Ramp{Over: 10 * time.Second, Steps: 1})), "*:ok; a:fail b:fail; a:ok b:ok", "a=10 b=10 f=-; a=- b=- f=10; a=10 b=10 f=-", "", 0},
	})
}

func TestEject(t *testing.T) {
	play(t, []row{
		{"so many and no more", pool("a b c d", eject(2, ByCount)), "*:ok; a:fail; +1s b:fail; +1s c:fail; +1s d:fail",
			"a=10 b=10 c=10 d=10; a=- b=10 c=10 d=10; a=- b=- c=10 d=10; a=- b=- c=10 d=10; a=- b=- c=10 d=10", "c=held_by_the_ejection_cap", opstatus.Fail},
		{"who failed first goes first", pool("a b c", eject(1, ByCount)), "*:ok; c:fail; +1s a:fail; +1s c:ok; a:ok b:fail",
			"a=10 b=10 c=10; a=10 b=10 c=-; a=10 b=10 c=-; a=- b=10 c=10; a=10 b=- c=10", "", opstatus.OK},
		{"all at once: in the order of the file", pool("a b c", eject(1, ByCount)), "*:ok; *:fail", "a=10 b=10 c=10; a=- b=10 c=10", "", opstatus.Fail},
		{"by percent, of the tier", pool("a b c d s@1", eject(50, ByPercent)), "*:ok; a:fail b:fail c:fail", "a=10 b=10 c=10 d=10 s=-; a=- b=- c=10 d=10 s=-", "", opstatus.Warn},
		{"by percent, one at least", pool("a b", eject(10, ByPercent)), "*:ok; *:fail", "a=10 b=10; a=- b=10", "", 0},
		{"maintenance does not count", pool("a b c", eject(1, ByCount)), "*:ok; a:maint; b:fail; c:fail", "a=10 b=10 c=10; a=- b=10 c=10; a=- b=- c=10; a=- b=- c=10", "", 0},
		{"nobody is put in who never was", pool("a b c", eject(1, ByCount), start(Pessimistic)), "a:ok; b:fail c:fail", "a=10 b=- c=-; a=10 b=- c=-", "", opstatus.OK},
		{"back from maintenance and failing", pool("a b c", eject(1, ByCount)), "*:ok; a:maint a:fail; b:fail; a:free", "a=10 b=10 c=10; a=- b=10 c=10; a=- b=- c=10; a=- b=- c=10", "", 0},
		{"goes before the fallback", pool("a b f@f", eject(1, ByCount)), "*:ok; a:fail b:fail", "a=10 b=10 f=-; a=- b=10 f=-", "", opstatus.Fail},
		{"not before a standby", pool("a b s@1", eject(1, ByCount)), "*:ok; a:fail b:fail", "a=10 b=10 s=-; a=- b=- s=10", "", opstatus.Fail},
		{"quiesce counts", pool("a b", eject(1, ByCount), onFail(Quiesce)), "*:ok; *:fail", "a=10 b=10; a=q b=10", "", 0},
	})
	w := newWorld(pool("a b c", eject(2, ByCount)))
	w.play(t, "*:ok; a:fail; +1s b:fail")
	w.p = pool("a b c", eject(1, ByCount))
	if got := w.play(t, "c:ok"); got[0] != "a=- b=10 c=10" {
		t.Errorf("the cap was lowered: %s", got)
	}
}

func TestPanic(t *testing.T) {
	half := panics(50, ByPercent)
	play(t, []row{
		{"below the threshold all are in", pool("a b c d", half), "*:ok; a:fail; b:fail; c:fail; c:ok",
			"a=10 b=10 c=10 d=10; a=- b=10 c=10 d=10; a=- b=- c=10 d=10; a=10 b=10 c=10 d=10; a=- b=- c=10 d=10", "", opstatus.OK},
		{"it says so", pool("a b", half), "*:ok; *:fail", "a=10 b=10; a=10 b=10", "a=held_by_panic", opstatus.Fail},
		{"maintained members stay out", pool("a b c", half), "*:ok; a:maint; b:fail c:fail", "a=10 b=10 c=10; a=- b=10 c=10; a=- b=10 c=10", "a=maintenance b=held_by_panic", 0},
		{"maintenance is no reason to panic", pool("a b c d", half), "*:ok; a:maint b:maint; c:maint", "a=10 b=10 c=10 d=10; a=- b=- c=10 d=10; a=- b=- c=- d=10", "", opstatus.OK},
		{"by count", pool("a b c", panics(2, ByCount)), "*:ok; a:fail; b:fail", "a=10 b=10 c=10; a=- b=10 c=10; a=10 b=10 c=10", "", opstatus.Warn},
		{"by weight", pool("a*1 b*9", panics(5, ByWeight)), "*:ok; a:fail; a:ok b:fail", "a=1 b=9; a=- b=9; a=1 b=9", "b=held_by_panic", 0},
		{"hysteresis", pool("a b c d", func(p *Pool) { p.Panic = Gate{Down: Amount{50, ByPercent}, Up: Amount{75, ByPercent}} }), "*:ok; a:fail b:fail c:fail; c:ok; b:ok",
			"a=10 b=10 c=10 d=10; a=10 b=10 c=10 d=10; a=10 b=10 c=10 d=10; a=- b=10 c=10 d=10", "", opstatus.OK},
		{"goes before the fallback", pool("a b f@f", half), "*:ok; *:fail f:ok; a:maint; b:maint", "a=10 b=10 f=-; a=10 b=10 f=-; a=- b=10 f=-; a=- b=- f=10", "", opstatus.Fail},
		{"not before a standby", pool("a b s@1", half), "*:ok; a:fail b:fail; s:fail", "a=10 b=10 s=-; a=- b=- s=10; a=10 b=10 s=-", "", opstatus.Fail},
		{"a standby tier panics too", pool("a s@1 t@1", half, func(p *Pool) { p.StandbyQuorum = Gate{Up: Amount{2, ByCount}} }), "*:ok; a:maint; s:fail t:fail",
			"a=10 s=- t=-; a=- s=10 t=10; a=- s=10 t=10", "s=held_by_panic", opstatus.Fail},
		{"a tier that takes over panics by its own count", pool("a s@1 t@1 u@1", func(p *Pool) { p.Panic = Gate{Down: Amount{50, ByPercent}, Up: Amount{75, ByPercent}} }), "*:ok; *:fail; s:ok t:ok",
			"a=10 s=- t=- u=-; a=10 s=- t=- u=-; a=- s=10 t=10 u=-", "u=checks_fail", 0},
		{"goes before the ejection cap", pool("a b c d", half, eject(1, ByCount)), "*:ok; a:fail b:fail; c:fail", "a=10 b=10 c=10 d=10; a=- b=10 c=10 d=10; a=10 b=10 c=10 d=10", "a=held_by_panic", 0},
		{"back at the whole weight", pool("a b c", half, ramps(Ramp{Over: time.Minute})), "*:ok; a:fail; b:fail", "a=10 b=10 c=10; a=- b=10 c=10; a=10 b=10 c=10", "", 0},
		{"not for those who wait for their first verdict", pool("a b c", half, start(Pessimistic)), "a:fail b:fail", "a=10 b=10 c=-", "c=awaits_its_first_success", 0},
	})
}
