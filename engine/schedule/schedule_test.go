package schedule

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata" // the tests need Europe/Berlin wherever they run

	"github.com/google/go-cmp/cmp"
	"github.com/robfig/cron/v3"
	"pgregory.net/rapid"
)

const ms = time.Millisecond

// start has a monotonic reading.
var start = time.Now()

// never fails the test: this plan needs no random numbers.
func never(t testing.TB) func(int64) int64 {
	return func(int64) int64 {
		t.Helper()
		t.Error("asked for a random number")
		return 0
	}
}

func TestInterval(t *testing.T) {
	tests := []struct {
		name      string
		plan      Plan
		want      [3]time.Duration // Up, Suspect, Down
		scheduled bool
	}{
		{"zero", Plan{}, [3]time.Duration{}, false},
		{"without an interval", Plan{Suspect: 1, Down: 1, Skew: 1, RandStart: 1}, [3]time.Duration{}, false},
		{"one for all", Plan{Up: time.Second}, [3]time.Duration{time.Second, time.Second, time.Second}, true},
		{"each its own", Plan{Up: 3 * ms, Suspect: ms, Down: 2 * ms}, [3]time.Duration{3 * ms, ms, 2 * ms}, true},
		{"calendar", Plan{Up: time.Second, Calendar: hourly(t)}, [3]time.Duration{}, true},
	}
	for _, tt := range tests {
		got := [3]time.Duration{tt.plan.Interval(Up), tt.plan.Interval(Suspect), tt.plan.Interval(Down)}
		if diff := cmp.Diff(tt.want, got); diff != "" || tt.plan.Scheduled() != tt.scheduled {
			t.Error(tt.name, diff)
		}
	}
}

func TestZeroPlanIsNeverDue(t *testing.T) {
	if at := (Plan{}).First("a:1", start, never(t)); !at.IsZero() {
		t.Errorf("first due %v", at)
	}
	if at := (Plan{Down: time.Second}).Next(start, start, Down, never(t)); !at.IsZero() {
		t.Errorf("next due %v", at)
	}
}

func TestFirst(t *testing.T) {
	for _, up := range []time.Duration{10 * ms, time.Second, 10 * time.Second, time.Minute, time.Hour} {
		for i := range 1000 {
			name := fmt.Sprintf("www%d:http", i)
			first := Plan{Up: up, Down: 1}.First(name, start, never(t))
			if wait := first.Sub(start); wait <= up-min(up, 10*time.Second) || wait > up {
				t.Fatalf("%s every %v is first due after %v", name, up, wait)
			}
			if again := (Plan{Up: up}).First(name, start, nil); again != first {
				t.Fatalf("%s is first due at %v and at %v", name, first, again)
			}
		}
	}
}

func TestFirstAtRandom(t *testing.T) {
	p := Plan{Up: time.Second, RandStart: time.Minute}
	first := p.First("a:1", start, func(n int64) int64 { return n - 1 })
	if got, want := first.Sub(start), time.Minute-1; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if !monotonic(first) {
		t.Error("the monotonic reading is lost")
	}
}

// The chi-square of 100 bins is 99 on average; 99.99 % of even spreads stay
// below 160. The hash is stable, so this never fails by chance.
func TestFirstsAreSpreadEvenly(t *testing.T) {
	const services, bins = 10_000, 100
	for _, pattern := range []string{"www%d:http", "g:%05d", "host-%d.example.com:ping", "%x:a"} {
		for _, up := range []time.Duration{time.Second, 10 * time.Second, time.Minute} {
			var count [bins]int
			spread := min(up, maxStagger)
			for i := range services {
				first := Plan{Up: up}.First(fmt.Sprintf(pattern, i), start, nil)
				count[int64(first.Sub(start)-(up-spread)-1)*bins/int64(spread)]++
			}
			chi := 0.0
			for _, n := range count {
				d := float64(n) - services/bins
				chi += d * d / (services / bins)
			}
			if chi > 160 {
				t.Errorf("%s every %v: chi-square %.0f", pattern, up, chi)
			}
		}
	}
}

func TestNext(t *testing.T) {
	plan := Plan{Up: 10 * time.Second, Suspect: time.Second, Down: 5 * time.Second}
	tests := []struct {
		name          string
		planned, now  time.Duration // after start
		phase         Phase
		want          time.Duration
		plannedBefore bool // the planned time is the zero time
	}{
		{name: "on time", planned: 0, now: 0, want: 10 * time.Second},
		{name: "a little late", planned: 0, now: 3 * ms, want: 10 * time.Second},
		{name: "late by an interval", planned: 0, now: 10 * time.Second, want: 10 * time.Second},
		{name: "and a bit", planned: 0, now: 10*time.Second + 1, want: 20 * time.Second},
		{name: "late by many", planned: 0, now: 95 * time.Second, want: 100 * time.Second},
		{name: "asked early", planned: time.Second, now: 0, want: 10 * time.Second},
		{name: "never planned", now: 7 * time.Second, plannedBefore: true, want: 17 * time.Second},
		{name: "becomes suspect", planned: 0, now: 200 * ms, phase: Suspect, want: time.Second},
		{name: "becomes suspect after a long check", planned: 0, now: 3200 * ms, phase: Suspect, want: 4 * time.Second},
		{name: "becomes suspect between checks", planned: 0, now: 7 * time.Second, phase: Suspect, want: 7 * time.Second},
		{name: "goes down", planned: 0, now: 200 * ms, phase: Down, want: 5 * time.Second},
		{name: "recovers", planned: 4 * time.Second, now: 4200 * ms, phase: Up, want: 14 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			planned := start.Add(tt.planned)
			if tt.plannedBefore {
				planned = time.Time{}
			}
			next := plan.Next(planned, start.Add(tt.now), tt.phase, never(t))
			if got := next.Sub(start); got != tt.want {
				t.Errorf("due after %v, want %v", got, tt.want)
			}
			if !monotonic(next) {
				t.Error("the monotonic reading is lost")
			}
		})
	}
}

func TestNextProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := time.Duration(rapid.Int64Range(int64(10*ms), int64(time.Hour)).Draw(t, "interval"))
		late := time.Duration(rapid.Int64Range(0, int64(10*time.Hour)).Draw(t, "late"))
		now := start.Add(late)
		next := Plan{Up: i}.Next(start, now, Up, nil)
		switch {
		case next.Before(now) || next.Sub(now) > i:
			t.Errorf("due %v from now", next.Sub(now))
		case next.Sub(start)%i != 0 || !next.After(start):
			t.Errorf("due off the cadence, %v after the last", next.Sub(start))
		}
	})
}

func TestSkew(t *testing.T) {
	p := Plan{Up: time.Second, Skew: 3*ms + 999*time.Microsecond}
	var got []time.Duration
	for r := range int64(6) {
		now := start.Add(time.Hour)
		next := p.Next(start, now, Up, func(n int64) int64 {
			if n != 6 {
				t.Errorf("asked for one of %d", n)
			}
			return r
		})
		got = append(got, next.Sub(now)-time.Second)
	}
	if diff := cmp.Diff([]time.Duration{-3 * ms, -2 * ms, -ms, ms, 2 * ms, 3 * ms}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSkewIsNeverNow(t *testing.T) {
	p := Plan{Up: 10 * ms, Skew: time.Second}
	if got := p.Next(start, start, Up, func(int64) int64 { return 0 }).Sub(start); got != ms {
		t.Errorf("due after %v", got)
	}
	p = Plan{Up: time.Second, Skew: 1}
	if got := p.Next(start, start, Up, func(n int64) int64 { return n - 1 }).Sub(start); got != time.Second+ms {
		t.Errorf("due after %v", got)
	}
}

func TestEqual(t *testing.T) {
	a := Plan{Up: 1, Calendar: hourly(t), Text: "0 * * * *"}
	b := Plan{Up: 1, Calendar: hourly(t), Text: "0 * * * *"}
	if !a.Equal(b) || a.Equal(Plan{Up: 1, Text: a.Text}) || a.Equal(Plan{Up: 2, Calendar: a.Calendar, Text: a.Text}) {
		t.Error("Equal is wrong")
	}
}

// A service is checked every second for an hour, each time late by up to 1.5
// seconds: it is never off its cadence, never early, never twice for one time.
func TestNoDrift(t *testing.T) {
	const services, hour = 10_000, 3600
	p := Plan{Up: time.Second}
	random := rand.New(rand.NewPCG(1, 2))
	late := make([]time.Duration, 4096)
	for i := range late {
		late[i] = time.Duration(random.Int64N(int64(5 * ms)))
	}
	late[7], late[1000] = 1500*ms, 999*ms
	for s := range services {
		first := p.First(fmt.Sprintf("www%d:http", s), start, nil)
		planned, skipped := first, 0
		for n := 0; n < hour; n++ {
			if late[(s+n)%len(late)] > time.Second {
				skipped++
			}
			planned = p.Next(planned, planned.Add(late[(s+n)%len(late)]), Up, nil)
		}
		if got, want := planned.Sub(first), time.Duration(hour+skipped)*time.Second; got != want {
			t.Fatalf("service %d is at %v after %v", s, got, want)
		}
	}
}

// The same with a heap and one timer, on the monotonic clock of a bubble.
func TestHeapAndPlansTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const services = 200
		begin := time.Now()
		h := NewHeap(begin)
		p := Plan{Up: time.Second}
		planned, runs := make([]time.Time, services), make([]int, services)
		for id := range services {
			planned[id] = p.First(fmt.Sprintf("www%d:http", id), begin, nil)
			h.Set(id, planned[id])
		}
		var due []int
		for time.Since(begin) < time.Minute {
			_, at, _ := h.Peek()
			time.Sleep(time.Until(at) + 5*ms)
			now := time.Now()
			for _, id := range h.PopDue(now, due[:0]) {
				if late := now.Sub(planned[id]); late < 0 || late > 5*ms {
					t.Fatalf("late by %v", late)
				}
				runs[id]++
				planned[id] = p.Next(planned[id], now, Up, nil)
				h.Set(id, planned[id])
			}
		}
		for id, n := range runs {
			if n < 60 || n > 61 {
				t.Errorf("service %d ran %d times in a minute", id, n)
			}
		}
	})
}

// hourly is every full hour.
func hourly(t testing.TB) Calendar { return parse(t, "0 * * * *") }

func parse(t testing.TB, text string) Calendar {
	t.Helper()
	c, err := cron.ParseStandard(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCalendar(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const layout = "2006-01-02 15:04:05 MST"
	tests := []struct {
		name, cron, planned, now, want string
	}{
		{"on time", "0 * * * *", "2026-01-05 10:00:00 CET", "2026-01-05 10:00:00 CET", "2026-01-05 11:00:00 CET"},
		{"late", "0 * * * *", "2026-01-05 10:00:00 CET", "2026-01-05 10:59:59 CET", "2026-01-05 11:00:00 CET"},
		{"missed some", "0 * * * *", "2026-01-05 10:00:00 CET", "2026-01-05 14:30:00 CET", "2026-01-05 15:00:00 CET"},
		{"the clock was put back a little", "0 * * * *", "2026-01-05 10:00:00 CET", "2026-01-05 09:59:30 CET", "2026-01-05 11:00:00 CET"},
		{"the clock was put back a lot", "0 * * * *", "2026-01-05 10:00:00 CET", "2026-01-05 08:30:00 CET", "2026-01-05 09:00:00 CET"},
		{"winter to summer", "30 3 * * *", "2026-03-28 03:30:00 CET", "2026-03-28 03:30:00 CET", "2026-03-29 03:30:00 CEST"},
		{"interval of a calendar", "@every 90s", "2026-01-05 10:00:00 CET", "2026-01-05 10:00:01 CET", "2026-01-05 10:01:31 CET"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at := func(s string) time.Time {
				u, err := time.ParseInLocation(layout, s, berlin)
				if err != nil {
					t.Fatal(err)
				}
				return u
			}
			p := Plan{Up: time.Second, Skew: time.Second, Calendar: parse(t, tt.cron)}
			got := p.Next(at(tt.planned), at(tt.now), Down, never(t))
			if diff := cmp.Diff(tt.want, got.Format(layout)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCalendarOnTheMonotonicClock(t *testing.T) {
	p := Plan{Calendar: hourly(t)}
	first := p.First("a:1", start, never(t))
	if !monotonic(first) || first.Sub(start) != first.Round(0).Sub(start.Round(0)) {
		t.Errorf("first due at %v, started at %v", first, start)
	}
	if wait := first.Sub(start); first.Minute() != 0 || first.Second() != 0 || wait <= 0 || wait > time.Hour {
		t.Errorf("first due at %v, started at %v", first, start)
	}
	p = Plan{Calendar: ended{}}
	if at := p.Next(start, start, Up, nil); !at.IsZero() {
		t.Errorf("due at %v, after the end", at)
	}
}

// ended is a calendar with no more times.
type ended struct{}

func (ended) Next(time.Time) time.Time { return time.Time{} }

// monotonic reports whether t has a monotonic reading.
func monotonic(t time.Time) bool { return strings.Contains(t.String(), " m=") }
