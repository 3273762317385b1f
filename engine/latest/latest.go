// Package latest keeps a small file at its newest content. Whoever has content
// hands it over and goes on: a goroutine of the file writes it, through a
// temporary file beside it, so that readers see the old content or the new one
// and a crash leaves one of them. What could not be written is tried again, and
// newer content takes its place.
//
// It is for files that are always written whole and are read by others, such
// as mon's statedir/disabled; not for what must survive (engine/store) or what
// is appended to (engine/monlog).
package latest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The pause after a write that failed.
const (
	retryMin = time.Second
	retryMax = 30 * time.Second
)

// File is one such file. Its methods may be called from any goroutine.
type File struct {
	what  string // for the log
	log   *slog.Logger
	write func(path string, content []byte) error
	wake  chan struct{} // holds one: "look"
	done  chan struct{} // closed when the goroutine has ended, or never ran

	mu      sync.Mutex
	path    string
	content []byte
	fresh   bool // content is not on disk
	err     error
	waiting []chan error // of those who wait for content; each holds one
	running bool
	ending  bool
}

// New makes a File that writes nothing before it is told to.
func New(what string, log *slog.Logger) *File {
	return &File{what: what, log: log, write: replace, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// Set hands over content and does not wait. It is ignored after Close.
func (f *File) Set(path string, content []byte) { f.put(path, content, nil) }

// Write hands over content and waits until it, or newer content, is written or
// could not be: then it is tried again later all the same.
func (f *File) Write(ctx context.Context, path string, content []byte) error {
	told := make(chan error, 1)
	if !f.put(path, content, told) {
		return fmt.Errorf("write %s: the daemon ends", path)
	}
	select {
	case err := <-told:
		return err
	case <-ctx.Done():
		return fmt.Errorf("write %s: %w", path, context.Cause(ctx))
	}
}

// put hands over content; false after Close.
func (f *File) put(path string, content []byte, told chan error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ending {
		return false
	}
	f.path, f.content, f.fresh = path, content, true
	if told != nil {
		f.waiting = append(f.waiting, told)
	}
	if !f.running {
		f.running = true
		go f.run() // ends by Close
	}
	f.look()
	return true
}

// Err is why the newest content is not on disk, or nil.
func (f *File) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Close writes what waits, tries once, and ends; it gives up when ctx ends.
func (f *File) Close(ctx context.Context) error {
	f.mu.Lock()
	if !f.ending {
		f.ending = true
		if !f.running {
			close(f.done)
		}
		f.look()
	}
	f.mu.Unlock()
	select {
	case <-f.done:
		return f.Err()
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), f.Err())
	}
}

func (f *File) look() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// run writes until it is told to end.
func (f *File) run() {
	defer close(f.done)
	pause := time.Duration(0)
	for {
		f.await(pause)
		f.mu.Lock()
		path, content, fresh, ending := f.path, f.content, f.fresh, f.ending
		waiting := f.waiting
		f.fresh, f.waiting = false, nil
		f.mu.Unlock()
		var err error
		if fresh {
			err = f.write(path, content)
			f.settle(path, err)
		}
		for _, told := range waiting {
			told <- err
		}
		switch {
		case ending:
			return
		case err == nil:
			pause = 0
		default:
			pause = min(max(2*pause, retryMin), retryMax)
		}
	}
}

// await waits until there is something to do, after a failure at most for
// pause.
func (f *File) await(pause time.Duration) {
	if pause == 0 {
		<-f.wake
		return
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.wake:
	}
}

// settle keeps what came of a write; content that was not written is tried
// again, unless there is newer.
func (f *File) settle(path string, err error) {
	f.mu.Lock()
	before := f.err
	f.err = err
	f.fresh = f.fresh || err != nil
	f.mu.Unlock()
	switch {
	case err != nil && before == nil:
		f.log.Error(f.what+" is not written, will be tried again", "file", path, "err", err)
	case err == nil && before != nil:
		f.log.Info(f.what+" is written again", "file", path)
	}
}

// replace writes a file by renaming a new one over it. Like mon's own it may be
// read by all.
func replace(path string, content []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("%w; make the folder, or name another with statedir", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.Write(content)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
