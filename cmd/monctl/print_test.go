package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/control"
)

// printed is what status prints of the fake daemon's rows.
func printed(t *testing.T, names []string, all, failing bool) string {
	t.Helper()
	d := newDaemon(t)
	daemon, err := d.client.Daemon(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := d.client.Services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shown, err := pick(rows, names, all, failing)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := printStatus(&b, daemon, rows, shown, noon); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPrintStatus(t *testing.T) {
	for _, tt := range []struct {
		name         string
		names        []string
		all, failing bool
	}{
		{"status.txt", nil, false, false},
		{"status-all.txt", nil, true, false},
		{"status-failing.txt", nil, false, true},
		{"status-named.txt", []string{"www1", "mond:store"}, false, false},
		{"status-none.txt", []string{"www1"}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) { golden(t, tt.name, printed(t, tt.names, tt.all, tt.failing)) })
	}
}

// With normal names and no long summary, everything fits 80 columns.
func TestStatusFitsATerminal(t *testing.T) {
	text := printed(t, []string{"www1", "www2", "backup", "mond"}, false, false)
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestPrintWhy(t *testing.T) {
	d := newDaemon(t)
	for file, key := range map[string][2]string{
		"why-good.txt":   {"www1", "http"},
		"why-fail.txt":   {"www2", "http"},
		"why-blind.txt":  {"database", "tcp"},
		"why-trap.txt":   {"backup", "trap"},
		"why-depend.txt": {"mail", "smtp"},
	} {
		t.Run(file, func(t *testing.T) {
			s, err := d.client.Service(t.Context(), key[0], key[1])
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			printWhy(&b, s, noon)
			golden(t, file, plain(b.String()))
		})
	}
}

func TestTally(t *testing.T) {
	for _, tt := range []struct {
		name     string
		statuses map[string]int
		rows     []control.Service
		want     string
	}{
		{"none", nil, nil, ""},
		{"usual ones first", map[string]int{"linkdown": 1, "untested": 2, "ok": 3, "dependency": 4, "fail": 5}, nil, "3 ok, 5 fail, 2 untested, 4 dependency, 1 linkdown"},
		{"beside them", map[string]int{"ok": 2}, []control.Service{
			{Blind: &control.Blind{}, Ack: &control.Note{}}, {Disabled: &control.Note{}, Blind: &control.Blind{}}, {Own: true, Blind: &control.Blind{}},
		}, "2 ok; 2 blind; 1 disabled; 1 acked"},
	} {
		if diff := cmp.Diff(tt.want, tally(tt.statuses, tt.rows)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour:                     "0s",
		999 * time.Millisecond:         "0s",
		59*time.Second + 999999999:     "59s",
		time.Minute:                    "1m00s",
		61 * time.Second:               "1m01s",
		time.Hour - 1:                  "59m",
		10*time.Minute - 1:             "9m59s",
		time.Hour:                      "1h00m",
		48*time.Hour - 1:               "47h59m",
		48 * time.Hour:                 "2d00h",
		400*24*time.Hour + 5*time.Hour: "400d05h",
	} {
		if got := age(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	if got := since(nil, noon); got != "-" {
		t.Errorf("never: %s", got)
	}
}

func TestSpan(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "0ms", 0.0004: "0ms", 0.2: "200ms", 1: "1s", 1.523: "1.5s", 10: "10s", 59.96: "60s", 60: "1m", 90: "1m30s",
		600: "10m", 3600: "1h", 3660: "1h1m", 3601: "1h0m1s", 86400: "24h", 36000: "10h",
	} {
		if got := span(seconds); got != want {
			t.Errorf("%v: %s, want %s", seconds, got, want)
		}
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"a\tb\nc":            "a\tb\nc",
		"grün €":             "grün €",
		"\x1b[31mred\x1b[0m": `\x1b[31mred\x1b[0m`,
		"bell\a\r\n":         "bell\\a\\r\n",
		"\xff\xc3":           `\xff\xc3`,
		"\u202eevil":         `\u202eevil`,
		"\u009b31m":          `\u009b31m`,
	} {
		if got := plain(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestClip(t *testing.T) {
	const text = "short\nüüüüüüüüüü\nexactly8\n"
	if got := clip(text, 0); got != text {
		t.Errorf("without a limit: %q", got)
	}
	if got, want := clip(text, 8), "short\nüüüüüüü…\nexactly8\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestOneLine(t *testing.T) {
	if got := oneLine(" a\n\tb  c\r\n"); got != "a b c" {
		t.Errorf("%q", got)
	}
}
