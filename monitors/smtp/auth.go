package smtpmon

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/mondhq/mond/plugins/monitor"
)

// authenticate logs in, by PLAIN (RFC 4616) or else by LOGIN, which old servers
// know.
func (s *session) authenticate() error {
	if s.login.User == "" {
		return nil
	}
	if err := s.private(); err != nil {
		return err
	}
	password, remark, err := s.login.Password()
	if err != nil {
		return err
	}
	s.note(remark)
	coded := base64.StdEncoding.EncodeToString([]byte(password))
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + s.login.User + "\x00" + password))
	s.talk.Hide(plain, coded, password)
	switch ways := s.offers.words("AUTH"); {
	case slices.Contains(ways, "PLAIN"):
		err = s.plain(plain)
	case slices.Contains(ways, "LOGIN"):
		err = s.loginWay(coded)
	default:
		return fmt.Errorf("the server offers to log in neither by PLAIN nor by LOGIN; it offers %s", s.offers)
	}
	if err != nil {
		return fmt.Errorf("log in as %s: %w", s.login.User, err)
	}
	s.did("logged in as %s", s.login.User)
	s.laps.Lap("login")
	return nil
}

// private is an error if anybody on the way could read the password.
func (s *session) private() error {
	if s.secured != nil || s.insecureAuth {
		return nil
	}
	if ap, err := netip.ParseAddrPort(s.conn.RemoteAddr().String()); err == nil && ap.Addr().Unmap().IsLoopback() {
		return nil
	}
	if s.starttls {
		return errors.New("the server offers no STARTTLS, and the password is not sent in the clear")
	}
	return monitor.Fault(errors.New("option --user: the password is not sent in the clear: --require-tls or --tls encrypts it, --insecure-auth sends it anyway"))
}

// plain logs in by PLAIN. A server may want the credentials to wait until it
// asks for them.
func (s *session) plain(credentials string) error {
	r, err := s.talk.Ask("AUTH PLAIN", "AUTH PLAIN "+credentials, 235, 334)
	if err == nil && r.Code == 334 {
		_, err = s.talk.Ask("AUTH PLAIN", credentials, 235)
	}
	return err
}

// loginWay logs in by LOGIN.
func (s *session) loginWay(password string) error {
	if _, err := s.talk.Ask("AUTH LOGIN", "AUTH LOGIN", 334); err != nil {
		return err
	}
	user := base64.StdEncoding.EncodeToString([]byte(s.login.User))
	if _, err := s.talk.Ask("AUTH LOGIN, the user", user, 334); err != nil {
		return err
	}
	_, err := s.talk.Ask("AUTH LOGIN, the password", password, 235)
	return err
}
