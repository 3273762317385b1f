package member

import (
	"testing"
	"time"
)

func TestFirst(t *testing.T) {
	s := startPair(t, simOptions{})
	a, b := s.nodes[0], s.nodes[1]
	a.powerOff()
	took := s.until(2*time.Second, "B holds", func() bool { return b.serves("") })
	t.Log(took)
	for _, l := range s.log {
		t.Log(l)
	}
}
