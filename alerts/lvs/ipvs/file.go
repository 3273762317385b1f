package ipvs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// File is a table in a file in the format of `ipvsadm-save -n`. A missing file
// is an empty table; an edit replaces the file whole, under a lock on FILE.lock
// that every user of this package takes. What a row says beyond this package's
// types, and lines that are no rows, are kept.
type File struct{ path string }

var _ Editor = (*File)(nil)

// OpenFile gives the table in the file path. It does not read it.
func OpenFile(path string) (*File, error) {
	if path == "" {
		return nil, errors.New("a table file needs a name")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("table file %s: %w", path, err)
	}
	return &File{path: abs}, nil
}

// Close does nothing: a file is open only while it is read or written.
func (f *File) Close() error { return nil }

// Services implements [Table].
func (f *File) Services(context.Context) ([]Service, error) {
	r, err := f.load()
	if err != nil {
		return nil, wrap("read the virtual services", Virtual{}, netip.AddrPort{}, err)
	}
	return r.list(), nil
}

// Service implements [Table].
func (f *File) Service(_ context.Context, v Virtual) (Service, error) {
	const op = "read the virtual service"
	r, err := f.load()
	if err != nil {
		return Service{}, wrap(op, v, netip.AddrPort{}, err)
	}
	s, err := r.service(v)
	return s, wrap(op, v, netip.AddrPort{}, err)
}

// Destinations implements [Table].
func (f *File) Destinations(_ context.Context, v Virtual) ([]Destination, error) {
	r, err := f.load()
	if err != nil {
		return nil, wrap("read the real servers of", v, netip.AddrPort{}, err)
	}
	d, err := r.destinations(v)
	return d, wrap("read the real servers of", v, netip.AddrPort{}, err)
}

// AddService implements [Table].
func (f *File) AddService(ctx context.Context, s Service) error {
	return f.Edit(ctx, func(t Table) error { return t.AddService(ctx, s) })
}

// UpdateService implements [Table].
func (f *File) UpdateService(ctx context.Context, s Service) error {
	return f.Edit(ctx, func(t Table) error { return t.UpdateService(ctx, s) })
}

// DeleteService implements [Table].
func (f *File) DeleteService(ctx context.Context, v Virtual) error {
	return f.Edit(ctx, func(t Table) error { return t.DeleteService(ctx, v) })
}

// AddDestination implements [Table].
func (f *File) AddDestination(ctx context.Context, v Virtual, d Destination) error {
	return f.Edit(ctx, func(t Table) error { return t.AddDestination(ctx, v, d) })
}

// UpdateDestination implements [Table].
func (f *File) UpdateDestination(ctx context.Context, v Virtual, d Destination) error {
	return f.Edit(ctx, func(t Table) error { return t.UpdateDestination(ctx, v, d) })
}

// DeleteDestination implements [Table].
func (f *File) DeleteDestination(ctx context.Context, v Virtual, real netip.AddrPort) error {
	return f.Edit(ctx, func(t Table) error { return t.DeleteDestination(ctx, v, real) })
}

// Edit implements [Editor]: one lock, one read and at most one write, which is
// on disk when Edit returns. Without any change nothing is written.
func (f *File) Edit(ctx context.Context, edit func(Table) error) error {
	const op = "edit table file"
	unlock, err := f.lock(ctx)
	if err != nil {
		return wrap(op, Virtual{}, netip.AddrPort{}, err)
	}
	defer unlock()
	r, err := f.load()
	if err != nil {
		return wrap(op, Virtual{}, netip.AddrPort{}, err)
	}
	m := &memory{rows: r}
	err = edit(m)
	if m.changed {
		err = errors.Join(err, wrap(op, Virtual{}, netip.AddrPort{}, f.store(r.bytes())))
	}
	return err
}

func (f *File) load() (*rows, error) {
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return newRows(), nil
	}
	if err != nil {
		return nil, err
	}
	r, err := parseRows(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, f.path, err)
	}
	return r, nil
}

// lockPoll is how often a lock that another process holds is tried again.
const lockPoll = 2 * time.Millisecond

// lock takes the lock on FILE.lock, which is never removed: the file itself
// is replaced by every write and cannot carry it.
func (f *File) lock(ctx context.Context) (unlock func(), err error) {
	return Lock(ctx, f.path+".lock")
}

// Lock takes an exclusive lock on the file path, which is made if it is
// missing and stays. It waits until ctx ends.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	l, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	for {
		err := syscall.Flock(int(l.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = l.Close() }, nil // closing gives the lock back
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = l.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			_ = l.Close()
			return nil, fmt.Errorf("lock %s, which another process holds: %w", path, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

// store replaces the file by data: readers see the old text or the new, and so
// does a machine that lost its power.
func (f *File) store(data []byte) error {
	path := f.path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link to the table stays a link
	}
	return Replace(path, data, 0o644)
}

// Replace writes data to the file path so that after a crash at any moment
// either the old text or the new is there. An existing file keeps its mode; a
// new one gets mode.
func Replace(path string, data []byte, mode fs.FileMode) error {
	if old, err := os.Stat(path); err == nil {
		mode = old.Mode().Perm()
	}
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	err = fill(tmp, data, mode)
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return err
	}
	return syncDir(dir)
}

func fill(tmp *os.File, data []byte, mode fs.FileMode) error {
	_, err := tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	return errors.Join(err, tmp.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
