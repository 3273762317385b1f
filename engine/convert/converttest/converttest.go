// Package converttest is what the tests of converters share: golden files, and
// traps told by what a result must say and must not.
package converttest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

// Report is a result as people see it.
func Report(t *testing.T, r convert.Result) string {
	t.Helper()
	var b strings.Builder
	b.Write(config.Format(r.WithReport().Standalone()))
	if len(r.Diagnostics) > 0 {
		b.WriteString("\n---\n")
		if err := r.Diagnostics.Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// Means wants mond to understand a file.
func Means(t *testing.T, f *config.File) *config.Config {
	t.Helper()
	whole, diags := config.Expand(t.Context(), f, config.Options{})
	c, more := config.Resolve(whole, config.Options{})
	if err := append(diags, more...).Err(); err != nil {
		t.Errorf("mond refuses it: %v", err)
	}
	return c
}

// Golden reads each testdata/*.cf and wants the Report that the file .golden
// beside it holds; update writes those instead.
func Golden(t *testing.T, f convert.Format, update bool) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.cf")
	if err != nil || len(files) == 0 {
		t.Fatal("no samples", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !f.Is(src) {
				t.Error("not told by its content")
			}
			Same(t, strings.TrimSuffix(path, ".cf")+".golden", Report(t, f.Read(filepath.Base(path), src)), update)
		})
	}
}

// Same wants a file to hold got; update writes it instead.
func Same(t *testing.T, path, got string, update bool) {
	t.Helper()
	if update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Trap wants a result to say all of want and of errors, and nothing of not.
// Without errors it must have none, and mond must understand what it became.
func Trap(t *testing.T, r convert.Result, want, not, errors []string) {
	t.Helper()
	got := Report(t, r)
	for _, text := range append(want, errors...) {
		if !strings.Contains(got, text) {
			t.Errorf("%q is not in\n%s", text, got)
		}
	}
	for _, text := range not {
		if strings.Contains(got, text) {
			t.Errorf("%q is in\n%s", text, got)
		}
	}
	if r.Diagnostics.HasErrors() != (errors != nil) {
		t.Errorf("errors: %v", r.Diagnostics.Err())
	}
	if errors == nil {
		Means(t, r.File)
	}
}
