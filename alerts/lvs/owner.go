package lvs

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// owner is what the alerts of one factory share. Its goroutine, started by the
// first Keep, owns all of desk; others send it work.
type owner struct {
	given Options

	mu    sync.Mutex
	work  chan func(*desk) // nil until started
	done  chan struct{}
	asked *lvsAlert // who answers Show
}

// errIdle means that there is no owner's goroutine: nobody has claimed yet.
var errIdle = errors.New("nothing was claimed yet")

// errEnded means that the owner's Context has ended.
var errEnded = errors.New("lvs.alert is ending")

// show makes a the alert that answers for all; a kept one replaces others.
func (o *owner) show(a *lvsAlert, kept bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.asked == nil || kept {
		o.asked = a
	}
}

func (o *owner) shows(a *lvsAlert) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked == a
}

// start starts the owner's goroutine unless it runs.
func (o *owner) start() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.work != nil {
		return
	}
	o.work, o.done = make(chan func(*desk)), make(chan struct{})
	d := newDesk(o.given.withDefaults())
	d.work, d.done = o.work, o.done
	go func() {
		defer close(o.done)
		d.run()
	}()
}

// running gives the channels of the owner's goroutine, nil without.
func (o *owner) running() (chan func(*desk), chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.work, o.done
}

// ask has the owner's goroutine run f and waits for it. It fails with errIdle
// when there is none.
func ask[T any](ctx context.Context, o *owner, f func(*desk) (T, error)) (T, error) {
	work, done := o.running()
	if work == nil {
		var none T
		return none, errIdle
	}
	return askVia(ctx, work, done, f)
}

func askVia[T any](ctx context.Context, work chan func(*desk), done chan struct{}, f func(*desk) (T, error)) (T, error) {
	type reply struct {
		value T
		err   error
	}
	var none T
	answer := make(chan reply, 1)
	select {
	case work <- func(d *desk) { v, err := f(d); answer <- reply{v, err} }:
	case <-done:
		return none, errEnded
	case <-ctx.Done():
		return none, fmt.Errorf("wait for the owner of the tables: %w", ctx.Err())
	}
	select {
	case r := <-answer:
		return r.value, r.err
	case <-ctx.Done():
		return none, fmt.Errorf("wait for the owner of the tables: %w", ctx.Err())
	}
}
