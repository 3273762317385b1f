package period

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// expressions are well-formed; shapes adds malformed ones. There are no
// newlines in them, since the module reads no values past one and a line of
// mon.cf has none.
var (
	expressions = rapid.Custom(func(t *rapid.T) string {
		subs := rapid.SliceOfN(rapid.Custom(drawSub), 1, 4).Draw(t, "subs")
		return strings.Join(subs, rapid.SampledFrom([]string{",", ", ", " ,\t"}).Draw(t, "comma"))
	})
	shapes = rapid.Custom(func(t *rapid.T) string {
		text := expressions.Draw(t, "expression")
		if rapid.IntRange(0, 2).Draw(t, "well-formed") > 0 {
			return text
		}
		junk := rapid.SampledFrom([]string{",", "}", "{", "-", " ", "none", "9", "hr", "am", "x", "hr {9}", "wd {", "99", ", ,"}).Draw(t, "junk")
		at := rapid.IntRange(0, len(text)).Draw(t, "where")
		return text[:at] + junk + text[at+rapid.IntRange(0, min(1, len(text)-at)).Draw(t, "cut"):]
	})
	// moments are in Berlin, often near a change of its clocks.
	moments = rapid.Custom(func(t *rapid.T) time.Time {
		base := rapid.SampledFrom([]int64{1711846800, 1729990800, 1743296400, 1761440400, 1709164800, 1735689600, 1767222000, 2366838000}).Draw(t, "base")
		off := rapid.OneOf(rapid.Int64Range(-7200, 7200), rapid.Int64Range(-400*86400, 400*86400)).Draw(t, "offset")
		loc, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		return time.Unix(base+off, 0).In(loc)
	})
)

// samples are values of each scale as people write them.
var samples = [scales][]string{
	year:   {"24", "2024", "2025", "26", "99", "0", "1970", "2100", "025"},
	month:  {"1", "2", "12", "Jan", "february", "Mar", "oct", "DEC", "september", "007"},
	week:   {"1", "2", "3", "4", "5", "6"},
	yday:   {"1", "59", "60", "61", "300", "365", "366"},
	mday:   {"1", "2", "15", "28", "29", "30", "31", "05"},
	wday:   {"1", "2", "7", "Sun", "mo", "tuesday", "We", "thurs", "fri", "SAT"},
	hour:   {"0", "1", "2", "3", "9", "12", "23", "12am", "1am", "9AM", "12pm", "5pm", "11pm", "12noon", "17", "23am"},
	minute: {"0", "5", "29", "30", "45", "59"},
	second: {"0", "5", "29", "30", "45", "59"},
}

func drawSub(t *rapid.T) string {
	var b strings.Builder
	for range rapid.IntRange(1, 3).Draw(t, "clauses") {
		sc := scale(rapid.IntRange(0, int(scales)-1).Draw(t, "scale"))
		name := rapid.SampledFrom([]string{units[sc].code, units[sc].long, strings.ToUpper(units[sc].code)}).Draw(t, "name")
		values := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return drawRange(t, sc) }), 0, 3).Draw(t, "values")
		blank := rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "blank")
		b.WriteString(name + blank + "{" + blank + strings.Join(values, " ") + "}" + blank)
	}
	return b.String()
}

func drawRange(t *rapid.T, sc scale) string {
	v := rapid.SampledFrom(samples[sc])
	if rapid.Bool().Draw(t, "single") {
		return v.Draw(t, "value")
	}
	return v.Draw(t, "from") + rapid.SampledFrom([]string{"-", " - ", "- "}).Draw(t, "dash") + v.Draw(t, "to")
}

// oracle is Perl's module, in one process, one question at a time.
type oracle struct {
	in  io.Writer
	out *bufio.Reader
}

const script = `
use strict; use Time::Period; $| = 1;
while (<STDIN>) {
	my ($at, $hex) = split;
	print inPeriod($at, pack('H*', defined $hex ? $hex : '')), "\n";
}`

// newOracle starts Perl in Berlin's time, written so that no zone files are
// needed.
func newOracle(t *testing.T) *oracle {
	t.Helper()
	if out, err := exec.Command("perl", "-MTime::Period", "-e", "1").CombinedOutput(); err != nil {
		missing(t, fmt.Sprintf("perl -MTime::Period: %v; install libtime-period-perl\n%s", err, out))
	}
	cmd := exec.Command("perl", "-e", script)
	cmd.Env = append(os.Environ(), "TZ=CET-1CEST,M3.5.0,M10.5.0/3")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &oracle{in, bufio.NewReader(out)}
}

// missing skips, or fails where skipping is not allowed.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("MOND_NOSKIP") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// ask is the module's answer: 1, 0 or -1.
func (o *oracle) ask(t *rapid.T, at time.Time, expr string) string {
	if _, err := fmt.Fprintf(o.in, "%d %s\n", at.Unix(), hex.EncodeToString([]byte(expr))); err != nil {
		t.Fatal(err)
	}
	answer, err := o.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(answer)
}

// malformed reports whether the module refuses expr when it has to read all
// of it: at the time of none of the sub-periods.
func (o *oracle) malformed(t *rapid.T, at time.Time, expr string) bool {
	// A sub-period that never holds in front keeps the module reading, so
	// each of the others is tried alone, after it.
	for part := range strings.SplitSeq(strings.TrimRight(expr, ", \t\n"), ",") {
		if o.ask(t, at, "hr {},"+part+", hr {}") == "-1" {
			return true
		}
	}
	return strings.TrimSpace(expr[:strings.IndexByte(expr+",", ',')]) == ""
}

// sloppy finds the other differences: junk after a day of the year, and a
// range with more than one dash that begins with a name.
var sloppy = regexp.MustCompile(`(?i)\byd(ay)?\s*\{[^}]*\d[^\s\d}-]|[a-z][^\s{}]*\s*-\s*[^\s{}]*\s*-`)

func TestAgainstPerl(t *testing.T) {
	o := newOracle(t)
	asked, refused, lazily, loosely := 0, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for range 8 {
			at, expr := moments.Draw(t, "at"), shapes.Draw(t, "expr")
			want := o.ask(t, at, expr)
			got := result(at, expr)
			asked++
			switch {
			case got == want:
				if got == "-1" {
					refused++
				}
			case got == "-1" && sloppy.MatchString(expr):
				loosely++
			case want == "1" && got == "-1" && o.malformed(t, at, expr):
				lazily++
			default:
				t.Fatalf("%q at %v: got %s, Perl says %s", expr, at, got, want)
			}
		}
	})
	t.Logf("%d expressions, %d malformed, %d more that Perl accepts by stopping early, %d by loose matching", asked, refused, lazily, loosely)
}
