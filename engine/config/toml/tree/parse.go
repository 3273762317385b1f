package tree

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Problem is what is wrong with a document as TOML.
type Problem struct {
	// Off is where, at most the length of the document.
	Off     int
	Message string
	// First is where the thing was defined before, or -1.
	First int
}

// Parse reads a document. The tree holds all that could be read: reading ends
// at the first line that is no TOML, but not at keys that are defined twice.
func Parse(src string) (*Doc, []Problem) {
	p := parser{doc: &Doc{Src: src, Root: &Node{Kind: Table, KeyOff: -1, made: byHeader}, starts: lineStarts(src)}}
	p.here = p.doc.Root
	data := []byte(src)
	p.in.Reset(data[:len(data):len(data)])
	p.in.KeepComments = true
	for p.in.NextExpression() {
		p.expression(p.in.Expression())
	}
	if err := p.in.Error(); err != nil {
		p.problems = append(p.problems, p.syntax(err))
	}
	p.doc.Root.Below = append(p.doc.Root.Below, p.take(len(src))...)
	return p.doc, p.problems
}

type parser struct {
	in       unstable.Parser
	doc      *Doc
	here     *Node // the table that key = value lines go to
	problems []Problem

	parts []key // what keys returned

	// pending are comments that wait for what stands below them, and line is
	// the one that was read last.
	pending []string
	line    int
	apart   bool // an empty line stands above pending
	begun   bool // something other than comments was read
}

// syntax makes a problem of the parser's error, which may only be looked at
// before the parser goes on.
func (p *parser) syntax(err error) Problem {
	out := Problem{Message: err.Error(), First: -1}
	e, ok := errors.AsType[*unstable.ParserError](err)
	if !ok || cap(e.Highlight) > len(p.doc.Src) {
		return out
	}
	out.Off = len(p.doc.Src) - cap(e.Highlight)
	return out
}

func (p *parser) twice(off, first int, message string) {
	p.problems = append(p.problems, Problem{Off: off, Message: message, First: first})
}

// expression reads a line of the document, or the several lines of a value.
func (p *parser) expression(e *unstable.Node) {
	if e.Kind == unstable.Comment {
		p.comment(e)
		return
	}
	n, off := p.statement(e)
	above := p.take(off)
	if n != nil {
		n.Apart = p.apart
		n.Above = append(n.Above, above...)
		if next := e.Next(); next != nil && next.Kind == unstable.Comment {
			n.Beside = clean(next.Data)
		}
	}
	p.apart = false
	end := off
	if n != nil {
		end = max(off, n.End-1)
	}
	p.line, _ = p.doc.Place(end)
}

// statement is the node that e makes, nil for one that is refused, and where e
// begins.
func (p *parser) statement(e *unstable.Node) (*Node, int) {
	keys := p.keys(e.Key())
	off := keys[0].off
	switch e.Kind {
	case unstable.Table:
		p.here = p.table(keys)
		return p.here, off
	case unstable.ArrayTable:
		p.here = p.element(keys)
		return p.here, off
	}
	return p.assign(p.here, keys, e.Value()), off
}

// comment keeps a comment that stands on a line of its own.
func (p *parser) comment(e *unstable.Node) {
	line, _ := p.doc.Place(int(e.Raw.Offset))
	switch {
	case line <= p.line+1:
	case len(p.pending) > 0:
		p.gap()
	default:
		p.apart = true
	}
	p.pending, p.line = append(p.pending, clean(e.Data)), line
}

// gap notes an empty line below a comment. The first such comment of the file
// is its head.
func (p *parser) gap() {
	if !p.begun && p.doc.Head == nil {
		p.doc.Head, p.pending = p.pending, nil
		return
	}
	p.pending = append(p.pending, "")
}

// take takes the comments above what stands at off.
func (p *parser) take(off int) []string {
	line, _ := p.doc.Place(off)
	switch {
	case line <= p.line+1:
	case len(p.pending) > 0:
		p.gap()
	default:
		p.apart = true
	}
	p.begun = true
	out := p.pending
	p.pending = nil
	return out
}

// clean is a comment as it is kept, with its sign.
func clean(data []byte) string { return strings.TrimRight(string(data), " \t") }

// key is one part of a key: from off to end of the document.
type key struct {
	name     string
	off, end int
}

// keys are the parts of a key, up to the next call.
func (p *parser) keys(it unstable.Iterator) []key {
	keys := p.parts[:0]
	for it.Next() {
		n := it.Node()
		off := int(n.Raw.Offset)
		end := off + int(n.Raw.Length)
		name := p.doc.Src[off:end]
		if c := name[0]; c == '"' || c == '\'' {
			name = string(n.Data)
		}
		keys = append(keys, key{name, off, end})
	}
	p.parts = keys
	return keys
}

// value reads a value that begins at or after off, into n.
func (p *parser) value(n *Node, v *unstable.Node, off int) {
	switch v.Kind {
	case unstable.Array:
		n.Kind, n.made, n.Off = Array, byValue, p.opening(off)
		p.elements(n, v)
		return
	case unstable.InlineTable:
		n.Kind, n.made, n.Off = Table, byValue, int(v.Raw.Offset)
		p.elements(n, v)
		return
	}
	n.Off = int(v.Raw.Offset)
	n.End = n.Off + int(v.Raw.Length)
	n.Text = p.doc.Src[n.Off:n.End]
	switch v.Kind {
	case unstable.String:
		n.Kind = String
		n.unquote(v.Data)
	case unstable.Bool:
		n.Kind = Bool
	case unstable.Integer:
		n.Kind = Integer
	case unstable.Float:
		n.Kind = Float
	default:
		n.Kind = Time
	}
}

// opening is where the bracket stands that begins a list: the parser does not
// say. Between off and it there are blanks only, and the sign after a key.
func (p *parser) opening(off int) int {
	return off + max(0, strings.IndexByte(p.doc.Src[off:], '['))
}

// elements reads what stands between brackets. A comment goes to the element
// that ends on its line, else to the next one.
func (p *parser) elements(n *Node, v *unstable.Node) {
	off := n.Off + 1
	var above []string
	for it := v.Children(); it.Next(); {
		c := it.Node()
		if c.Kind == unstable.Comment {
			above = append(above, p.run(n, c)...)
			off = p.after(c)
			continue
		}
		e := p.one(n, c, off)
		if e != nil {
			e.Above, above = append(e.Above, above...), nil
			off = e.End
		} else {
			off = int(c.Raw.Offset + c.Raw.Length)
		}
		off = p.skip(off)
	}
	n.Below = above
	n.End = p.closing(off)
}

// one reads an element of n.
func (p *parser) one(n *Node, c *unstable.Node, off int) *Node {
	if n.Kind == Table {
		return p.assign(n, p.keys(c.Key()), c.Value())
	}
	e := &Node{KeyOff: -1}
	p.value(e, c, off)
	n.List = append(n.List, e)
	return e
}

// run reads comments that stand below each other in n. The first one may
// belong to the element before it.
func (p *parser) run(n *Node, first *unstable.Node) []string {
	out := []string{clean(first.Data)}
	for it := first.Children(); it.Next(); {
		out = append(out, clean(it.Node().Data))
	}
	if len(n.List) == 0 {
		return out
	}
	last := n.List[len(n.List)-1]
	ended, _ := p.doc.Place(last.End - 1)
	if at, _ := p.doc.Place(int(first.Raw.Offset)); at == ended && last.Beside == "" {
		last.Beside = out[0]
		return out[1:]
	}
	return out
}

// after is where a run of comments ends.
func (p *parser) after(first *unstable.Node) int {
	end := int(first.Raw.Offset + first.Raw.Length)
	for it := first.Children(); it.Next(); {
		end = int(it.Node().Raw.Offset + it.Node().Raw.Length)
	}
	return end
}

// skip is the offset after the comma that may follow at off.
func (p *parser) skip(off int) int {
	for i := off; i < len(p.doc.Src); i++ {
		switch p.doc.Src[i] {
		case ' ', '\t', '\r', '\n':
		case ',':
			return i + 1
		default:
			return off
		}
	}
	return off
}

// closing is the offset after the bracket that follows at off.
func (p *parser) closing(off int) int {
	for i := off; i < len(p.doc.Src); i++ {
		if c := p.doc.Src[i]; c == ']' || c == '}' {
			return i + 1
		}
	}
	return len(p.doc.Src)
}

// unquote takes the text of a string, and notes where its bytes stand if that
// is not simply behind the first quote.
func (n *Node) unquote(data []byte) {
	raw := n.Text
	multi := len(raw) >= 6 && (strings.HasPrefix(raw, `"""`) || strings.HasPrefix(raw, `'''`))
	literal := raw[0] == '\''
	if !multi && (literal || !strings.Contains(raw, `\`)) {
		n.Text = raw[1 : len(raw)-1]
		return
	}
	n.Text = string(data)
	if strings.Contains(raw, "\r\n") {
		n.Text = strings.ReplaceAll(n.Text, "\r\n", "\n")
	}
	from := 1
	if multi {
		from = 3
		from += len(raw[from:]) - len(strings.TrimPrefix(strings.TrimPrefix(raw[from:], "\r"), "\n"))
	}
	n.parts = parts(raw, from, literal, n.Off)
	if last := n.parts[len(n.parts)-1]; last.At > len(n.Text) {
		n.parts = []Part{{0, n.Off}} // a form that is not known here
	}
}

// parts follows the text of a string through its escapes and lines.
func parts(raw string, from int, literal bool, off int) []Part {
	out := []Part{{0, off + from}}
	at, i := 0, from
	add := func() {
		if last := len(out) - 1; out[last].At == at {
			out[last].Off = off + i
			return
		}
		out = append(out, Part{at, off + i})
	}
	for i < len(raw) {
		switch c := raw[i]; {
		case c == '\\' && !literal:
			length, width := escape(raw[i:])
			at, i = at+width, i+length
			add()
		case c == '\r' && strings.HasPrefix(raw[i:], "\r\n"):
			i++ // a line end is one byte of the text, whatever the file has
		case c == '\n':
			at, i = at+1, i+1
			add()
		default:
			at, i = at+1, i+1
		}
	}
	return out
}

// escape is the length of the escape that s begins with, and of what it
// stands for.
func escape(s string) (length, width int) {
	if len(s) < 2 {
		return len(s), 0
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[1]]
	switch {
	case digits > 0 && len(s) >= 2+digits:
		r, _ := strconv.ParseUint(s[2:2+digits], 16, 32)
		return 2 + digits, max(1, utf8.RuneLen(rune(r)))
	case strings.ContainsRune(" \t\r\n", rune(s[1])):
		rest := strings.TrimLeft(s[1:], " \t\r\n")
		return len(s) - len(rest), 0
	}
	return 2, 1
}
