// Package view holds what readers see: immutable rows, one for each service,
// published by the engine's loop through atomic pointers and read by control,
// web and metrics without ever waiting for the loop. It decides nothing.
package view

import (
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
)

// Service is one service as readers see it. It is immutable once published.
type Service struct {
	Key         opstatus.Key
	Description string
	Monitor     string
	Interval    time.Duration
	State       opstatus.State
	// Config is what the row was made by.
	Config *config.Service
	// Due is when the next check is planned; zero if none.
	Due time.Time
	// Running is set while a check is under way, which began at Began.
	Running bool
	Began   time.Time
	// TrapDue is when a trap must have arrived (traptimeout), TrapEnds when
	// what one said ends (trapduration); zero if there is no such time.
	TrapDue, TrapEnds time.Time
	// Since is when the status began.
	Since time.Time
	// Disabled is set while the service or its watch is disabled; OffAlone if
	// it is the service.
	Disabled *opstatus.Note
	OffAlone bool
	// AlertsSent sums the periods' counters, as mon's alerts_sent.
	AlertsSent int
	LastAlert  time.Time
	// DependOK is the last value of the alert dependency; nil if never asked.
	DependOK *bool
	// Decisions are the last ones, newest first, with their reasons.
	Decisions []Decision
	// Claims are what the service's keepers hold because of it.
	Claims []Claim
	// Skipped says why the last due check was not run; empty if it was. Held
	// is set from such a check to the next that is run.
	Skipped string
	Held    bool
	// Hidden services are not shown by mon's line protocol.
	Hidden bool
}

// Decision is a policy.Decision at a time, in words.
type Decision struct {
	At     time.Time
	Event  string
	Period string
	// Command is the program and its words, or empty.
	Command string
	Sent    bool
	Reason  string
	// Note is what the reason rests on, such as how long ago; may be empty.
	Note string
}

// Claim is a claim in words.
type Claim struct {
	Program string
	Args    []string
	Down    bool
	Reason  string
	Since   time.Time
}

// Daemon is the state of the daemon as a whole.
type Daemon struct {
	Version, ConfigPath string
	PID                 int
	Started             time.Time
	// Loaded is when the running configuration was loaded.
	Loaded time.Time
	// ReloadError is the last reload's error, empty if it worked.
	ReloadError string
	// Stopped is set while the scheduler is stopped.
	Stopped *opstatus.Note
	// Hosts are those that were taken out of all checks and alerts.
	Hosts map[string]opstatus.Note
	// Watches are those that are disabled; Excluded is set inside the global
	// exclude_period.
	Watches  map[string]opstatus.Note
	Excluded bool
	// Checks counts checks that were answered; Blind those that saw nothing.
	Checks, Blind uint64
	// Running is how many checks are under way.
	Running int
	// Late is the largest lateness of a due check in the last minute.
	Late time.Duration
	// Outbox is how many notices wait.
	Outbox int
	// Unkept are the keepers that do not keep what is claimed, with the reason.
	Unkept map[string]string
	// Shared is what this director shares with the other one; nil if there is
	// none.
	Shared *Shared
}

// Shared is what two directors know together of their operators.
type Shared struct {
	// Node and Name are this director's.
	Node int
	Name string
	// Stands is how much of it stands; Refused how much came that could not be
	// read.
	Stands, Refused int
	// Unknown are words about what this director's configuration does not have.
	Unknown []SharedWord
}

// SharedWord is what was said about a thing.
type SharedWord struct {
	What, Name string
	Note       opstatus.Note
}
