package lang

import (
	"strings"

	"github.com/mondhq/mond/engine/config"
)

// source gives lines, one after the other.
type source interface{ next() (text, bool) }

// lines is a source: the rest of a definition of several lines, or of a line
// that was cut at a brace.
type lines struct{ all []text }

func (l *lines) next() (text, bool) {
	if len(l.all) == 0 {
		return text{}, false
	}
	t := l.all[0]
	l.all = l.all[1:]
	return t, true
}

// reader makes lines out of files.
type reader struct {
	Options

	limits  Limits
	doc     *Document
	sources []source // the last is read first
	defs    map[string]*definition
	// files and read are how many were read, and their bytes; made is what
	// definitions and sequences made of them, count how many lines there were.
	// full is set once any is too much.
	files, read, made int
	count             int
	// said is how many problems there are of each grade, kept or not.
	said [Error + 1]int
	full bool
}

func (r *reader) push(s source) { r.sources = append(r.sources, s) }

// spend counts what was made; false if it is too much.
func (r *reader) spend(n int, pos config.Pos) bool {
	r.made += n + 16
	if r.made > r.limits.Bytes {
		r.once(pos, "is one definition used in another, again and again?", "definitions and sequences make more than %d bytes", r.limits.Bytes)
		return false
	}
	return true
}

// pull is the next line of any source, without its comment; blank is set if
// there was nothing on it, not even a comment.
func (r *reader) pull() (t text, blank, ok bool) {
	for len(r.sources) > 0 {
		top := r.sources[len(r.sources)-1]
		t, ok := top.next()
		if !ok {
			r.sources = r.sources[:len(r.sources)-1]
			continue
		}
		if len(t.s) > r.limits.Line {
			r.once(t.at(0), "", "a line of more than %d bytes", r.limits.Line)
			return text{}, false, false
		}
		if _, is := top.(*file); is {
			blank = t.s == ""
			t = r.decomment(t)
		}
		return t, blank, true
	}
	return text{}, false, false
}

// line is the next line that is of the file's meaning: a brace alone, or words.
func (r *reader) line() (text, bool) {
	for {
		t, _, ok := r.pull()
		if !ok {
			return text{}, false
		}
		if r.count++; r.count > r.limits.Lines {
			r.once(t.at(0), "", "more than %d lines", r.limits.Lines)
			return text{}, false
		}
		if t = r.meaning(t); t.s == "" || r.include(t) {
			continue
		}
		return r.split(t), true
	}
}

// meaning is t with its condition judged and its definitions replaced; empty if
// it is a definition or a sequence itself.
func (r *reader) meaning(t text) text {
	for range 1000 {
		if strings.HasPrefix(t.s, "@") {
			if t = r.condition(t); t.s == "" {
				return t
			}
		}
		if r.define(t) || r.sequence(t) {
			return text{}
		}
		next, changed := r.replace(t)
		if !changed {
			return t
		}
		t = r.decomment(next)
		if !strings.Contains(t.s, "$") && !strings.HasPrefix(t.s, "@") && !strings.HasPrefix(t.s, "~") {
			return t
		}
	}
	r.once(t.at(0), "a definition may not hold itself", "definitions that never end")
	return text{}
}

// condition is what stands behind @ID, or nothing if it does not count.
func (r *reader) condition(t text) text {
	off := 1
	not := strings.HasPrefix(t.s, "@^")
	if not {
		off = 2
	}
	end := strings.IndexAny(t.s[off:], blanks)
	if end < 0 {
		return text{}
	}
	end += off
	if (r.ID != "" && t.s[off:end] == r.ID) == not {
		return text{}
	}
	return t.cut(end, len(t.s)).trim()
}

// split cuts t at the first brace that is not quoted: what follows is the next
// line.
func (r *reader) split(t text) text {
	cut := 0
	if c := t.s[0]; c == '{' || c == '}' {
		cut = len(t.s) - len(strings.TrimLeft(t.s[1:], blanks))
	} else if cut = brace(t.s); cut < 0 {
		return t.trim()
	}
	if rest := t.cut(cut, len(t.s)).trim(); rest.s != "" {
		r.push(&lines{[]text{rest}})
	}
	return t.cut(0, cut).trim()
}

// brace is where the first one outside of quotes stands, or -1.
func brace(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{', '}':
			return i
		case '"':
			end := strings.IndexByte(s[i+1:], '"')
			if end < 0 {
				return -1
			}
			i += end + 1
		}
	}
	return -1
}

// decomment takes away the comment and the blanks around, and the backslash
// before what would begin a comment. A backslash at the end stays, alone.
func (r *reader) decomment(t text) text {
	t = t.cut(len(t.s)-len(strings.TrimLeft(t.s, blanks)), len(t.s))
	if !strings.ContainsAny(t.s, `!#"\`) {
		return t.trim()
	}
	quote, end, goesOn := -1, len(t.s), false
	var gone []int // backslashes to take away
	for i := 0; i < len(t.s); i++ {
		comment := end < len(t.s)
		switch c := t.s[i]; {
		case c == '"' && !comment && quote < 0:
			quote = i
		case c == '"' && !comment:
			quote = -1
		case c == '\\' && i+1 == len(t.s):
			goesOn = true
		case c == '\\':
			if i++; quote < 0 && !comment && (t.s[i] == '#' || t.s[i] == '!') {
				gone = append(gone, i-1)
			}
		case (c == '#' || c == '!') && quote < 0 && !comment:
			end = i
		}
	}
	if len(gone) > 0 {
		r.warnf(t.at(gone[0]), "put it between quotes", "keepalived 2.2.7 takes what follows the backslash for a comment after all")
	}
	if quote >= 0 {
		r.errorf(t.at(quote), `end it with a "`, "a quote that is never closed")
	}
	backslash := t.cut(len(t.s)-1, len(t.s))
	if goesOn {
		end = min(end, len(t.s)-1)
	}
	if t = t.cut(0, end).without(gone); goesOn {
		return join(t.trim(), backslash)
	}
	return t.trim()
}
