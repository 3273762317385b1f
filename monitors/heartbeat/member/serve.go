package member

import (
	"fmt"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

const (
	// unfitDwell is how long a node that cannot serve waits before it gives the
	// group, betterDwell how long one that is only worse.
	unfitDwell  = 200 * time.Millisecond
	betterDwell = 3 * time.Second
)

// serve is for a group that is ours.
func (m *Member) serve(g *group) {
	t := m.theirs(g)
	voter := m.voter(g)
	switch {
	case m.leaving:
		m.release(g, GaveEnding, "this program ends")
	case g.order == wire.Off:
		m.release(g, GaveOff, "an operator ordered off")
	case voter && (t.Claim == wire.Taking || t.Claim == wire.Holding) && !m.better(g, t):
		m.release(g, GaveWay, "gave way: both served; %s has epoch %d, this node %d", m.cfg.PeerName, t.Epoch, g.epoch)
	case voter && t.Asks != wire.NoCause && t.Claim == wire.Idle && m.obeys(g, t):
		if g.order == wire.Hold {
			g.order = wire.Auto
		}
		g.releaseBy = 0
		m.release(g, GaveAsked, "%s asked for it: %s", m.cfg.PeerName, t.Asks)
	case m.unvoted(g):
		m.release(g, Unvoted, "%s; %s", m.lost(), m.ruled(g))
	case m.fails(g, t):
	default:
		m.hold(g, t)
	}
}

// better compares two claims: the higher epoch, then where most of the traffic
// goes, then who is fitter, then the lower number.
func (m *Member) better(g *group, t *wire.Group) bool {
	if g.epoch != t.Epoch {
		return g.epoch > t.Epoch
	}
	mine, theirs := min(g.held.Traffic, 65535), int(t.Traffic)
	switch d := g.fitness - int(t.Fitness); {
	case mine > 2*theirs || theirs > 2*mine:
		return mine > theirs
	case d >= margin || d <= -margin:
		return d > 0
	}
	return m.cfg.Self < m.cfg.Peer
}

// obeys reports whether the holder gives the group to the peer that asks. The
// asker has judged by the same rules; what it may not know is looked at again.
func (m *Member) obeys(g *group, t *wire.Group) bool {
	switch t.Asks {
	case wire.ByOperator:
		return true
	case wire.ByGift:
		return g.gives && t.Able
	case wire.ByFailback:
		return t.Able && g.order != wire.Hold && !m.frozen(g)
	}
	return false
}

// fails reports whether the group cannot be held here, and gives it up. If the
// peer can have it, it is left to the peer for a while. If the peer is silent,
// it begins anew with asking the network, since the peer may have begun, too.
// While a live peer cannot have it, the keeper goes on trying.
func (m *Member) fails(g *group, t *wire.Group) bool {
	if !g.dumped {
		return false
	}
	if g.held.Count >= g.cfg.Total && g.claim == wire.Taking {
		m.turn(g, wire.Holding, g.reason, g.text)
	}
	if g.held.Count > 0 {
		g.gone = 0
	} else if g.gone == 0 {
		g.gone = m.now
	}
	// Without a token on its way nobody will add them.
	lost := g.claim == wire.Holding && g.gone != 0 && (m.now >= g.holdTo || m.now-g.gone >= max(lostAfter, 2*m.cfg.Interval))
	late := g.claim == wire.Taking && m.now-g.since >= m.cfg.TakeWithin
	cut := g.claim == wire.Taking && g.held.Count == 0 && g.agreed && !m.voter(g)
	switch able := m.voter(g) && t.Able; {
	case !late && !lost && !cut || m.voter(g) && !able:
		return false
	case able:
		g.standsOff = m.now + standOff
	}
	switch {
	case late:
		m.release(g, GaveUp, "%d of %d addresses are there after %v", g.held.Count, g.cfg.Total, m.cfg.TakeWithin)
	case lost:
		m.release(g, Lost, "its addresses are gone: nobody renews them")
	default:
		m.release(g, GaveUp, "%s was lost before its addresses were there", m.cfg.PeerName)
	}
	return true
}

// hold goes on holding.
func (m *Member) hold(g *group, t *wire.Group) {
	m.heal(g, t)
	gives, why := m.giving(g, t)
	if gives != g.gives {
		g.gives, m.beats.urgent = gives, true
	}
	m.askVote(g, true)
	if g.rival {
		m.ask(g)
	} else {
		g.probe.wanted = false
	}
	switch {
	case m.doubt != 0:
		g.stream = m.now
		m.stay(g, InDoubt, "this machine stood still; waiting for a word of %s", m.cfg.PeerName)
		return
	case g.gives:
		m.stay(g, Gives, "%s is to take it: %s", m.cfg.PeerName, why)
	case g.claim == wire.Taking:
	case m.frozen(g):
		m.stay(g, IsFrozen, "%s", m.tooOften(g))
	case m.voter(g) && t.Able:
		m.stay(g, Serves, "this node holds it, %s could take it", m.cfg.PeerName)
	default:
		m.stay(g, ServesAlone, "this node holds it, %s could not take it", m.cfg.PeerName)
	}
	if m.unrenewed(g) {
		return
	}
	// Each beat, and at once after a doubt: the lease may be about to end. While
	// they are added, also at once when the peer has heard of it again.
	heard := g.held.Count == 0 && m.peer.acked > g.tokenAck
	if d := m.validFor(g); d > 0 && (m.tick() || heard || m.now-g.token >= m.cfg.Interval) {
		m.tokenize(g, d, false)
	}
}

// heal sees to it that after both served the network learns who does: at once,
// and when the peer's release is confirmed.
func (m *Member) heal(g *group, t *wire.Group) {
	other := m.voter(g) && (t.Claim != wire.Idle || t.Held > 0)
	if other == g.healing || g.claim == wire.Taking && other && t.Claim == wire.Idle {
		return
	}
	g.healing = other
	m.beats.urgent = true
	if d := m.validFor(g); d > 0 && m.doubt == 0 {
		m.tokenize(g, d, true)
	}
}

// giving reports whether the peer is to ask for the group, and why.
func (m *Member) giving(g *group, t *wire.Group) (bool, string) {
	if g.releaseBy != 0 && m.now >= g.releaseBy {
		g.releaseBy = 0
	}
	if !m.voter(g) || !t.Able || t.Order == wire.Standby {
		g.betterAt = 0
		return false, ""
	}
	switch {
	case g.order == wire.Standby:
		return true, "an operator ordered standby"
	case g.releaseBy != 0:
		return true, "an operator ordered release"
	case g.order == wire.Hold || m.frozen(g) || int(t.Fitness) < g.fitness+margin:
		g.betterAt = 0
		return false, ""
	case g.betterAt == 0:
		g.betterAt = m.now
	}
	dwell := betterDwell
	if g.fitness < FitLeast {
		dwell = unfitDwell
	}
	why := fmt.Sprintf("it is fit to %d %%, this node to %d %%", t.Fitness, g.fitness)
	if text := m.unreached(g); text != "" {
		why += ": " + text
	}
	return m.now-g.betterAt >= dwell, why
}

// unrenewed reports whether nobody acts on our tokens: engine or keeper are
// stuck, and half of the lease is over. No more of them are sent, so that none
// is on its way any more when the lease ends and the peer takes the group.
func (m *Member) unrenewed(g *group) bool {
	half := m.lease(g) / 2
	return half != 0 && g.held.Count > 0 && g.held.Lease != wire.Permanent && g.held.Lease-m.now < half && m.now-g.stream >= half
}

// releasing waits for the dump that shows that nothing is held any more. Where
// the lease ended, and not the keeper removed the addresses, a token from before
// may still be on its way to it: that one has to grow old first.
func (m *Member) releasing(g *group) {
	switch {
	case g.dumped && g.held.Count == 0 && (g.removed || m.orphaned || m.now >= g.holdTo):
		m.turn(g, wire.Idle, ReleaseDone, "released: "+g.text)
		g.free = false
		m.idle(g)
	case g.reason == GaveAsked && m.peer.state == Dead && !m.leaving && g.order != wire.Off && (!m.strict() || g.given(m.now)):
		m.claimAs(g, m.tokenFor(), Kept, "it was not released yet, and "+m.gone())
	case m.tick():
		m.drop(g)
	}
}
