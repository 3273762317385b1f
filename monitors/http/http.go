// Package httpmon is the monitor that tells whether a web server answers as it
// should. It takes the options of mon's http monitor and speaks HTTP/1.1 or
// HTTP/2, over TLS if asked to.
//
// It is not a browser: it asks one question on one connection, keeps no cookies
// and no connections, runs nothing, and follows redirects or goes through a
// proxy only if it is told to, for it is about one server and not about what
// stands before or behind it. What is asked is in the package ask, how it is
// asked in exchange, and which answers are well in judge; this one goes to the
// host, and compares hosts.
package httpmon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/http/ask"
	"github.com/mondhq/mond/monitors/http/exchange"
	"github.com/mondhq/mond/monitors/http/judge"
	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

const (
	// Name is the monitor's name in mon.cf.
	Name = "http.monitor"
	// Synopsis says in a line what it is for.
	Synopsis = "fails for hosts whose web server does not answer, or not as it should"
)

// New declares the options of an http monitor that resolves names by itself.
func New(fs *flag.FlagSet) monitor.Monitor { return With(new(resolve.Resolver))(fs) }

// With is New for monitors that share what they know of names.
func With(names *resolve.Resolver) monitor.New {
	return func(fs *flag.FlagSet) monitor.Monitor {
		w := &web{}
		w.Limit, w.Resolver = reach.Seconds(30*time.Second), names
		w.Options.Declare(fs)
		fs.Lookup("p").Usage = "TCP `port` to connect to (default 80, with --https 443)"
		w.tls.Declare(fs)
		fs.BoolVar(&w.tls.On, "https", false, "speak TLS, the same as --tls")
		fs.BoolVar(&w.http2, "http2", false, "speak HTTP/2, and fail hosts that do not; needs TLS")
		w.ask.Declare(fs)
		fs.Var(&w.proxy, "proxy", "`URL` of an HTTP proxy to go through; for TLS it is asked to connect. None is taken from the environment")
		fs.Var(&w.redirects, "redirects", "`which` redirects to follow: no, so many of them, or same-host for those that stay at the host")
		w.judge.Declare(fs)
		fs.Var(&w.slow, "slow", "warn when all of it took longer than so many `seconds`")
		fs.BoolVar(&w.brief, "o", false, "omit healthy hosts from the detail")
		return w
	}
}

// web is the monitor with its options.
type web struct {
	reach.Options
	tls       reach.TLS
	ask       ask.Options
	judge     judge.Options
	proxy     ask.Proxy
	redirects redirects
	http2     bool
	talker    exchange.HTTP2
	slow      reach.Seconds
	brief     bool
}

// Validate judges the options together.
func (w *web) Validate() error {
	w.tls.Later = w.redirects.most > 0
	return errors.Join(w.Options.Validate(), w.tls.Validate(), w.ask.Validate(), w.judge.Validate(), w.proxy.Validate(), w.together())
}

// together judges options that belong to different parts.
func (w *web) together() error {
	bodies := w.judge.Bodies()
	switch {
	case w.proxy.Given() && w.To.Given():
		return errors.New("options --proxy and --to: only one of them can be given")
	case w.http2 && !w.tls.On:
		return errors.New("option --http2: it needs --https")
	case w.proxy.Given() && w.ask.HasHost() && !w.tls.On:
		return errors.New("options --host and --proxy: without --https a proxy sends the name that it is asked for (RFC 9112, section 3.2.2)")
	case w.ask.Method(ask.Target{}) == "HEAD" && bodies != "":
		return fmt.Errorf("option %s: the answer to HEAD has no body", bodies)
	}
	return nil
}

// Check looks at every host of r.
func (w *web) Check(ctx context.Context, r monitor.Request) monitor.Result {
	each := monitor.EachHost{Look: w.look, Brief: w.brief}
	if w.judge.Compares() {
		poll := &poll{}
		each.Look, each.Together = poll.with(w), poll.settle
	}
	return each.Check(ctx, r)
}

// look looks at one host.
func (w *web) look(ctx context.Context, host string) (monitor.Host, error) {
	h, _, err := w.examine(ctx, host)
	return h, err
}

// examine looks at one host; part is what it is compared by.
func (w *web) examine(ctx context.Context, host string) (h monitor.Host, part judge.Digest, err error) {
	v := &visit{web: w, host: host, deadline: w.Deadline(ctx)}
	v.clock.start()
	verdict, err := v.follow(ctx)
	took := v.clock.total()
	kept := w.Kept(host)
	h.Perf = v.perf()
	if w.slow > 0 && took > time.Duration(w.slow) {
		v.warn("it took %s, more than --slow %s", monitor.Span(took), monitor.Span(time.Duration(w.slow)))
	}
	if exposed := w.ask.Exposed(); exposed != "" {
		v.warn("%s", exposed)
	}
	if err != nil {
		return h, part, fmt.Errorf("%w%s%s", err, &v.clock, kept)
	}
	h.Detail = verdict.Detail + v.clock.String() + kept
	if len(v.warnings) > 0 {
		err = monitor.Warning(strings.Join(v.warnings, "; ") + "; " + h.Detail)
	}
	return h, verdict.Part, err
}

// port is the port to connect to.
func (w *web) port() uint16 {
	switch {
	case w.Port != 0:
		return uint16(w.Port)
	case w.tls.On:
		return 443
	}
	return 80
}

// first is what a host is asked first.
func (w *web) first(host string) ask.Target {
	return ask.Target{Host: host, Port: w.port(), TLS: w.tls.On, Path: string(w.ask.Path)}
}
