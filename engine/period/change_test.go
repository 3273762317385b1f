package period

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestNextChange(t *testing.T) {
	const layout = "2006-01-02 15:04:05 MST"
	berlin := zone(t, "Europe/Berlin")
	tests := []struct {
		name, text, from, want string
	}{
		{"always", "", "2026-03-28 12:00:00 CET", ""},
		{"never", "none", "2026-03-28 12:00:00 CET", ""},
		{"contradiction", "md {31} mo {Feb}", "2026-03-28 12:00:00 CET", ""},
		{"always by parts", "sec {0-29}, sec {30-59}", "2026-03-28 12:00:00 CET", ""},
		{"start of a slot", "hr {9-16}", "2026-01-05 08:00:00 CET", "2026-01-05 09:00:00 CET"},
		{"end of a slot", "hr {9-16}", "2026-01-05 09:00:00 CET", "2026-01-05 17:00:00 CET"},
		{"next day", "hr {9-16}", "2026-01-05 17:00:00 CET", "2026-01-06 09:00:00 CET"},
		{"over midnight", "hr {22-5}", "2026-01-05 23:00:00 CET", "2026-01-06 06:00:00 CET"},
		{"weekend", "wd {Mon-Fri} hr {9am-4pm}", "2026-01-09 17:00:00 CET", "2026-01-12 09:00:00 CET"},
		{"seconds", "sec {5}", "2026-01-05 08:59:06 CET", "2026-01-05 09:00:05 CET"},
		{"one second a year", "mo {Jan} md {1} hr {0} min {0} sec {0}", "2026-01-05 08:59:06 CET", "2027-01-01 00:00:00 CET"},
		{"end of one second", "mo {Jan} md {1} hr {0} min {0} sec {0}", "2026-01-01 00:00:00 CET", "2026-01-01 00:00:01 CET"},
		{"adjoining sub-periods", "hr {9-11}, hr {12-13}", "2026-01-05 09:00:00 CET", "2026-01-05 14:00:00 CET"},
		{"leap day", "yd {366}", "2026-01-05 09:00:00 CET", "2028-12-31 00:00:00 CET"},
		{"leap Monday", "mo {Feb} md {29} wd {Mon}", "2026-01-05 09:00:00 CET", "2044-02-29 00:00:00 CET"},
		{"end of a year", "yr {2030}", "2026-01-05 09:00:00 CET", "2030-01-01 00:00:00 CET"},
		{"last day of a far leap year", "hr {9}", "2044-12-31 08:00:00 CET", "2044-12-31 09:00:00 CET"},
		{"over the last day of a far leap year", "mo {Jan} md {3}", "2044-12-31 08:00:00 CET", "2045-01-03 00:00:00 CET"},
		{"past for good", "yr {2020}", "2026-01-05 09:00:00 CET", ""},
		{"skipped hour does not come", "hr {2}", "2026-03-28 03:00:00 CET", "2026-03-30 02:00:00 CEST"},
		{"slot after the skipped hour", "hr {3}", "2026-03-29 01:30:00 CET", "2026-03-29 03:00:00 CEST"},
		{"slot ended by the skip", "hr {1}", "2026-03-29 01:30:00 CET", "2026-03-29 03:00:00 CEST"},
		{"slot over the skip", "hr {1-3}", "2026-03-29 01:30:00 CET", "2026-03-29 04:00:00 CEST"},
		{"hour that comes twice is one slot", "hr {2}", "2026-10-25 01:00:00 CEST", "2026-10-25 02:00:00 CEST"},
		{"and ends after the second", "hr {2}", "2026-10-25 02:30:00 CEST", "2026-10-25 03:00:00 CET"},
		{"half an hour, first time", "hr {2} min {0-29}", "2026-10-25 02:00:00 CEST", "2026-10-25 02:30:00 CEST"},
		{"half an hour, again", "hr {2} min {0-29}", "2026-10-25 02:30:00 CEST", "2026-10-25 02:00:00 CET"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			from, err := time.ParseInLocation(layout, tt.from, berlin)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if next := mustParse(t, tt.text).NextChange(from); !next.IsZero() {
				got = next.Format(layout)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNextChangeIsOnTheSecond(t *testing.T) {
	at := time.Date(2026, 1, 5, 8, 59, 59, 999, time.UTC)
	got, want := mustParse(t, "hr {9}").NextChange(at), time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	if !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNextChangeKeepsTheMonotonicReading(t *testing.T) {
	now := time.Now()
	at := mustParse(t, "sec {0-29}").NextChange(now)
	if !strings.Contains(at.String(), " m=+") || at.Sub(now) != at.Round(0).Sub(now.Round(0)) {
		t.Errorf("got %v at %v", at, now)
	}
}

// Every change found is a change, and none before it was missed: the steps
// reach every second near t and every minute up to two days on.
func TestRandomNextChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := expressions.Draw(t, "text")
		s, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		at := moments.Draw(t, "at")
		now, next := s.Contains(at), s.NextChange(at)
		if !next.IsZero() && (!next.After(at) || s.Contains(next) == now || s.Contains(next.Add(-time.Second)) != now) {
			t.Fatalf("%q at %v (%v): no change at %v", text, at, now, next)
		}
		check := func(u time.Time) {
			if (next.IsZero() || u.Before(next)) && s.Contains(u) != now {
				t.Fatalf("%q at %v (%v): changed at %v, before %v", text, at, now, u, next)
			}
		}
		for i := range 300 {
			check(at.Add(time.Duration(i) * time.Second))
		}
		for i := range 2 * 24 * 60 {
			check(at.Add(time.Duration(i) * time.Minute))
		}
		for range 100 {
			check(at.Add(time.Duration(rapid.Int64Range(0, int64(horizon)-2e9).Draw(t, "later"))))
		}
	})
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func BenchmarkContains(b *testing.B) {
	s := mustParse(b, "wd {Mon-Fri} hr {9am-4pm}, wd {Sat}")
	at := time.Date(2026, 1, 5, 17, 0, 0, 0, zone(b, "Europe/Berlin"))
	b.ReportAllocs()
	for b.Loop() {
		s.Contains(at)
	}
}

func BenchmarkNextChange(b *testing.B) {
	at := time.Date(2026, 1, 9, 17, 0, 0, 0, zone(b, "Europe/Berlin"))
	for _, text := range []string{"wd {Mon-Fri} hr {9am-4pm}, wd {Sat}", "mo {Jan} md {1} sec {7}", "sec {0-29}, sec {30-59}", "md {31} mo {Feb}"} {
		s := mustParse(b, text)
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.NextChange(at)
			}
		})
	}
}
