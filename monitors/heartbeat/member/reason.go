package member

// Reason says why a group is as it is. Its order is that of stored histories
// and is only ever appended to.
type Reason uint8

// The reasons.
const (
	NoReason Reason = iota
	// Why it is not taken.
	NoDump        // the kernel's addresses are not known yet
	NoCarrier     // a network it needs has no carrier
	NoNeighbour   // nobody answers on a network it needs
	NoTable       // the table is not loaded
	NoResults     // first results are missing
	AwaitsPeer    // the peer has not said a word, and initdead is not over
	PeerHolds     // the peer holds it
	PeerBetter    // the peer is preferred
	Asked         // the peer was asked for it
	Granted       // it was granted to the peer
	StandsOff     // it could not be held a moment ago
	IsOff         // an operator ordered off
	Ends          // this program ends
	Isolated      // the peer is silent, and so is the gateway
	Probing       // the peer is silent; who answers for it is being asked
	KernelServes  // the peer is silent, but its kernel answers
	RivalServes   // somebody else answers
	NoVote        // the witness has not given it to us
	AwaitsSync    // failback waits for the copy of the connections
	AwaitsStable  // failback waits until this node was fit for long enough
	PeerSuspected // the peer is late
	// Why it was taken.
	TookFree    // nobody held it, the peer agreed
	TookBack    // failback
	TookGift    // the peer gave it
	TookOrdered // an operator ordered it
	TookDead    // the peer is dead
	TookLeft    // the peer said goodbye
	TookAlone   // the peer has no such group
	Resumed     // the kernel held it already, the peer agrees
	Kept        // the kernel held it already, the peer is dead
	// Why it stays.
	Serves      // it is held
	ServesAlone // it is held, the peer could not take it
	Gives       // the peer is to ask for it
	InDoubt     // this machine stood still and waits for the peer's word
	IsFrozen    // it changed hands too often
	// Why it is released.
	GaveAsked   // the peer asked for it
	GaveWay     // both served, the peer has the better claim
	GaveEnding  // this program ends
	GaveOff     // an operator ordered off
	GaveUp      // its addresses could not be added
	Lost        // its addresses are gone
	Disowned    // its addresses are there, but the peer holds it
	Unvoted     // the witness gave it away, or has gone
	Forgotten   // the configuration does not name it any more
	ReleaseDone // the dump says that it is released
	NoWitness   // not taken: peer and witness are silent
	reasons
)

// Word is the reason in one or two words.
func (r Reason) String() string {
	if r >= reasons {
		return "unknown"
	}
	return words[r]
}

// words is indexed by Reason and never changed.
var words = [reasons]string{
	"none", "no dump", "no carrier", "no neighbour", "no table", "no results", "awaits peer", "peer holds", "peer better",
	"asked", "granted", "stands off", "off", "ends", "isolated", "probing", "kernel serves", "rival serves", "no vote",
	"awaits sync", "awaits stable", "peer suspected",
	"took free", "took back", "took gift", "took ordered", "took dead", "took left", "took alone", "resumed", "kept",
	"serves", "serves alone", "gives", "in doubt", "frozen",
	"gave asked", "gave way", "gave ending", "gave off", "gave up", "lost", "disowned", "unvoted", "forgotten", "released",
	"no witness",
}
