// Package role says which addresses are on this machine, so that rows can
// follow them, and when that may have changed. It does not decide whose role
// it is, and moves no address (fake.alert does).
package role

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Source is where addresses are asked for.
type Source interface {
	// Local are the addresses on interfaces of this network namespace, other
	// than lo.
	Local() (map[netip.Addr]bool, error)
	// Watch gives a channel with a word for whatever changes after it returns;
	// words that nobody has read are one. It is closed when the watch fails or
	// ctx ends.
	Watch(ctx context.Context) (<-chan struct{}, error)
}

// Kernel asks the kernel. The zero value is ready.
type Kernel struct{}

var _ Source = Kernel{}

// Local implements [Source]. An IPv6 address that another machine was found to
// have is not here.
func (Kernel) Local() (map[netip.Addr]bool, error) {
	lo := map[int]bool{}
	links, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list the interfaces: %w", err)
	}
	for _, l := range links {
		lo[l.Index] = l.Flags&net.FlagLoopback != 0
	}
	list, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("list the addresses: %w", err)
	}
	out := map[netip.Addr]bool{}
	for _, a := range list {
		addr, ok := netip.AddrFromSlice(a.IP)
		if ok && !lo[a.LinkIndex] && a.Flags&unix.IFA_F_DADFAILED == 0 {
			out[addr.Unmap()] = true
		}
	}
	return out, nil
}

// Watch implements [Source].
func (Kernel) Watch(ctx context.Context) (<-chan struct{}, error) {
	updates := make(chan netlink.AddrUpdate)
	if err := netlink.AddrSubscribe(updates, ctx.Done()); err != nil {
		return nil, fmt.Errorf("watch the addresses: %w", err)
	}
	changed := make(chan struct{}, 1) // one word is as good as many
	go func() {
		defer close(changed)
		for range updates { // closed by the subscription
			select {
			case changed <- struct{}{}:
			default:
			}
		}
	}()
	return changed, nil
}
