//go:build !linux

package reach

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// control readies a socket of the runtime's.
func (o *Options) control(_, _ string, c syscall.RawConn) error { return o.Origin.Control(c) }

// dialThere is refused by control: there are no namespaces here.
func (o *Options) dialThere(ctx context.Context, deadline time.Time, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{Deadline: deadline, Control: o.control}
	return d.DialContext(ctx, "tcp", to.String())
}

// open connects and hangs up.
func (o *Options) open(ctx context.Context, deadline time.Time, to netip.AddrPort) error {
	return o.dialAndClose(ctx, deadline, to)
}
