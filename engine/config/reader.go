package config

import (
	"fmt"
	"strings"

	"github.com/mondhq/mond/plugins/spelling"
)

// Parse splits src into statements and says what each of them is. It reports
// what stands in the wrong place or is no directive at all; what a directive
// says is not looked at ([Resolve] does). The file that it returns is never
// nil and holds every byte of src, whatever the diagnostics.
func Parse(name string, src []byte) (*File, Diagnostics) {
	return parse(name, string(src), manner{})
}

// ParseMond is [Parse] for a file that is included: `syntax = mond` holds from
// its first line on.
func ParseMond(name string, src []byte) (*File, Diagnostics) {
	return parse(name, string(src), manner{mond: true})
}

// manner is how a text is read.
type manner struct {
	expanded bool // m4 made it
	mond     bool // `syntax = mond` holds from the first line on
}

func parse(name, src string, m manner) (*File, Diagnostics) {
	f := &File{Name: name, Expanded: m.expanded, Mond: m.mond, Paths: []string{name}}
	// Room for all statements, unless the lines are uncommonly short.
	f.Statements = make([]Statement, 0, min(strings.Count(src, "\n")+1, len(src)/16+1))
	r := reader{words: newIndex(m.mond), mond: m.mond}
	l := lexer{src: src, file: name, line: 1, sync: m.expanded, mond: m.mond}
	const mark = "\ufeff"
	if strings.HasPrefix(src, mark) {
		f.Statements = append(f.Statements, Statement{Kind: KindBlank, Pos: Pos{File: name, Line: 1, Col: 1}, Raw: mark})
		r.diag.warnf(&f.Statements[0], -1, "save the file as UTF-8 without one", "a byte order mark before the first line")
		l.off = len(mark)
	}
	for {
		line, ok := l.next()
		if !ok {
			return f, r.diag.done()
		}
		r.read(&line)
		l.mond = r.mond
		f.Statements = append(f.Statements, line.Statement)
	}
}

// record is what the lines of a file gather in.
type record uint8

const (
	outside record = iota
	inGroup
	inAlias
	inView
	inWatch
	inTemplate
	inVirtual
)

// records are the words that begin them.
func records() map[string]record {
	return map[string]record{"hostgroup": inGroup, "alias": inAlias, "view": inView, "watch": inWatch, "template": inTemplate, "virtual": inVirtual}
}

func (r record) String() string {
	return [...]string{"file", "hostgroup", "alias", "view", "watch", "template", "virtual"}[r]
}

// services reports whether services stand in r, or parts of them.
func (r record) services() bool { return r == inWatch || r == inTemplate || r == inVirtual }

// place is where in a file a line stands.
type place struct {
	record
	name            string
	service, period bool
	// open is set where a template decides what the next line belongs to: at
	// the begin of one, and after a use.
	open bool
	// several is set in a watch of several hostgroups.
	several bool
}

// reader tells what each statement is, from where it stands. The order of its
// tests is mon's, which recognises some lines anywhere and swallows others.
type reader struct {
	words index
	mond  bool // `syntax = mond` holds
	diag  collector
	in    place
	// before is the watch or template that the last blank line ended, if nothing else
	// began since.
	before place
	// told is set when lines that belong in a watch stand outside one and
	// the first of them was reported.
	told bool
}

func (r *reader) read(l *logical) {
	st := &l.Statement
	switch {
	case l.long:
		r.diag.errorf(st, -1, "", "a line of more than %d MB", maxLine>>20)
		return
	case st.Kind == KindComment:
		return
	case st.Kind == KindBlank:
		r.blank()
	default:
		text := st.Text
		r.statement(st)
		r.bytes(st, text)
	}
	if l.cut >= 0 {
		r.lost(l)
	}
}

// bytes reports what no directive may hold.
func (r *reader) bytes(st *Statement, line string) {
	if i := strings.IndexByte(line, 0); i >= 0 {
		r.diag.errorf(st, i-st.text, "", "a NUL byte")
	}
}

// lost reports a continuation that the end of the file cut off: mon drops the
// whole line.
func (r *reader) lost(l *logical) {
	off := -1
	if n := len(l.pieces); n > 0 {
		off = max(0, l.pieces[n-1].at+l.cut-l.pieces[n-1].raw-l.text)
	}
	r.diag.errorf(&l.Statement, off, "remove the backslash", "the file ends in a continued line")
}

func (r *reader) blank() {
	if r.in.services() {
		r.before = r.in
	}
	r.in, r.told = place{}, false
}

// set gives st its kind and splits it; off is where text begins in the line.
func (st *Statement) set(kind Kind, name, text string, off int) {
	st.Kind, st.Name, st.Text, st.text = kind, name, text, off
}

func (r *reader) statement(st *Statement) {
	word, rest, off := cutWord(st.Text)
	switch {
	case !r.in.services() && r.global(st):
	case word == "hostgroup":
		r.head(st, word, rest, off)
	case r.in.record == inGroup && !r.swallowed(st, word, rest):
		st.Kind = KindMember
	case word == "alias":
		r.head(st, word, rest, off)
	case r.in.record == inAlias && !r.swallowed(st, word, rest):
		st.Kind = KindMember
	case word == "view":
		r.head(st, word, rest, off)
	case r.in.record == inView && !r.swallowed(st, word, rest):
		st.Kind = KindMember
	case word == "watch":
		r.head(st, word, rest, off)
	case (word == "template" || word == "virtual") && r.mond:
		r.head(st, word, rest, off)
	case r.in.record == inVirtual:
		r.virtualLine(st, word, rest, off)
	case r.in.services():
		r.watchLine(st, word, rest, off)
	case word == "include" && r.mond:
		r.include(st, word, rest, off)
	default:
		r.stray(st, word, rest, off)
	}
}

// global reads "name = value", and reports whether st is that.
func (r *reader) global(st *Statement) bool {
	i := 0
	for i < len(st.Text) && wordByte(st.Text[i]) {
		i++
	}
	name := st.Text[:i]
	rest := strings.TrimLeft(st.Text[i:], blanks)
	if name == "" || !strings.HasPrefix(rest, "=") {
		return false
	}
	value := strings.TrimLeft(rest[1:], blanks)
	line := st.Text
	st.set(KindGlobal, name, value, len(line)-len(value))
	if name == "syntax" {
		r.syntax(st)
	}
	if r.words.find(ScopeGlobal, name) == nil {
		st.Kind = KindBad
		r.diag.errorf(st, -1, r.globalHint(name), "unknown variable %s", quote(name))
	}
	return true
}

// syntax turns the syntax of mond on.
func (r *reader) syntax(st *Statement) {
	if st.Text == mond && !r.mond {
		r.mond, r.words = true, newIndex(true)
	}
}

func (r *reader) globalHint(name string) string {
	switch hint := didYouMean(name, r.words.names(ScopeGlobal)); {
	case hint != "":
		return hint
	case r.before.services() && strings.ToUpper(name) == name:
		return "the blank line above ended " + r.before.record.String() + " " + r.before.name + "; a variable of a service stands inside it"
	}
	return "a variable of a service stands inside it; mon.cf(5) lists the others"
}

// head begins a record.
func (r *reader) head(st *Statement, word, rest string, off int) {
	st.set(KindTop, word, rest, off)
	name, more := cutName(rest)
	kind := records()[word]
	r.in, r.before, r.told = place{record: kind, name: name, open: kind == inTemplate}, place{}, false
	members := strings.TrimLeft(more, blanks)
	at := len(rest) - len(members)
	switch {
	case rest == "":
		r.diag.errorf(st, -1, "", "%s without a name", word)
	case name == "" || more != "" && !isBlank(more[0]):
		r.diag.errorf(st, len(name), "names are of letters, digits and . _ -", "invalid name %s", quote(firstWord(rest)))
	case kind == inAlias && members != "":
		r.diag.errorf(st, at, "the text of an alias begins on the next line", "words after the name of alias %s", name)
	case kind == inView && members == "":
		r.diag.errorf(st, -1, "name the first member on the same line", "view %s without members", name)
	case kind == inVirtual && members != "":
		r.diag.errorf(st, at, commentHint(members, "each directive stands on a line of its own"), "words after the name of virtual %s", name)
	case kind == inWatch && r.mond:
		r.groups(st, members, at)
	case kind == inWatch && members != "":
		r.diag.warnf(st, at, commentHint(members, "below a line syntax = mond they are more hostgroups"), "words after the name of watch %s are ignored", name)
	}
}

// groups checks the further hostgroups of a watch.
func (r *reader) groups(st *Statement, members string, at int) {
	for _, w := range fields(members) {
		r.in.several = true
		if name, more := cutName(w.Text); more != "" {
			r.diag.errorf(st, at+w.Off+len(name), "names are of letters, digits and . _ -", "invalid name %s", quote(w.Text))
		}
	}
}

// include reads a line outside of any record.
func (r *reader) include(st *Statement, word, rest string, off int) {
	st.set(KindInclude, word, rest, off)
	r.before, r.told = place{}, false
	if rest == "" {
		r.bad(st, -1, "", "include without a file")
	}
}

// bad reports an error and marks st as not understood.
func (r *reader) bad(st *Statement, off int, hint, format string, args ...any) {
	st.Kind = KindBad
	r.diag.errorf(st, off, hint, format, args...)
}

// swallowed reports a line that mon would take for a member of the open
// record, though it surely begins something else: a blank line was lost. The
// record is closed, so that what follows is read as it was meant.
func (r *reader) swallowed(st *Statement, word, rest string) bool {
	if rest == "" {
		return false
	}
	in := r.in
	name, more := cutName(rest)
	record := word == "watch" || word == "alias" || word == "view" || r.mond && (word == "template" || word == "include" || word == "virtual")
	switch {
	case in.record == inAlias && (word != "watch" || name == "" || more != ""):
		return false // an alias is free text, and "watch G service S" means something in it
	case !record && !r.words.inner(word):
		return false
	}
	r.diag.errorf(st, -1, fmt.Sprintf("put a blank line before it: up to the next one every line belongs to the %s", in.record),
		"this line would be part of %s %s", in.record, in.name)
	r.in, r.told = place{}, !record
	return true
}

// stray handles a line outside of any record.
func (r *reader) stray(st *Statement, word, rest string, off int) {
	inner := r.words.inner(word) || r.words.ofVirtual(word) && r.before.record == inVirtual
	if inner && r.before.services() {
		r.diag.errorf(st, -1, fmt.Sprintf("remove the blank line: a %s ends at the first one", r.before.record),
			"%s outside a %s: the blank line above ended %s %s", word, r.before.record, r.before.record, r.before.name)
		if r.in = r.before; r.in.record == inVirtual {
			r.virtualLine(st, word, rest, off)
		} else {
			r.watchLine(st, word, rest, off)
		}
		if st.Kind == KindUse {
			st.Kind = KindBad
		}
		return
	}
	if word == "virtual" {
		r.diag.errorf(st, -1, mondHint, "unknown directive %s", quote(word))
		r.mond, r.words = true, newIndex(true) // what follows is read as it was meant
		r.head(st, word, rest, off)
		return
	}
	st.set(KindBad, word, rest, off)
	guess := spelling.Nearest(word, r.words.names(ScopeTop))
	switch {
	case inner && r.told:
	case inner:
		r.told = true
		r.diag.errorf(st, -1, "write \"watch GROUP\" above it", "%s outside a watch", word)
	case guess != "":
		r.diag.errorf(st, -1, didYouMean(word, []string{guess}), "unknown directive %s", quote(word))
		if guess != "include" {
			r.head(st, guess, rest, off)
		}
	case r.words.find(ScopeGlobal, word) != nil:
		r.diag.errorf(st, -1, "write "+word+" = "+shorten(rest), "variable %s without =", word)
	default:
		r.diag.errorf(st, -1, r.strayHint(word), "unknown directive %s", quote(word))
	}
}

func (r *reader) strayHint(word string) string {
	if r.newWord(word) {
		return mondHint
	}
	for _, s := range []Scope{ScopeGlobal, ScopeService, ScopePeriod} {
		if hint := didYouMean(word, r.words.names(s)); hint != "" {
			return hint
		}
	}
	return ""
}

func firstWord(s string) string {
	word, _, _ := cutWord(s)
	return word
}

// quote is s between quotes, cut to what can be read at a glance.
func quote(s string) string { return fmt.Sprintf("%q", shorten(s)) }

func shorten(s string) string { return shortenTo(s, 60) }

func shortenTo(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
