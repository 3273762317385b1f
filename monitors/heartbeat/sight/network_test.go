package sight

import (
	"net/netip"
	"testing"

	"github.com/mondhq/mond/plugins/neighbour"
)

// An answer counts for some questions, however long those take: a program that
// waits for a processor does not find its network dead.
func TestAnswersLast(t *testing.T) {
	gateway := netip.MustParseAddr("10.7.0.254")
	n := newNetwork("eth0", 1)
	n.targets.gateways = []netip.Addr{gateway}
	if g, any := n.answers(); g || any {
		t.Error("somebody answers before anybody was asked")
	}
	n.rounds = 7
	n.hear(neighbour.Claim{Addr: gateway}, New(Options{}))
	for asked := range 8 {
		if g, any := n.answers(); g != (asked < lately) || any != g {
			t.Errorf("after %d questions without an answer: gateway %v, neighbour %v", asked, g, any)
		}
		n.rounds++
	}
}
