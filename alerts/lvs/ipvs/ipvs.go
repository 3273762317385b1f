// Package ipvs reads and edits a table of virtual services and their real
// servers: the kernel's ([OpenKernel]), a file in the format of ipvsadm-save
// ([OpenFile]), or one in memory for tests ([Fake]).
//
// It says what a row is, what may go wrong and what to do then. It does not
// know which rows there should be (alerts/lvs/reconcile does), and it never
// flushes.
package ipvs

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Table is a table of virtual services. Every method is one edit or one read,
// safe for concurrent use, and ends with ctx; every error is an [*Error].
type Table interface {
	// Services lists the virtual services, sorted by [CompareVirtual].
	Services(ctx context.Context) ([]Service, error)
	// Service gives one virtual service; [ErrNoService] if v is not there.
	Service(ctx context.Context, v Virtual) (Service, error)
	// Destinations lists the real servers of v, sorted by address and port;
	// [ErrNoService] if v is not there.
	Destinations(ctx context.Context, v Virtual) ([]Destination, error)

	// AddService fails with [ErrExists] if it is there, UpdateService and
	// DeleteService with [ErrNoService] if it is not.
	AddService(ctx context.Context, s Service) error
	UpdateService(ctx context.Context, s Service) error
	DeleteService(ctx context.Context, v Virtual) error

	// AddDestination fails with [ErrExists] if d's address is there,
	// UpdateDestination and DeleteDestination with [ErrNoDestination] if it
	// is not, all three with [ErrNoService] if v is not.
	AddDestination(ctx context.Context, v Virtual, d Destination) error
	UpdateDestination(ctx context.Context, v Virtual, d Destination) error
	DeleteDestination(ctx context.Context, v Virtual, real netip.AddrPort) error

	// Close frees what the table holds; the rows stay.
	Close() error
}

// Timer is a Table whose connections have time limits.
type Timer interface {
	Table
	Timeouts(ctx context.Context) (Timeouts, error)
	// SetTimeouts sets those that are above 0.
	SetTimeouts(ctx context.Context, t Timeouts) error
}

// Timeouts is how long the table remembers a connection without packets, in
// seconds; 0 is one that is not meant.
type Timeouts struct {
	TCP    uint32 // established
	TCPFin uint32 // after a FIN
	UDP    uint32
}

// MaxTimeout is the longest time that ipvsadm and the kernel agree upon, for
// persistence as for connections: 31 days.
const MaxTimeout = 31 * 24 * 60 * 60

// Over is t with what it does not mean taken from base.
func (t Timeouts) Over(base Timeouts) Timeouts {
	return Timeouts{cmp.Or(t.TCP, base.TCP), cmp.Or(t.TCPFin, base.TCPFin), cmp.Or(t.UDP, base.UDP)}
}

// String is t as lvs.alert's --timeouts takes it.
func (t Timeouts) String() string {
	var words []string
	for _, w := range []struct {
		name string
		n    uint32
	}{{"tcp", t.TCP}, {"tcpfin", t.TCPFin}, {"udp", t.UDP}} {
		if w.n != 0 {
			words = append(words, fmt.Sprintf("%s=%d", w.name, w.n))
		}
	}
	return strings.Join(words, ",")
}

// Editor is a Table that can make several edits as one: nobody sees a part of
// them, and the cost is that of one.
type Editor interface {
	Table
	Edit(ctx context.Context, edit func(Table) error) error
}

// Edit runs edit on t, as one edit where t is an [Editor]. What edit did
// before it failed is kept.
func Edit(ctx context.Context, t Table, edit func(Table) error) error {
	if e, ok := t.(Editor); ok {
		return e.Edit(ctx, edit)
	}
	return edit(t)
}

// Protocol is a transport protocol, by its IP protocol number.
type Protocol uint8

// The protocols that IPVS balances.
const (
	TCP  Protocol = 6
	UDP  Protocol = 17
	SCTP Protocol = 132
)

// String is the protocol's name in small letters.
func (p Protocol) String() string {
	switch p {
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case SCTP:
		return "sctp"
	}
	return "protocol " + strconv.Itoa(int(p))
}

// Valid reports whether IPVS balances p.
func (p Protocol) Valid() bool { return p == TCP || p == UDP || p == SCTP }

// Virtual names a virtual service: either Protocol and Addr, or Mark. It is
// comparable and serves as a key.
type Virtual struct {
	Protocol Protocol
	Addr     netip.AddrPort
	// Mark is a firewall mark, above 0; then Protocol and Addr are zero.
	Mark uint32
	// V6 says that the marked service carries IPv6; false without Mark.
	V6 bool
}

// Is6 reports whether v carries IPv6.
func (v Virtual) Is6() bool { return v.V6 || v.Addr.Addr().Is6() }

// String is v as people write it: "tcp 10.0.0.3:80", "fwmark 7",
// "fwmark6 7".
func (v Virtual) String() string {
	switch {
	case v.Mark != 0 && v.V6:
		return fmt.Sprintf("fwmark6 %d", v.Mark)
	case v.Mark != 0:
		return fmt.Sprintf("fwmark %d", v.Mark)
	}
	return v.Protocol.String() + " " + v.Addr.String()
}

// CompareVirtual orders virtual services: addresses first, by family, address,
// port and protocol, then marks.
func CompareVirtual(a, b Virtual) int {
	return cmp.Or(
		cmp.Compare(a.Mark, b.Mark),
		a.Addr.Compare(b.Addr),
		cmp.Compare(a.Protocol, b.Protocol),
		cmp.Compare(boolInt(a.V6), boolInt(b.V6)),
	)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Service is a virtual service.
type Service struct {
	Virtual
	// Scheduler is the kernel's name for it, such as "wlc".
	Scheduler string
	// Persist is the time of persistence in seconds; 0: not persistent.
	Persist uint32
	// Mask is the prefix length that groups clients for persistence; 0: each
	// address by itself.
	Mask uint8
	// OnePacket schedules every UDP packet by itself.
	OnePacket bool
	// SchedFlags are the scheduler's own flags 1 to 3, in bits 0 to 2.
	SchedFlags uint8
	// Engine is the persistence engine, such as "sip"; "" is none.
	Engine string
}

// Destination is a real server of a virtual service, named by Addr.
type Destination struct {
	Addr    netip.AddrPort
	Weight  uint32 // 0 to 65535
	Forward Forward
	// Upper and Lower are connection thresholds; 0 is none.
	Upper, Lower uint32
	// Tunnel is read only with Forward [Tunnel].
	Tunnel Encapsulation
	// Counters are read from a kernel only and never written.
	Counters Counters
}

// Counters is what the kernel has counted for a destination.
type Counters struct {
	Active, Inactive, Persistent uint32 // connections now
	Connections                  uint64 // since the row was made
	PacketsIn, PacketsOut        uint64
	BytesIn, BytesOut            uint64
}

// Encapsulation is how packets are wrapped for a tunnelled destination. The
// zero value is plain IP in IP.
type Encapsulation struct {
	Type TunnelType
	Port uint16 // of GUE
	// Checksum is of GUE and GRE.
	Checksum Checksum
}

// Checksum is the kernel's number for how an encapsulation is summed.
type Checksum uint16

// The checksums; the last is GUE's only.
const (
	NoChecksum Checksum = iota
	WithChecksum
	RemoteChecksum
)

var checksumNames = []string{NoChecksum: "none", WithChecksum: "csum", RemoteChecksum: "remcsum"}

// String is the word of lvs.alert's --tun-csum.
func (c Checksum) String() string {
	if int(c) < len(checksumNames) {
		return checksumNames[c]
	}
	return "checksum " + strconv.Itoa(int(c))
}

// ParseChecksum reads a word of String.
func ParseChecksum(s string) (Checksum, error) {
	if i := slices.Index(checksumNames, s); i >= 0 {
		return Checksum(i), nil
	}
	return 0, fmt.Errorf("%q is no checksum: say none, csum or remcsum", s)
}

// TunnelType is the kernel's number for an encapsulation.
type TunnelType uint8

// The encapsulations, numbered by the kernel.
const (
	IPIP TunnelType = iota
	GUE
	GRE
)

var tunnelTypes = []string{IPIP: "ipip", GUE: "gue", GRE: "gre"}

// String is the word of lvs.alert's --tun-type.
func (t TunnelType) String() string {
	if int(t) < len(tunnelTypes) {
		return tunnelTypes[t]
	}
	return "tunnel " + strconv.Itoa(int(t))
}

// ParseTunnelType reads a word of String.
func ParseTunnelType(s string) (TunnelType, error) {
	if i := slices.Index(tunnelTypes, s); i >= 0 {
		return TunnelType(i), nil
	}
	return 0, fmt.Errorf("%q is no encapsulation: say ipip, gue or gre", s)
}

// Forward is how packets reach a destination, numbered by the kernel.
type Forward uint8

// The forwarding methods. Local is what old kernels made of a destination
// that is the director itself; nobody asks for it.
const (
	NAT Forward = iota
	Local
	Tunnel
	Direct
)

// String is the word of lvs.alert's -F.
func (f Forward) String() string {
	switch f {
	case NAT:
		return "nat"
	case Local:
		return "local"
	case Tunnel:
		return "tun"
	case Direct:
		return "dr"
	}
	return "forward " + strconv.Itoa(int(f))
}

// ParseForward reads a forwarding method in the words of mon's script, of
// ipvsadm and of their users.
func ParseForward(s string) (Forward, error) {
	switch s {
	case "nat", "masq", "masquerading", "m":
		return NAT, nil
	case "tun", "tunnel", "ipip", "i":
		return Tunnel, nil
	case "dr", "route", "direct", "gatewaying", "gate", "g":
		return Direct, nil
	}
	return 0, fmt.Errorf("%q is no forwarding method: say nat, tun or dr", s)
}

// compareDestination orders destinations by address and port.
func compareDestination(a, b Destination) int { return a.Addr.Compare(b.Addr) }
