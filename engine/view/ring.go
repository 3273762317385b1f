package view

import (
	"slices"
	"sync"
	"time"
)

// Call is an alert that was called, as mon remembers it.
type Call struct {
	// Type is mon's word: alert, upalert, startupalert, ackalert, ...
	Type           string
	Group, Service string
	At             time.Time
	// Path is the program's file, Args the words after it as one text.
	Path, Args string
	Summary    string
}

// Failure is one failure of a service, each check that fails being one.
type Failure struct {
	Group, Service string
	At             time.Time
	Summary        string
}

// Ring holds the last so many of something. Anybody may push and read; both
// take a short lock.
type Ring[T any] struct {
	mu    sync.Mutex
	most  int
	items []T
	first int // the oldest of items, once they are most
}

// Resize changes how many are held, at least one.
func (r *Ring[T]) Resize(most int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	items := r.ordered()
	r.most = max(most, 1)
	r.items, r.first = items[max(len(items)-r.most, 0):], 0
}

// Push adds the newest one. A Ring that was not given a size holds nothing.
func (r *Ring[T]) Push(item T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(r.items) < r.most:
		r.items = append(r.items, item)
	case r.most > 0:
		r.items[r.first] = item
		r.first = (r.first + 1) % r.most
	}
}

// Items are those that are held, oldest first; the slice is the caller's.
func (r *Ring[T]) Items() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ordered()
}

func (r *Ring[T]) ordered() []T { return slices.Concat(r.items[r.first:], r.items[:r.first]) }
