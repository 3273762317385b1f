// Package witness is the third machine's part: it gives a group of addresses to
// one director at a time, so that two that lost each other do not both hold it.
// It is pure: a [Witness] is asked and answers, and knows the time only as it is
// told. Questions and answers are wire's, sealed and proven like beats; who asks
// what and when is monitors/heartbeat/member's.
//
// # Rules
//
// A vote lasts for as long as its holder asked, at most [Longest], and counts
// from when it was asked for by the holder's own clock: here it ends later, never
// earlier. Another director gets the group only when the vote has ended, and as
// long again as a release takes ([Margin]). A director that asks without wanting
// holds nothing, and gives back what it had.
//
// The lower epoch yields: who claims less than was claimed before is told the
// epoch and gets nothing. So a director that was away, or lost its disk, takes
// with a claim above all others, and wins when the two meet again.
//
// # Why it needs no disk
//
// What it forgets when it restarts are votes, and each of them has ended after
// Longest and Margin. So long it gives nothing, with one exception: a director
// that is sure. It says so as long as its vote has not ended or the other
// director is heard and hears it. At one moment only one can say that, and the
// question is newer than the restart, since the session was proven anew; so it is
// as good as a record on disk would be. A pair that works does not notice a
// restart, nor does a director that is alone.
//
// No wall clock is used. now is CLOCK_BOOTTIME; one that stands still, as in a
// machine that was suspended, makes votes longer and is safe.
package witness

import (
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// Longest is how long any vote lasts at most.
const Longest = 30 * time.Second

const (
	leastMargin = 50 * time.Millisecond
	mostMargin  = 200 * time.Millisecond
)

// Margin is how long a director may take to release a group when its vote, which
// lasted for d, has ended.
func Margin(d time.Duration) time.Duration {
	return min(max(d/2, leastMargin), mostMargin)
}

// Witness decides for one pair. It is used by one goroutine.
type Witness struct {
	nodes  []wire.Node
	quiet  time.Duration
	groups map[uint16]*group
}

// group is what is known of one group.
type group struct {
	// owner has it until, and nobody else before free; Everyone for nobody.
	owner       wire.Node
	until, free time.Duration
	// last is who had it last; epoch the highest that it was given with.
	last  wire.Node
	epoch uint64
	// known: somebody was sure, so the votes from before the restart do not matter.
	known bool
	asked map[wire.Node]question
}

// question is the newest of a node.
type question struct {
	incarnation uint64
	number      uint32
}

// New makes a Witness for these directors that starts now.
func New(nodes []wire.Node, now time.Duration) *Witness {
	return &Witness{nodes: nodes, quiet: now + Longest + Margin(Longest), groups: map[uint16]*group{}}
}

// Quiet is until when nothing is given to who is not sure.
func (w *Witness) Quiet() time.Duration { return w.quiet }

// Ask answers a question of a director's incarnation. It reports false, and
// there is no answer, for a node that is no director, and for a question that a
// newer one overtook.
func (w *Witness) Ask(from wire.Node, incarnation uint64, q wire.Question, now time.Duration) (v wire.Vote, ok bool) {
	if !w.serves(from) {
		return v, false
	}
	v = wire.Vote{Number: q.Number, Group: q.Group}
	g := w.groups[q.Group]
	if g == nil {
		if g = w.add(q.Group, now); g == nil {
			v.Refused = true
			return v, true
		}
	}
	if last := g.asked[from]; last.incarnation == incarnation && q.Number <= last.number {
		return v, false
	}
	g.asked[from] = question{incarnation, q.Number}
	v.Yes = g.decide(from, q, now >= w.quiet, now)
	if v.Yes {
		v.For = min(q.For, Longest)
	}
	v.Undecided = g.owner == wire.Everyone && !g.known && now < w.quiet
	v.Whose, v.Epoch = g.owner, g.epoch
	if g.owner != wire.Everyone {
		v.Left = g.free - now
	} else if v.Undecided {
		v.Left = w.quiet - now
	}
	return v, true
}

func (w *Witness) serves(n wire.Node) bool {
	for _, known := range w.nodes {
		if known == n {
			return true
		}
	}
	return false
}

// add adds a group. Where there is no room, the place of one is taken that
// nobody has, nor can have had before the restart.
func (w *Witness) add(id uint16, now time.Duration) *group {
	if len(w.groups) >= wire.MaxGroups {
		if now < w.quiet {
			return nil
		}
		for old, g := range w.groups {
			if g.age(now); g.owner == wire.Everyone {
				delete(w.groups, old)
				break
			}
		}
		if len(w.groups) >= wire.MaxGroups {
			return nil
		}
	}
	g := &group{asked: map[wire.Node]question{}}
	w.groups[id] = g
	return g
}

// age ends a vote whose time is over.
func (g *group) age(now time.Duration) {
	if g.owner != wire.Everyone && now >= g.free {
		g.owner = wire.Everyone
	}
}

// decide says whether the group is given, and notes it.
func (g *group) decide(from wire.Node, q wire.Question, settled bool, now time.Duration) bool {
	g.age(now)
	switch {
	case !q.Want:
		if g.owner == from {
			g.owner = wire.Everyone
		}
		return false
	case g.owner == from:
	case g.owner != wire.Everyone, !settled && !g.known && !q.Sure:
		return false
	case q.Epoch < g.epoch || q.Epoch == g.epoch && g.last != wire.Everyone && g.last != from:
		return false
	}
	lasts := min(q.For, Longest)
	g.owner, g.last, g.until = from, from, now+lasts
	g.free = g.until + Margin(lasts)
	g.epoch = max(g.epoch, q.Epoch)
	g.known = g.known || q.Sure
	return true
}

// State is how a group stands.
type State struct {
	Group uint16
	Owner wire.Node // Everyone for none
	Epoch uint64
	Left  time.Duration // of the vote
}

// States are all groups that were asked for.
func (w *Witness) States(now time.Duration) (all []State) {
	for id, g := range w.groups {
		g.age(now)
		all = append(all, State{id, g.owner, g.epoch, max(g.until-now, 0)})
	}
	return all
}
