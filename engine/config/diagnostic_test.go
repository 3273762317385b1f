package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what the tests get to testdata")

// Each testdata/diag/NAME.cf is reported as testdata/diag/NAME.txt says.
func TestDiagnostics(t *testing.T) {
	paths, err := filepath.Glob("testdata/diag/*.cf")
	if err != nil || len(paths) < 6 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text := readString(t, path)
			f, diag := Parse(filepath.Base(path), []byte(text))
			_, more := Resolve(f, bare())
			got := printed(append(diag, more...))
			golden := strings.TrimSuffix(path, ".cf") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(readString(t, golden), got); diff != "" {
				t.Error(diff)
			}
			if string(f.Bytes()) != text {
				t.Error("not printed as it was")
			}
		})
	}
}

func TestErr(t *testing.T) {
	at := Pos{File: "f", Line: 3, Col: 4}
	warning, failure := Diagnostic{Pos: at, Message: "w"}, Diagnostic{Pos: at, Severity: Error, Message: "bad", Hint: "mend it"}
	for _, tt := range []struct {
		d    Diagnostics
		want string
		n    int
	}{
		{nil, "<nil>", 0},
		{Diagnostics{warning}, "<nil>", 0},
		{Diagnostics{warning, failure}, "f:3:4: bad", 1},
		{Diagnostics{failure, warning, failure}, "f:3:4: bad (and 1 more error)", 2},
		{Diagnostics{failure, failure, failure}, "f:3:4: bad (and 2 more errors)", 3},
	} {
		if got := fmt.Sprint(tt.d.Err()); got != tt.want || tt.d.Errors() != tt.n || tt.d.HasErrors() != (tt.n > 0) {
			t.Errorf("%v: %s, %d errors", tt.d, got, tt.d.Errors())
		}
	}
	if got := failure.String(); got != "f:3:4: error: bad (mend it)" {
		t.Error(got)
	}
}

// A file that is no mon.cf does not drown the reader; no error is lost behind
// the warnings, and how many there were is said.
func TestManyDiagnostics(t *testing.T) {
	var b strings.Builder
	for i := range 3 * maxDiagnostics {
		fmt.Fprintf(&b, "hostgroup g%d a\n", i)
	}
	b.WriteString("\nmaxprocs = lots\n")
	_, diag := resolve(b.String(), bare())
	if n := len(diag); n != maxDiagnostics+1 || diag.Errors() != 1 {
		t.Errorf("%d diagnostics, %d errors", n, diag.Errors())
	}
	_, diag = Parse("f", []byte(strings.Repeat("junk\n", 3*maxDiagnostics)))
	last := diag[len(diag)-1]
	if want := fmt.Sprintf("and %d more errors, not shown", 2*maxDiagnostics); len(diag) != maxDiagnostics || last.Hint != want {
		t.Errorf("%d diagnostics, the last %v", len(diag), last)
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("ä", 500)
	for mark := -1; mark <= len(long)+3; mark += 7 {
		line, at := excerpt(long+"\r\n", mark)
		if len(line) > maxShown || at > len(line) || mark < 0 && at != mark {
			t.Errorf("mark %d: %d bytes, at %d", mark, len(line), at)
		}
	}
	if line, at := excerpt("short", 99); line != "short" || at != 5 {
		t.Error(line, at)
	}
}
