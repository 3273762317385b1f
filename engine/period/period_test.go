package period

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests need Europe/Berlin wherever they run

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestGolden compares with what Time::Period answered. None of its rows is
// accepted only because that stops early; TestAgainstPerl meets such.
func TestGolden(t *testing.T) {
	text, err := os.ReadFile("testdata/timeperiod.tsv")
	if err != nil {
		t.Fatal(err)
	}
	unescape := strings.NewReplacer(`\n`, "\n", `\t`, "\t")
	rows := 0
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		expr := unescape.Replace(f[2])
		rows++
		at, err := strconv.ParseInt(f[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := result(time.Unix(at, 0).UTC(), expr); got != f[1] {
			t.Errorf("%q at %s: got %s, want %s", expr, f[0], got, f[1])
		}
	}
	if rows < 800 {
		t.Errorf("only %d rows compared", rows)
	}
}

// result is what Time::Period would answer: 1, 0 or -1.
func result(at time.Time, expr string) string {
	spec, err := Parse(expr)
	switch {
	case err != nil:
		return "-1"
	case spec.Contains(at):
		return "1"
	}
	return "0"
}

func TestSyntaxErrors(t *testing.T) {
	tests := []struct {
		text string
		col  int
		msg  string
	}{
		{"hrs {9}", 1, `unknown scale "hrs"; did you mean "hr"?`},
		{"wd {Mon} minutes {9}", 10, `unknown scale "minutes"; did you mean "min"?`},
		{"weekday {mon}", 1, `unknown scale "weekday"; did you mean "wd"?`},
		{"foo {1}", 1, `unknown scale "foo"; the scales are yr mo wk yd md wd hr min sec`},
		{"hr {9}, none", 9, `"none" must stand alone`},
		{"hr", 3, `ends early: want "{" after "hr"`},
		{"hr {9", 6, `ends early: want a value or "}" (hr {...})`},
		{"hr 9", 4, `unexpected "9": want "{" after "hr"`},
		{"{9}", 1, `unexpected "{": want a scale such as "hr"`},
		{"hr {9}}", 7, `unexpected "}": want a scale such as "hr"`},
		{"hr {24}", 5, `bad hour "24": want 0-23, 9am, 5pm or 12noon`},
		{"hr {13pm}", 5, `bad hour "13pm": want 0-23, 9am, 5pm or 12noon`},
		{"hr {9 am}", 7, `"am" without an hour: write 9am, without a blank`},
		{"hr {9-}", 7, `unexpected "}": want a value or "}" (hr {...})`},
		{"hr {9-10-11}", 9, `unexpected "-": want a value or "}" (hr {...})`},
		{"wd {mon,tue}", 8, `unexpected ",": want a value or "}" (wd {...}); values are separated by blanks, sub-periods by commas`},
		{"wd {su noday}", 8, `bad weekday "noday": want 1-7 (1 is Sunday) or a name such as Mon`},
		{"mo {ja}", 5, `bad month "ja": want 1-12 or a name such as Jan`},
		{"yr {1969}", 5, `bad year "1969": want 0-99, or 1970 or later`},
		{" , hr {9}", 2, `nothing before ","`},
		{"hr {9}, , hr {10}", 9, `nothing before ","`},
	}
	for _, tt := range tests {
		_, err := Parse(tt.text)
		var got *SyntaxError
		if !errors.As(err, &got) {
			t.Errorf("%q: got %v", tt.text, err)
			continue
		}
		if diff := cmp.Diff(&SyntaxError{tt.text, tt.col, tt.msg}, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSyntaxErrorText(t *testing.T) {
	_, err := Parse("hrs {9}")
	want := `period "hrs {9}": column 1: unknown scale "hrs"; did you mean "hr"?`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSpec(t *testing.T) {
	var zero Spec
	blank := mustParse(t, "")
	if !zero.Contains(time.Now()) || !zero.Equal(blank) || zero.String() != "" {
		t.Error("the zero Spec is not always")
	}
	a, b := mustParse(t, "wd {Mon}"), mustParse(t, "wd {Mon}")
	if !a.Equal(b) || a.Equal(zero) || a.String() != "wd {Mon}" {
		t.Error("Equal or String is wrong")
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
}

func TestCenturyIsThatOfTheTime(t *testing.T) {
	s := mustParse(t, "yr {5}")
	for y, want := range map[int]bool{2005: true, 1905: true, 2105: true, 2015: false} {
		if got := s.Contains(newYear(y)); got != want {
			t.Errorf("%d: got %v", y, got)
		}
	}
}

func TestNeverAndAlways(t *testing.T) {
	tests := []struct {
		text          string
		never, always bool
	}{
		{"", false, true},
		{"none", true, false},
		{",", true, false},
		{"hr {}", true, false},
		{"yr {}", true, false},
		{"hr {} , sec {}", true, false},
		{"md {31} mo {Feb}", true, false},
		{"md {30} mo {Feb}, md {31} mo {Apr Jun}", true, false},
		{"md {29} mo {Feb} yr {2100}", true, false},
		{"md {29} mo {Feb} yr {2000}", false, false},
		{"md {29} mo {Feb} wd {Mon}", false, false},
		{"md {29} mo {Feb} wd {Mon} yr {2024}", true, false},
		{"md {29} mo {Feb} wd {Thu} yr {24}", false, false},
		{"wk {6} mo {Feb}", true, false},
		{"wk {6} md {1-20}", true, false},
		{"yd {366} yr {2023}", true, false},
		{"yd {1} mo {2}", true, false},
		{"yr {99999}", false, false},
		{"hr {9}", false, false},
		{"wd {Sun-Sat}", false, true},
		{"wd {Mon-Fri}, wd {Sat Sun}", false, true},
		{"hr {9pm-6am}, hr {7-20}", false, true},
		{"hr {9pm-6am}, hr {8-20}", false, false},
		{"min {0-29}, min {30-59}", false, true},
		{"sec {0-29}, sec {30-58}", false, false},
		{"sec {0-29}, sec {30-58}, sec {59}", false, true},
		{"wd {Mon}, wd {Tue-Sun} hr {0-11}, wd {Tue-Sun} hr {12-23}", false, true},
		{"yd {1-365}", false, false},
		{"yd {1-366}", false, true},
		{"wk {1-5}", false, false},
		{"mo {1-6}, mo {7-12}", false, true},
		{"yr {0-99}", false, true},
		{"yr {1970-2400}", false, false},
		{"hr {5}, wd {1-7} yr {99-0}", false, true},
	}
	for _, tt := range tests {
		s := mustParse(t, tt.text)
		if never, always := s.Never(), s.Always(); never != tt.never || always != tt.always {
			t.Errorf("%q: never %v, always %v", tt.text, never, always)
		}
	}
}

func TestKindsOfYear(t *testing.T) {
	seen := map[[2]int]bool{}
	for _, y := range kinds {
		seen[calendar(y)] = true
	}
	if len(seen) != 14 {
		t.Errorf("%d kinds of year, want 14", len(seen))
	}
}

func TestRandomNeverAndAlways(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := expressions.Draw(t, "text")
		s, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		at := moments.Draw(t, "at")
		if in := s.Contains(at); in && s.Never() || !in && s.Always() {
			t.Errorf("%q at %v: %v, never %v, always %v", text, at, in, s.Never(), s.Always())
		}
	})
}

func mustParse(t testing.TB, text string) Spec {
	t.Helper()
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "none", "wd {Mon-Fri} hr {9am-4pm}, wd {Sat}", "yr {24-26} mo{jan} wk{1} yd{60} md {1 -2}", "hr{9", "hr {9 am}", ",,", "é {3}", "sec{}min {59-0}\n,"} {
		f.Add(seed, int64(1709209845))
	}
	f.Fuzz(func(t *testing.T, text string, at int64) {
		s, err := Parse(text)
		if err != nil {
			var e *SyntaxError
			if !errors.As(err, &e) || e.Col < 1 || e.Col > len(text)+1 || e.Msg == "" {
				t.Fatalf("bad error %#v", err)
			}
			return
		}
		when := time.Unix(at%(1<<33), 0).UTC()
		in := s.Contains(when)
		if in && s.Never() || !in && s.Always() {
			t.Errorf("%q: %v at %v, never %v, always %v", text, in, when, s.Never(), s.Always())
		}
		if next := s.NextChange(when); !next.IsZero() && s.Contains(next) == in {
			t.Errorf("%q: nothing changes at %v", text, next)
		}
	})
}
