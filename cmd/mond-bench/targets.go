package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// gaps are the times between two checks of one target, over all targets.
type gaps struct {
	checks        int
	p50, p99, max time.Duration
}

// serve is the test server, of connections or, asked for "http", of HTTP. It
// takes connections to any loopback address on one port and notes when each
// address was met. It prints its port; a line on its standard input ends a
// window, and it prints the window's gaps.
func serve(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	seen := &visits{last: map[uint32]time.Time{}}
	listen := listenTargets
	if slices.Contains(args, "http") {
		listen = listenWeb
	}
	port, err := listen(seen)
	if err != nil {
		fmt.Fprintln(stderr, "mond-bench serve:", err)
		return 1
	}
	fmt.Fprintln(stdout, port)
	in := bufio.NewScanner(stdin)
	for in.Scan() {
		_ = json.NewEncoder(stdout).Encode(seen.window())
	}
	return 0
}

// listenTargets takes connections and closes them at once.
func listenTargets(seen *visits) (port int, err error) {
	fd, port, err := listenAny()
	if err != nil {
		return 0, err
	}
	go seen.accept(fd, func(int) bool { return true })
	return port, nil
}

func listenAny() (fd, port int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{}); err != nil {
		return 0, 0, err
	}
	if err := unix.Listen(fd, 65535); err != nil {
		return 0, 0, err
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		return 0, 0, err
	}
	return fd, at.(*unix.SockaddrInet4).Port, nil
}

// visits notes when each address was last met, and the gaps of a window.
type visits struct {
	mu    sync.Mutex
	last  map[uint32]time.Time
	gaps  []time.Duration
	count int
}

// accept runs until the process ends. A connection that greet is content with
// is a visit of the moment that it was accepted.
func (v *visits) accept(fd int, greet func(c int) bool) {
	for {
		c, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
		now := time.Now()
		if err != nil {
			continue // the client was gone before we came
		}
		at, err := unix.Getsockname(c)
		if a, ok := at.(*unix.SockaddrInet4); ok && err == nil && greet(c) {
			v.met(uint32(a.Addr[0])<<24|uint32(a.Addr[1])<<16|uint32(a.Addr[2])<<8|uint32(a.Addr[3]), now)
		}
		unix.Close(c)
	}
}

func (v *visits) met(addr uint32, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.count++
	if last, ok := v.last[addr]; ok {
		v.gaps = append(v.gaps, now.Sub(last))
	}
	v.last[addr] = now
}

// report is a window as it goes over the pipe, in nanoseconds.
type report struct {
	Checks        int
	P50, P99, Max int64
}

// window ends a window and begins the next.
func (v *visits) window() report {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := report{Checks: v.count}
	slices.Sort(v.gaps)
	if n := len(v.gaps); n > 0 {
		r.P50, r.P99, r.Max = int64(v.gaps[n/2]), int64(v.gaps[n*99/100]), int64(v.gaps[n-1])
	}
	v.gaps, v.count = v.gaps[:0], 0
	return r
}

// targets is the test server as the bench sees it.
type targets struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	port int
}

// startTargets starts it; kind is "http" or "tcp".
func startTargets(kind string) (*targets, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &targets{cmd: exec.Command(self, "serve", kind)}
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := fmt.Fscanln(s.out, &s.port); err != nil {
		return nil, fmt.Errorf("start the test server: %w", err)
	}
	return s, nil
}

// window ends the server's window.
func (s *targets) window() (gaps, error) {
	if _, err := io.WriteString(s.in, "\n"); err != nil {
		return gaps{}, err
	}
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return gaps{}, err
	}
	var r report
	if err := json.Unmarshal(line, &r); err != nil {
		return gaps{}, err
	}
	return gaps{r.Checks, time.Duration(r.P50), time.Duration(r.P99), time.Duration(r.Max)}, nil
}

func (s *targets) stop() {
	_ = s.in.Close() // ends it
	_ = s.cmd.Wait()
}

// address is the i-th target; all of 127/8 is this machine.
func address(i int) string { return fmt.Sprintf("127.1.%d.%d", i/250, i%250+1) }
