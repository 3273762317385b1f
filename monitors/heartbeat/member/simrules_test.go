package member

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/witness"
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

// unlike makes directors that are unlike each other: one of them is slow.
func unlike(seed uint64) func(n *simNode) {
	rng := rand.New(rand.NewPCG(seed, 2))
	return func(n *simNode) {
		n.ahead = time.Duration(rng.IntN(2000)-1000) * time.Second
		n.fast = int64(rng.IntN(2*fastest) - fastest)
		if uint64(n.i) == seed%2 {
			n.slow = slowest
		}
	}
}

// toggles are what changes in the world of three, the frequent ones more often.
var toggles = [...]string{"far", "far", "far", "split", "split", "split", "one way", "one way", "port", "loss", "late", "restart", "release", "off"}

// toggle changes one of them.
func (s *sim) toggle() {
	i := s.rng.IntN(2)
	n, w, cable := s.nodes[i], &s.witness, s.links[1]
	what := toggles[s.rng.IntN(len(toggles))]
	s.logf("=== %s: %s", n.cfg.SelfName, what)
	switch what {
	case "far":
		w.cut[i] = !w.cut[i]
	case "split":
		cable.cut = [2]bool{!cable.cut[i], !cable.cut[i]}
	case "one way":
		cable.cut[i] = !cable.cut[i]
	case "port":
		s.parted = !s.parted
	case "loss":
		w.loss = 30 - w.loss
	case "late":
		w.vary = 100*time.Millisecond - w.vary
	case "restart":
		if !w.dead {
			s.restartWitness(time.Duration(s.rng.IntN(2000)) * time.Millisecond)
		}
	case "release":
		n.step(Ordered{Order: OrderRelease})
	case "off":
		if n.off {
			n.power()
		} else {
			n.powerOff()
		}
	}
}

// moments lets d pass, in which the slow one stands still for a moment now and
// then.
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
	seeds := uint64(20)
	if os.Getenv("MOND_SOAK") != "" {
		seeds = 2000
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { witnessRules(t, seed) })
	}
}

// witnessRules plays one schedule.
func witnessRules(t *testing.T, seed uint64) {
	o := simOptions{seed: seed, make: unlike(seed)}
	o.edit = func(_ int, c *Config) { c.Witness, c.MaxChanges = true, 1000 }
	s := startPair(t, o)
	s.parted = true
	gaps := [...]int{0, 10, 200, 400, 700, 1500, 1500, 3000}
	for range 30 {
		s.toggle()
		s.moments(time.Duration(gaps[s.rng.IntN(len(gaps))]) * time.Millisecond)
	}
	s.mended()
	s.moments(5 * time.Second)
	s.run(witness.Longest)
	s.until(20*time.Second, "one serves", func() bool { return s.nodes[0].serves("") != s.nodes[1].serves("") })
	s.one()
}

// TestWitnessEach has a schedule for each of the rules: the holder is slow, the
// other one is not, and the network of the addresses is in two.
func TestWitnessEach(t *testing.T) {
	far := func(s *sim) { s.witness.cut[0] = true }
	split := func(s *sim) { s.links[1].cut = [2]bool{true, true} }
	unheard := func(s *sim) { s.links[1].cut[0] = true }
	restart := func(s *sim) { s.restartWitness(10 * time.Millisecond) }
	wait := func(d time.Duration) func(*sim) { return func(s *sim) { s.moments(d) } }
	for _, c := range []struct {
		name string
		play []func(*sim)
		// other: the other one serves in the end.
		other bool
	}{
		{"the vote of a holder that is alone ends", []func(*sim){split, wait(3 * time.Second), far}, true},
		{"no vote, then silence", []func(*sim){far, wait(3 * time.Second), split}, true},
		{"both at once", []func(*sim){far, split}, true},
		{"it hears, and is not heard", []func(*sim){unheard}, false},
		{"it hears, and is not heard, and has no vote", []func(*sim){far, unheard}, true},
		{"the same, by and by", []func(*sim){unheard, wait(2 * time.Second), far}, true},
		{"the witness forgot, and then the split", []func(*sim){restart, wait(50 * time.Millisecond), split}, false},
		{"the split, and then the witness forgets, and nobody who holds can tell it", []func(*sim){split, wait(2 * time.Second), restart, far}, false},
		{"the split, and then the witness forgets, and is told", []func(*sim){split, wait(2 * time.Second), restart, wait(time.Second), far}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(3) {
				s := startPair(t, simOptions{seed: seed, edit: witnessed, make: unlike(2 * seed)})
				s.run(time.Duration(s.rng.IntN(200)) * time.Millisecond)
				s.parted = true
				for _, do := range c.play {
					do(s)
				}
				s.moments(8 * time.Second)
				if s.nodes[1].holds("") != c.other {
					s.fatalf("B holds: %t", !c.other)
				}
			}
		})
	}
}
