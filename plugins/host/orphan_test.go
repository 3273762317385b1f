package host

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/procgroup"
	"github.com/mondhq/mond/plugins/rpc"
)

// gone waits until a process has ended; one that nobody has reaped counts.
func gone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(generous); ; time.Sleep(5 * time.Millisecond) {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %d lives on: %s", pid, stat)
		}
	}
}

// The host is killed: its plugins end, and what it left is swept by the next.
func TestPluginsEndWithTheirHost(t *testing.T) {
	t.Parallel()
	dir, run := scriptDir(t), shortDir(t)
	cmd := exec.Command(filepath.Join(dir, "hoster"), dir, run)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, perr := strconv.Atoi(strings.TrimSpace(line))
	if kerr := cmd.Process.Kill(); err != nil || perr != nil || kerr != nil {
		t.Fatalf("%q: %v %v %v", line, err, perr, kerr)
	}
	_ = cmd.Wait()
	gone(t, pid)
	left, err := os.ReadDir(run)
	if err != nil || len(left) != 1 {
		t.Fatalf("the killed host left %v, %v", left, err)
	}
	d, err := openRunDir(run)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.close() }()
	if left, _ = os.ReadDir(run); len(left) != 1 || filepath.Join(run, left[0].Name()) != d.path {
		t.Errorf("after the sweep: %v", left)
	}
}

// Without a death signal, which the kernel drops for some programs, the end of
// the lifeline is enough.
func TestLifelineAlone(t *testing.T) {
	t.Parallel()
	child, keep, err := procgroup.Lifeline()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(scriptDir(t), "ok.monitor"))
	cmd.ExtraFiles = []*os.File{child}
	cmd.Env = append(os.Environ(), rpc.CookieKey+"="+rpc.CookieValue, rpc.LifelineEnv+"=3",
		"PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_UNIX_SOCKET_DIR="+shortDir(t))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = child.Close()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !isHandshake(line) {
		t.Errorf("%q %v", line, err)
	}
	_ = keep.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("it did not end well: %v", err)
	}
}

// SIGINT of a terminal goes to all of its processes; a plugin ends with its
// host, not before. SIGTERM is for it alone.
func TestSignalsToAPlugin(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	pid := r.pid("ok.monitor")
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if again := r.pid("ok.monitor"); again != pid {
		t.Error("it ended by SIGINT")
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	r.pidAfter("ok.monitor", pid)
	if strings.Contains(r.log.String(), "killed by signal 15") {
		t.Error("SIGTERM is no clean end")
	}
}

func TestRunDir(t *testing.T) {
	dir := filepath.Join(shortDir(t), "run")
	a, err := openRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	foreign := filepath.Join(dir, "foreign")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := openRunDir(dir) // a second host beside the first
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{a.path, b.path, foreign} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("swept: %v", err)
		}
	}
	if a.close() != nil || b.close() != nil {
		t.Error("close")
	}
	if _, err := openRunDir(strings.Repeat("x", maxRunDir+1)); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("long path: %v", err)
	}
	if _, err := openRunDir(""); err == nil {
		t.Error("no path")
	}
}
