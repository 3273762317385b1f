package lvs

import (
	"cmp"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
	"github.com/mondhq/mond/alerts/lvs/words"
	"github.com/mondhq/mond/plugins/alert"
)

// held is a claim with what its arguments mean.
type held struct {
	alert.Claim
	words.Job
}

// sameAs reports whether h claims what o claims, whatever their reasons.
func (h *held) sameAs(o *held) bool {
	return h.Job == o.Job && h.Down == o.Down && h.Provisional == o.Provisional && h.Since.Equal(o.Since)
}

// place is a virtual service in a table.
type place struct {
	table   words.Place
	virtual ipvs.Virtual
}

func (p place) compare(o place) int {
	return cmp.Or(p.table.Compare(o.table), ipvs.CompareVirtual(p.virtual, o.virtual))
}

// key is a target in a table.
type key struct {
	table words.Place
	reconcile.Target
}

func (k key) compare(o key) int { return cmp.Or(k.table.Compare(o.table), k.Target.Compare(o.Target)) }

// keyOf names what j, which is about one virtual service, is about.
func keyOf(j words.Job) key { return key{j.Table, j.Target(j.First)} }

// pool is a virtual service of a table, what is claimed of it and how it
// stands.
type pool struct {
	place
	claims map[string]*held // by Claim.ID
	want   reconcile.Pool   // what the claims come to
	stale  bool             // they have changed since
	part   part
	// left is what was declared once and is in no full set any more; the zero
	// address is the virtual service's own row.
	left map[netip.AddrPort]bool
	// clean says that the table agreed the last time, or that what it refuses
	// need not be tried yet.
	clean   bool
	strayed bool // its own row is to be looked at
	trouble string
	// pending are the real servers that wait for their virtual service;
	// toldPending those that were logged.
	pending, toldPending map[reconcile.Target]bool

	refused []refusal
}

// refusal is an edit that the kernel refused for good: it is tried again now
// and then, since a person may have mended it.
type refusal struct {
	op    reconcile.Op
	err   error
	wait  time.Duration
	again time.Time
}

func newPool(at place) *pool {
	return &pool{place: at, claims: map[string]*held{}, left: map[netip.AddrPort]bool{}, stale: true}
}

// byRole reports whether the pool follows a role.
func (p *pool) byRole() bool {
	for _, h := range p.claims {
		if h.ByRole {
			return true
		}
	}
	return false
}

// sum sums up the claims and what was ordered by hand; part is the pool's. It
// reports whether something else is wanted now.
func (p *pool) sum(r *record, part part) (changed bool) {
	was := p.want
	p.want, p.part, p.stale = reconcile.Plan(p.virtual, p.said(r)), part, false
	p.want.Standby = part != acts
	p.depart(r)
	return !p.want.Same(was)
}

// depart says what of ours is to go.
func (p *pool) depart(r *record) {
	switch p.part {
	case acts:
		p.leaveDeclared(r)
	case standby:
		p.leave(maps.Keys(r.owned[p.place]))
	case unknown:
	}
}

// said are the claims as reconcile takes them.
func (p *pool) said(r *record) []reconcile.Claim {
	out := make([]reconcile.Claim, 0, len(p.claims))
	named := map[netip.AddrPort]bool{}
	for _, h := range p.claims {
		named[h.Row.Addr] = true
		out = append(out, reconcile.Claim{
			ID: h.ID, Target: h.Target(p.virtual), Row: h.Row, Says: h.Says, Service: h.Job.Service,
			Down: h.Down, Provisional: h.Provisional, Reason: h.Reason, Since: h.Since,
		})
	}
	if len(r.hand) == 0 {
		return out
	}
	for real := range named {
		t := reconcile.Target{Virtual: p.virtual, Real: real}
		if h, ok := r.hand[key{p.table, t}]; ok {
			out = append(out, reconcile.Claim{ID: handID, Target: t, Down: true, Reason: h.Reason, Since: h.Since})
		}
	}
	return out
}

// handID is the claim that an order from outside the config makes.
const handID = "by hand"

// leaveDeclared lets go what was declared once and is claimed no more.
func (p *pool) leaveDeclared(r *record) {
	for real := range p.left {
		o, ours := r.owned[p.place][real]
		if !ours || !o.declared || p.claimed(real) {
			delete(p.left, real)
		}
	}
	p.leave(maps.Keys(p.left))
}

func (p *pool) leave(reals iter.Seq[netip.AddrPort]) {
	p.want.LeftService = false
	p.want.Left = slices.SortedFunc(reals, netip.AddrPort.Compare)
	if len(p.want.Left) > 0 && !p.want.Left[0].IsValid() { // the zero address sorts first
		p.want.LeftService, p.want.Left = true, p.want.Left[1:]
	}
}

// claimed reports whether a claim names real, or, for the zero address, the
// virtual service's own row.
func (p *pool) claimed(real netip.AddrPort) bool {
	for _, h := range p.claims {
		if h.Row.Addr == real {
			return true
		}
	}
	return false
}

// own records what the pool is about to write.
func (p *pool) own(r *record) {
	if p.want.Standby {
		return
	}
	declared := p.want.Service != nil
	for _, h := range p.claims {
		r.own(h.At(p.virtual), declared)
	}
}

// refuses gives the refusal of op, if there is one.
func (p *pool) refuses(op reconcile.Op) *refusal {
	for i := range p.refused {
		if p.refused[i].op.Same(op) {
			return &p.refused[i]
		}
	}
	return nil
}

// The waits before an edit that was refused is tried again.
const (
	refusedFirst = 30 * time.Second
	refusedLast  = 5 * time.Minute
)

// refuse notes that op was refused for good.
func (p *pool) refuse(op reconcile.Op, err error, now time.Time) {
	if r := p.refuses(op); r != nil {
		r.err, r.wait = err, min(2*r.wait, refusedLast)
		r.again = now.Add(r.wait)
		return
	}
	p.refused = append(p.refused, refusal{op, err, refusedFirst, now.Add(refusedFirst)})
}

// keepRefused drops the refusals of edits that are due no more.
func (p *pool) keepRefused(due []reconcile.Op) {
	p.refused = slices.DeleteFunc(p.refused, func(r refusal) bool {
		return !slices.ContainsFunc(due, r.op.Same)
	})
}
