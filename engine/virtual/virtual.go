// Package virtual decides which real servers of a virtual service are in the
// table, and with what weight: the policy of a pool. It is pure: it checks
// nobody, edits no table, asks no clock and stores nothing. Rise and fall are
// counted before it (engine/opstatus), who is told is decided after it
// (engine/policy), the table is edited elsewhere (alerts/lvs).
//
// [Decide] goes through these steps, and each has the last word over those
// below it, but that a panic lifts what checks ejected:
//
//  1. Orders. What an operator took out or drains stays so: no check, panic or
//     tier brings it back. It counts as missing for the quorum, which is about
//     capacity, and not at all for panic and cap, which are about trust.
//  2. Local faults. While this machine has one, no verdict and no ask of a
//     check is believed; members are judged as before it. What was decided
//     goes on: drains and ramps run to their end.
//  3. Checks. All, any or k of a member's checks must be good. A blind check
//     counts as it last did; a member whose checks cannot say is judged as it
//     last was. Before any verdict the start policy holds, and so it does
//     after an unclean stop ([State.Provisional], always as Adopt). A member
//     that only adopts what the table has is not moved by the steps below.
//  4. The ejection cap. Members that fail go out in the order in which they
//     began to, up to the cap; the others stay in. It says nothing of members
//     that were out when they failed.
//  5. Tiers. A tier can serve while its good members make its threshold. The
//     best that can serves; a better one comes back after Pool.Return, a worse
//     one takes over at once. If no tier can, the first in which cap or panic
//     keep members in serves, since nothing proves their checks right; only
//     then comes the fallback, and last what is left of any tier. Members of
//     other tiers leave by a drain.
//  6. Panic. If too many of the tier that serves fail, all of it that no order
//     took out and no start policy keeps out is in.
//  7. The way in and out: drain and ramp. When a better tier comes back, the
//     standby stays in for as long as a ramp takes, since weights that grow
//     alike would be no slow start.
//  8. Weights: an order's, or what checks ask for, less for a warning, times
//     the ramp, within 0 and [MaxWeight].
//
// The caller calls Decide when anything in [Input] changed, when the
// configuration did, and at Outcome.Wake. To decide twice with the same input
// at the same time changes nothing the second time.
//
// All waits are measured from times in State. If the clock is set back behind
// one of them, its wait begins anew.
package virtual

import (
	"iter"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
)

// Outcome is what Decide answers.
type Outcome struct {
	// State is the new State: the old one itself if nothing changed. It holds
	// what should hold for each member.
	State State
	// Status is the pool's own: fail while its quorum is lost, or a local
	// fault keeps it from being known; warn while it serves in a way that
	// deserves a look; untested while the quorum hangs on members not judged
	// yet; else ok. What is wrong is in Health.
	Status opstatus.Status
	Health Health
	// Changes are what is new.
	Changes []Change
	// Wake is when to decide again though nothing happens; zero for never.
	Wake time.Time
}

// Members are what should hold for each member: those of the pool in its
// order, then those it does not name any more and that have to leave.
func (o Outcome) Members() iter.Seq[Desired] {
	return func(yield func(Desired) bool) {
		for i := range o.State.Members {
			if !yield(o.State.Members[i].Desired) {
				return
			}
		}
	}
}

// Change is something that a decision changed.
type Change struct {
	// Member is empty for what concerns the whole pool.
	Member   string
	From, To Desired
	Reason   Reason
	// Note gives this case's figures; may be empty.
	Note string
}

// usual is how many members fit on the stack.
const usual = 16

// round is one decision on its way through the steps. The members are handed
// along beside it: it holds nothing that points to them, so that they can stay
// on the stack.
type round struct {
	p   *Pool
	in  Input
	now time.Time
	// was and st are the pool's standing before and after.
	was, st Standing
	// size is how many members each tier has.
	size    [tiers]int
	tally   [tiers]tally
	changes []Change
	wake    time.Time
}

// member is a member on its way.
type member struct {
	MemberState
	Seen
	// set is nil for one that the configuration does not name any more.
	set *Member
	// old is what was desired before; carried is set if it got new clients.
	old     Desired
	carried bool
	// says is what its checks say now, whatever is believed.
	says opinion
	rank rank
	// capped is set when it fails and the ejection cap keeps it in.
	capped bool
	goal   goal
	why    Reason
	// event is why it changed, if that is not why.
	event Reason
}

// Decide says what should hold for each member of p now. It changes nothing
// that p, st and in point to; without a change it allocates nothing for a pool
// of the usual size.
func Decide(p *Pool, st State, in Input, now time.Time) Outcome {
	var room [usual]member
	r := round{p: p, in: in, now: now, was: st.Standing, st: st.Standing}
	r.st.sane(now)
	all := r.gather(room[:0], &st)
	r.fault()
	for i := range all {
		r.judge(&all[i])
	}
	for t := Primary; t < Fallback; t++ {
		if r.size[t] > 0 {
			r.eject(all, t)
		}
	}
	r.count(all)
	r.quorum()
	r.choose()
	r.panic()
	for i := range all {
		r.aim(&all[i])
	}
	r.place(all)
	return r.outcome(all, st)
}

// at asks to be called again at t, if that is still to come.
func (r *round) at(t time.Time) {
	if t.After(r.now) && (r.wake.IsZero() || t.Before(r.wake)) {
		r.wake = t
	}
}
