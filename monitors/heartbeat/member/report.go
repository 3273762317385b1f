package member

import (
	"fmt"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// reports tells of the services whose state changed.
func (m *Member) reports() {
	for _, r := range m.Reports() {
		if m.last[r.Service] != r.Code {
			m.last[r.Service] = r.Code
			m.do(r)
		}
	}
	m.reportAt = m.now + leastSilence
	for i := range m.links {
		if at := m.links[i].heard + m.linkDead(); at > m.now {
			m.reportAt = min(m.reportAt, at)
		}
	}
}

// Reports is how all services stand now: for reminders, and for who asks.
func (m *Member) Reports() []Report {
	all := []Report{m.peerReport(), m.redundancy()}
	for i := range m.links {
		all = append(all, m.linkReport(i))
	}
	for _, g := range m.groups {
		all = append(all, m.roleReport(g))
	}
	return all
}

func (m *Member) peerReport() Report {
	r := Report{Service: "peer", Code: m.peer.state.String()}
	name := m.cfg.PeerName
	switch m.peer.state {
	case Unknown:
		r.Level, r.Summary = Warn, name+" has not said a word yet"
	case Alive, Suspect:
		r.Code, r.Summary = "alive", name+" is alive"
		if !m.peer.hears && m.now-m.peer.deaf > leastSilence/2 {
			r.Level, r.Code, r.Summary = Bad, "deaf", name+" is alive, but does not hear this node"
		}
	case Dead:
		r.Level, r.Summary = Bad, m.gone()
		if m.serving() {
			r.Code += ", kernel serves"
			r.Summary += "; its kernel still answers for addresses"
		}
	case Left:
		r.Level, r.Summary = Warn, name+" said goodbye"
	}
	return r
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

func (m *Member) linkReport(i int) Report {
	l, name := &m.links[i], m.cfg.Links[i].Name
	r := Report{Service: "link-" + name}
	silent := m.now - l.heard
	switch {
	case m.peer.state == Left:
		r.Level, r.Code, r.Summary = Warn, "left", m.cfg.PeerName+" said goodbye"
	case !l.ever && m.peer.state == Unknown:
		r.Level, r.Code, r.Summary = Warn, "unknown", "nothing was heard on it yet"
	case !l.ever && silent > m.linkDead() || l.ever && silent >= m.linkDead():
		r.Level, r.Code, r.Summary = Bad, "dead", fmt.Sprintf("nothing was heard on it for %v", silent.Round(time.Millisecond))
	case l.told && !l.hears && m.now-l.hearsSince > leastSilence/2:
		r.Level, r.Code, r.Summary = Bad, "one-way", m.cfg.PeerName+" is heard on it, but does not hear this node"
	case l.lossy:
		r.Level, r.Code, r.Summary = Bad, "lossy", fmt.Sprintf("%d %% of the last beats on it were lost", l.loss())
	default:
		r.Code, r.Summary = "ok", fmt.Sprintf("%d %% lost, round trip %v", l.loss(), l.rtt.Round(time.Microsecond))
	}
	return r
}

func (m *Member) redundancy() Report {
	r := Report{Service: "redundancy"}
	good := 0
	for i := range m.links {
		if m.linkReport(i).Level == Good {
			good++
		}
	}
	live := m.peer.state == Alive || m.peer.state == Suspect
	switch cannot := m.cannot(); {
	case !live:
		r.Level, r.Code, r.Summary = Bad, "alone", "there is no other director: "+m.gone()
	case m.peer.differs >= 2:
		r.Level, r.Code = Bad, "config"
		r.Summary = fmt.Sprintf("%s runs another configuration: version %d, here %d", m.cfg.PeerName, m.peer.beat.ConfigVersion, m.cfg.Version)
	case cannot != "":
		r.Level, r.Code, r.Summary = Bad, "unable", fmt.Sprintf("%s could not take %s", m.cfg.PeerName, cannot)
	case good < len(m.links):
		r.Level, r.Code, r.Summary = Bad, "links", fmt.Sprintf("%d of %d links work", good, len(m.links))
	case len(m.links) == 1:
		r.Level, r.Code, r.Summary = Warn, "one link", "there is only one link to "+m.cfg.PeerName
	default:
		r.Code, r.Summary = "ok", fmt.Sprintf("%s could take over, %d links work", m.cfg.PeerName, good)
	}
	return r
}

// cannot names a group of ours that the peer could not take.
func (m *Member) cannot() string {
	for _, g := range m.groups {
		if t := m.theirs(g); g.claims() && (t == nil || !t.Able) {
			return g.cfg.Name
		}
	}
	return ""
}

func (m *Member) roleReport(g *group) Report {
	r := Report{Service: "role-" + g.cfg.Name, Code: g.claim.String(), Summary: g.claim.String() + ": " + g.text}
	bad := func(code string) {
		r.Level, r.Code = Bad, r.Code+", "+code
	}
	switch {
	case g.claims() && g.gone != 0 && m.now-g.since > takeWithin:
		bad("nothing held")
		r.Summary = "holds it, but its addresses are not there"
	case g.claims() && g.healing:
		bad("both")
		r.Summary = m.cfg.PeerName + " holds it, too"
	case g.claim == wire.Releasing && m.now-g.since > takeWithin:
		bad("not released")
	case g.rival:
		bad("rival")
	case g.reason == Isolated || g.reason == RivalServes || g.reason == KernelServes || g.reason == NoVote:
		bad(g.reason.String())
	case m.frozen(g):
		bad("frozen")
		r.Summary += "; it changed hands too often"
	case g.claims() && g.held.Count > 0 && g.held.Count < g.cfg.Total && m.now-g.since > takeWithin:
		r.Level, r.Code = Warn, r.Code+", partly"
		r.Summary = fmt.Sprintf("%d of %d addresses are there", g.held.Count, g.cfg.Total)
	case g.claim == wire.Idle && g.free && m.now-g.freeSince > 2*freeWait:
		bad("free")
		r.Summary = "nobody holds it: " + g.text
	}
	return r
}
