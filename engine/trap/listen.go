package trap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// wantBuffer is how many bytes the kernel is asked to keep until they are
// read. It counts some 800 bytes for a small datagram, and takes twice what it
// is asked for: that is 40,000 of them. mon keeps the default, where a burst of
// 257 is all that fits.
const wantBuffer = 16 << 20

// Listen opens the socket for traps: bind is an address or a host name, of
// which one address is taken, an IPv4 one if there is one; empty is every
// address of this host, IPv4 and IPv6. A port below 1024 and a large buffer take
// privileges, so it is for the start.
func Listen(ctx context.Context, bind string, port int) (*net.UDPConn, error) {
	network := "udp"
	if a, err := netip.ParseAddr(bind); err == nil && a.Is4() {
		network = "udp4" // else 0.0.0.0 would be IPv6 as well
	}
	address := net.JoinHostPort(bind, strconv.Itoa(port))
	conn, err := new(net.ListenConfig).ListenPacket(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("listen for traps: %w%s", err, advice(err))
	}
	udp := conn.(*net.UDPConn) // what networks of that name give
	prepare(udp)
	return udp, nil
}

// advice is what to do about an error.
func advice(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return ": stop the mon or mond that has the port, or set another trapport"
	case errors.Is(err, syscall.EACCES):
		return ": ports below 1024 are root's, or need cap_net_bind_service; set another trapport"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return ": trapbind names no address of this host"
	}
	return ""
}

// prepare makes room for bursts and lets the kernel say what it dropped. What
// is refused leaves less room, which the log shows.
func prepare(conn *net.UDPConn) {
	control(conn, func(fd int) {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, wantBuffer) != nil {
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, wantBuffer) // as much as net.core.rmem_max allows
		}
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
	})
}

// bufferOf is how many bytes the kernel keeps, by its own way of counting.
func bufferOf(conn *net.UDPConn) (n int) {
	control(conn, func(fd int) { n, _ = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF) })
	return n
}

func control(conn *net.UDPConn, f func(fd int)) {
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { f(int(fd)) }) // closed: nothing to ask
	}
}
