package role

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/getopt"
)

// The defaults of a group.
const (
	DefaultPriority     = 100
	DefaultRefresh      = time.Minute
	DefaultProgramLimit = 10 * time.Second
)

const (
	// maxGroup is the longest name of a group: it is part of a service's name.
	maxGroup = 64
	// The ranges of the options that are times.
	minRefresh, maxRefresh = time.Second, 24 * time.Hour
	maxAfter               = 24 * time.Hour
	minLimit, maxLimit     = 100 * time.Millisecond, time.Minute
)

// ParseGroup reads the words of a line: options in any spelling that
// plugins/getopt knows, then the addresses. An error names the word at fault
// and says what is right; that of an option is a [*getopt.Error], that of an
// address a [*AddressError].
func ParseGroup(args []string) (Group, error) {
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var w Words
	w.Declare(fs)
	rest, err := getopt.Parse(fs, args)
	if err != nil {
		return Group{}, err
	}
	g, err := w.Group(rest)
	if e, ok := errors.AsType[*AddressError](err); ok {
		e.Index += len(args) - len(rest)
	}
	return g, err
}

// AddressError is about one address of a line.
type AddressError struct {
	// Index is its place among the words that were read.
	Index int
	Err   error
}

// Error is what Err says.
func (e *AddressError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *AddressError) Unwrap() error { return e.Err }

// Words are the options of a line as a program declares them.
type Words struct {
	group  Group
	router bool
}

// Declare declares the options on fs, each judged as it is set.
func (w *Words) Declare(fs *flag.FlagSet) {
	*w = Words{group: Group{Priority: DefaultPriority, Failback: FailbackOff, Conflict: Refuse, Refresh: DefaultRefresh, ProgramLimit: DefaultProgramLimit}}
	g := &w.group
	fs.Func("group", "`NAME` of the group (default: its first address)", g.setName)
	fs.Func("priority", "`N` of this director for the group, 0 to 255; the higher is preferred (default 100)", g.setPriority)
	fs.Func("failback", "whether this director takes the group again when it comes back and is preferred: off, now, or `AFTER` a time of health such as 5m (default off)", g.setFailback)
	fs.Func("conflict", "`WHAT` to do if a stranger answers for an address that is to be taken: refuse or takeover (default refuse); where no heartbeat.monitor decides, an alert takes it in any case", g.setConflict)
	fs.Func("route", "`WORDS` of a route, quoted, as behind \"ip route add\"; may be repeated", wordsOf(&g.Routes, routeHint("route")))
	fs.Func("rule", "`WORDS` of a rule, quoted, as behind \"ip rule add\"; may be repeated", wordsOf(&g.Rules, routeHint("rule")))
	fs.Func("tell", "`ADDR` of a station that is told by a packet of its own; may be repeated, or a list with commas", g.setTell)
	fs.Func("refresh", "`TIME` between announcements while the group is held; 0 for none (default 1m)", g.setRefresh)
	fs.Func("on-take", "`CMD`, a program with its words, quoted: run before the addresses are added; may be repeated", wordsOf(&g.OnTake, checkProgram))
	fs.Func("on-release", "`CMD` run after the addresses are removed; may be repeated", wordsOf(&g.OnRelease, checkProgram))
	fs.Func("program-limit", "`TIME` that each program may take (default 10s)", g.setLimit)
	fs.BoolVar(&w.router, "router", false, "other machines use the addresses as their gateway")
}

// Group is the group of the options that were set, with these addresses. The
// error of one of them is an [*AddressError].
func (w *Words) Group(addresses []string) (Group, error) {
	g := w.group
	if len(addresses) == 0 {
		return Group{}, errors.New("no address: " + addressForm)
	}
	for i, word := range addresses {
		a, err := ParseAddress(word)
		if err != nil {
			return Group{}, &AddressError{i, fmt.Errorf("%w%s", err, optionHint(word))}
		}
		a.Router = w.router
		if g.has(a.Prefix.Addr()) {
			return Group{}, &AddressError{i, fmt.Errorf("address %q: %s is named twice", word, a.Prefix.Addr())}
		}
		g.Addresses = append(g.Addresses, a)
	}
	if g.Name == "" {
		g.Name = g.defaultName()
	}
	return g, nil
}

// optionHint helps with an option behind the addresses.
func optionHint(word string) string {
	if strings.HasPrefix(word, "-") {
		return " (options go before the addresses)"
	}
	return ""
}

func (g *Group) has(ip netip.Addr) bool {
	return slices.ContainsFunc(g.Addresses, func(a Address) bool { return a.Prefix.Addr() == ip })
}

func (g *Group) defaultName() string { return g.Addresses[0].Prefix.Addr().String() }

func (g *Group) setName(s string) error {
	bad := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-:", r)
	}
	if s == "" || len(s) > maxGroup || strings.ContainsFunc(s, bad) {
		return fmt.Errorf("a name is 1 to %d of the letters a-z A-Z 0-9 . _ - :", maxGroup)
	}
	g.Name = s
	return nil
}

func (g *Group) setPriority(s string) error {
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil {
		return errors.New("say a number from 0 to 255")
	}
	g.Priority = uint8(n)
	return nil
}

func (g *Group) setFailback(s string) error {
	switch f := Failback(s); f {
	case FailbackOff, FailbackNow:
		g.Failback, g.After = f, 0
		return nil
	}
	after, err := time.ParseDuration(s)
	if err != nil || after <= 0 || after > maxAfter {
		return errors.New("say off, now, or a time of health such as 30s or 5m, at most 24h")
	}
	g.Failback, g.After = FailbackAfter, after
	return nil
}

func (g *Group) setConflict(s string) error {
	switch c := Conflict(s); c {
	case Refuse, Takeover:
		g.Conflict = c
		return nil
	}
	return errors.New("say refuse or takeover")
}

func (g *Group) setTell(s string) error {
	for word := range strings.SplitSeq(s, ",") {
		ip, err := netip.ParseAddr(word)
		if err != nil {
			return fmt.Errorf("%q is no IP address; say those of stations, such as 10.0.0.1 or 10.0.0.1,2001:db8::1", word)
		}
		if ip.Zone() != "" {
			return fmt.Errorf("%s: leave the zone out: it is told on the interface of the group's addresses", word)
		}
		if err := holdable(ip); err != nil {
			return fmt.Errorf("%s: %w", word, err)
		}
		if !slices.Contains(g.Tell, ip) {
			g.Tell = append(g.Tell, ip)
		}
	}
	return nil
}

func (g *Group) setRefresh(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d != 0 && (d < minRefresh || d > maxRefresh) {
		return errors.New("say a time from 1s to 24h, or 0 for none")
	}
	g.Refresh = d
	return nil
}

func (g *Group) setLimit(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < minLimit || d > maxLimit {
		return errors.New("say a time from 100ms to 1m")
	}
	g.ProgramLimit = d
	return nil
}

// wordsOf makes an option that may be repeated of a quoted word, which holds
// words without quoting of their own.
func wordsOf(list *[][]string, check func([]string) error) func(string) error {
	return func(s string) error {
		words := strings.Fields(s)
		if len(words) == 0 {
			return errors.New("it is empty")
		}
		if strings.ContainsAny(s, `'"\`) {
			return errors.New("no shell reads it: words are divided at spaces, and quotes and backslashes mean nothing; what needs them goes in a script")
		}
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return errors.New("it holds a control character")
		}
		if err := check(words); err != nil {
			return err
		}
		*list = append(*list, words)
		return nil
	}
}

// routeHint refuses the words of ip(8) that come before those of a route.
func routeHint(kind string) func([]string) error {
	return func(words []string) error {
		switch words[0] {
		case "ip", "-4", "-6", "route", "rule", "add", "append", "replace", "change", "del", "delete":
			return fmt.Errorf("leave out %q: say what comes behind \"ip %s add\"", words[0], kind)
		}
		if strings.HasPrefix(words[0], "-") {
			return fmt.Errorf("%q is no word of a %s: say what comes behind \"ip %s add\"", words[0], kind, kind)
		}
		return nil
	}
}

// checkProgram wants a whole path: nobody should have to guess which PATH it is
// that a director's programs are found in.
func checkProgram(words []string) error {
	if !strings.HasPrefix(words[0], "/") {
		return fmt.Errorf("say the program's whole path, such as /etc/mond/%s", words[0])
	}
	return nil
}

// Args are words that [ParseGroup] reads as g. What is as by default is left
// out. Router is said for all addresses if one has it.
func (g Group) Args() []string {
	var args []string
	say := func(option, value string, differs bool) {
		if differs {
			args = append(args, "--"+option, value)
		}
	}
	say("group", g.Name, g.Name != "" && (len(g.Addresses) == 0 || g.Name != g.defaultName()))
	say("priority", strconv.Itoa(int(g.Priority)), g.Priority != DefaultPriority)
	say("failback", g.failback(), g.failback() != string(FailbackOff))
	say("conflict", string(g.Conflict), g.Conflict != "" && g.Conflict != Refuse)
	for _, list := range []struct {
		option string
		all    [][]string
	}{{"route", g.Routes}, {"rule", g.Rules}, {"on-take", g.OnTake}, {"on-release", g.OnRelease}} {
		for _, words := range list.all {
			say(list.option, strings.Join(words, " "), true)
		}
	}
	for _, ip := range g.Tell {
		say("tell", ip.String(), true)
	}
	say("refresh", g.Refresh.String(), g.Refresh != DefaultRefresh)
	say("program-limit", g.ProgramLimit.String(), g.ProgramLimit != DefaultProgramLimit && g.ProgramLimit != 0)
	if slices.ContainsFunc(g.Addresses, func(a Address) bool { return a.Router }) {
		args = append(args, "--router")
	}
	for _, a := range g.Addresses {
		args = append(args, a.String())
	}
	return args
}

func (g Group) failback() string {
	switch g.Failback {
	case FailbackAfter:
		return g.After.String()
	case "":
		return string(FailbackOff)
	}
	return string(g.Failback)
}
