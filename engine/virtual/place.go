package virtual

import "time"

// goal is what is to become of a member.
type goal uint8

const (
	goalRemove goal = iota
	goalDrain
	goalQuiet
	goalHold
	goalServe
)

var zero time.Time

// aim says what is to become of w, and why.
func (r *round) aim(w *member) {
	switch {
	case w.set == nil:
		w.goal, w.why = goalDrain, NotConfigured
	case w.Order.Kind == Maintenance && w.set.OnFail == Quiesce:
		w.goal, w.why = goalQuiet, InMaintenance // out as one that fails
	case w.Order.Kind == Maintenance:
		w.goal, w.why = goalRemove, InMaintenance
	case w.Order.Kind == DrainOut:
		w.goal, w.why = goalDrain, OrderedDrain
	case w.rank == unfit:
		r.failing(w)
	case w.rank == fit:
		r.good(w, r.goodness(w))
	case r.adopts(w):
		w.goal, w.why = goalHold, Adopted
	case w.rank == maybeIn:
		r.good(w, Trusted)
	default:
		w.goal, w.why = goalRemove, Awaited
	}
}

// failing is what becomes of a member that fails.
func (r *round) failing(w *member) {
	serves := w.set.Tier == r.st.Serving
	switch {
	case serves && r.st.Panic:
		w.goal, w.why = goalServe, HeldByPanic
		return
	case serves && w.capped:
		w.goal, w.why = goalServe, HeldByCap
		return
	}
	w.why = r.held(w, Failed)
	switch w.set.OnFail {
	case Remove, Ignore:
		w.goal = goalRemove
	case Quiesce:
		w.goal = goalQuiet
	case Leave:
		w.goal = goalDrain
	}
}

// good is what becomes of a member that may serve, if its tier does.
func (r *round) good(w *member, why Reason) {
	t := w.set.Tier
	switch {
	case t == r.st.Serving && t != Primary && plain(why):
		w.goal, w.why = goalServe, TookOver
	case t == r.st.Serving:
		w.goal, w.why = goalServe, why
	case t == r.st.Overlap && t != Primary && w.carried:
		w.goal, w.why = goalServe, HandsOver
	case t == Fallback && r.p.Drain.Persistence > 0:
		// quiet, it would keep its clients for as long as their templates last
		w.goal, w.why = goalRemove, StandsBy
	case t > r.st.Serving:
		w.goal, w.why = goalDrain, StandsBy
	default:
		w.goal, w.why = goalDrain, StoodDown
	}
}

// goodness is why w is good.
func (r *round) goodness(w *member) Reason {
	switch {
	case w.Order.Kind == Insist:
		return OrderedIn
	case len(w.set.Checks) == 0:
		return Unchecked
	case w.unjudged():
		return Trusted
	case w.Believed == IsFailing:
		return r.held(w, FailureIgnored)
	case w.Believed == IsWarned:
		return r.held(w, Warned)
	}
	return r.held(w, Good)
}

// held is why, unless w is judged by what its checks said before.
func (r *round) held(w *member, why Reason) Reason {
	late := w.says.blind || w.says.is == Unjudged
	switch {
	case r.in.Fault != "" && (late || w.says.is != w.Believed):
		return HeldByFault
	case late:
		return HeldBlind
	}
	return why
}

// plain reports whether a reason gives way to what lessens the weight.
func plain(why Reason) bool {
	return why == Good || why == Unchecked || why == Warned || why == TookOver
}

// place moves every member towards its goal.
func (r *round) place(all []member) {
	others := false
	for i := range all {
		w := &all[i]
		others = others || w.carried && w.Weight > 0 && (w.goal == goalServe || w.goal == goalHold) && w.rank != unfit
	}
	for i := range all {
		w := &all[i]
		r.move(w, others)
		w.Reason = w.why
	}
}

// move takes w one step further; others carry the load if it has to ramp.
func (r *round) move(w *member, others bool) {
	w.Held = w.goal == goalHold
	switch w.goal {
	case goalHold:
		w.adopt(w.Table, r)
	case goalServe:
		r.enter(w, others)
	case goalQuiet:
		if w.Phase != Out {
			w.turn(Quiet, r)
		}
	case goalDrain:
		r.drain(w)
	case goalRemove:
		w.turn(Out, r)
	}
	w.settle()
	if w.Held {
		return
	}
	w.In, w.Weight = w.Phase != Out, 0
	if w.set != nil {
		weight := r.weigh(w)
		if w.Phase.carries() {
			w.Weight = weight
		}
	}
}

// settle keeps the marks of w true to its phase.
func (w *member) settle() {
	switch {
	case w.Phase == Serving:
		w.Cold, w.Ejected = false, false
	case w.Phase == Rising:
		w.Ejected = false
	case w.rank == unfit || w.Phase == Out && w.carriedOff():
		w.Cold = true
	}
	if w.Phase != Draining {
		w.Idle = zero
	}
}

// carriedOff reports whether w went out now, other than to await its first
// verdict.
func (w *member) carriedOff() bool { return w.old.Phase != Out && w.why != Awaited && !w.Held }

// enter brings w in, or further up its ramp.
func (r *round) enter(w *member, others bool) {
	if !w.Phase.carries() {
		if w.Cold && others && w.rank != unfit && r.p.Ramp.Over > 0 {
			w.turn(Rising, r)
		} else {
			w.turn(Serving, r)
		}
	}
	if w.Phase != Rising {
		return
	}
	if i := r.step(w); i < r.p.Ramp.steps() && r.p.Ramp.Over > 0 {
		r.at(w.Began.Add(time.Duration(i+1) * r.p.Ramp.step()))
		return
	}
	w.turn(Serving, r)
}

// step is how many steps of its ramp w has behind it.
func (r *round) step(w *member) int {
	return int(min(r.now.Sub(w.Began)/r.p.Ramp.step(), time.Duration(r.p.Ramp.steps())))
}

// drain takes w further out.
func (r *round) drain(w *member) {
	limit := r.p.Drain.deadline(w.Order)
	switch {
	case w.Phase == Out:
		return
	case limit == 0:
		w.turn(Out, r)
		return
	}
	w.turn(Draining, r)
	due, idle := w.Began.Add(limit), r.idle(w)
	switch {
	case !idle.IsZero() && !r.now.Before(idle):
		w.event = WentIdle
	case limit > 0 && !r.now.Before(due):
		w.event = DeadlineCame
	default:
		r.at(idle)
		if limit > 0 {
			r.at(due)
		}
		return
	}
	w.turn(Out, r)
}

// idle is when w has had no connection for long enough, zero while it has.
func (r *round) idle(w *member) time.Time {
	if !r.unused(w.Conns) {
		w.Idle = zero
		return zero
	}
	if w.Idle.IsZero() {
		w.Idle = r.now
	}
	return w.Idle.Add(r.p.Drain.idle(w.Conns))
}

// unused reports whether c shows that nobody uses a member. On a standby
// director it shows nothing.
func (r *round) unused(c Conns) bool {
	d := r.p.Drain
	return c.Known && !r.in.Standby && c.Active <= 0 &&
		(d.UDP <= 0 || c.Inactive <= 0) && (d.Persistence <= 0 || c.Persistent <= 0)
}

// idle is for how long a member must be unused: long enough to see what the
// kernel does not count.
func (d Drain) idle(c Conns) time.Duration {
	need := max(minIdle, d.Idle)
	if c.Persistent < 0 {
		need = max(need, d.Persistence)
	}
	if c.Inactive < 0 {
		need = max(need, d.UDP)
	}
	return need
}
