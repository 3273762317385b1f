package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	// poll is how often a lock that is taken is tried again.
	poll = 20 * time.Millisecond
	// patience is how long the repeating process has to end when it is asked to.
	patience = time.Second
)

// open opens a file of the group in the folder of locks.
func (j *job) open(suffix string) (*os.File, error) {
	if err := os.MkdirAll(j.run, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of locks: %w", err)
	}
	return os.OpenFile(filepath.Join(j.run, j.group.Name+suffix), os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC, 0o644)
}

// serialize waits until no other action on this group is under way.
func (j *job) serialize(ctx context.Context) (unlock func(), err error) {
	f, err := j.open(".lock")
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		if pause(ctx, poll) != nil {
			_ = f.Close()
			return nil, fmt.Errorf("another action on %s has not ended", j.group.Name)
		}
	}
}

// lock makes this process the one that repeats the announcement. The lock is of
// the kind that says who has it, so no number of a process that ended long ago
// is ever believed.
func (j *job) lock(ctx context.Context) (unlock func(), err error) {
	f, err := j.open(".repeat")
	if err != nil {
		return nil, err
	}
	whole := syscall.Flock_t{Type: syscall.F_WRLCK}
	for {
		err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &whole)
		if err == nil {
			_ = f.Truncate(0)
			_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) // for people
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EACCES) && !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		if err := pause(ctx, poll); err != nil {
			_ = f.Close()
			return nil, err
		}
	}
}

// replace ends the process that repeats the announcement, if there is one, and
// waits until it has.
func (j *job) replace(ctx context.Context) error {
	f, err := j.open(".repeat")
	if err != nil {
		return err
	}
	defer f.Close()
	started := time.Now()
	for {
		held := syscall.Flock_t{Type: syscall.F_WRLCK}
		if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &held); err != nil {
			return fmt.Errorf("ask for %s: %w", f.Name(), err)
		}
		if held.Type == syscall.F_UNLCK || held.Pid <= 1 || int(held.Pid) == os.Getpid() {
			return nil // nobody has it, or nobody that can be reached from here
		}
		sig := syscall.SIGTERM
		if time.Since(started) > patience {
			sig = syscall.SIGKILL
		}
		if err := syscall.Kill(int(held.Pid), sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end the process %d that repeats the announcement: %w", held.Pid, err)
		}
		if err := pause(ctx, poll); err != nil {
			return fmt.Errorf("the process %d that repeats the announcement does not end", held.Pid)
		}
	}
}

// awaits returns when the process that repeats the announcement has its lock: a
// stop that follows at once then finds it.
func (j *job) awaits(ctx context.Context) error {
	f, err := j.open(".repeat")
	if err != nil {
		return err
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(ctx, 3*patience)
	defer cancel()
	for {
		held := syscall.Flock_t{Type: syscall.F_WRLCK}
		if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &held); err != nil {
			return fmt.Errorf("ask for %s: %w", f.Name(), err)
		}
		if held.Type != syscall.F_UNLCK {
			return nil
		}
		if pause(ctx, poll) != nil {
			return errors.New("it did not come up")
		}
	}
}

// pause waits, or returns the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
