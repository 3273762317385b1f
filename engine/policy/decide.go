package policy

import (
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
)

// Decide says who is told of in.Change, and who is not and why. It changes
// nothing that in points to. now is in the location the periods mean.
//
// It must be called for every event, also those nobody may be told of: it
// resets the periods' States at a success. A success that finds nothing to
// reset and nobody to tell costs no allocation.
func Decide(in Input, now time.Time) Outcome {
	on, told := kinds(in.Change)
	if on == alert.Unset || !concerns(&in, on) && !stale(&in) {
		return Outcome{Periods: in.Periods, Service: in.Is}
	}
	return decide(in, now, on, told)
}

// kinds are the kind of line that an event calls, and what it is told as.
func kinds(t opstatus.Transition) (on, told alert.Kind) {
	switch {
	case t.Failure && t.Event == opstatus.Trap:
		return alert.Failure, alert.Trap
	case t.Failure && t.Event == opstatus.TrapTimeout:
		return alert.Failure, alert.TrapTimeout
	case t.Failure:
		return alert.Failure, alert.Failure
	case t.Success:
		return alert.Up, alert.Up
	}
	switch t.Event {
	case opstatus.Startup:
		return alert.Startup, alert.Startup
	case opstatus.Ack:
		return alert.Ack, alert.Ack
	case opstatus.Disable:
		return alert.Disable, alert.Disable
	case opstatus.None, opstatus.Exit, opstatus.Pushed, opstatus.Trap,
		opstatus.TrapTimeout, opstatus.TrapExpired, opstatus.Enable:
	}
	return alert.Unset, alert.Unset
}

// concerns reports whether there is anything to decide: as in mon, a success
// only when it ends an outage and some period has an upalert line, or when
// everything is redistributed; a start only where somebody wants to know.
func concerns(in *Input, on alert.Kind) bool {
	if in.Service.Redistribute != nil {
		return true
	}
	switch on {
	case alert.Up:
		return in.Change.Recovered && hasLine(in.Service, on)
	case alert.Startup:
		return hasLine(in.Service, on)
	case alert.Unset, alert.Failure, alert.Trap, alert.TrapTimeout, alert.Ack, alert.Disable, alert.Test:
	}
	return true
}

func hasLine(s *config.Service, on alert.Kind) bool {
	for i := range s.Periods {
		for j := range s.Periods[i].Lines {
			if s.Periods[i].Lines[j].On == on {
				return true
			}
		}
	}
	return false
}

// stale reports whether the states of the periods must be reset (after a
// success) or made to fit the service.
func stale(in *Input) bool {
	if len(in.Periods) != len(in.Service.Periods) {
		return true
	}
	for i := range in.Periods {
		if in.Change.Success && in.Periods[i].AfterSuccess(in.Service.Periods[i].Every.Mode) != in.Periods[i] {
			return true
		}
	}
	return false
}

// AfterSuccess is what a success leaves of st.
func (st State) AfterSuccess(mode config.EveryMode) State {
	next := State{Up: st.Up}
	if mode == config.EveryStrict {
		next.LastAlert = st.LastAlert
	}
	return next
}

// round is one event on its way through the tests.
type round struct {
	in  *Input
	now time.Time
	// on is the kind of line called, told what it is told as.
	on, told alert.Kind
	out      Outcome
}

func decide(in Input, now time.Time, on, told alert.Kind) Outcome {
	r := round{in: &in, now: now, on: on, told: told}
	r.out.Service = in.Is
	r.out.Periods = make([]State, len(in.Service.Periods))
	copy(r.out.Periods, in.Periods)
	if concerns(&in, on) && r.gates() {
		for i := range in.Service.Periods {
			r.period(i)
		}
	}
	if in.Change.Success {
		for i := range r.out.Periods {
			r.out.Periods[i] = r.out.Periods[i].AfterSuccess(in.Service.Periods[i].Every.Mode)
		}
	}
	return r.out
}

// gates takes the event through what concerns the whole service; it reports
// whether the periods are to be asked.
func (r *round) gates() bool {
	for _, g := range gates {
		if !g(r) {
			return false
		}
	}
	return true
}

// period takes the event through one period, and calls its lines.
func (r *round) period(i int) {
	p, st := &r.in.Service.Periods[i], &r.out.Periods[i]
	for _, f := range filters(r.on) {
		if why, note := f(r, p, st); why != NoReason {
			r.hold(p.Name, nil, why, note)
			return
		}
	}
	if r.lines(p) {
		st.told(r.on, r.now)
	}
}

// lines calls the lines of p and reports whether any was called.
func (r *round) lines(p *config.Period) bool {
	found, called := false, false
	for i := range p.Lines {
		line := &p.Lines[i]
		if line.On != r.on {
			continue
		}
		found = true
		if !line.Exit.Match(r.exit()) {
			r.hold(p.Name, &line.Command, LineExit, exitNote(r.exit(), line.Exit))
			continue
		}
		called = true
		r.say(Decision{Period: p.Name, Command: &line.Command, Send: true, Reason: Called})
	}
	if !found {
		r.hold(p.Name, nil, NoLine, "")
	}
	return called
}

// told counts an event that the period told of, once whatever the number of
// its lines. An upalert makes the next failure a first one, even for
// `alertevery strict`.
func (st *State) told(on alert.Kind, now time.Time) {
	if on == alert.Up {
		st.Sent, st.LastAlert, st.Up = 0, time.Time{}, true
		return
	}
	st.Sent++
	st.LastAlert, st.Up = now, false
}

// exit is the exit status that lines and periods compare: that of the failure,
// 0 for everything else.
func (r *round) exit() int {
	if r.on == alert.Failure {
		return r.in.Is.Exit
	}
	return 0
}

// hold notes that something was not called. A success of a service that was
// good (redistribute) is no news: what it does not do is not noted.
func (r *round) hold(period string, c *config.Command, why Reason, note string) {
	if r.on == alert.Up && !r.in.Change.Recovered {
		return
	}
	r.say(Decision{Period: period, Command: c, Reason: why, Note: note})
}

func (r *round) say(d Decision) {
	d.Kind = r.told
	r.out.Decisions = append(r.out.Decisions, d)
}
