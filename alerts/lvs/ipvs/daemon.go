package ipvs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Syncer is a Table whose connections can be copied to another director: by
// the kernel's sync daemons, of which there is at most one for each state.
type Syncer interface {
	Table
	// Daemons are those that run, the master first.
	Daemons(ctx context.Context) ([]Daemon, error)
	// StartDaemon fails with [ErrExists] if one of that state runs, with
	// [ErrNoLink] if its interface is not there.
	StartDaemon(ctx context.Context, d Daemon) error
	// StopDaemon fails with [ErrNoDaemon] if none of that state runs.
	StopDaemon(ctx context.Context, s DaemonState) error
}

// DaemonState is what a sync daemon does, numbered by the kernel.
type DaemonState uint8

// The states: Master sends connections, Backup takes them in.
const (
	Master DaemonState = 1
	Backup DaemonState = 2
)

// String is the word of ipvsadm's --start-daemon.
func (s DaemonState) String() string {
	switch s {
	case Master:
		return "master"
	case Backup:
		return "backup"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Daemon is a sync daemon.
type Daemon struct {
	State DaemonState
	Sync
}

// Sync is how sync daemons talk to those of the other director: without
// authentication, encryption or acknowledgement, so that it belongs on a private
// link. A zero but for Link and ID is the kernel's default. It is comparable.
type Sync struct {
	Link string // the interface
	// ID is the cluster's: a backup takes from masters of its own ID only, and
	// one with ID 0 from all.
	ID     uint8
	MaxLen uint16     // of a message; default: what fits the MTU, 1500 at most
	Group  netip.Addr // multicast; default 224.0.0.81
	Port   uint16     // default 8848, and those after it where sync_ports is above 1
	TTL    uint8      // of IPv4 as of IPv6; default 1
}

// The kernel's defaults.
const (
	DefaultSyncPort = 8848
	defaultSyncTTL  = 1
)

// DefaultSyncGroup is 224.0.0.81.
func DefaultSyncGroup() netip.Addr { return netip.AddrFrom4([4]byte{224, 0, 0, 81}) }

// MinSyncMaxLen is the smallest message that a backup is told: it makes this of
// less.
const MinSyncMaxLen = 1024

// Filled is s with the kernel's defaults for all but MaxLen, which follows the
// interface.
func (s Sync) Filled() Sync {
	if !s.Group.IsValid() {
		s.Group = DefaultSyncGroup()
	}
	s.Port, s.TTL = cmp.Or(s.Port, DefaultSyncPort), cmp.Or(s.TTL, defaultSyncTTL)
	return s
}

// Like reports whether a daemon that runs as has is as s asks. Of what an old
// kernel does not tell, and of MaxLen where it is not asked for, nothing is
// known.
func (s Sync) Like(has Sync) bool {
	want := s.Filled()
	if want.MaxLen == 0 || has.MaxLen == 0 {
		want.MaxLen = has.MaxLen
	}
	if has.Port == 0 { // before Linux 4.3
		want.Group, want.Port, want.TTL = has.Group, has.Port, has.TTL
	}
	return want == has
}

// maxLink is the longest name of an interface: IP_VS_IFNAME_MAXLEN, with its
// zero.
const maxLink = 15

// Validate reports what the kernel would refuse of s, or make something else
// of, wrapping [ErrInvalid].
func (s Sync) Validate() error {
	most := 65535 - 20 - 8 // IP and UDP
	if s.Group.Is6() {
		most -= 20
	}
	switch {
	case s.Link == "" || len(s.Link) > maxLink || strings.ContainsAny(s.Link, "/ \t\n\x00"):
		return invalid("%q is no interface", s.Link)
	case s.MaxLen != 0 && (int(s.MaxLen) < MinSyncMaxLen || int(s.MaxLen) > most):
		return invalid("a message of the sync daemon has %d to %d bytes at most, not %d", MinSyncMaxLen, most, s.MaxLen)
	case s.Group.IsValid() && (!s.Group.IsMulticast() || s.Group.Zone() != "" || s.Group.Is4In6()):
		return invalid("%s is no multicast address", s.Group)
	}
	return nil
}

// Options are d as ipvsadm's --start-daemon takes it.
func (d Daemon) Options() string {
	text := fmt.Sprintf("%s --mcast-interface %s --syncid %d", d.State, d.Link, d.ID)
	for name, value := range d.Asked() {
		option := " --mcast-"
		if name == "maxlen" {
			option = " --sync-"
		}
		text += option + name + " " + value
	}
	return text
}

// Asked are the parts of s that are not left to the kernel, beside Link and ID:
// maxlen, group, port and ttl, in this order.
func (s Sync) Asked() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, part := range []struct {
			name  string
			asked bool
			value string
		}{
			{"maxlen", s.MaxLen != 0, strconv.Itoa(int(s.MaxLen))},
			{"group", s.Group.IsValid(), s.Group.String()},
			{"port", s.Port != 0, strconv.Itoa(int(s.Port))},
			{"ttl", s.TTL != 0, strconv.Itoa(int(s.TTL))},
		} {
			if part.asked && !yield(part.name, part.value) {
				return
			}
		}
	}
}

// mixed names a real server of another address family than its virtual
// service's, if there is one: the kernel copies no connections then.
func mixed(ctx context.Context, t Table) (v Virtual, d Destination, found bool) {
	list, err := t.Services(ctx)
	if err != nil {
		return v, d, false
	}
	for _, s := range list {
		reals, err := t.Destinations(ctx, s.Virtual)
		i := slices.IndexFunc(reals, func(d Destination) bool { return d.Addr.Addr().Is6() != s.Is6() })
		if err == nil && i >= 0 {
			return s.Virtual, reals[i], true
		}
	}
	return v, d, false
}

// explainDaemon says why the kernel did not start a daemon, where it gives a
// number only.
func explainDaemon(ctx context.Context, t Table, d Daemon, err error) error {
	if !errors.Is(err, ErrInvalid) {
		return err
	}
	if v, real, ok := mixed(ctx, t); ok {
		return fmt.Errorf("%w: %s is of another address family than %s: connections are copied only where there is none such; remove it, or the sync daemons",
			ErrInvalid, real.Addr, v)
	}
	if d.Sync != (Sync{Link: d.Link, ID: d.ID}) {
		return fmt.Errorf("%w (before Linux 4.3 it knows neither maxlen, group, port nor ttl)", err)
	}
	return err
}
