package store

import (
	"testing"
	"time"
)

// A bound that is lowered takes effect without anybody writing, in commits of
// bounded size.
func TestRetainRemovesInSteps(t *testing.T) {
	commits, longest := 0, time.Duration(0)
	s, _ := begin(t, Options{Path: path(t), NoSync: true, HistoryRows: 20_000, EventLimit: 20_000,
		Commit: func(commit func() error) error {
			commits++
			began := time.Now()
			err := commit()
			if commits > 2 { // the rows themselves
				longest = max(longest, time.Since(began))
			}
			return err
		}})
	now := time.Now()
	events := make([]Event, 5*pruneStep)
	for i := range events {
		events[i] = Event{At: now.Add(time.Duration(i) * time.Millisecond), Kind: KindStatus}
	}
	put(t, s, Batch{Events: events})
	s.Retain(700, 0)
	deadline := time.Now().Add(10 * time.Second)
	for {
		x, err := s.Extent()
		check(t, err)
		if x.Rows == 700 {
			if want := now.Add(time.Duration(len(events)-701) * time.Millisecond); !x.Complete.Equal(want) {
				t.Errorf("complete since %v, want %v", x.Complete, want)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d rows are left", x.Rows)
		}
		put(t, s, Batch{Alive: now}) // goes on beside it
	}
	end(t, s)
	t.Logf("the longest commit took %v", longest)
	if least := 5; commits < least {
		t.Errorf("%d commits for %d rows", commits, len(events))
	}
}

// The last sign of life is what the owner gave, or a later row.
func TestSignOfLife(t *testing.T) {
	file := path(t)
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	for _, tt := range []struct {
		name  string
		batch Batch
		want  time.Time
	}{
		{"none yet", Batch{}, time.Time{}},
		{"given", Batch{Alive: at}, at},
		{"an older row", Batch{Events: []Event{{At: at.Add(-time.Minute), Kind: KindStatus}}}, at},
		{"a row alone", Batch{Events: []Event{{At: at.Add(time.Minute), Kind: KindStatus}}}, at.Add(time.Minute)},
		{"given later", Batch{Alive: at.Add(2 * time.Minute)}, at.Add(2 * time.Minute)},
	} {
		s, _ := begin(t, Options{Path: file, NoSync: true})
		put(t, s, tt.batch)
		end(t, s)
		s, saved := begin(t, Options{Path: file, NoSync: true})
		if !saved.Alive.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, saved.Alive, tt.want)
		}
		end(t, s)
	}
}
