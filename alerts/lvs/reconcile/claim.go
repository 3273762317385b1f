package reconcile

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// Target is one real server of one virtual service, or, with a zero Real, the
// virtual service's own row.
type Target struct {
	Virtual ipvs.Virtual
	Real    netip.AddrPort
}

// IsService reports whether t is the virtual service's own row.
func (t Target) IsService() bool { return !t.Real.IsValid() }

// String is "REAL of VIRTUAL", or VIRTUAL.
func (t Target) String() string {
	if t.IsService() {
		return t.Virtual.String()
	}
	return t.Real.String() + " of " + t.Virtual.String()
}

// Compare orders targets by virtual service and address.
func (t Target) Compare(o Target) int {
	return cmp.Or(ipvs.CompareVirtual(t.Virtual, o.Virtual), t.Real.Compare(o.Real))
}

// Says are the parts of a real server's row that a claim speaks of, beyond its
// weight and forwarding. Of the others the operator's word stands, unless the
// virtual service is declared: then they are to be as the zero value.
type Says uint8

// The parts.
const (
	SaysUpper Says = 1 << iota
	SaysLower
	SaysTunnel
	SaysAll = SaysUpper | SaysLower | SaysTunnel
)

// Has reports whether all of o are in s.
func (s Says) Has(o Says) bool { return s&o == o }

// Claim is what one service says of a target.
type Claim struct {
	// ID names the claim; no two have the same.
	ID string
	Target
	// Row, whose weight is 0 to 65535, and Says hold while a real server is
	// in. Its address is the target's.
	Row  ipvs.Destination
	Says Says
	// Service is how a virtual service's own row is while it is in, without
	// its name.
	Service ipvs.Service
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
	// Row and Says, or Service, are read with In only; their names are the
	// target's.
	Row     ipvs.Destination
	Says    Says
	Service ipvs.Service
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

// Claim is the ID of the deciding claim.
func (w Want) Claim() string {
	if len(w.Claims) == 0 {
		return ""
	}
	return w.Claims[0].ID
}

// same reports whether w and o ask for the same.
func (w Want) same(o Want) bool {
	return w.Target == o.Target && w.Verdict == o.Verdict && w.Row == o.Row && w.Says == o.Says && w.Service == o.Service
}

// Pool is what is to become of one virtual service and its real servers.
type Pool struct {
	Virtual ipvs.Virtual
	// Service is the virtual service's own row; nil while nobody declares it,
	// and then it is neither made nor removed.
	Service *Want
	// Reals are sorted.
	Reals []Want
	// Left are real servers that were declared once, that nobody claims any
	// more, and that are to go; LeftService says so of the row itself.
	Left        []netip.AddrPort
	LeftService bool
	// Standby says that nothing is to be written but that what is Left goes.
	Standby bool
}

// Plan sums up the claims on v.
func Plan(v ipvs.Virtual, claims []Claim) Pool {
	byTarget := map[netip.AddrPort][]Claim{}
	for _, c := range claims {
		byTarget[c.Real] = append(byTarget[c.Real], c)
	}
	p := Pool{Virtual: v}
	for _, real := range slices.SortedFunc(maps.Keys(byTarget), netip.AddrPort.Compare) {
		w := decide(Target{v, real}, byTarget[real])
		if w.IsService() {
			p.Service = &w
			continue
		}
		p.Reals = append(p.Reals, w)
	}
	if p.Service != nil {
		p.declared()
	}
	return p
}

// declared makes the real servers those of a declared virtual service: every
// part of their rows is ours, and none is in without it.
func (p *Pool) declared() {
	for i := range p.Reals {
		w := &p.Reals[i]
		if w.Verdict == In {
			w.Says = SaysAll
		}
		if p.Service.Verdict == Out {
			w.Verdict, w.Row, w.Says = Out, ipvs.Destination{}, 0
			w.Claims = append(p.Service.Claims[:1:1], w.Claims...)
		}
	}
}

// Same reports whether p and o ask for the same, whatever their reasons.
func (p Pool) Same(o Pool) bool {
	return p.Virtual == o.Virtual && p.LeftService == o.LeftService && p.Standby == o.Standby &&
		slices.Equal(p.Left, o.Left) && slices.EqualFunc(p.Reals, o.Reals, Want.same) &&
		(p.Service == nil) == (o.Service == nil) && (p.Service == nil || p.Service.same(*o.Service))
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
		w.Verdict, w.Row, w.Says, w.Service = In, first.Row, first.Says, first.Service
		w.Row.Addr, w.Row.Counters = t.Real, ipvs.Counters{}
		if t.IsService() {
			w.Service.Virtual = t.Virtual
		}
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
