package store

import (
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/mondhq/mond/engine/opstatus"
)

// Load gives what the last run left, removes the mark of a clean stop from
// the disk and starts the writer. It is called once, before the first Append
// is expected to reach the disk.
func (s *Store) Load() (Saved, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loaded || s.closed {
		return Saved{}, errors.New("load state: loaded or closed already")
	}
	err := guarded(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			m, err := getMeta(tx)
			if err != nil {
				return err
			}
			m.Clean = false
			return putMeta(tx, m)
		})
	})
	if err != nil {
		return Saved{}, fmt.Errorf("load state %s: remove the mark of a clean stop: %w", s.opt.Path, err)
	}
	s.loaded = true
	saved := *s.saved
	s.saved = nil
	go s.write() // ends by Close
	return saved, nil
}

// read reads all but the history, which it only looks through.
func (s *Store) read() (*Saved, error) {
	saved := &Saved{Records: map[opstatus.Key]Record{}}
	err := s.db.View(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketMeta, bucketRecords, bucketOutbox, bucketStarted, bucketEvents} {
			if tx.Bucket(name) == nil {
				return fmt.Errorf("%w: it has no bucket %q", ErrCorrupt, name)
			}
		}
		m, err := getMeta(tx)
		if err != nil {
			return err
		}
		saved.Clean, saved.NextSeq = m.Clean, max(m.NextSeq, 1)
		saved.Alive = lastSign(tx, m)
		s.nextEvent = m.NextEvent
		s.readGlobals(tx, saved)
		s.readRecords(tx, saved)
		s.readPools(tx, saved)
		s.readOutbox(tx, saved)
		walkHistory(tx)
		return nil
	})
	return saved, err
}

// lastSign is the last sign of life on disk.
func lastSign(tx *bbolt.Tx, m meta) time.Time {
	last := local(m.Alive)
	if k, _ := tx.Bucket(bucketEvents).Cursor().Last(); len(k) == 16 && eventTime(k).After(last) {
		last = eventTime(k)
	}
	return last
}

// walkHistory touches every page of the history, so that damage is found now
// and not by a commit in the middle of an outage.
func walkHistory(tx *bbolt.Tx) {
	c := tx.Bucket(bucketEvents).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
	}
}

func (s *Store) readGlobals(tx *bbolt.Tx, saved *Saved) {
	row := tx.Bucket(bucketMeta).Get(keyGlobals)
	if row == nil {
		return
	}
	g, err := decodeGlobals(row)
	if err != nil {
		s.skip(saved, "globals", "globals", row, err)
		return
	}
	saved.Globals = g
}

func (s *Store) readRecords(tx *bbolt.Tx, saved *Saved) {
	c := tx.Bucket(bucketRecords).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		key, ok := parseRecordKey(k)
		r, err := decodeRecord(v)
		if !ok || err != nil {
			s.skip(saved, "record", string(k), v, err)
			continue
		}
		saved.Records[key] = r
	}
}

func (s *Store) readOutbox(tx *bbolt.Tx, saved *Saved) {
	started := tx.Bucket(bucketStarted)
	heads := map[[3]string]bool{}
	c := tx.Bucket(bucketOutbox).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		seq, ok := parseSeqKey(k)
		n, err := decodeNotice(seq, v)
		if !ok || err != nil {
			s.skip(saved, "notice", fmt.Sprintf("%x", k), v, err)
			continue
		}
		queue := [3]string{n.Request.Group, n.Request.Service, n.Program}
		if started.Get(k) != nil || !saved.Clean && !heads[queue] {
			n.Request.Repeated = true
		}
		heads[queue] = true
		saved.Outbox = append(saved.Outbox, n)
		saved.NextSeq = max(saved.NextSeq, seq+1)
	}
}

// skip passes over a row that cannot be read: one of them must not take the
// state of all other services with it. The row stays where it is.
func (s *Store) skip(saved *Saved, kind, key string, row []byte, err error) {
	saved.Damaged++
	s.opt.Log.Error("row of the store cannot be read, going on without it",
		"file", s.opt.Path, "kind", kind, "key", key, "row", string(row[:min(len(row), 200)]), "err", err)
}
