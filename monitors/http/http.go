// Package httpmon is the monitor that tells whether a web server answers as it
// should: the status is one of a list, the body matches an expression. It takes
// the options of mon's http monitor and speaks HTTP/1.1, over TLS if asked to.
//
// It is not a browser: it asks one question on one connection, follows no
// redirect, undoes no compression and regards no proxy, for it is about one
// server and not about what stands before or behind it.
package httpmon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

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
		w := &web{path: "/", agent: "mond/http.monitor", accept: mons(), most: 1 << 20}
		w.Limit, w.Resolver = reach.Seconds(30*time.Second), names
		w.Options.Declare(fs)
		fs.Lookup("p").Usage = "TCP `port` to connect to (default 80, with --https 443)"
		w.tls.Declare(fs)
		fs.BoolVar(&w.tls.On, "https", false, "speak TLS, the same as --tls")
		fs.Var(&w.path, "u", "`path` to ask for, with the query if any")
		fs.Var(&w.agent, "a", "User-Agent `header` to send")
		fs.Var(&w.host, "host", "Host `header` to send; with TLS the name to expect, too (default: the host's name)")
		fs.Var(&w.match, "m", "regular `expression` that the body must match (RE2)")
		fs.Var(&w.accept, "status", "`list` of the statuses that are well, such as 200-299,401")
		fs.Var(&w.most, "max-size", "`bytes` of the body to read at most, the rest is not looked at; K and M may follow the figure")
		fs.BoolVar(&w.brief, "o", false, "omit healthy hosts from the detail")
		return w
	}
}

// web is the monitor with its options.
type web struct {
	reach.Options
	tls    reach.TLS
	path   path
	agent  header
	host   header
	match  reach.Pattern
	accept statuses
	most   size
	brief  bool
}

// Validate judges the options together.
func (w *web) Validate() error {
	return errors.Join(w.Options.Validate(), w.tls.Validate())
}

// Check looks at every host of r.
func (w *web) Check(ctx context.Context, r monitor.Request) monitor.Result {
	return monitor.EachHost{One: w.one, Brief: w.brief}.Check(ctx, r)
}

// one looks at one host.
func (w *web) one(ctx context.Context, host string) (string, error) {
	deadline := w.Deadline(ctx)
	clock := newClock()
	to, err := w.Target(ctx, deadline, host)
	if err != nil {
		return "", err
	}
	if to.Addr().String() != host {
		clock.lap("resolve")
	}
	detail, err := w.visit(ctx, deadline, host, netip.AddrPortFrom(to.Addr(), w.port()), clock)
	kept := w.Kept(host)
	if err != nil {
		return "", fmt.Errorf("%w%s%s", err, clock, kept)
	}
	return detail + clock.String() + kept, nil
}

// visit is the conversation with one host.
func (w *web) visit(ctx context.Context, deadline time.Time, host string, to netip.AddrPort, clock *clock) (string, error) {
	c, err := w.Dial(ctx, deadline, to)
	if err != nil {
		return "", err
	}
	defer c.Close()
	clock.lap("connect")
	var conn net.Conn = c
	if w.tls.On {
		secured, err := w.tls.Handshake(c, w.serverName(host))
		if err != nil {
			return "", err
		}
		defer secured.Close()
		clock.lap("tls")
		conn = secured
	}
	if _, err := conn.Write(w.request(host)); err != nil {
		return "", reach.Failure("send the request", err)
	}
	return w.receive(conn, clock)
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

// request is what is sent.
func (w *web) request(host string) []byte {
	b := make([]byte, 0, 256)
	b = append(append(b, "GET "...), w.path...)
	b = append(append(b, " HTTP/1.1\r\nHost: "...), w.hostHeader(host)...)
	b = append(append(b, "\r\nUser-Agent: "...), w.agent...)
	return append(b, "\r\nAccept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"...)
}

// hostHeader is the Host header for a host: its name, and the port unless it is
// the usual one.
func (w *web) hostHeader(host string) string {
	if w.host != "" {
		return string(w.host)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		host = a.WithZone("").String()
	}
	port := w.port()
	if usual := map[bool]uint16{false: 80, true: 443}[w.tls.On]; port != usual {
		return net.JoinHostPort(host, fmt.Sprint(port))
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// serverName is what the host is called in TLS unless --sni says otherwise: the
// name in the Host header if that was given, so that one server of many behind
// one name can be looked at.
func (w *web) serverName(host string) string {
	if w.host == "" {
		return host
	}
	if name, _, err := net.SplitHostPort(string(w.host)); err == nil {
		return name
	}
	return strings.Trim(string(w.host), "[]")
}
