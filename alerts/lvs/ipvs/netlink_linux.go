package ipvs

import (
	"encoding/binary"
	"errors"
	"iter"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// The kernel's interface, linux/ip_vs.h. What moby/ipvs has wrong or lacks is
// spoken here directly: every read (64-bit counters, address family and
// encapsulation of a destination, persistence engine of a service), and the
// edits of destinations that it would damage.

type command uint8

const (
	cmdNewService command = 1
	cmdSetService command = 2
	cmdDelService command = 3
	cmdGetService command = 4
	cmdNewDest    command = 5
	cmdSetDest    command = 6
	cmdDelDest    command = 7
	cmdGetDest    command = 8
	cmdSetConfig  command = 12
	cmdGetConfig  command = 13

	genlVersion = 1

	attrService = 1
	attrDest    = 2
	attrTCP     = 4 // time limits, in seconds
	attrTCPFin  = 5
	attrUDP     = 6

	serviceFamily    = 1
	serviceProtocol  = 2
	serviceAddress   = 3
	servicePort      = 4
	serviceMark      = 5
	serviceScheduler = 6
	serviceFlags     = 7
	serviceTimeout   = 8
	serviceMask      = 9
	serviceEngine    = 11

	destAddress    = 1
	destPort       = 2
	destForward    = 3
	destWeight     = 4
	destUpper      = 5
	destLower      = 6
	destActive     = 7
	destInactive   = 8
	destPersistent = 9
	destFamily     = 11
	destStats64    = 12
	destTunType    = 13
	destTunPort    = 14
	destTunFlags   = 15

	statConnections = 1
	statPacketsIn   = 2
	statPacketsOut  = 3
	statBytesIn     = 4
	statBytesOut    = 5

	flagPersistent = 0x1
	flagOnePacket  = 0x4
	schedFlagShift = 3
	forwardMask    = 0x7
)

var native = nl.NativeEndian()

// request sends one command and gives the attributes of every answer.
func (k *Kernel) request(cmd command, flags int, data ...nl.NetlinkRequestData) ([][]byte, error) {
	const tries = 5 // a dump that an edit interrupted is begun anew
	for try := 1; ; try++ {
		req := nl.NewNetlinkRequest(int(k.family), flags|unix.NLM_F_ACK)
		req.Sockets = k.sockets
		req.AddData(&nl.Genlmsg{Command: uint8(cmd), Version: genlVersion})
		for _, d := range data {
			req.AddData(d)
		}
		out, err := req.Execute(unix.NETLINK_GENERIC, 0)
		if !errors.Is(err, nl.ErrDumpInterrupted) || try == tries {
			return out, err
		}
	}
}

func (k *Kernel) rawServices() ([]Service, error) {
	answers, err := k.request(cmdGetService, unix.NLM_F_DUMP)
	if err != nil {
		return nil, err
	}
	out := make([]Service, 0, len(answers))
	for _, a := range answers {
		s, err := parseService(a)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// rawService reads one service.
func (k *Kernel) rawService(v Virtual) (Service, error) {
	answers, err := k.request(cmdGetService, 0, serviceName(v))
	if err != nil {
		return Service{}, err
	}
	if len(answers) == 0 {
		return Service{}, unix.ESRCH
	}
	return parseService(answers[0])
}

func (k *Kernel) rawTimeouts() (Timeouts, error) {
	answers, err := k.request(cmdGetConfig, 0)
	if err != nil {
		return Timeouts{}, err
	}
	if len(answers) == 0 || len(answers[0]) < nl.SizeofGenlmsg {
		return Timeouts{}, errors.New("the kernel's answer is empty")
	}
	a := nested(answers[0][nl.SizeofGenlmsg:])
	return Timeouts{TCP: u32(a[attrTCP]), TCPFin: u32(a[attrTCPFin]), UDP: u32(a[attrUDP])}, nil
}

// rawSetTimeouts sends those that are meant only: the kernel leaves the others
// as they are.
func (k *Kernel) rawSetTimeouts(t Timeouts) error {
	var data []nl.NetlinkRequestData
	for attr, n := range map[int]uint32{attrTCP: t.TCP, attrTCPFin: t.TCPFin, attrUDP: t.UDP} {
		if n != 0 {
			data = append(data, nl.NewRtAttr(attr, nl.Uint32Attr(n)))
		}
	}
	_, err := k.request(cmdSetConfig, 0, data...)
	return err
}

func (k *Kernel) rawDestinations(v Virtual) ([]Destination, error) {
	answers, err := k.request(cmdGetDest, unix.NLM_F_DUMP, serviceName(v))
	if err != nil {
		return nil, err
	}
	out := make([]Destination, 0, len(answers))
	for _, a := range answers {
		d, err := parseDestination(a, v)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// family is the address family's number of an address.
func family(v6 bool) uint16 {
	if v6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

func bigEndian(port uint16) []byte { return binary.BigEndian.AppendUint16(nil, port) }

// serviceName is the part of a service that names it.
func serviceName(v Virtual) *nl.RtAttr {
	a := nl.NewRtAttr(attrService, nil)
	a.AddRtAttr(serviceFamily, nl.Uint16Attr(family(v.Is6())))
	if v.Mark != 0 {
		a.AddRtAttr(serviceMark, nl.Uint32Attr(v.Mark))
		return a
	}
	a.AddRtAttr(serviceProtocol, nl.Uint16Attr(uint16(v.Protocol)))
	a.AddRtAttr(serviceAddress, v.Addr.Addr().AsSlice())
	a.AddRtAttr(servicePort, bigEndian(v.Addr.Port()))
	return a
}

// serviceAll is a service whole.
func serviceAll(s Service) *nl.RtAttr {
	a := serviceName(s.Virtual)
	a.AddRtAttr(serviceScheduler, nl.ZeroTerminated(s.Scheduler))
	if s.Engine != "" {
		a.AddRtAttr(serviceEngine, nl.ZeroTerminated(s.Engine))
	}
	a.AddRtAttr(serviceFlags, append(nl.Uint32Attr(s.kernelFlags()), nl.Uint32Attr(^uint32(0))...))
	a.AddRtAttr(serviceTimeout, nl.Uint32Attr(s.Persist))
	a.AddRtAttr(serviceMask, nl.Uint32Attr(s.kernelMask()))
	return a
}

func (s Service) kernelFlags() uint32 {
	f := uint32(s.SchedFlags) << schedFlagShift
	if s.Persist > 0 {
		f |= flagPersistent
	}
	if s.OnePacket {
		f |= flagOnePacket
	}
	return f
}

// kernelMask is the mask as the kernel holds it: a netmask in network order,
// or IPv6's prefix length.
func (s Service) kernelMask() uint32 {
	switch {
	case s.Is6() && s.Mask == 0:
		return 128
	case s.Is6():
		return uint32(s.Mask)
	case s.Mask == 0:
		return ^uint32(0)
	}
	return native.Uint32(binary.BigEndian.AppendUint32(nil, ^uint32(0)<<(32-s.Mask)))
}

// destAll is a destination whole; destName the part that names it.
func destAll(d Destination) *nl.RtAttr {
	a := destName(d.Addr)
	a.AddRtAttr(destForward, nl.Uint32Attr(uint32(d.Forward)))
	a.AddRtAttr(destWeight, nl.Uint32Attr(d.Weight))
	a.AddRtAttr(destUpper, nl.Uint32Attr(d.Upper))
	a.AddRtAttr(destLower, nl.Uint32Attr(d.Lower))
	if d.Forward == Tunnel && d.Tunnel != (Encapsulation{}) {
		a.AddRtAttr(destTunType, nl.Uint8Attr(uint8(d.Tunnel.Type)))
		a.AddRtAttr(destTunPort, bigEndian(d.Tunnel.Port))
		a.AddRtAttr(destTunFlags, nl.Uint16Attr(uint16(d.Tunnel.Checksum)))
	}
	return a
}

func destName(real netip.AddrPort) *nl.RtAttr {
	a := nl.NewRtAttr(attrDest, nil)
	a.AddRtAttr(destAddress, real.Addr().AsSlice())
	a.AddRtAttr(destPort, bigEndian(real.Port()))
	a.AddRtAttr(destFamily, nl.Uint16Attr(family(real.Addr().Is6())))
	return a
}

// values are attributes by their number; those that are not known here have
// higher ones and are left out.
type values [destTunFlags + 1][]byte

// attributes gives the nested attributes of one answer.
func attributes(answer []byte) (values, error) {
	if len(answer) < nl.SizeofGenlmsg {
		return values{}, errors.New("the kernel's answer is cut short")
	}
	for _, value := range walk(answer[nl.SizeofGenlmsg:]) {
		return nested(value), nil
	}
	return values{}, errors.New("the kernel's answer is empty")
}

// nested gives the attributes in b.
func nested(b []byte) (out values) {
	for kind, value := range walk(b) {
		if int(kind) < len(out) {
			out[kind] = value
		}
	}
	return out
}

// walk yields the attributes in b; what is cut short ends it. (nl's reader
// panics there.)
func walk(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= unix.SizeofNlAttr {
			size := int(native.Uint16(b))
			if size < unix.SizeofNlAttr || size > len(b) {
				return
			}
			kind := native.Uint16(b[2:]) &^ uint16(unix.NLA_F_NESTED)
			if !yield(kind, b[unix.SizeofNlAttr:size]) {
				return
			}
			b = b[min((size+3)&^3, len(b)):]
		}
	}
}

func parseService(answer []byte) (Service, error) {
	a, err := attributes(answer)
	if err != nil {
		return Service{}, err
	}
	v6 := u16(a[serviceFamily]) == unix.AF_INET6
	s := Service{
		Scheduler: unix.ByteSliceToString(a[serviceScheduler]),
		Engine:    unix.ByteSliceToString(a[serviceEngine]),
	}
	if mark := u32(a[serviceMark]); mark != 0 {
		s.Virtual = Virtual{Mark: mark, V6: v6}
	} else {
		s.Protocol = Protocol(u16(a[serviceProtocol]))
		s.Addr, err = addrPort(a[serviceAddress], a[servicePort], v6)
	}
	flags := u32(a[serviceFlags])
	if flags&flagPersistent != 0 {
		s.Persist = u32(a[serviceTimeout])
	}
	s.OnePacket = flags&flagOnePacket != 0
	s.SchedFlags = uint8(flags>>schedFlagShift) & 7
	s.Mask = parseMask(a[serviceMask], v6)
	return s, err
}

func parseMask(b []byte, v6 bool) uint8 {
	if v6 {
		if n := u32(b); n > 0 && n < 128 {
			return uint8(n)
		}
		return 0
	}
	if len(b) < 4 {
		return 0
	}
	bits, _ := maskBits([4]byte(b[:4]))
	return bits
}

func parseDestination(answer []byte, v Virtual) (Destination, error) {
	a, err := attributes(answer)
	if err != nil {
		return Destination{}, err
	}
	v6 := v.Is6() // kernels before 3.18 do not say
	if f := u16(a[destFamily]); f != 0 {
		v6 = f == unix.AF_INET6
	}
	d := Destination{
		Weight:  u32(a[destWeight]),
		Forward: Forward(u32(a[destForward]) & forwardMask),
		Upper:   u32(a[destUpper]),
		Lower:   u32(a[destLower]),
		Counters: Counters{
			Active:     u32(a[destActive]),
			Inactive:   u32(a[destInactive]),
			Persistent: u32(a[destPersistent]),
		},
	}
	if d.Forward == Tunnel {
		d.Tunnel = parseTunnel(&a)
	}
	if d.Addr, err = addrPort(a[destAddress], a[destPort], v6); err != nil {
		return d, err
	}
	d.Counters.parse(a[destStats64])
	return d, nil
}

func parseTunnel(a *values) Encapsulation {
	e := Encapsulation{Checksum: Checksum(u16(a[destTunFlags]))}
	if b := a[destTunType]; len(b) > 0 {
		e.Type = TunnelType(b[0])
	}
	if b := a[destTunPort]; len(b) >= 2 {
		e.Port = binary.BigEndian.Uint16(b)
	}
	return e
}

func (c *Counters) parse(b []byte) {
	a := nested(b)
	c.Connections = u64(a[statConnections])
	c.PacketsIn, c.PacketsOut = u64(a[statPacketsIn]), u64(a[statPacketsOut])
	c.BytesIn, c.BytesOut = u64(a[statBytesIn]), u64(a[statBytesOut])
}

// addrPort reads an address, which the kernel gives in 16 bytes whatever its
// family, and a port.
func addrPort(addr, port []byte, v6 bool) (netip.AddrPort, error) {
	size := 4
	if v6 {
		size = 16
	}
	if len(addr) < size || len(port) < 2 {
		return netip.AddrPort{}, errors.New("the kernel's answer has a row without an address")
	}
	a, _ := netip.AddrFromSlice(addr[:size])
	return netip.AddrPortFrom(a, binary.BigEndian.Uint16(port)), nil
}

// u16, u32 and u64 read a number; one that is missing is 0.
func u16(b []byte) uint16 {
	if len(b) < 2 {
		return 0
	}
	return native.Uint16(b)
}

func u32(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return native.Uint32(b)
}

func u64(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return native.Uint64(b)
}
