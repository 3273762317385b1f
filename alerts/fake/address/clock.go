package address

import (
	"net/netip"
	"time"
)

// clock tells what the kernel's stamps of addresses are on CLOCK_BOOTTIME. They
// count hundredths of a second of ticks, which began a while after the machine
// did and stand still while it sleeps; so the difference is learned from what we
// wrote ourselves, and anew when what we learn does not fit.
type clock struct {
	// The difference is between low and high, if known.
	low, high time.Duration
	known     bool
	// given are the lifetimes that were set, of the rows that were read last.
	given map[spot]given
}

// spot is where a row is.
type spot struct {
	prefix netip.Prefix
	index  int
}

// given is a lifetime in seconds, and the stamp of when it was set.
type given struct{ stamp, seconds uint32 }

// tick is the unit of stamps; the kernel's own ticks are at most as long.
const tick = 10 * time.Millisecond

// learn takes in that the stamp was made between the two instants.
func (c *clock) learn(stamp uint32, before, after time.Duration) {
	at := time.Duration(stamp) * tick
	low, high := before-at-tick, after-at+tick
	if c.known && low <= c.high && high >= c.low {
		low, high = max(low, c.low), min(high, c.high)
	}
	c.low, c.high, c.known = low, high, true
}

// read sets Expires of rows that were read between two instants: the latest that
// it can be.
func (c *clock) read(rows []Row, before, after time.Duration) {
	was := c.given
	c.given = map[spot]given{}
	for i, r := range rows {
		if r.Permanent() {
			continue
		}
		at := spot{r.Prefix, r.Index}
		g, ok := c.lifetime(r, before, after)
		if old := was[at]; !ok && old.stamp == r.Changed && old.seconds+1 == g.seconds {
			g, ok = old, true // it was read before, away from the end of a second
		}
		if ok {
			c.given[at] = g
		}
		rows[i].Expires = after + time.Duration(r.left)*time.Second
		if c.known {
			rows[i].Expires = min(rows[i].Expires, time.Duration(r.Changed)*tick+c.high+time.Duration(g.seconds)*time.Second)
		}
	}
}

// lifetime is what r was given. The kernel counts down the whole seconds since
// the stamp; sure is false about where one ends, when it may be a second more.
func (c *clock) lifetime(r Row, before, after time.Duration) (g given, sure bool) {
	stamp := time.Duration(r.Changed) * tick
	least, most := (before-c.high-stamp)/time.Second, (after-c.low-stamp)/time.Second
	return given{r.Changed, r.left + uint32(max(most, 0))}, c.known && max(least, 0) == max(most, 0)
}
