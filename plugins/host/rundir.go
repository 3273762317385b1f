package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// maxRunDir is what is left of the 107 bytes of a Unix socket's path.
const maxRunDir = 55

// runDir is where the sockets of one host's plugins are: a directory of its
// own in Options.RunDir, locked as long as the host lives, so that what
// another left behind can be told from what another uses.
type runDir struct {
	path string
	lock *os.File
}

const lockName = "lock"

// openRunDir makes a directory below parent and removes those of hosts that
// are gone.
func openRunDir(parent string) (*runDir, error) {
	if parent == "" {
		return nil, errors.New("make a plugin host: Options.RunDir is missing")
	}
	if len(parent) > maxRunDir {
		return nil, fmt.Errorf("use %s for the sockets of plugins: the path is longer than %d bytes, which leaves no room for a socket's name; name a shorter one (mond --rundir)", parent, maxRunDir)
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of plugins' sockets: %w", err)
	}
	sweepRunDir(parent)
	path, err := os.MkdirTemp(parent, "h")
	if err != nil {
		return nil, fmt.Errorf("make the directory of plugins' sockets: %w", err)
	}
	lock, err := lockDir(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the directory of plugins' sockets: %w", err), os.RemoveAll(path))
	}
	return &runDir{path: path, lock: lock}, nil
}

// lockDir locks a host's directory; it fails when its host lives.
func lockDir(path string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sweepRunDir removes what hosts left that are gone. It touches nothing but
// directories that hold a lock of ours; one that is just being made has none.
func sweepRunDir(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return // making our own will say why
	}
	for _, e := range entries {
		path := filepath.Join(parent, e.Name())
		if _, err := os.Lstat(filepath.Join(path, lockName)); !e.IsDir() || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if lock, err := lockDir(path); err == nil {
			_ = os.RemoveAll(path)
			_ = lock.Close()
		}
	}
}

func (d *runDir) close() error {
	return errors.Join(os.RemoveAll(d.path), d.lock.Close())
}
