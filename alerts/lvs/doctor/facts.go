package doctor

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// Facts are what was read of a director, in one network namespace. What could
// not be read is missing, and named in Unread.
type Facts struct {
	Kernel  string // the release, such as 6.1.0-26-amd64
	Modules Modules
	IPVS    bool // the kernel has an IPVS table
	// Table is nil if it could not be read.
	Table    []Row
	Daemons  []Daemon
	Timeouts *Timeouts
	Sysctls  Sysctls
	Links    []Link
	Addrs    []Addr
	// Routes are what the kernel would do with a packet to the virtual
	// addresses and to the reals.
	Routes map[netip.Addr]Route
	// Default are the routes to everywhere.
	Default    []Route
	Neighbours []Neighbour
	// Keepers are lines of other programs' files that matter here.
	Keepers []Keeper
	// Managers are the network managers of links.
	Managers []Manager
	Unread   []Unread
	// Probes is what active probes found; nil if there were none.
	Probes *Probes
}

// Row is a virtual service of the table with its reals.
type Row struct {
	ipvs.Service
	Reals []ipvs.Destination
}

// Modules is what is known of kernel modules.
type Modules struct {
	// Fixed says that none can be loaded: the kernel has no modules, or they
	// were locked.
	Fixed bool
	// Known says that the list of those that could be loaded was found.
	Known bool
	// Loaded are in the kernel, or built into it; Available could be loaded.
	Loaded, Available map[string]bool
}

// Daemon is a connection synchronisation daemon of the kernel.
type Daemon struct {
	Master bool
	Link   string
	SyncID uint32
}

// Timeouts are those of connections, in seconds.
type Timeouts struct{ TCP, TCPFin, UDP uint32 }

// Sysctls are values by their path below /proc/sys, such as
// net/ipv4/ip_forward.
type Sysctls map[string]string

// Int is a value that is a number; ok is false if it was not read.
func (s Sysctls) Int(path string) (n int, ok bool) {
	n, err := strconv.Atoi(s[path])
	return n, err == nil
}

// Most is the larger of the values of all interfaces and of the one: what the
// kernel goes by for arp_ignore, arp_announce and rp_filter. For those that
// are on or off it is whether either is on: send_redirects, accept_local.
func (s Sysctls) Most(link, name string) (n int, ok bool) {
	all, ok1 := s.Int("net/ipv4/conf/all/" + name)
	one, ok2 := s.Int("net/ipv4/conf/" + link + "/" + name)
	return max(all, one), ok1 && ok2
}

// Link is a network interface.
type Link struct {
	Index   int
	Name    string
	Kind    string // such as veth, bridge, ipip
	Up      bool
	Carrier bool
	// ARP says that it speaks ARP: not lo, not a tunnel.
	ARP bool
	MTU int
	MAC string
}

// Addr is an address of an interface.
type Addr struct {
	Link   string
	Prefix netip.Prefix
	// Tentative: duplicate address detection has not ended, or has found a
	// duplicate (Duplicate).
	Tentative, Duplicate bool
}

// Route is what becomes of a packet.
type Route struct {
	// Local: it is for this machine. None: there is no way (Err says why).
	Local, None bool
	Err         string
	Link        string
	Gateway     netip.Addr // zero: it is on the link
	Source      netip.Addr
	// MTU is what the kernel knows of the path, 0: the link's.
	MTU int
	Six bool
}

// Neighbour is an entry of the table of neighbours.
type Neighbour struct {
	Link   string
	Addr   netip.Addr
	MAC    string
	Failed bool
}

// Keeper is a line in the file of another program that acts on addresses or
// the table.
type Keeper struct {
	File string
	Line int
	Text string
}

// Unread is what could not be read.
type Unread struct{ What, Err string }

// Probes are answers to what was sent.
type Probes struct {
	// Asked are the virtual addresses that were asked for, and on which link.
	Asked map[netip.Addr]string
	// Answers are who answered; the director that asks does not hear itself.
	Answers []Answer
	// PathMTU is the largest packet that came back from a real.
	PathMTU map[netip.Addr]int
	// Silent are reals that answered no ping at all.
	Silent []netip.Addr
}

// Answer is a reply to a question for a virtual address.
type Answer struct {
	VIP  netip.Addr
	Link string
	MAC  string
}

// link is the interface of that name, or nil.
func (f *Facts) link(name string) *Link {
	if i := slices.IndexFunc(f.Links, func(l Link) bool { return l.Name == name }); i >= 0 {
		return &f.Links[i]
	}
	return nil
}

// holds are the interfaces that have the address.
func (f *Facts) holds(a netip.Addr) []Addr {
	var out []Addr
	for _, h := range f.Addrs {
		if h.Prefix.Addr() == a {
			out = append(out, h)
		}
	}
	return out
}

// isLocal reports whether the address is this machine's.
func (f *Facts) isLocal(a netip.Addr) bool { return f.Routes[a].Local || len(f.holds(a)) > 0 }

// version is the kernel's, such as 6, 1.
func (f *Facts) version() (major, minor int) {
	parts := strings.SplitN(f.Kernel, ".", 3)
	if len(parts) < 2 {
		return 0, 0
	}
	major, _ = strconv.Atoi(parts[0])
	digits := strings.IndexFunc(parts[1], func(r rune) bool { return r < '0' || r > '9' })
	if digits >= 0 {
		parts[1] = parts[1][:digits]
	}
	minor, _ = strconv.Atoi(parts[1])
	return major, minor
}

// SysctlCommand sets the value of a path below /proc/sys. Names of interfaces
// may hold dots, so that the path keeps its slashes where one does.
func SysctlCommand(path, value string) string {
	if !strings.Contains(path, ".") {
		path = strings.ReplaceAll(path, "/", ".")
	}
	return "sysctl -w " + path + "=" + value
}
