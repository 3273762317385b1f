package member

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// fault is one thing that goes wrong, and how it is put right. busy names what
// it holds on to, so that a second one does not touch the same.
type fault struct {
	name  string
	busy  string
	begin func(s *sim, n *simNode, d time.Duration)
	end   func(s *sim, n *simNode)
	// hard faults void G1: a machine that stands still, all links cut, or
	// questions lost.
	hard bool
}

var faults = []fault{
	{name: "eth0 cut", busy: "eth0", begin: func(s *sim, _ *simNode, _ time.Duration) { s.links[0].cut = [2]bool{true, true} }, end: mend(0)},
	{name: "eth0 one way", busy: "eth0", begin: func(s *sim, n *simNode, _ time.Duration) { s.links[0].cut[n.i] = true }, end: mend(0)},
	{name: "eth0 loses half", busy: "eth0", begin: func(s *sim, _ *simNode, _ time.Duration) { s.links[0].loss = [2]int{50, 50} }, end: mend(0)},
	{name: "eth0 slow and reordered", busy: "eth0", begin: func(s *sim, _ *simNode, _ time.Duration) {
		s.links[0].delay, s.links[0].vary, s.links[0].dup = 20*time.Millisecond, 400*time.Millisecond, 50
	}, end: mend(0)},
	{name: "eth1 loses some", busy: "eth1", begin: func(s *sim, _ *simNode, _ time.Duration) { s.links[1].loss, s.links[1].dup = [2]int{15, 15}, 20 }, end: mend(1)},
	{name: "monitor killed", busy: "node", begin: func(s *sim, n *simNode, d time.Duration) {
		n.logf("monitor killed")
		n.kill()
		s.after(d, func() {
			if !n.off && n.m == nil {
				n.start()
			}
		})
	}},
	{name: "monitor stopped", busy: "node", begin: func(_ *sim, n *simNode, d time.Duration) { n.stop(d) }},
	{name: "engine stopped", busy: "node", begin: func(_ *sim, n *simNode, d time.Duration) { n.stopLane("engine", &n.engine, d) }},
	{name: "keeper stopped", busy: "node", begin: func(_ *sim, n *simNode, d time.Duration) { n.stopLane("keeper", &n.keeper, d) }},
	{name: "power off", busy: "node", begin: func(_ *sim, n *simNode, _ time.Duration) { n.powerOff() }, end: func(_ *sim, n *simNode) { n.power() }},
	{name: "ended and started", busy: "node", begin: func(s *sim, n *simNode, d time.Duration) {
		n.step(Stopping{})
		s.after(d, func() {
			if !n.off {
				n.kill()
				n.start()
			}
		})
	}},
	{name: "carrier lost", busy: "node", begin: func(_ *sim, n *simNode, _ time.Duration) { n.carrier = false }, end: func(_ *sim, n *simNode) { n.carrier = true }},
	{name: "reals die", busy: "reals", begin: func(_ *sim, n *simNode, _ time.Duration) { n.reals = 20 }, end: func(_ *sim, n *simNode) { n.reals = 100 }},
	{name: "gateway dies", busy: "gateway", begin: func(s *sim, _ *simNode, _ time.Duration) { s.gateway = false }, end: func(s *sim, _ *simNode) { s.gateway = true }},
	{name: "order hold", busy: "order", begin: order(OrderHold)},
	{name: "order release", busy: "order", begin: order(OrderRelease)},
	{name: "order standby", busy: "order", begin: order(OrderStandby)},
	{name: "order off", busy: "order", begin: order(OrderOff), end: func(s *sim, n *simNode) { order(OrderAuto)(s, n, 0) }},
	{name: "frozen", busy: "node", hard: true, begin: func(_ *sim, n *simNode, d time.Duration) { n.freeze(d) }},
	{name: "all links cut", busy: "eth0", hard: true, begin: func(s *sim, _ *simNode, _ time.Duration) { s.cut(true, 0, 1) }, end: func(s *sim, _ *simNode) { s.cut(false, 0, 1) }},
	{name: "port cut behind the switch", busy: "node", begin: func(_ *sim, n *simNode, _ time.Duration) { n.port = false }, end: func(_ *sim, n *simNode) { n.port = true }},
	{name: "questions lost", busy: "lan", hard: true, begin: func(s *sim, _ *simNode, _ time.Duration) { s.lanLoss = 30 }, end: func(s *sim, _ *simNode) { s.lanLoss = 0 }},
}

func mend(i int) func(*sim, *simNode) {
	return func(s *sim, _ *simNode) {
		*s.links[i] = simLink{delay: 200 * time.Microsecond, vary: 200 * time.Microsecond, lan: i == 0}
	}
}

func order(o Order) func(*sim, *simNode, time.Duration) {
	return func(_ *sim, n *simNode, _ time.Duration) {
		n.logf("order %d", o)
		n.step(Ordered{Order: o})
	}
}

// faulty plays faults that are drawn, several at once where they touch different
// things, and puts all right in the end.
func (s *sim) faulty(t *rapid.T, hard bool) {
	busy := map[string]bool{}
	for range rapid.IntRange(1, 8).Draw(t, "faults") {
		f := faults[rapid.IntRange(0, len(faults)-1).Draw(t, "fault")]
		n := s.nodes[rapid.IntRange(0, 1).Draw(t, "node")]
		d := time.Duration(rapid.IntRange(1, 700).Draw(t, "for")) * 10 * time.Millisecond
		gap := time.Duration(rapid.IntRange(0, 300).Draw(t, "gap")) * 10 * time.Millisecond
		if f.hard && !hard || busy[f.busy] {
			continue
		}
		s.logf("=== %s on %s for %v", f.name, n.cfg.SelfName, d)
		busy[f.busy] = true
		f.begin(s, n, d)
		s.after(d, func() {
			s.logf("=== %s on %s ends", f.name, n.cfg.SelfName)
			if f.end != nil {
				f.end(s, n)
			}
			// Its effects may last for a lease.
			s.after(5*time.Second, func() { busy[f.busy] = false })
		})
		s.run(gap)
	}
	s.run(8 * time.Second)
	for _, n := range s.nodes {
		n.step(Ordered{Order: OrderAuto})
	}
}

// play is a pair with faults.
func play(t *rapid.T, hard bool) *sim {
	o := simOptions{seed: rapid.Uint64().Draw(t, "seed")}
	failback := Failback(rapid.IntRange(0, 2).Draw(t, "failback"))
	o.edit = func(_ int, c *Config) {
		c.Groups[0].Failback, c.Groups[0].After, c.MaxChanges = failback, time.Second, 100
	}
	s := newSim(t, o)
	s.nodes[0].synced, s.nodes[1].synced = true, true
	s.nodes[0].power()
	s.run(time.Duration(rapid.IntRange(0, 200).Draw(t, "apart")) * 10 * time.Millisecond)
	s.nodes[1].power()
	s.run(time.Duration(rapid.IntRange(0, 400).Draw(t, "first")) * 10 * time.Millisecond)
	s.watch.reset()
	s.faulty(t, hard)
	return s
}

// settled: one serves by initdead and a second, and nothing moves any more
// than a failback.
func (s *sim) settled() {
	s.until(11*time.Second, "one serves", func() bool { return s.nodes[0].serves("") != s.nodes[1].serves("") })
	s.run(8 * time.Second)
	before := len(s.watch.handover)
	s.run(5 * time.Second)
	if got := s.watch.handover[before:]; len(got) > 0 || s.watch.last != 1 {
		s.fatalf("it is not settled: %v", got)
	}
	for _, n := range s.nodes {
		if n.m == nil || n.m.peer.state != Alive || n.m.doubt != 0 {
			s.fatalf("%s does not see its peer", n.cfg.SelfName)
		}
		if r := n.reports["redundancy"]; r.Level != Good && r.Code != "unable" {
			s.fatalf("%s: %+v", n.cfg.SelfName, r)
		}
	}
}

// G1: whatever dies, stops or is ordered, while one link works, kernels obey
// leases and no machine stands still, no moment sees the group on two nodes.
// And when it is over, one serves.
func TestNeverTwo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := play(t, false)
		if s.watch.dual > 0 {
			s.fatalf("both served for %v", s.watch.dual)
		}
		s.settled()
	})
}

// With whole machines that stand still and splits two may serve, but not for
// longer than it lasts; and when it is over, one serves.
func TestAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := play(t, true)
		s.settled()
	})
}
