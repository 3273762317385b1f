package control

import (
	"context"
	"net"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

type connKey struct{}

// withConn keeps the connection for [peer]. The name is looked up only when a
// call needs it: a user directory that is slow must not delay other clients.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// peer is the user name of the caller by the kernel's word, or "uid N", or
// empty if the connection is no Unix socket.
func peer(ctx context.Context) string {
	c, _ := ctx.Value(connKey{}).(*net.UnixConn)
	if c == nil {
		return ""
	}
	uid, ok := peerID(c)
	if !ok {
		return ""
	}
	return userName(uid)
}

func peerID(c *net.UnixConn) (uid uint32, ok bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	var cred *unix.Ucred
	get := func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }
	if cerr := raw.Control(get); cerr != nil || err != nil {
		return 0, false
	}
	return cred.Uid, true
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if known, err := user.LookupId(id); err == nil {
		return known.Username
	}
	return "uid " + id
}
