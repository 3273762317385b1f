// Package exchange sends a request on a connection and reads the answer, as
// HTTP/1.1 or HTTP/2. Whatever the peer sends, it holds no more in memory than
// it is told; the connection's deadline covers all of it.
//
// It connects to nobody, follows nothing and judges nothing: monitors/http
// does the first, monitors/http/judge the last.
package exchange

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"syscall"

	"github.com/mondhq/mond/monitors/http/judge"
	"github.com/mondhq/mond/monitors/tcp/reach"
)

const (
	// maxHeader is how many bytes may come before the body.
	maxHeader = 64 << 10
	// maxInterim is how many answers of the kind "wait, more to come" (1xx) may
	// precede the answer.
	maxInterim = 5
)

// errHeader is the error of a host that does not come to the body.
var errHeader = fmt.Errorf("more than %d bytes of headers", maxHeader)

// Response is an answer of which the body was not read yet. It is of use as
// long as the connection is open, and needs no closing of its own.
type Response struct {
	judge.Answer
	body io.Reader
	// length is that of the body as the headers give it, -1 if they do not.
	length int64
	// unframed says that only the end of the connection ends the body.
	unframed bool
}

// gate lets n bytes through.
type gate struct {
	io.Reader
	n int64
}

func (g *gate) Read(b []byte) (int, error) {
	if g.n <= 0 {
		return 0, errHeader
	}
	n, err := g.Reader.Read(b[:min(int64(len(b)), g.n)])
	g.n -= int64(n)
	return n, err
}

// HTTP1 sends the bytes of a request and reads the answer to the method up to
// the body. answered is called when its first byte has come.
func HTTP1(c io.ReadWriter, request []byte, method string, answered func()) (*Response, error) {
	_, unsent := c.Write(request)
	if unsent != nil && !hungUp(unsent) {
		return nil, reach.Failure("send the request", unsent)
	}
	// A host may answer and hang up before it has all of a long request.
	through := &gate{c, maxHeader}
	resp, err := head(bufio.NewReader(through), through, method, answered)
	switch {
	case err == nil:
		through.n = math.MaxInt64 // the body has its own measure
		return response(resp), nil
	case unsent != nil:
		return nil, reach.Failure("send the request", unsent)
	}
	return nil, err
}

// hungUp reports whether err is that of a peer that takes no more.
func hungUp(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// response is resp as others see it. Its body is never closed: that would read
// all of it, and some have no end.
func response(resp *http.Response) *Response {
	r := &Response{body: resp.Body, length: resp.ContentLength}
	r.Code, r.Status, r.Header = resp.StatusCode, resp.Status, resp.Header
	r.Encoded = encoding(resp)
	r.unframed = resp.ProtoMajor < 2 && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0
	return r
}

// encoding is the Content-Encoding, empty if there is none.
func encoding(resp *http.Response) string {
	e := resp.Header["Content-Encoding"]
	if len(e) == 0 {
		return ""
	}
	if all := strings.ToLower(strings.TrimSpace(strings.Join(e, ", "))); all != "identity" {
		return all
	}
	return ""
}

// head reads all that precedes the body; through is where r reads from.
func head(r *bufio.Reader, through *gate, method string, answered func()) (*http.Response, error) {
	if _, err := r.Peek(1); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the host hung up without an answer")
		}
		return nil, reach.Failure("wait for the answer", err)
	}
	answered()
	var to *http.Request // nil is for GET
	if method != http.MethodGet {
		to = &http.Request{Method: method}
	}
	resp, err := lastHead(r, to)
	if err != nil && through.n <= 0 {
		err = errHeader // whatever the parser made of the last, cut line
	}
	return resp, err
}

// lastHead reads answers until one is no interim answer.
func lastHead(r *bufio.Reader, to *http.Request) (*http.Response, error) {
	for range maxInterim + 1 {
		resp, err := http.ReadResponse(r, to)
		switch {
		case err == nil && (resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols):
			return resp, nil
		case err == nil:
			continue
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, errors.New("the host hung up within the headers")
		}
		return nil, reach.Failure("read the headers", err)
	}
	return nil, fmt.Errorf("more than %d interim answers (1xx)", maxInterim)
}

// Tunnel asks a proxy for a connection with a host, which c is from then on.
// A proxy that refuses is an error with what it answered.
func Tunnel(c io.ReadWriter, request []byte) (*Refusal, error) {
	if _, err := c.Write(request); err != nil {
		return nil, reach.Failure("send the request", err)
	}
	through := &gate{c, maxHeader}
	r := bufio.NewReader(through)
	resp, err := head(r, through, http.MethodConnect, func() {})
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return &Refusal{resp.StatusCode, response(resp).Line()}, nil
	case r.Buffered() > 0:
		return nil, errors.New("it sent more than its answer, though no host has spoken yet")
	}
	return nil, nil
}

// Refusal is the answer of a proxy that does not connect.
type Refusal struct {
	Code int
	Line string
}
