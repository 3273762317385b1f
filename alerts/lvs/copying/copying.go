// Package copying looks at what the kernel's copying of IPVS connections hangs
// upon and does not say itself: the interface of the sync daemons, their
// sockets, and sysctls. The kernel lists a daemon as running when its interface
// has long been removed, and when nothing arrives.
//
// It starts and stops nothing: that is the owner of lvs.alert.
package copying

import (
	"net/netip"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// Source is where the facts come from.
type Source interface {
	// Look looks in a network namespace, "" for our own.
	Look(netns string, s ipvs.Sync) (Facts, error)
}

// Facts are what sync daemons hang upon.
type Facts struct {
	// Index is the interface's number, 0 if it is not there. Another one is
	// another interface, of which sockets of an older one know nothing.
	Index int
	// Up means that it is up and has a carrier.
	Up bool
	// Addresses are the interface's.
	Addresses []netip.Prefix
	// Default means that a default route leads through it.
	Default bool
	// BackupOnly is the sysctl backup_only: a director with a backup and no
	// master forwards nothing new.
	BackupOnly bool
	// Refresh is the sysctl sync_refresh_period, in seconds; 0 is off.
	Refresh int
	Sockets Sockets
}

// Sockets are those of the daemons; Known means that they could be looked at.
type Sockets struct {
	Known bool
	// From is the address that the master sends from; zero without one.
	From netip.Addr
	// Joined means that the interface takes in the group's packets.
	Joined bool
	// Drops are packets that the backup's sockets had no room for, since they
	// were opened.
	Drops uint64
}

// Stale reports whether daemons that run are cut off from the interface, which
// is another one or has another address than when they were started. was is its
// number when they were well, 0 if that is not known.
func (f Facts) Stale(run []ipvs.Daemon, was int) bool {
	if f.Index == 0 {
		return false // nothing can be done about it yet
	}
	if was != 0 && f.Index != was {
		return true
	}
	if !f.Sockets.Known {
		return false
	}
	for _, d := range run {
		if d.State == ipvs.Backup && !f.Sockets.Joined || d.State == ipvs.Master && !f.has(f.Sockets.From) {
			return true
		}
	}
	return false
}

// has reports whether a is on the interface; one that is not known is.
func (f Facts) has(a netip.Addr) bool {
	if !a.Is4() {
		return true
	}
	for _, p := range f.Addresses {
		if p.Addr() == a {
			return true
		}
	}
	return false
}
