package ipvs

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
)

// What may be wrong with a table or an edit; see [Error].
var (
	ErrNoService     = errors.New("no such virtual service")
	ErrNoDestination = errors.New("no such real server")
	ErrNoDaemon      = errors.New("no such sync daemon runs")
	ErrNoLink        = errors.New("the interface cannot be used: it is not there, down or without an address")
	ErrExists        = errors.New("it exists already")
	ErrNoScheduler   = errors.New("the kernel does not know this scheduler or persistence engine")
	ErrNoNamespace   = errors.New("no such network namespace")
	ErrNoKernel      = errors.New("the kernel has no IPVS: modprobe ip_vs, or name a table file with --table FILE")
	ErrPermission    = errors.New("not permitted: editing the kernel's IPVS table needs CAP_NET_ADMIN (run as root, or grant it to lvs.alert)")
	ErrInvalid       = errors.New("not a row that IPVS can hold")
	ErrTimeout       = errors.New("the kernel did not answer in time")
)

// Error is an edit or a read that failed. Unwrap gives one of the errors
// above where it is known.
type Error struct {
	Op      string // such as "add real server"
	Virtual Virtual
	Real    netip.AddrPort // zero where the whole service is meant
	Err     error
}

// Error says what was tried, on what, and why it failed.
func (e *Error) Error() string {
	s := e.Op
	if e.Real.IsValid() {
		s += " " + e.Real.String() + " of"
	}
	if e.Virtual != (Virtual{}) {
		s += " " + e.Virtual.String()
	}
	return s + ": " + e.Err.Error()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Action is what to do about an error.
type Action uint8

// The actions.
const (
	// Retry: the same edit may succeed a moment later.
	Retry Action = iota
	// Correct: the table is not as was thought; read it and compare again.
	Correct
	// GiveUp: only a person can mend it.
	GiveUp
)

// String is the action in a word.
func (a Action) String() string {
	switch a {
	case Retry:
		return "retry"
	case Correct:
		return "correct"
	case GiveUp:
		return "give up"
	}
	return "unknown"
}

// ActionFor says what to do about err.
func ActionFor(err error) Action {
	for _, e := range []error{ErrNoService, ErrNoDestination, ErrNoDaemon, ErrExists} {
		if errors.Is(err, e) {
			return Correct
		}
	}
	for _, e := range []error{ErrNoScheduler, ErrNoKernel, ErrNoNamespace, ErrPermission, ErrInvalid} {
		if errors.Is(err, e) {
			return GiveUp
		}
	}
	return Retry
}

// wrap makes an Error of err; nil stays nil and an Error stays as it is.
func wrap(op string, v Virtual, real netip.AddrPort, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(ErrTimeout, err)
	}
	return &Error{Op: op, Virtual: v, Real: real, Err: err}
}

// unknownName says which module would know what s names.
func unknownName(s Service) error {
	text := "module ip_vs_" + s.Scheduler
	if s.Engine != "" {
		text += " or ip_vs_pe_" + s.Engine
	}
	return fmt.Errorf("%w (scheduler %q): %s is not there: modprobe it, or name another", ErrNoScheduler, s.Scheduler, text)
}
