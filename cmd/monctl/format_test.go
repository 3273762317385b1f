package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	untidy  = "syntax = mond\n\nwatch web\n service s # why\n   interval 1s\nhostgroup  web a\n"
	tidy    = "syntax = mond\n\nwatch web\n    service s  # why\n        interval 1s\n\nhostgroup web a\n"
	plainly = "hostgroup web a\n"
)

// formatted are the files of a test: one to be formatted, one that is already,
// one with an error, and a link to the first.
func formatted(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"a.cf": untidy, "b.cf": plainly, "bad.cf": "frobnicate\n", "x.cf.m4": untidy, "x.toml": "hostgroup.web=['a'] # why\n", "bad.toml": "maxproc = 1\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("links", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../a.cf", "links/a.cf"); err != nil {
		t.Fatal(err)
	}
}

func TestFormat(t *testing.T) {
	for _, tt := range []struct {
		name, args  string
		code        int
		out, errors string
	}{
		{"print", "a.cf", 0, tidy, ""},
		{"list", "-l a.cf b.cf", 0, "a.cf\n", ""},
		{"difference", "-d a.cf b.cf", 0, "diff a.cf.orig a.cf\n--- a.cf.orig\n+++ a.cf\n@@ -1,6 +1,7 @@\n syntax = mond\n \n watch web\n- service s # why\n-   interval 1s\n-hostgroup  web a\n" +
			"+    service s  # why\n+        interval 1s\n+\n+hostgroup web a\n", ""},
		{"error", "bad.cf b.cf", 1, plainly, "bad.cf:1:1: error: unknown directive \"frobnicate\"\n    frobnicate\n    ^\n"},
		{"m4", "x.cf.m4", 1, "", "monctl: format x.cf.m4: the form of a file for m4 may matter to its macros, so it is left alone\n"},
		{"toml", "x.toml", 0, "[hostgroup]\nweb = [\"a\"]  # why\n", ""},
		{"bad toml", "bad.toml", 1, "", "bad.toml:1:1: error: unknown key \"maxproc\"\n    maxproc = 1\n    ^\n    hint: did you mean maxprocs?\n"},
		{"missing", "none.cf", 1, "", "monctl: open none.cf: no such file or directory\n"},
		{"nothing", "", 2, "", "monctl: want a FILE, or - for the standard input\nusage: monctl fmt FILE... [flags]\n"},
		{"no file to write", "-w -", 2, "", "monctl: -w: the standard input cannot be written\nusage: monctl fmt FILE... [flags]\n"},
		{"no JSON", "--json a.cf", 2, "", "monctl: --json: fmt has nothing to print as JSON\nusage: monctl fmt FILE... [flags]\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			formatted(t)
			code, out, complaint := monctl(append([]string{"fmt"}, strings.Fields(tt.args)...)...)
			if code != tt.code {
				t.Errorf("exit status %d", code)
			}
			if diff := cmp.Diff([]string{tt.out, tt.errors}, []string{out, complaint}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFormatInput(t *testing.T) {
	var out, complaints strings.Builder
	if code := run([]string{"fmt", "-"}, strings.NewReader("watch a\n service b\n"), &out, &complaints); code != 0 || out.String() != "watch a\n    service b\n" {
		t.Errorf("%d %s %s", code, &out, &complaints)
	}
	if code := run([]string{"fmt", "-"}, strings.NewReader("watch a\n sevice b\n"), &out, &complaints); code != 1 || !strings.HasPrefix(complaints.String(), "standard input:2:2: error: ") {
		t.Errorf("%d %s", code, &complaints)
	}
}

// -w writes through a link, keeps the mode, and leaves nothing else behind.
func TestFormatWrite(t *testing.T) {
	formatted(t)
	for range 2 {
		if code, out, complaint := monctl("fmt", "-w", "links/a.cf", "b.cf", "bad.cf"); code != 1 || out != "" || !strings.HasPrefix(complaint, "bad.cf:1:1") {
			t.Errorf("%d %s %s", code, out, complaint)
		}
	}
	text, err := os.ReadFile("a.cf")
	if err != nil || string(text) != tidy {
		t.Errorf("%s %v", text, err)
	}
	if text, _ := os.ReadFile("bad.cf"); string(text) != "frobnicate\n" {
		t.Errorf("a file with errors became %q", text)
	}
	info, err := os.Lstat("links/a.cf")
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link is gone", err)
	}
	if info, err = os.Stat("a.cf"); err != nil || info.Mode().Perm() != 0o640 {
		t.Error(info.Mode(), err)
	}
	entries, err := os.ReadDir(".")
	if err != nil || len(entries) != 7 {
		t.Errorf("%v %v", entries, err)
	}
}

// A folder that cannot be written leaves the file as it was.
func TestFormatUnwritable(t *testing.T) {
	if err := replaceFile(filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("a file that is not there was written")
	}
}
