package classic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mondhq/mond/plugins/procgroup"
)

// maxLeftover bounds what is read after the program has ended, in case
// something that it left behind writes without end. It is the largest size of
// a pipe that a user may ask for.
const maxLeftover = 1 << 20

// outcome is how a run ended.
type outcome struct {
	exit   procgroup.Exit
	output string // valid UTF-8, cut at Exec.MaxOutput with a mark
	// startErr is set when the program was not started; all below is zero then.
	startErr error
	// ended is nil when the program ended by itself, otherwise why it was
	// stopped.
	ended error
	// stuck is set when not even SIGKILL ended it.
	stuck  bool
	waited time.Duration // for its turn to start
	began  time.Time
	took   time.Duration
}

// run runs the program to its end, or to that of ctx and a grace, and returns
// when it was reaped. What it left in the background lives on after an end of
// its own, and is killed with it otherwise.
func (e Exec) run(ctx context.Context, words, env []string, in *feed, death syscall.Signal) outcome {
	asked := time.Now()
	l, err := e.listen()
	if err != nil {
		in.started(false)
		return outcome{startErr: err}
	}
	defer l.close()
	p, err := e.Spawner.Start(ctx, procgroup.Spec{
		Path: e.Path, Args: words, Env: fit(env, words, room()), Dir: e.Dir,
		Stdin: in.child(), Stdout: l.stdout, Stderr: l.stderr,
		AmbientCaps: e.Caps, Around: e.Around, DeathSignal: death,
	})
	l.started() // the child has its own ends; only then an end can be read
	in.started(err == nil)
	if err != nil {
		return outcome{startErr: err, waited: time.Since(asked)}
	}
	o := outcome{began: time.Now(), waited: time.Since(asked)}
	if e.Started != nil {
		e.Started(p.Pid())
	}
	l.run()
	e.await(ctx, p, l, &o)
	o.took = time.Since(o.began)
	o.output = l.finish()
	return o
}

// listening is the reading of what a program prints: on both its outputs
// together or, by Exec.Aside, on each by itself.
type listening struct {
	captures       []*capture // the output proper first
	stdout, stderr *os.File   // the ends to write to
}

// listen prepares to read.
func (e Exec) listen() (*listening, error) {
	out, stdout, err := newCapture(e.maxOutput())
	if err != nil {
		return nil, err
	}
	l := &listening{captures: []*capture{out}, stdout: stdout, stderr: stdout}
	if !e.Aside {
		return l, nil
	}
	aside, stderr, err := newCapture(e.maxOutput())
	if err != nil {
		l.started()
		l.close()
		return nil, err
	}
	l.captures, l.stderr = append(l.captures, aside), stderr
	return l, nil
}

// started gives back the ends to write to.
func (l *listening) started() {
	_ = l.stdout.Close()
	if l.stderr != l.stdout {
		_ = l.stderr.Close()
	}
}

// run begins to read; it goes on until finish.
func (l *listening) run() {
	for _, c := range l.captures {
		go c.run() // ends with c.finish
	}
}

// ignore makes it keep nothing more.
func (l *listening) ignore() {
	for _, c := range l.captures {
		c.deaf.Store(true)
	}
}

// finish ends the reading. Where each output is read by itself the first that
// is not blank counts.
func (l *listening) finish() (text string) {
	for _, c := range l.captures {
		if said := c.finish(); strings.TrimSpace(text) == "" {
			text = said
		}
	}
	return text
}

func (l *listening) close() {
	for _, c := range l.captures {
		c.close()
	}
}

// await waits for p's end, at the end of ctx by stopping it. What p prints when
// it is stopped, such as a shell's "Terminated", is not its answer.
func (e Exec) await(ctx context.Context, p *procgroup.Process, l *listening, o *outcome) {
	var err error
	if o.exit, err = p.Wait(ctx); err == nil {
		return
	}
	cause := err
	l.ignore()
	o.exit, err = p.Stop(e.grace())
	o.stuck = err != nil
	// A program that ended while the time ran out has answered.
	if o.stuck || o.exit.Stopped {
		o.ended = cause
	}
}

// capture reads a pipe to its end and keeps the first bytes.
type capture struct {
	r    *os.File
	max  int
	kept bytes.Buffer // of the goroutine in run until done is closed
	cut  bool
	deaf atomic.Bool // nothing more is kept
	done chan struct{}
}

// newCapture also returns the end to write to.
func newCapture(limit int) (c *capture, w *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("make a pipe for a program's output: %w", err)
	}
	return &capture{r: r, max: limit, done: make(chan struct{})}, w, nil
}

// Write keeps what fits and drops the rest, so that the program never waits.
func (c *capture) Write(b []byte) (int, error) {
	if c.deaf.Load() {
		return len(b), nil
	}
	keep := b[:min(len(b), c.max-c.kept.Len())]
	c.cut = c.cut || len(keep) < len(b)
	c.kept.Write(keep)
	return len(b), nil
}

func (c *capture) run() {
	defer close(c.done)
	_, _ = io.Copy(c, c.r) // ends at the last writer's end, or by finish
}

// finish takes what is in the pipe at this moment without waiting for more,
// and returns what was kept.
func (c *capture) finish() string {
	_ = c.r.SetReadDeadline(time.Now())
	<-c.done
	_ = c.r.SetReadDeadline(time.Time{})
	c.leftover()
	text := strings.ToValidUTF8(c.kept.String(), "\uFFFD")
	if c.cut {
		text = strings.TrimRight(text, "\uFFFD") // half a character at the cut
		text += fmt.Sprintf("\n[output cut at %s]\n", sizeText(c.max))
	}
	return text
}

// leftover reads until the pipe is empty. The deadline that ended run did so
// before the last bytes were read.
func (c *capture) leftover() {
	raw, err := c.r.SyscallConn()
	if err != nil {
		return
	}
	buf := make([]byte, 32<<10)
	for total := 0; total < maxLeftover; {
		n := 0
		err = raw.Read(func(fd uintptr) bool {
			n, err = syscall.Read(int(fd), buf)
			return true // never wait for more
		})
		if n <= 0 {
			return
		}
		_, _ = c.Write(buf[:n])
		total += n
	}
}

func (c *capture) close() { _ = c.r.Close() }

// sizeText is n bytes in words.
func sizeText(n int) string {
	if n%1024 == 0 {
		return fmt.Sprintf("%d KiB", n/1024)
	}
	return fmt.Sprintf("%d bytes", n)
}

// feed writes a text to a program's standard input. A nil feed is /dev/null.
type feed struct {
	text string
	r, w *os.File
	done chan struct{}
}

func newFeed(text string) (*feed, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe for a program's input: %w", err)
	}
	return &feed{text: text, r: r, w: w, done: make(chan struct{})}, nil
}

// child is the end for the program.
func (f *feed) child() *os.File {
	if f == nil {
		return nil
	}
	return f.r
}

// started begins to write when the program runs.
func (f *feed) started(ok bool) {
	if f == nil {
		return
	}
	_ = f.r.Close()
	if !ok {
		_ = f.w.Close()
		close(f.done)
		return
	}
	go f.run() // ends when all is read, nobody reads any more, or by finish
}

// run ignores errors: a program need not read its input (EPIPE).
func (f *feed) run() {
	defer close(f.done)
	_, _ = io.WriteString(f.w, f.text)
	_ = f.w.Close()
}

// finish ends the writing, whether all was read or not.
func (f *feed) finish() {
	_ = f.w.SetWriteDeadline(time.Now())
	<-f.done
}

// localShortage reports whether err says that this machine lacks something, so
// that the program may be in order.
func localShortage(err error) bool {
	if se, ok := errors.AsType[*procgroup.StartError](err); ok {
		return se.Local()
	}
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
