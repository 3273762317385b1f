package policy

// Reason says why a line was called or not. Its order is that of the store
// and is only ever appended to.
type Reason uint8

// The reasons, in the order of the tests that give them.
const (
	NoReason       Reason = iota
	Stopped               // the scheduler is stopped
	Redistributed         // the redistribute line is called at every event
	Disabled              // the service or its watch is disabled
	DependFailed          // the alert dependency does not hold
	AckEnded              // unack_summary ended the acknowledgement
	Acked                 // the failure is acknowledged
	OutsidePeriod         // the period does not hold now
	NoAlertBefore         // no alert was sent that this would answer
	UpAlready             // no_comp_alerts: an upalert was sent already
	OutageTooShort        // upalertafter
	WrongExit             // alertexitrange
	LimitReached          // numalerts
	TooSoon               // alertevery
	TooFew                // alertafter N
	TooYoung              // alertafter TV
	TooSparse             // alertafter N TV
	NoLine                // the period has no line for this event
	LineExit              // the line's exit=
	Called                // nothing held it back
	StandsBy              // notify: the other director tells
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
	Stopped:        {Word: "scheduler stopped", Text: "The scheduler is stopped: nobody is told of anything until `start`."},
	Redistributed:  {Word: "redistribute", Text: "The service's redistribute line is called at every event, before any other test."},
	Disabled:       {Word: "disabled", Text: "The service, or its watch, is disabled. Only disablealert lines are called, when it happens."},
	DependFailed:   {Word: "dependency failed", Text: "What the service depends on was not good when the event came; failures, acknowledgements and disabling are not told."},
	AckEnded:       {Word: "acknowledgement ended", Text: "unack_summary: the failure says something else than what was acknowledged, so it counts as a new one."},
	Acked:          {Word: "acknowledged", Text: "An operator has acknowledged the failure; nobody is told of it again until it is over."},
	OutsidePeriod:  {Word: "outside the period", Text: "The period's expression does not hold at this time."},
	NoAlertBefore:  {Word: "no alert before", Text: "This period sent no alert in this outage that the upalert or ackalert would answer (see no_comp_alerts)."},
	UpAlready:      {Word: "upalert already sent", Text: "no_comp_alerts: this period sent an upalert and no alert since."},
	OutageTooShort: {Word: "outage too short", Text: "upalertafter: the outage did not last long enough to tell that it is over."},
	WrongExit:      {Word: "exit status outside alertexitrange", Text: "alertexitrange: the period does not tell of failures with this exit status."},
	LimitReached:   {Word: "numalerts reached", Text: "numalerts: this period has sent as many alerts in this outage as it may."},
	TooSoon:        {Word: "held by alertevery", Text: "alertevery: the last alert of this period is too recent, and what is compared has not changed."},
	TooFew:         {Word: "too few failures", Text: "alertafter: the service has not failed often enough in a row."},
	TooYoung:       {Word: "failing not long enough", Text: "alertafter: the service has not been failing for long enough."},
	TooSparse:      {Word: "too few failures in the time", Text: "alertafter: the service has not failed often enough within the time given."},
	NoLine:         {Word: "no line", Text: "The period has no line for this kind of event."},
	LineExit:       {Word: "exit status outside exit=", Text: "The line's exit= does not match the exit status (0 for upalerts, startupalerts, ackalerts and disablealerts)."},
	Called:         {Word: "called", Text: "Nothing held it back."},
	StandsBy:       {Word: "stands by", Text: "notify: another director serves, and tells of it; this one keeps what it would tell for a while, in case it must take over."},
}

// Reasons are all reasons but NoReason, in the order of the tests that give
// them.
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
