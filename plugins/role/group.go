package role

import (
	"net/netip"
	"time"
)

// Group is what a [Line] declares: addresses that are held all or none.
type Group struct {
	Name      string
	Addresses []Address
	// Routes and Rules belong to the group: added after its addresses, removed
	// before them, in the words of ip(8), as "default via 10.0.0.1 src 10.0.0.3".
	Routes, Rules [][]string
	// Tell are stations that are told by a packet of their own whose an address
	// is: a router that heeds no broadcast, the real servers of a NAT pair.
	Tell []netip.Addr
	// Refresh is the time between announcements while the group is held, once
	// the first minute is over; 0 for none.
	Refresh time.Duration
	// Priority of this director for the group, 0 to 255: the higher is preferred.
	Priority uint8
	// Failback says whether a preferred director that comes back takes the group
	// again: never, at once, or After a time of health.
	Failback Failback
	After    time.Duration
	// Conflict says what to do if a station that is not the peer answers for an
	// address that is to be taken.
	Conflict Conflict
	// OnTake and OnRelease are programs to be run in order, each at most ProgramLimit:
	// before the addresses are added, after they are removed.
	OnTake, OnRelease [][]string
	ProgramLimit      time.Duration
}

// Hosts are the addresses without anything else.
func (g Group) Hosts() []netip.Addr {
	hosts := make([]netip.Addr, 0, len(g.Addresses))
	for _, a := range g.Addresses {
		hosts = append(hosts, a.Prefix.Addr())
	}
	return hosts
}

// Address is one address to be held.
type Address struct {
	// Prefix is the address with its length; /32 and /128 are the default: no
	// route, never a source.
	Prefix netip.Prefix
	// Device is the interface; "" for the one whose network the address is in.
	Device string
	// Label is the name that ifconfig shows, as eth0:lvs; IPv4 only, at most 15
	// bytes.
	Label string
	// Broadcast is the broadcast address of an IPv4 network; invalid for none.
	Broadcast netip.Addr
	// Router: other machines use it as their gateway (IPv6: announced with R=1,
	// whatever the interface's forwarding says).
	Router bool
}

// Failback is when a preferred director that comes back takes the group again.
type Failback string

// The policies.
const (
	FailbackOff   Failback = "off"
	FailbackNow   Failback = "now"
	FailbackAfter Failback = "after"
)

// Conflict is what to do about a stranger that answers for an address.
type Conflict string

// The policies.
const (
	Refuse   Conflict = "refuse"
	Takeover Conflict = "takeover"
)
