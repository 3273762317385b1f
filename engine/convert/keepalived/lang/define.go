package lang

import (
	"path/filepath"
	"strings"

	"github.com/mondhq/mond/engine/config"
)

// definition is $NAME=TEXT.
type definition struct {
	pos config.Pos
	// lines are its text: one, or several if it goes on with backslashes.
	lines []text
	many  bool
}

func letter(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }
func digit(c byte) bool  { return '0' <= c && c <= '9' }

// name is the length of the name that s begins with.
func name(s string) int {
	i := 0
	for i < len(s) && (letter(s[i]) || i > 0 && digit(s[i])) {
		i++
	}
	return i
}

// define takes t in if it is a definition, with the lines that it goes on with.
func (r *reader) define(t text) bool {
	if !strings.HasPrefix(t.s, "$") {
		return false
	}
	n := name(t.s[1:])
	if n == 0 || len(t.s) == n+1 || t.s[n+1] != '=' {
		return false
	}
	d := &definition{pos: t.at(0)}
	r.defs[t.s[1:n+1]] = d
	t = t.cut(n+2, len(t.s)).trim()
	if !strings.HasSuffix(t.s, `\`) {
		d.lines = []text{t}
		return true
	}
	d.many = true
	d.add(t.cut(0, len(t.s)-1))
	for {
		next, blank, ok := r.pull()
		if !ok || blank {
			break
		}
		if next.s == "" {
			continue
		}
		if !strings.HasSuffix(next.s, `\`) {
			d.add(next)
			break
		}
		d.add(next.cut(0, len(next.s)-1))
	}
	if len(d.lines) == 0 {
		d.lines, d.many = []text{textAt("", d.pos)}, false
	}
	return true
}

func (d *definition) add(t text) {
	if t = t.trim(); t.s != "" {
		d.lines = append(d.lines, t)
	}
}

// use is a place where a definition is used: from, to are its bytes.
type use struct {
	name, params string
	from, to     int
	// last is set if nothing follows: only there may one of several lines stand.
	last bool
}

// find reads the use at the dollar at i.
func find(s string, i int) (use, bool) {
	at, braced := i+1, false
	if at < len(s) && s[at] == '{' {
		at, braced = at+1, true
	}
	n := name(s[min(at, len(s)):])
	if n == 0 {
		return use{}, false
	}
	u := use{name: s[at : at+n], from: i, to: at + n}
	if braced {
		end := strings.IndexByte(s[u.to:], '}')
		if end < 0 {
			return use{}, false
		}
		u.params = s[u.to : u.to+end]
		u.to += end + 1
		if u.params != "" && u.params[0] != ' ' {
			return use{}, false
		}
	} else if u.to < len(s) && !strings.Contains(" \t,)", s[u.to:u.to+1]) {
		return use{}, false
	}
	u.last = u.to == len(s)
	return u, true
}

// replace puts the values of definitions where they are used. Of one of several
// lines the first stands there, and the others are the next lines.
func (r *reader) replace(t text) (text, bool) {
	changed := false
	for cur := 0; ; {
		i := strings.IndexByte(t.s[cur:], '$')
		if i < 0 {
			return t, changed
		}
		i += cur
		u, ok := find(t.s, i)
		var value text
		if ok {
			value, ok = r.value(u, t.at(i))
		}
		if !ok {
			cur = i + 1
			continue
		}
		t = join(join(t.cut(0, u.from), value), t.cut(u.to, len(t.s)))
		changed = true
		if len(t.s) > r.limits.Line {
			r.once(t.at(0), "", "definitions make a line of more than %d bytes", r.limits.Line)
			return text{}, true
		}
		if !r.spend(len(t.s), t.at(0)) {
			return text{}, true
		}
		if strings.HasPrefix(strings.TrimLeft(value.s, blanks), "~") {
			return t, true
		}
	}
}

// value is what the use stands for.
func (r *reader) value(u use, pos config.Pos) (text, bool) {
	d := r.defs[u.name]
	switch {
	case d == nil:
		return r.predefined(u, pos)
	case d.many && !u.last, u.params != "":
		return text{}, false
	case !d.many:
		return madeAt(d.lines[0].s, pos), true
	}
	from := &config.Origin{Template: "$" + u.name, Pos: pos}
	rest := make([]text, 0, len(d.lines)-1)
	for _, l := range d.lines[1:] {
		if !r.spend(len(l.s), pos) {
			return text{}, false
		}
		rest = append(rest, l.usedAt(from))
	}
	r.push(&lines{rest})
	return d.lines[0].usedAt(from), true
}

// predefined is the value of what keepalived defines itself.
func (r *reader) predefined(u use, pos config.Pos) (text, bool) {
	what := "${" + u.name + u.params + "}"
	switch u.name {
	case "_HASH":
		return madeAt("#", pos), u.params == ""
	case "_BANG":
		return madeAt("!", pos), u.params == ""
	case "_PWD":
		dir, err := filepath.Abs(filepath.Dir(pos.File))
		return madeAt(dir, pos), err == nil && u.params == ""
	case "_INSTANCE":
		return madeAt(r.ID, pos), u.params == ""
	case "_RANDOM":
		low := "0"
		if f := strings.Fields(u.params); len(f) > 0 && strings.Trim(f[0], "0123456789") == "" {
			low = f[0]
		}
		r.say(Lost, pos, what, "", "keepalived takes another number at each start; this is the least, %s: choose one", low)
		return madeAt(low, pos), true
	case "_ENV":
		value, ok := r.Env(strings.TrimSpace(u.params))
		if !ok {
			r.warnf(pos, "", "%s: there is no such variable in the environment", what)
		}
		r.say(Lost, pos, what, "", "the value is that of now; keepalived reads it at each start")
		return madeAt(value, pos), true
	}
	if u.params == "" && strings.HasPrefix(what, "${") {
		r.warnf(pos, "define it above, as $"+u.name+"=TEXT", "$%s is not defined: keepalived leaves it as it is", u.name)
	}
	return text{}, false
}
