package member

import (
	"cmp"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// Event is what a Member is told.
type Event interface{ event() }

// Tick says that time went on. It is due at [Member.Wake].
type Tick struct{}

// Heard is a beat that came from the peer and opened. The Member copies what it
// keeps of it.
type Heard struct {
	// Link is the number of the link it came on; -1 for a crossed packet, which
	// is accounted to none.
	Link int
	// Incarnation is the sender's.
	Incarnation uint64
	Beat        *wire.Beat
	// Copy says that another link brought it first.
	Copy bool
	// Goodbye says that it is the sender's last.
	Goodbye bool
}

// Facts are what this machine is like: all of it, each time anything of it
// changed, and at least once a second. They come from this program's own look
// at the kernel, not through the engine, so that a stopped engine or keeper is
// noticed.
type Facts struct {
	LANs []LAN
	// Loaded: the table is in the kernel. Results: every service that counts has
	// a first result. Synced: the copy of the peer's connections is complete.
	Loaded, Results, Synced bool
	// Reals is the share of real servers that are in, 0 to 100.
	Reals int
	// Replica sums up the replicated state.
	Replica uint64
	// Groups in the order of Config.Groups. Fewer say nothing of the others.
	Groups []Held
}

// LAN is one network that clients come from or real servers are in.
type LAN struct {
	// Name is for people: its interface, or the address that it is looked for by.
	Name    string
	Carrier bool
	// Neighbour: at least one neighbour answered lately.
	Neighbour bool
	// Gateway: the gateway answered lately. NoGateway: there is none to ask, and
	// any neighbour stands for it.
	Gateway, NoGateway bool
}

// Lacks says in a sentence what it lacks for an address to be taken there, "" for
// nothing.
func (l LAN) Lacks() string {
	switch {
	case !l.Carrier:
		return l.name() + " has no carrier"
	case !l.answers():
		return "nobody answers on " + l.name() + ": neither a gateway nor a station of --neighbour"
	}
	return ""
}

func (l LAN) name() string { return cmp.Or(l.Name, "a network that it needs") }

// answers reports whether anybody answers there.
func (l LAN) answers() bool { return l.Neighbour || l.Gateway && !l.NoGateway }

// Held is what a dump of the kernel's addresses says of a group.
type Held struct {
	// Count is how many of the group's addresses are there, whoever put them
	// there; Digest and Traffic are passed on to the peer.
	Count  int
	Digest uint32
	// Lease is when the kernel removes the first of them, on the clock of now; 0
	// for nothing held, wire.Permanent for never.
	Lease   time.Duration
	Traffic int
}

// Probed is what became of a Probe.
type Probed struct {
	Group string
	// Asked is when the question was sent, on the clock of now.
	Asked  time.Duration
	Answer Answer
	// Unproven is, where Nobody answered, a network on which no gateway and no
	// neighbour did so either that was asked in the same time, "" for none.
	Unproven string
}

// Answer is who answers for an address on the network.
type Answer uint8

// The answers.
const (
	Nobody   Answer = iota // nobody, in the time that one answer may take
	ByPeer                 // one of the peer's hardware addresses
	ByRival                // somebody else
	Unlooked               // the question could not be sent: it says nothing
)

// Ordered is an operator's order for a group, "" for all.
type Ordered struct {
	Group string
	Order Order
}

// Order is what an operator can order.
type Order uint8

// The orders.
const (
	OrderAuto    Order = iota // the rules decide
	OrderHold                 // take it from the peer and keep it
	OrderRelease              // give it to the peer once; then the rules decide
	OrderStandby              // hold it only if the peer is dead
	OrderOff                  // hold it never
)

// Paused says that this program, or the whole machine, stood still. A Tick that
// comes late says the same; this is for what the caller learns otherwise.
type Paused struct{ For time.Duration }

// Configured is another configuration. Self, Peer and Incarnation stay. Validate
// it first: one that is not valid changes nothing.
type Configured struct{ Config Config }

// Stopping says that the program is to end. Release all, wait for the dump to
// confirm it, say goodbye; then comes the action Done. Keep ends in silence:
// addresses stay as long as their lease. A second Stopping says goodbye at once.
// Orphaned: no token goes anywhere any more; the keeper, which knows it too,
// removes by itself what is leased.
type Stopping struct{ Keep, Orphaned bool }

// Voted is the witness's answer to an AskVote. No answer for the dead time, and
// the witness counts as silent.
type Voted struct {
	Group string
	// Asked is when the question was sent, on the clock of now; For how long the
	// vote lasts from then.
	Asked time.Duration
	Yes   bool
	For   time.Duration
	// Undecided, Refused, Whose, Epoch and Left are those of wire.Vote.
	Undecided, Refused bool
	Whose              wire.Node
	Epoch              uint64
	Left               time.Duration
}

// Reserved says that epochs below Before may be used: they are on disk.
type Reserved struct{ Before uint64 }

func (Tick) event()       {}
func (Heard) event()      {}
func (Facts) event()      {}
func (Probed) event()     {}
func (Ordered) event()    {}
func (Paused) event()     {}
func (Configured) event() {}
func (Stopping) event()   {}
func (Voted) event()      {}
func (Reserved) event()   {}
