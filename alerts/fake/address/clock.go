package address

import "time"

// clock tells what the kernel's stamps of addresses are on CLOCK_BOOTTIME. They
// count hundredths of a second of ticks, which began a while after the machine
// did and stand still while it sleeps; so the difference is learned from what we
// wrote ourselves, and anew when what we learn does not fit.
type clock struct {
	// The difference is between low and high, if known.
	low, high time.Duration
	known     bool
}

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

// end is when the lease of r ends that was read between two instants: the
// latest that it can be.
func (c *clock) end(r Row, before, after time.Duration) time.Duration {
	latest := after + time.Duration(r.left)*time.Second
	if !c.known {
		return latest
	}
	// The kernel counts down the whole seconds since the stamp.
	stamp := time.Duration(r.Changed) * tick
	elapsed := (after - c.low - stamp) / time.Second
	if early := (before - c.high - stamp) / time.Second; early != elapsed {
		return min(latest, stamp+c.high+(time.Duration(r.left)+elapsed)*time.Second)
	}
	return stamp + c.high + (time.Duration(r.left)+elapsed)*time.Second
}
