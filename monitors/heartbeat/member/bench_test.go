package member

import (
	"testing"
	"time"
)

// BenchmarkBeat is a pair's steady life: a beat of the peer on two links, and
// one of our own.
func BenchmarkBeat(b *testing.B) {
	o := holding(b, nil)
	o.keeper, o.beats = false, false
	b.ReportAllocs()
	for b.Loop() {
		o.now += ms100
		o.m.wake = o.now
		o.acts = o.acts[:0]
		o.hear()
		o.step(Tick{})
	}
	if o.group().reason != Serves {
		b.Fatal(o.group().text)
	}
}

// BenchmarkTakeover is the decision alone: the step in which a dead peer's group
// is taken.
func BenchmarkTakeover(b *testing.B) {
	var spent time.Duration
	for b.Loop() {
		b.StopTimer()
		o := standby(b, nil)
		o.keeper = false
		o.silent(dead - 2*ms100)
		for o.m.Wake() < o.m.peer.heard+dead {
			o.now = o.m.Wake()
			o.step(Tick{})
		}
		o.now = o.m.peer.heard + dead
		b.StartTimer()
		begin := time.Now()
		o.m.Step(Tick{}, o.now)
		spent += time.Since(begin)
		if !o.group().claims() {
			b.Fatal(o.group().text)
		}
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "ns/takeover")
}
