package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/procgroup"
	"github.com/mondhq/mond/plugins/rpc"
)

// fault is why a plugin could not be started, as the cause of a blind result.
type fault struct {
	cause  monitor.Cause
	reason string
}

func (f *fault) Error() string { return f.reason }

// maxNoise is how much a plugin may print before its handshake: libraries do.
const maxNoise = 64 << 10

// drainTime is how long the pipes of a process that ended are still read; a
// descendant may hold them open for ever.
const drainTime = 100 * time.Millisecond

// runner starts a plugin's process for go-plugin, which by itself would give it
// our standard input and no group, lifeline or directory for its socket, and
// would wait for descendants that hold its pipes.
type runner struct {
	spawner *procgroup.Spawner
	path    string
	args    []string
	caps    []uintptr
	log     *pluginLog

	cmd    *exec.Cmd                         // carries go-plugin's environment
	tmp    string                            // where the plugin is to make its socket
	begun  atomic.Pointer[procgroup.Process] // nil before the start
	doomed atomic.Bool                       // Kill was called, perhaps before the start
	keep   *os.File                          // the lifeline
	hello  *io.PipeReader
	greets *io.PipeWriter
	first  atomic.Pointer[string] // the handshake, as printed
	noise  atomic.Pointer[string] // the first line that was none
}

// lifelineFD is the number of the first extra file in the child.
const lifelineFD = 3

// Start starts the process. ctx bounds the wait for a turn to fork.
func (r *runner) Start(ctx context.Context) error {
	var files []*os.File
	closeAll := func() {
		for _, f := range files {
			_ = f.Close() // our copies; nothing was written
		}
	}
	pipe := func() (*os.File, *os.File, error) {
		a, b, err := os.Pipe()
		files = append(files, a, b)
		return a, b, err
	}
	out, outW, err1 := pipe()
	errs, errW, err2 := pipe()
	child, keep, err3 := procgroup.Lifeline()
	files = append(files, child, keep)
	if err := errors.Join(err1, err2, err3); err != nil {
		closeAll()
		return err
	}
	proc, err := r.spawner.Start(ctx, procgroup.Spec{
		Path: r.path, Args: r.args,
		Env:    append(r.cmd.Env, rpc.LifelineEnv+"="+strconv.Itoa(lifelineFD)),
		Stdout: outW, Stderr: errW, ExtraFiles: []*os.File{child}, AmbientCaps: r.caps, Around: slackened,
	})
	if err != nil {
		closeAll()
		return err
	}
	for _, f := range []*os.File{outW, errW, child} {
		_ = f.Close() // the child has its own
	}
	r.keep = keep
	r.begun.Store(proc)
	if r.doomed.Load() {
		_ = r.Kill(ctx) // it came while we forked
	}
	r.follow(proc, out, errs)
	return nil
}

// follow reads both pipes until the process and drainTime are over.
func (r *runner) follow(proc *procgroup.Process, out, errs *os.File) {
	go func() { r.log.read(errs) }()                   // ends with the deadline below
	go func() { r.greet(out); _ = r.greets.Close() }() // likewise
	go func() {                                        // ends with the process
		<-proc.Done()
		limit := time.Now().Add(drainTime)
		_, _ = out.SetReadDeadline(limit), errs.SetReadDeadline(limit)
		time.Sleep(2 * drainTime)
		_, _, _ = out.Close(), errs.Close(), r.keep.Close()
		_ = r.hello.Close()
	}()
}

// greet hands go-plugin the first line that looks like its handshake, and
// nothing after it: what libraries print goes to the log.
func (r *runner) greet(out io.Reader) {
	noise := 0
	in := newLines(func(s string) {
		switch {
		case r.first.Load() == nil && noise < maxNoise && isHandshake(s):
			r.first.Store(&s)
			_, _ = io.WriteString(r.greets, s+"\n") // an error means nobody waits for it
			_ = r.greets.Close()
		case strings.TrimSpace(s) != "":
			r.noise.CompareAndSwap(nil, &s)
			r.log.said(s)
		}
		if noise += len(s) + 1; noise >= maxNoise && r.first.Load() == nil {
			_ = r.greets.Close()
		}
	})
	_, _ = io.Copy(in, bufio.NewReader(out))
	if in.part.Len() > 0 {
		s := in.part.String()
		r.noise.CompareAndSwap(nil, &s)
	}
}

// isHandshake reports whether a line begins with go-plugin's two versions.
func isHandshake(s string) bool {
	parts := strings.Split(s, "|")
	if len(parts) < 4 {
		return false
	}
	_, err1 := strconv.Atoi(strings.TrimSpace(parts[0]))
	_, err2 := strconv.Atoi(parts[1])
	return err1 == nil && err2 == nil
}

// Wait returns when the process was reaped.
func (r *runner) Wait(ctx context.Context) error {
	exit, err := r.begun.Load().Wait(ctx)
	if err == nil && (exit.Code != 0 || exit.Signal != 0) {
		err = errors.New(exit.String())
	}
	return err
}

// Kill kills the process and its group, now or as soon as it begins.
func (r *runner) Kill(context.Context) error {
	r.doomed.Store(true)
	if proc := r.begun.Load(); proc != nil {
		return proc.Signal(syscall.SIGKILL)
	}
	return nil
}

// Stdout is the handshake only.
func (r *runner) Stdout() io.ReadCloser { return r.hello }

// Stderr is empty: pluginLog reads it.
func (r *runner) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name is the program's file.
func (r *runner) Name() string { return r.path }

// ID is the number of the process.
func (r *runner) ID() string {
	if proc := r.begun.Load(); proc != nil {
		return strconv.Itoa(proc.Pid())
	}
	return ""
}

// Diagnose adds nothing to an error: see blame.
func (r *runner) Diagnose(context.Context) string { return "" }

// PluginToHost refuses an address outside of the plugin's own directory: a
// plugin is not to make mond connect to anything else.
func (r *runner) PluginToHost(network, address string) (string, string, error) {
	if network != "unix" || filepath.Dir(filepath.Clean(address)) != r.tmp {
		return "", "", fmt.Errorf("the plugin listens at %s %s, which is not in %s", network, address, r.tmp)
	}
	return network, address, nil
}

// HostToPlugin changes nothing: both see the same files.
func (r *runner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// blame says why a start failed, in words for whoever installed the plugin; err
// is what go-plugin or gRPC made of it.
func (r *runner) blame(ctx context.Context, err error) *fault {
	f := &fault{cause: monitor.CouldNotStart}
	if se, ok := errors.AsType[*procgroup.StartError](err); ok {
		if se.Local() {
			f.cause = monitor.LocalFault
		}
		f.reason = se.Error()
		return f
	}
	r.settle()
	f.reason = "start " + r.path + ": " + r.why(ctx, f, err)
	if words := r.log.words(); words != "" {
		f.reason += "; it said: " + words
	}
	return f
}

func (r *runner) why(ctx context.Context, f *fault, err error) string {
	hello, noise := r.first.Load(), r.noise.Load()
	switch {
	case hello != nil && badVersion(*hello) != "":
		return badVersion(*hello)
	case hello == nil && noise != nil:
		f.cause = monitor.Garbled
		return fmt.Sprintf("it printed %q and never go-plugin's handshake (is it a program for mondir or alertdir?)", clip(*noise))
	case r.ended() != "":
		return "it " + r.ended() + " before it was ready"
	case ctx.Err() != nil:
		return "it was not ready: " + context.Cause(ctx).Error()
	case hello != nil:
		f.cause = monitor.Garbled
	}
	return err.Error()
}

// ended says how the process ended by itself, "" if it runs or was ended by us.
func (r *runner) ended() string {
	proc := r.begun.Load()
	if proc == nil {
		return ""
	}
	select {
	case <-proc.Done():
	default:
		return ""
	}
	exit, err := proc.Wait(context.Background())
	if err != nil || exit.Stopped && exit.Signal == syscall.SIGKILL {
		return ""
	}
	exit.Stopped = false // it was quicker than our signal
	return exit.String()
}

// settle gives a process that is ending the time to do so, and its last words
// the time to come.
func (r *runner) settle() {
	proc := r.begun.Load()
	if proc == nil {
		return
	}
	select {
	case <-proc.Done():
		time.Sleep(drainTime / 10)
	case <-time.After(3 * drainTime):
	}
}

// badVersion says what is wrong with the versions in a handshake, "" if
// nothing.
func badVersion(hello string) string {
	parts := strings.Split(strings.TrimSpace(hello), "|")
	want := strconv.Itoa(rpc.ProtocolVersion)
	switch {
	case parts[0] != "1":
		return fmt.Sprintf("it speaks version %s of go-plugin's core protocol, mond speaks 1", clip(parts[0]))
	case parts[1] != want:
		return fmt.Sprintf("it speaks version %s of mond's plugin protocol, mond speaks %s: install the one that belongs to this mond", clip(parts[1]), want)
	case len(parts) < 5 || parts[4] != "grpc":
		return "it does not speak gRPC"
	}
	return ""
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}
