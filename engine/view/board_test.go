package view

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
)

// cells makes a cell for each name "group:service", with a row unless the
// name is in empty.
func cells(t *testing.T, names []string, empty ...string) ([]opstatus.Key, []*Cell) {
	t.Helper()
	keys, out := make([]opstatus.Key, len(names)), make([]*Cell, len(names))
	for i, name := range names {
		key, ok := opstatus.ParseKey(name)
		if !ok {
			t.Fatal(name)
		}
		keys[i], out[i] = key, new(Cell)
		if !slices.Contains(empty, name) {
			out[i].Store(&Service{Key: key})
		}
	}
	return keys, out
}

// replace puts such cells on b.
func replace(b *Board, t *testing.T, names []string, empty ...string) {
	t.Helper()
	keys, row := cells(t, names, empty...)
	b.Replace(new(config.Config), keys, row)
}

func names(b *Board) []string {
	var out []string
	for s := range b.Services() {
		out = append(out, s.Key.String())
	}
	return out
}

func TestBoard(t *testing.T) {
	b := NewBoard()
	if got := names(b); got != nil {
		t.Errorf("a new board has %v", got)
	}
	if d := b.Daemon(); d == nil || d.PID != 0 {
		t.Errorf("a new board's daemon is %+v", d)
	}
	// File order is kept; a cell without a row yet is passed over.
	replace(b, t, []string{"www2:http", "www1:http", "db:tcp"}, "www1:http")
	if diff := cmp.Diff([]string{"www2:http", "db:tcp"}, names(b)); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]bool{"db:tcp": true, "www1:http": false, "gone:x": false} {
		key, _ := opstatus.ParseKey(name)
		if got := b.Service(key) != nil; got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}
	replace(b, t, []string{"new:tcp"})
	if b.Service(opstatus.Key{Group: "db", Service: "tcp"}) != nil {
		t.Error("a service of the configuration before is still there")
	}
	b.SetDaemon(&Daemon{PID: 7})
	if got := b.Daemon().PID; got != 7 {
		t.Errorf("pid %d", got)
	}
}

// A reader may stop early, and one that began before a reload finishes with
// the rows that it began with.
func TestServicesWhileTheConfigurationChanges(t *testing.T) {
	b := NewBoard()
	replace(b, t, []string{"a:1", "a:2", "a:3"})
	var got []string
	for s := range b.Services() {
		got = append(got, s.Key.String())
		replace(b, t, []string{"b:1"})
		if len(got) == 2 {
			break
		}
	}
	if diff := cmp.Diff([]string{"a:1", "a:2"}, got); diff != "" {
		t.Error(diff)
	}
}

// Readers see whole rows only, whatever the loop does meanwhile. The race
// detector watches.
func TestReadersBesideTheLoop(t *testing.T) {
	const turns = 1000
	b := NewBoard()
	keys, row := cells(t, []string{"a:1", "a:2"})
	b.Replace(new(config.Config), keys, row)
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for s := range b.Services() {
					if s.Monitor != "" && s.Monitor != s.Description {
						t.Errorf("half a row: %q beside %q", s.Monitor, s.Description)
						return
					}
				}
				_ = b.Daemon().PID
				_ = b.Service(keys[0])
			}
		})
	}
	for i := range turns {
		text := fmt.Sprint(i)
		row[i%2].Store(&Service{Key: keys[i%2], Monitor: text, Description: text})
		b.SetDaemon(&Daemon{PID: i})
		if i%100 == 0 {
			b.Replace(new(config.Config), keys, row)
		}
	}
	close(stop)
	readers.Wait()
}
