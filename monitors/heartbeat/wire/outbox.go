package wire

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Limits of what is kept for the reliable channel.
const (
	// MaxMessage is the longest message: 512 chunks.
	MaxMessage = MaxMissing * MaxData
	// MaxKept is how many chunks an Outbox keeps.
	MaxKept = MaxMissing
	// resendRate and resendBurst bound how many chunks are sent again.
	resendRate  = 50 // a second
	resendBurst = 50
	// resendGap is the least time between two sendings of one chunk.
	resendGap = 40 * time.Millisecond
	// tailAfter is after how long without an acknowledgement the last chunk is
	// sent again, in case it is what was lost.
	tailAfter = 250 * time.Millisecond
)

// ErrFull says that the peer has not acknowledged enough for another message.
var ErrFull = errors.New("too much is waiting for the peer's acknowledgement")

// Outbox is the sending end of the reliable channel: it keeps what it sent until
// the peer has it. It is for configuration and commands, never for beats. Used
// by one goroutine; now is any clock that does not go back.
type Outbox struct {
	last   uint32
	kept   []kept
	tokens float64
	filled time.Duration
	heard  time.Duration
}

type kept struct {
	chunk Chunk
	sent  time.Duration
	due   bool
}

// Push cuts a message into chunks, which Next then gives. An empty message is
// one chunk.
func (o *Outbox) Push(kind uint8, message []byte, now time.Duration) error {
	if len(message) > MaxMessage {
		return fmt.Errorf("a message of %d bytes is longer than %d", len(message), MaxMessage)
	}
	of := max(1, (len(message)+MaxData-1)/MaxData)
	if len(o.kept)+of > MaxKept {
		return ErrFull
	}
	if len(o.kept) == 0 {
		o.heard = now
	}
	for i := range of {
		o.last++
		part := message[i*MaxData : min(len(message), (i+1)*MaxData)]
		o.kept = append(o.kept, kept{Chunk{o.last, uint16(i), uint16(of), kind, slices.Clone(part)}, now - resendGap, true})
	}
	return nil
}

// Waiting is how many chunks the peer has not acknowledged.
func (o *Outbox) Waiting() int { return len(o.kept) }

// Acked takes in what the peer has and misses. It ignores one about another
// incarnation of ours, and numbers that were never sent.
func (o *Outbox) Acked(n *Nack, incarnation uint64, now time.Duration) {
	if n.Incarnation != incarnation || n.Acked > o.last {
		return
	}
	o.heard = now
	for len(o.kept) > 0 && o.kept[0].chunk.Number <= n.Acked {
		o.kept = o.kept[1:]
	}
	for number := range n.Misses {
		if i := int(number) - int(n.Acked) - 1; i < len(o.kept) && o.kept[i].chunk.Number == number {
			o.kept[i].due = true
		}
	}
}

// Next is the next chunk to send now, nil for none. First sendings and
// resendings share one limit.
func (o *Outbox) Next(now time.Duration) *Chunk {
	if n := len(o.kept); n > 0 && now-o.heard >= tailAfter {
		o.kept[n-1].due, o.heard = true, now
	}
	o.tokens = min(o.tokens+(now-o.filled).Seconds()*resendRate, resendBurst)
	if o.filled == 0 {
		o.tokens = resendBurst
	}
	o.filled = max(now, 1)
	for i := range o.kept {
		k := &o.kept[i]
		if k.due && now-k.sent >= resendGap && o.tokens >= 1 {
			k.due, k.sent = false, now
			o.tokens--
			return &k.chunk
		}
	}
	return nil
}
