package hold

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/mondhq/mond/alerts/fake/address"
)

// Outcome is what came of an action.
type Outcome struct {
	// Before and After are the instants around the change.
	Before, After time.Duration
	// Err says what failed.
	Err error
	// Placed is where a Take put the group.
	Placed Placed
	// View is what the kernel has now.
	View address.View
}

// Started says that programs were started for a.
func (g *Group) Started(a Action) {
	g.running, g.failing = true, ""
	switch a.Kind {
	case RunTake:
		g.phase = preparing
	case RunRelease:
		g.phase = leaving
	case None, Take, PutBack, Renew, Remove:
	}
}

// Ran says that they have ended, with an error or not: a program that fails is
// told, and keeps no address from being held or released.
func (g *Group) Ran(err error) {
	g.running = false
	if err != nil {
		g.failing = err.Error()
	}
	switch g.phase {
	case preparing:
		g.ready = true
	case leaving:
		g.phase, g.ready = idle, false
	case idle, held:
	}
}

// Did takes in what came of an action.
func (g *Group) Did(a Action, o Outcome) {
	switch a.Kind {
	case Take:
		g.took(a, o)
	case PutBack:
		g.put(a, o)
	case Renew:
		g.renewedTo(a, o)
	case Remove:
		g.removed(a, o)
	case RunRelease, RunTake, None:
	}
}

// failed notes an error; it is tried again later.
func (g *Group) failed(o Outcome, after time.Duration) {
	g.Fault, g.again = o.Err.Error(), o.After+after
}

// TooLate says that a was not begun: its token has ended.
func (g *Group) TooLate() { g.LateOnes++ }

func (g *Group) took(a Action, o Outcome) {
	if o.Err != nil {
		g.failed(o, Retry)
		return
	}
	g.phase, g.Fault, g.Since = held, "", o.Before
	g.Takes++
	g.taken = o.Placed
	for _, m := range o.Placed.Moved {
		if !slices.ContainsFunc(g.moved, func(b address.Address) bool { return b.Prefix == m.Prefix }) {
			g.moved = append(g.moved, m)
		}
	}
	g.stamp(a, o)
	g.learn(o.View)
	if o.After >= a.Until {
		g.late = true
		g.LateOnes++
	}
}

// put takes in what came of a PutBack: what is late is removed again.
func (g *Group) put(a Action, o Outcome) {
	g.losses = slices.DeleteFunc(g.losses, func(t time.Duration) bool { return t < o.After-Within })
	if o.Err != nil {
		g.failed(o, Retry)
		return
	}
	g.Fault, g.rewrite = "", false
	g.taken = o.Placed
	if a.Reason == Lost {
		g.PutBacks++
		g.losses = append(g.losses, o.After)
	}
	g.stubborn = len(g.losses) > Limit
	g.setExpires(a, o)
	g.learn(o.View)
	if o.After >= a.Until {
		g.late = true
		g.LateOnes++
	}
}

// renewedTo takes in what came of a Renew. An address that the kernel made anew,
// since it was away, counts as put back.
func (g *Group) renewedTo(a Action, o Outcome) {
	if o.Err != nil {
		g.failed(o, Urgent)
		return
	}
	if g.Fault != "" && len(Present(o.View, g.Line, g.taken)) == len(g.Line.Addresses) {
		g.Fault = ""
	}
	if o.After-g.renewed >= g.lease && g.lease > 0 {
		g.LateOnes++
	}
	g.Renewed++
	if a.Reason == Beyond {
		g.setExpires(a, o)
	} else {
		g.stamp(a, o)
	}
	anew := g.learn(o.View)
	if anew {
		g.PutBacks++
		g.losses = append(g.losses, o.After)
	}
	// Too late: what has no end of its own, or was made anew, is undone at once;
	// of the rest the lease is shortened, where it would end too late.
	if o.After >= a.Until && (anew || a.Lease == 0) || anew && a.Reason == Beyond {
		g.late = true
		g.LateOnes++
	}
}

// stamp notes a lease that was given by a token.
func (g *Group) stamp(a Action, o Outcome) {
	g.lease, g.renewed = a.Lease, o.Before
	if a.Lease > 0 {
		g.limit = a.Until + a.Lease
		if g.token.Hold && g.token.Lease > 0 {
			g.limit = max(g.limit, g.token.Until+a.Lease)
		}
	}
	g.setExpires(a, o)
}

// setExpires notes when the kernel ends the lease: the latest of the addresses,
// as the kernel tells it.
func (g *Group) setExpires(a Action, o Outcome) {
	if a.Lease == 0 {
		g.expires = address.Forever
		return
	}
	g.expires = 0
	for _, at := range Present(o.View, g.Line, g.taken) {
		if r, ok := o.View.Row(at.Prefix, at.Index); ok && !r.Permanent() {
			g.expires = max(g.expires, r.Expires)
		}
	}
	if g.expires == 0 || g.expires > o.After+a.Lease {
		g.expires = o.After + a.Lease
	}
}

func (g *Group) removed(a Action, o Outcome) {
	if a.Reason == Rewritten {
		if o.Err != nil {
			g.failed(o, Urgent)
			return
		}
		g.old, g.rewritten, g.rewrite = nil, false, true
		g.taken.Routes, g.taken.Rules = nil, nil
		return
	}
	left := g.ours(o.View)
	if o.Err == nil && len(left) > 0 {
		o.Err = fmt.Errorf("%s is still there though the kernel removed it: who adds it again?", left[0])
	}
	if o.Err != nil {
		g.failed(o, Urgent)
		return
	}
	was := g.phase
	g.phase, g.late, g.again, g.Fault = idle, false, 0, ""
	if was == held || was == preparing || len(g.Line.OnRelease) > 0 {
		g.phase = leaving
	}
	g.taken, g.moved, g.old, g.made = Placed{}, nil, nil, nil
	g.rewritten, g.rewrite = false, false
	g.lease, g.expires, g.limit, g.Since = 0, 0, 0, 0
}

// learn notes which addresses there are, and reports whether one of those known
// was away in between.
func (g *Group) learn(v address.View) (anew bool) {
	made := map[netip.Prefix]uint32{}
	for _, at := range Present(v, g.Line, g.taken) {
		r, _ := v.Row(at.Prefix, at.Index)
		made[at.Prefix] = r.Made
		if was, ok := g.made[at.Prefix]; ok && was != r.Made {
			anew = true
		}
	}
	g.made = made
	return anew
}
