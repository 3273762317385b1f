// Package neighbourtest makes a wire with machines on it for tests: network
// namespaces that a bridge in one more joins. It is for tests only, and needs
// root and ip(8).
package neighbourtest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netns"
)

// serial tells the wires of one test program apart.
var serial atomic.Uint32

// patience is for what the kernel does within a second.
const patience = 20 * time.Second

// Wire is a wire with machines.
type Wire struct {
	t        testing.TB
	bridge   string
	machines []string
}

// New makes a wire with that many machines, counted from 1. Each has eth0, which
// is up, with the hardware address [MAC], and no address. Without root the test
// is skipped, or fails if MOND_NOSKIP is set. They end with the test.
func New(t testing.TB, machines int) *Wire {
	t.Helper()
	prefix := fmt.Sprintf("mond-nt-%d-%d-", os.Getpid(), serial.Add(1))
	w := &Wire{t: t, bridge: prefix + "w"}
	batch := "netns add " + w.bridge + "\n"
	for i := range machines {
		w.machines = append(w.machines, fmt.Sprint(prefix, i+1))
		batch += "netns add " + w.machines[i] + "\n"
	}
	t.Cleanup(func() { _, _ = run("-force", strings.ReplaceAll(batch, "netns add", "netns del")) })
	if out, err := run("", batch); err != nil {
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Skipf("needs root and network namespaces (package iproute2): %s", out)
	}
	w.in(w.bridge, "link add wire type bridge mcast_snooping 0 forward_delay 0\nlink set wire up\n")
	for i := range machines {
		w.cable(i + 1)
	}
	w.forwarding(machines)
	return w
}

// cable gives a machine its interface.
func (w *Wire) cable(machine int) {
	w.t.Helper()
	w.in(w.bridge, fmt.Sprintf("link add p%d type veth peer name eth0 address %s netns %s\nlink set p%d master wire up\n", machine, MAC(machine), w.machines[machine-1], machine))
	w.IP(machine, "link set lo up\nlink set eth0 up\n")
}

// Rewire gives a machine another interface of the same name, without the
// addresses that the old one had.
func (w *Wire) Rewire(machine int) {
	w.t.Helper()
	w.IP(machine, "link del eth0\n")
	w.cable(machine)
	w.forwarding(len(w.machines))
}

// forwarding waits until the bridge forwards what so many machines send.
func (w *Wire) forwarding(machines int) {
	w.t.Helper()
	for until := time.Now().Add(patience); ; {
		out, err := exec.Command("bridge", "-n", w.bridge, "link", "show").CombinedOutput()
		if err == nil && strings.Count(string(out), "LOWER_UP") == machines && strings.Count(string(out), "state forwarding") == machines {
			return
		}
		if time.Now().After(until) {
			w.t.Fatalf("the bridge does not forward: %v\n%s", err, out)
		}
	}
}

// MAC is the hardware address of a machine.
func MAC(machine int) string { return fmt.Sprintf("02:00:00:00:00:%02x", machine) }

// IP runs a batch of ip(8) on a machine.
func (w *Wire) IP(machine int, batch string) {
	w.t.Helper()
	w.in(w.machines[machine-1], batch)
}

// Plug sets the carrier of a machine: its cable is pulled, or put back.
func (w *Wire) Plug(machine int, in bool) {
	w.t.Helper()
	state := map[bool]string{true: "up", false: "down"}[in]
	w.in(w.bridge, fmt.Sprintf("link set p%d %s\n", machine, state))
	if in {
		w.forwarding(len(w.machines))
	}
}

func (w *Wire) in(namespace, batch string) {
	w.t.Helper()
	if out, err := run("", batch, "-n", namespace); err != nil {
		w.t.Fatalf("in %s: %v\n%s\n%s", namespace, err, batch, out)
	}
}

// Output is what a command prints that runs on a machine.
func (w *Wire) Output(machine int, command ...string) string {
	w.t.Helper()
	out, err := exec.Command("ip", append([]string{"netns", "exec", w.machines[machine-1]}, command...)...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%v: %v\n%s", command, err, out)
	}
	return string(out)
}

// Inside runs f on a thread that is on the machine, and ends with it.
func (w *Wire) Inside(machine int, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for ever: the thread is not as it was
		done <- func() error {
			ns, err := netns.GetFromName(w.machines[machine-1])
			if err != nil {
				return err
			}
			defer ns.Close()
			if err := netns.Set(ns); err != nil {
				return err
			}
			return f()
		}()
	}()
	return <-done
}

func run(option, batch string, options ...string) ([]byte, error) {
	if option != "" {
		options = append(options, option)
	}
	cmd := exec.Command("ip", append(options, "-batch", "-")...)
	cmd.Stdin = strings.NewReader(batch)
	return cmd.CombinedOutput()
}
