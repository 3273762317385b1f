package member

import (
	"fmt"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// freshAnswer is how old the last unanswered question may be.
const freshAnswer = time.Second

// mayHold reports whether the peer's kernel may have the group, as far as the
// peer itself said.
func (m *Member) mayHold(t *wire.Group) bool {
	return m.peer.state != Left || t == nil || !t.Known || t.Held > 0
}

// probes reports whether it is time to ask who answers for the group.
func (m *Member) probes(g *group) bool {
	if g.held.Count > 0 || m.leaving || g.order == wire.Off {
		return false
	}
	switch m.peer.state {
	case Alive:
		return m.theirs(g) == nil
	case Unknown:
		return m.now-m.peer.heard >= m.suspectAfter()
	case Left:
		return m.mayHold(m.theirs(g))
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
		p.pending, p.next = true, m.now+m.probeEvery()
		m.do(Probe{Group: g.cfg.Name, Wait: m.probeWait()})
	}
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
	case Nobody:
		p.free++
		p.answer, p.answered = Nobody, m.now
	case ByPeer, ByRival:
		p.free, p.ever = 0, true
		p.answer, p.answered = e.Answer, m.now
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

// alone is for a group that no live peer has a word in. A peer that said that
// it released is believed. Of a silent one nobody knows whether it is dead or
// this node is cut off, so the network is asked: the witness if there is one,
// else the gateway must answer here; and nobody may answer for the addresses,
// since a peer's kernel that does still serves.
func (m *Member) alone(g *group, t *wire.Group) {
	if !m.mayHold(t) {
		m.claimAs(g, m.tokenFor(), TookLeft, "took over: "+m.gone())
		return
	}
	switch {
	case m.witnessed(g) && !(g.vote.yes && m.now < g.vote.until):
		m.askVote(g, true)
		m.stay(g, NoVote, "%s; the witness has not given it to this node", m.gone())
	case !m.witnessed(g) && !m.reaches(g) && g.order != wire.Hold:
		m.stay(g, Isolated, "%s, but the gateway does not answer here either", m.gone())
	case g.probe.answer == ByPeer:
		m.stay(g, KernelServes, "%s, but its kernel still answers for the addresses%s", m.gone(), m.until(t))
	case g.probe.answer == ByRival && max(m.cfg.Rival, g.cfg.Rival) == Refuse:
		g.rival = true
		m.stay(g, RivalServes, "%s, but a stranger answers for the addresses", m.gone())
	case g.probe.answer == ByRival && g.probe.ever:
		g.rival = true
		m.claimAs(g, m.tokenFor(), TookDead, "took over: "+m.gone()+"; a stranger answers for the addresses")
	case g.probe.free >= g.probe.enough() && m.now-g.probe.answered < freshAnswer:
		m.takeDead(g)
	default:
		m.stay(g, Probing, "%s; asking who answers for the addresses", m.gone())
	}
}

// enough is how many questions in a row nobody may answer: more where somebody
// did before, since questions are lost, too.
func (p *probe) enough() int {
	if p.ever {
		return unansweredAgain
	}
	return unanswered
}

func (m *Member) takeDead(g *group) {
	g.rival = false
	r, text := TookDead, "took over: "+m.gone()+"; probe unanswered"
	if m.peer.state == Alive || m.peer.state == Suspect {
		r = TookAlone
	}
	m.claimAs(g, m.tokenFor(), r, text)
}

// until says how long the peer's kernel will keep the group, if it said so.
func (m *Member) until(t *wire.Group) string {
	if t == nil || t.Lease == wire.Permanent || t.Lease == 0 {
		return ""
	}
	// It may have been renewed once more on a token from before the silence.
	if left := t.Lease + m.tokenFor() - (m.now - m.peer.heard); left > 0 {
		return fmt.Sprintf(", for %v at most", max(left, m.cfg.Lease).Round(100*time.Millisecond))
	}
	return ", longer than its lease"
}

// witnessed reports whether there is a witness, and it answered lately.
func (m *Member) witnessed(g *group) bool {
	return m.cfg.Witness && g.vote.known && m.now-g.vote.at < m.cfg.Dead
}

// askVote asks the witness, if there is one, with each beat.
func (m *Member) askVote(g *group, want bool) {
	if m.cfg.Witness && m.tick() {
		m.do(AskVote{Group: g.cfg.Name, Epoch: max(g.seen+1, m.epoch.floor), Want: want})
	}
}

// tick reports whether a beat is due in this step.
func (m *Member) tick() bool { return m.now >= m.beats.next }
