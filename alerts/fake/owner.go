package fake

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// owner is what the alerts of one factory share. Its goroutine, started by the
// first Hold or Keep, owns all of desk; others send it work.
type owner struct {
	given Options

	mu    sync.Mutex
	work  chan func(*desk) // nil until started; unbuffered
	done  chan struct{}
	asked *fakeAlert // who answers Show
}

// errIdle means that there is no desk: nobody has asked for anything yet.
var errIdle = errors.New("nothing was to be held yet")

// errEnded means that the Context of Options has ended.
var errEnded = errors.New("fake.alert is ending")

// show makes a the alert that answers for all; a kept one replaces others.
func (o *owner) show(a *fakeAlert, kept bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.asked == nil || kept {
		o.asked = a
	}
}

func (o *owner) shows(a *fakeAlert) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked == a
}

// start starts the desk's goroutine unless it runs.
func (o *owner) start() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.work != nil {
		return
	}
	o.work, o.done = make(chan func(*desk)), make(chan struct{})
	d := newDesk(o.given.withDefaults())
	d.work = o.work
	go func() { // ends with the Context of Options
		defer close(o.done)
		d.run()
	}()
}

func (o *owner) running() (chan func(*desk), chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.work, o.done
}

// post has the desk run f, and does not wait for it to be done.
func (o *owner) post(f func(*desk)) {
	work, done := o.running()
	select {
	case work <- f:
	case <-done:
	}
}

// ask has the desk run f and waits for it. It fails with errIdle when there is
// none.
func ask[T any](ctx context.Context, o *owner, f func(*desk) (T, error)) (T, error) {
	type reply struct {
		value T
		err   error
	}
	var none T
	work, done := o.running()
	if work == nil {
		return none, errIdle
	}
	answer := make(chan reply, 1)
	select {
	case work <- func(d *desk) { v, err := f(d); answer <- reply{v, err} }:
	case <-done:
		return none, errEnded
	case <-ctx.Done():
		return none, fmt.Errorf("wait for the desk of %s: %w", Name, ctx.Err())
	}
	select {
	case r := <-answer:
		return r.value, r.err
	case <-ctx.Done():
		return none, fmt.Errorf("wait for the desk of %s: %w", Name, ctx.Err())
	}
}
