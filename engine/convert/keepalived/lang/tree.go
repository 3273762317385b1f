package lang

import (
	"strings"

	"github.com/mondhq/mond/engine/config"
)

// Word is a word of a line.
type Word struct {
	Text string
	Pos  config.Pos
}

// Node is a line with its block, if it has one.
type Node struct {
	Pos config.Pos
	// Words are split as keepalived does for most keywords: at blanks and at
	// quotes, between which no backslash means anything. There is one at least.
	Words []Word
	// Line is all of it as it was before.
	Line string
	// Block is set if a { followed; Nodes are what is in it, and End is where
	// its } stands.
	Block bool
	Nodes []*Node
	End   config.Pos

	text text
}

// Name is the first word.
func (n *Node) Name() string { return n.Words[0].Text }

// Arg is the i-th word after the first, or "".
func (n *Node) Arg(i int) string {
	if i+1 < len(n.Words) {
		return n.Words[i+1].Text
	}
	return ""
}

// At is the place of that word, or of the line if there is none.
func (n *Node) At(i int) config.Pos {
	if i+1 < len(n.Words) {
		return n.Words[i+1].Pos
	}
	return n.Pos
}

// Args is how many words follow the first.
func (n *Node) Args() int { return len(n.Words) - 1 }

// tree reads all lines.
func (r *reader) tree() {
	root := &Node{}
	open := []*Node{root}
	var last *Node // the line just before, to which a block may belong
	for {
		t, ok := r.line()
		if !ok {
			break
		}
		in := open[len(open)-1]
		switch t.s {
		case "{":
			switch {
			case last == nil:
				r.errorf(t.at(0), "a block belongs to the word before it", "unexpected {")
				last = &Node{Pos: t.at(0), text: t} // belongs nowhere
			case len(open) > r.limits.Nested:
				r.once(t.at(0), "", "blocks more than %d deep", r.limits.Nested)
				continue
			}
			last.Block = true
			open, last = append(open, last), nil
		case "}":
			last = nil
			if len(open) == 1 {
				r.errorf(t.at(0), "take it away, or see where a { is missing above", "a } too many")
				continue
			}
			in.End = t.at(0)
			open = open[:len(open)-1]
		default:
			if last = r.node(t); last != nil {
				in.Nodes = append(in.Nodes, last)
			}
		}
	}
	for i := len(open) - 1; i > 0 && !r.full; i-- {
		r.errorf(open[i].Pos, "add a } where it ends", "a block that is never closed")
	}
	r.doc.Nodes = root.Nodes
}

// node is a line in words; nil without any.
func (r *reader) node(t text) *Node {
	words := plain(t)
	if len(words) == 0 {
		return nil
	}
	return &Node{Pos: words[0].Pos, Words: words, Line: t.s, text: t}
}

// plain splits t at blanks and quotes. What a last quote without another begins
// is left out.
func plain(t text) []Word {
	var words []Word
	for i := 0; i < len(t.s); {
		switch t.s[i] {
		case ' ', '\t', '\f', '\v', '\n', '\r':
			i++
		case '"':
			end := strings.IndexByte(t.s[i+1:], '"')
			if end < 0 {
				return words
			}
			words = append(words, Word{t.s[i+1 : i+1+end], t.at(i)})
			i += end + 2
		default:
			end := strings.IndexAny(t.s[i:], " \t\f\v\n\r\"")
			if end < 0 {
				end = len(t.s) - i
			}
			words = append(words, Word{t.s[i : i+end], t.at(i)})
			i += end
		}
	}
	return words
}
