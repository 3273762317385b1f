// Package origintest is for tests of where packets come from: a second network
// namespace beside that of the test, and a veth pair between them.
//
// It needs the tests to run in a namespace of their own: see [echotest.Main]. It
// is not linked into any shipped program.
package origintest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/monitors/tcp/origin"
)

// The addresses of the two ends. Those called Only are of the other namespace
// and cannot be reached from here.
const (
	Near4, Far4, Only4 = "10.77.0.1", "10.77.0.2", "10.78.0.2"
	Near6, Far6        = "fd77::1", "fd77::2"
	NearLink, FarLink  = "fe80::77:1", "fe80::77:2"
	// Near and Far are the interfaces.
	Near, Far = "near0", "far0"
)

// Space is the other namespace.
type Space struct {
	// Path is its file.
	Path string
	from origin.Origin
}

// New makes it; it lasts as long as the test.
func New(t testing.TB) *Space {
	t.Helper()
	echotest.Need(t)
	holder := exec.Command("sleep", "infinity")
	holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = holder.Process.Kill()
		_ = holder.Wait()
		_ = echotest.IP("link delete " + Near) // it may have gone with the namespace
	})
	pid := holder.Process.Pid
	s := &Space{Path: fmt.Sprintf("/proc/%d/ns/net", pid)}
	s.from.Netns = origin.Netns(s.Path)
	near := func(words string) { s.must(t, echotest.IP(words)) }
	far := func(words string) {
		s.must(t, echotest.Run("nsenter", fmt.Sprintf("-t %d -n ip %s", pid, words)))
	}
	near("link add " + Near + " type veth peer name " + Far)
	near(fmt.Sprintf("link set %s netns %d", Far, pid))
	far("link set lo up")
	for _, end := range []struct {
		do                   func(string)
		device, v4, v6, link string
	}{{near, Near, Near4, Near6, NearLink}, {far, Far, Far4, Far6, FarLink}} {
		end.do("addr add " + end.v4 + "/24 dev " + end.device)
		end.do("-6 addr add " + end.v6 + "/64 dev " + end.device + " nodad")
		end.do("-6 addr add " + end.link + "/64 dev " + end.device + " nodad")
		end.do("link set " + end.device + " addrgenmode none up")
	}
	far("addr add " + Only4 + "/32 dev lo")
	s.must(t, s.In(func() error {
		return os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte("0 2147483647"), 0o600)
	}))
	return s
}

func (s *Space) must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// In runs f in the namespace.
func (s *Space) In(f func() error) error { return s.from.In(f) }

// Serve opens a port of an address in the namespace and answers each connection
// by the address that it comes from.
func (s *Space) Serve(t testing.TB, address string) (port uint16) {
	t.Helper()
	var l net.Listener
	s.must(t, s.In(func() (err error) {
		l, err = net.Listen("tcp", net.JoinHostPort(address, "0"))
		return err
	}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			from, _, _ := strings.Cut(c.RemoteAddr().String(), "%")
			_, _ = c.Write([]byte("from " + from + "\n"))
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return uint16(l.Addr().(*net.TCPAddr).Port) //nolint:gosec // a port
}

// Echo opens a UDP port of an address in the namespace, and answers each datagram
// by the address that it comes from.
func (s *Space) Echo(t testing.TB, address string) (port uint16) {
	t.Helper()
	var l net.PacketConn
	s.must(t, s.In(func() (err error) {
		l, err = net.ListenPacket("udp", net.JoinHostPort(address, "0"))
		return err
	}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			_, from, err := l.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = l.WriteTo([]byte("from "+from.String()), from)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return uint16(l.LocalAddr().(*net.UDPAddr).Port) //nolint:gosec // a port
}
