// Package depend reads and evaluates the dependency expressions of mon.cf,
// such as "SELF:ping && (db:mysql or db:pgsql)". It is pure: the values of the
// services named are asked of the caller.
package depend

import "github.com/mondhq/mond/engine/opstatus"

// Expr is a parsed dependency expression.
type Expr struct{ text string }

// Parse reads an expression; group stands for SELF.
func Parse(text, group string) (*Expr, error) { return &Expr{text}, nil }

// String is the expression with SELF replaced.
func (e *Expr) String() string { return e.text }

// Keys are the services that e names, in order, each once.
func (e *Expr) Keys() []opstatus.Key { return nil }

// Eval is the value of e, given the value of each service named.
func (e *Expr) Eval(value func(opstatus.Key) bool) bool { return true }
