package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/mondhq/mond/engine/auth/crypt"
)

// longestName bounds the name of a user.
const longestName = 256

// Login is nil if password is that of user; from is where he asks. Its error is
// for the log and tells too much for whoever asked; it is a [Limited] if there
// were too many wrong passwords before.
func (a *Auth) Login(ctx context.Context, from netip.Addr, user, password string) error {
	if user == "" || len(user) > longestName || len(password) > crypt.LongestPassword {
		return fmt.Errorf("login from %s: no name, or one of more than %d bytes, or a password of more than %d", from, longestName, crypt.LongestPassword)
	}
	t, err := a.logins.attempt(from, user, password)
	if err == nil {
		err = t.judged(ctx, a.now.Load().judges)
	}
	if err != nil {
		return fmt.Errorf("login of %q from %s: %w", user, from, err)
	}
	return nil
}

// judged asks one judge after the other, and counts what comes of it.
func (a *attempt) judged(ctx context.Context, judges []judge) error {
	said := make([]string, 0, len(judges))
	wrong := false
	for _, j := range judges {
		err := a.heard(ctx, j)
		if err == nil {
			a.succeeded(a.who)
			return nil
		}
		if limited(err) {
			return err
		}
		if _, unsure := errors.AsType[fault](err); !unsure {
			wrong = true
		}
		said = append(said, j.name+": "+err.Error())
	}
	if wrong {
		a.failed(a.who, a.now())
	}
	if len(said) == 0 {
		return errors.New("there is no authtype, so nobody can log in")
	}
	return errors.New(strings.Join(said, "; "))
}

// heard is what a judge says; all but trustlocal want a password.
func (a *attempt) heard(ctx context.Context, j judge) error {
	if a.password == "" && j.name != "trustlocal" {
		return errEmpty
	}
	return j.say(ctx, a)
}

// Trap is nil if a host may send traps with this user and password. Its error
// is for the log; it is a [Limited] if there were too many wrong passwords
// before. It may take as long as a computation of a hash.
func (a *Auth) Trap(from netip.Addr, user, password string) error {
	now := a.now.Load()
	s := now.senders.find(from)
	switch {
	case s == nil:
		return fmt.Errorf("trap from %s: this host may not send traps; add it to the trap section of %s", from, now.options.AuthFile)
	case s.open:
		return nil
	}
	if err := a.trap(s, from, user, password); err != nil {
		return fmt.Errorf("trap of %.*q from %s: %w", longestName, user, from, err)
	}
	return nil
}

// trap judges the password of a trap.
func (a *Auth) trap(s *sender, from netip.Addr, user, password string) error {
	t, err := a.traps.attempt(from, user, password)
	if err != nil {
		return err
	}
	ctx := context.Background() // the computations before it end by themselves
	hash, ok := s.users.hash(user, t.pick(user))
	if ok {
		err = t.verify(ctx, hash)
	} else {
		err = either(t.refuse(ctx, hash), errUnknown)
	}
	switch {
	case err == nil:
		t.succeeded(t.who)
	case !limited(err):
		t.failed(t.who, t.now())
	}
	return err
}
