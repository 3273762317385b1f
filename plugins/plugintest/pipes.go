package plugintest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxKept bounds what is kept of an output.
	maxKept = 1 << 20
	// straggling is how long an output is read after its program has ended, if
	// something that it left behind holds it open.
	straggling = 500 * time.Millisecond
)

// output reads what a program prints.
type output struct {
	r     *os.File
	skip  int // bytes that fill the pipe beforehand
	kept  bytes.Buffer
	ended chan struct{} // closed when all was read; nil before begin
}

// newOutput also returns the end to write to.
func newOutput(how outlet) (o *output, w *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("make a pipe for a program's output: %w", err)
	}
	o = &output{r: r}
	switch how {
	case gone:
		err = r.Close()
	case full:
		o.skip, err = fill(w)
	case read:
	}
	if err != nil {
		return nil, nil, errors.Join(err, w.Close(), o.close())
	}
	if how == read {
		o.begin()
	}
	return o, w, nil
}

// fill writes to a pipe as much as it takes.
func fill(w *os.File) (n int, err error) {
	raw, err := w.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("fill a pipe: %w", err)
	}
	cerr := raw.Control(func(fd uintptr) { n, err = unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0) })
	if err = errors.Join(cerr, err); err != nil {
		return 0, fmt.Errorf("ask for the size of a pipe: %w", err)
	}
	_, err = w.Write(make([]byte, n))
	return n, err
}

// begin reads from now on, if nothing does yet.
func (o *output) begin() {
	if o.ended != nil {
		return
	}
	o.ended = make(chan struct{})
	go func() { // ends with the last writer, or by text
		defer close(o.ended)
		_, _ = io.Copy(o, o.r)
	}()
}

// Write keeps the first bytes.
func (o *output) Write(b []byte) (int, error) {
	o.kept.Write(b[:min(len(b), maxKept-o.kept.Len())])
	return len(b), nil
}

// text is what was printed, once the program has ended.
func (o *output) text() string {
	o.begin()
	select {
	case <-o.ended:
	case <-time.After(straggling):
		_ = o.r.SetReadDeadline(time.Now())
		<-o.ended
	}
	return string(bytes.ToValidUTF8(o.kept.Bytes()[min(o.skip, o.kept.Len()):], []byte("\uFFFD")))
}

func (o *output) close() error { return closed(o.r) }

// feed writes what a program is to read.
type feed struct {
	w    *os.File
	text string
	held bool
	done chan struct{} // nil before begin
}

// newInput returns the end for the program and what writes to the other one.
func newInput(c call) (*os.File, *feed, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("make a pipe for a program's input: %w", err)
	}
	return r, &feed{w: w, text: c.stdin, held: c.held}, nil
}

// begin writes all; a program need not read it (EPIPE).
func (f *feed) begin() {
	f.done = make(chan struct{})
	go func() { // ends with the program, or by end
		defer close(f.done)
		_, _ = io.WriteString(f.w, f.text)
		if !f.held {
			_ = f.w.Close()
		}
	}()
}

// end stops the writing, wherever it is.
func (f *feed) end() error {
	_ = f.w.SetWriteDeadline(time.Now()) // it may be closed
	if f.done != nil {
		<-f.done
	}
	return closed(f.w)
}

// closed closes f unless it is.
func closed(f *os.File) error {
	if err := f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("close a pipe: %w", err)
	}
	return nil
}
