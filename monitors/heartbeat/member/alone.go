package member

import (
	"fmt"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/monitors/heartbeat/witness"
)

// freshAnswer is how old the last unanswered question may be.
const freshAnswer = time.Second

// mayHold reports whether the peer's kernel may have the group, as far as the
// peer itself said.
func (m *Member) mayHold(t *wire.Group) bool {
	return m.peer.state != Left || t == nil || !t.Known || t.Held > 0
}

// clearAgain is how often the network is asked about a group that nobody holds
// once nobody answered; rivalAgain the same where a stranger answers.
const (
	clearAgain = time.Second
	rivalAgain = 500 * time.Millisecond
	// handedOver is how long after the peer held a group it may take until this
	// node does, without a question.
	handedOver = 2 * time.Second
	// watchRival is how often it is asked whether a stranger has gone that was to
	// be ignored.
	watchRival = 2 * time.Second
)

// probes reports whether it is time to ask who answers for the group: the peer is
// late or silent, or nobody holds the group, and perhaps a third machine does
// (RFC 5227 2.1). While the peer holds it there is nothing to ask.
func (m *Member) probes(g *group) bool {
	if g.held.Count > 0 || m.leaving || g.order == wire.Off {
		return false
	}
	switch t := m.theirs(g); m.peer.state {
	case Alive:
		return t == nil || t.Claim == wire.Idle && t.Held == 0 && (!g.cleared || m.now-g.theirs > handedOver)
	case Unknown:
		return !g.cleared || m.now-m.peer.heard >= m.suspectAfter()
	case Left:
		return m.mayHold(t) || !g.cleared
	}
	return true
}

// ask sends the next question, if it is due.
func (m *Member) ask(g *group) {
	p := &g.probe
	if !p.wanted {
		*p = probe{wanted: true, next: m.now, from: m.now}
	}
	late := m.now-p.next > freshAnswer
	if m.now >= p.next && (!p.pending || late) {
		p.pending, p.next = true, m.now+m.askAgain(g)
		wait := m.probeWait()
		if m.ending(g) {
			wait = m.closely(g)
		}
		m.do(Probe{Group: g.cfg.Name, Wait: p.proof.waits(wait)})
	}
}

// askAgain is the time between two questions: a peer that is silent is waited
// for, a stranger that answers may do so for days.
func (m *Member) askAgain(g *group) time.Duration {
	switch {
	case g.claims():
		return watchRival
	case m.peer.state == Alive && g.cleared:
		return clearAgain
	case m.peer.state == Alive && g.probe.answer == ByRival:
		return rivalAgain
	case m.ending(g):
		return m.closely(g)
	}
	return m.probeEvery()
}

// probed takes in an answer.
func (m *Member) probed(e Probed) {
	g := m.group(e.Group)
	if g == nil || !g.probe.wanted || e.Asked < g.probe.from {
		return
	}
	p := &g.probe
	p.pending = false
	switch e.Answer {
	case Nobody: // until it is enough an answer was lost, and who answered does still
		if !m.counts(g, e) {
			return
		}
		p.free++
		p.answered = m.now
		if p.free >= p.enough() {
			p.answer, g.cleared, g.rival = Nobody, true, false
		}
	case ByPeer, ByRival:
		p.lost, p.slowest = max(p.lost, p.free), max(m.now-e.Asked, p.slowest*7/8)
		p.free, p.ever, p.proof = 0, true, proof{}
		p.answer, p.answered = e.Answer, m.now
		// The peer is no stranger, even if it answers for what it does not hold.
		g.cleared = e.Answer == ByPeer && m.peer.state == Alive
		p.next = min(p.next, m.now+m.askAgain(g))
	}
}

// gone says how the peer went.
func (m *Member) gone() string {
	switch {
	case m.peer.state == Left:
		return m.cfg.PeerName + " said goodbye"
	case m.peer.state != Dead:
		return m.cfg.PeerName + " has no such group"
	case m.peer.beat.Number == 0:
		return fmt.Sprintf("%s did not say a word for %v", m.cfg.PeerName, m.cfg.InitDead)
	}
	return m.silence()
}

// lost says why the peer has no word any more.
func (m *Member) lost() string {
	if m.peer.state == Alive || m.peer.state == Suspect {
		return m.cfg.PeerName + " does not hear this node"
	}
	return m.gone()
}

// stranger reports whether somebody who is neither of the two answers for a
// group that is to be taken for the first time since the start, or whether it is
// not known yet. What the peer held up to now needs no question.
func (m *Member) stranger(g *group, t *wire.Group) bool {
	switch {
	case t.Claim == wire.Holding && t.Held > 0:
		g.cleared, g.rival, g.theirs = true, false, m.now
	case t.Claim != wire.Idle || t.Held > 0 || g.cleared:
	case g.probe.answer == ByRival && m.refuses(g):
		g.rival = true
		m.stay(g, RivalServes, "nobody of the two holds it, but a stranger answers for the addresses")
		return true
	case g.probe.answer == ByRival:
		g.rival = true
	default:
		m.stay(g, Probing, "asking whether a stranger answers for the addresses")
		return true
	}
	return false
}

// refuses is the policy about strangers.
func (m *Member) refuses(g *group) bool { return max(m.cfg.Rival, g.cfg.Rival) == Refuse }

// vacant reports whether the network says that the group may be taken.
func (m *Member) vacant(g *group) bool {
	if g.probe.answer == ByRival {
		return !m.refuses(g) && g.probe.ever
	}
	proved := !g.probe.proof.without || m.deaf(g)
	return g.probe.free >= g.probe.enough() && proved && m.now-g.probe.answered < freshAnswer && !m.early(g)
}

// alone is for a group that no live peer has a word in. A peer that said that
// it released is believed. Of a silent one nobody knows whether it is dead or
// this node is cut off, so the witness must give the group if there is one, else
// the gateway must answer here. And nobody may answer for the addresses, since a
// peer's kernel that does still serves; somebody else must, in the same time
// (proof.go).
func (m *Member) alone(g *group, t *wire.Group) {
	may := m.mayHold(t)
	m.askVote(g, may && m.vacant(g))
	switch {
	case !may && g.cleared:
		m.claimAs(g, m.tokenFor(), TookLeft, "took over: "+m.gone())
	case may && !m.strict() && g.order != wire.Hold && m.unreached(g) != "":
		m.stay(g, Isolated, "%s, but this node may be cut off: %s", m.gone(), m.unreached(g))
	case may && g.probe.proof.blocked():
		m.stay(g, Isolated, "%s, but this node may be cut off: nobody answers on %s", m.gone(), g.probe.proof.on)
	case may && g.probe.answer == ByPeer:
		m.kernelServes(g)
	case g.probe.answer == ByRival && m.refuses(g):
		g.rival = true
		m.stay(g, RivalServes, "%s, but a stranger answers for the addresses", m.gone())
	case !m.vacant(g):
		m.stay(g, Probing, "%s; asking who answers for the addresses", m.gone())
	case may && m.strict() && !g.given(m.now) && (g.order != wire.Hold || m.witnessed(g)):
		m.awaitVote(g)
	case may && m.strict() && m.now < m.fenced():
		m.stay(g, Probing, "%s; it may be releasing", m.gone())
	default:
		m.takeDead(g)
	}
}

// awaitVote says what the witness says.
func (m *Member) awaitVote(g *group) {
	r := NoVote
	if g.vote.heard == 0 || m.now-g.vote.heard >= m.cfg.Dead {
		r = NoWitness
	}
	m.stay(g, r, "%s; %s", m.gone(), m.ruled(g))
}

// fenced is when a silent peer has released that saw no witness: it knew that it
// was not heard at its dead time at the latest.
func (m *Member) fenced() time.Duration {
	if m.peer.state != Dead || m.peer.beat.Number == 0 {
		return 0
	}
	return m.peer.heard + m.deadAfter() + witness.Margin(m.deadAfter())
}

// enough is how many questions in a row nobody may answer: more where somebody
// did before, since questions are lost, too; and where some were lost in a row and
// then one was answered, two more for each of them, within reason.
func (p *probe) enough() int {
	if p.ever {
		return min(unansweredAgain+2*p.lost, unansweredMost)
	}
	return unanswered
}

// takeDead takes what nobody answers for, or only a stranger that is to be
// ignored.
func (m *Member) takeDead(g *group) {
	g.rival = g.probe.answer == ByRival
	r, text := TookDead, "took over: "+m.gone()+"; probe unanswered"
	if m.ending(g) {
		text = "took over: " + m.gone() + "; its lease is over, probe unanswered"
	}
	switch {
	case m.peer.state == Alive || m.peer.state == Suspect:
		r = TookAlone
	case !m.mayHold(m.theirs(g)):
		r = TookLeft
	}
	if g.rival {
		text = "took over: " + m.gone() + "; a stranger answers for the addresses"
	}
	if m.strict() && g.given(m.now) {
		text += "; the witness gave it"
	}
	m.claimAs(g, m.tokenFor(), r, text)
}

// kernelServes is for a group that a silent peer's kernel still answers for. What is
// said of it changes once: when that has lasted longer than a lease.
func (m *Member) kernelServes(g *group) {
	const outlives = ", longer than its lease"
	_, to, leased := m.ends(g)
	over := leased && m.now >= to
	if g.reason == KernelServes && (!over || strings.HasSuffix(g.text, outlives)) {
		return
	}
	text := m.gone() + ", but its kernel still answers for the addresses"
	switch {
	case over:
		text += outlives
	case leased:
		text += fmt.Sprintf(", for %v at most", (to - m.now).Round(100*time.Millisecond))
	}
	m.turn(g, g.claim, KernelServes, text)
}

// tick reports whether a beat is due in this step.
func (m *Member) tick() bool { return m.now >= m.beats.next }
