package lvscf

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

// conversion writes a file in mond's words.
type conversion struct {
	w    *convert.Writer
	file *block
	pos  config.Pos // the file as a whole
	// checks are the lines of the checks so far, by name: those of equal lines
	// share a name, so that each real server is asked once.
	checks convert.Names
	taken  map[string]bool // names of virtual services
	// hosts are the names of servers by address, named all of them.
	hosts map[netip.Addr]string
	named map[string]bool
}

// forwards are mond's words for those of network, which is for the whole file.
func (c *conversion) forward() string {
	switch c.file.values["network"].text {
	case "direct":
		return "dr"
	case "tunnel":
		return "tun"
	}
	return "nat"
}

func (c *conversion) run() {
	c.w.Comment(c.pos, "Made from "+c.pos.File+", a configuration of Piranha. Where a line comes from stands behind it; its defaults are written out.")
	c.w.Blank(c.pos)
	c.w.Resident(c.pos)
	c.timeouts()
	c.sync()
	c.w.Blank(c.pos)
	c.lost()
	for _, b := range c.file.inner {
		if b.kind == "failover" {
			c.w.Lose(b.pos, "failover "+b.name, "a service that is started on one of two machines is for Pacemaker or systemd, not for mond")
			continue
		}
		c.virtual(b)
	}
}

// timeouts writes the time limits of the kernel's table.
func (c *conversion) timeouts() {
	tcp, fin, udp := c.file.values["tcp_timeout"], c.file.values["tcpfin_timeout"], c.file.values["udp_timeout"]
	c.w.Timeouts(cmp.Or(tcp.pos, fin.pos, udp.pos), config.IPVSTimeouts{TCP: tcp.n, TCPFin: fin.n, UDP: udp.n})
}

// sync writes how connections are copied. Piranha's daemon runs on one interface
// and has one part, that of its director; here each has both parts always.
func (c *conversion) sync() {
	v := c.file.values
	if v["syncdaemon"].n != 1 {
		return
	}
	link, id := cmp.Or(v["syncd_iface"].text, "eth0"), v["syncd_id"]
	if id.n < 0 || id.n > 255 {
		c.w.Warnf(id.pos, "it is a number from 0 to 255", "syncd_id %d is left out", id.n)
		id.n = 0
	}
	c.w.Sync(v["syncdaemon"].pos, config.IPVSSync{Interface: link, ID: id.n})
	c.w.Note("from syncdaemon, syncd_iface and syncd_id; both directors send and take in")
}

// from says where a value comes from.
func from(v value) string {
	if !v.given() {
		return "Piranha's default"
	}
	return "line " + strconv.Itoa(v.pos.Line)
}

// pool is a virtual service.
type pool struct {
	*block
	name string
	addr netip.Addr
	port int
	mark int
	tcp  bool
}

// virtual writes one.
func (c *conversion) virtual(b *block) {
	p, ok := c.pool(b)
	if !ok {
		return
	}
	c.w.Blank(b.pos)
	off := c.off(p)
	c.w.Off(off)
	c.w.Virtual(b.pos, p.name)
	c.w.Note("line " + strconv.Itoa(b.pos.Line))
	c.address(p)
	c.manner(p)
	for _, s := range b.inner {
		c.server(p, s, off)
	}
	c.policy(p)
	c.probe(p)
	c.w.Off(false)
	c.w.Blank(b.pos)
	c.virtualLosses(p)
}

// off says whether a virtual service is switched off, and tells why.
func (c *conversion) off(p *pool) bool {
	b := p.block
	if c.file.values["service"].text == "fos" {
		c.w.Comment(b.pos, "service = fos: virtual services are switched off.")
		c.w.Lose(b.pos, "virtual "+b.name, "service = fos switches it off; it is there as comments")
		return true
	}
	if b.number("active", 0) == 0 {
		c.w.Comment(b.at("active"), "active = 0, "+from(b.values["active"])+": switched off.")
		c.w.Lose(b.at("active"), "virtual "+b.name, "it is not active; it is there as comments")
		return true
	}
	if !slices.ContainsFunc(b.inner, func(s *block) bool { return s.number("active", 0) == 1 }) {
		c.w.Comment(b.pos, "No server is active.")
		c.w.Lose(b.pos, "virtual "+b.name, "none of its servers is active; it is there as comments")
		return true
	}
	return false
}

// pool reads what there must be.
func (c *conversion) pool(b *block) (*pool, bool) {
	p := &pool{block: b, tcp: b.values["protocol"].text != "udp", mark: b.number("fwmark", 0), port: 80}
	a := b.values["address"]
	if !a.given() {
		c.w.Errorf(b.pos, "", "virtual %s has no address", b.name)
		return nil, false
	}
	p.addr = netip.MustParseAddr(strings.Fields(a.text)[0]) // it was judged
	if v := b.values["port"]; v.given() {
		var ok bool
		if p.port, ok = c.port(p, v); !ok {
			return nil, false
		}
	}
	p.name = c.free(b.name)
	return p, true
}

// port is that of a value, which may be the name of a service.
func (c *conversion) port(p *pool, v value) (int, bool) {
	n, err := strconv.ParseUint(v.text, 0, 16)
	if err == nil {
		return int(n), true
	}
	if v.text == "" || v.text[0] >= '0' && v.text[0] <= '9' {
		c.w.Errorf(v.pos, "", "port %s: a port is from 1 to 65535, or the name of a service", v.text)
		return 0, false
	}
	network := "udp"
	if p.tcp {
		network = "tcp"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	found, err := net.DefaultResolver.LookupPort(ctx, network, v.text)
	if err != nil {
		c.w.Errorf(v.pos, "write the figures", "look up the port of service %s: %v", v.text, err)
	}
	return found, err == nil
}

// free is a name that may be one, and that nobody has.
func (c *conversion) free(name string) string {
	name = strings.Map(func(r rune) rune {
		if config.IsName(string(r)) {
			return r
		}
		return '-'
	}, name)
	out := name
	for n := 2; c.taken[out]; n++ {
		out = name + "-" + strconv.Itoa(n)
	}
	c.taken[out] = true
	return out
}

func (c *conversion) address(p *pool) {
	at := p.at("address")
	switch {
	case p.mark > 0:
		c.w.Directive(p.at("fwmark"), "address", "fwmark "+strconv.Itoa(p.mark))
		c.w.Note("the address " + p.addr.String() + " is for people only")
	case p.tcp:
		c.w.Directive(at, "address", fmt.Sprintf("tcp %s:%d", p.addr, p.port))
	default:
		c.w.Directive(at, "address", fmt.Sprintf("udp %s:%d", p.addr, p.port))
	}
}

// manner writes how the kernel is to serve clients.
func (c *conversion) manner(p *pool) {
	s := p.values["scheduler"]
	name := s.text
	if !s.given() {
		name = "wlc"
	}
	c.w.Directive(p.at("scheduler"), "scheduler", name)
	c.w.Note(from(s))
	c.w.Directive(p.pos, "forward", c.forward())
	c.w.Note("network, " + from(c.file.values["network"]))
	t, m := p.values["persistent"], p.values["pmask"]
	if t.n == 0 {
		if m.given() {
			c.lose(m, "pmask", "without persistent it does nothing")
		}
		return
	}
	text := seconds(t.n)
	if m.given() && m.text != "255.255.255.255" {
		text += " " + m.text
	}
	c.w.Directive(t.pos, "persistent", text)
	c.w.Note(from(t))
}

func seconds(n int) string { return strconv.Itoa(n) + "s" }

// server writes one real server.
func (c *conversion) server(p *pool, s *block, off bool) {
	a := s.values["address"]
	addr, err := netip.ParseAddr(a.text)
	if !a.given() || err != nil || !addr.Is4() {
		c.w.Errorf(s.at("address"), "write address = 192.168.0.1", "server %s has no address of IPv4", s.name)
		return
	}
	port, row := c.ports(p, s)
	if row != port && p.mark == 0 {
		c.w.Lose(s.at("port"), fmt.Sprintf("port %d of server %s", port, s.name), "network = %s keeps the port of the virtual service, %d; only the check goes to %d", c.file.values["network"].text, p.port, port)
	}
	line := addr.String()
	if row != 0 {
		line += ":" + strconv.Itoa(row)
	}
	if name := c.called(addr, s); name != "" {
		line += " name " + name
	}
	line += " weight " + strconv.Itoa(s.number("weight", 1))
	idle := s.number("active", 0) == 0
	if idle && !off {
		c.w.Comment(s.at("active"), "active = 0, "+from(s.values["active"])+": switched off.")
		c.w.Lose(s.at("active"), "server "+s.name+" of virtual "+p.block.name, "it is not active; it is there as a comment")
	}
	c.w.Off(off || idle)
	c.w.Directive(s.pos, "real", line)
	c.w.Note("line " + strconv.Itoa(s.pos.Line))
	c.w.Off(off)
}

// called is the name of a server: that under which its address came first, if
// no other address has it; else it has none.
func (c *conversion) called(addr netip.Addr, s *block) string {
	name, known := c.hosts[addr]
	switch {
	case known:
	case !config.IsName(s.name), s.name == config.VirtualGroup, s.name == "mond":
		c.w.Lose(s.pos, "name of server "+s.name, "it cannot be the name of a hostgroup; the address is")
	case c.named[s.name]:
		c.w.Lose(s.pos, "name of server "+s.name, "another address has that name already; the address is its name here")
	default:
		name = s.name
		c.named[name] = true
	}
	c.hosts[addr] = name
	return name
}

// ports are where a server is checked, and which port its row in the table has.
func (c *conversion) ports(p *pool, s *block) (check, row int) {
	check = p.port
	if v := s.values["port"]; v.given() {
		if n, ok := c.port(p, v); ok && n != 0 {
			check = n
		}
	}
	switch {
	case c.forward() == "nat" && (p.mark == 0 || s.values["port"].given()):
		return check, check
	case p.mark > 0:
		return check, 0
	}
	return check, p.port
}

// policy writes what becomes of the real servers.
func (c *conversion) policy(p *pool) {
	if v := p.values["sorry_server"]; v.given() {
		line := v.text + " weight 1"
		if p.mark == 0 {
			line = v.text + ":" + strconv.Itoa(p.port) + " weight 1"
		}
		c.w.Directive(v.pos, "fallback", line)
		c.w.Note("sorry_server, " + from(v) + "; nobody checks it")
	}
	q := p.values["quiesce_server"]
	action := "remove"
	if q.n == 1 {
		action = "quiesce"
	}
	c.w.Directive(p.at("quiesce_server"), "on_fail", action)
	c.w.Note("quiesce_server, " + from(q))
	c.w.Directive(p.pos, "ramp", "100s steps 5 doubling")
	c.w.Note("a real server that returns begins with 1/32 of its weight, as with nanny")
	if v := c.file.values["monitor_links"]; v.n != 0 {
		device, _, _ := strings.Cut(strings.Fields(p.values["address"].text)[1], ":")
		c.w.Directive(v.pos, "local_fault", "link "+device)
		c.w.Note("monitor_links, " + from(v))
	}
}

// lose notes a key that is not carried over.
func (c *conversion) lose(v value, key, why string, args ...any) {
	c.w.Lose(v.pos, key+" = "+v.raw, why, args...)
}
