// Package hold decides what a holder does with one group of addresses: from the
// tokens, what the kernel has, and the time, it says the next thing to do and
// why. It touches nothing, and all time is given to it (CLOCK_BOOTTIME).
//
// The rules, each of which the property test holds it to:
//
//   - Nothing is added or renewed unless the newest token permits it now. What was
//     found to be too late afterwards is undone: an address that was added, at
//     once; a renewal, by a shorter one or by removal.
//   - A group is held all or none.
//   - An address is here at most until a token's Until and its lease have passed:
//     the kernel removes it by itself; this package asks for that too, for a
//     kernel that slept meanwhile, whose leases slept as well.
//   - A release removes all that the line names, whoever added it: the line says
//     that it is ours to hold.
//   - What others remove is put back, but not for ever.
//   - Without a token, hands off.
package hold

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/plugins/role"
)

// The times of a holder.
const (
	// Renewals is how often a lease is renewed before it would end.
	Renewals = 3
	// Retry is the time between tries of what failed; Urgent, of a release.
	Retry  = time.Second
	Urgent = 100 * time.Millisecond
	// Others may remove addresses this often within that time; after one more
	// they are not put back until the role changes.
	Limit  = 5
	Within = time.Minute
	// early is by how much the kernel may end a lease before its time.
	early = 60 * time.Millisecond
)

// Kind is what is to be done.
type Kind uint8

// The kinds.
const (
	None Kind = iota
	// RunTake runs the programs before a group is taken, RunRelease those after
	// it was released.
	RunTake
	RunRelease
	// Take adds the group, all or none. PutBack adds what others removed.
	Take
	PutBack
	// Renew sets the lifetimes of what is there.
	Renew
	// Remove removes what is there, and puts back on lo what came from there.
	Remove
)

// String names the kind.
func (k Kind) String() string {
	return [...]string{"do nothing", "run the programs of on-take", "run the programs of on-release", "take", "put back", "renew", "remove"}[k]
}

// Reason is why.
type Reason uint8

// The reasons.
const (
	Nothing Reason = iota
	Permitted
	Due
	Changed
	Lost
	Released
	Undeclared
	Rewritten
	Lapsed
	Late
	Beyond
	NoToken
	Stale
	Waiting
	Stubborn
	Busy
	Frozen
	Partial
)

// String is a reason for people.
func (r Reason) String() string {
	return [...]string{
		"as it should be", "the token permits it", "a third of the lease has passed", "the token asks for another lease",
		"others removed it", "the token says release", "no line declares it any more", "its line was changed",
		"its lease is over", "it came after the end of its token", "the lease would end after what the token permits",
		"there is no token", "the token has ended", "after a failure it is tried again in a moment",
		"others keep removing it", "its programs are running", "nobody says tokens", "only a part of it could be held",
	}[r]
}

// Action is the next thing to do.
type Action struct {
	Kind   Kind
	Reason Reason
	// Addresses are those to be renewed or removed; for Take and PutBack the
	// driver finds their places.
	Addresses []address.Address
	// Lease is for what is added or renewed; 0 for permanent.
	Lease time.Duration
	// Until is looked at before and after what is added or renewed.
	Until    time.Duration
	Programs [][]string
}

// phase is where a group is.
type phase uint8

const (
	idle      phase = iota
	preparing       // the programs of on-take run, or have run
	held
	leaving // the programs of on-release are to run, or do
)

// Group is one group. One goroutine uses it.
type Group struct {
	// Line is what is declared.
	Line role.Group
	// Mark is for the addresses, routes and rules: 0 for those that no token
	// asks for.
	Mark uint8
	// Frozen: hands off until it is taken away.
	Frozen bool
	// Counters, and what went wrong last.
	Takes, Renewed, PutBacks, LateOnes, Refused uint64
	Fault                                       string
	// Since is when it was taken, if it is held.
	Since time.Duration

	declared bool
	told     bool
	token    role.Token
	phase    phase
	running  bool   // programs do
	failing  string // what those said that ran last
	ready    bool   // those of on-take have run
	// taken is where it was put; moved is what came from lo.
	taken Placed
	moved []address.Address
	// old are addresses that the line named before; rewritten means that
	// those, and all routes and rules, are to go, rewrite that those of the new
	// line are to come.
	old                []address.Address
	rewritten, rewrite bool
	// lease and expires are those of the addresses in the kernel; limit is
	// when they must have ended.
	lease, expires, limit time.Duration
	renewed               time.Duration
	late                  bool
	made                  map[netip.Prefix]uint32
	losses                []time.Duration
	stubborn              bool
	again                 time.Duration // no try before
}

// New is a group that a line declares.
func New(line role.Group, mark uint8) *Group {
	return &Group{Line: line, Mark: mark, declared: true}
}

// Declare gives the group another line. What only the old one named goes.
func (g *Group) Declare(line role.Group) {
	g.declared = true
	if slices.Equal(g.Line.Args(), line.Args()) {
		g.Line = line // order of addresses and programs are in Args
		return
	}
	for _, a := range g.taken.Addresses {
		if !slices.ContainsFunc(line.Addresses, func(b role.Address) bool { return b.Prefix == a.Prefix && (b.Device == "" || b.Device == a.Device) }) {
			g.old = append(g.old, a)
		}
	}
	g.taken.Addresses = slices.DeleteFunc(g.taken.Addresses, func(a address.Address) bool { return slices.Contains(g.old, a) })
	g.Line, g.again, g.rewritten = line, 0, g.phase == held
}

// Undeclare says that no line names the group any more.
func (g *Group) Undeclare() { g.declared, g.again = false, 0 }

// Gone reports whether the group can be forgotten.
func (g *Group) Gone(v address.View) bool {
	return !g.declared && g.phase == idle && !g.running && len(g.ours(v)) == 0 && len(g.moved) == 0
}

// ours are the addresses that are there and ours to remove: all that the line
// names, but of a group that no line names any more and that was never held since
// this program started, those with our mark only.
func (g *Group) ours(v address.View) []address.Address {
	there := Present(v, g.Line, g.taken)
	if g.declared || g.Takes > 0 {
		return there
	}
	return slices.DeleteFunc(there, func(at address.Address) bool {
		r, _ := v.Row(at.Prefix, at.Index)
		return r.Proto != address.Mark
	})
}

// Tell takes in a token. It is not taken if a newer epoch was there.
func (g *Group) Tell(t role.Token) bool {
	if g.told && t.Epoch < g.token.Epoch {
		g.Refused++
		return false
	}
	if !g.told || t.Epoch != g.token.Epoch || t.Hold != g.token.Hold {
		g.stubborn, g.losses, g.again = false, nil, 0
	}
	g.token, g.told = t, true
	if t.Hold && g.lease > 0 && t.Lease > 0 {
		g.limit = max(g.limit, t.Until+g.lease)
	}
	return true
}

// Token is the newest one.
func (g *Group) Token() (role.Token, bool) { return g.token, g.told }

// Held reports whether the group is held.
func (g *Group) Held() bool { return g.phase == held }

// Taken is where it is held.
func (g *Group) Taken() Placed { return g.taken }

// Moved are addresses that are to go back to lo at the end.
func (g *Group) Moved() []address.Address { return g.moved }

// Restore says what had been moved away from lo before a restart.
func (g *Group) Restore(moved []address.Address) { g.moved = moved }

// permits reports whether the newest token permits to add and to renew.
func (g *Group) permits(now time.Duration) bool {
	return g.declared && g.told && g.token.Hold && now < g.token.Until
}

// leaves says that the group is to be released, and why.
func (g *Group) leaves() (Reason, bool) {
	switch {
	case !g.declared:
		return Undeclared, true
	case g.told && !g.token.Hold:
		return Released, true
	}
	return Nothing, false
}

// Next is what is to be done.
func (g *Group) Next(v address.View, now time.Duration) Action {
	switch {
	case g.Frozen:
		return Action{Reason: Frozen}
	case g.running:
		return Action{Reason: Busy}
	case g.phase == leaving:
		return Action{Kind: RunRelease, Reason: Released, Programs: g.Line.OnRelease}
	case g.phase == held:
		return g.keep(v, now)
	}
	return g.start(v, now)
}

// start is Next for a group that is not held.
func (g *Group) start(v address.View, now time.Duration) Action {
	if why, leave := g.leaves(); leave {
		if there := g.ours(v); len(there) > 0 || len(g.moved) > 0 {
			return g.remove(there, why, now)
		}
		if g.phase == preparing { // the programs have run, for nothing
			return Action{Kind: RunRelease, Reason: why, Programs: g.Line.OnRelease}
		}
		return Action{Reason: why}
	}
	switch {
	case !g.told:
		return Action{Reason: NoToken}
	case !g.permits(now):
		return Action{Reason: Stale}
	case now < g.again:
		return Action{Reason: Waiting}
	case !g.ready && len(g.Line.OnTake) > 0:
		return Action{Kind: RunTake, Reason: Permitted, Programs: g.Line.OnTake}
	}
	return Action{Kind: Take, Reason: Permitted, Lease: g.token.Lease, Until: g.token.Until}
}

// keep is Next for a group that is held.
func (g *Group) keep(v address.View, now time.Duration) Action {
	there := Present(v, g.Line, g.taken)
	why, leave := g.leaves()
	switch {
	case leave:
		return g.remove(append(there, g.old...), why, now)
	case g.late:
		return g.remove(append(there, g.old...), Late, now)
	case g.lapsed(len(there), now):
		return g.remove(append(there, g.old...), Lapsed, now)
	case g.rewritten:
		return g.remove(g.old, Rewritten, now)
	case g.lease > 0 && g.expires > g.limit+2*early:
		return g.shorten(there, now)
	case !g.permits(now):
		return Action{Reason: Stale}
	case g.lease != g.token.Lease && now >= g.again:
		return g.renew(there, Changed)
	case g.lease > 0 && now >= g.due() && now >= g.again && len(there) > 0:
		return g.renew(there, Due)
	case g.rewrite && now >= g.again:
		return Action{Kind: PutBack, Reason: Rewritten, Lease: g.lease, Until: g.token.Until}
	case len(there) < len(g.Line.Addresses):
		return g.putBack(now)
	}
	return Action{}
}

// lapsed reports whether the lease is over, by our clock or by the kernel's.
func (g *Group) lapsed(there int, now time.Duration) bool {
	return g.lease > 0 && (now >= g.expires || there == 0 && now >= g.expires-early)
}

// due is when the lease is to be renewed.
func (g *Group) due() time.Duration { return g.renewed + g.lease/Renewals }

func (g *Group) renew(there []address.Address, why Reason) Action {
	return Action{Kind: Renew, Reason: why, Addresses: there, Lease: g.token.Lease, Until: g.token.Until}
}

// shorten ends a lease in time that was given too late.
func (g *Group) shorten(there []address.Address, now time.Duration) Action {
	left := (g.limit - now).Truncate(time.Second)
	if left < time.Second {
		return g.remove(append(there, g.old...), Beyond, now)
	}
	return Action{Kind: Renew, Reason: Beyond, Addresses: there, Lease: left, Until: g.limit}
}

func (g *Group) putBack(now time.Duration) Action {
	switch {
	case g.stubborn:
		return Action{Reason: Stubborn}
	case now < g.again:
		return Action{Reason: Waiting}
	}
	return Action{Kind: PutBack, Reason: Lost, Lease: g.lease, Until: g.token.Until}
}

func (g *Group) remove(list []address.Address, why Reason, now time.Duration) Action {
	if now < g.again {
		return Action{Reason: Waiting}
	}
	return Action{Kind: Remove, Reason: why, Addresses: list}
}

// Wake is when to ask again though nothing happened; 0 for never.
func (g *Group) Wake(now time.Duration) time.Duration {
	wake := time.Duration(0)
	at := func(t time.Duration) {
		if t > now && (wake == 0 || t < wake) {
			wake = t
		}
	}
	at(g.again)
	if g.phase == held && g.lease > 0 {
		at(g.expires)
		if g.permits(now) {
			at(g.due())
		}
	}
	return wake
}

// Error is what is wrong, for people; "" for nothing.
func (g *Group) Error() string {
	switch {
	case g.stubborn && g.phase == held:
		return fmt.Sprintf("others removed addresses more than %d times in %v: they are not put back any more until the role changes; monctl doctor says how to keep a network manager from it", Limit, Within)
	case g.Fault != "" && g.failing != "":
		return g.Fault + "; " + g.failing
	}
	return g.Fault + g.failing
}
