package link

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Port is the UDP port of a link that does not name one. It is not 694, which
// is heartbeat's own.
const Port = 6694

// WitnessPort is that of a link between a director and a witness.
const WitnessPort = 6695

// DefaultBaud is the speed of a serial line that does not name one.
const DefaultBaud = 115200

// Kind says how a link carries packets.
type Kind uint8

// The kinds.
const (
	Unicast   Kind = iota // UDP from one address to one other
	Multicast             // UDP to a group on one interface
	Broadcast             // UDP to all stations on one interface
	Serial                // a serial line
)

// words are how a link's words begin, indexed by Kind.
var words = [...]string{"udp", "mcast", "bcast", "serial"}

func (k Kind) String() string { return words[k] }

// Spec is one link as it was asked for.
type Spec struct {
	// Name is what its service is called after: link-NAME.
	Name string
	Kind Kind
	// Local and Peer are the ends of a Unicast link.
	Local, Peer netip.AddrPort
	// Device is the interface of a Multicast or Broadcast link, or the file of a
	// Serial one.
	Device string
	// Group is where a Multicast link sends to; for a Broadcast one only its
	// port counts.
	Group netip.AddrPort
	// Baud is the speed of a Serial link.
	Baud int
	// Shared: other links begin at the same address and port, and go elsewhere.
	Shared bool
}

var linkName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$`)

// Parse reads the words of a link:
//
//	NAME=udp:LOCAL[:PORT],PEER[:PORT]
//	NAME=mcast:INTERFACE,GROUP[:PORT]
//	NAME=bcast:INTERFACE[:PORT]
//	NAME=serial:FILE[,BAUD]
//
// An IPv6 address with a port stands in brackets.
func Parse(text string) (Spec, error) {
	name, rest, ok := strings.Cut(text, "=")
	kind, where, colon := strings.Cut(rest, ":")
	if !ok || !colon {
		return Spec{}, errors.New("want NAME=udp:LOCAL,PEER, NAME=mcast:INTERFACE,GROUP, NAME=bcast:INTERFACE or NAME=serial:FILE")
	}
	if !linkName.MatchString(name) {
		return Spec{}, fmt.Errorf("%q is no name for a link: want letters, figures, - _ and ., 32 at most", name)
	}
	s, err := Spec{Name: name}, error(nil)
	switch kind {
	case words[Unicast]:
		err = s.unicast(where, Port)
	case words[Multicast]:
		err = s.multicast(where)
	case words[Broadcast]:
		err = s.broadcast(where)
	case words[Serial]:
		err = s.serial(where)
	default:
		err = fmt.Errorf("%q is no kind of link: want udp, mcast, bcast or serial", kind)
	}
	if err != nil {
		return Spec{}, fmt.Errorf("link %s: %w", name, err)
	}
	return s, nil
}

// ParseWitness reads the words of a link between a director and a witness, whose
// name is the number of the node at its other end:
//
//	NODE=udp:LOCAL[:PORT],PEER[:PORT]
func ParseWitness(text string) (Spec, error) {
	const want = "want NODE=udp:LOCAL,PEER: the node's number, this machine's address and its address"
	name, rest, ok := strings.Cut(text, "=")
	kind, where, colon := strings.Cut(rest, ":")
	if !ok || !colon || kind != words[Unicast] {
		return Spec{}, errors.New(want)
	}
	if n, err := strconv.ParseUint(name, 10, 8); err != nil || n == 0 {
		return Spec{}, fmt.Errorf("%q is no number of a node, 1 to 255; %s", name, want)
	}
	s := Spec{Name: name, Shared: true}
	if err := s.unicast(where, WitnessPort); err != nil {
		return Spec{}, fmt.Errorf("node %s: %w", name, err)
	}
	return s, nil
}

func (s *Spec) unicast(where string, port uint16) (err error) {
	local, peer, ok := strings.Cut(where, ",")
	if !ok {
		return errors.New("want udp:LOCAL,PEER: this machine's address on the network between them, and the other's")
	}
	s.Kind = Unicast
	if s.Local, err = station(local, port); err != nil {
		return err
	}
	if s.Peer, err = station(peer, port); err != nil {
		return err
	}
	switch {
	case s.Local.Addr().Is4() != s.Peer.Addr().Is4():
		return fmt.Errorf("%s and %s are not of one family", local, peer)
	case s.Local == s.Peer:
		return fmt.Errorf("both ends are %s", s.Local)
	}
	return nil
}

// station reads the address of one station, with or without a port.
func station(text string, port uint16) (netip.AddrPort, error) {
	a, err := address(text, port)
	if err != nil {
		return a, err
	}
	if ip := a.Addr(); ip.IsUnspecified() || ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return a, fmt.Errorf("%s is not the address of one station", ip)
	}
	if ip := a.Addr(); ip.Is6() && ip.IsLinkLocalUnicast() && ip.Zone() == "" {
		return a, fmt.Errorf("%s is a link-local address: write %s%%INTERFACE", ip, ip)
	}
	return a, nil
}

// address reads an IP address, with or without a port.
func address(text string, without uint16) (netip.AddrPort, error) {
	bare := text
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		bare = text[1 : len(text)-1]
	}
	if a, err := netip.ParseAddr(bare); err == nil {
		return checked(netip.AddrPortFrom(a, without))
	}
	at := strings.LastIndexByte(text, ':')
	if at < 0 {
		return netip.AddrPort{}, fmt.Errorf("%q is no IP address: names are not looked up here, since a director must start without a name server", text)
	}
	port, err := portOf(text[at+1:])
	if err != nil {
		return netip.AddrPort{}, err
	}
	bare = text[:at]
	if strings.HasPrefix(bare, "[") && strings.HasSuffix(bare, "]") {
		bare = bare[1 : len(bare)-1]
	} else if strings.Contains(bare, ":") {
		return netip.AddrPort{}, fmt.Errorf("%q: write an IPv6 address with a port as [ADDRESS]:PORT", text)
	}
	a, err := netip.ParseAddr(bare)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is no IP address", bare)
	}
	return checked(netip.AddrPortFrom(a, port))
}

// checked refuses what an address can say that a link has no use for.
func checked(a netip.AddrPort) (netip.AddrPort, error) {
	if a.Addr().Is4In6() {
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	if zone := a.Addr().Zone(); zone != "" {
		return a, interfaceName(zone)
	}
	return a, nil
}

func portOf(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	switch {
	case err != nil || n == 0:
		return 0, fmt.Errorf("%q is no UDP port: want 1 to 65535", text)
	case n == 694:
		return 0, errors.New("port 694 is heartbeat's own: take another one")
	}
	return uint16(n), nil
}

// interfaceName says what is wrong with the name of an interface.
func interfaceName(name string) error {
	if name == "" || len(name) >= unix.IFNAMSIZ || name == "." || name == ".." || strings.ContainsAny(name, "/: \t\n\x00,%") {
		return fmt.Errorf("%q is no name of a network interface", name)
	}
	return nil
}

var (
	scoped4 = netip.MustParsePrefix("239.0.0.0/8")
	scoped6 = netip.MustParsePrefix("ff12::/16")
)

func (s *Spec) multicast(where string) (err error) {
	device, group, ok := strings.Cut(where, ",")
	if !ok {
		return errors.New("want mcast:INTERFACE,GROUP, as mcast:eth0,239.1.2.3")
	}
	s.Kind, s.Device = Multicast, device
	if s.Group, err = address(group, Port); err != nil {
		return err
	}
	if a := s.Group.Addr().WithZone(""); !scoped4.Contains(a) && !scoped6.Contains(a) || s.Group.Addr().Zone() != "" {
		return fmt.Errorf("%s is no group that is free for this: take one of 239.0.0.0/8, or of ff12::/16 for IPv6", s.Group.Addr())
	}
	return interfaceName(device)
}

func (s *Spec) broadcast(where string) (err error) {
	device, port, ok := strings.Cut(where, ":")
	number := uint16(Port)
	if ok {
		if number, err = portOf(port); err != nil {
			return err
		}
	}
	s.Kind, s.Device = Broadcast, device
	s.Group = netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), number)
	return interfaceName(device)
}

func (s *Spec) serial(where string) error {
	file, baud, ok := strings.Cut(where, ",")
	s.Kind, s.Device, s.Baud = Serial, file, DefaultBaud
	if ok {
		n, err := strconv.Atoi(baud)
		if err != nil || speeds[n] == 0 {
			return fmt.Errorf("%q is no speed of a serial line: want 9600, 19200, 38400, 57600, 115200, 230400, 460800 or 921600", baud)
		}
		s.Baud = n
	}
	if !filepath.IsAbs(file) || strings.ContainsRune(file, 0) {
		return fmt.Errorf("%q is no serial line: want its file, as /dev/ttyS0", file)
	}
	return nil
}

// String is s as Parse reads it.
func (s Spec) String() string {
	head := s.Name + "=" + s.Kind.String() + ":"
	switch s.Kind {
	case Unicast:
		return head + s.Local.String() + "," + s.Peer.String()
	case Multicast:
		return head + s.Device + "," + s.Group.String()
	case Broadcast:
		return head + s.Device + ":" + strconv.Itoa(int(s.Group.Port()))
	}
	return head + s.Device + "," + strconv.Itoa(s.Baud)
}
