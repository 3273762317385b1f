package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/procgroup"
)

// rig is a host with the scripted plugins, and a reader who notes what comes.
type rig struct {
	*Host

	t   *testing.T
	opt Options
	log *logged

	mu      sync.Mutex
	next    uint64
	dones   map[uint64]job.Done
	reports []job.Done
	twice   []uint64
	news    chan struct{} // capacity 1
}

// logged is a log that can be searched.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// newRig makes a host whose plugin directory holds all scripts.
func newRig(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, log: &logged{}, dones: map[uint64]job.Done{}, news: make(chan struct{}, 1)}
	sp, err := procgroup.New()
	if err != nil {
		t.Fatal(err)
	}
	r.opt = Options{
		PluginDirs: []string{scriptDir(t)}, RunDir: shortDir(t), Spawner: sp,
		Log: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&r.opt)
	}
	if r.Host, err = New(r.opt); err != nil {
		t.Fatal(err)
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	go r.read(quit, ended)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		r.Stop(ctx)
		close(quit)
		<-ended
		sp.Close()
		if len(r.twice) > 0 {
			t.Errorf("answered twice: %v", r.twice)
		}
		if t.Failed() {
			t.Log(r.log.String())
		}
	})
	return r
}

// shortDir is a directory whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "mh")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// scriptDir has a link for every script to this program.
func scriptDir(t *testing.T) string {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name := range scripts {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (r *rig) read(quit, ended chan struct{}) {
	defer close(ended)
	for {
		select {
		case batch := <-r.Results():
			r.note(batch)
		case <-quit:
			return
		}
	}
}

func (r *rig) note(batch []job.Done) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range batch {
		if d.ID == 0 {
			r.reports = append(r.reports, d)
			continue
		}
		if _, ok := r.dones[d.ID]; ok {
			r.twice = append(r.twice, d.ID)
		}
		r.dones[d.ID] = d
	}
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// checks are n checks of a program, of as many services.
func (r *rig) checks(n int, program string, timeout time.Duration, args ...string) []job.Check {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]job.Check, n)
	for i := range out {
		r.next++
		out[i] = job.Check{ID: r.next, Program: program, Timeout: timeout, Request: monitor.Request{
			Group: "g", Service: strings.Join(args, "") + strconv.Itoa(i), Hosts: []string{"a", "b"}, Args: args,
		}}
	}
	return out
}

// wait returns the answers of checks, within limit.
func (r *rig) wait(checks []job.Check, limit time.Duration) []monitor.Result {
	r.t.Helper()
	end := time.After(limit)
	for {
		r.mu.Lock()
		out := make([]monitor.Result, 0, len(checks))
		for _, c := range checks {
			if d, ok := r.dones[c.ID]; ok {
				out = append(out, d.Result)
			}
		}
		r.mu.Unlock()
		if len(out) == len(checks) {
			return out
		}
		select {
		case <-r.news:
		case <-end:
			r.t.Fatalf("%d of %d checks were answered within %v", len(out), len(checks), limit)
		}
	}
}

// do runs one check and returns its answer.
func (r *rig) do(program string, timeout time.Duration, args ...string) monitor.Result {
	r.t.Helper()
	c := r.checks(1, program, timeout, args...)
	r.Run(c)
	return r.wait(c, timeout+Grace+generous)[0]
}

// generous is what a busy machine may add.
const generous = 10 * time.Second

func (r *rig) pid(program string) int {
	r.t.Helper()
	return r.pidAfter(program, 0)
}

// pidAfter waits until a process other than gone answers.
func (r *rig) pidAfter(program string, gone int) (pid int) {
	r.t.Helper()
	r.until("another process answers", func() bool {
		pid, _ = strconv.Atoi(r.do(program, generous, "-do", "pid").Summary)
		return pid > 0 && pid != gone
	})
	return pid
}

// until waits for something to become true.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(generous); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// out waits until n checks are out with a program.
func (r *rig) out(program string, n int) *supervisor {
	r.t.Helper()
	p, err := r.Find(Monitor, program)
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := r.resident(p)
	if err != nil {
		r.t.Fatal(err)
	}
	r.until(fmt.Sprintf("%d checks are out", n), func() bool { _, out := res.main.flights.busy(); return out == n })
	return res.main
}

func tally(results []monitor.Result) map[monitor.Cause]int {
	n := map[monitor.Cause]int{}
	for _, r := range results {
		n[r.Cause]++
	}
	return n
}

func TestChecks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, tt := range []struct {
		program, do string
		timeout     time.Duration
		cause       monitor.Cause
		exit        int
		has         string
	}{
		{"ok.monitor", "ok", generous, monitor.Exited, 0, "a b"},
		{"ok.monitor", "fail", generous, monitor.Exited, 1, "a b"},
		{"ok.monitor", "panic", generous, monitor.Panicked, 0, "boo"},
		{"ok.monitor", "none", generous, monitor.NotRun, 0, "did not say why"},
		{"ok.monitor", "deaf=900", 200 * time.Millisecond, monitor.TimedOut, 0, "no answer within 200ms"},
		{"ok.monitor", "wait", 200 * time.Millisecond, monitor.Exited, 1, "a"},
		{"ok.monitor", "print", generous, monitor.Exited, 0, "printed"},
		{"ok.monitor", "env=MOND_PLUGIN", generous, monitor.Exited, 0, ""},
		{"ok.monitor", "env=MOND_LIFELINE_FD", generous, monitor.Exited, 0, ""},
		{"noise.monitor", "ok", generous, monitor.Exited, 0, "a b"},
		{"stderr.monitor", "ok", generous, monitor.Exited, 0, "a b"},
		{"garbage.monitor", "ok", time.Second, monitor.PluginLost, 0, "did not start within its time"},
		{"exit.monitor", "ok", generous, monitor.CouldNotStart, 0, "exited 3 before it was ready; it said: cannot open /etc/knock.conf"},
		{"flood.monitor", "ok", generous, monitor.Garbled, 0, "never go-plugin's handshake"},
		{"version.monitor", "ok", generous, monitor.CouldNotStart, 0, "speaks version 7 of mond's plugin protocol, mond speaks 1"},
		{"tcp.monitor", "ok", generous, monitor.Garbled, 0, "listens at tcp 127.0.0.1:1"},
		{"elsewhere.monitor", "ok", generous, monitor.Garbled, 0, "listens at unix /run/other/socket"},
		{"wrong.monitor", "ok", generous, monitor.CouldNotStart, 0, "is of kind alert, wanted was a monitor"},
		{"none.monitor", "ok", generous, monitor.CouldNotStart, 0, `find monitor "none.monitor": it is in none of`},
		{"twice.monitor", "ok", generous, monitor.Exited, 0, ""},
		{"silent.monitor", "ok", 200 * time.Millisecond, monitor.TimedOut, 0, "no answer"},
		{"big.monitor", "ok", generous, monitor.PluginLost, 0, "larger than max"},
		{"invalid.monitor", "ok", generous, monitor.Garbled, 0, "answered cause 77"},
	} {
		t.Run(tt.program+" "+tt.do, func(t *testing.T) {
			r.t = t
			if tt.timeout < generous && tt.program != "garbage.monitor" {
				if _, err := r.out(tt.program, 0).get(t.Context()); err != nil { // its start is not what is timed
					t.Fatal(err)
				}
			}
			res := r.do(tt.program, tt.timeout, "-do", tt.do)
			if res.Cause != tt.cause || res.Exit != tt.exit || !strings.Contains(res.Summary, tt.has) {
				t.Errorf("got %v, exit %d: %s", res.Cause, res.Exit, res.Summary)
			}
			if res.Started.IsZero() || time.Since(res.Started) > time.Minute {
				t.Errorf("started %v", res.Started)
			}
		})
	}
	r.t = t
}

func TestHugeOutputIsCut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	res := r.do("ok.monitor", generous, "-do", "huge")
	if !res.Failing() || len(res.Detail) > 64<<10 || !strings.Contains(res.Detail, "cut here") {
		t.Errorf("%v, %d bytes", res.Cause, len(res.Detail))
	}
}

func TestStrayAnswersAreDropped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	checks := r.checks(10, "twice.monitor", generous)
	r.Run(checks)
	r.wait(checks, 2*generous)
	s := r.out("twice.monitor", 0)
	r.until("strays are counted", func() bool { c, _ := s.flights.strays(); return c.unknown == 30 })
}

// A thousand checks are out when their plugin is killed: all are blind at once,
// and checks go on within two seconds.
func TestKilledPlugin(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	pid := r.pid("ok.monitor")
	checks := r.checks(1000, "ok.monitor", time.Minute, "-do", "wait")
	r.Run(checks)
	r.out("ok.monitor", 1000)
	killed := time.Now()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	results := r.wait(checks, generous)
	if diff := cmp.Diff(map[monitor.Cause]int{monitor.PluginLost: 1000}, tally(results)); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(results[0].Summary, "killed by signal 9") {
		t.Errorf("reason: %s", results[0].Summary)
	}
	r.pidAfter("ok.monitor", pid)
	took := time.Since(killed)
	t.Logf("checks go on after %v", took)
	if took > 2*time.Second {
		t.Errorf("checks go on after %v", took)
	}
}

// A plugin that is stopped gives no verdict: TimedOut would empty the table.
func TestStoppedPlugin(t *testing.T) {
	for _, timeout := range []time.Duration{500 * time.Millisecond, time.Minute} {
		t.Run(timeout.String(), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			pid := r.pid("ok.monitor")
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			checks := r.checks(1000, "ok.monitor", timeout, "-do", "ok")
			r.Run(checks)
			results := r.wait(checks, generous)
			if n := tally(results); n[monitor.PluginLost] != 1000 {
				t.Errorf("got %v", n)
			}
			r.pidAfter("ok.monitor", pid)
		})
	}
}

func TestPluginThatStopsItself(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if res := r.do("ok.monitor", generous, "-do", "stop"); res.Cause != monitor.PluginLost || !strings.Contains(res.Summary, "no sign of life") {
		t.Errorf("got %v %s", res.Cause, res.Summary)
	}
	r.pid("ok.monitor")
}

func TestLostWithItsLastWords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if res := r.do("ok.monitor", generous, "-do", "exit=3"); res.Cause != monitor.PluginLost || !strings.Contains(res.Summary, "exited 3; it said: fatal error: out of luck") {
		t.Errorf("got %v %s", res.Cause, res.Summary)
	}
}

// A descendant that holds the plugin's pipes keeps nobody waiting.
func TestDescendantThatHoldsThePipes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	res := r.do("ok.monitor", generous, "-do", "child")
	pid, err := strconv.Atoi(res.Summary)
	if err != nil {
		t.Fatalf("%+v", res)
	}
	began := time.Now()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.pidAfter("ok.monitor", pid)
	if took := time.Since(began); took > 2500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

func TestInflightLimitAndOverload(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pid("few.monitor")
	slow := r.checks(2, "few.monitor", generous, "-do", "wait=2000")
	r.Run(slow)
	r.out("few.monitor", 2)
	late := r.checks(5, "few.monitor", 200*time.Millisecond, "-do", "ok")
	patient := r.checks(5, "few.monitor", generous, "-do", "ok")
	r.Run(late)
	r.Run(patient)
	if diff := cmp.Diff(map[monitor.Cause]int{monitor.Overloaded: 5}, tally(r.wait(late, generous))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[monitor.Cause]int{monitor.Exited: 7}, tally(r.wait(append(slow, patient...), generous))); diff != "" {
		t.Error(diff)
	}
}

func TestCancelOfChecks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pid("few.monitor")
	checks := r.checks(4, "few.monitor", time.Minute, "-do", "wait")
	r.Run(checks)
	r.out("few.monitor", 2)
	var ids []uint64
	for _, c := range checks {
		ids = append(ids, c.ID)
	}
	r.Cancel(ids)
	if diff := cmp.Diff(map[monitor.Cause]int{monitor.NotRun: 4}, tally(r.wait(checks, generous))); diff != "" {
		t.Error(diff)
	}
}

// The check that makes its plugin crash is found, and hurts nobody after that.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pid("ok.monitor")
	bad := r.checks(1, "ok.monitor", generous, "-do", "exit=3")[0]
	for range crashLimit {
		r.mu.Lock()
		r.next++
		bad.ID = r.next
		r.mu.Unlock()
		r.Run([]job.Check{bad})
		r.wait([]job.Check{bad}, generous)
		r.do("ok.monitor", generous) // until it is up again
	}
	others := r.checks(50, "ok.monitor", generous, "-do", "wait=300")
	r.Run(others)
	r.out("ok.monitor", 50)
	bad.ID += 1000
	r.Run([]job.Check{bad})
	if res := r.wait([]job.Check{bad}, generous)[0]; res.Cause != monitor.PluginLost {
		t.Errorf("the bad one: %+v", res)
	}
	if diff := cmp.Diff(map[monitor.Cause]int{monitor.Exited: 50}, tally(r.wait(others, generous))); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(r.log.String(), "runs alone from now on") {
		t.Error("nobody is told")
	}
}

func TestHangingStart(t *testing.T) {
	t.Parallel()
	sp, err := procgroup.New()
	if err != nil {
		t.Fatal(err)
	}
	defer sp.Close()
	dir := scriptDir(t)
	for _, name := range []string{"hang.monitor", "frozen.monitor", "garbage.monitor"} {
		t.Run(name, func(t *testing.T) {
			l := &launcher{spawner: sp, dir: shortDir(t), log: slog.New(slog.DiscardHandler), limit: 3 * time.Second}
			began := time.Now()
			_, err := l.start(t.Context(), Program{Name: name, Path: filepath.Join(dir, name)}, nil)
			f, ok := errors.AsType[*fault](err)
			if !ok || time.Since(began) > generous {
				t.Fatalf("got %v after %v", err, time.Since(began))
			}
			if name == "garbage.monitor" && f.cause != monitor.Garbled || name == "hang.monitor" && !strings.Contains(f.reason, "longer than 3s") {
				t.Errorf("got %v: %s", f.cause, f.reason)
			}
			for end := time.Now().Add(generous); ; time.Sleep(5 * time.Millisecond) {
				left, err := os.ReadDir(l.dir)
				if err == nil && len(left) == 0 {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("left behind: %v %v", left, err)
				}
			}
		})
	}
}

func TestDescribeValidateShow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, err := r.Find(Monitor, "few.monitor")
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Describe(t.Context(), p)
	want := Manifest{
		Kind: Monitor, Name: "ok.monitor", Synopsis: "does what it is told", MaxInflight: 2,
		Flags: m.Flags,
	}
	if err != nil || len(m.Flags) != 1 || m.Flags[0].Name != "do" {
		t.Errorf("%+v, %v", m, err)
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
	problems, err := r.Validate(t.Context(), p, []string{"-do", "ok", "-x"})
	if err != nil || len(problems) != 0 { // -x after... is an option
		if len(problems) != 1 || problems[0].Index != 2 {
			t.Errorf("%v, %v", problems, err)
		}
	}
	if _, err := r.Validate(t.Context(), Program{Path: "/x"}, nil); err == nil {
		t.Error("a classic program was asked")
	}
	if text, err := r.Show(t.Context(), "few.monitor", ""); err != nil || text != "" {
		t.Errorf("show: %q, %v", text, err)
	}
	if _, err := r.Show(t.Context(), "none.alert", ""); err == nil {
		t.Error("show of nothing")
	}
	if _, err := r.Describe(t.Context(), Program{Name: "exit.monitor", Path: filepath.Join(r.opt.PluginDirs[0], "exit.monitor"), Kind: Monitor, Resident: true}); err == nil || !strings.Contains(err.Error(), "exited 3") {
		t.Errorf("describe: %v", err)
	}
}

func TestSendAndKeep(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*generous)
	defer cancel()
	send := func(ctx context.Context, what string) error {
		return r.Send(ctx, "keep.alert", alert.Request{Kind: alert.Up, Summary: what})
	}
	if err := send(ctx, "fine"); err != nil {
		t.Error(err)
	}
	if err := send(ctx, "permanent"); !alert.IsPermanent(err) {
		t.Errorf("permanent: %v", err)
	}
	if err := send(ctx, "panic"); err == nil || alert.IsPermanent(err) {
		t.Errorf("panic: %v", err)
	}
	short, stop := context.WithTimeout(ctx, 100*time.Millisecond)
	defer stop()
	if err := send(short, "wait"); err == nil || alert.IsPermanent(err) {
		t.Errorf("limit: %v", err)
	}
	if name := <-r.Restarted(); name != "keep.alert" {
		t.Errorf("%s wants its full set", name)
	}
	claims := []alert.Claim{{ID: "x"}, {ID: "y"}}
	if err := r.Keep(ctx, "keep.alert", false, claims); !errors.Is(err, ErrNoFullSet) {
		t.Errorf("changes first: %v", err)
	}
	if err := errors.Join(r.Keep(ctx, "keep.alert", true, claims), r.Keep(ctx, "keep.alert", false, claims[:1])); err != nil {
		t.Error(err)
	}
	if text, err := r.Show(ctx, "keep.alert", ""); err != nil || text != "true 2 false 1" {
		t.Errorf("the keeper was told %q, %v", text, err)
	}
	if err := r.Send(ctx, "none.alert", alert.Request{}); err == nil {
		t.Error("sent to nobody")
	}
}

// A keeper that is killed asks for its full set again, and takes no changes
// before it.
func TestKilledKeeper(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*generous)
	defer cancel()
	if err := r.Keep(ctx, "keep.alert", true, nil); err != nil {
		t.Fatal(err)
	}
	<-r.Restarted()
	p, _ := r.Find(Alert, "keep.alert")
	res, _ := r.resident(p)
	proc, err := res.main.get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(proc.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if name := <-r.Restarted(); name != "keep.alert" {
		t.Errorf("%s wants its full set", name)
	}
	if err := r.Keep(ctx, "keep.alert", false, nil); !errors.Is(err, ErrNoFullSet) {
		t.Errorf("changes: %v", err)
	}
	if err := r.Keep(ctx, "keep.alert", true, nil); err != nil {
		t.Error(err)
	}
}

func (r *rig) reported() (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.reports {
		out = append(out, fmt.Sprintf("%s:%s %v %s", d.Group, d.Service, d.Result.Cause, d.Result.Summary))
	}
	return out
}

func TestWatch(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.MonDirs = []string{"/bin"} })
	has := func(part string) {
		t.Helper()
		r.until("a report of "+part, func() bool {
			return slices.ContainsFunc(r.reported(), func(s string) bool { return strings.Contains(s, part) })
		})
	}
	watch := func(program, service string, args ...string) job.Check {
		return job.Check{Program: program, Request: monitor.Request{Group: "g", Service: service, Args: args}}
	}
	set := []job.Check{watch("watch.monitor", "peer"), watch("watch.monitor", "bad", "-end", "error"), watch("ok.monitor", "deaf"), watch("true", "classic"), watch("none.monitor", "none")}
	r.Watch(set)
	has("g:peer exited up")
	has("g:bad not run the watch ended: peer gone")
	has("g:deaf could not start this monitor never speaks unasked")
	has("g:classic could not start /bin/true is a classic program")
	has("g:none could not start find monitor")
	s := r.out("watch.monitor", 0)
	proc, err := s.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(proc.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	has("g:peer plugin lost watch.monitor killed by signal 9")
	r.until("the watch goes on", func() bool {
		n := 0
		for _, s := range r.reported() {
			if s == "g:peer exited up" {
				n++
			}
		}
		return n >= 2
	})
}

func TestCapabilitiesOnlyWhereBothNameThem(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) {
		o.Grants = map[string][]string{"caps.monitor": {"cap_net_raw", "cap_net_admin"}, "ok.monitor": {"cap_net_raw"}}
	})
	want := "0000000000000000"
	if caps, _ := grantable([]string{"cap_net_raw"}, []string{"cap_net_raw"}, permitted()); len(caps) > 0 {
		want = "0000000000002000"
	}
	if res := r.do("caps.monitor", generous, "-do", "caps"); res.Summary != want {
		t.Errorf("granted and wanted: got %s, want %s", res.Summary, want)
	}
	if res := r.do("ok.monitor", generous, "-do", "caps"); res.Summary != "0000000000000000" {
		t.Errorf("granted, not wanted: %s", res.Summary)
	}
	r.opt.Grants = nil
	r.Reconfigure(r.opt)
	r.until("the grant is taken away", func() bool {
		res := r.do("caps.monitor", generous, "-do", "caps")
		if res.Failing() {
			t.Errorf("a check round the restart: %+v", res)
		}
		return res.Summary == "0000000000000000"
	})
}

func TestReconfigureKeepsWhatIsUnchanged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	pid := r.pid("ok.monitor")
	r.Reconfigure(r.opt)
	if again := r.pid("ok.monitor"); again != pid {
		t.Error("an unchanged plugin was started anew")
	}
	ok, _ := r.Find(Monitor, "ok.monitor")
	few, _ := r.Find(Monitor, "few.monitor")
	r.Prepare([]Program{few})
	r.until("ok.monitor ends", func() bool { return syscall.Kill(pid, 0) != nil })
	r.Prepare([]Program{ok, few})
	if again := r.pid("ok.monitor"); again == pid {
		t.Error("an unused plugin went on")
	}
}

// A plugin that did not start is tried at once after a reload, so that whoever
// mended it need not wait.
func TestReconfigureTriesAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "late.monitor")
	if err := os.WriteFile(file, []byte("#!/bin/sh\necho broken >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(o *Options) { o.PluginDirs = []string{dir} })
	if res := r.do("late.monitor", generous); res.Cause != monitor.CouldNotStart || !strings.Contains(res.Summary, "it said: broken") {
		t.Fatalf("got %+v", res)
	}
	self, _ := os.Executable()
	if err := os.WriteFile(file, []byte("#!/bin/bash\nexec -a ok.monitor "+self+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.Reconfigure(r.opt)
	if res := r.do("late.monitor", generous); res.Blind() {
		t.Errorf("got %+v", res)
	}
}

func TestStopIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	pid := r.pid("ok.monitor")
	checks := r.checks(10, "ok.monitor", time.Minute, "-do", "wait")
	r.Run(checks)
	r.out("ok.monitor", 10)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	began := time.Now()
	r.Stop(ctx)
	if took := time.Since(began); took > 3*time.Second+generous {
		t.Errorf("it took %v", took)
	}
	r.until("the plugin is gone", func() bool { return syscall.Kill(pid, 0) != nil })
	if res := r.do("ok.monitor", generous); res.Cause != monitor.NotRun {
		t.Errorf("a check after the stop: %+v", res)
	}
	if _, err := r.Describe(t.Context(), Program{Name: "x", Path: "/x", Resident: true}); !errors.Is(err, errStopped) {
		t.Errorf("describe after the stop: %v", err)
	}
}

func TestStopAnswersWhatIsOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	quick := r.checks(5, "ok.monitor", generous, "-do", "wait=300")
	slow := r.checks(5, "ok.monitor", time.Minute, "-do", "wait")
	r.Run(append(quick, slow...))
	r.out("ok.monitor", 10)
	ctx, cancel := context.WithTimeout(t.Context(), generous)
	defer cancel()
	r.Stop(ctx)
	r.wait(append(quick, slow...), generous) // the last batch may still be on its way into r.dones
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.dones[quick[0].ID]; d.Result.Cause != monitor.Exited {
		t.Errorf("a check that was nearly done: %+v", d.Result)
	}
	if d := r.dones[slow[0].ID]; d.Result.Cause != monitor.NotRun {
		t.Errorf("a check that would have taken a minute: %+v", d.Result)
	}
}

func TestClassicPrograms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script("web.monitor", `echo "$2 $3"; echo "$MON_STATEDIR"; exit 2`)
	script("hang.monitor", `sleep 60`)
	script("killed.monitor", `kill -9 $$`)
	script("file.alert", `cat > "$(dirname "$0")/told"; echo "$@" >> "$(dirname "$0")/told"; echo noted`)
	r := newRig(t, func(o *Options) { o.MonDirs, o.AlertDirs, o.StateDir = []string{dir}, []string{dir}, "/state" })
	if res := r.do("web.monitor", generous, "-x"); res.Cause != monitor.Exited || res.Exit != 2 || res.Output() != "a b\n/state\n" {
		t.Errorf("got %+v", res)
	}
	if res := r.do("hang.monitor", 200*time.Millisecond); res.Cause != monitor.TimedOut {
		t.Errorf("hang: %+v", res)
	}
	if res := r.do("killed.monitor", generous); res.Cause != monitor.Killed {
		t.Errorf("killed: %+v", res)
	}
	err := r.Send(t.Context(), "file.alert", alert.Request{Kind: alert.Up, Group: "g", Service: "s", Output: "text\n"})
	told, rerr := os.ReadFile(filepath.Join(dir, "told"))
	if err != nil || rerr != nil || !strings.HasPrefix(string(told), "text\n-s s -g g -h ") {
		t.Errorf("%v %v %s", err, rerr, told)
	}
	if !strings.Contains(r.log.String(), "output=\"noted") {
		t.Error("what an alert prints is lost")
	}
	if err := r.Keep(t.Context(), "file.alert", true, nil); err == nil {
		t.Error("a classic program took claims")
	}
}
