package words

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// Arguments are the options as they were written.
type Arguments struct {
	// Up is -u.
	Up bool

	given    map[string]bool // by the short name where there is one
	protocol ipvs.Protocol
	virtual  addresses
	real     netip.Addr
	port     uint16 // 0: the virtual service's
	row      ipvs.Destination
	service  ipvs.Service
	mask     mask
	flags    []string
	declared bool // --service
	byRole   bool
	table    Place
	timeouts ipvs.Timeouts
	sync     ipvs.Sync
	// syncByRole is mode=by-role of --sync.
	syncByRole bool
}

// addresses are what -V names: a mark, or addresses that follow each other.
type addresses struct {
	mark  uint32
	v6    bool // of a mark
	first netip.AddrPort
	count int
}

// Declare declares the options on fs. Each value is judged as it is set, so
// that an error can be told with its place; [Arguments.Job] judges the rest.
func (a *Arguments) Declare(fs *flag.FlagSet) {
	a.reset()
	fs.BoolVar(&a.Up, "u", false, "put the real server in (as mon's upalerts do); without, take it out")
	a.declareNames(fs)
	a.declareReal(fs)
	a.declareService(fs)
	a.declareTable(fs)
}

// reset makes every option as if it had not been given.
func (a *Arguments) reset() {
	*a = Arguments{protocol: ipvs.TCP, given: a.given}
	if a.given == nil {
		a.given = map[string]bool{}
	}
	clear(a.given)
	a.row.Weight, a.row.Forward = 1, ipvs.Direct
	a.service.Scheduler = "wlc"
}

// option declares an option under a short and a long name; "" is none.
func (a *Arguments) option(fs *flag.FlagSet, short, long, help string, set func(string) error) {
	name := short
	if name == "" {
		name = long
	}
	noted := func(s string) error {
		a.given[name] = true
		return set(s)
	}
	fs.Func(name, help, noted)
	if short != "" && long != "" {
		fs.Func(long, "the same as -"+short, noted)
	}
}

// toggle is option for one without a value.
func (a *Arguments) toggle(fs *flag.FlagSet, short, long, help string, into *bool) {
	name := short
	if name == "" {
		name = long
	}
	set := func(s string) (err error) {
		*into, err = strconv.ParseBool(s)
		a.given[name] = *into
		return err
	}
	fs.BoolFunc(name, help, set)
	if short != "" {
		fs.BoolFunc(long, "the same as -"+short, set)
	}
}

func (a *Arguments) declareNames(fs *flag.FlagSet) {
	a.option(fs, "P", "protocol", "`protocol` of the virtual service: tcp, udp or sctp (default tcp)", a.setProtocol)
	a.option(fs, "V", "virtual", "`address:port` of the virtual service, [address]:port for IPv6, or fwmark:N, or fwmark6:N for IPv6; "+
		"of several: FIRST-LAST:port or NET/LEN:port; port 0 is all ports and needs persistence", a.setVirtual)
	a.option(fs, "R", "real", "`address[:port]` of the real server (default port: that of the virtual service)", a.setReal)
}

func (a *Arguments) declareReal(fs *flag.FlagSet) {
	a.option(fs, "W", "weight", "`weight` of the real server, 0 to 65535 (default 1)", func(s string) error {
		return number(s, 65535, "a weight", &a.row.Weight)
	})
	a.option(fs, "F", "forward", "forwarding `method`: nat, tun or dr (default dr)", func(s string) (err error) {
		a.row.Forward, err = ipvs.ParseForward(s)
		return err
	})
	a.option(fs, "x", "upper", "no new connections while the real server has this `number` of them (default 0: no limit)", func(s string) error {
		return number(s, maxThreshold, "a threshold", &a.row.Upper)
	})
	a.option(fs, "y", "lower", "new connections again below this `number` (default 0: three quarters of the upper threshold)", func(s string) error {
		return number(s, maxThreshold, "a threshold", &a.row.Lower)
	})
	a.option(fs, "", "tun-type", "`encapsulation` with -F tun: ipip, gue or gre (default ipip)", func(s string) (err error) {
		a.row.Tunnel.Type, err = ipvs.ParseTunnelType(s)
		return err
	})
	a.option(fs, "", "tun-port", "UDP `port` of the real server for gue, 1 to 65535", a.setTunnelPort)
	a.option(fs, "", "tun-csum", "`checksum` of gue or gre: none, csum, or remcsum for gue (default none)", func(s string) (err error) {
		a.row.Tunnel.Checksum, err = ipvs.ParseChecksum(s)
		return err
	})
}

func (a *Arguments) declareService(fs *flag.FlagSet) {
	fs.BoolVar(&a.declared, "service", false, "declare the virtual service itself: its row is made, kept right, and removed when nothing declares it any more")
	a.option(fs, "s", "scheduler", "`name` of its scheduler, as the kernel calls it: rr wrr lc wlc lblc lblcr sh dh sed nq fo ovf mh twos (default wlc)", func(s string) error {
		a.service.Scheduler = s
		return kernelName(s, "a scheduler")
	})
	a.option(fs, "p", "persistent", "`seconds` for which a client comes back to its real server, 1 to 2678400 (default: none)", func(s string) error {
		return positive(s, ipvs.MaxTimeout, "a time of persistence", &a.service.Persist)
	})
	a.option(fs, "M", "netmask", "`mask` that groups clients for persistence: a prefix length, or dotted for IPv4", a.mask.set)
	a.option(fs, "", "pe", "`name` of the persistence engine, such as sip", func(s string) error {
		a.service.Engine = s
		return kernelName(s, "a persistence engine")
	})
	a.toggle(fs, "o", "ops", "one-packet: every UDP packet is scheduled by itself", &a.service.OnePacket)
	a.option(fs, "b", "sched-flags", "`flags` of the scheduler, with commas: sh-fallback sh-port mh-fallback mh-port flag-1 flag-2 flag-3", a.setFlags)
}

func (a *Arguments) declareTable(fs *flag.FlagSet) {
	a.toggle(fs, "", "by-role", "write only while an address of the virtual service is on this machine, other than on lo; take our rows out once when it no longer is", &a.byRole)
	a.option(fs, "", "table", "edit this `file`, in the format of ipvsadm-save -n, instead of the kernel's table", a.setTable)
	a.option(fs, "", "netns", "edit the kernel's table in the network namespace `name`, which is one of ip netns or a file", a.setNetNS)
	a.option(fs, "", "sync", "keep the kernel's sync daemons, which copy connections to the other director: interface=`NAME`,syncid=N and, if need be, mode=both or by-role, maxlen=N, group=ADDR, port=N, ttl=N", a.setSync)
	a.option(fs, "", "timeouts", "keep the table's time limits: tcp=`seconds`,tcpfin=seconds,udp=seconds; those that are not named stay as they are", a.setTimeouts)
}

const maxThreshold = 1<<31 - 1 // as ipvsadm's

// number reads a number from 0 to max.
func number(s string, max uint32, what string, into *uint32) error {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n > uint64(max) {
		return fmt.Errorf("%s is a number from 0 to %d", what, max)
	}
	*into = uint32(n)
	return nil
}

// positive reads a number from 1 to max.
func positive(s string, max uint32, what string, into *uint32) error {
	if err := number(s, max, what, into); err != nil || *into == 0 {
		return fmt.Errorf("%s is a number of seconds from 1 to %d", what, max)
	}
	return nil
}

// kernelName judges a name that only the kernel knows, or not.
func kernelName(s, what string) error {
	bad := strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' })
	if bad || s == "" || len(s) > 15 {
		return fmt.Errorf("%s is named by up to 15 of a-z, 0-9 and _", what)
	}
	return nil
}

func (a *Arguments) setProtocol(s string) error {
	for _, p := range []ipvs.Protocol{ipvs.TCP, ipvs.UDP, ipvs.SCTP} {
		if strings.EqualFold(s, p.String()) {
			a.protocol = p
			return nil
		}
	}
	return errors.New("say tcp, udp or sctp")
}

func (a *Arguments) setVirtual(s string) (err error) {
	a.virtual, err = parseAddresses(s)
	return err
}

func (a *Arguments) setReal(s string) error {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		if ap.Port() == 0 {
			return errors.New("port 0: leave it out for the virtual service's")
		}
		a.real, a.port = ap.Addr().Unmap(), ap.Port()
		return nil
	}
	bare := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		bare = s[1 : len(s)-1]
	}
	addr, err := netip.ParseAddr(bare)
	if err != nil {
		return errors.New("say address or address:port in numbers, such as 192.168.0.1 or [2001:db8::1]:8080")
	}
	a.real, a.port = addr.Unmap(), 0
	return nil
}

func (a *Arguments) setTunnelPort(s string) error {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return errors.New("a port is a number from 1 to 65535")
	}
	a.row.Tunnel.Port = uint16(n)
	return nil
}

func (a *Arguments) setFlags(s string) (err error) {
	a.flags = strings.Split(s, ",")
	a.service.SchedFlags, err = ipvs.ParseFlags(s)
	return err
}

func (a *Arguments) setTable(s string) error {
	if s == "" {
		return errors.New("say a file")
	}
	path, err := filepath.Abs(s)
	a.table.File = path
	return err
}

func (a *Arguments) setNetNS(s string) error {
	if s == "" || s == "." || s == ".." || strings.ContainsAny(s, "\x00\n") || strings.Contains(s, "/") && !filepath.IsAbs(s) {
		return errors.New("say a name of ip netns, or the absolute path of a file such as /proc/1/ns/net")
	}
	a.table.NetNS = s
	return nil
}

func (a *Arguments) setTimeouts(s string) error {
	into := map[string]*uint32{"tcp": &a.timeouts.TCP, "tcpfin": &a.timeouts.TCPFin, "udp": &a.timeouts.UDP}
	a.timeouts = ipvs.Timeouts{}
	for word := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(word, "=")
		switch n := into[name]; {
		case n == nil:
			return fmt.Errorf("%q: say tcp=N, tcpfin=N and udp=N in seconds, with commas between", word)
		case *n != 0:
			return fmt.Errorf("%s stands twice", name)
		default:
			if err := positive(value, ipvs.MaxTimeout, name, n); err != nil {
				return err
			}
		}
	}
	return nil
}
