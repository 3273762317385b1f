package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/mondhq/mond/engine/auth/crypt"
)

// guard is what stands between attempts and the work that they cause. Logins
// have one and traps another, since the source of a datagram can be forged: to
// forge bad traps must not lock out people.
type guard struct {
	*limiter
	// hashing bounds the computations at a time, for logins and traps together;
	// right is what need not be computed.
	hashing gate
	right   *memory
	now     func() time.Time
}

// attempt is a password that is looked at.
type attempt struct {
	guard
	who            who
	from           netip.Addr
	user, password string
}

// attempt begins one, if there may be one now.
func (g guard) attempt(from netip.Addr, user, password string) (*attempt, error) {
	a := &attempt{g, g.limiter.who(from, user), from, user, password}
	return a, a.wait()
}

// wait is an error while there were too many wrong passwords before.
func (a *attempt) wait() error { return a.limiter.wait(a.who, a.now()) }

// verify is nil if the password is that of a hash. All errors of it take about
// as long, those aside that tell of too many attempts.
func (a *attempt) verify(ctx context.Context, hash string) error {
	if a.right.knows(hash, a.password) {
		return nil
	}
	err := a.compute(ctx, hash)
	switch {
	case err == nil:
		a.right.remember(hash, a.password)
	case crypt.Check(hash) != nil:
		// a locked account must not be told from others by how soon it answers
		return either(a.refuse(ctx, standIn), err)
	}
	return err
}

// standIn is a hash for where there is none. Nobody knows its password.
const standIn = "$6$3oYw9pBkTqLZc1vD$fmRXNVQqY0pZ6GuoWq2u3o2mRlAqCyYk3Jx0vQe7s9b4ZtLhKcHnUdP1wEi8OaSgVr5TjXzMfBy6lDkWpGxQN/"

// refuse is for a user without a hash: it does the work that the hash of another
// one makes, so that those who are there cannot be told from those who are not.
// Its error says why it could not.
func (a *attempt) refuse(ctx context.Context, another string) error {
	if crypt.Check(another) != nil {
		another = standIn
	}
	if err := a.compute(ctx, another); limited(err) || ctx.Err() != nil {
		return err
	}
	return nil
}

// compute computes, once it is its turn. Whoever made too many attempts while
// it waited gets no turn: many connections at once are no way round the limit.
func (a *attempt) compute(ctx context.Context, hash string) error {
	if err := a.hashing.enter(ctx); err != nil {
		return fault{fmt.Errorf("wait for the passwords before it: %w", err)}
	}
	defer a.hashing.leave()
	if err := a.wait(); err != nil {
		return err
	}
	return crypt.Verify(hash, a.password)
}

func limited(err error) bool {
	_, ok := errors.AsType[Limited](err)
	return ok
}

// fault is the error of a judge that could not find out: it does not count as a
// wrong password.
type fault struct{ error }

func (f fault) Unwrap() error { return f.error }
