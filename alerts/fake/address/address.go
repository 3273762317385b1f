// Package address reads and changes the IP addresses of this machine, with the
// routes and rules that belong to them, over rtnetlink(7): a whole group in one
// message to the kernel, all or none; as a lease that the kernel ends by itself;
// and marked, so that who comes back after a crash knows his own.
//
// It decides nothing: not what is to be held, nor when. It announces nothing.
// What it is given are interfaces by their index in this network namespace.
//
// Leases are the kernel's valid lifetime (IFA_CACHEINFO), in whole seconds. The
// kernel looks at them when it likes: measured on 6.18, an address goes up to
// 20 ms early, 0.1 s late as a rule, and up to [Slack] late if the lifetime of
// another address was set shortly before. Whoever waits for the end of a lease
// waits for its Slack too.
package address

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/plugins/role"
)

// Mark is the protocol number (IFA_PROTO, RTA_PROTO, FRA_PROTOCOL) of what is
// held on a token, and of that alone. Kernels before 5.18 keep none with an address.
const Mark = 0x6d

// Forever is the end of what is permanent.
const Forever = role.Forever

// Slack is how long after the end of a lease the kernel may remove the address:
// it looks at lifetimes at most once a second (ADDRCONF_TIMER_FUZZ_MAX), and
// rounds that by a quarter of one.
const Slack = 1250 * time.Millisecond

// Loopback is the index of lo: the first interface of every namespace.
const Loopback = 1

// Link is an interface.
type Link struct {
	Index int
	Name  string
	// Up: set up by somebody. Carrier: it has one, too.
	Up, Carrier bool
	// Ups counts how often the carrier came (IFLA_CARRIER_UP_COUNT).
	Ups uint32
	// MAC is the hardware address, as bytes.
	MAC string
}

// Row is an address as the kernel has it.
type Row struct {
	Prefix netip.Prefix
	Index  int
	Label  string
	// Flags are IFA_F_*.
	Flags uint32
	// Proto is the mark; 0 for none.
	Proto uint8
	// Expires is when its lease ends: exact within 20 ms for what was given
	// by this Kernel, otherwise at most a second too late.
	Expires time.Duration
	// Made and Changed are the kernel's own stamps in hundredths of a second:
	// another Made means that the address was away in between.
	Made, Changed uint32
	left          uint32 // seconds
}

// Permanent reports whether r has no end.
func (r Row) Permanent() bool { return r.Expires == Forever }

// Primary reports whether the kernel would remove other addresses of the network
// together with r: the first of an IPv4 network that has room for others.
func (r Row) Primary() bool {
	return r.Prefix.Addr().Is4() && r.Prefix.Bits() < 32 && r.Flags&unix.IFA_F_SECONDARY == 0
}

// View is what the kernel had at an instant of CLOCK_BOOTTIME.
type View struct {
	At    time.Duration
	Links []Link
	Rows  []Row
}

// Sort brings all into the order in which it is looked up: interfaces by their
// index, rows by their address.
func (v *View) Sort() {
	slices.SortFunc(v.Links, func(a, b Link) int { return cmp.Compare(a.Index, b.Index) })
	slices.SortFunc(v.Rows, func(a, b Row) int {
		return cmp.Or(a.Prefix.Addr().Compare(b.Prefix.Addr()), cmp.Compare(a.Index, b.Index), cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()))
	})
}

// Link is the interface of that index.
func (v View) Link(index int) (Link, bool) {
	i, ok := slices.BinarySearchFunc(v.Links, index, func(l Link, index int) int { return cmp.Compare(l.Index, index) })
	if !ok {
		return Link{}, false
	}
	return v.Links[i], true
}

// Named is the interface of that name.
func (v View) Named(name string) (Link, bool) {
	return find(v.Links, func(l Link) bool { return l.Name == name })
}

// Row is the address with that prefix on the interface.
func (v View) Row(p netip.Prefix, index int) (Row, bool) {
	return find(v.Where(p.Addr()), func(r Row) bool { return r.Index == index && r.Prefix == p })
}

// Where are all rows of the address, whatever their prefix and interface.
func (v View) Where(ip netip.Addr) []Row {
	from, _ := slices.BinarySearchFunc(v.Rows, ip, func(r Row, ip netip.Addr) int { return r.Prefix.Addr().Compare(ip) })
	to := from
	for to < len(v.Rows) && v.Rows[to].Prefix.Addr() == ip {
		to++
	}
	return v.Rows[from:to]
}

// Name is the interface's name, or its number where it has gone.
func (v View) Name(index int) string {
	if l, ok := v.Link(index); ok {
		return l.Name
	}
	return fmt.Sprintf("interface %d", index)
}

func find[T any](list []T, is func(T) bool) (T, bool) {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i], true
	}
	var none T
	return none, false
}

// Op is what is to be done with a [Thing].
type Op uint8

// The operations. Renew sets the lifetime of an address anew, and makes the
// address if it is not there: the kernel has no other way.
const (
	Add Op = iota + 1
	Renew
	Remove
)

// String is the verb.
func (o Op) String() string {
	switch o {
	case Add:
		return "add"
	case Renew:
		return "renew"
	case Remove:
		return "remove"
	}
	return "leave"
}

// Step is one change.
type Step struct {
	Op    Op
	Thing Thing
}

// Thing is an [Address], a [Route] or a [Rule].
type Thing interface {
	String() string
	// message is the type of the message, its flags and all behind its header.
	message(op Op) (kind, flags uint16, body []byte)
}

// Address is an address to be added or removed.
type Address struct {
	Prefix netip.Prefix
	Index  int
	// Device is the interface's name, for people.
	Device    string
	Label     string
	Broadcast netip.Addr
	// Lease is the lifetime in whole seconds, 0 for permanent.
	Lease time.Duration
	// Mark is its protocol number, 0 for none.
	Mark uint8
}

// String is the address with its interface.
func (a Address) String() string { return a.Prefix.String() + " on " + a.Device }

// flags are those of the address: no connected route, which both directors
// would have, and no search for duplicates, which would take a second.
func (a Address) flags() uint32 {
	var f uint32
	if a.Prefix.Addr().Is6() {
		f |= unix.IFA_F_NODAD
	}
	if !a.Prefix.IsSingleIP() {
		f |= unix.IFA_F_NOPREFIXROUTE
	}
	return f
}

// lifetimes are the valid and the preferred lifetime in seconds. An IPv6 address
// that is held is never chosen as a source, so it is deprecated; of IPv4 the
// kernel asks that for no choice.
func (a Address) lifetimes() (valid, preferred uint32) {
	valid = forever
	if a.Lease > 0 {
		valid = uint32(min(max(a.Lease/time.Second, 1), forever-1))
	}
	if a.Prefix.Addr().Is6() {
		return valid, 0
	}
	return valid, valid
}

// forever is INFINITY_LIFE_TIME.
const forever = 1<<32 - 1
