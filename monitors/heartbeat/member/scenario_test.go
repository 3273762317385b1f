package member

import (
	"fmt"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// scenario is a row of the crash and pause table: a pair at beats of 100 ms,
// dead time 500 ms and a lease of 3 s, A active and B fit, and what happens
// then. All of them are played with several seeds, which move the packets.
type scenario struct {
	name string
	o    simOptions
	play func(s *sim, a, b *simNode)
	// dual is how long both may serve at once in all, none for how long nobody.
	dual, none time.Duration
}

func (c scenario) run(t *testing.T) {
	for seed := range uint64(3) {
		o := c.o
		o.seed = seed
		s := startPair(t, o)
		s.run(time.Duration(seed) * 33 * time.Millisecond)
		s.watch.reset()
		c.play(s, s.nodes[0], s.nodes[1])
		if s.watch.dual > c.dual {
			s.fatalf("both served for %v, %v are allowed", s.watch.dual, c.dual)
		}
		if s.watch.none > c.none {
			s.fatalf("nobody served for %v, %v are allowed", s.watch.none, c.none)
		}
	}
}

// soon is what a decision may take beyond its wait: two processes and netlink.
const soon = 10 * time.Millisecond

// expect waits until n serves alone, and stays so.
func (n *simNode) expect(within time.Duration) time.Duration {
	s, other := n.s, n.s.nodes[1-n.i]
	s.t.Helper()
	took := s.until(within, n.cfg.SelfName+" serves alone", func() bool { return n.serves("") && !other.serves("") })
	return took
}

// keeps lets d pass, in which n serves all the time.
func (n *simNode) keeps(d time.Duration) {
	n.s.t.Helper()
	n.expect(0)
	before := len(n.s.watch.handover)
	n.s.run(d)
	n.expect(0)
	if got := n.s.watch.handover[before:]; len(got) != 0 {
		n.s.fatalf("it changed hands: %v", got)
	}
}

// level waits until a service of n is reported with that level.
func (n *simNode) level(within time.Duration, service string, l Level) {
	n.s.t.Helper()
	n.s.until(within, fmt.Sprintf("%s: %s %s", n.cfg.SelfName, service, l), func() bool { return n.reports[service].Level == l })
}

func (n *simNode) because(r Reason) {
	n.s.t.Helper()
	for i := len(n.changes) - 1; i >= 0; i-- {
		if n.changes[i].Reason == r {
			return
		}
	}
	n.s.fatalf("%s has no change because of %s", n.cfg.SelfName, r)
}

// cut cuts both ways of links.
func (s *sim) cut(on bool, links ...int) {
	for _, i := range links {
		s.logf("=== link %d cut: %v", i, on)
		s.links[i].cut = [2]bool{on, on}
	}
}

const (
	ms100 = 100 * time.Millisecond
	dead  = 500 * time.Millisecond
)

func TestCrashTable(t *testing.T) {
	for _, c := range crashTable {
		t.Run(c.name, c.run)
	}
}

var crashTable = []scenario{
	{name: "power off", none: dead + soon, play: func(s *sim, a, b *simNode) {
		a.powerOff()
		b.expect(dead + soon)
		b.because(TookDead)
		s.run(5 * time.Second)
		a.power()
		b.keeps(15 * time.Second)
	}},
	{name: "both NICs dead", none: dead + soon, play: func(s *sim, a, b *simNode) {
		s.cut(true, 0, 1)
		a.carrier = false
		b.expect(dead + soon)
		s.run(10 * time.Second)
		a.carrier = true
		s.cut(false, 0, 1)
		s.run(time.Second)
		b.keeps(5 * time.Second)
	}, dual: 150 * time.Millisecond},
	{name: "engine killed: goodbye", none: 20 * time.Millisecond, play: func(s *sim, a, b *simNode) {
		a.engine.dead = true
		a.step(Stopping{})
		s.run(50 * time.Millisecond) // the keeper's lifeline, and its own release
		a.remove("vip")
		b.expect(ms100)
		b.because(TookLeft)
		s.run(time.Second)
		if !a.done {
			s.fatalf("A does not end")
		}
		b.keeps(5 * time.Second)
	}},
	{name: "orderly stop", none: 20 * time.Millisecond, play: func(s *sim, a, b *simNode) {
		a.step(Stopping{})
		b.expect(150 * time.Millisecond)
		b.keeps(time.Second)
	}},
	{name: "engine stopped for 10 s", none: 700 * time.Millisecond, play: func(s *sim, a, b *simNode) {
		a.stopLane("engine", &a.engine, 10*time.Second)
		s.until(4*time.Second, "the lease ends", func() bool { return !a.holds("") })
		b.expect(700 * time.Millisecond)
		a.because(Lost)
		b.keeps(15 * time.Second)
	}},
	{name: "keeper stopped for 10 s", none: 700 * time.Millisecond, play: func(s *sim, a, b *simNode) {
		a.stopLane("keeper", &a.keeper, 10*time.Second)
		s.until(4*time.Second, "the lease ends", func() bool { return !a.holds("") })
		b.expect(700 * time.Millisecond)
		b.keeps(15 * time.Second)
	}},
	{name: "keeper killed, restarted", play: func(s *sim, a, b *simNode) {
		a.keeper.dead = true
		s.run(400 * time.Millisecond)
		a.keeper.dead = false
		a.keeps(10 * time.Second)
	}},
	{name: "monitor killed, restarted within the dead time", play: func(s *sim, a, b *simNode) {
		a.kill()
		s.run(300 * time.Millisecond)
		a.start()
		a.keeps(10 * time.Second)
		a.because(Resumed)
	}},
	{name: "monitor killed, restarted after the dead time", play: func(s *sim, a, b *simNode) {
		a.kill()
		s.run(1500 * time.Millisecond)
		a.start()
		a.keeps(10 * time.Second)
	}},
	{name: "monitor stopped: the probe is answered until the lease ends", none: 70 * time.Millisecond, play: func(s *sim, a, b *simNode) {
		a.stop(10 * time.Second)
		s.run(2 * time.Second)
		a.keeps(0)
		b.because(KernelServes)
		b.expect(3 * time.Second)
		b.because(TookDead)
		b.keeps(15 * time.Second)
	}},
	{name: "monitor stopped for 2 s", play: func(s *sim, a, b *simNode) {
		a.stop(2 * time.Second)
		a.keeps(10 * time.Second)
	}},
	{name: "all killed at once", none: 70 * time.Millisecond, play: func(s *sim, a, b *simNode) {
		a.kill()
		a.engine, a.keeper = lane{dead: true}, lane{dead: true}
		s.run(2 * time.Second)
		a.keeps(0)
		b.expect(2 * time.Second)
		b.keeps(10 * time.Second)
	}},
	// A kernel that stood still has the address until it is told: one beat.
	{name: "machine frozen for 30 s", none: dead + ms100 + soon, dual: ms100 + soon, play: func(s *sim, a, b *simNode) {
		a.freeze(30 * time.Second)
		b.expect(dead + ms100)
		s.run(29 * time.Second)
		before := b.announce
		s.until(2*time.Second, "A goes on", func() bool { return !a.frozen })
		b.expect(ms100 + soon)
		s.run(time.Second)
		if b.announce < before+2 {
			s.fatalf("B announced %d times", b.announce-before)
		}
		b.keeps(10 * time.Second)
		a.because(GaveWay)
	}},
	{name: "machine frozen for less than the dead time", none: 400 * time.Millisecond, play: func(s *sim, a, b *simNode) {
		a.freeze(350 * time.Millisecond)
		s.run(400 * time.Millisecond)
		a.keeps(10 * time.Second)
	}},
	{name: "standby frozen for 30 s", play: func(s *sim, a, b *simNode) {
		b.freeze(30 * time.Second)
		a.keeps(40 * time.Second)
	}},
	{name: "all links cut, network fine", play: func(s *sim, a, b *simNode) {
		s.cut(true, 0, 1)
		a.keeps(30 * time.Second)
		a.level(0, "redundancy", Bad)
		b.level(0, "role-vip", Bad)
		b.because(KernelServes)
		s.cut(false, 0, 1)
		a.keeps(5 * time.Second)
		a.level(0, "redundancy", Good)
	}},
	{name: "A is not heard on any link, network fine", play: func(s *sim, a, b *simNode) {
		s.links[0].cut[0], s.links[1].cut[0] = true, true
		a.keeps(20 * time.Second)
		a.level(0, "peer", Bad)
		b.level(0, "peer", Bad)
		s.links[0].cut[0], s.links[1].cut[0] = false, false
		a.keeps(5 * time.Second)
		a.level(0, "redundancy", Good)
		b.level(0, "redundancy", Good)
	}},
	{name: "B is not heard on any link, network fine", play: func(s *sim, a, b *simNode) {
		s.links[0].cut[1], s.links[1].cut[1] = true, true
		a.keeps(20 * time.Second)
		s.links[0].cut[1], s.links[1].cut[1] = false, false
		a.keeps(5 * time.Second)
		b.level(0, "redundancy", Good)
	}},
	{name: "the switch restarts", none: 5*time.Second + soon, play: func(s *sim, a, b *simNode) {
		a.port, b.port = false, false
		s.run(5 * time.Second)
		if a.m.groups[0].claim != wire.Holding {
			s.fatalf("A is %s", a.m.groups[0].claim)
		}
		a.port, b.port = true, true
		s.run(time.Millisecond)
		a.keeps(10 * time.Second)
	}},
	{name: "the gateway dies", play: func(s *sim, a, _ *simNode) {
		s.gateway = false
		a.keeps(10 * time.Second)
		s.gateway = true
		a.keeps(10 * time.Second)
	}},
	{name: "real servers seen by A only die", none: 20 * time.Millisecond, play: func(s *sim, a, b *simNode) {
		a.reals = 30
		b.expect(betterDwell + 3*ms100)
		a.reals = 100
		b.keeps(10 * time.Second)
	}},
	{name: "reloads each second, with other settings", none: dead + soon, play: func(s *sim, a, b *simNode) {
		for i := range 10 {
			cfg := a.m.cfg
			cfg.Interval = []time.Duration{ms100, 50 * time.Millisecond}[i%2]
			a.step(Configured{cfg})
			b.step(Configured{b.m.cfg})
			a.keeps(time.Second)
		}
		a.powerOff()
		b.expect(dead + soon)
	}},
	{name: "network port cut, links fine", none: time.Second, play: func(s *sim, a, b *simNode) {
		a.carrier = false
		b.expect(time.Second)
		b.because(TookGift)
		s.run(time.Second)
		a.carrier = true
		b.keeps(10 * time.Second)
	}},
	{name: "network port cut behind the switch", none: time.Second, play: func(s *sim, a, b *simNode) {
		a.port = false
		b.expect(time.Second)
		a.port = true
		s.run(time.Second)
		b.keeps(10 * time.Second)
	}},
	{name: "disk hangs, monitor of a loaded machine: then A dies", none: dead + soon, play: func(s *sim, a, b *simNode) {
		b.disk = 1 // reservations are never written
		a.powerOff()
		b.expect(dead + soon)
	}},
	{name: "release lost", none: 4 * time.Second, o: simOptions{}, play: func(s *sim, a, b *simNode) {
		a.keeper.stopped = true
		b.step(Ordered{Order: OrderHold})
		s.until(4*time.Second, "the lease ends", func() bool { return !a.holds("") })
		b.expect(time.Second)
		b.keeps(5 * time.Second)
	}},
	{name: "A dies after its grant", none: 700 * time.Millisecond, play: func(s *sim, a, b *simNode) {
		b.step(Ordered{Order: OrderHold})
		s.until(time.Second, "A releases", func() bool { return !a.holds("") })
		s.run(500 * time.Microsecond)
		a.powerOff()
		b.expect(700 * time.Millisecond)
	}},
	{name: "the asker dies after the grant", none: time.Second, play: func(s *sim, a, b *simNode) {
		b.step(Ordered{Order: OrderHold})
		s.until(time.Second, "A releases", func() bool { return !a.holds("") })
		s.run(500 * time.Microsecond)
		b.powerOff()
		a.expect(time.Second)
	}},
	{name: "clean hand-over", none: 20 * time.Millisecond, play: func(s *sim, a, b *simNode) {
		b.step(Ordered{Order: OrderHold})
		b.expect(ms100)
		b.because(TookOrdered)
		a.because(GaveAsked)
		b.step(Ordered{Order: OrderAuto})
		b.keeps(10 * time.Second)
		b.step(Ordered{Order: OrderRelease})
		a.expect(2 * ms100)
		a.because(TookGift)
		a.keeps(20 * time.Second)
	}},
	{name: "peer's system restarts within the dead time", none: 700 * time.Millisecond, play: func(s *sim, a, b *simNode) {
		a.powerOff()
		s.run(200 * time.Millisecond)
		a.power()
		s.until(time.Second, "one serves", func() bool { return a.serves("") != b.serves("") })
		s.run(5 * time.Second)
	}},
}

func TestStart(t *testing.T) {
	for seed := range uint64(5) {
		o := simOptions{seed: seed}
		t.Run("together", func(t *testing.T) {
			s := newSim(t, o)
			s.nodes[1].power()
			s.run(time.Duration(seed) * 20 * time.Millisecond)
			s.nodes[0].power()
			s.nodes[0].expect(11 * time.Second)
			s.nodes[0].keeps(20 * time.Second)
		})
		t.Run("equal priorities", func(t *testing.T) {
			o := o
			o.edit = func(_ int, c *Config) { c.Groups[0].Priority = 7 }
			s := newSim(t, o)
			s.nodes[1].power()
			s.nodes[0].power()
			s.nodes[0].expect(11 * time.Second)
			s.nodes[0].keeps(20 * time.Second)
		})
		t.Run("B 60 s later", func(t *testing.T) {
			s := newSim(t, o)
			s.nodes[0].power()
			s.nodes[0].expect(11 * time.Second)
			s.run(50 * time.Second)
			s.nodes[1].power()
			s.nodes[0].keeps(20 * time.Second)
		})
		t.Run("A 60 s later", func(t *testing.T) {
			s := newSim(t, o)
			s.nodes[1].power()
			s.nodes[1].expect(11 * time.Second)
			s.run(50 * time.Second)
			s.nodes[0].power()
			s.nodes[1].keeps(20 * time.Second)
		})
		t.Run("no network", func(t *testing.T) {
			s := newSim(t, o)
			s.nodes[0].carrier, s.nodes[1].carrier = false, false
			s.nodes[0].power()
			s.nodes[1].power()
			s.run(30 * time.Second)
			if s.nodes[0].holds("") || s.nodes[1].holds("") {
				s.fatalf("an address without carrier")
			}
			s.nodes[1].carrier = true
			s.nodes[1].expect(time.Second)
		})
		t.Run("the preferred one never gets ready", func(t *testing.T) {
			s := newSim(t, o)
			s.nodes[0].carrier = false
			s.nodes[0].power()
			s.nodes[1].power()
			s.nodes[1].expect(11 * time.Second)
			s.nodes[1].keeps(20 * time.Second)
		})
	}
}

// A split with the network split, too: both serve, each its side; when it heals
// the one with the better claim stays, and announces, every time.
func TestSplits(t *testing.T) {
	s := startPair(t, simOptions{edit: func(_ int, c *Config) { c.MaxChanges = 1000 }})
	for i := range 20 {
		s.logf("=== split %d", i)
		before := [2]int{s.nodes[0].announce, s.nodes[1].announce}
		s.cut(true, 0, 1)
		loser := s.nodes[0]
		if s.nodes[1].serves("") {
			loser = s.nodes[1]
		}
		winner := s.nodes[1-loser.i]
		loser.port = false
		winner.expect(time.Second)
		s.run(10 * time.Second)
		loser.port = true
		s.cut(false, 0, 1)
		s.watch.reset()
		s.run(time.Millisecond)
		winner.expect(time.Second)
		s.run(2 * time.Second)
		if n := winner.announce - before[winner.i]; n < 3 {
			s.fatalf("the winner announced %d times: taking, seen, healed", n)
		}
		if s.watch.worst > 200*time.Millisecond {
			s.fatalf("both served for %v", s.watch.worst)
		}
		loser.because(GaveWay)
	}
}

// A token that is on its way when the lease ends is never acted on after the
// peer has the group, however long engine or keeper were stopped, and with the
// monitor restarted meanwhile.
func TestTokensOnTheirWay(t *testing.T) {
	for d := 2 * time.Second; d < 5*time.Second; d += 130 * time.Millisecond {
		for restart := range 2 {
			s := startPair(t, simOptions{seed: uint64(d)})
			a := s.nodes[0]
			a.stopLane("engine", &a.engine, d)
			if restart == 1 {
				s.run(d - 500*time.Millisecond)
				a.kill()
				a.start()
			}
			s.run(8 * time.Second)
			if s.watch.dual > 0 || s.watch.last != 1 {
				s.fatalf("both served for %v", s.watch.dual)
			}
		}
	}
}

// Fast beats: a dead machine's group is taken as soon as it is dead.
func TestFastBeats(t *testing.T) {
	for _, c := range []struct{ interval, dead time.Duration }{{10 * time.Millisecond, 30 * time.Millisecond}, {20 * time.Millisecond, ms100}, {50 * time.Millisecond, 200 * time.Millisecond}} {
		for seed := range uint64(5) {
			s := startPair(t, simOptions{seed: seed, interval: c.interval, dead: c.dead})
			s.nodes[0].keeps(5 * time.Second)
			s.nodes[0].powerOff()
			s.nodes[1].expect(c.dead + soon)
		}
	}
}

// Two groups, each with a director of its own: both serve, one takes over for
// the other, and with failback it gives it back.
func TestTwoGroups(t *testing.T) {
	s := newSim(t, simOptions{
		groups: []Group{{Name: "web", Total: 2, Failback: FailbackNow}, {Name: "mail", Total: 1, Failback: FailbackNow}},
		edit:   func(i int, c *Config) { c.Groups[1].Priority = uint8(50 + 50*i) },
	})
	a, b := s.nodes[0], s.nodes[1]
	a.synced, b.synced = true, true // no connections are copied
	a.power()
	b.power()
	apart := func() bool {
		return a.serves("web") && b.serves("mail") && !a.serves("mail") && !b.serves("web")
	}
	s.until(11*time.Second, "each serves its own", apart)
	s.run(5 * time.Second)
	a.powerOff()
	s.until(dead+soon, "B serves both", func() bool { return b.serves("web") && b.serves("mail") })
	s.run(5 * time.Second)
	a.power()
	s.until(11*time.Second, "each serves its own again", apart)
	a.carrier = false
	s.until(time.Second, "B serves both", func() bool { return b.serves("web") && b.serves("mail") })
}

// The links are cut after a grant, and the new holder's keeper is slow: the old
// one, which finds nobody answering, takes the group back; the slow keeper adds
// nothing any more.
func TestSlowKeeper(t *testing.T) {
	for slow := 100 * time.Millisecond; slow < 4*time.Second; slow += 270 * time.Millisecond {
		for _, cut := range []time.Duration{6, 10, 100, 300} {
			s := startPair(t, simOptions{seed: uint64(slow)})
			a, b := s.nodes[0], s.nodes[1]
			b.stopLane("keeper", &b.keeper, slow)
			b.step(Ordered{Order: OrderHold})
			s.run(cut * time.Millisecond)
			s.cut(true, 0, 1)
			s.run(10 * time.Second)
			if s.watch.dual > 0 || s.watch.last != 1 {
				s.fatalf("both served for %v (keeper stopped for %v, cut after %v)", s.watch.dual, slow, cut*time.Millisecond)
			}
			s.cut(false, 0, 1)
			s.run(3 * time.Second)
			if s.watch.dual > 0 || a.serves("") == b.serves("") {
				s.fatalf("both served for %v after it", s.watch.dual)
			}
		}
	}
}

// With a witness a split makes no two holders, not even where nobody reaches
// both: the holder that lost peer and witness releases first.
func TestWitness(t *testing.T) {
	for seed := range uint64(5) {
		s := startPair(t, simOptions{seed: seed, edit: witnessed})
		a, b := s.nodes[0], s.nodes[1]
		s.witness.lan = true
		a.keeps(5 * time.Second)
		s.logf("=== A is cut off")
		s.cut(true, 0, 1)
		a.port = false
		s.until(3*time.Second, "B holds", func() bool {
			if a.holds("") && b.holds("") {
				s.fatalf("both hold")
			}
			return b.holds("")
		})
		a.because(Unvoted)
		b.because(NoVote)
		a.port = true
		s.cut(false, 0, 1)
		b.keeps(5 * time.Second)

		s.logf("=== the witness keeps a split from being one")
		s.cut(true, 0, 1)
		b.keeps(20 * time.Second)
		s.cut(false, 0, 1)
		b.keeps(5 * time.Second)
		b.powerOff()
		a.expect(2 * time.Second)
	}
}
