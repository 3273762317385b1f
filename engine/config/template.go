package config

import (
	"errors"
	"slices"
	"strings"
)

// maxUseDepth is how many templates may use each other, one inside the other.
const maxUseDepth = 16

// template is one that a file defines.
type template struct {
	name   string
	st     *Statement
	params []param
	body   []Statement
}

// param is a parameter of a template.
type param struct {
	name string
	// value is the default, if it is optional.
	value    string
	optional bool
	off      int // in the text of the template's line
}

// builtin are the parameters that are there in every template.
func builtin() []string { return []string{"watch", "host", "hosts"} }

// ofVirtual are those of a virtual service besides.
func ofVirtual() []string {
	return []string{"real", "port", "name", "virtual", "vip", "vport", "weight"}
}

// define reads "NAME [PARAM|PARAM=DEFAULT]...".
func (x *expander) define(st *Statement, body []Statement) {
	words, err := Words(st.Text)
	if q, ok := errors.AsType[*QuoteError](err); ok {
		x.diag.errorf(st, q.Off, "", "template: %v", err)
		return
	}
	if len(words) == 0 || words[0].Text == "" {
		return // the reader reported it
	}
	t := &template{name: words[0].Text, st: st, body: body}
	for _, w := range words[1:] {
		p := param{off: w.Off}
		p.name, p.value, p.optional = strings.Cut(w.Text, "=")
		switch {
		case !plainName(p.name):
			x.diag.errorf(st, w.Off, "parameters are of letters, digits and _, and do not begin with a digit", "invalid parameter %s", quote(p.name))
			continue
		case slices.Contains(builtin(), p.name):
			x.diag.errorf(st, w.Off, "choose another name", "$%s is there in every template", p.name)
			continue
		case t.param(p.name) != nil:
			x.diag.errorf(st, w.Off, "", "parameter %s is there twice", p.name)
			continue
		}
		t.params = append(t.params, p)
	}
	if old := x.templates[t.name]; old != nil {
		x.diag.errorf(st, 0, "", "template %s is defined at %s already", t.name, old.st.Pos)
		return
	}
	x.templates[t.name] = t
}

func (t *template) param(name string) *param {
	for i := range t.params {
		if t.params[i].name == name {
			return &t.params[i]
		}
	}
	return nil
}

func (t *template) names() []string {
	var names []string
	for _, p := range t.params {
		names = append(names, p.name)
	}
	return names
}

// scope is what the parameters of a block stand for. That of a watch of several
// hostgroups has no template.
type scope struct {
	x        *expander
	watch    string
	template *template
	values   map[string]string
	from     *Origin
	// later is set in a template that a virtual service uses: what stands for
	// something there is replaced when the template is in.
	later bool
	// each is set for the lines of a check, once for each real server.
	each bool
	// of is the virtual service, all its hosts, if this is one; missing says
	// why there is no value of a name.
	of      string
	all     []string
	missing map[string]string
	// up is the one of the template that uses this one, depth how many there
	// are.
	up    *scope
	depth int
}

// bind finds the template that st uses and gives its parameters their values;
// in is where st stands, nil for the lines of the record itself, which b builds.
func (x *expander) bind(st *Statement, in *scope, b *builder) (*scope, bool) {
	words, err := Words(st.Text)
	if q, ok := errors.AsType[*QuoteError](err); ok {
		x.diag.errorf(st, q.Off, quoteHint, "use: %v", err)
		return nil, false
	}
	if len(words) == 0 || words[0].Text == "" {
		x.diag.errorf(st, -1, "write use NAME", "use without the name of a template")
		return nil, false
	}
	t := x.templates[words[0].Text]
	if t == nil {
		x.diag.errorf(st, 0, didYouMean(words[0].Text, x.names()), "there is no template %s", quote(words[0].Text))
		return nil, false
	}
	next := &scope{x: x, watch: b.name, template: t, values: map[string]string{}, from: &Origin{Template: t.name, Pos: st.Pos}, up: in, depth: 1, later: b.pool != nil}
	if in != nil {
		next.depth = in.depth + 1
	}
	if !next.sane(st) {
		return nil, false
	}
	good := next.arguments(st, words[1:])
	return next, next.defaults(st) && good
}

func (x *expander) names() []string {
	var names []string
	if len(x.diag.kept) > maxHints {
		return nil
	}
	for name := range x.templates {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// sane refuses a template that uses itself, or too many inside each other.
func (s *scope) sane(st *Statement) bool {
	chain := []string{s.template.name}
	loops := false
	for up := s.up; up != nil && up.template != nil; up = up.up {
		chain = append(chain, up.template.name)
		if loops = up.template == s.template; loops {
			break
		}
	}
	slices.Reverse(chain)
	switch {
	case loops:
		s.x.diag.errorf(st, 0, "", "template %s uses itself: %s", s.template.name, strings.Join(chain, " -> "))
	case s.depth > maxUseDepth:
		s.x.diag.errorf(st, 0, "", "more than %d templates inside each other: %s", maxUseDepth, strings.Join(chain, " -> "))
	default:
		return true
	}
	return false
}

// arguments reads the values that a use gives.
func (s *scope) arguments(st *Statement, words []Word) bool {
	good := true
	fail := func(w Word, hint, format string, args ...any) {
		s.x.diag.errorf(st, w.Off, hint, format, args...)
		good = false
	}
	for _, w := range words {
		name, value, ok := strings.Cut(w.Text, "=")
		_, twice := s.values[name]
		switch {
		case !ok:
			fail(w, "write PARAM=VALUE, without blanks", "%s is no value of a parameter", quote(w.Text))
		case s.template.param(name) == nil:
			fail(w, s.paramHint(name), "template %s has no parameter %s", s.template.name, quote(name))
		case twice:
			fail(w, "", "parameter %s is given twice", name)
		default:
			s.values[name] = value
		}
	}
	return good
}

func (s *scope) paramHint(name string) string {
	names := s.template.names()
	hint := didYouMean(name, names)
	switch {
	case hint != "":
		return hint
	case len(names) == 0:
		return "it has none"
	}
	return "it has " + strings.Join(names, ", ")
}

// defaults fills in what a use leaves out. A default may name the parameters
// before it.
func (s *scope) defaults(st *Statement) bool {
	var missing []string
	for _, p := range s.template.params {
		if _, given := s.values[p.name]; given {
			continue
		}
		if !p.optional {
			missing = append(missing, p.name)
			continue
		}
		line := *s.template.st
		line.Pos.From = s.from
		value, ok := s.text(&line, p.value, p.off, false)
		if !ok {
			return false
		}
		s.values[p.name] = value
	}
	if missing != nil {
		s.x.diag.errorf(st, -1, "write "+missing[0]+"=VALUE behind it", "template %s wants %s", s.template.name, strings.Join(missing, ", "))
	}
	return missing == nil
}
