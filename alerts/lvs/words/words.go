// Package words reads lvs.alert's command line: what one list of arguments
// claims of a table, with every range of addresses taken apart. It is not the
// claim itself: whether a row is to be in or out is said elsewhere.
package words

import (
	"cmp"
	"flag"
	"iter"
	"net/netip"
	"strconv"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
	"github.com/mondhq/mond/plugins/getopt"
)

// Name is the program's name.
const Name = "lvs.alert"

// Kind is what a list of arguments is about.
type Kind uint8

// The kinds.
const (
	Real     Kind = iota // a real server of virtual services
	Service              // the row of virtual services
	Timeouts             // the table's time limits
	Sync                 // the table's sync daemons
)

// Place is a table. The zero value is the kernel's in our own network
// namespace.
type Place struct {
	File  string // an absolute path: a file in the format of ipvsadm-save
	NetNS string // the kernel's in this network namespace
}

// String is the table's name for people.
func (p Place) String() string {
	switch {
	case p.File != "":
		return p.File
	case p.NetNS != "":
		return "kernel, network namespace " + p.NetNS
	}
	return "kernel"
}

// Compare orders places: the kernel's own is first.
func (p Place) Compare(o Place) int {
	return cmp.Or(cmp.Compare(p.File, o.File), cmp.Compare(p.NetNS, o.NetNS))
}

// Job is what one list of arguments names, and how that is while it is in. It
// is comparable.
type Job struct {
	Kind  Kind
	Table Place
	// First is a virtual service and Count how many there are, at addresses
	// that follow each other; 0 with Timeouts and Sync.
	First ipvs.Virtual
	Count int
	// ByRole says that it holds only while an address of a virtual service is
	// on this machine. With Sync: only the master runs then, and only the backup
	// otherwise.
	ByRole bool
	// Row and Says are of a Real: how it is, and which parts of Row were said.
	Row  ipvs.Destination
	Says reconcile.Says
	// Service is of a Service, without its name.
	Service ipvs.Service
	// Timeouts are of Timeouts.
	Timeouts ipvs.Timeouts
	// Sync is of Sync.
	Sync ipvs.Sync
}

// OfTable reports whether j is about the table as a whole.
func (j Job) OfTable() bool { return j.Kind == Timeouts || j.Kind == Sync }

// Parse reads a list of arguments as the program would.
func Parse(args []string) (Job, error) { return NewParser().Parse(args) }

// Parser is [Parse] for many lists: the options are declared once. Not safe for
// concurrent use.
type Parser struct {
	flags *flag.FlagSet
	args  Arguments
}

// NewParser makes one.
func NewParser() *Parser {
	p := &Parser{flags: flag.NewFlagSet(Name, flag.ContinueOnError)}
	p.args.Declare(p.flags)
	return p
}

// Parse reads a list of arguments as the program would.
func (p *Parser) Parse(args []string) (Job, error) {
	p.args.reset()
	rest, err := getopt.Parse(p.flags, args)
	if err != nil {
		return Job{}, err
	}
	return p.args.Job(rest)
}

// Virtuals are the virtual services that j is about.
func (j Job) Virtuals() iter.Seq[ipvs.Virtual] {
	return func(yield func(ipvs.Virtual) bool) {
		v := j.First
		for n := range j.Count {
			if n > 0 {
				v.Addr = netip.AddrPortFrom(v.Addr.Addr().Next(), v.Addr.Port())
			}
			if !yield(v) {
				return
			}
		}
	}
}

// At is j for one of its virtual services alone.
func (j Job) At(v ipvs.Virtual) Job {
	j.First, j.Count = v, 1
	return j
}

// Target is the real server of v that j is about.
func (j Job) Target(v ipvs.Virtual) reconcile.Target {
	return reconcile.Target{Virtual: v, Real: j.Row.Addr}
}

// Words is j as a list of arguments, always the same for the same job.
func (j Job) Words() []string {
	var w []string
	if !j.OfTable() {
		if j.First.Mark == 0 {
			w = append(w, "-P", j.First.Protocol.String())
		}
		w = append(w, "-V", j.virtualWord())
	}
	switch j.Kind {
	case Real:
		w = j.realWords(w)
	case Service:
		w = j.serviceWords(append(w, "--service"))
	case Timeouts:
		w = append(w, "--timeouts", j.Timeouts.String())
	case Sync:
		w = append(w, "--sync", j.syncWord())
	}
	if j.ByRole && j.Kind != Sync {
		w = append(w, "--by-role")
	}
	if j.Table.File != "" {
		w = append(w, "--table", j.Table.File)
	}
	if j.Table.NetNS != "" {
		w = append(w, "--netns", j.Table.NetNS)
	}
	return w
}

// virtualWord is what -V takes.
func (j Job) virtualWord() string {
	v := j.First
	switch {
	case v.Mark != 0 && v.V6:
		return "fwmark6:" + strconv.FormatUint(uint64(v.Mark), 10)
	case v.Mark != 0:
		return "fwmark:" + strconv.FormatUint(uint64(v.Mark), 10)
	case j.Count == 1:
		return v.Addr.String()
	}
	var last netip.Addr
	for u := range j.Virtuals() {
		last = u.Addr.Addr()
	}
	text := v.Addr.Addr().String() + "-" + last.String()
	if v.Is6() {
		text = "[" + text + "]"
	}
	return text + ":" + strconv.Itoa(int(v.Addr.Port()))
}

func (j Job) realWords(w []string) []string {
	real := j.Row.Addr.String()
	if j.Row.Addr.Port() == 0 {
		real = j.Row.Addr.Addr().String()
	}
	w = append(w, "-R", real, "-W", strconv.FormatUint(uint64(j.Row.Weight), 10), "-F", j.Row.Forward.String())
	if j.Says.Has(reconcile.SaysUpper) {
		w = append(w, "-x", strconv.FormatUint(uint64(j.Row.Upper), 10))
	}
	if j.Says.Has(reconcile.SaysLower) {
		w = append(w, "-y", strconv.FormatUint(uint64(j.Row.Lower), 10))
	}
	if !j.Says.Has(reconcile.SaysTunnel) {
		return w
	}
	w = append(w, "--tun-type", j.Row.Tunnel.Type.String())
	if j.Row.Tunnel.Port != 0 {
		w = append(w, "--tun-port", strconv.Itoa(int(j.Row.Tunnel.Port)))
	}
	if j.Row.Tunnel.Type != ipvs.IPIP {
		w = append(w, "--tun-csum", j.Row.Tunnel.Checksum.String())
	}
	return w
}

func (j Job) serviceWords(w []string) []string {
	s := j.Service
	w = append(w, "-s", s.Scheduler)
	if s.Persist != 0 {
		w = append(w, "-p", strconv.FormatUint(uint64(s.Persist), 10))
	}
	if s.Mask != 0 {
		w = append(w, "-M", strconv.Itoa(int(s.Mask)))
	}
	if s.Engine != "" {
		w = append(w, "--pe", s.Engine)
	}
	if s.OnePacket {
		w = append(w, "-o")
	}
	if s.SchedFlags != 0 {
		w = append(w, "-b", ipvs.FlagWords(s.Scheduler, s.SchedFlags))
	}
	return w
}
