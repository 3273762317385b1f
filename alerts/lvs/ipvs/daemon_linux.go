package ipvs

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

const (
	cmdNewDaemon command = 9
	cmdDelDaemon command = 10
	cmdGetDaemon command = 11

	attrDaemon = 3

	daemonState  = 1
	daemonLink   = 2
	daemonID     = 3
	daemonMaxLen = 4
	daemonGroup  = 5 // IPv4, in network order
	daemonGroup6 = 6
	daemonPort   = 7 // in the machine's order, unlike other ports
	daemonTTL    = 8
)

var _ Syncer = (*Kernel)(nil)

// daemonAll is a daemon whole; what is zero the kernel chooses.
func daemonAll(d Daemon) *nl.RtAttr {
	a := daemonName(d.State)
	a.AddRtAttr(daemonLink, nl.ZeroTerminated(d.Link))
	a.AddRtAttr(daemonID, nl.Uint32Attr(uint32(d.ID)))
	if d.MaxLen != 0 {
		a.AddRtAttr(daemonMaxLen, nl.Uint16Attr(d.MaxLen))
	}
	switch {
	case d.Group.Is4():
		a.AddRtAttr(daemonGroup, d.Group.AsSlice())
	case d.Group.Is6():
		a.AddRtAttr(daemonGroup6, d.Group.AsSlice())
	}
	if d.Port != 0 {
		a.AddRtAttr(daemonPort, nl.Uint16Attr(d.Port))
	}
	if d.TTL != 0 {
		a.AddRtAttr(daemonTTL, nl.Uint8Attr(d.TTL))
	}
	return a
}

// daemonName is the part of a daemon that names it.
func daemonName(s DaemonState) *nl.RtAttr {
	a := nl.NewRtAttr(attrDaemon, nil)
	a.AddRtAttr(daemonState, nl.Uint32Attr(uint32(s)))
	return a
}

func parseDaemon(answer []byte) (Daemon, error) {
	a, err := attributes(answer)
	if err != nil {
		return Daemon{}, err
	}
	d := Daemon{State: DaemonState(u32(a[daemonState])), Sync: Sync{
		Link: unix.ByteSliceToString(a[daemonLink]), ID: uint8(u32(a[daemonID])), //nolint:gosec // 0 to 255, as it was set
		MaxLen: u16(a[daemonMaxLen]), Port: u16(a[daemonPort]),
	}}
	if b := a[daemonTTL]; len(b) > 0 {
		d.TTL = b[0]
	}
	if b := a[daemonGroup]; len(b) >= 4 {
		d.Group = netip.AddrFrom4([4]byte(b[:4]))
	}
	if b := a[daemonGroup6]; len(b) >= 16 {
		d.Group = netip.AddrFrom16([16]byte(b[:16]))
	}
	if d.State != Master && d.State != Backup {
		return d, fmt.Errorf("the kernel's answer has a sync daemon of %s", d.State)
	}
	return d, nil
}

func (k *Kernel) rawDaemons() ([]Daemon, error) {
	answers, err := k.request(cmdGetDaemon, unix.NLM_F_DUMP)
	if err != nil {
		return nil, err
	}
	var out []Daemon
	for _, a := range answers {
		d, err := parseDaemon(a)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Daemon) int { return int(a.State) - int(b.State) })
	return out, nil
}

// Daemons implements [Syncer].
func (k *Kernel) Daemons(ctx context.Context) ([]Daemon, error) {
	list, err := call(ctx, k, func() ([]Daemon, error) {
		list, err := k.rawDaemons()
		return list, k.explain(err, ErrNoKernel)
	})
	return list, wrap("read the sync daemons", Virtual{}, netip.AddrPort{}, err)
}

// StartDaemon implements [Syncer].
func (k *Kernel) StartDaemon(ctx context.Context, d Daemon) error {
	op := "start the sync daemon (" + d.State.String() + ") on " + d.Link
	if err := d.Validate(); err != nil {
		return wrap(op, Virtual{}, netip.AddrPort{}, err)
	}
	err := k.edit(ctx, op, Virtual{}, netip.AddrPort{}, ErrNoKernel, func() error {
		_, err := k.request(cmdNewDaemon, 0, daemonAll(d))
		return daemonErrno(err)
	})
	return explainDaemon(ctx, k, d, err)
}

// StopDaemon implements [Syncer].
func (k *Kernel) StopDaemon(ctx context.Context, s DaemonState) error {
	return k.edit(ctx, "stop the sync daemon ("+s.String()+")", Virtual{}, netip.AddrPort{}, ErrNoKernel, func() error {
		_, err := k.request(cmdDelDaemon, 0, daemonName(s))
		if errors.Is(err, syscall.ESRCH) {
			return ErrNoDaemon
		}
		return err
	})
}

// daemonErrno translates what starting a daemon, which opens a socket on its
// interface, gives besides what every edit does.
func daemonErrno(err error) error {
	switch {
	case errors.Is(err, syscall.ENODEV), errors.Is(err, syscall.ENXIO):
		return ErrNoLink
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: it has no address, and the daemon sends from one", ErrNoLink)
	case errors.Is(err, syscall.ENETDOWN):
		return fmt.Errorf("%w: it is down", ErrNoLink)
	case errors.Is(err, syscall.EAFNOSUPPORT):
		return fmt.Errorf("%w: this kernel's IPVS has no IPv6, so the group must be an IPv4 one", ErrInvalid)
	}
	return err
}
