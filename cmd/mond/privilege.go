package main

import (
	"fmt"
	"log/slog"
	"os"
	"slices"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// mond itself needs no privilege once its places are made: it starts programs,
// and a few of those need a capability. So it holds what it may pass on as
// permitted and inheritable but not effective, on every thread, and ambient
// for nobody: a program gets what plugins/procgroup raises for it alone.

// kept are what mond keeps of a start as root: to edit IPVS and addresses, to
// ping, and to bind the ports of mail, traps and the like.
func kept() []cap.Value {
	return []cap.Value{cap.NET_BIND_SERVICE, cap.NET_ADMIN, cap.NET_RAW}
}

// lower gives up what mond does not need to run. As root it becomes to, or
// stays what it is when to is nil. It must come before anything else runs.
func lower(to *account, log *slog.Logger) error {
	root := os.Geteuid() == 0
	switch {
	case root && to == nil:
		log.Info("mond stays root, and so do its programs; --user names a lesser user")
		return nil
	case root:
		if err := to.become(); err != nil {
			return err
		}
		return confineRoot(to, log)
	}
	have := permitted()
	if len(have) == 0 {
		return nil
	}
	_, err := confine(have)
	return err
}

// confineRoot keeps what we keep of root and says so.
func confineRoot(to *account, log *slog.Logger) error {
	have, err := confine(kept())
	if err != nil {
		return err
	}
	log.Info("mond runs as a user of its own", "user", to.name, "uid", to.uid, "gid", to.gid, "may pass on", fmt.Sprint(have))
	if len(have) < len(kept()) {
		log.Warn("mond was started without some of what it keeps for its programs", "wanted", fmt.Sprint(kept()))
	}
	return nil
}

// confine leaves to all threads those of want that this process has and may
// pass on: permitted and inheritable, neither effective nor ambient.
func confine(want []cap.Value) ([]cap.Value, error) {
	have := permitted()
	var keep []cap.Value
	for _, v := range want {
		// What is out of the bounding set cannot become inheritable.
		if bound, err := cap.GetBound(v); slices.Contains(have, v) && err == nil && bound {
			keep = append(keep, v)
		}
	}
	set := cap.NewSet()
	for _, f := range []cap.Flag{cap.Permitted, cap.Inheritable} {
		if err := set.SetFlag(f, true, keep...); err != nil {
			return nil, fmt.Errorf("choose capabilities to keep: %w", err)
		}
	}
	if err := set.SetProc(); err != nil {
		return nil, fmt.Errorf("give up all capabilities but %v: the kernel refused: %w", keep, err)
	}
	if err := cap.ResetAmbient(); err != nil {
		return nil, fmt.Errorf("keep capabilities from programs that are granted none: the kernel refused: %w", err)
	}
	return keep, nil
}

// permitted are the capabilities that this process has or can raise.
func permitted() []cap.Value {
	set := cap.GetProc()
	var have []cap.Value
	for v := cap.Value(0); v < cap.MaxBits(); v++ {
		if on, err := set.GetFlag(cap.Permitted, v); err == nil && on {
			have = append(have, v)
		}
	}
	return have
}

// passable reports whether a program may be given the capability of that
// name. Programs of root have every one already.
func passable(name string) bool {
	v, err := cap.FromName(name)
	return err == nil && os.Geteuid() != 0 && slices.Contains(permitted(), v)
}

// usable checks, once mond is who it will be, that it can keep its state: the
// error is clearer than what the store would say of the same.
func usable(dir, file string, to *account) error {
	if err := unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return fmt.Errorf("write to statedir %s as user %s: %w; chown it to that user, or name another with -D", dir, to.name, err)
	}
	err := unix.Faccessat(unix.AT_FDCWD, file, unix.R_OK|unix.W_OK, unix.AT_EACCESS)
	if err == nil || err == unix.ENOENT {
		return nil
	}
	return fmt.Errorf("open %s as user %s: %w; another user kept state there: chown what lies in %s, or name another folder with -D", file, to.name, err, dir)
}
