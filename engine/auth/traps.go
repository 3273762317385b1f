package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Resolve looks up the addresses of a host.
type Resolve func(ctx context.Context, host string) ([]netip.Addr, error)

const (
	// resolveLimit is how long all names of a file may take together,
	// resolveAtOnce how many are looked up at a time.
	resolveLimit  = 5 * time.Second
	resolveAtOnce = 8
	// mostAddresses bounds those of one name.
	mostAddresses = 256
)

// senders are who may send traps, by address.
type senders struct {
	// any are those at every address; where there are any, hosts do not matter.
	any   *sender
	hosts map[netip.Addr]*sender
	// names are the addresses of names, to be kept if a name server is away
	// when the file is read again.
	names map[string][]netip.Addr
}

// sender is a host, or every host.
type sender struct {
	// open lets it send traps without user and password.
	open  bool
	users *Users
}

// find is what is said of an address, nil if nothing is.
func (s *senders) find(from netip.Addr) *sender {
	if s.any != nil {
		return s.any
	}
	return s.hosts[plain(from)]
}

// resolveSenders looks up the hosts of the trap section. A name that has no
// address keeps the ones that it had before.
func resolveSenders(ctx context.Context, file string, r *Rules, resolve Resolve, before *senders) (*senders, []Problem) {
	names := map[string]lookup{}
	for _, t := range r.traps {
		if t.host != "*" && !t.addr.IsValid() {
			names[t.host] = lookup{err: fmt.Errorf("no answer in %s", resolveLimit)}
		}
	}
	lookUp(ctx, names, resolve)
	s := &senders{hosts: map[netip.Addr]*sender{}, names: map[string][]netip.Addr{}}
	var problems []Problem
	for _, t := range r.traps {
		found := names[t.host]
		if found.err != nil {
			problems = append(problems, Problem{File: file, Line: t.line, Text: s.keep(t.host, found.err, before)})
		} else if len(found.addrs) > 0 {
			s.names[t.host] = found.addrs
		}
		s.add(t)
	}
	return s, problems
}

// keep takes the addresses that a name had before, and says so.
func (s *senders) keep(host string, err error, before *senders) string {
	if before != nil && len(before.names[host]) > 0 {
		s.names[host] = before.names[host]
		return fmt.Sprintf("look up %s: %v: its addresses are taken to be those of before", host, err)
	}
	return fmt.Sprintf("look up %s: %v: it may not send traps until this file is read again (moncmd reload auth)", host, err)
}

// add takes up a line. As in mon the last one of a host and a user counts.
func (s *senders) add(t trapLine) {
	switch {
	case t.host == "*":
		if s.any == nil {
			s.any = newSender()
		}
		s.any.add(t)
	case t.addr.IsValid():
		s.at(t.addr).add(t)
	}
	for _, addr := range s.names[t.host] {
		s.at(addr).add(t)
	}
}

func (s *senders) at(addr netip.Addr) *sender {
	if s.hosts[addr] == nil {
		s.hosts[addr] = newSender()
	}
	return s.hosts[addr]
}

func newSender() *sender { return &sender{users: &Users{hashes: map[string]string{}}} }

func (s *sender) add(t trapLine) {
	if t.user == "*" {
		s.open = true
		return
	}
	if _, twice := s.users.hashes[t.user]; !twice {
		s.users.names = append(s.users.names, t.user)
	}
	s.users.hashes[t.user] = t.hash
}

// lookup is what came of looking up a name.
type lookup struct {
	addrs []netip.Addr
	err   error
}

// lookUp fills in names, as far as the time allows.
func lookUp(ctx context.Context, names map[string]lookup, resolve Resolve) {
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	type answer struct {
		name string
		lookup
	}
	// With room for all of them no lookup waits for a reader that gave up; one
	// that does not heed its context is left behind.
	answers, turns := make(chan answer, len(names)), make(gate, resolveAtOnce)
	for name := range names {
		go func() {
			if turns.enter(ctx) != nil {
				return
			}
			defer turns.leave()
			addrs, err := resolve(ctx, name)
			answers <- answer{name, lookup{usable(addrs), err}}
		}()
	}
	for range names {
		select {
		case a := <-answers:
			if a.err == nil && len(a.addrs) == 0 {
				a.err = errors.New("no addresses")
			}
			names[a.name] = a.lookup
		case <-ctx.Done():
			return
		}
	}
}

// usable are addresses as they are compared, not too many of them.
func usable(addrs []netip.Addr) []netip.Addr {
	all := make([]netip.Addr, 0, min(len(addrs), mostAddresses))
	for _, a := range addrs[:cap(all)] {
		all = append(all, plain(a))
	}
	return all
}
