package role

import (
	"context"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inNamespace runs test in a network namespace of its own.
func inNamespace(t *testing.T, test func(t *testing.T)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with its namespace
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			if os.Getenv("MOND_NOSKIP") != "" {
				t.Errorf("a network namespace: %v", err)
			}
			return
		}
		test(t)
	}()
	<-done
}

func TestKernel(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "veth0"}, PeerName: "veth1"}
		if err := netlink.LinkAdd(link); err != nil {
			t.Errorf("a veth: %v", err)
			return
		}
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			t.Error(err)
			return
		}
		var k Kernel
		changed, err := k.Watch(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		put(t, lo, "10.0.0.4")
		put(t, link, "10.0.0.3")
		<-changed
		local, err := k.Local()
		if err != nil || !local[netip.MustParseAddr("10.0.0.3")] || local[netip.MustParseAddr("10.0.0.4")] || len(local) != 1 {
			t.Errorf("%v, %v; want that of veth0 alone", local, err)
		}
		cancel()
		for range changed { // until it is closed
		}
	})
}

func put(t *testing.T, on netlink.Link, addr string) {
	a := &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(addr), Mask: net.CIDRMask(32, 32)}}
	if err := netlink.AddrAdd(on, a); err != nil {
		t.Error(err)
	}
}
