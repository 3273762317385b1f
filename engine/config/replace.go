package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mondhq/mond/plugins/spelling"
)

const dollarHint = "write $$ for a dollar"

// replace is st with the values of parameters in place of their names, as it
// stands where the template is used. A nil scope has none.
func (s *scope) replace(st *Statement) (Statement, bool) {
	if s == nil {
		return *st, true
	}
	out := *st
	out.moved, out.each = true, s.each
	if s.from != nil {
		out.Pos.From = s.from
	}
	if !strings.Contains(st.Text, "$") {
		return out, true
	}
	if inWords(st.Name) {
		if words, err := Words(st.Text); err == nil {
			return s.words(&out, words)
		}
		return out, true // whoever reads it reports the quote
	}
	return s.plainText(&out)
}

// words replaces in a text that is split into words: one word stays one, but
// $hosts alone becomes several.
func (s *scope) words(st *Statement, words []Word) (Statement, bool) {
	m := remap{old: st}
	from, good := 0, true
	for i, w := range words {
		if !strings.Contains(w.Text, "$") {
			continue
		}
		end := len(st.Text)
		if i+1 < len(words) {
			end = len(strings.TrimRight(st.Text[:words[i+1].Off], blanks))
		}
		m.keep(from, w.Off)
		from = end
		if !s.later && (w.Text == "$hosts" || w.Text == "${hosts}") {
			hosts := slices.Clone(s.hosts())
			for j := range hosts {
				hosts[j] = Quote(hosts[j])
			}
			m.put(strings.Join(hosts, " "), w.Off)
			continue
		}
		text, ok := s.text(st, w.Text, w.Off, false)
		good = good && ok
		m.put(Quote(text), w.Off)
	}
	m.keep(from, len(st.Text))
	return m.done(), good
}

// plainText replaces in a text that is not split into words.
func (s *scope) plainText(st *Statement) (Statement, bool) {
	m := remap{old: st}
	good := true
	for at := 0; at < len(st.Text); {
		next := strings.IndexByte(st.Text[at:], '$')
		if next < 0 {
			m.keep(at, len(st.Text))
			break
		}
		m.keep(at, at+next)
		at += next
		n := dollar(st.Text[at:])
		text, ok := s.text(st, st.Text[at:at+n], at, true)
		good = good && ok
		m.put(text, at)
		at += n
	}
	return m.done(), good
}

// dollar is how long the name of a parameter is that text begins with, with its
// dollar; or 1, if that stands for itself.
func dollar(text string) int {
	switch {
	case strings.HasPrefix(text, "$$"):
		return 2
	case strings.HasPrefix(text, "${"):
		if i := strings.IndexByte(text, '}'); i > 0 {
			return i + 1
		}
		return 2
	}
	n := 1
	for n < len(text) && wordByte(text[n]) && (n > 1 || text[n] > '9') {
		n++
	}
	return n
}

// text is text, which stands at off in st, with values in place of parameters.
// exact says that it stands there byte for byte.
func (s *scope) text(st *Statement, text string, off int, exact bool) (string, bool) {
	var b strings.Builder
	good := true
	for at := 0; at < len(text); {
		next := strings.IndexByte(text[at:], '$')
		if next < 0 {
			b.WriteString(text[at:])
			break
		}
		b.WriteString(text[at : at+next])
		at += next
		n := dollar(text[at:])
		place := off
		if exact {
			place += at
		}
		value, ok := s.value(st, text[at:at+n], place)
		good = good && ok
		b.WriteString(value)
		at += n
	}
	return b.String(), good
}

// value is what one name stands for, which is written with its dollar.
func (s *scope) value(st *Statement, written string, off int) (string, bool) {
	name := strings.TrimPrefix(written, "$")
	switch {
	case written == "$", written == "$$" && s.later:
		return written, true
	case written == "$$":
		return "$", true
	case strings.HasPrefix(name, "{"):
		inner, closed := strings.CutSuffix(name[1:], "}")
		if !closed || !plainName(inner) {
			s.x.diag.errorf(st, off, dollarHint, "%s is no name of a parameter in brackets", quote(written))
			return "", false
		}
		name = inner
	}
	if value, ok := s.values[name]; ok {
		return value, true
	}
	if s.later && (slices.Contains(builtin(), name) || slices.Contains(ofVirtual(), name)) {
		return written, true
	}
	switch name {
	case "watch":
		return s.watch, true
	case "hosts":
		return strings.Join(s.hosts(), " "), true
	case "host":
		return s.host(st, off)
	}
	if why := s.missing[name]; why != "" {
		s.x.diag.errorf(st, off, "", "there is no $%s for %s: %s", name, s.of, why)
	} else {
		s.unknown(st, off, name)
	}
	return "", false
}

// unknown reports a name that stands for nothing.
func (s *scope) unknown(st *Statement, off int, name string) {
	names, where := builtin(), "a watch"
	if s.later || s.of != "" {
		names, where = append(names, ofVirtual()...), s.of
	}
	if s.template != nil {
		names, where = append(names, s.template.names()...), "template "+s.template.name
	}
	hint := dollarHint
	if near := spelling.Nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean $%s? %s", near, dollarHint)
	}
	s.x.diag.errorf(st, off, hint, "%s has no parameter %s", where, quote(name))
}

// hosts are those of the watch's hostgroup.
func (s *scope) hosts() []string {
	if s.all != nil {
		return s.all
	}
	if hosts, ok := s.x.groups[s.watch]; ok {
		return hosts
	}
	return []string{s.watch} // as the group that it gets
}

func (s *scope) host(st *Statement, off int) (string, bool) {
	hosts := s.hosts()
	if len(hosts) == 1 {
		return hosts[0], true
	}
	s.x.diag.errorf(st, off, "write $hosts for all of them", "hostgroup %s has %d hosts: there is no $host in it", s.watch, len(hosts))
	return "", false
}

// remap makes a statement of parts of another one, and knows where each part
// stood.
type remap struct {
	old    *Statement
	text   strings.Builder
	pieces []piece
}

// keep takes the bytes of the old text from from up to to.
func (m *remap) keep(from, to int) {
	if from >= to {
		return
	}
	if !m.old.nowhere(0) {
		m.piece(from, false)
		base := m.text.Len() - from
		for _, p := range m.old.pieces {
			if off := p.at - m.old.text; off > from && off < to {
				p.at += base
				m.pieces = append(m.pieces, p)
			}
		}
	}
	m.text.WriteString(m.old.Text[from:to])
}

// put takes text in place of what stood at off.
func (m *remap) put(text string, off int) {
	if !m.old.nowhere(0) {
		m.piece(off, true)
	}
	m.text.WriteString(text)
}

// piece begins a part that stands where the byte at off of the old text does.
func (m *remap) piece(off int, fixed bool) {
	at := m.old.logical(off)
	p := m.old.piece(at)
	past := p.past(at)
	m.pieces = append(m.pieces, piece{at: m.old.text + m.text.Len(), raw: p.raw + past, line: p.line, col: p.col + past, fixed: fixed || p.fixed})
}

// done is the statement. Its text is as one line can hold it.
func (m *remap) done() Statement {
	out := *m.old
	out.Text = oneLine(m.text.String())
	if m.old.nowhere(0) {
		return out
	}
	first := m.old.piece(0)
	first.at = 0
	out.pieces = m.pieces
	if len(m.pieces) == 0 || m.pieces[0].at > 0 {
		out.pieces = append([]piece{first}, m.pieces...)
	}
	out.moved = true
	return out
}

// instead is a line that stands where st does, but says something else.
func (s *Statement) instead(name, text string) Statement {
	m := remap{old: s}
	m.put(text, 0)
	out := m.done()
	out.Name, out.Comment, out.Inner, out.made = name, "", nil, true
	return out
}

// cut is the old statement with only a part of its text.
func (m remap) cut(from, to int) Statement {
	m.keep(from, to)
	return m.done()
}
