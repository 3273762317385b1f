package member

import (
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// leastPause is how late a Tick must be before it counts as a pause: less is
// how a busy machine is.
const leastPause = 20 * time.Millisecond

// settled is how long after a pause what waited in sockets has surely been read.
const settled = time.Second

// notice moves the time on, and sees whether this program stood still.
func (m *Member) notice(e Event, now time.Duration) {
	late := now - m.wake
	m.now = now
	if p, ok := e.(Paused); ok {
		late = max(late, p.For)
	}
	if late > max(m.cfg.Interval, leastPause) {
		m.paused(late)
	}
}

// paused makes up for d in which nothing was read: what the peer sent
// meanwhile is still to be read, so its silence does not count. What it may
// have decided meanwhile is not known either: after half the dead time nothing
// is held on until a beat says that the peer heard us since.
func (m *Member) paused(d time.Duration) {
	m.peer.heard = min(m.now, m.peer.heard+d)
	for i := range m.links {
		l := &m.links[i]
		l.heard, l.hearsSince = min(m.now, l.heard+d), min(m.now, l.hearsSince+d)
	}
	for _, g := range m.groups {
		g.probe, g.stream = probe{}, m.now
	}
	m.beats.urgent, m.beats.next, m.woke = true, m.now, m.now
	if d >= m.cfg.Dead/2 && (m.peer.state == Alive || m.peer.state == Suspect) && m.serves() {
		m.doubt = m.beats.number + 1
		m.beats.answer = true
	}
}

// serves reports whether this node has any group.
func (m *Member) serves() bool {
	for _, g := range m.groups {
		if g.claim == wire.Taking || g.claim == wire.Holding {
			return true
		}
	}
	return false
}
