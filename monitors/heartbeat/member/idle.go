package member

import (
	"fmt"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// learn takes in what a new beat says of a group.
func (m *Member) learn(g *group, t *wire.Group) {
	g.seen = max(g.seen, t.Epoch)
	if t.Order != g.theirOrder {
		g.theirOrder, g.ordered = t.Order, true
	}
	if (t.Claim == wire.Taking || t.Claim == wire.Holding) && !g.claims() {
		m.moved(g, m.cfg.Peer)
	}
}

// decide is one round for one group.
func (m *Member) decide(g *group) {
	if m.known && !g.ready && m.unmet(g) == NoReason {
		g.ready = true
		g.fitSince, m.beats.urgent = m.now, true
	}
	switch {
	case g.claims():
		m.serve(g)
	case g.claim == wire.Releasing:
		m.releasing(g)
	default:
		m.idle(g)
	}
}

// unmet is which condition of start is not met: no address before the network
// is there and somebody answers on it, the table is loaded and first results
// are in.
func (m *Member) unmet(g *group) Reason {
	for _, l := range m.lans(g) {
		if !l.Carrier {
			return NoCarrier
		}
		if !l.answers() {
			return NoNeighbour
		}
	}
	switch {
	case !m.facts.Loaded:
		return NoTable
	case !m.facts.Results:
		return NoResults
	}
	return NoReason
}

// lacks says what the first network of g lacks that lacks anything.
func (m *Member) lacks(g *group) string {
	for _, l := range m.lans(g) {
		if text := l.Lacks(); text != "" {
			return text
		}
	}
	return ""
}

// idle is for a group that is not ours.
func (m *Member) idle(g *group) {
	if m.probes(g) {
		m.ask(g)
	} else {
		g.probe.wanted = false
	}
	if g.dumped && g.held.Count > 0 {
		m.found(g)
		return
	}
	t := m.theirs(g)
	if m.voter(g) {
		m.grantIt(g, t)
	}
	if g.grant.beat != 0 {
		if m.now < g.grant.until {
			// What is found free meanwhile may be taken yet.
			g.probe.free = 0
			m.request(g, wire.NoCause)
			m.askVote(g, false)
			m.stay(g, Granted, "granted to %s, which is to take it", m.cfg.PeerName)
			return
		}
		g.grant = grant{}
	}
	if r, text := m.unready(g); r != NoReason {
		m.askVote(g, false)
		m.request(g, wire.NoCause)
		m.stay(g, r, "%s", text)
		g.text = text // for the same reason, but of another network perhaps
		return
	}
	if m.voter(g) {
		g.vote.yes = false // it was for a peer that was silent
		m.askVote(g, false)
		m.withPeer(g, t)
	} else {
		m.request(g, wire.NoCause)
		m.alone(g, t)
	}
}

// unready says why the group is not to be taken now, whoever else holds it.
func (m *Member) unready(g *group) (Reason, string) {
	switch {
	case m.leaving:
		return Ends, "this program is about to end"
	case g.order == wire.Off:
		return IsOff, "an operator ordered off"
	case !g.dumped:
		return NoDump, "the kernel's addresses have not been looked at yet"
	case !g.ready:
		switch r := m.unmet(g); r {
		case NoCarrier, NoNeighbour:
			return r, m.lacks(g)
		case NoTable:
			return NoTable, "the table is not loaded yet"
		}
		return NoResults, "first results are missing"
	case m.peer.state == Unknown:
		return AwaitsPeer, fmt.Sprintf("waiting for a word of %s, until %v after the start", m.cfg.PeerName, m.cfg.InitDead)
	case m.voter(g) && m.now < g.standsOff:
		return StandsOff, fmt.Sprintf("it could not be held here; not again before %v, while %s can", standOff, m.cfg.PeerName)
	}
	return NoReason, ""
}

// found is for a group that is not claimed, but whose addresses the kernel has:
// this program was restarted, or a release was lost, or somebody put them there.
func (m *Member) found(g *group) {
	t := m.theirs(g)
	theirs := t != nil && (t.Claim != wire.Idle || t.Asks != wire.NoCause)
	if !m.voter(g) && m.foundAlone(g) {
		return
	}
	switch {
	case m.leaving:
		m.release(g, GaveEnding, "this program ends")
	case g.order == wire.Off:
		m.release(g, GaveOff, "an operator ordered off")
	case m.peer.state == Unknown:
		m.stay(g, AwaitsPeer, "the kernel has it already; waiting for a word of %s", m.cfg.PeerName)
	case !m.voter(g):
		m.claimAs(g, m.tokenFor(), Kept, "the kernel has it already, and "+m.gone())
	case theirs || g.grant.beat != 0 || m.now < g.standsOff:
		m.release(g, Disowned, "the kernel has it, but it is for %s to hold", m.cfg.PeerName)
	case t.Held > 0 && !m.ahead(g, t):
		m.release(g, Disowned, "the kernels of both have it, and %s is preferred", m.cfg.PeerName)
	default:
		m.claimAs(g, m.tokenFor(), Resumed, fmt.Sprintf("the kernel has it already, and %s does not hold it", m.cfg.PeerName))
	}
}

// foundAlone is found where the witness decides and no live peer has a word: it
// reports whether that is all for now. A kernel that has it for good says that
// the two had agreed to do without the witness.
func (m *Member) foundAlone(g *group) bool {
	if !m.strict() || m.leaving || g.order == wire.Off {
		return false
	}
	m.askVote(g, true)
	switch unknown := m.peer.state == Unknown; {
	case g.given(m.now):
		m.claimAs(g, m.tokenFor(), Kept, "the kernel has it already, and the witness gives it")
	case unknown:
		return false // it waits for a word
	case m.witnessed(g):
		m.release(g, Unvoted, "the kernel has it already, but %s; %s", m.gone(), m.ruled(g))
	case g.held.Lease == wire.Permanent:
		m.absent = true
		return false
	case g.order == wire.Hold:
		return false
	default:
		m.stay(g, NoWitness, "the kernel has it already, but %s; %s", m.gone(), m.ruled(g))
	}
	return true
}

// grantIt answers the peer's request, and forgets a grant that was used or is
// not wanted any more. A grant means: nothing of it is held here, and nothing
// of it will be taken here before the grant ends.
func (m *Member) grantIt(g *group, t *wire.Group) {
	number := m.peer.beat.Number
	asks := t.Asks != wire.NoCause && t.Claim == wire.Idle
	switch {
	case !asks && number > g.grant.beat:
		g.grant = grant{}
	case asks && number != g.grant.beat && m.knows(g) && g.held.Count == 0 && m.yields(g, t):
		m.request(g, wire.NoCause)
		g.grant = grant{beat: number, until: max(m.peer.heard, m.now) + GrantFor + grantMargin}
		m.beats.urgent = true
	}
}

// yields reports whether the peer's request goes before our own.
func (m *Member) yields(g *group, t *wire.Group) bool {
	if g.asks == wire.NoCause {
		return true
	}
	if mine, theirs := g.asks == wire.ByOperator, t.Asks == wire.ByOperator; mine != theirs {
		return theirs
	}
	return !m.preferred(g, t)
}

// preferred reports whether this node is the preferred one: by priority, then
// by number.
func (m *Member) preferred(g *group, t *wire.Group) bool {
	if g.cfg.Priority != t.Priority {
		return g.cfg.Priority > t.Priority
	}
	return m.cfg.Self < m.cfg.Peer
}

// ahead reports whether this node is to take a free group: by order, then by
// fitness if that differs much, then as preferred.
func (m *Member) ahead(g *group, t *wire.Group) bool {
	if mine, theirs := rank(g.order), rank(t.Order); mine != theirs {
		return mine > theirs
	}
	if d := g.fitness - int(t.Fitness); d >= margin || d <= -margin {
		return d > 0
	}
	return m.preferred(g, t)
}

func rank(o wire.Order) int {
	switch o {
	case wire.Hold:
		return 2
	case wire.Auto, wire.Release:
		return 1
	case wire.Standby, wire.Off:
	}
	return 0
}

// request sets why the group is asked for.
func (m *Member) request(g *group, c wire.Cause) {
	if (g.asks == wire.NoCause) != (c == wire.NoCause) {
		m.beats.urgent = true
		g.askedFrom = m.beats.number + 1
	}
	g.asks = c
}

// withPeer is for a group that a live peer has a word in: it is asked for, or
// not, and taken when it was granted.
func (m *Member) withPeer(g *group, t *wire.Group) {
	if m.stranger(g, t) {
		m.request(g, wire.NoCause)
		return
	}
	if left, ok := m.granted(g, t); ok {
		r, text := m.because(g)
		m.claimAs(g, left, r, text)
		return
	}
	cause, r, text := m.wants(g, t)
	m.request(g, cause)
	m.stay(g, r, "%s", text)
}

// granted reports whether the peer's grant is for our request, and how long it
// is still good.
func (m *Member) granted(g *group, t *wire.Group) (left time.Duration, ok bool) {
	gr := t.Grant
	if g.asks == wire.NoCause || gr.Beat == 0 || gr.Beat < g.askedFrom || gr.Incarnation != uint32(m.cfg.Incarnation) ||
		t.Claim != wire.Idle || !t.Known || t.Held > 0 {
		return 0, false
	}
	sent, ok := m.sentAt(gr.Beat)
	left = sent + GrantFor - m.now
	return min(left, m.cfg.Dead/2), ok && left >= grantLeast
}

func (m *Member) because(g *group) (Reason, string) {
	switch g.asks {
	case wire.ByFailback:
		return TookBack, fmt.Sprintf("failback: this node is preferred, and %s gave it", m.cfg.PeerName)
	case wire.ByGift:
		return TookGift, m.cfg.PeerName + " gave it"
	case wire.ByOperator:
		return TookOrdered, "an operator ordered it, and " + m.cfg.PeerName + " gave it"
	}
	return TookFree, "nobody held it, and " + m.cfg.PeerName + " agreed"
}

// wants says whether and why a group is asked for.
func (m *Member) wants(g *group, t *wire.Group) (wire.Cause, Reason, string) {
	if t.Claim != wire.Idle || t.Held > 0 || !t.Known {
		g.free = false
		return m.wantsHeld(g, t)
	}
	if !g.free {
		g.free, g.freeSince = true, m.now
	}
	waited := m.now - g.freeSince
	switch asked := "nobody holds it: " + m.cfg.PeerName + " was asked to agree"; {
	case g.order == wire.Hold:
		return wire.ByOperator, Asked, asked
	case m.ahead(g, t):
		return wire.ByElection, Asked, asked
	case t.Able && waited < freeWait:
		return wire.NoCause, PeerBetter, m.cfg.PeerName + " is to take it"
	case !t.Able && m.peer.beat.Flags&wire.Ready == 0 && m.preferredThere(g, t) && m.now-m.born < m.cfg.InitDead:
		return wire.NoCause, PeerBetter, m.cfg.PeerName + " is preferred and starts, too"
	default:
		return wire.ByElection, Asked, asked
	}
}

func (m *Member) preferredThere(g *group, t *wire.Group) bool {
	return t.Order != wire.Off && t.Order != wire.Standby && !m.preferred(g, t)
}

// wantsHeld is wants of a group that the peer holds.
func (m *Member) wantsHeld(g *group, t *wire.Group) (wire.Cause, Reason, string) {
	asked := m.cfg.PeerName + " was asked for it"
	switch {
	case g.order == wire.Hold:
		return wire.ByOperator, Asked, asked
	case !m.able(g) || g.order == wire.Standby:
	case t.Gives || t.Claim == wire.Releasing:
		return wire.ByGift, Asked, asked
	case g.cfg.Failback == FailbackOff || g.cfg.Priority <= t.Priority || g.order != wire.Auto || t.Order == wire.Hold:
	case t.Claim != wire.Holding || g.fitness+margin <= int(t.Fitness):
	case m.frozen(g) || t.Frozen:
		return wire.NoCause, IsFrozen, "no failback: " + m.tooOften(g)
	case !m.facts.Synced:
		return wire.NoCause, AwaitsSync, "failback waits for the copy of the connections"
	case g.cfg.Failback == FailbackAfter && m.now-max(g.fitSince, m.peer.since) < g.cfg.After:
		return wire.NoCause, AwaitsStable, fmt.Sprintf("failback waits until this node was fit for %v", g.cfg.After)
	default:
		return wire.ByFailback, Asked, asked
	}
	return wire.NoCause, PeerHolds, m.cfg.PeerName + " holds it"
}
