package member

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// PeerState is what is known of the peer.
type PeerState uint8

// The states.
const (
	Unknown PeerState = iota // not a word since this node started, and initdead is not over
	Alive
	Suspect // late: whoever answers for its addresses is being asked
	Dead    // silent on all links for its dead time
	Left    // it said goodbye
)

func (s PeerState) String() string {
	return [...]string{"unknown", "alive", "suspect", "dead", "left"}[min(s, Left)]
}

// peer is the other director, as its newest beat has it.
type peer struct {
	state       PeerState
	since       time.Duration
	incarnation uint64
	// heard is when its newest beat came, moved on by pauses of our own.
	heard time.Duration
	// beat is its newest; Number 0 for none.
	beat wire.Beat
	// hears: it said that it hears us, on one link at least. deaf is since when
	// it has not.
	hears bool
	deaf  time.Duration
	// acked is when the newest beat of ours was sent that it said it heard.
	acked time.Duration
	// touch is when this node sent the newest of what the peer's opinion of it can
	// rest on: acked, or the start of the peer's incarnation.
	touch time.Duration
	// differs is since how many beats its configuration is another than ours.
	differs int
	// unlike is since when it knows other words of operators than this node; 0 for
	// not.
	unlike time.Duration
}

// deadAfter is after how much silence the peer is dead: as it says itself.
func (m *Member) deadAfter() time.Duration {
	if m.peer.beat.Number == 0 {
		return m.cfg.InitDead
	}
	b := &m.peer.beat
	return min(max(b.Dead, leastBeats*b.Interval, MinDead), MaxDead)
}

// suspectAfter is after how much silence the network is asked whether the peer's
// kernel still answers: late enough that the peer has stopped adding addresses
// (validFor), and soon enough to know by deadAfter.
func (m *Member) suspectAfter() time.Duration {
	dead := m.deadAfter()
	if m.peer.beat.Number == 0 {
		return max(dead-m.cfg.Dead/2, dead/2)
	}
	return dead * 3 / 5
}

// probeEvery is the time between two questions.
func (m *Member) probeEvery() time.Duration {
	return min(max(m.cfg.Dead/10, 5*time.Millisecond), 50*time.Millisecond)
}

// probeWait is how long an answer may take: short enough for the questions that
// it needs between late and dead.
func (m *Member) probeWait() time.Duration {
	return min(max((m.deadAfter()-m.suspectAfter())/(unanswered+1), 3*time.Millisecond), 40*time.Millisecond)
}

// voter reports whether the peer has a word in what happens to g: it is alive,
// and has the group.
func (m *Member) voter(g *group) bool {
	return (m.peer.state == Alive || m.peer.state == Suspect) && m.theirs(g) != nil
}

// theirs is how the peer stands to g, as far as it said.
func (m *Member) theirs(g *group) *wire.Group { return m.peer.beat.Group(g.id) }

// judge says what the peer's silence means.
func (m *Member) judge() {
	silent, was := m.now-m.peer.heard, m.peer.state
	switch {
	case was == Left || was == Dead:
		return
	case silent >= m.deadAfter():
		m.become(Dead)
		m.doubt = 0
	case was == Unknown:
	case silent >= m.suspectAfter():
		m.become(Suspect)
	default:
		m.become(Alive)
	}
}

func (m *Member) become(s PeerState) {
	if m.peer.state == s {
		return
	}
	m.peer.state, m.peer.since = s, m.now
	if s == Dead {
		m.beats.urgent = true
	}
	if s == Alive || s == Suspect { // only what is asked from now on counts
		for _, g := range m.groups {
			g.probe = probe{}
		}
	}
}

// hear takes in a beat. Only one that is newer than all before says anything of
// roles, and of the peer's life.
func (m *Member) hear(e Heard) {
	if e.Incarnation != m.peer.incarnation {
		m.restarted(e.Incarnation)
	}
	if e.Link >= 0 && e.Link < len(m.links) {
		m.account(uint8(e.Link), e.Beat)
	}
	if e.Copy || e.Beat.Number <= m.peer.beat.Number {
		return
	}
	p := &m.peer
	was := p.state
	p.heard = m.now
	copyBeat(&p.beat, e.Beat)
	m.echoes()
	m.compare()
	m.agree()
	if e.Beat.Flags&wire.Answer != 0 {
		m.beats.urgent = true
	}
	if e.Goodbye {
		m.become(Left)
	} else {
		m.become(Alive)
	}
	if was == Dead || was == Unknown || was == Left {
		m.beats.urgent = true
	}
	for _, g := range m.groups {
		if t := m.theirs(g); t != nil {
			m.learn(g, t)
		}
	}
}

// copyBeat makes dst a copy of src in its own memory.
func copyBeat(dst, src *wire.Beat) {
	links, groups := dst.Links[:0], dst.Groups[:0]
	*dst = *src
	dst.Links = append(links, src.Links...)
	dst.Groups = append(groups, src.Groups...)
	for i := range dst.Groups {
		dst.Groups[i].Addresses = nil
	}
}

// restarted forgets what the last incarnation of the peer said.
func (m *Member) restarted(incarnation uint64) {
	m.peer.incarnation, m.peer.beat, m.peer.hears, m.peer.deaf, m.peer.acked = incarnation, wire.Beat{}, false, m.now, 0
	m.peer.touch = m.now
	for i := range m.links {
		m.links[i].fresh()
	}
	for _, g := range m.groups {
		g.grant, g.asks, g.lastGranted = grant{}, wire.NoCause, 0
	}
}

// echoes reads what the peer says of our own beats.
func (m *Member) echoes() {
	p, heard := &m.peer, false
	for i := range p.beat.Links {
		l := &p.beat.Links[i]
		if int(l.Link) >= len(m.links) {
			continue
		}
		own := &m.links[l.Link]
		if own.hears != l.Hears || !own.told {
			own.hears, own.hearsSince, own.told = l.Hears, m.now, true
		}
		if deaf := !l.Hears && m.now-own.hearsSince >= oneWayFor; deaf != own.oneWay {
			own.oneWay, m.reportAt = deaf, m.now
		}
		heard = heard || l.Hears
		if l.Last > m.beats.number {
			m.renew()
			continue
		}
		if m.doubt != 0 && l.Last >= m.doubt {
			m.doubt = 0
		}
		if sent, ok := m.sentAt(l.Last); ok && l.Last > own.echoed {
			own.echoed, p.acked = l.Last, max(p.acked, sent)
			p.touch = max(p.touch, sent)
			if m.now-m.woke > settled { // else it waited in our socket
				own.measure(m.now - sent - l.Ago)
			}
		}
	}
	if heard || p.hears {
		p.deaf = m.now
	}
	p.hears = heard
	if m.now-p.deaf > max(renewAfter, 3*m.cfg.Dead) {
		m.renew()
	}
}

// renewAfter is for how long the peer may not hear us, while we hear it, before
// we try another incarnation; and the least time between two.
const renewAfter = 10 * time.Second

func (m *Member) renew() {
	if m.now-m.renewed >= renewAfter {
		m.renewed = m.now
		m.do(Renew{})
	}
}

// sentAt is when the beat of that number was sent.
func (m *Member) sentAt(number uint32) (time.Duration, bool) {
	if number == 0 || number > m.beats.number || m.beats.number-number >= sentRing {
		return 0, false
	}
	return m.beats.sent[number%sentRing], true
}

// compare counts for how many beats the configurations differ.
func (m *Member) compare() {
	if b := &m.peer.beat; b.ConfigHash == m.cfg.Hash && b.ConfigVersion == m.cfg.Version {
		m.peer.differs = 0
	} else {
		m.peer.differs++
	}
	switch ours, theirs := m.facts.Replica, m.peer.beat.Replica; {
	case ours == theirs || ours == 0 || theirs == 0:
		m.peer.unlike = 0
	case m.peer.unlike == 0:
		m.peer.unlike = m.now
	}
}

// silence says how long the peer was silent and where.
func (m *Member) silence() string {
	names := make([]string, len(m.cfg.Links))
	for i, l := range m.cfg.Links {
		names[i] = l.Name
	}
	return fmt.Sprintf("%s silent %v on %s", m.cfg.PeerName, (m.now - m.peer.heard).Round(time.Millisecond), strings.Join(slices.Clip(names), ", "))
}
