package neighbour

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// LinkWatch hears of changes to interfaces. Receive is for one goroutine.
type LinkWatch struct {
	file   *os.File
	buffer []byte
}

// WatchLinks begins to watch: what changes from now on is heard. Read all
// interfaces ([Links.All]) after it, so that none is missed.
func WatchLinks() (*LinkWatch, error) {
	fd, err := netlinkSocket(unix.RTMGRP_LINK)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	// so that a burst of changes to a thousand interfaces is not lost
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20) // with less it is read anew
	return &LinkWatch{file: os.NewFile(uintptr(fd), "netlink socket"), buffer: make([]byte, 64<<10)}, nil
}

// Receive waits for changes. missed says that some were lost, and all are to be
// read anew. The error is [os.ErrClosed] when the watch was closed.
func (w *LinkWatch) Receive() (links []Link, missed bool, err error) {
	for {
		n, err := w.file.Read(w.buffer)
		switch {
		case errors.Is(err, unix.ENOBUFS):
			return nil, true, nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, false, err
		}
		for rest := w.buffer[:n]; ; {
			var m netlinkMessage
			var ok bool
			if m, rest, ok = nextMessage(rest); !ok {
				break
			}
			if l, ok := parseLink(m); ok {
				links = append(links, l)
			}
		}
		if len(links) > 0 {
			return links, false, nil
		}
	}
}

// Close ends it, a Receive that waits too.
func (w *LinkWatch) Close() error { return w.file.Close() }
