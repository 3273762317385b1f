package lvs

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
	"github.com/mondhq/mond/plugins/getopt"
)

// job is what one list of arguments names: a real server of a virtual service
// in a table, and how it is there while it is in.
type job struct {
	table string // "": the kernel's, else an absolute path
	reconcile.Target
	weight  uint32
	forward ipvs.Forward
}

// arguments are the options as they were written.
type arguments struct {
	protocol      ipvs.Protocol
	protocolGiven bool
	virtual       ipvs.Virtual // without protocol
	real          netip.Addr
	port          uint16 // 0: the virtual service's
	weight        uint32
	forward       ipvs.Forward
	up            bool
	table         string
}

// declare declares the options on fs. Each value is judged as it is set, so
// that an error can be told with its place; [arguments.job] judges the rest.
func (a *arguments) declare(fs *flag.FlagSet) {
	*a = arguments{protocol: ipvs.TCP, weight: 1, forward: ipvs.Direct}
	fs.Func("P", "`protocol` of the virtual service: tcp, udp or sctp (default tcp)", a.setProtocol)
	fs.Func("V", "`address:port` of the virtual service, [address]:port for IPv6, or fwmark:N", a.setVirtual)
	fs.Func("R", "`address[:port]` of the real server (default port: that of the virtual service)", a.setReal)
	fs.Func("W", "`weight` of the real server, 0 to 65535 (default 1)", a.setWeight)
	fs.Func("F", "forwarding `method`: nat, tun or dr (default dr)", func(s string) (err error) {
		a.forward, err = ipvs.ParseForward(s)
		return err
	})
	fs.BoolVar(&a.up, "u", false, "put the real server in (as mon's upalerts do); without, take it out")
	fs.Func("table", "edit this `file`, in the format of ipvsadm-save -n, instead of the kernel's table", a.setTable)
}

// parseJob reads a list of arguments as the program would.
func parseJob(args []string) (job, error) {
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	var a arguments
	a.declare(fs)
	rest, err := getopt.Parse(fs, args)
	if err != nil {
		return job{}, err
	}
	return a.job(rest)
}

func (a *arguments) setProtocol(s string) error {
	for _, p := range []ipvs.Protocol{ipvs.TCP, ipvs.UDP, ipvs.SCTP} {
		if strings.EqualFold(s, p.String()) {
			a.protocol, a.protocolGiven = p, true
			return nil
		}
	}
	return errors.New("say tcp, udp or sctp")
}

func (a *arguments) setVirtual(s string) error {
	if mark, ok := strings.CutPrefix(s, "fwmark:"); ok {
		n, err := strconv.ParseUint(mark, 10, 32)
		if err != nil || n == 0 {
			return errors.New("a firewall mark is a number above 0")
		}
		a.virtual = ipvs.Virtual{Mark: uint32(n)}
		return nil
	}
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return fmt.Errorf("say address:port in numbers, such as 10.0.0.3:80 or [2001:db8::3]:80, or fwmark:N%s", bareHint(s))
	}
	if ap.Port() == 0 {
		return errors.New("port 0: say the port that clients connect to")
	}
	a.virtual = ipvs.Virtual{Addr: netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())}
	return nil
}

// bareHint helps with an IPv6 address that lacks its brackets.
func bareHint(s string) string {
	if strings.Count(s, ":") > 1 && !strings.HasPrefix(s, "[") {
		return " (an IPv6 address goes in brackets)"
	}
	return ""
}

func (a *arguments) setReal(s string) error {
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

func (a *arguments) setWeight(s string) error {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return errors.New("a weight is a number from 0 to 65535")
	}
	a.weight = uint32(n)
	return nil
}

func (a *arguments) setTable(s string) error {
	if s == "" {
		return errors.New("say a file")
	}
	path, err := filepath.Abs(s)
	a.table = path
	return err
}

// job judges the options together; rest are the words that are none.
func (a *arguments) job(rest []string) (job, error) {
	switch {
	case len(rest) > 0:
		return job{}, fmt.Errorf("%s takes options only: what is %q?", Name, rest[0])
	case a.virtual == (ipvs.Virtual{}):
		return job{}, errors.New("-V is missing: say the virtual service, such as -V 10.0.0.3:80")
	case !a.real.IsValid():
		return job{}, errors.New("-R is missing: say the real server, such as -R 192.168.0.1")
	case a.virtual.Mark != 0 && a.protocolGiven:
		return job{}, errors.New("-P and a firewall mark: a mark has no protocol, leave -P out")
	}
	j := job{table: a.table, weight: a.weight, forward: a.forward}
	j.Virtual = a.virtual
	port := a.port
	switch {
	case a.virtual.Mark != 0:
		j.Virtual.V6 = a.real.Is6()
	default:
		j.Virtual.Protocol = a.protocol
		if port == 0 {
			port = a.virtual.Addr.Port()
		}
	}
	j.Real = netip.AddrPortFrom(a.real, port)
	if err := errors.Join(j.Virtual.Validate(), j.row().ValidateIn(j.Virtual)); err != nil {
		return job{}, fmt.Errorf("-V %s -R %s: %w", a.virtualWord(), j.Real, err)
	}
	return j, nil
}

func (a *arguments) virtualWord() string { return virtualWord(a.virtual) }

// virtualWord is v as -V takes it.
func virtualWord(v ipvs.Virtual) string {
	if v.Mark != 0 {
		return fmt.Sprintf("fwmark:%d", v.Mark)
	}
	return v.Addr.String()
}

// row is the destination that j asks for while it is in.
func (j job) row() ipvs.Destination {
	return ipvs.Destination{Addr: j.Real, Weight: j.weight, Forward: j.forward}
}

// words is j as a list of arguments, always the same for the same job.
func (j job) words() []string {
	var w []string
	if j.Virtual.Mark == 0 {
		w = append(w, "-P", j.Virtual.Protocol.String())
	}
	realWord := j.Real.String()
	if j.Real.Port() == 0 {
		realWord = j.Real.Addr().String()
	}
	w = append(w, "-V", virtualWord(j.Virtual), "-R", realWord,
		"-W", strconv.FormatUint(uint64(j.weight), 10), "-F", j.forward.String())
	if j.table != "" {
		w = append(w, "--table", j.table)
	}
	return w
}

// key names what j is about.
func (j job) key() key { return key{j.table, j.Target} }

// key is a target in a table.
type key struct {
	table string
	reconcile.Target
}
