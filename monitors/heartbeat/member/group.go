package member

import (
	"fmt"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

const (
	// GrantFor is how long a grant is good, from when the asker sent the request
	// that it answers, on the asker's clock. The granter keeps to it for
	// grantMargin longer, from when it received the request.
	GrantFor    = 500 * time.Millisecond
	grantMargin = 50 * time.Millisecond
	// grantLeast is what must be left of a grant to begin.
	grantLeast = 20 * time.Millisecond
	// lostAfter is how long a held group may be without any address.
	lostAfter = 300 * time.Millisecond
	// standOff is how long a group is not taken after it could not be held, as
	// long as the peer can.
	standOff = 30 * time.Second
	// releaseWithin is how long an order to release waits for a peer that can.
	releaseWithin = 10 * time.Second
	// freeWait is how long a group may be free before even the node that is not
	// preferred asks for it.
	freeWait = 2 * time.Second
	// margin is by how much fitness must differ to count; FitLeast is what a
	// node must have to take anything from a live peer.
	margin   = 15
	FitLeast = 20
	// reserveAhead is how many epochs are on disk before they are used.
	reserveAhead = 1000
	// unanswered is how many questions in a row nobody may answer before an
	// address counts as free; unansweredAgain is the same where it was answered
	// for during this silence, and unansweredMost where answers were lost besides.
	unanswered      = 2
	unansweredAgain = 4
	unansweredMost  = 12
)

// group is one group's state.
type group struct {
	service string
	cfg     Group
	id      uint16
	claim   wire.Claim
	// since is when claim became what it is.
	since time.Duration
	// epoch is that of our last claim; seen the highest of anybody's.
	epoch, seen uint64
	order       wire.Order
	// theirOrder is the peer's, as its newest beat has it. ordered: an order was
	// given, on either, and the group has not changed hands since.
	theirOrder wire.Order
	ordered    bool
	// releaseBy is until when an order to release holds, 0 for none.
	releaseBy time.Duration

	held   Held
	dumped bool
	// removed: the keeper removed the addresses on our order.
	removed bool
	// gone is since when nothing is held although it should be.
	gone time.Duration
	// ready: the conditions of start were met once.
	ready bool
	// fitness is 0 to 100; fitSince since when it is FitLeast or more, betterAt
	// since when the peer's is better by the margin, 0 for not.
	fitness  int
	fitSince time.Duration
	betterAt time.Duration
	gives    bool

	asks wire.Cause
	// askedFrom is the first beat of ours that asked; freeSince is since when
	// nobody holds the group.
	askedFrom uint32
	freeSince time.Duration
	free      bool

	grant grant
	// lastGranted is the beat of the last grant that went into a beat.
	lastGranted uint32
	probe       probe
	vote        vote
	// cleared: nobody but the two answered for its addresses since this node
	// started, or the peer has held it since.
	cleared bool
	// theirs is when the peer was last heard to hold it.
	theirs time.Duration
	// standsOff is until when it is not taken from a live peer.
	standsOff time.Duration
	// healing: both served, and the peer has not confirmed its release yet.
	healing bool
	rival   bool
	// holder is who held it last; changes are when that changed.
	holder  wire.Node
	changes []time.Duration
	// agreed: the claim began with a live peer's consent.
	agreed bool
	reason Reason
	// text is the reason in a sentence.
	text string
	// token is when the last token was sent, holdTo until when a hold may still
	// be acted on, wherever it is on its way.
	token, holdTo time.Duration
	// tokenAck is what the peer was known to have heard then.
	tokenAck time.Duration
	// stream is since when holds are sent beat by beat.
	stream time.Duration
}

// grant is what we gave: until is how long we keep to it.
type grant struct {
	beat  uint32
	until time.Duration
}

// probe is what is known from asking the network.
type probe struct {
	// wanted: questions are due, at next; from is when the first was due, and
	// only answers to later ones count.
	wanted  bool
	next    time.Duration
	from    time.Duration
	pending bool
	// free is how many questions in a row nobody answered; answer is who answers:
	// nobody only when those are enough.
	free   int
	answer Answer
	// answered is when the last question was answered, or its time was over.
	answered time.Duration
	// ever: somebody answered; lost is how many questions in a row nobody answered
	// before somebody did again, at most, slowest how long an answer took, at most:
	// an eighth less with each later one, so that one hitch is forgotten.
	ever    bool
	lost    int
	slowest time.Duration
	proof   proof
}

// knows reports whether the kernel's dump says all: no token that is still on
// its way can change it.
func (m *Member) knows(g *group) bool {
	return g.dumped && (g.held.Count > 0 || g.removed || m.orphaned || m.now >= g.holdTo)
}

// claims is whether the group is ours, or about to be.
func (g *group) claims() bool { return g.claim == wire.Taking || g.claim == wire.Holding }

// fit works out how well this node could serve g: 0 without carrier, 10 if
// nobody answers, 40 if the gateway does not, else 60 and more with the share
// of real servers that are in.
func (m *Member) fit(g *group) {
	was := g.fitness
	g.fitness = 60 + 40*min(max(m.facts.Reals, 0), 100)/100
	for _, l := range m.lans(g) {
		switch {
		case !l.Carrier:
			g.fitness = 0
		case !l.answers():
			g.fitness = min(g.fitness, 10)
		case !l.Gateway && !l.NoGateway:
			g.fitness = min(g.fitness, 40)
		}
	}
	if (was < FitLeast) != (g.fitness < FitLeast) {
		g.fitSince = m.now
		m.beats.urgent = true
	}
}

// lans are the networks of g. One that the facts do not name has no carrier.
func (m *Member) lans(g *group) []LAN {
	if len(g.cfg.LANs) == 0 {
		return m.facts.LANs
	}
	all := make([]LAN, 0, len(g.cfg.LANs))
	for _, i := range g.cfg.LANs {
		if i < len(m.facts.LANs) {
			all = append(all, m.facts.LANs[i])
		} else {
			all = append(all, LAN{})
		}
	}
	return all
}

// unreached says of the first network of g on which no gateway answers, or, where
// there is none, no neighbour, how that is; "" where all do: then it is the peer
// that is cut off, and not this node.
func (m *Member) unreached(g *group) string {
	for _, l := range m.lans(g) {
		if text := l.Lacks(); text != "" {
			return text
		}
		if !l.Gateway && !l.NoGateway {
			return "no gateway answers on " + l.name()
		}
	}
	return ""
}

// able reports whether g could be held here, of what a live peer asks for.
func (m *Member) able(g *group) bool {
	return g.ready && g.dumped && !m.leaving && g.order != wire.Off && g.fitness >= FitLeast && m.now >= g.standsOff && m.doubt == 0
}

// turn sets the claim, with its reason.
func (m *Member) turn(g *group, to wire.Claim, r Reason, text string) {
	from := g.claim
	if from != to {
		g.since, m.beats.urgent = m.now, true
	}
	if from != to || g.reason != r {
		m.do(Change{Group: g.cfg.Name, From: from, To: to, Epoch: g.epoch, Reason: r, Text: text})
	}
	g.claim, g.reason, g.text = to, r, text
}

// stay gives the reason why nothing changes.
func (m *Member) stay(g *group, r Reason, format string, args ...any) {
	if g.reason == r {
		return
	}
	m.turn(g, g.claim, r, fmt.Sprintf(format, args...))
}

// claimAs makes the group ours. The first token is good for validFor only.
func (m *Member) claimAs(g *group, validFor time.Duration, r Reason, text string) {
	g.epoch = min(max(g.seen+1, m.epoch.floor), wire.MaxEpoch)
	g.seen = g.epoch
	g.asks, g.grant, g.probe, g.gives, g.gone, g.free = wire.NoCause, grant{}, probe{}, false, 0, false
	g.betterAt, g.healing, g.removed = 0, false, false
	if g.epoch+reserveAhead/2 >= m.epoch.reserved {
		m.epoch.reserved = g.epoch + reserveAhead
		m.do(Reserve{Before: m.epoch.reserved})
	}
	to := wire.Taking
	if g.held.Count >= g.cfg.Total {
		to = wire.Holding
	}
	m.turn(g, to, r, text)
	g.stream, g.agreed = m.now, m.voter(g)
	m.moved(g, m.cfg.Self)
	m.tokenize(g, validFor, true)
}

// moved notes that the group changed hands. A change that an operator's order led
// to does not count.
func (m *Member) moved(g *group, to wire.Node) {
	switch {
	case g.holder == 0 || g.holder == to:
	case g.ordered:
		g.ordered = false
	default:
		g.changes = append(g.changes, m.now)
		g.changes = g.changes[max(0, len(g.changes)-64):]
	}
	g.holder = to
}

// orderNow is the order for the group as the peer is to know it.
func (m *Member) orderNow(g *group) wire.Order {
	if g.order == wire.Auto && m.now < g.releaseBy {
		return wire.Release
	}
	return g.order
}

// tooOften says that the group changed hands too often, and which order stands.
func (m *Member) tooOften(g *group) string {
	text := fmt.Sprintf("it changed hands more than %d times in %v and stays where it is, but for orders and a dead peer", m.cfg.MaxChanges, m.cfg.ChangesIn)
	if o := m.orderNow(g); o != wire.Auto {
		text += "; an operator ordered " + o.String()
	}
	return text
}

// frozen reports whether the group changed hands too often.
func (m *Member) frozen(g *group) bool {
	n := 0
	for _, at := range g.changes {
		if m.now-at < m.cfg.ChangesIn {
			n++
		}
	}
	return n > m.cfg.MaxChanges
}

// tokenize sends the right to hold the group.
func (m *Member) tokenize(g *group, validFor time.Duration, announce bool) {
	g.token, g.holdTo, g.tokenAck = m.now, m.now+validFor, m.peer.acked
	m.do(Token{Group: g.cfg.Name, Hold: true, Epoch: g.epoch, ValidFor: validFor, Lease: m.lease(g), Announce: announce, Reason: g.text})
}

// tokenFor is how long a token is good: the engine and the keeper may be late
// by that much.
func (m *Member) tokenFor() time.Duration { return max(3*m.cfg.Interval, time.Second) }

// validFor is how long a token sent now is good. One on which addresses are to
// be added ends before the peer may ask the network whether it may take them:
// half of our dead time after the newest beat that the peer is known to have
// heard. 0 is not at all.
func (m *Member) validFor(g *group) time.Duration {
	if g.held.Count > 0 || !m.voter(g) {
		return m.tokenFor()
	}
	return min(m.tokenFor(), max(m.peer.acked+m.cfg.Dead/2-m.now, 0))
}

// lease is for how long the kernel is to keep the group's addresses: only while
// the peer could take them, asking us or a witness, it is short.
func (m *Member) lease(g *group) time.Duration {
	if m.voter(g) && m.theirs(g).Able || m.strict() {
		return m.cfg.Lease
	}
	return m.cfg.LeaseAlone
}

// release gives the group up; its addresses are still there.
func (m *Member) release(g *group, r Reason, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	g.gives, g.healing, g.betterAt, g.asks, g.removed = false, false, 0, wire.NoCause, false
	m.turn(g, wire.Releasing, r, text)
	m.drop(g)
}

// drop tells the keeper to release.
func (m *Member) drop(g *group) {
	m.do(Token{Group: g.cfg.Name, Epoch: g.epoch, Reason: g.text})
}
