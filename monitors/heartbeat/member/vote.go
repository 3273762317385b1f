package member

import (
	"fmt"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/monitors/heartbeat/witness"
)

const (
	// lostWitness is for how many dead times, and leastLost for how long at least,
	// both directors must have missed the witness before they agree that there is
	// none: a network that loses packets must not make a pair of the three.
	lostWitness = 10
	leastLost   = 5 * time.Second
	// leastAlone is how long the vote of a director that is alone lasts at least:
	// so many dead times.
	leastAlone = 2
	// firstAnswer is how long the witness's first answer may take before it counts
	// as silent.
	firstAnswer = 3 * time.Second
)

// vote is the witness's last word about a group.
type vote struct {
	// next is when it is asked again.
	next time.Duration
	// asked is when the question was sent that it answered last, heard when that
	// answer came, decided when the last one came that says whose the group is; 0
	// for never.
	asked, heard, decided time.Duration
	// yes: the group is this node's until. No answer counts to what was asked
	// before void.
	yes   bool
	until time.Duration
	void  time.Duration
	// undecided, refused, whose and left are as the witness said, free when the
	// other's vote has ended.
	undecided, refused bool
	whose              wire.Node
	free               time.Duration
}

// voted takes in the witness's answer.
func (m *Member) voted(e Voted) {
	g := m.group(e.Group)
	if g == nil || e.Asked <= g.vote.asked && g.vote.heard != 0 {
		return
	}
	v := &g.vote
	v.asked, v.heard = e.Asked, m.now
	v.undecided, v.refused, v.whose, v.free = e.Undecided, e.Refused, e.Whose, m.now+e.Left
	if !e.Undecided && !e.Refused {
		v.decided = m.now
		m.absent = false
	}
	v.yes = e.Yes && e.Asked >= v.void
	v.until = e.Asked + e.For
	if !g.claims() && !v.yes {
		g.seen = max(g.seen, e.Epoch)
		if e.Left > 0 {
			v.next = min(v.next, v.free+time.Millisecond)
		}
	}
}

// witnessed reports whether there is a witness, and it said lately whose the
// group is.
func (m *Member) witnessed(g *group) bool {
	return m.cfg.Witness && g.vote.decided != 0 && m.now-g.vote.decided < m.cfg.Dead
}

// strict reports whether the witness decides: there is one, and the two have not
// agreed that it is gone.
func (m *Member) strict() bool { return m.cfg.Witness && !m.absent }

// gives reports whether the witness has given the group to this node, and its
// vote has not ended.
func (g *group) given(now time.Duration) bool { return g.vote.yes && now < g.vote.until }

// together reports whether the peer is heard and hears this node, so that it
// cannot think this node dead: all that it knows was sent within our dead time.
func (m *Member) together(g *group) bool {
	return m.voter(g) && m.now-m.peer.touch < m.cfg.Dead
}

// missesWitness reports whether the witness has not decided anything for so long
// that the two may agree to do without.
func (m *Member) missesWitness() bool {
	last := m.born
	for _, g := range m.groups {
		last = max(last, g.vote.decided)
	}
	return m.cfg.Witness && m.now-last >= max(lostWitness*m.cfg.Dead, leastLost)
}

// agree sees with each beat of the peer whether both miss the witness. While the
// peer is silent nothing is agreed: that stays as it was.
func (m *Member) agree() {
	m.absent = m.peer.beat.Flags&wire.Witnessed == 0 && m.missesWitness()
}

// askVote asks the witness, if there is one, with each beat, and at once where a
// vote is waited for.
func (m *Member) askVote(g *group, want bool) {
	if !m.cfg.Witness || m.now < g.vote.next {
		return
	}
	v := &g.vote
	v.next = m.now + m.cfg.Interval
	a := AskVote{Group: g.cfg.Name, Epoch: max(g.seen+1, m.epoch.floor), Want: want}
	if g.claims() {
		a.Epoch, a.Sure = g.epoch, g.given(m.now) || m.together(g)
	}
	if want {
		a.For = m.voteFor(g)
		v.until = min(v.until, m.now+a.For) // what was asked for before is void
	} else {
		v.yes, v.void = false, m.now
	}
	m.do(a)
}

// voteFor is how long a vote is asked for: so long that the peer can take over
// soon while there is one, and the longer, the longer this node has been alone,
// so that the witness may be away for a while.
func (m *Member) voteFor(g *group) time.Duration {
	if m.voter(g) || m.peer.state == Unknown || !g.claims() {
		return min(m.cfg.Dead, witness.Longest)
	}
	return min(max(leastAlone*m.cfg.Dead, (m.now-max(m.peer.since, g.since))/2), witness.Longest)
}

// unvoted reports whether the group may not be held any more: the peer may think
// this node dead, and the witness has not given the group to this node, or not
// any longer. A peer that said that it has released and goes is no reason; nor
// is a witness that is silent where an operator ordered to hold. A machine that
// stood still waits for a word of the peer first.
func (m *Member) unvoted(g *group) bool {
	switch {
	case !m.strict() || g.given(m.now) || m.together(g) || m.doubt != 0:
		return false
	case m.peer.state == Left && !m.mayHold(m.theirs(g)):
		return false
	}
	return g.order != wire.Hold || m.witnessed(g)
}

// ruled is how the witness ruled when it does not give the group to this node.
func (m *Member) ruled(g *group) string {
	v := &g.vote
	switch recent := v.heard != 0 && m.now-v.heard < m.cfg.Dead; {
	case !recent:
		return "the witness is silent, too"
	case v.refused:
		return "the witness has no room for the group"
	case v.undecided:
		return fmt.Sprintf("the witness has just started and gives it to nobody for %v", max(v.free-m.now, 0).Round(time.Second))
	case v.whose == m.cfg.Peer:
		return "the witness has given it to " + m.cfg.PeerName
	}
	return "the witness has not given it to this node yet"
}

// witnessStands is how the witness stands: it is there for this node as long as
// it answers.
func (m *Member) witnessStands() standing {
	var heard time.Duration
	var starts, refuses *group
	for _, g := range m.groups {
		heard = max(heard, g.vote.heard)
		switch {
		case g.vote.refused:
			refuses = g
		case g.vote.undecided:
			starts = g
		}
	}
	silent := m.now - max(heard, m.born)
	switch {
	case heard == 0 && silent < firstAnswer:
		return warn("unknown", "it has not answered yet")
	case heard == 0 || silent >= max(m.linkDead(), time.Second):
		what := "; who holds what does not change, but should the other director be lost as well, nobody serves"
		if m.absent {
			what = "; the two directors agree to do without it"
		}
		return standing{Bad, "silent" + map[bool]string{true: ", done without"}[m.absent], func() string {
			return fmt.Sprintf("it has not answered for %v%s", silent.Round(100*time.Millisecond), what)
		}}
	case refuses != nil:
		return bad("refuses", "it refuses group "+refuses.cfg.Name+": it serves more groups than it has room for")
	case starts != nil:
		return warn("starts", "it started a short while ago, and gives nothing yet of what it does not know")
	}
	return good("ok", "it answers")
}
