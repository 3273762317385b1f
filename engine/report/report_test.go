package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/period"
	"github.com/mondhq/mond/engine/store"
)

// window is a part of what s went through.
func window(t *rapid.T, s *sim) (from, to int) {
	from = rapid.IntRange(0, s.sec-1).Draw(t, "from")
	return from, rapid.IntRange(from+1, s.sec).Draw(t, "to")
}

// A report says of every second what the world saw in it.
func TestReportAgreesWithTheWorld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSim(t)
		from, to := window(t, s)
		got, total, err := s.fold(Options{From: at(from), To: at(to), Outages: true})
		if err != nil || total != at(to).Sub(at(from)) {
			t.Fatal(total, err)
		}
		for _, v := range got {
			want := count(s.seen[v.Key][from:to], s.failing[v.Key][from:to])
			want.Key = v.Key
			if d := cmp.Diff(want, v, cmpopts.IgnoreFields(Service{}, "List")); d != "" {
				t.Fatalf("%s from %d to %d: %s\n%s", v.Key, from, to, d, s.seen[v.Key])
			}
			if len(v.List) != v.Outages {
				t.Fatalf("%d outages of %d", len(v.List), v.Outages)
			}
		}
	})
}

// count is what a report should say of these seconds.
func count(seen []byte, failing []bool) (s Service) {
	var run time.Duration // of this outage
	end := func() {
		if run > 0 {
			s.Outages++
		}
		s.Longest, run = max(s.Longest, run), 0
	}
	for i, c := range seen {
		if !failing[i] {
			end()
		}
		switch c {
		case 'u':
			s.Up += time.Second
		case 'd':
			s.Down += time.Second
			run += time.Second
		default:
			s.Unwatched += time.Second
		}
	}
	end()
	return s
}

// Two windows that meet are one; a period that always holds changes nothing; a
// period and the rest of the time add up to all of it.
func TestReportsAddUp(t *testing.T) {
	parse := func(text string) period.Spec {
		p, err := period.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	odd, even := parse("min {0-4}, min {10-14}"), parse("min {5-9}, min {15-59}")
	rapid.Check(t, func(t *rapid.T) {
		s := drawSim(t)
		from, to := window(t, s)
		mid := rapid.IntRange(from, to).Draw(t, "mid")
		sum := func(parts ...Options) map[opstatus.Key]Service {
			all := map[opstatus.Key]Service{}
			for _, o := range parts {
				if !o.From.Before(o.To) {
					continue
				}
				list, total, err := s.fold(o)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range s.world.Services { // those that are gone and left no row
					if !slices.ContainsFunc(list, func(r Service) bool { return r.Key == v.Key }) {
						list = append(list, Service{Key: v.Key, Unwatched: total})
					}
				}
				for _, v := range list {
					if v.Up+v.Down+v.Unwatched != total {
						t.Fatalf("%+v is not all of %v", v, total)
					}
					a := all[v.Key]
					all[v.Key] = Service{Key: v.Key, Up: a.Up + v.Up, Down: a.Down + v.Down, Unwatched: a.Unwatched + v.Unwatched}
				}
			}
			return all
		}
		want := sum(Options{From: at(from), To: at(to)})
		for name, got := range map[string]map[opstatus.Key]Service{
			"halves": sum(Options{From: at(from), To: at(mid)}, Options{From: at(mid), To: at(to)}),
			"always": sum(Options{From: at(from), To: at(to), Period: parse("wd {Sun-Sat}")}),
			"hours":  sum(Options{From: at(from), To: at(to), Period: odd}, Options{From: at(from), To: at(to), Period: even}),
		} {
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%s: %s", name, d)
			}
		}
	})
}

// Whatever rows there are, also none that fit, all of the time is accounted
// for.
func TestAnyRowsAddUp(t *testing.T) {
	words := rapid.SampledFrom([]string{"", "ok", "fail", "timeout", "untested", "disabled", "enabled", "start", "stop", "died", "began",
		"ended", "excluded", "removed", "disable", "enable", "disable watch", "enable watch", "ack", "failure", "told"})
	rapid.Check(t, func(t *rapid.T) {
		f, err := New(Options{From: at(10), To: at(100), Complete: at(rapid.IntRange(0, 120).Draw(t, "complete")), Outages: true},
			World{Services: []State{{Key: opstatus.Key{Group: "g", Service: "s"}, Status: opstatus.Fail}}})
		if err != nil {
			t.Fatal(err)
		}
		for sec := 130; sec > 0; sec -= rapid.IntRange(0, 20).Draw(t, "gap") + 1 {
			f.Add(store.Event{
				At: at(sec), Kind: rapid.SampledFrom(store.Kinds()).Draw(t, "kind"), Group: rapid.SampledFrom([]string{"", "g"}).Draw(t, "group"),
				Service: rapid.SampledFrom([]string{"", "s", "t"}).Draw(t, "service"), What: words.Draw(t, "what"),
				From: words.Draw(t, "from"), To: words.Draw(t, "to"), Outcome: words.Draw(t, "outcome"),
			})
		}
		for _, v := range f.Services() {
			if v.Up+v.Down+v.Unwatched != f.Total() || v.Up < 0 || v.Down < 0 || v.Unwatched < 0 {
				t.Fatalf("%+v of %v", v, f.Total())
			}
		}
	})
}

// story is a day in the life of one service, told to the end.
func story(end int, tell func(s *sim, v *State)) *sim {
	s := newSim("web:http")
	tell(s, &s.world.Services[0])
	s.pass(end - s.sec)
	return s
}

func TestOutages(t *testing.T) {
	s := story(100, func(s *sim, v *State) {
		s.pass(5)
		s.status(v, opstatus.OK)
		s.pass(5)
		s.status(v, opstatus.Fail) // at 10
		s.pass(5)
		s.row(of(v, store.Event{Kind: store.KindOperator, What: store.WhatAck, User: "ann"}))
		s.pass(5)
		s.blind(v) // from 20 to 30
		s.pass(10)
		s.blind(v)
		s.pass(5)
		s.row(of(v, store.Event{Kind: store.KindStatus, From: "fail", To: "ok", Summary: "said last", Took: 25 * time.Second})) // at 35
		v.Status = opstatus.OK
		s.pass(1)
		s.row(of(v, store.Event{Kind: store.KindAlert, What: "failure", Outcome: store.Told, Took: 26 * time.Second})) // of 10
		s.row(of(v, store.Event{Kind: store.KindAlert, What: "up", Outcome: store.Told, Took: time.Second}))
		s.row(of(v, store.Event{Kind: store.KindAlert, What: "failure", Outcome: store.GaveUp, Took: 26 * time.Second}))
		s.pass(44)
		s.status(v, opstatus.Timeout) // at 80
		v.Summary = "now"
	})
	got, _, err := s.fold(Options{From: at(12), To: at(100), Outages: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []Outage{
		{Start: at(12), End: at(35), Down: 13 * time.Second, Before: true, Summary: "said last", Acked: true, AckedBy: "ann"},
		{Start: at(80), End: at(100), Down: 20 * time.Second, Ongoing: true, Summary: "at 80"},
	}
	if d := cmp.Diff(want, got[0].List); d != "" {
		t.Error(d)
	}
	got, _, _ = s.fold(Options{From: at(0), To: at(100), Outages: true})
	want[0] = Outage{Start: at(10), End: at(35), Down: 15 * time.Second, Summary: "at 10", Acked: true, AckedBy: "ann", Alerts: 1}
	if d := cmp.Diff(want, got[0].List); d != "" {
		t.Error(d)
	}
	if v := got[0]; v.Repair() != 17500*time.Millisecond || v.Between() != 25*time.Second || v.Longest != 20*time.Second {
		t.Errorf("repair %v, between %v, longest %v", v.Repair(), v.Between(), v.Longest)
	}
}

// Rows that are missing make time unknown, not good or bad.
func TestWhatIsMissing(t *testing.T) {
	good := func(s *sim, v *State) {
		s.pass(10)
		s.status(v, opstatus.OK)
		s.pass(40)
	}
	for _, tt := range []struct {
		name                string
		tell                func(s *sim, v *State)
		complete            time.Time
		up, down, unwatched int
	}{
		{"nothing is", good, time.Time{}, 90, 0, 10},
		{"rows were removed", good, at(30), 70, 0, 30},
		{"a change of status", func(s *sim, v *State) {
			good(s, v)
			v.Status = opstatus.Fail // and no row
			s.pass(10)
			s.status(v, opstatus.OK)
		}, time.Time{}, 40, 0, 60},
		{"rows were dropped", func(s *sim, v *State) {
			good(s, v)
			s.row(store.Event{Kind: store.KindLost})
		}, time.Time{}, 50, 0, 50},
		{"the end of the daemon", func(s *sim, v *State) {
			good(s, v)
			s.row(of(v, store.Event{Kind: store.KindBlind, What: store.WhatBegan}))
			s.row(of(v, store.Event{Kind: store.KindBlind, What: store.WhatEnded}))
			s.pass(10)
			s.row(store.Event{Kind: store.KindDaemon, What: store.WhatStart})
		}, time.Time{}, 80, 0, 20},
		{"fields, as in rows of older versions", func(s *sim, v *State) {
			good(s, v)
			s.row(of(v, store.Event{Kind: store.KindStatus, Text: "untested -> ok"}))
		}, time.Time{}, 50, 0, 50},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := story(100, tt.tell)
			got, _, err := s.fold(Options{From: at(0), To: at(100), Complete: tt.complete})
			if err != nil {
				t.Fatal(err)
			}
			v := got[0]
			sec := func(n int) time.Duration { return time.Duration(n) * time.Second }
			if v.Up != sec(tt.up) || v.Down != sec(tt.down) || v.Unwatched != sec(tt.unwatched) {
				t.Errorf("up %v, down %v, not watched %v", v.Up, v.Down, v.Unwatched)
			}
		})
	}
}

func TestAvailability(t *testing.T) {
	for _, tt := range []struct {
		up, down time.Duration
		want     int
		ok       bool
	}{
		{0, 0, 0, false},
		{time.Second, 0, 100_000, true},
		{0, time.Second, 0, true},
		{time.Second, time.Second, 50_000, true},
		{999_996 * time.Second, 4 * time.Second, 99_999, true}, // 99.9996
		{100*365*24*time.Hour - 1, 1, 99_999, true},
		{1, 100*365*24*time.Hour - 1, 0, true},
	} {
		if n, ok := (Service{Up: tt.up, Down: tt.down}).Availability(); n != tt.want || ok != tt.ok {
			t.Errorf("up %v, down %v: %d %v", tt.up, tt.down, n, ok)
		}
	}
}

func TestRefusals(t *testing.T) {
	seconds, err := period.Parse("sec {0}, sec {2}, sec {4}, sec {6}, sec {8}, sec {10}")
	if err != nil {
		t.Skip("periods have no seconds")
	}
	for want, o := range map[string]Options{
		"no time at all": {From: at(1), To: at(1)},
		"ask for less":   {From: zero, To: zero.AddDate(10, 0, 0), Period: seconds},
	} {
		if _, err := New(o, World{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// BenchmarkFold is the cost of a row, without reading it.
func BenchmarkFold(b *testing.B) {
	const services = 1000
	var w World
	for i := range services {
		w.Services = append(w.Services, State{Key: opstatus.Key{Group: "g", Service: string(rune('a'+i%26)) + strings.Repeat("x", i/26)}, Status: opstatus.OK})
	}
	f, err := New(Options{From: zero, To: zero.AddDate(1, 0, 0)}, w)
	if err != nil {
		b.Fatal(err)
	}
	now, i := f.opt.To, 0
	for b.Loop() {
		e := store.Event{At: now, Group: "g", Service: w.Services[i%services].Key.Service, Kind: store.KindStatus, From: "fail", To: "ok"}
		if i/services%2 == 1 {
			e.From, e.To = "ok", "fail"
		}
		f.Add(e)
		now, i = now.Add(-time.Millisecond), i+1
	}
}
