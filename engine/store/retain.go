package store

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// pruneStep is how many rows of history one commit removes at most, so that a
// long history that came of age, or a bound that was lowered, makes no commit
// long: some milliseconds.
const pruneStep = 1000

// pruneRest is how long the writer rests between commits that only remove.
const pruneRest = 50 * time.Millisecond

// Retain changes how many rows of history are kept and for how long; zero
// keeps what holds. The writer removes what is too much in small steps.
func (s *Store) Retain(rows int, age time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rows > 0 {
		s.keepRows = rows
	}
	if age > 0 {
		s.keepAge = age
	}
	s.next.more = true
	signal(s.wake)
}

func (s *Store) retention() (rows int, age time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keepRows, s.keepAge
}

// prune removes the oldest rows above the bounds; more is set when a step was
// not enough.
func (s *Store) prune(b *bbolt.Bucket, m *meta) (more bool, err error) {
	rows, age := s.retention()
	before := string(timeKey(time.Now().Add(-age)))
	var old [][]byte
	c := b.Cursor()
	for k, _ := c.First(); k != nil && len(old) < pruneStep; k, _ = c.Next() {
		if m.Events-len(old) <= rows && string(k[:min(len(k), 8)]) >= before {
			break
		}
		old = append(old, k)
	}
	for _, k := range old {
		if len(k) == 16 && eventTime(k).After(m.Horizon) {
			m.Horizon = stamp(eventTime(k))
		}
		if err := b.Delete(k); err != nil {
			return false, err
		}
	}
	m.Events -= len(old)
	return len(old) == pruneStep, nil
}

// Extent says what the history holds.
type Extent struct {
	// Complete is since when every row that was written is there: the first
	// row's time, or that of the youngest that was removed. It is zero for an
	// empty history.
	Complete time.Time
	// Rows counts the rows.
	Rows int
}

// Extent reads what the history holds. It needs no Load.
func (s *Store) Extent() (Extent, error) {
	var x Extent
	err := guarded(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			m, err := getMeta(tx)
			if err != nil {
				return err
			}
			x.Rows, x.Complete = m.Events, local(m.Horizon)
			if k, _ := tx.Bucket(bucketEvents).Cursor().First(); x.Complete.IsZero() && len(k) == 16 {
				x.Complete = eventTime(k)
			}
			return nil
		})
	})
	if err != nil {
		err = fmt.Errorf("read history %s: %w", s.opt.Path, err)
	}
	return x, err
}
