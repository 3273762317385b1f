package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/report"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/monitor"
)

// short is a row in short.
func short(e store.Event) string {
	words := []string{e.Kind}
	for _, w := range []string{e.What, e.Outcome, e.From, e.To, e.Reason, e.User} {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// rowsAbout are the rows so far about web, its watch and the daemon, in short.
func (r *rig) rowsAbout(kinds ...string) (all []string) {
	for _, e := range r.store.Events() {
		about := e.Group == "" || e.Group == web.Group && (e.Service == "" || e.Service == web.Service)
		if about && (len(kinds) == 0 || slices.Contains(kinds, e.Kind)) {
			all = append(all, short(e))
		}
	}
	return all
}

func (r *rig) wantRows(kinds []string, want ...string) {
	r.t.Helper()
	if got := r.rowsAbout(kinds...); !slices.Equal(got, want) {
		r.t.Errorf("rows\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// Everything that changes something is a row; a check that changes nothing is
// none.
func TestRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.pass(11 * time.Second)
		rows := len(r.store.Events())
		r.pass(time.Hour)
		if n := len(r.store.Events()); n != rows {
			t.Errorf("%d rows in an hour in which nothing happened: %+v", n-rows, r.store.Events()[rows:])
		}
		r.down("www1.example")
		r.pass(10 * time.Second)
		r.must(r.engine.Ack(t.Context(), web, "ann", "on it"))
		r.pass(10 * time.Second)
		r.up()
		r.pass(10 * time.Second)
		r.must(r.engine.DisableService(t.Context(), web, "ann", ""))
		r.must(r.engine.EnableService(t.Context(), web, "ann"))
		r.must(r.engine.DisableWatch(t.Context(), "www1", "bob", ""))
		r.must(r.engine.EnableWatch(t.Context(), "www1", "bob"))
		r.must(r.engine.StopScheduler(t.Context(), "bob", ""))
		r.must(r.engine.StartScheduler(t.Context(), "bob"))
		r.runner.Set(web, monitor.Blinded(monitor.Killed, "signal 9"))
		r.pass(20 * time.Second)
		r.up()
		r.pass(10 * time.Second)
		r.must(r.engine.Reload(t.Context()))
		r.pass(time.Second)
		r.loads = errors.New("bad file")
		if r.engine.Reload(t.Context()) == nil {
			t.Error("a bad file was loaded")
		}
		r.must(r.end())
		r.wantRows([]string{store.KindStatus, store.KindAlert, store.KindOperator, store.KindBlind, store.KindDaemon},
			"daemon start",
			"status untested ok",
			"status ok fail",
			"alert failure told",
			"operator ack ann",
			"status fail ok",
			"alert up told",
			"operator disable enabled disabled ann",
			"operator enable disabled enabled ann",
			"operator disable watch enabled disabled bob",
			"operator enable watch disabled enabled bob",
			"operator stop enabled disabled bob",
			"operator start disabled enabled bob",
			"blind began killed",
			"blind ended",
			"daemon reload",
			"daemon refused",
			"daemon stop",
		)
		r.wantFields()
	})
}

// wantFields looks into the rows of TestRows.
func (r *rig) wantFields() {
	for _, e := range r.store.Events() {
		if e.Group != web.Group {
			continue
		}
		switch short(e) {
		case "status ok fail":
			if e.Exit != 1 || e.Summary != "www1.example" || e.Text != "ok -> fail: www1.example" {
				r.t.Errorf("%+v", e)
			}
		case "status fail ok":
			if e.Summary != "www1.example" || e.Took != 20*time.Second {
				r.t.Errorf("%+v", e)
			}
		case "decision failure sent called":
			if e.Program == "mail.alert" && e.Notice != r.sender.Sent()[0].Request.ID {
				r.t.Errorf("%+v", e)
			}
		case "operator ack ann":
			if e.Summary != "on it" || e.Text != "ann: acknowledged: on it" {
				r.t.Errorf("%+v", e)
			}
		}
	}
}

const helds = `
hostgroup www1 www1.example

watch www1
    service http
        interval 10s
        monitor http.monitor
        exclude_period hr {3}
        monitordepend www1:ping
        period wd {Sun-Sat}
            alert mail.alert wensong
    service ping
        interval 10s
        monitor http.monitor
`

// While checks are not run there is a row at each end, whatever happens
// between them; a restart changes nothing in that.
func TestHeldRows(t *testing.T) {
	held := []string{store.KindHeld}
	synctest.Test(t, func(t *testing.T) { // begins at midnight
		r := newRig(t, helds)
		r.start()
		r.pass(time.Minute)
		ping := opstatus.Key{Group: "www1", Service: "ping"}
		r.runner.Set(ping, monitor.Failed("www1.example", ""))
		r.pass(time.Hour)
		r.wantRows(held, "held dependency dependency")
		r.runner.Set(ping, monitor.OK(""))
		r.pass(time.Minute)
		r.must(r.engine.DisableHost(t.Context(), "www1.example", "ann", ""))
		r.pass(time.Minute)
		r.must(r.engine.EnableHost(t.Context(), "www1.example", "ann"))
		r.pass(time.Minute)
		want := []string{"held dependency dependency", "held ended dependency", "held no hosts no hosts", "held ended no hosts"}
		r.wantRows(held, want...)
		r.pass(2*time.Hour + time.Minute) // to 3:05
		r.must(r.end())
		r.wantRows(held, append(want, "held excluded excluded")...)

		again := newRig(t, helds)
		again.store = r.store
		again.start()
		again.pass(time.Hour)
		want = append(want, "held excluded excluded", "held ended excluded")
		again.wantRows(held, want...)
		// The other gate is no row of the service's.
		again.config = "exclude_period = hr {4-5}\n" + helds
		again.must(again.engine.Reload(t.Context()))
		again.pass(2 * time.Hour)
		again.wantRows(held, append(want, "held excluded", "held ended")...)
		again.must(again.end())
	})
}

// After an unclean stop history says when the last sign of life was: what lies
// between it and the start is no time that anybody watched.
func TestUncleanStopIsARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.pass(10*time.Minute + 30*time.Second)
		killed := time.Now()
		held := r.store.Snapshot()
		r.must(r.end())
		time.Sleep(time.Hour)
		again := crash(t, held)
		again.start()
		rows := again.store.Events()
		again.must(again.end())
		died, start := rows[0], rows[1]
		if short(died) != "daemon died" || died.At.After(killed) || killed.Sub(died.At) > time.Minute {
			t.Errorf("killed at %v: %+v", killed, died)
		}
		if short(start) != "daemon start" || start.Took < time.Hour {
			t.Errorf("%+v", start)
		}
	})
}

// What a start forgets, and services that left, are rows: who reads backwards
// finds no gap.
func TestForgottenRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.options.Forget = true
		was := failing(time.Now())
		was.Disabled, was.Held = &opstatus.Note{}, store.WhatExcluded
		was.State.Blind = &opstatus.Blind{}
		r.store = enginetest.NewStore(store.Saved{Clean: true, Records: map[opstatus.Key]store.Record{web: was, {Group: "www1", Service: "old"}: was}})
		r.start()
		r.wantRows([]string{store.KindStatus, store.KindOperator, store.KindBlind, store.KindHeld, store.KindDaemon},
			"daemon start", "status fail untested", "blind ended", "held ended excluded", "operator enable disabled enabled")
		for _, e := range r.store.Events() {
			if e.Kind == store.KindConfig && (e.Service != "old" || e.From != "fail" || e.Note != "blind disabled held") {
				t.Errorf("%+v", e)
			}
		}
		r.must(r.end())
	})
}

// A report of what the engine wrote says what happened.
func TestReportOfALife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sparing)
		began := time.Now()
		r.start()
		r.pass(time.Hour)
		r.down("www1.example")
		r.pass(10 * time.Minute)
		r.up()
		r.pass(50 * time.Minute)
		r.must(r.engine.DisableService(t.Context(), web, "ann", ""))
		r.pass(time.Hour)
		r.must(r.engine.EnableService(t.Context(), web, "ann"))
		r.pass(time.Hour)
		held := r.store.Snapshot()
		rows := r.store.Events()
		r.must(r.end())
		time.Sleep(2 * time.Hour)
		again := crash(t, held)
		again.start()
		again.pass(time.Hour)
		rows = append(rows, again.store.Events()...)
		got := reportOf(t, again.engine, rows, began)
		again.must(again.end())
		near := func(d, want time.Duration) bool { return (d - want).Abs() <= time.Minute+11*time.Second }
		if got.Outages != 1 || !near(got.Down, 10*time.Minute) || !near(got.Up, 3*time.Hour+50*time.Minute) || !near(got.Unwatched, 3*time.Hour) {
			t.Errorf("%+v", got)
		}
		if o := got.List[0]; o.Alerts != 1 || o.Summary != "www1.example" || o.Ongoing {
			t.Errorf("%+v", o)
		}
	})
}

// reportOf makes a report of web.
func reportOf(t *testing.T, e *engine.Engine, rows []store.Event, from time.Time) report.Service {
	t.Helper()
	v := e.Board().Service(web)
	f, err := report.New(report.Options{From: from, To: time.Now(), Outages: true},
		report.World{Services: []report.State{{Key: web, Status: v.State.Status, Disabled: v.OffAlone, Held: v.Held}}})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(rows, func(a, b store.Event) int { return a.At.Compare(b.At) })
	for _, row := range slices.Backward(rows) {
		f.Add(row)
	}
	for _, s := range f.Services() {
		if s.Key == web {
			return s
		}
	}
	t.Fatal("no report of " + fmt.Sprint(web))
	return report.Service{}
}
