package engine_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// At debug every check is a line in the log, above it none is.
func TestChecksAreLoggedAtDebug(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			r := newRig(t, guide)
			r.options.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))
			r.start()
			r.pass(31 * time.Second)
			r.must(r.end())
			want := 0
			if level == slog.LevelDebug {
				want = len(r.runner.Ran())
			}
			if got := strings.Count(log.String(), "msg=check "); got != want {
				t.Errorf("at %v: %d lines for checks, want %d", level, got, want)
			}
		})
	}
}
