package ipvs

import (
	"fmt"
	"net/netip"
)

// maxWeight is the highest weight that every tool shows as it was set: the
// kernel takes more and some readers cut it to 16 bits.
const maxWeight = 65535

// maxName is the longest name that the kernel has for a scheduler or an
// engine: IP_VS_SCHEDNAME_MAXLEN and IP_VS_PENAME_MAXLEN, with their zero.
const maxName = 15

// Validate reports what IPVS cannot hold of v, wrapping [ErrInvalid]. The
// kernel accepts some of it and does something else.
func (v Virtual) Validate() error {
	if v.Mark != 0 {
		if v.Protocol != 0 || v.Addr.IsValid() {
			return invalid("%s has a firewall mark and an address: give one", v)
		}
		return nil
	}
	switch {
	case !v.Protocol.Valid():
		return invalid("%s: say tcp, udp or sctp", v.Protocol)
	case v.V6:
		return invalid("%s: only a firewall mark is told to be IPv6", v)
	}
	return usable(v.Addr.Addr())
}

// usable reports whether a can be an address in the table.
func usable(a netip.Addr) error {
	switch {
	case !a.IsValid() || a.IsUnspecified():
		return invalid("%s is no address of a server", a)
	case a.Zone() != "":
		return invalid("%s has a zone: IPVS has none", a)
	case a.Is4In6():
		return invalid("%s is an IPv4 address in IPv6 dress: write %s", a, a.Unmap())
	}
	return nil
}

// Validate reports what IPVS cannot hold of s, wrapping [ErrInvalid].
func (s Service) Validate() error {
	if err := s.Virtual.Validate(); err != nil {
		return err
	}
	bits := uint8(32)
	if s.Is6() {
		bits = 128
	}
	switch {
	case s.Mark == 0 && s.Addr.Port() == 0 && s.Persist == 0:
		return invalid("%s has port 0, all ports: that needs persistence", s.Virtual)
	case s.Scheduler == "":
		return invalid("%s has no scheduler", s.Virtual)
	case len(s.Scheduler) > maxName || len(s.Engine) > maxName:
		return invalid("%s: a scheduler or an engine has %d letters at most", s.Virtual, maxName)
	case s.Mask > bits:
		return invalid("%s: mask /%d is above /%d", s.Virtual, s.Mask, bits)
	case s.SchedFlags > 7:
		return invalid("%s: a scheduler has three flags", s.Virtual)
	}
	return nil
}

// ValidateIn reports what IPVS cannot hold of d as a destination of v,
// wrapping [ErrInvalid].
func (d Destination) ValidateIn(v Virtual) error {
	if err := usable(d.Addr.Addr()); err != nil {
		return err
	}
	if d.Weight > maxWeight {
		return invalid("weight %d is above %d", d.Weight, maxWeight)
	}
	if d.Forward > Direct {
		return invalid("%s is unknown", d.Forward)
	}
	if d.Lower > d.Upper { // without an upper one the kernel refuses a lower one too
		return invalid("lower threshold %d is above the upper, %d", d.Lower, d.Upper)
	}
	if d.Forward == Tunnel {
		if err := d.Tunnel.validate(); err != nil {
			return err
		}
	}
	if d.Addr.Addr().Is6() != v.Is6() && d.Forward != Tunnel {
		return invalid("%s is of another address family than %s: only tun forwards between the two", d.Addr.Addr(), v)
	}
	return d.validPort(v)
}

// validate judges an encapsulation. The kernel refuses GUE without a port and
// quietly takes the rest.
func (e Encapsulation) validate() error {
	switch {
	case e.Type > GRE:
		return invalid("%s is unknown", e.Type)
	case e.Type == GUE && e.Port == 0:
		return invalid("gue without a port")
	case e.Type != GUE && e.Port != 0:
		return invalid("port %d with %s: only gue has one", e.Port, e.Type)
	case e.Type == IPIP && e.Checksum != NoChecksum:
		return invalid("%s with ipip: only gue and gre have checksums", e.Checksum)
	case e.Type != GUE && e.Checksum == RemoteChecksum, e.Checksum > RemoteChecksum:
		return invalid("%s with %s: only gue has it", e.Checksum, e.Type)
	}
	return nil
}

// validPort judges d's port: direct routing and tunnelling leave the packet's
// port as it is, so the kernel would quietly show one and use another.
func (d Destination) validPort(v Virtual) error {
	switch {
	case v.Mark != 0:
		return nil
	case v.Addr.Port() == 0 && d.Addr.Port() != 0:
		return invalid("port %d in %s, which has all ports: its real servers have port 0", d.Addr.Port(), v)
	case v.Addr.Port() == 0:
		return nil
	case d.Addr.Port() == 0:
		return invalid("%s has port 0", d.Addr)
	}
	if d.Forward != NAT && d.Addr.Port() != v.Addr.Port() {
		return invalid("port %d with %s: it cannot differ from the virtual service's port %d (only nat can)",
			d.Addr.Port(), d.Forward, v.Addr.Port())
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
