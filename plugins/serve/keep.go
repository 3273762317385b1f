package serve

import (
	"context"
	"errors"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/rpc"
)

// errStale means that a newer call was there first.
var errStale = errors.New("a newer call was first")

// keeping hands claims to a keeper one call at a time, in the order of their
// generations, and no changes before a full set was taken.
type keeping struct {
	turn    chan struct{} // capacity 1: who has put his token in owns the rest
	claimed func(ctx context.Context, full bool, claims []alert.Claim) error

	last uint64
	full bool
}

func (k *keeping) call(ctx context.Context, generation uint64, full bool, claims []alert.Claim) error {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	switch {
	case ctx.Err() != nil: // it has waited too long, the host tries again
		return context.Cause(ctx)
	case generation <= k.last:
		return errStale
	case !full && !k.full:
		return rpc.ErrNoFullSet
	}
	k.last = generation
	err := k.claimed(ctx, full, claims)
	// Nobody knows what a keeper that failed has taken in.
	k.full = err == nil
	return err
}
