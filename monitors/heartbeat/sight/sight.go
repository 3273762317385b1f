// Package sight is what a director sees of its own machine and networks: which
// of the groups' addresses the kernel has and until when, which networks have
// carrier, whether gateways and neighbours answer, and who answers for an
// address that is to be taken.
//
// It looks by itself, not through mond, so that a mond that stands still is
// noticed. It decides nothing and moves no address: monitors/heartbeat/member
// and alerts/fake do.
package sight

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/member"
	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/plugins/neighbour"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/role/boottime"
)

const (
	// again is after how long everything is read anew, whatever the kernel told.
	again = time.Second
	// gap is the least time between two looks at the addresses, so that a thousand
	// changes at once are few looks, and wholeGap that between two at everything;
	// where a look takes long, share times that, up to maxGap.
	gap      = time.Millisecond
	wholeGap = 5 * time.Millisecond
	share    = 2
	maxGap   = 100 * time.Millisecond
	// askEvery is the time between two questions to each neighbour; hurried the
	// same while the peer is silent.
	askEvery = 100 * time.Millisecond
	hurried  = 50 * time.Millisecond
	// lately is for how many questions an answer counts.
	lately = 5
)

// Options are what is looked at.
type Options struct {
	// Groups are those of addresses, in the order of the facts.
	Groups []role.Group
	// Neighbours are stations to be asked beside the gateways.
	Neighbours []netip.Addr
	// Peer are the peer's own addresses, so that its hardware addresses are
	// known.
	Peer []netip.Addr
}

// Seen is what was seen. LANs are those of [Sight.LANs]; none if nothing could be
// read.
type Seen struct {
	LANs   []member.LAN
	Groups []member.Held
	// Held are the addresses of each group that are there.
	Held [][]netip.Addr
	// Err is what could not be read or asked, nil for nothing.
	Err error
}

// Sight looks. Run is called once; the other methods may be called by any
// goroutine.
type Sight struct {
	wants  []want
	groups []role.Group
	lans   [][]int
	o      Options

	poke  chan struct{} // capacity 1: look anew
	fresh atomic.Bool   // look at more than the addresses
	mu    sync.Mutex
	// below mu
	kernel  kernel
	asks    map[string]*network // by device
	hurry   bool
	holders []bool // the peer holds the group of that place
	runs    context.Context
	// whole is when everything was read, rest how long it is not to be read again;
	// Run's alone.
	whole time.Time
	rest  time.Duration
	// lag is by how much the kernel's stamps are behind CLOCK_MONOTONIC, as far as
	// is known.
	lag      time.Duration
	lagKnown bool
	work     sync.WaitGroup
	ended    bool
}

// want is a network that a group needs: that of a device, or the one that an
// address is in.
type want struct {
	device string
	addr   netip.Addr
}

// name is what a network is called that is not there.
func (w want) name() string {
	if w.device != "" {
		return w.device
	}
	return "the network of " + w.addr.String()
}

// New makes a Sight of what o names.
func New(o Options) *Sight {
	s := &Sight{groups: o.Groups, o: o, poke: make(chan struct{}, 1), asks: map[string]*network{}, holders: make([]bool, len(o.Groups))}
	for _, g := range o.Groups {
		var at []int
		for _, a := range g.Addresses {
			w := want{device: a.Device}
			if w.device == "" {
				w.addr = a.Prefix.Addr()
			}
			i := slices.Index(s.wants, w)
			if i < 0 {
				i = len(s.wants)
				s.wants = append(s.wants, w)
			}
			if !slices.Contains(at, i) {
				at = append(at, i)
			}
		}
		s.lans = append(s.lans, at)
	}
	return s
}

// LANs are the places of a group's networks in [Seen.LANs].
func (s *Sight) LANs(group int) []int { return s.lans[group] }

// Hurry asks the neighbours more often, while the peer is silent.
func (s *Sight) Hurry(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hurry = on
}

// PeerHolds says whether the peer says that it holds a group: who answers for
// its addresses then is the peer.
func (s *Sight) PeerHolds(group int, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holders[group] = on
}

// look makes Run look anew soon.
func (s *Sight) look() {
	select {
	case s.poke <- struct{}{}:
	default: // it is to look already
	}
}

// Run looks until ctx ends, and hands on what it sees each time that anything
// changed, and each second.
func (s *Sight) Run(ctx context.Context, seen func(Seen)) {
	ctx, stop := context.WithCancel(ctx)
	s.mu.Lock()
	s.runs = ctx
	s.mu.Unlock()
	defer s.end(stop)
	s.work.Go(func() { s.events(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(s.turn(ctx, seen))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		timer.Reset(s.wholeIn())
		select {
		case <-ctx.Done():
			return
		case <-s.poke:
		case <-timer.C:
		}
	}
}

// turn looks at the addresses, since the other director may be waiting for one to
// go, and after that at everything where that is due. It says how long to rest.
func (s *Sight) turn(ctx context.Context, seen func(Seen)) time.Duration {
	began := time.Now()
	if s.kernel.links != nil { // else nothing is known of where addresses are
		seen(s.now(ctx, false))
	}
	rest := pause(began, gap)
	if s.wholeIn() <= 0 {
		s.whole = time.Now()
		s.fresh.Store(false)
		seen(s.now(ctx, true))
		s.rest = pause(s.whole, wholeGap)
	}
	return rest
}

// pause is how long not to look again after a look that began then.
func pause(began time.Time, least time.Duration) time.Duration {
	return min(max(share*time.Since(began), least), maxGap)
}

// wholeIn is how long it is until everything is to be read: a second after the
// last time, or at once when the kernel told of more than addresses.
func (s *Sight) wholeIn() time.Duration {
	wait := again
	if s.fresh.Load() {
		wait = s.rest
	}
	return time.Until(s.whole.Add(wait))
}

// end ends all that Run began.
func (s *Sight) end(stop context.CancelFunc) {
	stop()
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.work.Wait()
}

// now reads the kernel, all of it or the addresses, and sums up.
func (s *Sight) now(ctx context.Context, all bool) Seen {
	s.mu.Lock()
	lag := s.lag
	s.mu.Unlock()
	k, err := readKernel(&s.kernel, all, lag) // s.kernel is written by this goroutine only
	if err != nil {
		s.fresh.Store(true)
		return Seen{Err: err} // which says nothing of the networks
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k.settle(&s.kernel)
	s.kernel = k
	if k.unsure {
		time.AfterFunc(30*time.Millisecond, s.look)
	}
	s.attend(ctx)
	out := Seen{}
	for _, w := range s.wants {
		lan, err := s.lan(w)
		out.LANs = append(out.LANs, lan)
		out.Err = errors.Join(out.Err, err)
	}
	for _, g := range s.groups {
		held, addrs := k.held(g)
		out.Groups = append(out.Groups, held)
		out.Held = append(out.Held, addrs)
	}
	return out
}

// lan is how a network stands.
func (s *Sight) lan(w want) (member.LAN, error) {
	device := s.kernel.device(w)
	l, ok := s.kernel.named(device)
	if !ok {
		return member.LAN{Name: w.name()}, nil
	}
	if !l.ethernet { // lo, a tunnel: there is nobody to be asked
		return member.LAN{Name: device, Carrier: l.carrier, Neighbour: l.carrier, NoGateway: true}, nil
	}
	lan := member.LAN{Name: device, Carrier: l.carrier, NoGateway: len(s.kernel.gateways[l.index]) == 0}
	n := s.asks[device]
	if n == nil {
		return lan, nil
	}
	lan.Gateway, lan.Neighbour = n.answers()
	return lan, n.failure()
}

// attend begins and ends asking as devices come and go.
func (s *Sight) attend(ctx context.Context) {
	if s.ended {
		return
	}
	need := map[string]bool{}
	for _, w := range s.wants {
		if d := s.kernel.device(w); d != "" {
			need[d] = true
		}
	}
	for d, n := range s.asks {
		if l, ok := s.kernel.named(d); !need[d] || !ok || l.index != n.index {
			n.stop()
			delete(s.asks, d)
		}
	}
	for d := range need {
		l, ok := s.kernel.named(d)
		if !ok || !l.ethernet {
			continue
		}
		n := s.asks[d]
		if n == nil {
			n = newNetwork(d, l.index)
			inner, stop := context.WithCancel(ctx)
			n.stop = stop
			s.asks[d] = n
			s.work.Go(func() { n.run(inner, s) })
		}
		n.set(s.targets(l), s.virtual(d))
	}
}

// targets are the stations to be asked on an interface.
func (s *Sight) targets(l link) (t targets) {
	t.gateways = s.kernel.gateways[l.index]
	for _, a := range s.o.Neighbours {
		if s.kernel.onLink(l.index, a) {
			t.neighbours = append(t.neighbours, a)
		}
	}
	for _, a := range s.o.Peer {
		if s.kernel.onLink(l.index, a) {
			t.peer = append(t.peer, a)
		}
	}
	for _, a := range s.kernel.neighbours[l.index] {
		if len(t.neighbours) < 4 && !slices.Contains(t.gateways, a) && !slices.Contains(t.neighbours, a) && !slices.Contains(s.o.Peer, a) && !s.isVirtual(a) {
			t.neighbours = append(t.neighbours, a)
		}
	}
	t.from4, t.from6 = s.kernel.own(l.index, s.isVirtual)
	return t
}

// isVirtual reports whether an address is of a group.
func (s *Sight) isVirtual(a netip.Addr) bool {
	return slices.ContainsFunc(s.groups, func(g role.Group) bool {
		return slices.ContainsFunc(g.Addresses, func(v role.Address) bool { return v.Prefix.Addr() == a })
	})
}

// virtual are the groups' addresses on a device.
func (s *Sight) virtual(device string) (all []netip.Addr) {
	for i := range s.groups {
		all = append(all, s.on(i, device)...)
	}
	return all
}

// on are a group's addresses on a device.
func (s *Sight) on(group int, device string) (all []netip.Addr) {
	for _, a := range s.groups[group].Addresses {
		if s.kernel.device(want{a.Device, a.Prefix.Addr()}) == device {
			all = append(all, a.Prefix.Addr())
		}
	}
	return all
}

// held is what the kernel has of a group.
func (k *kernel) held(g role.Group) (h member.Held, there []netip.Addr) {
	sum := fnv.New32a()
	for _, want := range g.Addresses {
		at := slices.IndexFunc(k.addrs, func(a address) bool {
			l := k.links[a.index]
			// Wherever it is, the kernel answers for it; a link-local one is another
			// one on each interface, and one on lo is a real server's.
			anywhere := !l.loopback && want.Device != "lo" && !a.addr.IsLinkLocalUnicast()
			return a.addr == want.Prefix.Addr() && (l.name == want.Device || anywhere)
		})
		if at < 0 {
			continue
		}
		a := k.addrs[at]
		h.Count++
		there = append(there, a.addr)
		_, _ = sum.Write(a.addr.AsSlice()) // it does not fail
		switch {
		case h.Lease == 0, h.Lease == wire.Permanent:
			h.Lease = a.ends
		case a.ends != wire.Permanent:
			h.Lease = min(h.Lease, a.ends)
		}
	}
	if h.Count > 0 {
		h.Digest = sum.Sum32()
	}
	return h, there
}

// Probe asks, twice or more within wait, who answers for a group's addresses,
// and beside them a station on each network that answered lately, so that it is
// known whether an answer could have come. It calls told once: as soon as somebody
// answers for them, or after wait. It does not wait itself.
func (s *Sight) Probe(group int, wait time.Duration, told func(member.Probed)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := member.Probed{Group: s.groups[group].Name, Asked: boottime.Now(), Answer: member.Unlooked}
	if s.ended || s.runs == nil {
		return
	}
	ctx := s.runs
	parts := map[*network][]netip.Addr{}
	for _, i := range s.lans[group] {
		device := s.kernel.device(s.wants[i])
		if l, ok := s.kernel.named(device); ok && !l.ethernet {
			continue // there is nobody to be asked
		}
		n := s.asks[device]
		if n == nil {
			s.work.Go(func() { told(p) })
			return
		}
		parts[n] = s.on(group, device)
	}
	s.work.Go(func() {
		p.Answer, p.Unproven = ask(ctx, parts, wait)
		told(p)
	})
}

// ask asks on all of a group's networks at once. unproven is as in member.Probed.
func ask(ctx context.Context, parts map[*network][]netip.Addr, wait time.Duration) (worst member.Answer, unproven string) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	answers := make(chan member.Probed, len(parts))
	for n, addrs := range parts {
		go func() { answers <- n.ask(ctx, addrs, wait) }() // ends with ctx at the latest
	}
	worst = member.Nobody
	for range parts {
		a := <-answers
		switch a.Answer {
		case member.ByPeer, member.ByRival:
			return a.Answer, ""
		case member.Unlooked:
			worst = a.Answer
		case member.Nobody:
			unproven = cmp.Or(a.Unproven, unproven)
		}
	}
	return worst, unproven
}

// question is what a probe asks.
func question(addrs []netip.Addr, wait time.Duration) neighbour.Question {
	return neighbour.Question{Addrs: addrs, Wait: wait, Times: 2}
}
