package engine

import (
	"context"
	"log/slog"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/engine/schedule"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

// signEvery is how many answers the loop takes between two signs of life.
const signEvery = 512

// handleResults takes the answers of checks. An answer to a check that nobody
// waits for is counted and dropped.
func (l *loop) handleResults(done []job.Done, now time.Time) {
	for i, d := range done {
		if i%signEvery == signEvery-1 {
			l.roles.lane.signs() // it is busy, not stuck
		}
		l.daemon.Checks++
		if d.ID == 0 {
			l.pushed(d, now)
			continue
		}
		s := l.inflight[d.ID]
		if s == nil {
			continue
		}
		delete(l.inflight, d.ID)
		l.logCheck(s, d.Result)
		s.running = 0
		l.take(s, &d, now)
		l.observe(s, opstatus.Event{Kind: opstatus.Exit, Result: d.Result}, now)
		l.repace(s, now)
	}
	l.decide(now) // before what is told of it
	l.self.urgent(l, now)
}

// take has the answer of a check mean what it means here: nothing while this
// machine is at fault, and perhaps a weight.
func (l *loop) take(s *service, d *job.Done, now time.Time) {
	s.answered = true
	l.believe(s, d)
	var ask virtual.Ask
	d.Result, ask = s.hear(d.Result, now)
	l.asked(s, ask)
}

// logCheck logs an answer where somebody wants to read every one.
func (l *loop) logCheck(s *service, r monitor.Result) {
	if !l.opt.Log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	l.opt.Log.Debug("check", "group", s.cfg.Key.Group, "service", s.cfg.Key.Service,
		"cause", r.Cause.String(), "exit", r.Exit, "took", r.Took, "summary", r.Summary)
}

// pushed takes what a watched service said unasked.
func (l *loop) pushed(d job.Done, now time.Time) {
	if d.About != "" {
		l.reported(d, now)
		return
	}
	if s := l.byKey[opstatus.Key{Group: d.Group, Service: d.Service}]; s != nil {
		l.take(s, &d, now)
		l.observe(s, opstatus.Event{Kind: opstatus.Pushed, Result: d.Result}, now)
		if s.cfg.Elects {
			l.electorSaid(s.key(), d.Result, now)
		}
		if phaseOf(s.state) != s.phase {
			l.repace(s, now)
		}
	}
}

// repace changes to the interval that the status asks for. A skewed plan
// counts from the end of the check, as mon's does.
func (l *loop) repace(s *service, now time.Time) {
	phase := phaseOf(s.state)
	if phase == s.phase && s.cfg.Plan.Skew == 0 {
		return
	}
	s.phase = phase
	if s.planned.IsZero() || s.cfg.Plan.Calendar != nil {
		return
	}
	l.arm(s, s.cfg.Plan.Next(s.lastRun(now), now, phase, l.opt.Random))
}

// lastRun is when the last check began, as far as the plan is concerned. What
// a monitor says of its time is believed up to its limit.
func (s *service) lastRun(now time.Time) time.Time {
	return now.Add(-min(max(s.state.Took, 0), s.cfg.Timeout))
}

func phaseOf(s opstatus.State) schedule.Phase {
	switch {
	case s.Suspect():
		return schedule.Suspect
	case s.Status.Failing():
		return schedule.Down
	}
	return schedule.Up
}

// observe is the path of every event: what it changed, who is told, what is
// claimed.
func (l *loop) observe(s *service, ev opstatus.Event, now time.Time) {
	was := s.state
	is, change := opstatus.Observe(was, s.cfg.Settle, ev, now)
	s.state = is
	l.judged(s, change)
	if change.Blind {
		l.blinded(s, was, now)
		return
	}
	l.sighted(s, was, now)
	l.transition(s, was, change, ev, now)
	l.overruled(s, change)
	out := policy.Decide(l.input(s, was, change, now), now)
	durable := isDurable(was, out.Service) || !samePeriods(s.periods, out.Periods)
	s.state, s.periods = out.Service, out.Periods
	l.shared.dirty = l.shared.dirty || was.Ack != nil && s.state.Ack == nil
	l.carryOut(s, was, change, ev, out.Decisions, now)
	durable = l.claim(s, was, change, out.Decisions, now) || durable
	l.touch(s, durable)
}

// blinded keeps everything as it was and says so.
func (l *loop) blinded(s *service, was opstatus.State, now time.Time) {
	l.daemon.Blind++
	l.self.blinded(s, was)
	if was.Blind == nil {
		l.event(s, blindRow(s.state.Blind), now)
		l.logBlind(s)
	}
	l.touch(s, was.Blind == nil)
}

// blindLines is how many services that go blind between two ticks are logged
// by name: a lost plugin blinds thousands, and one reason stands for all.
const blindLines = 5

func (l *loop) logBlind(s *service) {
	if l.newlyBlind++; l.newlyBlind > blindLines {
		return
	}
	b := s.state.Blind
	l.opt.Log.Warn("check saw nothing", "group", s.cfg.Key.Group, "service", s.cfg.Key.Service, "cause", b.Cause.String(), "reason", b.Reason)
}

// countBlind logs how many more went blind since the last tick.
func (l *loop) countBlind() {
	if more := l.newlyBlind - blindLines; more > 0 {
		l.opt.Log.Warn("more checks saw nothing; monctl status shows them", "services", more)
	}
	l.newlyBlind = 0
}

// sighted notes that a service sees again.
func (l *loop) sighted(s *service, was opstatus.State, now time.Time) {
	if was.Blind == nil || s.state.Blind != nil {
		return
	}
	l.self.sighted(s)
	l.event(s, sightedRow("sees again"), now)
}

// transition notes a change of status.
func (l *loop) transition(s *service, was opstatus.State, change opstatus.Transition, ev opstatus.Event, now time.Time) {
	if change.Failure {
		s.lastFailed = now
		s.failedHosts = hostsOf(ev.Result)
		if !s.hidden {
			l.board.Failures.Push(view.Failure{Group: s.cfg.Key.Group, Service: s.cfg.Key.Service, At: now, Summary: s.state.FailSummary})
		}
	}
	if change.Recovered {
		l.ended(s, was, now)
	}
	if change.From == change.To {
		return
	}
	s.since = now
	l.event(s, statusRow(was, s.state, change), now)
	l.opt.Log.Info("status changed", "group", s.cfg.Key.Group, "service", s.cfg.Key.Service,
		"from", change.From.String(), "to", change.To.String(), "summary", s.state.Summary)
}

// input gathers what policy looks at.
func (l *loop) input(s *service, was opstatus.State, change opstatus.Transition, now time.Time) policy.Input {
	return policy.Input{
		Service: s.cfg, Was: was, Is: s.state, Change: change, Periods: s.periods,
		Disabled: s.off() != nil, Stopped: l.globals.Stopped != nil, DependOK: l.alertDependency(s, change.Event, now),
	}
}

// alertDependency is the value of the alert dependency. As under mon it is
// asked when a service is seen, and holds for what an operator does until then.
func (l *loop) alertDependency(s *service, on opstatus.EventKind, now time.Time) bool {
	e := s.cfg.Depend.Alert
	if e == nil {
		return true
	}
	seen := on != opstatus.Startup && on != opstatus.Ack && on != opstatus.Disable && on != opstatus.Enable
	if !seen && s.dependOK != nil {
		return *s.dependOK
	}
	ok, _ := l.dependency(e, alertDepend, s.cfg.Depend.Memory, now)
	if seen {
		s.dependOK = &ok
	}
	return ok
}

// carryOut remembers the decisions and queues the notices among them.
func (l *loop) carryOut(s *service, was opstatus.State, change opstatus.Transition, ev opstatus.Event, decisions []policy.Decision, now time.Time) {
	summary, output := opstatus.Told(ev, change, was, s.state)
	for _, d := range decisions {
		row := view.Decision{
			At: now, Event: eventName(change), Period: d.Period, Command: commandText(d.Command),
			Sent: d.Send, Reason: d.Reason.String(), Note: d.Note,
		}
		notice := ""
		if d.Send {
			s.alerts++
		}
		if d.Send && !l.isKeeper(d.Command.Program) {
			if n := l.notice(s, d, was, summary, output, now); l.leaves(s, d.Kind) {
				row.Sent, row.Reason = false, policy.StandsBy.String()
				l.setAside(s, d, n, now)
			} else {
				notice = l.queue(s, d, n, now)
			}
		}
		if news := s.remember(row, change.First || change.Recovered); news {
			l.event(s, decisionRow(row, programOf(d.Command), notice), now)
		}
	}
}

func programOf(c *config.Command) string {
	if c == nil {
		return ""
	}
	return c.Program
}

func commandText(c *config.Command) string {
	if c == nil {
		return ""
	}
	text := c.Program
	for _, a := range c.Args {
		text += " " + a
	}
	return text
}

func eventName(t opstatus.Transition) string {
	switch {
	case t.Failure:
		return "failure"
	case t.Success:
		return "success"
	}
	switch t.Event {
	case opstatus.Startup:
		return "startup"
	case opstatus.Ack:
		return "ack"
	case opstatus.Disable:
		return "disable"
	case opstatus.Enable:
		return "enable"
	case opstatus.Trap, opstatus.TrapTimeout, opstatus.TrapExpired:
		return "trap"
	case opstatus.None, opstatus.Exit, opstatus.Pushed:
	}
	return "check"
}

// isDurable reports whether the difference is worth a write: times that every
// success moves are not, a clean stop saves them.
func isDurable(a, b opstatus.State) bool {
	return a.Status != b.Status || a.Failures != b.Failures || a.Good != b.Good || a.Bad != b.Bad ||
		a.Ack != b.Ack || a.Tested != b.Tested || (a.Blind == nil) != (b.Blind == nil)
}

func samePeriods(a, b []policy.State) bool {
	for i := range b {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
