package ldirectord

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

// virtual writes one virtual service.
func (c *conversion) virtual(p *pool) {
	c.w.Blank(p.section.pos)
	for _, name := range []string{"servicename", "comment"} {
		if v := p.values[name]; v.given() {
			c.w.Comment(v.pos, v.text)
		}
	}
	if len(p.reals) == 0 {
		c.w.Lose(p.section.pos, "virtual service "+p.name, "it has no real server; it is there as comments")
		c.w.Off(true)
	}
	c.w.Virtual(p.section.pos, p.name)
	c.w.Note(from(p.section.where))
	c.address(p)
	c.manner(p)
	c.members(p)
	c.poolPeriods(p)
	c.probes(p)
	c.w.Off(false)
	c.sectionLosses(p)
	c.w.Blank(p.section.pos)
}

// directive writes a directive with where it comes from.
func (c *conversion) directive(v value, pos config.Pos, name, text string) {
	if v.given() {
		pos = v.pos
	}
	c.w.Directive(pos, name, text)
	c.w.Note(from(v))
}

func (c *conversion) address(p *pool) {
	pos := p.section.pos
	switch {
	case p.protocol == "fwm" && p.six:
		c.w.Directive(pos, "address", "fwmark6 "+strconv.Itoa(p.mark))
	case p.protocol == "fwm":
		c.w.Directive(pos, "address", "fwmark "+strconv.Itoa(p.mark))
	default:
		c.w.Directive(pos, "address", p.protocol+" "+netAddr(p.where))
	}
	if p.where.name != "" {
		c.w.Note(p.where.name + " when the file was converted")
	}
}

// netAddr is ADDRESS:PORT, port 0 too.
func netAddr(h host) string {
	s := h.addr.String()
	if h.addr.Is6() {
		s = "[" + s + "]"
	}
	return s + ":" + strconv.Itoa(h.port)
}

// manner writes how the kernel is to serve clients.
func (c *conversion) manner(p *pool) {
	pos := p.section.pos
	s := p.values["scheduler"]
	scheduler := s.text
	if !s.given() {
		scheduler = "wrr"
	}
	if f := p.values["schedflags"]; f.given() {
		scheduler += " " + strings.ReplaceAll(f.text, ",", " ")
	}
	c.directive(s, pos, "scheduler", scheduler)
	if all := forwards(p); len(all) == 1 {
		c.w.Directive(p.reals[0].pos, "forward", all[0])
		c.w.Note(map[string]string{"dr": "gate", "nat": "masq", "tun": "ipip"}[all[0]])
	}
	c.persistence(p)
	if o := p.values["ops"]; o.text == "yes" {
		if p.protocol == "udp" {
			c.directive(o, pos, "one_packet", "")
		} else {
			c.lose(o, "ops", "it is for UDP; ldirectord does not ask the kernel for it here either")
		}
	}
}

func (c *conversion) persistence(p *pool) {
	t, m := p.values["persistent"], p.values["netmask"]
	switch {
	case !t.given() || t.n == 0:
		if m.given() {
			c.lose(m, "netmask", "without persistent it does nothing")
		}
		return
	case m.given():
		mask := m.text
		if p.six {
			mask = "/" + mask
		}
		c.directive(t, p.section.pos, "persistent", seconds(t.n)+" "+mask)
	default:
		c.directive(t, p.section.pos, "persistent", seconds(t.n))
	}
}

func seconds(n int) string { return strconv.Itoa(n) + "s" }

// members writes the real servers and the fallback.
func (c *conversion) members(p *pool) {
	several, off := len(forwards(p)) > 1, p.kind == "off"
	for _, r := range p.reals {
		c.w.Directive(r.pos, "real", c.member(p, r, several))
		c.w.Note(fmt.Sprintf("line %d%s", r.pos.Line, looked(r.host)))
	}
	c.w.Off(off || len(p.reals) == 0)
	if f := p.fallback; f != nil {
		c.fallbackLine(p, f)
	}
	c.w.Off(len(p.reals) == 0)
	if v := p.values["checktype"]; off {
		c.w.Directive(v.pos, "maintenance_at", "* wd {Sun-Sat}")
		c.w.Note(from(v) + ": checktype = off puts no server into the table")
		c.lose(v, "checktype", "ldirectord leaves servers in the table that others put there; mond keeps them out")
	}
	quiesce, v := c.yes(p.section, "quiescent")
	text := "remove"
	if quiesce {
		text = "quiesce"
	}
	c.w.Directive(at(v, p.section.pos), "on_fail", text)
	c.w.Note("quiescent, " + from(v))
}

// at is the place of a value, or else another one.
func at(v value, pos config.Pos) config.Pos {
	if v.given() {
		return v.pos
	}
	return pos
}

func looked(h host) string {
	if h.name == "" {
		return ""
	}
	return ": " + h.name + " when it was converted"
}

// member is a real server in mond's words.
func (c *conversion) member(p *pool, r real, several bool) string {
	port := rowPort(p, r.port, r.forward)
	switch {
	case r.port != 0 && r.port != port && port != 0:
		c.w.Lose(r.pos, fmt.Sprintf("port %d of %s", r.port, r.addr), "forwarding without NAT keeps the port of the virtual service, %d: that is the row which the kernel has. The checks go to %d", port, c.checkPort(p, r))
	case r.port != 0 && port == 0:
		c.w.Lose(r.pos, fmt.Sprintf("port %d of %s", r.port, r.addr), "with a firewall mark and without NAT the kernel keeps the port that the client asked for; the checks go to %d", c.checkPort(p, r))
	}
	s := hostPort(r.addr, r.last, port)
	if r.name != "" && config.IsName(r.name) {
		s += " name " + r.name
	}
	s += " weight " + strconv.Itoa(r.weight)
	if several {
		s += " forward " + r.forward
	}
	return s + c.thresholds(r)
}

// thresholds are those that can mean something: a real server that is never
// full is never used again either.
func (c *conversion) thresholds(r real) string {
	switch {
	case r.upper != 0 && r.lower > r.upper:
		c.w.Lose(r.pos, fmt.Sprintf("l:%d of %s", r.lower, r.addr), "it is above u:%d: the server would be full and not full at once; it is left out", r.upper)
		return " upper " + strconv.Itoa(r.upper)
	case r.upper != 0 && r.lower != 0:
		return fmt.Sprintf(" upper %d lower %d", r.upper, r.lower)
	case r.upper != 0:
		return " upper " + strconv.Itoa(r.upper)
	case r.lower != 0:
		c.w.Lose(r.pos, fmt.Sprintf("l:%d of %s", r.lower, r.addr), "without u:N the server is never full, so that this does nothing")
	}
	return ""
}

func (c *conversion) fallbackLine(p *pool, f *fallback) {
	port := rowPort(p, f.port, f.forward)
	if f.port != port && f.port != 0 {
		c.w.Lose(f.pos, fmt.Sprintf("port %d of the fallback %s", f.port, f.addr), "forwarding without NAT keeps the port of the virtual service: clients come to the fallback at the port that they asked for")
	}
	s := hostPort(f.addr, netip.Addr{}, port) + " weight 1"
	if all := forwards(p); len(all) != 1 || all[0] != f.forward {
		s += " forward " + f.forward
	}
	c.w.Directive(f.pos, "fallback", s)
	c.w.Note(fmt.Sprintf("line %d%s; ldirectord never checks it", f.pos.Line, looked(f.host)))
}

// sectionLosses notes what of the section is not carried over.
func (c *conversion) sectionLosses(p *pool) {
	for _, l := range []struct{ name, why string }{
		{"monitorfile", "the history of each check is kept by mond: see monctl history"},
		{"load", "ldirectord reads it and does nothing with it"},
	} {
		if v := p.values[l.name]; v.given() {
			c.lose(v, l.name, "%s", l.why)
		}
	}
	if v := p.values["checkinterval"]; v.given() && c.file.values["fork"].text != "yes" {
		c.lose(v, "checkinterval", "without fork = yes ldirectord itself goes by the interval of the whole file")
	}
	if v := p.values["cleanstop"]; v.text == "yes" {
		c.lose(v, "cleanstop", "mond leaves the table as it is when it ends")
	}
	if v := p.values["connecttimeout"]; v.given() {
		c.w.Warnf(v.pos, "write negotiatetimeout", "connecttimeout is of old ldirectords, today's refuses the file; it is taken for negotiatetimeout")
	}
	if v := p.values["checkcount"]; v.given() {
		c.w.Warnf(v.pos, "see failurecount", "ldirectord calls checkcount deprecated; it is for pings only")
	}
}

// poolPeriods writes whom to tell when no real server is left.
func (c *conversion) poolPeriods(p *pool) {
	if m, ok := c.mail(p); ok {
		c.w.Service(m.pos, "period", "mail:")
		c.mailLines(m)
	}
	v := p.values["fallbackcommand"]
	words := []string{v.text}
	if !v.given() {
		if v = c.file.values["fallbackcommand"]; !v.given() {
			return
		}
		words = shellWords(v.text)
	}
	where := p.where.addr.String()
	if p.where.addr.Is6() {
		where = "[" + where + "]"
	}
	where += ":" + strconv.Itoa(p.where.port)
	if p.protocol == "fwm" {
		where = ":0" // so ldirectord calls it
	}
	run := func(what string) string {
		return "exec.alert " + convert.Words(append(command(words), what, where, p.protocol)...)
	}
	c.w.Service(v.pos, "period", "fallbackcommand:")
	c.w.Note(from(v) + "; called with start when no real server is left, with stop when one is back")
	c.w.Period(v.pos, "alert", run("start"))
	c.w.Period(v.pos, "upalert", run("stop"))
	c.w.Period(v.pos, "numalerts", "1")
}

// shellWords are the words of a command: the file's fallbackcommand keeps its
// quotes, so that the shell takes what is between them for one word.
func shellWords(s string) []string {
	if inner, ok := unquote(s); ok && !strings.ContainsAny(inner, "\"$`\\") && strings.HasSuffix(s, `"`) {
		return []string{"exec", inner}
	}
	return []string{s}
}

// command are words of exec.alert for a command line that ldirectord gives to a
// shell, with more words behind it.
func command(words []string) []string {
	if len(words) == 2 {
		return words[1:]
	}
	if strings.ContainsAny(words[0], "\"'`$\\|&;<>()*?[]{}~#!=%\n") {
		return []string{"-shell", words[0] + ` "$@"`}
	}
	return strings.Fields(words[0])
}
