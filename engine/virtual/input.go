package virtual

import (
	"time"

	"github.com/mondhq/mond/engine/opstatus"
)

// Input is all that Decide is told. The table should be read before the first
// decision, or there is nothing to adopt.
type Input struct {
	// Members says what is seen of each of Pool.Members, in that order; what
	// is missing at the end was not looked at.
	Members []Seen
	// Left says what is seen of members that State knows and Pool does not
	// name any more.
	Left []SeenLeft
	// Fault says what is wrong with this machine, such as "link eth0 is
	// down", when that makes its checks mean nothing; "" when nothing is. Its
	// words should not change while the fault lasts.
	Fault string
	// Standby is set while another director holds the address. The table is
	// kept right all the same, but that it has no connections here does not
	// mean that there are none.
	Standby bool
}

// Seen is what is seen of a member.
type Seen struct {
	// Checks are in the order of Member.Checks; what is missing is untested.
	Checks []Verdict
	Order  Order
	Table  Row
	Conns  Conns
	Ask    Ask
}

// SeenLeft is what is seen of a member that the configuration does not name
// any more.
type SeenLeft struct {
	Name  string
	Table Row
	Conns Conns
}

// Verdict is what one check says, rise and fall already counted.
type Verdict struct {
	Status opstatus.Status
	// Blind is set while the check sees nothing; Status is then its last.
	Blind bool
}

// VerdictOf is the verdict of a service in state s. After an unclean stop the
// states read from disk may be old: say the zero Verdict for those that have
// seen no check since, and see [State.Provisional].
func VerdictOf(s *opstatus.State) Verdict {
	return Verdict{Status: s.Status, Blind: s.Blind != nil}
}

// Row is the member's row in the kernel's table.
type Row struct {
	Known  bool // the table could be read
	There  bool
	Weight int
}

// Conns are the member's connections as the kernel counts them.
type Conns struct {
	Known bool
	// Active are established ones. Inactive are those that are being opened
	// or closed, and all UDP flows; -1 if not known.
	Active, Inactive int
	// Persistent are persistence templates; -1 if not known.
	Persistent int
}

// OrderKind is what an operator wants of a member.
type OrderKind uint8

// The orders: by command, by file, by schedule.
const (
	NoOrder     OrderKind = iota
	Maintenance           // out at once (weight 0 if it would be quiet when it fails), whatever its checks say
	DrainOut              // weight 0, then out when idle or at the deadline
	Insist                // as if its checks were good
)

// String is the order in a word.
func (k OrderKind) String() string {
	switch k {
	case NoOrder:
		return "none"
	case Maintenance:
		return "maintenance"
	case DrainOut:
		return "drain"
	case Insist:
		return "in"
	}
	return "unknown"
}

// Order is what an operator said of a member. The caller keeps it over
// restarts and ends it when its time is over.
type Order struct {
	Kind OrderKind
	// Weighted means that Weight is to be its weight while it serves: at once,
	// without ramp or limits. 0 quiesces it for as long as the order stands.
	Weighted bool
	Weight   int
	// Deadline is DrainOut's own, instead of the pool's; [Forever] for none.
	Deadline time.Duration
	// Note says who and why.
	Note string
}

// AskKind says how a check speaks of its member's weight. Its order is that of
// the store and is only ever appended to.
type AskKind uint8

// The kinds.
const (
	AskNone    AskKind = iota // it does not
	AskHold                   // it did, and cannot at present: as it was
	AskWeight                 // N is the weight (keepalived's misc_dynamic: status less 2)
	AskPercent                // N is in percent of the configured weight
	AskDelta                  // N is added to the configured weight (keepalived's track_file)
	AskLoad                   // Load is the load average, for nanny's rule
)

// Ask is the weight that a check wants its member to have.
type Ask struct {
	Kind AskKind
	N    int
	// Load is the load average of the last minute.
	Load float64
	// At is when Load was taken: a sample counts once, so that a check that
	// does not answer any more does not move the weight further.
	At time.Time
}
