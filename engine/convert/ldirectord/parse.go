package ldirectord

import (
	"bytes"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

// value is one that the file gives; its zero value is that it does not.
type value struct {
	text string
	n    int
	pos  config.Pos
	// raw is what stands behind the =, and at where that is.
	raw string
	at  config.Pos
}

// given reports whether the file has it.
func (v value) given() bool { return v.pos.Line > 0 }

// values are those of the file or of a section, by name; the last one counts.
type values map[string]value

// file is an ldirectord.cf.
type file struct {
	values   values
	execute  []value
	virtuals []*section
}

// section is a virtual service as the file has it.
type section struct {
	values
	pos   config.Pos
	six   bool  // virtual6
	where value // its address
	reals []value
}

// parser makes a file of its lines.
type parser struct {
	w     *convert.Writer
	name  string
	file  file
	open  *section // the section that the next line may belong to
	blank bool     // the last line that was no comment was blank, and ended a section
}

func (p *parser) parse(src []byte) *file {
	p.file.values = values{}
	n := 0
	for line := range bytes.Lines(src) {
		n++
		p.line(n, strings.TrimRight(string(line), "\r\n"))
	}
	return &p.file
}

// line takes one.
func (p *parser) line(n int, line string) {
	if p.open != nil {
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") {
			return
		}
		if p.inSection(n, line) {
			return
		}
		p.open, p.blank = nil, strings.TrimSpace(line) == ""
	}
	body := strings.TrimLeft(line, " \t")
	switch {
	case body == "", body[0] == '#':
	case len(body) < len(line):
		p.stray(n, line, len(line)-len(body)+1)
	default:
		p.atLeft(n, line)
	}
}

// stray is a line that is indented, where no section is open.
func (p *parser) stray(n int, line string, col int) {
	pos := config.Pos{File: p.name, Line: n, Col: col}
	hint := "directives of a virtual service stand below its line virtual = ..., by four columns or more to the right"
	if p.blank && columns(line) >= 4 {
		hint = "the blank line above ended the section of the virtual service: take it out"
	}
	p.w.Errorf(pos, hint, "%s belongs to no virtual service", strings.TrimSpace(cutName(line[col-1:])))
}

// columns is how far to the right a line begins, a tab counting four as
// ldirectord has it.
func columns(line string) int {
	n := 0
	for _, c := range line {
		switch c {
		case ' ':
			n++
		case '\t':
			n += 4
		default:
			return n
		}
	}
	return n
}

// inSection takes a line of the open section, or reports that it ends it.
func (p *parser) inSection(n int, line string) bool {
	cut, _, commented := strings.Cut(line, "#")
	if columns(cut) < 4 || len(cut) == 0 || columns(cut) == 4 && strings.TrimSpace(cut) == "" {
		return false
	}
	body := strings.TrimLeft(cut, " \t")
	pos := config.Pos{File: p.name, Line: n, Col: len(cut) - len(body) + 1}
	if strings.TrimSpace(body) == "" {
		p.w.Errorf(config.Pos{File: p.name, Line: n}, "take the blanks out: the line then ends the section", "a line of nothing but blanks within a section: ldirectord refuses it")
		return true
	}
	hint := ""
	if commented {
		hint = "ldirectord takes # for the begin of a comment, even between quotes; in a path write %23"
	}
	d, v, ok := p.assign(pos, body, virtual, hint)
	switch {
	case !ok:
	case d.name == "real" || d.name == "real6":
		p.family(d.name, "real", pos)
		p.open.reals = append(p.open.reals, v)
	case d.name == "fallback" || d.name == "fallback6":
		p.family(d.name, "fallback", pos)
		p.open.values["fallback"] = v
	default:
		p.open.values[d.name] = v
	}
	return true
}

// family judges whether a name of a directive with or without 6 fits the
// section.
func (p *parser) family(name, base string, pos config.Pos) {
	if strings.HasSuffix(name, "6") == p.open.six {
		return
	}
	want := base
	if p.open.six {
		want += "6"
	}
	p.w.Errorf(pos, "write "+want, "%s does not go with the family of its virtual service", name)
}

// atLeft takes a line at the left edge.
func (p *parser) atLeft(n int, line string) {
	pos := config.Pos{File: p.name, Line: n, Col: 1}
	name := cutName(line)
	if name == "virtual" || name == "virtual6" {
		text, at, ok := assignedText(line)
		if ok {
			at := config.Pos{File: p.name, Line: n, Col: at + 1}
			p.open = &section{values: values{}, pos: pos, six: name == "virtual6", where: value{text: text, raw: text, pos: pos, at: at}}
			p.file.virtuals = append(p.file.virtuals, p.open)
			return
		}
	}
	if strings.TrimSpace(line) == "supervised" {
		p.w.Warnf(pos, "write supervised = yes", "ldirectord warns of a bare supervised")
		p.file.values["supervised"] = value{text: "yes", pos: pos, at: pos}
		return
	}
	d, v, ok := p.assign(pos, line, global, "")
	switch {
	case !ok:
	case d.name == "execute":
		p.file.execute = append(p.file.execute, v)
	default:
		p.file.values[d.name] = v
	}
}

// cutName is the name that a line begins with.
func cutName(line string) string {
	i := strings.IndexFunc(line, func(r rune) bool { return r == '=' || r == ' ' || r == '\t' })
	if i < 0 {
		return line
	}
	return line[:i]
}

// assignedText is what stands behind the = of a line, without blanks around
// it, and at which byte.
func assignedText(line string) (text string, at int, ok bool) {
	name, rest, ok := strings.Cut(line, "=")
	text = strings.TrimLeft(rest, " \t")
	at = len(name) + 1 + len(rest) - len(text)
	return strings.TrimRight(text, " \t"), at, ok && strings.TrimRight(name, " \t") == cutName(line)
}

// assign reads name = value.
func (p *parser) assign(pos config.Pos, body string, where scope, hint string) (*directive, value, bool) {
	name := cutName(body)
	d := findIn(name, where)
	text, at, ok := assignedText(body)
	if d == nil || !ok {
		p.unknown(pos, name, where, d != nil)
		return nil, value{}, false
	}
	v := value{raw: text, pos: pos, at: config.Pos{File: pos.File, Line: pos.Line, Col: pos.Col + at}}
	want := ""
	v.text, v.n, want = d.judge(text)
	if want != "" {
		p.w.Errorf(v.at, hint, "%s takes %s", name, want)
		return nil, value{}, false
	}
	return d, v, true
}

func (p *parser) unknown(pos config.Pos, name string, where scope, known bool) {
	switch other := find(name); {
	case known:
		p.w.Errorf(pos, "write "+name+" = VALUE", "%s without a value", name)
	case other != nil && where == global:
		p.w.Errorf(pos, "write it by four columns or more to the right, below its line virtual = ...", "%s is for a virtual service", name)
	case other != nil:
		p.w.Errorf(pos, "write it at the left edge, above the virtual services", "%s is no directive of a virtual service", name)
	default:
		p.w.Errorf(pos, config.DidYouMean(name, namesOf(where)), "unknown directive %q", name)
	}
}
