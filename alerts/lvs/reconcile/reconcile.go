// Package reconcile says which edits make a table of virtual services agree
// with what is claimed of it. It is pure: it reads no table and makes no edit.
//
// The rules: a target, one real server of one virtual service, is out while
// any claim on it is Down, and in otherwise, as its newest claim says. A claim
// that is provisional keeps its target as the table has it. A virtual
// service's own row is judged in the same way where it is declared, and is
// neither made nor removed where it is not: while it is missing its targets
// are pending. What nobody claims is never touched, whoever put it there, but
// for what is known to have been declared once; and a row that holds real
// servers of others is never removed.
package reconcile

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// Rows is what a table holds of one virtual service.
type Rows struct {
	// Service is its own row; nil if that was not looked at.
	Service *ipvs.Service
	Reals   []ipvs.Destination
}

// Actual is what a table holds of every virtual service that was read and is
// there. One that is not there has no entry.
type Actual map[ipvs.Virtual]Rows

// Kind is a kind of edit.
type Kind uint8

// The kinds of edit, in the order in which they are made: a pool that is
// exchanged whole is never empty in between.
const (
	None Kind = iota
	AddService
	SetService
	Add
	Set
	Delete
	DeleteService
)

var kindNames = [...]string{"none", "add virtual service", "set virtual service", "add real server", "set real server", "delete real server", "delete virtual service"}

// String is the kind in words.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// OfService reports whether the edit is of a virtual service's own row.
func (k Kind) OfService() bool { return k == AddService || k == SetService || k == DeleteService }

// Op is one edit.
type Op struct {
	Kind    Kind
	Virtual ipvs.Virtual
	// Service is the row as it is to be; with AddService and SetService.
	Service ipvs.Service
	// Destination is the row as it is to be; with Delete only its address
	// counts.
	Destination ipvs.Destination
	// Claim is the ID of the claim that asks for it, "" for what is left.
	Claim, Reason string
}

// Target is what the edit is about.
func (o Op) Target() Target { return Target{o.Virtual, o.Destination.Addr} }

// Same reports whether o and p are the same edit, whatever their reasons.
func (o Op) Same(p Op) bool {
	return o.Kind == p.Kind && o.Virtual == p.Virtual && o.Service == p.Service && o.Destination == p.Destination
}

// Command is the edit as arguments of ipvsadm.
func (o Op) Command() string {
	switch o.Kind {
	case AddService:
		return "-A " + o.Service.Options()
	case SetService:
		return "-E " + o.Service.Options()
	case DeleteService:
		return "-D " + o.Virtual.Option()
	case Add:
		return "-a " + o.Destination.Options(o.Virtual)
	case Set:
		return "-e " + o.Destination.Options(o.Virtual)
	case Delete:
		return "-d " + o.Virtual.Option() + " -r " + o.Destination.Addr.String()
	case None:
	}
	return ""
}

// State is how a target stands in the table.
type State uint8

// The states.
const (
	Agrees  State = iota // the table has what is wanted
	Held                 // nothing is wanted but what is there
	Differs              // an edit is due
	Pending              // it is to be in and its virtual service is missing
	Waiting              // nothing is written: the role is not ours
	Blocked              // it is to go and holds real servers of others
)

var stateNames = [...]string{"agrees", "held", "differs", "pending", "standby", "blocked"}

// String is the state in a word.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// leftReason is why a row goes that nobody claims.
const leftReason = "it was declared and is in the configuration no more"

// Compare says how the real server w of p stands in a table, and the edit that
// is due, of kind None if none is.
func (p Pool) Compare(w Want, actual Actual) (State, Op) {
	rows, there := actual[w.Virtual]
	i := slices.IndexFunc(rows.Reals, func(d ipvs.Destination) bool { return d.Addr == w.Real })
	switch {
	case p.Standby:
		return Waiting, Op{}
	case w.Verdict == Hold:
		return Held, Op{}
	case w.Verdict == Out && i < 0:
		return Agrees, Op{}
	case w.Verdict == Out:
		return Differs, w.op(Delete, ipvs.Destination{Addr: w.Real})
	case !there && !p.makes():
		return Pending, Op{}
	case i < 0:
		return Differs, w.op(Add, w.Row)
	case w.sameAs(rows.Reals[i]):
		return Agrees, Op{}
	}
	return Differs, w.op(Set, w.Corrected(rows.Reals[i]))
}

// makes reports whether p's own row is to be there.
func (p Pool) makes() bool { return p.Service != nil && p.Service.Verdict == In }

// CompareService says how p's own row stands, where somebody declares or
// declared it. A row that was not looked at agrees if it is there.
func (p Pool) CompareService(actual Actual) (State, Op) {
	rows, there := actual[p.Virtual]
	switch {
	case p.leaves():
		return p.compareLeaving(rows, there)
	case p.Standby:
		return Waiting, Op{}
	case p.Service == nil, p.Service.Verdict == Hold:
		return Held, Op{}
	case !there:
		return Differs, p.serviceOp(AddService)
	case rows.Service == nil || *rows.Service == p.Service.Service:
		return Agrees, Op{}
	}
	return Differs, p.serviceOp(SetService)
}

// leaves reports whether p's own row is to go.
func (p Pool) leaves() bool {
	return p.LeftService || p.Service != nil && p.Service.Verdict == Out && !p.Standby
}

func (p Pool) compareLeaving(rows Rows, there bool) (State, Op) {
	switch {
	case !there && p.Standby:
		return Waiting, Op{}
	case !there:
		return Agrees, Op{}
	case len(p.Foreign(rows)) > 0:
		return Blocked, Op{}
	case p.Service != nil && !p.Standby:
		return Differs, p.serviceOp(DeleteService)
	}
	return Differs, Op{Kind: DeleteService, Virtual: p.Virtual, Reason: p.reasonLeft()}
}

func (p Pool) reasonLeft() string {
	if p.Standby {
		return "its address is not on this machine"
	}
	return leftReason
}

// Foreign are the real servers in rows that stay when p's own row is to go:
// those of others, and those that are held.
func (p Pool) Foreign(rows Rows) []netip.AddrPort {
	var out []netip.AddrPort
	for _, d := range rows.Reals {
		goes := slices.Contains(p.Left, d.Addr) || !p.Standby && slices.ContainsFunc(p.Reals, func(w Want) bool {
			return w.Real == d.Addr && w.Verdict == Out
		})
		if !goes {
			out = append(out, d.Addr)
		}
	}
	return out
}

func (p Pool) serviceOp(k Kind) Op {
	return Op{Kind: k, Virtual: p.Virtual, Service: p.Service.Service, Claim: p.Service.Claim(), Reason: p.Service.Reason()}
}

func (w Want) op(k Kind, d ipvs.Destination) Op {
	return Op{Kind: k, Virtual: w.Virtual, Destination: d, Claim: w.Claim(), Reason: w.Reason()}
}

// sameAs reports whether row is what w asks for. A kernel that calls a real
// server on the director itself local has its own mind about forwarding.
func (w Want) sameAs(row ipvs.Destination) bool {
	row.Counters = ipvs.Counters{}
	return w.Corrected(row) == row
}

// Corrected is row with what w asks for; the rest of it belongs to the
// operator.
func (w Want) Corrected(row ipvs.Destination) ipvs.Destination {
	row.Weight = w.Row.Weight
	if row.Forward != w.Row.Forward && row.Forward != ipvs.Local {
		row.Forward, row.Tunnel = w.Row.Forward, ipvs.Encapsulation{}
	}
	if w.Says.Has(SaysUpper) {
		row.Upper = w.Row.Upper
	}
	if w.Says.Has(SaysLower) {
		row.Lower = w.Row.Lower
	}
	if w.Says.Has(SaysTunnel) && row.Forward == ipvs.Tunnel {
		row.Tunnel = w.Row.Tunnel
	}
	if row.Lower > row.Upper { // the operator's lower one went with its upper
		row.Lower = 0
	}
	return row
}

// Ops gives the edits that make actual agree with p, as few as there can be,
// in any order, and the targets that are pending.
func (p Pool) Ops(actual Actual) (ops []Op, pending []Want) {
	if _, op := p.CompareService(actual); op.Kind != None {
		ops = append(ops, op)
	}
	for _, w := range p.Reals {
		state, op := p.Compare(w, actual)
		if state == Pending {
			pending = append(pending, w)
		}
		if op.Kind != None {
			ops = append(ops, op)
		}
	}
	for _, real := range p.Left {
		if slices.ContainsFunc(actual[p.Virtual].Reals, func(d ipvs.Destination) bool { return d.Addr == real }) {
			ops = append(ops, Op{Kind: Delete, Virtual: p.Virtual, Destination: ipvs.Destination{Addr: real}, Reason: p.reasonLeft()})
		}
	}
	return ops, pending
}

// Diff gives the edits that make actual agree with pools, in the order in
// which they are to be made, and the targets that are pending.
func Diff(pools []Pool, actual Actual) (ops []Op, pending []Want) {
	for _, p := range pools {
		o, w := p.Ops(actual)
		ops, pending = append(ops, o...), append(pending, w...)
	}
	slices.SortStableFunc(ops, func(a, b Op) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), a.Target().Compare(b.Target()))
	})
	return ops, pending
}
