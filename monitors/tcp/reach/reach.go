// Package reach is how a monitor gets to a TCP or UDP port of a host: the
// options that all such monitors share (port, time limit, address family, where
// packets come from and go to, TLS), the address, the connection or the exchange
// of datagrams, and errors in a person's words. One deadline covers everything from the name to
// the last byte.
//
// It speaks no protocol and judges nothing; it is not for ICMP.
package reach

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/mondhq/mond/monitors/tcp/origin"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

// Options say which port of a host is meant and how to get there. Port, Limit
// and Resolver are to be set before Declare: they are the defaults.
type Options struct {
	Port   Port
	Limit  Seconds
	V4, V6 bool
	// Origin is where packets come from.
	origin.Origin
	// To is where they go instead of to the host, if it is given.
	To To
	// Reset ends connections by a reset, which leaves no TIME_WAIT behind.
	Reset    bool
	Resolver *resolve.Resolver
}

// Declare declares what DeclareUDP does, and --reset.
func (o *Options) Declare(fs *flag.FlagSet) {
	o.DeclareUDP(fs)
	fs.Lookup("p").Usage = "TCP `port` to connect to"
	fs.BoolVar(&o.Reset, "reset", false, "end connections by a reset, so that none stay in TIME_WAIT")
}

// DeclareUDP declares -p, -t, -4, -6, --to and the options of [origin.Origin].
func (o *Options) DeclareUDP(fs *flag.FlagSet) {
	fs.Var(&o.Port, "p", "UDP `port` to send to")
	fs.Var(&o.Limit, "t", "time limit for each host in `seconds`, or with a unit such as 500ms")
	fs.BoolVar(&o.V4, "4", false, "use the host's IPv4 address")
	fs.BoolVar(&o.V6, "6", false, "use the host's IPv6 address (default: IPv4 if it has one)")
	o.Origin.Declare(fs)
	fs.Var(&o.To, "to", "`address[:port]` to go to instead of to the host, which is still who is asked for and reported; such as a virtual address, with the --mark of a service that leads to the host")
}

// Validate judges the options together.
func (o *Options) Validate() error {
	switch {
	case o.V4 && o.V6:
		return errors.New("options -4 and -6: only one of them can be given")
	case o.Source.IsValid() && !o.asked().Has(o.Source.Addr):
		return fmt.Errorf("option --source: %s is no %s address", o.Source.Addr, o.asked())
	case o.To.Given() && !o.family().Has(o.To.addr):
		return fmt.Errorf("option --to: %s is no %s address, as -4, -6 or --source want it", o.To.addr, o.family())
	}
	return nil
}

// asked is the family that -4 or -6 asks for.
func (o *Options) asked() resolve.Family {
	switch {
	case o.V4:
		return resolve.IPv4
	case o.V6:
		return resolve.IPv6
	}
	return resolve.Any
}

// family is the family of addresses to use; a source address decides it too.
func (o *Options) family() resolve.Family {
	f := o.asked()
	if f != resolve.Any || !o.Source.IsValid() {
		return f
	}
	if o.Source.Is4() {
		return resolve.IPv4
	}
	return resolve.IPv6
}

// Deadline is when a check that begins now must have ended: after the time
// limit, or with ctx if that is sooner.
func (o *Options) Deadline(ctx context.Context) time.Time {
	end := time.Now().Add(time.Duration(o.Limit))
	if d, ok := ctx.Deadline(); ok && d.Before(end) {
		return d
	}
	return end
}

// Target is the address and port to connect to for a host that is checked, port
// being the host's: those of --to, if it is given.
func (o *Options) Target(ctx context.Context, deadline time.Time, host string, port uint16) (netip.AddrPort, error) {
	if o.To.Given() {
		return o.To.or(port), nil
	}
	a, err := o.Find(ctx, deadline, host)
	return netip.AddrPortFrom(a, port), err
}

// Elsewhere are the options for other hosts that have to do with a check, such as
// where a redirect leads: --to is not for them, nor is a mark that goes with it,
// which would lead them to the host that is checked.
func (o *Options) Elsewhere() *Options {
	if !o.To.Given() {
		return o
	}
	e := *o
	e.To, e.Mark = To{}, 0
	return &e
}

// Find is the address of any host, whatever --to says.
func (o *Options) Find(ctx context.Context, deadline time.Time, host string) (netip.Addr, error) {
	if !figures(host) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	return o.Resolver.Addr(ctx, host, o.family())
}

// figures reports whether host is an address rather than a name.
func figures(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// Kept is a remark about the address of host if it is only kept from earlier,
// because the resolver does not give one any more; else it is empty.
func (o *Options) Kept(host string) string {
	if figures(host) || o.To.Given() {
		return ""
	}
	err := o.Resolver.LastError(host)
	age, ok := o.Resolver.Age(host)
	if err == nil || !ok {
		return ""
	}
	return fmt.Sprintf("; its address is %s old, for the resolver says: %v", monitor.Span(age.Round(time.Second)), err)
}

// Conn is a connection that has the check's deadline and is cut when the
// check's context is cancelled.
type Conn struct {
	net.Conn
	// Sessions remembers TLS sessions for another connection to the same peer
	// that is given the same Sessions; nil remembers none.
	Sessions tls.ClientSessionCache
	stop     func() bool
}

// CloseWrite tells the peer that nothing more will be sent, where that can be
// told.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close ends the connection.
func (c *Conn) Close() error {
	c.stop()
	return c.Conn.Close()
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// Dial connects to an address.
func (o *Options) Dial(ctx context.Context, deadline time.Time, to netip.AddrPort) (*Conn, error) {
	c, err := o.dial(ctx, deadline, to)
	if err != nil {
		return nil, connectError(to, err)
	}
	if t, ok := c.(*net.TCPConn); ok && o.Reset {
		_ = t.SetLinger(0) // the connection is usable without
	}
	_ = c.SetDeadline(deadline) // fails only on a closed connection
	return &Conn{Conn: c, stop: context.AfterFunc(ctx, func() { _ = c.SetDeadline(longAgo) })}, nil
}

// settled is o with the source address that it comes from now.
func (o *Options) settled() (*Options, error) {
	if !o.Source.Toward.IsValid() {
		return o, nil
	}
	s := *o
	var err error
	s.Origin, err = o.Origin.Settled()
	return &s, err
}

// dial is Dial with the system's errors.
func (o *Options) dial(ctx context.Context, deadline time.Time, to netip.AddrPort) (net.Conn, error) {
	o, err := o.settled()
	if err != nil {
		return nil, err
	}
	if o.Netns != "" {
		return o.dialThere(ctx, deadline, to)
	}
	d := net.Dialer{Deadline: deadline, KeepAlive: -1}
	if o.Source.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(o.Source.Addr, 0))
	}
	if o.Source.IsValid() || o.Origin.Given() {
		d.Control = o.control
	}
	return d.DialContext(ctx, "tcp", to.String())
}

// Open connects to an address and hangs up at once. It costs about two
// thirds of Dial and Close. A peer that completes the handshake and then
// resets the connection did open its port: whether that is seen before or
// after the connection counts as open is chance, so it never is an error here.
func (o *Options) Open(ctx context.Context, deadline time.Time, to netip.AddrPort) error {
	o, err := o.settled()
	if err == nil {
		err = o.open(ctx, deadline, to)
	}
	if err == nil || errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return connectError(to, err)
}

// connectError says in a person's words why there is no connection.
func connectError(to netip.AddrPort, err error) error {
	what := "connect to " + to.String()
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", what, context.Canceled)
	}
	return Failure(what, err)
}

// Failure is the error of a step that did not work: what was tried, and why
// without the system's ornaments. A deadline that passed becomes a
// [monitor.Late].
func Failure(what string, err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return monitor.Late(what)
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return fmt.Errorf("%s: %w", what, errno)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// dialAndClose is open in the portable way.
func (o *Options) dialAndClose(ctx context.Context, deadline time.Time, to netip.AddrPort) error {
	c, err := o.Dial(ctx, deadline, to)
	if err != nil {
		return err
	}
	_ = c.Close() // it was open
	return nil
}
