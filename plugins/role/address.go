package role

import (
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

// maxName is the longest name of an interface, and of a label: IFNAMSIZ
// without its zero.
const maxName = 15

// addressForm is what an address may look like; errors end with it.
const addressForm = "say ip[/bits[/interface[:label][/broadcast]]], such as 10.0.0.3, 10.0.0.3/24/eth0 or 2001:db8::3/128/eth0"

// ParseAddress reads one address as IPaddr2 and haresources write it:
//
//	ip[/bits[/interface[:label][/broadcast]]]
//	ip/bits/broadcast
//
// Bits are 32 or 128 if they are left out, and may be a netmask of IPv4; the
// label is what follows the interface's name, so eth0:lvs is both.
func ParseAddress(word string) (Address, error) {
	a, err := readAddress(word)
	if err != nil {
		return Address{}, fmt.Errorf("address %q: %w", word, err)
	}
	return a, nil
}

func readAddress(word string) (a Address, err error) {
	parts := strings.Split(word, "/")
	if len(parts) > 4 {
		return a, errors.New("there are more than four parts; " + addressForm)
	}
	ip, err := readIP(parts[0])
	if err != nil {
		return a, err
	}
	size := ip.BitLen()
	if len(parts) > 1 && parts[1] != "" {
		if size, err = readBits(ip, parts[1]); err != nil {
			return a, err
		}
	}
	a.Prefix = netip.PrefixFrom(ip, size)
	if len(parts) > 2 {
		err = a.readPlace(parts[2:])
	}
	if err == nil {
		err = a.Check()
	}
	return a, err
}

// readIP reads an address that a director can hold.
func readIP(word string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(word)
	if err != nil {
		return ip, fmt.Errorf("%q is no IP address; %s", word, addressForm)
	}
	if ip.Zone() != "" {
		return ip, fmt.Errorf("say %s/64/%s instead of a zone", ip.WithZone(""), ip.Zone())
	}
	return ip, holdable(ip)
}

// holdable says why ip cannot be an address that moves between directors.
func holdable(ip netip.Addr) error {
	switch {
	case ip.Is4In6():
		return fmt.Errorf("say %s: an IPv4 address is written as one", ip.Unmap())
	case ip.IsUnspecified():
		return errors.New("it is no address of a station")
	case ip.IsLoopback():
		return errors.New("it is in the loopback network, which every machine has for itself")
	case ip.IsMulticast():
		return errors.New("it is a multicast address")
	case ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return errors.New("it is the broadcast address")
	}
	return nil
}

// readBits reads the length of a prefix, or the netmask that says the same.
func readBits(ip netip.Addr, word string) (int, error) {
	if mask, err := netip.ParseAddr(word); err == nil && mask.Is4() && ip.Is4() {
		b := mask.As4()
		m := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		if n := bits.LeadingZeros32(^m); n > 0 && bits.OnesCount32(m) == n {
			return n, nil
		}
		return 0, fmt.Errorf("%q is no netmask: say its bits, as 24 for 255.255.255.0", word)
	}
	n, err := strconv.ParseUint(word, 10, 8)
	if err != nil || n < 1 || int(n) > ip.BitLen() {
		return 0, fmt.Errorf("%q is no length of a prefix: it goes from 1 to %d", word, ip.BitLen())
	}
	return int(n), nil
}

// readPlace reads interface[:label] and the broadcast address, or either.
func (a *Address) readPlace(parts []string) error {
	if _, err := netip.ParseAddr(parts[0]); err == nil && len(parts) == 1 {
		return a.readBroadcast(parts[0])
	}
	device, label, labelled := strings.Cut(parts[0], ":")
	if a.Device = device; labelled {
		if label == "" {
			return fmt.Errorf("the label behind %q is missing: say eth0:lvs", parts[0])
		}
		a.Label = parts[0]
	}
	if device == "" && (labelled || len(parts) == 1) {
		return fmt.Errorf("the interface is missing; %s", addressForm)
	}
	if len(parts) == 2 {
		return a.readBroadcast(parts[1])
	}
	return nil
}

func (a *Address) readBroadcast(word string) (err error) {
	if a.Broadcast, err = netip.ParseAddr(word); err != nil {
		return fmt.Errorf("%q is no broadcast address; %s", word, addressForm)
	}
	return nil
}

// Check says what is wrong with a: everything that can be told without looking
// at this machine.
func (a Address) Check() error {
	ip := a.Prefix.Addr()
	if !a.Prefix.IsValid() || a.Prefix.Bits() == 0 {
		return errors.New("there is no address; " + addressForm)
	}
	if err := holdable(ip); err != nil {
		return err
	}
	if host := netip.PrefixFrom(ip, ip.BitLen()); ip.Is4() && a.Prefix.Bits() <= 30 && host != a.Prefix {
		if ip == a.Prefix.Masked().Addr() || ip == lastOf(a.Prefix) {
			return fmt.Errorf("it is the network %s itself, or its broadcast address", a.Prefix.Masked())
		}
	}
	if ip.IsLinkLocalUnicast() && ip.Is6() && a.Device == "" {
		return fmt.Errorf("a link-local address needs its interface: say %s/64/eth0", ip)
	}
	if err := a.checkNames(); err != nil {
		return err
	}
	return a.checkBroadcast()
}

func (a Address) checkNames() error {
	if a.Device != "" && !goodName(a.Device) {
		return fmt.Errorf("%q is no name of an interface: at most %d letters without / : and spaces", a.Device, maxName)
	}
	switch rest, ok := strings.CutPrefix(a.Label, a.Device+":"); {
	case a.Label == "":
	case a.Prefix.Addr().Is6():
		return fmt.Errorf("label %q: an IPv6 address has none; say %s", a.Label, a.Device)
	case !ok || a.Device == "" || rest == "":
		return fmt.Errorf("label %q does not begin with its interface: say eth0:lvs", a.Label)
	case len(a.Label) > maxName || strings.ContainsFunc(rest, notInNames):
		return fmt.Errorf("label %q is not at most %d letters, interface and colon included, without / and spaces", a.Label, maxName)
	}
	return nil
}

func (a Address) checkBroadcast() error {
	switch {
	case a.Broadcast == netip.Addr{}:
		return nil
	case a.Prefix.Addr().Is6() || !a.Broadcast.Is4():
		return fmt.Errorf("broadcast %s: only IPv4 has one, and it is an IPv4 address", a.Broadcast)
	case a.Prefix.Bits() < 31 && !a.Prefix.Contains(a.Broadcast):
		return fmt.Errorf("broadcast %s is not in the network %s: say %s, or leave it out", a.Broadcast, a.Prefix.Masked(), lastOf(a.Prefix))
	case a.Broadcast == a.Prefix.Addr():
		return fmt.Errorf("broadcast %s is the address itself: leave it out", a.Broadcast)
	}
	return nil
}

// lastOf is the highest address of an IPv4 network.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(b)
}

// goodName is dev_valid_name of the kernel, and printable.
func goodName(s string) bool {
	return s != "" && s != "." && s != ".." && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool { return r == ':' || notInNames(r) })
}

func notInNames(r rune) bool { return r <= ' ' || r == '/' || r == 0x7f || r > 0x7f }

// String is the word that [ParseAddress] reads as a, Router aside.
func (a Address) String() string {
	s := a.Prefix.String()
	switch {
	case a.Label != "":
		s += "/" + a.Label
	case a.Device != "":
		s += "/" + a.Device
	}
	if a.Broadcast.IsValid() {
		s += "/" + a.Broadcast.String()
	}
	return s
}
