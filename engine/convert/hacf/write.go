package hacf

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/plugins/role"
)

// keysFile is where the secrets of the pair are looked for.
const keysFile = "/etc/mond/heartbeat.keys"

// The ranges of heartbeat.monitor.
const (
	minInterval, maxInterval = 10 * time.Millisecond, 10 * time.Second
	minDead, maxDead         = 30 * time.Millisecond, time.Minute
	maxInitDead              = time.Hour
)

// otherPriority is that of groups which the other director is to have; ours is
// the default.
const otherPriority = 50

// own and other are the nodes.
func (c *conversion) own() (own, other named, number, peer int) {
	pick := func(i int) named {
		if i < len(c.nodes) {
			return c.nodes[i]
		}
		return named{word: "director" + strconv.Itoa(i+1), pos: c.at}
	}
	if c.second() {
		return pick(1), pick(0), 2, 1
	}
	return pick(0), pick(1), 1, 2
}

// write writes the watch.
func (c *conversion) write() {
	own, other, number, peer := c.own()
	c.w.Comment(c.at, "Made from ha.cf and haresources, a configuration of heartbeat. Where a line comes from stands behind it.")
	c.w.Comment(c.at, fmt.Sprintf("It is for %s. On %s: --node %d --peer %d with the names changed over, priorities %d and %d changed over.",
		own.word, other.word, peer, number, role.DefaultPriority, otherPriority))
	c.w.Comment(c.at, "Both need the same secret: "+keysFile+", mode 0600, with the lines \"auth 1\" and \"1 SECRET\".")
	c.w.Blank(c.at)
	c.w.Lose(config.Pos{File: c.conf.name}, "authkeys", "its methods (crc, md5, sha1) are never accepted: make %s with a secret of its own", keysFile)
	c.w.Top(other.pos, "hostgroup", "directors "+other.word)
	c.noteLine(other.pos)
	c.w.Blank(c.at)
	c.w.Top(c.at, "watch", "directors")
	c.w.Service(c.at, "service", "role")
	c.w.Service(c.at, "description", "which director holds the addresses")
	c.w.Service(c.at, "monitor", c.monitor(own, other, number, peer))
	c.w.Service(c.at, "period", "wd {Sun-Sat}")
	for _, g := range c.groups {
		c.w.Period(g.pos, "alert", c.holder(g, own))
		c.noteLine(g.pos)
	}
	for _, m := range c.mails {
		c.w.Period(m.pos, "alert", "mail.alert "+config.Quote(m.word))
		c.noteLine(m.pos)
	}
	c.w.Blank(c.at)
}

// noteLine says where a line comes from.
func (c *conversion) noteLine(at config.Pos) {
	if at.Line > 0 {
		c.w.Note(fmt.Sprintf("%s line %d", at.File[strings.LastIndexByte(at.File, '/')+1:], at.Line))
	}
}

// monitor is the line of heartbeat.monitor.
func (c *conversion) monitor(own, other named, number, peer int) string {
	words := []string{"heartbeat.monitor"}
	say := func(option string, value any) { words = append(words, option, config.Quote(fmt.Sprint(value))) }
	say("--node", number)
	say("--peer", peer)
	say("--name", own.word)
	say("--peer-name", other.word)
	if c.name != "mond" {
		say("--cluster", c.name)
	}
	say("--keys", keysFile)
	for _, l := range c.links {
		say("--link", l.words)
		if l.note != "" {
			c.w.Lose(l.pos, "--link "+l.words, "%s", l.note)
		}
	}
	say("--interval", c.within("keepalive", c.keepalive, minInterval, maxInterval))
	say("--dead", c.within("deadtime", c.dead, max(minDead, 3*c.keepalive), maxDead))
	say("--initdead", c.within("initdead", c.firstWord(), minDead, maxInitDead))
	for _, n := range c.asked {
		say("--neighbour", n.word)
	}
	return strings.Join(words, " ")
}

// firstWord is initdead, or its default.
func (c *conversion) firstWord() time.Duration {
	switch {
	case c.initDead > 0:
		return c.initDead
	case c.dead > 10*time.Second:
		return c.dead
	case c.dead < 6*time.Second:
		return 12 * time.Second
	}
	return 2 * c.dead
}

// within takes the nearest value that heartbeat.monitor takes.
func (c *conversion) within(name string, d, low, high time.Duration) time.Duration {
	near := min(max(d, low), high)
	if near != d {
		at, said := c.lines[name]
		if !said {
			at = config.Pos{File: c.conf.name}
		}
		c.w.Lose(at, fmt.Sprintf("%s %v", name, d), "%v is the nearest that heartbeat.monitor takes", near)
	}
	return near
}

// holder is the line of fake.alert for a group.
func (c *conversion) holder(g group, own named) string {
	line := role.Group{
		Name: g.addresses[0].Prefix.Addr().String(), Addresses: g.addresses, Priority: role.DefaultPriority, Failback: role.FailbackNow,
		Conflict: role.Refuse, Refresh: role.DefaultRefresh, ProgramLimit: role.DefaultProgramLimit,
	}
	if !strings.EqualFold(g.node, own.word) {
		line.Priority = otherPriority
	}
	if c.failback == "off" {
		line.Failback = role.FailbackOff
	}
	words := []string{"fake.alert"}
	for _, w := range line.Args() {
		words = append(words, config.Quote(w))
	}
	return strings.Join(words, " ")
}
