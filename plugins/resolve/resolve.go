// Package resolve turns the names of hosts into addresses without making
// checks wait: the first lookup of a name is waited for, all others are
// answered from memory and refreshed behind the check's back. A name that once
// had an address keeps it while the resolver is silent or says otherwise, so
// that a dead name server never takes out a server that is well.
//
// It is not a DNS client, and not for monitors whose subject is the DNS. It
// imports the standard library and plugins/monitor only.
package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
)

// The defaults of a [Resolver].
const (
	fresh  = 30 * time.Second
	retry  = 5 * time.Second
	limit  = 10 * time.Second
	atOnce = 16
	size   = 65536
)

// Resolver remembers addresses of names. The zero value is ready for use; the
// fields are not to be changed after the first lookup.
type Resolver struct {
	// Func asks for the addresses of a name; nil means Go's own resolver, which
	// reads the machine's hosts file and name servers. It is to end with ctx.
	Func func(ctx context.Context, host string) ([]netip.Addr, error)
	// Fresh is how old an answer may be before it is asked for again; 0 means
	// 30 s.
	Fresh time.Duration
	// Retry is how long after a lookup that went wrong the next one is made;
	// 0 means 5 s.
	Retry time.Duration
	// Limit is how long one lookup may take; 0 means 10 s.
	Limit time.Duration
	// AtOnce is how many lookups may run side by side; 0 means 16. Lookups that
	// hang hold their place, so that no more than this many can hang.
	AtOnce int
	// Size is how many names are remembered; 0 means 65536. Beyond it one that
	// was not asked for lately is forgotten.
	Size int

	mu    sync.Mutex
	names map[string]*name
	// slots holds a value for every lookup under way; its capacity is AtOnce.
	slots chan struct{}
}

// name is what is remembered of one name; guarded by Resolver.mu.
type name struct {
	// addrs is the last good answer and good its time; never empty again once
	// it was filled, never changed in place.
	addrs []netip.Addr
	good  time.Time
	// tried is when the last lookup ended and err how; nil if well.
	tried time.Time
	err   error
	// asking is closed when the lookup under way ends; nil without one.
	asking chan struct{}
	used   time.Time
}

// Lookup is all addresses of host, IPv4 first, else in the resolver's order. An
// address in figures is answered as it is. The error is a [*monitor.Unresolved]
// if host has no address and never had one, or if ctx ended before the first
// answer.
func (r *Resolver) Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	addrs, err := r.recall(host)
	if addrs != nil || err != nil {
		return addrs, err
	}
	return r.wait(ctx, host)
}

// recall answers from memory and starts a refresh when it is time. It answers
// nothing at all when the name must be waited for.
func (r *Resolver) recall(host string) ([]netip.Addr, error) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.nameLocked(host, now)
	if n.addrs == nil {
		if n.asking == nil && n.err != nil && !r.dueLocked(n, now) {
			return nil, &monitor.Unresolved{Host: host, Err: n.err}
		}
		return nil, nil
	}
	if n.asking == nil && r.dueLocked(n, now) {
		select {
		case r.slots <- struct{}{}:
			r.askLocked(host, n)
		default: // all are busy; one of the next checks will ask
		}
	}
	return n.addrs, nil
}

// wait waits for the first answer for host. The caller's goroutine waits for
// its turn, so that a resolver that hangs gathers no goroutines of ours.
func (r *Resolver) wait(ctx context.Context, host string) ([]netip.Addr, error) {
	done := r.asking(host)
	if done == nil {
		select {
		case r.slots <- struct{}{}:
			done = r.ask(host)
		case <-ctx.Done():
			return nil, &monitor.Unresolved{Host: host, Err: fmt.Errorf("%d other lookups have not ended: %w", cap(r.slots), ctx.Err())}
		}
	}
	select {
	case <-done:
		return r.answer(host)
	case <-ctx.Done():
		return nil, &monitor.Unresolved{Host: host, Err: fmt.Errorf("the resolver has not answered yet: %w", ctx.Err())}
	}
}

// asking is the lookup of host that is under way, nil without.
func (r *Resolver) asking(host string) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.nameLocked(host, time.Now()).asking
}

// ask starts a lookup of host in the slot that the caller took. If others did
// so while the caller waited for it, the slot is given back and theirs joined.
func (r *Resolver) ask(host string) <-chan struct{} {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.nameLocked(host, now)
	switch {
	case n.asking != nil:
		<-r.slots
	case n.tried.IsZero() || r.dueLocked(n, now):
		r.askLocked(host, n)
	default:
		<-r.slots
		ended := make(chan struct{})
		close(ended)
		return ended
	}
	return n.asking
}

// answer is the outcome of a lookup of host that has just ended.
func (r *Resolver) answer(host string) ([]netip.Addr, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.nameLocked(host, time.Now())
	if n.addrs != nil {
		return n.addrs, nil
	}
	return nil, &monitor.Unresolved{Host: host, Err: cmp.Or(n.err, errForgotten)}
}

// errForgotten is for a name that was pushed out of memory while it was waited
// for.
var errForgotten = errors.New("more names than can be remembered")

// askLocked starts the lookup of host. The caller holds a slot for it.
func (r *Resolver) askLocked(host string, n *name) {
	done := make(chan struct{})
	n.asking = done
	// The lookup has a limit of its own: a check that is cut short must not
	// spoil the answer for the others.
	go func() {
		defer func() { <-r.slots }()
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(r.Limit, limit))
		defer cancel()
		addrs, err := r.query(ctx, host)
		r.mu.Lock()
		defer r.mu.Unlock()
		n.asking, n.tried, n.err = nil, time.Now(), err
		if err == nil {
			n.addrs, n.good = addrs, n.tried
		}
	}()
}

// query asks once.
func (r *Resolver) query(ctx context.Context, host string) ([]netip.Addr, error) {
	ask := r.Func
	if ask == nil {
		ask = system
	}
	addrs, err := ask(ctx, host)
	if err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, errors.New("the answer has no address")
	}
	return ordered(addrs), nil
}

// system asks Go's own resolver: the C library's would hold a thread for every
// lookup that hangs.
func system(ctx context.Context, host string) ([]netip.Addr, error) {
	return (&net.Resolver{PreferGo: true}).LookupNetIP(ctx, "ip", host)
}

// ordered is addrs without repetitions, IPv4 first.
func ordered(addrs []netip.Addr) []netip.Addr {
	out := make([]netip.Addr, 0, len(addrs))
	for _, a := range addrs {
		if a = a.Unmap(); !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b netip.Addr) int { return cmp.Compare(a.BitLen(), b.BitLen()) })
	return out
}

// dueLocked reports whether n is to be asked for again.
func (r *Resolver) dueLocked(n *name, now time.Time) bool {
	pause := cmp.Or(r.Fresh, fresh)
	if n.err != nil {
		pause = min(pause, cmp.Or(r.Retry, retry))
	}
	return now.Sub(n.tried) >= pause
}

// nameLocked is what is remembered of host, made if there is nothing yet.
func (r *Resolver) nameLocked(host string, now time.Time) *name {
	if r.names == nil {
		r.names = map[string]*name{}
		r.slots = make(chan struct{}, cmp.Or(r.AtOnce, atOnce))
	}
	n := r.names[host]
	if n == nil {
		r.makeRoomLocked()
		n = new(name)
		r.names[host] = n
	}
	n.used = now
	return n
}

// makeRoomLocked forgets a name if there are too many: of a few taken by lot,
// the one not used for longest. Names being asked for stay, so that there may
// be AtOnce more than Size.
func (r *Resolver) makeRoomLocked() {
	if len(r.names) < cmp.Or(r.Size, size) {
		return
	}
	const few = 8
	var oldest string
	seen := 0
	for host, n := range r.names {
		if n.asking != nil {
			continue
		}
		if seen == 0 || n.used.Before(r.names[oldest].used) {
			oldest = host
		}
		if seen++; seen == few {
			break
		}
	}
	if seen > 0 {
		delete(r.names, oldest)
	}
}

// Age is how long ago host was last resolved; false if it never was. It is
// more than Fresh for names that nobody asked for lately, and for those whose
// lookups go wrong: [Resolver.LastError] tells them apart.
func (r *Resolver) Age(host string) (time.Duration, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.names[host]
	if n == nil || n.addrs == nil {
		return 0, false
	}
	return time.Since(n.good), true
}

// LastError is how the last lookup of host went wrong; nil if it went well or
// there was none.
func (r *Resolver) LastError(host string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.names[host]; n != nil {
		return n.err
	}
	return nil
}
