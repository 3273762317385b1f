package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// Datagram is a question over UDP, and how often it is asked.
type Datagram struct {
	Send []byte
	// Tries is how often it is sent at most, for datagrams get lost; below 1
	// means once.
	Tries int
	// Pause is the time from the first try to the second. Every later pause is
	// twice the one before.
	Pause time.Duration
	// Room is how many bytes of an answer are read, at least 1; what is beyond
	// them is lost.
	Room int
}

// Ask sends d to an address and hands every datagram that comes from there to
// take, until take reports that it was the one that was waited for: answered is
// true then. When the deadline passes, answered is false and there is no error.
// A refusal by the host, or by the network on the way to it, is an error.
//
// Datagrams from elsewhere are dropped by the kernel, which also chooses a
// source port by chance. What take is given it must not keep.
func (o *Options) Ask(ctx context.Context, deadline time.Time, to netip.AddrPort, d Datagram, take func(b []byte) (done bool)) (answered bool, err error) {
	c, err := o.dialUDP(ctx, deadline, to)
	if err == nil {
		defer c.Close()
		answered, err = c.ask(ctx, deadline, d, take)
	}
	switch {
	case answered:
		return true, nil
	case errors.Is(ctx.Err(), context.Canceled):
		return false, fmt.Errorf("ask %s: %w", to, context.Canceled)
	case err == nil, errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return false, nil
	}
	return false, Failure("ask "+to.String(), err)
}

// dialUDP makes a socket that is connected to an address.
func (o *Options) dialUDP(ctx context.Context, deadline time.Time, to netip.AddrPort) (*udp, error) {
	c, err := o.connectUDP(ctx, deadline, to)
	if err != nil {
		return nil, err
	}
	u := &udp{UDPConn: c.(*net.UDPConn)}
	u.stop = context.AfterFunc(ctx, func() { _ = u.SetDeadline(longAgo) })
	return u, nil
}

// connectUDP is dialUDP without the check's end.
func (o *Options) connectUDP(ctx context.Context, deadline time.Time, to netip.AddrPort) (net.Conn, error) {
	o, err := o.settled()
	if err != nil {
		return nil, err
	}
	if o.Netns != "" {
		return o.connectThere(to)
	}
	d := net.Dialer{Deadline: deadline, Control: reportUnreachable}
	if o.Source.IsValid() {
		d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(o.Source.Addr, 0))
	}
	if o.Origin.Given() {
		d.Control = func(network, address string, c syscall.RawConn) error {
			return errors.Join(reportUnreachable(network, address, c), o.Origin.Control(c))
		}
	}
	return d.DialContext(ctx, "udp", to.String())
}

// udp is a connected socket that stops when the check's context ends.
type udp struct {
	*net.UDPConn
	stop func() bool
}

// Close gives the socket back.
func (u *udp) Close() error {
	u.stop()
	return u.UDPConn.Close()
}

// ask sends until there is an answer, an error or no time left.
func (u *udp) ask(ctx context.Context, deadline time.Time, d Datagram, take func([]byte) bool) (bool, error) {
	buf := make([]byte, max(1, d.Room))
	pause := d.Pause
	for try := 1; ; try++ {
		if _, err := u.Write(d.Send); err != nil {
			return false, err
		}
		until := deadline
		if next := time.Now().Add(pause); try < d.Tries && next.Before(deadline) {
			until = next
		}
		pause *= 2
		answered, err := u.hear(ctx, until, buf, take)
		if answered || err != nil || until.Equal(deadline) {
			return answered, err
		}
	}
}

// hear hands on what comes until a time. When it has passed it looks once more:
// this process may have been stopped meanwhile, and the host have answered in
// time.
func (u *udp) hear(ctx context.Context, until time.Time, buf []byte, take func([]byte) bool) (bool, error) {
	if err := u.SetReadDeadline(until); err != nil {
		return false, err
	}
	// Had ctx ended just before, its own deadline would be overwritten now.
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	for {
		n, err := u.Read(buf)
		switch {
		case err == nil && take(buf[:n]):
			return true, nil
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			return u.lastLook(buf, take), ctx.Err()
		default:
			return false, err
		}
	}
}

// maxLastLook is how many datagrams that have come already are looked at when
// the time has passed.
const maxLastLook = 64

// lastLook hands on what lies in the socket already.
func (u *udp) lastLook(buf []byte, take func([]byte) bool) bool {
	for range maxLastLook {
		n, ok := received(u.UDPConn, buf)
		if !ok {
			return false
		}
		if take(buf[:n]) {
			return true
		}
	}
	return false
}
