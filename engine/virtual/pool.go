package virtual

import (
	"strconv"
	"time"
)

// MaxWeight is the largest weight that the kernel's table takes.
const MaxWeight = 65535

// Pool is what the configuration says of a virtual service's real servers. It
// is never changed. The zero value of every setting turns it off.
type Pool struct {
	Name string
	// Members are in the order of the file; no two have the same name.
	Members []Member
	// Start says what becomes of members that no check has judged yet.
	Start Start
	// Quorum is what the primaries must muster for the pool's status to be
	// ok, and to serve when another tier could; without it, any good primary
	// is enough. It is counted in capacity: see [Amount].
	Quorum Gate
	// StandbyQuorum is what a standby tier must muster to serve.
	StandbyQuorum Gate
	// Return is how long a better tier must be able to serve before it takes
	// over from a standby tier that still can. The fallback is left at once.
	Return time.Duration
	// Panic: when less than Panic.Down of the members that checks may judge
	// are not failing, the checks are not believed: failing members are kept
	// in, until Panic.Up of them are good again.
	Panic Gate
	// Eject caps how many members of a tier may be out because of their
	// checks at a time: ByCount, or ByPercent of the tier's members (rounded
	// down, but one at least). What an operator takes out does not count.
	Eject Amount
	Drain Drain
	Ramp  Ramp
	// Asks bounds the weights that checks ask for.
	Asks Limits
	// Warn is the weight of a member whose checks warn, in percent of what it
	// would be; 0 means that a warning changes nothing.
	Warn int
}

// Member is a real server of the pool.
type Member struct {
	// Name stands for one row of the table, best by its address: a member
	// with another name is another one, and the old one has to leave.
	Name string
	Tier Tier
	// Weight is what it carries when nothing lessens it, 0 to [MaxWeight].
	Weight int
	// Checks name what judges it, in the order of [Seen].Checks; without any
	// it is always good.
	Checks []string
	// Need is how many checks must be good: 1 is any of them, 0 all.
	Need   int
	OnFail OnFail
}

// need is how many of m's checks must be good.
func (m *Member) need() int {
	if m.Need <= 0 || m.Need > len(m.Checks) {
		return len(m.Checks)
	}
	return m.Need
}

// Tier says when a member serves: primaries first, then the first standby tier
// that can, and the fallback (sorry server) when no other can. Members of one
// tier serve together, and one tier serves at a time. Its numbers are those of
// the store.
type Tier uint8

// The tiers. Standby tiers are between them: see [Standby].
const (
	Primary    Tier = 0
	MaxStandby      = 8
	Fallback   Tier = MaxStandby + 1
	tiers           = MaxStandby + 2
)

// Standby is the k-th standby tier, 1 to [MaxStandby].
func Standby(k int) Tier { return Tier(min(max(k, 1), MaxStandby)) }

// String is the tier in words.
func (t Tier) String() string {
	switch {
	case t == Primary:
		return "primary"
	case t < Fallback:
		return "standby " + strconv.Itoa(int(t))
	}
	return "fallback"
}

// Start says what becomes of members before their first verdict.
type Start uint8

// The start policies. The fallback is always trusted until its check fails.
const (
	Adopt       Start = iota // what the table has stays as it is
	Pessimistic              // out until the first success
	Optimistic               // in until the first failure
)

// String is the policy in a word.
func (s Start) String() string {
	switch s {
	case Adopt:
		return "adopt"
	case Pessimistic:
		return "pessimistic"
	case Optimistic:
		return "optimistic"
	}
	return "unknown"
}

// OnFail says what becomes of a member whose checks fail.
type OnFail uint8

// The actions. A member that is out of the table when it fails stays out,
// whatever the action.
const (
	Remove  OnFail = iota // out of the table at once; the kernel drops its connections
	Quiesce               // weight 0 for as long as it fails: established connections and persistent clients stay with it
	Leave                 // the same, until it is idle or the deadline comes (Drain)
	Ignore                // nothing: it counts as good
)

// String is the action in a word.
func (a OnFail) String() string {
	switch a {
	case Remove:
		return "remove"
	case Quiesce:
		return "quiesce"
	case Leave:
		return "drain"
	case Ignore:
		return "ignore"
	}
	return "unknown"
}

// Unit says what an [Amount] counts.
type Unit uint8

// The units.
const (
	ByWeight  Unit = iota // the sum of weights
	ByCount               // members
	ByPercent             // of the tier's whole weight (Eject: of its members)
)

// Amount is a number of something; 0 of it is no demand. Weights are capacity:
// what the configuration gives a member, or less if it was told or asked to
// carry less, and not how far a ramp has come.
type Amount struct {
	N  int
	By Unit
}

// String is a as the configuration writes it, such as "3 members".
func (a Amount) String() string {
	n := strconv.Itoa(a.N)
	switch a.By {
	case ByWeight:
		return "weight " + n
	case ByCount:
		if a.N == 1 {
			return "1 member"
		}
		return n + " members"
	case ByPercent:
	}
	return n + "%"
}

// Gate is a threshold with hysteresis: what was lost below Down is gained
// again from Up on. Without Down it is Up, without Up it is Down.
type Gate struct{ Up, Down Amount }

// GateOf is keepalived's way to say it: gained at n + hysteresis, lost below
// n - hysteresis.
func GateOf(n int, by Unit, hysteresis int) Gate {
	return Gate{Up: Amount{n + hysteresis, by}, Down: Amount{max(1, n-hysteresis), by}}
}

func (g Gate) up() Amount {
	if g.Up.N == 0 {
		return g.Down
	}
	return g.Up
}

func (g Gate) down() Amount {
	if g.Down.N == 0 {
		return g.Up
	}
	return g.Down
}

// Forever is a drain without a deadline.
const Forever time.Duration = -1

// Drain says how a member leaves that need not leave at once: it gets weight
// 0, so that no new client comes, and is removed when it is idle.
type Drain struct {
	// Deadline is when it is removed even so; 0 means that nothing is
	// drained but removed at once, [Forever] that only idleness ends it.
	Deadline time.Duration
	// Idle is how long there must have been no connection; a second at least,
	// since a count may be older than the weight 0.
	Idle time.Duration
	// Persistence is the timeout of the kernel's persistence templates, 0
	// without (or where expire_quiescent_template is set). A client of a
	// quiesced real comes back to it for so long: no deadline falls sooner,
	// and where the templates cannot be counted it must be idle for so long.
	// The fallback is then not drained but removed, or they would stay there.
	Persistence time.Duration
	// UDP is the kernel's timeout of UDP flows if the virtual service is one
	// of UDP, else 0. Those flows are among the inactive connections; where
	// these cannot be counted it must be idle for so long.
	UDP time.Duration
}

// minIdle is the least time without connections that counts as idle.
const minIdle = time.Second

// deadline is how long a drain may take: Forever, or how long.
func (d Drain) deadline(order Order) time.Duration {
	limit := d.Deadline
	if order.Kind == DrainOut && order.Deadline != 0 {
		limit = order.Deadline
	}
	if limit <= 0 {
		return limit
	}
	return max(limit, d.Persistence)
}

// Shape is how a ramp grows.
type Shape uint8

// The shapes.
const (
	Linear   Shape = iota // by equal parts
	Doubling              // by twice as much each, as nanny did
)

// String is the shape in a word.
func (s Shape) String() string {
	if s == Doubling {
		return "doubling"
	}
	return "linear"
}

// Ramp is the slow start of a member that returns: its weight grows in Steps
// equal times to the whole, which it has after Over. nanny's ramp is
// {100 * time.Second, 5, Doubling}. A member that returns while nobody else
// carries the load gets its whole weight at once, and so does one that was
// drained in good health and had not left yet.
type Ramp struct {
	Over time.Duration
	// Steps before the whole weight; 5 if 0.
	Steps int
	Shape Shape
}

const defaultSteps = 5

func (r Ramp) steps() int {
	if r.Steps <= 0 {
		return defaultSteps
	}
	return min(r.Steps, 1000)
}

// step is how long one of the steps lasts.
func (r Ramp) step() time.Duration { return max(1, r.Over/time.Duration(r.steps())) }

// part is the share of weight at step i of a ramp, 1 at least.
func (r Ramp) part(weight, i int) int {
	if weight <= 0 || i >= r.steps() {
		return weight
	}
	if r.Shape == Doubling {
		return max(1, weight>>min(r.steps()-i, 31))
	}
	return max(1, weight*(i+1)/(r.steps()+1))
}

// Limits bound the weights that checks ask for. Percentages are of the
// member's configured weight.
type Limits struct {
	// Min and Max bound what is taken from an ask. Max 0 means 100. For loads
	// 0 means nanny's bounds: 100 and 1000.
	Min, Max int
	// Ignore is the least change that counts; asking for 0, and no more for
	// 0, always does. For loads 0 means nanny's quarter: 25.
	Ignore int
	// Step is by how much a weight may move at a time, 0 means all the way;
	// Every is the least time between two moves. A Step without Every, and
	// loads, have nanny's 20 s. Neither holds back a member that does not
	// serve or comes back, nor one of which no check speaks any more.
	Step  int
	Every time.Duration
}

// nannyEvery is how often nanny looked at the load of a real.
const nannyEvery = 20 * time.Second

func (l Limits) every(kind AskKind) time.Duration {
	if l.Every <= 0 && (l.Step > 0 || kind == AskLoad) {
		return nannyEvery
	}
	return max(0, l.Every)
}

// bound keeps weight within the limits for a member of this weight.
func (l Limits) bound(weight, base int, kind AskKind) int {
	low, high := l.Min, l.Max
	if low == 0 && kind == AskLoad {
		low = 100
	}
	if high == 0 && kind == AskLoad {
		high = 1000
	} else if high == 0 {
		high = 100
	}
	weight = min(max(weight, percent(base, low)), percent(base, high))
	return min(max(weight, 0), MaxWeight)
}

// matters reports whether a change of weight is worth making.
func (l Limits) matters(from, to, base int, kind AskKind) bool {
	if from == 0 || to == 0 {
		return from != to
	}
	least := l.Ignore
	if least == 0 && kind == AskLoad {
		least = 25
	}
	return max(from-to, to-from) >= max(1, percent(base, least))
}

// percent is p percent of n, rounded, and not 0 unless n or p are.
func percent(n, p int) int {
	if n <= 0 || p <= 0 {
		return 0
	}
	return max(1, (n*p+50)/100)
}
