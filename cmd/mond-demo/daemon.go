package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// daemon is the mond that was built beside this program.
type daemon struct {
	cmd   *exec.Cmd
	ended chan error // its end; read once
	bin   string
}

func startMond(_ context.Context, config string, stderr io.Writer) (*daemon, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	d := &daemon{bin: filepath.Dir(self), ended: make(chan error, 1)}
	d.cmd = exec.Command(filepath.Join(d.bin, "mond"), "-c", config, "--log", "stderr", "--log-level", "warn")
	d.cmd.Stderr = stderr
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start mond: %w; make build makes it", err)
	}
	go func() { d.ended <- d.cmd.Wait() }()
	return d, nil
}

// stop asks mond to end and sees to it that it does.
func (d *daemon) stop() error {
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case err := <-d.ended:
		if err != nil {
			return fmt.Errorf("mond's end: %w", err)
		}
		return nil
	case <-time.After(20 * time.Second):
		return errors.Join(errors.New("mond did not stop within 20 s"), d.cmd.Process.Kill())
	}
}

// why shows monctl's answer.
func (d *daemon) why(ctx context.Context, out io.Writer, dir string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(d.bin, "monctl"), "--socket", filepath.Join(dir, "mond.sock"), "why", "web2:http")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("ask monctl: %w", err)
	}
	return nil
}
