package faults

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/mondhq/mond/engine/config"
)

// inside is set in the environment of the test's own copy in a network
// namespace.
const inside = "MOND_TEST_IN_NETNS"

// What the kernel of a network namespace of their own says is told.
func TestKernel(t *testing.T) {
	if os.Getenv(inside) == "" {
		inNamespace(t)
		return
	}
	t.Run("link", aLink)
	t.Run("source", aSource)
	t.Run("gateway", aGateway)
	t.Run("no gateway", noGateway)
}

// inNamespace runs the test again in a network namespace.
func inNamespace(t *testing.T) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKernel$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		t.Logf("%s", out)
	case len(out) == 0 && os.Getenv("MOND_NOSKIP") == "":
		t.Skipf("no network namespace can be made here (be root, or allow user namespaces): %v", err)
	default:
		t.Fatalf("%v\n%s", err, out)
	}
}

// site is a link veth0 with 10.77.0.1, whose other end is in another
// namespace as 10.77.0.2.
type site struct {
	t     *testing.T
	here  netlink.Link
	there *netlink.Handle
	peer  netlink.Link
}

func newSite(t *testing.T) *site {
	t.Helper()
	runtime.LockOSThread()
	own, err := netns.Get()
	must(t, err)
	other, err := netns.New()
	must(t, err)
	must(t, netns.Set(own))
	runtime.UnlockOSThread()
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "veth0"}, PeerName: "veth1", PeerNamespace: netlink.NsFd(other)}))
	s := &site{t: t}
	s.there, err = netlink.NewHandleAt(other)
	must(t, err)
	s.here, err = netlink.LinkByName("veth0")
	must(t, err)
	s.peer, err = s.there.LinkByName("veth1")
	must(t, err)
	must(t, netlink.AddrAdd(s.here, addr(t, "10.77.0.1/24")))
	must(t, s.there.AddrAdd(s.peer, addr(t, "10.77.0.2/24")))
	must(t, netlink.LinkSetUp(s.here))
	must(t, s.there.LinkSetUp(s.peer))
	t.Cleanup(func() {
		_ = netlink.LinkDel(s.here)
		s.there.Close()
		_ = other.Close()
		_ = own.Close()
	})
	return s
}

func addr(t *testing.T, text string) *netlink.Addr {
	a, err := netlink.ParseAddr(text)
	must(t, err)
	return a
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start watches f and returns what waits for the next change.
func (s *site) start(f config.LocalFault) (next func(within time.Duration) string) {
	w := New(slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = w.Run(ctx) })
	s.t.Cleanup(func() { stop(); wg.Wait() })
	w.Watch([]config.LocalFault{f})
	return func(within time.Duration) string {
		select {
		case c := <-w.Changes():
			if c[0].Text == "" {
				return "over"
			}
			return c[0].Text
		case <-time.After(within):
			return "nothing"
		}
	}
}

func aLink(t *testing.T) {
	s := newSite(t)
	next := s.start(config.LocalFault{Kind: config.FaultLink, Link: "veth0"})
	want(t, next(1500*time.Millisecond), "nothing")
	must(t, s.there.LinkSetDown(s.peer))
	want(t, next(10*time.Second), "link veth0 has no carrier")
	must(t, netlink.LinkSetDown(s.here))
	want(t, next(10*time.Second), "link veth0 is set down")
	must(t, netlink.LinkSetUp(s.here))
	want(t, next(10*time.Second), "link veth0 has no carrier")
	must(t, s.there.LinkSetUp(s.peer))
	want(t, next(10*time.Second), "over")
	must(t, netlink.LinkDel(s.here))
	want(t, next(10*time.Second), "link veth0 does not exist")
}

func aSource(t *testing.T) {
	s := newSite(t)
	next := s.start(config.LocalFault{Kind: config.FaultSource, Addr: netip.MustParseAddr("10.77.0.1")})
	want(t, next(1500*time.Millisecond), "nothing")
	must(t, netlink.AddrDel(s.here, addr(t, "10.77.0.1/24")))
	want(t, next(10*time.Second), "source address 10.77.0.1 is not on this machine")
	must(t, netlink.AddrAdd(s.here, addr(t, "10.77.0.1/24")))
	want(t, next(10*time.Second), "over")
}

// The gateway loses its address and gets it back: the link is well all the
// while.
func aGateway(t *testing.T) {
	s := newSite(t)
	next := s.start(config.LocalFault{Kind: config.FaultGateway, Addr: netip.MustParseAddr("10.77.0.2")})
	want(t, next(3500*time.Millisecond), "nothing")
	began := time.Now()
	must(t, s.there.AddrDel(s.peer, addr(t, "10.77.0.2/24")))
	want(t, next(20*time.Second), "gateway 10.77.0.2 does not answer ARP")
	if took := time.Since(began); took < time.Second {
		t.Errorf("after %v: one lost question is no fault", took)
	}
	must(t, s.there.AddrAdd(s.peer, addr(t, "10.77.0.2/24")))
	want(t, next(20*time.Second), "over")
}

// A gateway that was never there, and one that no route leads to.
func noGateway(t *testing.T) {
	s := newSite(t)
	next := s.start(config.LocalFault{Kind: config.FaultGateway, Addr: netip.MustParseAddr("10.77.0.9")})
	want(t, next(20*time.Second), "gateway 10.77.0.9 does not answer ARP")
	next = s.start(config.LocalFault{Kind: config.FaultGateway, Addr: netip.MustParseAddr("10.78.0.1")})
	if got := next(20 * time.Second); !strings.Contains(got, "no route") {
		t.Errorf("says %q", got)
	}
}
