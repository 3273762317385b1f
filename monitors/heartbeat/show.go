package heartbeat

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/member"
	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role/boottime"
)

// decisions is how many of the last are shown.
const decisions = 20

// Status is how a pair stands: what Show tells.
type Status struct {
	Node     int    `json:"node"`
	Peer     int    `json:"peer,omitempty"`
	PeerName string `json:"peer_name,omitempty"`
	// State of the peer: unknown, alive, suspect, dead or left, since when, and
	// for how long nothing was heard.
	State  string        `json:"state,omitempty"`
	Since  time.Duration `json:"since,omitempty"`
	Silent time.Duration `json:"silent,omitempty"`
	// At is when this was so, as all instants CLOCK_BOOTTIME in nanoseconds.
	At time.Duration `json:"at"`
	// Incarnation is ours; Heard the peer's.
	Incarnation uint64       `json:"incarnation,omitempty"`
	Heard       uint64       `json:"heard,omitempty"`
	Links       []LinkShown  `json:"links"`
	Groups      []GroupShown `json:"groups"`
	// Witness is what is known of the witness, null where there is none.
	Witness *WitnessShown `json:"witness,omitempty"`
	// Refused are packets that were not taken, by why.
	Refused map[string]uint64 `json:"refused,omitempty"`
	// Decisions are the last ones, oldest first.
	Decisions []Decision `json:"decisions"`
	// Result is how all of it stands.
	Result  string `json:"result"`
	Failing bool   `json:"failing"`
	Detail  string `json:"detail,omitempty"`

	result monitor.Result
}

// LinkShown is one link.
type LinkShown struct {
	Name string `json:"name"`
	Way  string `json:"way"`
	// Hears: the peer hears us on it. Loss of its beats here and of ours there, in
	// percent.
	Hears     bool          `json:"hears"`
	Loss      int           `json:"loss"`
	LossThere int           `json:"loss_there"`
	RTT       time.Duration `json:"rtt"`
	Silent    time.Duration `json:"silent"`
	Open      bool          `json:"open"`
	Carrier   bool          `json:"carrier"`
	Error     string        `json:"error,omitempty"`
	Sent      uint64        `json:"sent"`
	Received  uint64        `json:"received"`
	Dropped   uint64        `json:"dropped,omitempty"`
	Failed    uint64        `json:"failed,omitempty"`
	Overrun   uint64        `json:"overrun,omitempty"`
	Refused   uint64        `json:"refused,omitempty"`
	Opened    uint64        `json:"opened"`
}

// GroupShown is one group.
type GroupShown struct {
	Name    string        `json:"name"`
	Claim   string        `json:"claim"`
	Since   time.Duration `json:"since"`
	Epoch   uint64        `json:"epoch"`
	Order   string        `json:"order"`
	Held    int           `json:"held"`
	Total   int           `json:"total"`
	Lease   time.Duration `json:"lease"`
	Fitness int           `json:"fitness"`
	Frozen  bool          `json:"frozen,omitempty"`
	Reason  string        `json:"reason"`
	Text    string        `json:"text"`
	// Peer is how the peer stands to it, "" if it did not say; HeldByPeer how many
	// of its addresses it has.
	Peer       string `json:"peer,omitempty"`
	HeldByPeer int    `json:"held_by_peer,omitempty"`
}

// WitnessShown is how the witness stands to this director.
type WitnessShown struct {
	// Answered: it did once; Silent is how long ago, or since the start. Absent:
	// the two directors do without it.
	Answered bool          `json:"answered"`
	Silent   time.Duration `json:"silent"`
	Absent   bool          `json:"absent,omitempty"`
	Votes    []VoteShown   `json:"votes"`
}

// VoteShown is the witness's last word about a group.
type VoteShown struct {
	Group string `json:"group"`
	// Node has the group, 0 for nobody, for Left yet.
	Node int           `json:"node"`
	Left time.Duration `json:"left"`
	// Undecided: it started a short while ago; Refused: it has no room.
	Undecided bool `json:"undecided,omitempty"`
	Refused   bool `json:"refused,omitempty"`
	// Ago is when it said so.
	Ago time.Duration `json:"ago"`
}

// Decision is one about a group, also to do nothing.
type Decision struct {
	Group  string        `json:"group"`
	From   string        `json:"from"`
	To     string        `json:"to"`
	Epoch  uint64        `json:"epoch"`
	Reason string        `json:"reason"`
	Text   string        `json:"text"`
	At     time.Duration `json:"at"`
}

// show sums up what there is to show.
func (p *pair) show() {
	m := p.member.Status()
	s := &Status{
		Node: int(p.h.self), Peer: int(p.h.peer), PeerName: p.h.peerName, State: m.Peer.String(), Since: m.Since, Silent: m.Silent,
		At: boottime.Now(), Incarnation: p.sealer.Incarnation(), Heard: p.session.Proven(), Refused: map[string]uint64{}, Decisions: append([]Decision(nil), p.history...),
	}
	for i, l := range m.Links {
		s.Links = append(s.Links, p.shown(i, l))
	}
	for i, g := range m.Groups {
		shown := GroupShown{
			Name: g.Name, Claim: g.Claim.String(), Since: g.Since, Epoch: g.Epoch, Order: g.Order.String(), Held: g.Held.Count,
			Total: len(p.groups[i].Addresses), Lease: g.Held.Lease, Fitness: g.Fitness, Frozen: g.Frozen, Reason: g.Reason.String(), Text: g.Text,
		}
		if t := m.Beat.Group(wire.GroupHash(g.Name)); t != nil {
			shown.Peer, shown.HeldByPeer = t.Claim.String(), int(t.Held)
		}
		s.Groups = append(s.Groups, shown)
	}
	s.Witness = witnessShown(m.Witness)
	counts := p.session.Counts()
	for r := wire.Taken + 1; r <= wire.Garbled; r++ {
		if n := counts.Of(r); n > 0 {
			s.Refused[r.String()] = n
		}
	}
	s.sum(p.voice.last)
	p.h.status.Store(s)
}

func witnessShown(w *member.WitnessStatus) *WitnessShown {
	if w == nil {
		return nil
	}
	out := &WitnessShown{Answered: w.Answered, Silent: w.Silent, Absent: w.Absent}
	for _, v := range w.Groups {
		out.Votes = append(out.Votes, VoteShown{v.Name, int(v.Whose), v.Left, v.Undecided, v.Refused, v.Ago})
	}
	return out
}

func (s *Status) sum(r monitor.Result) {
	s.result, s.Result, s.Failing, s.Detail = r, r.Summary, r.Failing(), r.Detail
}

func (p *pair) shown(i int, l member.LinkStatus) LinkShown {
	w := p.ways[i]
	is := w.State()
	out := LinkShown{
		Name: l.Name, Way: w.Spec().String(), Hears: l.Hears, Loss: l.Loss, LossThere: l.LossThere, RTT: l.RTT, Silent: l.Silent,
		Open: is.Open, Carrier: is.Carrier, Sent: is.Sent, Received: is.Received, Dropped: is.Dropped, Failed: is.Failed,
		Overrun: is.Overrun, Refused: is.Refused, Opened: is.Opened,
	}
	if is.Err != nil {
		out.Error = is.Err.Error()
	}
	return out
}

// Show tells how the pair stands: for people with the topic "", as JSON with
// "heartbeat". One that does not run says nothing.
func (h *heart) Show(_ context.Context, topic string) (string, error) {
	s := h.status.Load()
	switch {
	case topic != "" && topic != "heartbeat":
		return "", fmt.Errorf("nothing is known about %q: the topics are \"\" and \"heartbeat\"", topic)
	case s == nil:
		return "", nil
	case topic == "":
		return s.text(), nil
	}
	text, err := json.Marshal(s)
	return string(text) + "\n", err
}

// text is s for people.
func (s *Status) text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if s.Peer != 0 {
		_, _ = fmt.Fprintf(w, "node %d: %s is %s, since %s; last heard %s ago\n", s.Node, cmp.Or(s.PeerName, fmt.Sprintf("node %d", s.Peer)), s.State, ago(s.At-s.Since), ago(s.Silent))
		_, _ = fmt.Fprintln(w, "LINK\tLOST\tLOST THERE\tROUND TRIP\tHEARS US\tSILENT\tSENT\tRECEIVED\tWAY")
	}
	for i := range s.Links {
		l := &s.Links[i]
		_, _ = fmt.Fprintf(w, "%s\t%d %%\t%d %%\t%v\t%t\t%s\t%d\t%d\t%s %s\n", l.Name, l.Loss, l.LossThere, l.RTT.Round(time.Microsecond), l.Hears, ago(l.Silent), l.Sent, l.Received, l.Way, l.Error)
	}
	if s.Witness != nil {
		_, _ = fmt.Fprintln(w, s.witness())
	}
	_, _ = fmt.Fprintln(w, "GROUP\tHERE\tPEER\tHELD\tEPOCH\tORDER\tFIT\tSINCE\tWHY")
	for i := range s.Groups {
		g := &s.Groups[i]
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d/%d\t%d\t%s\t%d %%\t%s\t%s\n", g.Name, g.Claim, cmp.Or(g.Peer, "-"), g.Held, g.Total, g.Epoch, g.Order, g.Fitness, ago(s.At-g.Since), g.Text)
	}
	_ = w.Flush() // a Builder does not fail
	for _, why := range slices.Sorted(maps.Keys(s.Refused)) {
		fmt.Fprintf(&b, "%d packets refused: %s\n", s.Refused[why], why)
	}
	for _, d := range s.Decisions {
		fmt.Fprintf(&b, "%s ago: %s: %s, epoch %d: %s\n", ago(s.At-d.At), d.Group, d.To, d.Epoch, d.Text)
	}
	return b.String()
}

// witness is the line of the witness.
func (s *Status) witness() string {
	v := s.Witness
	text := "witness: answered " + ago(v.Silent) + " ago"
	if !v.Answered {
		text = "witness: has not answered for " + ago(v.Silent)
	}
	if v.Absent {
		text += "; the two directors do without it"
	}
	for _, g := range v.Votes {
		text += "; " + g.Group + ": " + g.word(s)
		if g.Ago > v.Silent+time.Second {
			text += " (" + ago(g.Ago) + " ago)"
		}
	}
	return text
}

// word is what the witness said.
func (g *VoteShown) word(s *Status) string {
	switch {
	case g.Refused:
		return "refused, it has no room"
	case g.Undecided:
		return "nobody's yet, it has just started"
	case g.Node == 0:
		return "nobody's"
	}
	whose := "this node's"
	if g.Node != s.Node {
		whose = cmp.Or(s.PeerName, fmt.Sprintf("node %d", g.Node)) + "'s"
	}
	if g.Left == 0 {
		return whose + ", and its vote has ended"
	}
	return whose + ", for " + ago(g.Left)
}

// ago is a time as people want it.
func ago(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
