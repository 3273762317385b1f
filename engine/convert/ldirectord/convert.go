package ldirectord

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

// conversion writes a file in mond's words.
type conversion struct {
	w     *convert.Writer
	file  *file
	names *lookups
	// pos is the file as a whole.
	pos config.Pos
	// checks are the lines of the checks so far, by name: those of equal lines
	// share a name, so that each real server is asked once.
	checks convert.Names
	// taken are the names of virtual services, and what they are for.
	taken map[string]bool
	seen  map[string]config.Pos
}

// pool is a virtual service as ldirectord has it when it runs.
type pool struct {
	*section
	name     string
	protocol string // tcp, udp or fwm
	where    host
	mark     int
	service  string
	kind     string // its checktype
	reals    []real
	fallback *fallback
}

func (c *conversion) run() {
	c.w.Comment(c.pos, "Made from "+c.pos.File+", a configuration of ldirectord. Where a line comes from stands behind it;")
	c.w.Comment(c.pos, "ldirectord's defaults, those of its code, are written out.")
	c.w.Blank(c.pos)
	c.globals()
	for _, s := range c.file.virtuals {
		if p, ok := c.pool(s); ok {
			c.virtual(p)
		}
	}
}

// from says where a value comes from.
func from(v value) string {
	if !v.given() {
		return "ldirectord's default"
	}
	return "line " + strconv.Itoa(v.pos.Line)
}

// effective is the value of a directive in a section: its own, else the file's.
func (c *conversion) effective(s *section, name string) value {
	if v := s.values[name]; v.given() {
		return v
	}
	if d := findIn(name, global); d == nil {
		return value{}
	}
	return c.file.values[name]
}

// yes says what a directive of yes and no means in a section; all of them are
// no by default, but for cleanstop.
func (c *conversion) yes(s *section, name string) (bool, value) {
	v := c.effective(s, name)
	if !v.given() {
		return name == "cleanstop", v
	}
	return v.text == "yes", v
}

// pool gives a section the meaning that it has together with the globals.
func (c *conversion) pool(s *section) (*pool, bool) {
	p := &pool{section: s, protocol: "tcp", kind: "negotiate"}
	if v := s.values["checktype"]; v.given() {
		p.kind = v.text
	}
	r := &resolver{w: c.w, names: c.names, six: s.six, network: "tcp"}
	if !c.where(r, p) {
		return nil, false
	}
	p.service = c.service(p)
	good := c.fallback(r, p)
	for _, v := range s.reals {
		re, ok := r.real(v)
		good = good && ok
		if ok && !c.again(p, re) {
			p.reals = append(p.reals, re)
		}
	}
	return p, good && c.once(p)
}

// where reads the address of a virtual service, and its protocol.
func (c *conversion) where(r *resolver, p *pool) bool {
	word, _ := cutBlank(p.section.where.text)
	given := p.values["protocol"]
	if n, err := strconv.ParseUint(word, 10, 32); err == nil {
		p.mark, p.protocol = int(n), "fwm"
		if n == 0 {
			c.w.Errorf(p.section.where.at, "", "a firewall mark is 1 or more")
		}
		if given.given() && given.text != "fwm" {
			c.w.Errorf(given.at, "leave the line out", "protocol %s: a virtual service of a firewall mark is of protocol fwm", given.text)
			return false
		}
		return n != 0
	}
	_, port := splitPort(word)
	if port == "53" || port == "domain" {
		p.protocol = "udp"
	}
	if given.given() {
		p.protocol = given.text
	}
	switch {
	case p.protocol == "fwm":
		c.w.Errorf(given.at, "", "protocol fwm is for a virtual service that is a firewall mark, a number")
		return false
	case port == "":
		c.w.Errorf(p.section.where.at, "write ADDRESS:PORT, or a firewall mark", "virtual service without a port")
		return false
	}
	r.network = p.protocol
	var ok bool
	p.where, ok = r.host(p.section.where.at, word)
	return ok
}

func (c *conversion) service(p *pool) string {
	switch v := p.values["service"]; {
	case v.given():
		return v.text
	case p.protocol == "fwm":
		return "none"
	}
	return guess(p.where.port)
}

// fallback finds the fallback server of a virtual service: its own, else that
// of the file for its family.
func (c *conversion) fallback(r *resolver, p *pool) bool {
	v := p.values["fallback"]
	if !v.given() {
		name := "fallback"
		if p.six {
			name = "fallback6"
		}
		v = c.file.values[name]
	}
	if !v.given() {
		return true
	}
	f, ok := r.fallback(v)
	if !ok {
		return false
	}
	if f.port == 0 {
		f.port = p.where.port
	}
	p.fallback = &f
	return true
}

// again reports whether a real server stands in p already.
func (c *conversion) again(p *pool, re real) bool {
	for _, other := range p.reals {
		if other.addr == re.addr && other.last == re.last && rowPort(p, other.port, other.forward) == rowPort(p, re.port, re.forward) {
			c.w.Lose(re.pos, "real = "+re.addr.String(), "it is there twice; ldirectord takes both lines for the same row of the table, mond takes the first")
			return true
		}
	}
	return false
}

// once refuses a virtual service that is there twice.
func (c *conversion) once(p *pool) bool {
	key := fmt.Sprint(p.protocol, p.six, p.mark, p.where.addr, p.where.port)
	if first, ok := c.seen[key]; ok {
		c.w.Errorf(p.section.pos, "", "the same virtual service stands at %s", first)
		return false
	}
	c.seen[key] = p.section.pos
	p.name = c.free(called(p))
	return true
}

// called is a name for p.
func called(p *pool) string {
	if v := p.values["servicename"]; v.given() {
		name := strings.Map(func(r rune) rune {
			if config.IsName(string(r)) {
				return r
			}
			return '-'
		}, v.text)
		if name = strings.Trim(name, "-."); name != "" && len(name) <= 64 {
			return name
		}
	}
	switch {
	case p.protocol == "fwm" && p.six:
		return "fwmark6-" + strconv.Itoa(p.mark)
	case p.protocol == "fwm":
		return "fwmark-" + strconv.Itoa(p.mark)
	}
	return p.protocol + "-" + strings.ReplaceAll(p.where.addr.String(), ":", "-") + "-" + strconv.Itoa(p.where.port)
}

// free is name, or name with a figure that nobody has.
func (c *conversion) free(name string) string {
	out := name
	for n := 2; c.taken[out]; n++ {
		out = name + "-" + strconv.Itoa(n)
	}
	c.taken[out] = true
	return out
}

// rowPort is the port that a destination has in the kernel: without NAT that of
// the virtual service, whatever the file says.
func rowPort(p *pool, port int, forward string) int {
	switch {
	case p.protocol == "fwm" && forward != "nat":
		return 0
	case port == 0, forward != "nat":
		return p.where.port
	}
	return port
}

// hostPort is an address as mond writes it.
func hostPort(addr, last netip.Addr, port int) string {
	s := addr.String()
	if port != 0 && addr.Is6() {
		s = "[" + s + "]"
	}
	if last.IsValid() {
		s += "-" + last.String()
	}
	if port != 0 {
		s += ":" + strconv.Itoa(port)
	}
	return s
}

// forwards are the ways of forwarding that p uses.
func forwards(p *pool) []string {
	var all []string
	for _, r := range p.reals {
		if !slices.Contains(all, r.forward) {
			all = append(all, r.forward)
		}
	}
	return all
}
