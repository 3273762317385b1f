// Package depend reads and evaluates the dependency expressions of mon.cf,
// such as "SELF:ping && (db:mysql or db:pgsql)". It is pure: the values of the
// services named are asked of the caller. It does not say what follows from a
// dependency (engine/policy) or which hosts it takes out.
//
// In mon an expression is any Perl; here it is service names, 1, 0,
// parentheses and Perl's logical operators with their precedence: "!" binds
// tightest, then "&&", "||", "not", "and", "or". As in Perl, a "not" that is
// followed by a parenthesis applies to that parenthesis only.
package depend

import "github.com/mondhq/mond/engine/opstatus"

// Expr is a parsed dependency expression. It is immutable. A nil *Expr is no
// dependency: it is true and names nothing.
type Expr struct {
	text string
	root node
	keys []opstatus.Key
}

// node is a part of an expression.
type node struct {
	op op
	// args are the operands of and (two or more), or (two or more) and not
	// (one).
	args []node
	// key is the service of a name.
	key opstatus.Key
}

type op uint8

const (
	yes op = iota // 1; also the zero Expr
	no            // 0
	name
	not
	and
	or
)

// String is the expression with SELF replaced by the group, the rest as it was
// written.
func (e *Expr) String() string {
	if e == nil {
		return ""
	}
	return e.text
}

// Keys are the services that e names, in order, each once. The caller must
// not change them.
func (e *Expr) Keys() []opstatus.Key {
	if e == nil {
		return nil
	}
	return e.keys
}

// Eval is the value of e, given the value of each service named. It stops at
// the first operand that decides, as Perl does.
func (e *Expr) Eval(value func(opstatus.Key) bool) bool {
	return e == nil || e.root.eval(value)
}

func (n *node) eval(value func(opstatus.Key) bool) bool {
	switch n.op {
	case yes:
		return true
	case no:
		return false
	case name:
		return value(n.key)
	case not:
		return !n.args[0].eval(value)
	case and, or:
	}
	for i := range n.args {
		if n.args[i].eval(value) == (n.op == or) {
			return n.op == or
		}
	}
	return n.op == and
}
