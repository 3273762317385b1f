package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/opstatus"
)

// disk is a Commit hook whose disk can be made to hang or to fail.
type disk struct {
	hangs   bool
	hang    chan struct{} // made in the bubble; commits wait until it is closed
	fail    atomic.Pointer[error]
	after   bool // fail after the commit was made, not before
	commits atomic.Int64
}

func (d *disk) commit(commit func() error) error {
	if d.hangs {
		<-d.hang
	}
	fail := d.err()
	if fail != nil && !d.after {
		return fail
	}
	if err := commit(); err != nil {
		return err
	}
	d.commits.Add(1)
	return fail
}

func (d *disk) err() error {
	if p := d.fail.Load(); p != nil {
		return *p
	}
	return nil
}

func failing(after bool, text string) (*disk, error) {
	d, err := &disk{after: after}, errors.New(text)
	d.fail.Store(&err)
	return d, err
}

// bubble runs f with a loaded store on d inside a synctest bubble.
func bubble(t *testing.T, d *disk, o Options, f func(t *testing.T, s *Store)) {
	synctest.Test(t, func(t *testing.T) {
		d.hang = make(chan struct{})
		o.Path, o.NoSync, o.Commit = path(t), true, d.commit
		s, _ := begin(t, o)
		f(t, s)
	})
}

func TestBatchesGatherWhileADiskHangs(t *testing.T) {
	d := &disk{hangs: true}
	bubble(t, d, Options{EventLimit: 100}, func(t *testing.T, s *Store) {
		start := time.Now()
		var acked []int
		for i := range 5000 {
			b := Batch{
				Records: map[opstatus.Key]Record{key(i % 10): record(i)},
				Events:  []Event{{At: time.Now(), Kind: "status", Text: fmt.Sprint(i)}},
				Queued:  []Notice{notice(uint64(i+1), "a", "x")},
			}
			if i > 0 && i%100 != 0 {
				b.Done = []uint64{uint64(i)} // done before it was ever on disk
			}
			s.Append(b, func(err error) {
				check(t, err)
				acked = append(acked, i)
			})
			if i == 0 {
				synctest.Wait() // the first commit hangs from here on
			}
		}
		if !time.Now().Equal(start) {
			t.Error("Append waited")
		}
		st := s.Stats()
		if st.Records > 10 || st.Events > 110 || st.Notices > 51 || st.Dropped < 4880 {
			t.Errorf("gathered %+v", st)
		}
		close(d.hang)
		synctest.Wait()
		if d.commits.Load() != 2 {
			t.Errorf("%d commits for all that gathered", d.commits.Load())
		}
		if len(acked) != 5000 || !slices.IsSorted(acked) {
			t.Errorf("%d callbacks, sorted: %v", len(acked), slices.IsSorted(acked))
		}
		if got := collect(t, s, Filter{Kinds: []string{"lost"}}); len(got) != 1 {
			t.Errorf("told of what was lost: %v", got)
		}
		if got := collect(t, s, Filter{Limit: 1}); got[0].Text != "4999" {
			t.Errorf("newest event is %v", got)
		}
	})
}

func TestAHangingDiskIsReported(t *testing.T) {
	d := &disk{hangs: true}
	var told []string
	o := Options{OnHealth: func(ok bool, err error) { told = append(told, fmt.Sprint(ok, err != nil)) }}
	bubble(t, d, o, func(t *testing.T, s *Store) {
		s.Append(Batch{Records: map[opstatus.Key]Record{key(1): record(1)}}, nil)
		time.Sleep(5 * time.Second)
		if ok, _, _ := s.Health(); !ok {
			t.Error("unwell after 4.9 s")
		}
		time.Sleep(time.Second)
		ok, since, err := s.Health()
		if ok || err == nil || time.Since(since) > time.Second {
			t.Errorf("health is %v since %v: %v", ok, since, err)
		}
		close(d.hang)
		synctest.Wait()
		if ok, _, err := s.Health(); !ok {
			t.Error("still unwell: ", err)
		}
		if d := cmp.Diff([]string{"false true", "true false"}, told); d != "" {
			t.Error(d)
		}
	})
}

func TestAFailingDiskIsTriedAgain(t *testing.T) {
	for _, after := range []bool{false, true} {
		d, fail := failing(after, "no space left")
		bubble(t, d, Options{Gather: -1}, func(t *testing.T, s *Store) {
			var acked []string
			ack := func(name string) func(error) {
				return func(err error) { acked = append(acked, fmt.Sprint(name, err)) }
			}
			now := time.Now()
			s.Append(Batch{Records: map[opstatus.Key]Record{key(1): record(1)}, Queued: []Notice{notice(1, "a", "x"), notice(2, "a", "x")}, Events: []Event{{At: now, Kind: "a"}}}, ack("first"))
			synctest.Wait()
			if ok, _, err := s.Health(); ok || !errors.Is(err, fail) {
				t.Errorf("health: %v", err)
			}
			s.Append(Batch{Records: map[opstatus.Key]Record{key(1): record(2)}, Done: []uint64{1}, Events: []Event{{At: now, Kind: "b"}}}, ack("second"))
			time.Sleep(30 * time.Second)
			if len(acked) != 0 {
				t.Error("called before it was on disk: ", acked)
			}
			d.fail.Store(nil)
			time.Sleep(retryMax)
			synctest.Wait()
			if d := cmp.Diff([]string{"first<nil>", "second<nil>"}, acked); d != "" {
				t.Error(d)
			}
			if ok, _, _ := s.Health(); !ok {
				t.Error("still unwell")
			}
			end(t, s)
			reopened, saved := begin(t, Options{Path: s.opt.Path})
			if len(saved.Outbox) != 1 || saved.Records[key(1)].State.Total != 2 || saved.NextSeq != 3 {
				t.Errorf("saved %+v", saved)
			}
			if got := collect(t, reopened, Filter{OldestFirst: true}); len(got) != 2 {
				t.Errorf("events %v", got)
			}
			end(t, reopened)
		})
	}
}

func TestWhatNobodyWaitsForGathers(t *testing.T) {
	d := &disk{}
	bubble(t, d, Options{}, func(t *testing.T, s *Store) {
		for i := range 100 { // a second
			s.Append(Batch{Records: map[opstatus.Key]Record{key(i): record(i)}}, nil)
			time.Sleep(10 * time.Millisecond)
		}
		if n := d.commits.Load(); n < 8 || n > 11 {
			t.Errorf("%d commits in a second", d.commits.Load())
		}
		before := time.Now()
		put(t, s, Batch{})
		if took := time.Since(before); took > 0 {
			t.Errorf("a batch somebody waits for took %v", took)
		}
	})
}

func TestCloseGivesUp(t *testing.T) {
	t.Run("on a disk that fails", func(t *testing.T) {
		d, fail := failing(false, "no space left")
		bubble(t, d, Options{}, func(t *testing.T, s *Store) {
			var acked error
			s.Append(Batch{Globals: &Globals{}}, func(err error) { acked = err })
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			err := s.Close(ctx)
			if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, fail) {
				t.Errorf("close: %v", err)
			}
			synctest.Wait()
			if !errors.Is(acked, ErrClosed) {
				t.Errorf("callback got %v", acked)
			}
		})
	})
	t.Run("on a disk that hangs", func(t *testing.T) {
		d := &disk{hangs: true}
		bubble(t, d, Options{}, func(t *testing.T, s *Store) {
			s.Append(Batch{Globals: &Globals{}}, nil)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("close: %v", err)
			}
			close(d.hang)
		})
	})
	t.Run("but not before its time", func(t *testing.T) {
		d, _ := failing(false, "busy")
		bubble(t, d, Options{}, func(t *testing.T, s *Store) {
			s.Append(Batch{Queued: []Notice{notice(1, "a", "x")}}, nil)
			time.AfterFunc(2*time.Second, func() { d.fail.Store(nil) })
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			check(t, s.Close(ctx))
			reopened, saved := begin(t, Options{Path: s.opt.Path})
			if !saved.Clean || len(saved.Outbox) != 1 {
				t.Errorf("saved %+v", saved)
			}
			end(t, reopened)
		})
	})
}

func TestAppendAfterCloseIsDropped(t *testing.T) {
	s, _ := begin(t, Options{Path: path(t)})
	end(t, s)
	s.Append(Batch{Globals: &Globals{}}, func(error) { t.Error("callback after close") })
	end(t, s) // twice is once
}

func TestMerge(t *testing.T) {
	older, newer := newPending(), newPending()
	older.add(Batch{
		Records: map[opstatus.Key]Record{key(1): record(1), key(2): record(1)}, Globals: &Globals{},
		Queued: []Notice{notice(1, "a", "x"), notice(2, "a", "x")}, Started: []uint64{1}, Done: []uint64{9},
	}, 1, nil)
	newer.add(Batch{
		Records: map[opstatus.Key]Record{key(3): record(1)}, Gone: []opstatus.Key{key(1), key(3)},
		Done: []uint64{1}, Queued: []Notice{notice(3, "a", "x")},
	}, 1, nil)
	older.merge(newer)
	if older.records[key(1)] != nil || older.records[key(2)] == nil || older.records[key(3)] == nil {
		t.Errorf("records %v", older.records)
	}
	if d := cmp.Diff(map[uint64]struct{}{1: {}, 9: {}}, older.done); d != "" {
		t.Error(d)
	}
	if len(older.started) != 0 || len(older.queued) != 2 || older.globals == nil || older.nextSeq != 4 {
		t.Errorf("merged %+v", older)
	}
}

func TestAppendsFromManyGoroutines(t *testing.T) {
	file := path(t)
	s, _ := begin(t, Options{Path: file, NoSync: true, Gather: -1})
	done := make(chan struct{})
	for g := range 8 {
		go func() {
			for i := range 100 {
				s.Append(Batch{Records: map[opstatus.Key]Record{key(g): record(i)}, Events: []Event{{At: time.Now(), Kind: "x"}}}, nil)
				_, _, _ = s.Health()
			}
			done <- struct{}{}
		}()
	}
	for range 8 {
		<-done
	}
	end(t, s)
	s, saved := begin(t, Options{Path: file})
	for g := range 8 {
		if got := saved.Records[key(g)].State.Total; got != 99 {
			t.Errorf("record %d is %d", g, got)
		}
	}
	if got := collect(t, s, Filter{}); len(got) != 800 {
		t.Errorf("%d events", len(got))
	}
}
