package depend

import (
	"fmt"

	"github.com/mondhq/mond/engine/opstatus"
)

// Value is the value of root as mon counts it: a service named is good if its
// status is good and its own expression of the same kind is true, and so on.
// node says of a service whether its status is good, and its own expression
// (nil if it has none); it is asked only for services that can still decide.
//
// limit is how often own expressions may be followed one after another (mon's
// dep_recur_limit). More, or a service that depends on itself, makes the whole
// false, whatever stands beside it. reason is empty if ok, and else names what
// made it false: "db:mysql is failing".
func Value(root *Expr, limit int, node func(opstatus.Key) (good bool, own *Expr)) (ok bool, reason string) {
	if root == nil {
		return true, ""
	}
	v := valuer{limit: limit, node: node}
	c := v.value(&root.root, 0)
	switch {
	case v.broken != "":
		return false, v.broken
	case c.ok:
		return true, ""
	}
	return false, c.reason()
}

// cause is a value and the service that made it so.
type cause struct {
	ok bool
	// key is the service, and zero for a constant. up is whether it is good,
	// which is not ok under a negation.
	key opstatus.Key
	up  bool
	// via is the service named that depends on key, if that is another.
	via opstatus.Key
}

func (c cause) reason() string {
	if c.key == (opstatus.Key{}) {
		return "the expression says so, whatever the services do"
	}
	s := c.key.String() + " is failing"
	if c.up {
		s = c.key.String() + " is not failing"
	}
	if c.via != (opstatus.Key{}) {
		s += fmt.Sprintf(" (%s depends on it)", c.via)
	}
	return s
}

// valuer follows expressions from service to service.
type valuer struct {
	limit int
	node  func(opstatus.Key) (bool, *Expr)
	// broken says why there is no value.
	broken string
	// path holds the services that are being followed, and known those that
	// have been, by how deep: without it, services that all depend on
	// many others would be asked about again and again.
	path  map[opstatus.Key]bool
	known map[visit]cause
}

type visit struct {
	key   opstatus.Key
	level int
}

// value is the value of n in an expression that is level steps from the root.
func (v *valuer) value(n *node, level int) cause {
	switch n.op {
	case yes, no:
		return cause{ok: n.op == yes}
	case name:
		return v.service(n.key, level)
	case not:
		c := v.value(&n.args[0], level)
		c.ok = !c.ok
		return c
	case and, or:
	}
	first := v.value(&n.args[0], level)
	c := first
	for i := 1; i < len(n.args) && c.ok == (n.op == and) && v.broken == ""; i++ {
		c = v.value(&n.args[i], level)
	}
	if c.ok == (n.op == and) {
		return first // none decided, so all had a part
	}
	return c
}

// service is the value of a service named level steps from the root.
func (v *valuer) service(k opstatus.Key, level int) cause {
	good, own := v.node(k)
	if !good || own == nil {
		return cause{ok: good, key: k, up: good}
	}
	at := visit{k, level}
	if c, ok := v.known[at]; ok {
		return c
	}
	if v.broken = v.refuse(k, level+1); v.broken != "" {
		return cause{}
	}
	c := v.follow(k, own, level+1)
	v.known[at] = c
	return c
}

// follow is the value of k, whose status is good, by its own expression.
func (v *valuer) follow(k opstatus.Key, own *Expr, level int) cause {
	if v.path == nil {
		v.path, v.known = map[opstatus.Key]bool{}, map[visit]cause{}
	}
	v.path[k] = true
	c := v.value(&own.root, level)
	delete(v.path, k)
	if c.ok {
		return cause{ok: true, key: k, up: true}
	}
	if c.via == (opstatus.Key{}) {
		c.via = k
	}
	return c
}

// refuse says why k's own expression cannot be followed, level steps from the
// root; empty if it can.
func (v *valuer) refuse(k opstatus.Key, level int) string {
	if v.path[k] {
		return fmt.Sprintf("%s depends on itself", k)
	}
	if level > v.limit {
		return fmt.Sprintf("dependencies of dependencies at %s go deeper than %d (dep_recur_limit)", k, v.limit)
	}
	return ""
}
