// Package fping is the monitor that tells which of many hosts answer a ping,
// all at once. It takes the options of mon's fping monitor, and needs no fping
// program: the pings are those of monitors/fping/echo.
//
// It asks whether a host is alive and how fast. What shares of its packets a
// host loses is the matter of monitors/ping.
package fping

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/mondhq/mond/monitors/fping/echo"
	"github.com/mondhq/mond/monitors/fping/way"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

const (
	// Name is the monitor's name in mon.cf.
	Name = "fping.monitor"
	// Synopsis says in a line what it is for.
	Synopsis = "fails for hosts that do not answer a ping, or not fast enough"
)

// New declares the options of a monitor that resolves names and pings by
// itself.
func New(fs *flag.FlagSet) monitor.Monitor { return With(new(resolve.Resolver))(fs) }

// With is New for monitors that share what they know of names. All that come
// of one With share their sockets and their pace, too.
func With(names *resolve.Resolver) monitor.New {
	engine, turns := new(echo.Engine), make(chan struct{}, tracers)
	return func(fs *flag.FlagSet) monitor.Monitor {
		p := &probe{
			Way: way.Way{Names: names}, engine: engine, turns: turns,
			wait: way.Millis(2 * time.Second), backoff: 1.5,
			retries: way.Count{Value: 3, Most: echo.MaxTries - 1},
			size:    way.Count{Value: 56, Least: echo.MinSize, Most: echo.MaxSize},
			ttl:     way.Count{Least: 1, Most: 255}, tos: way.Count{Most: 255},
			pace: way.Count{Value: echo.Pace, Least: 1, Most: 1000000},
		}
		p.declare(fs)
		return p
	}
}

// probe is the monitor with its options.
type probe struct {
	way.Way
	engine       *echo.Engine
	turns        chan struct{} // has a value for every check that looks for paths
	all, tracing bool
	retries      way.Count
	slow, wait   way.Millis
	backoff      way.Factor
	size         way.Count
	ttl, tos     way.Count
	pace         way.Count
}

func (p *probe) declare(fs *flag.FlagSet) {
	fs.BoolVar(&p.all, "a", false, "fail only if all hosts fail")
	fs.Var(&p.retries, "r", "`number` of times that a host which did not answer is asked again")
	fs.Var(&p.slow, "s", "`milliseconds` from which on a host fails for being slow (default: none)")
	fs.Var(&p.wait, "t", "`milliseconds` to wait for an answer before the host is asked again, or fails")
	fs.Var(&p.backoff, "B", "`factor` by which each further wait is longer, as fping's")
	fs.BoolVar(&p.tracing, "T", false, "show in the detail how far packets to hosts that failed come (traceroute), for 8 hosts at most")
	p.Way.Declare(fs)
	fs.Var(&p.Device, "device", "network `interface`, the same as --interface")
	fs.Var(&p.size, "size", "`bytes` that a ping carries")
	fs.Var(&p.ttl, "ttl", "time to live of a ping, a `number` of hops (default: the system's)")
	fs.Var(&p.tos, "tos", "type of service of a ping, a `number` such as 0x10")
	fs.Var(&p.pace, "pace", "pings a second at most, a `number`; all checks together send 20000 unless one asks for more")
}

// Validate judges the options together.
func (p *probe) Validate() error {
	if limit := p.settings().Limit(); time.Duration(p.slow) > limit {
		return fmt.Errorf("option -s: no host is waited for as long as %v: with -t, -r and -B it is %v", &p.slow, limit)
	}
	return p.Way.Validate()
}

// settings are the options as the engine takes them.
func (p *probe) settings() echo.Settings {
	return echo.Settings{
		Tries: p.retries.Value + 1, Wait: time.Duration(p.wait), Backoff: float64(p.backoff),
		Size: p.size.Value, Pace: p.pace.Value,
		Dress: echo.Dress{
			Origin: p.Origin, TTL: uint8(p.ttl.Value), TOS: uint8(p.tos.Value), //nolint:gosec // in their ranges
		},
	}
}

// Check pings the hosts of r.
func (p *probe) Check(ctx context.Context, r monitor.Request) monitor.Result {
	started := time.Now()
	res := p.check(ctx, r.Hosts)
	res.Started, res.Took = started, time.Since(started)
	return res
}

func (p *probe) check(ctx context.Context, hosts []string) monitor.Result {
	targets := p.find(ctx, hosts)
	answers := p.engine.Ping(ctx, p.settings(), targets.addrs)
	if errors.Is(ctx.Err(), context.Canceled) {
		return monitor.Blinded(monitor.NotRun, "the check was cancelled")
	}
	seen := make([]monitor.Seen, len(hosts))
	for i, host := range hosts {
		seen[i].Host.Name, seen[i].Err = host, targets.errs[i]
	}
	for at, i := range targets.hosts {
		p.judge(&seen[i], answers[at])
		if kept := p.Kept(hosts[i]); kept != "" {
			annotate(&seen[i], kept)
		}
	}
	res := monitor.Sum(seen, false)
	if p.all && res.Failing() {
		res = p.notAll(res, seen)
	}
	if p.tracing {
		res.Detail += p.paths(ctx, seen, targets)
	}
	return res
}

// judge says what an answer means.
func (p *probe) judge(s *monitor.Seen, a echo.Answer) {
	s.Err, s.Host.Took = a.Err, a.Took
	s.Host.Perf = map[string]float64{"sent": float64(a.Sent), "lost": float64(a.Lost)}
	if a.Err != nil {
		return
	}
	s.Host.Took = a.RTT
	s.Host.Perf["rtt_ms"] = float64(a.RTT) / float64(time.Millisecond)
	switch {
	case p.slow > 0 && a.RTT >= time.Duration(p.slow):
		s.Err = fmt.Errorf("slow: it answered, and not within %s", monitor.Span(time.Duration(p.slow)))
	case a.Lost == 1:
		s.Host.Detail = "ok, after 1 ping without an answer"
	case a.Lost > 1:
		s.Host.Detail = fmt.Sprintf("ok, after %d pings without an answer", a.Lost)
	}
}

// notAll is what a failure becomes with -a: while a host is well it is none,
// and while one could not be judged it is not known to be one.
func (p *probe) notAll(res monitor.Result, seen []monitor.Seen) monitor.Result {
	var blind *monitor.Seen
	for i := range seen {
		if seen[i].Err == nil {
			res.Exit, res.Summary = 0, ""
			return res
		}
		if blind == nil && (monitor.Local(seen[i].Err) || errors.Is(seen[i].Err, monitor.ErrNotStarted)) {
			blind = &seen[i]
		}
	}
	if blind != nil {
		res.Exit, res.Cause, res.Summary = 0, monitor.LocalFault, blind.Host.Name+": "+blind.Err.Error()
		if errors.Is(blind.Err, monitor.ErrNotStarted) {
			res.Cause = monitor.Overloaded
		}
	}
	return res
}
