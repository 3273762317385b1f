package member

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// Limits and defaults. A zero field of Config means its default.
const (
	MinInterval       = 10 * time.Millisecond
	MaxInterval       = 10 * time.Second
	MinDead           = 30 * time.Millisecond
	MaxDead           = time.Minute
	DefaultInterval   = 100 * time.Millisecond
	DefaultInitDead   = 10 * time.Second
	DefaultLease      = 3 * time.Second
	DefaultTakeWithin = 5 * time.Second
	DefaultLossy      = 6
	DefaultChanges    = 3
	DefaultChangesIn  = 10 * time.Minute
	// beatsToDead is how many intervals the default dead time has.
	beatsToDead = 5
	// leastBeats is how many intervals any dead time has at least.
	leastBeats = 3
)

// Config is what one director is told. It is the same on both but for Self,
// Incarnation, Epoch and the priorities.
type Config struct {
	Self, Peer wire.Node
	// SelfName and PeerName are for people.
	SelfName, PeerName string
	// Incarnation is the one that packets are sealed with.
	Incarnation uint64
	// Epoch is the least that a claim may use: above every one that this node
	// used before it started. The caller has reserved it ahead on disk; one whose
	// disk is gone gives 1, and the peer's beats put it right.
	Epoch uint64
	// Interval is the time between beats; Dead after how much silence this node
	// is to be taken for dead, which the peer is told in each beat. Dead is 5
	// intervals if it is 0, and never below 3 intervals and 30 ms.
	Interval, Dead time.Duration
	// InitDead is how long a node that starts waits for the peer's first word.
	InitDead time.Duration
	// Lease is how long the kernel keeps an address without renewal while the
	// peer could take it; LeaseAlone the same while it could not, 0 for
	// permanent.
	Lease, LeaseAlone time.Duration
	// TakeWithin is how long the keeper may take from the first token to all
	// addresses, programs that run before them included.
	TakeWithin time.Duration
	// Links in the order of their numbers, at most wire.MaxLinks.
	Links []Link
	// Groups of addresses, at most wire.MaxGroups.
	Groups []Group
	// Version and Hash name the configuration as both should have it.
	Version uint32
	Hash    uint64
	// Witness says that there is a third machine which votes.
	Witness bool
	// Rival says what to do if somebody who is not the peer answers for an
	// address that is to be taken; Takeover is for all groups, whatever they say.
	Rival Rival
	// Lossy is how many of a link's last 24 beats may be missing before it is
	// reported; a link reported so is good again when at most 1 of 32 is.
	Lossy int
	// A group that changed hands more than MaxChanges times within ChangesIn
	// stays where it is, but for a dead peer and an operator.
	MaxChanges int
	ChangesIn  time.Duration
}

// Link is one way to the peer. Its number is its place in Config.Links.
type Link struct{ Name string }

// Group is addresses that are held all or none.
type Group struct {
	Name string
	// Priority is this node's: the higher is preferred, and of equal ones the
	// lower node number.
	Priority uint8
	// Total is how many addresses the group has.
	Total int
	// LANs are the service networks it needs, by their place in Facts.LANs; none
	// for all of them.
	LANs []int
	// Failback says whether this node, where it is the preferred one, takes the
	// group back from a peer that holds it well; After is for how long it must
	// have been fit, and its copy of the connections complete.
	Failback Failback
	After    time.Duration
	// Rival is the same as Config.Rival for this group.
	Rival Rival
}

// Failback is the policy of a preferred node that comes back.
type Failback uint8

// The policies.
const (
	FailbackOff Failback = iota // the group stays with who has it
	FailbackNow                 // as soon as it is fit
	FailbackAfter
)

// Rival is the policy about strangers that answer for an address.
type Rival uint8

// The policies.
const (
	Refuse   Rival = iota // do not take the group, and alarm
	Takeover              // take it nevertheless, and alarm
)

// complete sets the defaults.
func (c Config) complete() Config {
	or := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	or(&c.Interval, DefaultInterval)
	or(&c.Dead, max(beatsToDead*c.Interval, MinDead))
	or(&c.InitDead, DefaultInitDead)
	or(&c.Lease, DefaultLease)
	or(&c.TakeWithin, DefaultTakeWithin)
	or(&c.ChangesIn, DefaultChangesIn)
	if c.MaxChanges == 0 {
		c.MaxChanges = DefaultChanges
	}
	if c.Lossy == 0 {
		c.Lossy = DefaultLossy
	}
	if c.SelfName == "" {
		c.SelfName = fmt.Sprintf("node %d", c.Self)
	}
	if c.PeerName == "" {
		c.PeerName = fmt.Sprintf("node %d", c.Peer)
	}
	c.Epoch = max(c.Epoch, 1)
	return c
}

// Validate reports all that is wrong with c.
func (c Config) Validate() error {
	c = c.complete()
	var errs []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(c.Self == wire.Everyone || c.Peer == wire.Everyone, "node number 0 means every node: take numbers from 1 to 255")
	wrong(c.Self == c.Peer, "both directors have node number %d", c.Self)
	wrong(c.Incarnation == 0, "incarnation 0 means none: draw one at random")
	wrong(c.Interval < MinInterval || c.Interval > MaxInterval, "beats each %v: from %v to %v", c.Interval, MinInterval, MaxInterval)
	wrong(c.Dead < leastBeats*c.Interval, "a dead time of %v is less than %d beats of %v", c.Dead, leastBeats, c.Interval)
	wrong(c.Dead < MinDead || c.Dead > MaxDead, "a dead time of %v: from %v to %v", c.Dead, MinDead, MaxDead)
	wrong(c.InitDead < c.Dead, "an initial dead time of %v is less than the dead time of %v", c.InitDead, c.Dead)
	wrong(c.Lease < time.Second || c.Lease > time.Minute, "a lease of %v: from 1s to 1m, since the kernel counts seconds", c.Lease)
	wrong(c.LeaseAlone != 0 && (c.LeaseAlone < time.Second || c.LeaseAlone > time.Minute), "a lease of %v for a director alone: from 1s to 1m, or none", c.LeaseAlone)
	wrong(c.TakeWithin < time.Second, "%v to take a group: at least 1s", c.TakeWithin)
	wrong(len(c.Links) == 0, "there is no link to the peer")
	wrong(len(c.Links) > wire.MaxLinks, "%d links are more than %d", len(c.Links), wire.MaxLinks)
	wrong(len(c.Groups) > wire.MaxGroups, "%d groups are more than %d", len(c.Groups), wire.MaxGroups)
	wrong(c.Lossy < 1 || c.Lossy > shortWindow, "lossy at %d of %d beats", c.Lossy, shortWindow)
	return errors.Join(append(errs, c.names()...)...)
}

// names checks the names of links and groups.
func (c Config) names() (errs []error) {
	links, ids := map[string]bool{}, map[uint16]string{}
	for _, l := range c.Links {
		if l.Name == "" || links[l.Name] {
			errs = append(errs, fmt.Errorf("link %q: every link needs a name of its own", l.Name))
		}
		links[l.Name] = true
	}
	for _, g := range c.Groups {
		id := wire.GroupHash(g.Name)
		switch other, twice := ids[id]; {
		case g.Name == "" || other == g.Name:
			errs = append(errs, fmt.Errorf("group %q: every group needs a name of its own", g.Name))
		case twice:
			errs = append(errs, fmt.Errorf("groups %s and %s look the same in a beat: rename one of them", other, g.Name))
		}
		ids[id] = g.Name
		if g.Total < 1 || g.Total > 255 {
			errs = append(errs, fmt.Errorf("group %s has %d addresses: from 1 to 255", g.Name, g.Total))
		}
		if slices.ContainsFunc(g.LANs, func(i int) bool { return i < 0 }) {
			errs = append(errs, fmt.Errorf("group %s: a network below 0", g.Name))
		}
	}
	return errs
}
