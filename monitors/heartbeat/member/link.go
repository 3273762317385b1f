package member

import (
	"math/bits"
	"slices"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

const (
	// shortWindow beats say whether a link is lossy, longWindow whether it is
	// good again. At 1 % lost, 6 of 24 come together once in some hundred hours.
	shortWindow = 24
	longWindow  = 32
	// beatsToSilence beats, and leastSilence, must be over before a silent link is
	// called dead: longer than a busy peer may stand still (300 ms) and lose three
	// beats as well.
	beatsToSilence = 5
	leastSilence   = 700 * time.Millisecond
	// oneWayFor is for how long the peer must go on saying that it does not hear us
	// on a link: it says so after 4 beats, so for a moment also when we stood still.
	oneWayFor = 250 * time.Millisecond
	// testBeats are sent, testPace of them an interval, to see what is wrong with
	// a link that missed one.
	testBeats = shortWindow
	testPace  = 8
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
	// hears: the peer hears us on it; told: it said so, or not, at all. oneWay: it
	// has said for oneWayFor that it does not.
	hears, told bool
	oneWay      bool
	hearsSince  time.Duration
	echoed      uint32
	rtt         time.Duration
	lossy       bool
	// testTo is until when the link is tested; jumbled when a beat last came
	// after a later one.
	testTo, jumbled time.Duration
}

// fresh forgets what belongs to the peer's last incarnation.
func (l *linkState) fresh() {
	l.number, l.ever, l.counter, l.missed, l.total, l.told, l.hears, l.oneWay = 0, false, 0, 0, 0, false, false, false
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
	was := l.lossy
	missed, late := l.count(theirs.Sent)
	if late {
		l.jumbled = m.now
	}
	if missed {
		m.test(l)
	}
	if l.judge(m.cfg.Lossy); l.lossy != was {
		m.reportAt = m.now
	}
}

// judge says whether a link is lossy.
func (l *linkState) judge(most int) {
	switch lost := bits.OnesCount64(l.missed & (1<<shortWindow - 1)); {
	case lost >= most:
		l.lossy = true
	case l.lossy && bits.OnesCount64(l.missed&(1<<longWindow-1)) <= 1:
		l.lossy = false
	}
}

// count takes in the peer's count of beats sent: whether some were missed before
// this one, or this one comes late.
func (l *linkState) count(sent uint16) (missed, late bool) {
	if !l.ever {
		l.ever, l.counter, l.missed, l.total = true, sent, 0, 1
		return false, false
	}
	ahead := sent - l.counter
	if ahead >= 1<<15 {
		if back := l.counter - sent; back < 64 {
			l.missed &^= 1 << back
		}
		return false, true
	}
	if ahead == 0 {
		return false, false
	}
	l.missed = l.missed<<ahead | (1<<min(ahead, 64) - 1)
	l.missed &^= 1
	l.counter, l.total = sent, min(l.total+int(ahead), 64)
	l.missed &= 1<<l.total - 1
	return ahead > 1, false
}

// loss is the share of the last beats that did not come, in percent: of those that
// say whether a link is good again, so that one that is does not seem bad.
func (l *linkState) loss() int {
	return bits.OnesCount64(l.missed&(1<<longWindow-1)) * 100 / min(max(l.total, 1), longWindow)
}

func (l *linkState) measure(rtt time.Duration) {
	rtt = max(rtt, 0)
	if l.rtt == 0 {
		l.rtt = rtt
	}
	l.rtt += (rtt - l.rtt) / 8
}

// beatInterval is the longer of both directors' intervals.
func (m *Member) beatInterval() time.Duration { return max(m.peer.beat.Interval, m.cfg.Interval) }

// linkDead is after how much silence a link is dead.
func (m *Member) linkDead() time.Duration { return max(beatsToSilence*m.beatInterval(), leastSilence) }

// hearsOn reports whether the peer was heard on a link a moment ago: what it is
// told.
func (m *Member) hearsOn(l *linkState) bool {
	return l.ever && m.now-l.heard <= 4*m.beatInterval()
}

// A link that loses half of all must be told within a second, which is ten beats:
// too few to tell it from one that loses one in a hundred. So as soon as one beat
// is missed the link is tested: beats follow each other eight times as fast, and
// ask for an answer each, until there is enough to judge by. That costs nothing
// while nothing is lost, and ends by itself.

// orderly is for how long beats must have come in order on a link before it is
// tested: where they overtake each other, one that is missed may just be late.
const orderly = 10 * time.Second

// test begins a test of a link, if there is none.
func (m *Member) test(l *linkState) {
	if m.now >= l.testTo && !l.lossy && (l.jumbled == 0 || m.now-l.jumbled >= orderly) {
		l.testTo = m.now + testBeats*m.testEvery()
	}
}

// testEvery is the time between two beats of a test.
func (m *Member) testEvery() time.Duration { return max(m.beatInterval()/testPace, MinInterval) }

// missing is when the next beat on a link is missed. One takes its time on a
// serial line, which carries fewer than are due if it is slow.
func (m *Member) missing(l *linkState) time.Duration {
	return l.heard + m.beatInterval()*3/2 + l.rtt
}

// listen begins a test of each link on which a beat is late: one test, for one
// silence.
func (m *Member) listen() {
	for i := range m.links {
		if l := &m.links[i]; l.ever && m.now >= m.missing(l) && l.testTo <= l.heard {
			m.test(l)
		}
	}
}

// testing reports whether any link is tested now.
func (m *Member) testing() bool {
	return (m.peer.state == Alive || m.peer.state == Suspect) && slices.ContainsFunc(m.links, func(l linkState) bool {
		return m.now < l.testTo && !l.lossy
	})
}

// dueTests tells when the next beat is due that tests a link, and when one may
// have to begin.
func (m *Member) dueTests(sooner func(time.Duration)) {
	if m.testing() {
		sooner(m.beats.latest + m.testEvery())
	}
	for i := range m.links {
		if m.links[i].ever {
			sooner(m.missing(&m.links[i]))
		}
	}
}
