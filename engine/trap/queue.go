package trap

import (
	"net/netip"
	"sync"
)

// datagram is what was read, and from whom.
type datagram struct {
	data []byte
	from netip.Addr
}

// overhead is what a datagram takes beside its bytes.
const overhead = 128

func (d datagram) size() int { return len(d.data) + overhead }

// queue holds what was read and not judged yet. The reader puts in and never
// waits; the judge takes out.
type queue struct {
	// filled holds a token when there may be something to take.
	filled chan struct{}

	mu    sync.Mutex
	items []datagram
	room  int // bytes
}

func newQueue(room int) *queue { return &queue{filled: make(chan struct{}, 1), room: room} }

// put takes in as many as there is room for and returns how many were dropped.
func (q *queue) put(list []datagram) (dropped int) {
	q.mu.Lock()
	for _, d := range list {
		if d.size() > q.room {
			dropped++
			continue
		}
		q.room -= d.size()
		q.items = append(q.items, d)
	}
	q.mu.Unlock()
	select {
	case q.filled <- struct{}{}:
	default: // the judge has not seen the last token yet
	}
	return dropped
}

// take takes out at most n, oldest first.
func (q *queue) take(n int, into []datagram) []datagram {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.items))
	into = append(into, q.items[:n]...)
	for _, d := range q.items[:n] {
		q.room += d.size()
	}
	clear(q.items[:n]) // the array lives on
	q.items = q.items[n:]
	return into
}
