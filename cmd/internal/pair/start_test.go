package pair

import (
	"testing"
	"time"
)

// initdead is that of all scenes.
const initdead = 3 * time.Second

// begun is how long a program may take to start, beside initdead and a second.
const begun = 5 * time.Second

// The preferred director takes the group back where it is to.
func TestFailback(t *testing.T) {
	s := newStage(t, words{group: "--failback now"})
	s.lone(t, s.b) // a does not come: initdead
	event := time.Now()
	s.a.start(t)
	s.took(t, event, "a", 20*time.Millisecond+noise)
	s.stays(t, "a", time.Second)
}

// lone starts one director, which serves when initdead is over.
func (s *scene) lone(t *testing.T, d *director) {
	t.Helper()
	event := time.Now()
	d.start(t)
	s.serves(t, d.name)
	took := time.Since(event)
	t.Logf("%s serves alone %v after its start", d.name, took.Round(time.Millisecond))
	if took > initdead+time.Second+begun {
		t.Errorf("%s served %v after its start, want initdead and a second", d.name, took)
	}
}

// never is when a director comes that does not.
const never time.Duration = -1

// Both start at once; one comes later, while the other waits for it or long
// after, or not at all: one holder each time.
func TestStart(t *testing.T) {
	seldom(t)
	for _, tt := range []struct {
		name  string
		later time.Duration
	}{{"together", 0}, {"within initdead", 2 * time.Second}, {"after 10s", 10 * time.Second}, {"after a minute", time.Minute}, {"never", never}} {
		for _, first := range []string{"a", "b"} {
			t.Run(tt.name+" "+first, func(t *testing.T) {
				s := newStage(t, words{})
				one, two := s.a, s.b
				if first == "b" {
					one, two = s.b, s.a
				}
				if tt.later == never {
					s.lone(t, one)
					s.stays(t, first, 10*time.Second)
					return
				}
				event := time.Now()
				one.start(t)
				until(t, "the other comes", func() bool { return time.Since(event) >= tt.later })
				two.start(t)
				until(t, "one has the address", func() bool { return len(s.watch.who()) == 1 && s.ask.last() == s.watch.who() })
				if took := time.Since(event); tt.later < initdead && took > initdead+time.Second+begun {
					t.Errorf("there was a holder after %v", took)
				}
				holder := s.watch.who()
				t.Logf("%s holds it: %s", holder, s.ask.changes(event))
				if tt.later > initdead && holder != first {
					t.Errorf("%s holds it, want %s, which was there first", holder, first)
				}
				s.steady(t, holder)
				s.stays(t, holder, 3*time.Second)
				if both := s.watch.double(); both > 0 {
					t.Errorf("both had the address for %v", both)
				}
			})
		}
	}
}

// What the holder says of its release is lost: the group is free, and stays so no
// longer than packets are lost and a second.
func TestReleaseLost(t *testing.T) {
	seldom(t)
	for _, long := range []time.Duration{50 * time.Millisecond, 300 * time.Millisecond, 2 * time.Second} {
		t.Run(long.String(), func(t *testing.T) {
			s := newStage(t, words{group: "--failback now"})
			s.lone(t, s.b)
			s.a.start(t)
			until(t, "b has released it", func() bool { return s.watch.who() != "b" })
			event := time.Now()
			s.w.lose(t, "a", "eth1", 100)
			s.w.lose(t, "a", "eth2", 100)
			until(t, "packets were lost", func() bool { return time.Since(event) > long })
			s.w.lose(t, "a", "eth1", 0)
			s.w.lose(t, "a", "eth2", 0)
			s.settles(t, time.Now(), time.Second+noise)
			t.Logf("%s holds it: %s", s.watch.who(), s.ask.changes(event))
			s.stays(t, s.watch.who(), 3*time.Second)
		})
	}
}

// settles waits until one has the address and answers, never both.
func (s *scene) settles(t *testing.T, event time.Time, within time.Duration) {
	t.Helper()
	until(t, "one has the address", func() bool { who := s.watch.who(); return len(who) == 1 && s.ask.last() == who })
	took := time.Since(event)
	t.Logf("%s serves after %v", s.watch.who(), took.Round(time.Millisecond))
	if took > within {
		t.Errorf("one had it after %v, want %v at most", took, within)
	}
	if both := s.watch.double(); both > 0 {
		t.Errorf("both had the address for %v", both)
	}
}

// The preferred director dies when the group has just been released for it.
func TestDiesGranted(t *testing.T) {
	seldom(t)
	s := newStage(t, words{group: "--failback now"})
	s.lone(t, s.b)
	s.a.start(t)
	until(t, "b has released it", func() bool { return s.watch.who() != "b" })
	s.off(t)
	event := time.Now()
	until(t, "b serves again", func() bool { return s.watch.who() == "b" && s.ask.last() == "b" })
	s.settles(t, event, time.Second+noise)
	s.stays(t, "b", time.Second)
}
