package httpmon

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
)

const (
	// maxHeader is how many bytes may come before the body.
	maxHeader = 64 << 10
	// maxInterim is how many answers of the kind "wait, more to come" (1xx) may
	// precede the answer.
	maxInterim = 5
	// maxStatus is how many bytes of the status the detail shows.
	maxStatus = 80
)

// errHeader is the error of a host that does not come to the body.
var errHeader = fmt.Errorf("more than %d bytes of headers", maxHeader)

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

// receive reads the answer and judges it.
func (w *web) receive(c io.Reader, clock *clock) (string, error) {
	through := &gate{c, maxHeader}
	r := bufio.NewReader(through)
	if _, err := r.Peek(1); err != nil {
		if errors.Is(err, io.EOF) {
			return "", errors.New("the host hung up without an answer")
		}
		return "", reach.Failure("wait for the answer", err)
	}
	clock.lap("first byte")
	resp, err := head(r)
	if err != nil && through.n <= 0 {
		err = errHeader // whatever the parser made of the last, cut line
	}
	if err != nil {
		return "", err
	}
	// The body is not closed: that would read all of it, and some have no end.
	// The caller closes the connection.
	if !w.accept.has(resp.StatusCode) {
		return "", fmt.Errorf("status %s, want %s", status(resp), &w.accept)
	}
	through.n = math.MaxInt64 // the body has its own measure
	return w.body(resp)
}

// head reads all that precedes the body.
func head(r *bufio.Reader) (*http.Response, error) {
	for range maxInterim + 1 {
		resp, err := http.ReadResponse(r, nil)
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

// status is that of resp in the host's words.
func status(resp *http.Response) string {
	if s := strings.TrimSpace(resp.Status); len(s) <= maxStatus {
		return s
	}
	return resp.Status[:maxStatus] + "..."
}

// body reads the body and judges it.
func (w *web) body(resp *http.Response) (string, error) {
	b, n, err := w.read(resp.Body)
	if err != nil && !endsByHangup(resp, err) {
		return "", truncated(resp, n, err)
	}
	size := fmt.Sprintf("%d bytes", n)
	if n == int64(w.most) && resp.ContentLength != n {
		size = fmt.Sprintf("the first %d bytes", n)
	}
	if w.match.Regexp == nil {
		return status(resp) + ", " + size, nil
	}
	if !w.match.Match(b) {
		return "", fmt.Errorf("status %s, but the body does not match %q (%s%s)", status(resp), w.match.String(), size, packed(resp))
	}
	return status(resp) + ", " + size + " that match", nil
}

// read reads as much of the body as may be, and keeps it if it is to be
// matched.
func (w *web) read(body io.Reader) (b []byte, n int64, err error) {
	body = io.LimitReader(body, int64(w.most))
	if w.match.Regexp != nil {
		b, err = io.ReadAll(body)
		return b, int64(len(b)), err
	}
	n, err = io.Copy(io.Discard, body)
	return nil, n, err
}

// endsByHangup reports whether the body's only end is that of the connection:
// then many hosts leave TLS out of the goodbye.
func endsByHangup(resp *http.Response, err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0
}

// truncated is the error of a body that did not come whole.
func truncated(resp *http.Response, n int64, err error) error {
	came := fmt.Sprintf("%d bytes", n)
	if resp.ContentLength >= 0 {
		came = fmt.Sprintf("%d of %d bytes", n, resp.ContentLength)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("status %s, but the host hung up after %s of the body", status(resp), came)
	}
	return reach.Failure(fmt.Sprintf("status %s, read the body: %s came", status(resp), came), err)
}

// packed is a remark about a body that cannot match since it is compressed.
func packed(resp *http.Response) string {
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return fmt.Sprintf(", encoded as %q though plain text was asked for", e)
	}
	return ""
}

// clock notes how long each step took.
type clock struct {
	last time.Time
	laps []string
}

func newClock() *clock { return &clock{last: time.Now(), laps: make([]string, 0, 4)} }

// lap ends a step.
func (c *clock) lap(step string) {
	now := time.Now()
	c.laps = append(c.laps, step+" "+monitor.Span(now.Sub(c.last)))
	c.last = now
}

// String is the steps for the end of a detail.
func (c *clock) String() string {
	if len(c.laps) == 0 {
		return ""
	}
	return "; " + strings.Join(c.laps, ", ")
}
