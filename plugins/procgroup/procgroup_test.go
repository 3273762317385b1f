package procgroup

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestExit(t *testing.T) {
	s := spawner(t)
	for _, tt := range []struct {
		act  string
		want Exit
		text string
	}{
		{"exit 0", Exit{}, "exited 0"},
		{"exit 3", Exit{Code: 3}, "exited 3"},
		{"exit 300", Exit{Code: 44}, "exited 44"},
		{"die", Exit{Signal: syscall.SIGKILL}, "killed by signal 9 (killed)"},
	} {
		t.Run(tt.act, func(t *testing.T) {
			p := start(t, s, acting(tt.act))
			got := ended(t, p)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if got.String() != tt.text {
				t.Errorf("text %q, want %q", got, tt.text)
			}
			if state(p.Pid()) != 0 {
				t.Errorf("process %d is still there, state %c", p.Pid(), state(p.Pid()))
			}
		})
	}
}

func TestSurroundings(t *testing.T) {
	s := spawner(t)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	t.Setenv("SECRET", "not for children")
	spec := acting("status")
	spec.Dir, spec.Stdout = "/", out
	ended(t, start(t, s, spec))
	got, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"dir /\n", "env [" + actVar + "=status " + quickExit + "]\n", "group true\n"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
}

func TestAround(t *testing.T) {
	s := spawner(t)
	var thread, again int
	spec := acting("exit 3")
	spec.Around = func(start func() error) error {
		thread = syscall.Gettid()
		return start()
	}
	if got := ended(t, start(t, s, spec)); got.Code != 3 {
		t.Errorf("got %v", got)
	}
	refusal := errors.New("not there")
	spec.Around = func(func() error) error {
		again = syscall.Gettid()
		return refusal
	}
	if _, err := s.Start(t.Context(), spec); !errors.Is(err, refusal) || !strings.Contains(err.Error(), spec.Path) {
		t.Errorf("got %v", err)
	}
	if thread == 0 || thread != again {
		t.Errorf("on the threads %d and %d", thread, again)
	}
}

func TestStopEndsAtTerm(t *testing.T) {
	p := start(t, spawner(t), acting("stay"))
	begin := time.Now()
	got, err := p.Stop(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Exit{Signal: syscall.SIGTERM, Stopped: true}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("took %v: the whole grace", took)
	}
	again, err := p.Stop(time.Minute)
	if err != nil || again != got {
		t.Errorf("second stop: %v, %v", again, err)
	}
}

func TestStopKillsTheDeaf(t *testing.T) {
	p, _, _ := startRead(t, spawner(t), acting("deaf"))
	got, err := p.Stop(50 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Exit{Signal: syscall.SIGKILL, Stopped: true}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestStopKillsSuspended(t *testing.T) {
	p := start(t, spawner(t), acting("stay"))
	if err := syscall.Kill(p.Pid(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	got, err := p.Stop(time.Minute)
	if err != nil || got.Signal != syscall.SIGTERM {
		t.Errorf("got %v, %v", got, err)
	}
}

// A grandchild that ignores SIGTERM outlives its parent; the group's SIGKILL
// reaches it all the same.
func TestStopKillsGrandchild(t *testing.T) {
	p, line, _ := startRead(t, spawner(t), acting("parent deaf"))
	grandchild := number(t, line)
	if !alive(grandchild) {
		t.Fatal("the grandchild does not run")
	}
	got, err := p.Stop(50 * time.Millisecond)
	if err != nil || got.Signal == 0 || !got.Stopped {
		t.Errorf("got %v, %v", got, err)
	}
	gone(t, grandchild)
}

// A program in the background that holds the standard output open does not
// keep Wait from returning, and lives on.
func TestWaitIgnoresBackground(t *testing.T) {
	p, line, _ := startRead(t, spawner(t), acting("leave deaf"))
	grandchild := number(t, line)
	t.Cleanup(func() { _ = syscall.Kill(grandchild, syscall.SIGKILL) })
	if diff := cmp.Diff(Exit{}, ended(t, p)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if _, err := p.Stop(0); err != nil {
		t.Error(err)
	}
	if !alive(grandchild) {
		t.Error("the background program was killed")
	}
}

func TestWaitGivesUp(t *testing.T) {
	p := start(t, spawner(t), acting("stay"))
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("no more time")
	cancel(cause)
	if _, err := p.Wait(ctx); !errors.Is(err, cause) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := spawner(t).Start(ctx, acting("stay")); !errors.Is(err, cause) {
		t.Errorf("start: got %v", err)
	}
}

// The child is gone after its host was killed with no chance to clean up.
func TestHostKilled(t *testing.T) {
	host, line, _ := startRead(t, spawner(t), acting("host"))
	child := number(t, line)
	if err := syscall.Kill(host.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ended(t, host)
	gone(t, child)
}

// The death signal follows the thread: it must outlive the goroutine.
func TestCloseKeepsChildren(t *testing.T) {
	s := spawner(t)
	p := start(t, s, acting("stay"))
	s.Close()
	s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if e, err := p.Wait(ctx); err == nil {
		t.Errorf("it ended: %v", e)
	}
	if _, err := s.Start(t.Context(), acting("stay")); !errors.Is(err, ErrClosed) {
		t.Errorf("start after close: %v", err)
	}
	if err := s.StartCmd(exec.Command(os.Args[0])); !errors.Is(err, ErrClosed) {
		t.Errorf("start of a command after close: %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	s := spawner(t)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			p, err := s.Start(t.Context(), Spec{Path: "/bin/sh", Args: []string{"-c", "exit $N"}, Env: []string{"N=" + string(rune('0'+i%10))}})
			if err != nil {
				t.Error(err)
				return
			}
			if e, err := p.Wait(t.Context()); err != nil || e.Code != i%10 {
				t.Errorf("program %d: %v, %v", i, e, err)
			}
		})
	}
	wg.Wait()
}

func TestStartCmd(t *testing.T) {
	s := spawner(t)
	child, keep, err := Lifeline()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{actVar + "=lifeline"}
	cmd.ExtraFiles = []*os.File{child}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGUSR1}
	if err := s.StartCmd(cmd); err != nil {
		t.Fatal(err)
	}
	_ = child.Close()
	if cmd.SysProcAttr.Pdeathsig != syscall.SIGUSR1 {
		t.Error("the command's own death signal was overwritten")
	}
	if pgid, err := syscall.Getpgid(cmd.Process.Pid); err != nil || pgid != cmd.Process.Pid {
		t.Errorf("group %d of process %d, %v", pgid, cmd.Process.Pid, err)
	}
	_ = keep.Close() // as our end would
	if _, ok := errors.AsType[*exec.ExitError](cmd.Wait()); !ok || cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("ended with %v", cmd.ProcessState)
	}
}

func TestStartCmdMissing(t *testing.T) {
	err := spawner(t).StartCmd(exec.Command("/no/such/program"))
	if _, ok := errors.AsType[*StartError](err); !ok || err.Error() != "start /no/such/program: no such file" {
		t.Errorf("got %v", err)
	}
}

func TestKillGroup(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{actVar + "=stay"}
	if err := spawner(t).StartCmd(cmd); err != nil {
		t.Fatal(err)
	}
	if err := KillGroup(cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	if err := KillGroup(cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Errorf("an empty group: %v", err)
	}
	for _, pid := range []int{1, 0, -1} {
		if err := KillGroup(pid, 0); err == nil {
			t.Errorf("group %d was taken", pid)
		}
	}
}

func TestStartGivesUp(t *testing.T) {
	s := spawner(t)
	held, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.do(context.Background(), func() error { close(held); <-release; return nil }) })
	<-held
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.Start(ctx, acting("stay")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(release)
	wg.Wait()
}

// A file that is being written is waited for.
func TestStartWaitsForWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "late")
	self, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(self); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(20*time.Millisecond, func() { _ = f.Close() })
	defer timer.Stop()
	p := start(t, spawner(t), Spec{Path: path})
	if e := ended(t, p); e.Code != 0 {
		t.Error(e)
	}
}

// Ambient capabilities reach the program; one that this process lacks is
// refused in words.
func TestAmbientCaps(t *testing.T) {
	const netRaw = 13
	var out bytes.Buffer
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	spec := acting("status")
	spec.AmbientCaps, spec.Stdout = []uintptr{netRaw}, w
	p, err := spawner(t).Start(t.Context(), spec)
	_ = w.Close()
	if err != nil {
		se, ok := errors.AsType[*StartError](err)
		if !ok || !errors.Is(err, syscall.EPERM) || !strings.Contains(se.Reason, "capabilities") {
			t.Errorf("got %v", err)
		}
		return // this process may not pass it on, and was told so
	}
	if _, err := out.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	ended(t, p)
	if !strings.Contains(out.String(), "CapAmb:\t0000000000002000\n") {
		t.Errorf("CAP_NET_RAW is not ambient:\n%s", &out)
	}
}

func BenchmarkStart(b *testing.B) {
	s, err := New()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for b.Loop() {
		p, err := s.Start(b.Context(), Spec{Path: "/bin/true"})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
