// Package ftp is the monitor that tells whether an FTP server answers as it
// should: it greets, lets somebody log in, hands out a file or a listing. It
// takes the options of mon's ftp monitor, and speaks TLS if asked to (RFC
// 4217).
//
// It is not a client: it changes nothing on the server, opens data connections
// in the passive way only, and goes to no address but the host's own unless
// told to.
package ftp

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
	Name = "ftp.monitor"
	// Synopsis says in a line what it is for.
	Synopsis = "fails for hosts whose FTP server does not answer, or not as it should"
)

// New declares the options of an ftp monitor that resolves names by itself.
func New(fs *flag.FlagSet) monitor.Monitor { return With(new(resolve.Resolver))(fs) }

// With is New for monitors that share what they know of names.
func With(names *resolve.Resolver) monitor.New {
	return func(fs *flag.FlagSet) monitor.Monitor {
		p := &probe{most: 1 << 20}
		p.Limit, p.Resolver = reach.Seconds(30*time.Second), names
		p.Options.Declare(fs)
		fs.Lookup("p").Usage = "TCP `port` to connect to (default 21, with --tls-implicit 990)"
		p.tls.Declare(fs)
		fs.Lookup("tls").Usage = "begin TLS after the greeting (AUTH TLS), for data too"
		fs.BoolVar(&p.implicit, "tls-implicit", false, "speak TLS from the first byte")
		fs.Var(&p.banner, "banner", "regular `expression` that the text of the greeting must match (RE2)")
		p.login.Declare(fs)
		fs.Lookup("user").Usage = "log in as `name`; anonymous needs no password (default with --retr and --list: anonymous)"
		fs.Var(&p.retr, "retr", "`path` of a file to fetch")
		fs.Var(&p.list, "list", "`path` of a directory to list")
		fs.Var(&p.match, "match", "regular `expression` that the file or the listing must match (RE2)")
		fs.Var(&p.digest, "digest", "`sha256:HEX` is the digest that the file must have (or md5:HEX); without :HEX it is only shown")
		fs.Var(&p.most, "max-size", "`bytes` of the file or listing to read at most, the rest is not looked at; K and M may follow the figure")
		fs.BoolVar(&p.follow, "follow-pasv", false, "open data connections to the address that the server names to PASV (default: EPSV, else PASV, and always to the host's own address)")
		return p
	}
}

// probe is the monitor with its options.
type probe struct {
	reach.Options
	tls      reach.TLS
	implicit bool
	banner   reach.Pattern
	login    login.Options
	retr     path
	list     path
	match    reach.Pattern
	digest   reach.Digest
	most     reach.Size
	follow   bool
}

// Validate judges the options together.
func (p *probe) Validate() error {
	return errors.Join(p.Options.Validate(), p.validateTLS(), p.login.Validate(), p.validateData())
}

func (p *probe) validateTLS() error {
	if p.tls.On && p.implicit {
		return errors.New("options --tls and --tls-implicit: only one of them can be given")
	}
	p.tls.Later = p.implicit
	return p.tls.Validate()
}

func (p *probe) validateData() error {
	switch {
	case p.retr != "" && p.list != "":
		return errors.New("options --retr and --list: only one of them can be given")
	case p.match.Regexp != nil && !p.transfers():
		return errors.New("option --match: it needs --retr or --list; --banner is for the greeting")
	case p.digest.Given() && p.retr == "":
		return errors.New("option --digest: it needs --retr")
	case p.follow && !p.transfers():
		return errors.New("option --follow-pasv: it needs --retr or --list")
	case p.login.User != "" && !anonymous(p.login.User) && !p.login.HasPassword():
		return errors.New("option --user: it needs --password-file or --password")
	}
	return nil
}

// transfers reports whether there is something to fetch.
func (p *probe) transfers() bool { return p.retr != "" || p.list != "" }

// logsIn reports whether a user is to be logged in.
func (p *probe) logsIn() bool { return p.login.User != "" || p.transfers() }

// anonymous reports whether a user is one that needs no password.
func anonymous(user string) bool { return user == "anonymous" || user == "ftp" }

// port is the port to connect to.
func (p *probe) port() uint16 {
	switch {
	case p.Port != 0:
		return uint16(p.Port)
	case p.implicit:
		return 990
	}
	return 21
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
	s := &session{probe: p, deadline: deadline, host: host, peer: to, laps: reach.NewLaps()}
	err = s.visit(ctx)
	kept := p.Kept(host)
	h := monitor.Host{Detail: s.detail() + kept, Perf: s.laps.Perf()}
	switch {
	case err != nil:
		return h, fmt.Errorf("%w%s%s", err, s.aside(), kept)
	case len(s.remarks) > 0:
		return h, monitor.Warning(strings.Join(s.remarks, "; ") + "; " + h.Detail)
	}
	return h, nil
}
