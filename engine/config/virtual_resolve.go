package config

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/period"
	"github.com/mondhq/mond/engine/virtual"
)

// keeper is the program that keeps the rows of virtual services.
const keeper = "lvs.alert"

// pool is a virtual service while its lines are given their meaning.
type pool struct {
	*virtualDraft
	Virtual
	policy virtual.Pool
	// What its claims say beside its addresses.
	scheduler string
	flags     []string
	forward   forward
	persist   int // seconds; 0 is none
	mask      int // length; 0 is that of one address
	engine    string
	onePacket bool
	netns     string
	onFail    virtual.OnFail
	// maintenanceDir is as the line has it.
	maintenanceDir string
	// need is how many checks must be good; needAt is the line.
	need   int
	needAt *Statement
	// Lines that are judged when all is known.
	persistAt, onePacketAt, quorumAt, forwardAt *Statement
	maintenance                                 []maintenance
	seen                                        []string
}

// maintenance is a line maintenance_at.
type maintenance struct {
	st   *Statement
	who  string
	when period.Spec
}

// virtualService gives the lines of a virtual service their meaning.
func virtualService(r *resolver, st *Statement) {
	if r.virtuals >= len(r.c.file.virtuals) {
		unexpanded(r, st)
		return
	}
	v := r.c.file.virtuals[r.virtuals]
	r.virtuals++
	if v.was != nil {
		r.poolAgain(v.was, st)
		return
	}
	said := r.diag.said
	p := &pool{virtualDraft: v, scheduler: "wlc", forward: forward{method: "dr", off: -1}}
	p.Virtual = Virtual{Pos: st.Pos, Name: v.name, Program: keeper}
	p.policy.Name = v.name
	if !r.poolService(p, st) {
		return
	}
	r.virt = p
	for i := range v.lines {
		r.poolLine(&v.lines[i])
	}
	r.poolEnds(p, said)
}

// poolAgain gives the lines of a virtual service that was there before their meaning
// as far as they are about its own service.
func (r *resolver) poolAgain(p *pool, st *Statement) {
	said := r.diag.said
	if !r.poolService(p, st) {
		return
	}
	for i := range p.lines {
		if line := &p.lines[i]; line.Kind != KindVirtual {
			r.poolLine(line)
		}
	}
	r.poolEnds(p, said)
}

func (r *resolver) poolEnds(p *pool, said int) {
	r.virt, r.watch, r.svc = nil, nil, nil
	r.pools = append(r.pools, p)
	if r.diag.said != said {
		p.text = ""
	}
}

// poolService begins the pool's own service.
func (r *resolver) poolService(p *pool, st *Statement) bool {
	g := r.byName[VirtualGroup]
	if g == nil {
		g = &groupDraft{Hostgroup: Hostgroup{Pos: st.Pos, Name: VirtualGroup, Implied: true}, st: st, used: true}
		r.groups = append(r.groups, g)
		r.byName[VirtualGroup] = g
	}
	d := &draft{Service: r.inherit, st: st, own: []string{}}
	d.Pos, d.Key, d.Origin = st.Pos, p.Key(), p.name
	for i := range p.addresses {
		host := p.addresses[i].host()
		if !slices.Contains(d.own, host) {
			d.own = append(d.own, host)
		}
		if !r.served[host] {
			r.served[host] = true
			g.Hosts = append(g.Hosts, host)
		}
	}
	if r.byKey[d.Key] != nil || p.name == "" {
		return false // it was reported
	}
	r.byKey[d.Key] = d
	r.drafts = append(r.drafts, d)
	r.watch, r.svc = &watchDraft{name: VirtualGroup, st: st}, d
	return true
}

// poolLine gives one line its meaning.
func (r *resolver) poolLine(st *Statement) {
	switch st.Kind {
	case KindVirtual:
		k := r.words.find(ScopeVirtual, st.Name)
		if k == nil {
			return
		}
		r.once(k, st, &r.virt.seen, "virtual service")
		k.apply(r, st)
		r.bare(k, st)
	case KindService, KindPeriod, KindEnv:
		r.statement(st)
	case KindBlank, KindComment, KindGlobal, KindTop, KindMember, KindUse, KindInclude, KindBad:
	}
}

// finishVirtuals makes the virtual services, when all services are known.
func (r *resolver) finishVirtuals() {
	r.overlaps()
	for i, p := range r.pools {
		if !r.asBefore(p) {
			p = p.anew()
			r.pools[i] = p
			r.finishPool(p)
		}
		r.origins(p)
		r.c.Virtuals = append(r.c.Virtuals, &p.Virtual)
	}
	if r.o.Memory != nil {
		r.o.Memory.keep(r.pools, settingsOf(&r.c.Globals))
	}
	r.limitTables()
	r.syncTables()
}

// origins says of the services of p's checks that p asks for them, unless others
// did first.
func (r *resolver) origins(p *pool) {
	for i := range p.Members {
		for _, key := range p.Members[i].Checks {
			if s := r.byKey[key]; s != nil && s.Origin == "" {
				s.Origin = p.name
			}
		}
	}
}

func (r *resolver) finishPool(p *pool) {
	said := r.diag.said
	defer func() {
		if r.diag.said != said {
			p.text = "" // it is to be said again
		}
	}()
	p.Virtual.Pool = &p.policy
	if p.MaintenanceDir = under(r.c.Globals.CfBaseDir, p.maintenanceDir); p.MaintenanceDir == "" {
		p.MaintenanceDir = r.c.Globals.MaintenanceDir
	}
	if p.persist > 0 {
		p.policy.Drain.Persistence = seconds(p.persist)
	}
	for i := range p.addresses {
		a := &p.addresses[i]
		r.judgeAddress(p, a)
		if a.proto == "udp" || a.proto == "" { // a mark may be set on packets of UDP
			p.policy.Drain.UDP = r.c.Globals.IPVSTimeouts.udpFlow()
		}
		p.Rows = append(p.Rows, r.serviceRow(p, a))
	}
	most := 0
	seen := make(map[string]*vreal, len(p.reals))
	p.Members, p.policy.Members = make([]VirtualMember, 0, len(p.reals)), make([]virtual.Member, 0, len(p.reals))
	for i := range p.reals {
		m := &p.reals[i]
		r.finishReal(p, m, seen)
		most = max(most, len(m.keys))
	}
	if p.need > max(1, most) {
		r.diag.errorf(p.needAt, 0, "", "%d checks must be good, and no real of virtual %s has more than %d", p.need, p.name, most)
	}
	r.finishMaintenance(p)
	r.finishQuorum(p)
	if !p.broken && !slices.ContainsFunc(p.reals, func(m vreal) bool { return m.tier == virtual.Primary }) {
		r.diag.errorf(p.st, -1, "write real ADDRESS", "virtual %s without a real", p.name)
	}
	if err := p.policy.Validate(); err != nil && !p.broken && !r.hasErrors() {
		r.diag.errorf(p.st, -1, "", "virtual %s: %v", p.name, err)
	}
}

// hasErrors reports whether anything was said that refuses the file.
func (r *resolver) hasErrors() bool { return r.diag.count[Error] > 0 }

// finishReal makes a member of a real.
func (r *resolver) finishReal(p *pool, m *vreal, seen map[string]*vreal) {
	port := p.port()
	if m.forward.method == "" {
		m.forward = p.forward
		m.forward.off = -1
	}
	if !m.ownFail {
		m.onFail = p.onFail
	}
	name := m.word(port)
	if old := seen[name]; old != nil {
		r.diag.errorf(m.st, m.off, "", "real %s is at %s already", name, old.st.At(old.off))
	}
	seen[name] = m
	member := VirtualMember{Pos: m.st.At(m.off), Name: m.label(), Addr: netip.AddrPortFrom(m.addr, m.portIn(port)), Checks: m.keys, Asks: -1}
	policy := virtual.Member{Name: name, Tier: m.tier, Weight: m.weight, OnFail: m.onFail, Need: min(p.need, len(m.keys))}
	for i := range p.addresses {
		a := &p.addresses[i]
		r.judgeReal(p, m, a)
		member.Rows = append(member.Rows, r.memberRow(p, m, a))
	}
	if m.mark > 0 {
		p.Rows = append(p.Rows, r.throughRows(p, m)...)
	}
	for i, key := range m.keys {
		policy.Checks = append(policy.Checks, key.String())
		s := r.byKey[key]
		if s == nil {
			continue // it was reported
		}
		if s.Asks == (WeightFrom{}) {
			continue
		}
		if member.Asks >= 0 {
			r.diag.errorf(s.st, -1, "remove one of them", "real %s has two checks with weight_from: %s and %s", m.label(), m.keys[member.Asks].Service, key.Service)
			continue
		}
		member.Asks, member.Ask = i, s.Asks
	}
	p.Members = append(p.Members, member)
	p.policy.Members = append(p.policy.Members, policy)
}

// judgeAddress reports what an address cannot have.
func (r *resolver) judgeAddress(p *pool, a *vaddress) {
	if a.proto != "" && a.port == 0 && p.persist == 0 {
		r.diag.errorf(a.st, a.off, "write its port, or a line persistent", "port 0 is every port, which the kernel has for a persistent service only")
	}
	if p.onePacket && a.proto != "" && a.proto != "udp" {
		r.diag.errorf(p.onePacketAt, -1, "", "one_packet is for UDP, and virtual %s has %s", p.name, a)
	}
	if p.engine == "sip" && a.proto != "" && a.proto != "udp" {
		r.diag.errorf(p.persistAt, -1, "", "sip is for UDP, and virtual %s has %s", p.name, a)
	}
	if p.mask > 32 && !a.is6() {
		r.diag.errorf(p.persistAt, -1, "", "a mask of /%d is too long for %s", p.mask, a)
	}
}

// judgeReal reports a real that cannot serve an address.
func (r *resolver) judgeReal(p *pool, m *vreal, a *vaddress) {
	st, off := m.st, m.off
	switch f := m.forward; {
	case m.addr.Is6() != a.is6() && f.method != "tun":
		r.diag.errorf(st, off, "only forward tun joins the two", "%s and %s are of two families, and forward is %s", m.addr, a, f.method)
	case f.method != "nat" && a.proto != "" && m.port >= 0 && m.portIn(a.port) != a.port:
		r.diag.errorf(st, off, "leave the port out, or write forward nat", "with forward %s the port of a real stays that of the virtual service, %d: the kernel takes no notice of %d", f.method, a.port, m.port)
	case m.addr.Is6() != a.is6() && r.c.Globals.IPVSSync != IPVSSync{}:
		r.diag.errorf(st, off, "leave ipvs_sync out, or give it a virtual service of its own family", "%s and %s are of two families: the kernel copies no connections (ipvs_sync) while its table has such a real", m.addr, a)
	}
}

// finishMaintenance gives the members their times of maintenance.
func (r *resolver) finishMaintenance(p *pool) {
	for _, line := range p.maintenance {
		found := false
		for i := range p.Members {
			m := &p.Members[i]
			if line.who != "*" && line.who != m.Name && line.who != p.policy.Members[i].Name && line.who != m.Addr.Addr().String() && line.who != m.Addr.String() {
				continue
			}
			found = true
			m.Maintenance = append(m.Maintenance, line.when)
		}
		if !found && !p.broken {
			r.diag.errorf(line.st, 0, didYouMean(line.who, p.labels()), "virtual %s has no real %s", p.name, quote(line.who))
		}
	}
}

func (p *pool) labels() []string {
	var all []string
	for i := range p.Members {
		all = append(all, p.Members[i].Name, p.policy.Members[i].Name)
	}
	return all
}

// finishQuorum warns of a quorum that can never be reached.
func (r *resolver) finishQuorum(p *pool) {
	weight, count := 0, 0
	for _, m := range p.policy.Members {
		if m.Tier == virtual.Primary {
			weight, count = weight+m.Weight, count+1
		}
	}
	switch up := p.policy.Quorum.Up; {
	case p.quorumAt == nil || count == 0:
	case up.By == virtual.ByWeight && up.N > weight:
		r.diag.warnf(p.quorumAt, 0, "", "the quorum of virtual %s can never be reached: it is %s, and the reals have %d in all", p.name, up, weight)
	case up.By == virtual.ByCount && up.N > count:
		r.diag.warnf(p.quorumAt, 0, "", "the quorum of virtual %s can never be reached: it is %s, and there are %d reals", p.name, up, count)
	}
}

// overlaps reports addresses that are there twice.
func (r *resolver) overlaps() {
	type owned struct {
		*vaddress
		p *pool
	}
	var all []owned
	marks := map[string]owned{}
	for _, p := range r.pools {
		for i := range p.addresses {
			a := owned{&p.addresses[i], p}
			if a.proto != "" {
				all = append(all, a)
				continue
			}
			key := p.netns + " " + a.word()
			if old, twice := marks[key]; twice {
				r.diag.errorf(a.st, a.off, "", "%s is that of virtual %s at %s already", a, old.p.name, old.st.At(old.off))
				continue
			}
			marks[key] = a
		}
	}
	apart := func(a, b owned) int {
		return cmp.Or(cmp.Compare(a.p.netns, b.p.netns), cmp.Compare(a.proto, b.proto), cmp.Compare(a.port, b.port))
	}
	slices.SortStableFunc(all, func(a, b owned) int { return cmp.Or(apart(a, b), a.first.Compare(b.first)) })
	for i := 1; i < len(all); i++ {
		a, b := all[i-1], all[i]
		if apart(a, b) != 0 || a.last.Less(b.first) {
			continue
		}
		if b.st.At(b.off).compare(a.st.At(a.off)) < 0 {
			a, b = b, a
		}
		r.diag.errorf(b.st, b.off, "", "%s is that of virtual %s at %s already", b, a.p.name, a.st.At(a.off))
	}
}

// serviceRow is the claim of the row of an address.
func (r *resolver) serviceRow(p *pool, a *vaddress) VirtualRow {
	more := []string{"-s", p.scheduler}
	if p.persist > 0 {
		more = append(more, "-p", strconv.Itoa(p.persist))
		if p.mask > 0 {
			more = append(more, "-M", strconv.Itoa(p.mask))
		}
		if p.engine != "" {
			more = append(more, "--pe", p.engine)
		}
	}
	if p.onePacket {
		more = append(more, "-o")
	}
	if len(p.flags) > 0 {
		more = append(more, "-b", strings.Join(p.flags, ","))
	}
	return VirtualRow{Target: p.target(a.flags(), "--service"), More: r.asRole(more)}
}

// memberRow is the claim of a real in an address; its weight is not said here.
func (r *resolver) memberRow(p *pool, m *vreal, a *vaddress) VirtualRow {
	more := m.forward.flags()
	if m.upper > 0 {
		more = append(more, "-x", strconv.Itoa(m.upper))
	}
	if m.lower > 0 {
		more = append(more, "-y", strconv.Itoa(m.lower))
	}
	return VirtualRow{Target: p.target(a.flags(), "-R", m.word(a.port)), More: r.asRole(more)}
}

// throughRows are a virtual service of its own for a real, which the checks
// through the director reach by a firewall mark.
func (r *resolver) throughRows(p *pool, m *vreal) []VirtualRow {
	r.grantMarks(m)
	a := vaddress{mark: m.mark, six: p.addresses[0].is6()}
	return []VirtualRow{
		{Target: p.target(a.flags(), "--service"), More: r.asRole([]string{"-s", "rr"})},
		{Target: p.target(a.flags(), "-R", m.word(p.port())), More: r.asRole(m.forward.flags())},
	}
}

// grantMarks lets the monitors of a real's checks through the director set a
// firewall mark, unless a line grant says what they may do.
func (r *resolver) grantMarks(m *vreal) {
	for _, key := range m.keys {
		s := r.byKey[key]
		if s == nil || s.Monitor == nil || !slices.Contains(s.Monitor.Args, "--mark") {
			continue
		}
		g := &r.c.Globals
		if _, named := g.Grants[s.Monitor.Program]; named {
			continue
		}
		if g.Grants == nil {
			g.Grants = map[string][]string{}
		}
		g.Grants[s.Monitor.Program] = []string{"cap_net_raw"}
	}
}

// target are the words that name a row of p.
func (p *pool) target(words []string, more ...string) []string {
	words = append(words, more...)
	if p.netns != "" {
		words = append(words, "--netns", p.netns)
	}
	return words
}

// asRole are the other words of a row.
func (r *resolver) asRole(words []string) []string {
	if r.c.Globals.TableByRole {
		words = append(words, "--by-role")
	}
	return words
}
