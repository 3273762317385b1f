// Package tcp is the monitor that tells whether a TCP port opens, and whether
// what stands behind it answers as it should. It takes the options of mon's tcp
// monitor and those of tcpch for a dialogue.
//
// It knows no protocol: monitors/http and the others do.
package tcp

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"time"

	"github.com/mondhq/mond/monitors/tcp/escape"
	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

const (
	// Name is the monitor's name in mon.cf.
	Name = "tcp.monitor"
	// Synopsis says in a line what it is for.
	Synopsis = "fails for hosts whose TCP port does not open, or does not answer as it should"
)

// New declares the options of a tcp monitor that resolves names by itself.
func New(fs *flag.FlagSet) monitor.Monitor { return With(new(resolve.Resolver))(fs) }

// With is New for monitors that share what they know of names.
func With(names *resolve.Resolver) monitor.New {
	return func(fs *flag.FlagSet) monitor.Monitor {
		p := &probe{}
		p.Port, p.Limit, p.Resolver = 23, reach.Seconds(10*time.Second), names
		p.Options.Declare(fs)
		p.tls.Declare(fs)
		fs.Var(&p.send, "s", "`text` to send once connected; \\n \\r \\t \\0 \\\\ \\xHH stand for bytes")
		fs.Var(&p.expect, "e", "regular `expression` that the answer must match (RE2; a plain word matches itself)")
		fs.Var(&p.quit, "q", "`text` to send before hanging up, written as for -s")
		fs.Var(&p.delim, "d", "`text` that ends the answer, written as for -s: only what comes before it is looked at")
		return p
	}
}

// probe is the monitor with its options.
type probe struct {
	reach.Options
	tls    reach.TLS
	send   escape.Text
	expect reach.Pattern
	quit   escape.Text
	delim  escape.Text
}

// Validate judges the options together.
func (p *probe) Validate() error {
	return errors.Join(p.Options.Validate(), p.tls.Validate())
}

// Check looks at every host of r.
func (p *probe) Check(ctx context.Context, r monitor.Request) monitor.Result {
	return monitor.EachHost{One: p.one}.Check(ctx, r)
}

// one looks at one host.
func (p *probe) one(ctx context.Context, host string) (string, error) {
	deadline := p.Deadline(ctx)
	to, err := p.Target(ctx, deadline, host, uint16(p.Port))
	if err != nil {
		return "", err
	}
	detail := "port " + strconv.Itoa(int(p.Port)) + " open"
	if p.plain() {
		err = p.Open(ctx, deadline, to)
	} else {
		var c *reach.Conn
		if c, err = p.Dial(ctx, deadline, to); err == nil {
			detail, err = p.talk(c, host)
		}
	}
	if kept := p.Kept(host); kept != "" && err != nil {
		return "", fmt.Errorf("%w%s", err, kept)
	} else if kept != "" {
		detail += kept
	}
	return detail, err
}

// plain reports whether it is enough that the port opens.
func (p *probe) plain() bool {
	return !p.tls.On && !p.answers() && len(p.send) == 0 && len(p.quit) == 0
}

// answers reports whether the host is to say something.
func (p *probe) answers() bool { return p.expect.Regexp != nil || len(p.delim) > 0 }
