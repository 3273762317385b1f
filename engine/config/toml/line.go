package toml

import (
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml/tree"
)

// line is a statement while it is put together out of pieces of the document.
type line struct {
	kind config.Kind
	name string
	off  int // where its name stands in the document
	end  int // the end of the last piece
	text []byte
	// whole is the text if one piece is all of it, which saves a copy.
	whole string
	spots []spot
}

// spot says that text from the byte at on stands at off in the document.
type spot struct {
	at, off int
	fixed   bool
}

func newLine(kind config.Kind, name string, off int) line {
	return line{kind: kind, name: name, off: off, end: off + 1}
}

func (l *line) string() string {
	if l.whole != "" {
		return l.whole
	}
	return string(l.text)
}

func (l *line) length() int { return len(l.whole) + len(l.text) }

// add adds text that stands at off as a whole.
func (l *line) add(text string, off, end int) {
	l.spot(off, true)
	l.write(text)
	l.end = max(l.end, end)
}

// gap adds a byte between words.
func (l *line) gap(sep string) {
	if l.length() > 0 {
		l.write(sep)
	}
}

func (l *line) spot(off int, fixed bool) {
	l.spots = append(l.spots, spot{l.length(), off, fixed})
}

func (l *line) write(text string) {
	if l.length() == 0 {
		l.whole = text
		return
	}
	if l.whole != "" {
		l.text, l.whole = append(l.text, l.whole...), ""
	}
	l.text = append(l.text, text...)
}

// value adds what a string holds, without the blanks around it. Line ends count
// as blanks, but in what is quoted if quotes count.
func (l *line) value(n *tree.Node, quotes bool) {
	text := strings.TrimLeft(n.Text, blanks)
	l.exact(n, len(n.Text)-len(text), flat(strings.TrimRight(text, blanks), quotes))
}

// exact adds text, which is as long as what it stands for: what n holds from
// its byte skip on.
func (l *line) exact(n *tree.Node, skip int, text string) {
	start := l.length()
	for _, p := range n.Parts() {
		at, off := p.At-skip, p.Off
		if at < 0 {
			at, off = 0, off-at
		}
		if at > 0 && at >= len(text) {
			break
		}
		if last := len(l.spots) - 1; last >= 0 && l.spots[last].at == start+at {
			l.spots[last].off = off
			continue
		}
		l.spots = append(l.spots, spot{start + at, off, false})
	}
	l.write(text)
	l.end = max(l.end, n.End)
}

// word adds a word, in quotes if it needs them.
func (l *line) word(n *tree.Node) {
	l.gap(" ")
	if q := config.Quote(n.Text); q != n.Text {
		l.add(q, n.Off, n.End)
		return
	}
	l.exact(n, 0, n.Text)
}

// flat is text on one line.
func flat(text string, quotes bool) string {
	if !strings.ContainsAny(text, "\n\r") {
		return text
	}
	b := []byte(text)
	var open byte
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quotes && c == '\\':
			i++
		case quotes && open == 0 && (c == '"' || c == '\''):
			open = c
		case quotes && c == open:
			open = 0
		case open == 0 && (c == '\n' || c == '\r'):
			b[i] = ' '
		}
	}
	return string(b)
}

// put makes a statement of l.
func (r *reader) put(l *line, beside string) {
	st := config.Statement{Kind: l.kind, Pos: r.pos(l.off), Name: l.name, Text: l.string(), Comment: beside}
	if i := strings.IndexByte(st.Text, 0); i >= 0 {
		r.errorf(l.off, "", "a NUL character in the value of %s", l.name)
	}
	lines, start := r.doc.Lines(l.off, l.end)
	parts := make([]config.Part, 0, len(l.spots))
	for _, s := range l.spots {
		if s.off >= start {
			parts = append(parts, config.Part{At: s.at, Source: s.off - start, Fixed: s.fixed})
		}
	}
	if len(parts) < len(l.spots) {
		parts = nil
	}
	st.Locate(lines, parts...)
	r.f.Statements = append(r.f.Statements, st)
}

// comments adds those that stand on lines of their own. Inside a record an
// empty line would end it.
func (r *reader) comments(above []string) {
	for _, c := range above {
		switch {
		case c != "":
			r.f.Statements = append(r.f.Statements, config.Statement{Kind: config.KindComment, Text: c})
		case r.outside:
			r.blank()
		}
	}
}

func (r *reader) blank() {
	r.f.Statements = append(r.f.Statements, config.Statement{Kind: config.KindBlank})
}

// beside adds a comment to the last statement, or below it if that has one.
func (r *reader) beside(comment string) {
	if comment == "" {
		return
	}
	if n := len(r.f.Statements); n > 0 {
		if st := &r.f.Statements[n-1]; st.Comment == "" && st.Kind != config.KindComment && st.Kind != config.KindBlank {
			st.Comment = comment
			return
		}
	}
	r.comments([]string{comment})
}
