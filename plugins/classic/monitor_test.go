package classic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/procgroup"
)

// Every monitor that the real mon was seen to run gets the same from us.
func TestMonitorAsRecorded(t *testing.T) {
	e := acting(t, "record")
	for i, want := range readCalls(t, "monitor-invocations.log") {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			r := RunMonitor(t.Context(), e, monitor.Request{
				Group: want.env["MON_GROUP"], Service: want.env["MON_SERVICE"],
				Args: want.words[:len(want.words)/2], Hosts: want.words[len(want.words)/2:], Env: want.env,
			})
			if r.Cause != monitor.Exited {
				t.Fatalf("got %+v", r)
			}
			got := calls(t, r.Output())[0]
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(call{})); diff != "" {
				t.Errorf("-mon +ours\n%s", diff)
			}
		})
	}
}

func TestRunMonitor(t *testing.T) {
	e := shell(t)
	for _, tt := range []struct {
		name, script string
		want         monitor.Result
	}{
		{"success", "exit 0", monitor.OK("")},
		{"summary and detail", "echo h; echo one; echo two >&2; exit 1", monitor.Failed("h", "one\ntwo\n")},
		{"summary unfinished", "printf h; exit 3", monitor.Result{Cause: monitor.Exited, Exit: 3, Summary: "h"}},
		{"blank summary", "echo; echo more; exit 2", monitor.Result{Cause: monitor.Exited, Exit: 2, Detail: "more\n"}},
		{"low bits of the status", "exit 300", monitor.Result{Cause: monitor.Exited, Exit: 44}},
		{"hosts", `echo "$0"`, monitor.OK("h")},
		{"not UTF-8", `printf 'a\377b'`, monitor.OK("a\uFFFDb")},
		{"nothing to read", "cat; echo read", monitor.OK("read")},
		{"killed by itself", "echo partial; kill -9 $$", monitor.Result{Cause: monitor.Killed, Summary: "killed by signal 9 (killed)", Detail: "partial\n"}},
		{"killed by TERM", "kill -TERM $$", monitor.Result{Cause: monitor.Killed, Summary: "killed by signal 15 (terminated)"}},
		{"a count of 75", "echo 75 servers; exit 75", monitor.Result{Cause: monitor.Exited, Exit: 75, Summary: "75 servers"}},
		{"blind", "echo 'blind (local fault): no route'; exit 75", monitor.Result{Cause: monitor.LocalFault, Summary: "no route"}},
		{"blind is no verdict", "echo 'blind (timed out): slow'; exit 75", monitor.Result{Cause: monitor.Exited, Exit: 75, Summary: "blind (timed out): slow"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, script(t.Context(), t, e, tt.script)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// What is left in the background neither delays the end nor is killed, and
// what it prints later does not count.
func TestMonitorBackground(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	begin := time.Now()
	got := script(t.Context(), t, shell(t), fmt.Sprintf("(sleep 30; echo late) & echo $! >%s; echo early", pidFile))
	if diff := cmp.Diff(monitor.OK("early"), got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("waited %v for the background", took)
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := procgroup.KillGroup(groupOf(t, pid), syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

// groupOf is the process group of a process that must be alive.
func groupOf(t *testing.T, pid int) int {
	t.Helper()
	group, err := syscall.Getpgid(pid)
	if err != nil {
		t.Fatalf("process %d: %v", pid, err)
	}
	return group
}

// A background program that writes without end does not hold up the result.
func TestMonitorBackgroundFlood(t *testing.T) {
	got := script(t.Context(), t, shell(t), "echo first; yes & echo $! >&2; sleep 0.05")
	if got.Cause != monitor.Exited || got.Summary != "first" {
		t.Errorf("got %.100v", got)
	}
	// yes dies of SIGPIPE
}

// enough is a time limit within which a shell can say a word on a busy machine.
const enough = 2 * time.Second

func TestMonitorTimeout(t *testing.T) {
	t.Parallel()
	e := shell(t)
	e.Limit = enough
	for _, tt := range []struct {
		name, script string
		want         monitor.Result
	}{
		{"silent", "sleep 60", monitor.Result{Cause: monitor.TimedOut, Summary: "time limit of 2s reached"}},
		{"spoke", "echo h1; printf more; exec sleep 60", monitor.Result{Cause: monitor.TimedOut, Summary: "h1", Detail: "more\ntime limit of 2s reached\n"}},
		{"deaf", "trap '' TERM; echo h1; sleep 60; sleep 60", monitor.Result{Cause: monitor.TimedOut, Summary: "h1", Detail: "time limit of 2s reached\n"}},
		{"exits at TERM", "trap 'exit 0' TERM; while :; do sleep 0.01; done", monitor.Result{Cause: monitor.TimedOut, Summary: "time limit of 2s reached"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			got := script(t.Context(), t, e, tt.script)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// A grandchild that ignores SIGTERM does not outlive the time limit.
func TestMonitorTimeoutKillsGroup(t *testing.T) {
	t.Parallel()
	e := acting(t, "deaf")
	self := e.Path
	e.Path, e.Grace = "/bin/sh", 50*time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	got := script(ctx, t, e, self+" & echo $!; wait")
	if got.Cause != monitor.TimedOut {
		t.Fatalf("got %+v", got)
	}
	pid, err := strconv.Atoi(got.Summary)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); running(pid); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d lives", pid)
		}
	}
}

// running says whether pid lives and is no zombie.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	return stat[bytes.LastIndexByte(stat, ')')+2] != 'Z'
}

func TestMonitorCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(50*time.Millisecond, cancel)
	defer timer.Stop()
	if got := script(ctx, t, shell(t), "sleep 60"); got.Cause != monitor.NotRun || got.Summary == "" {
		t.Errorf("got %+v", got)
	}
	if got := script(ctx, t, shell(t), "exit 0"); got.Cause != monitor.NotRun {
		t.Errorf("cancelled before: %+v", got)
	}
}

func TestMonitorNoTurn(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if got := script(ctx, t, shell(t), "exit 1"); got.Cause != monitor.Overloaded {
		t.Errorf("got %+v", got)
	}
	late := outcome{ended: context.DeadlineExceeded, waited: 8 * time.Second, output: "h1\n"}
	if got := late.result(10*time.Second, 0); got.Cause != monitor.Overloaded {
		t.Errorf("started late: %+v", got)
	}
}

// A deadline of ctx alone has no number: it would differ from run to run.
func TestMonitorDeadline(t *testing.T) {
	o := outcome{ended: context.DeadlineExceeded}
	if got := o.result(9990*time.Millisecond, 0); got.Cause != monitor.TimedOut || got.Summary != "time limit reached" {
		t.Errorf("got %+v", got)
	}
}

func TestMonitorStuck(t *testing.T) {
	o := outcome{ended: context.DeadlineExceeded, stuck: true}
	want := monitor.Result{Cause: monitor.TimedOut, Summary: "time limit of 10s reached; it hangs inside the kernel and cannot be killed yet"}
	if diff := cmp.Diff(want, o.result(10*time.Second, 10*time.Second)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestMonitorCouldNotStart(t *testing.T) {
	dir := t.TempDir()
	bare := filepath.Join(dir, "bare.monitor")
	if err := os.WriteFile(bare, []byte("echo hello\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	e := shell(t)
	for path, want := range map[string]string{
		bare:             "no #! line",
		dir:              "it is a directory",
		dir + "/nothing": "no such file",
	} {
		e.Path = path
		got := RunMonitor(t.Context(), e, monitor.Request{})
		if got.Cause != monitor.CouldNotStart || !strings.Contains(got.Summary, want) || !strings.Contains(got.Summary, path) {
			t.Errorf("%s: got %+v, want %q", path, got, want)
		}
	}
}

func TestMonitorStartErrors(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want monitor.Cause
	}{
		{&procgroup.StartError{Err: syscall.EAGAIN}, monitor.LocalFault},
		{&procgroup.StartError{Err: syscall.ENOMEM}, monitor.LocalFault},
		{&procgroup.StartError{Err: syscall.EMFILE}, monitor.LocalFault},
		{os.NewSyscallError("pipe2", syscall.EMFILE), monitor.LocalFault},
		{&procgroup.StartError{Err: syscall.E2BIG}, monitor.CouldNotStart},
		{procgroup.ErrClosed, monitor.NotRun},
		{fmt.Errorf("wait: %w", context.Canceled), monitor.NotRun},
		{errors.New("else"), monitor.CouldNotStart},
	} {
		if got := (outcome{startErr: tt.err}).result(time.Second, 0); got.Cause != tt.want || got.Summary == "" {
			t.Errorf("%v: got %+v", tt.err, got)
		}
	}
}

func TestMonitorWithoutDescriptors(t *testing.T) {
	got := RunMonitor(t.Context(), acting(t, "poor"), monitor.Request{})
	if got.Summary != monitor.LocalFault.String() {
		t.Errorf("got %+v", got)
	}
}

// A gigabyte of output neither blocks the program nor is kept.
func TestMonitorFlood(t *testing.T) {
	size := 1 << 30
	if testing.Short() {
		size = 1 << 26
	}
	e := acting(t, "write "+strconv.Itoa(size))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := RunMonitor(t.Context(), e, monitor.Request{})
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Errorf("allocated %d bytes", grown)
	}
	if got.Cause != monitor.Exited || got.Exit != 0 || got.Summary != "many" {
		t.Fatalf("got %.100v", got)
	}
	if !strings.HasSuffix(got.Detail, "x\n[output cut at 64 KiB]\n") || len(got.Detail) > 65<<10 {
		t.Errorf("detail of %d bytes ends in %q", len(got.Detail), got.Detail[len(got.Detail)-40:])
	}
}

func TestMonitorMaxOutput(t *testing.T) {
	e := shell(t)
	e.MaxOutput = 4
	got := script(t.Context(), t, e, `printf 'a\nb\303\251'`) // é is cut in half
	if diff := cmp.Diff(monitor.Result{Cause: monitor.Exited, Summary: "a", Detail: "b\n[output cut at 4 bytes]\n"}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// However long the last output was, the next run starts.
func TestMonitorHugeEnvironment(t *testing.T) {
	e := shell(t)
	env := map[string]string{
		"MON_LAST_OUTPUT": strings.Repeat("é\n", 500_000),
		"BIG":             strings.Repeat("x", 1<<20),
		"NUL":             "a\x00b",
		"BAD=NAME":        "x",
	}
	for i := range 100 { // more than there is room for, though none is too long
		env[fmt.Sprintf("FILL%d", i)] = strings.Repeat("y", 120<<10)
	}
	got := RunMonitor(t.Context(), e, monitor.Request{
		Args: []string{"-c", `echo "${BIG-none} $NUL $MON_GROUP ${#MON_LAST_OUTPUT}"`}, Group: "g", Env: env,
	})
	if got.Cause != monitor.Exited || !strings.HasPrefix(got.Summary, "none ab g ") {
		t.Fatalf("got %+v", got)
	}
}

func TestEnviron(t *testing.T) {
	got := environ(
		[]string{"PATH=/bin", "A=daemon", "A=again", "noise", "MON_GROUP=old"},
		map[string]string{"MON_GROUP": "g", "B": "1"},
		map[string]string{"B": "2", "": "x", "C": "", "MON_LAST_OUTPUT": strings.Repeat("x", maxText+9)},
	)
	want := []string{"A=again", "B=2", "C=", "MON_GROUP=g", "MON_LAST_OUTPUT=" + strings.Repeat("x", maxText), "PATH=/bin"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestFit(t *testing.T) {
	env := []string{"A=1", "LONG=" + strings.Repeat("x", 100), "B=2"}
	if diff := cmp.Diff([]string{"A=1", "B=2"}, fit(env, []string{"word"}, 60)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := fit([]string{"A=1"}, []string{"word"}, 3); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

func TestWriteMonitor(t *testing.T) {
	for _, tt := range []struct {
		name string
		give monitor.Result
		text string
		exit int
	}{
		{"ok", monitor.OK(""), "", 0},
		{"ok with summary", monitor.OK("fine"), "fine\n", 0},
		{"failed", monitor.Failed("h1 h2", "h1: refused"), "h1 h2\nh1: refused\n", 1},
		{"summary of two lines", monitor.Failed("h1\nh2", "d\n"), "h1 h2\nd\n", 1},
		{"no summary", monitor.Failed("", "d"), "\nd\n", 1},
		{"256 is not success", monitor.Result{Cause: monitor.Exited, Exit: 256}, "", 255},
		{"timed out", monitor.Result{Cause: monitor.TimedOut, Summary: "h1"}, "h1\n", 1},
		{"zero", monitor.Result{}, "blind (not run): \n", 75},
		{"blind", monitor.Blinded(monitor.LocalFault, "no route"), "blind (local fault): no route\n", 75},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			exit := WriteMonitor(&out, tt.give)
			if exit != tt.exit || out.String() != tt.text {
				t.Errorf("got %d, %q; want %d, %q", exit, &out, tt.exit, tt.text)
			}
		})
	}
}

// What a program of ours writes, the daemon reads as the same.
func TestMonitorBothWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := monitor.Result{
			Cause:   monitor.Cause(rapid.IntRange(0, 9).Draw(t, "cause")),
			Summary: rapid.StringMatching(`([a-z(): ]{1,20})?`).Draw(t, "summary"),
			Detail:  rapid.StringMatching(`([ -~\n]{0,20}\n)?`).Draw(t, "detail"),
		}
		if r.Cause == monitor.Exited {
			r.Exit = rapid.IntRange(0, 255).Draw(t, "exit")
		}
		var out bytes.Buffer
		exit := WriteMonitor(&out, r)
		want := r
		if r.Cause == monitor.TimedOut {
			want.Cause, want.Exit = monitor.Exited, 1
		}
		if diff := cmp.Diff(want, Verdict(exit, out.String())); diff != "" {
			t.Errorf("-written +read\n%s", diff)
		}
	})
}

func FuzzVerdict(f *testing.F) {
	f.Add(75, "blind (local fault): x\n")
	f.Add(1, "h1\nh2")
	f.Add(75, "blind ()")
	f.Fuzz(func(t *testing.T, code int, output string) {
		r := Verdict(code, output)
		if r.Blind() != (r.Cause != monitor.Exited) || r.Blind() && code != ExitBlind {
			t.Errorf("%d %q: %+v", code, output, r)
		}
		if !r.Blind() && r.Exit != code || strings.Contains(r.Summary, "\n") {
			t.Errorf("%d %q: %+v", code, output, r)
		}
	})
}

func TestMonitorRequest(t *testing.T) {
	got := MonitorRequest([]string{"MON_GROUP=web", "MON_SERVICE=http", "X=a=b"})
	want := monitor.Request{Group: "web", Service: "http", Env: map[string]string{"MON_GROUP": "web", "MON_SERVICE": "http", "X": "a=b"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func BenchmarkRunMonitor(b *testing.B) {
	e := Exec{Spawner: spawner(b), Path: "/bin/true", Env: os.Environ()}
	for b.Loop() {
		if r := RunMonitor(b.Context(), e, monitor.Request{}); r.Blind() {
			b.Fatal(r)
		}
	}
}
