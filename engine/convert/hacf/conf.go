package hacf

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

// conversion is what was read so far.
type conversion struct {
	pair
	w  *convert.Writer
	at config.Pos // the file that was named
	settings
	nodes  []named
	links  []link
	asked  []named // neighbours
	groups []group
	mails  []named
	lines  map[string]config.Pos // of directives that count once
}

// named is a word with its place.
type named struct {
	word string
	pos  config.Pos
}

// settings are those of ha.cf that are carried over, with heartbeat's defaults.
type settings struct {
	keepalive, dead, initDead time.Duration
	failback                  string // "" until it is said
	baud                      string
	name                      string // of the cluster
}

func defaults() settings {
	return settings{keepalive: time.Second, dead: 30 * time.Second, baud: "19200", name: "mond"}
}

// link is a medium in the words of heartbeat.monitor.
type link struct {
	name, words, note string
	pos               config.Pos
}

// directive reads the words behind one.
type directive func(c *conversion, at config.Pos, words []string)

// directives are all that heartbeat 3.0.6 knows, and what older releases did.
func directives() map[string]directive {
	all := map[string]directive{
		"node":      func(c *conversion, at config.Pos, words []string) { c.addNodes(at, words) },
		"keepalive": duration(func(c *conversion) *time.Duration { return &c.keepalive }),
		"deadtime":  duration(func(c *conversion) *time.Duration { return &c.dead }),
		"initdead":  duration(func(c *conversion) *time.Duration { return &c.initDead }),
		"bcast":     (*conversion).broadcast,
		"udp":       (*conversion).broadcast,
		"mcast":     (*conversion).multicast,
		"mcast6":    (*conversion).multicast,
		"ucast":     (*conversion).unicast,
		"ucast6":    (*conversion).unicast,
		"serial":    (*conversion).serialLines,
		"baud":      func(c *conversion, _ config.Pos, words []string) { c.baud = words[0] },
		"ping":      func(c *conversion, at config.Pos, words []string) { c.neighbours(at, words) },
		"ping6":     func(c *conversion, at config.Pos, words []string) { c.neighbours(at, words) },
		"ping_group": func(c *conversion, at config.Pos, words []string) {
			c.neighbours(at, words[1:])
		},
		"auto_failback": (*conversion).autoFailback,
		"nice_failback": (*conversion).niceFailback,
		"cluster":       func(c *conversion, _ config.Pos, words []string) { c.name = words[0] },
		"crm":           (*conversion).crm,
		"pacemaker":     (*conversion).crm,
	}
	for why, words := range lost {
		for _, word := range strings.Fields(words) {
			all[word] = func(c *conversion, at config.Pos, args []string) {
				c.w.Lose(at, strings.Join(append([]string{word}, args...), " "), "%s", why)
			}
		}
	}
	return all
}

// lost are the directives that are not carried over, by the reason.
var lost = map[string]string{
	"mond's own port is another one (6694), so that heartbeat may go on beside it until the change":                           "udpport",
	"a link that loses beats, is late or works one way only is reported by the service link-NAME by itself":                   "warntime log_badpack deadping",
	"packets go from one director to the other and no further":                                                                "hopfudge",
	"mond logs to syslog, or where --log says":                                                                                "logfile debugfile logfacility use_logd conn_logd_time debug syslogmsgfmt coredumps coreroot",
	"both directors are known by their numbers, and no other is let in":                                                       "autojoin uuidfrom hbgenmethod",
	"heartbeat.monitor asks for real-time priority by itself where the beats are so fast that it matters":                     "realtime rtprio memreserve normalpoll",
	"what heartbeat started for the watching of links is in heartbeat.monitor; anything else is for systemd":                  "respawn failfast apiauth use_apphbd",
	"there is no fencing yet: a lease ends what a director that hangs holds, and the address is asked for before it is taken": "stonith stonith_host",
	"systemd watches mond (WatchdogSec), and a lease ends by itself when nobody renews it":                                    "watchdog",
	"beats are sealed with AES-256-GCM and fit into one packet":                                                               "compression compression_threshold traditional_compression msgfmt",
	"nothing is sent again but configuration and commands, on a schedule of its own":                                          "max_rexmit_delay",
	"it is for Pacemaker":                           "crmd_spawns_pengine crm_daemon_dir env record_config_changes record_pengine_inputs enable_config_writes",
	"a third machine that decides is not there yet": "quorum_server",
	"a disk is no neighbour on the network":         "hbaping",
}

// readConf reads ha.cf.
func (c *conversion) readConf() {
	if c.conf.src == nil {
		c.w.Errorf(c.at, "put it there: without it nobody knows who the directors are, nor how they talk to each other", "there is no %s in the same folder", filepath.Base(c.conf.name))
		return
	}
	c.lines = map[string]config.Pos{}
	n := 0
	for line := range strings.Lines(string(c.conf.src)) {
		n++
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		at := config.Pos{File: c.conf.name, Line: n, Col: strings.Index(line, words[0]) + 1}
		read, known := directives()[words[0]]
		switch {
		case !known:
			c.w.Errorf(at, "see ha.cf(5)", "%q is no directive of heartbeat", words[0])
		case len(words) < 2 || words[0] == "ping_group" && len(words) < 3:
			c.w.Errorf(at, "", "%s wants a value", words[0])
		default:
			c.lines[words[0]] = at
			read(c, at, words[1:])
		}
	}
	c.judge()
}

// judge looks at the file as a whole.
func (c *conversion) judge() {
	end := config.Pos{File: c.conf.name}
	switch len(c.nodes) {
	case 0, 1:
		c.w.Errorf(end, "a pair has two: node NAME, with the name that uname -n prints there", "there are %d nodes", len(c.nodes))
	case 2:
	default:
		for _, n := range c.nodes[2:] {
			c.w.Lose(n.pos, "node "+n.word, "a pair has two directors")
		}
	}
	c.settleUnicast()
	if len(c.links) == 0 {
		c.w.Errorf(end, "such as: bcast eth1", "there is no link between the directors: no bcast, ucast, mcast or serial")
	}
}

func (c *conversion) addNodes(at config.Pos, words []string) {
	for _, w := range words {
		if !slices.ContainsFunc(c.nodes, func(n named) bool { return strings.EqualFold(n.word, w) }) {
			c.nodes = append(c.nodes, named{w, at})
		}
	}
}

// duration reads a time: a bare number is seconds.
func duration(of func(c *conversion) *time.Duration) directive {
	return func(c *conversion, at config.Pos, words []string) {
		d, err := span(words[0])
		if err != nil {
			c.w.Errorf(at, "seconds, or with ms behind the number", "%v", err)
			return
		}
		*of(c) = d
	}
}

var spanForm = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(ms|msec|us|usec|s|sec)?$`)

func span(word string) (time.Duration, error) {
	m := spanForm.FindStringSubmatch(strings.ToLower(word))
	if m == nil {
		return 0, fmt.Errorf("%q is no time", word)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil || n > 1e9 {
		return 0, fmt.Errorf("%q is no time", word)
	}
	unit := map[string]time.Duration{"": time.Second, "s": time.Second, "sec": time.Second, "ms": time.Millisecond, "msec": time.Millisecond, "us": time.Microsecond, "usec": time.Microsecond}[m[2]]
	return time.Duration(n * float64(unit)), nil
}

// linkName is a name of its own for a link.
func (c *conversion) linkName(base string) string {
	base = strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '.' || r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			return r
		}
		return '-'
	}, strings.TrimLeft(base, "/-._"))
	name := base
	for i := 2; slices.ContainsFunc(c.links, func(l link) bool { return l.name == name }); i++ {
		name = base + "-" + strconv.Itoa(i)
	}
	return name
}

func (c *conversion) addLink(at config.Pos, base, words, note string) {
	name := c.linkName(base)
	c.links = append(c.links, link{name, name + "=" + words, note, at})
}

func (c *conversion) broadcast(at config.Pos, words []string) {
	for _, device := range words {
		c.addLink(at, device, "bcast:"+device, "")
	}
}

// multicast reads interface, group, port, ttl and loop. heartbeat's sample has a
// group of those that the Internet gives away; here it is one that is free.
func (c *conversion) multicast(at config.Pos, words []string) {
	if len(words) < 2 {
		c.w.Errorf(at, "mcast eth0 239.0.0.1 694 1 0", "mcast wants an interface and a group")
		return
	}
	group, err := netip.ParseAddr(words[1])
	if err != nil || !group.IsMulticast() {
		c.w.Errorf(at, "", "%q is no multicast group", words[1])
		return
	}
	free := group
	if b := group.As16(); group.Is4() && group.As4()[0] != 239 {
		v4 := group.As4()
		v4[0] = 239
		free = netip.AddrFrom4(v4)
	} else if group.Is6() && (b[0] != 0xff || b[1] != 0x12) {
		b[1] = 0x12
		free = netip.AddrFrom16(b)
	}
	if free != group {
		c.w.Lose(at, "the group "+group.String(), "it is not one that is free for this: %s is taken", free)
	}
	c.addLink(at, words[0], "mcast:"+words[0]+","+free.String(), "")
}

// unicast notes an address: of the two that both files have, one is ours.
func (c *conversion) unicast(at config.Pos, words []string) {
	if len(words) < 2 {
		c.w.Errorf(at, "ucast eth1 10.1.0.2", "ucast wants an interface and the address of the other director there")
		return
	}
	c.links = append(c.links, link{name: "", words: words[1], note: words[0], pos: at})
}

// settleUnicast makes links of the addresses, those of one interface together,
// in the order of the nodes.
func (c *conversion) settleUnicast() {
	all := c.links
	c.links = nil
	done := map[string]bool{}
	for _, l := range all {
		device := l.note
		switch {
		case l.name != "":
			c.links = append(c.links, l)
			continue
		case done[device]:
			continue
		}
		done[device] = true
		var ends []string
		for _, other := range all {
			if other.name == "" && other.note == device {
				ends = append(ends, other.words)
			}
		}
		c.unicastOn(l.pos, device, ends)
	}
}

func (c *conversion) unicastOn(at config.Pos, device string, ends []string) {
	for _, end := range ends {
		if _, err := netip.ParseAddr(end); err != nil {
			c.w.Errorf(at, "names are not looked up: a director starts without a name server", "ucast %s: %q is no address", device, end)
			return
		}
	}
	if len(ends) != 2 {
		c.w.Lose(at, "ucast "+device+" "+strings.Join(ends, " "), "the address of one director is not said: write --link %s=udp:OWN,OTHER with both", device)
		return
	}
	if c.second() {
		slices.Reverse(ends)
	}
	c.addLink(at, device, "udp:"+ends[0]+","+ends[1], "the addresses in the order of the nodes; the other director has them the other way round")
}

// second says whether the result is for the second node.
func (c *conversion) second() bool {
	return len(c.nodes) > 1 && strings.EqualFold(c.nodes[1].word, c.self)
}

func (c *conversion) serialLines(at config.Pos, words []string) {
	if n, err := strconv.Atoi(c.baud); err != nil || n <= 0 {
		c.w.Errorf(at, "", "baud %q is no number", c.baud)
		return
	}
	for _, tty := range words {
		c.addLink(at, strings.TrimPrefix(tty, "/dev/"), "serial:"+tty+","+c.baud, "")
	}
}

func (c *conversion) neighbours(at config.Pos, words []string) {
	for _, w := range words {
		if _, err := netip.ParseAddr(w); err != nil {
			c.w.Lose(at, "ping "+w, "a neighbour is asked by its address, and names are not looked up")
			continue
		}
		c.asked = append(c.asked, named{w, at})
	}
}

func (c *conversion) autoFailback(at config.Pos, words []string) {
	switch strings.ToLower(words[0]) {
	case "on", "true", "yes", "y", "1":
		c.failback = "now"
	case "legacy":
		c.failback = "now"
		c.w.Lose(at, "auto_failback legacy", "it is as on")
	case "off", "false", "no", "n", "0":
		c.failback = "off"
	default:
		c.w.Errorf(at, "on, off or legacy", "auto_failback %q", words[0])
	}
}

// niceFailback is the old name, with the meaning turned round.
func (c *conversion) niceFailback(at config.Pos, words []string) {
	switch strings.ToLower(words[0]) {
	case "on", "true", "yes", "y", "1":
		c.failback = "off"
	case "off", "false", "no", "n", "0":
		c.failback = "now"
	default:
		c.w.Errorf(at, "on or off", "nice_failback %q", words[0])
	}
}

func (c *conversion) crm(at config.Pos, words []string) {
	switch strings.ToLower(words[0]) {
	case "off", "false", "no", "n", "0":
	default:
		c.w.Errorf(at, "let Pacemaker go on deciding, with the agents ocf:mond:fakeip and ocf:mond:director", "with %s the resources are Pacemaker's, and haresources does not count", "crm "+words[0])
	}
}
