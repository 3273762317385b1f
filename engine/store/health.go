package store

import (
	"fmt"
	"sync"
	"time"
)

// health says whether commits succeed in time. The writer reports to it, a
// timer reports for a writer that hangs, anybody asks.
type health struct {
	hook func(ok bool, err error)
	// order keeps calls of hook in the order of the changes they tell of.
	order sync.Mutex

	mu    sync.Mutex
	err   error
	since time.Time
	// running is the number of the commit under way.
	running uint64
}

func (h *health) init(hook func(ok bool, err error)) {
	h.hook = hook
	h.since = time.Now()
}

// Health reports whether state reaches the disk: ok is false, with the reason,
// from the first commit that failed or took longer than Options.SlowAfter
// until one succeeds. since is when that began.
func (s *Store) Health() (ok bool, since time.Time, err error) {
	h := &s.health
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err == nil, h.since, h.err
}

// watched is one commit under the eyes of health.
type watched struct {
	h     *health
	timer *time.Timer
}

func (h *health) begin(slow time.Duration, path string) watched {
	h.mu.Lock()
	h.running++
	this := h.running
	h.mu.Unlock()
	return watched{h, time.AfterFunc(slow, func() {
		h.set(fmt.Errorf("commit to %s has been running for more than %s: look after that disk", path, slow), this)
	})}
}

func (w watched) end(err error) {
	w.timer.Stop()
	w.h.mu.Lock()
	w.h.running++ // a timer that fired just now comes too late
	this := w.h.running
	w.h.mu.Unlock()
	w.h.set(err, this)
}

// set notes err for the commit with number this, unless that has ended.
func (h *health) set(err error, this uint64) {
	h.order.Lock()
	defer h.order.Unlock()
	if h.change(err, this) && h.hook != nil {
		h.hook(err == nil, err)
	}
}

// change reports whether h went from well to unwell or back. While unwell the
// first reason stays.
func (h *health) change(err error, this uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if this != h.running || (err == nil) == (h.err == nil) {
		return false
	}
	h.err, h.since = err, time.Now()
	return true
}

// Stats are figures for metrics and for mond:store.
type Stats struct {
	// Records, Notices and Events wait for the disk.
	Records, Notices, Events int
	// Dropped counts events that were never written because the disk was too
	// slow, since Open.
	Dropped uint64
	// Commits counts transactions since Open; Longest is the longest, failed
	// ones included.
	Commits uint64
	Longest time.Duration
}

// Stats gives the figures of now.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Records: len(s.next.records), Notices: len(s.next.queued), Events: len(s.next.events),
		Dropped: s.dropped, Commits: s.commits, Longest: s.longest,
	}
}
