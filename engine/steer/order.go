package steer

import (
	"fmt"
	"time"

	"github.com/mondhq/mond/engine/virtual"
)

// The orders that an operator may give of real servers.
const (
	Maint  = "maint"  // out at once, whatever the checks say
	Drain  = "drain"  // weight 0, then out when it is idle or at the deadline
	Weight = "weight" // this weight while it serves
)

// Order is what an operator orders of real servers of virtual services.
type Order struct {
	// What is one of the words above.
	What string
	// Target is REAL - a real's name, its address or address:port - in all
	// virtual services, or VIRTUAL/REAL.
	Target string
	// End ends the order of that kind and target.
	End bool
	// For is after how long it ends by itself; 0 is never.
	For time.Duration
	// Deadline is that of a drain: 0 for the pool's own, virtual.Forever for
	// none.
	Deadline time.Duration
	Weight   int
	// User and Text say who orders it, and why.
	User, Text string
}

// The bounds of an order's times.
const maxOrderTime = 10 * 365 * 24 * time.Hour

// Validate says what is wrong with the order by itself.
func (o Order) Validate() error {
	switch {
	case o.What != Maint && o.What != Drain && o.What != Weight:
		return fmt.Errorf("order %q: want %s, %s or %s", o.What, Maint, Drain, Weight)
	case o.Target == "":
		return fmt.Errorf("%s: want REAL or VIRTUAL/REAL", o.What)
	case len(o.Target) > 512 || len(o.Text) > 4096:
		return fmt.Errorf("%s: the names or the note are too long", o.What)
	case o.End:
		return nil
	case o.For < 0 || o.For > maxOrderTime:
		return fmt.Errorf("%s %s: for %v: want a time up to ten years", o.What, o.Target, o.For)
	case o.Deadline != virtual.Forever && (o.Deadline < 0 || o.Deadline > maxOrderTime):
		return fmt.Errorf("%s %s: deadline %v: want a time up to ten years, or forever", o.What, o.Target, o.Deadline)
	case o.What != Drain && o.Deadline != 0:
		return fmt.Errorf("%s %s: only a drain has a deadline", o.What, o.Target)
	case o.Weight < 0 || o.Weight > virtual.MaxWeight:
		return fmt.Errorf("%s %s: weight %d: want 0 to %d", o.What, o.Target, o.Weight, virtual.MaxWeight)
	case o.What != Weight && o.Weight != 0:
		return fmt.Errorf("%s %s: only a weight has a weight", o.What, o.Target)
	}
	return nil
}
