package virtual

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/opstatus"
)

// Health is how a pool is, in figures.
type Health struct {
	Serving Tier
	Quorum  Quorum
	// Need is what the quorum asks for at present; 0 if any primary will do.
	Need  Amount
	Panic bool
	// Fault is the local fault; empty without.
	Fault string
	// Primaries is how many there are, Good how many of them are good and may
	// carry something, Failing how many fail, Ordered how many an operator
	// took out.
	Primaries, Good, Failing, Ordered int
	// Weight is the capacity of the good primaries, Full that of all.
	Weight, Full int
	// Capped is how many members only the ejection cap keeps in.
	Capped int
	// In is how many members of any tier get new clients.
	In int
}

// outcome puts together what was decided.
func (r *round) outcome(all []member, st State) Outcome {
	same := len(all) == len(st.Members) && r.st == st.Standing
	for i := range all {
		w := &all[i]
		if !w.same(w.old) {
			w.Since = r.now
			r.changed(w)
		}
		same = same && w.MemberState == st.Members[i]
	}
	h := r.health(all)
	out := Outcome{State: st, Status: h.status(), Health: h, Changes: r.changes, Wake: r.wake}
	if !same {
		out.State = State{Standing: r.st, Members: make([]MemberState, len(all))}
		for i := range all {
			out.State.Members[i] = all[i].MemberState
		}
	}
	return out
}

// changed notes a change of w.
func (r *round) changed(w *member) {
	c := Change{Member: w.Name, From: w.old, To: w.Desired, Reason: w.Reason}
	switch w.Reason {
	case InMaintenance, OrderedDrain, OrderedIn, OrderedWeight:
		c.Note = w.Order.Note
	default:
	}
	if w.event != NoReason {
		c.Reason = w.event
	}
	r.changes = append(r.changes, c)
}

func (r *round) health(all []member) Health {
	y := &r.tally[Primary]
	h := Health{
		Serving: r.st.Serving, Quorum: r.st.Quorum, Panic: r.st.Panic, Fault: r.st.Fault,
		Primaries: y.members, Good: y.fit.n, Failing: y.bad, Ordered: y.ordered,
		Weight: y.fit.weight, Full: y.full.weight,
		Need: r.p.Quorum.up(),
	}
	if h.Quorum == QuorumUp {
		h.Need = r.p.Quorum.down()
	}
	for i := range all {
		w := &all[i]
		if w.In && w.Weight > 0 {
			h.In++
		}
		if w.Reason == HeldByCap {
			h.Capped++
		}
	}
	return h
}

func (h *Health) status() opstatus.Status {
	switch {
	case h.Fault != "" || h.Quorum == QuorumDown:
		return opstatus.Fail
	case h.Panic || h.Capped > 0 || h.Serving != Primary:
		return opstatus.Warn
	case h.Quorum == QuorumUnknown:
		return opstatus.Untested
	}
	return opstatus.OK
}

// Summary is how the pool is, in one line: what an alert says of it.
func (o Outcome) Summary() string {
	h := &o.Health
	var b strings.Builder
	if h.Fault != "" {
		b.WriteString("local fault: " + h.Fault + "; members are held; ")
	}
	if h.Quorum == QuorumDown {
		b.WriteString("quorum lost: ")
	}
	fmt.Fprintf(&b, "%d of %d good, weight %d of %d", h.Good, h.Primaries, h.Weight, h.Full)
	if h.Need.N > 0 {
		b.WriteString(", " + h.Need.String() + " needed")
	}
	if h.Serving != Primary {
		b.WriteString("; " + h.Serving.String() + " serves")
	}
	if h.Panic {
		b.WriteString("; panic: all are kept in")
	}
	if h.Capped > 0 {
		fmt.Fprintf(&b, "; %d kept in by the ejection cap", h.Capped)
	}
	b.WriteString(o.named("failing", func(m *MemberState) bool { return m.Believed == IsFailing && m.Reason != NotConfigured }))
	b.WriteString(o.named("taken out", func(m *MemberState) bool { return m.Reason == InMaintenance || m.Reason == OrderedDrain }))
	return b.String()
}

// mostNames is how many names a summary lists.
const mostNames = 8

// named lists the members that are something, the first few by name.
func (o Outcome) named(what string, is func(*MemberState) bool) string {
	var names []string
	n := 0
	for i := range o.State.Members {
		m := &o.State.Members[i]
		if !is(m) {
			continue
		}
		if n++; n <= mostNames {
			names = append(names, m.Name)
		}
	}
	if n == 0 {
		return ""
	}
	s := "; " + what + ": " + strings.Join(names, " ")
	if n > mostNames {
		s += " and " + strconv.Itoa(n-mostNames) + " more"
	}
	return s
}

// String is d in one line, such as "web1: in, weight 5: checks good".
func (d Desired) String() string {
	s := d.Name + ": " + d.Phase.String()
	if d.In && d.Phase.carries() {
		s += ", weight " + strconv.Itoa(d.Weight)
	}
	return s + ": " + d.Reason.String()
}

// String is c in one line, such as
// "web1: out, was in with weight 5: checks fail".
func (c Change) String() string {
	var b strings.Builder
	if c.Member != "" {
		b.WriteString(c.Member + ": " + c.To.short() + ", was " + c.From.short() + ": ")
	}
	b.WriteString(c.Reason.String())
	if c.Note != "" {
		b.WriteString(" (" + c.Note + ")")
	}
	return b.String()
}

func (d Desired) short() string {
	if d.In && d.Phase.carries() {
		return d.Phase.String() + " with weight " + strconv.Itoa(d.Weight)
	}
	return d.Phase.String()
}
