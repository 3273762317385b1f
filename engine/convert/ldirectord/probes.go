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

// question is what some of the real servers of a pool are asked in one way.
type question struct {
	p     *pool
	reals []real
	// port is where they are asked; 0 if ldirectord does not know where.
	port int
	// named is the port that the file gives them, 0 for none.
	named            int
	request, receive string
	place            config.Pos
	// all is set if it is for all real servers of the pool.
	all bool
	// same is set if the port is that of their rows in the table.
	same bool
}

// checkPort is where ldirectord asks a real server: at checkport, else at the
// port that its line has, else at that of the service.
func (c *conversion) checkPort(p *pool, r real) int {
	if v := p.values["checkport"]; v.given() {
		return v.n
	}
	if r.port > 0 {
		return r.port
	}
	return portOf(p.service)
}

// maxSpread is how many addresses of ranges are written one by one.
const maxSpread = 1024

// questions are the ways in which the real servers of p are asked.
func (c *conversion) questions(p *pool) []*question {
	var all []*question
	byKey := map[string]*question{}
	for _, r := range p.reals {
		q := &question{p: p, port: c.checkPort(p, r), named: r.port, place: p.section.pos}
		q.request, q.receive = "/", p.values["receive"].text
		if v := p.values["request"]; v.given() {
			q.request, q.place = slashed(v.text), v.pos
		}
		if r.own {
			q.request, q.receive, q.place = r.request, r.receive, r.pos
		}
		key := fmt.Sprintf("%d %d %q %q", q.port, q.named, q.request, q.receive)
		if byKey[key] == nil {
			byKey[key], q.same = q, true
			all = append(all, q)
		}
		q = byKey[key]
		q.reals = append(q.reals, r)
		q.same = q.same && rowPort(p, r.port, r.forward) == q.port
	}
	for _, q := range all {
		q.all = len(all) == 1
	}
	return all
}

// whom says which real servers a check is for.
func (q *question) whom() string {
	if q.all {
		return "primary"
	}
	var names []string
	for _, r := range q.reals {
		switch {
		case r.name != "" && config.IsName(r.name):
			names = append(names, r.name)
		case r.last.IsValid():
			for a := r.addr; a.Compare(r.last) <= 0 && len(names) < maxSpread; a = a.Next() {
				names = append(names, a.String())
			}
		default:
			names = append(names, r.addr.String())
		}
	}
	return strings.Join(names, " ")
}

// line is a monitor line while it is put together.
type line struct{ parts []string }

// say adds words as they are; param adds text with parameters in it.
func (l *line) say(words ...string) *line {
	l.parts = append(l.parts, convert.Words(words...))
	return l
}

func (l *line) param(text string) *line {
	l.parts = append(l.parts, text)
	return l
}

func (l *line) String() string { return strings.Join(l.parts, " ") }

// at adds the port that is asked.
func (l *line) at(q *question) *line {
	if q.same && q.port != 0 {
		return l.param("-p $port")
	}
	return l.say("-p", strconv.Itoa(q.port))
}

// probe is one check.
type probe struct {
	name     string
	interval int
	// failing is the interval while it fails; 0 is the same.
	failing int
	timeout value
	line    *line
	pos     config.Pos
	comment string
}

// probes writes the checks of a pool.
func (c *conversion) probes(p *pool) {
	pos := at(p.values["checktype"], p.section.pos)
	switch p.kind {
	case "off":
		return
	case "on":
		c.w.Comment(pos, "checktype = on: the real servers are never checked.")
		return
	}
	for _, q := range c.questions(p) {
		for _, pr := range c.plan(q) {
			c.probe(q, pr)
		}
	}
}

// plan are the checks of one question.
func (c *conversion) plan(q *question) []probe {
	p := q.p
	check, negotiate := c.timeouts(p.section)
	every, pos := c.interval(p.section).n, at(p.values["checktype"], p.section.pos)
	switch p.kind {
	case "ping":
		return []probe{c.ping(q, check, every, "checktype = ping")}
	case "external", "external-perl":
		return []probe{{name: "external", interval: every, timeout: check, line: c.external(q, check.n), pos: at(p.values["checkcommand"], pos)}}
	case "connect":
		if p.protocol == "udp" {
			return []probe{c.ping(q, check, every, "checktype = connect, of UDP: ldirectord pings instead")}
		}
		return c.connect(q, check, every, "checktype = connect")
	case "combined":
		return c.combined(q, check, negotiate, every)
	}
	deep, ok := c.deep(q, negotiate, every, "checktype = negotiate")
	if !ok {
		c.w.Comment(pos, "service = none: ldirectord takes the real servers for good without asking them.")
		c.w.Lose(pos, "check of "+p.name, "service none checks nothing, in ldirectord neither; name a service, or checktype = connect")
		return nil
	}
	return []probe{deep}
}

// combined is N times connect, once negotiate.
func (c *conversion) combined(q *question, check, negotiate value, every int) []probe {
	n, v := q.p.values["checktype"].n, q.p.values["checktype"]
	about := fmt.Sprintf("checktype = %d: %d times it connects, then it negotiates once; while that fails it does nothing else.", n, n)
	deep, ok := c.deep(q, negotiate, every*(n+1), about)
	if ok && n > 0 {
		deep.failing = every
	}
	deep.pos = v.pos
	switch {
	case !ok:
		return c.connect(q, check, every, about)
	case n == 0:
		return []probe{deep}
	case q.p.protocol == "udp":
		deep.comment += " Connecting by UDP proves nothing and is left out."
		return []probe{deep}
	}
	return append(c.connect(q, check, every, "The light check of checktype = "+strconv.Itoa(n)+"."), deep)
}

// connect is the check that a port opens.
func (c *conversion) connect(q *question, t value, every int, about string) []probe {
	pos := at(q.p.values["checktype"], q.p.section.pos)
	if q.port == 0 {
		c.w.Lose(pos, "check of "+q.p.name, "nobody says which port to connect to: give checkport, a port for each real server, or a service; ldirectord fails all of them")
		c.w.Comment(pos, "No check: there is no port to connect to.")
		return nil
	}
	l := (&line{}).say("tcp.monitor").at(q).say("-t", seconds(t.n))
	return []probe{{name: "connect-" + strconv.Itoa(q.port), interval: every, timeout: t, line: l, pos: pos, comment: about}}
}

// ping is checkcount pings, of which one must be answered.
func (c *conversion) ping(q *question, t value, every int, about string) probe {
	n := c.count(q.p.section, "checkcount")
	l := (&line{}).say("fping.monitor", "-r", strconv.Itoa(min(n.n, 100)-1), "-t", strconv.Itoa(t.n*1000), "-B", "1")
	t.n = t.n*min(n.n, 100) + 1
	return probe{name: "ping", interval: every, timeout: t, line: l, pos: at(q.p.values["checktype"], q.p.section.pos), comment: about + "; checkcount from " + from(n)}
}

// deep is the check that speaks with the service; false if that is none.
func (c *conversion) deep(q *question, t value, every int, about string) (probe, bool) {
	l := c.speak(q, t.n)
	if l == nil {
		return probe{}, false
	}
	name := q.p.service
	if q.port != 0 {
		name += "-" + strconv.Itoa(q.port)
	}
	return probe{name: name, interval: every, timeout: t, line: l, pos: q.place, comment: about}, true
}

// external is a program that is called with the addresses and ports.
func (c *conversion) external(q *question, limit int) *line {
	p := q.p
	v := p.values["checkcommand"]
	program, words := v.text, []string(nil)
	if !v.given() {
		program = "/bin/true"
	}
	if p.kind == "external-perl" {
		words, program = []string{program}, "/usr/bin/perl"
		c.w.Lose(at(v, p.section.pos), "checktype = external-perl", "it is run by a perl of its own each time, not within the daemon; what it keeps in variables is lost")
	}
	folder, name := "/usr/bin/", program
	if i := strings.LastIndexByte(program, '/'); i >= 0 {
		folder, name = program[:i+1], program[i+1:]
	} else {
		c.w.Lose(v.pos, "checkcommand = "+v.raw, "a program without a path: it is taken from /usr/bin")
	}
	c.w.Lose(at(v, p.section.pos), "exit status of "+program, "ldirectord takes any but 0 for a failure; here 1 and 2 are one, and 3 and above are no verdict, as of a Nagios plugin that could not tell")
	vip, vport := p.where.addr.String(), strconv.Itoa(p.where.port)
	rip := "$real"
	if p.six {
		vip, rip = "["+vip+"]", "[$real]"
	}
	if p.protocol == "fwm" {
		vip, vport = strconv.Itoa(p.mark), "0"
	}
	for i := range words {
		words[i] = shellQuote(convert.Dollars(words[i]))
	}
	args := strings.Join(append(words, vip, vport, rip, strconv.Itoa(q.named)), " ")
	l := (&line{}).say("nagios.monitor", "--dir", folder, "--plugin", name, "--host", "none", "--warning-fails", "-t", seconds(limit))
	return l.param("--args " + config.Quote(args))
}

// shellQuote is a word as nagios.monitor's --args have it.
func shellQuote(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\"'\\|&;<>()*?[]{}`~#!") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// probe writes one check.
func (c *conversion) probe(q *question, pr probe) {
	p := q.p
	fall := c.count(p.section, "failurecount")
	mail, mailed := c.mail(p)
	key := fmt.Sprint(pr.interval, pr.failing, pr.timeout.n, fall.n, pr.line, mail.text())
	name := c.checks.Shared(pr.name, key)
	if pr.comment != "" {
		c.w.Comment(pr.pos, pr.comment)
	}
	c.w.Service(pr.pos, "check", name)
	c.w.Service(pr.pos, "interval", seconds(pr.interval))
	c.w.Note("checkinterval, " + from(c.interval(p.section)))
	if pr.failing != 0 && pr.failing != pr.interval {
		c.w.Service(pr.pos, "failure_interval", seconds(pr.failing))
	}
	c.w.Service(pr.pos, "fall", strconv.Itoa(fall.n))
	c.w.Note("failurecount, " + from(fall))
	c.w.Service(pr.pos, "rise", "1")
	c.w.Note("one success resets, as in ldirectord")
	c.w.Service(pr.pos, "timeout", seconds(pr.timeout.n))
	c.w.Note(from(pr.timeout))
	c.w.Service(pr.pos, "monitor", pr.line.String())
	if !q.all || p.fallback != nil {
		c.w.Service(pr.pos, "on", q.whom())
	}
	if mailed {
		c.w.Service(mail.pos, "period", "")
		c.mailLines(mail)
	}
}

// mail is whom ldirectord tells of a real server.
type mail struct {
	pos   config.Pos
	words []string
	every int
}

func (m mail) text() string { return fmt.Sprint(m.words, m.every) }

// mail is that of a section; ok is false for none.
func (c *conversion) mail(p *pool) (m mail, ok bool) {
	to := c.effective(p.section, "emailalert")
	if !to.given() {
		return m, false
	}
	m.pos = to.pos
	if !c.tellsRunning(p, to) {
		return m, false
	}
	m.words = []string{"mail.alert"}
	if v := c.file.values["emailalertfrom"]; v.given() {
		m.words = append(m.words, "-f", v.text)
	}
	if v := c.effective(p.section, "smtp"); v.given() {
		m.words = append(m.words, "-server", server(v.text))
	}
	for _, who := range strings.Split(to.text, ",") {
		if who = strings.TrimSpace(who); who != "" {
			m.words = append(m.words, who)
		}
	}
	m.every = c.effective(p.section, "emailalertfreq").n
	return m, true
}

// tellsRunning reports whether mails go out while the daemon runs, as mond
// sends them.
func (c *conversion) tellsRunning(p *pool, to value) bool {
	s := c.effective(p.section, "emailalertstatus")
	states := strings.FieldsFunc(s.text, func(r rune) bool { return r == ',' || r == ' ' })
	switch {
	case !s.given(), slices.Contains(states, "all"):
		return true
	case slices.Contains(states, "running"):
		c.lose(s, "emailalertstatus", "mond tells of every failure, whether it is found at the start or later")
		return true
	}
	c.lose(to, "emailalert", "emailalertstatus, line %d, has no mails while ldirectord runs, and mond knows no others", s.pos.Line)
	return false
}

// server is a mail server as mail.alert takes it.
func server(s string) string {
	if a, err := netip.ParseAddr(s); err == nil && a.Is6() {
		return "[" + s + "]"
	}
	return s
}

// mailLines writes the lines of a period that mails.
func (c *conversion) mailLines(m mail) {
	c.w.Note("emailalert, line " + strconv.Itoa(m.pos.Line))
	c.w.Period(m.pos, "alert", convert.Words(m.words...))
	c.w.Period(m.pos, "upalert", convert.Words(m.words...))
	if m.every > 0 {
		c.w.Period(m.pos, "alertevery", seconds(m.every)+" ignore_summary")
		c.w.Note("emailalertfreq")
		return
	}
	c.w.Period(m.pos, "numalerts", "1")
	c.w.Note("emailalertfreq 0: told once")
}
