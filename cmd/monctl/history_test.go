package main

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC // what is printed must not depend on where it is
	m.Run()
}

// events are a history that ends as rows() are.
func events() []store.Event {
	at := func(d time.Duration) time.Time { return noon.Add(-d) }
	of := func(d time.Duration, service, kind string, e store.Event) store.Event {
		k, _ := opstatus.ParseKey(service)
		e.At, e.Group, e.Service, e.Kind = at(d), k.Group, k.Service, kind
		return e
	}
	const mail = "mail.alert"
	return []store.Event{
		{At: at(75 * time.Hour), Kind: store.KindDaemon, What: store.WhatStart, Text: "started v1.2.3"},
		of(75*time.Hour-time.Second, "www1:http", store.KindStatus, store.Event{From: "untested", To: "ok", Text: "untested -> ok"}),
		of(75*time.Hour-time.Second, "www2:http", store.KindStatus, store.Event{From: "untested", To: "ok", Text: "untested -> ok"}),
		of(30*time.Hour, "www2:http", store.KindStatus, store.Event{From: "ok", To: "fail", Summary: "web3", Text: "ok -> fail: web3\x1b[31m"}),
		of(30*time.Hour, "www2:http", store.KindDecision, store.Event{What: "failure", Outcome: store.Sent, Reason: "called", Program: mail, Notice: "1", Text: "failure mail.alert -s x root: called"}),
		of(30*time.Hour-3*time.Second, "www2:http", store.KindAlert, store.Event{What: "failure", Outcome: store.Told, Program: mail, Notice: "1", Took: 3 * time.Second, Text: "failure mail.alert: told"}),
		of(30*time.Hour-time.Minute, "www2:http", store.KindDecision, store.Event{What: "failure", Outcome: store.NotSent, Reason: "held by alertevery", Text: "failure wd {Mon-Fri} mail.alert -s x root: held by alertevery (1m0s ago)"}),
		of(29*time.Hour, "www2:http", store.KindOperator, store.Event{What: store.WhatAck, User: "ann", Summary: "the part", Text: "ann: acknowledged: the part"}),
		of(28*time.Hour, "www2:http", store.KindStatus, store.Event{From: "fail", To: "ok", Summary: "web3", Took: 2 * time.Hour, Text: "fail -> ok"}),
		{At: at(3 * time.Hour), Group: "www2", Kind: store.KindOperator, What: store.WhatDisableWatch, From: "enabled", To: "disabled", User: "bob", Text: "bob: watch disabled: works"},
		{At: at(2 * time.Hour), Group: "www2", Kind: store.KindOperator, What: store.WhatEnableWatch, From: "disabled", To: "enabled", User: "bob", Text: "bob: watch enabled"},
		of(83*time.Minute, "www2:http", store.KindStatus, store.Event{From: "ok", To: "fail", Summary: "web3", Text: "ok -> fail: web3"}),
		{At: at(time.Hour), Kind: store.KindOperator, What: store.WhatStop, From: "enabled", To: "disabled", User: "ann", Text: "ann: scheduler stopped: works"},
	}
}

// past is a store with that history.
func past(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(store.Options{Path: filepath.Join(t.TempDir(), "mond.db"), NoSync: true, HistoryAge: 100 * 365 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	if _, err := s.Load(); err != nil {
		t.Fatal(err)
	}
	s.Append(store.Batch{Events: events()}, nil)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHistory(t *testing.T) {
	d := newDaemon(t)
	for _, tt := range []struct{ file, line string }{
		{"history.txt", "history"},
		{"history-service.txt", "history|www2:http|--kind|decision,alert|--kind|operator"},
		{"history-last.txt", "history|www2,http|-n|3"},
		{"history-since.txt", "history|-n|0|--since|2026-05-04 09:00|--until|2026-05-04 10:15"},
		{"history-none.txt", "history|--since|1s"},
		{"report.txt", "report|--since|2026-05-02|--until|2026-05-04T12:00:00Z"},
		{"report-outages.txt", "report|www1|www2:http|-o|--since|2026-05-03T07:00|--until|2026-05-04T12:00:00Z"},
		{"report-period.txt", "report|www2|--outages|--period|wd {Mon-Fri} hr {9am-4pm}|--since|2026-05-01|--until|2026-05-04T12:00:00Z"},
	} {
		t.Run(tt.file, func(t *testing.T) {
			code, out, complaint := d.run(strings.Split(tt.line, "|")...)
			if code != 0 || complaint != "" {
				t.Errorf("%d %s", code, complaint)
			}
			golden(t, tt.file, out)
		})
	}
}

func TestHistoryJSON(t *testing.T) {
	d := newDaemon(t)
	code, out, complaint := d.run("history", "--json", "www2:http", "-n", "4")
	if code != 0 || complaint != "" {
		t.Fatalf("%d %s", code, complaint)
	}
	var got []control.Event
	for line := range strings.Lines(out) {
		var e control.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if len(got) != 4 || got[2].From != "ok" || got[2].To != "fail" || got[0].User != "bob" || got[2].Number != 12 {
		t.Errorf("%+v", got)
	}
	// Nothing is no line.
	if _, out, _ := d.run("history", "--json", "--since", "1s"); out != "" {
		t.Error(out)
	}
}

func TestReportJSON(t *testing.T) {
	d := newDaemon(t)
	code, out, complaint := d.run("report", "--json", "-o", "www2", "--since", "2026-05-03T06:00:00Z", "--until", "2026-05-03T18:00:00Z")
	var r control.Report
	if err := json.Unmarshal([]byte(out), &r); code != 0 || complaint != "" || err != nil {
		t.Fatalf("%d %s %v", code, complaint, err)
	}
	s := r.Services[0]
	if len(r.Services) != 1 || s.Availability == nil || *s.Availability != 83.333 || s.Down != 7200 || s.Up+s.Down+s.Unwatched != r.Seconds ||
		len(s.List) != 1 || s.List[0].AckedBy != "ann" || s.List[0].Alerts != 1 {
		t.Errorf("%+v", r)
	}
}

// Without a daemon the file it left says the same.
func TestHistoryOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mond.db")
	s, err := store.Open(store.Options{Path: file, NoSync: true, HistoryAge: 100 * 365 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(); err != nil {
		t.Fatal(err)
	}
	key := opstatus.Key{Group: "www2", Service: "http"}
	stopped := store.Event{At: noon.Add(-time.Hour), Kind: store.KindDaemon, What: store.WhatStop, Text: "stopped"}
	s.Append(store.Batch{
		Globals: &store.Globals{Stopped: &opstatus.Note{At: noon.Add(-time.Hour)}},
		Records: map[opstatus.Key]store.Record{key: {State: opstatus.State{Status: opstatus.Fail, FailSummary: "web3"}}},
		Events:  append(events(), stopped),
	}, nil)
	if code, _, says := monctl("history", "--state", file); code != 1 || !strings.Contains(says, "leave --state out") {
		t.Errorf("beside its daemon: %d %s", code, says)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	code, out, says := monctl("history", "--state", file, "www2", "-n", "1")
	if code != 0 || !strings.Contains(out, "(mond)                daemon    stopped") {
		t.Errorf("%d %s %s", code, out, says)
	}
	code, out, says = monctl("report", "--state", file, "--since", "2026-05-04T10:00:00Z", "--until", "2026-05-04T12:00:00Z")
	if code != 0 || !strings.Contains(out, "www2:http  61.666  1        23m   23m      1h00m\n") {
		t.Errorf("%d %s %s", code, out, says)
	}
}

// What comes after the first lines is printed once, also what is dated back a
// little, and a daemon that is away is waited for.
func TestFollow(t *testing.T) {
	s := past(t)
	now := time.Now()
	add := func(text string, ago time.Duration) {
		s.Append(store.Batch{Events: []store.Event{{At: now.Add(-ago), Kind: store.KindDaemon, Text: text}}}, nil)
		if err := s.Flush(t.Context()); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, complaints bytes.Buffer
	p := printer{w: &out, last: uint64(len(events()))}
	turns := 0
	from := flaky{left{s}, func() bool {
		switch turns++; turns {
		case 1:
			add("first", 0)
		case 3:
			return false
		case 4:
			return false
		case 5:
			add("second", 30*time.Second)
		case 7:
			cancel()
		}
		return true
	}}
	if err := p.follow(ctx, from, control.HistoryQuery{}, now, time.Millisecond, &complaints); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "first") != 1 || strings.Count(out.String(), "second") != 1 || p.n != 2 {
		t.Errorf("printed\n%s", out.String())
	}
	if got := complaints.String(); got != "monctl: context canceled; waiting\n" {
		t.Errorf("complained %q", got)
	}
}

func TestWhen(t *testing.T) {
	for text, want := range map[string]time.Time{
		"24h":                       noon.Add(-24 * time.Hour),
		"1.5D":                      noon.Add(-36 * time.Hour),
		"2026-05-01":                time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
		"2026-05-01 13:30":          time.Date(2026, 5, 1, 13, 30, 0, 0, time.UTC),
		"2026-05-01T13:30:15":       time.Date(2026, 5, 1, 13, 30, 15, 0, time.UTC),
		"2026-05-01T13:30:15+02:00": time.Date(2026, 5, 1, 11, 30, 15, 0, time.UTC),
		"11:59":                     noon.Add(-time.Minute),
		"12:01":                     noon.Add(-24*time.Hour + time.Minute),
		"":                          {}, "24": {}, "tomorrow": {}, "2026-13-01": {}, "25:00": {},
	} {
		got, err := when(text, noon)
		if !got.Equal(want) || (err != nil) != want.IsZero() {
			t.Errorf("%q: %v %v, want %v", text, got, err, want)
		}
	}
}

// flaky is a source that is there only if it says so.
type flaky struct {
	left
	there func() bool
}

func (f flaky) History(ctx context.Context, q control.HistoryQuery) iter.Seq2[control.Event, error] {
	if f.there() {
		return f.left.History(ctx, q)
	}
	return func(yield func(control.Event, error) bool) { yield(control.Event{}, context.Canceled) }
}
