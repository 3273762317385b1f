package lvs

import (
	"context"
	"errors"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
)

// outcome is what one reconciliation did to a table.
type outcome struct {
	done    []reconcile.Op
	pending []reconcile.Want
	actual  reconcile.Actual // as it was read last, before the edits
}

// maxRounds bounds how often a table that others edit at the same time is
// read anew.
const maxRounds = 3

// agree makes t agree with wants by the fewest edits. also names virtual
// services to read beside those of wants. An edit that is refused does not
// stop the others; an error means that t does not agree.
func agree(ctx context.Context, t ipvs.Table, wants []reconcile.Want, also []ipvs.Virtual) (out outcome, err error) {
	var failed error
	err = ipvs.Edit(ctx, t, func(t ipvs.Table) error {
		for round := 1; ; round++ {
			again, err := out.round(ctx, t, wants, also)
			failed = err
			if !again || round == maxRounds {
				return nil
			}
		}
	})
	if err != nil {
		out.done = nil // a table that edits as one has kept none of them
	}
	return out, errors.Join(failed, err)
}

// round reads, compares and edits once. again means that the table was not as
// it had been read.
func (out *outcome) round(ctx context.Context, t ipvs.Table, wants []reconcile.Want, also []ipvs.Virtual) (again bool, err error) {
	if out.actual, err = read(ctx, t, wants, also); err != nil {
		return false, err
	}
	var ops []reconcile.Op
	ops, out.pending = reconcile.Diff(wants, out.actual)
	var failed []error
	for _, op := range ops {
		err := edit(ctx, t, op)
		if err == nil {
			out.done = append(out.done, op)
			continue
		}
		failed = append(failed, err)
		again = again || ipvs.ActionFor(err) == ipvs.Correct
		if hopeless(err) {
			return false, errors.Join(failed...)
		}
	}
	return again, errors.Join(failed...)
}

// hopeless reports whether err would be that of every further edit too.
func hopeless(err error) bool {
	for _, e := range []error{ipvs.ErrNoKernel, ipvs.ErrPermission, ipvs.ErrTimeout, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// read reads the virtual services of wants and also.
func read(ctx context.Context, t ipvs.Table, wants []reconcile.Want, also []ipvs.Virtual) (reconcile.Actual, error) {
	out := reconcile.Actual{}
	missing := map[ipvs.Virtual]bool{}
	one := func(v ipvs.Virtual) error {
		if _, ok := out[v]; ok || missing[v] {
			return nil
		}
		rows, err := t.Destinations(ctx, v)
		switch {
		case err == nil:
			out[v] = rows
		case errors.Is(err, ipvs.ErrNoService):
			missing[v] = true
		default:
			return err
		}
		return nil
	}
	for _, w := range wants {
		if err := one(w.Virtual); err != nil {
			return nil, err
		}
	}
	for _, v := range also {
		if err := one(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func edit(ctx context.Context, t ipvs.Table, op reconcile.Op) error {
	switch op.Kind {
	case reconcile.Add:
		return t.AddDestination(ctx, op.Virtual, op.Destination)
	case reconcile.Set:
		return t.UpdateDestination(ctx, op.Virtual, op.Destination)
	case reconcile.Delete:
		return t.DeleteDestination(ctx, op.Virtual, op.Destination.Addr)
	case reconcile.None:
	}
	return nil
}
