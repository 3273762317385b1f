package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/cmd/internal/site"
	"github.com/mondhq/mond/engine/config"
)

// place is a folder that mond writes to.
type place struct {
	path string
	ours bool        // a default of mond's own, not one that somebody chose
	mode fs.FileMode // when it has to be made
}

// places are the folders that mond's user must be able to write to. Folders
// of mon, and those that somebody named, are theirs.
func places(g config.Globals, runDir string) []place {
	run := place{filepath.Dir(g.ControlSocket), g.ControlSocket == site.Socket(), 0o755}
	sockets := place{runDir, run.ours && filepath.Dir(runDir) == run.path, 0o700}
	return []place{{g.StateDir, g.StateDir == site.StateDir(), 0o755}, {g.LogDir, false, 0o755}, run, sockets}
}

// handOver makes folders and the pidfile, whose path may be empty, and gives
// the user those that are mond's own. It never looks into a folder.
func (a *account) handOver(folders []place, pidFile string) error {
	for _, p := range folders {
		if err := a.folder(p); err != nil {
			return err
		}
	}
	if pidFile == "" {
		return nil
	}
	if err := a.folder(place{path: filepath.Dir(pidFile), mode: 0o755}); err != nil {
		return err
	}
	f, err := os.OpenFile(pidFile, os.O_CREATE|os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return fmt.Errorf("make the pidfile: %w", err)
	}
	defer f.Close()
	return a.give(pidFile, unix.S_IFREG)
}

// folder makes a folder if it is missing, and gives it away if it was, or if
// it is mond's own.
func (a *account) folder(p place) error {
	if err := os.MkdirAll(filepath.Dir(p.path), 0o755); err != nil {
		return fmt.Errorf("make a folder for user %s: %w", a.name, err)
	}
	err := os.Mkdir(p.path, p.mode)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make a folder for user %s: %w", a.name, err)
	}
	if err != nil && (!p.ours || shared(p.path)) {
		return nil
	}
	return a.give(p.path, unix.S_IFDIR)
}

// shared reports whether a path is one of the system's own, such as /run,
// which an odd environment may have made mond's default.
func shared(path string) bool {
	return strings.Count(filepath.Clean(path), "/") < 2
}

// give makes the user the owner of what is at path, if it is of that type:
// the user may have put something else there, such as a link to a file of
// root. A link in place of a folder is somebody's arrangement: let it be.
func (a *account) give(path string, kind uint32) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("give %s to user %s: %w", path, a.name, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("give %s to user %s: %w", path, a.name, err)
	}
	switch is := st.Mode & unix.S_IFMT; {
	case kind == unix.S_IFDIR && is == unix.S_IFLNK:
		return nil
	case is != kind, kind != unix.S_IFDIR && st.Nlink != 1:
		return fmt.Errorf("give %s to user %s: it is not what mond makes there; remove it", path, a.name)
	}
	if err := unix.Fchownat(fd, "", a.uid, a.gid, unix.AT_EMPTY_PATH); err != nil {
		return fmt.Errorf("give %s to user %s: %w", path, a.name, err)
	}
	return nil
}
