package heartbeat

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/link"
	"github.com/mondhq/mond/monitors/heartbeat/member"
	"github.com/mondhq/mond/monitors/heartbeat/sight"
	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/role/boottime"
)

const (
	// patient is how long a beat's interval is at least for which real time is
	// not needed.
	patient = 50 * time.Millisecond
	// garbage is how much the heap may grow, in percent, before it is swept: it
	// is small, and a sweep costs time.
	garbage = 400
	// sumUp is the time between two looks at what is not an event: links'
	// errors, counts, what is shown.
	sumUp = time.Second
)

// pair is one director of two while it elects. All but what the queues hold
// belongs to the goroutine of Elect.
type pair struct {
	h       *heart
	say     monitor.Election
	member  *member.Member
	sealer  *wire.Sealer
	session *wire.Session
	voice   voice
	work    sync.WaitGroup
	ctx     context.Context

	ways []*way
	// third is the way to the witness, nil without one.
	third *third
	// poke says that a way has mail; capacity 1.
	poke chan struct{}
	// given counts the beats that each link was given.
	given  []uint16
	chosen []uint8
	every  []uint8
	size   int // of the last packet
	// courier carries what the two monds share; theirs sums up what the peer knows
	// of it.
	courier courier
	theirs  uint64
	roads   []uint8
	resting time.Duration // until when a serial line is left to beats
	put     func(uint8, []byte)
	body    []byte
	heard   wire.Beat

	site   role.Site
	groups []role.Group
	holds  []bool // the peer holds the group of that place
	orders orders
	view   *view
	seen   sight.Seen

	looks   chan look          // capacity 1: the newest
	probed  chan member.Probed // capacity 64: a probe that finds no room is asked again
	keys    chan keyNews       // capacity 1
	reserve chan uint64        // capacity 1: the newest
	booked  chan uint64        // capacity 1
	logs    chan entry         // capacity 64: what finds no room is lost
	history []Decision
	leaving bool // it was told so
	done    bool
	// alarm is when a packet last did not open, crossed when one last came on
	// another link than it was sent on; 0 for never.
	alarm, crossed time.Duration
}

// look is what a Sight saw, and which one.
type look struct {
	from *view
	sight.Seen
}

// view is a Sight that runs.
type view struct {
	*sight.Sight
	stop context.CancelFunc
}

// way is a link and what came on it. The receiver takes a packet from free and
// puts it into mail; one that finds none free is dropped, so a flood on one link
// costs that link only.
type way struct {
	*link.Link
	mail, free chan *packet
}

type packet struct {
	data []byte
	buf  [link.MaxPacket + 1]byte
}

// mails is how many packets of one link may wait.
const mails = 64

// electPair is Elect for a pair.
func (h *heart) electPair(ctx context.Context, first role.Site, site <-chan role.Site, say monitor.Election) error {
	keys, err := loadKeys(h.keys)
	if err != nil {
		return monitor.Fault(err)
	}
	ctx, stop := context.WithCancel(ctx)
	p := &pair{
		h: h, say: say, ctx: ctx, poke: make(chan struct{}, 1),
		looks: make(chan look, 1), probed: make(chan member.Probed, 64), keys: make(chan keyNews, 1),
		reserve: make(chan uint64, 1), booked: make(chan uint64, 1), logs: make(chan entry, 64),
	}
	p.voice.say, p.voice.peer = say.Report, cmp.Or(p.h.peerName, fmt.Sprintf("node %d", p.h.peer))
	defer p.work.Wait()
	defer stop()
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	if sooner(); h.interval.value < patient {
		p.voice.warn = realtime()
	}
	if err := p.begin(first, keys); err != nil {
		return err
	}
	p.loop(site)
	return nil
}

// begin makes all parts and sets them going.
func (p *pair) begin(first role.Site, keys *wire.Keys) error {
	h := p.h
	id := wire.Identity{Cluster: h.cluster, Self: wire.Node(h.self), Incarnation: draw()}
	p.sealer = wire.NewSealer(id, keys)
	p.session = wire.NewSession(id, wire.Node(h.peer), keys, wire.SessionOptions{})
	epoch := p.firstEpoch()
	cfg := h.config(id.Incarnation, epoch)
	groups, err := parse(first.Lines)
	if err != nil {
		return err
	}
	p.third = newThird(h, keys)
	p.configured(first, groups, &cfg)
	if p.member, err = member.New(cfg, boottime.Now()); err != nil {
		return err
	}
	p.put = func(i uint8, packet []byte) { p.size = len(packet); p.ways[i].Send(packet) }
	for i, spec := range h.links {
		p.every = append(p.every, uint8(i))
		p.ways = append(p.ways, newWay(link.New(spec)))
	}
	p.given = make([]uint16, len(p.ways))
	for _, w := range p.ways {
		p.work.Go(func() { w.Run(p.ctx, func(b []byte, _ time.Duration) { w.take(b, p.poke) }) })
	}
	if p.third != nil {
		p.third.run(p.ctx, &p.work, p.poke)
	}
	// These nobody waits for: a disk may hang, or who reads the log. They end with
	// ctx as soon as it does not.
	go p.chronicle()
	go watchKeys(p.ctx, h.keys, p.keys)
	go p.book(h.epochs)
	p.offer(epoch + ahead)
	p.say.Shared(p.shared(nil))
	p.tell(first)
	return nil
}

func newWay(l *link.Link) *way {
	w := &way{Link: l, mail: make(chan *packet, mails), free: make(chan *packet, mails)}
	for range mails {
		w.free <- new(packet)
	}
	return w
}

// take keeps a packet that came.
func (w *way) take(b []byte, poke chan<- struct{}) {
	select {
	case k := <-w.free:
		k.data = k.buf[:copy(k.buf[:], b)]
		w.mail <- k // there are as many places as packets
	default:
		return
	}
	select {
	case poke <- struct{}{}:
	default: // it is to look already
	}
}

// loop is the one goroutine that decides.
func (p *pair) loop(site <-chan role.Site) {
	timer, sum := time.NewTimer(0), time.NewTicker(sumUp)
	defer timer.Stop()
	defer sum.Stop()
	for !p.done {
		select {
		case <-p.ctx.Done():
			return
		case <-timer.C:
			p.step(member.Tick{})
		case <-p.poke:
			p.read()
		case s := <-site:
			p.reload(s)
		case l := <-p.looks:
			p.look(l)
		case e := <-p.probed:
			p.step(e)
		case n := <-p.keys:
			p.rotate(n)
		case before := <-p.booked:
			p.step(member.Reserved{Before: before})
		case <-sum.C:
			p.sum()
		}
		if wait := p.member.Wake() - boottime.Now(); wait > 0 {
			timer.Reset(wait)
		} else if !p.done {
			p.step(member.Tick{}) // whatever else is waiting: a flood delays no beat
			timer.Reset(max(p.member.Wake()-boottime.Now(), 0))
		}
		p.sharing(boottime.Now())
	}
}

// read opens what has come, some of each link in turn.
func (p *pair) read() {
	more := false
	for i, w := range p.ways {
		more = w.drain(func(data []byte) { p.open(uint8(i), data) }) || more
	}
	if p.third != nil {
		more = p.third.drain(func(i uint8, data []byte) { p.third.hear(i, data, p.step) }) || more
	}
	if more {
		select {
		case p.poke <- struct{}{}:
		default:
		}
	}
}

// drain hands on some of what has come, and reports whether there is more.
func (w *way) drain(open func(data []byte)) bool {
	for range mails / 4 {
		select {
		case k := <-w.mail:
			open(k.data)
			w.free <- k
		default:
			return false
		}
	}
	return len(w.mail) > 0
}

// open opens one packet.
func (p *pair) open(i uint8, data []byte) {
	o, reason := p.session.Open(i, data)
	p.reply()
	if reason.Keys() {
		p.alarm = boottime.Now()
	}
	if reason == wire.Taken && o.Restarted {
		p.courier.meet()
	}
	if reason == wire.Taken && (o.Kind == wire.KindChunk || o.Kind == wire.KindNack) {
		p.shares(&o, boottime.Now())
	}
	if reason != wire.Taken || o.Kind != wire.KindBeat && o.Kind != wire.KindGoodbye || !p.heard.Decode(o.Body) {
		return
	}
	e := member.Heard{Link: int(i), Incarnation: o.Incarnation, Beat: &p.heard, Copy: o.Copy, Goodbye: o.Kind == wire.KindGoodbye}
	if o.Crossed {
		e.Link, p.crossed = -1, boottime.Now()
	}
	if !o.Copy {
		p.theirs = p.heard.Replica
	}
	p.attend()
	p.step(e)
}

// attend tells who looks what the peer says that it holds.
func (p *pair) attend() {
	p.view.Hurry(false)
	for i, g := range p.groups {
		t := p.heard.Group(wire.GroupHash(g.Name))
		if on := t != nil && t.Claim == wire.Holding && t.Held > 0; on != p.holds[i] {
			p.holds[i] = on
			p.view.PeerHolds(i, on)
		}
	}
}

// reply sends what the handshake wants sent.
func (p *pair) reply() {
	kind, body := p.session.Reply(p.body[:0], boottime.Now())
	p.body = body
	if kind != 0 {
		p.sealer.Seal(kind, wire.Node(p.h.peer), body, p.every, p.put)
	}
}

// step tells the member of an event and does what it says.
func (p *pair) step(e member.Event) {
	for _, a := range p.member.Step(e, boottime.Now()) {
		p.do(a)
	}
	p.third.flush()
}

// do carries out one action.
func (p *pair) do(a member.Action) {
	switch a := a.(type) {
	case member.Send:
		p.send(a)
	case member.Token:
		p.token(a)
	case member.Probe:
		p.probe(a)
	case member.AskVote:
		p.third.want(a)
	case member.Report:
		p.voice.report(a, p.linkState(a.Service))
	case member.Change:
		p.change(a)
	case member.Renew:
		n := draw()
		p.sealer.Renew(n)
		p.session.Renew(n)
		p.member.Renewed(n)
		p.courier.meet()
		p.third.renew()
	case member.Reserve:
		p.offer(a.Before)
	case member.Done:
		p.done = true
	}
}

// send sends a beat on every link that can carry it now: a slow line is given
// fewer, and its count in the beat says so.
func (p *pair) send(a member.Send) {
	p.reply()
	p.chosen = p.chosen[:0]
	for i, w := range p.ways {
		if w.Ready(p.size) {
			p.given[i]++
			p.chosen = append(p.chosen, uint8(i))
		}
	}
	for i := range a.Beat.Links {
		a.Beat.Links[i].Sent = p.given[i]
	}
	for i := range min(len(a.Beat.Groups), len(p.seen.Held)) {
		a.Beat.Groups[i].Addresses = p.seen.Held[i]
	}
	body, err := a.Beat.Append(p.body[:0])
	p.body = body
	if err != nil {
		return // there are as many links and groups as were validated
	}
	kind := wire.KindBeat
	if a.Goodbye {
		kind = wire.KindGoodbye
	}
	p.sealer.Seal(kind, wire.Node(p.h.peer), body, p.chosen, p.put)
}

// token hands the right to hold a group to mond.
func (p *pair) token(a member.Token) {
	t := role.Token{Group: a.Group, Hold: a.Hold, Epoch: a.Epoch, Announce: a.Announce, Reason: a.Reason}
	if a.Hold {
		t.Until, t.Lease = boottime.Now()+a.ValidFor, a.Lease
	}
	p.say.Token(t)
}

// probe asks the networks.
func (p *pair) probe(a member.Probe) {
	p.view.Hurry(true)
	for i, g := range p.groups {
		if g.Name == a.Group {
			p.view.Probe(i, a.Wait, func(e member.Probed) {
				select {
				case p.probed <- e:
				case <-p.ctx.Done():
				}
			})
		}
	}
}

// change notes a decision.
func (p *pair) change(c member.Change) {
	d := Decision{Group: c.Group, From: c.From.String(), To: c.To.String(), Epoch: c.Epoch, Reason: c.Reason.String(), Text: c.Text, At: boottime.Now()}
	p.history = append(p.history, d)
	p.history = p.history[max(0, len(p.history)-decisions):]
	p.log("role", "group", c.Group, "from", d.From, "to", d.To, "epoch", c.Epoch, "why", c.Text)
}

// entry is a line of the log.
type entry struct {
	text string
	args []any
}

// log writes to the log without waiting: where nobody reads it, lines are lost.
func (p *pair) log(text string, args ...any) {
	select {
	case p.logs <- entry{text, args}:
	default:
	}
}

// chronicle writes the log until ctx ends.
func (p *pair) chronicle() {
	for {
		select {
		case <-p.ctx.Done():
			return
		case e := <-p.logs:
			slog.Info(e.text, e.args...)
		}
	}
}

// linkState is how the link of a service stands, nil for another service.
func (p *pair) linkState(service string) *link.State {
	if service == "witness" && p.third != nil {
		return p.third.state()
	}
	for _, w := range p.ways {
		if service == "link-"+w.Spec().Name {
			return new(w.State())
		}
	}
	return nil
}

// rotate puts other keys in place, or says why not.
func (p *pair) rotate(n keyNews) {
	p.voice.keys(n.err)
	if n.err != nil {
		return
	}
	p.sealer.Rotate(n.keys)
	p.session.Rotate(n.keys)
	p.third.rotate(n.keys)
	p.log("keys", "now", n.keys.String())
}

// sum says once a second what no event says.
func (p *pair) sum() {
	for _, w := range p.ways {
		p.voice.again("link-"+w.Spec().Name, new(w.State()))
	}
	if p.third != nil {
		p.voice.again("witness", p.third.state())
	}
	p.voice.seen(p.seen.Err)
	counts := p.session.Counts()
	lately := func(at time.Duration) bool { return at != 0 && boottime.Now()-at < alarmFor }
	p.voice.alarm(lately(p.alarm), counts)
	p.voice.crossed(lately(p.crossed))
	p.voice.remind(p.member.Reports)
	p.show()
}

// alarmFor is how long one packet that should not be is an alarm.
const alarmFor = 10 * time.Second

// errGroups says what is wrong with the lines.
func errGroups(line role.Line, err error) error {
	return fmt.Errorf("group %s: %w", line.Group, err)
}
