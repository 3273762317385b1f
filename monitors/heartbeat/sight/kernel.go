package sight

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// link is an interface as the kernel has it.
type link struct {
	index                       int
	name                        string
	carrier, ethernet, loopback bool
}

// address is one that the kernel has.
type address struct {
	index  int
	addr   netip.Addr
	prefix netip.Prefix
	// stamp is when it was set, in hundredths of a second of the kernel's; ends is
	// when the kernel removes it, in CLOCK_BOOTTIME, wire.Permanent for never.
	stamp uint32
	// valid is how many seconds are left of the lifetime that was set.
	valid uint32
	ends  time.Duration
	// unsure: ends may be a second more, since a second went by while it was read.
	unsure bool
}

// kernel is what was read at one time.
type kernel struct {
	links      map[int]link
	addrs      []address
	gateways   map[int][]netip.Addr
	neighbours map[int][]netip.Addr
	unsure     bool
}

// readKernel reads all, or the addresses only: then the rest is as it was. lag
// is by how much the kernel's stamps are behind.
func readKernel(was *kernel, all bool, lag time.Duration) (kernel, error) {
	if !all {
		k := kernel{links: was.links, gateways: was.gateways, neighbours: was.neighbours}
		if err := k.readAddresses(lag); err != nil {
			return k, fmt.Errorf("read the addresses: %w", err)
		}
		return k, nil
	}
	k := kernel{links: map[int]link{}, gateways: map[int][]netip.Addr{}, neighbours: map[int][]netip.Addr{}}
	links, err := netlink.LinkList()
	if err != nil {
		return k, fmt.Errorf("read the interfaces: %w", err)
	}
	for _, l := range links {
		a := l.Attrs()
		k.links[a.Index] = link{
			index: a.Index, name: a.Name, carrier: a.RawFlags&(unix.IFF_UP|unix.IFF_LOWER_UP) == unix.IFF_UP|unix.IFF_LOWER_UP,
			ethernet: a.EncapType == "ether" && a.RawFlags&unix.IFF_NOARP == 0, loopback: a.RawFlags&unix.IFF_LOOPBACK != 0,
		}
	}
	if err := k.readAddresses(lag); err != nil {
		return k, fmt.Errorf("read the addresses: %w", err)
	}
	return k, errors.Join(k.readGateways(), k.readNeighbours())
}

// readGateways reads the default routes of the main table.
func (k *kernel) readGateways() error {
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return fmt.Errorf("read the routes: %w", err)
	}
	add := func(index int, gw []byte) {
		if a, ok := netip.AddrFromSlice(gw); ok && !slices.Contains(k.gateways[index], a.Unmap()) {
			k.gateways[index] = append(k.gateways[index], a.Unmap())
		}
	}
	for _, r := range routes {
		if r.Dst != nil && !r.Dst.IP.IsUnspecified() {
			continue
		}
		add(r.LinkIndex, r.Gw)
		for _, hop := range r.MultiPath {
			add(hop.LinkIndex, hop.Gw)
		}
	}
	return nil
}

// readNeighbours reads who was spoken to, those confirmed first.
func (k *kernel) readNeighbours() error {
	all, err := netlink.NeighList(0, 0)
	if err != nil {
		return fmt.Errorf("read the neighbours: %w", err)
	}
	for _, state := range []int{unix.NUD_REACHABLE | unix.NUD_PROBE | unix.NUD_DELAY, unix.NUD_STALE} {
		for _, n := range all {
			a, ok := netip.AddrFromSlice(n.IP)
			if a = a.Unmap(); ok && n.State&state != 0 && !a.IsMulticast() {
				k.neighbours[n.LinkIndex] = append(k.neighbours[n.LinkIndex], a)
			}
		}
	}
	return nil
}

// clock reads a clock of the kernel's.
func clock(id int32) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		panic("clock_gettime: " + err.Error()) // every kernel has them
	}
	return time.Duration(t.Nano())
}

func (k *kernel) readAddresses(lag time.Duration) error {
	before := clock(unix.CLOCK_MONOTONIC)
	req := nl.NewNetlinkRequest(unix.RTM_GETADDR, unix.NLM_F_DUMP)
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	messages, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWADDR)
	after := clock(unix.CLOCK_MONOTONIC)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return err
	}
	for _, m := range messages {
		if a, ok := parseAddress(m); ok {
			k.addrs = append(k.addrs, a)
		}
	}
	slept := clock(unix.CLOCK_BOOTTIME) - clock(unix.CLOCK_MONOTONIC)
	for i := range k.addrs {
		a := &k.addrs[i]
		if a.valid == forever {
			a.ends = wire.Permanent
			continue
		}
		a.ends, a.unsure = ends(a.valid, a.stamp, before, after, lag)
		a.ends += slept
	}
	return nil
}

// forever is the kernel's lifetime of an address that does not expire.
const forever = 0xffffffff

// parseAddress reads one message of the dump.
func parseAddress(m []byte) (a address, ok bool) {
	if len(m) < unix.SizeofIfAddrmsg {
		return a, false
	}
	a.index = int(binary.NativeEndian.Uint32(m[4:]))
	a.valid = forever
	attrs, err := nl.ParseRouteAttr(m[unix.SizeofIfAddrmsg:])
	if err != nil {
		return a, false
	}
	for _, at := range attrs {
		switch at.Attr.Type {
		case unix.IFA_ADDRESS:
			if !a.addr.IsValid() {
				a.addr, _ = netip.AddrFromSlice(at.Value)
			}
		case unix.IFA_LOCAL: // with a point-to-point link the other is the far end
			a.addr, _ = netip.AddrFromSlice(at.Value)
		case unix.IFA_CACHEINFO:
			if len(at.Value) < 16 {
				return a, false
			}
			a.valid, a.stamp = binary.NativeEndian.Uint32(at.Value[4:]), binary.NativeEndian.Uint32(at.Value[12:])
		}
	}
	a.prefix = netip.PrefixFrom(a.addr, int(m[1]))
	return a, a.addr.IsValid()
}

// tickOfKernel is by how much the kernel's stamps and CLOCK_MONOTONIC may
// differ: a tick at 100 Hz, and a little.
const tickOfKernel = 15 * time.Millisecond

// ends is when an address ends, in CLOCK_MONOTONIC. The kernel tells how many
// seconds are left of the lifetime that was set, rounded up: that lifetime less
// the whole seconds since the stamp, which is behind by lag. Where it is not
// sure which second that was in, the earlier end counts, and the address is to be
// read again.
func ends(valid, stamp uint32, before, after, lag time.Duration) (end time.Duration, unsure bool) {
	set := time.Duration(stamp)*10*time.Millisecond + lag
	least := max(before-set-tickOfKernel, 0) / time.Second
	most := max(after-set+tickOfKernel, 0) / time.Second
	return set + (time.Duration(valid)+least)*time.Second, least != most
}

// settle takes from an earlier look what this one is not sure of: as long as
// the stamp is the same, so is the end.
func (k *kernel) settle(was *kernel) {
	k.unsure = false
	for i := range k.addrs {
		a := &k.addrs[i]
		if !a.unsure {
			continue
		}
		for _, b := range was.addrs {
			if b.addr == a.addr && b.index == a.index && b.stamp == a.stamp && !b.unsure {
				a.ends, a.unsure = b.ends, false
			}
		}
		k.unsure = k.unsure || a.unsure
	}
}

// named is the interface of that name.
func (k *kernel) named(name string) (link, bool) {
	for _, l := range k.links {
		if l.name == name {
			return l, name != ""
		}
	}
	return link{}, false
}

// device is the name of the interface that is wanted, "" if there is none: of
// those whose network an address is in, the one with the smallest.
func (k *kernel) device(w want) string {
	if w.device != "" {
		return w.device
	}
	best, bits := "", -1
	for _, a := range k.addrs {
		l := k.links[a.index]
		if n := a.prefix.Bits(); !l.loopback && a.addr != w.addr && n > bits && n < a.addr.BitLen() && a.prefix.Contains(w.addr) {
			best, bits = l.name, n
		}
	}
	return best
}

// onLink reports whether an address is of a network of the interface.
func (k *kernel) onLink(index int, a netip.Addr) bool {
	return slices.ContainsFunc(k.addrs, func(o address) bool {
		return o.index == index && o.prefix.Bits() < o.addr.BitLen() && o.prefix.Contains(a.WithZone(""))
	})
}

// own are addresses of the interface to ask from: none that moves.
func (k *kernel) own(index int, virtual func(netip.Addr) bool) (v4, v6 netip.Addr) {
	for _, a := range k.addrs {
		switch {
		case a.index != index || virtual(a.addr) || a.prefix.Bits() == a.addr.BitLen():
		case a.addr.Is4() && !v4.IsValid():
			v4 = a.addr
		case a.addr.Is6() && a.addr.IsLinkLocalUnicast() && !v6.IsValid():
			v6 = a.addr
		}
	}
	return v4, v6
}

// events makes s look anew whenever the kernel tells of a change, until ctx ends.
func (s *Sight) events(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.listen(ctx); err != nil && ctx.Err() == nil && !strings.Contains(err.Error(), "closed") {
			s.look()
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}

// listen reads what the kernel tells.
func (s *Sight) listen(ctx context.Context) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return os.NewSyscallError("open a netlink socket", err)
	}
	f := os.NewFile(uintptr(fd), "netlink")
	defer f.Close()
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		return os.NewSyscallError("bind a netlink socket", err)
	}
	defer context.AfterFunc(ctx, func() { f.Close() })()
	buf := make([]byte, 32<<10)
	for {
		n, err := f.Read(buf)
		if err != nil && !errors.Is(err, unix.ENOBUFS) {
			return err
		}
		now := clock(unix.CLOCK_MONOTONIC)
		messages, garbled := syscall.ParseNetlinkMessage(buf[:max(n, 0)])
		s.learn(messages, now)
		if err != nil || garbled != nil || !onlyAddresses(messages) {
			s.fresh.Store(true)
		}
		s.look()
	}
}

// mostLag is by how much the kernel's stamps can be behind CLOCK_MONOTONIC: they
// are jiffies, of which a machine may miss some while it starts.
const mostLag = 500 * time.Millisecond

// learn learns from what the kernel told at now by how much its stamps are
// behind: an address that was just set looks that old, and more only if we were
// late. Until one was set they are taken as they are, and so addresses seem to
// end earlier than they do: that is the safe side.
func (s *Sight) learn(messages []syscall.NetlinkMessage, now time.Duration) {
	for _, m := range messages {
		a, ok := parseAddress(m.Data)
		looks := now - time.Duration(a.stamp)*10*time.Millisecond
		if m.Header.Type != unix.RTM_NEWADDR || !ok || a.valid == forever || looks < 0 || looks > mostLag {
			continue
		}
		s.mu.Lock()
		if !s.lagKnown || looks < s.lag {
			s.lag, s.lagKnown = looks, true
		}
		s.mu.Unlock()
	}
}

// onlyAddresses reports whether messages are of nothing but addresses, and of
// the routes that come with them.
func onlyAddresses(messages []syscall.NetlinkMessage) bool {
	return !slices.ContainsFunc(messages, func(m syscall.NetlinkMessage) bool {
		switch m.Header.Type {
		case unix.RTM_NEWADDR, unix.RTM_DELADDR:
			return false
		case unix.RTM_NEWROUTE, unix.RTM_DELROUTE: // of the table that the kernel keeps of its own addresses
			return len(m.Data) < unix.SizeofRtMsg || m.Data[4] != unix.RT_TABLE_LOCAL
		}
		return true
	})
}
