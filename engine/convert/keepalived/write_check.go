package keepalived

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

// probe is a check as mond has it, with the reals that it is for.
type probe struct {
	pos     config.Pos
	base    string // what it is called if nothing else is
	name    string
	monitor string
	lines   []line
	reals   []*server
	marked  bool
	// asks is the most weight, in percent, that it may ask for; 0 is none.
	asks int
}

// line is a line of a check. What is behind it is no part of what it says.
type line struct {
	pos        config.Pos
	name, text string
	note       string
	period     bool // of a period
}

// key is all that a probe says.
func (pr *probe) key() string {
	var b strings.Builder
	for _, l := range pr.lines {
		b.WriteString(l.name)
		b.WriteByte(0)
		b.WriteString(l.text)
		b.WriteByte(0)
	}
	return b.String()
}

func (pr *probe) add(pos config.Pos, name, text, note string) {
	pr.lines = append(pr.lines, line{pos: pos, name: name, text: text, note: note})
}

// all makes the checks of a pool: one for reals that are checked in the same
// way.
func (w *writer) all(p *pool) []*probe {
	var all []*probe
	same := map[string]*probe{}
	for i := range p.servers {
		s := &p.servers[i]
		own := map[string]bool{} // what one real has twice is one
		asks := false
		for _, c := range s.checks {
			for _, pr := range w.of(p, s, c, &asks) {
				key := pr.base + "\x00" + pr.key()
				if own[key] {
					continue
				}
				own[key] = true
				if first := same[key]; first != nil {
					first.reals = append(first.reals, s)
					first.asks = max(first.asks, pr.asks)
					continue
				}
				pr.reals = []*server{s}
				same[key] = pr
				all = append(all, pr)
			}
		}
	}
	c := caller{w, map[string]bool{}, map[string]int{}}
	for _, pr := range all {
		c.call(pr)
	}
	return all
}

// caller finds names for the checks of a pool.
type caller struct {
	*writer
	taken map[string]bool
	// next is the number to try first for those of one base.
	next map[string]int
}

// call finds a name for pr that no other check of its reals has, unless that
// says the same: then one check serves both.
func (c *caller) call(pr *probe) {
	key := pr.key()
	fits := func(name string) bool {
		return name != "" && !c.taken[name] && !slices.ContainsFunc(pr.reals, func(s *server) bool {
			other, ok := c.names[s.addr.String()][name]
			return ok && other != key
		})
	}
	same := pr.base + "\x00" + key // no name holds that byte
	if pr.name = c.names[pr.reals[0].addr.String()][same]; !fits(pr.name) {
		n := max(1, c.next[pr.base])
		for pr.name = numbered(pr.base, n); !fits(pr.name); pr.name = numbered(pr.base, n) {
			n++
		}
		c.next[pr.base] = n
	}
	c.taken[pr.name] = true
	for _, s := range pr.reals {
		host := s.addr.String()
		if c.names[host] == nil {
			c.names[host] = map[string]string{}
		}
		c.names[host][pr.name], c.names[host][same] = key, pr.name
	}
}

// numbered is the n-th name of a base; the first has no number.
func numbered(base string, n int) string {
	if n == 1 {
		return base
	}
	return base + "-" + itoa(n)
}

// of makes the checks of a checker; asks says whether one of the real speaks of
// its weight already.
func (w *writer) of(p *pool, s *server, c *check, asks *bool) []*probe {
	var all []*probe
	switch c.kind {
	case "HTTP_GET", "SSL_GET":
		all = w.pages(p, s, c)
	case "SMTP_CHECK":
		all = w.smtp(p, s, c)
	default:
		pr := &probe{pos: c.node.Pos}
		if w.single(p, s, c, pr, asks) {
			all = append(all, pr)
		}
	}
	for _, pr := range all {
		w.told1(p, s, pr)
	}
	return all
}

// kinds are the defaults of the checkers: how often one tries again, and after
// how long; 0 is delay_loop.
func defaults(kind string) (retry int, before time.Duration) {
	switch kind {
	case "HTTP_GET", "SSL_GET":
		return 1, 3 * time.Second
	case "DNS_CHECK":
		return 3, 0
	case "MISC_CHECK":
		return 0, time.Second
	}
	return 1, time.Second
}

// defaultLoop and defaultConnect are keepalived's.
const (
	defaultLoop    = time.Minute
	defaultConnect = 5 * time.Second
	tick           = 10 * time.Millisecond
	mostTries      = 1_000_000
)

// plan writes when a check is due, and how many failures count.
func (w *writer) plan(p *pool, s *server, c *check, pr *probe) plan {
	pl := c.under(s.plan).under(p.virtual.plan)
	loop := pl.loop.or(opt[time.Duration]{v: defaultLoop}).v
	retry, before := defaults(c.kind)
	retry = pl.retry.or(opt[int]{v: retry}).v
	if before == 0 {
		before = loop
	}
	before = pl.before.or(opt[time.Duration]{v: before}).v
	pr.add(pl.loop.or(opt[time.Duration]{pos: c.node.Pos}).pos, "interval", seconds(max(loop, tick)), from(w.reader, pl.loop))
	if retry > 0 {
		pr.add(pl.before.or(opt[time.Duration]{pos: c.node.Pos}).pos, "suspect_interval", seconds(max(before, tick)), from(w.reader, pl.before))
		pr.add(pl.retry.or(opt[int]{pos: c.node.Pos}).pos, "fall", itoa(min(retry, mostTries)+1), "retry "+itoa(retry)+": "+from(w.reader, pl.retry))
	}
	if loop < tick {
		w.lose(pl.loop.pos, "delay_loop", "mond checks every %s at most", seconds(tick))
	}
	if pl.warmup.set {
		w.lose(pl.warmup.pos, "warmup", "mond spreads first checks by itself, over 10s at most; the variable randstart says otherwise")
	}
	return pl
}

// limit is the time that a check may take.
func (pl plan) limit() time.Duration {
	return pl.connect.or(opt[time.Duration]{v: defaultConnect}).v
}

// decimals is d in seconds as options have it.
func decimals(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// connect is the options that say where a monitor connects to, and how long it
// may take; the port is 0 for those that have none.
func (w *writer) connect(s *server, c *check, pl plan, pr *probe, port int) []string {
	var words []string
	if port > 0 {
		words = append(words, "-p", itoa(port))
	}
	words = append(words, "-t", decimals(pl.limit()))
	if c.to.set && c.to.v != s.addr {
		words = append(words, "--to", c.to.v.String())
	}
	if c.source.set {
		words = append(words, "--source", c.source.v.String())
	}
	if c.link.set {
		words = append(words, "--interface", c.link.v)
	}
	if c.mark.v > 0 {
		words = append(words, "--mark", itoa(c.mark.v))
		pr.marked = true
	}
	return words
}

// ask is the port that c asks.
func (c *check) ask(s *server) int { return c.port.or(opt[int]{v: s.ask}).v }

// portless reports, and says, that there is no port to ask.
func (w *writer) portless(s *server, c *check) bool {
	if c.ask(s) > 0 {
		return false
	}
	w.lose(c.node.Pos, c.kind, "there is no port to ask: neither the real server nor the checker has one. Write connect_port")
	return true
}

// run writes the monitor's line.
func (w *writer) run(pr *probe, c *check, pl plan, name string, words ...string) {
	pr.monitor = name
	limit := "-t is keepalived's default"
	if pl.connect.set {
		limit = "-t from " + w.line(pl.connect.pos)
	}
	pr.add(pr.pos, "monitor", convert.Words(append([]string{name}, words...)...), w.line(pr.pos)+", "+limit)
	if limit := pl.limit(); limit > 50*time.Second {
		pr.add(pl.connect.pos, "timeout", seconds(limit+10*time.Second), "more than the monitor's own limit")
	}
}

// single writes a checker that is one check; false if there is none.
func (w *writer) single(p *pool, s *server, c *check, pr *probe, asks *bool) bool {
	switch c.kind {
	case "MISC_CHECK":
		return w.misc(p, s, c, pr, asks)
	case "FILE_CHECK":
		return w.file1(p, s, c, pr, asks)
	}
	if c.kind != "PING_CHECK" && w.portless(s, c) {
		return false
	}
	pl := w.plan(p, s, c, pr)
	port := c.ask(s)
	switch c.kind {
	case "TCP_CHECK":
		pr.base = "tcp-" + itoa(port)
		w.run(pr, c, pl, "tcp.monitor", w.connect(s, c, pl, pr, port)...)
	case "PING_CHECK":
		pr.base = "ping"
		words := w.connect(s, c, pl, pr, 0)
		words[1] = strconv.FormatInt(max(1, pl.limit().Milliseconds()), 10)
		w.run(pr, c, pl, "fping.monitor", append(words, "-r", "0")...)
	case "DNS_CHECK":
		pr.base = "dns-" + itoa(port)
		w.run(pr, c, pl, "dns.monitor", append(w.connect(s, c, pl, pr, port),
			"-n", c.name.or(opt[string]{v: "."}).v, "--type", c.record.or(opt[string]{v: "SOA"}).v, "--rcode", "any", "--min-answers", "0")...)
	case "UDP_CHECK":
		pr.base = "udp-" + itoa(port)
		w.run(pr, c, pl, "udp.monitor", append(w.connect(s, c, pl, pr, port), c.datagrams()...)...)
	}
	return true
}

// datagrams are the options of a UDP_CHECK.
func (c *check) datagrams() []string {
	var words []string
	if c.payload.set {
		words = append(words, "--hex", c.payload.v)
	}
	if !c.require {
		return words
	}
	if c.reply.set {
		words = append(words, "--expect-hex", c.reply.v)
	} else {
		words = append(words, "--answer")
	}
	if c.least.v > 0 {
		words = append(words, "--min-length", itoa(c.least.v))
	}
	return append(words, "--max-length", itoa(c.most.or(opt[int]{v: 255}).v))
}

// smtp writes an SMTP_CHECK: one check, or one for each of its hosts.
func (w *writer) smtp(p *pool, s *server, c *check) []*probe {
	var all []*probe
	hosts := slices.Clone(c.hosts)
	if c.connection.given() || c.connect.set || len(hosts) == 0 {
		hosts = slices.Insert(hosts, 0, c)
	}
	for _, h := range hosts {
		one := *c
		one.connection, one.node = h.connection, h.node
		one.connect = h.connect
		if w.portless(s, &one) {
			continue
		}
		pr := &probe{pos: h.node.Pos, base: "smtp-" + itoa(one.ask(s))}
		pl := w.plan(p, s, &one, pr)
		words := w.connect(s, &one, pl, pr, one.ask(s))
		w.run(pr, &one, pl, "smtp.monitor", append(words, "--ehlo", c.helo.or(opt[string]{v: "smtpchecker.keepalived.org"}).v)...)
		all = append(all, pr)
	}
	return all
}

// misc writes a MISC_CHECK: the program itself is the monitor.
func (w *writer) misc(p *pool, s *server, c *check, pr *probe, asks *bool) bool {
	if len(c.command) == 0 {
		w.w.Warnf(c.node.Pos, "keepalived leaves it out, too", "MISC_CHECK without a misc_path")
		return false
	}
	w.plan(p, s, c, pr)
	pr.base = "misc-" + plainName(path.Base(c.command[0]))
	pr.monitor = "sh"
	words := w.program(c.command)
	pr.add(c.node.Pos, "monitor", convert.Words(append(words, ";;")...), w.line(c.node.Pos))
	if !c.timeout.set || c.timeout.v == 0 {
		loop := p.virtual.loop.or(opt[time.Duration]{v: defaultLoop})
		pr.add(p.node.Pos, "timeout", seconds(max(loop.v, tick)), "keepalived's default: delay_loop of the virtual_server")
	} else {
		pr.add(c.timeout.pos, "timeout", itoa(c.timeout.v)+"s", w.line(c.timeout.pos))
	}
	if c.dynamic && w.may(s, c, asks) {
		pr.add(c.node.Pos, "weight_from", "exit", "misc_dynamic: 2 to 255 ask for the weight less 2")
		if s.weight > 0 {
			pr.asks = (253*100 + s.weight - 1) / s.weight
		}
	}
	return true
}

// may reports whether c may speak of the weight of s: one check alone does.
func (w *writer) may(s *server, c *check, asks *bool) bool {
	switch {
	case *asks:
		w.lose(c.node.Pos, c.kind+" with a weight", "one check of a real speaks of its weight, another one does already; keepalived adds them up")
		return false
	case s.weight == 0:
		w.lose(c.node.Pos, c.kind+" with a weight", "mond bounds weights in percent of the configured one, and that is 0: configure a weight of 1 or more")
		return false
	}
	*asks = true
	return true
}

// plainName is a name of letters, digits and . _ -.
func plainName(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < 128 && (letter(byte(c)) || strings.ContainsRune("0123456789._-", c)) {
			return c
		}
		return '-'
	}, s)
	return cmp.Or(s[:min(len(s), 40)], "program")
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// program is the command of a monitor that runs a program: by its name, which
// mondir finds, or by a shell where another program has that name or no
// folder is said.
func (w *writer) program(command []string) []string {
	dir, name := path.Split(command[0])
	dir = path.Clean(dir)
	at, known := w.programs[name]
	if !path.IsAbs(dir) || strings.ContainsAny(dir, ": \t$\"'\\") || name == "" || strings.HasSuffix(name, ".monitor") || known && at != dir || plainName(name) != name {
		w.folder("/bin")
		w.programs["sh"] = "/bin"
		return append([]string{"sh", "-c", `exec "$0" "$@"`}, command...)
	}
	w.programs[name] = dir
	w.folder(dir)
	return append([]string{name}, command[1:]...)
}

func (w *writer) folder(dir string) {
	if !slices.Contains(w.folders, dir) {
		w.folders = append(w.folders, dir)
	}
}

// file1 writes a FILE_CHECK.
func (w *writer) file1(p *pool, s *server, c *check, pr *probe, asks *bool) bool {
	t := w.files[c.file.v]
	switch {
	case !c.file.set:
		w.w.Warnf(c.node.Pos, "keepalived leaves it out, too", "FILE_CHECK without a track_file")
		return false
	case t == nil || !t.path.set:
		w.w.Warnf(c.file.pos, "define it above; keepalived leaves the check out, too", "there is no track_file %s with a file", c.file.v)
		return false
	}
	weight, reverse := t.weight.or(opt[int]{v: 1}).v, t.reverse
	if c.weight.set {
		weight, reverse = c.weight.v, c.reverse
	}
	pr.base, pr.monitor = "file-"+plainName(c.file.v), "file.monitor"
	words := []string{"file.monitor", "--file", t.path.v, "--missing", "zero"}
	if reverse {
		weight = -weight
	}
	asking := weight != 0 && w.may(s, c, asks)
	switch {
	case weight == 0 && reverse:
		w.lose(c.node.Pos, shown(c.node), "weight 0 reverse is down where the file says 0: file.monitor has no such thing")
		return false
	case weight == 0:
		words = append(words, "--down-if-nonzero")
	case !asking:
		return false
	default:
		words = append(words, "--delta="+itoa(weight))
	}
	pr.add(c.node.Pos, "interval", "1s", "keepalived is told by the kernel when the file changes")
	pr.add(c.node.Pos, "monitor", convert.Words(words...), w.line(c.node.Pos))
	if asking {
		pr.add(c.node.Pos, "weight_from", "perf delta as delta", "the figure times weight is added to the weight")
		pr.asks = maxWeight
	}
	return true
}

// most is how far the checks of p may raise weights, in percent.
func (w *writer) most(p *pool) int {
	most := 0
	for _, pr := range w.probes[p] {
		most = max(most, pr.asks)
	}
	return min(most, maxWeight)
}

// check writes a check.
func (w *writer) check(p *pool, pr *probe) {
	w.w.Service(pr.pos, "check", pr.name)
	w.w.Service(pr.pos, "on", on(p, pr))
	for _, l := range pr.lines {
		switch {
		case l.period:
			w.w.Period(l.pos, l.name, l.text)
		default:
			w.w.Service(l.pos, l.name, l.text)
		}
		if l.note != "" {
			w.w.Note(l.note)
		}
	}
}

// on names the reals that a check is for.
func on(p *pool, pr *probe) string {
	if len(pr.reals) == len(p.servers) {
		return "primary"
	}
	hosts := map[string]int{}
	for i := range p.servers {
		hosts[p.servers[i].addr.String()]++
	}
	words := make([]string, len(pr.reals))
	for i, s := range pr.reals {
		words[i] = s.addr.String()
		if hosts[words[i]] > 1 {
			words[i] = p.endpoint(s)
		}
	}
	return strings.Join(words, " ")
}
