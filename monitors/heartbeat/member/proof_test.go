package member

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// A lives and cannot be heard, and B's own port is blocked, once or more, not for
// so long that its gateway counts as silent: B does not take, whenever that is.
func TestBlockedNeverTwo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		s := startPair(t, simOptions{seed: seed, make: unlike(seed)})
		a, b := s.nodes[0], s.nodes[1]
		s.fresh = time.Duration(rapid.IntRange(0, 500).Draw(t, "fresh")) * time.Millisecond
		s.proofs = time.Duration(rapid.IntRange(100, 30000).Draw(t, "proofs")) * time.Microsecond
		s.run(time.Duration(rapid.IntRange(0, 1200).Draw(t, "when")) * time.Millisecond)
		s.cut(true, 0, 1)
		for end := s.now + 6*time.Second; s.now < end; {
			s.run(time.Duration(rapid.IntRange(0, 2000).Draw(t, "gap")) * time.Millisecond)
			s.logf("the port is blocked")
			b.port = false
			s.run(time.Duration(rapid.IntRange(10, 300).Draw(t, "blocked")) * time.Millisecond)
			s.logf("the port is not blocked any more")
			b.port = true
			s.run(time.Duration(rapid.IntRange(20, 100).Draw(t, "rest")) * time.Millisecond)
		}
		a.keeps(0)
		if b.holds("") || s.watch.dual > 0 {
			s.fatalf("both served for %v", s.watch.dual)
		}
		s.cut(false, 0, 1)
		s.run(2 * time.Second)
		a.keeps(0)
	})
}

// A has lost its power, and proofs are slow: B takes over all the same.
func TestSlowProofs(t *testing.T) {
	for _, tt := range []struct{ proofs, most time.Duration }{
		{time.Millisecond, 510 * time.Millisecond},
		{30 * time.Millisecond, 510 * time.Millisecond},
		{60 * time.Millisecond, 600 * time.Millisecond},
		{200 * time.Millisecond, 1500 * time.Millisecond},
	} {
		t.Run(tt.proofs.String(), func(t *testing.T) {
			s := startPair(t, simOptions{})
			s.proofs = tt.proofs
			s.nodes[0].powerOff()
			s.nodes[1].expect(3 * time.Second)
			s.run(time.Second)
			if s.watch.none > tt.most {
				s.fatalf("nobody served for %v, %v are allowed", s.watch.none, tt.most)
			}
		})
	}
}

// What nothing proves does not count, says so before long, and does not count later
// either.
func TestUnproven(t *testing.T) {
	o := standby(t, nil)
	o.answer, o.blocked = Nobody, "eth0"
	o.silent(dead + 10*time.Millisecond)
	if g := o.group(); g.reason != Isolated || !strings.HasSuffix(g.text, ", but this node may be cut off: nobody answers on eth0") {
		t.Errorf("%s %q", g.reason, g.text)
	}
	o.pass(10 * time.Second)
	if g := o.group(); g.claim != wire.Idle || g.probe.free != 0 || g.probe.proof.stretch != stretches {
		t.Errorf("%s: %+v", g.claim, g.probe)
	}
	o.blocked = ""
	o.pass(ms100 + 10*time.Millisecond)
	if g := o.group(); g.claim != wire.Holding || g.reason != ServesAlone {
		t.Errorf("%s: %s", g.claim, g.text)
	}
}

// One question without a proof changes no report.
func TestUnprovenOnce(t *testing.T) {
	o := standby(t, nil)
	o.answer = ByPeer
	o.silent(time.Second)
	o.acts = nil
	o.answer, o.blocked = Nobody, "eth0"
	o.pass(o.m.probeEvery() * (unansweredAgain - 1))
	o.answer, o.blocked = ByPeer, ""
	o.pass(time.Second)
	for _, a := range o.acts {
		if r, ok := a.(Report); ok && r.Service == "role-vip" {
			t.Errorf("it is told: %+v", r)
		}
	}
}

// Where nobody answers at all, and an operator wants it all the same, questions
// count without a proof; but not any more once somebody answers again.
func TestWithoutProof(t *testing.T) {
	ordered := func() *one {
		o := standby(t, nil)
		o.facts.LANs[0].Gateway, o.facts.LANs[0].Neighbour = false, false
		o.step(o.facts)
		o.step(Ordered{Order: OrderHold})
		o.answer, o.blocked = Nobody, "eth0"
		return o
	}
	o := ordered().silent(time.Second)
	if o.group().claim != wire.Holding {
		t.Errorf("%s: %s", o.group().claim, o.group().text)
	}
	o = ordered().silent(dead - 10*time.Millisecond)
	o.facts.LANs[0].Gateway, o.facts.LANs[0].Neighbour = true, true
	o.step(o.facts)
	o.answer, o.blocked = ByPeer, ""
	if o.pass(time.Second); o.group().reason != KernelServes {
		t.Errorf("%s: %s", o.group().reason, o.group().text)
	}
}
