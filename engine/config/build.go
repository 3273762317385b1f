package config

import (
	"slices"
	"strings"
)

// builder puts one watch together from its own lines and those of templates.
type builder struct {
	x        *expander
	name     string
	services []*serviceLines
	at       cursor
	// pool are the lines of a virtual service above its checks, which are
	// then the services; nil in a watch.
	pool *serviceLines
	// opened is how many service lines there were, last what the last of them
	// began, and uses how many use lines there were.
	opened, uses int
	last         *serviceLines
	broken       bool // a line of it was reported
	// lost is set when a use was: what stands below it is not judged by it.
	lost bool
}

// cursor is where the next line goes.
type cursor struct {
	service *serviceLines
	period  *section
}

// serviceLines are a service and what stands in it.
type serviceLines struct {
	section
	periods []*periodLines
}

type periodLines struct {
	section
	name string
}

// section is a service above its periods, or a period.
type section struct {
	// head is the first line that counts, heads are all.
	head  given
	heads []given
	lines []given
	// byKey are the places in lines of those that count, by directive.
	byKey map[string][]int
}

// given is a statement and the block that gives it.
type given struct {
	Statement
	by   *layer
	lost bool // another one of its directive counts
}

// layer is a block of lines: those of the watch itself, or of one use of a
// template.
type layer struct {
	up    *layer // the block that the use stands in
	depth int
	seq   int // the use, counted through the watch
}

// over is above 0 if a line of a counts more than one of b, 0 if both are of
// one block: own lines count more than those of a template that is used in the
// same block, and of two templates the later one counts.
func (a *layer) over(b *layer) int {
	x, y := a, b
	for x.depth > y.depth {
		x = x.up
	}
	for y.depth > x.depth {
		y = y.up
	}
	if x == y {
		return b.depth - a.depth
	}
	for x.up != y.up {
		x, y = x.up, y.up
	}
	return x.seq - y.seq
}

// block takes the lines of one block. Parameters are replaced if in is not nil.
func (b *builder) block(by *layer, lines []Statement, in *scope) {
	for i := range lines {
		st := &lines[i]
		switch st.Kind {
		case KindBlank, KindComment, KindMember, KindGlobal, KindTop, KindInclude:
			continue
		case KindBad:
			b.broken = true
			continue
		case KindService, KindPeriod, KindEnv, KindUse, KindVirtual:
		}
		line, ok := in.replace(st)
		switch {
		case !ok:
			b.broken = true
			b.lost = b.lost || st.Kind == KindUse
		case !b.x.room(&line):
			b.broken = true
			return
		case st.Kind == KindUse:
			b.use(by, &line, in)
		default:
			b.line(given{Statement: line, by: by}, in != nil)
		}
	}
}

func (b *builder) errorf(st *Statement, off int, hint, format string, args ...any) {
	b.broken = true
	b.x.diag.errorf(st, off, hint, format, args...)
}

// line puts one line where it belongs; made is set if it may have got its text
// only now.
func (b *builder) line(g given, made bool) {
	name, in := g.Name, b.at.service
	switch {
	case b.pool != nil:
		b.virtualLine(g)
	case b.lost && g.Kind == KindService && ofCheck(name):
	case g.Kind == KindVirtual || g.Kind == KindService && (name == "check" || ofCheck(name)):
		b.errorf(&g.Statement, -1, "use the template in a virtual service", "%s in a watch: it is for a virtual service", name)
		if name == "check" {
			b.lost, b.at = true, cursor{}
		}
	case g.Kind == KindService && name == "service":
		b.service(g, made)
	case in == nil && b.lost:
	case in == nil && g.Kind == KindEnv:
		b.errorf(&g.Statement, -1, "write it below a service line", "a variable before the first service of watch %s", b.name)
	case in == nil:
		b.errorf(&g.Statement, -1, "use the template in a service, or let it begin with a service", "%s before the first service of watch %s", quote(name), b.name)
		b.lost = true
	case g.Kind == KindService && name == "period":
		b.period(in, g)
	case g.Kind == KindEnv:
		in.add(g)
	case g.Kind == KindPeriod && b.at.period == nil && b.lost:
	case g.Kind == KindPeriod && b.at.period == nil:
		b.errorf(&g.Statement, -1, "write a line \"period\" above it", "%s outside a period", name)
	case g.Kind == KindPeriod:
		b.at.period.add(g)
	case b.at.period != nil:
		b.errorf(&g.Statement, -1, "directives of the service stand above its first period", "%s after the first period of a service", name)
	default:
		in.add(g)
	}
}

// virtualLine puts a line of a virtual service where it belongs.
func (b *builder) virtualLine(g given) {
	name, in, service := g.Name, b.at.service, g.Kind == KindService
	switch {
	case service && name == "check":
		b.service(g, false)
	case service && name == "service":
		b.errorf(&g.Statement, -1, "write check NAME", "service inside virtual %s", b.name)
	case service && name == "period":
		b.period(in, g)
	case g.Kind == KindEnv:
		in.add(g)
	case g.Kind == KindPeriod && b.at.period == nil:
		b.errorf(&g.Statement, -1, "write a line \"period\" above it", "%s outside a period", name)
	case g.Kind == KindPeriod:
		b.at.period.add(g)
	case service && in == b.pool && ofCheck(name):
		b.errorf(&g.Statement, -1, "write a line \"check\" above it", "%s outside a check", name)
	case in == b.pool && name == "local_fault", g.Kind == KindVirtual && name != "local_fault":
		b.pool.add(g)
	case b.at.period != nil:
		b.errorf(&g.Statement, -1, "it stands above the first period", "%s after a period", name)
	case in == b.pool:
		in.add(g)
	default:
		g.Kind = KindService
		in.add(g)
	}
}

// ofCheck reports whether a directive stands in checks only.
func ofCheck(name string) bool { return name == "on" || name == "through" }

// service begins one, or goes on with the one of that name that another block
// began. One line that is used twice makes two services, which Resolve refuses:
// else one of them would be lost.
func (b *builder) service(g given, made bool) {
	b.opened++
	name, more := cutName(g.Text)
	if made && (name == "" || more != "") {
		b.errorf(&g.Statement, len(name), "names are of letters, digits and . _ -", "invalid service name %s", quote(g.Text))
	}
	for _, s := range slices.Backward(b.services) {
		if s.head.Text != g.Text || g.Text == "" {
			continue
		}
		if slices.ContainsFunc(s.heads, func(h given) bool { return h.by == g.by || h.Pos.compare(g.Pos) == 0 }) {
			break
		}
		s.again(g)
		b.last, b.at = s, cursor{service: s}
		return
	}
	b.last = &serviceLines{section: begin(g)}
	b.services = append(b.services, b.last)
	b.at = cursor{service: b.last}
}

// period begins one, or goes on with the one of that name that another block
// began. What has no expression of its own has that of the other.
func (b *builder) period(s *serviceLines, g given) {
	label, when, _ := cutLabel(g.Text)
	name := label
	if name == "" {
		name = when
	}
	for _, p := range slices.Backward(s.periods) {
		if p.name != name {
			continue
		}
		if slices.ContainsFunc(p.heads, func(h given) bool { return h.by == g.by }) {
			break
		}
		_, other, _ := cutLabel(p.head.Text)
		switch {
		case other == "":
			p.head, p.heads = g, append(p.heads, g)
		case when == "":
			p.heads = append(p.heads, g)
		default:
			p.again(g)
		}
		b.at.period = &p.section
		return
	}
	p := &periodLines{section: begin(g), name: name}
	s.periods = append(s.periods, p)
	b.at.period = &p.section
}

func begin(g given) section { return section{head: g, heads: []given{g}} }

// again takes the first line of the section another time.
func (s *section) again(g given) {
	s.heads = append(s.heads, g)
	if g.by.over(s.head.by) > 0 {
		s.head = g
	}
}

// add takes a line, unless another one of its directive counts.
func (s *section) add(g given) {
	key := g.Name
	if g.Kind == KindEnv {
		key += "="
	}
	have := s.byKey[key]
	if len(have) > 0 && !adds(g.Kind, g.Name) {
		switch over := g.by.over(s.lines[have[0]].by); {
		case over < 0:
			return
		case over > 0:
			for _, i := range have {
				s.lines[i].lost = true
			}
			have = have[:0]
		}
	}
	if s.byKey == nil {
		s.byKey = map[string][]int{}
	}
	s.byKey[key] = append(have, len(s.lines))
	s.lines = append(s.lines, g)
}

// adds reports whether lines of a directive add up, so that none replaces
// another one.
func adds(kind Kind, name string) bool {
	switch name {
	case "alert", "upalert", "startupalert", "ackalert", "disablealert":
		return kind == KindPeriod
	case "exclude_hosts":
		return kind == KindService
	case "local_fault":
		return true
	case "address", "real", "standby", "fallback", "maintenance_at":
		return kind == KindVirtual
	}
	return false
}

// use puts the lines of a template where the cursor is.
func (b *builder) use(by *layer, st *Statement, in *scope) {
	b.uses++ // one that fails, too: it is told, and must not be given out as it stands
	next, ok := b.x.bind(st, in, b)
	if !ok {
		b.broken, b.lost = true, true
		return
	}
	back, opened := b.at, b.opened
	b.block(&layer{up: by, depth: by.depth + 1, seq: b.uses}, next.template.body, next)
	if b.opened == opened || b.pool != nil {
		b.at = back
		return
	}
	b.at = cursor{service: b.last}
}

// plainName reports whether s may be the name of a parameter.
func plainName(s string) bool {
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f || !wordByte(byte(r)) })
}
