package echotest

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// The networks that a [Net] plays, and the addresses of this machine in them.
const (
	Net4, Here4 = "10.9.0.0/16", "10.9.0.1"
	Net6, Here6 = "fd09::/64", "fd09::1"
)

// Net is a network behind an interface of this machine. All its hosts are
// played by one function.
type Net struct{ file *os.File }

// Open makes the network, which lasts as long as the test. answer is given
// every echo request that is sent into it and says what comes back: whole IP
// packets. It is called by one goroutine.
func Open(t testing.TB, answer func(p Packet) [][]byte) *Net {
	t.Helper()
	Need(t)
	n, err := open()
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		Missing(t, "/dev/net/tun")
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go n.serve(answer, done)
	t.Cleanup(func() {
		_ = n.file.Close()
		<-done
	})
	for _, words := range []string{
		"addr add " + Here4 + "/16 dev played", "-6 addr add " + Here6 + "/64 dev played nodad", "link set played up txqueuelen 10000",
	} {
		if err := IP(words); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// open makes the interface, which goes when its file is closed.
func open() (*Net, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("open /dev/net/tun", err)
	}
	req, err := unix.NewIfreq("played")
	if err == nil {
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("TUNSETIFF", err)
	}
	return &Net{os.NewFile(uintptr(fd), "tun")}, nil
}

// serve answers until the file is closed.
func (n *Net) serve(answer func(p Packet) [][]byte, done chan<- struct{}) {
	defer close(done)
	buf := make([]byte, 1<<16)
	for {
		size, err := n.file.Read(buf)
		if err != nil {
			return
		}
		p, ok := parse(slices.Clone(buf[:size]))
		if !ok {
			continue
		}
		for _, b := range answer(p) {
			n.Send(b)
		}
	}
}

// Send sends an IP packet to this machine. What cannot be sent is lost, as in
// any network.
func (n *Net) Send(b []byte) { _, _ = n.file.Write(b) }

// Packet is an echo request.
type Packet struct {
	// Data is all of it, ICMP what follows the IP header.
	Data, ICMP []byte
	Src, Dst   netip.Addr
}

// parse reads an echo request.
func parse(b []byte) (p Packet, ok bool) {
	switch {
	case len(b) >= 28 && b[0] == 0x45 && b[9] == 1 && b[20] == 8:
		return Packet{b, b[20:], netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))}, true
	case len(b) >= 48 && b[0]>>4 == 6 && b[6] == 58 && b[40] == 128:
		return Packet{b, b[40:], netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))}, true
	}
	return p, false
}

// Reply is the reply of the host to whom p went.
func (p Packet) Reply() []byte { return p.ReplyBy(p.Dst, nil) }

// ReplyBy is a reply that comes from another address, and that change has had
// its way with; the checksum is right.
func (p Packet) ReplyBy(from netip.Addr, change func(icmp []byte) []byte) []byte {
	body := slices.Clone(p.ICMP)
	if change != nil {
		body = change(body)
	}
	if len(body) > 0 {
		body[0] = 0
		if from.Is6() {
			body[0] = 129
		}
	}
	return build(from, p.Src, body)
}

// Error is an ICMP error about p, which quotes as many bytes of it as quote
// says, behind the IP header.
func (p Packet) Error(from netip.Addr, kind, code uint8, quote int) []byte {
	ip := len(p.Data) - len(p.ICMP)
	return p.Quoting(from, kind, code, p.Data[:ip+min(quote, len(p.ICMP))])
}

// Quoting is an ICMP error with any quotation.
func (p Packet) Quoting(from netip.Addr, kind, code uint8, quotation []byte) []byte {
	return build(from, p.Src, append([]byte{kind, code, 0, 0, 0, 0, 0, 0}, quotation...))
}

// build makes an IP packet of an ICMP message, with checksums.
func build(from, to netip.Addr, icmp []byte) []byte {
	if len(icmp) >= 4 {
		icmp[2], icmp[3] = 0, 0
	}
	if from.Is4() {
		b := make([]byte, 20, 20+len(icmp))
		b[0], b[8], b[9] = 0x45, 64, 1
		binary.BigEndian.PutUint16(b[2:], uint16(20+len(icmp))) //nolint:gosec // a packet
		copy(b[12:], from.AsSlice())
		copy(b[16:], to.AsSlice())
		binary.BigEndian.PutUint16(b[10:], checksum(b))
		if len(icmp) >= 4 {
			binary.BigEndian.PutUint16(icmp[2:], checksum(icmp))
		}
		return append(b, icmp...)
	}
	b := make([]byte, 40, 40+len(icmp))
	b[0], b[6], b[7] = 0x60, 58, 64
	binary.BigEndian.PutUint16(b[4:], uint16(len(icmp))) //nolint:gosec // a packet
	copy(b[8:], from.AsSlice())
	copy(b[24:], to.AsSlice())
	pseudo := slices.Concat(b[8:40], []byte{0, 0, b[4], b[5], 0, 0, 0, 58}, icmp)
	if len(icmp) >= 4 {
		binary.BigEndian.PutUint16(icmp[2:], checksum(pseudo))
	}
	return append(b, icmp...)
}

// checksum is that of RFC 1071.
func checksum(b []byte) uint16 {
	var sum uint32
	for i, v := range b {
		sum += uint32(v) << (8 * (1 - i&1))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum) //nolint:gosec // it fits by now
}
