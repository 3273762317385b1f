package ftp

import (
	"encoding/hex"
	"errors"
	"hash"
	"io"

	"github.com/mondhq/mond/monitors/tcp/reach"
)

// collector takes what comes, and keeps no more of it than is asked for.
type collector struct {
	n    int64
	more bool
	keep bool
	kept []byte
	// sum is nil unless a digest is asked for; kind is its name.
	sum  hash.Hash
	kind string
}

func (s *session) collector() *collector {
	c := &collector{keep: s.match.Regexp != nil, kind: s.digest.kind}
	if s.digest.hash != nil {
		c.sum = s.digest.hash()
	}
	return c
}

// digest is that of all that came, written as the option is.
func (c *collector) digest() string { return c.kind + ":" + hex.EncodeToString(c.sum.Sum(nil)) }

// Write takes a piece.
func (c *collector) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	if c.keep {
		c.kept = append(c.kept, b...)
	}
	if c.sum != nil {
		c.sum.Write(b)
	}
	return len(b), nil
}

// read takes up to most bytes, and finds out whether there is more.
func (c *collector) read(r io.Reader, most int64) error {
	n, err := io.Copy(c, io.LimitReader(r, most))
	if err == nil && n == most {
		n, err = io.CopyN(io.Discard, r, 1)
		c.more = n > 0
	}
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return err
	}
	return reach.Failure("read the data", err)
}
