package hacf

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/plugins/role"
)

// group is a line of haresources with addresses.
type group struct {
	node      string
	addresses []role.Address
	pos       config.Pos
}

// maxGroups is how many groups a beat has room for.
const maxGroups = 8

// readResources reads haresources.
func (c *conversion) readResources() {
	if c.resources.src == nil {
		c.w.Lose(c.at, "the addresses", "there is no %s beside it: add a fake.alert line for each group", filepath.Base(c.resources.name))
		return
	}
	n := 0
	for line := range strings.Lines(joined(string(c.resources.src))) {
		n++
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		c.group(config.Pos{File: c.resources.name, Line: n, Col: 1}, words)
	}
	if len(c.groups) > maxGroups {
		c.w.Errorf(c.groups[maxGroups].pos, "put addresses that may go together on one line", "there are %d groups of addresses; a pair has %d at most", len(c.groups), maxGroups)
	}
}

// group reads a line: a node and its resources, each SCRIPT::ARG::ARG or an
// address.
func (c *conversion) group(at config.Pos, words []string) {
	if len(c.nodes) > 0 && !slices.ContainsFunc(c.nodes, func(n named) bool { return strings.EqualFold(n.word, words[0]) }) {
		c.w.Errorf(at, "the name that uname -n prints on it, as in ha.cf", "%q is no node", words[0])
		return
	}
	g := group{node: words[0], pos: at}
	for _, word := range words[1:] {
		parts := strings.Split(word, "::")
		switch {
		case isAddress(parts[0]):
			c.address(&g, word, parts[0])
		case holders[parts[0]] && len(parts) > 1:
			for _, a := range arguments(word) {
				c.address(&g, word, a)
			}
		default:
			c.other(at, parts)
		}
	}
	if len(g.addresses) > 0 {
		c.groups = append(c.groups, g)
	}
}

// holders are scripts whose arguments are addresses.
var holders = map[string]bool{"IPaddr": true, "IPaddr2": true, "IPv6addr": true, "fake": true, "fakeip": true}

// arguments are those of a script that holds addresses. heartbeat itself divides
// at each ::, so that an IPv6 address has to be written in full; one that was not
// is taken as it was meant.
func arguments(word string) []string {
	_, rest, _ := strings.Cut(word, "::")
	if _, err := role.ParseAddress(rest); err == nil {
		return []string{rest}
	}
	return strings.Split(rest, "::")
}

// isAddress reports whether a word without a script is an address, as heartbeat
// tells them: by four numbers with dots; and here an IPv6 one as well.
func isAddress(word string) bool {
	ip, _, _ := strings.Cut(word, "/")
	_, err := netip.ParseAddr(ip)
	return err == nil
}

func (c *conversion) address(g *group, word, spec string) {
	a, err := role.ParseAddress(spec)
	if err != nil {
		c.w.Errorf(g.pos, "", "%s: %v", word, err)
		return
	}
	for _, have := range append(slices.Clone(c.groups), *g) {
		if slices.ContainsFunc(have.addresses, func(b role.Address) bool { return a.Prefix.Addr() == b.Prefix.Addr() }) {
			c.w.Errorf(g.pos, "an address belongs to one group", "%s: %s is there already", word, a.Prefix.Addr())
			return
		}
	}
	g.addresses = append(g.addresses, a)
}

// other notes a resource that is no address.
func (c *conversion) other(at config.Pos, parts []string) {
	what := strings.Join(parts, "::")
	switch parts[0] {
	case "MailTo":
		if len(parts) > 1 {
			c.mails = append(c.mails, named{parts[1], at})
			return
		}
		c.w.Lose(at, what, "it says nobody")
	case "mon", "mond", "lvs", "ldirectord", "ipvsadm", "keepalived":
		c.w.Lose(at, what, "mond runs on both directors all the time, so that the one that takes over knows the real servers and has its tables loaded")
	case "IPsrcaddr":
		c.w.Lose(at, what, "write a route that belongs to the group: --route \"default via GATEWAY src ADDRESS\"")
	case "SendArp", "AudibleAlarm", "WinPopup":
		c.w.Lose(at, what, "addresses are announced by themselves, and alert lines of the services tell people")
	case "drbd", "drbddisk", "Filesystem", "LVM", "Raid1", "ServeRAID", "ICP":
		c.w.Lose(at, what, "directors share no storage; what does is for Pacemaker")
	default:
		c.w.Lose(at, what, "mond starts no services: let systemd run it on both all the time, or write a program for the change: --on-take is run before the addresses are added, --on-release after they are removed")
	}
}
