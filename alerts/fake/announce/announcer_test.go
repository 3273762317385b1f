package announce

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/plugins/neighbour"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var card = neighbour.MAC{2, 0, 0, 0, 0, 1}

// network is a double: interfaces whose frames are kept.
type network struct {
	mu     sync.Mutex
	links  map[string]neighbour.Link
	has    map[netip.Addr]bool // nil: all
	known  map[netip.Addr]neighbour.MAC
	fail   error            // of Send
	mute   error            // of Watch
	bad    map[string]error // of Open
	ports  map[string]*testPort
	frames []sentFrame
	opens  int
	watch  chan []neighbour.Link
	allow  func(frame []byte) // looks at each frame, within Send
}

type sentFrame struct {
	at     time.Time
	device string
	frame  []byte
}

func newNetwork() *network {
	return &network{
		links: map[string]neighbour.Link{"eth0": {Index: 2, Name: "eth0", MAC: card, Neighbours: true, Up: true, Carrier: true}},
		ports: map[string]*testPort{}, known: map[netip.Addr]neighbour.MAC{}, watch: make(chan []neighbour.Link, 8),
	}
}

// change changes an interface, and says so.
func (n *network) change(l neighbour.Link) {
	n.mu.Lock()
	n.links[l.Name] = l
	if l.Gone {
		delete(n.links, l.Name)
	}
	n.mu.Unlock()
	n.watch <- []neighbour.Link{l}
}

func (n *network) Open(device string) (Port, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l, ok := n.links[device]
	if err := n.bad[device]; err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("interface %s: %w", device, fs.ErrNotExist)
	}
	n.opens++
	p := &testPort{network: n, name: device, index: l.Index, claims: make(chan neighbour.Claim, 8)}
	n.ports[device] = p
	return p, nil
}

func (n *network) Watch(ctx context.Context, say func([]neighbour.Link)) error {
	n.mu.Lock()
	all := []neighbour.Link{}
	for _, l := range n.links {
		all = append(all, l)
	}
	mute := n.mute
	n.mu.Unlock()
	if mute != nil {
		return mute
	}
	say(all)
	for {
		select {
		case <-ctx.Done():
			return nil
		case links := <-n.watch:
			say(links)
		}
	}
}

type testPort struct {
	network *network
	name    string
	index   int
	claims  chan neighbour.Claim
	only    []netip.Addr
	once    sync.Once
	closed  atomic.Bool
}

func (p *testPort) Link() (neighbour.Link, error) {
	p.network.mu.Lock()
	defer p.network.mu.Unlock()
	l, ok := p.network.links[p.name]
	if !ok || l.Index != p.index {
		return l, fs.ErrNotExist
	}
	return l, nil
}

func (p *testPort) Addresses() (map[netip.Addr]bool, error) {
	p.network.mu.Lock()
	defer p.network.mu.Unlock()
	if p.network.has != nil {
		return p.network.has, nil
	}
	has := map[netip.Addr]bool{four: true, six: true}
	for i := range 4 {
		has[netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)})] = true
	}
	for _, a := range many("", "", 300).Addresses {
		has[a.Addr] = true
	}
	return has, nil
}

func (p *testPort) Known(a netip.Addr) (neighbour.MAC, bool) {
	p.network.mu.Lock()
	defer p.network.mu.Unlock()
	m, ok := p.network.known[a]
	return m, ok
}

func (p *testPort) Send(_ neighbour.Family, frame []byte) error {
	p.network.mu.Lock()
	defer p.network.mu.Unlock()
	if p.closed.Load() {
		return errors.New("the port was closed")
	}
	if p.network.allow != nil {
		p.network.allow(frame)
	}
	if p.network.fail != nil {
		return p.network.fail
	}
	p.network.frames = append(p.network.frames, sentFrame{time.Now(), p.name, slices.Clone(frame)})
	return nil
}

func (p *testPort) Only(addrs []netip.Addr) error {
	p.network.mu.Lock()
	defer p.network.mu.Unlock()
	p.only = addrs
	return nil
}

func (p *testPort) Claims() <-chan neighbour.Claim { return p.claims }

func (p *testPort) Close() error {
	p.closed.Store(true)
	p.once.Do(func() { close(p.claims) })
	return nil
}

func (n *network) port(device string) *testPort {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ports[device]
}

// took are the frames since the last time.
func (n *network) took() []sentFrame {
	n.mu.Lock()
	defer n.mu.Unlock()
	f := n.frames
	n.frames = nil
	return f
}

// scene is an Announcer on a double, in a bubble.
type scene struct {
	*Announcer
	network *network
	mu      sync.Mutex
	events  []string
	begun   time.Time
}

// play runs f in a bubble, with an Announcer that ends with it.
func play(t *testing.T, limits Limits, f func(t *testing.T, s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &scene{network: newNetwork(), begun: time.Now()}
		s.Announcer = New(Options{Network: s.network, Limits: limits, Told: func(e Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.events = append(s.events, e.String())
		}})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		synctest.Wait()
		f(t, s)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if len(s.ports) > 0 {
			t.Error("a port was not closed")
		}
	})
}

// passes lets time pass.
func passes(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

// times are when frames were sent, in seconds since the beginning.
func (s *scene) times() (out []float64) {
	for _, f := range s.network.took() {
		out = append(out, f.at.Sub(s.begun).Round(time.Millisecond).Seconds())
	}
	return out
}

func (s *scene) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.events
	s.events = nil
	return e
}

func want[T comparable](t *testing.T, what string, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestAnnounces(t *testing.T) {
	play(t, Limits{}, func(t *testing.T, s *scene) {
		s.Took(one("web", time.Minute, four))
		synctest.Wait()
		f := s.network.took()
		if len(f) != 2 || !slices.Equal(f[0].frame, neighbour.AppendAnnouncement(nil, card, four, false)) || !slices.Equal(f[1].frame, neighbour.AppendReply(nil, card, four)) {
			t.Fatalf("%+v", f)
		}
		passes(125 * time.Second)
		want(t, "times", s.times(), .1, .1, .2, .2, .5, .5, 1, 1, 2, 2, 5, 5, 10, 10, 30, 30, 60, 60, 120, 120)
		if a := s.Account("web"); a.Sent != 22 || a.Failed != 0 || a.Error != "" || !a.Next.Equal(s.begun.Add(180*time.Second)) {
			t.Errorf("%+v", a)
		}
		s.Again("web")
		synctest.Wait()
		want(t, "times", s.times(), 125, 125)
		s.Released("web")
		passes(time.Hour)
		want(t, "times", s.times())
		if s.network.port("eth0").closed.Load() == false {
			t.Error("the port is open though nothing is held")
		}
	})
}

// 300 addresses are no burst, each has its first frame before any its second,
// and a small group does not wait for them.
func TestMany(t *testing.T) {
	play(t, Limits{}, func(t *testing.T, s *scene) {
		s.Took(many("large", "eth0", 300))
		synctest.Wait()
		if f := s.network.took(); len(f) != defaultBurst {
			t.Errorf("%d frames at once", len(f))
		}
		s.Took(one("small", 0, four))
		passes(100 * time.Millisecond)
		f := s.network.took()
		place := slices.IndexFunc(f, func(f sentFrame) bool { c, _ := neighbour.Read(f.frame); return c.Addr == four })
		if place < 0 || f[place].at.Sub(s.begun) > 20*time.Millisecond {
			t.Errorf("the small group's is frame %d of %d", place, len(f))
		}
		passes(600 * time.Millisecond)
		first := map[netip.Addr]bool{}
		for _, r := range s.Rows() {
			first[r.Addr] = r.Sent > 0
		}
		if len(first) != 301 {
			t.Error(len(first), "addresses")
		}
		for a, sent := range first {
			if !sent {
				t.Error(a, "has no frame after 0.7 s")
			}
		}
		s.network.took()
		passes(time.Second)
		if n := len(s.network.took()); n < 490 || n > 510 {
			t.Errorf("%d frames in a second, the rate is 500", n)
		}
		passes(2 * time.Minute)
		for _, r := range s.Rows() {
			if r.Sent < 12 || r.Failed > 0 {
				t.Errorf("%+v", r)
			}
		}
	})
}

// Carrier, hardware address and another interface of the same name.
func TestLinkChanges(t *testing.T) {
	play(t, Limits{}, func(t *testing.T, s *scene) {
		l := s.network.links["eth0"]
		s.Took(one("web", 0, four))
		passes(90 * time.Second)
		s.network.took()
		l.Carrier = false
		s.network.change(l)
		synctest.Wait()
		s.Again("web")
		passes(5 * time.Second)
		want(t, "without carrier", s.times())
		if a := s.Account("web"); a.Failed != 14 || !strings.Contains(a.Error, "no carrier") {
			t.Errorf("%+v", a)
		}
		l.Carrier = true
		s.network.change(l)
		synctest.Wait()
		want(t, "carrier", s.times(), 95, 95)
		passes(5 * time.Second)
		l.Changes += 2 // it came and went while nobody looked
		s.network.change(l)
		s.network.took()
		synctest.Wait()
		want(t, "flap", s.times(), 100, 100)
		passes(5 * time.Second)
		s.network.took()
		l.MAC = third
		s.network.change(l)
		synctest.Wait()
		f := s.network.took()
		if len(f) != 2 || !slices.Equal(f[0].frame, neighbour.AppendAnnouncement(nil, third, four, false)) {
			t.Errorf("%+v", f)
		}
		want(t, "events", s.told(),
			"10.0.0.3 cannot be announced on eth0: the interface has no carrier (is it up, and its cable in?)",
			"announced again on eth0: it has a carrier again", "10.0.0.3 is announced again on eth0",
			"announced again on eth0: it has a carrier again",
			"announced again on eth0: its hardware address is 02:00:00:00:00:08, it was 02:00:00:00:00:01")
		passes(5 * time.Second)
		gone := l
		gone.Gone = true
		s.network.change(gone)
		passes(time.Second)
		s.Again("web")
		passes(time.Second)
		s.network.took()
		l.Index = 7
		s.network.change(l)
		passes(time.Second)
		if n := len(s.times()); n < 2 || s.network.opens < 2 {
			t.Errorf("on the new interface: %d frames, opened %d times; %v", n, s.network.opens, s.told())
		}
	})
}

// A stranger's claim is told and answered; an own one is not.
func TestHearsRivals(t *testing.T) {
	play(t, Limits{}, func(t *testing.T, s *scene) {
		s.network.change(neighbour.Link{Index: 3, Name: "eth1", MAC: third, Carrier: true})
		s.Took(one("web", 0, four))
		passes(90 * time.Second)
		s.network.took()
		port := s.network.port("eth0")
		want(t, "heard", port.only, four)
		for _, by := range []neighbour.MAC{card, third} {
			port.claims <- neighbour.Claim{Addr: four, MAC: by, Kind: neighbour.Answered}
			synctest.Wait()
		}
		want(t, "own claims answered", s.times())
		port.claims <- neighbour.Claim{Addr: four, MAC: rival}
		synctest.Wait()
		want(t, "defence", s.times(), 90, 90)
		want(t, "events", s.told(), "10.0.0.3 is held here and claimed by 02:00:00:00:00:09, too, on eth0 (1 times)")
		<-s.Changed()
		if a := s.Account("web"); !strings.Contains(a.Error, "02:00:00:00:00:09") {
			t.Errorf("%+v", a)
		}
		port.Close() // it can hear no more: another is opened
		passes(2 * time.Second)
		if s.network.port("eth0") == port {
			t.Error("a port that hears nothing is kept")
		}
	})
}

// What the kernel does not have is not announced: a lease may have ended while
// the program stood still.
func TestNotThere(t *testing.T) {
	play(t, Limits{}, func(t *testing.T, s *scene) {
		s.network.has = map[netip.Addr]bool{}
		s.Took(one("web", 0, four))
		s.Took(Group{Name: "nowhere", Addresses: []Address{{Addr: four, Device: "nix"}}})
		passes(time.Second)
		want(t, "frames", s.times())
		want(t, "events", s.told(), "10.0.0.3 cannot be announced on eth0: the interface does not have the address",
			"10.0.0.3 cannot be announced on nix: interface nix: file does not exist")
		s.network.has, s.network.fail = nil, errors.New("no buffer")
		passes(time.Second)
		want(t, "events", s.told(), "10.0.0.3 cannot be announced on eth0: send a frame (request): no buffer", "10.0.0.3 cannot be announced on eth0: send a frame (reply): no buffer")
	})
}

// On lo nobody asks for addresses: that is no error.
func TestNeedless(t *testing.T) {
	play(t, Limits{}, func(t *testing.T, s *scene) {
		s.network.mu.Lock()
		s.network.bad = map[string]error{"lo": fmt.Errorf("interface lo: %w", neighbour.ErrNoNeighbours)}
		s.network.mu.Unlock()
		s.Took(Group{Name: "web", Refresh: time.Second, Addresses: []Address{{Addr: four, Device: "lo"}}})
		s.Took(Group{Name: "large", Addresses: many("", "lo", 300).Addresses})
		passes(time.Hour)
		want(t, "events", s.told())
		if a := s.Account("web"); a != (Account{}) {
			t.Errorf("%+v", a)
		}
	})
}

func TestTells(t *testing.T) {
	play(t, Limits{}, func(t *testing.T, s *scene) {
		s.network.known[gateway] = third
		g := one("web", 0, four)
		g.Tell = []netip.Addr{gateway}
		s.Took(g)
		synctest.Wait()
		f := s.network.took()
		if len(f) != 3 || !slices.Equal(f[2].frame, neighbour.AppendQuestion(nil, card, four, third, gateway)) {
			t.Fatalf("%+v", f)
		}
		passes(5 * time.Second)
		f = s.network.took()
		if last := f[len(f)-1].frame; !slices.Equal(last, neighbour.AppendQuestion(nil, card, four, neighbour.MAC{}, gateway)) {
			t.Errorf("a station that does not answer is not asked by all: % x", last)
		}
		s.network.port("eth0").claims <- neighbour.Claim{Addr: gateway, MAC: rival, Kind: neighbour.Answered}
		passes(5 * time.Second)
		f = s.network.took()
		if last := f[len(f)-1].frame; !slices.Equal(last, neighbour.AppendQuestion(nil, card, four, rival, gateway)) {
			t.Errorf("% x", last)
		}
		if r := s.Stations(); len(r) != 1 || r[0].At != rival {
			t.Errorf("%+v", r)
		}
	})
}

// Without a word of interfaces it goes on, and says so.
func TestDeaf(t *testing.T) {
	play(t, Limits{}, func(t *testing.T, s *scene) {
		passes(time.Second)
		s.network.change(neighbour.Link{Name: "eth1"})
	})
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.mute = errors.New("no netlink")
		var told atomic.Int32
		a := New(Options{Network: n, Told: func(Event) { told.Add(1) }})
		ctx, stop := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer stop()
		a.Took(one("web", 0, four))
		if err := a.Run(ctx); err != nil || told.Load() != 3 || len(n.took()) < 10 {
			t.Error(err, told.Load())
		}
	})
}

// Once Released has returned, nothing of the group is sent: looked at in real
// time, with groups that come and go while claims and changes pour in.
func TestNothingAfterRelease(t *testing.T) {
	n := newNetwork()
	var held sync.Map // by address: true while frames are allowed
	var wrong, frames atomic.Int64
	n.allow = func(frame []byte) {
		frames.Add(1)
		c, _ := neighbour.Read(frame)
		if _, ok := held.Load(c.Addr); !ok {
			wrong.Add(1)
		}
	}
	a := New(Options{Network: n, Limits: Limits{Rate: maxRate, Burst: 1000}})
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = a.Run(ctx) })
	var holders sync.WaitGroup
	for i := range 4 {
		addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)})
		holders.Go(func() {
			for round := range 300 {
				held.Store(addr, true)
				a.Took(one(addr.String(), time.Second, addr))
				a.Again(addr.String())
				for round%3 > 0 && a.Account(addr.String()).Sent < uint64(round%3) { // so that it is amidst of sending
					runtime.Gosched()
				}
				a.Released(addr.String())
				held.Delete(addr)
			}
		})
	}
	all.Go(func() {
		for i := uint32(0); ctx.Err() == nil; i++ {
			select {
			case n.watch <- []neighbour.Link{{Index: 2, Name: "eth0", MAC: card, Carrier: true, Changes: i}}:
			case <-ctx.Done():
			}
		}
	})
	holders.Wait()
	stop()
	all.Wait()
	if wrong.Load() > 0 || frames.Load() == 0 {
		t.Errorf("%d of %d frames were sent after the release", wrong.Load(), frames.Load())
	}
}

// BenchmarkFirstFrame is the time from Took to the first frame of the group, on
// a double.
func BenchmarkFirstFrame(b *testing.B) {
	n := newNetwork()
	first := make(chan struct{}, 1)
	n.allow = func([]byte) { word(first) }
	a := New(Options{Network: n, Limits: Limits{Rate: maxRate, Burst: 1 << 20}})
	ctx, stop := context.WithCancel(b.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = a.Run(ctx) })
	a.Took(one("other", 0, six)) // so that the port is open
	<-first
	for b.Loop() {
		a.Took(one("web", 0, four))
		<-first
		a.Released("web")
		select {
		case <-first:
		default:
		}
	}
	stop()
	all.Wait()
}
