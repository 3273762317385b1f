// Package ping is the monitor that measures the way to a host: how many of some
// pings are lost, and how long the others take. It fails or warns beyond limits
// on either. It takes the options of mon's ping monitor.
//
// Each host has a socket and some goroutines for as long as it is looked at;
// for many hosts that are only to be alive there is monitors/fping. With an
// interface, a mark or a namespace of its own a check shares the sockets of
// monitors/fping/echo instead, since go-ping's cannot have any of them.
package ping

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/mondhq/mond/monitors/fping/echo"
	"github.com/mondhq/mond/monitors/fping/way"
	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

const (
	// Name is the monitor's name in mon.cf.
	Name = "ping.monitor"
	// Synopsis says in a line what it is for.
	Synopsis = "fails for hosts that lose too many pings, or answer too slowly"
	// parallel is how many hosts of a check are looked at side by side: every
	// socket gets a copy of all replies, so that many would lose some.
	parallel = 16
)

// New declares the options of a monitor that resolves names by itself.
func New(fs *flag.FlagSet) monitor.Monitor { return With(new(resolve.Resolver))(fs) }

// With is New for monitors that share what they know of names.
func With(names *resolve.Resolver) monitor.New {
	engine := new(echo.Engine)
	return func(fs *flag.FlagSet) monitor.Monitor {
		p := &probe{
			Way: way.Way{Names: names}, engine: engine,
			count:    way.Count{Value: 5, Least: 1, Most: 10000},
			interval: way.Millis(200 * time.Millisecond), wait: way.Millis(2 * time.Second),
			limit: reach.Seconds(10 * time.Second), loss: 100,
			size: way.Count{Value: 56, Least: minSize, Most: maxSize},
			ttl:  way.Count{Value: 64, Least: 1, Most: 255},
		}
		p.declare(fs)
		return p
	}
}

// probe is the monitor with its options.
type probe struct {
	way.Way
	engine         *echo.Engine
	count          way.Count
	interval, wait way.Millis
	limit          reach.Seconds
	loss, warnLoss percent
	rtt, warnRTT   way.Millis
	size, ttl      way.Count
}

func (p *probe) declare(fs *flag.FlagSet) {
	fs.Var(&p.count, "c", "`number` of pings for each host")
	fs.Var(&p.interval, "i", "`milliseconds` between two pings, or a time such as 1s")
	fs.Var(&p.wait, "w", "`milliseconds` to wait for answers after the last ping")
	fs.Var(&p.limit, "t", "time limit for each host in `seconds`, or with a unit such as 500ms")
	fs.Var(&p.loss, "loss", "`share` of lost pings from which on a host fails")
	fs.Var(&p.rtt, "rtt", "average round trip in `milliseconds` from which on a host fails (default: none)")
	fs.Var(&p.warnLoss, "warn-loss", "`share` of lost pings from which on a host is warned of (default: none)")
	fs.Var(&p.warnRTT, "warn-rtt", "average round trip in `milliseconds` from which on a host is warned of (default: none)")
	fs.Var(&p.size, "size", "`bytes` that a ping carries")
	fs.Var(&p.ttl, "ttl", "time to live of a ping, a `number` of hops")
	p.Way.Declare(fs)
}

// Validate judges the options together.
func (p *probe) Validate() error {
	limit := time.Duration(p.limit)
	switch {
	case p.sending() >= limit:
		return fmt.Errorf("options -c, -i and -t: %d pings every %v take %v, and the time limit is %v", p.count.Value, &p.interval, p.sending(), limit)
	case p.warnLoss > 0 && p.warnLoss >= p.loss:
		return fmt.Errorf("option --warn-loss: %v is not below --loss, %v, from which on hosts fail", &p.warnLoss, &p.loss)
	case p.rtt > 0 && p.warnRTT >= p.rtt:
		return fmt.Errorf("option --warn-rtt: %v is not below --rtt, %v, from which on hosts fail", &p.warnRTT, &p.rtt)
	case time.Duration(max(p.rtt, p.warnRTT)) > limit:
		return fmt.Errorf("options --rtt and --warn-rtt: no answer is waited for longer than the time limit of %v", limit)
	}
	return p.Way.Validate()
}

// sending is how long it takes to send all pings.
func (p *probe) sending() time.Duration {
	return time.Duration(p.count.Value-1) * time.Duration(p.interval)
}

// Check looks at every host of r.
func (p *probe) Check(ctx context.Context, r monitor.Request) monitor.Result {
	return monitor.EachHost{Look: p.look, Parallel: parallel}.Check(ctx, r)
}

// look measures one host.
func (p *probe) look(ctx context.Context, host string) (h monitor.Host, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(p.limit))
	defer cancel()
	to, err := p.Addr(ctx, host)
	if err != nil {
		return h, err
	}
	measure := p.measure
	if p.Origin.Given() {
		measure = p.measureFrom
	}
	s, err := measure(ctx, to)
	if errors.Is(ctx.Err(), context.Canceled) {
		return h, context.Canceled
	}
	if s.sent > 0 {
		h.Perf = s.perf()
	}
	if err == nil {
		h.Detail = s.String() + p.Kept(host)
		err = p.judge(s)
	}
	if kept := p.Kept(host); kept != "" && err != nil {
		err = fmt.Errorf("%w%s", err, kept)
	}
	return h, err
}

// judge compares what was measured with the limits.
func (p *probe) judge(s sample) error {
	loss, mean := percent(s.loss()), s.mean()
	switch {
	case s.sent == 0:
		return monitor.ErrNotStarted
	case s.received == 0:
		return monitor.Late(fmt.Sprintf("%d pings sent", s.sent))
	case loss >= p.loss:
		return fmt.Errorf("%v; it fails from a loss of %v on", s, &p.loss)
	case p.rtt > 0 && mean >= time.Duration(p.rtt):
		return fmt.Errorf("%v; it fails from an average of %v on", s, &p.rtt)
	case p.warnLoss > 0 && loss >= p.warnLoss:
		return monitor.Warning(fmt.Sprintf("%v; the limit is a loss of %v", s, &p.warnLoss))
	case p.warnRTT > 0 && mean >= time.Duration(p.warnRTT):
		return monitor.Warning(fmt.Sprintf("%v; the limit is an average of %v", s, &p.warnRTT))
	}
	return nil
}
