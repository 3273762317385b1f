// Package configtest makes configurations for the tests of other packages.
package configtest

import (
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/config"
)

// now is the time that [Parse] resolves at.
var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Parse resolves text as a mon.cf on a machine where no file exists, and fails
// the test with the diagnostics if there are errors in it.
func Parse(t testing.TB, text string) *config.Config {
	t.Helper()
	return Resolve(t, text, config.Options{Now: now, Dir: "/", Exists: func(string) bool { return false }})
}

// Resolve is [Parse] with options.
func Resolve(t testing.TB, text string, o config.Options) *config.Config {
	t.Helper()
	f, diag := config.Parse("mon.cf", []byte(text))
	f, more := config.Expand(t.Context(), f, o)
	c, most := config.Resolve(f, o)
	diag = append(append(diag, more...), most...)
	if diag.HasErrors() {
		var b strings.Builder
		diag.Sort()
		_ = diag.Write(&b)
		t.Fatalf("configuration of the test:\n%s", &b)
	}
	return c
}

// Replace is text with the first old replaced by new. It panics if text has no
// old, so that a test does not go on with a configuration it did not mean.
func Replace(text, old, new string) string {
	if !strings.Contains(text, old) {
		panic("configtest: there is no " + old + " in the configuration")
	}
	return strings.Replace(text, old, new, 1)
}
