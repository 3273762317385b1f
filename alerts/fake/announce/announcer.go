package announce

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"sync"
	"time"

	"github.com/mondhq/mond/plugins/neighbour"
)

// Network is what an Announcer works on: [Kernel], or a double for tests.
type Network interface {
	// Open opens an interface; fs.ErrNotExist if there is none of that name.
	Open(device string) (Port, error)
	// Watch says what all interfaces are like, then each that changed, until ctx
	// ends; its error is that it could not, or not any longer.
	Watch(ctx context.Context, say func([]neighbour.Link)) error
}

// Port is one interface.
type Port interface {
	// Link and Addresses are what the kernel says now; fs.ErrNotExist when the
	// interface is no more.
	Link() (neighbour.Link, error)
	Addresses() (map[netip.Addr]bool, error)
	// Known is where the kernel believes a neighbour to be.
	Known(netip.Addr) (neighbour.MAC, bool)
	// Send never waits.
	Send(neighbour.Family, []byte) error
	// Only says whose claims come from Claims, which is closed by Close, or when
	// no more can be heard.
	Only([]netip.Addr) error
	Claims() <-chan neighbour.Claim
	Close() error
}

// Options are what an Announcer works with.
type Options struct {
	Network Network
	Limits  Limits
	// Told is called with each event, by a goroutine of Run, and must not wait.
	// It may call the Announcer's methods.
	Told func(Event)
}

const (
	// batch is how many frames are sent on one look at the kernel.
	batch = 32
	// retry is the time between two attempts to watch or to hear.
	retry = time.Second
)

// Announcer sends what a [Plan] says. Its methods are for any goroutine and never
// wait for the network or the kernel.
type Announcer struct {
	Options
	poke    chan struct{} // room for one: there is something to do
	changed chan struct{} // room for one: an Account has another Error

	// mu is held while a frame is sent, so that none is after Released; the send
	// does not wait.
	mu    sync.Mutex
	plan  *Plan
	links map[string]neighbour.Link // by name, as the watch says
	own   map[neighbour.MAC]bool    // this machine's

	// Of Run's goroutine: the ports, and what is to be heard in that version of
	// the plan.
	ports   map[string]*opened
	heard   map[string][]netip.Addr
	version uint64

	workers sync.WaitGroup // ports' readers and closers, the watch
}

// opened is a port with what it was opened for.
type opened struct {
	Port
	index   int
	version uint64        // of the plan that its filter is for
	deaf    chan struct{} // closed when its claims have ended
	tried   time.Time     // to hear
}

// New is an Announcer that sends nothing until Run runs.
func New(o Options) *Announcer {
	if o.Told == nil {
		o.Told = func(Event) {}
	}
	return &Announcer{
		Options: o, poke: make(chan struct{}, 1), changed: make(chan struct{}, 1),
		plan: NewPlan(o.Limits), links: map[string]neighbour.Link{}, own: map[neighbour.MAC]bool{}, ports: map[string]*opened{},
	}
}

// Took says that a group is held, and on which interfaces: it is announced from
// now on.
func (a *Announcer) Took(g Group) {
	a.mu.Lock()
	a.plan.Took(time.Now(), g)
	a.mu.Unlock()
	word(a.poke)
}

// Again announces a group anew.
func (a *Announcer) Again(name string) {
	a.mu.Lock()
	a.plan.Again(time.Now(), name)
	a.mu.Unlock()
	word(a.poke)
}

// Released says that a group is not held any more. When it returns, no frame of
// it will be sent.
func (a *Announcer) Released(name string) {
	a.mu.Lock()
	a.plan.Released(name)
	a.mu.Unlock()
	word(a.poke)
}

// Account is what was done for a group.
func (a *Announcer) Account(name string) Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.plan.Account(time.Now(), name)
}

// Changed has a word when an Account may have another Error.
func (a *Announcer) Changed() <-chan struct{} { return a.changed }

// Rows are what was done for all addresses.
func (a *Announcer) Rows() []Row {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.plan.Rows(time.Now())
}

// Stations are all that are told by packets of their own.
func (a *Announcer) Stations() []Reached {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.plan.Stations()
}

// word puts a word into a channel that has room for one.
func word(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// tell hands on events. The lock is not held.
func (a *Announcer) tell(events ...Event) {
	for _, e := range events {
		a.Told(e)
		if e.Kind != Moved {
			word(a.changed)
		}
	}
}

// Run sends until ctx ends, and returns nil then. Once it has returned, nothing
// is sent any more.
func (a *Announcer) Run(ctx context.Context) error {
	a.workers.Go(func() { a.watch(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	defer a.end()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.poke:
		case <-timer.C:
		}
		wake := a.turn(ctx)
		if !wake.IsZero() {
			timer.Reset(max(time.Until(wake), 0))
		} else {
			timer.Stop()
		}
	}
}

func (a *Announcer) end() {
	for device := range a.ports {
		a.close(device)
	}
	a.workers.Wait()
}

// turn sends what is due, and says when there is something again.
func (a *Announcer) turn(ctx context.Context) time.Time {
	for ctx.Err() == nil {
		a.mu.Lock()
		due := a.plan.Due(time.Now())
		a.mu.Unlock()
		if len(due) == 0 {
			break
		}
		seen := map[string]*sight{}
		for _, device := range due {
			seen[device] = a.look(device)
		}
		for range batch {
			if !a.sendOne(seen) {
				break
			}
		}
	}
	a.arrange() // afterwards: a filter takes the kernel a millisecond
	a.mu.Lock()
	defer a.mu.Unlock()
	wake := a.plan.Wake(time.Now())
	for _, p := range a.ports {
		if p.claimsEnded() {
			wake = earlier(wake, p.tried.Add(retry))
		}
	}
	return wake
}

// sight is what an interface is like right now, or why it cannot be used.
type sight struct {
	port  Port
	link  neighbour.Link
	has   map[netip.Addr]bool
	known map[netip.Addr]neighbour.MAC
	err   error
}

// look looks at an interface. It may wait for the kernel, so it is called
// without the lock.
func (a *Announcer) look(device string) *sight {
	s := a.lookOnce(device)
	if errors.Is(s.err, fs.ErrNotExist) && a.ports[device] != nil { // perhaps there is another of its name
		a.close(device)
		s = a.lookOnce(device)
	}
	if s.err != nil {
		return s
	}
	s.known = map[netip.Addr]neighbour.MAC{}
	for _, station := range a.unknown(device) {
		if at, ok := s.port.Known(station); ok {
			s.known[station] = at
		}
	}
	a.mu.Lock()
	a.own[s.link.MAC] = true
	a.mu.Unlock()
	return s
}

func (a *Announcer) lookOnce(device string) *sight {
	p, err := a.port(device)
	if err != nil {
		return &sight{err: err}
	}
	s := &sight{port: p}
	if s.link, s.err = p.Link(); s.err == nil && !s.link.Carrier {
		s.err = errors.New("the interface has no carrier (is it up, and its cable in?)")
	}
	if s.err == nil {
		s.has, s.err = p.Addresses()
	}
	return s
}

// unknown are stations of an interface that have not said where they are.
func (a *Announcer) unknown(device string) (out []netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.plan.Unknown(device)
}

// sendOne sends the next frame; false if there is none.
func (a *Announcer) sendOne(seen map[string]*sight) bool {
	a.mu.Lock()
	now := time.Now()
	f, ok := a.plan.Next(now, func(device string) bool { return seen[device] != nil })
	if !ok {
		a.mu.Unlock()
		return false
	}
	var e Event
	var told bool
	if err := seen[f.Device].send(f); errors.Is(err, neighbour.ErrNoNeighbours) {
		a.plan.Needless(f)
	} else {
		e, told = a.plan.Done(now, f, err)
	}
	a.mu.Unlock()
	if told {
		a.tell(e)
	}
	return true
}

// send sends a frame, if the address is there.
func (s *sight) send(f Frame) error {
	if s.err != nil {
		return s.err
	}
	if !s.has[f.Addr] {
		return errors.New("the interface does not have the address")
	}
	if err := s.port.Send(neighbour.FamilyOf(f.Addr), s.frame(f)); err != nil {
		return fmt.Errorf("send a frame (%s): %w", f.Form, err)
	}
	return nil
}

// frame encodes a frame with the hardware address that the interface has now.
func (s *sight) frame(f Frame) []byte {
	card, router := s.link.MAC, f.Router || s.link.Forwards
	switch f.Form {
	case Reply:
		return neighbour.AppendReply(nil, card, f.Addr)
	case Routers:
		return neighbour.AppendToRouters(nil, card, f.Addr, router)
	case Tell:
		at := f.At
		if at.IsZero() && !f.All {
			at = s.known[f.Station]
		}
		return neighbour.AppendQuestion(nil, card, f.Addr, at, f.Station)
	}
	return neighbour.AppendAnnouncement(nil, card, f.Addr, router)
}
