package config

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// differences are the recorded cases in which mond judges a file otherwise
// than mon does, and why.
var differences = map[string]string{
	"05-hostgroup-without-blank-swallows-watch": "mon takes the watch for hosts and watches nothing",
	"08-blank-line-ends-watch":                  "mon drops the second service",
	"20-unknown-toplevel-line-ignored":          "mon skips what it does not know, also a misspelt directive",
	"30-alertafter-garbage-prefix":              "mon skips a word",
	"38-unack_summary-bare":                     "mon refuses the form that its manual documents",
	"56-bad-hostgroup-name":                     "mon takes the rest of the name for a host",
	"64-maxprocs-nonnumeric":                    "mon reads a word as 0, which is no limit at all",
	"66-unbalanced-quote-in-monitor":            "mon runs the first host as a program",
	"70-eof-in-continuation":                    "mon drops the line",
	"73-service-before-watch":                   "mon skips the service",
	"74-exit-with-spaces":                       "mon looks for an alert called exit",
}

// recorded is what the real mon said of a case.
type recorded struct {
	rejected bool
	line     int // of its error; 0 if it named none
	groups   []string
	watches  []string
}

func readRecorded(t *testing.T, path string) recorded {
	t.Helper()
	text := readString(t, path)
	head, rest, _ := strings.Cut(text, "\n")
	r := recorded{rejected: strings.Contains(head, "REJECTED")}
	if m := regexp.MustCompile(`cf error: .*, line (\d+)`).FindStringSubmatch(rest); m != nil {
		r.line, _ = strconv.Atoi(m[1])
	}
	command := ""
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		reply, ok := strings.CutPrefix(line, "S: ")
		switch {
		case strings.HasPrefix(line, "C: "):
			command = line
		case !ok || strings.HasPrefix(reply, "220 "):
		case strings.HasPrefix(reply, "hostgroup "):
			r.groups = append(r.groups, strings.TrimPrefix(reply, "hostgroup "))
		case command == "C: list watch" && !slices.Contains(r.watches, reply):
			r.watches = append(r.watches, reply)
		}
	}
	return r
}

func readString(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// nowhere resolves as on a machine where all files exist that the recorded
// cases do not say are missing.
func nowhere() Options {
	return Options{Dir: "/", Exists: func(p string) bool { return !strings.HasPrefix(p, "/nonexistent") }}
}

func TestGrammar(t *testing.T) {
	paths, err := filepath.Glob("testdata/grammar/*.result")
	if err != nil || len(paths) < 59 {
		t.Fatalf("%d recorded cases: %v", len(paths), err)
	}
	seen := 0
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".result")
		if _, ok := differences[name]; ok {
			seen++
		}
		t.Run(name, func(t *testing.T) { checkRecorded(t, name, readRecorded(t, path)) })
	}
	if seen != len(differences) {
		t.Errorf("%d of %d differences belong to a case", seen, len(differences))
	}
}

func checkRecorded(t *testing.T, name string, mon recorded) {
	path := filepath.Join("testdata/grammar", name+".cf")
	if _, err := os.Stat(path); err != nil {
		path = strings.TrimSuffix(path, ".cf") + ".m4"
	}
	o := nowhere()
	f, diag := Read(t.Context(), path, o)
	c, more := Resolve(f, o)
	diag = append(diag, more...)
	_, differs := differences[name]
	if rejected := diag.HasErrors(); rejected != (mon.rejected != differs) {
		t.Fatalf("rejected %v; mon rejects %v, wanted otherwise: %v\n%s", rejected, mon.rejected, differs, printed(diag))
	}
	if mon.rejected && mon.line > 0 && !differs && firstError(diag).Pos.Line != mon.line {
		t.Errorf("error in line %d, by mon in line %d", firstError(diag).Pos.Line, mon.line)
	}
	if differs || mon.rejected {
		return
	}
	for _, want := range mon.groups {
		group, _, _ := strings.Cut(want, " ")
		if got := listGroup(c.Group(group)); got != want {
			t.Errorf("hosts of group %q, by mon %q", got, want)
		}
	}
	var got []string
	for _, s := range c.Services {
		got = append(got, s.Key.Group+" "+s.Key.Service)
	}
	slices.Sort(got)
	slices.Sort(mon.watches)
	if mon.watches != nil && !cmp.Equal(got, mon.watches) {
		t.Error(cmp.Diff(mon.watches, got))
	}
}

// listGroup is g as mon lists it.
func listGroup(g *Hostgroup) string {
	if g == nil {
		return ""
	}
	words := []string{g.Name}
	for _, h := range g.Hosts {
		if g.Disabled[h] {
			h = "*" + h
		}
		words = append(words, h)
	}
	return strings.Join(words, " ")
}

func firstError(d Diagnostics) Diagnostic {
	d.Sort()
	for _, x := range d {
		if x.Severity == Error {
			return x
		}
	}
	return Diagnostic{}
}

func printed(d Diagnostics) string {
	var b strings.Builder
	d.Sort()
	_ = d.Write(&b)
	return b.String()
}
