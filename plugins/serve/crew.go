package serve

import (
	"context"
	"sync/atomic"
)

// idleMost is how many goroutines of a crew wait for work at the most.
const idleMost = 256

// crew runs short tasks in goroutines that it uses again: a new one would grow
// its stack anew for each check, which is a tenth of a check's time.
type crew struct {
	ctx   context.Context // ends those that wait
	tasks chan func()     // unbuffered: a task is taken by one that waits, or by a new one
	idle  atomic.Int64
}

func newCrew(ctx context.Context) *crew { return &crew{ctx: ctx, tasks: make(chan func())} }

// do runs task and does not wait for it.
func (c *crew) do(task func()) {
	select {
	case c.tasks <- task:
	default:
		go c.work(task) // ends with ctx, or when enough others wait
	}
}

// work runs task, and then others as they come. A task that ends its goroutine
// ends just that.
func (c *crew) work(task func()) {
	for {
		task()
		if c.idle.Add(1) > idleMost {
			c.idle.Add(-1)
			return
		}
		select {
		case task = <-c.tasks:
			c.idle.Add(-1)
		case <-c.ctx.Done():
			return
		}
	}
}
