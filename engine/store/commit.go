package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// commit writes p in one transaction and tells health how it went.
func (s *Store) commit(p *pending, clean bool) error {
	if p.empty() && !clean {
		return nil
	}
	began := time.Now()
	slow := s.health.begin(s.opt.SlowAfter, s.opt.Path)
	err := s.opt.Commit(func() error {
		return guarded(func() error {
			return s.db.Update(func(tx *bbolt.Tx) error { return s.put(tx, p, clean) })
		})
	})
	took := time.Since(began)
	if err != nil {
		err = fmt.Errorf("commit to %s: %w", s.opt.Path, err)
		s.opt.Log.Error("state not written, will be tried again", "file", s.opt.Path, "err", err)
	}
	s.count(err, took)
	slow.end(err)
	return err
}

func (s *Store) count(err error, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.longest = max(s.longest, took)
	if err == nil {
		s.commits++
	}
}

// put writes the rows of p. What it does twice it does the same way: a commit
// that failed may have been written nevertheless.
func (s *Store) put(tx *bbolt.Tx, p *pending, clean bool) error {
	m, err := getMeta(tx)
	if err != nil {
		return err
	}
	m.Clean = clean
	m.NextSeq = max(m.NextSeq, p.nextSeq)
	if !p.alive.IsZero() {
		m.Alive = stamp(p.alive)
	}
	steps := []func() error{
		func() error { return s.putRecords(tx, p) },
		func() error { return s.putPools(tx, p) },
		func() error { return s.putGlobals(tx, p) },
		func() error { return s.putOutbox(tx, p) },
		func() error { return s.putEvents(tx, p, &m) },
		func() (err error) { p.more, err = s.prune(tx.Bucket(bucketEvents), &m); return err },
		func() error { return putMeta(tx, m) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func getMeta(tx *bbolt.Tx) (meta, error) {
	var m meta
	if err := json.Unmarshal(tx.Bucket(bucketMeta).Get(keyMeta), &m); err != nil {
		return m, fmt.Errorf("%w: row meta: %w", ErrCorrupt, err)
	}
	return m, nil
}

func putMeta(tx *bbolt.Tx, m meta) error {
	row, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return tx.Bucket(bucketMeta).Put(keyMeta, row)
}

func (s *Store) putRecords(tx *bbolt.Tx, p *pending) error {
	b := tx.Bucket(bucketRecords)
	for k, r := range p.records {
		if r == nil {
			if err := b.Delete(recordKey(k)); err != nil {
				return err
			}
			continue
		}
		if err := s.putRow(b, recordKey(k), encodeRecord(*r)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) putGlobals(tx *bbolt.Tx, p *pending) error {
	if p.globals == nil {
		return nil
	}
	return s.putRow(tx.Bucket(bucketMeta), keyGlobals, encodeGlobals(*p.globals))
}

func (s *Store) putOutbox(tx *bbolt.Tx, p *pending) error {
	queued, started := tx.Bucket(bucketOutbox), tx.Bucket(bucketStarted)
	for seq, n := range p.queued {
		if err := s.putRow(queued, seqKey(seq), encodeNotice(n)); err != nil {
			return err
		}
	}
	for seq := range p.started {
		if err := started.Put(seqKey(seq), []byte("{}")); err != nil {
			return err
		}
	}
	for seq := range p.done {
		if err := errors.Join(queued.Delete(seqKey(seq)), started.Delete(seqKey(seq))); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) putEvents(tx *bbolt.Tx, p *pending, m *meta) error {
	b := tx.Bucket(bucketEvents)
	b.FillPercent = 0.9 // history grows at its end
	for _, e := range p.history() {
		key := eventKey(e.At, e.number)
		if b.Get(key) == nil {
			m.Events++
		}
		m.NextEvent = max(m.NextEvent, e.number+1)
		if err := s.putRow(b, key, encodeEvent(e.Event)); err != nil {
			return err
		}
	}
	return nil
}

// putRow writes one row. A row that can never be written (a name of 40 KB) is
// logged and passed over, so that it does not hold up all others for ever.
func (s *Store) putRow(b *bbolt.Bucket, key, row []byte) error {
	err := b.Put(key, row)
	if !errors.Is(err, bolterrors.ErrKeyTooLarge) && !errors.Is(err, bolterrors.ErrValueTooLarge) {
		return err
	}
	s.opt.Log.Error("row cannot be stored, going on without it", "file", s.opt.Path, "key", string(key[:min(len(key), 100)]), "err", err)
	return nil
}
