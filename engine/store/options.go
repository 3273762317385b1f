package store

import (
	"log/slog"
	"time"
)

// Options say where a Store lies and how it behaves. Zero fields mean the
// defaults named at them.
type Options struct {
	// Path is the file. Its folder must exist.
	Path string
	// Log gets what an operator should know; nil is silent.
	Log *slog.Logger
	// Recover sets a damaged file aside as Path.corrupt-TIME and starts a new
	// one; without it a damaged file is an error.
	Recover bool
	// NoSync leaves the flushing of the disk to the kernel: for tests and
	// demonstrations.
	NoSync bool
	// Gather is how long a batch nobody waits for may wait for company; 0
	// means 100 ms, negative means not at all. A batch with a callback is
	// written at once, and all before it with it.
	Gather time.Duration
	// SlowAfter is how long one commit may take before the store is called
	// unhealthy; 0 means 5 s.
	SlowAfter time.Duration
	// EventLimit is how many events may wait for the disk before the oldest
	// are dropped and counted; 0 means 10,000.
	EventLimit int
	// HistoryRows and HistoryAge bound the history; 0 means 100,000 rows and
	// 30 days.
	HistoryRows int
	HistoryAge  time.Duration
	// OnHealth is called when the store becomes unhealthy (ok false, with the
	// reason) and when it is well again. It must not wait for the Store.
	OnHealth func(ok bool, err error)
	// Commit, if set, is called by the writer in place of each commit, and
	// calls commit itself or not: tests make disks fail and hang with it.
	Commit func(commit func() error) error

	readOnly bool
}

// The bounds of the pause after a commit that failed.
const (
	retryMin = 100 * time.Millisecond
	retryMax = 5 * time.Second
)

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Gather == 0 {
		o.Gather = 100 * time.Millisecond
	}
	if o.SlowAfter == 0 {
		o.SlowAfter = 5 * time.Second
	}
	if o.EventLimit == 0 {
		o.EventLimit = 10_000
	}
	if o.HistoryRows == 0 {
		o.HistoryRows = 100_000
	}
	if o.HistoryAge == 0 {
		o.HistoryAge = 30 * 24 * time.Hour
	}
	if o.Commit == nil {
		o.Commit = func(commit func() error) error { return commit() }
	}
	return o
}
