package toml

import (
	"maps"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml/tree"
)

// begin begins a watch, a virtual service or a template.
func (w *writer) begin(st *config.Statement, above []string, beside string) {
	t := &table{word: st.Name, st: st, above: above, beside: beside}
	if st.Name == "template" {
		words, _ := config.Words(st.Text)
		for i, p := range words {
			if i == 0 {
				t.name = p.Text
				continue
			}
			w.valid(st, p.Text)
			t.params = append(t.params, tree.Quote(p.Text))
		}
		w.templates = append(w.templates, t)
	} else {
		if st.Name == "virtual" {
			t.inherit = maps.Clone(w.inherit)
		}
		names := config.Fields(st.Text)
		if !w.mond && len(names) > 1 {
			w.warnf(st, "", "the words after the name of the watch are left out: they mean nothing")
			names = names[:1]
		}
		var all []string
		for _, n := range names {
			all = append(all, n.Text)
		}
		t.name = strings.Join(all, " ")
		w.watches = append(w.watches, t)
	}
	w.record = t
}

// inside takes a line of a watch or template.
func (w *writer) inside(st *config.Statement) {
	switch {
	case st.Kind == config.KindService && st.Name == "service":
		above, beside := w.take(st)
		w.serviceAt, w.periodAt = w.open(st, st.Text, above, beside), nil
	case st.Kind == config.KindService && st.Name == "check":
		w.check(st)
	case st.Kind == config.KindService && st.Name == "period":
		above, beside := w.take(st)
		w.period(st, above, beside)
	case st.Kind == config.KindUse:
		w.use(st)
	case st.Kind == config.KindEnv:
		w.env(st)
	default:
		t := w.innermost()
		switch {
		case st.Kind == config.KindPeriod:
		case st.Kind == config.KindVirtual || w.serviceAt == nil:
			t = w.record
		default:
			t = w.serviceAt
		}
		if k := w.word(st); k != nil {
			w.set(&t.keys, k, st)
		}
	}
}

// open is the service of that name in the record, a new one if there is none.
func (w *writer) open(st *config.Statement, name string, above []string, beside string) *table {
	if s := w.record.service(name); s != nil {
		s.above, s.brought = append(s.above, above...), s.brought && st.Kind == config.KindUse
		return s
	}
	w.valid(st, name)
	return w.add(st, name, above, beside)
}

// add begins a service or check.
func (w *writer) add(st *config.Statement, name string, above []string, beside string) *table {
	word := "service"
	if st.Name == "check" || w.record.word == "virtual" {
		word = "check"
	}
	s := &table{word: word, name: name, st: st, above: above, beside: beside, inherit: maps.Clone(w.inherit), brought: st.Kind == config.KindUse}
	w.record.services = append(w.record.services, s)
	return s
}

// period begins one.
func (w *writer) period(st *config.Statement, above []string, beside string) {
	p := &table{st: st, above: above, beside: beside}
	label, when, _ := config.CutLabel(st.Text)
	w.valid(st, st.Text)
	for _, part := range []struct{ key, text string }{{"name", label}, {"when", when}} {
		if part.text != "" {
			p.keys = append(p.keys, &entry{key: part.key, st: st, items: []item{{values: []string{tree.Quote(part.text)}}}})
		}
	}
	in := w.record
	if w.serviceAt != nil {
		in = w.serviceAt
	}
	in.periods = append(in.periods, p)
	w.periodAt = p
}

// use takes the name of a template. Where its lines begin services it stands in
// the watch, wherever it is.
func (w *writer) use(st *config.Statement) {
	name, _, _ := strings.Cut(st.Text, " ")
	opens := w.bodies[name]
	t := w.innermost()
	if len(opens) > 0 || w.serviceAt == nil && w.periodAt == nil {
		t = w.record
	}
	w.elsewhere = append(w.elsewhere, maps.Clone(w.inherit))
	w.set(&t.keys, w.words.find(config.ScopeService, "use"), st)
	if len(opens) > 0 {
		w.serviceAt, w.periodAt = nil, nil
		if last := opens[len(opens)-1]; config.IsName(last) {
			w.serviceAt = w.open(st, last, nil, "")
		}
	}
}

// env takes a variable of a service.
func (w *writer) env(st *config.Statement) {
	above, beside := w.take(st)
	w.valid(st, st.Text)
	t := w.record
	if w.serviceAt != nil {
		t = w.serviceAt
	}
	e := &entry{key: st.Name, st: st, items: []item{{above: above, values: []string{tree.Quote(st.Text)}, beside: beside}}}
	if i := slices.IndexFunc(t.env, func(o *entry) bool { return o.key == st.Name }); i >= 0 {
		w.warnf(t.env[i].st, "", st.Name+" is set again below, which is what counts: this line is left out")
		e.items[0].above = append(t.env[i].remarks(), above...)
		t.env = slices.Delete(t.env, i, i+1)
	}
	t.env = append(t.env, e)
}

// inherited writes the variables that hold for the services below them. TOML
// knows no below: if they do not hold for all services alike, each service gets
// its own.
func (w *writer) inherited() {
	for _, k := range w.words.all {
		if !w.words.forBelow(&k) {
			continue
		}
		last, alike := w.inherit[k.Name], true
		for _, t := range w.watches {
			for _, s := range t.inheriting() {
				alike = alike && sameValue(s.inherit[k.Name], last)
			}
		}
		for _, held := range w.elsewhere {
			alike = alike && sameValue(held[k.Name], last)
		}
		if alike {
			continue
		}
		w.globals = slices.DeleteFunc(w.globals, func(e *entry) bool { return e.key == k.Name })
		if len(w.elsewhere) > 0 {
			w.errorf(last, "write it into the services and templates", k.Name+" holds for the services below it, which templates or other files may bring: TOML has no such order")
			continue
		}
		w.perService(w.words.find(config.ScopeService, k.Name))
	}
}

// inheriting are the services of a record, and that of a pool.
func (t *table) inheriting() []*table {
	if t.word == "virtual" {
		return append([]*table{t}, t.services...)
	}
	return t.services
}

func sameValue(a, b *config.Statement) bool {
	return a == b || a != nil && b != nil && a.Text == b.Text
}

// perService gives each service what held above it.
func (w *writer) perService(k *config.Keyword) {
	told := map[*config.Statement]bool{}
	for _, t := range w.watches {
		for _, s := range t.inheriting() {
			st := s.inherit[k.Name]
			if st == nil || s.entry(k.Name) != nil {
				continue
			}
			if !told[st] {
				w.warnf(st, "", k.Name+" is written into each service below it, up to the next such line: TOML has no order of tables")
				told[st] = true
			}
			s.keys = append(s.keys, &entry{key: k.Name, st: st, items: []item{{values: w.values(k, st)}}})
		}
	}
}
