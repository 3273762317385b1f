package virtual

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/opstatus"
)

// What keepalived and ldirectord do is written down here in a few lines each,
// from their manuals and from what was seen of them (not from their code), and
// compared with Decide over random histories of good and failing reals.

// real is a real server of a peer.
type real struct {
	weight int
	good   bool
}

// absent is what a table has of a real that is not there, instead of a weight.
const absent = -1

// keepalived is a virtual_server block.
type keepalived struct {
	quorum, hysteresis int
	inhibit, sorry     bool // inhibit_on_failure, sorry_server
	up                 bool // quorum state
	reals              []real
}

// table says what keepalived has in the table once its checkers have told it
// what is good: quorum is gained at quorum + hysteresis and lost below quorum
// - hysteresis, or with nothing left. While it is lost the sorry server, if
// there is one, takes the place of the reals. A real goes out by removal, or
// by weight 0 with inhibit_on_failure.
func (k *keepalived) table() (rows []int, sorry bool) {
	sum := 0
	for _, r := range k.reals {
		if r.good {
			sum += r.weight
		}
	}
	switch {
	case !k.up && sum >= k.quorum+k.hysteresis:
		k.up = true
	case k.up && (sum == 0 || sum < k.quorum-k.hysteresis):
		k.up = false
	}
	out := absent
	if k.inhibit {
		out = 0
	}
	for _, r := range k.reals {
		if r.good && (k.up || !k.sorry) {
			rows = append(rows, r.weight)
		} else {
			rows = append(rows, out)
		}
	}
	return rows, k.sorry && !k.up
}

// ldirectord is a virtual section.
type ldirectord struct {
	quiescent, fallback bool
	reals               []real
}

// table says what ldirectord has in the table: reals that are up with their
// weight, those that are down with weight 0 if quiescent, and the fallback
// while none is up.
func (l *ldirectord) table() (rows []int, fallback bool) {
	up := false
	for _, r := range l.reals {
		switch {
		case r.good:
			rows, up = append(rows, r.weight), true
		case l.quiescent:
			rows = append(rows, 0)
		default:
			rows = append(rows, absent)
		}
	}
	return rows, l.fallback && !up
}

// drawReals makes reals with weights, and the pool of them.
func drawReals(t *rapid.T, fallback bool, out OnFail) ([]real, *Pool) {
	var reals []real
	p := &Pool{Start: Optimistic}
	for i := range rapid.IntRange(1, 5).Draw(t, "reals") {
		r := real{weight: rapid.IntRange(1, 12).Draw(t, "weight"), good: true}
		reals = append(reals, r)
		p.Members = append(p.Members, Member{Name: "r" + strconv.Itoa(i), Weight: r.weight, Checks: []string{"x"}, OnFail: out})
	}
	if fallback {
		p.Members = append(p.Members, Member{Name: "sorry", Tier: Fallback, Weight: 1})
	}
	return reals, p
}

// follow turns some reals, all good at first, and compares what table says
// with the pool.
func follow(t *rapid.T, p *Pool, reals []real, table func() ([]int, bool)) {
	var st State
	for event := range rapid.IntRange(1, 30).Draw(t, "events") {
		if event > 0 {
			i := rapid.IntRange(0, len(reals)-1).Draw(t, "real")
			reals[i].good = rapid.Bool().Draw(t, "good")
		}
		st = Decide(p, st, inputOf(reals, len(p.Members)), t0).State
		want, fallback := table()
		var got []int
		for i := range reals {
			got = append(got, rowOf(&st.Members[i].Desired))
		}
		if !slices.Equal(want, got) {
			t.Fatalf("reals %v: the peer has %v, the pool %v", reals, want, got)
		}
		if n := len(reals); n < len(st.Members) && st.Members[n].In != fallback {
			t.Fatalf("reals %v: the peer's fallback is in: %t, the pool's: %v", reals, fallback, st.Members[n].Desired)
		}
	}
}

func inputOf(reals []real, members int) Input {
	in := Input{Members: make([]Seen, members)}
	for i, r := range reals {
		in.Members[i].Checks = []Verdict{{Status: opstatus.Fail}}
		if r.good {
			in.Members[i].Checks[0].Status = opstatus.OK
		}
	}
	return in
}

func rowOf(d *Desired) int {
	if !d.In {
		return absent
	}
	return d.Weight
}

func TestAsKeepalived(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := keepalived{sorry: rapid.Bool().Draw(t, "sorry"), inhibit: rapid.Bool().Draw(t, "inhibit")}
		k.quorum = rapid.IntRange(1, 30).Draw(t, "quorum")
		k.hysteresis = rapid.IntRange(0, k.quorum-1).Draw(t, "hysteresis")
		onFail, drain := Remove, Drain{}
		if k.inhibit {
			onFail, drain = Quiesce, Drain{Deadline: Forever}
		}
		var p *Pool
		k.reals, p = drawReals(t, k.sorry, onFail)
		p.Quorum, p.Drain = GateOf(k.quorum, ByWeight, k.hysteresis), drain
		if k.sorry && k.inhibit {
			return // its sorry server goes by a drain here, at once there
		}
		follow(t, p, k.reals, k.table)
	})
}

func TestAsLdirectord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := ldirectord{quiescent: rapid.Bool().Draw(t, "quiescent"), fallback: rapid.Bool().Draw(t, "fallback")}
		onFail := Remove
		if l.quiescent {
			onFail = Quiesce
		}
		var p *Pool
		l.reals, p = drawReals(t, l.fallback, onFail)
		follow(t, p, l.reals, l.table)
	})
}

// The same by hand, as their manuals put it.
func TestPeersByHand(t *testing.T) {
	play(t, []row{
		{"keepalived: quorum 12, hysteresis 2, sorry_server", pool("a*10 b*5 c*5 sorry@f*1", quorum(GateOf(12, ByWeight, 2))),
			// 20 is above 14; 10 is not below 10; 5 is; 10 is not yet 14; 15 is.
			"*:ok; b:fail c:fail; a:fail b:ok; b:fail a:ok; b:ok",
			"a=10 b=5 c=5 sorry=-; a=10 b=- c=- sorry=-; a=- b=- c=- sorry=1; a=- b=- c=- sorry=1; a=10 b=5 c=- sorry=-", "", opstatus.OK},
		{"keepalived: no sorry_server, the pool stays as it is", pool("a*10 b*5", quorum(GateOf(12, ByWeight, 0))), "*:ok; b:fail", "a=10 b=5; a=10 b=-", "", opstatus.Fail},
		{"keepalived: alpha with a sorry_server", pool("a b sorry@f*1", start(Pessimistic)), "+1s; a:ok", "a=- b=- sorry=1; a=10 b=- sorry=-", "", opstatus.OK},
		{"keepalived: inhibit_on_failure", pool("a b", onFail(Quiesce)), "*:ok; a:fail; a:ok", "a=10 b=10; a=q b=10; a=10 b=10", "", opstatus.OK},
		{"keepalived: misc_dynamic, exit status 2 to 255 is weight + 2", pool("a b", asks(Limits{Max: 2600})), "*:ok a:ask=253; a:ask=0", "a=253 b=10; a=0 b=10", "", 0},
		{"ldirectord: fallback at weight 1", pool("a b f@f*1"), "*:ok; a:fail b:fail; b:ok", "a=10 b=10 f=-; a=- b=- f=1; a=- b=10 f=-", "", opstatus.OK},
		{"ldirectord: quiescent, fallback beside quiet reals", pool("a b f@f*1", onFail(Quiesce)), "*:ok; a:fail b:fail; b:ok", "a=10 b=10 f=-; a=q b=q f=1; a=q b=10 f=-", "", opstatus.OK},
		{"ldirectord: maintenancedir", pool("a b"), "*:ok; a:maint; a:free", "a=10 b=10; a=- b=10; a=10 b=10", "", opstatus.OK},
		{"ldirectord: maintenancedir with quiescent is a weight by order", pool("a b"), "*:ok; a:weight=0", "a=10 b=10; a=0 b=10", "a=weight_by_order", opstatus.OK},
		{"lvsd: sorry_server at weight 1", pool("a sorry@f*1"), "*:ok; a:fail", "a=10 sorry=-; a=- sorry=1", "", opstatus.Fail},
	})
}

func TestGateOf(t *testing.T) {
	var got []string
	for _, g := range []Gate{GateOf(12, ByWeight, 2), GateOf(1, ByCount, 0), GateOf(2, ByCount, 5), GateOf(50, ByPercent, 10)} {
		got = append(got, g.Up.String()+"/"+g.Down.String())
	}
	if want := "weight 14/weight 10 1 member/1 member 7 members/1 member 60%/40%"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
