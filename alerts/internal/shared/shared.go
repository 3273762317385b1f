// Package shared is what the alerts of one factory share: a state that one
// goroutine owns, started by the first that has work for it.
package shared

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrIdle means that there is no goroutine: nobody had work for it yet.
var ErrIdle = errors.New("there was nothing to keep yet")

// ErrEnded means that the goroutine has ended.
var ErrEnded = errors.New("the alert is ending")

// State is a D that one goroutine owns; others send it work.
type State[D any] struct {
	begin func(work Work[D]) (run func())

	mu    sync.Mutex
	work  Work[D]
	asked any // who answers Show
}

// Work is the way to the goroutine. The zero value leads to none.
type Work[D any] struct {
	// To is unbuffered.
	To chan func(*D)
	// Done is closed when the goroutine has ended.
	Done chan struct{}
}

// New makes a State. begin makes its D, which takes its work from work.To; run
// is then called in the goroutine, which ends with it.
func New[D any](begin func(work Work[D]) (run func())) *State[D] { return &State[D]{begin: begin} }

// Show makes a the alert that answers for all; a kept one replaces others.
func (s *State[D]) Show(a any, kept bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == nil || kept {
		s.asked = a
	}
}

// Shows reports whether a answers for all.
func (s *State[D]) Shows(a any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked == a
}

// Start starts the goroutine unless it runs.
func (s *State[D]) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.work.To != nil {
		return
	}
	work := Work[D]{make(chan func(*D)), make(chan struct{})}
	run := s.begin(work)
	s.work = work
	go func() { // ends as run does
		defer close(work.Done)
		run()
	}()
}

// Work is the way to the goroutine, the zero value without.
func (s *State[D]) Work() Work[D] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.work
}

// Post has the goroutine run f, and does not wait for it to be done.
func (w Work[D]) Post(f func(*D)) {
	select {
	case w.To <- f:
	case <-w.Done:
	}
}

// Ask has the goroutine run f and waits for it. It fails with [ErrIdle] when
// there is none.
func Ask[T, D any](ctx context.Context, w Work[D], f func(*D) (T, error)) (T, error) {
	type reply struct {
		value T
		err   error
	}
	var none T
	if w.To == nil {
		return none, ErrIdle
	}
	answer := make(chan reply, 1)
	select {
	case w.To <- func(d *D) { v, err := f(d); answer <- reply{v, err} }:
	case <-w.Done:
		return none, ErrEnded
	case <-ctx.Done():
		return none, waited(ctx)
	}
	select {
	case r := <-answer:
		return r.value, r.err
	case <-ctx.Done():
		return none, waited(ctx)
	}
}

func waited(ctx context.Context) error {
	return fmt.Errorf("wait until what was asked before is done: %w", ctx.Err())
}

// Tell is [Ask] for what has no answer.
func Tell[D any](ctx context.Context, w Work[D], f func(*D) error) error {
	_, err := Ask(ctx, w, func(d *D) (struct{}, error) { return struct{}{}, f(d) })
	return err
}
