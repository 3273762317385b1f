package lvscf

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

// probe writes the checks of a virtual service: nanny pings, then connects,
// then speaks.
func (c *conversion) probe(p *pool) {
	byPort := map[int][]string{}
	var order []int
	same := map[int]bool{}
	for _, s := range p.inner {
		check, row := c.ports(p, s)
		if byPort[check] == nil {
			order = append(order, check)
			same[check] = true
		}
		same[check] = same[check] && check == row
		name := s.values["address"].text
		if s.number("active", 0) == 1 {
			byPort[check] = append(byPort[check], name)
		}
	}
	for _, port := range order {
		if len(byPort[port]) == 0 {
			continue
		}
		word := strconv.Itoa(port)
		if same[port] {
			word = "$port"
		}
		on := "primary"
		if len(order) > 1 {
			on = strings.Join(byPort[port], " ")
		}
		c.ask(p, port, word, on)
	}
	c.load(p)
}

// line is a check while it is put together.
type line struct {
	name, monitor string
	pos           config.Pos
	comment       string
}

// ask writes the checks of the servers at one port.
func (c *conversion) ask(p *pool, port int, word, on string) {
	every := max(p.number("timeout", 10), 1)
	limit := seconds(every)
	rise := max(1, (p.number("reentry", 180)+every-1)/every)
	for _, l := range c.lines(p, port, word, limit) {
		key := fmt.Sprint(every, rise, l.monitor)
		c.w.Comment(l.pos, l.comment)
		c.w.Service(l.pos, "check", c.checks.Shared(l.name, key))
		c.w.Service(p.at("timeout"), "interval", limit)
		c.w.Note("timeout, " + from(p.values["timeout"]))
		c.w.Service(p.at("timeout"), "timeout", limit)
		c.w.Service(p.pos, "fall", "1")
		c.w.Note("one failure takes a server out, as with nanny")
		c.w.Service(p.at("reentry"), "rise", strconv.Itoa(rise))
		c.w.Note("reentry, " + from(p.values["reentry"]) + ": so many successes take as long")
		c.w.Service(l.pos, "monitor", l.monitor)
		if on != "primary" || p.values["sorry_server"].given() {
			c.w.Service(l.pos, "on", on)
		}
	}
}

// lines are the checks of one port.
func (c *conversion) lines(p *pool, port int, word, limit string) []line {
	if v := p.values["send_program"]; v.given() {
		return []line{{"program-" + strconv.Itoa(port), c.program(p, v, word, limit), v.pos, "send_program, " + from(v)}}
	}
	options, about := c.dialogue(p)
	if p.tcp {
		monitor := "tcp.monitor -p " + word + " -t " + limit + " --ping" + options
		return []line{{"tcp-" + strconv.Itoa(port), monitor, p.at("send"), about + "; nanny pings first, and so does this"}}
	}
	ping := line{"ping", "fping.monitor", p.at("protocol"), "nanny pings before it asks"}
	return []line{ping, {"udp-" + strconv.Itoa(port), "udp.monitor -p " + word + " -t " + limit + options, p.at("send"), about}}
}

// dialogue are the options for what is sent and what is to come.
func (c *conversion) dialogue(p *pool) (options, about string) {
	send, expect := p.values["send"], p.values["expect"]
	if !send.given() && !expect.given() && p.port == 80 && p.tcp {
		return " " + convert.Words("-s", `GET / HTTP/1.0\r\n\r\n`, "--expect-prefix", "HTTP"), "Piranha's default for port 80"
	}
	about = "send and expect"
	if !send.given() && !expect.given() {
		about = "neither send nor expect: the port must open"
	}
	if send.given() {
		options += " " + convert.Words("-s", send.text)
	}
	if n := len(unescape(expect.text)); n > nannyReads && p.number("use_regex", 0) == 0 {
		c.lose(expect, "expect", "nanny reads %d octets of an answer and never has these %d: it takes the servers for dead; mond compares them all", nannyReads, n)
	}
	switch {
	case !expect.given():
	case expect.text == "*":
		options += " --answer"
	case p.number("use_regex", 0) == 1:
		options += c.regex(expect)
	case p.tcp:
		options += " " + convert.Words("--expect-prefix", expect.text)
	default:
		options += " " + convert.Words("-e", "^"+regexp.QuoteMeta(unescape(expect.text)))
	}
	return options, about
}

// nannyReads is how much of an answer nanny looks at, in one read.
const nannyReads = 254

// unescape replaces the escapes that Piranha knows.
func unescape(s string) string {
	return strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t", `\\`, `\`, `\'`, "'", `\"`, `"`).Replace(s)
}

// regex is the option for an extended regular expression.
func (c *conversion) regex(expect value) string {
	if _, err := regexp.CompilePOSIX(expect.text); err == nil {
		if _, err = regexp.Compile(expect.text); err == nil {
			c.lose(expect, "expect", "nanny looks for it in what it reads first, %d octets at most; mond in the whole answer, so that it may find more", nannyReads)
			return " " + convert.Words("-e", expect.text)
		}
	}
	c.lose(expect, "expect", "mond's patterns are RE2, which does not know this one: any answer is good, which is less than nanny wants")
	return " --answer"
}

// program runs a command and compares what it prints.
func (c *conversion) program(p *pool, v value, port, limit string) string {
	words := strings.Fields(v.text)
	for i, w := range words {
		switch w {
		case "%h":
			words[i] = "$real"
		case "%p":
			words[i] = port
		default:
			words[i] = convert.Dollars(w)
		}
	}
	command := strings.Join(words, " ")
	script := command
	switch expect := p.values["expect"]; {
	case expect.given() && expect.text != "*":
		script = `[ "$$(` + command + `)" = "` + shellText(convert.Dollars(unescape(expect.text))) + `" ] || exit 2`
		c.lose(v, "send_program", "nanny takes a program that runs too long or fails for a success where expect is set; here it is a failure")
	default:
		script = command + " > /dev/null || exit 2"
		c.lose(v, "send_program", "without expect its exit status counts")
	}
	args := config.Quote("-c '" + strings.ReplaceAll(script, "'", `'\''`) + "'")
	return "nagios.monitor --dir /bin --plugin sh --host none -t " + limit + " --args " + args
}

// shellText is s as it stands between double quotes in a shell.
func shellText(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", "$$", `\$$`).Replace(s)
}

// load is the check that speaks of the weight.
func (c *conversion) load(p *pool) {
	v := p.values["load_monitor"]
	switch v.text {
	case "", "none":
		return
	case "uptime":
	default:
		c.lose(v, "load_monitor", "mond has no monitor that reads it; see weight_from for the ways in which a real server may speak of its weight")
		return
	}
	rsh := c.file.values["rsh_command"].text
	c.lose(v, "load_monitor", "the load is read by check_by_ssh of the package monitoring-plugins-basic, as the user that mond is, where nanny used %s: let that user in; a server whose load cannot be read at all is out", "rsh_command "+rsh)
	const args = `-H {host} -C "sed 's/ .*//;s/^/load=/' /proc/loadavg"`
	monitor := "nagios.monitor --plugin check_by_ssh -t 10s --args " + config.Quote(args)
	c.w.Comment(v.pos, "load_monitor, "+from(v))
	c.w.Service(v.pos, "check", c.checks.Shared("load", monitor))
	c.w.Service(v.pos, "interval", "20s")
	c.w.Service(v.pos, "fall", "3")
	c.w.Service(v.pos, "monitor", monitor)
	c.w.Service(v.pos, "weight_from", "perf load as load")
	if p.values["sorry_server"].given() {
		c.w.Service(v.pos, "on", "primary")
	}
}
