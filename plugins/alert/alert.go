// Package alert is the contract between mond and the author of an alert: a
// notice that is told at least once ([Request]), or a claim that is kept
// ([Claim]).
//
// It is not a runtime: plugins/serve turns an [Alert] into a program,
// plugins/host runs such programs. It imports the standard library only.
package alert

import (
	"context"
	"errors"
	"flag"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/role"
)

// New makes an alert and declares its options on fs. It is called once for
// every distinct list of arguments; fs is parsed before the first call.
type New func(fs *flag.FlagSet) Alert

// Alert tells somebody. It is called at least once for every notice, one at a
// time for one service; an error is tried again later unless it is
// [Permanent]. ctx carries the time limit.
type Alert interface {
	Alert(ctx context.Context, r Request) error
}

// Keeper is an alert that keeps a state instead of telling of events: what
// should hold now. With full, claims is all there is and what is absent is not
// claimed (hands off); without, claims is what changed. Keep is idempotent and
// the newest call wins; a Keeper writes nothing before its first full set.
type Keeper interface {
	Alert
	Keep(ctx context.Context, full bool, claims []Claim) error
}

// Holder is an alert that holds groups of addresses as tokens permit. Hold runs
// until ctx ends and then leaves things as they are, but if the cause is
// [role.ErrOrphaned] it releases what is leased: there is another director that
// may have it. It has a moment for that. say may be called by any
// goroutine and never waits. It is told all Lines before the first Token, and
// again when they change: what is not declared any more is released.
type Holder interface {
	Alert
	Hold(ctx context.Context, work <-chan role.Work, say func(role.Stand)) error
}

// Claim is what should hold now for one target of a Keeper.
type Claim struct {
	// ID names the claim: "group:service program args". An alert line and an
	// upalert line with equal words share it.
	ID string
	// Group and Service say who claims.
	Group, Service string
	// Reason is a sentence for people.
	Reason string
	// Args are the words after the program's name in mon.cf.
	Args []string
	// Down means that the target is to be out; several claims may name one
	// target, which is out while any of them is Down.
	Down bool
	// Provisional claims were restored after an unclean stop and have not
	// been confirmed by a check: what they name stays as the kernel has it.
	Provisional bool
	// Withdrawn ends the claim (hands off); only in a call that is not full.
	Withdrawn bool
	// Since is when it began to hold.
	Since time.Time
}

// Standing is how what a claim names stands in a Keeper's table. A Keeper that
// knows shows a JSON list of them for the topic "standing SERVICE...": those of
// the claims of these services.
type Standing struct {
	// ID is the claim's.
	ID string `json:"id"`
	// Known means that the table could be read; nothing below counts without.
	Known bool `json:"known"`
	// There means that it has a row, with this weight.
	There  bool `json:"there"`
	Weight int  `json:"weight"`
	// Active, Inactive and Persistent are connections as the kernel counts
	// them: established, opened or closed and UDP flows, and persistence
	// templates; -1 if not known.
	Active     int `json:"active"`
	Inactive   int `json:"inactive"`
	Persistent int `json:"persistent"`
}

// Copying is how the copying of connections to and from another director
// stands, for one table of a Keeper. One that copies shows a JSON list of them
// for the topic "copying".
type Copying struct {
	Table string `json:"table"`
	// Trouble is why they are not copied; "" if they are.
	Trouble string `json:"trouble,omitempty"`
	// Warning is what is unwise about it, Detail how it is done.
	Warning string `json:"warning,omitempty"`
	Detail  string `json:"detail,omitempty"`
	// Since is since when those of the other director are taken in without a
	// break; zero if they are not.
	Since time.Time `json:"since,omitzero"`
	// Refresh is after how many seconds a connection with traffic is told anew;
	// 0 if that goes by packets.
	Refresh int `json:"refresh,omitempty"`
}

// Request is one notice.
type Request struct {
	// ID is the idempotency key: equal for every try at the same notice.
	ID             string
	Group, Service string
	Kind           Kind
	// Repeated means that it may have been told already, before a crash.
	Repeated bool
	// Late means that it was started before it was safe on disk.
	Late    bool
	Hosts   []string
	Args    []string
	Summary string
	// Output is what a classic alert reads on its standard input.
	Output string
	// At is the time of the event.
	At     time.Time
	Exit   int
	Status int // opstatus in mon's numbers
	// Env holds the service's variables and the MON_* ones of the mon manual.
	Env map[string]string
}

// Kind says what a notice is about.
type Kind uint8

// The kinds. Their order is that of the wire and of the store, and is only
// ever appended to.
const (
	Unset Kind = iota
	Failure
	Up
	Startup
	Trap
	TrapTimeout
	Ack
	Disable
	Test
	kinds
)

// Valid reports whether k is one of the kinds above other than Unset.
func (k Kind) Valid() bool { return k > Unset && k < kinds }

// String is mon's word for k, the value of MON_ALERTTYPE.
func (k Kind) String() string {
	switch k {
	case Failure:
		return "failure"
	case Up:
		return "up"
	case Startup:
		return "startup"
	case Trap:
		return "trap"
	case TrapTimeout:
		return "traptimeout"
	case Ack:
		return "ack"
	case Disable:
		return "disable"
	case Test:
		return "test"
	case Unset, kinds:
	}
	return "unset"
}

// Heading is mon's ALERT or UPALERT, and for the kinds that mon calls ALERT
// too, their own name.
func (k Kind) Heading() string {
	switch k {
	case Failure, Unset:
		return "ALERT"
	case Up:
		return "UPALERT"
	case Startup, Trap, TrapTimeout, Ack, Disable, Test, kinds:
	}
	return strings.ToUpper(k.String())
}

// permanent is an error that another try would not mend.
type permanent struct{ err error }

func (p permanent) Error() string { return p.err.Error() }
func (p permanent) Unwrap() error { return p.err }

// Permanent marks err as one that another try would not mend, such as an
// address that is refused: the notice is not tried again. Permanent(nil) is
// nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent reports whether err was marked by [Permanent].
func IsPermanent(err error) bool {
	_, ok := errors.AsType[permanent](err)
	return ok
}

// Func makes an Alert of a function.
type Func func(ctx context.Context, r Request) error

// Alert calls f.
func (f Func) Alert(ctx context.Context, r Request) error { return f(ctx, r) }
