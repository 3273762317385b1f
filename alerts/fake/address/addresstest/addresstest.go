// Package addresstest makes network namespaces for tests: each its own machine,
// with interfaces that nobody else sees, gone with the test.
package addresstest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/alerts/fake/address"
)

// Space is a network namespace.
type Space struct {
	calls chan func()
}

// New makes one, with lo up. Without the right to make one the test is skipped,
// or fails where MOND_NOSKIP is set.
func New(t testing.TB) *Space {
	t.Helper()
	s := &Space{calls: make(chan func())}
	made, ended := make(chan error), make(chan struct{})
	go func() { // ends with the test, and its thread with it
		defer close(ended)
		runtime.LockOSThread() // and never unlocked
		err := unix.Unshare(unix.CLONE_NEWNET)
		made <- err
		for f := range s.calls {
			f()
		}
	}()
	t.Cleanup(func() { close(s.calls); <-ended })
	if err := <-made; err != nil {
		Need(t, "network namespaces take root: "+err.Error())
	}
	s.IP(t, "link set lo up")
	return s
}

// Need skips the test for want of something, or fails it where MOND_NOSKIP is
// set.
func Need(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("MOND_NOSKIP") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// Do runs f on the thread that is in the namespace.
func (s *Space) Do(f func()) {
	done := make(chan struct{})
	s.calls <- func() { defer close(done); f() }
	<-done
}

// Try runs ip(8) in the namespace with these words.
func (s *Space) Try(words string) (string, error) {
	var out []byte
	err := errors.New("not run")
	s.Do(func() { out, err = exec.Command("ip", strings.Fields(words)...).CombinedOutput() })
	return string(out), err
}

// IP is Try that must succeed.
func (s *Space) IP(t testing.TB, words string) string {
	t.Helper()
	out, err := s.Try(words)
	if errors.Is(err, exec.ErrNotFound) {
		Need(t, "ip is missing: apt-get install iproute2")
	}
	if err != nil {
		t.Fatalf("ip %s: %v: %s", words, err, out)
	}
	return out
}

// Pair makes a veth pair, both up; name is the one, with a network of each
// family, and name with p behind its peer.
func (s *Space) Pair(t testing.TB, name, net4, net6 string) {
	t.Helper()
	s.IP(t, "link add "+name+" type veth peer name "+name+"p")
	s.IP(t, "link set "+name+"p up")
	s.IP(t, "link set "+name+" up")
	if net4 != "" {
		s.IP(t, "addr add "+net4+" dev "+name)
	}
	if net6 != "" {
		s.IP(t, "addr add "+net6+" dev "+name+" nodad")
	}
}

// Kernel is the namespace's.
type Kernel struct {
	*address.Kernel
	space *Space
}

// Open opens rtnetlink in the namespace.
func (s *Space) Open() (k *Kernel, err error) {
	var inner *address.Kernel
	s.Do(func() { inner, err = address.Open() })
	return &Kernel{inner, s}, err
}

// Watch is that of the namespace.
func (k *Kernel) Watch(ctx context.Context) (c <-chan struct{}, err error) {
	k.space.Do(func() { c, err = k.Kernel.Watch(ctx) })
	return c, err
}
