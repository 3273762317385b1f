// Package smtpmon is the monitor that tells whether a mail server answers as it
// should: it greets, offers what is expected of it, encrypts, lets somebody log
// in, takes a sender and a recipient. It takes the options of mon's smtp
// monitor; it speaks SMTP (RFC 5321), with TLS (RFC 3207, 8314) and
// authentication (RFC 4954), and LMTP (RFC 2033).
//
// It sends no mail: a transaction it begins is taken back.
package smtpmon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/tcp/login"
	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

const (
	// Name is the monitor's name in mon.cf.
	Name = "smtp.monitor"
	// Synopsis says in a line what it is for.
	Synopsis = "fails for hosts whose mail server does not answer, or not as it should"
)

// New declares the options of an smtp monitor that resolves names by itself.
func New(fs *flag.FlagSet) monitor.Monitor { return With(new(resolve.Resolver))(fs) }

// With is New for monitors that share what they know of names.
func With(names *resolve.Resolver) monitor.New {
	return func(fs *flag.FlagSet) monitor.Monitor {
		p := &probe{}
		p.Limit, p.Resolver = reach.Seconds(30*time.Second), names
		p.Options.Declare(fs)
		fs.Lookup("p").Usage = "TCP `port` to connect to (default 25, with --tls 465, with --lmtp 24)"
		p.tls.Declare(fs)
		fs.Lookup("tls").Usage = "speak TLS from the first byte"
		fs.BoolVar(&p.starttls, "starttls", false, "begin TLS after the greeting (STARTTLS) if the server offers it")
		fs.BoolVar(&p.require, "require-tls", false, "begin TLS after the greeting, and fail if the server does not offer it")
		fs.BoolVar(&p.lmtp, "lmtp", false, "speak LMTP instead of SMTP")
		fs.Var(&p.banner, "banner", "regular `expression` that the text of the greeting must match (RE2)")
		fs.Var(&p.ehlo, "ehlo", "`name` to call this machine by (default: its host name if that has a domain, else its address)")
		fs.Var(&p.expect, "expect-ext", "`extension` that the server must offer, such as SIZE; may be given several times, or as a list with commas")
		p.login.Declare(fs)
		fs.BoolVar(&p.insecureAuth, "insecure-auth", false, "with --user: log in without TLS too (default: only to this machine itself)")
		fs.Var(&p.from, "from", "`address` of a sender that the server must take; <> is that of bounces")
		fs.Var(&p.to, "rcpt", "`address` of a recipient that the server must take; nothing is sent to it")
		fs.Lookup("to").Value = &either{&p.To, &p.to}
		fs.Lookup("to").Usage += ". A mail address is a recipient as with --rcpt"
		return p
	}
}

// probe is the monitor with its options.
type probe struct {
	reach.Options
	tls          reach.TLS
	starttls     bool
	require      bool
	lmtp         bool
	banner       reach.Pattern
	ehlo         name
	expect       extensions
	login        login.Options
	insecureAuth bool
	from, to     address
}

// Validate judges the options together.
func (p *probe) Validate() error {
	return errors.Join(p.Options.Validate(), p.validateTLS(), p.login.Validate(), p.validateLogin())
}

func (p *probe) validateTLS() error {
	switch {
	case p.tls.On && p.upgrades():
		return errors.New("options --tls and --starttls or --require-tls: only one of them can be given")
	case p.starttls && p.require:
		return errors.New("options --starttls and --require-tls: only one of them can be given")
	}
	p.tls.Later = p.upgrades()
	return p.tls.Validate()
}

func (p *probe) validateLogin() error {
	switch {
	case p.login.User != "" && !p.login.HasPassword():
		return errors.New("option --user: it needs --password-file or --password")
	case p.insecureAuth && p.login.User == "":
		return errors.New("option --insecure-auth: it needs --user")
	}
	return nil
}

// upgrades reports whether TLS is to begin after the greeting.
func (p *probe) upgrades() bool { return p.starttls || p.require }

// port is the port to connect to.
func (p *probe) port() uint16 {
	switch {
	case p.Port != 0:
		return uint16(p.Port)
	case p.tls.On:
		return 465
	case p.lmtp:
		return 24 // RFC 2033 5 wants any but 25; many servers have this one
	}
	return 25
}

// Check looks at every host of r.
func (p *probe) Check(ctx context.Context, r monitor.Request) monitor.Result {
	return monitor.EachHost{Look: p.look}.Check(ctx, r)
}

// look looks at one host.
func (p *probe) look(ctx context.Context, host string) (monitor.Host, error) {
	deadline := p.Deadline(ctx)
	to, err := p.Target(ctx, deadline, host, p.port())
	if err != nil {
		return monitor.Host{}, err
	}
	s := &session{probe: p, host: host, laps: reach.NewLaps()}
	err = s.visit(ctx, deadline, to)
	kept := p.Kept(host)
	h := monitor.Host{Detail: s.detail() + kept, Perf: s.laps.Perf()}
	switch {
	case err != nil:
		return h, fmt.Errorf("%w%s", err, kept)
	case len(s.remarks) > 0:
		return h, monitor.Warning(strings.Join(s.remarks, "; ") + "; " + h.Detail)
	}
	return h, nil
}
