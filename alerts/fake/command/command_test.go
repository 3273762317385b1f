package command

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rig is a program on a double, run in this process.
type rig struct {
	double
	t        *testing.T
	p        Program
	out, err strings.Builder
}

func newRig(t *testing.T) *rig {
	r := &rig{double: double{t.TempDir()}, t: t}
	r.p = programOn(r.double)
	r.p.Out, r.p.Err = &r.out, &r.err
	t.Cleanup(func() { // whatever still repeats, ends
		words := []string{}
		locks, _ := filepath.Glob(filepath.Join(r.dir, "run", "*.repeat"))
		for _, path := range locks {
			words = append(words, strings.TrimSuffix(filepath.Base(path), ".repeat"))
		}
		for _, name := range words {
			j := &job{run: filepath.Join(r.dir, "run")}
			j.group.Name = name
			if err := j.replace(t.Context()); err != nil && t.Context().Err() == nil {
				t.Error(err)
			}
		}
	})
	return r
}

// run runs fake with its files in the folder of the double.
func (r *rig) run(args ...string) int {
	r.t.Helper()
	r.out.Reset()
	r.err.Reset()
	words := append([]string{"--run", filepath.Join(r.dir, "run"), "--config", filepath.Join(r.dir, "etc")}, args...)
	return r.p.Run(r.t.Context(), words)
}

// want runs fake and compares exit status and standard output.
func (r *rig) want(status int, out string, args ...string) {
	r.t.Helper()
	if got := r.run(args...); got != status || strings.TrimSpace(r.out.String()) != out {
		r.t.Errorf("fake %q: exit status %d, want %d; %q, want %q; %s", args, got, status, r.out.String(), out, &r.err)
	}
}

// did compares what was done to the machine.
func (r *rig) did(want string) {
	r.t.Helper()
	if got := r.log(); got != want {
		r.t.Errorf("it did %q, want %q", got, want)
	}
}

// repeater is the process that repeats the announcement of the group, 0 for
// none.
func (r *rig) repeater(name string) int {
	f, err := os.Open(filepath.Join(r.dir, "run", name+".repeat"))
	if err != nil {
		return 0
	}
	defer f.Close()
	held := syscall.Flock_t{Type: syscall.F_WRLCK}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &held); err != nil || held.Type == syscall.F_UNLCK {
		return 0
	}
	return int(held.Pid)
}

// settled waits for what another process does.
func (r *rig) settled(what string, is func() bool) {
	r.t.Helper()
	for range 1000 {
		if is() {
			return
		}
		_ = pause(r.t.Context(), 10*time.Millisecond)
	}
	r.t.Errorf("%s: not within 10 s", what)
}

// TestAsHeartbeatCallsIt: arguments first, action last, honest text, everything
// twice.
func TestAsHeartbeatCallsIt(t *testing.T) {
	r := newRig(t)
	const spec = "10.0.0.3/24/eth0"
	r.want(3, "stopped", spec, "status")
	r.want(0, "", spec, "stop")
	r.did("remove 10.0.0.3")
	r.want(0, "", spec, "start")
	if r.repeater("10.0.0.3") == 0 {
		t.Error("nobody repeats the announcement")
	}
	r.settled("repeating", func() bool {
		text, _ := os.ReadFile(filepath.Join(r.dir, "log"))
		return strings.Contains(string(text), "repeating")
	})
	r.did("add 10.0.0.3; announce 10.0.0.3; repeating 10.0.0.3")
	r.want(0, "running", spec, "status")
	r.want(0, "running", spec, "monitor")
	first := r.repeater("10.0.0.3")
	r.want(0, "", spec, "start")
	if second := r.repeater("10.0.0.3"); second == 0 || second == first {
		t.Errorf("after a second start process %d repeats, before %d", second, first)
	}
	r.want(0, "", spec, "stop")
	if pid := r.repeater("10.0.0.3"); pid != 0 {
		t.Errorf("process %d goes on announcing after the end", pid)
	}
	r.want(3, "stopped", spec, "status")
	r.want(7, "stopped", spec, "monitor")
	r.want(0, "", spec, "stop")
}

func TestRestart(t *testing.T) {
	r := newRig(t)
	r.want(0, "", "10.0.0.3", "start")
	r.log()
	r.want(0, "", "10.0.0.3", "restart")
	if log := r.log(); !strings.Contains(log, "remove 10.0.0.3; add 10.0.0.3; announce 10.0.0.3") {
		t.Error(log)
	}
}

// TestOldWords: those of the old program.
func TestOldWords(t *testing.T) {
	r := newRig(t)
	r.want(0, "", "10.0.0.3")
	r.want(0, "running", "10.0.0.3", "status")
	r.want(0, "", "remove", "10.0.0.3")
	r.want(3, "stopped", "10.0.0.3", "status")
}

// TestGroup: several addresses are running only if all are.
func TestGroup(t *testing.T) {
	r := newRig(t)
	words := []string{"--group", "web", "10.0.0.3", "2001:db8::3/128/eth0"}
	r.want(0, "", append(words, "start")...)
	r.want(0, "running", append(words, "status")...)
	if err := os.Remove(filepath.Join(r.dir, "at-2001:db8::3")); err != nil {
		t.Fatal(err)
	}
	r.want(3, "stopped", append(words, "status")...)
	if want := "1 of 2 addresses are here: 2001:db8::3 missing"; !strings.Contains(r.err.String(), want) {
		t.Errorf("%q, want %q", &r.err, want)
	}
	if strings.Contains(r.err.String(), "running") || strings.Contains(r.err.String(), "OK") {
		t.Errorf("heartbeat would take it for running: %s", &r.err)
	}
	r.want(0, "", append(words, "start")...)
	r.want(0, "running", append(words, "status")...)
}

// TestRepeaterEndsWithTheAddress: somebody else removed it.
func TestRepeaterEndsWithTheAddress(t *testing.T) {
	r := newRig(t)
	r.want(0, "", "10.0.0.3", "start")
	if err := os.Remove(filepath.Join(r.dir, "at-10.0.0.3")); err != nil {
		t.Fatal(err)
	}
	r.settled("the end of the repeats", func() bool { return r.repeater("10.0.0.3") == 0 })
}

// TestFailedStart: what was added is removed again, and the exit status says it.
func TestFailedStart(t *testing.T) {
	for what, want := range map[string]string{"add": "no room", "announce": "announce: no room", "spawn": "repeats the announcement: no room", "look": "no room"} {
		r := newRig(t)
		r.set("fail-"+what, "no room")
		if status := r.run("10.0.0.3", "start"); status != 1 || !strings.Contains(r.err.String(), want) {
			t.Errorf("%s: exit status %d, %s", what, status, &r.err)
		}
		if r.has("at-10.0.0.3") {
			t.Errorf("%s: the address stayed", what)
		}
	}
}

func TestDenied(t *testing.T) {
	r := newRig(t)
	r.set("fail-add", "denied")
	r.want(4, "", "10.0.0.3", "start")
	if !strings.Contains(r.err.String(), "it takes root") {
		t.Error(&r.err)
	}
	r.set("fail-look", "denied")
	r.want(4, "", "10.0.0.3", "status")
	r.want(1, "", "10.0.0.3", "monitor")
}

func TestConflict(t *testing.T) {
	r := newRig(t)
	r.set("stranger", "")
	r.want(1, "", "--conflict", "refuse", "10.0.0.3", "start")
	if want := "00:11:22:33:44:55 answers for it"; !strings.Contains(r.err.String(), want) {
		t.Errorf("%q, want %q", &r.err, want)
	}
	r.did("ask 10.0.0.3")
	r.want(0, "", "10.0.0.3", "start") // nobody asks
	if strings.Contains(r.log(), "ask") {
		t.Error("who runs the program has decided, and it asked")
	}
}

func TestCarrier(t *testing.T) {
	r := newRig(t)
	r.want(0, "", "10.0.0.3", "start")
	r.set("dark", "")
	r.want(0, "running", "10.0.0.3", "monitor")
	r.want(190, "running", "--carrier", "degraded", "10.0.0.3", "monitor")
	r.want(7, "stopped", "--carrier=fail", "10.0.0.3", "monitor")
	r.want(0, "running", "--carrier=fail", "10.0.0.3", "status")
}

func TestPrograms(t *testing.T) {
	r := newRig(t)
	mark := filepath.Join(r.dir, "mark")
	take, release := "/bin/cp /dev/null "+mark, "/bin/rm "+mark
	words := []string{"--on-take", take, "--on-release", release, "10.0.0.3"}
	r.want(0, "", append(words, "start")...)
	if !r.has("mark") {
		t.Error("--on-take was not run")
	}
	r.want(0, "", append(words, "stop")...)
	if r.has("mark") {
		t.Error("--on-release was not run")
	}
	r.log()
	r.want(1, "", "--on-take", "/bin/ls /none/such", "10.0.0.3", "start")
	r.did("")
	r.want(1, "", "--program-limit", "100ms", "--on-take", "/bin/sleep 60", "10.0.0.3", "start")
	if want := "did not end within 100ms"; !strings.Contains(r.err.String(), want) {
		t.Errorf("%q, want %q", &r.err, want)
	}
	// A stop does what it is for, whatever comes after.
	r.want(0, "", "10.0.0.3", "start")
	r.want(0, "", "--on-release", "/bin/false", "10.0.0.3", "stop")
	if r.has("at-10.0.0.3") || !strings.Contains(r.err.String(), "the addresses are removed, but") {
		t.Error(&r.err)
	}
}

func TestWrongWords(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		status int
		want   string
		args   []string
	}{
		{2, "no address and no action", nil},
		{2, `no action "begin": want start, stop`, []string{"10.0.0.3", "begin"}},
		{2, "no address", []string{"start"}},
		{4, "no address", []string{"status"}},
		{4, "is no IP address", []string{"lvs1", "status"}},
		{2, "no such option", []string{"--nosuch", "10.0.0.3", "start"}},
		{2, "say ignore, degraded or fail", []string{"--carrier", "x", "10.0.0.3", "monitor"}},
		{2, "no address", []string{"remove"}},
	} {
		if got := r.run(tt.args...); got != tt.status || !strings.Contains(r.err.String(), tt.want) || r.out.Len() > 0 {
			t.Errorf("fake %q: exit status %d, want %d; %q, want %q; out %q", tt.args, got, tt.status, &r.err, tt.want, &r.out)
		}
	}
	if r.run("--help") != 0 || !strings.Contains(r.out.String(), "--tell") && !strings.Contains(r.out.String(), "-tell") {
		t.Errorf("help: %s", &r.out)
	}
}

func TestOldFiles(t *testing.T) {
	r := newRig(t)
	dir := filepath.Join(r.dir, "etc", "instance_config")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "10.0.0.3.cfg"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("SPOOF_IP=10.0.0.3\nIFCONFIG=TRUE\nTARGET_INTERFACE=eth0:2\nSPOOF_NETMASK=255.255.255.0\nSPOOF_BROADCAST=10.0.0.255\nFAKE_RSH=ssh\n")
	r.want(0, "", "10.0.0.3", "start")
	if !strings.Contains(r.err.String(), "warning: ") || !strings.Contains(r.err.String(), "FAKE_RSH has no effect") {
		t.Errorf("no warning: %s", &r.err)
	}
	r.want(0, "", "10.0.0.3", "stop")

	write("SPOOF_IP=10.0.0.3\nIFCONFIG=FALSE\nTARGET_INTERFACE=eth0\n")
	r.log()
	r.want(1, "", "10.0.0.3", "start")
	if !strings.Contains(r.err.String(), "somebody else adds it") {
		t.Error(&r.err)
	}
	r.set("at-10.0.0.3", "")
	r.want(0, "", "10.0.0.3", "start")
	r.want(0, "", "10.0.0.3", "stop")
	if log := r.log(); strings.Contains(log, "add") || strings.Contains(log, "remove") || !r.has("at-10.0.0.3") {
		t.Errorf("an address of somebody else was touched: %s", log)
	}

	write("SPOOF_IP=10.0.0.4\n")
	r.want(6, "", "10.0.0.3", "start")
	r.want(1, "", "10.0.0.3", "monitor")
	r.want(4, "", "10.0.0.3", "status")
	r.want(0, "running", "10.0.0.3/24", "status") // words of its own: no file is read
}

// TestSerial: an action waits for the one before it on the same group.
func TestSerial(t *testing.T) {
	r := newRig(t)
	j := &job{run: filepath.Join(r.dir, "run")}
	j.group.Name = "10.0.0.3"
	unlock, err := j.serialize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := j.serialize(short); err == nil || !strings.Contains(err.Error(), "another action on 10.0.0.3 has not ended") {
		t.Error(err)
	}
	unlock()
	r.want(0, "", "10.0.0.3", "start")
}

// TestKilledRepeater: a number that is left in the file of one that was killed
// is nobody's.
func TestKilledRepeater(t *testing.T) {
	r := newRig(t)
	r.want(0, "", "10.0.0.3", "start")
	pid := r.repeater("10.0.0.3")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.settled("its end", func() bool { return r.repeater("10.0.0.3") == 0 })
	path := filepath.Join(r.dir, "run", "10.0.0.3.repeat")
	if text, _ := os.ReadFile(path); strings.TrimSpace(string(text)) != strconv.Itoa(pid) {
		t.Errorf("the file says %q", text)
	}
	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getppid())+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.want(0, "", "10.0.0.3", "stop")
}

// What the roles of a mond here move, nobody else takes.
func TestOthersMoveIt(t *testing.T) {
	r := newRig(t)
	r.p.Refuse = func(addresses []netip.Addr) error {
		if len(addresses) == 1 && addresses[0] == netip.MustParseAddr("10.0.0.3") {
			return errors.New("it is moved by roles")
		}
		return nil
	}
	r.want(1, "", "10.0.0.3/32/eth0", "start")
	r.did("")
	if !strings.Contains(r.err.String(), "it is moved by roles") {
		t.Errorf("it says %q", &r.err)
	}
	r.want(0, "", "10.0.0.3/32/eth0", "stop")
}
