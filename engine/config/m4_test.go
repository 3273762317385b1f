package config

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

// write makes the files of a test and returns their directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Errors are reported at the lines of the sources, not of what m4 made.
func TestM4Places(t *testing.T) {
	dir := write(t, map[string]string{"inc.m4": `dnl
define(WEB, ` + "`" + `
    service $1
        interval 10s
        monitor x.monitor
        period wd {Sun-Sat}
            alert mail.alert root')dnl
`})
	main := filepath.Join(dir, "main.cf.m4")
	text := "include(" + dir + "/inc.m4)dnl\nhostgroup g a\n\nwatch g`'WEB(one)`'WEB(two)\n    service three\n        intervall 3s\n" +
		"        monitor x \\\n# comment\n  'open\n"
	if err := os.WriteFile(main, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	f, diag := Read(t.Context(), main, bare())
	c, more := Resolve(f, bare())
	var got []string
	for _, d := range append(diag, more...) {
		got = append(got, strings.TrimPrefix(d.String(), dir+"/"))
	}
	want := []string{
		`main.cf.m4:6:9: error: unknown directive "intervall" (did you mean interval?)`,
		`main.cf.m4:9:3: error: monitor: a ' that is never closed (write \' or \" for a quote, \\ for a backslash)`,
	}
	if diff := cmp.Diff(want, got); diff != "" || !f.Expanded {
		t.Error(diff)
	}
	if len(c.Services) != 3 || len(c.Services[1].Periods) != 1 {
		t.Errorf("services %v", c.Services)
	}
}

// A program given by option is used whatever the name of the file.
func TestM4Option(t *testing.T) {
	dir := write(t, map[string]string{"mon.cf": "define(`N', 7)dnl\nmaxprocs = N\n"})
	o := bare()
	o.M4 = "m4"
	c, diag := Load(t.Context(), dir+"/mon.cf", o)
	if diag.HasErrors() || c.Globals.MaxProcs != 7 {
		t.Fatal(printed(diag))
	}
}

func TestM4Failures(t *testing.T) {
	dir := write(t, map[string]string{
		"fails.m4": "maxprocs = 1\ninclude(none)\n",
		"warns.m4": "maxprocs = len(`a', `b')\n",
		"loops.m4": "define(`x', `x')x",
		"grows.m4": "define(`x', `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nx')x",
		"slow":     "#!/bin/sh\nsleep 60 & sleep 60\n",
	})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, tt := range []struct {
		name, file, program string
		ctx                 context.Context
		want                []string
	}{
		{"error", "fails.m4", "", t.Context(), []string{"fails.m4: error: run m4 on it: exit status 1", "fails.m4:2: error: m4: cannot open"}},
		{"warning", "warns.m4", "", t.Context(), []string{"warns.m4:1: warning: m4: "}},
		{"no such program", "fails.m4", "/none/m4", t.Context(), []string{"fails.m4: error: run /none/m4 on it: "}},
		{"cancelled", "loops.m4", "", ctx, []string{"loops.m4: error: run m4 on it: context canceled"}},
		{"too much", "grows.m4", "", t.Context(), []string{"grows.m4: error: run m4 on it: more than 64 MB of output"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := bare()
			o.M4 = tt.program
			c, diag := Load(tt.ctx, filepath.Join(dir, tt.file), o)
			if failed := tt.name != "warning"; (c == nil) != failed || diag.HasErrors() != failed {
				t.Fatal(printed(diag))
			}
			if len(diag) < len(tt.want) {
				t.Fatal(printed(diag))
			}
			for i, want := range tt.want {
				if got := strings.ReplaceAll(diag[i].String(), dir+"/", ""); !strings.HasPrefix(got, want) {
					t.Errorf("%q, want %q", got, want)
				}
			}
		})
	}
}

// What m4 started ends with it.
func TestM4Cancel(t *testing.T) {
	dir := write(t, map[string]string{"mon.cf": "", "slow": "#!/bin/sh\necho started >\"$3.started\"\nsleep 60 & sleep 60\n"})
	fifo := dir + "/mon.cf.started"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var g errgroup.Group
	g.Go(func() error {
		_, err := os.ReadFile(fifo) // until the program has begun
		stop()
		return err
	})
	o := bare()
	o.M4 = dir + "/slow"
	if c, diag := Load(ctx, dir+"/mon.cf", o); c != nil || !strings.Contains(printed(diag), "context canceled") {
		t.Error(printed(diag))
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
