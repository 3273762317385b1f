package procgroup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// actVar makes the test binary play a program instead of running tests.
const actVar = "PROCGROUP_TEST_ACT"

// quickExit keeps a child with the race detector from sleeping before its end.
const quickExit = "GORACE=atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	act, arg, _ := strings.Cut(os.Getenv(actVar), " ")
	if act == "" {
		goleak.VerifyTestMain(m)
		return
	}
	os.Exit(play(act, arg))
}

// play is what the program does that is called by act.
func play(act, arg string) int {
	switch act {
	case "exit":
		n, _ := strconv.Atoi(arg)
		return n
	case "stay":
		stay()
	case "deaf": // to SIGTERM
		signal.Ignore(syscall.SIGTERM)
		fmt.Println(os.Getpid())
		stay()
	case "parent": // of a program that this package does not know of
		fmt.Println(child(arg).Process.Pid)
		stay()
	case "leave": // a program behind
		fmt.Println(child(arg).Process.Pid)
	case "host": // starts its child by this package
		return host()
	case "lifeline":
		_, _ = io.Copy(io.Discard, os.NewFile(3, "lifeline"))
		return 7
	case "status":
		status, _ := os.ReadFile("/proc/self/status")
		dir, _ := os.Getwd()
		fmt.Printf("%s\ndir %s\nenv %v\ngroup %t\n", status, dir, os.Environ(), syscall.Getpgrp() == os.Getpid())
	case "die":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		stay()
	}
	return 0
}

// stay lives until it is killed, a minute at most.
func stay() { time.Sleep(time.Minute) }

// child starts this binary as act in the same process group, and returns when
// it has set itself up.
func child(act string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{actVar + "=" + act, quickExit}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		panic(err)
	}
	if act == "deaf" {
		_, _ = bufio.NewReader(out).ReadString('\n')
	}
	return cmd
}

func host() int {
	s, err := New()
	if err != nil {
		return 1
	}
	p, err := s.Start(context.Background(), Spec{Path: os.Args[0], Env: []string{actVar + "=deaf", quickExit}, Stdout: os.Stdout})
	if err != nil {
		return 1
	}
	_, _ = p.Wait(context.Background())
	return 0
}

// state is the letter of /proc/PID/stat, 0 when there is no such process.
func state(pid int) byte {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	return stat[strings.LastIndexByte(string(stat), ')')+2]
}

// alive says whether pid runs; a zombie does not.
func alive(pid int) bool {
	s := state(pid)
	return s != 0 && s != 'Z' && s != 'X'
}

// gone waits until pid is not alive.
func gone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); alive(pid); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d is alive, state %c", pid, state(pid))
		}
	}
}

func spawner(t *testing.T) *Spawner {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// acting is the Spec of this binary playing act.
func acting(act string) Spec {
	return Spec{Path: os.Args[0], Env: []string{actVar + "=" + act, quickExit}}
}

func start(t *testing.T, s *Spawner, spec Spec) *Process {
	t.Helper()
	p, err := s.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = p.Stop(0) })
	return p
}

// startRead starts spec with a pipe for its standard output and reads a line.
func startRead(t *testing.T, s *Spawner, spec Spec) (*Process, string, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	spec.Stdout = w
	p := start(t, s, spec)
	_ = w.Close()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return p, strings.TrimSpace(line), r
}

// number is a line that holds a process number.
func number(t *testing.T, line string) int {
	t.Helper()
	n, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ended waits for p.
func ended(t *testing.T, p *Process) Exit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	e, err := p.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
