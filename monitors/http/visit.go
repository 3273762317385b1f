package httpmon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/http/ask"
	"github.com/mondhq/mond/monitors/http/exchange"
	"github.com/mondhq/mond/monitors/http/judge"
	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
)

// visit is one check of one host: a connection for each thing asked for, which
// is one unless redirects are followed.
type visit struct {
	*web
	host     string
	deadline time.Time
	clock    clock
	warnings []string
	// size is how many bytes of the last body came, days how long the host's
	// certificate is still good; each if it has.
	size    int64
	hasSize bool
	days    float64
	hasDays bool
	// weight is the one that it says it is to have.
	weight    float64
	hasWeight bool
}

func (v *visit) warn(format string, args ...any) {
	v.warnings = append(v.warnings, fmt.Sprintf(format, args...))
}

// fetch asks for one thing and judges the answer. next is where a redirect that
// is to be followed leads, and then there is no verdict.
func (v *visit) fetch(ctx context.Context, to ask.Target) (verdict judge.Verdict, next *location, err error) {
	c, err := v.dial(ctx, to)
	if err != nil {
		return verdict, nil, err
	}
	defer c.Close()
	var conn net.Conn = c
	var secured *tls.Conn
	if to.TLS {
		if secured, err = v.secure(c, to); err != nil {
			return verdict, nil, err
		}
		defer secured.Close()
		conn = secured
	}
	resp, end, err := v.exchange(ctx, conn, secured, to)
	if err != nil {
		return verdict, nil, err
	}
	defer end()
	if next = v.web.redirects.location(resp); next != nil {
		return verdict, next, nil
	}
	verdict, err = v.verdict(resp)
	return verdict, nil, err
}

// dial connects to the host, or for it to the proxy.
func (v *visit) dial(ctx context.Context, to ask.Target) (*reach.Conn, error) {
	if v.proxy.Given() {
		return v.dialProxy(ctx, to)
	}
	by := &v.Options
	if to.Host != v.host {
		by = by.Elsewhere()
	}
	addr, err := v.address(ctx, by, to.Host, to.Port)
	if err != nil {
		return nil, err
	}
	c, err := by.Dial(ctx, v.deadline, addr)
	if err == nil {
		v.clock.lap(connecting)
	}
	return c, err
}

// address is where a host and its port are.
func (v *visit) address(ctx context.Context, by *reach.Options, host string, port uint16) (netip.AddrPort, error) {
	to, err := by.Target(ctx, v.deadline, host, port)
	if err == nil && !by.To.Given() && to.Addr().String() != host {
		v.clock.lap(resolving)
	}
	return to, err
}

// dialProxy connects to the proxy, and through it to the host for TLS. A proxy
// that cannot be used says nothing of the host.
func (v *visit) dialProxy(ctx context.Context, to ask.Target) (*reach.Conn, error) {
	addr, err := v.address(ctx, &v.Options, v.proxy.Host, v.proxy.Port)
	if err != nil {
		return nil, err
	}
	c, err := v.Dial(ctx, v.deadline, addr)
	if err != nil {
		return nil, monitor.Fault(fmt.Errorf("the proxy cannot be used: %w", err))
	}
	v.clock.lap(connecting)
	if !to.TLS {
		return c, nil
	}
	if err := v.tunnel(c, to); err != nil {
		c.Close()
		return nil, err
	}
	v.clock.lap(tunnelling)
	return c, nil
}

// tunnel has the proxy connect c to the host.
func (v *visit) tunnel(c *reach.Conn, to ask.Target) error {
	refusal, err := exchange.Tunnel(c, v.proxy.Connect(to))
	switch {
	case err != nil && errors.Is(err, context.Canceled):
		return err
	case err != nil && monitor.IsLate(err):
		return monitor.Late("the proxy connects to the host")
	case err != nil:
		return monitor.Fault(fmt.Errorf("the proxy cannot be used: %w", err))
	case refusal == nil:
		return nil
	}
	err = fmt.Errorf("the proxy does not connect to the host: status %s", refusal.Line)
	if refusal.Code < 500 { // it did not try: 403, 405, 407 and such
		return monitor.Fault(err)
	}
	return err
}

// secure begins TLS and judges how long the certificates last.
func (v *visit) secure(c *reach.Conn, to ask.Target) (*tls.Conn, error) {
	var protocols []string
	if v.http2 {
		protocols = []string{exchange.Protocol}
	}
	name := v.web.ask.ServerName(to)
	if v.tls.Name != "" && !to.Foreign {
		name = v.tls.Name
	}
	secured, err := v.tls.Client(c, name, protocols...)
	if err != nil && strings.Contains(err.Error(), "no application protocol") {
		return nil, errNoHTTP2
	}
	if err != nil {
		return nil, err
	}
	v.clock.lap(securing)
	state := secured.ConnectionState()
	if v.http2 && state.NegotiatedProtocol != exchange.Protocol {
		secured.Close()
		return nil, errNoHTTP2
	}
	if err := v.expiry(state); err != nil {
		secured.Close()
		return nil, err
	}
	return secured, nil
}

// errNoHTTP2 is the error of a host that can do less than it should.
var errNoHTTP2 = errors.New("the host does not offer HTTP/2 (ALPN h2)")

// expiry judges how long the certificates last.
func (v *visit) expiry(state tls.ConnectionState) error {
	now := time.Now()
	if cert := reach.Ending(state); cert != nil {
		v.days, v.hasDays = cert.NotAfter.Sub(now).Hours()/24, true
	}
	warning, err := v.tls.Expiry(state, now)
	if warning != "" {
		v.warn("%s", warning)
	}
	return err
}

// exchange sends the request and reads the answer up to the body.
func (v *visit) exchange(ctx context.Context, c net.Conn, secured *tls.Conn, to ask.Target) (*exchange.Response, func(), error) {
	answered := func() { v.clock.lap(answering) }
	if v.http2 && secured != nil {
		req, err := v.web.ask.Request(ctx, to)
		if err != nil {
			return nil, nil, err
		}
		return v.talker.Ask(ctx, v.deadline, secured, req, answered)
	}
	var through *ask.Proxy
	if v.proxy.Given() && !to.TLS {
		through = &v.proxy
	}
	b, err := v.web.ask.Bytes(to, through)
	if err != nil {
		return nil, nil, err
	}
	resp, err := exchange.HTTP1(c, b, v.web.ask.Method(to), answered)
	return resp, func() {}, err
}

// verdict reads the body, if the head is well, and judges it.
func (v *visit) verdict(resp *exchange.Response) (judge.Verdict, error) {
	if v.proxy.Given() && resp.Code == http.StatusProxyAuthRequired {
		return judge.Verdict{}, monitor.Fault(errors.New("the proxy wants a name and a password, or others (status 407)"))
	}
	if err := v.judge.Head(&resp.Answer, time.Now()); err != nil {
		return judge.Verdict{}, err
	}
	looked := v.judge.Bodies() != ""
	err := resp.Read(exchange.Use{
		Most: int64(v.judge.Most), Keep: looked, Decode: looked || v.web.ask.Compressed(),
	})
	v.size, v.hasSize = resp.Size, true
	if err != nil {
		return judge.Verdict{}, err
	}
	verdict, err := v.judge.Body(&resp.Answer)
	if err == nil {
		v.weigh(&resp.Answer)
	}
	return verdict, err
}

// weigh takes the weight that the answer gives the host.
func (v *visit) weigh(a *judge.Answer) {
	weight, asked, err := v.judge.Weight(a)
	switch {
	case err != nil:
		v.warn("%v", err)
	case asked:
		v.weight, v.hasWeight = weight, true
	}
}

// perf is what was measured.
func (v *visit) perf() map[string]float64 {
	perf := v.clock.perf()
	if v.hasSize {
		perf["size_bytes"] = float64(v.size)
	}
	if v.hasDays {
		perf["cert_days"] = v.days
	}
	if v.hasWeight {
		perf["weight"] = v.weight
	}
	return perf
}
