package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// startEnv tells a forked daemon the descriptor to report its start on.
const startEnv = "MOND_START_FD"

// startFD is that descriptor: the first after stdin, stdout and stderr.
const startFD = 3

func isChild() bool { return os.Getenv(startEnv) != "" }

// fork runs this program again, detached, and waits until it is up or has
// failed: the exit status tells which. A Go program cannot fork itself, its
// threads would stay behind.
func fork(stderr io.Writer) int {
	r, w, err := os.Pipe()
	if err != nil {
		return fail(stderr, err)
	}
	self, err := os.Executable()
	if err != nil {
		return fail(stderr, err)
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", startEnv, startFD))
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fail(stderr, fmt.Errorf("become a daemon: %w", err))
	}
	w.Close()
	said, err := io.ReadAll(r)
	switch {
	case err != nil:
		return fail(stderr, err)
	case string(said) == started:
		return 0
	case len(said) > 0:
		fmt.Fprintf(stderr, "mond: %s\n", said)
	default:
		fmt.Fprintln(stderr, "mond: the daemon ended before it was up")
	}
	return 1
}

// started is what a daemon reports when it is up.
const started = "up"

// reportStart tells the process that forked us how the start went: up for
// nil, else the error. Without such a process it does nothing.
func reportStart(err error) {
	if !isChild() {
		return
	}
	os.Unsetenv(startEnv)
	f := os.NewFile(startFD, "start")
	defer f.Close()
	text := started
	if err != nil {
		text = err.Error()
	}
	_, _ = io.WriteString(f, text) // nobody listens any more: nothing to do
}

// detach gives a forked daemon mon's surroundings: umask 022, no standard
// input, what would be printed goes to errFile.
func detach(errFile string) error {
	syscall.Umask(0o022)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	out, err := os.OpenFile(errFile, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return fmt.Errorf("open monerrfile: %w", err)
	}
	defer out.Close()
	for fd, f := range []*os.File{null, out, out} {
		if err := syscall.Dup3(int(f.Fd()), fd, 0); err != nil {
			return fmt.Errorf("detach from the terminal: %w", err)
		}
	}
	return nil
}
