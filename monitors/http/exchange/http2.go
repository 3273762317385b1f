package exchange

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach"
)

// Protocol is what HTTP/2 is called when a connection is agreed on (RFC 9113,
// section 3.2).
const Protocol = "h2"

// HTTP2 speaks HTTP/2. The zero value is ready; it is for concurrent use and
// keeps no connections.
type HTTP2 struct {
	once      sync.Once
	transport *http.Transport
}

// connection is the key of the connection in a context: there is no other way
// to hand one to a Transport.
type connection struct{}

// prepare makes the transport. It never connects: the connection is there.
func (h *HTTP2) prepare() {
	var only http.Protocols
	only.SetHTTP2(true)
	h.transport = &http.Transport{
		Protocols:              &only,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return ctx.Value(connection{}).(*tls.Conn), nil
		},
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerConnection: 1 << 20, MaxReceiveBufferPerStream: 256 << 10},
	}
}

// Ask sends req on c, which has agreed on [Protocol], and reads the answer up
// to the body. end ends the conversation; c is closed by its owner. ctx is to
// have the connection's deadline.
func (h *HTTP2) Ask(ctx context.Context, deadline time.Time, c *tls.Conn, req *http.Request, answered func()) (r *Response, end func(), err error) {
	h.once.Do(h.prepare)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	cc, err := h.transport.NewClientConn(context.WithValue(ctx, connection{}, c), "https", c.RemoteAddr().String())
	if err != nil {
		cancel()
		return nil, nil, reach.Failure("begin HTTP/2", err)
	}
	end = func() { cancel(); _ = cc.Close() }
	resp, err := cc.RoundTrip(req.WithContext(ctx))
	if err != nil {
		end()
		if strings.Contains(err.Error(), "header list") { // there is no type to tell it by
			return nil, nil, errHeader
		}
		return nil, nil, reach.Failure("wait for the answer", err)
	}
	answered()
	return response(resp), end, nil
}
