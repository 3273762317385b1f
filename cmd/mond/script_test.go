package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts are the part of the manual that can be run. Each begins in a
// folder of its own with the files that follow it; what lies in mon.d and
// alert.d may be executed. Besides testscript's commands there is
//
//	await PATTERN COMMAND...
//
// which runs a command until what it prints matches.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		Setup:              setup,
		Cmds:               map[string]func(*testscript.TestScript, bool, []string){"await": await},
		RequireUniqueNames: true,
	})
}

// setup puts the programs on the path and the sockets into a folder with a
// short name, where mond and monctl look for them by themselves.
func setup(e *testscript.Env) error {
	dir, err := os.MkdirTemp("", "mond")
	if err != nil {
		return err
	}
	e.Defer(func() { os.RemoveAll(dir) })
	e.Setenv("RUNTIME_DIRECTORY", dir)
	e.Setenv("PATH", binDir+string(os.PathListSeparator)+e.Getenv("PATH"))
	e.Values[environ{}] = e
	for _, folder := range []string{"mon.d", "alert.d"} {
		programs, err := filepath.Glob(filepath.Join(e.WorkDir, folder, "*"))
		if err != nil {
			return err
		}
		for _, p := range programs {
			if err := os.Chmod(p, 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

// await writes only the last output to the log: the others are what it waits
// out.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await PATTERN COMMAND...")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		cmd := exec.Command("env", args[1:]...) // env looks on the script's PATH
		cmd.Env, cmd.Dir = ts.Value(environ{}).(*testscript.Env).Vars, ts.MkAbs(".")
		out, err := cmd.Output() // its failure is what we may be waiting out
		if pattern.Match(out) {
			_, err := ts.Stdout().Write(out)
			ts.Check(err)
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("waited %v for %q from %s, which last said (%v):\n%s", limit, args[0], strings.Join(args[1:], " "), err, out)
		}
	}
}

// environ is the key of a script's environment.
type environ struct{}
