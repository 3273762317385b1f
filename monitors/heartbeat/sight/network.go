package sight

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/member"
	"github.com/mondhq/mond/plugins/neighbour"
	"github.com/mondhq/mond/plugins/role/boottime"
)

const (
	// openAgain is after how long a network that could not be listened to is
	// tried again.
	openAgain = time.Second
	// learnEvery is the time between two questions for the addresses that the
	// peer holds, by which its hardware addresses are learnt; learnSoon the same
	// until an answer came. learnFor is how long answers are gathered.
	learnEvery = 10 * time.Second
	learnSoon  = 500 * time.Millisecond
	learnFor   = 100 * time.Millisecond
	// strangers is how many hardware addresses of the peer are remembered.
	strangers = 8
	// mostBeside is how many stations are asked beside a question for addresses:
	// one that is lost or slow must not hold up a take-over.
	mostBeside = 2
)

// targets are the stations to be asked on one network.
type targets struct {
	gateways, neighbours, peer []netip.Addr
	from4, from6               netip.Addr
}

// network is one interface on which stations are asked.
type network struct {
	device string
	index  int
	stop   context.CancelFunc

	mu      sync.Mutex
	targets targets
	virtual []netip.Addr
	station *neighbour.Station
	err     error
	// rounds counts the questions to all; answered is in which one each answered
	// last. Rounds, not time: while this program stands still, or waits for a
	// processor, nobody is asked, and nobody has failed to answer.
	rounds   uint64
	answered map[netip.Addr]uint64
	macs     map[netip.Addr]neighbour.MAC
	peer     []neighbour.MAC
	// learnt: somebody answered alone for what the peer holds.
	learnt bool
	// told is what answers said last.
	told [2]bool
}

func newNetwork(device string, index int) *network {
	return &network{device: device, index: index, answered: map[netip.Addr]uint64{}, macs: map[netip.Addr]neighbour.MAC{}}
}

func (n *network) set(t targets, virtual []netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.targets, n.virtual = t, virtual
}

func (n *network) failure() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

// answers reports whether a gateway, and whether any neighbour answered lately.
func (n *network) answers() (gateway, neighbour bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.answersLocked()
}

func (n *network) answersLocked() (gateway, neighbour bool) {
	gateway = slices.ContainsFunc(n.targets.gateways, n.recentLocked)
	return gateway, gateway || slices.ContainsFunc(n.targets.neighbours, n.recentLocked)
}

// recentLocked reports whether a station answered lately.
func (n *network) recentLocked(a netip.Addr) bool {
	at, ok := n.answered[a]
	return ok && n.rounds-at < lately
}

// run asks until ctx ends.
func (n *network) run(ctx context.Context, s *Sight) {
	for ctx.Err() == nil {
		station, err := neighbour.OpenStation(n.device)
		n.opened(station, err)
		if err == nil {
			err = n.converse(ctx, s, station)
			n.opened(nil, err)
			_ = station.Close()
		}
		s.look()
		select {
		case <-ctx.Done():
		case <-time.After(openAgain):
		}
	}
}

func (n *network) opened(station *neighbour.Station, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.station, n.err = station, err
}

// converse asks and listens until ctx ends or the interface does.
func (n *network) converse(ctx context.Context, s *Sight, station *neighbour.Station) error {
	l, err := station.Listen(nil)
	if err != nil {
		return err
	}
	defer l.Close()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	every, learnt := askEvery, time.Duration(0)
	for {
		now := boottime.Now()
		if err := n.round(l, station); err != nil {
			return err
		}
		if now-learnt >= n.learning() && n.learn(ctx, s, station) {
			learnt = now
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return nil
			case c, ok := <-l.Claims:
				if !ok {
					return errors.New("interface " + n.device + " is gone")
				}
				n.hear(c, s)
			case <-tick.C:
				waiting = false
			}
		}
		if e := s.pace(); e != every {
			every = e
			tick.Reset(e)
		}
		n.changed(s)
	}
}

// pace is the time between two questions.
func (s *Sight) pace() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hurry {
		return hurried
	}
	return askEvery
}

// changed makes s look anew if other answers come than before.
func (n *network) changed(s *Sight) {
	n.mu.Lock()
	gateway, neighbour := n.answersLocked()
	is := [2]bool{gateway, neighbour}
	changed := is != n.told
	n.told = is
	n.mu.Unlock()
	if changed {
		s.look()
	}
}

// round asks all targets once: where they were last, else everywhere.
func (n *network) round(l *neighbour.Listener, station *neighbour.Station) error {
	n.mu.Lock()
	n.rounds++
	t := n.targets
	all := slices.Concat(t.gateways, t.neighbours, t.peer)
	n.mu.Unlock()
	if err := l.Only(all); err != nil {
		return err
	}
	link, err := station.Link()
	if err != nil {
		return err
	}
	if !link.Carrier {
		return nil
	}
	var frame []byte
	for _, who := range all {
		from := t.from4
		if who.Is6() {
			from = t.from6
		}
		if !from.IsValid() {
			frame = neighbour.AppendProbe(frame[:0], link.MAC, who)
		} else {
			frame = neighbour.AppendQuestion(frame[:0], link.MAC, from, n.last(who), who)
		}
		_ = station.Send(neighbour.FamilyOf(who), frame) // what is lost is asked again
	}
	return nil
}

// last is where a station that answers has been, or zero.
func (n *network) last(who netip.Addr) neighbour.MAC {
	n.mu.Lock()
	defer n.mu.Unlock()
	if at, ok := n.answered[who]; ok && n.rounds-at < 2 {
		return n.macs[who]
	}
	return neighbour.MAC{}
}

// hear takes in a claim.
func (n *network) hear(c neighbour.Claim, s *Sight) {
	n.mu.Lock()
	if slices.Contains(n.targets.peer, c.Addr) {
		n.knowLocked(c.MAC)
	}
	n.answered[c.Addr], n.macs[c.Addr] = n.rounds, c.MAC
	n.mu.Unlock()
	n.changed(s)
}

// knowLocked remembers a hardware address of the peer.
func (n *network) knowLocked(mac neighbour.MAC) {
	if !slices.Contains(n.peer, mac) {
		n.peer = append(n.peer, mac)
		n.peer = n.peer[max(0, len(n.peer)-strangers):]
	}
}

// learn asks for what the peer says that it holds. Where one station answers,
// it is the peer; where several do, nobody knows which. It reports whether there
// was anything to ask for.
func (n *network) learn(ctx context.Context, s *Sight, station *neighbour.Station) bool {
	addrs := s.heldByPeer(n.device)
	if len(addrs) == 0 {
		return false
	}
	s.work.Go(func() {
		q := neighbour.Question{Addrs: addrs, Wait: learnFor, Times: 2, All: true}
		claims, err := station.Ask(ctx, q)
		if err != nil || len(claims) == 0 || slices.ContainsFunc(claims, func(c neighbour.Claim) bool { return c.MAC != claims[0].MAC }) {
			return
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		n.knowLocked(claims[0].MAC)
		n.learnt = true
	})
	return true
}

// learning is the time between two questions by which the peer is learnt.
func (n *network) learning() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.learnt {
		return learnEvery
	}
	return learnSoon
}

// heldByPeer are the addresses on a device that the peer says it holds.
func (s *Sight) heldByPeer(device string) (all []netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, on := range s.holders {
		if on {
			all = append(all, s.on(i, device)...)
		}
	}
	return all
}

// ask asks who answers for addresses, and meanwhile somebody who should answer.
func (n *network) ask(ctx context.Context, addrs []netip.Addr, wait time.Duration) (a member.Probed) {
	a.Answer = member.Unlooked
	n.mu.Lock()
	station := n.station
	n.mu.Unlock()
	if station == nil {
		return a
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	proved := make(chan bool, 1)
	go func() { proved <- n.proves(ctx, station, wait) }() // ends with ctx at the latest
	claims, err := station.Ask(ctx, question(addrs, wait))
	switch {
	case len(claims) == 0 && err != nil:
		return a
	case len(claims) == 0:
		a.Answer = member.Nobody
		if !<-proved {
			a.Unproven = n.device
		}
		return a
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	a.Answer = member.ByRival
	if slices.Contains(n.peer, claims[0].MAC) {
		a.Answer = member.ByPeer
	}
	return a
}

// proves reports whether somebody who answered lately does so now. The question is
// one to all, as that for the addresses is: a switch may drop just those.
func (n *network) proves(ctx context.Context, station *neighbour.Station, wait time.Duration) bool {
	q := n.beside(wait)
	if len(q.Addrs) == 0 {
		return false
	}
	claims, err := station.Ask(ctx, q)
	return err == nil && len(claims) > 0
}

// beside is the question to some who answered lately, gateways first.
func (n *network) beside(wait time.Duration) neighbour.Question {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := slices.DeleteFunc(slices.Concat(n.targets.gateways, n.targets.neighbours), func(a netip.Addr) bool { return !n.recentLocked(a) })
	q := question(all[:min(len(all), mostBeside)], wait)
	q.From4, q.From6 = n.targets.from4, n.targets.from6
	return q
}
