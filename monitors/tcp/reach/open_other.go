//go:build !linux

package reach

import (
	"context"
	"net/netip"
	"syscall"
	"time"
)

// bindWithoutPort has no counterpart here.
func bindWithoutPort(_, _ string, _ syscall.RawConn) error { return nil }

// open connects and hangs up.
func (o *Options) open(ctx context.Context, deadline time.Time, to netip.AddrPort) error {
	return o.dialAndClose(ctx, deadline, to)
}
