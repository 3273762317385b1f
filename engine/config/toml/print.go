package toml

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mondhq/mond/engine/config/toml/tree"
)

// widest is how many columns a list may have on one line.
const widest = 100

// printer writes TOML.
type printer struct{ b bytes.Buffer }

// print is all that was gathered.
func (w *writer) print() []byte {
	p := &printer{}
	p.lines(w.head)
	if len(w.head) > 0 {
		p.gap()
	}
	inline := w.inlineGrant()
	for _, e := range w.globals {
		if e.gap {
			p.gap()
		}
		p.entry(e)
	}
	if inline != "" {
		p.line(inline)
	} else if len(w.grants) > 0 {
		p.list("grant", w.grants)
	}
	p.list("hostgroup", w.groups)
	p.list("view", w.views)
	for _, e := range w.aliases {
		e.alias()
	}
	p.list("alias", w.aliases)
	for _, t := range w.templates {
		if len(t.params) > 0 {
			t.keys = slices.Insert(t.keys, 0, &entry{key: "params", list: true, items: []item{{values: t.params}}})
		}
		p.record("template."+tree.Key(t.name), t)
	}
	for _, word := range []string{"watch", "virtual"} {
		for _, t := range w.watches {
			if t.word == word {
				p.record(word+"."+tree.Key(t.name), t)
			}
		}
	}
	if len(w.below) > 0 {
		p.gap()
		p.lines(w.below)
	}
	return bytes.TrimLeft(p.b.Bytes(), "\n")
}

// inlineGrant is the only grant on one line, if it has no comments.
func (w *writer) inlineGrant() string {
	if len(w.grants) != 1 || len(w.grants[0].items[0].above) > 0 {
		return ""
	}
	e := w.grants[0]
	line := "grant = { " + tree.Key(e.key) + " = [" + strings.Join(e.items[0].values, ", ") + "] }"
	if e.items[0].beside != "" {
		line += "  " + e.items[0].beside
	}
	return line
}

func (p *printer) line(s string) {
	p.b.WriteString(s)
	p.b.WriteByte('\n')
}

// lines writes comments.
func (p *printer) lines(comments []string) {
	for _, c := range comments {
		p.line(c)
	}
}

// gap writes an empty line, unless there is one.
func (p *printer) gap() {
	if b := p.b.Bytes(); len(b) > 0 && !bytes.HasSuffix(b, []byte("\n\n")) {
		p.line("")
	}
}

func behind(comment string) string {
	if comment == "" {
		return ""
	}
	return "  " + comment
}

// header writes [path] or [[path]] with its comments.
func (p *printer) header(path string, above []string, beside string) {
	p.gap()
	p.lines(above)
	p.line(path + behind(beside))
}

// list writes a table of entries that have names of their own.
func (p *printer) list(name string, entries []*entry) {
	if len(entries) == 0 {
		return
	}
	// What stands far above the first of them is about what follows.
	first := &entries[0].items[0]
	var above []string
	if i := lastGap(first.above); i > 0 {
		above, first.above = first.above[:i], first.above[i:]
	}
	p.header("["+name+"]", above, "")
	for i, e := range entries {
		if i > 0 && len(e.items[0].above) > 0 {
			p.gap()
		}
		p.entry(e)
	}
}

// lastGap is where the comments begin that stand directly above something.
func lastGap(comments []string) int {
	for i := len(comments) - 1; i >= 0; i-- {
		if comments[i] == "" {
			return i + 1
		}
	}
	return 0
}

// entry writes key = value, a list of several lines if it has any.
func (p *printer) entry(e *entry) {
	p.lines(e.items[0].above)
	key := tree.Key(e.key) + " = "
	if one, beside, ok := e.oneLine(key); ok {
		p.line(key + one + behind(beside))
		return
	}
	p.line(key + "[")
	for i, it := range e.items {
		if i > 0 {
			for _, c := range it.above {
				p.line(strings.TrimRight("    "+c, " "))
			}
		}
		p.row(it)
	}
	p.line("]")
}

// row writes the values of a line of a list, on more if they are too long.
func (p *printer) row(it item) {
	line := "   "
	for i, v := range it.values {
		if width := utf8.RuneCountInString(line) + utf8.RuneCountInString(v) + 2; i > 0 && width > widest {
			p.line(line)
			line = "   "
		}
		line += " " + v + ","
	}
	switch {
	case len(it.values) > 0:
		p.line(line + behind(it.beside))
	case it.beside != "":
		p.line("    " + it.beside)
	}
}

// oneLine is the value on one line, if it can stand on one.
func (e *entry) oneLine(key string) (value, beside string, ok bool) {
	if len(e.items) == 1 && len(e.items[0].values) == 1 && !e.list {
		return e.items[0].values[0], e.items[0].beside, true
	}
	var all []string
	for i, it := range e.items {
		if i > 0 && len(it.above) > 0 || it.beside != "" && len(e.items) > 1 {
			return "", "", false
		}
		all = append(all, it.values...)
	}
	value = "[" + strings.Join(all, ", ") + "]"
	return value, e.items[0].beside, len(all) < 2 || utf8.RuneCountInString(key+value) <= widest
}

// alias makes one string of the lines of an alias, or a list if there are
// comments between them.
func (e *entry) alias() {
	head, rows := e.items[0], e.items[1:]
	comments := false
	var text []string
	for i, it := range rows {
		comments = comments || len(it.above) > 0 || it.beside != ""
		text = append(text, it.values...)
		rows[i].values = []string{tree.Quote(it.values[0])}
	}
	switch {
	case comments:
		e.list = true
		e.items = append([]item{head}, rows...)
		return
	case len(text) == 1:
		head.values = []string{tree.Quote(text[0])}
	case len(text) == 0:
		head.values = []string{`""`}
	default:
		head.values = []string{tree.QuoteLines(strings.Join(text, "\n") + "\n")}
	}
	e.items = []item{head}
}

// record writes a watch, a virtual service or a template.
func (p *printer) record(path string, t *table) {
	t.services = slices.DeleteFunc(t.services, (*table).needless)
	if len(t.keys)+len(t.env)+len(t.above) > 0 || t.beside != "" || len(t.services)+len(t.periods) == 0 {
		p.header("["+path+"]", t.above, t.beside)
	}
	p.body(path, t)
	for _, s := range t.services {
		if s.word != "service" {
			continue
		}
		at := path + ".service." + tree.Key(s.name)
		p.header("["+at+"]", s.above, s.beside)
		p.body(at, s)
	}
	p.checks(path, t)
	p.below(t)
}

// body writes what a service has.
func (p *printer) body(path string, t *table) {
	slices.SortStableFunc(t.keys, func(a, b *entry) int { return first(a) - first(b) })
	for _, e := range t.keys {
		p.entry(e)
	}
	if line, ok := t.inlineEnv(); ok {
		p.line(line)
	} else if len(t.env) > 0 {
		p.header("["+path+".env]", nil, "")
		for _, e := range t.env {
			p.entry(e)
		}
	}
	for _, s := range t.periods {
		p.header("[["+path+".period]]", s.above, s.beside)
		slices.SortStableFunc(s.keys, func(a, b *entry) int { return first(a) - first(b) })
		for _, e := range s.keys {
			p.entry(e)
		}
		p.below(s)
	}
	if len(t.services) == 0 {
		p.below(t)
		t.below = nil
	}
}

// below writes the comments at the end of a table.
func (p *printer) below(t *table) {
	p.lines(t.below)
}

// first puts what TOML reads first in front: parameters and templates.
func first(e *entry) int {
	switch e.key {
	case "params":
		return 0
	case "name", "when":
		return 1
	case "use":
		return 2
	}
	return 3
}

// inlineEnv is env = { ... }, if it fits on a line and has no comments.
func (t *table) inlineEnv() (string, bool) {
	if len(t.env) == 0 {
		return "", false
	}
	var all []string
	for _, e := range t.env {
		if len(e.items[0].above) > 0 || e.items[0].beside != "" {
			return "", false
		}
		all = append(all, tree.Key(e.key)+" = "+e.items[0].values[0])
	}
	line := "env = { " + strings.Join(all, ", ") + " }"
	return line, utf8.RuneCountInString(line) <= widest
}
