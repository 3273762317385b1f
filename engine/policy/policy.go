// Package policy decides who is told of an event and why, by mon's rules in
// mon's order. It is pure: it starts nothing, stores nothing, asks no clock.
//
// [Decide] answers for every line of every period; [Claims] says what the
// keepers among the programs should hold. Notices and claims are told apart by
// the program alone: the caller sends a Decision with Send as a notice only if
// its program is no keeper, and leaves keepers to Claims.
//
// mon's rules have corners that look like mistakes and are kept, since files
// were written around them: startupalerts and ackalerts count as alerts
// (numalerts, alertevery, upalerts); an upalert ends `alertevery strict`;
// failures held back by numalerts or alertevery do not count for
// `alertafter N TV`. What is not kept stands in engine/difference.
//
// A new rule is one func in filters.go or gates.go and one [Reason].
package policy

import (
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
)

// State is what is remembered of one period of a service. It is durable.
type State struct {
	// Sent is how many events were told since the last success, upalerts
	// aside.
	Sent int
	// Up is set once an upalert was sent since the last alert.
	Up bool
	// LastAlert is when the last alert was sent; zero when it may not hold
	// back the next one.
	LastAlert time.Time
	// FirstFail begins the window of alertafter; FailCount counts in it.
	FirstFail time.Time
	FailCount int
}

// Input is all that Decide looks at.
type Input struct {
	Service *config.Service
	// Was and Is are the states before and after the event.
	Was, Is opstatus.State
	Change  opstatus.Transition
	// Periods holds a State for each of Service.Periods, in that order.
	Periods []State
	// Disabled is set when the service, or its watch, is disabled; Stopped
	// when the scheduler is.
	Disabled, Stopped bool
	// DependOK is the last value of the alert dependency; true without one.
	DependOK bool
}

// Decision is one line of one period, and whether it is called.
type Decision struct {
	// Period is the period's name, empty for redistribute and for decisions
	// that concern the whole service.
	Period string
	Kind   alert.Kind
	// Command is nil when the decision concerns a whole period or service.
	Command *config.Command
	Send    bool
	Reason  Reason
	// Note explains the reason with this case's figures, such as "2 of 3
	// failures"; may be empty.
	Note string
}

// String is d in one line, such as
// "failure: period NIGHT: mail.alert ops: called".
func (d Decision) String() string {
	var b strings.Builder
	b.WriteString(d.Kind.String() + ": ")
	if d.Period != "" {
		b.WriteString("period " + d.Period + ": ")
	}
	if d.Command != nil {
		b.WriteString(strings.Join(append([]string{d.Command.Program}, d.Command.Args...), " ") + ": ")
	}
	b.WriteString(d.Reason.String())
	if d.Note != "" {
		b.WriteString(" (" + d.Note + ")")
	}
	return b.String()
}

// Outcome is what Decide answers.
type Outcome struct {
	// Decisions are in mon's order; those that call nothing are among them.
	Decisions []Decision
	// Periods are the new States; Input.Periods itself when none changed.
	Periods []State
	// Service is the new state of the service: Input.Is, but for an
	// acknowledgement that unack_summary ended.
	Service opstatus.State
}
