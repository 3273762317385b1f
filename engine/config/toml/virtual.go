package toml

import (
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml/tree"
)

// virtual reads a virtual service: its pool, then its checks.
func (r *reader) virtual(n *tree.Node) {
	if !r.begin("virtual", n) {
		return
	}
	defer r.uses(n)()
	for _, e := range n.List {
		k, service := r.words.find(config.ScopeVirtual, e.Key), r.words.find(config.ScopeService, e.Key)
		switch {
		case e.Key == "use" || e.Key == "period" || e.Key == "check":
		case e.Key == "env":
			r.env(e)
		case k != nil:
			r.directive(k, config.KindVirtual, e)
		case service != nil && service.Form != config.FormRecord:
			r.directive(service, config.KindService, e)
		default:
			r.unknown(e, "virtual "+n.Key, append(r.words.names(config.ScopeVirtual), "use", "env", "period", "description"))
		}
	}
	if p := n.Get("period"); p != nil {
		r.periods(p)
	}
	if c := n.Get("check"); c != nil {
		r.checks(c)
	}
	r.comments(n.Below)
}

// checks reads the checks of a virtual service, or of a template: tables by
// name, or a list of tables, in which a check may do without one.
func (r *reader) checks(n *tree.Node) {
	const hint = "write [virtual.NAME.check.NAME], or [[virtual.NAME.check]]"
	if n.Kind != tree.Table && n.Kind != tree.Array {
		r.errorf(n.Off, hint, "check is a table of checks, not %s", n.Kind)
		l := newLine(config.KindBad, "check", n.KeyOff)
		r.put(&l, n.Beside)
		return
	}
	r.heading(n)
	for _, e := range n.List {
		r.comments(e.Above)
		off := e.KeyOff
		if n.Kind == tree.Array {
			off = e.Off
		}
		l := newLine(config.KindService, "check", off)
		if e.Kind != tree.Table {
			r.errorf(e.Off, hint, "a check is a table, not %s", e.Kind)
			l.kind = config.KindBad
			r.put(&l, e.Beside)
			continue
		}
		if n.Kind == tree.Table {
			l.add(e.Key, off, off+1)
			r.checkKey(e.Key, off)
			r.put(&l, e.Beside)
			r.check(e, "check "+e.Key)
			continue
		}
		r.check(e, r.listed(&l, e), "name")
	}
	r.comments(n.Below)
}

// listed begins a check of a list, and says what it is.
func (r *reader) listed(l *line, n *tree.Node) (where string) {
	name := n.Get("name")
	switch {
	case name == nil:
		r.put(l, n.Beside)
		return "check"
	case name.Kind != tree.String:
		r.errorf(name.Off, "write it in quotes", "name of a check is a string, not %s", name.Kind)
	default:
		r.checkKey(name.Text, name.Off)
		l.exact(name, 0, name.Text)
	}
	r.comments(name.Above)
	r.put(l, n.Beside)
	r.beside(name.Beside)
	return "check " + name.Text
}

// checkKey reports what is no name of a check; it may hold parameters.
func (r *reader) checkKey(name string, off int) {
	if !config.IsName(name) && (!strings.Contains(name, "$") || strings.ContainsAny(name, blanks)) {
		r.errorf(off, nameHint, "invalid name %s for a check", quote(name))
	}
}

// check reads what stands in one.
func (r *reader) check(n *tree.Node, where string, also ...string) {
	end := r.uses(n)
	r.inCheck = true
	r.body(n, where, append(also, "use", "env", "period")...)
	r.inCheck = false
	end()
	r.comments(n.Below)
}

// inBody is the directive of that name in a service, a check or a template.
func (r *reader) inBody(name string) (*config.Keyword, config.Kind) {
	if k := r.words.find(config.ScopeService, name); k != nil {
		return k, config.KindService
	}
	if k := r.words.find(config.ScopeCheck, name); k != nil && (r.inCheck || r.template) {
		return k, config.KindService
	}
	if !r.template || r.inCheck || r.inService {
		return nil, config.KindBad
	}
	if k := r.words.find(config.ScopePeriod, name); k != nil {
		return k, config.KindPeriod
	}
	return r.words.find(config.ScopeVirtual, name), config.KindVirtual
}
