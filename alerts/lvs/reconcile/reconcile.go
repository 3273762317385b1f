// Package reconcile says which edits make a table of virtual services agree
// with what is claimed of it. It is pure: it reads no table and makes no edit.
//
// The rules: a target, one real server of one virtual service, is out while
// any claim on it is Down, and in otherwise, as its newest claim says. A claim
// that is provisional keeps its target as the table has it. What nobody claims
// is never touched, whoever put it there, and a virtual service is neither
// made nor removed: while it is missing its targets are pending.
package reconcile

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// Target is one real server of one virtual service.
type Target struct {
	Virtual ipvs.Virtual
	Real    netip.AddrPort
}

// String is "REAL of VIRTUAL".
func (t Target) String() string { return t.Real.String() + " of " + t.Virtual.String() }

// Compare orders targets by virtual service and address.
func (t Target) Compare(o Target) int {
	return cmp.Or(ipvs.CompareVirtual(t.Virtual, o.Virtual), t.Real.Compare(o.Real))
}

// Claim is what one service says of a target.
type Claim struct {
	// ID names the claim; no two have the same.
	ID string
	Target
	// Weight, 0 to 65535, and Forward hold while the target is in.
	Weight  uint32
	Forward ipvs.Forward
	// Down, Provisional, Reason and Since are as in plugins/alert.
	Down, Provisional bool
	Reason            string
	Since             time.Time
}

// Verdict is what is to become of a target.
type Verdict uint8

// The verdicts.
const (
	Hold Verdict = iota // as the table has it
	In
	Out
)

// String is the verdict in a word.
func (v Verdict) String() string {
	switch v {
	case Hold:
		return "hold"
	case In:
		return "in"
	case Out:
		return "out"
	}
	return "unknown"
}

// Want is what is to become of a target, and why.
type Want struct {
	Target
	Verdict Verdict
	// Weight and Forward are read with In only.
	Weight  uint32
	Forward ipvs.Forward
	// Claims are all that speak of the target, the one that decided first.
	Claims []Claim
}

// Reason is the deciding claim's, or its ID if that gives none.
func (w Want) Reason() string {
	if len(w.Claims) == 0 {
		return "nobody claims it"
	}
	return cmp.Or(w.Claims[0].Reason, w.Claims[0].ID)
}

// Desire sums up claims, sorted by target.
func Desire(claims []Claim) []Want {
	byTarget := map[Target][]Claim{}
	for _, c := range claims {
		byTarget[c.Target] = append(byTarget[c.Target], c)
	}
	out := make([]Want, 0, len(byTarget))
	for _, t := range slices.SortedFunc(maps.Keys(byTarget), Target.Compare) {
		out = append(out, decide(t, byTarget[t]))
	}
	return out
}

// decide judges one target by all its claims, at least one.
func decide(t Target, claims []Claim) Want {
	slices.SortFunc(claims, weightier)
	first := claims[0]
	w := Want{Target: t, Claims: claims}
	switch rank(first) {
	case rankDown:
		w.Verdict = Out
	case rankIn:
		w.Verdict, w.Weight, w.Forward = In, first.Weight, first.Forward
	}
	return w
}

// The ranks of claims on one target: the lowest decides. A reason to be out
// that was seen now stands above one that is only remembered, and that above
// any word for it, since it may turn out to hold still.
const (
	rankDown = iota
	rankProvisional
	rankIn
)

func rank(c Claim) int {
	switch {
	case c.Provisional:
		return rankProvisional
	case c.Down:
		return rankDown
	}
	return rankIn
}

// weightier orders claims on one target: by rank, the newest first, and by ID
// so that the order never depends on chance.
func weightier(a, b Claim) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), b.Since.Compare(a.Since), cmp.Compare(a.ID, b.ID))
}

// Actual is what a table holds: the destinations of every virtual service that
// was read and is there. One that is not there has no entry.
type Actual map[ipvs.Virtual][]ipvs.Destination

// Kind is a kind of edit.
type Kind uint8

// The kinds of edit, in the order in which they are made: a pool that is
// exchanged whole is never empty in between.
const (
	None Kind = iota
	Add
	Set
	Delete
)

// String is the kind in a word.
func (k Kind) String() string {
	switch k {
	case None:
		return "none"
	case Add:
		return "add"
	case Set:
		return "set"
	case Delete:
		return "delete"
	}
	return "unknown"
}

// Op is one edit of a destination.
type Op struct {
	Kind    Kind
	Virtual ipvs.Virtual
	// Destination is the row as it is to be; with Delete only its address
	// counts.
	Destination ipvs.Destination
	Reason      string
}

// Target is what the edit is about.
func (o Op) Target() Target { return Target{o.Virtual, o.Destination.Addr} }

// State is how a target stands in the table.
type State uint8

// The states.
const (
	Agrees  State = iota // the table has what is wanted
	Held                 // nothing is wanted but what is there
	Differs              // an edit is due
	Pending              // it is to be in and its virtual service is missing
)

// String is the state in a word.
func (s State) String() string {
	switch s {
	case Agrees:
		return "agrees"
	case Held:
		return "held"
	case Differs:
		return "differs"
	case Pending:
		return "pending"
	}
	return "unknown"
}

// Compare says how w stands in a table, and the edit that is due, of kind None
// if none is.
func Compare(w Want, actual Actual) (State, Op) {
	rows, there := actual[w.Virtual]
	i := slices.IndexFunc(rows, func(d ipvs.Destination) bool { return d.Addr == w.Real })
	switch {
	case w.Verdict == Hold:
		return Held, Op{}
	case w.Verdict == Out && i < 0:
		return Agrees, Op{}
	case w.Verdict == Out:
		return Differs, w.op(Delete, ipvs.Destination{Addr: w.Real})
	case !there:
		return Pending, Op{}
	case i < 0:
		return Differs, w.op(Add, ipvs.Destination{Addr: w.Real, Weight: w.Weight, Forward: w.Forward})
	case w.sameAs(rows[i]):
		return Agrees, Op{}
	}
	return Differs, w.op(Set, w.corrected(rows[i]))
}

func (w Want) op(k Kind, d ipvs.Destination) Op {
	return Op{Kind: k, Virtual: w.Virtual, Destination: d, Reason: w.Reason()}
}

// sameAs reports whether row is what w asks for. A kernel that calls a real
// server on the director itself local has its own mind about forwarding.
func (w Want) sameAs(row ipvs.Destination) bool {
	return row.Weight == w.Weight && (row.Forward == w.Forward || row.Forward == ipvs.Local)
}

// corrected is row with what w asks for; the rest of it, thresholds and the
// like, belongs to the operator.
func (w Want) corrected(row ipvs.Destination) ipvs.Destination {
	row.Weight = w.Weight
	if row.Forward != w.Forward && row.Forward != ipvs.Local {
		row.Forward, row.Tunnel = w.Forward, ipvs.Encapsulation{}
	}
	return row
}

// Diff gives the edits that make actual agree with wants, as few as there can
// be, and the targets that are pending.
func Diff(wants []Want, actual Actual) (ops []Op, pending []Want) {
	for _, w := range wants {
		state, op := Compare(w, actual)
		if state == Pending {
			pending = append(pending, w)
		}
		if op.Kind != None {
			ops = append(ops, op)
		}
	}
	slices.SortStableFunc(ops, func(a, b Op) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), a.Target().Compare(b.Target()))
	})
	return ops, pending
}
