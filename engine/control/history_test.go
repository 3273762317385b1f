package control

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
)

// book is a real store with rows, which may break off.
type book struct {
	*store.Store
	breaks error // after the first row, if not nil
	late   error // what Flush answers
}

func (b *book) Events(f store.Filter) iter.Seq2[store.Event, error] {
	if b.breaks == nil {
		return b.Store.Events(f)
	}
	return func(yield func(store.Event, error) bool) {
		_ = yield(store.Event{At: noon, Kind: store.KindDaemon, Text: "first"}, nil) && yield(store.Event{}, b.breaks)
	}
}

func (b *book) Flush(ctx context.Context) error { return errors.Join(b.late, b.Store.Flush(ctx)) }

// newBook holds n rows a second apart before noon: web fails and recovers by
// turns and fails at last, as on the board.
func newBook(t testing.TB, n int) *book {
	t.Helper()
	s, err := store.Open(store.Options{
		Path: filepath.Join(t.TempDir(), "mond.db"), NoSync: true, HistoryAge: 100 * 365 * 24 * time.Hour, HistoryRows: 2 * n, EventLimit: 2 * n,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	if _, err := s.Load(); err != nil {
		t.Fatal(err)
	}
	events := make([]store.Event, n)
	for i := range events {
		e := store.Event{
			At: noon.Add(-time.Duration(n-i) * time.Second), Group: web.Group, Service: web.Service, Kind: store.KindStatus,
			From: "ok", To: "fail", Exit: 1, Summary: "web1", Text: "ok -> fail: web1",
		}
		if (n-i)%2 == 0 {
			e.From, e.To, e.Exit, e.Text, e.Took = "fail", "ok", 0, "fail -> ok", time.Second
		}
		events[i] = e
	}
	s.Append(store.Batch{Events: events}, nil)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &book{Store: s}
}

func newHistoryRig(t *testing.T, b *book) *rig {
	return newRig(t, func(s *Server) { s.opt.History = b })
}

func TestHistory(t *testing.T) {
	const rows = 1000
	r := newHistoryRig(t, newBook(t, rows))
	at := func(sec int) time.Time { return noon.Add(-time.Duration(sec) * time.Second) }
	for _, tt := range []struct {
		name        string
		q           HistoryQuery
		n           int
		first, last time.Time
	}{
		{"all", HistoryQuery{}, rows, at(1), at(rows)},
		{"from the oldest", HistoryQuery{OldestFirst: true}, rows, at(rows), at(1)},
		{"a few", HistoryQuery{Limit: 3}, 3, at(1), at(3)},
		{"between", HistoryQuery{Since: at(20), Until: at(10)}, 11, at(10), at(20)},
		{"after", HistoryQuery{After: rows - 2, OldestFirst: true}, 2, at(2), at(1)},
		{"of a service", HistoryQuery{Name: "www1:http", Kinds: []string{"status", "alert"}, Limit: 1}, 1, at(1), at(1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []Event
			for e, err := range r.client.History(t.Context(), tt.q) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, e)
			}
			if len(got) != tt.n || !got[0].At.Equal(tt.first) || !got[tt.n-1].At.Equal(tt.last) {
				t.Fatalf("%d rows: %+v", len(got), got[:min(len(got), 2)])
			}
			if e := got[0]; e.Number == 0 || e.Text == "" || e.Kind != "status" {
				t.Errorf("%+v", e)
			}
		})
	}
	for e, err := range r.client.History(t.Context(), HistoryQuery{}) {
		if err != nil || !e.At.Equal(at(1)) {
			t.Error(e, err)
		}
		break // enough
	}
	for _, err := range r.client.History(t.Context(), HistoryQuery{Name: "gone"}) {
		t.Error("a row of nobody:", err)
	}
}

// What goes wrong half-way is told, and is no end.
func TestHistoryBreaksOff(t *testing.T) {
	b := newBook(t, 3)
	b.breaks = errors.New("the disk is gone")
	r := newHistoryRig(t, b)
	var text strings.Builder
	for e, err := range r.client.History(t.Context(), HistoryQuery{}) {
		fmt.Fprintln(&text, e.Text, err)
	}
	if text.String() != "first <nil>\n the disk is gone\n" {
		t.Error(text.String())
	}
	if _, err := r.client.Report(t.Context(), ReportQuery{Since: noon.Add(-time.Hour)}, nil); err == nil || err.Error() != "the disk is gone" {
		t.Error(err)
	}
}

func TestHistoryRefuses(t *testing.T) {
	r := newHistoryRig(t, newBook(t, 1))
	for query, want := range map[string]string{
		"history?sinse=x":         "sinse: there is no such parameter; there are since, until",
		"history?since=yesterday": `since: \"yesterday\" is no time such as`,
		"history?limit=-1":        `limit: \"-1\" is no number`,
		"history?kind=status,x":   `kind: \"x\" is none of status`,
		"history?order=up":        `order: \"up\" is none of newest, oldest`,
		"history?limit=1&limit=2": "limit: it is given twice",
		"report":                  "since: a report needs a beginning",
		"report?since=2026-05-04T12:00:00Z&outages=all":                          `outages: \"all\" is none of no, yes`,
		"report?since=2026-05-04T12:00:00Z&period=" + url.QueryEscape("hr {25}"): `period: \"hr {25}\"`,
	} {
		code, _, text := r.raw("GET", "/v1/"+query, "")
		if code != 400 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", query, code, text)
		}
	}
	bare := newRig(t, nil)
	for _, call := range []string{"history", "report?since=2026-05-04T12:00:00Z"} {
		if code, _, text := bare.raw("GET", "/v1/"+call, ""); code != 404 || !strings.Contains(text, "no history is kept") {
			t.Errorf("%s: %d %s", call, code, text)
		}
	}
}

func TestReport(t *testing.T) {
	b := newBook(t, 1001)
	r := newHistoryRig(t, b)
	// The board has the scheduler stopped, the service blind: seen is nothing.
	got, err := r.client.Report(t.Context(), ReportQuery{Since: noon.Add(-time.Hour), Until: noon}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Services) != 2 || got.Services[0].Unwatched != 3600 || got.Seconds != 3600 || got.Rows != 1001 || got.HistorySince == nil || got.Warning != "" {
		t.Errorf("%+v", got)
	}
	_, err = r.client.Report(t.Context(), ReportQuery{Since: noon.Add(-time.Hour), Names: []string{"www1", "nobody:x"}}, nil)
	if err == nil || !strings.Contains(err.Error(), `no watch or service "nobody:x"`) {
		t.Error(err)
	}
	b.late = errors.New("the disk hangs")
	got, err = r.client.Report(t.Context(), ReportQuery{Since: noon.Add(-time.Hour), Names: []string{"mond"}}, nil)
	if err != nil || len(got.Services) != 1 || !strings.Contains(got.Warning, "the disk hangs") {
		t.Errorf("%+v %v", got, err)
	}
}

// One report is made at a time; who waits hears that it goes on, and may go.
func TestReportsWaitTheirTurn(t *testing.T) {
	var busy chan struct{}
	r := newRig(t, func(s *Server) { s.opt.History, busy = newBook(t, 1), s.reports })
	busy <- struct{}{}
	told := 0
	got, err := r.client.Report(t.Context(), ReportQuery{Since: noon.Add(-time.Hour)}, func(int) {
		if told++; told == 2 {
			<-busy
		}
	})
	if err != nil || got == nil || told < 2 {
		t.Errorf("%+v %v, told %d times", got, err, told)
	}
	busy <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := r.client.Report(ctx, ReportQuery{Since: noon.Add(-time.Hour)}, func(int) { cancel() }); err == nil {
		t.Error("a report in spite of it")
	}
	<-busy
}

// What a daemon left says what it was; since then it was down.
func TestSavedWorld(t *testing.T) {
	b := newBook(t, 11) // from 11 s before noon on
	w := SavedWorld(store.Saved{Records: map[opstatus.Key]store.Record{web: {State: opstatus.State{Status: opstatus.Fail}}}}, noon.Add(time.Hour))
	got, err := Make(b, w, ReportQuery{Since: noon.Add(-time.Minute), Until: noon.Add(time.Minute), Outages: true}, func(int) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if s := got.Services[0]; s.Up != 5 || s.Down != 5 || s.Outages != 5 || s.Unwatched != 110 || *s.Availability != 50 {
		t.Errorf("%+v", s)
	}
}

// BenchmarkReport is a report of a long history, from disk to sums.
func BenchmarkReport(b *testing.B) {
	const rows = 1_000_000
	h := newBook(b, rows)
	w := World{At: noon}
	w.Services = worldOf(board()).Services
	for b.Loop() {
		r, err := Make(h, w, ReportQuery{Since: noon.Add(-30 * 24 * time.Hour)}, func(int) error { return nil })
		if err != nil || r.Rows != rows {
			b.Fatal(r, err)
		}
	}
}
