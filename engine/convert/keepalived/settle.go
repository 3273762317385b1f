package keepalived

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/config"
)

func itoa(n int) string { return strconv.Itoa(n) }

// pool is a virtual server as keepalived has it once it has read all: with its
// defaults, and without what it refuses.
type pool struct {
	*virtual
	name    string
	all     []where
	servers []server
	sorry   *server
	// addresses is set if it has any, marks if it has marks; port is that of the
	// first address, and mixed is set if others have others.
	addresses, marks, mixed bool
	port                    int
	// proto is that of its addresses; empty if it has marks only.
	proto string
	six   bool
	// persists is for how many seconds; 0 is not.
	persists int
	sched    opt[string]
	// quorum and hysteresis are what is left of them; quorum 0 is none.
	quorum, hysteresis int
}

// server is a real server, or the sorry server, of a pool.
type server struct {
	*real
	pos config.Pos
	// row is the port of its row in the table, ask the one that is checked.
	row, ask int
	method   method
	weight   int
	// quiet is inhibit_on_failure.
	quiet bool
	// pessimistic is set if it is out until its checks are good.
	pessimistic bool
}

// settle gives the virtual servers their meaning.
func (r *reader) settle() []*pool {
	var all []*pool
	names := map[string]bool{}
	for _, v := range r.virtuals {
		if p := r.pool(v); p != nil {
			p.name = free(names, p.called())
			all = append(all, p)
		}
	}
	for _, g := range r.named {
		if !g.used {
			r.lose(g.node.Pos, shown(g.node), "no virtual_server uses the group")
		}
	}
	return all
}

// free is name, or name with a figure that nobody has.
func free(taken map[string]bool, name string) string {
	out := name
	for n := 2; taken[out]; n++ {
		out = name + "-" + itoa(n)
	}
	taken[out] = true
	return out
}

// called is a name for p.
func (p *pool) called() string {
	var name string
	switch {
	case p.group != "":
		name = strings.Trim(strings.Map(func(c rune) rune {
			if config.IsName(string(c)) {
				return c
			}
			return '-'
		}, p.group), "-.")
	case p.where.mark >= 0:
		name = "fwmark-" + itoa(p.where.mark)
	default:
		name = p.proto + "-" + strings.ReplaceAll(p.where.first.String(), ":", "-") + "-" + itoa(p.where.port)
	}
	if name == "" || len(name) > 64 {
		name = "group-" + itoa(p.node.Pos.Line)
	}
	return name
}

// pool judges v as a whole; nil if keepalived would not run it.
func (r *reader) pool(v *virtual) *pool {
	p := &pool{virtual: v, all: []where{v.where}}
	if v.group != "" {
		g := r.groups[v.group]
		if g == nil {
			r.w.Warnf(v.node.At(1), "keepalived leaves the virtual server out, too", "there is no virtual_server_group %s", v.group)
			return nil
		}
		g.used, p.all = true, g.all
	}
	if len(v.reals) == 0 {
		r.w.Warnf(v.node.Pos, "keepalived leaves it out, too", "virtual_server without a real_server")
		return nil
	}
	p.look()
	r.family(p)
	r.servers(p)
	if len(p.servers) == 0 {
		r.w.Warnf(v.node.Pos, "", "virtual_server without a real_server that it can use")
		return nil
	}
	r.protocol(p)
	r.scheduling(p)
	r.quorumOf(p)
	r.sorryOf(p)
	return p
}

// look settles what kinds of address there are.
func (p *pool) look() {
	for _, w := range p.all {
		switch {
		case w.mark >= 0:
			p.marks = true
		case !p.addresses:
			p.addresses, p.port = true, w.port
		case w.port != p.port:
			p.mixed = true
		}
	}
}

// family finds whether p is of IPv6: by its address, by ip_family, by its mask,
// or by its reals that are reached without a tunnel.
func (r *reader) family(p *pool) {
	for _, w := range p.all {
		if w.mark < 0 {
			p.six = w.first.Is6()
			return
		}
	}
	switch {
	case p.virtual.family.set:
		p.six = p.virtual.family.v == 6
		return
	case p.granularity.set:
		p.six = !strings.Contains(p.granularity.v, ".")
		return
	}
	for _, w := range p.all {
		if w.family != 0 {
			p.six = w.family == 6
			return
		}
	}
	for _, re := range p.reals {
		if re.method.or(p.method).v.name != "tun" {
			p.six = re.addr.Is6()
			return
		}
	}
	p.six = !slices.ContainsFunc(p.reals, func(re *real) bool { return re.addr.Is4() })
}

// defaultMethod is keepalived's: NAT.
func (p *pool) defaultMethod() method {
	if p.method.set {
		return p.method.v
	}
	return method{name: "nat"}
}

// servers settles the reals.
func (r *reader) servers(p *pool) {
	if !p.method.set && slices.ContainsFunc(p.reals, func(re *real) bool { return !re.method.set }) {
		r.w.Warnf(p.node.Pos, "write lvs_method", "no lvs_method: keepalived takes NAT")
	}
	seen := map[netip.AddrPort]bool{}
	for _, re := range p.reals {
		s := server{real: re, pos: re.node.Pos, method: p.defaultMethod(), ask: re.port, row: re.port}
		if re.method.set {
			s.method = re.method.v
		}
		key := netip.AddrPortFrom(re.addr, uint16(re.port))
		switch {
		case seen[key]:
			r.w.Warnf(re.node.Pos, "keepalived takes the first", "real_server %s is there twice", key)
			continue
		case s.method.name != "tun" && re.addr.Is6() != p.six:
			r.w.Warnf(re.node.Pos, "keepalived leaves it out, too; only a tunnel leads from one family to the other", "real_server %s is of another family than the virtual server", re.addr)
			continue
		}
		seen[key] = true
		s.weight = re.weight.or(p.weight, opt[int]{v: 1}).v
		s.quiet = re.inhibit.or(p.inhibit).v
		r.ports(p, &s)
		s.pessimistic = slices.ContainsFunc(re.checks, func(c *check) bool { return c.alpha.or(re.alpha, p.alpha).v })
		p.servers = append(p.servers, s)
	}
	r.again(p)
}

// again drops reals whose rows turn out to be the same.
func (r *reader) again(p *pool) {
	rows := map[netip.AddrPort]bool{}
	p.servers = slices.DeleteFunc(p.servers, func(s server) bool {
		row := netip.AddrPortFrom(s.addr, uint16(s.row))
		if rows[row] {
			r.lose(s.pos, shown(s.node), "without NAT its row in the table is that of another real_server above: the port of a row is that of the virtual server")
			return true
		}
		rows[row] = true
		return false
	})
}

// ports settles which port the row of s has, and which one its checks ask: the
// one as it is written, even where the row has another.
func (r *reader) ports(p *pool, s *server) {
	if s.method.name != "nat" {
		switch {
		case s.row != 0 && p.marks:
			r.w.Warnf(s.pos, "", "the port %d is left out in the table: without NAT that of a packet stays as it is, which a mark does not know", s.row)
			s.row = 0
		case s.row != 0 && p.group != "" && (p.mixed || p.port != s.row):
			r.w.Warnf(s.pos, "", "the port %d is not that of every address of the group: without NAT that of a packet stays as it is", s.row)
		case s.row != 0 && p.group == "" && s.row != p.port:
			r.w.Warnf(s.pos, "the checks ask the port that is written", "without NAT the port in the table is that of the virtual server, %d", p.port)
		}
		if !p.marks {
			s.row = p.port
		}
	} else if s.row == 0 && p.addresses {
		s.row = p.port
	}
	if s.ask == 0 {
		if s.ask = p.port; s.ask != 0 && slices.ContainsFunc(s.checks, (*check).connects) {
			r.w.Warnf(s.pos, "write the port behind the address", "real_server without a port: keepalived's checkers ask port 0; mond's ask %d", s.ask)
		}
	}
}

// connects reports whether c needs a port that is not said.
func (c *check) connects() bool {
	switch c.kind {
	case "MISC_CHECK", "FILE_CHECK", "PING_CHECK":
		return false
	}
	return !c.port.set
}

// protocol settles the protocol, and what only some have.
func (r *reader) protocol(p *pool) {
	if !p.addresses {
		if p.virtual.protocol.set {
			r.w.Warnf(p.virtual.protocol.pos, "take it away", "protocol: a mark is of any protocol; keepalived does not look at it")
		}
	} else if p.proto = p.virtual.protocol.v; p.proto == "" {
		p.proto = "udp"
		r.w.Warnf(p.node.Pos, "write protocol TCP, or UDP if it is", "no protocol: keepalived takes UDP")
	}
	if p.ops.v && p.proto != "udp" && p.proto != "" {
		r.w.Warnf(p.ops.pos, "take it away", "ops: packets are scheduled one by one for UDP only; keepalived leaves it out")
		p.ops = opt[bool]{}
	}
	if p.suspend.v && p.marks {
		r.w.Warnf(p.suspend.pos, "take it away", "ha_suspend: a mark has no address; keepalived leaves it out")
		p.suspend = opt[bool]{}
	}
	if p.suspend.v {
		r.lose(p.suspend.pos, "ha_suspend", "mond checks on both directors, so that whoever takes over finds the table right; where a standby's table must stay empty, set table = by-role")
	}
}

// scheduling settles scheduler and persistence.
func (r *reader) scheduling(p *pool) {
	p.sched = p.virtual.sched
	if !p.sched.set {
		r.w.Warnf(p.node.Pos, "write lvs_sched", "no lvs_sched: keepalived takes wlc")
		p.sched.v = "wlc"
	}
	p.persists = p.persist.v
	if p.persists == 0 && p.granularity.set {
		p.persists = defaultPersistence
	}
	if p.persists == 0 && slices.ContainsFunc(p.all, func(w where) bool { return w.mark < 0 && w.port == 0 }) {
		r.w.Warnf(p.node.Pos, "write persistence_timeout", "port 0 is every port, and wants persistence: keepalived takes %d s", defaultPersistence)
		p.persists = defaultPersistence
	}
	if p.group != "" && p.granularity.set && p.granularity.v != "255.255.255.255" {
		r.w.Warnf(p.granularity.pos, "", "keepalived 2.2.7 loses the mask of a virtual server of a group: there clients come back one by one, here by networks as it is written")
	}
	r.engineOf(p)
}

// engineOf drops an engine that does nothing.
func (r *reader) engineOf(p *pool) {
	why := ""
	switch {
	case !p.engine.set:
		return
	case p.persists == 0:
		why = "without persistence_timeout the kernel does not use it, under keepalived neither"
	case p.engine.v != "sip":
		why = "mond knows sip, the one that kernels have"
	case p.addresses && p.proto != "udp":
		why = "the kernel reads calls of UDP only"
	}
	if why != "" {
		r.lose(p.engine.pos, "persistence_engine "+p.engine.v, "%s", why)
		p.engine = opt[string]{}
	}
}

// quorumOf settles quorum and hysteresis as keepalived corrects them.
func (r *reader) quorumOf(p *pool) {
	sum := 0
	for _, s := range p.servers {
		sum += s.weight
	}
	p.quorum, p.hysteresis = p.virtual.quorum.or(opt[int]{v: 1}).v, p.virtual.hysteresis.v
	if p.quorum > sum {
		r.w.Warnf(p.virtual.quorum.or(opt[int]{pos: p.node.Pos}).pos, "keepalived lowers it", "quorum %d is more than the weights of all real servers together, %d", p.quorum, sum)
		p.quorum = sum
	}
	if p.hysteresis >= p.quorum && p.hysteresis > 0 {
		p.hysteresis = max(0, p.quorum-1)
		r.w.Warnf(p.virtual.hysteresis.pos, "keepalived lowers it to "+itoa(p.hysteresis), "hysteresis %d is not less than the quorum %d", p.virtual.hysteresis.v, p.quorum)
	}
	if p.hysteresis > 0 && p.quorum+p.hysteresis > sum {
		r.w.Warnf(p.virtual.hysteresis.pos, "lower one of them", "quorum and hysteresis are more than all weights together, %d: once lost the quorum never comes back, with keepalived neither", sum)
	}
}

// sorryOf settles the sorry server.
func (r *reader) sorryOf(p *pool) {
	s := p.virtual.sorry
	if s == nil {
		return
	}
	out := server{real: &real{addr: s.addr, port: s.port}, pos: s.pos, row: s.port, weight: 1, method: p.defaultMethod()}
	if s.method.set {
		out.method = s.method.v
	}
	if out.method.name != "tun" && s.addr.Is6() != p.six {
		r.w.Warnf(s.pos, "keepalived leaves it out, too", "sorry_server %s is of another family than the virtual server", s.addr)
		return
	}
	if out.method.name != "nat" || out.row == 0 {
		if out.row != 0 && (p.marks || out.row != p.port) {
			r.w.Warnf(s.pos, "", "without NAT the port of the sorry_server is that of the packet; keepalived leaves the %d out", out.row)
		}
		out.row = p.port
	}
	if slices.ContainsFunc(p.servers, func(o server) bool { return o.addr == s.addr && o.row == out.row }) {
		r.lose(s.pos, "sorry_server "+s.addr.String(), "it is a real_server of the pool, too: one row cannot be both; give it an address or port of its own")
		return
	}
	p.sorry = &out
	if s.inhibit.set {
		r.inhibited(p, s)
	}
}

// inhibited notes what becomes of sorry_server_inhibit.
func (r *reader) inhibited(p *pool, s *sorry) {
	why := "mond has the fallback in the table only while it serves; drain forever lets its connections end when it stands down"
	if p.persists > 0 {
		why = "mond has the fallback in the table only while it serves; with persistence it leaves at once, or its clients would stay with it"
	}
	r.lose(s.inhibit.pos, "sorry_server_inhibit", "%s", why)
}
