package member

import (
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/monitors/heartbeat/witness"
	"pgregory.net/rapid"
)

// simWitness is the third machine. It is reached over the network of the clients,
// if lan, or over networks of its own.
type simWitness struct {
	*witness.Witness
	lan bool
	// cut is for what goes to and from node 0 or 1; loss is of 100.
	cut   [2]bool
	loss  int
	delay time.Duration
	vary  time.Duration
	// dead: it does not run. runs counts its starts: what was under way to one
	// that ended is not taken by the next (wire.Session proves it anew).
	dead  bool
	runs  int
	until time.Duration // it stands still so long; what comes waits
}

// restart starts it again after d: it knows nothing any more.
func (s *sim) restartWitness(d time.Duration) {
	w := &s.witness
	s.logf("=== the witness ends, and starts after %v", d)
	w.dead = true
	w.runs++
	s.after(d, func() {
		w.dead = false
		w.Witness = witness.New([]wire.Node{1, 2}, s.now)
		s.logf("=== the witness starts")
	})
}

// askVote asks it. A packet may be lost, late, and overtaken.
func (n *simNode) askVote(a AskVote) {
	s, w, asked, timer, inc := n.s, &n.s.witness, n.now(), n.timer, n.inc
	n.number++
	q := wire.Question{Number: n.number, Group: wire.GroupHash(a.Group), Epoch: a.Epoch, Want: a.Want, Sure: a.Sure, For: a.For}
	carry := func(do func()) {
		if w.dead || w.cut[n.i] || w.lan && !n.online() || s.rng.IntN(100) < w.loss {
			return
		}
		d := w.delay
		if w.vary > 0 {
			d += time.Duration(s.rng.Int64N(int64(w.vary)))
		}
		runs := w.runs
		s.after(max(d, w.until-s.now), func() {
			if !w.dead && runs == w.runs {
				do()
			}
		})
	}
	carry(func() {
		v, ok := w.Ask(n.cfg.Self, inc, q, s.now)
		if !ok {
			return
		}
		carry(func() {
			if timer != n.timer || n.off {
				return
			}
			n.step(Voted{
				Group: a.Group, Asked: asked, Yes: v.Yes, For: v.For, Undecided: v.Undecided, Refused: v.Refused, Whose: v.Whose, Epoch: v.Epoch, Left: v.Left,
			})
		})
	})
}

func witnessed(_ int, c *Config) { c.Witness = true }

// apart cuts all links and the network of the addresses, at the port of one node.
func (s *sim) apart(on bool, n *simNode) {
	s.cut(on, 0, 1)
	n.port = !on
}

// TestSplit: all links and the network of the addresses between the two are cut;
// the witness is reached from both, from one, or from none.
func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name string
		cut  [2]bool // from the witness
		// who serves in the end, "" for nobody, and how long nobody does meanwhile.
		who  string
		none time.Duration
	}{
		{"from both", [2]bool{}, "A", 0},
		{"from the holder", [2]bool{false, true}, "A", 0},
		{"from the standby", [2]bool{true, false}, "B", witness.Margin(dead) + soon + ms100},
		{"from none", [2]bool{true, true}, "", time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(10) {
				s := startPair(t, simOptions{seed: seed, edit: witnessed})
				a, b := s.nodes[0], s.nodes[1]
				s.run(time.Duration(seed) * 17 * time.Millisecond)
				s.watch.reset()
				split := s.now
				s.cut(true, 0, 1)
				s.witness.cut = c.cut
				s.parted = true // both have a gateway
				holders := func() string {
					who := ""
					for _, n := range s.nodes {
						if n.holds("") {
							who += n.cfg.SelfName
						}
					}
					return who
				}
				for s.now-split < 20*time.Second {
					s.run(time.Millisecond)
					if holders() == "AB" {
						s.fatalf("both hold")
					}
					if s.now-split > dead+c.none+soon && holders() != c.who {
						s.fatalf("%q holds", holders())
					}
				}
				s.parted = false
				s.cut(false, 0, 1)
				s.witness.cut = [2]bool{}
				s.until(time.Second, "one serves", func() bool { return holders() == "A" || holders() == "B" })
				s.run(5 * time.Second)
				if s.watch.dual > 0 {
					s.fatalf("both served for %v", s.watch.dual)
				}
				_, _ = a, b
			}
		})
	}
}

// TestWitnessAlone: the witness dies, restarts, stands still: no role changes, and
// it is told. Then a director dies: the other one takes over, also without it.
func TestWitnessAlone(t *testing.T) {
	s := startPair(t, simOptions{edit: witnessed})
	a, b := s.nodes[0], s.nodes[1]
	a.keeps(3 * time.Second)
	a.level(0, "witness", Good)
	for _, d := range []time.Duration{time.Millisecond, 100 * time.Millisecond, time.Second, 20 * time.Second} {
		s.restartWitness(d)
		a.keeps(d + 3*time.Second)
		a.level(0, "witness", Good)
		b.level(time.Second, "witness", Good)
	}
	s.restartWitness(time.Second)
	s.run(1500 * time.Millisecond)
	a.powerOff() // shortly after a restart, B is not hindered by what the witness forgot
	took := b.expect(dead + witness.Margin(dead) + ms100)
	s.logf("B took it after %v", took)
	s.run(time.Minute)
	s.logf("=== B is alone, and the witness restarts")
	s.restartWitness(20 * time.Second)
	b.keeps(40 * time.Second)
	a.power()
	b.keeps(20 * time.Second)

	s.logf("=== no witness any more")
	s.restartWitness(time.Hour)
	b.level(2*time.Second, "witness", Bad)
	b.level(time.Second, "redundancy", Bad)
	b.keeps(10 * time.Second)
	b.powerOff()
	a.expect(dead + witness.Margin(dead) + ms100)
	a.keeps(time.Minute)
}

// TestWitnessBoth: the witness and the peer go at once: nobody serves, it is told,
// and an operator's order ends it.
func TestWitnessBoth(t *testing.T) {
	s := startPair(t, simOptions{edit: witnessed})
	a, b := s.nodes[0], s.nodes[1]
	s.restartWitness(time.Hour)
	a.powerOff()
	s.run(20 * time.Second)
	if b.holds("") {
		s.fatalf("B took it")
	}
	b.because(NoWitness)
	b.level(0, "role-vip", Bad)
	b.step(Ordered{Order: OrderHold})
	b.expect(ms100)
}

// TestStart: the order in which two directors and the witness start.
func TestStartWitness(t *testing.T) {
	for seed := range uint64(5) {
		s := newSim(t, simOptions{seed: seed, edit: witnessed})
		s.witness.Witness = witness.New([]wire.Node{1, 2}, s.now) // it starts, too
		a, b := s.nodes[0], s.nodes[1]
		a.power()
		b.power()
		a.expect(2 * time.Second)
		s.run(10 * time.Second)
		s.restartWitness(time.Hour)
		s.run(20 * time.Second)
		a.keeps(5 * time.Second)
	}
	s := newSim(t, simOptions{edit: witnessed})
	b := s.nodes[1]
	b.power() // A never comes
	b.expect(11 * time.Second)
	b.keeps(time.Minute)
	s.logf("=== the monitor of B restarts, alone")
	b.kill()
	b.start()
	b.keeps(30 * time.Second)
}

// TestStranger: a third machine has the address when both start.
func TestStranger(t *testing.T) {
	s := newSim(t, simOptions{})
	s.stranger = true
	a, b := s.nodes[0], s.nodes[1]
	a.power()
	b.power()
	s.run(20 * time.Second)
	if a.holds("") || b.holds("") {
		s.fatalf("taken")
	}
	a.because(RivalServes)
	a.level(0, "role-vip", Bad)
	b.level(0, "role-vip", Bad)
	s.stranger = false
	a.expect(3 * time.Second)
	s.until(2*time.Second, "no alarm", func() bool { return b.reports["role-vip"].Level == Good })

	// Once it is held between the two, a stranger is for who holds it.
	s.stranger = true
	b.step(Ordered{Order: OrderHold})
	b.expect(50 * time.Millisecond)
}

// witnessFaults are those for a witness; the split of all is one of them.
func (s *sim) witnessFault(t *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(t, "node")
	n, w := s.nodes[i], &s.witness
	d := time.Duration(rapid.IntRange(1, 700).Draw(t, "for")) * 10 * time.Millisecond
	what := rapid.SampledFrom([]string{"split", "split", "far", "restart", "stands still", "loss", "slow", "one way", "off", "order", "reals"}).Draw(t, "fault")
	s.logf("=== %s on %s for %v", what, n.cfg.SelfName, d)
	undo := func(do func()) { s.after(d, func() { s.logf("=== %s ends", what); do() }) }
	switch what {
	case "split":
		s.cut(true, 0, 1)
		s.parted = true
		undo(func() { s.cut(false, 0, 1); s.parted = false })
	case "one way":
		s.links[0].cut[i], s.links[1].cut[i] = true, true
		undo(func() { s.links[0].cut[i], s.links[1].cut[i] = false, false })
	case "far":
		w.cut[i] = true
		undo(func() { w.cut[i] = false })
	case "restart":
		if !w.dead {
			s.restartWitness(d)
		}
	case "stands still":
		w.until = s.now + d
	case "loss":
		w.loss = 30
		s.links[0].loss, s.links[1].loss = [2]int{30, 30}, [2]int{30, 30}
		undo(func() { w.loss = 0; s.links[0].loss, s.links[1].loss = [2]int{}, [2]int{} })
	case "slow":
		w.delay, w.vary = 20*time.Millisecond, 300*time.Millisecond
		undo(func() { w.delay, w.vary = 300*time.Microsecond, 0 })
	case "off":
		if !n.off {
			n.powerOff()
			undo(n.power)
		}
	case "order":
		n.step(Ordered{Order: OrderRelease})
	case "reals":
		n.reals = 20
		undo(func() { n.reals = 100 })
	}
	s.run(time.Duration(rapid.IntRange(0, 300).Draw(t, "gap")) * 10 * time.Millisecond)
}

// Where the witness decides, no split makes two holders: whatever is cut, lost,
// slow, powered off or restarted, the witness included. And when it is over, one
// serves.
func TestWitnessNeverTwo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := simOptions{seed: rapid.Uint64().Draw(t, "seed"), edit: func(_ int, c *Config) { c.Witness, c.MaxChanges = true, 100 }}
		s := startPair(t, o)
		for range rapid.IntRange(1, 10).Draw(t, "faults") {
			s.witnessFault(t)
			s.one()
		}
		for range 700 {
			s.run(10 * time.Millisecond)
			s.one()
		}
		s.links[0], s.links[1] = &simLink{lan: true, delay: time.Millisecond}, &simLink{delay: time.Millisecond}
		s.parted = false
		s.run(witness.Longest)
		s.until(20*time.Second, "one serves", func() bool { return s.nodes[0].serves("") != s.nodes[1].serves("") })
		s.one()
	})
}

// one fails if both hold or held, and the witness was not done without.
func (s *sim) one() {
	if s.watch.dual > 0 && !s.nodes[0].without && !s.nodes[1].without {
		s.fatalf("both served for %v", s.watch.dual)
	}
}
