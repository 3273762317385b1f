package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/cmd/internal/site"
	"github.com/mondhq/mond/engine/config"
)

func TestFindAccount(t *testing.T) {
	if a, err := findAccount(""); a != nil || err != nil {
		t.Errorf("no --user: %v, %v", a, err)
	}
	for text, want := range map[string]string{
		"no-such-user":         "unknown user no-such-user; create the user",
		"4294967294":           "unknown userid 4294967294; create the user",
		"nobody:no-such-group": "unknown group no-such-group",
		"nobody:":              "unknown group",
		"root":                 "that is root",
		"0":                    "that is root",
	} {
		if _, err := findAccount(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--user %s: %v, want %q", text, err, want)
		}
	}
}

func TestAccountCheck(t *testing.T) {
	a := &account{name: "mond", uid: 70, gid: 71}
	for _, tt := range []struct {
		euid, egid int
		want       string
	}{
		{0, 0, ""},
		{70, 71, ""},
		{70, 70, "only root can become another user, and this is user 70"},
		{1000, 71, "only root can become another user, and this is user 1000"},
	} {
		err := a.check(tt.euid, tt.egid)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("as %d:%d: %v, want %q", tt.euid, tt.egid, err, tt.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "/var/lib/mond")
	t.Setenv("RUNTIME_DIRECTORY", "/run/mond")
	for _, tt := range []struct {
		name   string
		g      config.Globals
		runDir string
		want   []bool
	}{
		{"defaults", config.Globals{StateDir: "/var/lib/mond", LogDir: "/var/lib/mond", ControlSocket: site.Socket()}, "/run/mond/plugins", []bool{true, false, true, true}},
		{"mon's folder", config.Globals{StateDir: "/var/lib/mon", ControlSocket: site.Socket()}, "/run/mond/plugins", []bool{false, false, true, true}},
		{"a socket in /run", config.Globals{StateDir: "/s", ControlSocket: "/run/control.sock"}, "/run/plugins", []bool{false, false, false, false}},
		{"a run folder of one's own", config.Globals{StateDir: "/s", ControlSocket: site.Socket()}, "/srv/sockets", []bool{false, false, true, false}},
	} {
		var got []bool
		for _, p := range places(tt.g, tt.runDir) {
			got = append(got, p.ours)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: ours (-want +got):\n%s", tt.name, diff)
		}
	}
}

// owner is the user of what is at path itself.
func owner(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Lstat(path)
	must(t, err)
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

// needRoot skips a test that has to become another user.
func needRoot(t *testing.T) {
	t.Helper()
	switch {
	case os.Geteuid() == 0:
	case os.Getenv("MOND_NOSKIP") == "1":
		t.Fatal("this test needs root")
	default:
		t.Skip("this test needs root")
	}
}

func TestHandOver(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"chosen", "ours"} {
		must(t, os.MkdirAll(at(name), 0o755))
		must(t, os.WriteFile(at(name+"/file"), nil, 0o600))
	}
	must(t, os.Symlink("chosen", at("link")))
	a := &account{name: "mond", uid: 4242, gid: 4242}
	must(t, a.handOver([]place{
		{at("chosen"), false, 0o755}, {at("ours"), true, 0o755}, {at("link"), true, 0o755}, {at("made/by/us"), false, 0o700},
	}, at("run/pid")))
	for name, want := range map[string]int{
		"chosen": 0, "chosen/file": 0, "ours": 4242, "ours/file": 0, "link": 0,
		"made": 0, "made/by": 0, "made/by/us": 4242, "run": 4242, "run/pid": 4242,
	} {
		if got := owner(t, at(name)); got != want {
			t.Errorf("%s belongs to %d, want %d", name, got, want)
		}
	}
	must(t, a.handOver([]place{{at("made/by/us"), false, 0o700}}, at("run/pid"))) // a second start
}

// The user owns folders in which root makes things: what it puts there must
// not become its own.
func TestHandOverIsNotMisled(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	secret, link, hard := filepath.Join(dir, "secret"), filepath.Join(dir, "link"), filepath.Join(dir, "hard")
	must(t, os.WriteFile(secret, nil, 0o600))
	must(t, os.Symlink(secret, link))
	must(t, os.Link(secret, hard))
	a := &account{name: "mond", uid: 4242, gid: 4242}
	for _, pid := range []string{link, hard, dir} {
		if err := a.handOver(nil, pid); err == nil {
			t.Errorf("%s was taken for a pidfile", pid)
		}
	}
	if err := a.give(secret, unix.S_IFSOCK); err == nil {
		t.Error("a file was taken for a socket")
	}
	if got := owner(t, secret); got != 0 {
		t.Errorf("the file of root belongs to %d", got)
	}
}

func TestSharedFoldersStay(t *testing.T) {
	for path, want := range map[string]bool{"/": true, "/run": true, "/run/": true, "/run/mond": false, "/var/lib/mond": false} {
		if got := shared(path); got != want {
			t.Errorf("shared(%q) = %v", path, got)
		}
	}
}
