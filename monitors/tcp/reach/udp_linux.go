package reach

import (
	"net"
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
	if e := c.Control(func(fd uintptr) {
		if strings.HasSuffix(network, "6") {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1)
			return
		}
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVERR, 1)
	}); e != nil {
		return e
	}
	return os.NewSyscallError("setsockopt", err)
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
