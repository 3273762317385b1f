package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/auth/crypt"
)

// Rules are what an auth.cf says: who may give which command, and who may send
// traps. They do not change once read.
type Rules struct {
	commands map[string]*grant
	traps    []trapLine
}

// grant is what the lines of one command say.
type grant struct {
	// all lets anybody, logged in or not; users are those who must be logged
	// in. denied wins over both.
	all           bool
	users, denied map[string]bool
}

// everyUser stands for whoever is logged in.
const everyUser = "AUTH_ANY"

// trapLine is a line of the trap section.
type trapLine struct {
	line int
	// host is "*", or a name to be looked up if addr is not valid.
	host string
	addr netip.Addr
	// user is "*" for any, without password.
	user, hash string
}

// String hides the hashes.
func (r *Rules) String() string {
	return fmt.Sprintf("rules for %d commands, %d lines about traps", len(r.commands), len(r.traps))
}

// GoString hides them too.
func (r *Rules) GoString() string { return r.String() }

// ParseRules reads the text of an auth.cf; name is for the problems. The rules
// are whole but for lines with a problem.
func ParseRules(name, text string) (*Rules, []Problem) {
	p := rulesParser{name: name, rules: &Rules{commands: map[string]*grant{}}}
	for n, line := range lines(text) {
		p.line = n
		switch {
		case section(line, "command"):
			p.traps = false
		case section(line, "trap"):
			p.traps = true
		case p.traps:
			p.trap(line)
		default:
			p.command(line)
		}
	}
	p.ignored()
	return p.rules, p.problems
}

// rulesParser is where the reading of an auth.cf has got to.
type rulesParser struct {
	name     string
	line     int
	traps    bool
	rules    *Rules
	problems []Problem
}

func (p *rulesParser) warn(format string, args ...any) { p.add(false, format, args...) }

func (p *rulesParser) add(isFatal bool, format string, args ...any) {
	p.problems = append(p.problems, Problem{p.name, p.line, isFatal, fmt.Sprintf(format, args...)})
}

// section reports whether line begins the section of that name. As in mon,
// what follows does not matter.
func section(line, name string) bool {
	rest, ok := strings.CutPrefix(line, name)
	return ok && strings.HasPrefix(strings.TrimLeft(rest, blanks), "section") && blank(rune(rest[0]))
}

// command reads COMMAND: USER[, USER...].
func (p *rulesParser) command(line string) {
	command, users, ok := strings.Cut(line, ":")
	if !ok {
		p.add(true, "no colon in a line of the command section: it is COMMAND: USER, USER..., or \"trap section\" is missing before it")
		return
	}
	command = strings.ToLower(strings.TrimRight(command, blanks))
	if !slices.Contains(commands(), command) {
		p.warn("there is no command %q", command)
	}
	g := p.rules.commands[command]
	if g == nil {
		g = &grant{users: map[string]bool{}, denied: map[string]bool{}}
		p.rules.commands[command] = g
	}
	for user := range strings.SplitSeq(users, ",") {
		p.user(g, strings.Trim(user, blanks))
	}
}

// user reads one user of a command.
func (p *rulesParser) user(g *grant, user string) {
	denied, deny := strings.CutPrefix(user, "!")
	denied = strings.TrimLeft(denied, blanks)
	switch {
	case user == "":
	case user == "all":
		g.all = true
	case deny && denied == "all":
		p.warn("!all denies it to a user whose name is all; leave the command out to deny it to everybody")
		g.denied[denied] = true
	case deny:
		g.denied[denied] = true
	default:
		g.users[user] = true
	}
}

// trap reads HOST USER HASH.
func (p *rulesParser) trap(line string) {
	words := strings.FieldsFunc(line, blank)
	if len(words) != 3 {
		p.warn("a line of the trap section is HOST USER HASH, this one has %d words: it is passed over", len(words))
		return
	}
	t := trapLine{line: p.line, host: words[0], user: words[1], hash: words[2]}
	if t.host != "*" && !p.address(&t) {
		return
	}
	if err := crypt.Check(t.hash); t.user != "*" && err != nil && !errors.Is(err, crypt.ErrLocked) {
		p.warn("no password of %q can be right: %v", t.user, err)
	}
	p.rules.traps = append(p.rules.traps, t)
}

// address reads the host of a trap line as an address if it is one; it is false
// if it is neither that nor a name.
func (p *rulesParser) address(t *trapLine) bool {
	if addr, err := netip.ParseAddr(t.host); err == nil {
		t.addr = plain(addr)
		return true
	}
	if strings.Trim(t.host, "0123456789.") == "" || !hostName(t.host) {
		p.warn("%q is neither an address nor the name of a host: the line is passed over", t.host)
		return false
	}
	return true
}

// plain is an address as the sources of traps and logins are compared: IPv4 as
// IPv4, no zone.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// hostName reports whether s can be the name of a host.
func hostName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	return len(s) <= 253 && strings.Trim(s, letters) == "" && s[0] != '-' && s[0] != '.'
}

// ignored reports lines that do nothing since another one lets all hosts.
func (p *rulesParser) ignored() {
	i := slices.IndexFunc(p.rules.traps, func(t trapLine) bool { return t.host == "*" })
	if i < 0 {
		return
	}
	for _, t := range p.rules.traps {
		if t.host != "*" {
			p.line = t.line
			p.warn("%s is passed over, since line %d is for all hosts (*)", t.host, p.rules.traps[i].line)
		}
	}
}

// May reports whether user may give command, in lower case; user "" is nobody
// who logged in.
func (r *Rules) May(user, command string) bool {
	g := r.commands[command]
	if g == nil {
		return false
	}
	if user == "" {
		return g.all
	}
	if g.denied[user] || g.denied[everyUser] {
		return false
	}
	return g.all || g.users[everyUser] || g.users[user]
}

// commands are those of mon. It never asks whether quit, protid, login,
// version, checkauth, setview and getview are allowed; its own auth.cf names
// some of them all the same.
func commands() []string {
	return []string{
		"ack", "checkauth", "clear", "disable", "dump", "enable", "get", "getview", "list", "loadstate",
		"login", "protid", "quit", "reload", "reset", "savestate", "servertime", "set", "setview", "start",
		"stop", "term", "test", "version",
	}
}
