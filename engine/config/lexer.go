package config

import "strings"

// maxLine is the longest logical line that is read, in bytes. A hostgroup of
// 100,000 hosts fits; a file that is something else does not fill the memory.
const maxLine = 8 << 20

// blanks are the bytes that separate words.
const blanks = " \t\r\f\v\n"

func isBlank(c byte) bool { return strings.IndexByte(blanks, c) >= 0 }

// lexer splits a file into logical lines.
type lexer struct {
	src  string
	off  int
	file string
	line int  // of the byte at off
	sync bool // "#line" comments of m4 say where a line came from
	mond bool // comments may stand behind other words
}

// logical is one logical line: a blank one, a comment, or text.
type logical struct {
	Statement
	// cut is the offset in Raw of a backslash that ends the file; else -1.
	cut int
	// long is set for a line that is longer than maxLine; its text is empty.
	long bool
}

// physical takes the next physical line, with its line end.
func (l *lexer) physical() (line string, start int) {
	start = l.off
	if i := strings.IndexByte(l.src[start:], '\n'); i >= 0 {
		l.off = start + i + 1
	} else {
		l.off = len(l.src)
	}
	l.line++
	return l.src[start:l.off], start
}

// next is the next logical line, or false at the end of the file.
func (l *lexer) next() (logical, bool) {
	for l.off < len(l.src) {
		pos := Pos{File: l.file, Line: l.line, Col: 1}
		line, start := l.physical()
		text := strings.TrimLeft(line, blanks)
		pos.Col += len(line) - len(text)
		l.mond = l.mond || opens(text) // the reader takes it back if that is no variable there
		out := logical{Statement: Statement{Pos: pos, Raw: line, indent: pos.Col - 1, mond: l.mond}, cut: -1}
		switch {
		case strings.HasPrefix(text, "#"):
			if l.sync && l.resync(text) {
				continue
			}
			out.Kind, out.Text = KindComment, strings.TrimRight(text, blanks)
		case !continued(text) && !(l.mond && strings.Contains(text, "#")):
			out.Text = strings.TrimRight(text, blanks)
			l.finish(&out)
		default:
			l.join(&out, text, start)
			l.finish(&out)
		}
		return out, true
	}
	return logical{}, false
}

// opens reports whether a line turns the syntax of mond on. That holds in the
// line itself, so that there may be a comment.
func opens(line string) bool {
	rest, ok := strings.CutPrefix(line, "syntax")
	if !ok {
		return false
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest, blanks), "=")
	word, rest, _ := cutWord(strings.TrimSpace(rest))
	return ok && word == mond && (rest == "" || rest[0] == '#')
}

// finish tells blank lines and lines that are too long.
func (l *lexer) finish(out *logical) {
	if len(out.Text) > maxLine {
		out.Text, out.long = "", true
	}
	if out.Text == "" && !out.long {
		out.Pos.Col, out.indent = 1, 0
		return
	}
	out.Kind = KindBad // until the reader knows better
}

// continued reports whether the line ends in a backslash.
func continued(line string) bool {
	return strings.HasSuffix(strings.TrimRight(line, blanks), `\`)
}

// join reads the lines that continue first, if any, which begins at start in
// the source after its indent. Every part begins without blanks, so only the
// end of the whole needs a trim.
func (l *lexer) join(out *logical, first string, start int) {
	var b strings.Builder
	t := tail{words: inWords(firstWord(first))}
	text, at := first, piece{raw: out.indent, line: out.Pos.Line, col: out.Pos.Col}
	for more := true; more; {
		comment, escapes := -1, []int(nil)
		if l.mond {
			comment, escapes = t.cut(text, 0, true)
		}
		if comment >= 0 {
			out.keep(out.Comment)
			text, out.Comment = text[:comment], strings.TrimRight(text[comment:], blanks)
		}
		more = continued(text)
		end := strings.TrimRight(text, blanks)
		out.cut = -1
		if more {
			end = end[:len(end)-1]
			out.cut = at.raw + len(end)
		}
		out.add(&b, end, escapes, at)
		if more {
			text, at = l.further(out)
			at.raw -= start
			more = text != ""
		}
	}
	out.Raw = l.src[start:l.off]
	out.Text = strings.TrimRight(b.String(), blanks)
}

// keep notes a comment inside a continued line.
func (out *logical) keep(comment string) {
	if comment != "" {
		out.Inner = append(out.Inner, comment)
	}
}

// add puts a part that stands at at behind what b holds, without its escapes.
func (out *logical) add(b *strings.Builder, part string, escapes []int, at piece) {
	from := 0
	for _, i := range append(escapes, len(part)) {
		if i = min(i, len(part)); i > from {
			out.pieces = append(out.pieces, piece{at: b.Len(), raw: at.raw + from, line: at.line, col: at.col + from})
			b.WriteString(part[from:i])
		}
		from = i + 1
	}
}

// further is the next line of a continued one, without its indent, and where
// it stands in the source; comments in between are kept in out. It is empty at
// the end of the file.
func (l *lexer) further(out *logical) (text string, at piece) {
	for l.off < len(l.src) {
		line := l.line
		whole, start := l.physical()
		text = strings.TrimLeft(whole, blanks)
		if text == "" {
			return "\n", piece{raw: start, line: line, col: 1} // ends the continued line
		}
		if !strings.HasPrefix(text, "#") {
			indent := len(whole) - len(text)
			return text, piece{raw: start + indent, line: line, col: indent + 1}
		}
		if !l.sync || !l.resync(text) {
			out.keep(out.Comment)
			out.keep(strings.TrimRight(text, blanks))
			out.Comment = ""
		}
	}
	return "", piece{}
}

// resync reads m4's mark of where the next line came from, `#line 7 "file"`
// (the name only when it changed), and reports whether text is one.
func (l *lexer) resync(text string) bool {
	rest, ok := strings.CutPrefix(strings.TrimRight(text, blanks), "#line ")
	if !ok {
		return false
	}
	number, name, named := strings.Cut(rest, " ")
	n, ok := atoi(number)
	if !ok {
		return false
	}
	if named {
		if len(name) < 2 || name[0] != '"' || name[len(name)-1] != '"' {
			return false
		}
		l.file = name[1 : len(name)-1]
	}
	l.line = n
	return true
}
