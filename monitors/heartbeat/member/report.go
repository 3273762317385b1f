package member

import (
	"fmt"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// standing is how a service stands: its level and code are worked out with each
// beat, its sentence only when it is told.
type standing struct {
	level Level
	code  string
	text  func() string
}

func good(code, text string) standing { return standing{Good, code, func() string { return text }} }
func warn(code, text string) standing { return standing{Warn, code, func() string { return text }} }
func bad(code, text string) standing  { return standing{Bad, code, func() string { return text }} }

// each goes through all services.
func (m *Member) each(do func(service string, s standing)) {
	do("peer", m.peerStands())
	do("redundancy", m.redundancy())
	if m.cfg.Witness {
		do("witness", m.witnessStands())
	}
	for i := range m.links {
		do(m.links[i].service, m.linkStands(i))
	}
	for _, g := range m.groups {
		do(g.service, m.roleStands(g))
	}
}

// reports tells of the services whose state changed.
func (m *Member) reports() {
	m.each(func(service string, s standing) {
		if m.last[service] != s.code {
			m.last[service] = s.code
			m.do(Report{service, s.level, s.code, s.text()})
		}
	})
	m.reportAt = m.now + time.Second
	for i := range m.links {
		if at := m.links[i].heard + m.linkDead(); at > m.now {
			m.reportAt = min(m.reportAt, at)
		}
	}
}

// Reports is how all services stand now: for reminders, and for who asks.
func (m *Member) Reports() (all []Report) {
	m.each(func(service string, s standing) {
		all = append(all, Report{service, s.level, s.code, s.text()})
	})
	return all
}

// deafFor is for how long the peer may say that it hears us on no link.
const deafFor = 500 * time.Millisecond

func (m *Member) peerStands() standing {
	name := m.cfg.PeerName
	switch m.peer.state {
	case Unknown:
		return warn("unknown", name+" has not said a word yet")
	case Dead:
		if m.serving() {
			return standing{Bad, "dead, kernel serves", func() string { return m.gone() + "; its kernel still answers for addresses" }}
		}
		return standing{Bad, "dead", m.gone}
	case Left:
		return warn("left", name+" said goodbye")
	}
	if !m.peer.hears && m.now-m.peer.deaf > deafFor {
		return bad("deaf", name+" is alive, but does not hear this node")
	}
	return good("alive", name+" is alive")
}

// serving reports whether a silent peer's kernel answers for a group.
func (m *Member) serving() bool {
	for _, g := range m.groups {
		if g.claim == wire.Idle && g.probe.answer == ByPeer {
			return true
		}
	}
	return false
}

func (m *Member) linkStands(i int) standing {
	l := &m.links[i]
	silent := m.now - l.heard
	switch {
	case m.peer.state == Left:
		return warn("left", m.cfg.PeerName+" said goodbye")
	case !l.ever && m.peer.state == Unknown:
		return warn("unknown", "nothing was heard on it yet")
	case silent >= m.linkDead():
		return standing{Bad, "dead", func() string {
			return fmt.Sprintf("nothing was heard on it for %v", silent.Round(time.Millisecond))
		}}
	case l.oneWay:
		return bad("one-way", m.cfg.PeerName+" is heard on it, but does not hear this node")
	case l.lossy:
		return standing{Bad, "lossy", func() string { return fmt.Sprintf("%d %% of the last beats on it were lost", l.loss()) }}
	}
	return standing{Good, "ok", func() string {
		return fmt.Sprintf("%d %% lost, round trip %v", l.loss(), l.rtt.Round(time.Microsecond))
	}}
}

// unlikeFor is how long the two may know different words of operators before it
// is told: to pass one on takes a moment, and many some seconds.
const unlikeFor = 5 * time.Second

func (m *Member) redundancy() standing {
	works := 0
	for i := range m.links {
		if m.linkStands(i).level == Good {
			works++
		}
	}
	name := m.cfg.PeerName
	switch cannot := m.cannot(); {
	case m.peer.state != Alive && m.peer.state != Suspect:
		return standing{Bad, "alone", func() string { return "there is no other director: " + m.peerStands().text() }}
	case m.peer.differs >= 2:
		return standing{Bad, "config", func() string {
			return fmt.Sprintf("%s runs another configuration: version %d, here %d", name, m.peer.beat.ConfigVersion, m.cfg.Version)
		}}
	case cannot != nil:
		return standing{Bad, "unable", func() string { return fmt.Sprintf("%s could not take %s", name, cannot.cfg.Name) }}
	case works < len(m.links):
		return standing{Bad, "links", func() string { return fmt.Sprintf("%d of %d links work: %s", works, len(m.links), m.badLinks()) }}
	case m.cfg.Witness && m.witnessStands().level == Bad:
		return standing{Bad, "witness", func() string { return "there is no witness: " + m.witnessStands().text() }}
	case m.peer.unlike != 0 && m.now-m.peer.unlike >= unlikeFor:
		return warn("operators", name+" does not know the same as this node of what operators ordered, disabled and acknowledged")
	case len(m.links) == 1:
		return warn("one link", "there is only one link to "+name)
	}
	return standing{Good, "ok", func() string { return fmt.Sprintf("%s could take over, %d links work", name, works) }}
}

// badLinks says of the links that do not work which ones they are, and how each is.
func (m *Member) badLinks() string {
	var all []string
	for i := range m.links {
		if s := m.linkStands(i); s.level != Good {
			all = append(all, m.cfg.Links[i].Name+" is "+s.code)
		}
	}
	return strings.Join(all, ", ")
}

// cannot is a group of ours that the peer could not take.
func (m *Member) cannot() *group {
	for _, g := range m.groups {
		if t := m.theirs(g); g.claims() && (t == nil || !t.Able) {
			return g
		}
	}
	return nil
}

// idleThere reports whether the peer is alive and holds nothing of the group.
func (m *Member) idleThere(g *group) bool {
	t := m.theirs(g)
	return m.peer.state == Alive && t != nil && t.Known && t.Claim == wire.Idle && t.Held == 0
}

func (m *Member) roleStands(g *group) standing {
	says := func() string { return g.claim.String() + ": " + g.text }
	wrong := func(level Level, what string, text func() string) standing {
		return standing{level, g.claim.String() + ", " + what, text}
	}
	late := m.now-g.since > m.cfg.TakeWithin/2
	switch {
	case g.claims() && g.gone != 0 && late:
		return wrong(Bad, "nothing held", func() string { return "holds it, but its addresses are not there" })
	case g.claims() && g.healing:
		return wrong(Bad, "both", func() string { return m.cfg.PeerName + " holds it, too" })
	case g.claim == wire.Releasing && late:
		return wrong(Bad, "not released", says)
	case g.rival:
		return wrong(Bad, "rival", says)
	case g.reason == Isolated || g.reason == RivalServes || g.reason == KernelServes || g.reason == NoVote || g.reason == NoWitness:
		return wrong(Bad, g.reason.String(), says)
	case m.frozen(g) && g.reason == IsFrozen:
		return wrong(Bad, "frozen", func() string { return g.claim.String() + ": " + m.tooOften(g) })
	case m.frozen(g):
		return wrong(Bad, "frozen", func() string { return says() + "; " + m.tooOften(g) })
	case g.claims() && g.held.Count > 0 && g.held.Count < g.cfg.Total && late:
		return wrong(Warn, "partly", func() string { return fmt.Sprintf("%d of %d addresses are there", g.held.Count, g.cfg.Total) })
	case g.claim == wire.Idle && g.free && m.now-g.freeSince > 2*freeWait:
		return wrong(Bad, "free", func() string { return "nobody holds it: " + g.text })
	case g.claim == wire.Idle && !g.ready && m.now-g.since > m.cfg.InitDead && m.idleThere(g):
		return wrong(Bad, "free", func() string { return "nobody holds it: " + g.text })
	}
	// the reason is in the code, so that the sentence that is told is that of now
	return standing{Good, g.claim.String() + ", " + g.reason.String(), says}
}
