package member

import (
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// send sends a beat if one is due, and says whether it did.
func (m *Member) send() bool {
	b := &m.beats
	b.test = m.testing() && m.now-b.latest >= m.testEvery()
	if !m.tick() && !b.test && (!b.urgent || m.now-b.latest < sendGap) {
		return false
	}
	if m.tick() {
		b.next += m.cfg.Interval
		if b.next <= m.now {
			b.next = m.now + m.cfg.Interval
		}
	}
	b.number++
	b.sent[b.number%sentRing], b.latest, b.urgent = m.now, m.now, false
	m.write(&b.beat)
	bye := m.leaving && (m.hurry || m.clear())
	m.do(Send{Beat: &b.beat, Goodbye: bye})
	if bye {
		m.said++
		b.next = m.now + min(m.cfg.Interval, leastPause)
	}
	if m.said >= goodbyes {
		m.done = true
		m.do(Done{})
	}
	return true
}

// clear reports whether nothing is held any more.
func (m *Member) clear() bool {
	for _, g := range m.groups {
		if g.claim != wire.Idle || g.held.Count > 0 {
			return false
		}
	}
	return true
}

// write makes the beat of now.
func (m *Member) write(b *wire.Beat) {
	*b = wire.Beat{
		Number: m.beats.number, Interval: m.cfg.Interval, Dead: m.cfg.Dead, Flags: m.flags(),
		ConfigVersion: m.cfg.Version, ConfigHash: m.cfg.Hash, Replica: m.facts.Replica,
		Links: b.Links[:0], Groups: b.Groups[:0],
	}
	for i := range m.links {
		l := &m.links[i]
		l.sent++
		b.Links = append(b.Links, wire.Link{
			Link: uint8(i), Sent: l.sent, Hears: m.hearsOn(l), Last: l.number, Ago: m.now - l.heard, Loss: uint8(l.loss()),
		})
	}
	for _, g := range m.groups {
		b.Groups = append(b.Groups, m.state(g))
	}
}

func (m *Member) flags() (f wire.Flags) {
	ready := m.known
	for _, g := range m.groups {
		ready = ready && g.ready
		if g.claim == wire.Taking && g.held.Count == 0 {
			f |= wire.Answer
		}
	}
	if ready {
		f |= wire.Ready
	}
	if m.cfg.Witness && !m.missesWitness() {
		f |= wire.Witnessed
	}
	if m.leaving {
		f |= wire.Leaving
	}
	if m.doubt != 0 {
		f |= wire.Doubts | wire.Answer
	}
	if m.peer.state == Dead || m.peer.state == Unknown || m.beats.test {
		f |= wire.Answer
	}
	return f
}

// state is what a beat says of one group.
func (m *Member) state(g *group) wire.Group {
	w := wire.Group{
		Group: g.id, Claim: g.claim, Order: m.orderNow(g), Asks: g.asks, Gives: g.gives, Known: m.knows(g), Able: m.able(g), Frozen: m.frozen(g),
		Priority: g.cfg.Priority, Held: uint8(min(g.held.Count, 255)), Total: uint8(g.cfg.Total), Fitness: uint8(g.fitness),
		Epoch: g.seen, Digest: g.held.Digest, Lease: m.left(g), Traffic: uint16(min(max(g.held.Traffic, 0), 65535)),
	}
	if g.claim != wire.Idle {
		w.Epoch = g.epoch
	}
	if g.grant.beat != 0 && m.now < g.grant.until {
		w.Grant = wire.Grant{Incarnation: uint32(m.peer.incarnation), Beat: g.grant.beat}
	}
	return w
}

// left is how long the kernel keeps the group from now on.
func (m *Member) left(g *group) time.Duration {
	if g.held.Count == 0 || g.held.Lease == wire.Permanent {
		return g.held.Lease * time.Duration(min(g.held.Count, 1))
	}
	return max(g.held.Lease-m.now, time.Millisecond)
}
