package mailalert

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
)

// line is the connection of one session. It is ours to close, at any moment:
// go-mail leaves it open where a server says something odd, and waits its own
// time for one that says nothing.
type line struct {
	// tls, if set, encrypts from the first byte.
	tls *tls.Config

	mu     sync.Mutex
	conn   net.Conn
	closed bool
}

// dial is what go-mail calls to connect.
func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if !l.keep(conn) {
		return nil, context.Cause(ctx)
	}
	if l.tls == nil {
		return conn, nil
	}
	secure := tls.Client(conn, l.tls)
	return secure, secure.HandshakeContext(ctx)
}

// keep reports whether conn may be used; after close it is closed at once.
func (l *line) keep(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = conn.Close()
		return false
	}
	l.conn = conn
	return true
}

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.conn != nil {
		_ = l.conn.Close()
	}
}
