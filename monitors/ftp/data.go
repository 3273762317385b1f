package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/monitors/tcp/replies"
)

// fetch gets the file or the listing and judges it. whole is false if not all
// of it was read, and the server thus left in the middle of it.
func (s *session) fetch(ctx context.Context) (whole bool, err error) {
	verb, name := "RETR", s.retr
	if s.list != "" {
		verb, name = "LIST", s.list
	} else if _, err := s.talk.Ask("TYPE I", "TYPE I", 200); err != nil {
		return false, err
	}
	to, err := s.passive()
	if err != nil {
		return false, err
	}
	c, err := s.Dial(ctx, s.deadline, to)
	if err != nil {
		return false, fmt.Errorf("data connection: %w", err)
	}
	defer c.Close()
	what := verb + " " + string(name)
	if _, err := s.talk.Ask(what, what, 125, 150); err != nil {
		return false, err
	}
	return s.receive(c, what)
}

// receive reads what comes on the data connection and how the server ends it.
func (s *session) receive(c *reach.Conn, what string) (whole bool, err error) {
	got := s.collector()
	switch err := s.drain(c, got); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		// Many servers leave TLS out of the goodbye: what they say on the
		// control connection tells a file that is whole from one that was cut.
	case err != nil:
		return false, s.reason(fmt.Errorf("%s: after %d bytes: %w", what, got.n, err))
	}
	if !got.more {
		if err := s.ended(what); err != nil {
			return false, fmt.Errorf("%w, after %d bytes", err, got.n)
		}
	}
	s.laps.Lap("data")
	return !got.more, s.judge(what, got)
}

// drain reads the data connection and ends it, since a server may wait for that
// before it says that all was sent.
func (s *session) drain(c *reach.Conn, got *collector) error {
	defer c.Close()
	if s.secured == nil {
		return got.read(c, int64(s.most))
	}
	c.Sessions = s.control.Sessions
	secured, err := s.tls.Handshake(c, s.host)
	if err != nil {
		return fmt.Errorf("data connection: %w", err)
	}
	defer secured.Close()
	return got.read(secured, int64(s.most))
}

// ended waits for the server to say that all was sent.
func (s *session) ended(what string) error {
	_, err := s.talk.Wait("end of "+what, 226, 250)
	if r, ok := errors.AsType[*replies.Refusal](err); ok {
		return s.explained(r)
	}
	return err
}

// explained is a refusal of data with what to do about the usual one: 522 is
// what vsftpd answers to a data connection with a TLS session of its own.
func (s *session) explained(r *replies.Refusal) error {
	if s.secured == nil || r.Reply.Code != 522 {
		return r
	}
	return fmt.Errorf("%w (the server wants data to go on with the TLS session of the control connection; it was offered and not taken: look at require_ssl_reuse of vsftpd, or what this server calls it)", r)
}

// judge looks at what came.
func (s *session) judge(what string, got *collector) error {
	s.laps.Note("bytes", float64(got.n))
	size := fmt.Sprintf("%d bytes", got.n)
	if got.more {
		size = fmt.Sprintf("the first %d bytes", got.n)
	}
	var digest string
	if got.sum != nil && !got.more {
		var err error
		if digest, err = s.digest.Judge(got.sum); err != nil {
			return fmt.Errorf("%s: %w (%s)", what, err, size)
		}
	}
	switch {
	case got.sum != nil && got.more:
		return fmt.Errorf("%s: --digest needs all of it, and it has more than --max-size %s", what, &s.most)
	case s.match.Regexp != nil && !s.match.Match(got.kept):
		return fmt.Errorf("%s: the data do not match %q (%s)", what, s.match.String(), size)
	case s.match.Regexp != nil:
		size += " that match"
	}
	s.did("%s: %s", what, size)
	if digest != "" {
		s.did("%s", digest)
	}
	return nil
}

// passive asks the server for a port to fetch from.
func (s *session) passive() (netip.AddrPort, error) {
	own := s.peer.Addr()
	if !s.follow {
		r, err := s.talk.Ask("EPSV", "EPSV", 229)
		if err == nil {
			port, err := extendedPort(r.Text())
			if err != nil {
				return netip.AddrPort{}, fmt.Errorf("EPSV: %s: %w", r, err)
			}
			return netip.AddrPortFrom(own, port), nil
		}
		if _, ok := errors.AsType[*replies.Refusal](err); !ok || !r.Refuses() || own.Is6() {
			return netip.AddrPort{}, err
		}
	}
	r, err := s.talk.Ask("PASV", "PASV", 227)
	if err != nil {
		return netip.AddrPort{}, err
	}
	named, err := passiveAddress(r.Text())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("PASV: %s: %w", r, err)
	}
	switch {
	case named.Addr().IsUnspecified(): // the server does not know its own
	case s.follow:
		return named, nil
	case named.Addr() != own:
		s.lie = named.Addr().String()
	}
	return netip.AddrPortFrom(own, named.Port()), nil
}
