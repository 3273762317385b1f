package toml

import (
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml/tree"
)

// root reads the whole document: variables first, since TOML has no order
// between them and what stands in tables, then the records.
func (r *reader) root() {
	r.outside = true
	r.comments(r.doc.Head)
	if len(r.doc.Head) > 0 {
		r.blank()
	}
	var records []*tree.Node
	for _, n := range r.doc.Root.List {
		if last := len(r.f.Statements) - 1; n.Apart && last >= 0 && n.Kind != tree.Table && r.f.Statements[last].Kind != config.KindBlank {
			r.blank()
		}
		top, variable := r.words.find(config.ScopeTop, n.Key), r.words.find(config.ScopeGlobal, n.Key)
		switch {
		case n.Key == "syntax":
			r.errorf(n.KeyOff, "remove it", "syntax is for a mon.cf: a TOML file has templates and comments anyway")
		case top != nil && top.Form == config.FormRecord:
			records = append(records, n)
		case top != nil:
			r.directive(top, config.KindInclude, n)
		case variable != nil:
			r.directive(variable, config.KindGlobal, n)
		default:
			r.unknown(n, "", append(r.words.names(config.ScopeGlobal), r.words.names(config.ScopeTop)...))
		}
	}
	for _, n := range records {
		r.records(n)
	}
	if below := r.doc.Root.Below; len(below) > 0 {
		if len(r.f.Statements) > 0 {
			r.blank()
		}
		r.comments(below)
	}
}

// records reads a table of hostgroups, watches, views, aliases or templates.
func (r *reader) records(n *tree.Node) {
	if n.Kind != tree.Table {
		r.errorf(n.Off, "write ["+n.Key+"...]", "%s is a table, not %s", n.Key, n.Kind)
		return
	}
	members := func(e *tree.Node) { r.members(n.Key, e) }
	read := map[string]func(*tree.Node){
		"hostgroup": members, "view": members, "alias": r.alias, "watch": r.watch, "template": r.templateOf, "virtual": r.virtual,
	}[n.Key]
	for i, e := range n.List {
		if len(r.f.Statements) > 0 {
			r.blank()
		}
		if i == 0 {
			r.heading(n)
		}
		r.comments(e.Above)
		r.outside = false
		read(e)
		r.outside = true
	}
	if len(n.List) == 0 {
		r.heading(n)
	}
	r.comments(n.Below)
}

// heading adds the comments of a table that is no line of a mon.cf.
func (r *reader) heading(n *tree.Node) {
	r.comments(n.Above)
	if n.Beside != "" {
		r.comments([]string{n.Beside})
	}
}

// named begins a record; the key of n is its name, or names.
func (r *reader) named(word string, n *tree.Node) line {
	l := newLine(config.KindTop, word, n.KeyOff)
	for _, name := range config.Fields(n.Key) {
		r.checkName(word, name.Text, n)
		l.gap(" ")
		l.add(name.Text, n.KeyOff, n.KeyOff+1)
	}
	if n.Key == "" || strings.Trim(n.Key, blanks) != n.Key || word != "watch" && strings.ContainsAny(n.Key, blanks) {
		r.errorf(n.KeyOff, nameHint, "invalid name %s", quote(n.Key))
		l.kind = config.KindBad
	}
	return l
}

// begin begins a record that is a table, and reports whether it is one.
func (r *reader) begin(word string, n *tree.Node) bool {
	l := r.named(word, n)
	if n.Kind != tree.Table {
		r.errorf(n.Off, "write ["+word+"."+tree.Key(n.Key)+"]", "%s %s is a table, not %s", word, n.Key, n.Kind)
		return false
	}
	r.put(&l, n.Beside)
	return true
}

const nameHint = "names are of letters, digits and . _ -"

func (r *reader) checkName(word, name string, n *tree.Node) {
	if !config.IsName(name) && !(r.template && strings.Contains(name, "$")) {
		r.errorf(n.KeyOff, nameHint, "invalid name %s for a %s", quote(name), word)
	}
}

// members reads NAME = [member, ...] of a hostgroup or view. Each line of the
// list is one of the record.
func (r *reader) members(word string, n *tree.Node) {
	k := config.Keyword{Name: word + " " + n.Key, Form: config.FormWords}
	l := r.named(word, n)
	switch {
	case n.Kind == tree.Table:
		r.errorf(n.Off, dotHint, "%s %s is a list of strings, not a table", word, n.Key)
		return
	case n.Kind == tree.String:
		l.gap(" ")
		l.value(n, false)
	case n.Kind != tree.Array:
		r.wrong(&k, n)
		return
	}
	r.rows(&k, n, l, func(e *tree.Node) line { return newLine(config.KindMember, "", e.Off) })
}

const dotHint = `a name with dots stands in quotes: "www1.example.com"`

// alias reads text of one or more lines.
func (r *reader) alias(n *tree.Node) {
	l := r.named("alias", n)
	r.put(&l, n.Beside)
	switch n.Kind {
	case tree.String:
		r.aliasLines(n)
	case tree.Array:
		for _, e := range n.List {
			r.comments(e.Above)
			if e.Kind != tree.String {
				r.errorf(e.Off, "write it in quotes", "lines of alias %s are strings, not %s", n.Key, e.Kind)
				continue
			}
			r.aliasLines(e)
			r.beside(e.Beside)
		}
		r.comments(n.Below)
	default:
		r.errorf(n.Off, `write NAME = "text"`, "alias %s is text, not %s", n.Key, n.Kind)
	}
}

// aliasLines makes a statement of each line.
func (r *reader) aliasLines(n *tree.Node) {
	text := strings.TrimRight(n.Text, blanks)
	if text == "" {
		return
	}
	from := 0
	for row := range strings.SplitAfterSeq(text, "\n") {
		body := strings.TrimLeft(row, blanks)
		skip := from + len(row) - len(body)
		body = strings.TrimRight(body, blanks)
		l := newLine(config.KindMember, "", place(n, skip))
		l.end = max(l.end, l.off+1)
		l.spots = append(l.spots, spot{0, l.off, false})
		l.write(body)
		r.put(&l, "")
		from += len(row)
	}
}

// place is where the byte at i of a string stands.
func place(n *tree.Node, i int) int {
	parts := n.Parts()
	at, found := slices.BinarySearchFunc(parts, i, func(p tree.Part, i int) int { return p.At - i })
	if !found {
		at--
	}
	return min(parts[at].Off+i-parts[at].At, n.End-1)
}

// watch reads the services of a hostgroup, or of several.
func (r *reader) watch(n *tree.Node) {
	if !r.begin("watch", n) {
		return
	}
	defer r.uses(n)()
	for _, e := range n.List {
		switch e.Key {
		case "use":
		case "service":
			r.services(e)
		default:
			r.unknown(e, "watch "+n.Key, []string{"use", "service"})
		}
	}
	r.comments(n.Below)
}

// uses reads the templates of a watch, service, period or template: they come
// first, so that what stands beside them counts. What it returns is to be
// called at the end of that place.
func (r *reader) uses(n *tree.Node) (end func()) {
	before := r.used
	if u := n.Get("use"); u != nil {
		r.used = true
		r.directive(r.words.find(config.ScopeService, "use"), config.KindUse, u)
	}
	return func() { r.used = before }
}

func (r *reader) services(n *tree.Node) {
	if n.Kind != tree.Table {
		r.errorf(n.Off, "write [watch.NAME.service.NAME]", "service is a table of services, not %s", n.Kind)
		l := newLine(config.KindBad, "service", n.KeyOff)
		r.put(&l, n.Beside)
		return
	}
	r.heading(n)
	for _, e := range n.List {
		r.comments(e.Above)
		l := newLine(config.KindService, "service", e.KeyOff)
		l.add(e.Key, e.KeyOff, e.KeyOff+1)
		r.checkName("service", e.Key, e)
		if e.Kind != tree.Table {
			r.errorf(e.Off, "write [watch.NAME.service."+tree.Key(e.Key)+"]", "service %s is a table, not %s", e.Key, e.Kind)
			l.kind = config.KindBad
			r.put(&l, e.Beside)
			continue
		}
		r.put(&l, e.Beside)
		end := r.uses(e)
		r.inService = true
		r.body(e, "service "+e.Key, "use", "env", "period")
		r.inService = false
		end()
		r.comments(e.Below)
	}
	r.comments(n.Below)
}

// body reads what stands in a service, but for the templates it uses.
func (r *reader) body(n *tree.Node, where string, also ...string) {
	for _, e := range n.List {
		k, kind := r.inBody(e.Key)
		switch {
		case e.Key == "env":
			r.env(e)
		case slices.Contains(also, e.Key):
		case k != nil && k.Form != config.FormRecord:
			r.directive(k, kind, e)
		default:
			r.unknown(e, where, append(r.words.names(config.ScopeService), also...))
		}
	}
	if p := n.Get("period"); p != nil {
		r.periods(p)
	}
}

// env reads the variables of a service.
func (r *reader) env(n *tree.Node) {
	if n.Kind != tree.Table {
		r.errorf(n.Off, `write env = { NAME = "value" }`, "env is a table of variables, not %s", n.Kind)
		return
	}
	r.comments(n.Above)
	for _, e := range n.List {
		r.comments(e.Above)
		switch {
		case !config.IsVariable(e.Key):
			r.errorf(e.KeyOff, "a variable is of capitals, digits and _, and begins with no digit", "invalid name %s for a variable", quote(e.Key))
			continue
		case e.Kind != tree.String:
			r.errorf(e.Off, "write it in quotes", "variable %s is a string, not %s", e.Key, e.Kind)
			continue
		}
		l := newLine(config.KindEnv, e.Key, e.KeyOff)
		l.exact(e, 0, e.Text)
		r.put(&l, e.Beside)
	}
	r.beside(n.Beside)
	r.comments(n.Below)
}

// periods reads the periods of a service: tables, or a single one.
func (r *reader) periods(n *tree.Node) {
	all := n.List
	if n.Kind == tree.Table {
		all = []*tree.Node{n}
	} else {
		r.heading(n)
	}
	if n.Kind != tree.Table && n.Kind != tree.Array {
		r.errorf(n.Off, "write [[....period]]", "period is a list of tables, not %s", n.Kind)
		return
	}
	for _, p := range all {
		if p.Kind != tree.Table {
			r.errorf(p.Off, `write { when = "wd {Mon-Fri}" }`, "a period is a table, not %s", p.Kind)
			continue
		}
		r.comments(p.Above)
		r.period(p)
	}
	if n.Kind == tree.Array {
		r.comments(n.Below)
	}
}

// period reads one.
func (r *reader) period(n *tree.Node) {
	l := newLine(config.KindService, "period", n.Off)
	name, when := n.Get("name"), n.Get("when")
	for _, e := range []*tree.Node{name, when} {
		if e == nil {
			continue
		}
		r.comments(e.Above)
		if e.Kind != tree.String {
			r.errorf(e.Off, "write it in quotes", "%s of a period is a string, not %s", e.Key, e.Kind)
		}
	}
	r.label(&l, name, when)
	r.put(&l, n.Beside)
	for _, e := range []*tree.Node{name, when} {
		if e != nil {
			r.beside(e.Beside)
		}
	}
	defer r.uses(n)()
	for _, e := range n.List {
		k := r.words.find(config.ScopePeriod, e.Key)
		switch {
		case e == name || e == when || e.Key == "use":
		case k != nil:
			r.directive(k, config.KindPeriod, e)
		default:
			r.unknown(e, "period", append(r.words.names(config.ScopePeriod), "name", "when", "use"))
		}
	}
	r.comments(n.Below)
}

// label writes what a mon.cf has behind the word period.
func (r *reader) label(l *line, name, when *tree.Node) {
	if name != nil && name.Kind == tree.String {
		label, rest, _ := config.CutLabel(name.Text + ":")
		if !(label == name.Text && rest == "") && !(r.template && strings.Contains(name.Text, "$")) {
			r.errorf(name.Off, "a name is of letters, digits and _, and begins with no digit", "invalid name %s for a period", quote(name.Text))
		} else {
			l.exact(name, 0, name.Text)
			l.add(":", name.Off, name.End)
		}
	}
	if when == nil || when.Kind != tree.String {
		return
	}
	if label, _, _ := config.CutLabel(strings.Trim(when.Text, blanks)); label != "" {
		r.errorf(when.Off, "write name = "+tree.Quote(label), "a label in when")
	}
	l.gap(" ")
	l.value(when, false)
}

// templateOf reads a template.
func (r *reader) templateOf(n *tree.Node) {
	if n.Kind != tree.Table {
		r.errorf(n.Off, "write [template."+tree.Key(n.Key)+"]", "template %s is a table, not %s", n.Key, n.Kind)
		return
	}
	l := r.named("template", n)
	if p := n.Get("params"); p != nil {
		r.params(&l, p)
	}
	r.put(&l, n.Beside)
	r.template = true
	defer func() { r.template = false }()
	defer r.uses(n)()
	r.body(n, "template "+n.Key, "params", "use", "env", "period", "service", "check")
	if s := n.Get("service"); s != nil {
		r.services(s)
	}
	if c := n.Get("check"); c != nil {
		r.checks(c)
	}
	r.comments(n.Below)
}

// params are the parameters of a template: NAME or NAME=DEFAULT.
func (r *reader) params(l *line, n *tree.Node) {
	k := config.Keyword{Name: "params", Form: config.FormQuoted}
	if n.Kind != tree.Array {
		r.wrong(&k, n)
		return
	}
	r.comments(n.Above)
	for _, e := range n.List {
		r.comments(e.Above)
		if e.Kind != tree.String {
			r.wrong(&k, e)
			continue
		}
		l.word(e)
		if e.Beside != "" {
			r.comments([]string{e.Beside})
		}
	}
	if n.Beside != "" {
		r.comments([]string{n.Beside})
	}
	r.comments(n.Below)
}

// unknown reports a key that does not belong where it stands.
func (r *reader) unknown(n *tree.Node, where string, known []string) {
	hint := config.DidYouMean(n.Key, known)
	service, per := r.words.find(config.ScopeService, n.Key), r.words.find(config.ScopePeriod, n.Key)
	virtual := r.words.find(config.ScopeVirtual, n.Key)
	switch {
	case where == "period" && service != nil:
		hint = "it belongs to the service: write it above the first [[...period]]"
	case per != nil:
		hint = "it belongs to a period: write it below [[watch.NAME.service.NAME.period]]"
	case strings.HasPrefix(where, "check") && virtual != nil:
		hint = "it belongs to the virtual service: write it below [virtual.NAME]"
	case r.words.find(config.ScopeCheck, n.Key) != nil:
		hint = "it belongs to a check: write it below [virtual.NAME.check.NAME]"
	case service != nil || n.Key == "env":
		hint = "it belongs to a service: write it below [watch.NAME.service.NAME]"
	case where != "" && r.words.find(config.ScopeTop, n.Key) != nil:
		hint = "it stands at the top of the file: [" + n.Key + "...]"
	case where != "" && r.words.find(config.ScopeGlobal, n.Key) != nil:
		hint = "a variable of the whole file stands above the first [table]"
	case hint == "" && virtual != nil:
		hint = "it belongs to a virtual service: write it below [virtual.NAME]"
	case hint == "" && config.IsVariable(n.Key):
		hint = `a variable of a service stands in its env: env = { ` + n.Key + ` = "value" }`
	case hint == "" && n.Kind == tree.Table && strings.HasPrefix(where, "watch "):
		hint = dotHint
	}
	if where != "" {
		where = " in " + where
	}
	r.errorf(n.KeyOff, hint, "unknown key %s%s", quote(n.Key), where)
}
