package pair

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netns"
)

// The addresses of the world: a switch with two directors and a client on it,
// and two cables from director to director.
const (
	vip     = "10.66.0.50"
	client  = "10.66.0.100"
	lanA    = "10.66.0.1"
	lanB    = "10.66.0.2"
	cableA1 = "192.168.66.1"
	cableB1 = "192.168.66.2"
	cableA2 = "192.168.67.1"
	cableB2 = "192.168.67.2"
)

// world is the network of a test: namespaces of its own, gone when it ends.
type world struct {
	prefix string
}

// newWorld lays the cables. It wants the machine for itself, and root; without,
// the test is skipped, or fails where nothing may be skipped.
func newWorld(t testing.TB) *world {
	t.Helper()
	if os.Getenv("MOND_ALONE") == "" {
		t.Skip("measures time: scripts/test runs it by itself, with MOND_ALONE=1")
	}
	if os.Getuid() != 0 {
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatal("needs root: network namespaces")
		}
		t.Skip("needs root: network namespaces")
	}
	w := &world{prefix: fmt.Sprintf("pair%d", os.Getpid())}
	for _, n := range []string{"s", "a", "b", "c"} {
		ip(t, "netns add "+w.node(n))
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "delete", w.node(n)).Run() })
		w.ip(t, n, "link set lo up")
	}
	w.ip(t, "s", "link add lan type bridge forward_delay 0 stp_state 0")
	w.ip(t, "s", "link set lan up")
	for _, n := range []string{"a", "b", "c"} {
		w.ip(t, n, "link add eth0 type veth peer name port-"+n+" netns "+w.node("s"))
		w.ip(t, "s", "link set port-"+n+" master lan up")
		w.ip(t, n, "link set eth0 up")
	}
	w.cable(t, "eth1", cableA1, cableB1)
	w.cable(t, "eth2", cableA2, cableB2)
	w.ip(t, "a", "address add "+lanA+"/24 dev eth0")
	w.ip(t, "b", "address add "+lanB+"/24 dev eth0")
	w.ip(t, "c", "address add "+client+"/24 dev eth0")
	return w
}

// cable is a veth pair from director to director.
func (w *world) cable(t testing.TB, device, a, b string) {
	t.Helper()
	w.ip(t, "a", "link add "+device+" type veth peer name "+device+" netns "+w.node("b"))
	w.ip(t, "a", "address add "+a+"/24 dev "+device)
	w.ip(t, "b", "address add "+b+"/24 dev "+device)
	w.ip(t, "a", "link set "+device+" up")
	w.ip(t, "b", "link set "+device+" up")
}

// node is the name of a namespace.
func (w *world) node(n string) string { return w.prefix + n }

// ip runs ip(8) in a node.
func (w *world) ip(t testing.TB, n, line string) string {
	t.Helper()
	return ip(t, "-n "+w.node(n)+" "+line)
}

// command is a program in a node.
func (w *world) command(n string, words ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", w.node(n)}, words...)...)
}

// enter calls f on a thread that is in the node. What f opens stays there.
func (w *world) enter(n string, f func() error) error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with us
		h, err := netns.GetFromName(w.node(n))
		if err == nil {
			err = netns.Set(h)
			_ = h.Close()
		}
		if err == nil {
			err = f()
		}
		failed <- err
	}()
	return <-failed
}

func ip(t testing.TB, line string) string {
	t.Helper()
	out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v\n%s", line, err, out)
	}
	return string(out)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
