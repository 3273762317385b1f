package trap

import (
	"errors"
	"net/netip"
	"time"
)

const (
	// verdictLife is how long an answer of Auth holds: a password takes
	// milliseconds to judge, and a burst is of one sender as a rule.
	verdictLife = time.Second
	// wrongMost is how much of that time may go into senders that turn out to
	// be wrong: a flood of guesses must not keep the traps behind it waiting.
	wrongMost = verdictLife / 2
	// knownMost bounds how many senders are remembered, and nameMost how long
	// a name and password may be for that.
	knownMost = 10_000
	nameMost  = 1 << 10
)

// errTooMany is the answer to who was not asked about.
var errTooMany = errors.New("not judged: wrong passwords take too much time already")

type sender struct {
	from           netip.Addr
	user, password string
}

// verdicts asks Auth once a second for the same sender. The judge owns it.
type verdicts struct {
	auth  Auth
	begun time.Time        // of this second
	known map[sender]error // in it
	wrong time.Duration    // spent in it on wrong senders
	// right are senders that were right once: they are asked about however
	// many others are wrong.
	right map[sender]bool
}

func newVerdicts(auth Auth) *verdicts {
	return &verdicts{auth: auth, known: map[sender]error{}, right: map[sender]bool{}}
}

// Trap is [Auth].
func (v *verdicts) Trap(from netip.Addr, user, password string) error {
	now := time.Now()
	if since := now.Sub(v.begun); since < 0 || since >= verdictLife {
		clear(v.known)
		v.begun, v.wrong = now, 0
	}
	who := sender{from, user, password}
	if err, ok := v.known[who]; ok {
		return err
	}
	if v.wrong >= wrongMost && !v.right[who] {
		return errTooMany
	}
	err := v.auth.Trap(from, user, password)
	v.learn(who, err, time.Since(now))
	return err
}

// learn notes how a sender turned out that took so long to judge.
func (v *verdicts) learn(who sender, err error, took time.Duration) {
	if err != nil {
		v.wrong += took
		delete(v.right, who)
	}
	if len(who.user)+len(who.password) > nameMost {
		return
	}
	if len(v.known) < knownMost {
		v.known[who] = err
	}
	if err == nil && len(v.right) < knownMost {
		v.right[who] = true
	}
}
