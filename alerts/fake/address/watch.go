package address

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Watch tells of changes by others until ctx ends: an address was removed, an
// interface changed, came or went. The channel has room for one word, so that a
// storm of changes is one; whoever gets it looks at all of it again, and the
// kernel's counters (Link.Ups, Row.Made) tell what came and went meanwhile. If
// the kernel had no room for all its notices that is a word, too. The channel is
// closed when the watch ends. Changes made by the socket with that port are left
// out where the kernel says whose they are (IPv4).
func Watch(ctx context.Context, port uint32) (<-chan struct{}, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("watch the addresses of this machine: %w", err)
	}
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("watch the addresses of this machine: %w", err)
	}
	widen(fd)
	w := &watch{file: os.NewFile(uintptr(fd), "netlink"), port: port, word: make(chan struct{}, 1)}
	stop := context.AfterFunc(ctx, func() { _ = w.file.Close() })
	go func() { // ends with ctx, which closes the file
		defer close(w.word)
		defer stop()
		defer w.file.Close()
		w.run()
	}()
	return w.word, nil
}

type watch struct {
	file *os.File
	port uint32
	word chan struct{}
}

func (w *watch) run() {
	b := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(b)
		switch {
		case errors.Is(err, syscall.ENOBUFS):
			w.tell()
		case errors.Is(err, syscall.EINTR), errors.Is(err, syscall.EAGAIN):
		case err != nil:
			return
		default:
			for p := range packets(b[:n]) {
				if w.matters(p) {
					w.tell()
				}
			}
		}
	}
}

// matters reports whether p tells of something by others. Whoever renews hears
// of each of his renewals as of an address that is new, so those are left out:
// an address that somebody else adds takes nothing away.
func (w *watch) matters(p packet) bool {
	switch p.kind {
	case unix.RTM_DELADDR:
		return p.port != w.port
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		return len(p.body) < 16 || p.body[0] != unix.AF_BRIDGE && binary.NativeEndian.Uint32(p.body[4:]) != 0
	}
	return false
}

func (w *watch) tell() {
	select {
	case w.word <- struct{}{}:
	default: // one is waiting already
	}
}
