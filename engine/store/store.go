// Package store keeps what must survive a crash - states, counters, claims,
// the outbox, history - in one bbolt file behind one writer goroutine. It
// decides nothing and is not the place for configuration.
//
// The owner of a [Store] hands it a [Batch] for every turn of his loop and
// goes on at once: [Store.Append] does no I/O and waits for nothing. What
// gathers while the disk is busy is merged and goes down in one transaction,
// so a slow disk costs freshness and a hanging one costs durability, but
// neither costs a check. Readers of history use their own goroutine.
//
// On disk every row is a JSON object, so that it can be read by people and by
// older and newer programs: unknown members are ignored, missing ones are
// zero. What no older program could understand raises the format's number,
// and an older program then refuses the file.
package store

import (
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/engine/share"
	"github.com/mondhq/mond/plugins/alert"
)

// Record is what is kept of one service.
type Record struct {
	State opstatus.State
	// Periods are the policy states by the period's name.
	Periods map[string]policy.State
	// Disabled is set while an operator has disabled the service.
	Disabled *opstatus.Note
	Claims   []alert.Claim
	// DependOK is the last value of the alert dependency, nil if it never had
	// one; DependFailed is when it last was false.
	DependOK     *bool
	DependFailed time.Time
	// Held says, in a word of [Event.What], why checks are not run; empty
	// while they are.
	Held string
	// TrapSince is since when a trap is waited for (traptimeout), TrapEnds
	// when what one said is over (trapduration); zero without.
	TrapSince, TrapEnds time.Time
	// Alerts counts the alerts that were ever called.
	Alerts int
}

// Globals is what is kept of the whole daemon.
type Globals struct {
	// Stopped is set while the scheduler is stopped.
	Stopped *opstatus.Note
	// Watches and Hosts are those an operator disabled.
	Watches, Hosts map[string]opstatus.Note
	// Excluded is set while the global exclude_period holds.
	Excluded bool
	// Orders are those of operators, oldest first.
	Orders []Order
	// Marks are the files last seen in each directory of maintenance, sorted.
	Marks map[string][]string
	// Roles are those of operators about groups of addresses, oldest first.
	Roles []RoleOrder
	// Shared is what the directors of a pair know together, the newest first.
	Shared []share.Entry
}

// Notice is a queued alert.
type Notice struct {
	// Seq orders notices; it grows over restarts.
	Seq uint64
	// Program is the alert's name as mon.cf has it.
	Program string
	Request alert.Request
	// Queued is when it was decided.
	Queued time.Time
	// Test is set for one that an operator tries: it counts nowhere.
	Test bool
}

// Batch is one turn of the loop; it is committed whole or not at all. Where
// batches merge before they reach the disk the newest value of a row wins.
type Batch struct {
	Records map[opstatus.Key]Record
	// Gone are services that no longer exist; a key that is in Records too
	// stays.
	Gone []opstatus.Key
	// Pools are virtual services by name; nil is one that is gone.
	Pools map[string]*Pool
	// Globals is nil when unchanged.
	Globals *Globals
	Queued  []Notice
	// Started are notices whose program is about to run; Done are finished or
	// given up. Both are Seqs.
	Started, Done []uint64
	Events        []Event
	// Alive, if set, is when the owner was last seen at work; see Saved.Alive.
	Alive time.Time
}

// Saved is what Load found.
type Saved struct {
	Records map[opstatus.Key]Record
	Pools   map[string]Pool
	Globals Globals
	// Outbox holds what was queued and not done, in order; those that may
	// have run have Request.Repeated set.
	Outbox []Notice
	// NextSeq is the first free Seq.
	NextSeq uint64
	// Alive is the last sign of life of the run that left this: the last
	// Batch.Alive, or the time of the last row of history where that is later;
	// zero if there is neither.
	Alive time.Time
	// Clean is set when the last stop was clean; a new store is clean, one
	// that replaces a damaged one (Options.Recover) is not.
	Clean bool
	// New is set when there was no store.
	New bool
	// Damaged counts rows that could not be read; each was logged and is
	// missing above.
	Damaged int
}
