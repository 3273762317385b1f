// Package tcp is the monitor that tells whether a TCP port opens, and whether
// what stands behind it answers as it should. It takes the options of mon's tcp
// monitor and those of tcpch for a dialogue, and it can ping first, as nanny of
// Piranha does.
//
// It knows no protocol but the few of monitors/tcp/mailbox: monitors/http and the
// others do.
package tcp

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/mondhq/mond/monitors/fping/echo"
	"github.com/mondhq/mond/monitors/tcp/escape"
	"github.com/mondhq/mond/monitors/tcp/login"
	"github.com/mondhq/mond/monitors/tcp/mailbox"
	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

const (
	// Name is the monitor's name in mon.cf.
	Name = "tcp.monitor"
	// Synopsis says in a line what it is for.
	Synopsis = "fails for hosts whose TCP port does not open, or does not answer as it should"
	// telnet is the port if nobody says which.
	telnet = 23
	// pingSize is how many bytes a ping carries, as ping(8) has it.
	pingSize = 56
)

// New declares the options of a tcp monitor that resolves names by itself.
func New(fs *flag.FlagSet) monitor.Monitor { return With(new(resolve.Resolver))(fs) }

// With is New for monitors that share what they know of names. All that come of
// one With share the sockets of their pings, too.
func With(names *resolve.Resolver) monitor.New {
	engine := new(echo.Engine)
	return func(fs *flag.FlagSet) monitor.Monitor {
		p := &probe{engine: engine}
		p.Limit, p.Resolver = reach.Seconds(10*time.Second), names
		p.Options.Declare(fs)
		fs.Lookup("p").Usage = "TCP `port` to connect to (default 23); with --service the service's"
		fs.BoolVar(&p.ping, "ping", false, "ping the host first, once, and fail it if it does not answer; needs the capability cap_net_raw, or the sysctl net.ipv4.ping_group_range")
		p.tls.Declare(fs)
		fs.Var(&p.send, "s", "`text` to send once connected; \\n \\r \\t \\0 \\\\ \\xHH stand for bytes")
		fs.BoolVar(&p.half, "half-close", false, "tell the host that nothing more comes, after what -s says")
		fs.Var(&p.expect, "e", "regular `expression` that the answer must match (RE2; a plain word matches itself)")
		fs.Var(&p.prefix, "expect-prefix", "`text` that the answer must begin with, written as for -s")
		fs.BoolVar(&p.answer, "answer", false, "an answer must come, whatever it says")
		fs.Var(&p.quit, "q", "`text` to send before hanging up, written as for -s")
		fs.Var(&p.delim, "d", "`text` that ends the answer, written as for -s: only what comes before it is looked at")
		fs.Var(&p.service, "service", "`which` dialogue to hold instead, with a login if --user is given: imap, pop or nntp")
		p.login.Declare(fs)
		fs.Lookup("user").Usage = "with --service: log in as `name`"
		return p
	}
}

// probe is the monitor with its options.
type probe struct {
	reach.Options
	engine  *echo.Engine
	ping    bool
	tls     reach.TLS
	send    escape.Text
	half    bool
	expect  reach.Pattern
	prefix  escape.Text
	answer  bool
	quit    escape.Text
	delim   escape.Text
	service mailbox.Service
	login   login.Options
}

// Validate judges the options together.
func (p *probe) Validate() error {
	return errors.Join(p.Options.Validate(), p.tls.Validate(), p.login.Validate(), p.together())
}

// together judges options that have to do with each other.
func (p *probe) together() error {
	switch {
	case p.half && len(p.quit) > 0:
		return errors.New("options --half-close and -q: after the one nothing more can be sent")
	case p.service != "" && (p.half || p.answers() || len(p.send) > 0 || len(p.quit) > 0):
		return errors.New("option --service: what is sent and expected is known then: -s, -e, -d, -q, --expect-prefix, --answer and --half-close cannot be given")
	case p.service == "" && p.login.User != "":
		return errors.New("option --user: it needs --service")
	case p.login.User != "" && !p.login.HasPassword():
		return errors.New("option --user: it needs --password-file or --password")
	}
	return nil
}

// port is the port to connect to.
func (p *probe) port() uint16 {
	switch {
	case p.Port != 0:
		return uint16(p.Port)
	case p.service != "":
		return p.service.Port(p.tls.On)
	}
	return telnet
}

// Check looks at every host of r.
func (p *probe) Check(ctx context.Context, r monitor.Request) monitor.Result {
	return monitor.EachHost{One: p.one}.Check(ctx, r)
}

// one looks at one host.
func (p *probe) one(ctx context.Context, host string) (string, error) {
	deadline := p.Deadline(ctx)
	to, err := p.Target(ctx, deadline, host, p.port())
	if err != nil {
		return "", err
	}
	detail, err := p.steps(ctx, deadline, host, to)
	if kept := p.Kept(host); kept != "" && err != nil {
		return "", fmt.Errorf("%w%s", err, kept)
	} else if kept != "" {
		detail += kept
	}
	return detail, err
}

// steps takes the steps of a check in their order: a ping, the connection, the
// dialogue.
func (p *probe) steps(ctx context.Context, deadline time.Time, host string, to netip.AddrPort) (string, error) {
	if p.ping {
		if err := p.alive(ctx, deadline, host); err != nil {
			return "", err
		}
	}
	detail := "port " + strconv.Itoa(int(p.port())) + " open"
	if p.plain() {
		return detail, p.Open(ctx, deadline, to)
	}
	c, err := p.Dial(ctx, deadline, to)
	if err != nil {
		return "", err
	}
	return p.talk(c, host, detail)
}

// alive pings the host: at its own address whatever --to says, for a director
// itself answers for its virtual addresses.
func (p *probe) alive(ctx context.Context, deadline time.Time, host string) error {
	by := p.Elsewhere()
	to, err := by.Find(ctx, deadline, host)
	if err != nil {
		return err
	}
	late := monitor.Late("ping " + to.String())
	wait := time.Until(deadline)
	if wait <= 0 {
		return late
	}
	s := echo.Settings{Tries: 1, Wait: wait, Backoff: 1, Size: pingSize, Pace: echo.Pace, Dress: echo.Dress{Origin: by.Origin}}
	a := p.engine.Ping(ctx, s, []netip.Addr{to})[0]
	switch {
	case a.Err == nil:
		return nil
	case monitor.IsLate(a.Err):
		return late
	}
	return fmt.Errorf("ping %v: %w", to, a.Err)
}

// plain reports whether it is enough that the port opens.
func (p *probe) plain() bool {
	return !p.tls.On && !p.answers() && !p.half && p.service == "" && len(p.send) == 0 && len(p.quit) == 0
}

// answers reports whether the host is to say something.
func (p *probe) answers() bool {
	return p.answer || p.expect.Regexp != nil || len(p.prefix) > 0 || len(p.delim) > 0
}
