package member

import (
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// Status is what there is to show.
type Status struct {
	Peer PeerState
	// Since is since when, Silent how long nothing was heard.
	Since, Silent time.Duration
	// Beat is the peer's newest; Number 0 for none. It is the Member's until its
	// next Step.
	Beat   *wire.Beat
	Links  []LinkStatus
	Groups []GroupStatus
	// Witness is how the witness stands, nil where there is none.
	Witness *WitnessStatus
}

// WitnessStatus is how the witness stands to this node.
type WitnessStatus struct {
	// Answered: it did once, Silent ago. Absent: the two do without it.
	Answered, Absent bool
	Silent           time.Duration
	// Groups are its last words of those that it was asked about.
	Groups []VoteStatus
}

// VoteStatus is the witness's last word about a group.
type VoteStatus struct {
	Name string
	// Whose it is, for Left yet; Everyone for nobody's.
	Whose wire.Node
	Left  time.Duration
	// Undecided: it started a short while ago, and does not know yet. Refused: it
	// has no room for it.
	Undecided, Refused bool
	// Ago is when it said so.
	Ago time.Duration
}

// LinkStatus is one link.
type LinkStatus struct {
	Name string
	// Loss of the peer's last beats here, and of ours there, in percent.
	Loss, LossThere int
	RTT             time.Duration
	Silent          time.Duration
	// Hears: the peer hears us on it.
	Hears bool
}

// GroupStatus is one group.
type GroupStatus struct {
	Name    string
	Claim   wire.Claim
	Since   time.Duration
	Epoch   uint64
	Order   wire.Order
	Held    Held
	Fitness int
	Frozen  bool
	Reason  Reason
	Text    string
}

// Status is how all stands now.
func (m *Member) Status() Status {
	s := Status{Peer: m.peer.state, Since: m.peer.since, Silent: m.now - m.peer.heard, Beat: &m.peer.beat}
	for i := range m.links {
		l := &m.links[i]
		there := 0
		if t := m.peer.beat.Link(uint8(i)); t != nil {
			there = int(t.Loss)
		}
		s.Links = append(s.Links, LinkStatus{m.cfg.Links[i].Name, l.loss(), there, l.rtt, m.now - l.heard, l.hears})
	}
	for _, g := range m.groups {
		epoch := g.seen
		if g.claim != wire.Idle {
			epoch = g.epoch
		}
		s.Groups = append(s.Groups, GroupStatus{
			g.cfg.Name, g.claim, g.since, epoch, g.order, g.held, g.fitness, m.frozen(g), g.reason, g.text,
		})
	}
	if m.cfg.Witness {
		s.Witness = m.witnessStatus()
	}
	return s
}

func (m *Member) witnessStatus() *WitnessStatus {
	w, last := &WitnessStatus{Absent: m.absent}, time.Duration(0)
	for _, g := range m.groups {
		v := &g.vote
		if v.heard == 0 {
			continue
		}
		last = max(last, v.heard)
		one := VoteStatus{Name: g.cfg.Name, Whose: v.whose, Undecided: v.undecided, Refused: v.refused, Ago: m.now - v.heard}
		if one.Left = max(v.free-m.now, 0); v.whose == m.cfg.Self {
			one.Left = max(v.until-m.now, 0)
		}
		w.Groups = append(w.Groups, one)
	}
	w.Answered, w.Silent = last != 0, m.now-max(last, m.born)
	return w
}
