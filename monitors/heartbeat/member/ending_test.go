package member

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// asksUntil has the peer's kernel answer until end, an answer taking took, and says
// how long after that the group was taken, and when questions were sent.
func (o *one) asksUntil(end, took time.Duration) (after time.Duration, asked []time.Duration) {
	var comes Probed
	const never = 1000 * time.Hour
	at := never // when it does
	for ; o.now < end+time.Second && !o.group().claims(); o.now += time.Millisecond {
		o.acts = nil
		if o.now >= at {
			at = never
			o.step(comes)
		} else {
			o.step(Tick{})
		}
		for _, a := range o.acts {
			p, ok := a.(Probe)
			if !ok {
				continue
			}
			asked = append(asked, o.now)
			comes, at = Probed{Group: p.Group, Asked: o.now, Answer: Nobody}, o.now+p.Wait
			if o.now <= end && took <= p.Wait {
				comes.Answer, at = ByPeer, o.now+took
			}
		}
	}
	return o.now - end, asked
}

// When the lease of a peer ends whose kernel answered, questions follow each other
// closely, but no more than they may; and four nobody answers are enough, though
// not before it can have ended.
func TestLeaseEnds(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lease time.Duration // as the peer's last beat told
		total int
		// ends is when its kernel removes the group, after that beat; took how long an
		// answer takes.
		ends, took  time.Duration
		least, most time.Duration // until it is taken
		closest     time.Duration // of two questions
	}{
		{"at its end", 3 * time.Second, 2, 3 * time.Second, 0, 40 * time.Millisecond, 60 * time.Millisecond, 10 * time.Millisecond},
		{"a little too soon", 3 * time.Second, 2, 2980 * time.Millisecond, 0, 40 * time.Millisecond, 60 * time.Millisecond, 10 * time.Millisecond},
		{"much too soon", 3 * time.Second, 2, 2910 * time.Millisecond, 0, 90 * time.Millisecond, 100 * time.Millisecond, 10 * time.Millisecond},
		{"the kernel is late", 2 * time.Second, 2, 3200 * time.Millisecond, 0, 40 * time.Millisecond, 60 * time.Millisecond, 10 * time.Millisecond},
		{"renewed on the last token", 2100 * time.Millisecond, 2, 4 * time.Second, 0, 40 * time.Millisecond, 60 * time.Millisecond, 10 * time.Millisecond},
		{"renewed since", 2100 * time.Millisecond, 2, 6 * time.Second, 0, 190 * time.Millisecond, 260 * time.Millisecond, 10 * time.Millisecond},
		{"before", 3 * time.Second, 2, 1500 * time.Millisecond, 0, 190 * time.Millisecond, 260 * time.Millisecond, 50 * time.Millisecond},
		{"slow answers", 3 * time.Second, 2, 3 * time.Second, 8 * time.Millisecond, 64 * time.Millisecond, 90 * time.Millisecond, 16 * time.Millisecond},
		{"a large group", 3 * time.Second, 30, 3 * time.Second, 0, 120 * time.Millisecond, 160 * time.Millisecond, 30 * time.Millisecond},
		{"permanent", wire.Permanent, 2, 3 * time.Second, 0, 190 * time.Millisecond, 260 * time.Millisecond, 50 * time.Millisecond},
		{"no lease told", 0, 2, 3 * time.Second, 0, 190 * time.Millisecond, 260 * time.Millisecond, 50 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := standby(t, func(c *Config) { c.Groups[0].Total = tt.total })
			o.peer.Lease = tt.lease
			o.hear()
			o.beats, o.answer = false, Unlooked
			after, asked := o.asksUntil(o.now+tt.ends, tt.took)
			if !o.group().claims() || after < tt.least || after > tt.most+2*time.Millisecond {
				t.Errorf("taken after %v, want %v to %v: %s", after, tt.least, tt.most, o.group().text)
			}
			near := time.Hour
			for i := range asked[1:] {
				near = min(near, asked[i+1]-asked[i])
			}
			if near < tt.closest || near > tt.closest+2*time.Millisecond {
				t.Errorf("questions follow each other by %v, want %v", near, tt.closest)
			}
		})
	}
}

// Each run of answers that were lost makes it two more, up to a limit: on a network
// that loses many the peer's kernel is not taken for silent.
func TestLostAnswers(t *testing.T) {
	for lost, want := range []int{4, 6, 8, 10, 12, 12} {
		p := probe{ever: true, lost: lost}
		if got := p.enough(); got != want {
			t.Errorf("after %d lost in a row %d are enough, want %d", lost, got, want)
		}
	}
	o := standby(t, nil)
	o.answer = ByPeer
	o.silent(time.Second)
	o.acts = nil
	for _, lost := range []int{1, 3, 2} {
		o.answer = Nobody
		for n := 0; n < lost; o.now += time.Millisecond {
			before := o.group().probe.free
			o.step(Tick{})
			n += o.group().probe.free - before
		}
		o.answer = ByPeer
		o.pass(ms100)
	}
	if p := o.group().probe; p.lost != 3 || p.free != 0 || p.enough() != 10 {
		t.Errorf("%+v", p)
	}
	for _, a := range o.acts {
		if r, ok := a.(Report); ok && r.Service == "role-vip" || ok && r.Service == "peer" {
			t.Errorf("a lost answer is told: %+v", r)
		}
	}
	o.pass(5 * time.Second)
	if r := o.report("role-vip"); r.Level != Bad || !strings.HasSuffix(r.Summary, "its kernel still answers for the addresses, longer than its lease") {
		t.Errorf("%+v", r)
	}
}

// All programs of A die at once, whenever that is: B takes over when its kernel has
// removed the addresses, not before, and soon after.
func TestKilledAnyTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		s := startPair(t, simOptions{seed: seed, make: unlike(seed)})
		a, b := s.nodes[0], s.nodes[1]
		s.run(time.Duration(rapid.IntRange(0, 1200).Draw(t, "when")) * time.Millisecond)
		a.logf("all killed")
		a.kill()
		a.engine, a.keeper = lane{dead: true}, lane{dead: true}
		b.expect(5 * time.Second)
		s.run(2 * time.Second)
		if limit := 70*time.Millisecond + 4*b.slow; s.watch.dual > 0 || s.watch.none > limit {
			s.fatalf("both served for %v, nobody for %v (%v are allowed)", s.watch.dual, s.watch.none, limit)
		}
	})
}

// A lives and cannot be heard, and B loses some of its answers, never four in a row:
// whenever that is, the end of the lease that was told included, B does not take.
func TestLostAnswersNeverTwo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		s := startPair(t, simOptions{seed: seed, make: unlike(seed)})
		a, b := s.nodes[0], s.nodes[1]
		s.run(time.Duration(rapid.IntRange(0, 1200).Draw(t, "when")) * time.Millisecond)
		s.cut(true, 0, 1)
		s.until(time.Second, "A's kernel answers", func() bool { return b.m.groups[0].probe.ever })
		for end := s.now + 6*time.Second; s.now < end; {
			s.run(time.Duration(rapid.IntRange(20, 300).Draw(t, "gap")) * time.Millisecond)
			s.lost = rapid.IntRange(0, unansweredAgain-1).Draw(t, "lost")
			s.until(time.Second, "they are lost", func() bool { return s.lost == 0 })
			s.run(b.m.probeWait() + b.slow)
			s.until(time.Second, "one is answered", func() bool { return b.m.groups[0].probe.free == 0 })
		}
		a.keeps(0)
		if s.watch.dual > 0 {
			s.fatalf("both served for %v", s.watch.dual)
		}
		s.cut(false, 0, 1)
		s.run(2 * time.Second)
		a.keeps(0)
	})
}
