package member

import (
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// A director whose programs are dead leaves its addresses to its kernel, which
// answers for them until their lease ends. The peer asks all that time, and takes
// the group when nobody answers any more. It must ask often then, since from the
// end on nobody serves; and it must not take a lost answer for the end.
//
// What makes the taking safe is the lease: nobody renews it, and the kernel obeys
// it. The questions confirm that, and tell how late the kernel is. What the
// peer's last beat said gives a window for the end, on our clock from when that
// beat came (so it can seem later here than it is by what the beat took, which is
// the safe side):
//
//   - at the earliest what it said was left. The kernel counts an address older
//     than it is by 20 ms (ADDRCONF_TIMER_FUZZ_MINUS), its stamps are jiffies, and
//     clocks differ by 1 in 10,000; so questions follow each other closely from
//     endsEarly before. They are counted, but not acted on before the end.
//   - at the latest a whole lease after the last token that may have been on its
//     way ended, and endsLate: the kernel looks for what is over at whole seconds
//     where that is late by 250 ms at most, and never twice within a second.
//
// In that window it takes four unanswered questions in a row as before, but 10 ms
// apart and not 50; outside of it the old pace stands. So a peer that lives and
// goes on renewing, which is not heard because all links are cut, is asked closely
// for some 3 s once, each question twice: eight answers in a row would have to be
// lost within 40 ms. A network that loses answers is known by then, since it was
// asked for as long as the lease: the more were lost in a row, the more it takes
// ([probe.enough]). One that answers slowly is known, too: a question is as long
// as two of its slowest answers of late. And while this node's own way is blocked no
// question counts (proof.go).
const (
	endsEarly = 100 * time.Millisecond
	endsLate  = 1300 * time.Millisecond
	// closest is the least time between two questions near the end.
	closest = 10 * time.Millisecond
	// perAddress is that for each address of a group: a large one would flood the
	// network, since each question is broadcast, twice.
	perAddress = time.Millisecond
)

// ends is when the peer's kernel removes the group: not before from, and, unless
// it is renewed still, not after to. ok is false where it did not say so.
func (m *Member) ends(g *group) (from, to time.Duration, ok bool) {
	t := m.theirs(g)
	if t == nil || t.Held == 0 || t.Lease == 0 || t.Lease == wire.Permanent {
		return 0, 0, false
	}
	return m.peer.heard + t.Lease, m.peer.heard + m.tokenFor() + max(t.Lease, m.cfg.Lease) + endsLate, true
}

// ending reports whether the lease of the peer, whose kernel answered during this
// silence, may end now.
func (m *Member) ending(g *group) bool {
	from, to, ok := m.ends(g)
	return ok && g.probe.ever && m.now >= from-endsEarly && m.now < to
}

// early reports whether that lease cannot have ended yet.
func (m *Member) early(g *group) bool {
	from, _, _ := m.ends(g)
	return m.ending(g) && m.now < from
}

// closely is the time between two questions near the end, and for how long each
// waits.
func (m *Member) closely(g *group) time.Duration {
	d := max(closest, 2*g.probe.slowest, time.Duration(g.cfg.Total)*perAddress)
	return min(d, m.probeEvery(), m.probeWait())
}
