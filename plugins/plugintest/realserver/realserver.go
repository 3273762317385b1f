// Package realserver starts servers of the distribution for tests: each in the
// foreground, on a port of its own, with files of its own, until the test ends.
//
// It is for tests only, and configures no server: who tests against one knows
// how.
package realserver

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Need skips the test if file is missing, and says which package of Debian has
// it; where MOND_NOSKIP is set it fails the test.
func Need(t testing.TB, pkg, file string) {
	t.Helper()
	if _, err := os.Stat(file); err == nil {
		return
	}
	lacking(t, fmt.Sprintf("this test needs %s of Debian's package %s: scripts/deps installs it", file, pkg))
}

// NeedRoot skips the test if it does not run as root, or fails it likewise.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		lacking(t, "this test needs root")
	}
}

func lacking(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("MOND_NOSKIP") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// Port is a free TCP port of 127.0.0.1 that the kernel chooses for nobody else,
// since it lies below those that it chooses from. It is nobody else's Port either,
// in whatever process, until the test ends: a name says so that goes with us.
func Port(t testing.TB) uint16 {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000)
		taken, err := net.Listen("unix", "@mond-test-port-"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			l.Close()
			t.Cleanup(func() { taken.Close() })
			return uint16(port)
		}
		taken.Close()
	}
	t.Fatal("no port of 127.0.0.1 is free")
	return 0
}

// Dir is a folder that ends with the test and that every user may enter, as
// servers that give up root do.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mond-server-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// patience is how long a server may take to open its ports, and to end.
const patience = 30 * time.Second

// Start runs a server, waits until its ports of 127.0.0.1 are open, and ends it
// with the test, together with its children. What it printed is shown if the
// test failed.
func Start(t testing.TB, cmd *exec.Cmd, ports ...uint16) {
	t.Helper()
	var out output
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		end(t, cmd, ended)
		if t.Failed() {
			t.Logf("%s printed:\n%s", cmd.Path, out.String())
		}
	})
	for _, port := range ports {
		await(t, port, cmd, ended)
	}
}

// await waits until a port opens.
func await(t testing.TB, port uint16, cmd *exec.Cmd, ended <-chan struct{}) {
	t.Helper()
	limit := time.After(patience)
	for {
		c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended by itself: %v", cmd.Path, cmd.ProcessState)
		case <-limit:
			t.Fatalf("%s did not open port %d: %v", cmd.Path, port, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// end ends a server and its process group, by TERM and then by KILL.
func end(t testing.TB, cmd *exec.Cmd, ended <-chan struct{}) {
	t.Helper()
	group := -cmd.Process.Pid
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(group, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Error(err)
		}
		select {
		case <-ended:
			_ = syscall.Kill(group, syscall.SIGKILL) // children that stayed
			return
		case <-time.After(patience / 3):
		}
	}
	t.Errorf("%s does not end", cmd.Path)
}

// maxOutput is how much of what a server prints is kept.
const maxOutput = 64 << 10

// output keeps the end of what a server prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write takes a piece.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Write(b)
	if over := o.buf.Len() - maxOutput; over > 0 {
		o.buf.Next(over)
	}
	return len(b), nil
}

// String is what was kept.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
