package store

import (
	"slices"
	"strings"
	"time"
)

// The kinds of [Event].
const (
	KindStatus   = "status"   // a status changed
	KindBlind    = "blind"    // checks began to see nothing, or see again
	KindHeld     = "held"     // checks are not run, or run again
	KindDecision = "decision" // who is told, or why nobody is
	KindAlert    = "alert"    // what became of a notice
	KindClaim    = "claim"    // what a keeper is told to hold
	KindOperator = "operator" // what a person did
	KindRole     = "role"     // which director holds what
	KindDaemon   = "daemon"   // the daemon started, stopped, died, reloaded
	KindConfig   = "config"   // a service left the configuration
	// KindLost is written by the store itself where it had to drop events.
	KindLost = "lost"
)

// Kinds are all kinds, in the order of the manual.
func Kinds() []string {
	return []string{KindStatus, KindDecision, KindAlert, KindOperator, KindBlind, KindHeld, KindClaim, KindRole, KindDaemon, KindConfig, KindLost}
}

// The words of [Event.What].
const (
	WhatBegan      = "began"      // blind
	WhatEnded      = "ended"      // blind, held
	WhatExcluded   = "excluded"   // held: exclude_period
	WhatDependency = "dependency" // held: the monitor dependency
	WhatNoHosts    = "no hosts"   // held: all are disabled

	WhatAck          = "ack" // operator
	WhatDisable      = "disable"
	WhatEnable       = "enable"
	WhatDisableWatch = "disable watch"
	WhatEnableWatch  = "enable watch"
	WhatDisableHost  = "disable host"
	WhatEnableHost   = "enable host"
	WhatSet          = "set" // a variable
	WhatClear        = "clear timers"
	WhatReset        = "reset" // of the daemon, without what was known
	WhatSaveState    = "save state"
	WhatLoadState    = "load state"
	WhatFailover     = "failover"

	WhatStart   = "start" // daemon, and the scheduler of an operator
	WhatStop    = "stop"
	WhatDied    = "died" // At is its last sign of life
	WhatReload  = "reload"
	WhatRefused = "refused" // a reload
	WhatRemoved = "removed" // config

	WhatOut       = "out" // claim
	WhatIn        = "in"
	WhatWithdrawn = "withdrawn"
	WhatHold      = "hold" // role: what an elector says
	WhatRelease   = "release"
	WhatStands    = "stands" // role: what a holder says
	WhatPool      = "pool"   // decision on a virtual service: quorum, panic, tier, local fault
)

// The words of [Event.Outcome].
const (
	Sent    = "sent"     // decision
	NotSent = "not sent" // decision
	Told    = "told"     // alert
	GaveUp  = "given up" // alert
	Refused = "refused"  // alert
)

// Beside is the Note of a service that left the configuration: what lay beside
// its status.
func Beside(blind, disabled, held bool) string {
	var words []string
	for _, w := range []struct {
		word string
		set  bool
	}{{"blind", blind}, {"disabled", disabled}, {"held", held}} {
		if w.set {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, " ")
}

// Beside reads what the function of that name wrote.
func (e Event) Beside() (blind, disabled, held bool) {
	has := func(w string) bool { return slices.Contains(strings.Fields(e.Note), w) }
	return has("blind"), has("disabled"), has("held")
}

// Event is one row of history. Which fields a row has depends on its kind;
// rows of older versions have the first five only.
//
// Rows that begin or end something - a status, blindness, being held or
// disabled - say how things were before: whoever reads backwards knows the
// state at any time without having seen how it began.
type Event struct {
	At time.Time
	// Group and Service are empty for what concerns the whole watch or daemon.
	Group, Service string
	// Kind is one of the kinds above, Text a sentence for people.
	Kind, Text string
	// Number tells rows apart and grows in the order they were written. It is
	// set when a row is read.
	Number uint64

	// What says what happened: one of the words above; of a decision the kind
	// of event ("failure"), of an alert its kind ("up").
	What string
	// From and To are statuses, or "enabled" and "disabled" of an operator.
	From, To string
	// Exit is the exit status of a verdict.
	Exit int
	// Summary is what the monitor said; of a recovery, what it said last while
	// it failed. Of an operator it is his comment.
	Summary string
	// Outcome is one of the words above; Reason why, in a word of
	// engine/policy or a cause of blindness, and Note what that rests on.
	Outcome, Reason, Note string
	Period                string
	// Program is the alert's; Notice is the ID of the notice that a decision
	// queued or that was told.
	Program, Notice string
	User            string
	// Took is how long the outage lasted that ended, or the daemon was down.
	Took time.Duration
}
