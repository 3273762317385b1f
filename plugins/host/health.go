package host

import (
	"fmt"
	"time"
)

const (
	// healthLimit is the silence after which a plugin is lost, as the sum of
	// the intervals in which nothing came, two at least: had mond itself been
	// stopped, that would be one interval.
	healthLimit = 900 * time.Millisecond
	// workLimit is the same for one that works all the while, and may only not
	// have come to it: thousands of checks are due, or others take the
	// processors. To end it would leave all its checks blind, and make the
	// machine busier.
	workLimit = 10 * time.Second
)

// healthPace is the time between signs of life that are asked for while no check
// is out: addresses that others wait for hang on who has to do with roles.
func (s *supervisor) healthPace() time.Duration {
	if s.rules() {
		return healthBusy
	}
	return healthIdle
}

func (s *supervisor) askPing(l *link) {
	s.ping++
	n := s.ping
	l.order(func(o *orders) { o.ping = n })
}

// checkHealth asks for a sign of life, and gives the plugin up when it has
// given none for long.
func (s *supervisor) checkHealth(l *link, now time.Time) {
	answered, spoke := l.pong.Load() >= s.ping, s.spoke(l)
	s.listen(answered || spoke, s.works())
	switch {
	case s.missed > 1 && s.silent >= healthLimit:
		s.lose(fmt.Sprintf("gives no sign of life (for %v)", s.silent), true)
		return
	case s.working >= workLimit:
		s.lose(fmt.Sprintf("works and does not come to answer (for %v)", s.working), true)
		return
	}
	if _, leaked := s.flights.strays(); leaked > 0 && 2*leaked >= s.inflight(s.proc.manifest.MaxInflight) {
		s.lose(fmt.Sprintf("never came back from %d checks", leaked), true)
		return
	}
	if answered {
		s.askPing(l)
	}
	s.interval = s.healthPace()
	if _, out := s.flights.busy(); out > 0 {
		s.interval = healthBusy
	}
	s.health = now.Add(s.interval)
}

// listen counts an interval in which the plugin gave a sign of life, or worked,
// or neither.
func (s *supervisor) listen(alive, works bool) {
	switch {
	case alive:
		s.silent, s.missed, s.working = 0, 0, 0
	case works:
		s.working += s.interval
	default:
		s.silent += s.interval
		s.missed++
	}
}

// spoke reports whether anything came since the last look: a result is a sign
// of life, too.
func (s *supervisor) spoke(l *link) bool {
	before := s.messages
	s.messages = l.messages.Load()
	return s.messages != before
}

// works reports whether the process had a processor since the last look.
func (s *supervisor) works() bool {
	before := s.worked
	s.worked = processorTime(s.proc.pid())
	return s.worked > before
}
