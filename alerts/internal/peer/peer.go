// Package peer is where the message of an alert goes: hosts with ports as they
// stand in mon.cf, and UDP packets that nobody answers.
package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Patience is how long a refusal is waited for. One that comes later is missed,
// as one that never comes; most come within a round trip.
const Patience = 100 * time.Millisecond

// Datagram sends the packet to address, HOST:PORT, by UDP. A host with several
// addresses gets it at the first that there is a way to. nil means sent, not
// received; what can be found out is that nobody listens at the port, which
// the host's kernel says.
func Datagram(ctx context.Context, address string, packet []byte) error {
	conn, err := new(net.Dialer).DialContext(ctx, "udp", address)
	if err != nil {
		return late(ctx, err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if _, err := conn.Write(packet); err != nil {
		return late(ctx, err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(Patience))
	if ctx.Err() != nil {
		return nil // it is sent
	}
	// Only the error matters: what a peer says is nothing that we asked for.
	if _, err := conn.Read(make([]byte, 1)); errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nobody listens at UDP %s: %w", address, err)
	}
	return nil
}

func late(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("took too long: %w", context.Cause(ctx))
	}
	return err
}

// Split reads HOST, HOST:PORT, [IPV6] or [IPV6]:PORT; ports are figures from 1 to
// 65535. Without a port it is absent.
func Split(text, absent string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(text)
	if err != nil { // no port
		host, port = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"), absent
		if strings.Contains(host, ":") && net.ParseIP(strings.Split(host, "%")[0]) == nil {
			host = ""
		}
	}
	n, perr := strconv.ParseUint(port, 10, 16)
	if host == "" || strings.HasPrefix(host, "-") || strings.ContainsAny(host, "/[] \t\r\n") || perr != nil || n == 0 {
		return "", "", fmt.Errorf("%q is no HOST[:PORT]", text)
	}
	return host, port, nil
}
