package wire

import "time"

// Question is what a director asks the witness about one group, in the body of
// an ASK-VOTE. A body has as many as the director has groups, at most MaxGroups.
type Question struct {
	// Number counts the director's questions; 0 is none. The answer has it again,
	// and of two that overtook each other it says which is the newer.
	Number uint32
	Group  uint16
	// Epoch is that of the claim.
	Epoch uint64
	// Want: the group is asked for. Without it the director holds nothing of it,
	// and a vote that it had is given back.
	Want bool
	// Sure: the director holds the group rightly while it asks, by a vote of this
	// witness that has not ended or with the other director's consent. Only this
	// is believed by a witness that has just started.
	Sure bool
	// For is how long the vote is to last, from when it was asked for; it takes
	// the place of all that were asked for before.
	For time.Duration
}

// Vote is the witness's answer to one Question, in the body of a VOTE.
type Vote struct {
	Number uint32
	Group  uint16
	// Epoch is the highest that was claimed; a lower claim gets nothing.
	Epoch uint64
	// Yes: the group is the asker's, for For from when it asked.
	Yes bool
	// Undecided: the witness started a short while ago and does not know whose it
	// is. Refused: it has no room for another group.
	Undecided, Refused bool
	// Whose is the node that has the group, Everyone for none; Left for how long
	// from now on nobody else gets it.
	Whose     Node
	For, Left time.Duration
}

const (
	askLength  = 15
	voteLength = 18
)

// Append adds q to a body.
func (q Question) Append(dst []byte) []byte {
	dst, at := open(dst, tlvAsk)
	dst = be.AppendUint32(dst, q.Number)
	dst = be.AppendUint16(dst, q.Group)
	dst = append(dst, bit(q.Want, 0)|bit(q.Sure, 1))
	dst = appendEpoch(dst, q.Epoch)
	return closed(be.AppendUint16(dst, milli(q.For)), at)
}

// Append adds v to a body.
func (v Vote) Append(dst []byte) []byte {
	dst, at := open(dst, tlvVote)
	dst = be.AppendUint32(dst, v.Number)
	dst = be.AppendUint16(dst, v.Group)
	dst = append(dst, bit(v.Yes, 0)|bit(v.Undecided, 1)|bit(v.Refused, 2), byte(v.Whose))
	dst = appendEpoch(dst, v.Epoch)
	dst = be.AppendUint16(dst, milli(v.For))
	return closed(be.AppendUint16(dst, milli(v.Left)), at)
}

func appendEpoch(dst []byte, epoch uint64) []byte {
	epoch = min(epoch, MaxEpoch)
	dst = be.AppendUint16(dst, uint16(epoch>>32))
	return be.AppendUint32(dst, uint32(epoch))
}

func epochOf(v []byte) uint64 { return uint64(be.Uint16(v))<<32 | uint64(be.Uint32(v[2:])) }

func milliseconds(v []byte) time.Duration { return time.Duration(be.Uint16(v)) * time.Millisecond }

// DecodeQuestions reads the questions of a body into list, whose memory is used
// again. It reports false for a body that has none, too many, or two about one
// group.
func DecodeQuestions(list []Question, body []byte) ([]Question, bool) {
	list = list[:0]
	ok := values(body, func(kind byte, v []byte) bool {
		if kind != tlvAsk {
			return true
		}
		if len(v) < askLength || len(list) == MaxGroups {
			return false
		}
		q := Question{
			Number: be.Uint32(v), Group: be.Uint16(v[4:]), Want: v[6]&1 != 0, Sure: v[6]&2 != 0, Epoch: epochOf(v[7:]), For: milliseconds(v[13:]),
		}
		for i := range list {
			if list[i].Group == q.Group {
				return false
			}
		}
		list = append(list, q)
		return q.Number != 0
	})
	return list, ok && len(list) > 0
}

// DecodeVotes is DecodeQuestions for votes. One that is not clear is no yes.
func DecodeVotes(list []Vote, body []byte) ([]Vote, bool) {
	list = list[:0]
	ok := values(body, func(kind byte, v []byte) bool {
		if kind != tlvVote {
			return true
		}
		if len(v) < voteLength || len(list) == MaxGroups {
			return false
		}
		n := Vote{
			Number: be.Uint32(v), Group: be.Uint16(v[4:]), Yes: v[6] == 1, Undecided: v[6]&2 != 0, Refused: v[6]&4 != 0, Whose: Node(v[7]),
			Epoch: epochOf(v[8:]), For: milliseconds(v[14:]), Left: milliseconds(v[16:]),
		}
		for i := range list {
			if list[i].Group == n.Group {
				return false
			}
		}
		list = append(list, n)
		return n.Number != 0
	})
	return list, ok && len(list) > 0
}
