package toml

import (
	"slices"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml/tree"
)

// check begins one: in a virtual service, or in a template for one.
func (w *writer) check(st *config.Statement) {
	above, beside := w.take(st)
	w.valid(st, st.Text)
	if s := w.record.service(st.Text); s != nil && s.brought {
		s.above, s.brought = append(s.above, above...), false
		w.serviceAt, w.periodAt = s, nil
		return
	}
	w.serviceAt, w.periodAt = w.add(st, st.Text, above, beside), nil
}

// word is what a directive is called where it stands, nil if it has no row.
func (w *writer) word(st *config.Statement) *config.Keyword {
	switch st.Kind {
	case config.KindPeriod:
		return w.words.find(config.ScopePeriod, st.Name)
	case config.KindVirtual:
		return w.words.find(config.ScopeVirtual, st.Name)
	default:
	}
	if k := w.words.find(config.ScopeService, st.Name); k != nil {
		return k
	}
	return w.words.find(config.ScopeCheck, st.Name)
}

// checks writes those of a record: a table each, or a list of tables if one
// has no name, or not one of its own.
func (p *printer) checks(path string, t *table) {
	var checks []*table
	list := false
	for _, s := range t.services {
		if s.word != "check" {
			continue
		}
		list = list || s.name == "" || slices.ContainsFunc(checks, func(o *table) bool { return o.name == s.name })
		checks = append(checks, s)
	}
	for _, s := range checks {
		at := path + ".check"
		if !list {
			at += "." + tree.Key(s.name)
			p.header("["+at+"]", s.above, s.beside)
			p.body(at, s)
			continue
		}
		p.header("[["+at+"]]", s.above, s.beside)
		if s.name != "" {
			s.keys = slices.Insert(s.keys, 0, &entry{key: "name", st: s.st, items: []item{{values: []string{tree.Quote(s.name)}}}})
		}
		p.body(at, s)
	}
}
