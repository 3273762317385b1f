package engine

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/schedule"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/trap"
	"github.com/mondhq/mond/plugins/monitor"
	packet "github.com/mondhq/mond/plugins/trap"
)

// defaultName is the watch, and the service in it, that traps go to whose own
// do not exist.
const defaultName = "default"

// Trap takes one trap; see [Engine.Traps].
func (e *Engine) Trap(ctx context.Context, t packet.Trap, from netip.Addr) error {
	return e.Traps(ctx, []trap.Arrival{{Trap: t, From: from}})[0]
}

// Traps takes traps in their order, in one turn of the loop: each changes the
// status of its service and calls alerts as the exit of a monitor does. It
// answers an error for each, nil for one that was taken; one for a service that
// does not exist is a [steer.UnknownError]. The caller has judged the sender and the
// form.
func (e *Engine) Traps(ctx context.Context, traps []trap.Arrival) []error {
	errs := make([]error, len(traps))
	err := e.do(ctx, func(l *loop, now time.Time) error {
		for i, a := range traps {
			errs[i] = l.trapped(a, now)
		}
		return nil
	})
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
	}
	return errs
}

// trapped takes a trap.
func (l *loop) trapped(a trap.Arrival, now time.Time) error {
	s, intended, err := l.addressee(a.Trap)
	if err != nil {
		return err
	}
	l.opt.Log.Debug("trap", "group", s.cfg.Key.Group, "service", s.cfg.Key.Service, "from", a.From,
		"status", a.Trap.Status, "summary", a.Trap.Summary)
	s.intended = intended
	l.observe(s, opstatus.Event{Kind: opstatus.Trap, Result: trapResult(a.Trap)}, now)
	s.intended = ""
	l.trapEased(s, now)
	l.trapArmed(s, now)
	return nil
}

// addressee is the service that a trap is for, by mon's rules: a watch that
// does not exist is the watch default, where there is one; in that, a service
// that does not exist is the service default. intended is then what the trap
// named itself, if it was the watch.
func (l *loop) addressee(t packet.Trap) (s *service, intended string, err error) {
	key := opstatus.Key{Group: t.Group, Service: t.Service}
	if !l.watches[key.Group] && l.watches[defaultName] {
		intended = key.String()
		key.Group = defaultName
	}
	if s := l.declared(key); s != nil {
		return s, intended, nil
	}
	if s := l.declared(opstatus.Key{Group: defaultName, Service: defaultName}); s != nil && key.Group == defaultName {
		return s, intended, nil
	}
	if !l.watches[key.Group] {
		return nil, "", &steer.UnknownError{Kind: steer.Group, Name: fmt.Sprintf("%.60q", key.Group)}
	}
	return nil, "", &steer.UnknownError{Kind: steer.Service, Name: fmt.Sprintf("%.60q of watch %s", key.Service, key.Group)}
}

// declared is the service of that name if the file declares it, else nil: the
// daemon's own condition is not for others to report.
func (l *loop) declared(key opstatus.Key) *service {
	if s := l.byKey[key]; s != nil && !s.hidden {
		return s
	}
	return nil
}

// trapResult is a trap as the result of a monitor. mon puts an empty line
// between summary and detail.
func trapResult(t packet.Trap) monitor.Result {
	text := strings.TrimSuffix(t.Summary, "\n") + "\n\n" + t.Detail
	summary, detail, _ := strings.Cut(text, "\n")
	return monitor.Result{Cause: monitor.Exited, Exit: t.Status, Summary: summary, Detail: detail}
}

// trapEased goes back to the usual interval where a trap, or the end of one,
// made s good. As under mon a trap that says that s fails does not change the
// interval: that is for its monitor's next answer.
func (l *loop) trapEased(s *service, now time.Time) {
	if phaseOf(s.state) != schedule.Up || s.phase == schedule.Up {
		return
	}
	planned := s.planned
	l.repace(s, now)
	if planned.Before(s.planned) {
		l.arm(s, planned) // never later than it was due
	}
}
