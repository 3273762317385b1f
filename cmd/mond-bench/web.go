package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

// reply is what every request is answered with.
const reply = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 8\r\nConnection: close\r\n\r\nit works"

// patience is for how many seconds the kernel waits for a request.
const patience = 10

// listenWeb answers HTTP with one thread and as few system calls as can be, so
// that little of the machine goes to the server: the kernel hands connections
// over when their request has come (tcp(7), TCP_DEFER_ACCEPT). It is for
// requests of one packet from clients that mean well.
func listenWeb(seen *visits) (port int, err error) {
	fd, port, err := listenAny()
	if err != nil {
		return 0, err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, patience); err != nil {
		return 0, errors.Join(err, unix.Close(fd))
	}
	buf := make([]byte, 8192)
	go seen.accept(fd, func(c int) bool { return answer(c, buf) })
	return port, nil
}

// answer never waits, for others would wait as well: who did not ask, or has
// gone, is no visitor.
func answer(c int, buf []byte) bool {
	n, _, err := unix.Recvfrom(c, buf, unix.MSG_DONTWAIT)
	if err != nil || n == 0 {
		return false
	}
	_, err = unix.Write(c, []byte(reply))
	return err == nil
}
