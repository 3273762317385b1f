package ftp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/monitors/tcp/replies"
	"github.com/mondhq/mond/plugins/monitor"
)

const (
	// maxWaits is how many times a server may say "ready in n minutes" (120).
	maxWaits = 5
	// patience is how long a server may take for a goodbye that nothing
	// depends on.
	patience = time.Second
)

// session is the conversation with one host.
type session struct {
	*probe
	deadline time.Time
	host     string
	peer     netip.AddrPort

	control *reach.Conn
	talk    *replies.Dialogue
	// secured is nil without TLS.
	secured *tls.Conn
	laps    *reach.Laps
	// steps is what went well, for the detail.
	steps []string
	// lie is an address that the server named to PASV and that is not its own.
	lie string
	// remarks are what makes a healthy host worth a look.
	remarks []string
}

// detail is what went well.
func (s *session) detail() string { return strings.Join(s.steps, ", ") + s.aside() }

// aside tells of an address that was not followed.
func (s *session) aside() string {
	if s.lie == "" {
		return ""
	}
	return fmt.Sprintf("; to PASV it names %s, which was not followed (--follow-pasv would)", s.lie)
}

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
func (s *session) visit(ctx context.Context) error {
	c, err := s.Dial(ctx, s.deadline, s.peer)
	if err != nil {
		return err
	}
	defer c.Close()
	s.laps.Lap("connect")
	if s.tls.On || s.implicit {
		// A server may want the control connection's session for data, to know
		// that both come from the same client.
		c.Sessions = tls.NewLRUClientSessionCache(1)
	}
	s.control, s.talk = c, replies.New(c, replies.Loose)
	defer func() {
		if s.secured != nil {
			_ = s.secured.Close()
		}
	}()
	if err := s.begin(); err != nil {
		return err
	}
	if s.logsIn() {
		if err := s.enter(); err != nil {
			return err
		}
	}
	if s.transfers() {
		if whole, err := s.fetch(ctx); err != nil || !whole {
			return err
		}
	}
	s.quit()
	return nil
}

// begin is all up to the login: greeting and TLS.
func (s *session) begin() error {
	if s.implicit {
		if err := s.encrypt(); err != nil {
			return err
		}
	}
	if err := s.greeting(); err != nil {
		return err
	}
	if !s.tls.On {
		return nil
	}
	if _, err := s.talk.Ask("AUTH TLS", "AUTH TLS", 234); err != nil {
		return err
	}
	return s.encrypt()
}

// greeting waits for the server to be ready.
func (s *session) greeting() error {
	for range maxWaits {
		r, err := s.talk.Wait("greeting", 220, 120)
		switch {
		case err != nil:
			return err
		case r.Code == 120:
			s.did("asked to wait %s", r)
			continue
		case s.banner.Regexp != nil && !s.banner.MatchString(r.Text()):
			return fmt.Errorf("the greeting %s does not match %q", r, s.banner.String())
		}
		s.did("%s", r)
		s.laps.Lap("greeting")
		return nil
	}
	return fmt.Errorf("the host asked %d times to wait (120)", maxWaits)
}

// encrypt begins TLS on the control connection.
func (s *session) encrypt() error {
	return s.talk.Upgrade(func() (net.Conn, error) {
		var err error
		if s.secured, err = s.tls.Handshake(s.control, s.host); err != nil {
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

// enter logs in and, with TLS, has data encrypted too.
func (s *session) enter() error {
	user, password, err := s.credentials()
	if err != nil {
		return err
	}
	r, err := s.talk.Ask("USER", "USER "+user, 230, 331)
	if err != nil {
		return err
	}
	if r.Code == 331 {
		if _, err := s.talk.Ask("PASS", "PASS "+password, 230, 202); err != nil {
			return fmt.Errorf("log in as %s: %w", user, err)
		}
	}
	s.did("logged in as %s", user)
	s.laps.Lap("login")
	if s.secured == nil {
		return nil
	}
	if _, err := s.talk.Ask("PBSZ 0", "PBSZ 0", 200); err != nil {
		return err
	}
	_, err = s.talk.Ask("PROT P", "PROT P", 200)
	return err
}

// credentials are those of the options, else those of everybody.
func (s *session) credentials() (user, password string, err error) {
	user = s.login.User
	if user == "" {
		user = "anonymous"
	}
	if !s.login.HasPassword() {
		return user, "mond@", nil // RFC 1635: say who you are
	}
	password, remark, err := s.login.Password()
	s.note(remark)
	s.talk.Hide(password)
	return user, password, err
}

// quit says goodbye. What becomes of it does not matter: the host has shown
// that it is well.
func (s *session) quit() {
	_ = s.control.SetDeadline(soonest(s.deadline, time.Now().Add(patience)))
	_, _ = s.talk.Ask("QUIT", "QUIT")
}

// reason is err, or what the server says of it on the control connection: it
// knows why a data connection came to nothing.
func (s *session) reason(err error) error {
	if monitor.IsLate(err) || errors.Is(err, context.Canceled) || monitor.Local(err) {
		return err
	}
	_ = s.control.SetDeadline(soonest(s.deadline, time.Now().Add(patience)))
	if _, told := s.talk.Wait("end of data", 226, 250); told != nil {
		if r, ok := errors.AsType[*replies.Refusal](told); ok {
			return fmt.Errorf("%w (%w)", s.explained(r), err)
		}
	}
	return err
}

func soonest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
