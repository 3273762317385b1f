package virtual

import "math"

// weightOf is n as a weight.
func weightOf(n int) int { return min(max(n, 0), MaxWeight) }

// capacity is what w counts for in a quorum: its configured weight, or what it
// is to carry if that is less. A load moves weights and speaks of no capacity.
func (w *member) capacity() int {
	base := weightOf(w.set.Weight)
	switch {
	case w.Order.Weighted:
		return min(base, weightOf(w.Order.Weight))
	case w.AskedBy != AskNone && w.AskedBy != AskLoad:
		return min(base, w.Want)
	}
	return base
}

// hear takes in what a check of w asks for.
func (r *round) hear(w *member) {
	base, kind := weightOf(w.set.Weight), w.Ask.Kind
	if kind == AskHold || r.in.Fault != "" {
		kind = w.AskedBy
	} else if kind == AskNone {
		w.Want, w.Asked, w.AskedAt, w.Sample = 0, 0, zero, zero
	} else if want := r.p.Asks.bound(w.wish(base), base, kind); w.AskedBy == AskNone {
		w.Want, w.Asked = want, want
		if w.carried {
			w.Asked = base // from what it has
		}
	} else if r.p.Asks.matters(w.Want, want, base, kind) {
		w.Want = want
	}
	w.AskedBy = kind
	if kind != AskNone {
		w.Want, w.Asked = r.p.Asks.bound(w.Want, base, kind), r.p.Asks.bound(w.Asked, base, kind)
	}
}

// wish is what is asked for, before any bound. A load speaks of no weight: it
// moves what there is.
func (w *member) wish(base int) int {
	n := min(max(w.Ask.N, -MaxWeight), MaxWeight)
	switch w.Ask.Kind {
	case AskWeight:
		return n
	case AskPercent:
		return percent(base, n)
	case AskDelta:
		return base + n
	case AskLoad:
		if w.AskedBy != AskNone {
			return w.Want
		}
	case AskNone, AskHold:
	}
	return base
}

// weigh is the weight of w, whatever its phase, but for its ramp. It gives the
// reason if the weight is not the configured one.
func (r *round) weigh(w *member) int {
	base := weightOf(w.set.Weight)
	r.slew(w, base)
	if w.Order.Weighted {
		w.because(OrderedWeight)
		return weightOf(w.Order.Weight)
	}
	weight := base
	if w.AskedBy != AskNone && (w.Asked != base || w.Asked != w.Want) {
		weight = w.Asked
		if w.Asked == w.Want {
			w.because(Asked)
		} else {
			w.because(Limited)
		}
	}
	if w.Believed == IsWarned && r.p.Warn > 0 {
		weight = percent(weight, r.p.Warn)
		if w.why == Asked || w.why == Limited {
			w.why = Warned
		}
	}
	if w.Phase == Rising {
		weight = r.p.Ramp.part(weight, r.step(w))
		w.because(Ramping)
		if w.why == Asked || w.why == Limited {
			w.why = Ramping
		}
	}
	return weightOf(weight)
}

// because gives a reason for the weight of w, unless there is a better one for
// its being there at all.
func (w *member) because(why Reason) {
	if w.Phase.carries() && plain(w.why) {
		w.why = why
	}
}

// slew moves what w is given towards what it asked for, if it may. A member
// that does not serve, or only now does, gets it at once.
func (r *round) slew(w *member, base int) {
	if w.AskedBy == AskNone {
		return
	}
	if w.Ask.Kind == AskLoad && r.in.Fault == "" {
		r.load(w, base)
		return
	}
	if !w.carried || !w.Phase.carries() {
		w.Asked = w.Want
		return
	}
	if w.Asked == w.Want {
		return
	}
	every := r.p.Asks.every(w.AskedBy)
	due := w.AskedAt.Add(every)
	if w.AskedAt.IsZero() || !r.now.Before(due) {
		w.Asked = r.p.Asks.towards(w.Asked, w.Want, base)
		w.AskedAt = r.now
		due = r.now.Add(every)
	}
	if w.Asked != w.Want {
		r.at(due)
	}
}

// towards is one move from a weight to another.
func (l Limits) towards(from, to, base int) int {
	if l.Step <= 0 {
		return to
	}
	step := max(1, percent(base, l.Step))
	return min(max(to, from-step), from+step)
}

// load moves the weight of a member by nanny's rule, once it has served with
// its whole weight for a while: up by half the configured weight times the
// cube root of the idle part of the machine, down by that of the excess. Each
// sample counts once.
func (r *round) load(w *member, base int) {
	l := w.Ask.Load
	if w.Phase != Serving || w.Ask.At.Equal(w.Sample) || !(l >= 0) {
		return
	}
	last := w.Began
	if w.AskedAt.After(last) {
		last = w.AskedAt
	}
	if due := last.Add(r.p.Asks.every(AskLoad)); r.now.Before(due) {
		r.at(due)
		return
	}
	w.Sample = w.Ask.At
	move := float64(base) / 2 * math.Cbrt(1-min(l, 1e6))
	weight := r.p.Asks.bound(w.Asked+int(math.Round(move)), base, AskLoad)
	if r.p.Asks.matters(w.Asked, weight, base, AskLoad) {
		w.Want, w.Asked, w.AskedAt = weight, weight, r.now
	}
}
