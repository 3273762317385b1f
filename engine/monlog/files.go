package monlog

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/mondhq/mond/engine/view"
)

// Files are the two files. Its methods may be called from any goroutine; none
// but Close waits for a disk.
type Files struct {
	downtime, calls *file
}

// New makes Files that write nothing before [Files.Configure].
func New(log *slog.Logger) *Files {
	return &Files{
		downtime: newFile("downtime log", header, log),
		calls:    newFile("history file", nil, log),
	}
}

// Configure names the files; an empty name is none. It is called at the start
// and at each reload, and opens them anew also where the names are the same.
func (f *Files) Configure(downtime, calls string) {
	f.downtime.configure(downtime)
	f.calls.configure(calls)
}

// Downtime notes an outage that is over.
func (f *Files) Downtime(d Downtime) { f.downtime.add(d.Line()) }

// Call notes a call of an alert.
func (f *Files) Call(c view.Call) { f.calls.add(CallLine(c)) }

// Err is why lines are not on disk, or nil.
func (f *Files) Err() error { return errors.Join(f.downtime.state(), f.calls.state()) }

// Close writes what waits, tries once, and ends; it gives up when ctx ends. An
// error says what was not written.
func (f *Files) Close(ctx context.Context) error {
	f.downtime.end()
	f.calls.end()
	return errors.Join(f.downtime.await(ctx), f.calls.await(ctx))
}

// queueMost is how many lines wait for a disk; the oldest go.
const queueMost = 10_000

// The pause after a write that failed.
const (
	retryMin = time.Second
	retryMax = 30 * time.Second
)

// file is one file and the goroutine that writes it.
type file struct {
	what   string
	header func(now time.Time) string // written when it is opened, or nil
	log    *slog.Logger
	open   func(path string) (handle, error)
	wake   chan struct{} // holds one: "look"
	done   chan struct{} // closed when the goroutine has ended, or never ran

	mu      sync.Mutex
	path    string
	reopen  bool // the next turn opens path, which may be new
	lines   []string
	lost    int
	err     error
	running bool
	ending  bool
}

func newFile(what string, header func(time.Time) string, log *slog.Logger) *file {
	return &file{what: what, header: header, log: log, open: openLog, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

func (f *file) look() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// configure starts the goroutine with the first name.
func (f *file) configure(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ending || path == "" && f.path == "" {
		return
	}
	f.path, f.reopen = path, true
	if !f.running {
		f.running = true
		go f.run() // ends by end
	}
	f.look()
}

// add queues a line, if there is a file.
func (f *file) add(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.path == "" || f.ending {
		return
	}
	f.lines = append(f.lines, line)
	f.trim()
	f.look()
}

func (f *file) trim() {
	if n := len(f.lines) - queueMost; n > 0 {
		f.lines = append([]string(nil), f.lines[n:]...)
		f.lost += n
	}
}

func (f *file) state() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *file) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ending {
		return
	}
	f.ending = true
	if !f.running {
		close(f.done)
	}
	f.look()
}

func (f *file) await(ctx context.Context) error {
	select {
	case <-f.done:
		return f.state()
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), f.state())
	}
}

// turn is what there is to do.
type turn struct {
	path   string
	reopen bool
	lines  []string
	ending bool
}

func (f *file) take() turn {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := turn{f.path, f.reopen, f.lines, f.ending}
	f.reopen, f.lines = false, nil
	return t
}

// settle keeps what came of a turn: lines that were not written wait on, before
// those that came meanwhile.
func (f *file) settle(t turn, err error) {
	f.mu.Lock()
	before := f.err
	f.err = err
	lost := 0
	if err != nil {
		f.lines = append(t.lines, f.lines...)
		f.trim()
	} else {
		lost, f.lost = f.lost, 0
	}
	f.mu.Unlock()
	switch {
	case err != nil && before == nil:
		f.log.Error(f.what+" is not written, will be tried again", "file", t.path, "err", err)
	case err == nil && before != nil:
		f.log.Info(f.what+" is written again", "file", t.path, "lost", lost)
	}
}

// run writes until it is told to end.
func (f *file) run() {
	defer close(f.done)
	w := writer{open: f.open, header: f.header}
	defer w.close()
	pause := time.Duration(0)
	for {
		f.wait(pause)
		t := f.take()
		err := w.write(&t)
		f.settle(t, err)
		switch {
		case t.ending:
			return
		case err == nil:
			pause = 0
		default:
			pause = min(max(2*pause, retryMin), retryMax)
		}
	}
}

// wait waits until there is something to do; after a failure for pause, or
// until the end.
func (f *file) wait(pause time.Duration) {
	if pause == 0 {
		<-f.wake
		return
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return
		case <-f.wake:
			f.mu.Lock()
			now := f.ending || f.reopen
			f.mu.Unlock()
			if now {
				return
			}
		}
	}
}
