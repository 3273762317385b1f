package member

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/monitors/heartbeat/witness"
)

// sim is a world of two directors: their members, kernels, keepers and engines,
// the links between them and the network that clients are on. Time is virtual,
// packets are sealed and opened for real.
type sim struct {
	t   tb
	rng *rand.Rand
	// kernels draws how late kernels are.
	kernels *rand.Rand
	now     time.Duration
	queue   events
	serial  int
	nodes   [2]*simNode
	links   []*simLink
	// gateway: it answers who asks it.
	gateway bool
	// lanLoss is how often a question on the network is lost, of 100.
	lanLoss int
	// lost is how many of the next questions get lost.
	lost int
	// proofs is how long a neighbour's answer takes; fresh for how long one counts
	// in the facts.
	proofs, fresh time.Duration
	log           []string
	watch         watch
	// told hears each report, nil for nobody.
	told    func(*simNode, Report)
	keys    *wire.Keys
	tokens  int
	witness simWitness
	// stranger: a third machine on the network answers for the group.
	stranger bool
	// parted: the network of the clients is in two, each with a gateway.
	parted bool
}

// simLink is one link; cut, loss (of 100), dup (of 100) and delay are for what
// node 0 or node 1 sends. lan: it goes through the ports of the network.
type simLink struct {
	cut   [2]bool
	loss  [2]int
	dup   int
	delay time.Duration
	vary  time.Duration
	lan   bool
}

type simNode struct {
	s   *sim
	i   int
	cfg Config
	// clock is the node's own: ahead of the world's, and fast by so many of a
	// million.
	ahead time.Duration
	fast  int64
	// slow is how long a step of a process or of the kernel takes at most, half of
	// it at least.
	slow time.Duration
	// off: no power. frozen: the machine stands still, kernel and all, until.
	off    bool
	frozen bool
	// carrier and port: of the network of the clients; port is the switch's end.
	carrier, port bool
	// reached is when a neighbour answered last.
	reached time.Duration
	reals   int
	warm    bool
	synced  bool
	// the monitor
	m        *Member
	stopped  bool
	inc      uint64
	out      *wire.Sealer
	in       *wire.Session
	backlog  []simPacket
	waking   time.Duration
	timer    int
	disk     uint64
	reports  map[string]Report
	changes  []Change
	done     bool
	number   uint32 // of questions to the witness
	without  bool   // it did without the witness once
	engine   lane
	keeper   lane
	kernels  lane // what the keeper has the kernel do
	kernel   map[string]*simHeld
	announce int
}

type simPacket struct {
	link uint8
	data []byte
}

// lane is a process that passes tokens on, unless it is stopped.
type lane struct {
	stopped, dead bool
	queue         []func()
	// done is when the last step is.
	done time.Duration
}

// simHeld is what keeper and kernel of a node have of a group.
type simHeld struct {
	held  bool
	until time.Duration // wire.Permanent, or when the kernel removes it
	// the keeper's
	hold     bool
	validTo  time.Duration
	lease    time.Duration
	renewed  time.Duration
	expiries int
}

type event struct {
	at time.Duration
	n  int
	do func()
}

type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].n < q[j].n
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(event)) }
func (q *events) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

// local is an instant of the world's on the node's clock, world the other way
// round.
func (n *simNode) local(t time.Duration) time.Duration {
	return t + n.ahead + t*time.Duration(n.fast)/1e6
}

func (n *simNode) world(t time.Duration) time.Duration {
	at := t - n.ahead
	at -= at * time.Duration(n.fast) / 1e6
	for n.local(at) < t {
		at += max(t-n.local(at), 1)
	}
	return at
}

func (n *simNode) now() time.Duration { return n.local(n.s.now) }

// takes is how long a step takes that takes d where nothing else is done.
func (n *simNode) takes(d time.Duration) time.Duration {
	if n.slow > 0 {
		d += n.slow/2 + time.Duration(n.s.rng.Int64N(int64(n.slow/2)+1))
	}
	return d
}

func (s *sim) after(d time.Duration, do func()) {
	s.serial++
	heap.Push(&s.queue, event{s.now + d, s.serial, do})
}

// run lets d pass.
func (s *sim) run(d time.Duration) {
	end := s.now + d
	for len(s.queue) > 0 && s.queue[0].at <= end {
		e := heap.Pop(&s.queue).(event)
		s.now = e.at
		e.do()
		s.watch.look(s)
	}
	s.now = end
	s.watch.look(s)
}

// until lets time pass until ok, at most d, and says how long it took.
func (s *sim) until(d time.Duration, what string, ok func() bool) time.Duration {
	s.t.Helper()
	begin := s.now
	for !ok() {
		if s.now-begin > d {
			s.fatalf("not within %v: %s", d, what)
		}
		s.run(time.Millisecond)
	}
	return s.now - begin
}

func (s *sim) logf(format string, args ...any) {
	s.log = append(s.log, fmt.Sprintf("%9.3f ", s.now.Seconds())+fmt.Sprintf(format, args...))
}

func (s *sim) fatalf(format string, args ...any) {
	s.t.Helper()
	tail := s.log[max(0, len(s.log)-120):]
	s.t.Fatalf("at %v: %s\n%s", s.now, fmt.Sprintf(format, args...), strings.Join(tail, "\n"))
}

// simOptions are what scenarios vary.
type simOptions struct {
	seed     uint64
	interval time.Duration
	dead     time.Duration
	groups   []Group
	edit     func(i int, c *Config)
	// make makes a node otherwise, before it is turned on.
	make func(n *simNode)
}

func newSim(t tb, o simOptions) *sim {
	keys, err := wire.NewKeys(1, map[uint8][]byte{1: []byte("a secret of the pair")})
	if err != nil {
		t.Fatal(err)
	}
	s := &sim{t: t, rng: rand.New(rand.NewPCG(o.seed, 1)), kernels: rand.New(rand.NewPCG(o.seed, 2)), now: time.Hour, gateway: true, proofs: 500 * time.Microsecond, keys: keys}
	s.witness = simWitness{Witness: witness.New([]wire.Node{1, 2}, 0), delay: 300 * time.Microsecond}
	s.links = []*simLink{{lan: true}, {}}
	for _, l := range s.links {
		l.delay, l.vary = 200*time.Microsecond, 200*time.Microsecond
	}
	if o.groups == nil {
		o.groups = []Group{{Name: "vip", Total: 1}}
	}
	for i := range s.nodes {
		n := &simNode{s: s, i: i, off: true, carrier: true, port: true, reals: 100, disk: 1, kernel: map[string]*simHeld{}}
		n.cfg = Config{
			Self: wire.Node(i + 1), Peer: wire.Node(2 - i), SelfName: string(rune('A' + i)), PeerName: string(rune('B' - i)),
			Interval: o.interval, Dead: o.dead, Links: []Link{{"eth0"}, {"eth1"}}, Hash: 5, Version: 1,
		}
		for _, g := range o.groups {
			g.Priority = uint8(150 - 50*i)
			n.cfg.Groups = append(n.cfg.Groups, g)
		}
		if o.edit != nil {
			o.edit(i, &n.cfg)
		}
		if o.make != nil {
			o.make(n)
		}
		s.nodes[i] = n
	}
	return s
}

// startPair is a pair that runs, A holding.
func startPair(t tb, o simOptions) *sim {
	s := newSim(t, o)
	s.nodes[0].power()
	s.nodes[1].power()
	s.until(11*time.Second, "A holds", func() bool { return s.nodes[0].holds("") && s.nodes[0].m.voter(s.nodes[0].m.groups[0]) })
	s.run(2 * time.Second)
	s.watch.reset()
	return s
}

func (n *simNode) logf(format string, args ...any) {
	n.s.logf("%s: %s", n.cfg.SelfName, fmt.Sprintf(format, args...))
}

// power turns the machine on: nothing is held, and all processes start.
func (n *simNode) power() {
	n.logf("power on")
	n.off, n.frozen, n.kernel = false, false, map[string]*simHeld{}
	for _, g := range n.cfg.Groups {
		n.kernel[g.Name] = &simHeld{}
	}
	n.engine, n.keeper, n.kernels, n.warm = lane{}, lane{}, lane{}, false
	n.s.after(500*time.Millisecond, func() { n.warm = true; n.facts() })
	n.start()
}

// powerOff is all at once, without a word.
func (n *simNode) powerOff() {
	n.logf("power off")
	n.off = true
	n.kill()
	n.engine, n.keeper = lane{dead: true}, lane{dead: true}
}

// start starts the monitor.
func (n *simNode) start() {
	n.inc = n.s.rng.Uint64() | 1
	cfg := n.cfg
	cfg.Incarnation, cfg.Epoch = n.inc, n.disk
	m, err := New(cfg, n.now())
	if err != nil {
		n.s.t.Fatal(err)
	}
	n.m, n.stopped, n.done, n.reports, n.backlog = m, false, false, map[string]Report{}, nil
	n.disk += reserveAhead
	id := wire.Identity{Cluster: "sim", Self: n.cfg.Self, Incarnation: n.inc}
	n.out, n.in = wire.NewSealer(id, n.s.keys), wire.NewSession(id, n.cfg.Peer, n.s.keys, wire.SessionOptions{Random: simRandom{n.s.rng}})
	n.logf("the monitor starts")
	n.poll(n.timer)
	n.step(Tick{})
}

type simRandom struct{ *rand.Rand }

func (r simRandom) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return len(p), nil
}

// kill ends the monitor.
func (n *simNode) kill() {
	n.m = nil
	n.timer++
}

func (n *simNode) runs() bool { return n.m != nil && !n.off && !n.frozen && !n.stopped && !n.done }

// poll looks at the machine now and then, as netlink and a timer would.
func (n *simNode) poll(timer int) {
	if timer != n.timer {
		return
	}
	n.facts()
	n.s.after(100*time.Millisecond, func() { n.poll(timer) })
}

// online reports whether the node reaches the network of the clients.
func (n *simNode) online() bool { return !n.off && !n.frozen && n.carrier && n.port }

func (n *simNode) facts() {
	if !n.runs() {
		return
	}
	if n.online() {
		n.reached = n.s.now
	}
	lately := n.carrier && n.s.now-n.reached <= n.s.fresh
	f := Facts{
		LANs:   []LAN{{Name: "eth0", Carrier: n.carrier, Neighbour: lately, Gateway: lately && n.s.gateway}},
		Loaded: n.warm, Results: n.warm, Synced: n.synced, Reals: n.reals,
	}
	for _, g := range n.cfg.Groups {
		h, k := Held{}, n.kernel[g.Name]
		if k.held {
			h = Held{Count: g.Total, Lease: k.until}
			if k.until != wire.Permanent {
				h.Lease = n.local(k.until)
			}
		}
		f.Groups = append(f.Groups, h)
	}
	n.step(f)
}

func (n *simNode) step(e Event) {
	if !n.runs() {
		return
	}
	n.carry(n.m.Step(e, n.now()))
	if n.m != nil {
		n.without = n.without || n.m.absent
		n.arm()
	}
}

// arm sets the timer for the member's next wake.
func (n *simNode) arm() {
	timer, at := n.timer, n.m.Wake()
	if n.waking == at {
		return
	}
	n.waking = at
	n.s.after(max(n.world(at)-n.s.now, 0), func() {
		if timer == n.timer && n.waking == at && n.runs() {
			n.waking = 0
			n.step(Tick{})
		}
	})
}

func (n *simNode) carry(actions []Action) {
	for _, a := range slices.Clone(actions) {
		switch a := a.(type) {
		case Send:
			n.send(a)
		case Token:
			n.pass(a)
		case Probe:
			n.ask(a)
		case Report:
			n.reports[a.Service] = a
			if n.s.told != nil {
				n.s.told(n, a)
			}
			n.logf("%s %s: %s", a.Service, a.Level, a.Summary)
		case Change:
			n.changes = append(n.changes, a)
			n.logf("%s %s -> %s epoch %d: %s", a.Group, a.From, a.To, a.Epoch, a.Text)
		case AskVote:
			n.askVote(a)
		case Reserve:
			n.disk = max(n.disk, a.Before)
		case Renew:
			n.logf("renew")
			n.inc = n.s.rng.Uint64() | 1
			n.out.Renew(n.inc)
			n.in.Renew(n.inc)
			n.m.Renewed(n.inc)
		case Done:
			n.logf("done")
			n.done = true
		}
	}
}

func (n *simNode) send(a Send) {
	body, err := a.Beat.Append(nil)
	if err != nil {
		n.s.t.Fatal(err)
	}
	kind := wire.KindBeat
	if a.Goodbye {
		kind = wire.KindGoodbye
		n.logf("goodbye")
	}
	n.reply()
	n.transmit(kind, body)
}

func (n *simNode) reply() {
	if kind, body := n.in.Reply(nil, n.s.now); kind != 0 {
		n.transmit(kind, body)
	}
}

func (n *simNode) transmit(kind wire.Kind, body []byte) {
	s, to := n.s, n.s.nodes[1-n.i]
	n.out.Seal(kind, wire.Everyone, body, []uint8{0, 1}, func(link uint8, p []byte) {
		l := s.links[link]
		times := 1
		if s.rng.IntN(100) < l.dup {
			times = 2
		}
		for range times {
			if l.cut[n.i] || s.rng.IntN(100) < l.loss[n.i] || l.lan && (s.parted || !n.online() || !to.online()) {
				continue
			}
			d := l.delay
			if l.vary > 0 {
				d += time.Duration(s.rng.Int64N(int64(l.vary)))
			}
			data := slices.Clone(p)
			s.after(d, func() { to.receive(simPacket{link, data}) })
		}
	})
}

// receive is the socket: what a stopped program does not read waits in it.
func (n *simNode) receive(p simPacket) {
	switch {
	case n.off || n.frozen || n.m == nil || n.done:
	case n.stopped:
		if len(n.backlog) < 300 {
			n.backlog = append(n.backlog, p)
		}
	default:
		n.open(p)
	}
}

func (n *simNode) open(p simPacket) {
	o, r := n.in.Open(p.link, p.data)
	if r != wire.Taken {
		n.reply()
		return
	}
	if o.Kind == wire.KindBeat || o.Kind == wire.KindGoodbye {
		var b wire.Beat
		if !b.Decode(o.Body) {
			n.s.t.Fatal("a beat cannot be read")
		}
		n.step(Heard{Link: int(p.link), Incarnation: o.Incarnation, Beat: &b, Copy: o.Copy, Goodbye: o.Kind == wire.KindGoodbye})
		return
	}
	n.reply()
}

// freeze stops the whole machine, thaw lets it go on: its kernel's timers go on
// where they were, the clock has moved.
func (n *simNode) freeze(d time.Duration) {
	n.logf("freeze for %v", d)
	n.frozen = true
	for _, k := range n.kernel {
		k.expiries++
		if k.held && k.until != wire.Permanent {
			k.until += d
		}
	}
	n.s.after(d, func() {
		n.frozen = false
		n.logf("goes on")
		for name := range n.kernel {
			n.expire(name)
		}
		n.resume()
	})
}

// stop is SIGSTOP of the monitor, and SIGCONT after d.
func (n *simNode) stop(d time.Duration) {
	n.logf("the monitor stops for %v", d)
	n.stopped = true
	timer := n.timer
	n.s.after(d, func() {
		if timer == n.timer {
			n.stopped = false
			n.resume()
		}
	})
}

// resume: first the timer that is due, then what waits in the sockets.
func (n *simNode) resume() {
	if n.m == nil || n.done {
		return
	}
	n.logf("the monitor goes on")
	n.waking = 0
	n.step(Tick{})
	backlog := n.backlog
	n.backlog = nil
	for _, p := range backlog {
		n.open(p)
	}
}

// holds reports whether the kernel has the group, "" for the first.
func (n *simNode) holds(group string) bool {
	if group == "" {
		group = n.cfg.Groups[0].Name
	}
	k := n.kernel[group]
	return !n.off && k != nil && k.held
}

// serves reports whether clients reach the group here.
func (n *simNode) serves(group string) bool { return n.holds(group) && n.online() }

// tb is what a sim needs of a test, rapid's included.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}
