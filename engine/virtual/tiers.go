package virtual

import "fmt"

// head is a number of members and their capacity.
type head struct{ n, weight int }

func (h *head) add(weight int) {
	if weight > 0 {
		h.n++
		h.weight += weight
	}
}

func (h head) plus(o head) head { return head{h.n + o.n, h.weight + o.weight} }

// tally is what a tier has.
type tally struct {
	// members is how many are configured, ordered how many of them are out by
	// order, bad how many fail, capped how many of these the ejection cap
	// keeps in.
	members, ordered, bad, capped int
	// full is all that is configured, judged what of it no order took out,
	// failing what of that fails. As everywhere, a weight of 0 is nothing.
	full, judged, failing head
	// fit, in and out are the capacity of those that are good, and of those
	// not judged yet.
	fit, in, out head
}

// enough reports whether h, of all that y has, is a. Nothing never is.
func (y *tally) enough(h head, a Amount) bool {
	switch {
	case h.weight <= 0:
		return false
	case a.By == ByCount:
		return h.n >= a.N
	case a.By == ByPercent:
		return 100*h.weight >= a.N*y.full.weight
	}
	return h.weight >= a.N
}

// count counts what each tier has.
func (r *round) count(all []member) {
	for i := range all {
		w := &all[i]
		if w.set == nil {
			continue
		}
		y, base := &r.tally[min(w.set.Tier, Fallback)], weightOf(w.set.Weight)
		y.members++
		y.full.add(base)
		if w.rank == gone {
			y.ordered++
			continue
		}
		y.judged.add(base)
		switch w.rank {
		case fit:
			y.fit.add(w.capacity())
		case maybeIn:
			y.in.add(w.capacity())
		case maybeOut:
			y.out.add(w.capacity())
		case unfit:
			y.bad++
			y.failing.add(base)
		case gone:
		}
		if w.capped {
			y.capped++
		}
	}
}

// quorum says whether the primaries are enough. Who is not judged yet neither
// loses nor gains it.
func (r *round) quorum() {
	y, gate, was := &r.tally[Primary], r.p.Quorum, r.st.Quorum
	could := y.fit.plus(y.in).plus(y.out)
	switch {
	case was != QuorumUp && y.enough(y.fit, gate.up()):
		r.st.Quorum = QuorumUp
	case was == QuorumUp && !y.enough(could, gate.down()), was == QuorumUnknown && !y.enough(could, gate.up()):
		r.st.Quorum = QuorumDown
	}
	if r.st.Quorum == was {
		return
	}
	r.st.QuorumSince = r.now
	if r.st.Quorum == QuorumUp {
		r.say(QuorumGained, y.figures(y.fit, gate.up()))
	} else {
		r.say(QuorumLost, y.figures(could, gate.down()))
	}
}

// figures is what y has and needs.
func (y *tally) figures(h head, need Amount) string {
	s := fmt.Sprintf("%d of %d good, weight %d of %d", h.n, y.members, h.weight, y.full.weight)
	if need.N > 0 {
		s += ", " + need.String() + " needed"
	}
	return s
}

// able reports whether t can serve by itself.
func (r *round) able(t Tier) bool {
	y, need := &r.tally[t], r.p.StandbyQuorum.up()
	switch {
	case t == Fallback:
		return y.fit.weight > 0
	case t == Primary && r.st.Quorum != QuorumUnknown:
		return r.st.Quorum == QuorumUp
	case t == Primary:
		need = r.p.Quorum.down()
	case t == r.st.Serving:
		need = r.p.StandbyQuorum.down()
	}
	return y.enough(y.fit.plus(y.in), need)
}

// panics reports whether so many of t fail that they are not believed to.
func (r *round) panics(t Tier) bool {
	y, a := &r.tally[t], r.p.Panic.down()
	if r.st.Panic && r.st.Serving == t {
		a = r.p.Panic.up()
	}
	if a.N <= 0 || y.failing.n == 0 {
		return false
	}
	n, weight := y.judged.n-y.failing.n, y.judged.weight-y.failing.weight
	switch {
	case a.By == ByCount:
		return n < a.N
	case a.By == ByWeight:
		return weight < a.N
	}
	return 100*weight < a.N*y.judged.weight
}

// first is the first tier before the fallback of which yes is true.
func first(yes func(t Tier) bool) (Tier, bool) {
	for t := Primary; t < Fallback; t++ {
		if yes(t) {
			return t, true
		}
	}
	return Primary, false
}

// choose says which tier serves, and which beside it for a while.
func (r *round) choose() {
	r.elect()
	s := &r.st
	if s.Overlap == Primary {
		return
	}
	if due := s.ServingSince.Add(r.p.Ramp.Over); r.now.Before(due) {
		r.at(due)
	} else {
		s.Overlap = Primary
	}
}

// elect says which tier serves. What was adopted serves on while it may be
// able to.
func (r *round) elect() {
	if best, ok := first(r.able); ok {
		r.prefer(best)
		return
	}
	if r.st.Quorum == QuorumUnknown && r.p.Start == Adopt {
		r.serve(r.st.Serving)
		return
	}
	if t, ok := first(func(t Tier) bool { return r.tally[t].capped > 0 || r.panics(t) }); ok {
		r.serve(t)
		return
	}
	if r.able(Fallback) {
		r.serve(Fallback)
		return
	}
	t, _ := first(func(t Tier) bool { y := &r.tally[t]; return y.fit.n+y.in.n > 0 })
	r.serve(t)
}

// prefer lets best serve, at once or, while a standby tier still can, when it
// has been able to for long enough.
func (r *round) prefer(best Tier) {
	s := &r.st
	if best >= s.Serving || s.Serving == Fallback || r.p.Return <= 0 || !r.able(s.Serving) {
		r.serve(best)
		return
	}
	if s.BetterSince.IsZero() || s.Better != best {
		s.Better, s.BetterSince = best, r.now
	}
	due := s.BetterSince.Add(r.p.Return)
	if r.now.Before(due) {
		r.at(due)
		return
	}
	r.serve(best)
}

// serve lets t serve.
func (r *round) serve(t Tier) {
	s := &r.st
	s.Better, s.BetterSince = Primary, zero
	if t == s.Serving {
		return
	}
	note := t.String() + " serves instead of " + s.Serving.String()
	s.Overlap = Primary
	if t < s.Serving && s.Serving != Fallback && r.p.Ramp.Over > 0 {
		s.Overlap = s.Serving
	}
	s.Serving, s.ServingSince, s.Panic = t, r.now, false
	r.say(TierChanged, note)
}

// panic notes whether the tier that serves panics.
func (r *round) panic() {
	s, on := &r.st, r.st.Serving != Fallback && r.panics(r.st.Serving)
	if on != s.Panic {
		s.Panic, s.PanicSince = on, r.now
	}
	if on == r.was.Panic {
		return
	}
	y := &r.tally[s.Serving]
	note := fmt.Sprintf("%d of %d fail", y.failing.n, y.judged.n)
	if on {
		r.say(PanicBegan, note)
	} else {
		r.say(PanicEnded, note)
	}
}
