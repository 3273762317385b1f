package config

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// widest is how many columns a line may have that is put together from several.
const widest = 100

// Format is f in the normal form of a mon.cf: one blank line between records,
// four blanks for each level, and one between words that mean the same however
// many stand there. Every comment is kept. A continued line is joined, unless
// it is too long or holds comments. That f can be read is not checked; see
// [FormatSource].
func Format(f *File) []byte {
	p := printer{mond: f.Mond}
	for i := range f.Statements {
		p.format(&f.Statements[i])
	}
	p.flush()
	return p.b.Bytes()
}

// Plain is an expanded f in the normal form, without comments, as a file that
// needs no `syntax = mond`. Only a virtual service needs it: mon has no word
// for what it says of the pool. It stays as it is, with the services that its
// checks make beside it, and read again both are the same.
func Plain(f *File) []byte {
	p := printer{plain: true}
	if slices.ContainsFunc(f.Statements, func(s Statement) bool { return s.Kind == KindTop && s.Name == "virtual" }) {
		p.mond = true
		p.line(0, "syntax = mond")
		p.gap = true
	}
	for i := range f.Statements {
		p.format(&f.Statements[i])
	}
	return p.b.Bytes()
}

// Bytes is the file as text. Statements that were read from a mon.cf are given
// byte for byte, the others in the normal form.
func (f *File) Bytes() []byte {
	p := printer{mond: f.Mond}
	for i := range f.Statements {
		p.asItIs(&f.Statements[i])
	}
	return p.b.Bytes()
}

// WriteTo writes what [File.Bytes] gives.
func (f *File) WriteTo(w io.Writer) (int64, error) { return bytes.NewBuffer(f.Bytes()).WriteTo(w) }

// printer writes statements as a mon.cf.
type printer struct {
	b bytes.Buffer
	// mond is set where `syntax = mond` holds; plain is set to write a file
	// without it.
	mond, plain bool
	// in is the record that is open; service and period are set below such
	// lines in it.
	in              record
	service, period bool
	level           int      // of the last line
	comments        []string // that stand above the next line
	gap             bool     // a blank line is due
}

// asItIs prints a statement where it stands, with its own line end.
func (p *printer) asItIs(st *Statement) {
	level := p.enter(st)
	if st.Raw != "" && !st.moved {
		p.b.WriteString(st.Raw)
		return
	}
	if n := p.b.Len(); n > 0 && p.b.Bytes()[n-1] != '\n' {
		p.b.WriteByte('\n') // the file that came before had no last line end
	}
	if st.Kind == KindComment {
		level = 0
	}
	p.statement(st, level)
}

// format prints a statement, and the blank line before it if there is to be
// one.
func (p *printer) format(st *Statement) {
	switch {
	case p.plain && (st.Kind == KindComment || st.Kind == KindBad || st.Kind == KindGlobal && st.Name == "syntax"):
		return
	case st.Kind == KindBlank:
		p.comments = append(p.comments, st.Inner...)
		p.flush()
		p.enter(st)
		p.gap = p.b.Len() > 0
		return
	case st.Kind == KindComment:
		p.comments = append(p.comments, comment(st.Text))
		return
	}
	p.gap = p.gap || p.b.Len() > 0 && p.apart(st.Kind)
	p.level = p.enter(st)
	p.flush()
	p.blank()
	p.statement(st, p.level)
}

// apart reports whether a blank line must stand before a statement, even if
// there is none.
func (p *printer) apart(k Kind) bool {
	return k == KindTop || k == KindInclude && p.in != outside || k == KindGlobal && p.in.services()
}

// flush prints the comments that are due, as far to the right as the last line.
func (p *printer) flush() {
	for _, c := range p.comments {
		p.blank()
		p.line(p.level, c)
	}
	p.comments = nil
}

// blank prints the blank line that is due.
func (p *printer) blank() {
	if p.gap {
		p.b.WriteByte('\n')
		p.gap = false
	}
}

func (p *printer) line(level int, text string) {
	p.b.WriteString(strings.Repeat("    ", level))
	p.b.WriteString(text)
	p.b.WriteByte('\n')
}

// enter notes what st begins or ends, and says which level it stands at.
func (p *printer) enter(st *Statement) int {
	inner := 1 // the level of directives of a service
	if p.service || p.in != inTemplate && p.in != inVirtual {
		inner = 2
	}
	switch st.Kind {
	case KindBlank:
		p.in, p.service, p.period, p.level = outside, false, false, 0
	case KindTop:
		p.in = records()[st.Name]
		p.service, p.period = false, false
	case KindGlobal:
		p.mond = p.mond || st.Name == "syntax" && st.Text == mond && !p.plain
	case KindMember:
		return 1
	case KindVirtual:
		p.period = false
		return 1
	case KindService, KindEnv, KindPeriod, KindUse:
		return p.within(st, inner)
	case KindComment, KindInclude, KindBad:
	}
	return 0
}

// within is enter for a line of a watch or template.
func (p *printer) within(st *Statement, inner int) int {
	switch {
	case st.Kind == KindService && (st.Name == "service" || st.Name == "check"):
		p.service, p.period = true, false
		return 1
	case st.Kind == KindService && st.Name == "period":
		p.period = true
		return inner
	case st.Kind == KindUse && !p.service && !p.period:
		return 1
	case p.period, st.Kind == KindPeriod && p.in != inTemplate && p.in != inVirtual:
		return inner + 1
	}
	return inner
}

// statement prints one.
func (p *printer) statement(st *Statement, level int) {
	if st.Kind == KindBlank {
		p.b.WriteByte('\n')
		return
	}
	line, behind := p.words(st)
	if p.plain {
		p.line(level, line)
		return
	}
	whole := line + behind
	parts := st.Raw != "" && !st.moved && strings.Contains(strings.TrimSuffix(st.Raw, "\n"), "\n")
	if parts && (len(st.Inner) > 0 || level*4+utf8.RuneCountInString(whole) > widest || p.undecided(st.Raw)) {
		p.parts(st, level)
		return
	}
	for _, c := range st.Inner {
		p.line(level, comment(c))
	}
	t := tail{words: inWords(firstWord(line))}
	if at, _ := t.cut(whole, 0, true); behind != "" && (!p.mond || at != len(line)+2) {
		p.line(level, comment(st.Comment)) // behind the line it would not be one
		whole = line
	}
	p.line(level, whole)
}

// undecided reports whether text may mean something else where a file that has
// no `syntax = mond` is included by one that has.
func (p *printer) undecided(text string) bool {
	return !p.mond && !p.plain && strings.Contains(text, "#")
}

// parts prints a continued line in its parts, those after the first further to
// the right.
func (p *printer) parts(st *Statement, level int) {
	more := 0
	for line := range strings.Lines(st.Raw) {
		line = strings.Trim(line, blanks)
		if line == "" {
			p.b.WriteByte('\n') // it ended the continued line, and is no end of a record
			continue
		}
		p.line(level+more, line)
		more = 1
	}
}

// words is st on one line, and what stands behind it.
func (p *printer) words(st *Statement) (line, behind string) {
	text := oneLine(p.spaced(st))
	switch st.Kind {
	case KindComment:
		return comment(text), ""
	case KindGlobal:
		line = st.Name + " = " + text
	case KindEnv:
		lead := st.Text[:len(st.Text)-len(strings.TrimLeft(st.Text, " \t"))] // is part of the value
		line = st.Name + "=" + lead + text
	case KindBlank, KindTop, KindMember, KindService, KindPeriod, KindUse, KindInclude, KindVirtual, KindBad:
		line = st.Name + " " + text
	}
	line = strings.TrimSpace(line)
	if p.mond {
		line = escape(line, inWords(firstWord(line)))
	}
	if st.Comment != "" {
		behind = "  " + comment(st.Comment)
	}
	return line, behind
}

// comment is text with the sign before it.
func comment(text string) string {
	if strings.HasPrefix(text, "#") {
		return text
	}
	return "# " + text
}

// inFields reports whether the text of st is a list of words that has no
// quotes.
func inFields(st *Statement) bool {
	switch st.Kind {
	case KindMember, KindTop:
		return true
	case KindService:
		return st.Name == "exclude_hosts" || st.Name == "on" || st.Name == "local_fault"
	case KindVirtual:
		return st.Name != "maintenance_at" && st.Name != "maintenance_dir"
	case KindBlank, KindComment, KindGlobal, KindPeriod, KindEnv, KindUse, KindInclude, KindBad:
	}
	return false
}

// spaced is the text of st with one blank between words, where it is words.
func (p *printer) spaced(st *Statement) string {
	var spans [][2]int
	switch {
	case st.Kind == KindMember && p.in == inAlias, p.undecided(st.Text):
		return st.Text
	case inWords(st.Name) && st.Kind != KindGlobal:
		spans = wordSpans(st.Text)
	case inFields(st):
		for _, w := range fields(st.Text) {
			spans = append(spans, [2]int{w.Off, w.Off + len(w.Text)})
		}
	}
	if spans == nil {
		return st.Text
	}
	var b strings.Builder
	for i, s := range spans {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(st.Text[s[0]:s[1]])
	}
	return b.String()
}
