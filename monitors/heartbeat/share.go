package heartbeat

import (
	"slices"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/link"
	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/plugins/role"
)

// What the two monds share of their operators (engine/share) travels on the
// reliable channel, in parcels that this program does not look into. Beats say
// what each of the two knows ([wire.Beat].Replica): while that differs, each sends
// its parcels, the newest first, one after the other, until it is the same. So
// nothing has to be remembered of what the peer has: what was lost, or came while
// the peer's mond was away, is sent again.
//
// No role hangs on it, and it waits for beats: it is looked after when the loop has
// done everything else, a few chunks at a time.

const (
	// messageShare is the type of a message that is a parcel.
	messageShare = 1
	// sharePace is how long the peer has, after a parcel, to say that it knows all
	// by now: some beats. The rest follows then.
	sharePace = 300 * time.Millisecond
	// shareWait is how long who did not say anything new waits for who did.
	shareWait = time.Second
	// shareAgain is the time between two tries to tell all.
	shareAgain = 5 * time.Second
	// chunksAtOnce bounds what is sent in one turn of the loop.
	chunksAtOnce = 8
)

// courier carries what is shared. It belongs to the goroutine of Elect.
type courier struct {
	out wire.Outbox
	in  *wire.Inbox // nil before the peer was proven
	// rest are the parcels that are to be sent yet; paused is when the last one was
	// on its way, or the round ended.
	rest   [][]byte
	paused time.Duration
	// told is the share that rest began with, differs since when the two differ; 0
	// for not. fresh: ours is newer than what the peer was told.
	told    *role.Share
	differs time.Duration
	fresh   bool
	chunk   wire.Chunk
	nack    wire.Nack
}

// meet begins anew with another incarnation, of the peer or of our own: neither
// knows anything of what was on its way.
func (c *courier) meet() {
	*c = courier{in: wire.NewInbox(), fresh: true}
}

// round says which parcel is to go next, if one is. ours and theirs sum up what the
// two know.
func (c *courier) round(s *role.Share, ours, theirs uint64, now time.Duration) (parcel []byte) {
	if s != c.told {
		c.told, c.fresh, c.rest = s, true, nil
	}
	switch {
	case s == nil || len(s.Parcels) == 0 || ours == 0 || theirs == 0 || ours == theirs:
		c.rest, c.differs, c.fresh = nil, 0, c.fresh && ours != theirs
		return nil
	case c.differs == 0:
		c.differs = now
	}
	if c.out.Waiting() > 0 {
		c.paused = now
		return nil
	}
	if len(c.rest) == 0 && c.begins(now) {
		c.rest, c.fresh, c.paused = slices.Clone(s.Parcels), false, -sharePace
	}
	if len(c.rest) == 0 || now-c.paused < sharePace {
		return nil
	}
	parcel, c.rest, c.paused = c.rest[0], c.rest[1:], now
	return parcel
}

// begins reports whether a round is to begin: at once with what is new, later with
// what the peer should know already.
func (c *courier) begins(now time.Duration) bool {
	return c.fresh || now-c.differs >= shareWait && now-c.paused >= shareAgain
}

// sharing does what is to be done for what is shared: one parcel, what the peer
// missed, what we miss.
func (p *pair) sharing(now time.Duration) {
	c := &p.courier
	if c.in == nil {
		return
	}
	if parcel := c.round(p.site.Share, p.site.Replica, p.theirs, now); parcel != nil {
		if err := c.out.Push(messageShare, parcel, now); err != nil {
			p.log("sharing", "err", err)
		}
	}
	if c.in.Nack(&c.nack, p.session.Proven(), now) {
		p.body = c.nack.Append(p.body[:0])
		p.sealer.Seal(wire.KindNack, wire.Node(p.h.peer), p.body, p.every, p.slow)
	}
	for range min(chunksAtOnce, c.out.Waiting()) {
		on := p.road(now)
		if on == nil {
			return
		}
		chunk := c.out.Next(now)
		if chunk == nil {
			return
		}
		p.body = chunk.Append(p.body[:0])
		p.sealer.Seal(wire.KindChunk, wire.Node(p.h.peer), p.body, on, p.slow)
	}
}

// slow sends what is no beat on a link: where a packet would have to wait, it is
// lost, so that a beat need not.
func (p *pair) slow(i uint8, packet []byte) {
	if p.ways[i].Ready(len(packet)) {
		p.ways[i].Send(packet)
	}
}

// road are the links for the next chunk: the one that loses least and is no serial
// line, with another if it loses some; a serial line where there is nothing else.
func (p *pair) road(now time.Duration) []uint8 {
	p.roads = p.roads[:0]
	status := p.member.Status()
	serial := -1
	for i, w := range p.ways {
		switch l := &status.Links[i]; {
		case !l.Hears || l.Silent >= p.h.deadTime():
		case w.Spec().Kind == link.Serial:
			serial = i
		default:
			p.roads = append(p.roads, uint8(i))
		}
	}
	loss := func(i uint8) int { return max(status.Links[i].Loss, status.Links[i].LossThere) }
	slices.SortStableFunc(p.roads, func(a, b uint8) int { return loss(a) - loss(b) })
	switch {
	case len(p.roads) == 0 && serial >= 0 && p.spares(p.ways[serial], now):
		return append(p.roads, uint8(serial))
	case len(p.roads) == 0:
		return nil
	case loss(p.roads[0]) == 0:
		return p.roads[:1]
	}
	return p.roads[:min(2, len(p.roads))]
}

// spares reports whether a serial line can carry a chunk now: it is idle, has rested
// for three times as long as the last one took, and a chunk holds up no beat for
// more than a quarter of the dead time. A line that is too slow for that carries
// beats only.
func (p *pair) spares(w *way, now time.Duration) bool {
	takes := (wire.MaxPacket + 16) * 10 * time.Second / time.Duration(w.Spec().Baud)
	if takes > p.h.deadTime()/4 || now < p.resting || !w.Ready(wire.MaxPacket) {
		return false
	}
	p.resting = now + 4*takes
	return true
}

// shares takes a packet of the reliable channel.
func (p *pair) shares(o *wire.Opened, now time.Duration) {
	c := &p.courier
	switch {
	case c.in == nil || o.Copy:
	case o.Kind == wire.KindNack && c.nack.Decode(o.Body):
		c.out.Acked(&c.nack, p.sealer.Incarnation(), now)
	case o.Kind == wire.KindChunk && c.chunk.Decode(o.Body):
		c.in.Take(&c.chunk, now, p.parcel)
	}
}

// parcel gives mond what came whole.
func (p *pair) parcel(m wire.Message) {
	if m.Type == messageShare && len(m.Data) > 0 && len(m.Data) <= role.MaxParcel {
		p.say.Shared(p.shared(m.Data))
	}
}

// shared is a word about sharing.
func (p *pair) shared(parcel []byte) role.Shared {
	return role.Shared{Node: uint8(p.h.self), Name: p.h.name, Parcel: parcel}
}
