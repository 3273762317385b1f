// Package procgroup starts programs so that none of them outlives its use:
// each in a process group of its own, which is ended as a whole, and with a
// death signal in case this process is killed. Classic programs
// (plugins/classic) and resident ones (plugins/host) are started by it alike.
//
// It knows nothing of monitors, alerts or go-plugin, and does not reach a
// descendant that leaves its group (setsid): that is a daemon by its own wish.
// It is for Linux only.
//
// Why one thread: the kernel sends the death signal when the thread that
// forked ends, not the process. Go ends threads (a goroutine that returns
// while locked takes its thread with it), and a child of such a thread would
// be killed for no reason. So every start happens on one thread that is locked
// for the life of the [Spawner]. Forking is serial by that; vfork(2) keeps the
// thread for about a millisecond a start.
package procgroup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// ErrClosed is returned for a start after [Spawner.Close].
var ErrClosed = errors.New("start a program: the spawner is closed")

// A file that is still open for writing somewhere cannot be run (ETXTBSY).
// During an upgrade, or when a fork elsewhere in this process holds a copy of
// the descriptor until its exec, that lasts for milliseconds: worth a wait.
const (
	busyTries = 20
	busyWait  = 5 * time.Millisecond
)

// Spawner starts programs from one locked thread. Its methods may be called
// concurrently.
type Spawner struct {
	null  *os.File
	calls chan func() // unbuffered; taken by the locked goroutine only
	quit  chan struct{}
	ended chan struct{}
	once  sync.Once
}

// New starts the locked thread. The caller calls [Spawner.Close] at the end.
// It fails when /dev/null cannot be opened.
func New() (*Spawner, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("prepare to start programs: %w", err)
	}
	s := &Spawner{
		null:  null,
		calls: make(chan func()),
		quit:  make(chan struct{}),
		ended: make(chan struct{}),
	}
	go s.run() // ends with Close, which waits for it
	return s, nil
}

// run serves starts until Close. It unlocks its thread before it returns: the
// thread then lives on in the runtime's pool, and with it the children.
func (s *Spawner) run() {
	defer close(s.ended)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		select {
		case f := <-s.calls:
			f()
		case <-s.quit:
			return
		}
	}
}

// Close refuses further starts and returns when the one under way is done. It
// ends no child: stop them first. Those left behind get their death signal
// when this process ends. Close may be called more than once.
func (s *Spawner) Close() {
	s.once.Do(func() {
		close(s.quit)
		<-s.ended
		_ = s.null.Close() // read and written by nobody here
	})
}

// do runs f on the locked thread and returns what it returned. ctx bounds the
// wait for the thread; a start that has begun is never abandoned.
func (s *Spawner) do(ctx context.Context, f func() error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("wait for a start: %w", over(ctx))
	}
	done := make(chan error, 1)
	select {
	case s.calls <- func() { done <- f() }:
		return <-done
	case <-s.quit:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("wait for a start: %w", over(ctx))
	}
}

// over is the error of the ended ctx, with its cause where that says more.
func over(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return ctx.Err()
}

// again runs start on the locked thread until the program's file is no longer
// busy. It waits outside the thread, so that other starts go on.
func (s *Spawner) again(ctx context.Context, start func() error) error {
	for try := 1; ; try++ {
		err := s.do(ctx, start)
		if try == busyTries || !errors.Is(err, syscall.ETXTBSY) {
			return err
		}
		time.Sleep(busyWait)
	}
}

// StartCmd is cmd.Start on the locked thread, with cmd in a process group of
// its own and with a death signal: SIGKILL unless cmd.SysProcAttr says another.
// The rest of cmd.SysProcAttr is kept. Waiting for cmd is the caller's; end its
// group with [KillGroup] before waiting. An error of the start itself is a
// [*StartError].
func (s *Spawner) StartCmd(cmd *exec.Cmd) error {
	attr := syscall.SysProcAttr{}
	if cmd.SysProcAttr != nil {
		attr = *cmd.SysProcAttr
	}
	attr.Setpgid, attr.Pgid = true, 0
	if attr.Pdeathsig == 0 {
		attr.Pdeathsig = syscall.SIGKILL
	}
	cmd.SysProcAttr = &attr
	// No retry when busy: a Cmd can be started once only.
	err := s.do(context.Background(), cmd.Start)
	if err == nil || errors.Is(err, ErrClosed) {
		return err
	}
	return explain(cmd.Path, cmd.Dir, err)
}

// KillGroup sends sig to every member of the process group that pid leads. A
// group without members is no error. pid must not have been waited for, or the
// group must be known to have members: a number is used again otherwise. It
// refuses pid 0 and 1 and anything below, which name other groups than one of
// ours.
func KillGroup(pid int, sig syscall.Signal) error {
	if pid <= 1 {
		return fmt.Errorf("signal process group %d: not a group of ours", pid)
	}
	if err := syscall.Kill(-pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %v to process group %d: %w", sig, pid, err)
	}
	return nil
}

// Lifeline makes a pipe by which a child learns that this process is gone,
// however it ended: pass child in ExtraFiles and close it here after the
// start, hold keep open and write nothing to it. The child ends itself when a
// read of its end returns. Closing keep ends the child by intent.
func Lifeline() (child, keep *os.File, err error) {
	child, keep, err = os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("make a lifeline pipe: %w", err)
	}
	return child, keep, nil
}
