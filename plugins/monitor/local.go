package monitor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
)

// ours are the errors of the system that say nothing of the target: the packet
// was never sent, or could not be.
//
// What is missing here is missing on purpose. ECONNREFUSED and ECONNRESET are
// the target's answer. EHOSTUNREACH is what a dead neighbour's unanswered ARP
// becomes, and ETIMEDOUT what a dead host further away becomes: both must take
// it out.
var ours = []syscall.Errno{
	syscall.EMFILE,        // this process has no descriptor left
	syscall.ENFILE,        // nor has the machine
	syscall.ENOBUFS,       // no memory for packets
	syscall.ENOMEM,        // no memory at all
	syscall.EPERM,         // the local packet filter, or a missing capability
	syscall.EACCES,        // a prohibited route, a privileged source port, an unreadable file
	syscall.EADDRNOTAVAIL, // no free port, or a source address that is not ours
	syscall.EADDRINUSE,    // no free port for the source address
	syscall.EAFNOSUPPORT,  // no IPv6 here
	syscall.ENETUNREACH,   // no route
	syscall.ENETDOWN,      // own link down
}

// Local reports whether err is this machine's fault, or that of a resolver it
// asked: something that says nothing of the target, which must then not be
// judged. A name that has no address is local; a port that is closed is not.
// Local(nil) is false.
func Local(err error) bool {
	if _, ok := errors.AsType[fault](err); ok {
		return true
	}
	if _, ok := errors.AsType[*Unresolved](err); ok {
		return true
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	errno, ok := errors.AsType[syscall.Errno](err)
	return ok && slices.Contains(ours, errno)
}

// Unresolved says that a name has no address, and never had one since this
// process began to ask.
type Unresolved struct {
	Host string
	// Err is the answer of the last lookup.
	Err error
}

// Error names the host and the reason.
func (u *Unresolved) Error() string {
	reason := fmt.Sprint(u.Err)
	if d, ok := errors.AsType[*net.DNSError](u.Err); ok {
		reason = d.Err // without the name, which is there already
	}
	return fmt.Sprintf("name %s has no address: %s", u.Host, reason)
}

// Unwrap is the answer of the last lookup.
func (u *Unresolved) Unwrap() error { return u.Err }

// fault is an error that its author knows to be local.
type fault struct{ err error }

func (f fault) Error() string { return f.err.Error() }
func (f fault) Unwrap() error { return f.err }

// Fault marks err as this machine's fault, for [Local]: a file that cannot be
// read, a socket that cannot be opened. Fault(nil) is nil.
func Fault(err error) error {
	if err == nil {
		return nil
	}
	return fault{err}
}

// late is the error of a host that did not answer in time.
type late string

func (l late) Error() string { return string(l) }
func (late) Timeout() bool   { return true }

// Late is the error of a host that did not answer in time, which is a verdict:
// the host failed. waited says what was waited for, such as "connect to
// 10.0.0.1:80"; how long it took is added by [EachHost].
func Late(waited string) error { return late(waited) }

// IsLate reports whether err says that a time limit passed, as [Late] does.
func IsLate(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// warning is what makes a host worth a look though it is well.
type warning string

func (w warning) Error() string { return string(w) }

// Warning says that a host is well but deserves a look, such as one whose
// certificate ends soon: returned in the place of an error to [EachHost], it
// makes a success with [Result.Warn] (opstatus warn).
func Warning(text string) error { return warning(text) }

// Warns reports whether err is a [Warning].
func Warns(err error) bool {
	_, ok := errors.AsType[warning](err)
	return ok
}
