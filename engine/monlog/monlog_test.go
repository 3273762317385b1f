package monlog

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/alert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorded are the lines that mon 1.3.6 wrote in a recorded session.
func recorded(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "mon-1.3.6."+name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// Lines of the downtime log are mon's to the byte.
func TestDowntimeIsMons(t *testing.T) {
	at := func(sec int64) time.Time { return time.Unix(sec, 999_999_999) }
	var got []string
	for _, d := range []Downtime{
		{at(1795445221), "web", "http", at(1795445211), time.Hour, "w1.example w2.example"},
		{at(1795445247), "db", "disk", at(1795445244), 30 * time.Minute, ""},
		{at(1795445256), "db", "trap", at(1795445253), 0, "disk full"},
	} {
		got = append(got, d.Line())
	}
	if d := cmp.Diff(recorded(t, "dtlog"), got); d != "" {
		t.Error(d)
	}
	for want, d := range map[string]Downtime{
		"20 g s 10 10 0.5 (NO SUMMARY)": {Back: time.Unix(20, 0), Group: "g", Service: "s", FirstFail: time.Unix(10, 0), Interval: 500 * time.Millisecond, Summary: " \nx"},
		"20 g s 30 0 1 one":             {Back: time.Unix(20, 0), Group: "g", Service: "s", FirstFail: time.Unix(30, 0), Interval: time.Second, Summary: "one\r\ntwo"},
	} {
		if got := d.Line(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Lines of the history file are mon's to the byte, and are read back.
func TestCallsAreMons(t *testing.T) {
	lines := recorded(t, "historicfile")
	for _, line := range lines {
		c, ok := ParseCall(line)
		if !ok || CallLine(c) != line {
			t.Errorf("%q was read as %+v, which is %q", line, c, CallLine(c))
		}
	}
	want := view.Call{
		Type: "alert", Group: "web", Service: "http", At: time.Unix(1795445211, 0), Path: "BASE/alert.d/rec.alert",
		Args: ArgsOf([]string{"ops@example.com", "two words"}), Summary: "w1.example",
	}
	if got, _ := ParseCall(lines[1]); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for line, want := range map[string]view.Call{
		"alert g s 5 p (-s (a b) root) x (y)": {Type: "alert", Group: "g", Service: "s", At: time.Unix(5, 0), Path: "p", Args: "-s (a b) root", Summary: "x (y)"},
		"alert g s 5 p (-s :( root) x":        {Type: "alert", Group: "g", Service: "s", At: time.Unix(5, 0), Path: "p", Args: "-s :( root", Summary: "x"},
		"alert g s 5 p () ":                   {Type: "alert", Group: "g", Service: "s", At: time.Unix(5, 0), Path: "p"},
	} {
		if got, ok := ParseCall(line); !ok || got != want {
			t.Errorf("%q: %+v %v", line, got, ok)
		}
	}
	for _, line := range []string{"", "alert", "alert g s x p () y", "alert g s 5 p y", "alrt g s 5 p () y", "alert g s -5 p () y", "# alert g s 5 p () y"} {
		if c, ok := ParseCall(line); ok {
			t.Errorf("%q was read as %+v", line, c)
		}
	}
}

func TestTypes(t *testing.T) {
	want := map[alert.Kind]string{
		alert.Failure: "alert", alert.Up: "upalert", alert.Startup: "startupalert", alert.Ack: "ackalert", alert.Disable: "disablealert",
		alert.Trap: "trapalert", alert.TrapTimeout: "traptimeoutalert", alert.Test: "alert",
	}
	for k := alert.Failure; k.Valid(); k++ {
		if got := TypeOf(k); got != want[k] {
			t.Errorf("%v: %s", k, got)
		}
	}
	if got := ArgsOf([]string{"a", "", `b "c"`, "d'e", "f\ng"}); got != `a "" "b \"c\"" "d'e" "f g"` {
		t.Error(got)
	}
}

func FuzzParseCall(f *testing.F) {
	f.Add("alert web http 1795445211 BASE/alert.d/rec.alert (mild) w1.example")
	f.Add("alert g s 5 p (-s (a b) root) x (y)")
	f.Add("alert g s 5 p (()")
	f.Fuzz(func(t *testing.T, line string) {
		c, ok := ParseCall(line)
		if !ok {
			return
		}
		again, ok := ParseCall(CallLine(c))
		if c.Summary = oneLine(c.Summary); !ok || strings.Contains(CallLine(c), "\n") || CallLine(again) != CallLine(c) {
			t.Fatalf("%q: %+v, then %+v", line, c, again)
		}
	})
}

// Reading back takes the last lines, whatever lies before and between them.
func TestReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hist.log")
	if calls, err := ReadBack(path, 5, time.Time{}); err != nil || calls != nil {
		t.Errorf("without a file: %v %v", calls, err)
	}
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "alert g s %d p (a) number %d\n", i, i)
		if i%7 == 0 {
			fmt.Fprintf(&b, "junk %s\n", strings.Repeat("x", i))
		}
	}
	b.WriteString("alert g s 5000 p (a) cut o")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name        string
		most        int
		oldest      time.Time
		n           int
		first, last string
	}{
		{"the last", 3, time.Time{}, 3, "number 4998", "cut o"},
		{"all", 10_000, time.Time{}, 5001, "number 0", "cut o"},
		{"the young", 10_000, time.Unix(4000, 0), 1001, "number 4000", "cut o"},
		{"none", 0, time.Time{}, 0, "", ""},
	} {
		calls, err := ReadBack(path, tt.most, tt.oldest)
		if err != nil || len(calls) != tt.n {
			t.Errorf("%s: %d calls, want %d: %v", tt.name, len(calls), tt.n, err)
		} else if tt.n > 0 && (calls[0].Summary != tt.first || calls[tt.n-1].Summary != tt.last) {
			t.Errorf("%s: from %+v to %+v", tt.name, calls[0], calls[tt.n-1])
		}
		if !slices.IsSortedFunc(calls, func(a, b view.Call) int { return a.At.Compare(b.At) }) {
			t.Errorf("%s: not in order", tt.name)
		}
	}
	if _, err := ReadBack(t.TempDir(), 3, time.Time{}); err == nil {
		t.Error("a folder was read")
	}
}
