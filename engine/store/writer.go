package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrClosed is what waits for a batch when Close gives up on it.
var ErrClosed = errors.New("the store was closed before it was written")

// Append gives b to the writer. It does no I/O and waits for nothing but a
// short lock. The Store keeps b and all it points to: the caller must not
// change any of it afterwards.
//
// committed, which may be nil, is called once by the writer's goroutine, in
// the order of Append: with nil when b is on disk, however many tries that
// takes, or with [ErrClosed] when Close gave up. It must not wait for the
// Store. An Append after Close is dropped, and its callback never called.
func (s *Store) Append(b Batch, committed func(error)) {
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.next.add(b, s.nextEvent, committed)
		s.nextEvent += uint64(len(b.Events))
		s.dropped += uint64(s.next.trim(s.opt.EventLimit))
	}
	s.mu.Unlock()
	if closed {
		s.opt.Log.Warn("batch after the store was closed is lost", "records", len(b.Records), "notices", len(b.Queued))
		return
	}
	signal(s.wake)
	if committed != nil {
		signal(s.urgent)
	}
}

// Flush waits until all that was appended before is on disk, or ctx ends.
func (s *Store) Flush(ctx context.Context) error {
	done := make(chan error, 1)
	s.mu.Lock()
	closed := s.closed || !s.loaded
	s.mu.Unlock()
	if closed {
		return nil // nothing is under way
	}
	s.Append(Batch{}, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		_, _, err := s.Health()
		return fmt.Errorf("write to %s: %w", s.opt.Path, errors.Join(context.Cause(ctx), err))
	}
}

func signal(token chan struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}

// Close writes what has gathered, marks the stop as clean and closes the file.
// It tries until ctx ends; then it returns an error, and a writer that hangs
// in the disk is left behind. A Store that was never loaded is closed as it
// was found.
func (s *Store) Close(ctx context.Context) error {
	s.mu.Lock()
	loaded := s.loaded
	s.closed = true
	s.mu.Unlock()
	s.closeOnce.Do(func() {
		close(s.closing)
		if !loaded {
			s.closeErr = s.db.Close()
			close(s.done)
		}
	})
	select {
	case <-s.done:
		return s.closeErr
	case <-ctx.Done():
	}
	s.abandonOnce.Do(func() { close(s.abandon) })
	_, _, err := s.Health()
	return fmt.Errorf("close state %s: not everything is on disk: %w", s.opt.Path, errors.Join(ctx.Err(), err))
}

// write is the writer's goroutine.
func (s *Store) write() {
	defer close(s.done)
	pause, more := time.Duration(0), false
	for {
		if !s.await(pause, more) {
			s.closeErr = s.finish()
			return
		}
		p := s.take()
		p.more = p.more || more
		if err := s.commit(p, false); err != nil {
			s.putBack(p)
			pause = backOff(pause)
			continue
		}
		pause, more = 0, p.more
		p.tell(nil)
	}
}

// await waits until there is something to write and it has gathered, or after
// a failure for pause, or a moment when there is more history to remove; false
// means that the store is being closed.
func (s *Store) await(pause time.Duration, more bool) bool {
	switch {
	case pause > 0:
		return wait(pause, nil, s.closing)
	case more:
		return wait(pruneRest, s.urgent, s.closing)
	}
	select {
	case <-s.wake:
	case <-s.closing:
		return false
	}
	return s.opt.Gather < 0 || wait(s.opt.Gather, s.urgent, s.closing)
}

// wait waits for d or until early; false means that ended came first.
func wait(d time.Duration, early, ended <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-early:
	case <-ended:
		return false
	}
	return true
}

func backOff(last time.Duration) time.Duration {
	return min(max(2*last, retryMin), retryMax)
}

// finish writes what is left with the mark of a clean stop, as often as it
// takes until Close gives up, and closes the file.
func (s *Store) finish() error {
	pause := retryMin
	p := s.take()
	for {
		err := s.commit(p, true)
		if err == nil {
			p.tell(nil)
			return s.closeFile()
		}
		if !wait(pause, nil, s.abandon) {
			p.tell(fmt.Errorf("%w: %w", ErrClosed, err))
			return errors.Join(fmt.Errorf("close state %s: %w", s.opt.Path, err), s.closeFile())
		}
		pause = backOff(pause)
	}
}

func (s *Store) closeFile() error {
	if err := guarded(s.db.Close); err != nil {
		return fmt.Errorf("close state %s: %w", s.opt.Path, err)
	}
	return nil
}

func (s *Store) take() *pending {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.next
	s.next = newPending()
	return p
}

// putBack makes p, which did not reach the disk, gather again, before what
// came meanwhile.
func (s *Store) putBack(p *pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.merge(s.next)
	s.dropped += uint64(p.trim(s.opt.EventLimit))
	s.next = p
}
