package engine

import (
	"time"

	"github.com/mondhq/mond/engine/config"
)

// setDirective changes a directive of a service, by making a configuration
// that differs in it.
func (l *loop) setDirective(s *service, name, value string, now time.Time, refuse refusal) error {
	if s.hidden {
		return refuse("the service is one of the daemon's own; declare it in the file to give it directives")
	}
	next, err := l.loaded.Config.With(s.cfg.Key, name, value, now)
	if err != nil {
		return refuse(err.Error())
	}
	cfg := next.Service(s.cfg.Key)
	if why := l.unfit(s.cfg, cfg); why != "" {
		return refuse(why)
	}
	l.loaded.Config = next
	l.reconfigure(s, cfg, now)
	l.showBoard()
	return nil
}

// unfit says why a service cannot be changed to cfg while the daemon runs.
func (l *loop) unfit(old, cfg *config.Service) string {
	if m := cfg.Monitor; m != nil && !runs(l.loaded.Config, m.Program) {
		return m.Program + " is no monitor of the running configuration; name it in the file and reload"
	}
	if cfg.Redistribute == old.Redistribute {
		return ""
	}
	for _, c := range []*config.Command{old.Redistribute, cfg.Redistribute} {
		switch {
		case c == nil:
		case !l.knowsAlert(c.Program):
			return c.Program + " is no alert of the running configuration; name it in the file and reload"
		case l.isKeeper(c.Program):
			return c.Program + " keeps claims; name it in the file and reload"
		}
	}
	return ""
}

func (l *loop) knowsAlert(program string) bool {
	_, ok := l.loaded.Programs[program]
	return ok && !runs(l.loaded.Config, program)
}

// reconfigure puts a changed service into force. As under mon, the next check
// is due when it was.
func (l *loop) reconfigure(s *service, cfg *config.Service, now time.Time) {
	old := s.cfg
	s.cfg = cfg
	if !sameCheck(cfg, old) {
		l.otherCheck(s, now)
	}
	checked := cfg.Monitor != nil && cfg.Plan.Scheduled()
	switch {
	case !checked:
		l.held(s, "", "", now) // nothing is run that could be held
		l.arm(s, time.Time{})
	case s.planned.IsZero() || cfg.Plan.Text != old.Plan.Text:
		l.arm(s, cfg.Plan.First(cfg.Key.String(), now, l.opt.Random))
	}
	if cfg.Depend.Alert == nil {
		s.dependOK = nil
	}
	l.inheritTraps(s, old, now)
	l.grain = grainOf(l.services)
	l.touch(s, false)
}

// otherCheck lets go of the check of s that is under way, and of what it could
// not see: another one takes its place.
func (l *loop) otherCheck(s *service, now time.Time) {
	s.history = s.cfg.Monitor != nil && l.loaded.Programs[s.cfg.Monitor.Program].History
	if s.state.Blind != nil {
		s.state.Blind = nil
		l.event(s, sightedRow("another check takes its place"), now)
	}
	if s.running != 0 {
		l.opt.Runner.Cancel([]uint64{s.running})
		delete(l.inflight, s.running)
		s.running = 0
	}
	l.self.recount(l.services)
	l.opt.Runner.Watch(l.watched())
}
