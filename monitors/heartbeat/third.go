package heartbeat

import (
	"errors"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/link"
	"github.com/mondhq/mond/monitors/heartbeat/member"
	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/plugins/role/boottime"
)

// third is a director's way to the witness. It belongs to the goroutine of
// Elect. Its session and its incarnation are its own: what it says and hears is
// no business of the pair's links.
type third struct {
	*channel
	// ask are the questions of this step; number counts the packets, sent is when
	// each of the last went out.
	ask    []wire.Question
	number uint32
	sent   [64]time.Duration
	votes  []wire.Vote
	groups map[uint16]string
}

// newThird makes the way to the witness, nil if there is none.
func newThird(h *heart, keys *wire.Keys) *third {
	nodes := h.witness.nodes()
	if len(nodes) == 0 {
		return nil
	}
	id := wire.Identity{Cluster: h.cluster, Self: wire.Node(h.self), Incarnation: draw()}
	return &third{channel: newChannel(id, nodes[0], keys, wire.NewSealer(id, keys), h.witness)}
}

// name notes which groups there are.
func (t *third) name(groups []member.Group) {
	if t == nil {
		return
	}
	t.groups = map[uint16]string{}
	for _, g := range groups {
		t.groups[wire.GroupHash(g.Name)] = g.Name
	}
}

// want adds a question to the next packet.
func (t *third) want(a member.AskVote) {
	if t == nil || len(t.ask) == wire.MaxGroups {
		return
	}
	t.ask = append(t.ask, wire.Question{Group: wire.GroupHash(a.Group), Epoch: a.Epoch, Want: a.Want, Sure: a.Sure, For: a.For})
}

// flush sends the questions of a step in one packet. The vote counts from before
// it is sent.
func (t *third) flush() {
	if t == nil || len(t.ask) == 0 {
		return
	}
	t.reply()
	t.number++
	t.sent[t.number%uint32(len(t.sent))] = boottime.Now()
	t.body = t.body[:0]
	for _, q := range t.ask {
		q.Number = t.number
		t.body = q.Append(t.body)
	}
	t.ask = t.ask[:0]
	t.send(wire.KindAskVote)
}

// hear opens a packet that came, and tells of each vote in it.
func (t *third) hear(i uint8, data []byte, tell func(member.Event)) {
	o, ok := t.open(i, data, wire.KindVote)
	if !ok {
		return
	}
	votes, ok := wire.DecodeVotes(t.votes, o.Body)
	t.votes = votes
	if !ok {
		return
	}
	for _, v := range votes {
		group, known := t.groups[v.Group]
		if !known || v.Number > t.number || t.number-v.Number >= uint32(len(t.sent)) {
			continue
		}
		tell(member.Voted{
			Group: group, Asked: t.sent[v.Number%uint32(len(t.sent))], Yes: v.Yes, For: v.For, Undecided: v.Undecided, Refused: v.Refused,
			Whose: v.Whose, Epoch: v.Epoch, Left: v.Left,
		})
	}
}

// renew begins another incarnation: this machine went back to a snapshot.
func (t *third) renew() {
	if t == nil {
		return
	}
	n := draw()
	t.sealer.Renew(n)
	t.session.Renew(n)
}

func (t *third) rotate(keys *wire.Keys) {
	if t == nil {
		return
	}
	t.sealer.Rotate(keys)
	t.session.Rotate(keys)
}

// errKeys is why packets of the witness are no answer.
var errKeys = errors.New("packets come from it that do not open: the keys or the clusters differ, or somebody forges")

// state is how the ways to the witness stand, as one: what is wrong with all of
// them, or with what comes.
func (t *third) state() *link.State {
	s := t.ways[0].State()
	for _, w := range t.ways[1:] {
		if next := w.State(); !s.Open || s.Err != nil {
			s = next
		}
	}
	if t.forged() {
		s.Err = errKeys
	}
	return &s
}
