package heartbeat

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestShow(t *testing.T) {
	h, err := configure(enough)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := h.Show(t.Context(), ""); text != "" || err != nil {
		t.Errorf("one that does not run: %q, %v", text, err)
	}
	if _, err := h.Show(t.Context(), "table"); err == nil {
		t.Error("it knows of a table")
	}
	h.status.Store(&Status{
		Node: 1, Peer: 2, State: "alive", At: time.Minute, Links: []LinkShown{{Name: "eth1", Loss: 3, RTT: 250 * time.Microsecond, Way: "eth1=udp:10.0.0.1:6694,10.0.0.2:6694"}},
		Groups:  []GroupShown{{Name: "web", Claim: "holding", Held: 1, Total: 1, Epoch: 7, Order: "auto", Text: "nobody held it"}},
		Refused: map[string]uint64{"replayed": 4}, Decisions: []Decision{{Group: "web", To: "holding", Epoch: 7, Text: "nobody held it", At: time.Second}},
	})
	text, err := h.Show(t.Context(), "")
	for _, want := range []string{"node 2 is alive", "eth1", "3 %", "250µs", "web", "holding", "4 packets refused: replayed", "59s ago: web: holding, epoch 7"} {
		if err != nil || !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s(%v)", want, text, err)
		}
	}
	if strings.Contains(text, "witness") {
		t.Errorf("there is no witness:\n%s", text)
	}
	text, err = h.Show(t.Context(), "heartbeat")
	var s Status
	if err != nil || json.Unmarshal([]byte(text), &s) != nil || s.Links[0].Loss != 3 {
		t.Errorf("%s, %v", text, err)
	}
}

func TestShowWitness(t *testing.T) {
	vote := func(v VoteShown) []VoteShown { v.Group = "web"; return []VoteShown{v} }
	for _, c := range []struct {
		name string
		is   WitnessShown
		want string
	}{
		{"never", WitnessShown{Silent: 12 * time.Second}, "witness: has not answered for 12s"},
		{"ours", WitnessShown{Answered: true, Silent: 34 * time.Millisecond, Votes: vote(VoteShown{Node: 1, Left: 450 * time.Millisecond})}, "witness: answered 34ms ago; web: this node's, for 450ms"},
		{"theirs", WitnessShown{Answered: true, Votes: vote(VoteShown{Node: 2, Left: 450 * time.Millisecond})}, "witness: answered 0s ago; web: lvs2's, for 450ms"},
		{"nobody's", WitnessShown{Answered: true, Votes: vote(VoteShown{})}, "web: nobody's"},
		{"just started", WitnessShown{Answered: true, Votes: vote(VoteShown{Undecided: true})}, "web: nobody's yet, it has just started"},
		{"no room", WitnessShown{Answered: true, Votes: vote(VoteShown{Refused: true})}, "web: refused, it has no room"},
		{"gone", WitnessShown{Answered: true, Absent: true, Silent: time.Minute, Votes: vote(VoteShown{Node: 1, Ago: time.Minute})}, "witness: answered 1m0s ago; the two directors do without it; web: this node's, and its vote has ended"},
		{"an old word", WitnessShown{Answered: true, Votes: vote(VoteShown{Ago: 5 * time.Second})}, "web: nobody's (5s ago)"},
	} {
		s := Status{Node: 1, Peer: 2, PeerName: "lvs2", Witness: &c.is}
		if text := s.text(); !strings.Contains(text, c.want+"\n") {
			t.Errorf("%s: no %q in\n%s", c.name, c.want, text)
		}
	}
}
