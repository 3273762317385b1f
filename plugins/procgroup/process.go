package procgroup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrStuck is returned by [Process.Stop] when the kernel has not ended a
// process that was sent SIGKILL: it waits inside the kernel, such as for a
// file server that is gone. It is reaped when it ends, whenever that is.
var ErrStuck = errors.New("stop a program: it hangs inside the kernel and cannot be killed yet")

// What Stop allows for.
const (
	killWait  = 2 * time.Second      // from SIGKILL to the end of the process
	groupPoll = 5 * time.Millisecond // the kernel does not tell when a group is empty
)

// Spec is a program to start.
type Spec struct {
	// Path is the program's file and must have a slash in it: $PATH is not
	// searched.
	Path string
	// Args are the words after the program's name (argv[1] and on); argv[0] is
	// Path.
	Args []string
	// Env is the whole environment, "NAME=value"; nothing is inherited.
	Env []string
	// Dir is the working directory; empty means that of this process.
	Dir string
	// Stdin, Stdout and Stderr are /dev/null when nil. They stay open here.
	Stdin, Stdout, Stderr *os.File
	// ExtraFiles become descriptors 3 and on. They stay open here.
	ExtraFiles []*os.File
	// AmbientCaps are numbers of Linux capabilities that the program gets. They
	// must be permitted to this process.
	AmbientCaps []uintptr
	// Around, when not nil, is what the start happens in: it calls start, on the
	// thread that all starts share, and returns what that returned. What it
	// changes of the thread, such as its network namespace, the program inherits;
	// it must have changed it back when it returns, and must not block. A start
	// may be tried several times.
	Around func(start func() error) error
	// DeathSignal is sent when this process ends; 0 means SIGKILL. The kernel
	// drops it for programs that are setuid or have file capabilities.
	DeathSignal syscall.Signal
}

// Process is a program that was started. Its methods may be called
// concurrently.
type Process struct {
	pid  int
	done chan struct{} // closed by reap, after which exit is fixed

	mu      sync.Mutex
	stopped bool // Stop or Kill was called before it was reaped
	reaped  bool
	exit    Exit
}

// Exit is how a process ended.
type Exit struct {
	// Code is the exit status, 0 to 255; read it only when Signal is 0. It is
	// -1 when something else in this process took the status away.
	Code int
	// Signal is the one that killed it, or 0.
	Signal syscall.Signal
	// Stopped is set when [Process.Stop] or [Process.Signal] had been called
	// before it ended: the end is then ours, not its own.
	Stopped bool
}

// String is "exited 3" or "killed by signal 9 (killed)", with ", stopped by us"
// where so.
func (e Exit) String() string {
	text := fmt.Sprintf("exited %d", e.Code)
	if e.Signal != 0 {
		text = fmt.Sprintf("killed by signal %d (%v)", int(e.Signal), e.Signal)
	}
	if e.Stopped {
		text += ", stopped by us"
	}
	return text
}

// Start starts a program in a process group of its own. ctx bounds the wait
// for a turn, not the life of the program. When the program cannot be run the
// error is a [*StartError].
func (s *Spawner) Start(ctx context.Context, spec Spec) (*Process, error) {
	if !strings.Contains(spec.Path, "/") {
		return nil, fmt.Errorf("start %q: a path with a slash is wanted", spec.Path)
	}
	var proc *os.Process
	start := func() (err error) {
		proc, err = os.StartProcess(spec.Path, append([]string{spec.Path}, spec.Args...), s.attr(spec))
		return err
	}
	if around, bare := spec.Around, start; around != nil {
		start = func() error { return around(bare) }
	}
	err := s.again(ctx, start)
	if err != nil {
		if _, ok := errors.AsType[*os.PathError](err); ok {
			return nil, explain(spec.Path, spec.Dir, err)
		}
		return nil, fmt.Errorf("start %s: %w", spec.Path, err)
	}
	p := &Process{pid: proc.Pid, done: make(chan struct{})}
	go p.reap(proc) // ends with the process
	return p, nil
}

func (s *Spawner) attr(spec Spec) *os.ProcAttr {
	files := make([]*os.File, 0, 3+len(spec.ExtraFiles))
	for _, f := range []*os.File{spec.Stdin, spec.Stdout, spec.Stderr} {
		if f == nil {
			f = s.null
		}
		files = append(files, f)
	}
	death := spec.DeathSignal
	if death == 0 {
		death = syscall.SIGKILL
	}
	env := spec.Env
	if env == nil {
		env = []string{} // nil would inherit
	}
	return &os.ProcAttr{
		Dir:   spec.Dir,
		Env:   env,
		Files: append(files, spec.ExtraFiles...),
		Sys: &syscall.SysProcAttr{
			Setpgid:     true,
			Pdeathsig:   death,
			AmbientCaps: spec.AmbientCaps,
		},
	}
}

// reap waits for the process, whether anybody asks for it or not, so that no
// zombie is left.
func (p *Process) reap(proc *os.Process) {
	state, err := proc.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaped = true
	p.exit = Exit{Code: -1, Stopped: p.stopped}
	if err == nil {
		p.exit = exitOf(state.Sys().(syscall.WaitStatus), p.stopped)
	}
	close(p.done)
}

func exitOf(ws syscall.WaitStatus, stopped bool) Exit {
	if ws.Signaled() {
		return Exit{Signal: ws.Signal(), Stopped: stopped}
	}
	return Exit{Code: ws.ExitStatus(), Stopped: stopped}
}

// Pid is the number of the process and of its group.
func (p *Process) Pid() int { return p.pid }

// Done is closed when the process has ended and was reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait returns how the process ended, or the error of ctx. Descendants
// may live on. It may be called any number of times.
func (p *Process) Wait(ctx context.Context) (Exit, error) {
	select {
	case <-p.done:
		return p.exit, nil
	case <-ctx.Done():
		return Exit{}, over(ctx)
	}
}

// Signal sends sig to the whole group, unless the process has been reaped.
func (p *Process) Signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return nil
	}
	p.stopped = true
	return KillGroup(p.pid, sig)
}

// Stop ends the process and its whole group: SIGTERM, then as soon as the
// group is empty or grace is over SIGKILL, also for descendants that outlived
// the process. It returns when the process is reaped, or [ErrStuck] some two
// seconds after SIGKILL. A process that has been reaped before is left alone
// and with it the rest of its group, whose number may be another's by now.
func (p *Process) Stop(grace time.Duration) (Exit, error) {
	if !p.terminate() {
		return p.exit, nil
	}
	limit := time.NewTimer(grace)
	defer limit.Stop()
	select {
	case <-p.done:
		if p.emptied(limit.C) {
			return p.exit, nil
		}
	case <-limit.C:
	}
	// The number is still the group's: the unreaped leader holds it, or a
	// member that emptied saw a moment ago.
	_ = KillGroup(p.pid, syscall.SIGKILL) // no more than can be done
	return p.killed()
}

// terminate sends SIGTERM, and SIGCONT so that a suspended group sees it. It
// reports false when the process has been reaped.
func (p *Process) terminate() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return false
	}
	p.stopped = true
	// An error is EPERM of a program that changed its user: SIGKILL will tell.
	_ = KillGroup(p.pid, syscall.SIGTERM)
	_ = KillGroup(p.pid, syscall.SIGCONT)
	return true
}

// emptied reports true as soon as the group of the reaped leader has no member,
// false when limit fires before. A zombie that nobody reaps counts as a member.
func (p *Process) emptied(limit <-chan time.Time) bool {
	tick := time.NewTicker(groupPoll)
	defer tick.Stop()
	for syscall.Kill(-p.pid, 0) == nil {
		select {
		case <-tick.C:
		case <-limit:
			return false
		}
	}
	return true
}

func (p *Process) killed() (Exit, error) {
	limit := time.NewTimer(killWait)
	defer limit.Stop()
	select {
	case <-p.done:
		return p.exit, nil
	case <-limit.C:
		return Exit{}, ErrStuck
	}
}
