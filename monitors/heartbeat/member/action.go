package member

import (
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// Action is what a Member wants done. All are carried out in order and none
// blocks: what is lost is asked for again by what follows from it.
type Action interface{ action() }

// Send is a beat to be sent now, on all links. The Beat is the Member's until
// its next Step.
type Send struct {
	Beat *wire.Beat
	// Goodbye: send it as GOODBYE.
	Goodbye bool
}

// Token is the right to hold a group, or the order to release it: what
// fake.alert acts on. The newest counts. A hold that is older than ValidFor
// permits nothing any more: no address is added or renewed on it, and it is
// looked at before and after.
type Token struct {
	Group string
	Hold  bool
	Epoch uint64
	// ValidFor counts from now.
	ValidFor time.Duration
	// Lease is the lifetime to give to the addresses, 0 for permanent.
	Lease time.Duration
	// Announce: tell the network again whose the addresses are.
	Announce bool
	Reason   string
}

// Probe asks the network who answers for a group's addresses (ARP, NS), on the
// networks it belongs to. The answer is a Probed: as soon as somebody answers,
// and Nobody after Wait.
type Probe struct {
	Group string
	Wait  time.Duration
}

// Report is how a service of this monitor stands: peer, redundancy, role-GROUP,
// or link-NAME. It comes when its Code changes.
type Report struct {
	Service string
	Level   Level
	// Code is one word that changes when the service's state does.
	Code string
	// Summary is a sentence.
	Summary string
}

// Level is how bad a Report is.
type Level uint8

// The levels.
const (
	Good Level = iota
	Warn
	Bad
)

func (l Level) String() string { return [...]string{"ok", "warn", "fail"}[min(l, Bad)] }

// Change is a decision about a group, with its reason. From equals To when it
// is to do nothing, for another reason than before.
type Change struct {
	Group    string
	From, To wire.Claim
	Epoch    uint64
	Reason   Reason
	// Text is the reason in a sentence.
	Text string
}

// Renew says that the peer knows more of this node than it has sent: the
// machine went back to a snapshot, or the peer refuses our incarnation. Draw a
// new incarnation, give it to Sealer.Renew and Session.Renew, and go on.
type Renew struct{}

// AskVote asks the witness for the group; without Want only whether it is there,
// and whose the group is. See wire.Question.
type AskVote struct {
	Group      string
	Epoch      uint64
	Want, Sure bool
	For        time.Duration
}

// Reserve asks that epochs below Before be written to disk. Nothing waits for it.
type Reserve struct{ Before uint64 }

// Done says that the goodbye was said: the program may end.
type Done struct{}

func (Send) action()    {}
func (Token) action()   {}
func (Probe) action()   {}
func (Report) action()  {}
func (Change) action()  {}
func (Renew) action()   {}
func (AskVote) action() {}
func (Reserve) action() {}
func (Done) action()    {}
