//go:build !linux

package reach

import (
	"net"
	"syscall"
)

// reportUnreachable has no counterpart here.
func reportUnreachable(_, _ string, _ syscall.RawConn) error { return nil }

// received looks at nothing here: what came too late is late.
func received(_ *net.UDPConn, _ []byte) (n int, ok bool) { return 0, false }
