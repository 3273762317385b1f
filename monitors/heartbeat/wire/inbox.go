package wire

import "time"

const (
	// nackAfter is how long a gap may be: links deliver in different order.
	nackAfter = 30 * time.Millisecond
	// nackGap is the least time between two Nacks: 20 a second.
	nackGap = 50 * time.Millisecond
)

// Message is what an Inbox put together.
type Message struct {
	Type uint8
	Data []byte
}

// Inbox is the receiving end of the reliable channel: messages come out whole,
// once and in order. It holds at most MaxMissing chunks out of order and one
// message. Used by one goroutine.
type Inbox struct {
	// next is the number of the chunk that comes next.
	next  uint32
	early map[uint32]Chunk
	parts []byte
	at    uint16
	of    uint16
	bad   bool
	// since is since when there is a gap, sent when the last Nack was sent.
	since, sent time.Duration
	unsaid      int
	top         uint32
}

// NewInbox makes the Inbox for one incarnation of the peer.
func NewInbox() *Inbox {
	return &Inbox{next: 1, early: map[uint32]Chunk{}, sent: -nackGap}
}

// Take takes a chunk and yields the messages that it completes. A chunk too far
// ahead, or taken before, is dropped. now is any clock that does not go back.
func (b *Inbox) Take(c *Chunk, now time.Duration, yield func(Message)) {
	b.unsaid++
	if c.Number < b.next || c.Number-b.next >= MaxMissing {
		return
	}
	if c.Number != b.next {
		if len(b.early) == 0 {
			b.since = now
		}
		if _, there := b.early[c.Number]; !there {
			keep := *c
			keep.Data = append([]byte(nil), c.Data...)
			b.early[c.Number], b.top = keep, max(b.top, c.Number)
		}
		return
	}
	b.join(c, yield)
	for {
		e, ok := b.early[b.next]
		if !ok {
			break
		}
		delete(b.early, e.Number)
		b.join(&e, yield)
		b.since = now
	}
}

// join adds the next chunk to its message. One that does not fit the message
// before it ends that message; what is not whole is never yielded.
func (b *Inbox) join(c *Chunk, yield func(Message)) {
	b.next++
	if c.Index == 0 {
		b.parts, b.at, b.of, b.bad = b.parts[:0], 0, c.Of, c.Of > MaxMissing
	}
	if b.bad || c.Index != b.at || c.Of != b.of {
		b.bad = true
		return
	}
	b.parts = append(b.parts, c.Data...)
	b.at++
	if b.at == b.of {
		yield(Message{c.Type, append([]byte(nil), b.parts...)})
		b.bad = true
	}
}

// Nack says what to tell the sender now, if anything: what is missing, once a
// gap is old enough, or what came, after some chunks or some time.
func (b *Inbox) Nack(n *Nack, incarnation uint64, now time.Duration) bool {
	gap := len(b.early) > 0 && now-b.since >= nackAfter
	if now-b.sent < nackGap || !gap && b.unsaid == 0 {
		return false
	}
	*n = Nack{Incarnation: incarnation, Acked: b.next - 1, Missing: n.Missing[:0]}
	if gap {
		for number := b.next; number < b.top; number++ {
			i := int(number - b.next)
			for len(n.Missing) <= i/8 {
				n.Missing = append(n.Missing, 0)
			}
			if _, there := b.early[number]; !there {
				n.Missing[i/8] |= 1 << (i % 8)
			}
		}
	}
	b.sent, b.unsaid = now, 0
	return true
}
