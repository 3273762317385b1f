package virtual

import (
	"fmt"
	"strings"
	"time"
)

// Why says in sentences why the member of that name is as it is: what holds,
// what it means, and this case's figures. st is what was decided, in what it
// was decided from. It returns nothing for a member that st does not know.
func Why(p *Pool, st State, in Input, name string, now time.Time) []string {
	m, ok := st.Member(name)
	if !ok {
		return nil
	}
	e := explainer{p: p, st: &st, m: &m, now: now}
	e.look(&in)
	e.say(m.Desired.String() + ", since " + m.Since.Format(time.DateTime))
	e.say(m.Reason.Explain().Text)
	e.order()
	e.checks(in.Fault)
	e.tier()
	e.way(in.Standby)
	e.weight()
	return e.lines
}

// explainer gathers what there is to say of one member.
type explainer struct {
	p     *Pool
	st    *State
	m     *MemberState
	now   time.Time
	set   *Member // nil if it is not configured any more
	seen  Seen
	lines []string
}

// look finds what is configured and seen of the member.
func (e *explainer) look(in *Input) {
	for i := range e.p.Members {
		if e.p.Members[i].Name == e.m.Name {
			e.set = &e.p.Members[i]
			if i < len(in.Members) {
				e.seen = in.Members[i]
			}
			return
		}
	}
	for _, l := range in.Left {
		if l.Name == e.m.Name {
			e.seen.Table, e.seen.Conns = l.Table, l.Conns
		}
	}
}

func (e *explainer) say(s string) { e.lines = append(e.lines, s) }

func (e *explainer) sayf(format string, args ...any) { e.say(fmt.Sprintf(format, args...)) }

func (e *explainer) order() {
	o := e.seen.Order
	if o.Kind == NoOrder && !o.Weighted {
		return
	}
	s := "Order: " + o.Kind.String()
	if o.Weighted {
		s = fmt.Sprintf("Order: weight %d", weightOf(o.Weight))
		if o.Kind != NoOrder {
			s += ", " + o.Kind.String()
		}
	}
	if o.Note != "" {
		s += " (" + o.Note + ")"
	}
	e.say(s + ".")
}

// checks lists what each check says.
func (e *explainer) checks(fault string) {
	if fault != "" {
		e.say("Local fault: " + fault + ".")
	}
	if e.set == nil || len(e.set.Checks) == 0 {
		return
	}
	words := make([]string, len(e.set.Checks))
	for i, name := range e.set.Checks {
		var v Verdict
		if i < len(e.seen.Checks) {
			v = e.seen.Checks[i]
		}
		words[i] = name + " " + v.Status.String()
		if v.Blind {
			words[i] += " (blind)"
		}
	}
	e.sayf("Checks, of which %d must be good: %s.", e.set.need(), strings.Join(words, ", "))
}

// tier says how the tier of the member stands.
func (e *explainer) tier() {
	if e.set == nil {
		return
	}
	s := e.st.Standing
	e.sayf("It is of the tier %s; %s serves since %s.", e.set.Tier, s.Serving, s.ServingSince.Format(time.DateTime))
	if !s.BetterSince.IsZero() {
		due := s.BetterSince.Add(e.p.Return)
		e.sayf("The tier %s can serve again and takes over in %s, if it still can.", s.Better, e.until(due))
	}
	if s.Panic {
		e.sayf("The tier %s is in panic since %s.", s.Serving, s.PanicSince.Format(time.DateTime))
	}
}

// way says how far a drain or ramp is.
func (e *explainer) way(standby bool) {
	switch e.m.Phase {
	case Draining:
		e.drain(standby)
	case Rising:
		full := e.m.Began.Add(time.Duration(e.p.Ramp.steps()) * e.p.Ramp.step())
		e.sayf("Its ramp began at %s; it has its whole weight in %s.", e.m.Began.Format(time.DateTime), e.until(full))
	case Out, Quiet, Serving:
	}
}

func (e *explainer) drain(standby bool) {
	c := e.seen.Conns
	s := "connections unknown"
	if c.Known {
		s = fmt.Sprintf("%d active connections", max(0, c.Active))
		if e.p.Drain.UDP > 0 && c.Inactive >= 0 {
			s += fmt.Sprintf(", %d inactive", c.Inactive)
		}
		if e.p.Drain.Persistence > 0 && c.Persistent >= 0 {
			s += fmt.Sprintf(", %d persistent", c.Persistent)
		}
	}
	if standby {
		s += ", which says nothing on a standby director"
	}
	limit := e.p.Drain.deadline(e.seen.Order)
	if limit > 0 {
		s += "; the deadline is in " + e.until(e.m.Began.Add(limit))
	}
	if !e.m.Idle.IsZero() {
		s += "; idle, removed in " + e.until(e.m.Idle.Add(e.p.Drain.idle(c)))
	}
	e.sayf("Draining since %s: %s.", e.m.Began.Format(time.DateTime), s)
}

// weight says where the weight comes from, if a check asks for one.
func (e *explainer) weight() {
	if e.set == nil || e.m.AskedBy == AskNone {
		return
	}
	e.sayf("Configured weight %d; a check asked for %d, of which it has %d.", weightOf(e.set.Weight), e.m.Want, e.m.Asked)
}

// until is how long t is away, in whole seconds.
func (e *explainer) until(t time.Time) string {
	return max(0, t.Sub(e.now)).Round(time.Second).String()
}
