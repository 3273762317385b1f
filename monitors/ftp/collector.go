package ftp

import (
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
	sum  hash.Hash // nil unless a digest is asked for
}

func (s *session) collector() *collector {
	c := &collector{keep: s.match.Regexp != nil}
	if s.digest.Given() {
		c.sum = s.digest.New()
	}
	return c
}

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
