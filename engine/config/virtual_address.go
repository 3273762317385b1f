package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Limits of what one line may name.
const (
	maxAddresses = 1 << 16 // of an address with a range or a network
	maxReals     = 1 << 10 // of a real with a range
)

// vaddress is an address of a virtual service, or a range of them, or a
// firewall mark.
type vaddress struct {
	st  *Statement
	off int
	// proto is tcp, udp or sctp; empty for a mark.
	proto       string
	first, last netip.Addr
	// net is set if it was written as a network.
	net  netip.Prefix
	port uint16
	mark uint32
	six  bool // of a mark: of IPv6
}

// is6 reports whether its clients come by IPv6.
func (a *vaddress) is6() bool {
	if a.proto == "" {
		return a.six
	}
	return a.first.Is6()
}

// word is a as the option -V has it.
func (a *vaddress) word() string {
	switch {
	case a.proto == "" && a.six:
		return "fwmark6:" + strconv.FormatUint(uint64(a.mark), 10)
	case a.proto == "":
		return "fwmark:" + strconv.FormatUint(uint64(a.mark), 10)
	}
	text := a.host()
	if a.first.Is6() {
		text = "[" + text + "]"
	}
	return text + ":" + strconv.Itoa(int(a.port))
}

// String is a as the file has it.
func (a *vaddress) String() string {
	switch {
	case a.proto != "":
		return a.proto + " " + a.word()
	case a.six:
		return "fwmark6 " + strconv.FormatUint(uint64(a.mark), 10)
	}
	return "fwmark " + strconv.FormatUint(uint64(a.mark), 10)
}

// flags are the words of a claim that name a.
func (a *vaddress) flags() []string {
	if a.proto == "" {
		return []string{"-V", a.word()}
	}
	return []string{"-P", a.proto, "-V", a.word()}
}

// host is a as a host of a hostgroup.
func (a *vaddress) host() string {
	switch {
	case a.proto == "":
		return a.word()
	case a.net.IsValid():
		return a.net.String()
	case a.last != a.first:
		return a.first.String() + "-" + a.last.String()
	}
	return a.first.String()
}

// readAddress reads the text of an address line.
func readAddress(diag *collector, st *Statement) (vaddress, bool) {
	const hint = "write tcp|udp|sctp ADDRESS:PORT, fwmark N or fwmark6 N"
	a := vaddress{st: st}
	p := newPhrase(diag, st)
	if !p.more() {
		p.fail(-1, hint, "address without a protocol")
		return a, false
	}
	kinds := []string{"tcp", "udp", "sctp", "fwmark", "fwmark6"}
	if w := p.peek(); strings.ContainsAny(w.Text, ".:") {
		p.fail(w.Off, "write address tcp "+shorten(w.Text), "address %s without a protocol", quote(w.Text))
		return a, false
	}
	kind := p.choice("a protocol", kinds...)
	a.off = p.peek().Off
	switch {
	case kind < 0:
	case kind < 3:
		a.proto = kinds[kind]
		a.read(p)
	default:
		a.six = kind == 4
		a.mark = uint32(p.number("a mark", "", 1, 1<<32-1))
	}
	return a, p.end()
}

// read takes ADDRESS:PORT.
func (a *vaddress) read(p *phrase) {
	w, ok := p.next("an address")
	if !ok {
		return
	}
	where, port, err := cutPort(w.Text)
	if err == nil && port < 0 {
		err = errorText("the port is missing: write ADDRESS:PORT")
	}
	if err == nil {
		err = a.span(where)
	}
	if err != nil {
		p.fail(w.Off, "", "invalid address %s: %v", quote(w.Text), err)
		return
	}
	a.port = uint16(port)
}

// span reads an address, a range or a network.
func (a *vaddress) span(text string) error {
	if strings.Contains(text, "/") {
		net, err := netip.ParsePrefix(text)
		switch {
		case err != nil:
			return errorText("a network is written like 10.0.0.0/24")
		case net != net.Masked():
			return fmt.Errorf("the network is %s", net.Masked())
		case net.Addr().BitLen()-net.Bits() > 16:
			return fmt.Errorf("more than %d addresses: mark them by the firewall and write fwmark", maxAddresses)
		}
		a.net, a.first, a.last = net, net.Addr(), lastOf(net)
		return serves(a.first)
	}
	var err error
	a.first, a.last, err = addressRange(text, maxAddresses)
	return err
}

// lastOf is the last address of a network of 16 bits of hosts at most.
func lastOf(net netip.Prefix) netip.Addr {
	b := net.Addr().AsSlice()
	free := net.Addr().BitLen() - net.Bits()
	for i := len(b) - 1; free > 0; i, free = i-1, free-8 {
		b[i] |= byte(1<<min(free, 8) - 1)
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}

// addressRange reads ADDRESS or FIRST-LAST, of most addresses at most. LAST
// may be the last number of an address of IPv4 alone.
func addressRange(text string, most int) (first, last netip.Addr, err error) {
	from, to, several := strings.Cut(text, "-")
	if first, err = address(from); err != nil || !several {
		return first, first, err
	}
	if _, number := atoi(to); number && first.Is4() {
		to = from[:strings.LastIndexByte(from, '.')+1] + to
	}
	if last, err = address(to); err != nil {
		return first, first, err
	}
	switch n, ok := distanceOf(first, last); {
	case first.Is4() != last.Is4():
		return first, first, fmt.Errorf("%s and %s are of two families", first, last)
	case last.Less(first):
		return first, first, fmt.Errorf("%s comes before %s", last, first)
	case !ok || n >= most:
		return first, first, fmt.Errorf("more than %d addresses", most)
	}
	return first, last, nil
}

// distanceOf is how far b is after a, if it is less than 2^32.
func distanceOf(a, b netip.Addr) (int, bool) {
	x, y := a.As16(), b.As16()
	n := 0
	for i := range x {
		if i < 12 {
			if x[i] != y[i] {
				return 0, false
			}
			continue
		}
		n = n<<8 + int(y[i]) - int(x[i])
	}
	return n, true
}

// address reads one address of a server.
func address(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil && strings.ContainsAny(text, "abcdefghijklmnopqrstuvwxyz") && !strings.Contains(text, ":"):
		return addr, errorText("write the address: names are not looked up")
	case err != nil:
		return addr, errorText("an address is written like 10.0.0.3 or [2001:db8::3]")
	}
	return addr, serves(addr)
}

// serves reports whether addr can be in the table.
func serves(addr netip.Addr) error {
	switch {
	case addr.Is4In6():
		return fmt.Errorf("write %s", addr.Unmap())
	case addr.Zone() != "":
		return errorText("the table has no zones: leave % and what follows out")
	case addr.IsUnspecified(), addr.IsMulticast():
		return errorText("that is no address of a server")
	}
	return nil
}

// cutPort splits ADDRESS[:PORT], where what has colons in it stands in brackets
// if a port follows. The port is -1 if there is none, the address without
// brackets.
func cutPort(text string) (where string, port int, err error) {
	where, port = text, -1
	last := strings.LastIndexByte(text, ':')
	switch {
	case strings.Count(text, "[") != strings.Count(text, "]"):
		return "", -1, errorText("a bracket is missing")
	case strings.Contains(text, "["):
		if last < strings.LastIndexByte(text, ']') {
			last = -1
		}
	case strings.Count(text, ":") > 1:
		last = -1
	}
	if last >= 0 {
		n, ok := atoi(text[last+1:])
		if !ok || n > 65535 {
			return "", -1, fmt.Errorf("a port is a number from 0 to 65535, not %s", quote(text[last+1:]))
		}
		where, port = text[:last], n
	}
	if strings.Contains(where, "[") {
		where = strings.ReplaceAll(strings.ReplaceAll(where, "[", ""), "]", "")
	}
	return where, port, nil
}

// errorText is an error that says just that.
type errorText string

func (e errorText) Error() string { return string(e) }
