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
	text, err = h.Show(t.Context(), "heartbeat")
	var s Status
	if err != nil || json.Unmarshal([]byte(text), &s) != nil || s.Links[0].Loss != 3 {
		t.Errorf("%s, %v", text, err)
	}
}
