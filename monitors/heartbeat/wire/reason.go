package wire

// Reason says why a packet was refused. The zero value is that it was not.
type Reason uint8

// The reasons.
const (
	Taken          Reason = iota
	Truncated             // shorter than a header and a tag
	TooLong               // longer than MaxPacket
	Foreign               // no packet of ours: the magic is another
	OtherVersion          // a version that we do not speak
	UnknownKind           // a kind that we do not know
	OtherCluster          // the hash of the cluster's name is another
	Own                   // we sent it ourselves
	UnknownSender         // from a node that is not the peer
	NotForUs              // for another node
	UnknownKey            // sealed with a key that we do not have
	Forged                // does not open
	Replayed              // taken before
	TooOld                // behind the replay window
	Unproven              // an incarnation that did not answer our challenge yet
	OldIncarnation        // an incarnation that was replaced
	WrongEcho             // answers a challenge that is not ours
	Garbled               // opens, but its body cannot be read
	reasons
)

// words is indexed by Reason and never changed.
var words = [reasons]string{
	Taken:          "taken",
	Truncated:      "truncated",
	TooLong:        "too long",
	Foreign:        "not a packet of heartbeat.monitor",
	OtherVersion:   "another version of the protocol",
	UnknownKind:    "unknown kind",
	OtherCluster:   "of another cluster",
	Own:            "our own",
	UnknownSender:  "from an unknown node",
	NotForUs:       "for another node",
	UnknownKey:     "sealed with a key that is not in the key file",
	Forged:         "does not open: forged, damaged, or the keys differ",
	Replayed:       "replayed",
	TooOld:         "too old",
	Unproven:       "from an incarnation that has not answered the challenge",
	OldIncarnation: "from an incarnation that was replaced",
	WrongEcho:      "answers a challenge that was not sent",
	Garbled:        "opens, but cannot be read",
}

func (r Reason) String() string {
	if r >= reasons {
		return "unknown reason"
	}
	return words[r]
}

// Keys reports whether r says that the two nodes' keys differ, or that somebody
// forges: an alarm, and not the network's noise.
func (r Reason) Keys() bool { return r == Forged || r == UnknownKey }

// Counts are packets, by what became of them.
type Counts [reasons]uint64

// Of is how many packets were refused for r, or taken.
func (c *Counts) Of(r Reason) uint64 {
	if r >= reasons {
		return 0
	}
	return c[r]
}

// Refused is how many packets were refused.
func (c *Counts) Refused() (n uint64) {
	for _, v := range c[Taken+1:] {
		n += v
	}
	return n
}
