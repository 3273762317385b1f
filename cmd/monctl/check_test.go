package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// check judges a file of testdata/check with its programs in mon.d and no
// others; in what is printed, DIR stands for that folder.
func check(t *testing.T, file string, more ...string) (code int, stdout, stderr string) {
	t.Helper()
	dir, err := filepath.Abs("testdata/check")
	if err != nil {
		t.Fatal(err)
	}
	programs := filepath.Join(dir, "mon.d")
	code, stdout, stderr = monctl(append([]string{
		"check", "--mondir", programs, "--alertdir", programs, "--plugindir", filepath.Join(dir, "plugins"), filepath.Join(dir, file),
	}, more...)...)
	return code, strings.ReplaceAll(stdout, dir, "DIR"), strings.ReplaceAll(stderr, dir, "DIR")
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		file, golden string
		code         int
	}{
		{"bad.cf", "check-bad.txt", 1},
		{"programs.cf", "check-programs.txt", 1},
		{"good.cf", "check-good.txt", 0},
		{"missing.cf", "check-missing.txt", 1},
	} {
		t.Run(tt.file, func(t *testing.T) {
			code, out, complaint := check(t, tt.file)
			if code != tt.code || complaint != "" {
				t.Errorf("exit status %d, said %q", code, complaint)
			}
			golden(t, tt.golden, out)
		})
	}
}

func TestCheckJSON(t *testing.T) {
	code, out, complaint := check(t, "programs.cf", "--json")
	var got []finding
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 || complaint != "" {
		t.Fatal(code, complaint, err)
	}
	want := finding{
		File: "DIR/programs.cf", Line: 11, Col: 17, Severity: "error",
		Message: `find monitor "nosuch.monitor": it is in none of DIR/mon.d, DIR/plugins`,
	}
	if len(got) != 3 || cmp.Diff(want, got[1]) != "" {
		t.Errorf("%+v", got)
	}
	if code, out, _ := check(t, "good.cf", "--json"); code != 0 || out != "[]\n" {
		t.Errorf("%d %s", code, out)
	}
}

// A long TMPDIR leaves no room for the sockets of plugins.
func TestCheckWithLongTemp(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), strings.Repeat("long", 10)))
	if code, _, complaint := check(t, "good.cf"); code != 0 || complaint != "" {
		t.Errorf("%d %s", code, complaint)
	}
}
