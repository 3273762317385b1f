package exchange

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"github.com/mondhq/mond/monitors/tcp/reach"
)

// Use says what a body is read for.
type Use struct {
	// Most is how many bytes are read at most, after decompression.
	Most int64
	// Keep keeps them in Answer.Body.
	Keep bool
	// Decode undoes gzip and deflate.
	Decode bool
}

// Read reads as much of the body as may be.
func (r *Response) Read(u Use) error {
	wire := &source{Reader: r.body}
	var body io.Reader = wire
	var err error
	decoded := u.Decode && r.decodable()
	if decoded {
		// What is compressed to more than it was is not worth reading.
		wire.bound, wire.left = true, u.Most+64<<10
		if body, err = decoder(r.Encoded, wire); err != nil {
			return r.undecoded(wire, err)
		}
	}
	err = r.take(io.LimitReader(body, u.Most), u.Keep)
	r.Cut = r.Size == u.Most && (decoded || r.length != r.Size)
	switch {
	case err == nil || r.unframed && wire.err == err && errors.Is(err, io.ErrUnexpectedEOF):
		// Where the end of the connection is that of the body, many hosts leave
		// TLS out of the goodbye.
	case wire.err == nil || errors.Is(wire.err, io.EOF):
		return r.undecoded(wire, err)
	default:
		return r.truncated(wire)
	}
	if decoded {
		r.Encoded = ""
	}
	return nil
}

// take reads a body and keeps it if it is asked to.
func (r *Response) take(body io.Reader, keep bool) (err error) {
	if keep {
		r.Body, err = io.ReadAll(body)
		r.Size = int64(len(r.Body))
		return err
	}
	r.Size, err = io.Copy(io.Discard, body)
	return err
}

// source is what comes from the host. It notes how much, and how it ended: what
// decodes it has errors of its own.
type source struct {
	io.Reader
	n     int64
	err   error
	bound bool
	left  int64 // how much more may come, if bound
}

func (s *source) Read(b []byte) (int, error) {
	if s.bound && int64(len(b)) > s.left {
		b = b[:s.left]
	}
	if s.bound && len(b) == 0 {
		return 0, io.EOF
	}
	n, err := s.Reader.Read(b)
	s.n += int64(n)
	s.left -= int64(n)
	if err != nil {
		s.err = err
	}
	return n, err
}

// decodable reports whether the body's encoding is one that is undone.
func (r *Response) decodable() bool {
	return r.Encoded == "gzip" || r.Encoded == "x-gzip" || r.Encoded == "deflate"
}

// decoder undoes an encoding.
func decoder(encoding string, from io.Reader) (io.Reader, error) {
	in := bufio.NewReader(from)
	start, err := in.Peek(2)
	if len(start) == 0 && errors.Is(err, io.EOF) {
		return in, nil // as after HEAD, or with status 204
	}
	switch {
	case encoding != "deflate":
		return gzip.NewReader(in)
	case len(start) == 2 && start[0]&0x0f == 8 && (int(start[0])<<8|int(start[1]))%31 == 0:
		return zlib.NewReader(in) // as RFC 9110, section 8.4.1.2 has it
	}
	return flate.NewReader(in), nil // as some hosts do it
}

// undecoded is the error of a body that is not what its encoding says.
func (r *Response) undecoded(wire *source, err error) error {
	if wire.err != nil && !errors.Is(wire.err, io.EOF) {
		return r.truncated(wire)
	}
	if wire.bound && wire.left <= 0 {
		return fmt.Errorf("status %s, but after %d bytes of %s the body has not ended and makes %d bytes of text", r.Line(), wire.n, r.Encoded, r.Size)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("status %s, but the body ends in the middle of its %s, after %d bytes", r.Line(), r.Encoded, wire.n)
	}
	return fmt.Errorf("status %s, but the body is no %s: %w", r.Line(), r.Encoded, err)
}

// truncated is the error of a body that did not come whole.
func (r *Response) truncated(wire *source) error {
	came := fmt.Sprintf("%d bytes", wire.n)
	if r.length >= 0 {
		came = fmt.Sprintf("%d of %d bytes", wire.n, r.length)
	}
	if errors.Is(wire.err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("status %s, but the host hung up after %s of the body", r.Line(), came)
	}
	return reach.Failure(fmt.Sprintf("status %s, read the body: %s came", r.Line(), came), wire.err)
}
