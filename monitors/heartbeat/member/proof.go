package member

import (
	"slices"
	"time"
)

// That nobody answers for the addresses says something of the peer only if this
// node could be answered just then: a switch may block its own port for a moment,
// carrier and all in place. That the gateway answers does not tell it: it is asked
// every 50 ms, and five of its answers may be missing.
//
// So with each question somebody is asked who answered lately, a gateway or a
// neighbour, on each of the group's networks, as often and for as long. A question
// counts only if that was answered. Each has to be: one proof for all would leave
// room for a port that is blocked right after it. What blocks once spoils one
// question at most that counts, the one in which it begins or ends.
//
//   - Who answers for the proof may be slower than the peer's kernel was. Each
//     question without it makes those that follow it twice as long, until somebody
//     answers for the addresses.
//   - Where nobody answers at all there is nothing that could prove it, and questions
//     count without, as long as that is so: a pair is not to take then ([Isolated]),
//     and a witness or an operator may give the group.

const (
	// longestProof is how long a question gets where the proof is slow: longer than
	// a gateway counts as one that answers, shorter than freshAnswer.
	longestProof = 400 * time.Millisecond
	// stretches is how often a question may double: from 10 ms to longestProof.
	stretches = 6
)

// proof is what is known of this node's own way to the network, as far as it
// concerns the questions for a group.
type proof struct {
	// missing is how many questions in a row nobody answered and nothing proved; on
	// is the network on which the last one was not. stretch is how often questions
	// doubled.
	missing, stretch int
	on               string
	// without: those that were counted last are of a time when there was nobody who
	// could have proved them.
	without bool
}

// counts takes in a question that nobody answered, and reports whether it counts.
func (m *Member) counts(g *group, e Probed) bool {
	p := &g.probe.proof
	without := e.Unproven != "" && m.deaf(g)
	if e.Unproven != "" && !without {
		p.missing, p.on, p.stretch = p.missing+1, e.Unproven, min(p.stretch+1, stretches)
		return false
	}
	if without != p.without {
		g.probe.free = 0
	}
	p.without, p.missing = without, 0
	return true
}

// deaf reports whether there is a network of g on which nobody answers at all.
func (m *Member) deaf(g *group) bool {
	return slices.ContainsFunc(m.lans(g), func(l LAN) bool { return !l.Carrier || !l.answers() })
}

// blocked reports whether this node's own way to the network does not work just
// now: as many questions in a row were not proved as would have been enough.
func (p *proof) blocked() bool { return p.missing >= unansweredAgain }

// waits is how long a question waits that would wait for d.
func (p *proof) waits(d time.Duration) time.Duration {
	return max(d, min(d<<p.stretch, longestProof))
}
