package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// call is a run of a client.
type call struct {
	program string
	args    []string
	stdin   string
	env     []string
	// quiet leaves out what is printed: help texts.
	quiet bool
}

// run runs it and is what it printed and its exit status. "HOST" and "PORT" in
// args stand for the daemon's, "DIR" for its folder.
func (c call) run(t *testing.T, d *daemons.Daemon) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	host, port, _ := strings.Cut(d.Address, ":")
	put := strings.NewReplacer("HOST", host, "PORT", port, "DIR", d.Dir)
	var args []string
	for _, a := range c.args {
		args = append(args, put.Replace(a))
	}
	cmd := exec.CommandContext(ctx, c.program, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Dir = strings.NewReader(c.stdin), &out, &errs, d.Dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + d.Dir, "LC_ALL=C", "TZ=UTC"}
	for _, v := range c.env {
		cmd.Env = append(cmd.Env, put.Replace(v))
	}
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Errorf("%s: %v", c.program, err)
	}
	text := fmt.Sprintf("$ %s %s\n", c.program, strings.Join(c.args, " "))
	if !c.quiet {
		text += out.String()
		for line := range strings.Lines(errs.String()) {
			text += "stderr: " + line
		}
	}
	return normal(d, text) + fmt.Sprintf("[exit %d]\n", cmd.ProcessState.ExitCode())
}
