package lvs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
)

// pass is one reconciliation of some pools of a table: read, compare, edit.
// An edit that is refused does not stop the others.
type pass struct {
	table ipvs.Table
	now   time.Time
	pools []*pool
	// services says that the virtual services' own rows are looked at, of
	// those pools that declare theirs; otherwise only whether they are there.
	// all says that of the others too.
	services, all bool

	actual reconcile.Actual // as it was read last, before the edits
	done   []reconcile.Op
	failed map[*pool][]error
	retry  bool // a failure may be over in a moment
}

// maxRounds bounds how often a virtual service that others edit at the same
// time is read anew.
const maxRounds = 3

// run makes the table agree with the pools. The error is one that stopped it;
// those of single edits are in failed.
func (p *pass) run(ctx context.Context) error {
	p.failed, p.actual = map[*pool][]error{}, reconcile.Actual{}
	var stopped error
	err := ipvs.Edit(ctx, p.table, func(t ipvs.Table) error {
		stopped = p.rounds(ctx, t)
		return nil
	})
	if err != nil {
		p.done = nil // a table that edits as one has kept none of them
	}
	return errors.Join(stopped, err)
}

func (p *pass) rounds(ctx context.Context, t ipvs.Table) error {
	todo := p.pools
	for round := 1; len(todo) > 0; round++ {
		again, err := p.round(ctx, t, todo)
		if err != nil || round == maxRounds {
			return err
		}
		todo = again
	}
	return nil
}

// round reads, compares and edits once. again are the pools whose rows were
// not as they had been read.
func (p *pass) round(ctx context.Context, t ipvs.Table, pools []*pool) (again []*pool, err error) {
	if err := p.read(ctx, t, pools); err != nil {
		return nil, err
	}
	wants := make([]reconcile.Pool, len(pools))
	byVirtual := make(map[ipvs.Virtual]*pool, len(pools))
	for i, q := range pools {
		wants[i], byVirtual[q.virtual] = q.want, q
		delete(p.failed, q)
	}
	ops, pending := reconcile.Diff(wants, p.actual)
	p.note(pools, ops, pending, byVirtual)
	r := round{pass: p, byVirtual: byVirtual, broken: map[*pool]bool{}, raced: map[*pool]bool{}}
	if err := r.edits(ctx, t, ops); err != nil {
		return nil, err
	}
	for _, q := range pools {
		if r.raced[q] {
			again = append(again, q)
		}
	}
	return again, nil
}

// note tells the pools what is pending, and which refusals are still of
// interest.
func (p *pass) note(pools []*pool, ops []reconcile.Op, pending []reconcile.Want, byVirtual map[ipvs.Virtual]*pool) {
	for _, q := range pools {
		if len(q.refused) > 0 {
			q.keepRefused(ops)
		}
		q.pending = nil
		if s, _ := q.want.CompareService(p.actual); s == reconcile.Blocked {
			p.failed[q] = append(p.failed[q], fmt.Errorf("%s is to go and stays: real servers of others are in it (%v)",
				q.virtual, q.want.Foreign(p.actual[q.virtual])))
		}
	}
	for _, w := range pending {
		q := byVirtual[w.Virtual]
		if q.pending == nil {
			q.pending = map[reconcile.Target]bool{}
		}
		q.pending[w.Target] = true
	}
}

// round is one round's edits.
type round struct {
	*pass
	byVirtual map[ipvs.Virtual]*pool
	broken    map[*pool]bool // their own row could not be made
	raced     map[*pool]bool
}

func (r *round) edits(ctx context.Context, t ipvs.Table, ops []reconcile.Op) error {
	for _, op := range ops {
		q := r.byVirtual[op.Virtual]
		if r.broken[q] {
			continue
		}
		if last := q.refuses(op); last != nil && r.now.Before(last.again) {
			r.fail(q, op, last.err)
			continue
		}
		err := edit(ctx, t, op)
		if err == nil {
			r.done = append(r.done, op)
			r.gone(op)
			continue
		}
		if hopeless(err) {
			return named(op, err)
		}
		r.refused(q, op, err)
	}
	return nil
}

// gone notes in what was read that a row is there no more.
func (r *round) gone(op reconcile.Op) {
	switch op.Kind {
	case reconcile.Delete:
		rows := r.actual[op.Virtual]
		rows.Reals = slices.DeleteFunc(rows.Reals, func(d ipvs.Destination) bool { return d.Addr == op.Destination.Addr })
		r.actual[op.Virtual] = rows
	case reconcile.DeleteService:
		delete(r.actual, op.Virtual)
	case reconcile.None, reconcile.AddService, reconcile.SetService, reconcile.Add, reconcile.Set:
	}
}

// refused sorts what is wrong with one edit.
func (r *round) refused(q *pool, op reconcile.Op, err error) {
	switch ipvs.ActionFor(err) {
	case ipvs.Correct:
		r.raced[q] = true
	case ipvs.GiveUp:
		q.refuse(op, err, r.now)
	case ipvs.Retry:
		r.retry = true
	}
	r.fail(q, op, err)
}

func (r *round) fail(q *pool, op reconcile.Op, err error) {
	r.failed[q] = append(r.failed[q], named(op, err))
	if op.Kind.OfService() {
		r.broken[q] = true
	}
}

// named adds who asked for an edit.
func named(op reconcile.Op, err error) error {
	if op.Claim == "" {
		return err
	}
	return fmt.Errorf("claim %q: %w", op.Claim, err)
}

// hopeless reports whether err would be that of every further edit too.
func hopeless(err error) bool {
	for _, e := range []error{ipvs.ErrNoKernel, ipvs.ErrNoNamespace, ipvs.ErrPermission, ipvs.ErrTimeout, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// read reads the rows of pools.
func (p *pass) read(ctx context.Context, t ipvs.Table, pools []*pool) error {
	own, err := p.readServices(ctx, t, pools)
	if err != nil {
		return err
	}
	for _, q := range pools {
		rows, err := t.Destinations(ctx, q.virtual)
		switch {
		case err == nil:
			p.actual[q.virtual] = reconcile.Rows{Service: own[q.virtual], Reals: rows}
		case errors.Is(err, ipvs.ErrNoService):
			delete(p.actual, q.virtual)
		default:
			return err
		}
	}
	return nil
}

// few is how many virtual services are read one by one rather than with all
// others.
const few = 8

func (p *pass) readServices(ctx context.Context, t ipvs.Table, pools []*pool) (map[ipvs.Virtual]*ipvs.Service, error) {
	out := map[ipvs.Virtual]*ipvs.Service{}
	var asked []ipvs.Virtual
	for _, q := range pools {
		if p.all || q.want.Service != nil && (p.services || q.strayed || !q.clean) {
			asked = append(asked, q.virtual)
		}
	}
	if len(asked) > few {
		all, err := t.Services(ctx)
		for _, s := range all {
			out[s.Virtual] = &s
		}
		return out, err
	}
	for _, v := range asked {
		s, err := t.Service(ctx, v)
		switch {
		case err == nil:
			out[v] = &s
		case !errors.Is(err, ipvs.ErrNoService):
			return nil, err
		}
	}
	return out, nil
}

func edit(ctx context.Context, t ipvs.Table, op reconcile.Op) error {
	switch op.Kind {
	case reconcile.AddService:
		return t.AddService(ctx, op.Service)
	case reconcile.SetService:
		return t.UpdateService(ctx, op.Service)
	case reconcile.Add:
		return t.AddDestination(ctx, op.Virtual, op.Destination)
	case reconcile.Set:
		return t.UpdateDestination(ctx, op.Virtual, op.Destination)
	case reconcile.Delete:
		return t.DeleteDestination(ctx, op.Virtual, op.Destination.Addr)
	case reconcile.DeleteService:
		return deleteService(ctx, t, op.Virtual)
	case reconcile.None:
	}
	return nil
}

// deleteService deletes a virtual service if no real server is in it: the
// kernel would take those of others out with it.
func deleteService(ctx context.Context, t ipvs.Table, v ipvs.Virtual) error {
	rows, err := t.Destinations(ctx, v)
	switch {
	case errors.Is(err, ipvs.ErrNoService):
		return nil
	case err != nil:
		return err
	case len(rows) > 0:
		return &ipvs.Error{Op: "delete virtual service", Virtual: v, Err: fmt.Errorf("%w: a real server came in meanwhile", ipvs.ErrExists)}
	}
	return t.DeleteService(ctx, v)
}
