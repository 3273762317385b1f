package virtual

import "github.com/mondhq/mond/engine/opstatus"

// opinion is what the checks of a member say together.
type opinion struct {
	is Believed
	// blind is set when that hangs on a check that sees nothing at present.
	blind bool
}

// rank is how a member counts.
type rank uint8

const (
	gone     rank = iota // by order, or not configured any more
	fit                  // good, or to be taken for it
	unfit                // failing
	maybeIn              // not judged yet, in
	maybeOut             // not judged yet, out
)

// judge takes in what the checks of w say, if they are believed, and how it
// therefore counts.
func (r *round) judge(w *member) {
	if w.set == nil {
		return
	}
	w.says = opine(w.set, w.Checks)
	believe := r.in.Fault == "" || len(w.set.Checks) == 0
	if w.says.is != Unjudged && believe {
		if w.says.is != w.Believed {
			w.Believed, w.Judged = w.says.is, r.now
		}
		w.Unsure = false
	}
	r.hear(w)
	w.rank = r.rank(w)
	if w.rank == fit || w.rank == gone {
		w.Ejected = false
	}
}

// rank is how w counts, whatever its tier.
func (r *round) rank(w *member) rank {
	switch {
	case w.Order.Kind == Maintenance || w.Order.Kind == DrainOut:
		return gone
	case w.Order.Kind == Insist:
		return fit
	case w.unjudged() && w.set.Tier == Fallback:
		return fit
	case w.unjudged() && (r.adopts(w) && w.there() || !r.adopts(w) && r.p.Start == Optimistic):
		return maybeIn
	case w.unjudged():
		return maybeOut
	case w.Believed == IsFailing && w.set.OnFail != Ignore:
		return unfit
	}
	return fit
}

func (w *member) unjudged() bool { return w.Believed == Unjudged || w.Unsure }

// adopts reports whether w, not judged yet, stays as the table has it.
func (r *round) adopts(w *member) bool { return w.Unsure || r.p.Start == Adopt }

// there reports whether the table sends clients to w, as far as is known.
func (w *member) there() bool {
	if w.Table.Known {
		return w.Table.There && w.Table.Weight > 0
	}
	return w.In && w.Weight > 0
}

// opine combines the verdicts of a member's checks. A blind check counts as it
// last did.
func opine(m *Member, checks []Verdict) opinion {
	if len(m.Checks) == 0 {
		return opinion{is: IsGood}
	}
	var seen, all votes
	for i := range m.Checks {
		var v Verdict
		if i < len(checks) {
			v = checks[i]
		}
		all.add(v.Status)
		if v.Blind {
			v.Status = opstatus.Untested
		}
		seen.add(v.Status)
	}
	if is := seen.result(m.need()); is != Unjudged {
		return opinion{is: is}
	}
	return opinion{all.result(m.need()), seen != all}
}

// votes counts verdicts.
type votes struct{ good, warn, bad, none int }

func (v *votes) add(s opstatus.Status) {
	switch {
	case s.Failing():
		v.bad++
	case s == opstatus.Warn:
		v.warn++
	case s == opstatus.Untested || !s.Good():
		v.none++
	default:
		v.good++
	}
}

// result is what the votes say if need of them must be good; Unjudged while
// that hangs on those without a verdict.
func (v votes) result(need int) Believed {
	switch {
	case v.good >= need:
		return IsGood
	case v.good+v.warn >= need:
		return IsWarned
	case v.good+v.warn+v.none < need:
		return IsFailing
	}
	return Unjudged
}

// limit is how many members of t may be ejected; none if it is not limited.
func (r *round) limit(t Tier) (limit int, limited bool) {
	a := r.p.Eject
	if a.N <= 0 {
		return 0, false
	}
	if a.By != ByPercent {
		return a.N, true
	}
	return max(1, r.size[t]*a.N/100), true
}

// eject decides which failing members of t go out because of it: as many as
// may, those that failed first before the others. Who is out stays out, unless
// the cap was lowered.
func (r *round) eject(all []member, t Tier) {
	limit, limited := r.limit(t)
	out := 0
	for i := range all {
		w := &all[i]
		if !w.of(t) {
			continue
		}
		if !limited && w.ejectable() {
			w.Ejected = true
		}
		if w.Ejected {
			out++
		}
	}
	if !limited {
		return
	}
	for ; out > limit; out-- {
		w := &all[latest(all, t)]
		w.Ejected, w.capped = false, w.rank == unfit
	}
	for ; out < limit; out++ {
		i := earliest(all, t)
		if i < 0 {
			break
		}
		all[i].Ejected = true
	}
	for i := range all {
		if w := &all[i]; w.of(t) && w.ejectable() {
			w.capped = true
		}
	}
}

// of reports whether w is configured to be of tier t.
func (w *member) of(t Tier) bool { return w.set != nil && w.set.Tier == t }

// ejectable reports whether w is in and fails.
func (w *member) ejectable() bool {
	return w.rank == unfit && w.carried && !w.Ejected && !w.capped
}

// latest is where the member of t is that was ejected and failed last.
func latest(all []member, t Tier) int {
	best := -1
	for i := range all {
		if w := &all[i]; w.of(t) && w.Ejected && (best < 0 || !w.Judged.Before(all[best].Judged)) {
			best = i
		}
	}
	return best
}

// earliest is where the member of t is that could be ejected and failed first;
// -1 if there is none.
func earliest(all []member, t Tier) int {
	best := -1
	for i := range all {
		if w := &all[i]; w.of(t) && w.ejectable() && (best < 0 || w.Judged.Before(all[best].Judged)) {
			best = i
		}
	}
	return best
}
