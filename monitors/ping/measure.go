package ping

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	goping "github.com/go-ping/ping"

	"github.com/mondhq/mond/plugins/monitor"
)

const (
	// minSize is the least that go-ping sends: a time and a UUID.
	minSize = 24
	// maxSize is the largest payload of an IPv4 packet.
	maxSize = 65535 - 20 - 8
)

// measure pings one address: over a raw socket, which takes CAP_NET_RAW, or
// else an ICMP datagram socket. Errors are local ones, but that the address was
// found unreachable (EHOSTUNREACH).
func (p *probe) measure(ctx context.Context, to netip.Addr) (sample, error) {
	s, err := p.run(ctx, to, true)
	if s.sent == 0 && refused(err) {
		s, err = p.run(ctx, to, false)
		if s.sent == 0 && refused(err) {
			err = errNotPermitted
		}
	}
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, syscall.EHOSTUNREACH):
		return s, fmt.Errorf("ping %v: %w", to, syscall.EHOSTUNREACH)
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		err = errno // without go-ping's ornaments
	}
	return s, monitor.Fault(fmt.Errorf("ping %v: %w", to, err))
}

// refused reports whether err is for want of privileges.
func refused(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES)
}

// errNotPermitted says what is to be done about it.
var errNotPermitted = errors.New("open an ICMP socket: not permitted: give the program the capability cap_net_raw " +
	"(mond does so if it was started with it), or its group a place in the sysctl net.ipv4.ping_group_range")

// run measures with go-ping, which is fenced in: it resolves no names, logs
// nothing, keeps no list of round trips, and its own ones, which go by the wall
// clock, are not used.
func (p *probe) run(ctx context.Context, to netip.Addr, raw bool) (s sample, err error) {
	limit := p.sending() + time.Duration(p.wait)
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end))
	}
	if limit <= 0 {
		return s, nil
	}
	pinger := goping.New("")
	pinger.SetIPAddr(&net.IPAddr{IP: to.AsSlice(), Zone: to.Zone()})
	pinger.SetPrivileged(raw)
	pinger.Count, pinger.Interval, pinger.Timeout = p.count.Value, time.Duration(p.interval), limit
	pinger.Size, pinger.TTL = p.size.Value, p.ttl.Value
	pinger.Source = p.Source.String()
	pinger.RecordRtts = false
	var complaints complaints
	pinger.SetLogger(&complaints)
	// Both are called by one goroutine, which has ended when Run returns.
	sent := make([]time.Time, 0, p.count.Value)
	pinger.OnSend = func(*goping.Packet) { sent = append(sent, time.Now()) }
	pinger.OnRecv = func(r *goping.Packet) {
		if r.Seq < len(sent) {
			s.add(time.Since(sent[r.Seq]))
		}
	}
	stop := context.AfterFunc(ctx, pinger.Stop)
	defer stop()
	err = pinger.Run()
	s.sent = len(sent) + complaints.unreachable
	if err == nil {
		err = complaints.err
	}
	return s, err
}

// complaints are the errors of sending that go-ping only logs, after which it
// goes on. They come from the goroutine that sends, as the calls of OnSend do.
type complaints struct {
	// unreachable counts pings that were not sent because no neighbour answers
	// for the host: they are lost.
	unreachable int
	// err is the first error that says nothing of the host.
	err error
}

// Fatalf is what go-ping calls for an error of sending, and for a packet that
// makes no sense; the latter is of no interest.
func (c *complaints) Fatalf(_ string, args ...any) {
	for _, a := range args {
		err, ok := a.(error)
		if !ok {
			continue
		}
		switch errno, ok := errors.AsType[syscall.Errno](err); {
		case !ok:
		case errno == syscall.EHOSTUNREACH:
			c.unreachable++
		case c.err == nil:
			c.err = err
		}
	}
}

// Errorf is called for nothing that is of interest here.
func (c *complaints) Errorf(string, ...any) {}

// Warnf is as Errorf.
func (c *complaints) Warnf(string, ...any) {}

// Infof is as Errorf.
func (c *complaints) Infof(string, ...any) {}

// Debugf is as Errorf.
func (c *complaints) Debugf(string, ...any) {}
