package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// appendTo writes text at the end of the file in one write, so that blocks of
// several writers do not mix, and waits until it is on disk. A pipe that
// nobody reads is an error at once, not a wait.
func appendTo(ctx context.Context, path string, text []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o644)
	if err != nil {
		return fmt.Errorf("append to %w", err) // it names the file
	}
	defer func() {
		if closeErr := f.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("append to %w", closeErr)
		}
	}()
	defer context.AfterFunc(ctx, func() { _ = f.Close() })() // a pipe whose reader sleeps
	before, err := size(f)
	if err != nil {
		return fmt.Errorf("append to %w", err)
	}
	n, err := f.Write(text)
	if err != nil {
		return fmt.Errorf("append to %w", errors.Join(err, undo(f, before, int64(n))))
	}
	if err := f.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return fmt.Errorf("append to %w", err)
	}
	return nil
}

// size is the length of a regular file, or -1.
func size(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return -1, err
	}
	return info.Size(), nil
}

// undo removes the beginning of a block that a full disk cut short, if nobody
// has written behind it.
func undo(f *os.File, before, written int64) error {
	if before < 0 || written == 0 {
		return nil
	}
	now, err := size(f)
	if err != nil || now != before+written {
		return err
	}
	return f.Truncate(before)
}
