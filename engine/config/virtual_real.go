package config

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/virtual"
)

// forward is how packets reach a real, as options of a claim.
type forward struct {
	method string // nat, dr or tun; empty for that of the virtual service
	off    int    // in the text of its line
	// tunnel is ipip, gue or gre, port that of gue, and sum what is done about
	// checksums; empty is the kernel's default.
	tunnel, sum string
	port        int
}

// flags are the words of a claim.
func (f forward) flags() []string {
	words := []string{"-F", f.method}
	if f.tunnel != "" {
		words = append(words, "--tun-type", f.tunnel)
	}
	if f.port > 0 {
		words = append(words, "--tun-port", strconv.Itoa(f.port))
	}
	if f.sum != "" {
		words = append(words, "--tun-csum", f.sum)
	}
	return words
}

// readForward takes the words of a method.
func readForward(p *phrase) forward {
	f := forward{off: p.peek().Off}
	methods := []string{"nat", "dr", "tun"}
	i := p.choice("a method: nat, dr or tun", methods...)
	if i < 0 {
		return f
	}
	f.method = methods[i]
	if f.method != "tun" {
		return f
	}
	switch {
	case p.is("ipip"):
		f.tunnel = "ipip"
	case p.is("gre"):
		f.tunnel = "gre"
	case p.is("gue"):
		f.tunnel, f.port = "gue", p.number("a port", "", 1, 65535)
	}
	for _, sum := range []string{"nocsum", "csum", "remcsum"} {
		off := p.peek().Off
		if !p.is(sum) {
			continue
		}
		if f.tunnel != "gue" && f.tunnel != "gre" || f.tunnel == "gre" && sum == "remcsum" {
			p.fail(off, "", "%s is for tun gue%s", sum, map[bool]string{true: " or gre"}[sum != "remcsum"])
		}
		f.sum = sum
		break
	}
	return f
}

// vreal is a real server as its line has it.
type vreal struct {
	st   *Statement
	off  int // of its address
	addr netip.Addr
	// port is its own, or -1 for that of the virtual service.
	port         int
	tier         virtual.Tier
	name         string // its own, or empty
	weight       int
	upper, lower int
	forward      forward
	onFail       virtual.OnFail
	ownFail      bool // onFail was given

	// group is the hostgroup of its checks, keys are those.
	group string
	keys  []serviceKey
	forms []string // by check, as far as they were asked for
	// mark is the firewall mark of its checks through the director; 0 if it
	// has none.
	mark uint32
}

// label is what people call the real.
func (m *vreal) label() string {
	if m.name != "" {
		return m.name
	}
	return m.addr.String()
}

// portIn is its port in a virtual service of that port.
func (m *vreal) portIn(port uint16) uint16 {
	if m.port >= 0 {
		return uint16(m.port)
	}
	return port
}

// word is m as the option -R has it.
func (m *vreal) word(port uint16) string {
	if port = m.portIn(port); port == 0 {
		return m.addr.String()
	}
	return netip.AddrPortFrom(m.addr, port).String()
}

// readReals reads a line real, standby or fallback: a real, or one for each
// address of a range.
func readReals(diag *collector, st *Statement) []vreal {
	p := newPhrase(diag, st)
	m := vreal{st: st, port: -1, weight: 1}
	switch st.Name {
	case "standby":
		m.tier = virtual.Standby(p.number("a tier", "", 1, virtual.MaxStandby))
	case "fallback":
		m.tier = virtual.Fallback
	}
	first, last := m.read(p)
	name := m.options(p)
	switch {
	case p.bad:
		return nil
	case m.upper > 0 && m.lower > m.upper:
		p.fail(-1, "", "lower %d is above upper %d: a real that was full is used again below lower", m.lower, m.upper)
	case m.upper == 0 && m.lower > 0:
		p.fail(-1, "give it an upper as well", "lower %d without upper: the real is never full", m.lower)
	case m.name != "" && first != last:
		p.fail(name, "write a line for each real", "one name for several reals")
	}
	if p.bad {
		return nil
	}
	var all []vreal
	for a := first; ; a = a.Next() {
		m.addr, m.group = a, strings.ReplaceAll(a.String(), ":", "-")
		if m.name != "" {
			m.group = m.name
		}
		all = append(all, m)
		if a == last {
			return all
		}
	}
}

// read takes ADDRESS[:PORT].
func (m *vreal) read(p *phrase) (first, last netip.Addr) {
	m.off = p.peek().Off
	w, ok := p.next("an address")
	if !ok {
		return first, last
	}
	where, port, err := cutPort(w.Text)
	if err == nil && port == 0 {
		err = errorText("leave the port out, or write the one that it listens at")
	}
	if err == nil {
		first, last, err = addressRange(where, maxReals)
	}
	if err != nil {
		p.fail(w.Off, "", "invalid address %s: %v", quote(w.Text), err)
	}
	m.port = port
	return first, last
}

// options takes what follows the address, in any order; name is where the name
// stands.
func (m *vreal) options(p *phrase) (name int) {
	known := []string{"weight", "name", "forward", "upper", "lower", "on_fail"}
	var seen []string
	for p.more() {
		at := p.peek()
		i := slices.Index(known, at.Text)
		if i < 0 {
			hint := didYouMean(at.Text, known)
			if hint == "" {
				hint = "after the address there may be " + strings.Join(known, ", ")
			}
			p.fail(at.Off, hint, "unknown word %s for %s", quote(at.Text), p.st.Name)
			return name
		}
		if slices.Contains(seen, at.Text) {
			p.fail(at.Off, "", "%s is given twice", at.Text)
		}
		seen = append(seen, at.Text)
		p.at++
		switch at.Text {
		case "weight":
			m.weight = p.number("a weight", "", 0, virtual.MaxWeight)
		case "name":
			name = p.peek().Off
			m.named(p)
		case "forward":
			m.forward = readForward(p)
		case "upper":
			m.upper = p.number("a number of connections", "", 0, 1<<32-1)
		case "lower":
			m.lower = p.number("a number of connections", "", 0, 1<<32-1)
		case "on_fail":
			m.onFail, m.ownFail = readOnFail(p), true
		}
	}
	return name
}

func (m *vreal) named(p *phrase) {
	w, _ := p.next("a name")
	switch {
	case p.bad:
	case !IsName(w.Text):
		p.fail(w.Off, "names are of letters, digits and . _ -", "invalid name %s", quote(w.Text))
	case w.Text == VirtualGroup || w.Text == selfGroup:
		p.fail(w.Off, "choose another name", "hostgroup %s is there already, for mond's own services", w.Text)
	}
	m.name = w.Text
}

func readOnFail(p *phrase) virtual.OnFail {
	actions := []virtual.OnFail{virtual.Remove, virtual.Quiesce, virtual.Leave, virtual.Ignore}
	if i := p.choice("an action", "remove", "quiesce", "drain", "ignore"); i >= 0 {
		return actions[i]
	}
	return virtual.Remove
}
