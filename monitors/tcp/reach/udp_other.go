//go:build !linux

package reach

import (
	"errors"
	"net"
	"net/netip"
	"syscall"

	"github.com/mondhq/mond/plugins/monitor"
)

// reportUnreachable has no counterpart here.
func reportUnreachable(_, _ string, _ syscall.RawConn) error { return nil }

// connectThere has no counterpart here.
func (o *Options) connectThere(netip.AddrPort) (net.Conn, error) {
	return nil, monitor.Fault(errors.New("option --netns: it works on Linux only"))
}

// received looks at nothing here: what came too late is late.
func received(_ *net.UDPConn, _ []byte) (n int, ok bool) { return 0, false }
