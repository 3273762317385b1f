package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// connectBare is the least that anybody can do: one thread that connects to n
// targets once a second with blocking calls and resets each connection. What
// it takes is what the kernel takes, on this machine at this hour.
func connectBare(args []string, stderr io.Writer) int {
	n, port := 0, 0
	if len(args) == 2 {
		n, _ = strconv.Atoi(args[0])
		port, _ = strconv.Atoi(args[1])
	}
	if n == 0 || port == 0 {
		fmt.Fprintln(stderr, "mond-bench connect TARGETS PORT")
		return 2
	}
	runtime.LockOSThread()
	const turns = 50 // a second
	tick := time.NewTicker(time.Second / turns)
	for turn := 0; ; turn = (turn + 1) % turns {
		<-tick.C
		for i := turn; i < n; i += turns {
			connectOnce(i, port)
		}
	}
}

// connectOnce ignores failures: the server counts.
func connectOnce(i, port int) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	_ = unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 1, byte(i / 250), byte(i%250 + 1)}})
	_ = unix.Close(fd)
}

// bare measures it.
func (p plan) bare(ctx context.Context, n int) (row, error) {
	server, err := startTargets("tcp")
	if err != nil {
		return row{}, err
	}
	defer server.stop()
	self, err := os.Executable()
	if err != nil {
		return row{}, err
	}
	cmd := exec.Command(self, "connect", strconv.Itoa(n), strconv.Itoa(server.port))
	return p.watchDaemon(ctx, cmd, server)
}
