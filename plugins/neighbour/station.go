package neighbour

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// heard is how many claims wait for one who listens; more are dropped and
// counted: claims repeat, and one who is behind by so many is not helped by old
// ones.
const heard = 64

// maxAsked is how many addresses are kept in the kernel's filter because they
// were asked for, so that the same questions need no new one.
const maxAsked = 128

// Station is this machine on one link: it sends frames, asks, and listens. It
// may be used from several goroutines. [Station.Close] ends it.
type Station struct {
	index   int
	links   *Links
	sockets [2]*Socket // by Family
	readers sync.WaitGroup

	mu        sync.Mutex
	listeners map[*Listener]struct{}
	asked     []netip.Addr
	failure   error // that ended a reader
}

// ErrNoNeighbours says that an interface is one on which nobody asks for
// addresses: lo, a tunnel, one that is set noarp.
var ErrNoNeighbours = errors.New("it is not Ethernet, or is set noarp: nobody asks for addresses there")

// OpenStation opens the interface of that name. It has to be an Ethernet, or
// what looks like one (a VLAN, a bond, a bridge); else the error is
// [ErrNoNeighbours]. When the interface is gone for good, Link says so
// (fs.ErrNotExist), and Ask: another of its name needs another Station.
func OpenStation(name string) (*Station, error) {
	links, err := OpenLinks()
	if err != nil {
		return nil, err
	}
	l, err := links.Named(name)
	if err == nil && !l.Neighbours {
		err = fmt.Errorf("interface %s: %w", name, ErrNoNeighbours)
	}
	if err != nil {
		return nil, errors.Join(err, links.Close())
	}
	s := &Station{index: l.Index, links: links, listeners: map[*Listener]struct{}{}}
	for _, f := range []Family{IPv4, IPv6} {
		if s.sockets[f], err = Open(l.Index, f); err != nil {
			return nil, errors.Join(fmt.Errorf("interface %s: %w", name, err), s.Close())
		}
	}
	for _, socket := range s.sockets {
		s.readers.Go(func() { s.read(socket) })
	}
	return s, nil
}

// Close ends it, and all that listen.
func (s *Station) Close() error {
	var errs []error
	for _, socket := range s.sockets {
		if socket != nil {
			errs = append(errs, socket.Close())
		}
	}
	s.readers.Wait()
	return errors.Join(append(errs, s.links.Close())...)
}

// Link reads from the kernel what the interface is like now.
func (s *Station) Link() (Link, error) { return s.links.Numbered(s.index) }

// Known is where the kernel believes a neighbour to be.
func (s *Station) Known(who netip.Addr) (MAC, bool) { return s.links.Known(s.index, who) }

// Addresses reads which addresses the interface has now, and can use.
func (s *Station) Addresses() (map[netip.Addr]bool, error) { return s.links.Addresses(s.index) }

// Send sends a frame about an address of that family. It never waits.
func (s *Station) Send(family Family, frame []byte) error { return s.sockets[family].Send(frame) }

// read hands out what a socket hears, until it is closed.
func (s *Station) read(socket *Socket) {
	for {
		c, err := socket.Receive()
		if err != nil {
			s.end(err)
			return
		}
		s.mu.Lock()
		for l := range s.listeners {
			l.hear(c)
		}
		s.mu.Unlock()
	}
}

// end tells all who listen that nothing more comes.
func (s *Station) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure == nil {
		s.failure = fmt.Errorf("listen on interface %d: %w", s.index, err)
	}
	for l := range s.listeners {
		l.close()
	}
	clear(s.listeners)
}

// Listener hears claims of some addresses.
type Listener struct {
	// Claims come here, oldest first. It is closed with the Station.
	Claims <-chan Claim

	claims  chan Claim
	station *Station
	addrs   map[netip.Addr]bool
	missed  atomic.Uint64
}

// Listen begins to hear claims of the addresses, by whomever: a caller knows
// its own hardware addresses.
func (s *Station) Listen(addrs []netip.Addr) (*Listener, error) {
	l := &Listener{claims: make(chan Claim, heard), station: s}
	l.Claims = l.claims
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return nil, s.failure
	}
	s.listeners[l] = struct{}{}
	l.setLocked(addrs)
	if err := s.filterLocked(); err != nil {
		delete(s.listeners, l)
		return nil, err
	}
	return l, nil
}

// Only changes which addresses are heard.
func (l *Listener) Only(addrs []netip.Addr) error {
	l.station.mu.Lock()
	defer l.station.mu.Unlock()
	l.setLocked(addrs)
	return l.station.filterLocked()
}

func (l *Listener) setLocked(addrs []netip.Addr) {
	l.addrs = make(map[netip.Addr]bool, len(addrs))
	for _, a := range addrs {
		l.addrs[a] = true
	}
}

// Missed counts the claims that were dropped because nobody took them.
func (l *Listener) Missed() uint64 { return l.missed.Load() }

// Close ends it; Claims is closed.
func (l *Listener) Close() error {
	l.station.mu.Lock()
	defer l.station.mu.Unlock()
	if _, ok := l.station.listeners[l]; !ok {
		return nil
	}
	delete(l.station.listeners, l)
	l.close()
	return l.station.filterLocked()
}

func (l *Listener) close() { close(l.claims) }

// hear is called with the Station's lock, so it does not run with close.
func (l *Listener) hear(c Claim) {
	if !l.addrs[c.Addr] {
		return
	}
	select {
	case l.claims <- c:
	default:
		l.missed.Add(1)
	}
}

// filterLocked makes the kernel let pass what anybody listens for, and what was
// asked lately.
func (s *Station) filterLocked() error {
	want := slices.Clone(s.asked)
	for l := range s.listeners {
		for a := range l.addrs {
			want = append(want, a)
		}
	}
	var errs []error
	for _, socket := range s.sockets {
		errs = append(errs, socket.Only(want))
	}
	return errors.Join(errs...)
}

// Question is whom to ask for.
type Question struct {
	// Addrs are asked for all at once.
	Addrs []netip.Addr
	// From4 and From6 are own addresses to ask from: an ordinary question, to
	// which only an answer counts. Invalid ones ask as one who has none
	// ([AppendProbe]); then any claim of the address counts, since somebody uses it.
	From4, From6 netip.Addr
	// Wait is how long answers are waited for; within it the question goes out
	// Times times, evenly spread, for addresses that nobody has answered for. 0
	// stands for once.
	Wait  time.Duration
	Times int
	// All: wait to the end, for all who answer for all of them; else until
	// somebody answers for one.
	All bool
}

func (q *Question) from(who netip.Addr) netip.Addr {
	if who.Is4() {
		return q.From4
	}
	return q.From6
}

// Ask asks who answers for addresses. It returns the answers, each once, in the
// order they came; none if nobody answered in time. Own answers do not count. The
// error is that the question could not be sent, or ctx's: then it says nothing.
func (s *Station) Ask(ctx context.Context, q Question) ([]Claim, error) {
	link, err := s.Link()
	if err != nil {
		return nil, err
	}
	if !link.Carrier {
		return nil, fmt.Errorf("ask on interface %s: it has no carrier", link.Name)
	}
	l, err := s.listenToAnswers(q.Addrs)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	a := asking{Question: q, station: s, card: link.MAC, listener: l}
	return a.ask(ctx)
}

// listenToAnswers listens, and keeps the addresses in the kernel's filter.
func (s *Station) listenToAnswers(addrs []netip.Addr) (*Listener, error) {
	s.mu.Lock()
	for _, a := range addrs {
		if !slices.Contains(s.asked, a) {
			s.asked = append(s.asked, a)
		}
	}
	s.asked = s.asked[max(0, len(s.asked)-maxAsked):]
	s.mu.Unlock()
	return s.Listen(addrs)
}

// asking is one question under way.
type asking struct {
	Question
	station  *Station
	card     MAC
	listener *Listener
	answers  []Claim
}

func (a *asking) ask(ctx context.Context) ([]Claim, error) {
	times := max(a.Times, 1)
	for range times {
		if err := a.send(); err != nil {
			return a.answers, err
		}
		if done, err := a.gather(ctx, a.Wait/time.Duration(times)); done || err != nil {
			return a.answers, err
		}
	}
	return a.answers, nil
}

// send asks for all that nobody has answered for.
func (a *asking) send() error {
	var frame []byte
	for _, who := range a.Addrs {
		if slices.ContainsFunc(a.answers, func(c Claim) bool { return c.Addr == who }) {
			continue
		}
		if from := a.from(who); from.IsValid() {
			frame = AppendQuestion(frame[:0], a.card, from, MAC{}, who)
		} else {
			frame = AppendProbe(frame[:0], a.card, who)
		}
		if err := a.station.Send(FamilyOf(who), frame); err != nil {
			return fmt.Errorf("ask for %s: %w", who, err)
		}
	}
	return nil
}

// gather takes answers for that long, or until one is enough. Where it finds that
// it waited for a processor, who reads the socket did as well: it gets half of the
// time once more, so that an answer which lies there counts.
func (a *asking) gather(ctx context.Context, wait time.Duration) (done bool, err error) {
	timer, begun, again := time.NewTimer(wait), time.Now(), false
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return true, ctx.Err()
		case <-timer.C:
			if again || time.Since(begun) < wait+wait/2 {
				return false, nil
			}
			again = true
			timer.Reset(wait / 2)
		case c, ok := <-a.listener.Claims:
			if !ok {
				return true, a.station.failure
			}
			if a.take(c) && !a.All {
				return true, nil
			}
		}
	}
}

// take adds an answer, once of each station for each address.
func (a *asking) take(c Claim) bool {
	if c.MAC == a.card || a.from(c.Addr).IsValid() && c.Kind != Answered {
		return false
	}
	if slices.ContainsFunc(a.answers, func(had Claim) bool { return had.Addr == c.Addr && had.MAC == c.MAC }) {
		return false
	}
	a.answers = append(a.answers, c)
	return true
}
