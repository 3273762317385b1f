package faults

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/engine/config"
)

// kernel asks the kernel over rtnetlink.
type kernel struct {
	log    *slog.Logger
	wake   chan struct{} // holds one
	done   chan struct{} // closed to end the subscriptions; nil without
	prober prober
	// asked is when each gateway was last asked.
	asked map[config.LocalFault]time.Time
}

func newKernel(log *slog.Logger) *kernel {
	return &kernel{log: log, wake: make(chan struct{}, 1), asked: map[config.LocalFault]time.Time{}}
}

func (k *kernel) events() <-chan struct{} { return k.wake }

// watch begins and ends the subscriptions. One that fails is only logged: the
// watcher looks each second anyway.
func (k *kernel) watch(on bool) {
	switch {
	case on == (k.done != nil):
	case on:
		k.done = make(chan struct{})
		k.prober.start()
		err := errors.Join(
			subscribe(k, k.done, func(ch chan netlink.LinkUpdate, done chan struct{}) error {
				return netlink.LinkSubscribeWithOptions(ch, done, netlink.LinkSubscribeOptions{ErrorCallback: k.lost})
			}),
			subscribe(k, k.done, func(ch chan netlink.AddrUpdate, done chan struct{}) error {
				return netlink.AddrSubscribeWithOptions(ch, done, netlink.AddrSubscribeOptions{ErrorCallback: k.lost})
			}),
			subscribe(k, k.done, func(ch chan netlink.NeighUpdate, done chan struct{}) error {
				return netlink.NeighSubscribeWithOptions(ch, done, netlink.NeighSubscribeOptions{ErrorCallback: k.lost})
			}),
		)
		if err != nil {
			k.log.Warn("the kernel does not say when links, addresses or neighbours change; they are looked at each second", "err", err)
		}
	default:
		close(k.done)
		k.done = nil
		clear(k.asked)
		k.prober.stop()
	}
}

// lost is called when a subscription has failed, or was ended.
func (k *kernel) lost(err error) { k.log.Debug("subscription to the kernel", "err", err) }

// subscribe passes on that something happened. Its goroutine ends when the
// subscription does.
func subscribe[T any](k *kernel, done chan struct{}, to func(ch chan T, done chan struct{}) error) error {
	ch := make(chan T, 64)
	if err := to(ch, done); err != nil {
		return err
	}
	go func() {
		for range ch {
			select {
			case k.wake <- struct{}{}:
			default:
			}
		}
	}()
	return nil
}

func (k *kernel) look(f config.LocalFault) (text string, known bool, err error) {
	switch f.Kind {
	case config.FaultLink:
		return link(f.Link)
	case config.FaultSource:
		return source(f.Addr, f.Link)
	case config.FaultGateway:
		return k.gateway(f)
	}
	return "", false, fmt.Errorf("unknown kind %d", f.Kind)
}

// link is at fault if it is not up or has no carrier.
func link(name string) (text string, known bool, err error) {
	l, err := netlink.LinkByName(name)
	if _, missing := errors.AsType[netlink.LinkNotFoundError](err); missing {
		return "link " + name + " does not exist", true, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("ask the kernel for link %s: %w", name, err)
	}
	flags := l.Attrs().RawFlags
	switch {
	case flags&unix.IFF_UP == 0:
		return "link " + name + " is set down", true, nil
	case flags&unix.IFF_RUNNING == 0:
		return "link " + name + " has no carrier", true, nil
	}
	return "", true, nil
}

// source is at fault if no link has the address, or not for use.
func source(addr netip.Addr, on string) (text string, known bool, err error) {
	list, err := netlink.AddrList(nil, family(addr))
	if errors.Is(err, netlink.ErrDumpInterrupted) {
		return "", false, nil // they change right now
	}
	if err != nil {
		return "", false, fmt.Errorf("ask the kernel for its addresses: %w", err)
	}
	for i := range list {
		a := &list[i]
		got, _ := netip.AddrFromSlice(a.IP)
		switch {
		case got.Unmap() != addr.Unmap().WithZone(""):
		case on != "" && !linkIs(a.LinkIndex, on):
		case a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) != 0 && a.Flags&unix.IFA_F_OPTIMISTIC == 0:
			return "source address " + addr.String() + " is on this machine but not confirmed as its own", true, nil
		default:
			return "", true, nil
		}
	}
	return "source address " + addr.String() + " is not on this machine", true, nil
}

func linkIs(index int, name string) bool {
	l, err := netlink.LinkByIndex(index)
	return err == nil && l.Attrs().Name == name
}

func family(a netip.Addr) int {
	if a.Unmap().Is4() {
		return netlink.FAMILY_V4
	}
	return netlink.FAMILY_V6
}

// gateway is at fault when the kernel has given it up as a neighbour, which
// takes three unanswered questions in a row: one that was lost is no fault. It
// is asked again on each look.
func (k *kernel) gateway(f config.LocalFault) (text string, known bool, err error) {
	list, err := netlink.NeighList(0, family(f.Addr))
	if errors.Is(err, netlink.ErrDumpInterrupted) {
		return "", false, nil // they change right now
	}
	if err != nil {
		return "", false, fmt.Errorf("ask the kernel for its neighbours: %w", err)
	}
	silent := "gateway " + f.Addr.String() + " does not answer ARP"
	if family(f.Addr) == netlink.FAMILY_V6 {
		silent = "gateway " + f.Addr.String() + " does not answer neighbour solicitations"
	}
	var n *netlink.Neigh
	for i := range list {
		got, _ := netip.AddrFromSlice(list[i].IP)
		if got.Unmap() == f.Addr.Unmap().WithZone("") && (f.Link == "" || linkIs(list[i].LinkIndex, f.Link)) {
			n = &list[i]
		}
	}
	switch {
	case n == nil && k.may(f):
		return nudged(f, "")
	case n == nil:
		return "", false, nil
	}
	switch n.State {
	case netlink.NUD_REACHABLE, netlink.NUD_STALE:
		if k.may(f) && !k.prober.probe(n) && n.State == netlink.NUD_STALE {
			_, _, err = nudged(f, "")
		}
		return "", n.State == netlink.NUD_REACHABLE, err
	case netlink.NUD_PERMANENT, netlink.NUD_NOARP:
		return "", true, nil
	case netlink.NUD_FAILED:
		if k.may(f) {
			return nudged(f, silent)
		}
		return silent, true, nil
	}
	return "", false, nil // a question is under way
}

// may reports whether a gateway may be asked again, and notes that it is.
func (k *kernel) may(f config.LocalFault) bool {
	now := time.Now()
	if last, ok := k.asked[f]; ok && now.Sub(last) < interval*9/10 { // ticks come a little early
		return false
	}
	k.asked[f] = now
	return true
}

// nudged sends the gateway a packet, so that the kernel has to find it; text
// is what is known to be at fault with it.
func nudged(f config.LocalFault, text string) (string, bool, error) {
	to := f.Addr.String()
	if f.Link != "" && f.Addr.IsLinkLocalUnicast() && f.Addr.Zone() == "" {
		to += "%" + f.Link
	}
	const discard = 9
	c, err := net.Dial("udp", net.JoinHostPort(to, strconv.Itoa(discard)))
	if err == nil {
		_, err = c.Write([]byte{0})
		_ = c.Close() // nothing was promised
	}
	switch {
	case errors.Is(err, syscall.ENETUNREACH):
		return "gateway " + f.Addr.String() + ": this machine has no route to it", true, nil
	case errors.Is(err, syscall.ENETDOWN):
		return "gateway " + f.Addr.String() + ": the network is down", true, nil
	case err != nil && !errors.Is(err, syscall.EHOSTUNREACH) && !errors.Is(err, syscall.ECONNREFUSED):
		return "", false, fmt.Errorf("send a packet to gateway %s: %w", f.Addr, err)
	}
	return text, text != "", nil
}
