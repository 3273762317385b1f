package lang

import (
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
)

// text is a piece of a line that knows where its bytes stand.
type text struct {
	s     string
	marks []mark // by off; the first is at 0
}

// mark says that the bytes from off on stand at pos and behind it, or, if it is
// fixed, that all of them came from there.
type mark struct {
	off   int
	pos   config.Pos
	fixed bool
}

func textAt(s string, pos config.Pos) text { return text{s, []mark{{pos: pos}}} }

// madeAt is text that was made by what stands at pos.
func madeAt(s string, pos config.Pos) text { return text{s, []mark{{pos: pos, fixed: true}}} }

// at is where the byte at off stands.
func (t text) at(off int) config.Pos {
	if len(t.marks) == 0 {
		return config.Pos{}
	}
	m := t.marks[t.mark(off)]
	if !m.fixed {
		m.pos.Col += off - m.off
	}
	return m.pos
}

// mark is the index of the one that the byte at off belongs to.
func (t text) mark(off int) int {
	i, found := slices.BinarySearchFunc(t.marks, off, func(m mark, off int) int { return m.off - off })
	if !found {
		i--
	}
	return max(i, 0)
}

// cut is t from the byte at i to that at j.
func (t text) cut(i, j int) text {
	if i >= j || len(t.marks) == 0 {
		return textAt("", t.at(i))
	}
	if i == 0 {
		return text{t.s[:j], t.marks[:t.mark(j-1)+1]}
	}
	first, last := t.mark(i), t.mark(j-1)
	out := text{s: t.s[i:j], marks: make([]mark, 0, last-first+1)}
	for k := first; k <= last; k++ {
		m := t.marks[k]
		if m.off < i {
			if !m.fixed {
				m.pos.Col += i - m.off
			}
			m.off = i
		}
		m.off -= i
		out.marks = append(out.marks, m)
	}
	return out
}

// join is a with b behind it.
func join(a, b text) text {
	if a.s == "" {
		return b
	}
	if b.s == "" {
		return a
	}
	out := text{s: a.s + b.s, marks: append(make([]mark, 0, len(a.marks)+len(b.marks)), a.marks...)}
	for _, m := range b.marks {
		m.off += len(a.s)
		out.marks = append(out.marks, m)
	}
	return out
}

// without is t less the bytes at these places, which are in order.
func (t text) without(offs []int) text {
	var b strings.Builder
	var marks []mark
	from := 0
	for _, off := range append(offs, len(t.s)) {
		piece := t.cut(from, off)
		for _, m := range piece.marks {
			if piece.s != "" {
				m.off += b.Len()
				marks = append(marks, m)
			}
		}
		b.WriteString(piece.s)
		from = off + 1
	}
	return text{b.String(), marks}
}

// usedAt is t as the use of a definition brought it there.
func (t text) usedAt(from *config.Origin) text {
	out := text{t.s, make([]mark, len(t.marks))}
	for i, m := range t.marks {
		m.pos.From = from
		out.marks[i] = m
	}
	return out
}

const blanks = " \t"

// trim is t without blanks around it.
func (t text) trim() text {
	end := len(strings.TrimRight(t.s, blanks))
	return t.cut(len(t.s)-len(strings.TrimLeft(t.s, blanks)), end)
}
