package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"

	"golang.org/x/sys/unix"
)

// reply is what every request is answered with.
const reply = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 8\r\nConnection: close\r\n\r\nit works"

// web answers HTTP with one thread and as few system calls as can be, so that
// little of the machine goes to the server. It is for requests without a body
// from clients that mean well.
type web struct {
	poll, listener int
	seen           *visits
	buf            [8192]byte
}

// listenWeb serves on any loopback address at a port of its own.
func listenWeb(seen *visits, stderr io.Writer) (port int, err error) {
	fd, port, err := listenAny()
	if err != nil {
		return 0, err
	}
	w := &web{listener: fd, seen: seen}
	if w.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return 0, err
	}
	if err := errors.Join(unix.SetNonblock(fd, true), w.add(fd)); err != nil {
		return 0, err
	}
	go func() { fmt.Fprintln(stderr, "mond-bench serve:", w.serve()) }()
	return port, nil
}

// add begins to watch a socket; closing it ends that.
func (w *web) add(fd int) error {
	return unix.EpollCtl(w.poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// serve runs until the process ends.
func (w *web) serve() error {
	runtime.LockOSThread()
	events := make([]unix.EpollEvent, 256)
	for {
		n, err := unix.EpollWait(w.poll, events, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		for _, e := range events[:max(n, 0)] {
			if int(e.Fd) == w.listener {
				w.accept()
			} else {
				w.answer(int(e.Fd))
			}
		}
	}
}

// accept takes all who wait.
func (w *web) accept() {
	for {
		fd, _, err := unix.Accept4(w.listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EMFILE) {
			return
		}
		if err == nil && w.add(fd) != nil {
			unix.Close(fd)
		}
	}
}

// answer answers once the request's end has come, and counts it then.
func (w *web) answer(fd int) {
	n, err := unix.Read(fd, w.buf[:])
	if errors.Is(err, unix.EAGAIN) || n > 0 && !bytes.HasSuffix(w.buf[:n], []byte("\r\n\r\n")) {
		return
	}
	if n > 0 {
		w.seen.at(fd)
		_, _ = unix.Write(fd, []byte(reply)) // a client that has gone misses it
	}
	unix.Close(fd)
}
