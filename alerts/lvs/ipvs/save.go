package ipvs

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// parseRows reads text in the format of `ipvsadm-save -n`. Lines that are
// neither -A nor -a are kept before the row that follows them, options that
// are not known here on their row.
func parseRows(data []byte) (*rows, error) {
	r := newRows()
	var lead []string
	for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		words := strings.Fields(line)
		var err error
		switch {
		case line == "" && len(data) == 0:
			continue
		case len(words) > 0 && (words[0] == "-A" || words[0] == "--add-service"):
			err = r.readService(words[1:], text{lead: lead})
		case len(words) > 0 && (words[0] == "-a" || words[0] == "--add-server"):
			err = r.readReal(words[1:], text{lead: lead})
		default:
			lead = append(lead, line)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w in %q", i+1, err, line)
		}
		lead = nil
	}
	r.tail = lead
	return r, nil
}

// line is one -A or -a line while it is read.
type line struct {
	words   []string
	virtual Virtual
	six     bool   // -6 was said
	mask    string // the word after -M, read when the family is known
	seen    map[string]bool
	service Service
	dest    Destination
	text
}

func (r *rows) readService(words []string, t text) error {
	l := line{words: words, text: t}
	if err := l.read(serviceOptions); err != nil {
		return err
	}
	l.service.Virtual = l.virtual
	if l.service.Scheduler == "" {
		l.service.Scheduler = "wlc" // as ipvsadm does
	}
	if r.services[l.virtual] != nil {
		return fmt.Errorf("%s stands here twice", l.virtual)
	}
	r.services[l.virtual] = &serviceRow{Service: l.service, text: l.text, reals: map[netip.AddrPort]*realRow{}}
	return nil
}

func (r *rows) readReal(words []string, t text) error {
	l := line{words: words, text: t, dest: Destination{Weight: 1, Forward: Direct}}
	if err := l.read(realOptions); err != nil {
		return err
	}
	s, ok := r.services[l.virtual]
	switch {
	case !ok:
		return fmt.Errorf("%s has no -A line before its real server", l.virtual)
	case !l.dest.Addr.IsValid():
		return errors.New("no real server (-r)")
	case s.reals[l.dest.Addr] != nil:
		return fmt.Errorf("%s stands twice in %s", l.dest.Addr, l.virtual)
	}
	s.reals[l.dest.Addr] = &realRow{Destination: l.dest, text: l.text}
	return nil
}

// option reads one option's argument into l.
type option func(l *line, arg string) error

var serviceOptions = map[string]option{
	"-s": func(l *line, a string) error { l.service.Scheduler = a; return nil },
	"-p": func(l *line, a string) error { return number(a, &l.service.Persist) },
	"-M": func(l *line, a string) error { l.mask = a; return nil },
	"-b": (*line).flags,
	"--pe": func(l *line, a string) error {
		l.service.Engine = a
		return nil
	},
}

var realOptions = map[string]option{
	"-r":         (*line).real,
	"-w":         func(l *line, a string) error { return number(a, &l.dest.Weight) },
	"-x":         func(l *line, a string) error { return number(a, &l.dest.Upper) },
	"-y":         func(l *line, a string) error { return number(a, &l.dest.Lower) },
	"--tun-type": (*line).tunnel,
	"--tun-port": func(l *line, a string) error {
		n, err := strconv.ParseUint(a, 10, 16)
		l.dest.Tunnel.Port = uint16(n)
		return err
	},
}

// switches are the options without an argument.
var switches = map[string]func(l *line){
	"-o":            func(l *line) { l.service.OnePacket = true },
	"-6":            func(l *line) { l.six = true },
	"-m":            func(l *line) { l.dest.Forward = NAT },
	"-g":            func(l *line) { l.dest.Forward = Direct },
	"-i":            func(l *line) { l.dest.Forward = Tunnel },
	"--tun-nocsum":  func(l *line) { l.dest.Tunnel.Checksum = 0 },
	"--tun-csum":    func(l *line) { l.dest.Tunnel.Checksum = 1 },
	"--tun-remcsum": func(l *line) { l.dest.Tunnel.Checksum = 2 },
}

// read takes l.words apart; the virtual service may stand anywhere in them.
func (l *line) read(options map[string]option) error {
	l.seen = map[string]bool{}
	for len(l.words) > 0 {
		word := l.words[0]
		l.words = l.words[1:]
		if err := l.word(word, options); err != nil {
			return err
		}
	}
	if l.virtual == (Virtual{}) {
		return errors.New("no virtual service (-t, -u or -f)")
	}
	l.virtual.V6 = l.six && l.virtual.Mark != 0
	if l.mask != "" {
		return l.readMask(l.mask)
	}
	return nil
}

func (l *line) word(word string, options map[string]option) error {
	opt := options[word]
	if o, ok := virtualOptions[word]; ok {
		opt = o
	}
	set := switches[word]
	if opt == nil && set == nil {
		l.extra = append(l.extra, word)
		return nil
	}
	if l.seen[word] {
		return fmt.Errorf("%s stands twice", word)
	}
	l.seen[word] = true
	if set != nil {
		set(l)
		return nil
	}
	arg, err := l.argument(word)
	if err != nil {
		return err
	}
	if err := opt(l, arg); err != nil {
		return fmt.Errorf("%s %s: %w", word, arg, err)
	}
	return nil
}

func (l *line) argument(word string) (string, error) {
	if len(l.words) == 0 || strings.HasPrefix(l.words[0], "-") {
		if word == "-p" {
			return "360", nil // what ipvsadm makes of it
		}
		return "", fmt.Errorf("%s needs an argument", word)
	}
	arg := l.words[0]
	l.words = l.words[1:]
	return arg, nil
}

var virtualOptions = map[string]option{
	"-t":             func(l *line, a string) error { return l.address(TCP, a) },
	"-u":             func(l *line, a string) error { return l.address(UDP, a) },
	"--sctp-service": func(l *line, a string) error { return l.address(SCTP, a) },
	"-f":             (*line).fwmark,
}

func (l *line) address(p Protocol, arg string) error {
	addr, err := numeric(arg)
	if err != nil {
		return err
	}
	return l.name(Virtual{Protocol: p, Addr: addr})
}

func (l *line) fwmark(arg string) error {
	n, err := strconv.ParseUint(arg, 10, 32)
	if err != nil || n == 0 {
		return errors.New("a firewall mark is a number above 0")
	}
	return l.name(Virtual{Mark: uint32(n)})
}

func (l *line) name(v Virtual) error {
	if l.virtual != (Virtual{}) {
		return errors.New("a second virtual service on one line")
	}
	l.virtual = v
	return nil
}

func (l *line) real(arg string) (err error) {
	l.dest.Addr, err = numeric(arg)
	return err
}

// numeric reads ADDR, ADDR:PORT, [ADDR] or [ADDR]:PORT, without names.
func numeric(s string) (netip.AddrPort, error) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return plain(ap.Addr(), ap.Port())
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		return netip.AddrPort{}, errors.New("not a number address (save the table with ipvsadm-save -n)")
	}
	return plain(a, 0)
}

// plain refuses the spellings that would not come back as they were.
func plain(a netip.Addr, port uint16) (netip.AddrPort, error) {
	if a.Zone() != "" {
		return netip.AddrPort{}, errors.New("an address with a zone: IPVS has none")
	}
	return netip.AddrPortFrom(a.Unmap(), port), nil
}

func number(arg string, into *uint32) error {
	n, err := strconv.ParseUint(arg, 10, 32)
	if err != nil {
		return errors.New("not a number from 0 to 4294967295")
	}
	*into = uint32(n)
	return nil
}

// readMask makes sense of -M: a netmask for IPv4, a prefix length for IPv6.
func (l *line) readMask(word string) error {
	if l.virtual.Is6() {
		n, err := strconv.ParseUint(word, 10, 8)
		if err != nil || n < 1 || n > 128 {
			return fmt.Errorf("-M %s: for IPv6 it is a prefix length from 1 to 128", word)
		}
		l.service.Mask = uint8(n % 128) // 128 is no grouping at all
		return nil
	}
	a, err := netip.ParseAddr(word)
	if err != nil || !a.Is4() {
		return fmt.Errorf("-M %s: for IPv4 it is a netmask such as 255.255.255.0", word)
	}
	bits, ok := maskBits(a.As4())
	if !ok || bits == 0 && a.IsUnspecified() {
		l.extra = append(l.extra, "-M", word) // nothing a prefix can say: kept
		return nil
	}
	l.service.Mask = bits
	return nil
}

// maskBits is the prefix length of a netmask, unless it has holes. The mask of
// a single address is 0, since that is no grouping at all.
func maskBits(m [4]byte) (uint8, bool) {
	n := uint32(m[0])<<24 | uint32(m[1])<<16 | uint32(m[2])<<8 | uint32(m[3])
	bits := uint8(0)
	for n&(1<<31) != 0 {
		bits++
		n <<= 1
	}
	if bits == 32 {
		return 0, true
	}
	return bits, n == 0
}

func (l *line) flags(arg string) (err error) {
	l.service.SchedFlags, err = ParseFlags(arg)
	return err
}

// ParseFlags reads a scheduler's flags as ipvsadm's -b names them, separated
// by commas.
func ParseFlags(words string) (flags uint8, err error) {
	for f := range strings.SplitSeq(words, ",") {
		switch f {
		case "flag-1", "sh-fallback", "mh-fallback":
			flags |= 1
		case "flag-2", "sh-port", "mh-port":
			flags |= 2
		case "flag-3":
			flags |= 4
		default:
			return 0, fmt.Errorf("unknown scheduler flag %q: say sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2 or flag-3", f)
		}
	}
	return flags, nil
}

func (l *line) tunnel(arg string) (err error) {
	l.dest.Tunnel.Type, err = ParseTunnelType(arg)
	return err
}

// bytes is r in the format of `ipvsadm-save -n`, sorted.
func (r *rows) bytes() []byte {
	var b bytes.Buffer
	for _, v := range r.virtuals() {
		s := r.services[v]
		s.write(&b)
		reals, _ := r.destinations(v)
		for _, d := range reals {
			s.reals[d.Addr].write(&b, v)
		}
	}
	for _, l := range r.tail {
		fmt.Fprintln(&b, l)
	}
	return b.Bytes()
}

func (t text) writeLead(b *bytes.Buffer) {
	for _, l := range t.lead {
		fmt.Fprintln(b, l)
	}
}

func (t text) writeExtra(b *bytes.Buffer) {
	for _, w := range t.extra {
		b.WriteString(" " + w)
	}
	b.WriteByte('\n')
}

// Option is v as ipvsadm's options name it, such as "-t 10.0.0.3:80".
func (v Virtual) Option() string {
	switch {
	case v.Mark != 0 && v.V6:
		return fmt.Sprintf("-f %d -6", v.Mark)
	case v.Mark != 0:
		return fmt.Sprintf("-f %d", v.Mark)
	case v.Protocol == UDP:
		return "-u " + v.Addr.String()
	case v.Protocol == SCTP:
		return "--sctp-service " + v.Addr.String()
	}
	return "-t " + v.Addr.String()
}

func (s *serviceRow) write(b *bytes.Buffer) {
	s.writeLead(b)
	b.WriteString("-A " + s.Options())
	s.writeExtra(b)
}

// Options are s as ipvsadm's -A and -E take it, in the order of ipvsadm-save.
func (s Service) Options() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s -s %s", s.Option(), s.Scheduler)
	if s.Persist != 0 {
		fmt.Fprintf(&b, " -p %d", s.Persist)
	}
	if s.Mask != 0 {
		fmt.Fprintf(&b, " -M %s", maskWord(s.Mask, s.Is6()))
	}
	if s.OnePacket {
		b.WriteString(" -o")
	}
	if f := FlagWords(s.Scheduler, s.SchedFlags); f != "" {
		b.WriteString(" -b " + f)
	}
	if s.Engine != "" {
		b.WriteString(" --pe " + s.Engine)
	}
	return b.String()
}

// maskWord is a mask as ipvsadm takes it: a netmask, or IPv6's prefix length.
func maskWord(bits uint8, v6 bool) string {
	if v6 {
		return strconv.Itoa(int(bits))
	}
	m := ^uint32(0) << (32 - min(bits, 32))
	return netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}).String()
}

// FlagWords spells a scheduler's flags as ipvsadm-save does.
func FlagWords(scheduler string, flags uint8) string {
	names := [3]string{"flag-1", "flag-2", "flag-3"}
	if scheduler == "sh" || scheduler == "mh" {
		names = [3]string{scheduler + "-fallback", scheduler + "-port", "flag-3"}
	}
	var words []string
	for i, name := range names {
		if flags&(1<<i) != 0 {
			words = append(words, name)
		}
	}
	return strings.Join(words, ",")
}

var forwardSwitch = []string{NAT: "-m", Local: "-g", Tunnel: "-i", Direct: "-g"}

func (d *realRow) write(b *bytes.Buffer, v Virtual) {
	d.writeLead(b)
	b.WriteString("-a " + d.Options(v))
	d.writeExtra(b)
}

// Options are d of v as ipvsadm's -a and -e take it, in the order of
// ipvsadm-save.
func (d Destination) Options(v Virtual) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s -r %s %s -w %d", v.Option(), d.Addr, forwardSwitch[d.Forward], d.Weight)
	if d.Upper != 0 {
		fmt.Fprintf(&b, " -x %d", d.Upper)
	}
	if d.Lower != 0 {
		fmt.Fprintf(&b, " -y %d", d.Lower)
	}
	if d.Forward == Tunnel {
		d.Tunnel.write(&b)
	}
	return b.String()
}

func (e Encapsulation) write(b *strings.Builder) {
	b.WriteString(" --tun-type " + e.Type.String())
	if e.Port != 0 {
		fmt.Fprintf(b, " --tun-port %d", e.Port)
	}
	if e.Type != IPIP {
		b.WriteString([]string{" --tun-nocsum", " --tun-csum", " --tun-remcsum"}[min(e.Checksum, RemoteChecksum)])
	}
}
