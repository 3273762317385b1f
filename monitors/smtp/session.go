package smtpmon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/monitors/tcp/replies"
)

// session is the conversation with one host.
type session struct {
	*probe
	host string

	conn *reach.Conn
	talk *replies.Dialogue
	// secured is nil without TLS.
	secured *tls.Conn
	// offers is what the server said to EHLO last, nil if it knows HELO only.
	offers offers
	// upgradable is whether the server offered STARTTLS, which it does no more
	// once TLS has begun.
	upgradable bool
	laps       *reach.Laps
	// steps is what went well, for the detail.
	steps []string
	// remarks are what makes a healthy host worth a look.
	remarks []string
}

// detail is what went well.
func (s *session) detail() string { return strings.Join(s.steps, ", ") }

// did adds a step to the detail.
func (s *session) did(format string, args ...any) {
	s.steps = append(s.steps, fmt.Sprintf(format, args...))
}

// note adds a remark, if there is any.
func (s *session) note(remark string) {
	if remark != "" {
		s.remarks = append(s.remarks, remark)
	}
}

// visit is the whole conversation.
func (s *session) visit(ctx context.Context, deadline time.Time, to netip.AddrPort) error {
	c, err := s.Dial(ctx, deadline, to)
	if err != nil {
		return err
	}
	defer c.Close()
	s.laps.Lap("connect")
	s.conn, s.talk = c, replies.New(c, replies.Strict)
	defer func() {
		if s.secured != nil {
			_ = s.secured.Close()
		}
	}()
	for _, step := range []func() error{s.begin, s.upgrade, s.offersAll, s.authenticate, s.transact, s.quit} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// begin is the greeting and the introduction.
func (s *session) begin() error {
	if s.tls.On {
		if err := s.encrypt(); err != nil {
			return err
		}
	}
	r, err := s.talk.Wait("greeting", 220)
	switch {
	case err != nil:
		return err
	case s.banner.Regexp != nil && !s.banner.MatchString(r.Text()):
		return fmt.Errorf("the greeting %s does not match %q", r, s.banner.String())
	}
	s.did("%s", r)
	s.laps.Lap("greeting")
	return s.hello()
}

// hello introduces this machine. A server that refuses EHLO is asked again in
// the old way.
func (s *session) hello() error {
	verb := "EHLO"
	if s.lmtp {
		verb = "LHLO"
	}
	r, err := s.talk.Ask(verb, verb+" "+s.name(), 250)
	if err == nil {
		s.offers = offered(r)
		s.upgradable = s.upgradable || s.offers.has("STARTTLS")
		return nil
	}
	if _, ok := errors.AsType[*replies.Refusal](err); !ok || !r.Refuses() || s.lmtp {
		return err
	}
	if _, helo := s.talk.Ask("HELO", "HELO "+s.name(), 250); helo != nil {
		return fmt.Errorf("%w; %w", err, helo)
	}
	s.did("knows HELO only")
	return nil
}

// name is what this machine calls itself: RFC 5321 4.1.4 wants its full name,
// or its address.
func (s *session) name() string {
	if s.ehlo != "" {
		return string(s.ehlo)
	}
	var own name
	if h, err := os.Hostname(); err == nil && strings.Contains(h, ".") && own.Set(h) == nil {
		return string(own)
	}
	return literal(s.conn.LocalAddr())
}

// literal is an address as RFC 5321 4.1.3 writes it in the place of a name.
func literal(a net.Addr) string {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return "localhost"
	}
	own := ap.Addr().Unmap().WithZone("")
	if own.Is6() {
		return "[IPv6:" + own.String() + "]"
	}
	return "[" + own.String() + "]"
}

// upgrade begins TLS if it is asked for and offered.
func (s *session) upgrade() error {
	switch {
	case !s.upgrades():
		return nil
	case !s.upgradable && s.require:
		return fmt.Errorf("the server offers no STARTTLS; it offers %s", s.offers)
	case !s.upgradable:
		s.did("no STARTTLS offered")
		return nil
	}
	if _, err := s.talk.Ask("STARTTLS", "STARTTLS", 220); err != nil {
		return err
	}
	if err := s.encrypt(); err != nil {
		return err
	}
	s.offers = nil // RFC 3207 4.2: what was said in the clear does not count
	return s.hello()
}

// encrypt begins TLS.
func (s *session) encrypt() error {
	return s.talk.Upgrade(func() (net.Conn, error) {
		var err error
		if s.secured, err = s.tls.Handshake(s.conn, s.host); err != nil {
			return nil, err
		}
		s.laps.Lap("tls")
		state := s.secured.ConnectionState()
		s.did("%s", tls.VersionName(state.Version))
		warning, err := s.tls.Expiry(state, time.Now())
		if err != nil {
			return nil, err
		}
		s.note(warning)
		return s.secured, nil
	})
}

// offersAll is an error if the server does not offer all that it should.
func (s *session) offersAll() error {
	var missing []string
	for _, e := range s.expect {
		if !s.offers.has(e) && (e != "STARTTLS" || !s.upgradable) {
			missing = append(missing, e)
		}
	}
	switch {
	case len(missing) > 0:
		return fmt.Errorf("the server does not offer %s; it offers %s", strings.Join(missing, ", "), s.offers)
	case len(s.expect) > 0:
		s.did("offers %s", &s.expect)
	}
	return nil
}

// transact begins to send a mail and takes it back.
func (s *session) transact() error {
	if s.from == "" && s.to == "" {
		return nil
	}
	if _, err := s.talk.Ask("MAIL FROM:"+s.from.path(), "MAIL FROM:"+s.from.path(), 250); err != nil {
		return err
	}
	s.did("takes mail from %s", s.from.path())
	if s.to != "" {
		if _, err := s.talk.Ask("RCPT TO:"+s.to.path(), "RCPT TO:"+s.to.path(), 250, 251); err != nil {
			return err
		}
		s.did("to %s", s.to.path())
	}
	_, err := s.talk.Ask("RSET", "RSET", 250)
	return err
}

// quit says goodbye, which a server has to answer (RFC 5321 4.1.1.10).
func (s *session) quit() error {
	_, err := s.talk.Ask("QUIT", "QUIT", 221)
	return err
}
