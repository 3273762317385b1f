package keepalived

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/convert/keepalived/lang"
)

// address is the i-th argument of n as an address.
func (r *reader) address(n *lang.Node, i int) (netip.Addr, bool) {
	if n.Args() <= i {
		r.missing(n, "an address")
		return netip.Addr{}, false
	}
	addr, ok := parseAddr(n.Arg(i))
	if !ok {
		r.w.Warnf(n.At(i), "keepalived wants an address in figures, and ignores this", "%s: %q is no address", n.Name(), n.Arg(i))
	}
	return addr, ok
}

// parseAddr reads an address as inet_pton does: neither zones nor IPv4 in IPv6
// in another form.
func parseAddr(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	return addr, err == nil && addr.Zone() == ""
}

// port is the i-th argument of n as a port; none, or 0, is 0.
func (r *reader) port(n *lang.Node, i int) (int, bool) {
	if strings.Trim(n.Arg(i), "0") == "" {
		return 0, true
	}
	port, err := strconv.Atoi(n.Arg(i))
	if err != nil || port < 0 || port > 65535 {
		r.w.Warnf(n.At(i), "a port is a number from 1 to 65535; keepalived ignores the block", "%s: %q is no port", n.Name(), n.Arg(i))
		return 0, false
	}
	return port, true
}

// takeGroup reads a virtual_server_group.
func takeGroup(r *reader, n *lang.Node) {
	if n.Args() == 0 {
		r.missing(n, "a name")
		return
	}
	r.extra(n, 1)
	g := &group{node: n}
	for _, line := range n.Nodes {
		if w, ok := r.entry(line); ok {
			g.all = append(g.all, w)
		}
	}
	if len(g.all) == 0 {
		r.w.Warnf(n.Pos, "keepalived leaves it out", "virtual_server_group %s has no entry", n.Arg(0))
		return
	}
	if r.groups[n.Arg(0)] == nil {
		r.groups[n.Arg(0)] = g
		r.named = append(r.named, g)
	} else {
		r.w.Warnf(n.Pos, "keepalived takes the first", "a second virtual_server_group %s", n.Arg(0))
	}
}

// entry reads a line of a group.
func (r *reader) entry(n *lang.Node) (where, bool) {
	w := where{pos: n.Pos, mark: -1}
	if n.Name() == "fwmark" {
		mark, ok := r.number(n, 0, 0, maxCount)
		w.mark = mark
		switch n.Arg(1) {
		case "":
		case "inet":
			w.family = 4
		case "inet6":
			w.family = 6
		default:
			r.w.Warnf(n.At(1), ignored, "fwmark: %q is neither inet nor inet6", n.Arg(1))
			return w, false
		}
		return w, ok && r.markable(n, mark)
	}
	var ok bool
	if w.port, ok = r.port(n, 0); !ok {
		return w, false
	}
	r.extra(n, 1)
	if w.first, w.last, w.bits, ok = span(n.Name()); !ok {
		r.w.Warnf(n.Pos, "write an address, FIRST-LAST or NETWORK/BITS; keepalived skips the line", "%q is no address", n.Name())
	}
	return w, ok
}

// markable refuses the mark 0, which means that there is none.
func (r *reader) markable(n *lang.Node, mark int) bool {
	if mark == 0 {
		r.w.Warnf(n.Pos, "", "fwmark 0 is no mark: packets without one have it")
	}
	return mark != 0
}

// span reads an address, a range or a network.
func span(text string) (first, last netip.Addr, bits int, ok bool) {
	if base, length, is := strings.Cut(text, "/"); is {
		first, ok = parseAddr(base)
		n, err := strconv.Atoi(length)
		if !ok || err != nil || n < 1 || n > first.BitLen() {
			return first, first, 0, false
		}
		net := netip.PrefixFrom(first, n)
		return first, first, n, net.Masked() == net
	}
	base, end, is := strings.Cut(text, "-")
	if first, ok = parseAddr(base); !ok || !is {
		return first, first, 0, ok
	}
	if last, ok = parseAddr(end); !ok {
		if last, ok = lastNumber(first, end); !ok {
			return first, first, 0, false
		}
	}
	return first, last, 0, first.BitLen() == last.BitLen() && first.Compare(last) <= 0
}

// lastNumber is first with its last number replaced: a byte in figures, or two
// in hexadecimal digits.
func lastNumber(first netip.Addr, text string) (netip.Addr, bool) {
	b := first.AsSlice()
	if first.Is4() {
		n, err := strconv.ParseUint(text, 10, 8)
		b[3] = byte(n)
		last, _ := netip.AddrFromSlice(b)
		return last, err == nil && first.Less(last)
	}
	n, err := strconv.ParseUint(text, 16, 16)
	binary.BigEndian.PutUint16(b[14:], uint16(n))
	last, _ := netip.AddrFromSlice(b)
	return last, err == nil && first.Less(last)
}

// takeVirtual begins a virtual_server.
func takeVirtual(r *reader, n *lang.Node) {
	v := &virtual{node: n, where: where{pos: n.Pos, mark: -1}}
	r.virtual, r.skip = v, true
	ok := false
	switch {
	case n.Args() == 0:
		r.missing(n, "an address")
		return
	case n.Arg(0) == "group":
		v.group, ok = n.Arg(1), n.Args() > 1
		if !ok {
			r.missing(n, "the name of the group")
		}
	case n.Arg(0) == "fwmark":
		if v.where.mark, ok = r.number(n, 1, 0, maxCount); ok {
			ok = r.markable(n, v.where.mark)
		}
	default:
		if v.where.first, ok = r.address(n, 0); ok {
			v.where.last = v.where.first
			v.where.port, ok = r.port(n, 1)
		}
	}
	r.extra(n, 2)
	if ok {
		r.skip = false
		r.virtuals = append(r.virtuals, v)
	}
}

func takeReal(r *reader, n *lang.Node) {
	re := &real{node: n}
	r.real, r.skip = re, true
	var ok bool
	if re.addr, ok = r.address(n, 0); !ok {
		return
	}
	if re.port, ok = r.port(n, 1); !ok {
		return
	}
	r.extra(n, 2)
	r.skip = false
	r.virtual.reals = append(r.virtual.reals, re)
}

func takeSorry(r *reader, n *lang.Node) {
	s := &sorry{pos: n.Pos}
	var ok bool
	if s.addr, ok = r.address(n, 0); !ok {
		return
	}
	if s.port, ok = r.port(n, 1); !ok {
		return
	}
	r.extra(n, 2)
	r.virtual.sorry = s
}

// sorryTo gives a line to the sorry server, which must stand above it.
func sorryTo(take func(*reader, *lang.Node, *sorry)) keyword {
	return keyword{take: func(r *reader, n *lang.Node) {
		if r.virtual.sorry == nil {
			r.w.Warnf(n.Pos, "write it below sorry_server; keepalived ignores it here", "%s without a sorry_server above it", n.Name())
			return
		}
		take(r, n, r.virtual.sorry)
	}}
}

// readMethod reads NAT, DR or TUN with its options.
func (r *reader) readMethod(n *lang.Node) (opt[method], bool) {
	none := opt[method]{}
	bad := func(i int, format string, args ...any) (opt[method], bool) {
		r.w.Warnf(n.At(i), ignored, n.Name()+": "+format, args...)
		return none, false
	}
	m := method{}
	switch n.Arg(0) {
	case "NAT", "DR", "TUN":
		m.name = strings.ToLower(n.Arg(0))
	case "":
		r.missing(n, "a method")
		return none, false
	default:
		return bad(0, "%q is none of NAT, DR and TUN", n.Arg(0))
	}
	for i := 1; i < n.Args(); i++ {
		switch word := n.Arg(i); word {
		case "type":
			i++
			if m.tunnel = n.Arg(i); !slices.Contains([]string{"ipip", "gue", "gre"}, m.tunnel) {
				return bad(i, "%q is none of ipip, gue and gre", m.tunnel)
			}
		case "port":
			i++
			port, ok := r.number(n, i, 1, 65535)
			if !ok {
				return none, false
			}
			m.port = port
		case "nocsum", "csum", "remcsum":
			m.sum = word
		default:
			return bad(i, "%q is no option of a tunnel", word)
		}
	}
	switch {
	case (m.tunnel == "gue") != (m.port != 0):
		return bad(0, "gue wants a port, and only gue")
	case (m.tunnel == "" || m.tunnel == "ipip") && m.sum != "" && m.sum != "nocsum":
		return bad(0, "%s is for gue and gre", m.sum)
	case m.tunnel == "gre" && m.sum == "remcsum":
		return bad(0, "remcsum is for gue")
	}
	if m.name != "tun" && m.tunnel != "" {
		r.w.Warnf(n.At(1), "take it away", "%s: %s is no tunnel", n.Name(), n.Arg(0))
		m = method{name: m.name}
	}
	return opt[method]{m, true, n.Pos}, true
}

func methodTo(at func(*reader) *opt[method]) keyword {
	return keyword{take: func(r *reader, n *lang.Node) {
		if m, ok := r.readMethod(n); ok {
			*at(r) = m
		}
	}}
}

const schedulers = "rr wrr lc wlc lblc sh mh dh fo ovf lblcr sed nq twos"

func takeScheduler(r *reader, n *lang.Node) {
	if n.Args() == 0 {
		r.missing(n, "a scheduler")
		return
	}
	if !slices.Contains(strings.Fields(schedulers), n.Arg(0)) {
		r.w.Warnf(n.At(0), "keepalived knows "+schedulers+"; "+ignored, "unknown scheduler %q", n.Arg(0))
		return
	}
	r.extra(n, 1)
	r.virtual.sched = opt[string]{n.Arg(0), true, n.Pos}
}

// takeFlag reads a flag of a scheduler. keepalived looks at the scheduler that
// stands above it.
func takeFlag(r *reader, n *lang.Node) {
	flag, sched := n.Name(), r.virtual.sched.v
	of, _, _ := strings.Cut(flag, "-")
	if of != "flag" && of != sched {
		r.w.Warnf(n.Pos, "write it below lvs_sched "+of+"; keepalived ignores it here", "%s is for the scheduler %s", flag, of)
		return
	}
	r.virtual.flags = append(r.virtual.flags, opt[string]{flag, true, n.Pos})
}

// defaultPersistence is what persistence_timeout means without a value, and
// maxTimeout the longest time of the kernel's table.
const (
	defaultPersistence = 360
	maxTimeout         = 31 * 86400
)

func takePersistence(r *reader, n *lang.Node) {
	v := opt[int]{defaultPersistence, true, n.Pos}
	if n.Args() > 0 {
		var ok bool
		if v.v, ok = r.number(n, 0, 1, maxTimeout); !ok {
			return
		}
	}
	r.extra(n, 1)
	r.virtual.persist = v
}

func takeGranularity(r *reader, n *lang.Node) {
	if n.Args() == 0 {
		r.missing(n, "a mask")
		return
	}
	text, six := n.Arg(0), !strings.Contains(n.Arg(0), ".")
	if r.virtual.where.first.IsValid() {
		six = r.virtual.where.first.Is6()
	}
	good := false
	if six {
		bits, err := strconv.Atoi(text)
		good = err == nil && bits >= 1 && bits <= 128
	} else if addr, ok := parseAddr(text); ok {
		good = addr.Is4()
	}
	if !good {
		r.w.Warnf(n.At(0), "write a netmask, or for IPv6 a number of bits; "+ignored, "persistence_granularity: %q", text)
		return
	}
	r.extra(n, 1)
	r.virtual.granularity = opt[string]{text, true, n.Pos}
}

func takeProtocol(r *reader, n *lang.Node) {
	p := strings.ToLower(n.Arg(0))
	switch p {
	case "tcp", "udp", "sctp":
		r.virtual.protocol = opt[string]{p, true, n.Pos}
	case "":
		r.missing(n, "a protocol")
	default:
		r.w.Warnf(n.At(0), ignored, "protocol: %q is none of TCP, UDP and SCTP", n.Arg(0))
	}
	r.extra(n, 1)
}

func takeFamily(r *reader, n *lang.Node) {
	six := map[string]int{"inet": 4, "inet6": 6}[n.Arg(0)]
	at := r.virtual.where.first
	switch {
	case n.Args() == 0:
		r.missing(n, "a family")
	case six == 0:
		r.w.Warnf(n.At(0), ignored, "ip_family: %q is neither inet nor inet6", n.Arg(0))
	case at.IsValid() && at.Is6() != (six == 6):
		r.w.Warnf(n.At(0), ignored, "ip_family %s: the address is of the other family", n.Arg(0))
	default:
		r.virtual.family = opt[int]{six, true, n.Pos}
	}
}
