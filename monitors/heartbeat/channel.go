package heartbeat

import (
	"context"
	"sync"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/link"
	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/plugins/role/boottime"
)

// channel is the way between a director and its witness, as either has it: a
// session over links of its own, which are all sent on. Its goroutine is that of
// whoever has it, but for the receivers of run.
type channel struct {
	node    wire.Node // the other one
	ways    []*way
	every   []uint8
	sealer  *wire.Sealer
	session *wire.Session
	body    []byte // of the next packet
	// alarm is when a packet last did not open, 0 for never.
	alarm time.Duration
}

func newChannel(id wire.Identity, node wire.Node, keys *wire.Keys, sealer *wire.Sealer, specs []link.Spec) *channel {
	c := &channel{node: node, sealer: sealer, session: wire.NewSession(id, node, keys, wire.SessionOptions{})}
	for i, spec := range specs {
		c.ways, c.every = append(c.ways, newWay(link.New(spec))), append(c.every, uint8(i))
	}
	return c
}

// run receives until ctx ends.
func (c *channel) run(ctx context.Context, work *sync.WaitGroup, poke chan<- struct{}) {
	for _, w := range c.ways {
		work.Go(func() { w.Run(ctx, func(b []byte, _ time.Duration) { w.take(b, poke) }) })
	}
}

// drain hands on some of what has come, and reports whether there is more.
func (c *channel) drain(open func(i uint8, data []byte)) (more bool) {
	for i, w := range c.ways {
		more = w.drain(func(data []byte) { open(uint8(i), data) }) || more
	}
	return more
}

// open opens a packet and answers what the handshake wants answered; ok is false
// for all but the first copy of one of this kind.
func (c *channel) open(i uint8, data []byte, kind wire.Kind) (o wire.Opened, ok bool) {
	o, reason := c.session.Open(i, data)
	c.reply()
	if reason.Keys() {
		c.alarm = boottime.Now()
	}
	return o, reason == wire.Taken && !o.Copy && o.Kind == kind
}

// reply sends what the handshake wants sent.
func (c *channel) reply() {
	kind, body := c.session.Reply(c.body[:0], boottime.Now())
	c.body = body
	if kind != 0 {
		c.send(kind)
	}
}

// send sends body on all links.
func (c *channel) send(kind wire.Kind) {
	c.sealer.Seal(kind, c.node, c.body, c.every, func(i uint8, packet []byte) { c.ways[i].Send(packet) })
}

// forged reports whether packets lately did not open.
func (c *channel) forged() bool { return c.alarm != 0 && boottime.Now()-c.alarm < alarmFor }
