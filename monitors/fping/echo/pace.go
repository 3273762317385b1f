package echo

import (
	"sync"
	"time"
)

// burst is how many requests may be sent at once after a pause.
const burst = batch

// pacer is a token bucket that is told the time. Who takes tokens that are not
// there yet waits for them; others queue behind.
type pacer struct {
	mu sync.Mutex
	// full is when the bucket will be full again.
	full time.Time
}

// reserve takes n tokens, of which a new one comes each interval, and says how
// long to wait before they may be used.
func (p *pacer) reserve(now time.Time, n int, each time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.full.Before(now) {
		p.full = now
	}
	p.full = p.full.Add(time.Duration(n) * each)
	return max(0, p.full.Sub(now)-burst*each)
}

// each is the time between two requests at so many a second.
func each(pace int) time.Duration { return time.Second / time.Duration(pace) }
