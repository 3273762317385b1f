package pair

import (
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/control"
)

// TestHandOvers moves the group to and fro, by orders to who is to hold it, and
// logs how long a client that asks each millisecond had no answer: MOND_RUNS
// times, 40 without. Two builds are compared by running it in turn with the
// programs of each.
func TestHandOvers(t *testing.T) {
	seldom(t)
	runs, err := strconv.Atoi(os.Getenv("MOND_RUNS"))
	if err != nil {
		runs = 40
	}
	s := newStageEach(t, words{}, time.Millisecond)
	s.serving(t)
	s.steady(t, "a")
	var gaps []time.Duration
	for holder := s.b; len(gaps) < runs; holder = s.other(holder) {
		rest(time.Second) // what is told after a change has been told
		gap := s.hand(t, holder)
		gaps = append(gaps, gap)
		if both := s.watch.double(); both > 0 {
			t.Errorf("both had the address for %v", both)
		}
	}
	slices.Sort(gaps)
	t.Logf("%d hand-overs: median %v, nine of ten %v, worst %v", runs, gaps[runs/2].Round(time.Millisecond/10),
		gaps[runs*9/10].Round(time.Millisecond/10), gaps[runs-1].Round(time.Millisecond/10))
	if worst := gaps[runs-1]; worst > 20*time.Millisecond+noise {
		t.Errorf("the client had no answer for %v", worst)
	}
}

// hand has an operator give the group to a director, and says for how long the
// client had no answer.
func (s *scene) hand(t *testing.T, to *director) time.Duration {
	t.Helper()
	event := time.Now()
	must(t, to.client.Failover(t.Context(), control.FailoverRequest{Verb: "hold", Group: "web"}))
	s.serves(t, to.name)
	s.steady(t, to.name)
	rest(200 * time.Millisecond)
	gap, _, _ := s.ask.gap(event)
	t.Logf("to %s: %v", to.name, gap.Round(time.Millisecond/10))
	return gap
}
