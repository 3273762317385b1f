package engine

import (
	"strconv"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/monitor"
)

// Two clocks of a service run because of traps. traptimeout: it fails when no
// trap came for that long, and again after as long. trapduration: what a trap
// said is over after that time. As under mon both stand still while the
// scheduler is stopped or the global exclude_period holds.

// deafMost is the part of a traptimeout that mond may have been down for so
// that the silence before counts; after a longer time a trap was likely missed.
const deafMost = 10

// trapArmed starts the clocks of s anew: a trap came.
func (l *loop) trapArmed(s *service, now time.Time) {
	if s.cfg.TrapTimeout == 0 && s.cfg.TrapDuration == 0 {
		return
	}
	if s.cfg.TrapTimeout > 0 {
		s.trapSince = now
	}
	if d := s.cfg.TrapDuration; d > 0 {
		s.trapEnds = now.Add(d)
	}
	l.setTrapClock(s)
	l.touch(s, true) // a crash must not forget that it came
}

// trapDue is when s fails without a trap; zero if it does not wait for one.
func (s *service) trapDue() time.Time {
	if s.cfg.TrapTimeout == 0 || s.trapSince.IsZero() {
		return time.Time{}
	}
	return s.trapSince.Add(s.cfg.TrapTimeout)
}

// setTrapClock makes the loop wake for whichever clock of s ends first.
func (l *loop) setTrapClock(s *service) {
	due := s.trapDue()
	if due.IsZero() || !s.trapEnds.IsZero() && s.trapEnds.Before(due) {
		due = s.trapEnds
	}
	l.trapHeap.Set(s.id, due)
}

// dueTraps handles the clocks that have run down.
func (l *loop) dueTraps(now time.Time) {
	l.holdTraps(now)
	if !l.trapsHeld.IsZero() {
		return
	}
	for _, id := range l.trapHeap.PopDue(now, nil) {
		s := l.services[id]
		if !s.trapEnds.IsZero() && !s.trapEnds.After(now) {
			l.trapEnded(s, now)
		}
		if due := s.trapDue(); !due.IsZero() && !due.After(now) {
			l.trapMissed(s, now)
		}
		l.setTrapClock(s)
	}
}

// trapEnded is the end of a trapduration.
func (l *loop) trapEnded(s *service, now time.Time) {
	s.trapEnds = time.Time{}
	l.observe(s, opstatus.Event{Kind: opstatus.TrapExpired}, now)
	l.trapEased(s, now)
	l.touch(s, true)
}

// trapMissed is a traptimeout; the next one is as far away.
func (l *loop) trapMissed(s *service, now time.Time) {
	s.trapSince = now
	l.observe(s, opstatus.Event{Kind: opstatus.TrapTimeout, Result: silence(s.cfg.TrapTimeout, now)}, now)
	l.touch(s, true)
}

// silence is the verdict, in mon's words.
func silence(timeout time.Duration, now time.Time) monitor.Result {
	seconds := strconv.FormatFloat(timeout.Seconds(), 'f', -1, 64)
	return monitor.Failed("trap timeout", "trap timeout after "+seconds+"s at "+now.Format(time.ANSIC)+"\n")
}

// overruled ends a trapduration when something else than a trap decided on the
// status: what the trap said counts no more, and its end would undo a verdict
// that nobody took back.
func (l *loop) overruled(s *service, change opstatus.Transition) {
	if s.trapEnds.IsZero() || !change.Failure && !change.Success || change.Event == opstatus.Trap || change.Event == opstatus.TrapExpired {
		return
	}
	s.trapEnds = time.Time{}
	l.setTrapClock(s)
	l.touch(s, true)
}

// holdTraps lets the clocks stand still, or run on, as the scheduler and the
// global exclude_period ask.
func (l *loop) holdTraps(now time.Time) {
	held := l.globals.Stopped != nil || l.loaded.Config.Globals.ExcludePeriod.Contains(now)
	switch {
	case held && l.trapsHeld.IsZero():
		l.trapsHeld = now
	case !held && !l.trapsHeld.IsZero():
		l.resumeTraps(now)
	}
}

// resumeTraps lets the clocks run on with what was left of them.
func (l *loop) resumeTraps(now time.Time) {
	for _, s := range l.services {
		if s.trapSince.IsZero() && s.trapEnds.IsZero() {
			continue
		}
		if !s.trapSince.IsZero() {
			s.trapSince = s.trapSince.Add(now.Sub(later(l.trapsHeld, s.trapSince)))
		}
		if !s.trapEnds.IsZero() {
			began := s.trapEnds.Add(-s.cfg.TrapDuration)
			s.trapEnds = s.trapEnds.Add(now.Sub(later(l.trapsHeld, began)))
		}
		l.setTrapClock(s)
		l.touch(s, true)
	}
	l.trapsHeld = time.Time{}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// installTraps takes up the clocks of a service that was restored or is new.
// What came from the disk knows the wall's clock only; from here on a step of
// that does not matter.
func (l *loop) installTraps(s *service, now time.Time) {
	since, ends := s.trapSince, s.trapEnds
	s.trapSince, s.trapEnds = time.Time{}, time.Time{}
	switch {
	case s.cfg.TrapTimeout == 0:
	case since.IsZero():
		s.trapSince = now
		l.touch(s, true)
	default:
		s.trapSince = now.Add(min(since.Sub(now), 0)) // or the clock was set back
	}
	if s.cfg.TrapDuration > 0 && !ends.IsZero() {
		s.trapEnds = now.Add(min(ends.Sub(now), s.cfg.TrapDuration))
	}
	l.setTrapClock(s)
}

// inheritTraps follows a reload that changed the times of o: a new traptimeout
// begins anew, a new trapduration counts from the trap.
func (l *loop) inheritTraps(s *service, old *config.Service, now time.Time) {
	if s.cfg.TrapTimeout > 0 && s.cfg.TrapTimeout != old.TrapTimeout {
		s.trapSince = now
	}
	if !s.trapEnds.IsZero() {
		s.trapEnds = s.trapEnds.Add(s.cfg.TrapDuration - old.TrapDuration)
	}
	l.setTrapClock(s)
}

// listenAgain follows a start: no trap was heard since the last sign of life,
// so that time is no silence. After a long one the silence before counts
// neither: a service must not fail because mond was down.
func (l *loop) listenAgain(saved store.Saved, now time.Time) {
	deaf := max(now.Sub(saved.Alive), 0)
	for _, s := range l.services {
		switch {
		case s.trapSince.IsZero():
			continue
		case saved.Alive.IsZero() || deaf > s.cfg.TrapTimeout/deafMost:
			s.trapSince = now
		default:
			s.trapSince = s.trapSince.Add(deaf)
		}
		l.installTraps(s, now)
	}
	if stopped := l.globals.Stopped; stopped != nil {
		l.trapsHeld = stopped.At
	}
	l.holdTraps(now)
}
