package virtual

import (
	"slices"
	"time"
)

// State is what is remembered of a pool. It is durable: its numbers and times
// are written as they are, all times lie in the past. It is never changed in
// place; the zero State is that of a pool never seen before.
type State struct {
	Standing
	// Members are those of the pool in its order, then those that the
	// configuration does not name any more.
	Members []MemberState
}

// Standing is what is remembered of the pool as a whole.
type Standing struct {
	// Begun is set once anything was decided.
	Begun bool
	// Serving is the tier that serves, since ServingSince.
	Serving      Tier
	ServingSince time.Time
	// Better is the tier that can take over since BetterSince and has to wait
	// (Pool.Return); none if that is zero.
	Better      Tier
	BetterSince time.Time
	// Overlap is the standby tier that stays in since ServingSince while the
	// better one ramps; none if it is Primary.
	Overlap Tier
	// Quorum is that of the primaries, since QuorumSince.
	Quorum      Quorum
	QuorumSince time.Time
	// Panic is about the tier that serves.
	Panic      bool
	PanicSince time.Time
	// Fault is the local fault, in the words of [Input].
	Fault      string
	FaultSince time.Time
}

// Quorum says whether the primaries are enough. Its numbers are those of the
// store.
type Quorum uint8

// The quorums.
const (
	QuorumUnknown Quorum = iota // it hangs on members not judged yet
	QuorumUp
	QuorumDown
)

// String is the quorum in a word.
func (q Quorum) String() string {
	switch q {
	case QuorumUnknown:
		return "unknown"
	case QuorumUp:
		return "up"
	case QuorumDown:
		return "lost"
	}
	return "unknown"
}

// MemberState is what is remembered of a member.
type MemberState struct {
	Desired
	// Believed is the last verdict of its checks together that was believed,
	// since Judged.
	Believed Believed
	Judged   time.Time
	// Began is when Phase did.
	Began time.Time
	// Idle is since when a draining member has no connection.
	Idle time.Time
	// AskedBy is how a check speaks of the weight, AskNone if none does: Want
	// is what was taken of it, Asked how far the weight has come, moved last
	// at AskedAt.
	AskedBy     AskKind
	Want, Asked int
	AskedAt     time.Time
	// Sample is when the last load that counted was taken.
	Sample time.Time
	// Ejected is set while it is out because checks took it out: what the
	// ejection cap counts.
	Ejected bool
	// Cold is set while it comes back from having been out or failing, until
	// its ramp is over. What was there when the pool began is not cold.
	Cold bool
	// Unsure is set from [State.Provisional] to the next verdict.
	Unsure bool
}

// Believed is what the checks of a member say together. Its order is that of
// the store and is only ever appended to.
type Believed uint8

// The verdicts.
const (
	Unjudged Believed = iota
	IsGood
	IsWarned // good, with a warning
	IsFailing
)

// Phase is where a member is on its way in or out. Its order is that of the
// store and is only ever appended to.
type Phase uint8

// The phases.
const (
	Out      Phase = iota // not in the table
	Draining              // weight 0, to be removed
	Quiet                 // weight 0, to stay
	Rising                // its weight grows
	Serving               // its weight is what it should be
)

// String is the phase in a word.
func (p Phase) String() string {
	switch p {
	case Out:
		return "out"
	case Draining:
		return "draining"
	case Quiet:
		return "quiet"
	case Rising:
		return "ramping"
	case Serving:
		return "in"
	}
	return "unknown"
}

// carries reports whether a member in this phase gets new clients.
func (p Phase) carries() bool { return p == Rising || p == Serving }

// Desired is what should hold for a member: as a claim, Down is !In,
// Provisional is Held, and Weight is lvs.alert's -W.
type Desired struct {
	Name string
	// In says that it has a row in the table, with Weight, 0 to [MaxWeight].
	In     bool
	Weight int
	// Held says that its row, or that it has none, is to stay as the table
	// has it; In and Weight are what is known of that.
	Held   bool
	Phase  Phase
	Reason Reason
	// Since is when any of the above last changed.
	Since time.Time
}

// same reports whether d and o ask for the same for the same reason.
func (d Desired) same(o Desired) bool {
	d.Since = o.Since
	return d == o
}

// Provisional is s as it may be believed after an unclean stop, when it may
// lack the last decisions: a member's row stays as the table has it until a
// check judges it, or an operator's order stands.
func (s State) Provisional() State {
	s.Members = slices.Clone(s.Members)
	for i := range s.Members {
		s.Members[i].Unsure = true
	}
	return s
}

// Member is the state of the member of that name.
func (s State) Member(name string) (MemberState, bool) {
	for i := range s.Members {
		if s.Members[i].Name == name {
			return s.Members[i], true
		}
	}
	return MemberState{}, false
}

// past moves *t back to now if it lies in the future: the clock was set back.
// What waits for *t then waits its full time from now, and never longer.
func past(t *time.Time, now time.Time) {
	if t.After(now) {
		*t = now
	}
}

// sane makes what was read from disk safe to use.
func (s *Standing) sane(now time.Time) {
	s.Serving, s.Overlap = min(s.Serving, Fallback), min(s.Overlap, Fallback)
	for _, t := range [...]*time.Time{&s.ServingSince, &s.BetterSince, &s.QuorumSince, &s.PanicSince, &s.FaultSince} {
		past(t, now)
	}
}

func (m *MemberState) sane(now time.Time) {
	for _, t := range [...]*time.Time{&m.Since, &m.Judged, &m.Began, &m.Idle, &m.AskedAt} {
		past(t, now)
	}
}
