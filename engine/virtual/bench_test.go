package virtual

import (
	"fmt"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
)

// busy is a pool of n members with everything set, one of them failing, and
// what was decided for it.
func busy(n int) (*Pool, State, Input) {
	p := &Pool{
		Name: "shop", Quorum: GateOf(50, ByPercent, 10), Panic: Gate{Down: Amount{30, ByPercent}}, Eject: Amount{40, ByPercent},
		Return: time.Minute, Warn: 50, Ramp: Ramp{Over: time.Minute},
		Drain: Drain{Deadline: time.Minute, Persistence: time.Minute}, Asks: Limits{Step: 10, Every: time.Second},
	}
	in := Input{Members: make([]Seen, n)}
	for i := range n {
		m := Member{Name: fmt.Sprintf("192.168.0.%d:80", i), Weight: 100, Checks: []string{"http", "tcp"}}
		if i == n-1 {
			m.Tier = Fallback
		}
		p.Members = append(p.Members, m)
		good := Verdict{Status: opstatus.OK}
		in.Members[i] = Seen{Checks: []Verdict{good, good}, Table: Row{Known: true, There: true, Weight: 100}, Ask: Ask{Kind: AskPercent, N: 80}}
	}
	st := Decide(p, State{}, in, t0).State
	in.Members[0].Checks[1].Status = opstatus.Fail
	return p, Decide(p, st, in, t0).State, in
}

// A decision that changes nothing costs no allocation.
func TestSteadyAllocatesNothing(t *testing.T) {
	p, st, in := busy(10)
	now := t0.Add(time.Hour)
	st = Decide(p, st, in, now).State
	if n := testing.AllocsPerRun(100, func() {
		if out := Decide(p, st, in, now); out.Changes != nil {
			t.Fatalf("it changes %v", out.Changes)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{3, 10, 100} {
		p, st, in := busy(n)
		now := t0.Add(time.Hour)
		st = Decide(p, st, in, now).State
		b.Run(fmt.Sprintf("steady/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Decide(p, st, in, now)
			}
		})
		b.Run(fmt.Sprintf("change/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				in.Members[1].Checks[0].Status = []opstatus.Status{opstatus.OK, opstatus.Fail}[i&1]
				st = Decide(p, st, in, now).State
			}
		})
	}
}
