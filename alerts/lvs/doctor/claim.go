package doctor

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/plugins/getopt"
)

// AddClaim adds what the words of lvs.alert say to the site: a virtual
// service (--service) or a real server. It reads no more of them than a doctor
// needs, and leaves it to lvs.alert to refuse what makes no sense. Of a range
// of addresses it takes the first and the last. name is what the
// configuration calls the virtual service, or empty.
func (s *Site) AddClaim(name string, words []string) error {
	c, err := parseClaim(words)
	if err != nil {
		return err
	}
	if c.table != "" {
		return nil // a file's rows meet no packets
	}
	for _, v := range c.virtuals {
		c.join(s.virtual(name, c.netns, v))
	}
	return nil
}

// Virtual is the virtual service of the site, which is added if it is new.
func (s *Site) virtual(name, netns string, v ipvs.Virtual) *Virtual {
	at := slices.IndexFunc(s.Virtuals, func(have Virtual) bool { return have.Virtual == v && have.Netns == netns })
	if at < 0 {
		at = len(s.Virtuals)
		s.Virtuals = append(s.Virtuals, Virtual{Name: name, Netns: netns, Virtual: v})
	}
	return &s.Virtuals[at]
}

// claim is what the words of lvs.alert say.
type claim struct {
	protocol     ipvs.Protocol
	virtuals     []ipvs.Virtual // without protocol
	real         netip.Addr
	port         uint16
	forward      ipvs.Forward
	tunnel       ipvs.Encapsulation
	scheduler    string
	persist      uint32
	engine       string
	onePacket    bool
	service      bool
	byRole       bool
	table, netns string
}

// join makes v what the claim says of it.
func (c *claim) join(v *Virtual) {
	v.ByRole = v.ByRole || c.byRole
	if c.service {
		v.Declared = true
		v.Scheduler, v.Persist, v.Engine, v.OnePacket = c.scheduler, c.persist, c.engine, c.onePacket
	}
	if !c.real.IsValid() {
		return
	}
	port := c.port
	if port == 0 {
		port = v.Addr.Port()
	}
	real := Real{Addr: netip.AddrPortFrom(c.real, port), Forward: c.forward, Tunnel: c.tunnel}
	if !slices.ContainsFunc(v.Reals, func(r Real) bool { return r.Addr == real.Addr }) {
		v.Reals = append(v.Reals, real)
	}
}

func parseClaim(words []string) (*claim, error) {
	c := &claim{protocol: ipvs.TCP, forward: ipvs.Direct}
	fs := flag.NewFlagSet("lvs.alert", flag.ContinueOnError)
	c.declare(fs)
	if _, err := getopt.Parse(fs, words); err != nil {
		return nil, fmt.Errorf("lvs.alert %s: %w", strings.Join(words, " "), err)
	}
	if len(c.virtuals) == 0 {
		return nil, fmt.Errorf("lvs.alert %s: -V is missing", strings.Join(words, " "))
	}
	for i := range c.virtuals {
		v := &c.virtuals[i]
		if v.Mark != 0 {
			v.V6 = v.V6 || c.real.Is6()
			continue
		}
		v.Protocol = c.protocol
	}
	return c, nil
}

func (c *claim) declare(fs *flag.FlagSet) {
	ignore := func(string) error { return nil }
	fs.Func("P", "", c.setProtocol)
	fs.Func("V", "", c.setVirtual)
	fs.Func("R", "", c.setReal)
	fs.Func("F", "", func(s string) (err error) { c.forward, err = ipvs.ParseForward(s); return err })
	fs.StringVar(&c.scheduler, "s", "", "")
	fs.Func("p", "", func(s string) error { return number(s, math.MaxUint32, func(n uint64) { c.persist = uint32(n) }) })
	fs.StringVar(&c.engine, "pe", "", "")
	fs.BoolVar(&c.onePacket, "o", false, "")
	fs.BoolVar(&c.service, "service", false, "")
	fs.BoolVar(&c.byRole, "by-role", false, "")
	fs.StringVar(&c.table, "table", "", "")
	fs.StringVar(&c.netns, "netns", "", "")
	fs.Func("tun-type", "", c.setTunnel)
	fs.Func("tun-port", "", func(s string) error { return number(s, math.MaxUint16, func(n uint64) { c.tunnel.Port = uint16(n) }) })
	fs.Func("tun-csum", "", c.setChecksum)
	for _, name := range []string{"W", "x", "y", "M", "b"} {
		fs.Func(name, "", ignore)
	}
	fs.Bool("u", false, "")
}

func number(s string, most uint64, set func(uint64)) error {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > most {
		return fmt.Errorf("want a number from 0 to %d", most)
	}
	set(n)
	return nil
}

func (c *claim) setProtocol(s string) error {
	for _, p := range []ipvs.Protocol{ipvs.TCP, ipvs.UDP, ipvs.SCTP} {
		if strings.EqualFold(s, p.String()) {
			c.protocol = p
			return nil
		}
	}
	return errors.New("say tcp, udp or sctp")
}

// setVirtual reads ADDR:PORT, ADDR-LAST:PORT, NET/LEN:PORT or fwmark:N.
func (c *claim) setVirtual(s string) error {
	if kind, mark, ok := strings.Cut(s, ":"); ok && (kind == "fwmark" || kind == "fwmark6") {
		return number(mark, math.MaxUint32, func(n uint64) {
			c.virtuals = []ipvs.Virtual{{Mark: uint32(n), V6: kind == "fwmark6"}}
		})
	}
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return errors.New("say address:port")
	}
	var port uint16
	if err := number(s[at+1:], math.MaxUint16, func(n uint64) { port = uint16(n) }); err != nil {
		return err
	}
	addrs, err := ends(strings.NewReplacer("[", "", "]", "").Replace(s[:at]))
	if err != nil {
		return err
	}
	for _, a := range addrs {
		c.virtuals = append(c.virtuals, ipvs.Virtual{Addr: netip.AddrPortFrom(a, port)})
	}
	return nil
}

// ends are the first and the last address of a range.
func ends(s string) ([]netip.Addr, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		first, last := p.Masked().Addr().Unmap(), lastOf(p)
		return slices.Compact([]netip.Addr{first, last}), nil
	}
	from, to, ranged := strings.Cut(s, "-")
	first, err := parseAddr(from)
	if err != nil {
		return nil, err
	}
	if !ranged {
		return []netip.Addr{first}, nil
	}
	last, err := parseAddr(to)
	if err != nil {
		return nil, err
	}
	return slices.Compact([]netip.Addr{first, last}), nil
}

// parseAddr reads an address that is the same on every machine.
func parseAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err == nil && a.Zone() != "" {
		err = errors.New("an address with a zone is of one link only")
	}
	return a.Unmap(), err
}

// lastOf is the last address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	octets := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(octets)*8; i++ {
		octets[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(octets)
	return a.Unmap()
}

func (c *claim) setReal(s string) error {
	if ap, err := netip.ParseAddrPort(s); err == nil && ap.Addr().Zone() == "" {
		c.real, c.port = ap.Addr().Unmap(), ap.Port()
		return nil
	}
	a, err := parseAddr(strings.Trim(s, "[]"))
	c.real = a
	return err
}

func (c *claim) setTunnel(s string) error {
	at := slices.Index([]string{"ipip", "gue", "gre"}, s)
	if at < 0 {
		return errors.New("say ipip, gue or gre")
	}
	c.tunnel.Type = ipvs.TunnelType(at)
	return nil
}

func (c *claim) setChecksum(s string) error {
	at := slices.Index([]string{"nocsum", "csum", "remcsum"}, s)
	if at < 0 {
		return errors.New("say nocsum, csum or remcsum")
	}
	c.tunnel.Checksum = ipvs.Checksum(at)
	return nil
}
