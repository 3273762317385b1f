package reach

import (
	"cmp"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// reportUnreachable makes every ICMP error about the socket's datagrams an
// error of the socket. The kernel else reports a closed port only, and not that
// the host or the way to it is gone.
func reportUnreachable(network, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = reporting(int(fd), strings.HasSuffix(network, "6")) }); e != nil {
		return e
	}
	return err
}

// reporting is reportUnreachable on a bare socket.
func reporting(fd int, six bool) error {
	level, name := unix.IPPROTO_IP, unix.IP_RECVERR
	if six {
		level, name = unix.IPPROTO_IPV6, unix.IPV6_RECVERR
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, level, name, 1))
}

// connectThere makes a connected socket in another namespace.
func (o *Options) connectThere(to netip.AddrPort) (net.Conn, error) {
	family := unix.AF_INET
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := o.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0, cmp.Or(to.Addr().Zone(), o.Source.Zone()))
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "udp")
	defer f.Close() // FileConn has a copy
	err = reporting(fd, to.Addr().Is6())
	if err == nil && o.Source.IsValid() {
		err = os.NewSyscallError("bind", unix.Bind(fd, sockaddr(netip.AddrPortFrom(o.Source.Addr, 0))))
	}
	if err == nil {
		err = os.NewSyscallError("connect", unix.Connect(fd, sockaddr(to)))
	}
	if err != nil {
		return nil, err
	}
	return net.FileConn(f)
}

// received is a datagram that has come already; ok is false without one.
func received(c *net.UDPConn, buf []byte) (n int, ok bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	if e := raw.Control(func(fd uintptr) { n, _, err = unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT) }); e != nil {
		return 0, false
	}
	return n, err == nil
}
