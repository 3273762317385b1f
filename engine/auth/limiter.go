package auth

import (
	"fmt"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Limited is the error of an attempt that was not looked at, since there were
// too many wrong passwords before it.
type Limited struct {
	// Wait is how long it will be so.
	Wait time.Duration
}

func (l Limited) Error() string {
	return fmt.Sprintf("too many wrong passwords before: not looked at for another %s", l.Wait.Round(time.Second))
}

// How many wrong passwords there may be within a window, before attempts have
// to wait: for a user from one source, from one source, and in all. A source is
// an IPv4 address or an IPv6 /64. One user of a gateway (mon.cgi, a host that
// sends traps of several programs) must not lock out the others, so the limit
// of a source is higher; attempts without a user that exists count for it too.
const (
	wrongOfUser   = 5
	wrongOfSource = 20
	wrongInAll    = 200

	window = time.Minute
	// firstWait is how long the first wait is. One that follows within a window
	// is twice as long as the last, and takes a fifth of the wrong passwords;
	// longestWait is the longest.
	firstWait   = time.Second
	longestWait = time.Minute
	// mostTracked bounds how many sources and users of sources are remembered
	// with wrong passwords, and how many sources with right ones.
	mostTracked = 4096
)

// who makes an attempt: a user, hashed, from a source. User 0 is any user of the
// source; the zero value is everybody.
type who struct {
	source netip.Prefix
	user   uint64
}

// limiter counts wrong passwords. It is for concurrent use.
type limiter struct {
	seed maphash.Seed

	mu sync.Mutex
	// wrong are the wrong passwords of users, sources and everybody.
	wrong lately[who, *tally]
	// right are the sources of right passwords, which the limit in all spares.
	right lately[netip.Prefix, struct{}]
}

func newLimiter() *limiter {
	return &limiter{seed: maphash.MakeSeed(), wrong: newLately[who, *tally](mostTracked), right: newLately[netip.Prefix, struct{}](mostTracked)}
}

// who is user at an address.
func (l *limiter) who(from netip.Addr, user string) who {
	return who{source(from), l.pick(user) | 1}
}

// pick is a number for a user, another one in each process.
func (l *limiter) pick(user string) uint64 { return maphash.String(l.seed, user) }

// source is what an address counts as: somebody who has an IPv6 address has
// 2^64 of them.
func source(from netip.Addr) netip.Prefix {
	from = plain(from)
	bits := from.BitLen()
	if from.Is6() {
		bits = 64
	}
	p, _ := from.Prefix(bits) // the zero Addr has the zero Prefix
	return p
}

// wait is nil if an attempt may be looked at, else a [Limited].
func (l *limiter) wait(w who, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wrong.size() == 0 {
		return nil
	}
	until := later(l.until(w), l.until(who{source: w.source}))
	if _, known := l.right.get(w.source); !known {
		until = later(until, l.until(who{}))
	}
	if left := until.Sub(now); left > 0 {
		return Limited{left}
	}
	return nil
}

func (l *limiter) until(w who) time.Time {
	if t, ok := l.wrong.get(w); ok {
		return t.until
	}
	return time.Time{}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// failed counts a wrong password.
func (l *limiter) failed(w who, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tallyLocked(w).add(now, wrongOfUser)
	l.tallyLocked(who{source: w.source}).add(now, wrongOfSource)
	l.tallyLocked(who{}).add(now, wrongInAll)
}

// succeeded forgets the wrong passwords of a user at a source.
func (l *limiter) succeeded(w who) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong.drop(w)
	l.right.put(w.source, struct{}{})
}

// tallyLocked is that of w, made if need be.
func (l *limiter) tallyLocked(w who) *tally {
	t, ok := l.wrong.get(w)
	if !ok {
		t = &tally{}
	}
	l.wrong.put(w, t)
	return t
}

// tally is the wrong passwords of one, and the wait that follows from them.
type tally struct {
	// recent are the times of those since the last wait began, within a window,
	// oldest first.
	recent []time.Time
	// until is when the last wait ends or ended, zero without one; length is
	// its length.
	until  time.Time
	length time.Duration
}

// add counts one more, of most in a window.
func (t *tally) add(now time.Time, most int) {
	i := 0
	for i < len(t.recent) && now.Sub(t.recent[i]) >= window {
		i++
	}
	t.recent = append(t.recent[:0], t.recent[i:]...)
	t.recent = append(t.recent, now)
	again := !t.until.IsZero() && now.Sub(t.until) < window && len(t.recent) >= most/wrongOfUser
	switch {
	case again:
		t.length = min(2*t.length, longestWait)
	case len(t.recent) >= most:
		t.length = firstWait
	default:
		return
	}
	t.recent, t.until = t.recent[:0], now.Add(t.length)
}
