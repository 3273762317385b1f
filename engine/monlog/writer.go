package monlog

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// handle is what the writer does with an open file.
type handle interface {
	Write(b []byte) (int, error)
	ReadAt(b []byte, at int64) (int, error)
	Stat() (fs.FileInfo, error)
	Truncate(size int64) error
	Close() error
}

// openLog opens a file to append to. A pipe that nobody reads is an error
// instead of a wait.
func openLog(path string) (handle, error) {
	return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR|unix.O_NONBLOCK, 0o644)
}

// writer appends whole lines to a file, which others may rename or remove.
type writer struct {
	open   func(path string) (handle, error)
	header func(now time.Time) string
	path   string
	f      handle
}

// write does what t asks for, and takes from it the lines that are written.
// What waits goes to the file that is open, before
// another is opened, unless that has been renamed.
func (w *writer) write(t *turn) error {
	if w.f != nil && t.path != w.path && w.append(t.lines) == nil {
		t.lines = nil
	}
	if t.reopen || w.moved() {
		w.close()
	}
	if t.path == "" {
		return nil
	}
	if w.f == nil {
		if err := w.begin(t.path); err != nil {
			return err
		}
	}
	err := w.append(t.lines)
	if err == nil {
		t.lines = nil
	}
	return err
}

// begin opens the file. One that ends in the middle of a line, as a crash may
// leave it, gets its end first.
func (w *writer) begin(path string) error {
	f, err := w.open(path)
	if err != nil {
		return fmt.Errorf("%w; make its folder, or name another with logdir", err)
	}
	w.f, w.path = f, path
	var first []string
	if w.torn() {
		first = append(first, "")
	}
	if w.header != nil {
		first = append(first, strings.TrimSuffix(w.header(time.Now()), "\n"))
	}
	if err := w.append(first); err != nil {
		w.close()
		return err
	}
	return nil
}

// torn reports whether the file ends in the middle of a line.
func (w *writer) torn() bool {
	info, err := w.f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	var last [1]byte
	_, err = w.f.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

// append writes lines, all or none: what a full disk leaves of them is cut off
// again.
func (w *writer) append(lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	info, err := w.f.Stat()
	if err != nil {
		return err
	}
	text := []byte(strings.Join(lines, "\n") + "\n")
	n, err := w.f.Write(text)
	if err == nil {
		return nil
	}
	if now, statErr := w.f.Stat(); n > 0 && statErr == nil && now.Size() == info.Size()+int64(n) {
		_ = w.f.Truncate(info.Size()) // else the next opening ends the line
	}
	return err
}

// moved reports whether the file is no longer where it was: something rotates
// logs.
func (w *writer) moved() bool {
	if w.f == nil {
		return false
	}
	is, err := w.f.Stat()
	at, atErr := os.Stat(w.path)
	return err != nil || atErr != nil || !os.SameFile(is, at)
}

func (w *writer) close() {
	if w.f != nil {
		_ = w.f.Close()
		w.f = nil
	}
}
