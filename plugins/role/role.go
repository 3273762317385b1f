// Package role is what passes between the program that decides which director
// serves (heartbeat.monitor, an elector), mond, and the program that holds the
// addresses (fake.alert, a holder): the lines that say what is to be held, the
// site as mond sees it, the tokens that permit to hold, and how a group stands.
//
// It imports the standard library only. Its instants are of CLOCK_BOOTTIME,
// counted as a [time.Duration] since the machine started (plugins/role/boottime
// reads it): one clock for all programs of a machine, which goes on while the
// machine sleeps and which nobody sets. So a token that lay in the buffer of a
// program that stood still is as old as it is.
package role

import (
	"errors"
	"time"
)

// Line is one declaration of a group of addresses, held all or none: the words
// after a holder's name in mon.cf. Which they are, [ParseGroup] says.
type Line struct {
	Group string
	Args  []string
}

// Token is the right to hold a group, or the order to release it. The newest of
// a group counts, and a higher epoch before a newer one.
type Token struct {
	Group string
	Hold  bool
	// Epoch grows with every change of who holds the group.
	Epoch uint64
	// Until is when a hold ends to permit anything: no address is added or
	// renewed after it; a holder looks before and after. A release has no end.
	Until time.Duration
	// Lease is the lifetime to give to the addresses, in whole seconds; 0 for
	// permanent.
	Lease time.Duration
	// Announce: tell the network again whose the addresses are.
	Announce bool
	// Reason is a sentence for people.
	Reason string
}

// Work is what a holder is told: first the Lines, all there are, if Full; then
// the Tokens, in their order, the newest only of each group.
type Work struct {
	Full   bool
	Lines  []Line
	Tokens []Token
}

// Stand is how a group stands with a holder: told after each token that changed
// something, after each change by others, and once a second while it is held.
type Stand struct {
	Group string
	// Epoch is that of the token acted on.
	Epoch uint64
	// Held of Total addresses are in the kernel.
	Held, Total int
	// Until is when the kernel removes the first of them; 0 for none held, and
	// [Forever] for permanent ones.
	Until time.Duration
	// Error says what could not be done; "" for nothing.
	Error string
	// Detail is a sentence for people: what was added, sent, put back.
	Detail string
}

// ErrOrphaned is the cause with which a holder's context ends when mond has died.
var ErrOrphaned = errors.New("mond is gone")

// Forever is the Until of addresses that do not expire.
const Forever time.Duration = -1

// Site is what mond tells an elector of this machine: all of it, each time
// anything of it changed. It may be old when mond stands still, so nothing in it
// permits to hold anything.
type Site struct {
	// Lines declare the groups, in the order of the file.
	Lines []Line
	// Loaded: the IPVS table is in the kernel (or none is declared). Results:
	// every service that the virtual services count on has a first result.
	Loaded, Results bool
	// Synced: the copy of the peer's connections is complete, or none is kept.
	Synced bool
	// Reals is the share of declared real servers that are in, 0 to 100; 100
	// where none is declared.
	Reals int
	// Replica sums up what both directors should know of their operators
	// (maintenance, drains, weights, what is disabled or acknowledged); 0 for
	// nothing that could be compared.
	Replica uint64
	// Share is all of that, for the other director's mond; nil for nothing. It is
	// never changed, another takes its place.
	Share *Share
	// Version and Hash name the configuration as both should have it.
	Version uint32
	Hash    uint64
	// Orders are those of operators that stand.
	Orders []Order
	// Orphaned: mond has died. What is said from now on reaches nobody but the
	// peer. It comes with Leaving, from within the elector's process.
	Orphaned bool
	// Leaving: mond ends. The elector releases, says goodbye and ends; with
	// Keep it ends in silence and addresses stay as long as their lease.
	Leaving, Keep bool
}

// Share is what mond tells the mond of the other director, which an elector
// carries and does not look into.
type Share struct {
	// Parcels are of use each without the others, those that matter most first. Each
	// has at most [MaxParcel] bytes.
	Parcels [][]byte
}

// MaxParcel is how long a parcel may be, in bytes.
const MaxParcel = 128 << 10

// Shared is what an elector tells mond of sharing: which director this is, and a
// parcel of the other one's mond. Without a parcel it says only the former.
type Shared struct {
	// Node is this director's number, above 0; Name is for people.
	Node   uint8
	Name   string
	Parcel []byte
}

// Order is what an operator ordered for a group.
type Order struct {
	// Group is "" for all.
	Group string
	Verb  Verb
	// Serial tells a new order from one that was told before.
	Serial uint64
}

// Verb is what an operator can order.
type Verb string

// The orders. Release happens once; the others stand until another comes.
const (
	Auto    Verb = "auto"    // the rules decide
	Hold    Verb = "hold"    // take it from the peer and keep it
	Release Verb = "release" // give it to the peer, then the rules decide
	Standby Verb = "standby" // hold it only if the peer is dead
	Off     Verb = "off"     // hold it never
)

// Verbs are all of them, for usage texts and checks.
func Verbs() []Verb { return []Verb{Auto, Hold, Release, Standby, Off} }
