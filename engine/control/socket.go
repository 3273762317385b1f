package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// socketMode lets the daemon's user and group in.
	socketMode = 0o660
	// longestPath is the most bytes of a Unix socket's path on Linux.
	longestPath = 107
)

// Listen makes the control socket at path, mode 0660, and its folder if it is
// missing. A socket that a living daemon answers on is refused, a stale one is
// replaced, anything that is not a socket is left alone and is an error.
func Listen(path string) (net.Listener, error) {
	if len(path) > longestPath {
		return nil, fmt.Errorf("control socket %s: the path has %d bytes, at most %d fit; set controlsocket", path, len(path), longestPath)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of the control socket: %w", err)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{Control: narrow}).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(fmt.Errorf("open the control socket to its group: %w", err), l.Close())
	}
	return l, nil
}

// narrow sets the mode that the socket is born with, so that nobody else can
// connect before it is set on the path. The umask still takes from it.
func narrow(_, _ string, c syscall.RawConn) (err error) {
	if cerr := c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), socketMode) }); cerr != nil {
		return cerr
	}
	return err
}

// removeStale removes a socket that nobody listens on any more.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at the control socket: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("control socket %s: it exists and is no socket; remove it or set controlsocket", path)
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		_ = c.Close()
		return fmt.Errorf("control socket %s: another mond answers on it; stop it or set controlsocket", path)
	case !errors.Is(err, syscall.ECONNREFUSED):
		// Full, forbidden: somebody may well live there.
		return fmt.Errorf("control socket %s: cannot tell whether another mond answers on it: %w; set controlsocket", path, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove the stale control socket: %w", err)
	}
	return nil
}
