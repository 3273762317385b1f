package command

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// maxOutput is how much of what a program says is told.
const maxOutput = 1024

// runAll runs programs in order, each at most limit; the first that fails is
// the last.
func runAll(ctx context.Context, programs [][]string, limit time.Duration) error {
	for _, words := range programs {
		if err := runOne(ctx, words, limit); err != nil {
			return err
		}
	}
	return nil
}

// runOne runs one program in a process group of its own, which is killed when
// the limit is over.
func runOne(ctx context.Context, words []string, limit time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(limited, words[0], words[1:]...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 200 * time.Millisecond // a grandchild may hold the pipe
	said := &head{}
	cmd.Stdout, cmd.Stderr = said, said
	err := cmd.Run()
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return nil
	case limited.Err() != nil && ctx.Err() == nil:
		err = fmt.Errorf("it did not end within %v and was killed", limit)
	}
	if text := strings.TrimSpace(string(said.text)); text != "" {
		err = fmt.Errorf("%w: %s", err, text)
	}
	return fmt.Errorf("%s: %w", strings.Join(words, " "), err)
}

// head keeps the beginning of what is written to it.
type head struct{ text []byte }

func (h *head) Write(b []byte) (int, error) {
	h.text = append(h.text, b[:min(len(b), maxOutput-len(h.text))]...)
	return len(b), nil
}
