package toml

import (
	"maps"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml/tree"
)

// Format writes f, which is not expanded, in TOML. Comments are kept, those on
// their own lines above what they stand above. The diagnostics are about what
// TOML cannot say, as errors, and what it says in another way, as warnings;
// with errors the text is not whole.
func Format(f *config.File) ([]byte, config.Diagnostics) {
	w := newWriter(f)
	for i := range f.Statements {
		w.statement(&f.Statements[i])
	}
	w.end()
	w.inherited()
	w.diag.Sort()
	return w.print(), w.diag
}

// table is a record, a service or a period while it is put together.
type table struct {
	// word is what it is: watch, virtual, template, service or check; empty
	// for a period.
	word   string
	name   string
	st     *config.Statement
	above  []string
	beside string
	params []string
	// keys are key = value lines, env the variables of a service.
	keys, env         []*entry
	periods, services []*table
	below             []string
	// inherit are the variables that held above a service.
	inherit map[string]*config.Statement
	// brought is set for a service that a template opens: it has a table of
	// its own only for what is added to it.
	brought bool
}

// needless reports whether nothing was added to what a template brings.
func (t *table) needless() bool {
	return t.brought && len(t.keys)+len(t.env)+len(t.periods)+len(t.above)+len(t.below) == 0
}

func (t *table) entry(key string) *entry {
	for _, e := range t.keys {
		if e.key == key {
			return e
		}
	}
	return nil
}

func (t *table) service(name string) *table {
	i := slices.IndexFunc(t.services, func(s *table) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return t.services[i]
}

// entry is key = value.
type entry struct {
	key string
	st  *config.Statement
	gap bool // an empty line stands above
	// items are the elements of a list, as many as there were lines; what
	// stands beside each other in one has commas between.
	items []item
	list  bool // a list even of one
}

// item is a value, or several of them on one line.
type item struct {
	above  []string
	values []string
	beside string
}

// remarks are all comments of e.
func (e *entry) remarks() []string {
	var all []string
	for _, it := range e.items {
		all = append(all, it.above...)
		if it.beside != "" {
			all = append(all, it.beside)
		}
	}
	return all
}

// writer gathers statements in the order of TOML.
type writer struct {
	f     *config.File
	words words
	diag  config.Diagnostics
	said  [2]int

	head    []string
	pending []string // comments that wait for what they stand above
	gap     bool     // an empty line was read since the last statement
	begun   bool
	mond    bool // `syntax = mond` holds

	globals, grants, groups, views, aliases []*entry
	templates, watches                      []*table
	// lines of an alias that is being read.
	member *entry

	record, serviceAt, periodAt *table
	inherit                     map[string]*config.Statement
	bodies                      map[string][]string // service names that a template opens
	below                       []string
	// elsewhere are the variables that held where services may come from
	// templates or other files.
	elsewhere []map[string]*config.Statement
}

func newWriter(f *config.File) *writer {
	w := &writer{f: f, words: newWords(), mond: f.Mond, inherit: map[string]*config.Statement{}, bodies: map[string][]string{}}
	in := ""
	for i := range f.Statements {
		switch st := &f.Statements[i]; {
		case st.Kind == config.KindTop:
			in = ""
			if st.Name == "template" {
				in, _, _ = strings.Cut(st.Text, " ")
			}
		case in != "" && (st.Kind == config.KindService || st.Kind == config.KindPeriod || st.Kind == config.KindEnv || st.Kind == config.KindVirtual):
			if st.Kind == config.KindService && (st.Name == "service" || st.Name == "check") {
				w.bodies[in] = append(w.bodies[in], st.Text)
			} else if w.bodies[in] == nil {
				in = "" // it does not begin with a service
			}
		}
	}
	return w
}

func (w *writer) say(sev config.Severity, st *config.Statement, hint, message string) {
	if w.said[sev]++; w.said[sev] <= most {
		w.diag = append(w.diag, st.Diagnose(sev, -1, message, hint))
	}
}

func (w *writer) errorf(st *config.Statement, hint, message string) {
	w.say(config.Error, st, hint, message)
}

func (w *writer) warnf(st *config.Statement, hint, message string) {
	w.say(config.Warning, st, hint, message)
}

// take are the comments above st, with those inside it.
func (w *writer) take(st *config.Statement) (above []string, beside string) {
	above = append(w.pending, st.Inner...)
	w.pending, w.begun = nil, true
	for _, c := range append(slices.Clone(above), st.Comment) {
		w.valid(st, c)
	}
	return above, st.Comment
}

// valid reports text that TOML has no form for.
func (w *writer) valid(st *config.Statement, text string) {
	switch {
	case !tree.Valid(text):
		w.errorf(st, "make it UTF-8 first, such as by: iconv -f latin1 -t utf-8", "TOML is UTF-8, and this is not")
	case strings.HasPrefix(text, "#") && !tree.CommentOK(text):
		w.errorf(st, "remove it", "TOML allows no control characters in a comment")
	}
}

func (w *writer) statement(st *config.Statement) {
	switch st.Kind {
	case config.KindBlank:
		w.blank(st)
		return
	case config.KindComment:
		text := st.Text
		if !strings.HasPrefix(text, "#") {
			text = "# " + text
		}
		w.valid(st, text)
		w.pending = append(w.pending, text)
		return
	case config.KindBad:
		w.errorf(st, "correct it first", "this line is not understood")
	case config.KindGlobal:
		w.leave()
		w.global(st)
	case config.KindInclude:
		w.leave()
		w.include(st)
	case config.KindTop:
		w.leave()
		w.top(st)
	case config.KindMember:
		w.memberLine(st)
	case config.KindService, config.KindPeriod, config.KindEnv, config.KindUse, config.KindVirtual:
		if w.record != nil {
			w.inside(st)
		}
	}
	w.gap = false
}

// blank ends a record. Comments above it stay at the end of the record.
func (w *writer) blank(st *config.Statement) {
	w.pending = append(w.pending, st.Inner...)
	switch {
	case !w.begun && w.head == nil:
		w.head, w.pending = w.pending, nil
	case w.record != nil && len(w.pending) > 0:
		t := w.innermost()
		t.below, w.pending = append(t.below, w.pending...), nil
	case len(w.pending) > 0 && w.pending[len(w.pending)-1] != "":
		w.pending = append(w.pending, "")
	}
	w.gap = true
	w.leave()
}

func (w *writer) leave() { w.record, w.serviceAt, w.periodAt, w.member = nil, nil, nil, nil }

// innermost is the table that lines go to now.
func (w *writer) innermost() *table {
	switch {
	case w.periodAt != nil:
		return w.periodAt
	case w.serviceAt != nil:
		return w.serviceAt
	}
	return w.record
}

func (w *writer) end() {
	if w.record != nil && len(w.pending) > 0 {
		t := w.innermost()
		t.below, w.pending = append(t.below, w.pending...), nil
	}
	w.below = w.pending
}

// global takes name = value.
func (w *writer) global(st *config.Statement) {
	k := w.words.find(config.ScopeGlobal, st.Name)
	switch {
	case k == nil:
		return
	case st.Name == "syntax":
		w.mond = true
		w.pending = append(w.pending, st.Inner...)
		if st.Comment != "" {
			w.pending = append(w.pending, st.Comment)
		}
		return
	case k.Form == config.FormGrant:
		w.grant(st)
		return
	case w.words.forBelow(k):
		w.inherit[st.Name] = st // written at the end, when all services are known
	}
	w.set(&w.globals, k, st)
	w.globals[len(w.globals)-1].gap = w.gap
}

// set adds a value to the entry of k in keys, or replaces the one there.
func (w *writer) set(keys *[]*entry, k *config.Keyword, st *config.Statement) {
	above, beside := w.take(st)
	it := item{above: above, values: w.values(k, st), beside: beside}
	i := slices.IndexFunc(*keys, func(e *entry) bool { return e.key == st.Name })
	several := k.Repeat && k.Scope != config.ScopeGlobal
	if i >= 0 && several {
		(*keys)[i].items = append((*keys)[i].items, it)
		return
	}
	e := &entry{key: st.Name, st: st, items: []item{it}, list: k.Name == "use" || len(it.values) > 1}
	if i >= 0 {
		old := (*keys)[i]
		if !k.Repeat {
			w.warnf(old.st, "", st.Name+" is given again below, which is what counts: this line is left out")
		}
		e.items[0].above = append(old.remarks(), e.items[0].above...)
		*keys = slices.Delete(*keys, i, i+1)
	}
	*keys = append(*keys, e)
}

// grant takes a program and its capabilities; lines of one program add up.
func (w *writer) grant(st *config.Statement) {
	above, beside := w.take(st)
	words := config.Fields(strings.ReplaceAll(st.Text, ",", " "))
	if len(words) < 2 {
		w.errorf(st, "", "grant without a program and its capabilities")
		return
	}
	i := slices.IndexFunc(w.grants, func(e *entry) bool { return e.key == words[0].Text })
	if i < 0 {
		i = len(w.grants)
		w.grants = append(w.grants, &entry{key: words[0].Text, st: st, list: true, items: []item{{}}})
	}
	it := &w.grants[i].items[0]
	it.above = append(it.above, above...)
	if it.beside != "" && beside != "" {
		it.above = append(it.above, it.beside)
	}
	if beside != "" {
		it.beside = beside
	}
	for _, c := range words[1:] {
		if strings.EqualFold(c.Text, "none") {
			it.values = nil
			continue
		}
		it.values = append(it.values, tree.Quote(c.Text))
	}
}

// include takes the names of other files.
func (w *writer) include(st *config.Statement) {
	if len(w.watches)+len(w.groups) > 0 {
		w.warnf(st, "put the include lines on top", "in TOML the files that are included come before the hostgroups and watches of this one")
	}
	w.elsewhere = append(w.elsewhere, maps.Clone(w.inherit))
	is := func(e *entry) bool { return e.key == "include" }
	first := !slices.ContainsFunc(w.globals, is)
	w.set(&w.globals, w.words.find(config.ScopeTop, "include"), st)
	e := w.globals[slices.IndexFunc(w.globals, is)]
	e.list, e.gap = true, e.gap || first && w.gap
}

// top begins a record.
func (w *writer) top(st *config.Statement) {
	above, beside := w.take(st)
	name, rest, _ := strings.Cut(st.Text, " ")
	if st.Name == "watch" || st.Name == "template" || st.Name == "virtual" {
		w.begin(st, above, beside)
		return
	}
	lists := map[string]*[]*entry{"hostgroup": &w.groups, "view": &w.views, "alias": &w.aliases}
	list := lists[st.Name]
	if fields := config.Fields(st.Text); len(fields) > 0 {
		name, rest = fields[0].Text, st.Text[len(fields[0].Text):]
	}
	e := &entry{key: name, st: st, list: st.Name != "alias"}
	e.items = append(e.items, item{above: above, values: w.quotes(st, rest), beside: beside})
	if i := slices.IndexFunc(*list, func(o *entry) bool { return o.key == name }); i >= 0 {
		w.warnf((*list)[i].st, "", st.Name+" "+name+" is defined again below, which is what counts: this one is left out")
		e.items[0].above = append((*list)[i].remarks(), above...)
		(*list)[i] = e
	} else {
		*list = append(*list, e)
	}
	w.member = e
}

// quotes are the words of text as strings.
func (w *writer) quotes(st *config.Statement, text string) []string {
	var out []string
	for _, f := range config.Fields(text) {
		w.valid(st, f.Text)
		out = append(out, tree.Quote(f.Text))
	}
	return out
}

// memberLine takes a further line of a hostgroup, view or alias.
func (w *writer) memberLine(st *config.Statement) {
	if w.member == nil {
		return
	}
	above, beside := w.take(st)
	it := item{above: above, beside: beside}
	if w.member.list {
		it.values = w.quotes(st, st.Text)
	} else {
		w.valid(st, st.Text)
		it.values = []string{st.Text}
	}
	w.member.items = append(w.member.items, it)
}
