package toml

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/config"
)

// bare resolves as on a machine where every file is.
func bare() config.Options {
	return config.Options{
		Dir: "/", Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Exists: func(string) bool { return true },
		Readers: map[string]config.Reader{".toml": Parse},
	}
}

func printed(d config.Diagnostics) string {
	var b strings.Builder
	d.Sort()
	_ = d.Write(&b)
	return b.String()
}

func errorsOf(d config.Diagnostics) config.Diagnostics {
	return slices.DeleteFunc(slices.Clone(d), func(d config.Diagnostic) bool { return d.Severity != config.Error })
}

// fataler is a test, or a run of rapid.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// mean is what f says; errors end the test.
func mean(t fataler, f *config.File, diag config.Diagnostics) *config.Config {
	t.Helper()
	whole, more := config.Expand(bg, f, bare())
	c, again := config.Resolve(whole, bare())
	if diag = errorsOf(slices.Concat(diag, more, again)); len(diag) > 0 {
		t.Fatalf("%s\n%s", printed(diag), config.Format(f))
	}
	return c
}

// remarks are all comments of f, in no order: a comment stays above its line
// wherever that goes.
func remarks(f *config.File) []string {
	var all []string
	for _, s := range f.Statements {
		all = append(all, s.Inner...)
		if s.Kind == config.KindComment {
			all = append(all, s.Text)
		}
		if s.Comment != "" {
			all = append(all, s.Comment)
		}
	}
	slices.Sort(all)
	return all
}

// roundTrip writes f, which is a mon.cf, in TOML and back: all three mean the
// same and have the same comments.
func roundTrip(t fataler, f *config.File, diag config.Diagnostics, allowed bool) {
	t.Helper()
	was := mean(t, f, diag)
	text, diag := Format(f)
	if diag.HasErrors() {
		t.Fatalf("%s", printed(diag))
	}
	there, diag := Parse("f.toml", text)
	is := mean(t, there, diag)
	if what, reordered := Difference(was, is); what != "" && !(reordered && allowed) {
		t.Fatalf("%s:\n%s\n%s", what, config.Format(f), text)
	}
	if diff := cmp.Diff(remarks(f), remarks(there)); diff != "" {
		t.Fatalf("comments: %s\n%s\n%s", diff, config.Format(f), text)
	}
	back, diag := AsMonCf(there)
	if diag.HasErrors() {
		t.Fatalf("%s\n%s", printed(diag), text)
	}
	again, diag := config.Parse("g.cf", back)
	if what, _ := Difference(is, mean(t, again, diag)); what != "" {
		t.Fatalf("back: %s:\n%s\n%s", what, text, back)
	}
	if diff := cmp.Diff(remarks(there), remarks(again)); diff != "" {
		t.Fatalf("comments: %s\n%s\n%s", diff, text, back)
	}
	twice, diag := Format(there)
	if diag.HasErrors() || string(twice) != string(text) {
		t.Fatalf("written twice it differs: %s\n%s", cmp.Diff(string(text), string(twice)), back)
	}
}

// A mon.cf with every directive comes back from TOML as it was.
func TestEveryDirective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := generate(t)
		f, diag := config.Parse("f.cf", []byte(src))
		roundTrip(t, f, diag, true)
	})
}

// Virtual services come back from TOML as they were.
func TestVirtual(t *testing.T) {
	paths, _ := filepath.Glob("../testdata/virtual/*.cf")
	n := 0
	for _, path := range paths {
		if strings.HasPrefix(filepath.Base(path), "bad") {
			continue
		}
		n++
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, diag := config.Read(t.Context(), path, bare())
			roundTrip(t, f, diag, true)
		})
	}
	if n < 5 {
		t.Errorf("only %d of %d files are good", n, len(paths))
	}
}

// The files that mon's own behaviour was recorded on, those it takes, come back
// from TOML as they were.
func TestRecordedFiles(t *testing.T) {
	paths, _ := filepath.Glob("../testdata/grammar/*.cf")
	more, _ := filepath.Glob("../testdata/*.cf")
	paths = append(paths, more...)
	n := 0
	for _, path := range paths {
		f, diag := config.Read(t.Context(), path, bare())
		whole, more := config.Expand(t.Context(), f, bare())
		_, again := config.Resolve(whole, bare())
		if slices.Concat(diag, more, again).HasErrors() {
			continue
		}
		n++
		t.Run(filepath.Base(path), func(t *testing.T) { roundTrip(t, f, diag, false) })
	}
	if n < 23 {
		t.Errorf("only %d of %d files are good", n, len(paths))
	}
}
