package wire

import (
	"net/netip"
	"time"
)

// What a beat has room for: with all of it, and a grant for each group, it
// still fits into MaxBody. Lists of addresses are sent while they fit.
const (
	MaxLinks  = 8
	MaxGroups = 8
)

// MaxEpoch is the highest epoch that a beat can carry: it has 48 bits.
const MaxEpoch = 1<<48 - 1

// Permanent is the Lease of addresses that do not expire.
const Permanent time.Duration = -1

// Flags are of the node as a whole.
type Flags uint16

// The flags.
const (
	// Ready: the table is loaded and first results are in.
	Ready Flags = 1 << iota
	// Leaving: the sender is about to end and takes nothing any more.
	Leaving
	// Answer: the sender wants a beat back at once.
	Answer
	// Doubts: the sender was stopped for long and does not trust what it knew.
	Doubts
	// Witnessed: the sender hears the witness.
	Witnessed
)

// Beat is all that a node says of itself. Every beat is whole, so that no step
// depends on one packet.
type Beat struct {
	// Number counts the beats of this incarnation, from 1.
	Number uint32
	// Interval is the time between beats, Dead after how much silence the
	// sender is to be taken for dead. Whole milliseconds, at most 65 s.
	Interval, Dead time.Duration
	Flags          Flags
	// Config names the loaded configuration.
	ConfigVersion uint32
	ConfigHash    uint64
	// Replica sums up what is replicated (maintenance, drains, weights): equal
	// when both have the same.
	Replica uint64
	Links   []Link
	Groups  []Group
}

// Link is what the sender knows of one link.
type Link struct {
	Link uint8
	// Sent counts the beats that the sender gave this link, with this one. It
	// wraps; its difference is what the receiver should have got.
	Sent uint16
	// Hears says that the sender hears the receiver on this link.
	Hears bool
	// Last is the receiver's newest beat that came on this link, Ago how long
	// before this beat was sent: the receiver knows from them how long the way
	// is. Whole microseconds, at most an hour.
	Last uint32
	Ago  time.Duration
	// Loss is the share of the receiver's beats that did not come, in percent.
	Loss uint8
}

// Claim is how a node stands to a group.
type Claim uint8

// The claims.
const (
	Idle      Claim = iota // it does not want it now
	Taking                 // it has the right to it and adds the addresses
	Holding                // it holds it
	Releasing              // it removes the addresses
	claims
)

func (c Claim) String() string {
	return [...]string{"standby", "taking", "holding", "releasing"}[min(c, claims-1)]
}

// Order is what an operator wants of a node.
type Order uint8

// The orders.
const (
	Auto    Order = iota // the rules decide
	Hold                 // take it and keep it
	Standby              // hold it only if the peer is dead
	Off                  // hold nothing
	Release              // give it once: the rules decide, and the peer knows why
	orders
)

func (o Order) String() string {
	return [...]string{"auto", "hold", "standby", "off", "release"}[min(o, orders-1)]
}

// Cause is why a node asks for a group.
type Cause uint8

// The causes.
const (
	NoCause    Cause = iota // it does not ask
	ByElection              // nobody holds it
	ByFailback              // it is the preferred one and is back
	ByGift                  // the holder wants to give it
	ByOperator              // an operator ordered it
	causes
)

func (c Cause) String() string {
	return [...]string{"no request", "election", "failback", "the holder gives it", "an operator's order"}[min(c, causes-1)]
}

// Group is how the sender stands to one group of addresses.
type Group struct {
	// Group is GroupHash of its name.
	Group uint16
	Claim Claim
	Order Order
	// Asks is not NoCause while the sender asks for the group: a REQUEST, whose
	// nonce is the beat's Number and whose epoch is Epoch+1.
	Asks Cause
	// Gives says that the sender holds it and wants the receiver to ask for it.
	Gives bool
	// Known says that Held, Lease and Digest are from a dump of the kernel's
	// addresses; before the first one a node cannot say that it holds nothing.
	Known bool
	// Able says that the sender could hold it.
	Able bool
	// Frozen says that it changed hands too often and stays where it is.
	Frozen bool
	// Priority: the higher is preferred.
	Priority uint8
	// Held of Total addresses are there, whoever put them there.
	Held, Total uint8
	// Fitness is 0 to 100.
	Fitness uint8
	// Epoch is the claim's own while there is a claim, else the highest known.
	Epoch uint64
	// Digest sums up the addresses held.
	Digest uint32
	// Lease is until when the kernel keeps them, from the sending of this beat:
	// 0 for nothing held, Permanent, or at most 65 s in whole milliseconds.
	Lease time.Duration
	// Traffic is packets a second to the addresses, roughly.
	Traffic uint16
	// Grant answers the receiver's request.
	Grant Grant
	// Addresses are those held, if the list fitted.
	Addresses []netip.Addr
}

// Grant says: the group is yours, I hold none of it and will not take it. It is
// good for the asker's incarnation with that low half, and until a while after
// the asker sent the beat of that number. The zero value is no grant.
type Grant struct {
	Incarnation uint32
	Beat        uint32
}
