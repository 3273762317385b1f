package fake

import (
	"slices"
	"testing"
	"time"
)

// When mond dies its leased groups go, so that the other director may have them,
// but not before whoever kills all programs has come to this one. What is held
// for good stays.
func TestOrphanedReleasesLeases(t *testing.T) {
	s := newStage(t)
	s.lines("--group web 10.0.0.3/32/eth0", "--group inner 192.168.0.254/32/eth1")
	s.token("web", true, 3*time.Second, time.Minute)
	s.held("web is held by a lease", "web", 1)
	s.token("inner", true, 0, time.Minute)
	s.held("inner is held for good", "inner", 1)

	died := time.Now()
	s.orphan()
	tick, limit := time.NewTicker(time.Millisecond), time.After(15*time.Second)
	defer tick.Stop()
	for !slices.Contains(s.loud.all(), "released web") {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("web stays: %q\n%s", s.loud.all(), s.IP(t, "addr"))
		}
	}
	if took := time.Since(died); took < lastOnes {
		t.Errorf("web went after %v, want %v at least", took, lastOnes)
	}
	s.has("addr show dev eth1", "192.168.0.254/32")
	if slices.Contains(s.loud.all(), "released inner") {
		t.Error("inner, which is held for good, was released")
	}
}
