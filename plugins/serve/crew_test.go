package serve

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestCrewRunsEverything(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	c := newCrew(ctx)
	var ran atomic.Int64
	var all sync.WaitGroup
	for i := range 5000 {
		all.Add(1)
		c.do(func() {
			defer all.Done()
			ran.Add(1)
			if i%10 == 0 {
				runtime.Goexit() // a check may end its own goroutine
			}
		})
	}
	all.Wait()
	if n := ran.Load(); n != 5000 {
		t.Errorf("%d of 5000 tasks ran", n)
	}
}
