package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/python/pythontest"
)

// said runs monctl.
func said(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

// TestNewIsTheExample: the programs that new writes are those that are
// explained in etc/examples.
func TestNewIsTheExample(t *testing.T) {
	for _, tt := range []struct{ lang, name, example string }{
		{"go", "knock.monitor", "knock/main.go"},
		{"sh", "knock.monitor", "knock.monitor"},
		{"go", "told.alert", "told/main.go"},
		{"sh", "told.alert", "told.alert"},
		{"python", "knock.monitor", "python/knock.monitor"},
		{"python", "told.alert", "python/told.alert"},
	} {
		p, err := newPlugin(tt.name, tt.lang)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.text()
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("../../etc/examples", tt.example))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: %s", tt.example, diff)
		}
	}
}

// TestNewPassesTest writes each kind in each language, and tests it.
func TestNewPassesTest(t *testing.T) {
	for _, lang := range languages() {
		for _, name := range []string{"my-first.monitor", "my-first.alert"} {
			t.Run(lang+" "+name, func(t *testing.T) {
				if lang == "python" {
					pythontest.Need(t)
				}
				t.Parallel()
				path := begin(t, lang, name)
				code, out, errs := said(t, "plugin", "test", path)
				if code != 0 || !strings.Contains(out, "\n"+name+" (") {
					t.Errorf("exit %d\n%s%s", code, out, errs)
				}
				if resident := strings.Contains(out, "and resident"); resident != (lang != "sh") {
					t.Errorf("resident: %v\n%s", resident, out)
				}
			})
		}
	}
}

// begin writes a plugin and returns the program. A folder in testdata is in
// this module, and no part of ./...
func begin(t *testing.T, lang, name string) string {
	t.Helper()
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("testdata", "new-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, name)
	if code, out, errs := said(t, "plugin", "new", "--lang", lang, path); code != 0 || !strings.Contains(out, "monctl plugin test") {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	if lang != "go" {
		return path
	}
	program := filepath.Join(dir, name, name)
	if out, err := exec.Command("go", "build", "-o", program, "./"+path).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

func TestNewOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, lang := range languages() {
		path := filepath.Join(dir, lang+".monitor")
		if code, _, errs := said(t, "plugin", "new", "--lang", lang, path); code != 0 {
			t.Fatalf("%s: exit %d, %s", lang, code, errs)
		}
		if code, _, errs := said(t, "plugin", "new", "--lang", lang, path); code != 1 || !strings.Contains(errs, "is there already") {
			t.Errorf("%s: again: exit %d, %s", lang, code, errs)
		}
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.monitor", "go.mod"))
	if err != nil || !strings.HasPrefix(string(mod), "module go.monitor\n") {
		t.Errorf("outside of a module a folder is one: %q, %v", mod, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"x.monitor"}, {"--lang", "ruby", "x.monitor"}, {"--lang", "perl", "x.alert"},
		{"--lang", "sh"}, {"--lang", "sh", "x"}, {"--lang", "sh", ".monitor"}, {"--lang", "sh", "a b.alert"}, {"--lang", "sh", "-x.alert"}, {"--lang", "sh", "x..alert"},
	} {
		t.Chdir(t.TempDir())
		if code, _, errs := said(t, append([]string{"plugin", "new"}, args...)...); code != 2 || errs == "" {
			t.Errorf("%q: exit %d, %s", args, code, errs)
		}
		if left, _ := os.ReadDir("."); len(left) > 0 {
			t.Errorf("%q: it wrote %v", args, left)
		}
	}
}

func TestIdentifier(t *testing.T) {
	for name, want := range map[string]string{
		"knock": "knock", "smtp-tls": "smtptls", "a.b_c": "abc", "Disk": "disk",
		"net": "newMonitor", "func": "newMonitor", "2nd": "newMonitor", "_": "newMonitor",
	} {
		if got := identifier(name, "monitor"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestPluginTestSaysWhatToDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.monitor")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	code, out, _ := said(t, "plugin", "test", path, "--host", "127.0.0.1", "--", "-p", "80")
	for _, want := range []string{"FAIL  classic/usage", "print a line with the options", "FAIL  classic/verdict", "bad.monitor (monitor, classic): "} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("no %q, exit %d:\n%s", want, code, out)
		}
	}
	code, out, _ = said(t, "plugin", "test", "--json", path, "--classic")
	var r struct {
		Name  string
		Cases []struct {
			Name, Detail string
			OK           bool
		}
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 1 || r.Name != "bad.monitor" || len(r.Cases) < 10 || r.Cases[1].Detail == "" {
		t.Errorf("exit %d, %v, %+v", code, err, r)
	}
}

func TestPluginTestRefuses(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		has  string
	}{
		{nil, 2, "want one FILE"},
		{[]string{"-p", "x.monitor"}, 2, "-p"},
		{[]string{"a.monitor", "b"}, 2, "want one FILE"},
		{[]string{"--", "-p"}, 2, "want one FILE"},
		{[]string{"a.monitor", "-p", "3"}, 2, "-p"},
		{[]string{"/bin/true"}, 1, ".monitor or .alert"},
	} {
		if code, _, errs := said(t, append([]string{"plugin", "test"}, tt.args...)...); code != tt.code || !strings.Contains(errs, tt.has) {
			t.Errorf("%q: exit %d, %s", tt.args, code, errs)
		}
	}
}

func TestPluginVerbs(t *testing.T) {
	if code, out, _ := said(t, "plugin"); code != 0 || !strings.Contains(out, "new ") || !strings.Contains(out, "test ") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, _, errs := said(t, "plugin", "tset"); code != 2 || !strings.Contains(errs, `no verb "tset"`) {
		t.Errorf("exit %d: %s", code, errs)
	}
}
