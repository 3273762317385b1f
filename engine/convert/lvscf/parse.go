package lvscf

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

// value is one that the file gives; its zero value is that it does not.
type value struct {
	text string
	n    int
	pos  config.Pos
	raw  string
}

func (v value) given() bool { return v.pos.Line > 0 }

// block is the file, or a part of it between brackets.
type block struct {
	kind, name string
	pos        config.Pos
	values     map[string]value
	inner      []*block
}

// number is the value of a key, or what stands for none.
func (b *block) number(key string, none int) int {
	if v := b.values[key]; v.given() {
		return v.n
	}
	return none
}

// at is the place of a key, or of the block if it has none.
func (b *block) at(key string) config.Pos {
	if v := b.values[key]; v.given() {
		return v.pos
	}
	return b.pos
}

// parser makes blocks of lines.
type parser struct {
	w    *convert.Writer
	name string
	open []*block // the file, and the blocks that are open in it
}

// keys are those of a block.
func keys(kind string) map[string]form {
	switch kind {
	case "":
		return globals()
	case "server":
		return servers()
	}
	return services()
}

func (p *parser) parse(src []byte) *block {
	file := &block{pos: config.Pos{File: p.name}, values: map[string]value{}}
	p.open = []*block{file}
	n := 0
	for line := range bytes.Lines(src) {
		n++
		p.line(n, strings.TrimRight(string(line), "\r\n"))
	}
	if len(p.open) > 1 {
		b := p.open[len(p.open)-1]
		p.w.Errorf(b.pos, "write } below it", "%s %s is never closed", b.kind, b.name)
	}
	return file
}

// line takes one.
func (p *parser) line(n int, line string) {
	body := strings.TrimLeft(line, " \t")
	pos := config.Pos{File: p.name, Line: n, Col: len(line) - len(body) + 1}
	body = strings.TrimRight(body, " \t")
	in := p.open[len(p.open)-1]
	switch {
	case body == "", body[0] == '#':
	case body == "}" && len(p.open) > 1:
		p.open = p.open[:len(p.open)-1]
	case body == "}":
		p.w.Errorf(pos, "", "a } that closes nothing")
	case strings.HasSuffix(body, "{"):
		p.begin(pos, body, in)
	default:
		p.assign(pos, body, in)
	}
}

// begin opens a block.
func (p *parser) begin(pos config.Pos, body string, in *block) {
	words := strings.Fields(body)
	fits := len(words) == 3 && (in.kind == "" && (words[0] == "virtual" || words[0] == "failover") || (in.kind == "virtual" || in.kind == "failover") && words[0] == "server")
	b := &block{pos: pos, values: map[string]value{}, kind: words[0]}
	if len(words) == 3 {
		b.name = words[1]
	}
	switch {
	case len(words) != 3:
		p.w.Errorf(pos, "write KIND NAME {, with blanks between", "a block without a kind or a name")
	case !fits:
		p.w.Errorf(pos, "virtual and failover stand in the file, server in one of them", "%s does not belong here", words[0])
	default:
		in.inner = append(in.inner, b)
	}
	if b.kind != "server" && b.kind != "virtual" && b.kind != "failover" {
		b.kind = "virtual"
	}
	p.open = append(p.open, b)
	if len(p.open) > maxDepth {
		p.open = p.open[:maxDepth]
	}
}

// maxDepth is how many blocks may be open; more are an error in any case.
const maxDepth = 8

// assign takes a key and its value.
func (p *parser) assign(pos config.Pos, body string, in *block) {
	words := strings.Fields(body)
	key := words[0]
	known := keys(in.kind)
	f, ok := known[key]
	switch {
	case !ok:
		p.unknown(pos, key, known)
		return
	case len(words) < 2 || words[1] != "=":
		p.w.Errorf(pos, "write "+key+" = VALUE, with blanks round the =", "%s without a value", key)
		return
	}
	_, raw, _ := strings.Cut(body, "=")
	raw = strings.TrimLeft(raw, " \t")
	s, quoted := unquote(raw)
	if !quoted {
		p.w.Errorf(pos, "", "%s: a quote that is not closed", key)
		return
	}
	n, want := f.judge(s)
	if want != "" {
		p.w.Errorf(pos, "", "%s takes %s, not %q", key, want, s)
		return
	}
	if first := in.values[key]; first.given() {
		p.w.Warnf(pos, "", "%s stands at %s already; this one counts", key, first.pos)
	}
	in.values[key] = value{text: s, n: n, pos: pos, raw: raw}
}

func (p *parser) unknown(pos config.Pos, key string, known map[string]form) {
	p.w.Errorf(pos, config.DidYouMean(key, slices.Sorted(maps.Keys(known))), "unknown key %q", key)
}

// unquote is s without the quotes around it; false if one is not closed.
func unquote(s string) (string, bool) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return s, true
	}
	if len(s) < 2 || s[len(s)-1] != s[0] {
		return "", false
	}
	return s[1 : len(s)-1], true
}
