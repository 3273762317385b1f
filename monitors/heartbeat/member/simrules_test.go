package member

import (
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/witness"
	"pgregory.net/rapid"
)

// What the witness's rules are for: each kind of cut, in any order, directors whose
// clocks go apart and whose processes are slow or stand still for a moment when it
// matters most. What all that takes is less than a margin; whatever may be left
// out of the rules, one of these schedules finds it.
const (
	// slowest is a step of engine, keeper or kernel, of which a release takes
	// three, and pausing the longest moment that a monitor stands still.
	slowest = 40 * time.Millisecond
	pausing = 40 * time.Millisecond
	// fastest is by how many of a million a clock is fast or slow.
	fastest = 200
)

// unlike makes directors that are unlike each other.
func unlike(t *rapid.T) func(n *simNode) {
	return func(n *simNode) {
		n.ahead = time.Duration(rapid.IntRange(-1000, 1000).Draw(t, "ahead")) * time.Second
		n.fast = int64(rapid.IntRange(-fastest, fastest).Draw(t, "fast"))
		n.slow = time.Duration(rapid.SampledFrom([]int{0, 0, 20, 40}).Draw(t, "slow")) * time.Millisecond
	}
}

// toggle changes one thing in the world of three.
func (s *sim) toggle(t *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(t, "node")
	n, w := s.nodes[i], &s.witness
	what := rapid.SampledFrom([]string{"far", "far", "cut", "cut", "cut", "port", "loss", "slow", "restart", "release", "hold", "off"}).Draw(t, "toggle")
	s.logf("=== %s: %s", n.cfg.SelfName, what)
	switch what {
	case "far":
		w.cut[i] = !w.cut[i]
	case "cut": // one way of the link that has a cable of its own
		s.links[1].cut[i] = !s.links[1].cut[i]
	case "port":
		s.parted = !s.parted
	case "loss":
		w.loss = 30 - w.loss
	case "slow":
		w.vary = 100*time.Millisecond - w.vary
	case "restart":
		if !w.dead {
			s.restartWitness(time.Duration(rapid.IntRange(1, 200).Draw(t, "for")) * 10 * time.Millisecond)
		}
	case "release":
		n.step(Ordered{Order: OrderRelease})
	case "hold": // of both it may be the last one that can
		n.step(Ordered{Order: OrderHold})
		n.step(Ordered{Order: OrderAuto})
	case "off":
		if n.off {
			n.power()
		} else {
			n.powerOff()
		}
	}
}

// moments lets d pass, in which monitors stand still for a moment now and then.
func (s *sim) moments(d time.Duration) {
	for end := s.now + d; s.now < end; {
		if n := s.nodes[s.rng.IntN(2)]; n.slow > 0 && n.runs() {
			n.stop(time.Duration(s.rng.Int64N(int64(pausing))))
		}
		s.run(min(pausing+time.Duration(s.rng.Int64N(int64(pausing))), end-s.now))
		s.one()
	}
}

// mended puts all right.
func (s *sim) mended() {
	s.logf("=== all is right")
	w := &s.witness
	w.cut, w.loss, w.vary, s.parted = [2]bool{}, 0, 0, false
	s.links[0], s.links[1] = &simLink{lan: true, delay: time.Millisecond}, &simLink{delay: time.Millisecond}
	for _, n := range s.nodes {
		if n.off {
			n.power()
		}
	}
}

func TestWitnessRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := simOptions{seed: rapid.Uint64().Draw(t, "seed"), make: unlike(t)}
		o.edit = func(_ int, c *Config) { c.Witness, c.MaxChanges = true, 1000 }
		s := startPair(t, o)
		s.parted = true
		for range rapid.IntRange(1, 25).Draw(t, "toggles") {
			s.toggle(t)
			s.moments(time.Duration(rapid.SampledFrom([]int{0, 10, 100, 200, 400, 700, 1500, 4000}).Draw(t, "gap")) * time.Millisecond)
		}
		s.mended()
		s.moments(5 * time.Second)
		s.run(witness.Longest)
		s.until(20*time.Second, "one serves", func() bool { return s.nodes[0].serves("") != s.nodes[1].serves("") })
		s.one()
	})
}
