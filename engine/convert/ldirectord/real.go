package ldirectord

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

// host is a host as the file names it.
type host struct {
	addr netip.Addr
	// name is the word that the address was looked up for; empty for none.
	name string
	// port is 0 if none is named.
	port int
}

// real is a line real = ...
type real struct {
	host
	// last is the end of a range of addresses, or the zero one.
	last    netip.Addr
	pos     config.Pos
	forward string // of mond: dr, nat or tun
	weight  int
	// request and receive are its own, if own is set.
	own              bool
	request, receive string
	lower, upper     int
}

// fallback is a line fallback = ...
type fallback struct {
	host
	pos     config.Pos
	forward string
}

// forwards are mond's words for ldirectord's.
func forward(word string) (string, bool) {
	f, ok := map[string]string{"gate": "dr", "masq": "nat", "ipip": "tun"}[word]
	return f, ok
}

const forwardHint = "the forward method is gate, masq or ipip"

// resolver gives addresses and ports their figures.
type resolver struct {
	w     *convert.Writer
	names *lookups
	six   bool
	// network is what services are looked up for.
	network string
}

// address is that of a word, which may be a name.
func (r *resolver) address(at config.Pos, s string) (a netip.Addr, name string, ok bool) {
	inner, bracketed := strings.CutPrefix(s, "[")
	if bracketed {
		inner = strings.TrimSuffix(inner, "]")
	}
	a, err := netip.ParseAddr(inner)
	switch {
	case err == nil && a.Zone() == "" && a.Is6() == bracketed:
	case err == nil && a.Is6():
		r.w.Errorf(at, "write ["+inner+"]", "an address of IPv6 stands in brackets")
		return a, "", false
	case bracketed, figures.MatchString(s), !hostname.MatchString(s):
		r.w.Errorf(at, "", "%q is no address and no name of a host", s)
		return a, "", false
	default:
		name = s
		if a, err = r.names.host(s, r.six); err != nil {
			r.w.Errorf(at, "ldirectord refuses it too; write an address", "look up %s: %v", s, err)
			return a, "", false
		}
	}
	if a.Is6() != r.six {
		r.w.Errorf(at, "virtual goes with real and IPv4, virtual6 with real6 and IPv6", "%s is not of the family of the virtual service", s)
		return a, "", false
	}
	return a, name, true
}

var (
	figures  = regexp.MustCompile(`^[0-9.]+$`)
	hostname = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,253}[A-Za-z0-9_])?$`)
	trailing = regexp.MustCompile(`:([0-9A-Za-z_-]+)$`)
)

// port is that of a word, which may be the name of a service.
func (r *resolver) port(at config.Pos, s string) (int, bool) {
	if n, err := strconv.Atoi(s); err == nil {
		if n < 0 || n > 65535 {
			r.w.Errorf(at, "", "port %s: a port is from 1 to 65535", s)
		}
		return n, n >= 0 && n <= 65535
	}
	n, err := r.names.names.Port(r.network, s)
	if err != nil {
		r.w.Errorf(at, "ldirectord refuses it too; write the figures", "look up the port of service %s: %v", s, err)
	}
	return n, err == nil
}

// splitPort cuts the port off a word.
func splitPort(s string) (rest, port string) {
	if m := trailing.FindStringSubmatchIndex(s); m != nil && (s[0] != '[' || strings.HasSuffix(s[:m[0]], "]")) {
		return s[:m[0]], s[m[2]:]
	}
	return s, ""
}

// host reads ADDRESS[:PORT].
func (r *resolver) host(at config.Pos, s string) (h host, ok bool) {
	rest, port := splitPort(s)
	h.addr, h.name, ok = r.address(at, rest)
	if !ok || port == "" {
		return h, ok
	}
	h.port, ok = r.port(at, port)
	return h, ok
}

// real reads what stands behind real =.
func (r *resolver) real(v value) (re real, ok bool) {
	re = real{pos: v.pos, weight: 1}
	where, flags := cutBlank(v.raw)
	first, last, ranged := strings.Cut(where, "->")
	if ranged {
		rest, port := splitPort(last)
		if re.last, _, ok = r.address(v.at, rest); !ok {
			return re, false
		}
		if port != "" {
			first += ":" + port
		}
	}
	if re.host, ok = r.host(v.at, first); !ok {
		return re, false
	}
	if ranged && !r.span(v.at, &re) {
		return re, false
	}
	return re, r.flags(v, flags, &re)
}

// span judges a range.
func (r *resolver) span(at config.Pos, re *real) bool {
	switch {
	case r.six:
		r.w.Errorf(at, "write a line for each real server", "a range of IPv6 addresses: ldirectord knows none")
	case re.last.Less(re.addr):
		r.w.Errorf(at, "", "the range %s->%s ends before it begins", re.addr, re.last)
	default:
		if re.last == re.addr {
			re.last = netip.Addr{}
		}
		re.name = ""
		return true
	}
	return false
}

func cutBlank(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}

var (
	pair      = regexp.MustCompile(`^"(.*)"[, ][ \t]*"(.*)"(.*)$`)
	threshold = regexp.MustCompile(`^([lu]):([0-9]+)$`)
)

// flags reads METHOD [WEIGHT] ["REQUEST", "RECEIVE"] [l:N] [u:N].
func (r *resolver) flags(v value, s string, re *real) bool {
	word, rest := cutBlank(s)
	var ok bool
	if re.forward, ok = forward(word); !ok {
		r.w.Errorf(v.at, forwardHint, "real server with forward method %q", word)
		return false
	}
	if word, after := cutBlank(rest); word != "" && strings.Trim(word, "0123456789") == "" {
		n, err := strconv.Atoi(word)
		if err != nil || n > 65535 {
			r.w.Errorf(v.at, "", "weight %s: a weight is from 0 to 65535", word)
			return false
		}
		re.weight, rest = n, after
	}
	if m := pair.FindStringSubmatch(rest); m != nil {
		re.own, re.request, re.receive, rest = true, slashed(m[1]), m[2], strings.TrimSpace(m[3])
		r.quotedThreshold(v, m[1], m[2])
	}
	return r.thresholds(v, rest, re)
}

// quotedThreshold warns of what the manual of ldirectord shows and its code
// reads as something else.
func (r *resolver) quotedThreshold(v value, words ...string) {
	for _, w := range words {
		if threshold.MatchString(w) {
			r.w.Warnf(v.at, "write l:N and u:N without quotes", "ldirectord takes %q for a request or a receive string, not for a threshold; so does this", w)
			return
		}
	}
}

// thresholds reads the rest of the line: l:N before u:N, as ldirectord wants
// them.
func (r *resolver) thresholds(v value, rest string, re *real) bool {
	for i, at := range []*int{&re.lower, &re.upper} {
		word, after := cutBlank(rest)
		if m := threshold.FindStringSubmatch(word); m != nil && m[1] == "lu"[i:i+1] {
			*at, _ = strconv.Atoi(m[2])
			rest = after
		}
	}
	if strings.TrimSpace(rest) != "" {
		r.w.Errorf(v.at, `the order is METHOD [WEIGHT] ["REQUEST", "RECEIVE"] [l:N] [u:N]`, "real server: %q is not understood", strings.TrimSpace(rest))
		return false
	}
	return true
}

// slashed is a request as ldirectord keeps it.
func slashed(s string) string { return "/" + strings.TrimPrefix(s, "/") }

// fallback reads what stands behind fallback =.
func (r *resolver) fallback(v value) (f fallback, ok bool) {
	f.pos = v.pos
	word, rest := cutBlank(v.raw)
	if f.host, ok = r.host(v.at, word); !ok {
		return f, false
	}
	f.forward = "dr"
	if rest = strings.TrimSpace(rest); rest != "" {
		if f.forward, ok = forward(rest); !ok {
			r.w.Errorf(v.at, forwardHint, "fallback server with forward method %q", rest)
		}
	}
	return f, ok
}
