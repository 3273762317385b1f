package member

import (
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

const (
	// sentRing is how many of its own beats a Member remembers the time of.
	sentRing = 256
	// sendGap is the least time between two beats, however urgent.
	sendGap = 2 * time.Millisecond
	// goodbyes is how often the last word is said.
	goodbyes = 3
)

// Member is one director's part of a pair. It is used by one goroutine.
type Member struct {
	cfg    Config
	now    time.Duration
	born   time.Duration
	facts  Facts
	known  bool
	peer   peer
	links  []linkState
	groups []*group
	beats  beats
	out    []Action
	last   map[string]string
	// reportAt is when the next link's silence gets too long.
	reportAt time.Duration
	// woke is when this program went on after a pause.
	woke time.Duration
	// wake is when Step is due next.
	wake time.Duration
	// doubt is the number of the beat that the peer must have heard before this
	// node trusts again what it knew before it stood still; 0 for no doubt.
	doubt uint32
	// absent: the two agreed that there is no witness at present.
	absent bool
	epoch  epochs
	// leaving: release all and say goodbye; silent: say nothing any more.
	// orphaned: no token of ours is on its way, nor will be.
	leaving, silent, hurry, orphaned bool
	said                             int
	done                             bool
	renewed                          time.Duration
}

// beats is what this node sends.
type beats struct {
	number uint32
	sent   [sentRing]time.Duration
	next   time.Duration
	latest time.Duration
	urgent bool
	answer bool
	// test: the beat of now is one that tests a link.
	test bool
	beat wire.Beat
}

type epochs struct{ floor, reserved uint64 }

// New makes a Member that starts now.
func New(cfg Config, now time.Duration) (*Member, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m := &Member{now: now, born: now, wake: now, woke: now - settled, last: map[string]string{}, renewed: now}
	m.beats.next, m.beats.latest = now, now-sendGap
	m.peer.heard, m.peer.since = now, now
	m.configure(cfg)
	m.epoch = epochs{m.cfg.Epoch, m.cfg.Epoch + reserveAhead}
	return m, nil
}

// configure puts cfg in place. Groups keep their state by name; one that is not
// named any more is released.
func (m *Member) configure(cfg Config) {
	if m.cfg.Self != 0 {
		cfg.Self, cfg.Peer, cfg.Incarnation, cfg.Epoch = m.cfg.Self, m.cfg.Peer, m.cfg.Incarnation, m.cfg.Epoch
	}
	old := m.groups
	links := map[string]linkState{}
	for i, l := range m.cfg.Links {
		links[l.Name] = m.links[i]
	}
	m.cfg = cfg.complete()
	m.links, m.groups = make([]linkState, len(m.cfg.Links)), nil
	for i, l := range m.cfg.Links {
		was, ok := links[l.Name]
		if !ok {
			was = linkState{service: "link-" + l.Name, heard: m.now}
		}
		m.links[i] = was
	}
	for _, c := range m.cfg.Groups {
		g := &group{service: "role-" + c.Name, id: wire.GroupHash(c.Name), since: m.now, fitSince: m.now, holdTo: m.now + m.tokenFor()}
		for i, o := range old {
			if o != nil && o.cfg.Name == c.Name {
				g, old[i] = o, nil
			}
		}
		g.cfg = c
		m.groups = append(m.groups, g)
	}
	for _, o := range old {
		if o != nil && o.claim != wire.Idle {
			m.release(o, Forgotten, "it is not configured any more")
		}
	}
}

// Step tells m of one event, and that it is now. now is CLOCK_BOOTTIME, which
// goes on while the machine sleeps; it never goes back. What is to be done
// comes back; the slice and what it points to are m's until the next Step.
func (m *Member) Step(e Event, now time.Duration) []Action {
	m.out = m.out[:0]
	m.notice(e, max(now, m.now))
	m.take(e)
	if m.done || m.silent {
		m.wake = m.now + time.Hour
		return m.out
	}
	m.judge()
	m.listen()
	for _, g := range m.groups {
		m.decide(g)
	}
	if sent := m.send(); sent || m.now >= m.reportAt {
		m.reports()
	}
	m.wake = m.due()
	return m.out
}

// take takes in one event.
func (m *Member) take(e Event) {
	switch e := e.(type) {
	case Heard:
		m.hear(e)
	case Facts:
		m.look(e)
	case Probed:
		m.probed(e)
	case Ordered:
		m.order(e)
	case Configured:
		if e.Config.Validate() == nil {
			m.configure(e.Config)
			m.beats.urgent = true
		}
	case Stopping:
		m.hurry = m.leaving
		m.leaving, m.silent = true, e.Keep && !m.leaving
		m.orphaned = m.orphaned || e.Orphaned
		m.beats.urgent = true
	case Voted:
		m.voted(e)
	case Reserved:
		m.epoch.reserved = max(m.epoch.reserved, e.Before)
	}
}

func (m *Member) group(name string) *group {
	for _, g := range m.groups {
		if g.cfg.Name == name {
			return g
		}
	}
	return nil
}

func (m *Member) do(a Action) { m.out = append(m.out, a) }

// Wake is when a Tick is due, if nothing else happens before. One that comes
// later by more than an interval is taken for a pause of this program.
func (m *Member) Wake() time.Duration { return m.wake }

func (m *Member) due() time.Duration {
	at := m.beats.next
	if m.beats.urgent {
		at = min(at, m.beats.latest+sendGap)
	}
	sooner := func(t time.Duration) {
		if t > m.now {
			at = min(at, t)
		}
	}
	sooner(m.reportAt)
	m.dueTests(sooner)
	sooner(m.peer.heard + m.suspectAfter())
	sooner(m.peer.heard + m.deadAfter())
	for _, g := range m.groups {
		if g.probe.wanted {
			sooner(g.probe.next)
		}
		if g.grant.beat != 0 {
			sooner(g.grant.until)
		}
		sooner(g.holdTo)
		if m.cfg.Witness {
			sooner(g.vote.next)
			sooner(g.vote.until)
			sooner(m.peer.touch + m.cfg.Dead)
			sooner(m.fenced())
		}
	}
	return max(at, m.now)
}

// order takes an operator's order.
func (m *Member) order(e Ordered) {
	for _, g := range m.groups {
		if e.Group != "" && e.Group != g.cfg.Name {
			continue
		}
		g.order, g.releaseBy, g.ordered = wire.Auto, 0, true
		switch e.Order {
		case OrderHold:
			g.order = wire.Hold
		case OrderStandby:
			g.order = wire.Standby
		case OrderOff:
			g.order = wire.Off
		case OrderRelease:
			g.releaseBy = m.now + releaseWithin
		}
		m.beats.urgent = true
	}
}

// look takes in what this machine is like.
func (m *Member) look(f Facts) {
	m.facts, m.known = f, true
	for i, g := range m.groups {
		m.fit(g)
		if i >= len(f.Groups) {
			continue
		}
		if g.held.Count != f.Groups[i].Count || !g.dumped {
			m.beats.urgent = true
		}
		if was := g.held; g.claim == wire.Releasing && was.Count > 0 && f.Groups[i].Count == 0 {
			g.removed = was.Lease == wire.Permanent || m.now < was.Lease
		}
		g.held, g.dumped = f.Groups[i], true
	}
}

// Renewed follows a Renew: packets are sealed with another incarnation now, and
// what was promised to the last one is void.
func (m *Member) Renewed(incarnation uint64) {
	m.cfg.Incarnation = incarnation
	m.beats.number, m.beats.urgent = 0, true
	m.doubt = 0
	for _, g := range m.groups {
		g.asks, g.askedFrom = wire.NoCause, 0
	}
	for i := range m.links {
		m.links[i].echoed = 0
	}
}
