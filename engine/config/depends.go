package config

import (
	"errors"
	"strings"

	"github.com/mondhq/mond/engine/depend"
	"github.com/mondhq/mond/engine/opstatus"
)

// depends notes a line with an expression; it is read at the end of the
// service, since dep_behavior may stand below it.
func depends(field func(*draft) **Statement) meaning {
	return func(r *resolver, st *Statement) {
		if !r.empty(st) {
			*field(r.svc) = st
		}
	}
}

// expression reads the expression of st, nil for none. In a list blanks may
// stand between expressions that must all hold.
func (r *resolver) expression(d *draft, st *Statement, list bool) *depend.Expr {
	if st == nil {
		return nil
	}
	parse := depend.Parse
	if list {
		parse = depend.ParseList
	}
	e, err := parse(st.Text, d.Key.Group)
	if s, ok := errors.AsType[*depend.SyntaxError](err); ok {
		r.diag.errorf(st, s.Col-1, commentHint(st.Text, s.Hint), "invalid %s: %s", st.Name, shortenTo(s.Msg, 200))
		return nil
	}
	r.unknownServices(d, st, e)
	return e
}

// finishDepends says which expression holds back what. A depend line comes
// before the other of its kind.
func (r *resolver) finishDepends(d *draft) {
	dep := &d.Depend
	dep.Alert = r.expression(d, d.alertDepend, false)
	dep.Monitor = r.expression(d, d.monitorDepend, false)
	dep.Host = r.expression(d, d.hostDepend, true)
	if d.depend == nil {
		return
	}
	dep.Depend = r.expression(d, d.depend, dep.Behavior == DependHost)
	effective, other := &dep.Alert, &d.alertDepend
	switch dep.Behavior {
	case DependMonitor:
		effective, other = &dep.Monitor, &d.monitorDepend
	case DependHost:
		effective, other = &dep.Host, &d.hostDepend
	case DependAlert:
	}
	if *other != nil {
		r.diag.warnf(*other, -1, "", "%s does not count beside depend with dep_behavior %s", (*other).Name, dep.Behavior)
	}
	*effective, *other = dep.Depend, d.depend
}

// String is the word of dep_behavior for b.
func (b Behavior) String() string {
	switch b {
	case DependMonitor:
		return "m"
	case DependHost:
		return "hm"
	case DependAlert:
	}
	return "a"
}

// unknownServices reports the services of an expression that are not there.
// Mon takes them for failed, so that nothing is ever told or checked.
func (r *resolver) unknownServices(d *draft, st *Statement, e *depend.Expr) {
	for _, key := range e.Keys() {
		if r.byKey[key] != nil || key.Group == selfGroup {
			continue
		}
		hint := r.hint(key.String(), func() []string { return r.near(key) })
		if hint == "" {
			hint = "mon takes a service that is not there for one that fails"
		}
		r.diag.errorf(st, nameIn(st.Text, key, d.Key.Group), hint, "%s of %s names an unknown service %s", st.Name, d.Key, key)
	}
}

// near are the services that may have been meant: of the same group, or of the
// same name.
func (r *resolver) near(key opstatus.Key) []string {
	var names []string
	for _, d := range r.drafts {
		if d.Key.Group == key.Group || d.Key.Service == key.Service {
			names = append(names, d.Key.String())
		}
	}
	return names
}

// nameIn is where key stands in an expression; its own group may be written
// SELF.
func nameIn(text string, key opstatus.Key, self string) int {
	for i := 0; i < len(text); {
		name, _ := cutName(text[i:])
		rest := text[i+len(name):]
		if name == "" {
			i++
			continue
		}
		service := ""
		if strings.HasPrefix(rest, ":") {
			service, _ = cutName(rest[1:])
		}
		if service == key.Service && (name == key.Group || name == "SELF" && self == key.Group) {
			return i
		}
		i += len(name)
	}
	return 0
}

// findLoops reports services that wait for themselves. Only expressions of one
// kind follow each other, and those of hosts do not at all.
func (r *resolver) findLoops() {
	r.findLoop(func(d *draft) (*depend.Expr, *Statement) { return d.Depend.Alert, d.alertDepend })
	r.findLoop(func(d *draft) (*depend.Expr, *Statement) { return d.Depend.Monitor, d.monitorDepend })
}

func (r *resolver) findLoop(line func(*draft) (*depend.Expr, *Statement)) {
	edges := map[opstatus.Key][]opstatus.Key{}
	for _, d := range r.drafts {
		if e, _ := line(d); e != nil {
			edges[d.Key] = e.Keys()
		}
	}
	for _, cycle := range depend.Cycles(edges) {
		names := make([]string, 0, len(cycle)+1)
		for _, key := range append(cycle, cycle[0]) {
			names = append(names, key.String())
		}
		const most = 8
		if len(names) > most {
			names = append(names[:most-2], "...", names[len(names)-1])
		}
		_, st := line(r.byKey[cycle[0]])
		r.diag.errorf(st, -1, "mon follows it up to dep_recur_limit and then tells nobody anything",
			"services depend on each other in a circle: %s", strings.Join(names, " -> "))
	}
}
