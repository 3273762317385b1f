package config

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// checks makes the services of all virtual services, and puts them into the
// output: into the watch that the file has of that name, or into one at the
// end.
func (x *expander) checks() {
	if len(x.drafts) == 0 {
		return
	}
	x.reserved()
	for _, v := range x.drafts {
		x.nobody(v)
		for i := range v.reals {
			x.real(v, &v.reals[i])
		}
	}
	x.place()
}

// reserved reports what the file declares and the pools need.
func (x *expander) reserved() {
	const hint = "give it another name: group virtual holds the services of the virtual services themselves"
	if st := x.declared[VirtualGroup]; st != nil {
		x.diag.errorf(st, 0, hint, "hostgroup virtual beside the virtual service at %s", x.drafts[0].st.Pos)
	}
	if at, ok := x.watches[VirtualGroup]; ok {
		x.diag.errorf(&x.out[at], 0, hint, "watch virtual beside the virtual service at %s", x.drafts[0].st.Pos)
	}
}

// real makes the services of one real.
func (x *expander) real(v *virtualDraft, m *vreal) {
	g := x.group(m)
	var called [3]string
	if v.names() {
		called = m.called(v.port())
	}
	for i, c := range v.checks {
		if !c.isFor(m.tier, called) {
			continue
		}
		if c.through != nil && !x.private(v, m, c) {
			continue
		}
		name, ok := x.serviceFor(g, v, m, i)
		if !ok {
			v.broken = true
			continue
		}
		key := serviceKey{Group: m.group, Service: name}
		if !slices.Contains(m.keys, key) {
			m.keys = append(m.keys, key)
		}
	}
}

// serviceFor makes the service of check i of a real, unless it is known from another
// virtual service, and says its name.
func (x *expander) serviceFor(g *madeGroup, v *virtualDraft, m *vreal, i int) (name string, ok bool) {
	c, form := v.checks[i], m.form(v, i)
	if name, ok = g.known[form]; ok {
		return name, true
	}
	name, lines, ok := x.make(v, m, c, v.scope(x, m))
	if !ok {
		return "", false
	}
	x.service(g, v, c, name, lines)
	if form != "" {
		g.known[form] = name
	}
	return name, true
}

// group is the hostgroup of a real.
func (x *expander) group(m *vreal) *madeGroup {
	if x.made == nil {
		x.made = map[string]*madeGroup{}
	}
	g := x.made[m.group]
	if g == nil {
		g = &madeGroup{name: m.group, addr: m.addr, st: m.st, off: m.off, byName: map[string]*madeService{}, known: map[string]string{}}
		x.made[m.group] = g
		x.order = append(x.order, g)
		if st := x.declared[m.group]; st != nil && !slices.Equal(x.groups[m.group], []string{m.addr.String()}) {
			x.diag.errorf(m.st, m.off, "give the real another name, or the hostgroup that host alone",
				"hostgroup %s, declared at %s, is not just %s", m.group, st.Pos, m.addr)
		}
		g.given = x.declaredServices(m.group)
		return g
	}
	if g.addr != m.addr && !x.twice(m.st.Pos, g.st.Pos) {
		x.diag.errorf(m.st, m.off, "give one of them another name", "hostgroup %s is %s at %s, and %s here", m.group, g.addr, g.st.At(g.off), m.addr)
	}
	return g
}

// twice reports whether something was said of two places before.
func (x *expander) twice(a, b Pos) bool {
	if x.told == nil {
		x.told = map[[2]Pos]bool{}
	}
	key := [2]Pos{a, b}
	was := x.told[key]
	x.told[key] = true
	return was
}

// declaredServices are those of a watch of the file.
func (x *expander) declaredServices(name string) map[string]*madeService {
	at, ok := x.watches[name]
	if !ok {
		return nil
	}
	all := map[string]*madeService{}
	var s *madeService
	for _, st := range body(x.out[at+1:]) {
		switch {
		case st.Kind == KindService && st.Name == "service":
			s = &madeService{st: &st}
			all[st.Text] = s
		case s != nil && st.Kind != KindComment:
			s.lines = append(s.lines, st)
		}
	}
	return all
}

// scope is what the parameters stand for in the checks of a real.
func (v *virtualDraft) scope(x *expander, m *vreal) *scope {
	in := &scope{x: x, each: true, watch: m.group, of: "virtual " + v.name, all: []string{m.addr.String()}, missing: map[string]string{}}
	in.values = map[string]string{"virtual": v.name}
	v.bind(in)
	in.all = []string{m.addr.String()}
	clear := func(name, value string) {
		delete(in.missing, name)
		in.values[name] = value
	}
	clear("real", m.addr.String())
	clear("name", m.label())
	clear("weight", strconv.Itoa(m.weight))
	delete(in.missing, "port")
	if port := m.portIn(v.port()); port > 0 {
		in.values["port"] = strconv.Itoa(int(port))
	} else {
		in.missing["port"] = fmt.Sprintf("real %s has none: write it behind the address", m.label())
	}
	return in
}

// port is that of the first address; 0 for none.
func (v *virtualDraft) port() uint16 {
	if len(v.addresses) == 0 {
		return 0
	}
	return v.addresses[0].port
}

// make makes the lines of a service: those of a check for one real.
func (x *expander) make(v *virtualDraft, m *vreal, c *vcheck, in *scope) (name string, lines []Statement, ok bool) {
	name, ok = c.name, true
	if strings.Contains(name, "$") {
		head, good := in.replace(c.st)
		if name = head.Text; !good {
			return "", nil, false
		}
	}
	lines = make([]Statement, 0, len(c.lines)+1+len(x.holding))
	for i := range c.lines {
		line, good := in.replace(&c.lines[i])
		ok = ok && good && x.room(&line)
		if line.Kind == KindService && line.Name == "monitor" {
			if name == "" {
				name = monitorName(line.Text)
			}
			if c.through != nil {
				line = throughMonitor(&line, m, v.addresses[0].word())
			}
		}
		lines = append(lines, line)
	}
	if !ok {
		return "", nil, false
	}
	if !IsName(name) && (c.monitor == nil || c.name != "" && !strings.Contains(c.name, "$")) {
		return "", nil, false // it was reported
	}
	if !IsName(name) {
		x.diag.errorf(c.st, 0, "names are of letters, digits and . _ -", "invalid name %s of a check", quote(name))
		return "", nil, false
	}
	return name, x.complete(c, lines), true
}

// complete adds what a check inherits, above its first period.
func (x *expander) complete(c *vcheck, lines []Statement) []Statement {
	var more []Statement
	if c.monitor != nil && !c.plan {
		more = append(more, c.st.instead("interval", "10s"))
	}
	for _, st := range x.holding {
		if !slices.ContainsFunc(c.lines, func(s Statement) bool { return s.Kind == KindService && s.Name == st.Name }) {
			more = append(more, st)
		}
	}
	at := slices.IndexFunc(lines, func(s Statement) bool { return s.Kind == KindService && s.Name == "period" })
	if at < 0 {
		at = len(lines)
	}
	return slices.Insert(lines, at, more...)
}

// monitorName is the name of a check that has none: that of its monitor, and
// the port that its option -p names.
func monitorName(line string) string {
	words, err := Words(line)
	if err != nil || len(words) == 0 {
		return ""
	}
	name := words[0].Text
	name = strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], ".monitor")
	for i, w := range words[1:] {
		port, ok := strings.CutPrefix(w.Text, "-p")
		if ok && port == "" && i+2 < len(words) {
			port = words[i+2].Text
		}
		if ok && digits(port) {
			return name + "-" + port
		}
	}
	return name
}

// throughMonitor is the line of a monitor that goes to the virtual address with
// the mark of a real. It must not come from that address, which the kernel would
// choose: the real's answers would go to the real itself.
func throughMonitor(st *Statement, real *vreal, to string) Statement {
	options := fmt.Sprintf(" --mark %d --to %s", real.mark, to)
	if !slices.Contains(strings.Fields(st.Text), "--source") {
		options += fmt.Sprintf(" --source to:%s", real.addr)
	}
	end := len(firstWord(st.Text))
	m := remap{old: st}
	m.keep(0, end)
	m.put(options, end)
	m.keep(end, len(st.Text))
	return m.done()
}

// service adds a service to a group, unless it is there: then both must be
// equal.
func (x *expander) service(g *madeGroup, v *virtualDraft, c *vcheck, name string, lines []Statement) {
	s := &madeService{st: c.st, of: v.name, lines: lines}
	old := g.byName[name]
	if old == nil {
		old = g.given[name]
	}
	if old == nil {
		s.head = c.st.instead("service", name)
		s.head.each = true
		g.services = append(g.services, s)
		g.byName[name] = s
		return
	}
	differs := difference(old.lines, lines)
	if differs == "" || x.twice(c.st.Pos, old.st.Pos) {
		return
	}
	who := "that of virtual " + old.of
	if old.of == "" {
		who = "that of watch " + g.name
	}
	x.diag.errorf(c.st, -1, "give one of them a name of its own, or make their lines equal",
		"service %s:%s differs from %s at %s: %s", g.name, name, who, old.st.Pos, differs)
}

// difference says in which directive b, the one here, differs from a, or "". The
// order of their directives means nothing.
func difference(a, b []Statement) string {
	x, y := orderly(a), orderly(b)
	for i := range max(len(x), len(y)) {
		switch {
		case i >= len(x):
			return "only here is " + said(y[i])
		case i >= len(y):
			return "only there is " + said(x[i])
		case !x[i].same(y[i]) && x[i].Name == y[i].Name:
			return fmt.Sprintf("%s there, and %s here", said(x[i]), said(y[i]))
		case !x[i].same(y[i]):
			return fmt.Sprintf("%s there, but %s here", said(x[i]), said(y[i]))
		}
	}
	return ""
}

// said is a line as a message has it.
func said(st *Statement) string { return quote(strings.TrimSpace(st.Name + " " + st.Text)) }

// orderly are lines of a service by name; those of one name, and the periods,
// stay in order.
func orderly(lines []Statement) []*Statement {
	all := make([]*Statement, 0, len(lines))
	from := 0
	sort := func() {
		slices.SortStableFunc(all[from:], func(a, b *Statement) int {
			if n := int(a.Kind) - int(b.Kind); n != 0 {
				return n
			}
			return strings.Compare(a.Name, b.Name)
		})
	}
	for i := range lines {
		st := &lines[i]
		if st.Kind == KindService && st.Name == "period" {
			sort()
			all = append(all, st)
			from = len(all)
			continue
		}
		if st.means() {
			all = append(all, st)
		}
	}
	sort()
	return all
}

// firstMark and markMask bound the private marks of checks through the
// director.
const (
	firstMark = 0x6d000000
	markMask  = 0xffffff
)

// IsPrivateMark reports whether a firewall mark is one of those that checks
// through the director have: no clients come by it.
func IsPrivateMark(mark uint32) bool { return mark&^markMask == firstMark }

// mark takes a firewall mark, and reports whether it was free.
func (x *expander) mark(n uint32) bool {
	if x.marks == nil {
		x.marks = map[uint32]bool{}
	}
	was := x.marks[n]
	x.marks[n] = true
	return !was
}

// private gives a real a mark for the checks that go through the director: the
// same for the same address and real, as long as no other has it.
func (x *expander) private(v *virtualDraft, m *vreal, c *vcheck) bool {
	if m.mark > 0 || len(v.addresses) == 0 {
		return m.mark > 0
	}
	a := &v.addresses[0]
	if a.proto == "" || a.first != a.last || a.port == 0 {
		v.broken = true
		if !x.twice(c.through.Pos, a.st.Pos) {
			x.diag.errorf(c.through, -1, "let the first address be one with a port", "through wants an address to go to, and %s is none", a)
		}
		return false
	}
	h := fnv.New32a()
	h.Write([]byte(a.String() + " " + m.word(a.port)))
	for n := h.Sum32(); m.mark == 0; n++ {
		if mark := firstMark + n&markMask; x.mark(mark) {
			m.mark = mark
		}
	}
	return true
}

// place puts the services where they belong.
func (x *expander) place() {
	x.fill()
	room := 0
	for _, g := range x.order {
		room += 4
		for _, s := range g.services {
			room += 1 + len(s.lines)
		}
	}
	x.out = slices.Grow(x.out, room)
	for _, g := range x.order {
		if _, watched := x.watches[g.name]; x.declared[g.name] == nil && (watched || len(g.services) > 0) {
			x.record(g, "hostgroup", g.name+" "+g.addr.String())
		}
	}
	for _, g := range x.order {
		if _, watched := x.watches[g.name]; !watched && len(g.services) > 0 {
			x.record(g, "watch", g.name)
			x.lines(g)
		}
	}
}

// fill puts services into the watches that the file has.
func (x *expander) fill() {
	into := map[int]*madeGroup{} // by the end of the watch
	for _, g := range x.order {
		if at, watched := x.watches[g.name]; watched && len(g.services) > 0 {
			into[at+1+len(body(x.out[at+1:]))] = g
		}
	}
	if len(into) == 0 {
		return
	}
	was, from := x.out, 0
	x.out = make([]Statement, 0, len(was)+len(was)/4)
	for _, at := range slices.Sorted(maps.Keys(into)) {
		x.out = append(x.out, was[from:at]...)
		x.lines(into[at])
		from = at
	}
	x.out = append(x.out, was[from:]...)
}

// lines gives out all services that were made in g.
func (x *expander) lines(g *madeGroup) {
	for _, s := range g.services {
		x.out = append(x.out, s.head)
		x.out = append(x.out, s.lines...)
	}
}

// record begins a record that a real made.
func (x *expander) record(g *madeGroup, word, text string) {
	st := g.st.instead(word, text)
	st.Kind = KindTop
	x.out = append(x.out, Statement{Kind: KindBlank, Pos: st.Pos, moved: true}, st)
}
