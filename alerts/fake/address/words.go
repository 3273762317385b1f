package address

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Route is a route that belongs to a group, in the words of ip(8).
type Route struct {
	// Words are what it was made of.
	Words string
	// To is where to; invalid for default.
	To netip.Prefix
	// Via is the gateway, Source the address to send from; invalid for none.
	Via, Source netip.Addr
	// Device is the interface, "" for the one that the gateway is on; Index is
	// for the caller to set.
	Device string
	Index  int
	// Table is 0 for main.
	Table, Metric uint32
	MTU, MSS      uint32
	// Onlink: the gateway is on the interface though no network says so.
	Onlink bool
	// Blackhole: what goes there is dropped.
	Blackhole bool
	// Mark is its protocol number (RTA_PROTO): 0 for that of what people add by
	// hand, 3 (boot). What is removed may have any.
	Mark uint8

	family byte
	within byte // the scope that was said
}

// String is what people wrote.
func (r Route) String() string { return "route " + strconv.Quote(r.Words) }

// Is4 reports whether it is one of IPv4.
func (r Route) Is4() bool { return r.family == unix.AF_INET }

func (r Route) kind() byte {
	if r.Blackhole {
		return unix.RTN_BLACKHOLE
	}
	return unix.RTN_UNICAST
}

// scope is what was said, or link for what has no gateway, as ip(8) chooses.
func (r Route) scope() byte {
	switch {
	case r.within != 0 || r.family == unix.AF_INET6 || r.Via.IsValid() || r.Blackhole:
		return r.within
	}
	return unix.RT_SCOPE_LINK
}

// Rule is a rule that belongs to a group, in the words of ip(8).
type Rule struct {
	// Words are what it was made of.
	Words string
	// From and To are what it is about; invalid for all.
	From, To netip.Prefix
	// In and Out are interfaces.
	In, Out         string
	Table, Priority uint32
	// Marked: it is about packets with this mark of the firewall.
	Marked                     bool
	FirewallMark, FirewallMask uint32
	// Mark is as that of a [Route].
	Mark uint8

	family byte
}

// String is what people wrote.
func (r Rule) String() string { return "rule " + strconv.Quote(r.Words) }

// reader reads words in pairs.
type reader struct {
	words []string
	err   error
}

func (r *reader) more() bool { return r.err == nil && len(r.words) > 0 }

func (r *reader) word() string {
	if len(r.words) == 0 {
		return ""
	}
	w := r.words[0]
	r.words = r.words[1:]
	return w
}

// value is the word behind key.
func (r *reader) value(key string) string {
	if len(r.words) == 0 && r.err == nil {
		r.err = fmt.Errorf("%q wants a word behind it", key)
	}
	return r.word()
}

func (r *reader) number(key string) uint32 {
	w := r.value(key)
	n, err := strconv.ParseUint(w, 0, 32)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s %q: say a number", key, w)
	}
	return uint32(n)
}

func (r *reader) address(key string) netip.Addr {
	w := r.value(key)
	ip, err := netip.ParseAddr(w)
	if (err != nil || ip.Zone() != "") && r.err == nil {
		r.err = fmt.Errorf("%s %q: say an IP address", key, w)
	}
	return ip
}

// prefix reads an address with or without its bits; all and default are neither.
func (r *reader) prefix(key string) netip.Prefix {
	w := r.value(key)
	if w == "default" || w == "all" || w == "any" {
		return netip.Prefix{}
	}
	if ip, err := netip.ParseAddr(w); err == nil && ip.Zone() == "" {
		return netip.PrefixFrom(ip, ip.BitLen())
	}
	p, err := netip.ParsePrefix(w)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s %q: say an address or a network such as 10.0.0.0/8", key, w)
	}
	if err == nil && p != p.Masked() && r.err == nil {
		r.err = fmt.Errorf("%s %q: say %s: there is more than its %d bits", key, w, p.Masked(), p.Bits())
	}
	return p
}

// table reads a number or one of the three names that every kernel has.
func (r *reader) table(key string) uint32 {
	switch len(r.words) {
	case 0:
	default:
		if n, ok := map[string]uint32{"main": unix.RT_TABLE_MAIN, "default": unix.RT_TABLE_DEFAULT, "local": unix.RT_TABLE_LOCAL}[r.words[0]]; ok {
			r.word()
			return n
		}
	}
	n := r.number(key)
	if n == 0 && r.err == nil {
		r.err = fmt.Errorf("%s: say main or a number from 1", key)
	}
	return n
}

func (r *reader) scope(key string) byte {
	w := r.value(key)
	n, ok := map[string]byte{"global": unix.RT_SCOPE_UNIVERSE, "site": unix.RT_SCOPE_SITE, "link": unix.RT_SCOPE_LINK, "host": unix.RT_SCOPE_HOST}[w]
	if !ok && r.err == nil {
		r.err = fmt.Errorf("%s %q: say global, site, link or host", key, w)
	}
	return n
}

// families gives the one family of all the addresses; that of like where there
// is none.
func families(like netip.Addr, all ...netip.Addr) (byte, error) {
	var f byte
	for _, ip := range all {
		switch {
		case !ip.IsValid():
		case f == 0:
			f = family(ip)
		case f != family(ip):
			return 0, errors.New("IPv4 and IPv6 are mixed")
		}
	}
	if f == 0 {
		f = family(like)
	}
	return f, nil
}

// ParseRoute reads what comes behind "ip route add"; like is an address of the
// group, for the family of a route that has no address.
func ParseRoute(words []string, like netip.Addr) (Route, error) {
	route := Route{Words: strings.Join(words, " ")}
	r := &reader{words: words}
	if len(words) > 0 && (words[0] == "blackhole" || words[0] == "unicast") {
		route.Blackhole = r.word() == "blackhole"
	}
	if len(r.words) > 0 && r.words[0] == "to" {
		r.word()
	}
	route.To = r.prefix("route")
	for r.more() {
		route.option(r)
	}
	var err error
	if r.err == nil {
		route.family, err = families(like, route.To.Addr(), route.Via, route.Source)
	}
	if err := errors.Join(r.err, err); err != nil {
		return route, fmt.Errorf("%v: %w", route, err)
	}
	return route, nil
}

func (r *Route) option(in *reader) {
	switch key := in.word(); key {
	case "via":
		r.Via = in.address(key)
	case "src":
		r.Source = in.address(key)
	case "dev":
		r.Device = in.value(key)
	case "table":
		r.Table = in.table(key)
	case "metric", "preference", "priority":
		r.Metric = in.number(key)
	case "mtu":
		r.MTU = in.number(key)
	case "advmss":
		r.MSS = in.number(key)
	case "scope":
		r.within = in.scope(key)
	case "onlink":
		r.Onlink = true
	case "proto", "protocol":
		in.err = fmt.Errorf("leave out %q: it is %d for what is held on a token, and else as ip(8) has it", key, Mark)
	default:
		in.err = fmt.Errorf("%q is not understood: say DESTINATION [via A] [dev IF] [src A] [table T] [metric N] [scope S] [mtu N] [advmss N] [onlink]", key)
	}
}

// ParseRule reads what comes behind "ip rule add", as [ParseRoute].
func ParseRule(words []string, like netip.Addr) (Rule, error) {
	rule := Rule{Words: strings.Join(words, " ")}
	r := &reader{words: words}
	for r.more() {
		rule.option(r)
	}
	var err error
	if r.err == nil {
		rule.family, err = families(like, rule.From.Addr(), rule.To.Addr())
	}
	if rule.Table == 0 && r.err == nil {
		r.err = errors.New("the table is missing: say lookup 100")
	}
	if err := errors.Join(r.err, err); err != nil {
		return rule, fmt.Errorf("%v: %w", rule, err)
	}
	return rule, nil
}

func (r *Rule) option(in *reader) {
	switch key := in.word(); key {
	case "from":
		r.From = in.prefix(key)
	case "to":
		r.To = in.prefix(key)
	case "iif", "dev":
		r.In = in.value(key)
	case "oif":
		r.Out = in.value(key)
	case "lookup", "table":
		r.Table = in.table(key)
	case "priority", "pref", "preference", "prio", "order":
		r.Priority = in.number(key)
	case "fwmark":
		r.mark(in, in.value(key))
	default:
		in.err = fmt.Errorf("%q is not understood: say [from A] [to A] [iif IF] [oif IF] [fwmark M[/MASK]] [priority N] lookup T", key)
	}
}

func (r *Rule) mark(in *reader, word string) {
	value, mask, masked := strings.Cut(word, "/")
	n, err := strconv.ParseUint(value, 0, 32)
	m := uint64(math.MaxUint32)
	if err == nil && masked {
		m, err = strconv.ParseUint(mask, 0, 32)
	}
	if err != nil && in.err == nil {
		in.err = fmt.Errorf("fwmark %q: say a number, or one with a mask such as 1/0xff", word)
	}
	r.Marked, r.FirewallMark, r.FirewallMask = true, uint32(n), uint32(m)
}
