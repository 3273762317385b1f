package config

import (
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/depend"
	"github.com/mondhq/mond/engine/opstatus"
)

// dependLine is a line with an expression.
type dependLine struct {
	expr *depend.Expr
	st   *Statement
}

func (l *dependLine) value() *depend.Expr {
	if l == nil {
		return nil
	}
	return l.expr
}

func depends(field func(*draft) **dependLine) meaning {
	return func(r *resolver, st *Statement) {
		if r.empty(st) {
			return
		}
		e, err := depend.Parse(st.Text, r.svc.Key.Group)
		if err != nil {
			r.diag.errorf(st, 0, commentHint(st.Text, "services are named GROUP:SERVICE or SELF:SERVICE and joined by && or ||"), "%v", err)
			return
		}
		*field(r.svc) = &dependLine{e, st}
	}
}

// finishDepends says which expression holds back what. A depend line comes
// before the other of its kind.
func (r *resolver) finishDepends(d *draft) {
	dep := &d.Depend
	dep.Alert, dep.Monitor, dep.Host = d.alertDepend.value(), d.monitorDepend.value(), d.hostDepend.value()
	if d.depend != nil {
		dep.Depend = d.depend.expr
		switch dep.Behavior {
		case DependAlert:
			r.masked(d, d.alertDepend)
			dep.Alert = dep.Depend
		case DependMonitor:
			r.masked(d, d.monitorDepend)
			dep.Monitor = dep.Depend
		case DependHost:
			r.masked(d, d.hostDepend)
			dep.Host = dep.Depend
		}
	}
	for _, l := range []*dependLine{d.depend, d.alertDepend, d.monitorDepend, d.hostDepend} {
		r.unknownServices(d, l)
	}
}

// masked warns of a line that a depend line takes the place of.
func (r *resolver) masked(d *draft, l *dependLine) {
	if l != nil {
		r.diag.warnf(l.st, -1, "", "%s does not count beside depend with dep_behavior %s", l.st.Name, d.Depend.Behavior)
	}
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
func (r *resolver) unknownServices(d *draft, l *dependLine) {
	if l == nil {
		return
	}
	for _, key := range l.expr.Keys() {
		if r.byKey[key] != nil || key.Group == selfGroup {
			continue
		}
		hint := r.hint(key.String(), func() []string { return r.near(key) })
		if hint == "" {
			hint = "the expression would never be true"
		}
		r.diag.errorf(l.st, nameIn(l.st.Text, key, d.Key.Group), hint, "%s of %s names an unknown service %s", l.st.Name, d.Key, key)
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
	if i := strings.Index(text, key.String()); i >= 0 {
		return i
	}
	if key.Group == self {
		if i := strings.Index(text, "SELF:"+key.Service); i >= 0 {
			return i
		}
	}
	return 0
}

// findLoops reports services that wait for themselves. Only expressions of one
// kind follow each other, and those of hosts do not at all.
func (r *resolver) findLoops() {
	kinds := []struct {
		line func(*draft) *dependLine
	}{
		{func(d *draft) *dependLine { return effective(d, DependAlert, d.alertDepend) }},
		{func(d *draft) *dependLine { return effective(d, DependMonitor, d.monitorDepend) }},
	}
	for _, k := range kinds {
		f := loopFinder{r: r, line: k.line, state: map[*draft]int{}}
		for _, d := range r.drafts {
			f.visit(d)
		}
	}
}

// effective is the line that holds back what b says.
func effective(d *draft, b Behavior, other *dependLine) *dependLine {
	if d.depend != nil && d.Depend.Behavior == b {
		return d.depend
	}
	return other
}

// loopFinder walks the services along their dependencies.
type loopFinder struct {
	r    *resolver
	line func(*draft) *dependLine
	// state is 1 for a service that is on the path, 2 for one that is done.
	state map[*draft]int
	path  []*draft
}

func (f *loopFinder) visit(d *draft) {
	l := f.line(d)
	if l == nil || f.state[d] == 2 {
		return
	}
	if f.state[d] == 1 {
		f.report(d)
		return
	}
	f.state[d] = 1
	f.path = append(f.path, d)
	for _, key := range l.expr.Keys() {
		if next := f.r.byKey[key]; next != nil {
			f.visit(next)
		}
	}
	f.path = f.path[:len(f.path)-1]
	f.state[d] = 2
}

func (f *loopFinder) report(d *draft) {
	from := slices.Index(f.path, d)
	names := make([]string, 0, len(f.path)-from+1)
	for _, p := range f.path[from:] {
		names = append(names, p.Key.String())
	}
	names = append(names, d.Key.String())
	const most = 8
	if len(names) > most {
		names = append(names[:most-1], "...", d.Key.String())
	}
	l := f.line(d)
	f.r.diag.errorf(l.st, -1, "mon follows it to dep_recur_limit and then tells nobody anything", "services depend on each other in a loop: %s", strings.Join(names, " -> "))
}
