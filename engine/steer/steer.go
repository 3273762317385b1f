// Package steer holds the words in which operators and mon's clients ask
// things of the engine, and the refusals that whoever asks must tell apart. It
// does nothing itself: engine/control takes the questions, the engine answers
// them, and neither imports the other for them.
package steer

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
)

// MonState names what mon keeps in its state files.
type MonState struct {
	// Disabled is what is disabled (statedir/disabled), OpStatus the statuses
	// and counters of all services (statedir/opstatus).
	Disabled, OpStatus bool
}

// Any reports whether anything is named.
func (s MonState) Any() bool { return s.Disabled || s.OpStatus }

// ResetHow says how to reset.
type ResetHow struct {
	// Stopped leaves the scheduler stopped; KeepState keeps statuses,
	// counters, acknowledgements and what is disabled.
	Stopped, KeepState bool
}

// Process is a monitor that runs.
type Process struct {
	Key opstatus.Key
	PID int
}

// AlertTest says which alert lines to try, and as what.
type AlertTest struct {
	On     alert.Kind
	Period string // its label or, without one, its expression
	// Exit is the exit status that the lines are told of; nil is that of the
	// service's last check. It selects no lines.
	Exit *int
}

// Kind is what a name is of.
type Kind uint8

// The kinds of name.
const (
	Group   Kind = iota + 1 // a hostgroup, or its watch
	Service                 // of a group that exists
	Host
	Period // of a service that exists
	Virtual
	Role // a group of addresses
)

// String is the word for k.
func (k Kind) String() string {
	switch k {
	case Group:
		return "group"
	case Service:
		return "service"
	case Host:
		return "host"
	case Virtual:
		return "virtual service"
	case Role:
		return "group of addresses"
	case Period:
	}
	return "period"
}

// UnknownError is about a name that does not exist; nothing was created by
// asking. It is fs.ErrNotExist.
type UnknownError struct {
	Kind Kind
	Name string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("%s %s: no such name in the configuration", e.Kind, e.Name)
}

// Is makes e an fs.ErrNotExist.
func (e *UnknownError) Is(target error) bool { return target == fs.ErrNotExist }

// ErrNotFailing answers an acknowledgement of a service that does not fail.
var ErrNotFailing = errors.New("service is in a non-failure state")

// ErrNoLines answers a test of alert lines where there are none of that kind.
var ErrNoLines = errors.New("there are no such lines to try")

// ValueError is about a value that a variable cannot have, or a variable that
// cannot be set.
type ValueError struct {
	Name, Value, Reason string
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("set %s to %q: %s", e.Name, e.Value, e.Reason)
}
