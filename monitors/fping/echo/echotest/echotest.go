// Package echotest is for tests of what pings: it runs a test program in a
// network namespace of its own, where it may do as it likes, and plays a
// network whose hosts answer as a test wants them to.
//
// It is not linked into any shipped program.
package echotest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// inside is set in the environment of the program in its namespace.
const inside = "MOND_ECHOTEST_NETNS"

// Main runs the tests of m in a new network namespace, and in a new user
// namespace if this user may not make one otherwise. Where that cannot be had
// the tests run outside, and [Need] leaves out those that need it.
func Main(m *testing.M) {
	if os.Getenv(inside) != "" {
		if err := settle(); err != nil {
			fmt.Fprintln(os.Stderr, "set up the network namespace:", err)
			os.Exit(1)
		}
		goleak.VerifyTestMain(m)
		return
	}
	err := again()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(exit.ExitCode())
	}
	if err == nil {
		os.Exit(0)
	}
	fmt.Fprintln(os.Stderr, "no network namespace:", err)
	goleak.VerifyTestMain(m)
}

// again runs this program in a new namespace.
func again() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return cmd.Run()
}

// settle brings the loopback interface up and lets ICMP errors out as fast as
// they come: the kernel sends 1,000 a second, and one a second to a host.
func settle() error {
	for name, value := range map[string]string{
		"net/ipv4/icmp_ratelimit": "0", "net/ipv4/icmp_msgs_per_sec": "1000000", "net/ipv4/icmp_msgs_burst": "1000000",
		"net/ipv6/icmp/ratelimit": "0",
	} {
		// Some are of the machine and not of the namespace on older kernels.
		_ = Sysctl(name, value)
	}
	return IP("link set lo up")
}

// Sysctl sets one, its name written with slashes.
func Sysctl(name, value string) error {
	return os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0o600)
}

// IP runs ip(8).
func IP(words string) error { return Run("ip", words) }

// Run runs a program; what it says is in the error.
func Run(program, words string) error {
	out, err := exec.Command(program, strings.Fields(words)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", program, words, err, out)
	}
	return nil
}

// Need leaves a test out, or fails it if MOND_NOSKIP is set, where there is no
// namespace.
func Need(t testing.TB) {
	t.Helper()
	if os.Getenv(inside) == "" {
		Missing(t, "a network namespace")
	}
}

// Missing leaves a test out, or fails it if MOND_NOSKIP is set.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("MOND_NOSKIP") == "1" {
		t.Fatal("this test needs " + what)
	}
	t.Skip("this test needs " + what)
}
