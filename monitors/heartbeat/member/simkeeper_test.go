package member

import (
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// through runs do in a process, after a millisecond, or when it goes on.
func (n *simNode) through(l *lane, do func()) {
	n.s.after(l.next(n, time.Millisecond), func() {
		switch {
		case n.off || l.dead:
		case l.stopped || n.frozen:
			l.queue = append(l.queue, do)
		default:
			do()
		}
	})
}

// next is how long it takes until a step is done that takes d: steps are done one
// after the other.
func (l *lane) next(n *simNode, d time.Duration) time.Duration {
	l.done = max(l.done, n.s.now+n.takes(d))
	return l.done - n.s.now
}

// stopLane stops engine or keeper for d.
func (n *simNode) stopLane(name string, l *lane, d time.Duration) {
	n.logf("%s stops for %v", name, d)
	l.stopped = true
	n.s.after(d, func() {
		n.logf("%s goes on", name)
		l.stopped = false
		queue := l.queue
		l.queue = nil
		for _, do := range queue {
			n.through(l, do)
		}
	})
}

// pass carries a token through the engine to the keeper, which looks at it when
// it arrives.
func (n *simNode) pass(t Token) {
	sent := n.s.now
	n.s.tokens++
	if t.Announce && t.Hold {
		n.announce++
	}
	n.through(&n.engine, func() {
		n.through(&n.keeper, func() { n.keep(t, sent+t.ValidFor) })
	})
}

// keep is the keeper: it adds, renews and removes.
func (n *simNode) keep(t Token, validTo time.Duration) {
	k := n.kernel[t.Group]
	if !t.Hold {
		k.hold = false
		if k.held {
			n.s.after(n.kernels.next(n, 2*time.Millisecond), func() { n.remove(t.Group) })
		}
		return
	}
	if n.s.now > validTo {
		n.logf("the keeper drops a token that is too old")
		return
	}
	changed := !k.hold || (k.lease == 0) != (t.Lease == 0)
	k.hold, k.validTo, k.lease = true, validTo, t.Lease
	if changed || !k.held {
		n.s.after(n.kernels.next(n, 2*time.Millisecond), func() { n.renew(t.Group) })
	} else if n.s.now-k.renewed >= time.Second {
		n.renew(t.Group)
	}
}

// renew adds the addresses, or renews their lease.
func (n *simNode) renew(group string) {
	k := n.kernel[group]
	if n.off || !k.hold || n.s.now > k.validTo || n.keeper.stopped || n.keeper.dead || n.frozen {
		return
	}
	if !k.held {
		n.logf("kernel: %s added", group)
	}
	k.held, k.renewed, k.until = true, n.s.now, wire.Permanent
	if k.lease != 0 {
		k.until = n.s.now + k.lease
	}
	n.expire(group)
	n.s.after(time.Millisecond, n.facts)
}

// removal is how late the kernel looks for what is over: it rounds to seconds
// where that is near, and counts an address 20 ms older than it is.
func (n *simNode) removal() time.Duration {
	return time.Duration(n.s.kernels.IntN(270)-20) * time.Millisecond
}

// expire has the kernel remove the group when its lease is over.
func (n *simNode) expire(group string) {
	k := n.kernel[group]
	k.expiries++
	at := k.expiries
	if !k.held || k.until == wire.Permanent {
		return
	}
	n.s.after(max(k.until+n.removal()-n.s.now, 0), func() {
		if k.expiries == at && n.kernel[group] == k && !n.frozen {
			n.logf("kernel: the lease of %s is over", group)
			n.remove(group)
		}
	})
}

func (n *simNode) remove(group string) {
	k := n.kernel[group]
	if n.off || !k.held {
		return
	}
	n.logf("kernel: %s removed", group)
	k.held = false
	k.expiries++
	n.s.after(time.Millisecond, n.facts)
}

// ask is the ARP probe: whoever has the address and is on the network answers. It
// goes out twice, and with it a question to a neighbour.
func (n *simNode) ask(a Probe) {
	timer := n.timer
	p := Probed{Group: a.Group, Asked: n.now(), Unproven: "eth0"}
	told := false
	tell := func() {
		if !told && timer == n.timer {
			told = true
			n.step(p)
		}
	}
	lost := n.s.lost > 0
	if lost {
		n.s.lost--
	}
	lost = lost || n.online() && n.answers(a.Group) != Nobody && n.s.rng.IntN(100) < n.s.lanLoss
	for _, at := range []time.Duration{0, a.Wait / 2} {
		n.s.after(at, func() {
			n.answered(n.s.proofs, func() { p.Unproven = "" })
			if who := n.answers(a.Group); who != Nobody && !lost {
				n.answered(time.Millisecond, func() { p.Answer, p.Unproven = who, ""; tell() })
			}
		})
	}
	n.s.after(a.Wait, tell)
}

// answered does what an answer to a question of now does, if it comes.
func (n *simNode) answered(after time.Duration, do func()) {
	if n.online() {
		n.s.after(after, func() {
			if n.online() {
				do()
			}
		})
	}
}

// answers is who answers for a group now.
func (n *simNode) answers(group string) Answer {
	switch peer := n.s.nodes[1-n.i]; {
	case peer.serves(group) && !n.s.parted:
		return ByPeer
	case n.s.stranger:
		return ByRival
	}
	return Nobody
}

// watch keeps count of who serves, for the first group.
type watch struct {
	at       time.Duration
	last     int
	who      string
	dual     time.Duration // both at once, in all
	worst    time.Duration // the longest time at once
	since    time.Duration
	none     time.Duration // the longest time nobody did
	noneAt   time.Duration
	handover []string
}

func (w *watch) reset() {
	*w = watch{at: w.at, last: w.last, who: w.who, since: w.at, noneAt: w.at}
}

func (w *watch) look(s *sim) {
	count, who := 0, ""
	for _, n := range s.nodes {
		if n.serves("") {
			count++
			who += n.cfg.SelfName
		}
	}
	if w.last == 2 {
		w.dual += s.now - w.at
		w.worst = max(w.worst, s.now-w.since)
	}
	if w.last == 0 {
		w.none = max(w.none, s.now-w.noneAt)
	}
	if count != w.last {
		w.since = s.now
		if count == 0 {
			w.noneAt = s.now
		}
	}
	if who != w.who {
		w.handover = append(w.handover, who)
		s.logf("--- served by %q", who)
	}
	w.at, w.last, w.who = s.now, count, who
}
