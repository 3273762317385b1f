package serve

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/rpc"
)

func TestKeeping(t *testing.T) {
	broken := errors.New("no table")
	type call struct {
		generation uint64
		full       bool
		fails      error
		want       error
	}
	for name, calls := range map[string][]call{
		"changes before the full set":   {{1, false, nil, rpc.ErrNoFullSet}, {2, true, nil, nil}, {3, false, nil, nil}},
		"older ones are ignored":        {{5, true, nil, nil}, {5, true, nil, errStale}, {4, false, nil, errStale}, {6, false, nil, nil}},
		"refused changes use no number": {{9, false, nil, rpc.ErrNoFullSet}, {9, true, nil, nil}},
		"after a failure all is wanted": {{1, true, nil, nil}, {2, false, broken, broken}, {3, false, nil, rpc.ErrNoFullSet}, {4, true, nil, nil}},
	} {
		t.Run(name, func(t *testing.T) {
			var seen, want []bool
			k := &keeping{turn: make(chan struct{}, 1)}
			for _, c := range calls {
				k.claimed = func(_ context.Context, full bool, _ []alert.Claim) error {
					seen = append(seen, full)
					return c.fails
				}
				if c.want == nil || errors.Is(c.want, broken) {
					want = append(want, c.full)
				}
				if err := k.call(t.Context(), c.generation, c.full, nil); !errors.Is(err, c.want) {
					t.Errorf("generation %d: got %v, want %v", c.generation, err, c.want)
				}
			}
			if diff := cmp.Diff(want, seen); diff != "" {
				t.Errorf("the keeper saw (-want +got)\n%s", diff)
			}
		})
	}
}

func TestKeepOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		running := 0
		k := &keeping{turn: make(chan struct{}, 1)}
		k.claimed = func(context.Context, bool, []alert.Claim) error {
			if running++; running > 1 {
				t.Error("two calls at a time")
			}
			<-release
			running--
			return nil
		}
		errs := make(chan error, 2)
		go func() { errs <- k.call(t.Context(), 1, true, nil) }()
		synctest.Wait()
		go func() { errs <- k.call(t.Context(), 2, true, nil) }()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := k.call(ctx, 3, true, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("a call that nobody waits for: %v", err)
		}
		release <- struct{}{}
		release <- struct{}{}
		if a, b := <-errs, <-errs; a != nil || b != nil {
			t.Errorf("%v, %v", a, b)
		}
	})
}
