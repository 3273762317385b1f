package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// lingering is how long a program may take to end once it is killed, before it
// is left behind: one that is root by its setuid bit cannot be killed.
const lingering = time.Second

// mostAnswer is how much of a program's output is kept.
const mostAnswer = 64 << 10

// program is another program that is asked something.
type program struct {
	words []string
	env   []string
	// answers says that what it writes is of interest; else nobody sees it.
	answers bool
	// turns are taken by each that runs, also by those left behind.
	turns gate
	// limit is how long it may take, waiting for its turn included.
	limit time.Duration
}

// ask gives a program its input and returns its output, unless still, asked when
// it is its turn, is against it. An error that is not an *[exec.ExitError] means
// that nobody knows its answer.
func (p program) ask(ctx context.Context, still func() error, input string, more ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	if err := p.turns.enter(ctx); err != nil {
		return "", fmt.Errorf("run %s: %d of it run already: %w", p.words[0], cap(p.turns), err)
	}
	if err := still(); err != nil {
		p.turns.leave()
		return "", err
	}
	return p.run(ctx, input, more)
}

// run takes its turn along, and ends it.
func (p program) run(ctx context.Context, input string, more []string) (string, error) {
	cmd := exec.Command(p.words[0], append(p.words[1:len(p.words):len(p.words)], more...)...)
	out := &firstBytes{most: mostAnswer}
	cmd.Dir, cmd.Env = "/", p.env
	if p.answers {
		cmd.Stdout = out
	}
	cmd.Stdin, cmd.WaitDelay = strings.NewReader(input), lingering
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		p.turns.leave()
		return "", fmt.Errorf("run %s: %w", p.words[0], err)
	}
	ended := make(chan error, 1) // never blocks whoever waits for the program
	go func() {
		defer p.turns.leave()
		ended <- cmd.Wait()
	}()
	select {
	case err := <-ended:
		return out.text(), p.told(err)
	case <-ctx.Done():
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	select {
	case <-ended:
	case <-time.After(lingering):
	}
	return "", fmt.Errorf("run %s: no answer in time: %w", p.words[0], ctx.Err())
}

// told is the error of a program that ended.
func (p program) told(err error) error {
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // it said yes, and left something behind that holds its output
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if err == nil || ok && exit.Exited() {
		return err
	}
	return fmt.Errorf("run %s: %w", p.words[0], notExit{err})
}

// notExit hides that an error is an *exec.ExitError: the program was killed.
type notExit struct{ err error }

func (n notExit) Error() string { return n.err.Error() }

// firstBytes keeps the beginning of what is written to it.
type firstBytes struct {
	buf  bytes.Buffer
	most int
}

func (f *firstBytes) Write(b []byte) (int, error) {
	f.buf.Write(b[:min(len(b), f.most-f.buf.Len())])
	return len(b), nil
}

func (f *firstBytes) text() string { return f.buf.String() }
