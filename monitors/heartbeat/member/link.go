package member

import (
	"math/bits"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

const (
	// shortWindow beats say whether a link is lossy, longWindow whether it is
	// good again.
	shortWindow = 12
	longWindow  = 32
	// leastSilence is after how long a silent link may be called dead.
	leastSilence = time.Second
)

// linkState is what is known of one link.
type linkState struct {
	service string
	// heard is when the newest beat came on it, number its number. ever: one
	// came since the peer's present incarnation began.
	heard  time.Duration
	number uint32
	ever   bool
	// counter is the peer's count of beats sent on it; missed is a bit for each
	// of the last total, newest lowest, set if it did not come.
	counter uint16
	missed  uint64
	total   int
	// sent is our own count.
	sent uint16
	// hears: the peer hears us on it; told: it said so, or not, at all.
	hears, told bool
	hearsSince  time.Duration
	echoed      uint32
	rtt         time.Duration
	lossy       bool
}

// fresh forgets what belongs to the peer's last incarnation.
func (l *linkState) fresh() {
	l.number, l.ever, l.counter, l.missed, l.total, l.told, l.hears = 0, false, 0, 0, 0, false, false
}

// account takes in that a beat came on a link.
func (m *Member) account(link uint8, b *wire.Beat) {
	l := &m.links[link]
	if b.Number > l.number {
		l.number, l.heard = b.Number, m.now
	}
	theirs := b.Link(link)
	if theirs == nil {
		return
	}
	l.count(theirs.Sent)
	switch lost := bits.OnesCount64(l.missed & (1<<shortWindow - 1)); {
	case lost >= m.cfg.Lossy:
		l.lossy = true
	case l.lossy && bits.OnesCount64(l.missed&(1<<longWindow-1)) <= 1:
		l.lossy = false
	}
}

// count takes in the peer's count of beats sent.
func (l *linkState) count(sent uint16) {
	if !l.ever {
		l.ever, l.counter, l.missed, l.total = true, sent, 0, 1
		return
	}
	ahead := sent - l.counter
	if ahead >= 1<<15 {
		if back := l.counter - sent; back < 64 {
			l.missed &^= 1 << back
		}
		return
	}
	if ahead == 0 {
		return
	}
	l.missed = l.missed<<ahead | (1<<min(ahead, 64) - 1)
	l.missed &^= 1
	l.counter, l.total = sent, min(l.total+int(ahead), 64)
	l.missed &= 1<<l.total - 1
}

// loss is the share of the last beats that did not come, in percent.
func (l *linkState) loss() int {
	return bits.OnesCount64(l.missed) * 100 / max(l.total, 1)
}

func (l *linkState) measure(rtt time.Duration) {
	rtt = max(rtt, 0)
	if l.rtt == 0 {
		l.rtt = rtt
	}
	l.rtt += (rtt - l.rtt) / 8
}

// linkDead is after how much silence a link is dead.
func (m *Member) linkDead() time.Duration {
	return max(3*max(m.peer.beat.Interval, m.cfg.Interval), leastSilence)
}

// hearsOn reports whether the peer was heard on a link a moment ago: what it is
// told.
func (m *Member) hearsOn(l *linkState) bool {
	return l.ever && m.now-l.heard <= 4*max(m.peer.beat.Interval, m.cfg.Interval)
}
