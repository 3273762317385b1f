package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.etcd.io/bbolt"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
)

func key(n int) opstatus.Key { return opstatus.Key{Group: "g", Service: fmt.Sprint("s", n)} }

func record(total int) Record { return Record{State: opstatus.State{Total: total, Exit: 1}} }

func notice(seq uint64, service, program string) Notice {
	return Notice{Seq: seq, Program: program, Queued: time.Unix(1_800_000_000, 0), Request: alert.Request{
		ID: fmt.Sprint("n", seq), Group: "g", Service: service, Kind: alert.Failure,
		Env: map[string]string{"MON_GROUP": "g"}, At: time.Unix(1_800_000_000, 0),
	}}
}

// open opens and loads the store at path; the test's end closes it.
func begin(t *testing.T, o Options) (*Store, Saved) {
	t.Helper()
	s, err := Open(o)
	check(t, err)
	t.Cleanup(func() { _ = s.Close(context.Background()) }) // again, if the test did
	saved, err := s.Load()
	check(t, err)
	return s, saved
}

// put appends b and waits until it is on disk.
func put(t *testing.T, s *Store, b Batch) {
	t.Helper()
	done := make(chan error, 1)
	s.Append(b, func(err error) { done <- err })
	check(t, <-done)
}

func end(t *testing.T, s *Store) {
	t.Helper()
	check(t, s.Close(context.Background()))
}

// crash leaves the store as a kill would: what is not committed is lost and
// there is no mark of a clean stop.
func crash(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	commit := s.opt.Commit
	s.opt.Commit = func(func() error) error { return errors.New("killed") }
	_ = s.Close(ctx)
	<-s.done
	s.opt.Commit = commit
}

func path(t *testing.T) string { return filepath.Join(t.TempDir(), "state.db") }

func TestNothingIsLostOverARestart(t *testing.T) {
	file := path(t)
	s, saved := begin(t, Options{Path: file})
	if !saved.New || !saved.Clean || saved.NextSeq != 1 {
		t.Errorf("a new store gives %+v", saved)
	}
	full := filled[Record]()
	globals := filled[Globals]()
	put(t, s, Batch{
		Records: map[opstatus.Key]Record{key(1): full, key(2): record(5), key(3): record(1)},
		Globals: &globals,
		Queued:  []Notice{notice(1, "a", "mail.alert"), notice(2, "a", "mail.alert"), notice(3, "b", "mail.alert")},
	})
	put(t, s, Batch{Gone: []opstatus.Key{key(3)}, Started: []uint64{1, 3}, Done: []uint64{1}})
	end(t, s)

	_, got := begin(t, Options{Path: file})
	third := notice(3, "b", "mail.alert")
	third.Request.Repeated = true
	want := Saved{
		Records: map[opstatus.Key]Record{key(1): full, key(2): record(5)},
		Globals: globals,
		Outbox:  []Notice{notice(2, "a", "mail.alert"), third},
		NextSeq: 4, Clean: true,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTheMarkOfACleanStop(t *testing.T) {
	file := path(t)
	s, _ := begin(t, Options{Path: file})
	put(t, s, Batch{Queued: []Notice{notice(1, "a", "x"), notice(2, "a", "x"), notice(3, "b", "x")}})
	crash(t, s)

	s, err := Open(Options{Path: file})
	check(t, err)
	end(t, s) // never loaded: it must not make the stop before look clean

	s, saved := begin(t, Options{Path: file})
	if saved.Clean {
		t.Error("a crash looks like a clean stop")
	}
	var repeated []bool
	for _, n := range saved.Outbox {
		repeated = append(repeated, n.Request.Repeated)
	}
	// The first of each queue may have been running, the second not.
	if d := cmp.Diff([]bool{true, false, true}, repeated); d != "" {
		t.Errorf("repeated: %s", d)
	}
	end(t, s)
	if _, saved = begin(t, Options{Path: file}); !saved.Clean {
		t.Error("a clean stop does not look like one")
	}
}

func TestLoadOnce(t *testing.T) {
	s, _ := begin(t, Options{Path: path(t)})
	if _, err := s.Load(); err == nil {
		t.Error("loaded twice")
	}
}

func TestSeqGrowsOverRestarts(t *testing.T) {
	file := path(t)
	s, _ := begin(t, Options{Path: file, Gather: time.Hour})
	s.Append(Batch{Queued: []Notice{notice(41, "a", "x")}}, nil)
	put(t, s, Batch{Done: []uint64{41}})
	end(t, s)
	if _, saved := begin(t, Options{Path: file}); saved.NextSeq != 42 || len(saved.Outbox) != 0 {
		t.Errorf("next seq is %d, outbox %v", saved.NextSeq, saved.Outbox)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		file := filepath.Join(dir, name)
		check(t, os.WriteFile(file, []byte(content), 0o600))
		return file
	}
	held := filepath.Join(dir, "held.db")
	begin(t, Options{Path: held})
	newer := filepath.Join(dir, "newer.db")
	s, _ := begin(t, Options{Path: newer})
	check(t, s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyFormat, []byte("2")) }))
	end(t, s)

	rows := []struct {
		name, path string
		want       error
	}{
		{"held by another", held, ErrLocked},
		{"of a newer mond", newer, ErrNewer},
		{"not a store", write("text.db", string(make([]byte, 100_000))+"text"), ErrCorrupt},
		{"no folder", filepath.Join(dir, "none", "x.db"), os.ErrNotExist},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			_, err := Open(Options{Path: r.path})
			if !errors.Is(err, r.want) {
				t.Errorf("error is %v, want %v", err, r.want)
			}
			t.Log(err)
		})
	}
}

func TestRecoverSetsADamagedFileAside(t *testing.T) {
	file := path(t)
	for range 2 {
		check(t, os.WriteFile(file, make([]byte, 100_000), 0o600))
		s, err := Open(Options{Path: file, Recover: true})
		check(t, err)
		saved, err := s.Load()
		check(t, err)
		if !saved.New || saved.Clean {
			t.Errorf("after a recovery: %+v", saved)
		}
		end(t, s)
	}
	aside, err := filepath.Glob(file + ".corrupt-*")
	check(t, err)
	if len(aside) != 2 {
		t.Errorf("set aside: %v", aside)
	}
}

func TestAHalfMadeStoreIsMadeAgain(t *testing.T) {
	file := path(t)
	for _, content := range [][]byte{{}, make([]byte, 4*os.Getpagesize()), []byte("half")} {
		check(t, os.WriteFile(file, content, 0o600))
		s, err := Open(Options{Path: file})
		check(t, err)
		if !s.saved.New || !s.saved.Clean {
			t.Errorf("%d bytes: %+v", len(content), s.saved)
		}
		end(t, s)
	}
}

func TestABadRowCostsOnlyItself(t *testing.T) {
	file := path(t)
	s, _ := begin(t, Options{Path: file})
	put(t, s, Batch{
		Records: map[opstatus.Key]Record{key(1): record(1), key(2): record(2)},
		Queued:  []Notice{notice(1, "a", "x"), notice(2, "b", "x")},
	})
	check(t, s.db.Update(func(tx *bbolt.Tx) error {
		return errors.Join(
			tx.Bucket(bucketRecords).Put(recordKey(key(1)), []byte(`{"status":`)),
			tx.Bucket(bucketRecords).Put([]byte("nokey"), []byte(`{}`)),
			tx.Bucket(bucketOutbox).Put(seqKey(1), []byte(`[]`)),
			tx.Bucket(bucketOutbox).Put([]byte("odd"), []byte(`{}`)),
			tx.Bucket(bucketMeta).Put(keyGlobals, []byte(`"x"`)))
	}))
	end(t, s)
	_, saved := begin(t, Options{Path: file})
	want := Saved{
		Records: map[opstatus.Key]Record{key(2): record(2)},
		Outbox:  []Notice{notice(2, "b", "x")}, NextSeq: 3, Clean: true, Damaged: 5,
	}
	if d := cmp.Diff(want, saved); d != "" {
		t.Error(d)
	}
}

func TestARowTooLargeHoldsUpNoOther(t *testing.T) {
	file := path(t)
	s, _ := begin(t, Options{Path: file})
	long := opstatus.Key{Group: string(make([]byte, 40_000)), Service: "s"}
	put(t, s, Batch{Records: map[opstatus.Key]Record{long: record(1), key(1): record(1)}})
	end(t, s)
	if _, saved := begin(t, Options{Path: file}); len(saved.Records) != 1 {
		t.Errorf("%d records", len(saved.Records))
	}
}

// TestDamageIsAnError cuts and scribbles over a store in many places: Open
// must answer with an error or a store, and never panic.
func TestDamageIsAnError(t *testing.T) {
	file := path(t)
	s, _ := begin(t, Options{Path: file, NoSync: true})
	for i := range 50 {
		put(t, s, Batch{
			Records: map[opstatus.Key]Record{key(i): filled[Record]()},
			Queued:  []Notice{notice(uint64(i+1), "a", "x")},
			Events:  []Event{{At: time.Now(), Kind: "status", Text: "x"}},
		})
	}
	end(t, s)
	whole, err := os.ReadFile(file)
	check(t, err)
	bad := 0
	for i := range 60 {
		hurt := append([]byte(nil), whole...)
		at := i * len(hurt) / 60
		if i%3 == 0 {
			hurt = hurt[:at]
		} else {
			for j := at; j < min(at+64*i, len(hurt)); j++ {
				hurt[j] ^= byte(j * 31)
			}
		}
		hurtFile := fmt.Sprint(file, i)
		check(t, os.WriteFile(hurtFile, hurt, 0o600))
		bad += survive(t, hurtFile)
	}
	if bad == 0 {
		t.Error("no damage was noticed at all")
	}
	t.Logf("%d of 60 damaged files were refused", bad)
}

// survive opens and uses a damaged file and reports whether it was refused.
func survive(t *testing.T, file string) int {
	t.Helper()
	s, err := Open(Options{Path: file, NoSync: true})
	refused := 0
	if errors.Is(err, ErrCorrupt) {
		refused = 1
		s, err = Open(Options{Path: file, NoSync: true, Recover: true})
	}
	check(t, err)
	if _, err = s.Load(); err == nil {
		s.Append(Batch{Records: map[opstatus.Key]Record{key(1): record(1)}, Events: []Event{{Kind: "x"}}}, nil)
		for _, err := range s.Events(Filter{}) {
			_ = err // damage shows here, or does not
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Logf("%s: %v", file, err)
	}
	return refused
}

func TestEvents(t *testing.T) {
	file := path(t)
	s, _ := begin(t, Options{Path: file, NoSync: true})
	zero := time.Now().Truncate(time.Second)
	var all []Event
	for i := range 1203 { // more than two chunks
		all = append(all, Event{
			At: zero.Add(time.Duration(i/2) * time.Second), Group: fmt.Sprint("g", i%3), Service: fmt.Sprint("s", i%2),
			Kind: []string{"status", "alert"}[i%2], Text: fmt.Sprint(i),
		})
	}
	put(t, s, Batch{Events: all[:700]})
	put(t, s, Batch{Events: all[700:]})
	at := func(sec int) time.Time { return zero.Add(time.Duration(sec) * time.Second) }
	keep := func(match func(Event) bool) (out []Event) {
		for _, e := range all {
			if match(e) {
				out = append(out, e)
			}
		}
		return out
	}
	rows := []struct {
		name   string
		filter Filter
		want   []Event
	}{
		{"all", Filter{OldestFirst: true}, all},
		{"from the oldest", Filter{OldestFirst: true, Limit: 3}, all[:3]},
		{"since", Filter{OldestFirst: true, Since: at(600)}, all[1200:]},
		{"until", Filter{OldestFirst: true, Until: at(1)}, all[:4]},
		{"between", Filter{OldestFirst: true, Since: at(1), Until: at(2)}, all[2:6]},
		{"nothing then", Filter{Since: at(9999)}, nil},
		{"nothing before", Filter{Until: at(-1)}, nil},
		{"of a group", Filter{OldestFirst: true, Key: opstatus.Key{Group: "g1"}}, keep(func(e Event) bool { return e.Group == "g1" })},
		{"of a service", Filter{OldestFirst: true, Key: opstatus.Key{Group: "g1", Service: "s1"}}, keep(func(e Event) bool { return e.Group == "g1" && e.Service == "s1" })},
		{"of a kind", Filter{OldestFirst: true, Kinds: []string{"alert"}, Limit: 2}, []Event{all[1], all[3]}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if d := cmp.Diff(r.want, collect(t, s, r.filter)); d != "" {
				t.Error(d)
			}
			if r.filter.Limit != 0 {
				return
			}
			r.filter.OldestFirst = false
			back := cmpopts.SortSlices(func(a, b Event) bool { return a.Text < b.Text })
			if d := cmp.Diff(r.want, collect(t, s, r.filter), back); d != "" {
				t.Error("newest first: ", d)
			}
		})
	}
	if got := collect(t, s, Filter{Limit: 2}); got[0].Text != "1202" || got[1].Text != "1201" {
		t.Errorf("newest first gives %v", got)
	}
	if got := collect(t, s, Filter{Kinds: []string{"status"}, Look: 1}); len(got) != chunk/2 {
		t.Errorf("%d rows among the first %d", len(got), chunk)
	}
	if got, err := s.Recent([]string{"alert"}, 2); err != nil || len(got) != 2 || got[0].Text != "1199" || got[1].Text != "1201" {
		t.Errorf("recent are %v, %v", got, err)
	}
	if got := collect(t, s, Filter{Limit: 1, Until: at(5)}); got[0].Text != "11" {
		t.Errorf("newest until gives %v", got)
	}
}

// collect reads rows; their numbers are another test's.
func collect(t *testing.T, s *Store, f Filter) (out []Event) {
	t.Helper()
	for e, err := range s.Events(f) {
		check(t, err)
		e.Number = 0
		out = append(out, e)
	}
	return out
}

// Numbers tell rows apart: who has read up to one reads on from there, over a
// restart too.
func TestEventsAfterANumber(t *testing.T) {
	file := path(t)
	now := time.Now()
	for i := range 2 {
		s, _ := begin(t, Options{Path: file, NoSync: true})
		put(t, s, Batch{Events: []Event{{At: now, Kind: "a"}, {At: now.Add(-time.Second), Kind: "b"}}})
		var got []string
		for e, err := range s.Events(Filter{OldestFirst: true, After: uint64(2*i + 1)}) {
			check(t, err)
			got = append(got, fmt.Sprint(e.Kind, e.Number))
		}
		if want := []string{fmt.Sprint("b", 2*i+2)}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		end(t, s)
	}
}

// Rows about a whole watch, and about the daemon, come with those of a service
// where they are asked for.
func TestEventsOfAServiceAndWider(t *testing.T) {
	s, _ := begin(t, Options{Path: path(t), NoSync: true})
	now := time.Now()
	put(t, s, Batch{Events: []Event{
		{At: now, Group: "g", Service: "s", Text: "s"}, {At: now, Group: "g", Service: "t", Text: "t"}, {At: now, Group: "g", Text: "g"},
		{At: now, Text: "daemon"}, {At: now, Group: "h", Text: "h"}, {At: now, Group: "h", Service: "s", Text: "hs"},
	}})
	for want, f := range map[string]Filter{
		"s":          {Key: opstatus.Key{Group: "g", Service: "s"}},
		"s g daemon": {Key: opstatus.Key{Group: "g", Service: "s"}, Wider: true},
		"s t g":      {Key: opstatus.Key{Group: "g"}},
	} {
		f.OldestFirst = true
		var got []string
		for _, e := range collect(t, s, f) {
			got = append(got, e.Text)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
	end(t, s)
}

func TestEventsAfterCloseAreAnError(t *testing.T) {
	s, _ := begin(t, Options{Path: path(t)})
	end(t, s)
	for _, err := range s.Events(Filter{}) {
		if err == nil {
			t.Error("no error")
		}
		return
	}
	t.Error("nothing at all")
}

func TestHistoryIsBounded(t *testing.T) {
	file := path(t)
	s, _ := begin(t, Options{Path: file, NoSync: true, HistoryRows: 10, HistoryAge: time.Hour})
	now := time.Now()
	for i := range 25 {
		put(t, s, Batch{Events: []Event{{At: now.Add(time.Duration(i) * time.Millisecond), Kind: "status", Text: fmt.Sprint(i)}}})
	}
	if got := collect(t, s, Filter{OldestFirst: true}); len(got) != 10 || got[0].Text != "15" {
		t.Errorf("by count: %d rows from %v", len(got), got[0])
	}
	put(t, s, Batch{Events: []Event{{At: now.Add(-2 * time.Hour), Kind: "status", Text: "old"}}})
	if got := collect(t, s, Filter{OldestFirst: true}); got[0].Text == "old" {
		t.Errorf("by age: %v", got[0])
	}
	if x, err := s.Extent(); err != nil || x.Rows != 10 || !x.Complete.Equal(now.Add(14*time.Millisecond)) {
		t.Errorf("it is complete since %v, want the time of the last row that went: %v", x, err)
	}
	end(t, s)
	// The count survives a restart, and so does the numbering.
	s, _ = begin(t, Options{Path: file, NoSync: true, HistoryRows: 10})
	put(t, s, Batch{Events: []Event{{At: now.Add(time.Second), Kind: "status", Text: "new"}}})
	if got := collect(t, s, Filter{}); len(got) != 10 || got[0].Text != "new" {
		t.Errorf("after a restart: %d rows, newest %v", len(got), got[0])
	}
}
