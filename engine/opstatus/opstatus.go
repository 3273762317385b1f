// Package opstatus says what a service's status is after an event. It is pure:
// state and event in, state and [Transition] out. It is not the place where
// anybody is told (engine/policy) or anything is stored (engine/store).
package opstatus

import (
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
)

// Key names a service.
type Key struct{ Group, Service string }

// String is "group:service".
func (k Key) String() string { return k.Group + ":" + k.Service }

// ParseKey reads "group:service" (or mon's "group,service").
func ParseKey(s string) (Key, bool) {
	g, v, ok := strings.Cut(s, ":")
	if !ok {
		g, v, ok = strings.Cut(s, ",")
	}
	return Key{g, v}, ok && g != "" && v != ""
}

// Status is the opstatus of a service. The zero value is Untested, so that a
// forgotten State is never read as a failure; [Status.Number] is mon's number.
type Status uint8

// The statuses of mon.
const (
	Untested Status = iota
	Fail
	OK
	Coldstart
	Warmstart
	Linkdown
	Unknown
	Timeout
	Dependency
	Warn
	statuses
)

// numbers are mon's, indexed by Status.
var numbers = [statuses]int{Untested: 7, Fail: 0, OK: 1, Coldstart: 2, Warmstart: 3, Linkdown: 4, Unknown: 5, Timeout: 6, Dependency: 8, Warn: 9}

// Number is mon's number for s, as clients and alerts see it (MON_OPSTATUS).
func (s Status) Number() int {
	if s >= statuses {
		return numbers[Unknown]
	}
	return numbers[s]
}

// String is mon's name for s.
func (s Status) String() string {
	switch s {
	case Untested:
		return "untested"
	case Fail:
		return "fail"
	case OK:
		return "ok"
	case Coldstart:
		return "coldstart"
	case Warmstart:
		return "warmstart"
	case Linkdown:
		return "linkdown"
	case Unknown:
		return "unknown"
	case Timeout:
		return "timeout"
	case Dependency:
		return "dependency"
	case Warn:
		return "warn"
	case statuses:
	}
	return "unknown"
}

// Failing reports whether s is in mon's failure set.
func (s Status) Failing() bool { return s == Fail || s == Linkdown || s == Timeout }

// Good reports whether s is in mon's success set (an untested service counts
// as good), or warn, which is a success that deserves a look.
func (s Status) Good() bool {
	switch s {
	case OK, Coldstart, Warmstart, Unknown, Untested, Warn:
		return true
	case Fail, Linkdown, Timeout, Dependency, statuses:
	}
	return false
}

// Settings say how many results it takes to change a status.
type Settings struct {
	// Fall is how many failures in a row make a good service fail, at least 1
	// (mon: 1).
	Fall int
	// Rise is how many successes in a row make a failing service good, at
	// least 1 (mon: 1).
	Rise int
}

// Note is what an operator said, and when: an acknowledgement, a disable.
type Note struct {
	At   time.Time
	User string
	Text string
	// Where is the name of the other director, if it was said there; else empty.
	Where string
}

// Who is who said it, and where if that was not here: user@director.
func (n Note) Who() string {
	switch {
	case n.Where == "":
		return n.User
	case n.User == "":
		return n.Where
	}
	return n.User + "@" + n.Where
}

// Blind says that the last checks saw nothing, and why. It lies beside the
// Status, never instead of it.
type Blind struct {
	Cause  monitor.Cause
	Reason string
	Since  time.Time
	Times  int
}

// State is all that is known of a service's status. It is durable.
type State struct {
	Status, Last Status
	// Good and Bad count consecutive results against Status, for Rise and
	// Fall.
	Good, Bad int
	// Failures counts failures since the last success, as mon counts them.
	Failures int
	// Total counts all failures ever, as mon's failure_count.
	Total                                                     int
	FirstFail, LastFail, FirstOK, LastOK, LastCheck, LastTrap time.Time
	Took                                                      time.Duration
	// Exit is the exit status of the last verdict; -1 before the first.
	Exit int
	// Summary and Output are those of the last verdict. FailSummary and
	// FailOutput are those of the last failure of this outage, empty while
	// good.
	Summary, Output         string
	FailSummary, FailOutput string
	Ack                     *Note
	Blind                   *Blind
	// Tested is false until the first verdict.
	Tested bool
}

// EventKind says what happened to a service.
type EventKind uint8

// The kinds of event.
const (
	None        EventKind = iota
	Exit                  // a monitor that was run answered
	Pushed                // a resident monitor spoke unasked
	Trap                  // a trap arrived
	TrapTimeout           // no trap arrived in time
	TrapExpired           // trapduration is over
	Ack                   // an operator acknowledged the failure
	Disable               // an operator disabled the service
	Enable                // an operator enabled the service
	Startup               // the daemon started
)

// Event is something that happened to a service.
type Event struct {
	Kind   EventKind
	Result monitor.Result
	Note   Note
}

// Transition says what an event did.
type Transition struct {
	From, To Status
	Event    EventKind
	// Failure is set when the event is a failure in mon's sense: the service
	// fails now (again or for the first time).
	Failure bool
	// Success is set when the event is a success in mon's sense: the service
	// is good now (still or again).
	Success bool
	// First is set on the first failure of an outage.
	First bool
	// Recovered is set when a failing service became good.
	Recovered bool
	// Suspect is set when a result was against the status but not yet enough
	// to change it (rise and fall).
	Suspect bool
	// Blind is set when the result was no verdict: nothing else changed.
	Blind bool
	// Downtime is how long the outage that ended lasted; set with Recovered.
	Downtime time.Duration
}
