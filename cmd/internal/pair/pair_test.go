package pair

import (
	"syscall"
	"testing"
	"time"
)

// scene is a pair of which a serves, with a client and a witness.
type scene struct {
	w     *world
	a, b  *director
	ask   *asker
	watch *witness
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{w: newWorld(t)}
	s.watch = newWitness(t, s.w)
	s.ask = newAsker(t, s.w)
	s.a, s.b = newPair(t, s.w, "--initdead 3s", "")
	s.a.start(t)
	s.b.start(t)
	s.serves(t, "a")
	return s
}

// serves waits until this director alone has the address and answers.
func (s *scene) serves(t *testing.T, name string) {
	t.Helper()
	until(t, name+" serves", func() bool { return s.watch.who() == name && s.ask.last() == name })
	if both := s.watch.double(); both > 0 {
		t.Errorf("both had the address for %v", both)
	}
}

// steady waits until the peer could take over: then addresses are leased.
func (s *scene) steady(t *testing.T, holder string) {
	t.Helper()
	until(t, "the address is leased", func() bool { return s.watch.how(holder) == leased })
}

// took fails the test unless the other serves within the time, and logs what the
// client saw.
func (s *scene) took(t *testing.T, event time.Time, by string, within time.Duration) {
	t.Helper()
	s.serves(t, by)
	gap, from, to := s.ask.gap(event)
	t.Logf("gap of %v from %s to %s; %s", gap.Round(time.Millisecond), from, to, s.ask.changes(event))
	if gap > within {
		t.Errorf("the client had no answer for %v, want %v at most", gap, within)
	}
}

// A pair that starts has one holder; its death is taken over; it comes back as
// standby.
func TestPowerOff(t *testing.T) {
	s := newScene(t)
	s.steady(t, "a")
	event := time.Now()
	s.w.ip(t, "a", "link set eth0 down")
	s.w.ip(t, "a", "link set eth1 down")
	s.w.ip(t, "a", "link set eth2 down")
	s.a.signal(syscall.SIGKILL, s.a.all()...)
	s.took(t, event, "b", 700*time.Millisecond)
}

// An orderly end is a hand-over.
func TestStop(t *testing.T) {
	s := newScene(t)
	s.steady(t, "a")
	event := time.Now()
	s.a.stop(t)
	s.took(t, event, "b", 200*time.Millisecond)
}
