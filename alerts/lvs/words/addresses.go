package words

import (
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// maxRange is how many addresses one -V may name.
const maxRange = 1024

// errVirtual says what -V takes.
const errVirtual = "say address:port in numbers, such as 10.0.0.3:80 or [2001:db8::3]:80, a range such as 10.0.0.3-9:80 or 10.0.0.0/28:80, fwmark:N or fwmark6:N"

func parseAddresses(s string) (addresses, error) {
	for _, family := range []struct {
		prefix string
		v6     bool
	}{{"fwmark:", false}, {"fwmark6:", true}} {
		if mark, ok := strings.CutPrefix(s, family.prefix); ok {
			n, err := strconv.ParseUint(mark, 10, 32)
			if err != nil || n == 0 {
				return addresses{}, errors.New("a firewall mark is a number above 0")
			}
			return addresses{mark: uint32(n), v6: family.v6, count: 1}, nil
		}
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return addresses{first: netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), count: 1}, nil
	}
	return parseRange(s)
}

// Addresses are those that s names without a port: one, FIRST-LAST or NET/LEN,
// as -V has them.
func Addresses(s string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	if !strings.ContainsAny(s, "-/") {
		return nil, errors.New("say an address, such as 10.0.0.3 or 2001:db8::3, or a range, such as 10.0.0.3-9 or 10.0.0.0/28")
	}
	first, count, err := hosts(s)
	if err != nil {
		return nil, err
	}
	list := make([]netip.Addr, count)
	for i := range list {
		list[i], first = first, first.Next()
	}
	return list, nil
}

// parseRange reads FIRST-LAST:PORT and NET/LEN:PORT, which for IPv6 stand in
// brackets: [FIRST-LAST]:PORT, [NET/LEN]:PORT.
func parseRange(s string) (addresses, error) {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 {
		return addresses{}, errors.New(errVirtual)
	}
	host, portWord := s[:colon], s[colon+1:]
	inner, bracketed := strings.CutPrefix(host, "[")
	if bracketed {
		inner = strings.NewReplacer("[", "", "]", "").Replace(inner)
	}
	port, err := strconv.ParseUint(portWord, 10, 16)
	if err != nil || !bracketed && strings.Contains(host, ":") {
		return addresses{}, errors.New(errVirtual + bareHint(s))
	}
	first, count, err := hosts(inner)
	if err != nil {
		return addresses{}, err
	}
	if first.Is6() != bracketed {
		return addresses{}, errors.New(errVirtual + bareHint(s))
	}
	return addresses{first: netip.AddrPortFrom(first, uint16(port)), count: count}, nil
}

// bareHint helps with an IPv6 address that lacks its brackets.
func bareHint(s string) string {
	if strings.Count(s, ":") > 1 && !strings.HasPrefix(s, "[") {
		return " (an IPv6 address goes in brackets)"
	}
	return ""
}

// hosts reads FIRST-LAST or NET/LEN.
func hosts(s string) (first netip.Addr, count int, err error) {
	if strings.Contains(s, "/") {
		return network(s)
	}
	firstWord, lastWord, ok := strings.Cut(s, "-")
	if !ok {
		return first, 0, errors.New(errVirtual)
	}
	first, err = netip.ParseAddr(firstWord)
	if err != nil || first.Zone() != "" || first.Is4In6() {
		return first, 0, errors.New(errVirtual)
	}
	last, err := lastOf(first, lastWord)
	if err != nil {
		return first, 0, err
	}
	count, err = span(first, last)
	return first, count, err
}

func network(s string) (netip.Addr, int, error) {
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return netip.Addr{}, 0, fmt.Errorf("%q is no network, such as 10.0.0.0/28", s)
	case p.Masked() != p:
		return netip.Addr{}, 0, fmt.Errorf("%s is an address inside the network %s: say the network, or a range", s, p.Masked())
	}
	free := p.Addr().BitLen() - p.Bits()
	if free > bits.Len(maxRange)-1 {
		return netip.Addr{}, 0, fmt.Errorf("%s is more than %d addresses: name fewer, or balance by a firewall mark", s, maxRange)
	}
	return p.Addr(), 1 << free, nil
}

// lastOf reads the end of a range: an address, or its last part alone.
func lastOf(first netip.Addr, word string) (netip.Addr, error) {
	if last, err := netip.ParseAddr(word); err == nil {
		return last, nil
	}
	b := first.AsSlice()
	base, size, what := 10, 8, "last number of an address, 0 to 255"
	if first.Is6() {
		base, size, what = 16, 16, "last part of an address, 0 to ffff"
	}
	n, err := strconv.ParseUint(word, base, size)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%q: a range ends with an address, or the %s", word, what)
	}
	b[len(b)-1] = byte(n)
	if first.Is6() {
		b[len(b)-2] = byte(n >> 8)
	}
	last, _ := netip.AddrFromSlice(b)
	return last, nil
}

// span counts the addresses from first to last.
func span(first, last netip.Addr) (int, error) {
	switch {
	case last.Zone() != "" || first.Is4() != last.Is4():
		return 0, fmt.Errorf("a range from %s to %s: both are of one family", first, last)
	case last.Less(first):
		return 0, fmt.Errorf("a range from %s to %s ends before it begins", first, last)
	}
	n := 1
	for a := first; a != last; a = a.Next() {
		if n++; n > maxRange {
			return 0, fmt.Errorf("from %s to %s is more than %d addresses: name fewer, or balance by a firewall mark", first, last, maxRange)
		}
	}
	return n, nil
}

// mask is -M, whose meaning depends on the family: a prefix length, or, dotted,
// a netmask of IPv4.
type mask struct {
	bits   uint8
	dotted bool
}

func (m *mask) set(s string) error {
	if n, err := strconv.ParseUint(strings.TrimPrefix(s, "/"), 10, 8); err == nil && n >= 1 && n <= 128 {
		*m = mask{bits: uint8(n)}
		return nil
	}
	a, err := netip.ParseAddr(s)
	if err == nil && a.Is4() && !a.IsUnspecified() {
		b := a.As4()
		n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		if ones := bits.LeadingZeros32(^n); n<<ones == 0 {
			*m = mask{bits: uint8(ones), dotted: true}
			return nil
		}
	}
	return errors.New("a mask is a prefix length from 1 to 32 (128 for IPv6), or dotted without holes, such as 255.255.255.0")
}

// in is the mask for v, where that of a single address is none.
func (m mask) in(v ipvs.Virtual) (uint8, error) {
	all := uint8(32)
	if v.Is6() {
		all = 128
	}
	switch {
	case m.dotted && v.Is6():
		return 0, errors.New("-M: for IPv6 it is a prefix length from 1 to 128")
	case m.bits > all:
		return 0, fmt.Errorf("-M %d: %s has prefix lengths from 1 to %d", m.bits, v, all)
	}
	return m.bits % all, nil
}
