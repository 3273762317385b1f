package syslogalert

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/mondhq/mond/alerts/internal/peer"
	"github.com/mondhq/mond/plugins/credential"
)

// farewell is how long a server may take to close its end of a connection. One
// that does not is taken to have read the message.
const farewell = time.Second

// send hands over a message; every error is worth another try.
func (a *Alert) send(ctx context.Context, m []byte) error {
	if a.server == "" {
		return a.local(ctx, m)
	}
	host, port, err := peer.Split(a.server, a.port())
	if err != nil {
		return err
	}
	address, proto := net.JoinHostPort(host, port), a.proto.text
	switch proto {
	case "tcp", "tls":
		err = a.stream(ctx, host, address, m)
	default:
		proto, err = "udp", peer.Datagram(ctx, address, m)
	}
	if err != nil {
		return fmt.Errorf("syslog to %s by %s: %w", address, proto, late(ctx, err))
	}
	return nil
}

// late says that the time ran out, where that is behind err.
func late(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)) {
		return fmt.Errorf("took too long: %w", context.Cause(ctx))
	}
	return err
}

// local writes to the local socket, which takes datagrams as a rule, and a
// stream of lines with some daemons.
func (a *Alert) local(ctx context.Context, m []byte) error {
	socket := a.socket
	if socket == "" {
		socket = defaultSocket
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unixgram", socket)
	if errors.Is(err, syscall.EPROTOTYPE) {
		m = append(m, '\n')
		conn, err = d.DialContext(ctx, "unix", socket)
	}
	if err == nil {
		err = write(ctx, conn, m)
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("syslog: there is no socket %s: is a syslog daemon running? (--socket names another, --server a host)", socket)
	case err != nil:
		return fmt.Errorf("syslog by %s: %w", socket, late(ctx, err))
	}
	return nil
}

// write writes all of m and closes the connection.
func write(ctx context.Context, conn net.Conn, m []byte) error {
	defer cutAt(ctx, conn)()
	_, err := conn.Write(m)
	return errors.Join(err, conn.Close())
}

// cutAt ends every wait on conn when ctx ends.
func cutAt(ctx context.Context, conn net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
}

// stream sends m on a connection of its own, its length before it: a text then
// may hold anything (RFC 6587 3.4.1, RFC 5425 4.3).
func (a *Alert) stream(ctx context.Context, host, address string, m []byte) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	defer cutAt(ctx, conn)()
	var closer interface{ CloseWrite() error } = conn.(*net.TCPConn)
	if a.proto.text == "tls" {
		secure, err := a.secure(ctx, conn, host)
		if err != nil {
			return credential.Explain(err)
		}
		conn, closer = secure, secure
	}
	if _, err := conn.Write(append(strconv.AppendInt(nil, int64(len(m)), 10), append([]byte(" "), m...)...)); err != nil {
		return err
	}
	if err := closer.CloseWrite(); err != nil {
		return err
	}
	return taken(ctx, conn)
}

func (a *Alert) secure(ctx context.Context, conn net.Conn, host string) (*tls.Conn, error) {
	config, err := a.tls.Config(host)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, config)
	return secure, secure.HandshakeContext(ctx)
}

// taken waits for the server to close its end, for a moment: a connection that
// breaks instead may have lost the message.
func taken(ctx context.Context, conn net.Conn) error {
	_ = conn.SetReadDeadline(time.Now().Add(farewell))
	if ctx.Err() != nil {
		return nil
	}
	_, err := io.CopyN(io.Discard, conn, 1<<10) // a server has nothing to say
	if errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
