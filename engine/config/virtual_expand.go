package config

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/virtual"
)

// serviceKey is short for what names a service.
type serviceKey = opstatus.Key

// virtualDraft is a virtual service on its way from its lines to its meaning:
// [Expand] reads the addresses, reals and checks, since services follow from
// them, and leaves the other lines to [Resolve].
type virtualDraft struct {
	st   *Statement // its first line
	name string
	// lines are those of the pool, its service and its periods, with values
	// in place of parameters.
	lines     []Statement
	addresses []vaddress
	reals     []vreal
	checks    []*vcheck
	broken    bool // a line of it was reported

	// text is what lines it was made of, if it may be made of them again; was is
	// what it was made into then. count and bytes are the room that it took.
	text         string
	was          *pool
	count, bytes int
}

// vcheck is a check before it is made a service for each real.
type vcheck struct {
	st    *Statement
	name  string // empty for that of the monitor
	lines []Statement
	on    [virtual.Fallback + 1]bool // by tier
	// who are the reals that the line on names, named is what they are called.
	who     []whom
	named   map[string]bool
	through *Statement
	monitor *Statement
	plan    bool // it says when it is done
	form    form
}

// virtuals is what an expander knows of virtual services.
type virtuals struct {
	drafts []*virtualDraft
	named  map[string]*virtualDraft
	// holding are the variables that hold for the services below them.
	holding []Statement
	// declared are the hostgroups of the file; watches say where in the output
	// the record of one begins.
	declared map[string]*Statement
	watches  map[string]int
	made     map[string]*madeGroup
	order    []*madeGroup
	marks    map[uint32]bool
	told     map[[2]Pos]bool
}

// madeGroup is the hostgroup of a real.
type madeGroup struct {
	name     string
	addr     netip.Addr // its host
	st       *Statement // the line of the real that made it
	off      int
	services []*madeService
	byName   map[string]*madeService
	// given are the services that the file itself declares there.
	given map[string]*madeService
	// known are the names of services, by the form and the values of the checks
	// that they were made of.
	known map[string]string
}

// madeService is a service of a real.
type madeService struct {
	st    *Statement // the check that made it
	of    string     // its virtual service, empty if the file declares it
	head  Statement  // its first line, if it was made
	lines []Statement
}

// held notes a variable that holds for the services below it.
func (x *expander) held(st *Statement) {
	if st.Kind != KindGlobal || !slices.Contains([]string{"dep_behavior", "dep_memory", "unack_summary", "notify"}, st.Name) {
		return
	}
	x.holding = slices.DeleteFunc(slices.Clone(x.holding), func(s Statement) bool { return s.Name == st.Name })
	line := st.instead(st.Name, st.Text)
	line.Kind = KindService
	x.holding = append(x.holding, line)
}

// declare notes a hostgroup of the file.
func (x *expander) declare(name string, st *Statement) {
	if x.declared == nil {
		x.declared = map[string]*Statement{}
	}
	x.declared[name] = st
}

// watched notes that a watch begins here in the output.
func (x *expander) watched(name string) {
	if x.watches == nil {
		x.watches = map[string]int{}
	}
	if _, twice := x.watches[name]; !twice {
		x.watches[name] = len(x.out)
	}
}

// virtual expands one record: its templates, and what is read here.
func (x *expander) virtual(st *Statement, lines []Statement) {
	name, _ := cutName(st.Text)
	v := x.again(st, lines)
	if v == nil {
		v = x.draft(st, name, lines)
	}
	x.drafts = append(x.drafts, v)
	if x.named == nil {
		x.named = map[string]*virtualDraft{}
	}
	if old := x.named[name]; old != nil && name != "" {
		x.diag.errorf(st, 0, "", "virtual %s is defined at %s already", name, old.st.Pos)
		v.broken = true
	} else {
		x.named[name] = v
	}
}

// draft makes a virtual service of its lines.
func (x *expander) draft(st *Statement, name string, lines []Statement) *virtualDraft {
	v := &virtualDraft{st: st, name: name, broken: name == ""}
	said, count, bytes := x.diag.said, x.count, x.bytes
	root := &layer{}
	pool := &serviceLines{section: begin(given{Statement: *st, by: root})}
	b := builder{x: x, name: name, pool: pool, at: cursor{service: pool}}
	b.block(root, lines, nil)
	v.broken = v.broken || b.broken
	if b.uses == 0 {
		x.out = append(append(x.out, *st), lines...)
	} else {
		x.services(append([]*serviceLines{pool}, b.services...))
	}
	x.pool(v, pool)
	for _, s := range b.services {
		v.checks = append(v.checks, x.check(v, s))
	}
	v.count, v.bytes = x.count-count, x.bytes-bytes
	if x.memory != nil && x.diag.said == said && !v.private() {
		v.text = textOf([]Statement{*st}, lines)
	}
	return v
}

// private reports whether checks go through the director, by a mark that no other
// virtual service has.
func (v *virtualDraft) private() bool {
	return slices.ContainsFunc(v.checks, func(c *vcheck) bool { return c.through != nil })
}

// flat are the lines of a service that count, with its periods.
func (s *serviceLines) flat() []Statement {
	all := make([]Statement, 0, len(s.lines)+4*len(s.periods))
	add := func(lines []given) {
		for i := range lines {
			if !lines[i].lost {
				all = append(all, lines[i].Statement)
			}
		}
	}
	add(s.lines)
	for _, p := range s.periods {
		all = append(all, p.head.Statement)
		add(p.lines)
	}
	return all
}

// pool reads what is to be known before the services of a virtual service can
// be made.
func (x *expander) pool(v *virtualDraft, s *serviceLines) {
	lines := s.flat()
	in := &scope{x: x, watch: VirtualGroup, of: "virtual " + v.name, values: map[string]string{"virtual": v.name}, missing: map[string]string{}}
	for _, name := range []string{"vip", "vport"} {
		in.missing[name] = "the address is not read yet"
	}
	for i := range lines {
		if lines[i].Name == "address" && lines[i].Kind == KindVirtual {
			x.address(v, in, &lines[i])
		}
	}
	if len(v.addresses) == 0 && !v.broken {
		x.diag.errorf(v.st, -1, "write address tcp ADDRESS:PORT", "virtual %s without an address", v.name)
		v.broken = true
	}
	v.bind(in)
	v.lines = lines[:0] // flat made them for us
	v.reals = make([]vreal, 0, countReals(lines))
	for i := range lines {
		st := &lines[i]
		if st.Kind == KindVirtual && st.Name == "address" {
			continue
		}
		line, ok := in.replace(st)
		if !ok || !x.poolLine(&line) {
			v.broken = true
			continue
		}
		v.lines = append(v.lines, line)
		if isReal(&line) {
			all := readReals(x.diag, &v.lines[len(v.lines)-1])
			v.broken = v.broken || all == nil
			v.reals = append(v.reals, all...)
		}
	}
	slices.SortStableFunc(v.reals, func(a, b vreal) int { return int(a.tier) - int(b.tier) })
}

// isReal reports whether a line gives reals.
func isReal(st *Statement) bool {
	return st.Kind == KindVirtual && (st.Name == "real" || st.Name == "standby" || st.Name == "fallback")
}

// countReals is how many lines give reals.
func countReals(lines []Statement) (n int) {
	for i := range lines {
		if isReal(&lines[i]) {
			n++
		}
	}
	return n
}

// address reads one line.
func (x *expander) address(v *virtualDraft, in *scope, st *Statement) {
	line, ok := in.replace(st)
	if !ok {
		v.broken = true
		return
	}
	a, ok := readAddress(x.diag, &line)
	if !ok {
		v.broken = true
		return
	}
	v.addresses = append(v.addresses, a)
	if a.mark > 0 {
		x.mark(a.mark)
	}
}

// bind gives the parameters their values that stand for the first address.
func (v *virtualDraft) bind(in *scope) {
	in.all = []string{}
	for i := range v.addresses {
		in.all = append(in.all, v.addresses[i].host())
	}
	in.missing = map[string]string{}
	for _, name := range []string{"real", "port", "name", "weight"} {
		in.missing[name] = "it is of a real: only checks have it"
	}
	if len(v.addresses) == 0 {
		in.missing["vip"], in.missing["vport"] = "there is no address", "there is no address"
		return
	}
	switch a := &v.addresses[0]; {
	case a.proto == "":
		in.missing["vip"], in.missing["vport"] = "the first address is a firewall mark", "the first address is a firewall mark"
	default:
		in.values["vip"] = a.first.String()
		if in.values["vport"] = strconv.Itoa(int(a.port)); a.port == 0 {
			delete(in.values, "vport")
			in.missing["vport"] = "the first address is for every port"
		}
	}
}

// poolLine reports what may not stand in the part of the pool, and turns words
// that a template has for a service too into those of the pool.
func (x *expander) poolLine(st *Statement) bool {
	if st.Kind == KindService && st.Name == "local_fault" {
		st.Kind = KindVirtual
	}
	if st.Kind == KindVirtual && poolService(st.Name) {
		st.Kind = KindService
	}
	if st.Kind != KindService || poolService(st.Name) {
		return true
	}
	x.diag.errorf(st, -1, "write it below the checks that it is for", "%s above the checks of a virtual service: its own service is not checked", st.Name)
	return false
}

// poolService reports whether a directive of a service means something for
// that of a pool.
func poolService(name string) bool {
	switch name {
	case "description", "depend", "alertdepend", "dep_behavior", "dep_memory", "redistribute", "unack_summary", "notify", "period":
		return true
	}
	return false
}

// check reads what of a check concerns all reals.
func (x *expander) check(v *virtualDraft, s *serviceLines) *vcheck {
	c := &vcheck{st: &s.head.Statement, name: s.head.Text}
	c.st.Kind = KindService
	given := false
	for _, st := range s.flat() {
		switch {
		case st.Kind == KindService && st.Name == "on":
			given = true
			v.broken = !c.only(x.diag, &st) || v.broken
			continue
		case st.Kind == KindService && st.Name == "through":
			c.through = &st
			if st.Text != "" {
				x.diag.warnf(&st, 0, commentHint(st.Text, ""), "%s takes no value: %s is ignored", st.Name, quote(st.Text))
			}
			continue
		case st.Kind == KindService && st.Name == "monitor":
			c.monitor = &st
		case st.Kind == KindService && (st.Name == "interval" || st.Name == "schedule"):
			c.plan = true
		}
		c.lines = append(c.lines, st)
	}
	if !given {
		for i := range c.on {
			c.on[i] = true
		}
	}
	c.form = c.written()
	switch {
	case c.monitor == nil && c.name == "":
		x.diag.errorf(c.st, -1, "give it a monitor, or a name for the traps that it gets", "a check without monitor and name")
		v.broken = true
	case c.monitor == nil && !v.broken:
		x.diag.warnf(c.st, -1, "give it a monitor", "check %s has no monitor: only traps can tell how a real is", c.name)
	}
	if c.through != nil && c.monitor == nil {
		x.diag.errorf(c.through, -1, "give it a monitor", "through is for a check that has a monitor")
		v.broken = true
	}
	return c
}

// only reads the line on: words for tiers, and reals by their name, address or
// address:port.
func (c *vcheck) only(diag *collector, st *Statement) bool {
	p := newPhrase(diag, st)
	words := []string{"primary", "standby", "fallback", "all"}
	for first := true; first || p.more(); first = false {
		w := p.peek()
		i := slices.Index(words, w.Text)
		if i < 0 && w.Text != "" {
			if c.named == nil {
				c.named = map[string]bool{}
			}
			c.named[w.Text] = true
			c.who = append(c.who, whom{st: st, word: w})
			p.at++
			continue
		}
		if i = p.choice("who it is for: primary, standby, fallback, all or reals", words...); i < 0 {
			return false
		}
		for t := range c.on {
			tier := virtual.Tier(t)
			standby := tier > virtual.Primary && tier < virtual.Fallback
			c.on[t] = c.on[t] || i == 3 || i == 0 && tier == virtual.Primary || i == 1 && standby || i == 2 && tier == virtual.Fallback
		}
	}
	return p.end()
}

// whom is a real that the line on names.
type whom struct {
	st   *Statement
	word Word
}

// called are the words that may name m in a virtual service of that port.
func (m *vreal) called(port uint16) [3]string {
	return [3]string{m.label(), m.addr.String(), m.word(port)}
}

// isFor reports whether c checks a real of that tier and with these names.
func (c *vcheck) isFor(tier virtual.Tier, called [3]string) bool {
	return c.on[tier] || c.named[called[0]] || c.named[called[1]] || c.named[called[2]]
}

// names reports whether lines on name reals of v.
func (v *virtualDraft) names() bool {
	return slices.ContainsFunc(v.checks, func(c *vcheck) bool { return len(c.who) > 0 })
}

// nobody reports the words of the lines on that name no real of v.
func (x *expander) nobody(v *virtualDraft) {
	if !v.names() {
		return
	}
	known := map[string]bool{}
	for i := range v.reals {
		for _, name := range v.reals[i].called(v.port()) {
			known[name] = true
		}
	}
	for _, c := range v.checks {
		for _, w := range c.who {
			if !known[w.word.Text] {
				x.diag.errorf(w.st, w.word.Off, "write primary, standby, fallback, all, or the name or address of a real",
					"virtual %s has no real %s", v.name, quote(w.word.Text))
				v.broken = true
			}
		}
	}
}
