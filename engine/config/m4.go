package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Limits of m4, which a macro that calls itself would otherwise keep busy for
// ever.
const (
	m4Time   = 30 * time.Second
	m4Stderr = 64 << 10
)

// m4 runs m4 on a file. Its -s makes it say which line of which file each
// line of its output came from. What m4 says is in the diagnostics, as errors
// if it failed.
func m4(ctx context.Context, program, path string) (string, Diagnostics) {
	ctx, stop := context.WithTimeoutCause(ctx, m4Time, fmt.Errorf("not done after %s", m4Time))
	defer stop()
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	out := capped{most: maxFile, full: func() { abort(fmt.Errorf("more than %d MB of output", maxFile>>20)) }}
	said := capped{most: m4Stderr, full: func() {}}
	cmd := exec.CommandContext(ctx, program, "-s", "--", path)
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // m4 may start a shell
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return out.kept.String(), m4Said(program, path, said.kept.String(), err)
}

// m4Said makes diagnostics of what m4 wrote on its standard error.
func m4Said(program, path, said string, err error) Diagnostics {
	var all Diagnostics
	sev := Warning
	if err != nil {
		sev = Error
	}
	place := regexp.MustCompile(`^[^:]*:([^:]+):(\d+): (.*)$`)
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\n")
		d := Diagnostic{Pos: Pos{File: path}, Severity: sev, Message: "m4: " + shortenTo(line, 200), Mark: -1}
		if m := place.FindStringSubmatch(line); m != nil {
			n, _ := atoi(m[2])
			d.Pos, d.Message = Pos{File: m[1], Line: n}, "m4: "+shortenTo(m[3], 200)
		}
		all = append(all, d)
	}
	if err == nil {
		return all
	}
	d := Diagnostic{Pos: Pos{File: path}, Severity: Error, Message: fmt.Sprintf("run %s on it: %v", program, err), Mark: -1}
	if errors.Is(err, exec.ErrNotFound) {
		d.Hint = "install m4, or give its path"
	}
	return append(Diagnostics{d}, all...)
}

// capped keeps the first bytes that are written to it, and calls full for
// those that are too many. It has no other method of a buffer, or os/exec
// would copy around the limit.
type capped struct {
	kept bytes.Buffer
	most int
	full func()
}

// Write takes all of p, but keeps only what fits.
func (c *capped) Write(p []byte) (int, error) {
	if room := c.most - c.kept.Len(); len(p) > room {
		c.full()
		c.kept.Write(p[:room])
		return len(p), nil
	}
	return c.kept.Write(p)
}
