package config

import (
	"context"
	"slices"
	"strings"
)

// Reader makes statements of a text: [Parse], or one for another language. The
// File is never nil; name is the path, for positions.
type Reader func(name string, src []byte) (*File, Diagnostics)

// maxExpanded is how many statements templates may make in all: two templates
// that use each other's neighbours a hundred times over would fill the memory.
const maxExpanded = 500_000

// Expand puts the statements of included files and of templates where they are
// asked for, so that what it returns holds none but ordinary ones: no
// [KindInclude], no [KindUse], no template, and one hostgroup in each watch. A
// file without any of these is returned as it is. f is not changed.
//
// The positions of statements of templates have a From. The File is never nil,
// but of use to [Resolve] only for further diagnostics if these have errors; if
// files could not be read, or templates made too much, it is empty.
func Expand(ctx context.Context, f *File, o Options) (*File, Diagnostics) {
	var diag collector
	in := includer{ctx: ctx, o: o, diag: &diag}
	f = in.include(f)
	x := expander{diag: &diag, templates: map[string]*template{}, memory: o.Memory}
	f = x.expand(f)
	all := append(in.read, diag.done()...)
	all.Sort()
	return f, all
}

// expander puts the lines of templates where they are used.
type expander struct {
	diag      *collector
	memory    *Memory // may be nil
	templates map[string]*template
	// groups are the hosts of the hostgroups.
	groups map[string][]string
	out    []Statement
	// count is how many statements were made; bytes how much text.
	count, bytes int
	full         bool // one of them was too much, and it was said
	virtuals
}

// expand is f without templates, or f if there is nothing to do.
func (x *expander) expand(f *File) *File {
	if x.memory != nil {
		x.memory.used = false
	}
	if !slices.ContainsFunc(f.Statements, special) {
		return f
	}
	x.collect(f.Statements)
	x.out = make([]Statement, 0, len(f.Statements))
	for i := 0; i < len(f.Statements); {
		st := &f.Statements[i]
		n := 1
		switch {
		case st.Kind == KindUse:
			x.diag.errorf(st, -1, "put it into a watch", "use outside a watch")
		case st.Kind != KindTop:
			x.held(st)
			x.out = append(x.out, *st)
		case st.Name == "template":
			n += len(body(f.Statements[i+1:]))
		case st.Name == "watch":
			lines := body(f.Statements[i+1:])
			n += len(lines)
			x.watch(st, lines)
		case st.Name == "virtual":
			lines := body(f.Statements[i+1:])
			n += len(lines)
			x.virtual(st, lines)
		default:
			x.out = append(x.out, *st)
		}
		i += n
	}
	x.checks()
	out := *f
	out.Statements, out.virtuals = x.out, x.drafts
	if x.full {
		out.Statements = nil
	}
	return &out
}

// special reports whether a statement is one that [Expand] replaces.
func special(s Statement) bool {
	switch {
	case s.Kind == KindUse:
		return true
	case s.Kind != KindTop:
		return false
	}
	return s.Name == "template" || s.Name == "virtual" || s.Name == "watch" && s.plain() && len(fields(s.Text)) > 1
}

// body are the statements that a record begins with which holds services.
func body(all []Statement) []Statement {
	for i := range all {
		switch all[i].Kind {
		case KindService, KindPeriod, KindEnv, KindUse, KindVirtual, KindComment, KindBad, KindMember:
		case KindBlank, KindGlobal, KindTop, KindInclude:
			return all[:i]
		}
	}
	return all
}

// collect finds the templates and the hostgroups, which may be used above the
// line that defines them.
func (x *expander) collect(all []Statement) {
	x.groups = map[string][]string{}
	group, defined := "", [][]Statement(nil)
	for i := range all {
		st := &all[i]
		switch {
		case st.Kind == KindMember && group != "":
			x.groups[group] = append(x.groups[group], members(st.Text)...)
		case st.Kind == KindTop && st.Name == "hostgroup":
			name, hosts := cutName(st.Text)
			group = name
			x.groups[name] = members(hosts)
			x.declare(name, st)
		case st.Kind == KindTop && st.Name == "template":
			group = ""
			lines := body(all[i+1:])
			x.define(st, lines)
			defined = append(defined, all[i:i+1+len(lines)])
		case st.Kind == KindTop || st.Kind == KindBlank:
			group = ""
		}
	}
	if x.memory != nil {
		x.memory.begin(size(all), textOf(defined...))
	}
}

// size is how many bytes of text statements are.
func size(all []Statement) (n int) {
	for i := range all {
		n += len(all[i].lines())
	}
	return n
}

// members are hosts of a hostgroup, without the mark of the disabled.
func members(text string) []string {
	var hosts []string
	for _, w := range fields(text) {
		if host := strings.TrimPrefix(w.Text, "*"); host != "" {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// watch expands one record.
func (x *expander) watch(st *Statement, lines []Statement) {
	names := fields(st.Text)
	several := st.plain() && len(names) > 1
	if !several && !slices.ContainsFunc(lines, func(s Statement) bool { return s.Kind == KindUse }) {
		name, _ := cutName(st.Text)
		x.watched(name)
		x.out = append(append(x.out, *st), lines...)
		return
	}
	if !several {
		name, _ := cutName(st.Text)
		x.build(*st, name, lines, nil)
		return
	}
	for i, w := range names {
		head := (&remap{old: st}).cut(w.Off, w.Off+len(w.Text))
		if i > 0 {
			x.out = append(x.out, Statement{Kind: KindBlank, Pos: st.Pos, moved: true})
		}
		x.build(head, w.Text, lines, &scope{x: x, watch: w.Text})
	}
}

// build makes one watch of its lines; in is what their parameters stand for, if
// they have any.
func (x *expander) build(head Statement, name string, lines []Statement, in *scope) {
	b := builder{x: x, name: name}
	b.block(&layer{}, lines, in)
	x.watched(name)
	x.out = append(x.out, head)
	if b.broken {
		x.out = append(x.out, Statement{Kind: KindBad, Pos: head.Pos, moved: true})
	}
	x.services(b.services)
}

// services gives out services with their periods.
func (x *expander) services(all []*serviceLines) {
	for _, s := range all {
		x.emit(&s.section)
		for _, p := range s.periods {
			x.emit(&p.section)
		}
	}
}

// emit gives out the lines of a section that count.
func (x *expander) emit(s *section) {
	if n := 1 + len(s.lines); cap(x.out)-len(x.out) < n {
		x.out = slices.Grow(x.out, n+len(x.out)) // append would copy a long file five times
	}
	x.out = append(x.out, s.head.Statement)
	for i := range s.lines {
		if !s.lines[i].lost {
			x.out = append(x.out, s.lines[i].Statement)
		}
	}
}

// room reports whether one more statement may be made, with so much text.
func (x *expander) room(st *Statement) bool { return x.rooms(st, 1, len(st.Text)) }

// rooms is room for so many statements with so much text.
func (x *expander) rooms(st *Statement, count, bytes int) bool {
	x.count += count
	x.bytes += bytes
	if x.full || x.count <= maxExpanded && x.bytes <= maxFile {
		return !x.full
	}
	x.full = true
	x.diag.errorf(st, -1, "", "templates and virtual services make more than %d lines or %d MB of the configuration", maxExpanded, maxFile>>20)
	return false
}
