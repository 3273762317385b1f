package virtual

// Reason says why a member is as it is, or what changed. Its order is that of
// the store and is only ever appended to.
type Reason uint8

// The reasons.
const (
	NoReason Reason = iota
	// Why a member is as it is.
	InMaintenance  // an operator took it out
	OrderedDrain   // an operator drains it
	OrderedIn      // an operator says that it is good
	OrderedWeight  // an operator gave it a weight
	HeldByFault    // a local fault: its checks are not believed
	Adopted        // not judged yet: as the table has it
	Awaited        // not judged yet: out
	Trusted        // not judged yet: in
	Unchecked      // it has no checks
	Good           // its checks are good
	Warned         // its checks warn
	Failed         // its checks fail
	FailureIgnored // its checks fail and nobody minds
	HeldBlind      // its checks see nothing: as it was
	HeldByCap      // its checks fail, too many are out already
	HeldByPanic    // its checks fail, too many others do
	TookOver       // its tier serves because no better one can
	HandsOver      // a better tier is back and warming up
	StandsBy       // a better tier serves
	StoodDown      // its tier cannot serve alone, another does
	NotConfigured  // the configuration does not name it any more
	Ramping        // it is back, its weight grows
	Asked          // a check asked for this weight
	Limited        // a check asked for a weight it may not have yet
	// What changed, of a member.
	WentIdle     // a drain ended: no connections
	DeadlineCame // a drain ended: too long
	Forgotten    // it is gone from configuration and table
	// What changed, of the pool.
	QuorumLost
	QuorumGained
	PanicBegan
	PanicEnded
	FaultBegan
	FaultEnded
	TierChanged
	reasons
)

// Explained is a reason with its meaning.
type Explained struct {
	Reason Reason
	// Word is Reason.String(); Text is a sentence for people.
	Word, Text string
}

// table is indexed by Reason and never changed.
var table = [reasons]Explained{
	NoReason:       {Word: "no reason", Text: "Nothing was decided."},
	InMaintenance:  {Word: "maintenance", Text: "An operator, a file or a schedule took it out; its checks and a panic do not bring it back."},
	OrderedDrain:   {Word: "drained by order", Text: "An operator drains it: weight 0, and out of the table when it is idle or at the deadline."},
	OrderedIn:      {Word: "in by order", Text: "An operator says that it is good, whatever its checks say."},
	OrderedWeight:  {Word: "weight by order", Text: "An operator gave it this weight; ramp, checks and limits do not change it."},
	HeldByFault:    {Word: "held by a local fault", Text: "This machine has a fault of its own, so that its checks mean nothing: the member stays as it was, though they say something else."},
	Adopted:        {Word: "adopted", Text: "No check has judged it since the start: it stays as the table has it until one does."},
	Awaited:        {Word: "awaits its first success", Text: "No check has judged it yet and the pool's start is pessimistic: it is out until one is good."},
	Trusted:        {Word: "trusted before the first check", Text: "No check has judged it yet: it is in until one fails."},
	Unchecked:      {Word: "unchecked", Text: "It has no checks, so it is always good."},
	Good:           {Word: "checks good", Text: "As many of its checks are good as must be."},
	Warned:         {Word: "checks warn", Text: "Its checks are good with a warning; the pool's warn may lessen its weight."},
	Failed:         {Word: "checks fail", Text: "Fewer of its checks are good than must be."},
	FailureIgnored: {Word: "failure ignored", Text: "Its checks fail, and on_fail ignore says that this does not matter."},
	HeldBlind:      {Word: "held, checks are blind", Text: "Its checks see nothing, or not enough to judge it: it stays as they last had it."},
	HeldByCap:      {Word: "held by the ejection cap", Text: "Its checks fail, but as many members are out because of their checks as may be: it stays in."},
	HeldByPanic:    {Word: "held by panic", Text: "Its checks fail, but so do those of so many others that they are not believed: it stays in, or is put back."},
	TookOver:       {Word: "took over", Text: "Its tier serves because no better tier can."},
	HandsOver:      {Word: "hands over", Text: "A better tier serves again and its members are ramping: it stays in until they carry the load."},
	StandsBy:       {Word: "stands by", Text: "A better tier serves; it is out until that one cannot."},
	StoodDown:      {Word: "stood down", Text: "It may be good, but its tier has lost its quorum and another tier serves instead."},
	NotConfigured:  {Word: "not configured any more", Text: "The configuration does not name it any more: it is drained and then removed."},
	Ramping:        {Word: "ramping", Text: "It came back and its weight grows in steps."},
	Asked:          {Word: "weight by check", Text: "A check asked for this weight."},
	Limited:        {Word: "weight by check, limited", Text: "A check asked for another weight; limits move it there step by step."},
	WentIdle:       {Word: "idle", Text: "It had weight 0 and no connections for long enough: it is removed."},
	DeadlineCame:   {Word: "drain deadline", Text: "It had weight 0 for as long as a drain may take: it is removed though it may have connections."},
	Forgotten:      {Word: "forgotten", Text: "Neither the configuration nor the table has it any more."},
	QuorumLost:     {Word: "quorum lost", Text: "The good primaries are fewer than the quorum."},
	QuorumGained:   {Word: "quorum gained", Text: "The good primaries are as many as the quorum."},
	PanicBegan:     {Word: "panic", Text: "So many members fail that their checks are not believed: all are kept in."},
	PanicEnded:     {Word: "panic over", Text: "Enough members are good: checks are believed again."},
	FaultBegan:     {Word: "local fault", Text: "This machine has a fault of its own: checks are not believed and members stay as they are."},
	FaultEnded:     {Word: "local fault over", Text: "The fault of this machine is mended: checks are believed again."},
	TierChanged:    {Word: "tier changed", Text: "Another tier serves."},
}

// Reasons are all reasons but NoReason.
func Reasons() []Explained {
	all := make([]Explained, 0, reasons-1)
	for r := NoReason + 1; r < reasons; r++ {
		all = append(all, r.Explain())
	}
	return all
}

// Explain is r with its meaning.
func (r Reason) Explain() Explained {
	if r >= reasons {
		r = NoReason
	}
	e := table[r]
	e.Reason = r
	return e
}

// String is r in a few words.
func (r Reason) String() string { return r.Explain().Word }
