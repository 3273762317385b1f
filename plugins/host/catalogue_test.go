package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, mode os.FileMode, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	// A program that must never be run.
	if err := os.WriteFile(file, []byte("#!/bin/sh\ntouch "+file+".ran\n"), mode); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFind(t *testing.T) {
	d := t.TempDir()
	write(t, 0o755, d, "mon1/ping.monitor")
	write(t, 0o755, d, "mon2/ping.monitor")
	write(t, 0o755, d, "mon2/http.monitor")
	write(t, 0o755, d, "plug/http.monitor")
	write(t, 0o755, d, "plug/tcp.monitor")
	write(t, 0o755, d, "alert/mail.alert")
	write(t, 0o644, d, "mon1/dead.monitor")
	write(t, 0o644, d, "mon1/half.monitor")
	write(t, 0o755, d, "mon2/half.monitor")
	write(t, 0o755, d, "mon1/dir.monitor/x")
	o := Options{
		MonDirs:   []string{filepath.Join(d, "none"), filepath.Join(d, "mon1"), filepath.Join(d, "mon2")},
		AlertDirs: []string{filepath.Join(d, "alert")}, PluginDirs: []string{filepath.Join(d, "plug")},
	}
	for _, tt := range []struct {
		name   string
		kind   Kind
		prefer bool
		path   string
		bad    string
	}{
		{"ping.monitor", Monitor, false, "mon1/ping.monitor", ""},
		{"http.monitor", Monitor, false, "mon2/http.monitor", ""},
		{"http.monitor", Monitor, true, "plug/http.monitor", ""},
		{"ping.monitor", Monitor, true, "mon1/ping.monitor", ""},
		{"tcp.monitor", Monitor, false, "plug/tcp.monitor", ""},
		{"half.monitor", Monitor, false, "mon2/half.monitor", ""},
		{"mail.alert", Alert, false, "alert/mail.alert", ""},
		{"mail.alert", Monitor, false, "", "it is in none of"},
		{"dir.monitor", Monitor, false, "", "it is in none of"},
		{"htp.monitor", Monitor, false, "", "/plug; did you mean http.monitor?"},
		{"pnig.monitor", Monitor, true, "", "/mon2; did you mean ping.monitor?"},
		{"http", Monitor, false, "", "/plug; did you mean http.monitor?"},
		{"mial.alert", Alert, false, "", "/plug; did you mean mail.alert?"},
		{"dead.monitor", Monitor, false, "", "is not executable (chmod +x"},
		{"../mon1/ping.monitor", Monitor, false, "", "not a path"},
		{"a\x00b", Monitor, false, "", "not a path"},
		{"", Monitor, false, "", "no name"},
		{"..", Monitor, false, "", "no name"},
	} {
		o.PreferResident = tt.prefer
		got, err := o.find(tt.kind, tt.name)
		if tt.bad != "" {
			if err == nil || !strings.Contains(err.Error(), tt.bad) {
				t.Errorf("%q: got %v", tt.name, err)
			}
			continue
		}
		want := Program{Name: tt.name, Path: filepath.Join(d, tt.path), Kind: tt.kind, Resident: strings.HasPrefix(tt.path, "plug/")}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", tt.name, err, diff)
		}
	}
	_, err := o.find(Monitor, "x.monitor")
	if nf, ok := errors.AsType[*NotFoundError](err); !ok || len(nf.Looked) != 4 {
		t.Errorf("got %v", err)
	}
	if _, err := (Options{}).find(Alert, "x"); err == nil || !strings.Contains(err.Error(), "no directory is configured") {
		t.Errorf("got %v", err)
	}
	if ran, _ := filepath.Glob(filepath.Join(d, "*/*.ran")); len(ran) > 0 {
		t.Errorf("finding ran %v", ran)
	}
}
