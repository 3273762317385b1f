package store

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/mondhq/mond/engine/opstatus"
)

// Filter chooses events. The zero Filter chooses all, newest first.
type Filter struct {
	// Since and Until bound the time, both inclusive; zero is no bound.
	Since, Until time.Time
	// Key chooses one service, or a whole group if its Service is empty. With
	// Wider, rows about the whole of its watch and of the daemon come too.
	Key   opstatus.Key
	Wider bool
	// Kinds chooses by kind; empty is all.
	Kinds []string
	// After leaves out rows with this Number and below; 0 leaves out none.
	After uint64
	// Limit is how many at most, Look about how many rows are looked at for
	// them; 0 is no limit.
	Limit, Look int
	// OldestFirst turns the order round.
	OldestFirst bool
}

func (f Filter) match(e Event) bool {
	return e.Number > f.After && f.about(e) && (len(f.Kinds) == 0 || slices.Contains(f.Kinds, e.Kind))
}

func (f Filter) about(e Event) bool {
	group := f.Key.Group == "" || f.Key.Group == e.Group || f.Wider && e.Group == ""
	service := f.Key.Service == "" || f.Key.Service == e.Service || f.Wider && e.Service == ""
	return group && service
}

// chunk is how many rows are read in one transaction. A reader keeps no
// transaction open while its caller does something else: an open one can hold
// up the writer.
const chunk = 500

// Events gives the events that f chooses, as they are on disk. It reads in the
// caller's goroutine and needs no Load. Events that are pruned while it runs
// may or may not be given. An error ends it.
func (s *Store) Events(f Filter) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		given, looked, after := 0, 0, []byte(nil)
		r, sift := newReader(), newSieve(f)
		for {
			rows, last, err := s.readEvents(f, r, sift, after)
			for _, e := range rows {
				if !yield(e, nil) {
					return
				}
				if given++; given == f.Limit {
					return
				}
			}
			if err != nil {
				yield(Event{}, fmt.Errorf("read history %s: %w", s.opt.Path, err))
			}
			looked += chunk
			if err != nil || last == nil || f.Look > 0 && looked >= f.Look {
				return
			}
			after = last
		}
	}
}

// recentLook is how many rows Recent looks at, so that a long history without
// rows of a kind costs a start nothing to speak of.
const recentLook = 100_000

// Recent are the last rows of some kinds, oldest first, most at most.
func (s *Store) Recent(kinds []string, most int) (rows []Event, err error) {
	if most <= 0 {
		return nil, nil
	}
	for e, err := range s.Events(Filter{Kinds: kinds, Limit: most, Look: recentLook}) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, e)
	}
	slices.Reverse(rows)
	return rows, nil
}

// readEvents reads the next chunk after the row after, and gives the last key
// it looked at, nil at the end.
func (s *Store) readEvents(f Filter, r *reader, sift sieve, after []byte) (rows []Event, last []byte, err error) {
	err = guarded(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			w := walk{c: tx.Bucket(bucketEvents).Cursor(), back: !f.OldestFirst}
			k, v := w.begin(f, after)
			for n := 0; k != nil && w.within(f, k); k, v = w.step() {
				if n++; n > chunk {
					last = slices.Clone(last)
					return nil
				}
				last = k
				if !sift.passes(v) {
					continue
				}
				e, err := r.decode(v)
				if err != nil {
					s.opt.Log.Error("row of history cannot be read", "file", s.opt.Path, "key", fmt.Sprintf("%x", k), "err", err)
					continue
				}
				if e.Number = number(k); f.match(e) {
					rows = append(rows, e)
				}
			}
			last = nil
			return nil
		})
	})
	if err != nil {
		last = nil // it may lie in the file
	}
	return rows, last, err
}

func number(key []byte) uint64 {
	if len(key) != 16 {
		return 0
	}
	return eventNumber(key)
}

// walk is a cursor with a direction.
type walk struct {
	c    *bbolt.Cursor
	back bool
}

func (w walk) step() (k, v []byte) {
	if w.back {
		return w.c.Prev()
	}
	return w.c.Next()
}

// begin goes to the first row after the row after, or the first within f.
func (w walk) begin(f Filter, after []byte) (k, v []byte) {
	switch {
	case after != nil:
		k, v = w.c.Seek(after)
	case w.back && f.Until.IsZero():
		return w.c.Last()
	case w.back:
		after = eventKey(f.Until, 1<<64-1)
		k, v = w.c.Seek(after)
	case !f.Since.IsZero():
		return w.c.Seek(timeKey(f.Since))
	default:
		return w.c.First()
	}
	if w.back && k == nil {
		return w.c.Last()
	}
	if w.back || string(k) == string(after) {
		return w.step()
	}
	return k, v
}

func (w walk) within(f Filter, k []byte) bool {
	at := string(k[:min(len(k), 8)])
	return (f.Since.IsZero() || at >= string(timeKey(f.Since))) &&
		(f.Until.IsZero() || at <= string(timeKey(f.Until)))
}
