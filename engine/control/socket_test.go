package control

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestListen(t *testing.T) {
	path := shortPath(t, "new/folder/sock")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "another mond answers on it; stop it or set controlsocket") {
		t.Errorf("a living socket: %v", err)
	}
	l.Close()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket outlives its listener: %v", err)
	}
}

// A daemon that was killed leaves its socket behind.
func TestStaleSocketIsReplaced(t *testing.T) {
	path := shortPath(t, "sock")
	leave(t, path)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// leave leaves a socket at path that nobody listens on.
func leave(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
}

// A daemon that is too busy to accept, or stopped, is alive all the same.
func TestBusySocketIsNotStale(t *testing.T) {
	path := shortPath(t, "sock")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	var waiting []net.Conn
	for { // until its queue is full
		c, err := net.Dial("unix", path)
		if err != nil {
			break
		}
		waiting = append(waiting, c)
	}
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "cannot tell whether another mond answers") {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the socket was removed: %v", err)
	}
	for _, c := range waiting {
		c.Close()
	}
}

func TestWhatIsNoSocketIsLeftAlone(t *testing.T) {
	path := shortPath(t, "sock")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	link, stale := path+".link", path+".stale"
	leave(t, stale)
	if err := os.Symlink(stale, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, link, filepath.Dir(path)} {
		if _, err := Listen(p); err == nil || !strings.Contains(err.Error(), "it exists and is no socket; remove it or set controlsocket") {
			t.Errorf("%s: %v", p, err)
		}
		if _, err := os.Lstat(p); err != nil {
			t.Error(err)
		}
	}
	if text, _ := os.ReadFile(path); string(text) != "precious" {
		t.Errorf("it now holds %q", text)
	}
}

func TestListenWhereItCannot(t *testing.T) {
	file := shortPath(t, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file + "/sock":                        "make the folder of the control socket",
		"/tmp/" + strings.Repeat("x", 200):    "the path has 205 bytes, at most 107 fit; set controlsocket",
		"/proc/self/fdinfo/nothing/like/this": "make the folder of the control socket",
	} {
		if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The socket is never open to others, not even before its mode is set.
func TestBornNarrow(t *testing.T) {
	path := shortPath(t, "sock")
	l, err := (&net.ListenConfig{Control: narrow}).Listen(context.Background(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if info, err := os.Stat(path); err != nil || info.Mode()&^(fs.ModeSocket|0o660) != 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestUserName(t *testing.T) {
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	if got := userName(uint32(uid)); got != u.Username {
		t.Errorf("%q, want %q", got, u.Username)
	}
	if got := userName(4123456789); got != "uid 4123456789" {
		t.Errorf("an unknown user is %q", got)
	}
}

func TestPeerOfAConnectionThatIsGone(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(pair[0]), "pair")
	c, err := net.FileConn(f)
	if err := errors.Join(err, f.Close(), syscall.Close(pair[1])); err != nil {
		t.Fatal(err)
	}
	ctx := withConn(t.Context(), c)
	if got := peer(ctx); got != me(t) {
		t.Errorf("%q", got)
	}
	c.Close()
	if got := peer(ctx); got != "" {
		t.Errorf("after the end: %q", got)
	}
}
