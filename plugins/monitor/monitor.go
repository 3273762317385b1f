// Package monitor is the contract between mond and the author of a monitor:
// what a check is asked ([Request]) and what it answers ([Result]).
//
// It is not a runtime: plugins/serve turns a [Monitor] into a program,
// plugins/host runs such programs. It imports the standard library and plugins/role only, so
// that an author's monitor links nothing he did not ask for.
package monitor

import (
	"context"
	"flag"
	"time"

	"github.com/mondhq/mond/plugins/role"
)

// New makes a monitor and declares its options on fs. It is called once for
// every distinct list of arguments; fs is parsed before the first Check. The
// same declaration answers -h, the man page and the checking of mon.cf.
//
// Options that need more than one value to judge are judged by an optional
// method on the Monitor: Validate() error, called once after fs is parsed.
type New func(fs *flag.FlagSet) Monitor

// Monitor checks hosts. Check is called concurrently; ctx carries the whole
// deadline of this check and is cancelled when nobody waits any more. A Check
// that panics leaves its service blind, it never fails a host.
type Monitor interface {
	Check(ctx context.Context, r Request) Result
}

// Watcher is a Monitor that also speaks unasked. Watch runs until ctx ends
// and reports as often as it likes; an error leaves the service blind.
type Watcher interface {
	Monitor
	Watch(ctx context.Context, r Request, report func(Result)) error
}

// Elector is a Monitor that decides which of several directors holds groups of
// addresses. Elect runs until ctx ends. Each Site that comes takes the place of
// the one before; a token permits what its holder is to do, at once. Report
// tells how a service of group mond stands (peer, link-NAME, redundancy,
// role-GROUP), and with "" the service that r names. An error leaves them blind
// and is tried again; what is held stays held as long as the last token says.
type Elector interface {
	Monitor
	Elect(ctx context.Context, r Request, site <-chan role.Site, say Election) error
}

// Election is how an Elector speaks. The functions may be called by any
// goroutine and never wait.
type Election struct {
	Token  func(role.Token)
	Report func(service string, r Result)
	// Shared says which director this is, once at the beginning, and gives mond
	// what the mond of the other one knows. It may be lost where mond does not
	// listen.
	Shared func(role.Shared)
}

// Validator is the optional method of a Monitor (or of an alert) that judges
// its options together, after they were parsed.
type Validator interface {
	Validate() error
}

// Func makes a Monitor of a function.
type Func func(ctx context.Context, r Request) Result

// Check calls f.
func (f Func) Check(ctx context.Context, r Request) Result { return f(ctx, r) }

// Request is one check.
type Request struct {
	Group, Service string
	// Hosts are the members of the hostgroup, in its order, less those that
	// are disabled, excluded or dropped by a host dependency.
	Hosts []string
	// Args are the words after the program's name in mon.cf, before option
	// parsing.
	Args []string
	// Env holds the service's variables; for a classic program also the
	// MON_* ones of the mon manual. It is shared: never change it.
	Env map[string]string
}

// Result is what a check found. The zero value is blind: a check that says
// nothing has not seen anything, and must never be read as success or failure.
type Result struct {
	Cause Cause
	// Exit is 0 for success and 1 to 255 for failure. It is read only when
	// Cause is Exited.
	Exit int
	// Warn marks a success that deserves a look (opstatus warn).
	Warn bool
	// Summary is one line, by convention the failing hosts, sorted. For a
	// blind Result it is the reason.
	Summary string
	// Detail is free text of any number of lines.
	Detail string
	// Hosts is what is known of each host; may be empty.
	Hosts   []Host
	Started time.Time
	Took    time.Duration
}

// Host is the part of a Result that concerns one host.
type Host struct {
	Name, Detail string
	OK           bool
	Took         time.Duration
	// Perf holds performance data: a name and a value in the unit that the
	// name says.
	Perf map[string]float64
}

// OK makes a Result of success.
func OK(summary string) Result { return Result{Cause: Exited, Summary: summary} }

// Failed makes a Result of failure, exit 1.
func Failed(summary, detail string) Result {
	return Result{Cause: Exited, Exit: 1, Summary: summary, Detail: detail}
}

// Blinded makes a Result that says nothing of the target; reason says why.
func Blinded(c Cause, reason string) Result { return Result{Cause: c, Summary: reason} }

// Blind reports whether r is no verdict: anything but a check that ended with
// an exit status, or that was running and did not answer within its limit.
func (r Result) Blind() bool { return r.Cause != Exited && r.Cause != TimedOut }

// Failing reports whether r is a verdict of failure.
func (r Result) Failing() bool {
	return r.Cause == TimedOut || r.Cause == Exited && r.Exit != 0
}

// Output is the text that mon calls the output: the summary line, then the
// detail.
func (r Result) Output() string {
	if r.Detail == "" {
		if r.Summary == "" {
			return ""
		}
		return r.Summary + "\n"
	}
	return r.Summary + "\n" + r.Detail
}

// Cause says how a check ended. Only Exited and TimedOut are verdicts.
type Cause uint8

// The causes. Their order is that of the wire (plugins/rpc) and is only ever
// appended to.
const (
	NotRun        Cause = iota // nothing was run
	Exited                     // it ended by itself with Result.Exit
	TimedOut                   // it was running and did not answer in its limit
	Killed                     // a signal that was not ours ended it
	CouldNotStart              // the program could not be started
	PluginLost                 // the resident plugin died or hangs
	Garbled                    // what it answered makes no sense
	Panicked                   // a bug in the plugin
	Overloaded                 // more checks were due than may run at once
	LocalFault                 // this machine's fault: no descriptors, memory, route, name or permission
	causes                     // how many there are
)

// Valid reports whether c is one of the causes above.
func (c Cause) Valid() bool { return c < causes }

// String is the cause in words, as mond's users see it.
func (c Cause) String() string {
	switch c {
	case NotRun:
		return "not run"
	case Exited:
		return "exited"
	case TimedOut:
		return "timed out"
	case Killed:
		return "killed"
	case CouldNotStart:
		return "could not start"
	case PluginLost:
		return "plugin lost"
	case Garbled:
		return "garbled answer"
	case Panicked:
		return "panicked"
	case Overloaded:
		return "overloaded"
	case LocalFault:
		return "local fault"
	case causes:
	}
	return "unknown cause"
}
