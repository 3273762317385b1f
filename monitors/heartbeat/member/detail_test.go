package member

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// Leases: only while the peer could take the group.
func TestLeases(t *testing.T) {
	o := holding(t, func(c *Config) { c.LeaseAlone = 20 * time.Second })
	last := func() Token {
		all := o.tokens()
		return all[len(all)-1]
	}
	o.pass(ms100)
	if got := last(); got.Lease != 3*time.Second || got.ValidFor != time.Second || !got.Hold {
		t.Errorf("with a fit peer: %+v", got)
	}
	o.peer.Able = false
	o.pass(200 * time.Millisecond)
	if got := last(); got.Lease != 20*time.Second {
		t.Errorf("with an unfit peer: %+v", got)
	}
	o.peer.Able = true
	o.pass(200 * time.Millisecond)
	o.silent(time.Second)
	if got := last(); got.Lease != 20*time.Second {
		t.Errorf("with a dead peer: %+v", got)
	}
}

// The first token by grant is good for as long as the grant only.
func TestFirstToken(t *testing.T) {
	o := newOne(t, nil).starts()
	o.peer.Grant = wire.Grant{Incarnation: 7, Beat: o.m.beats.number}
	o.beats = false
	o.pass(40 * time.Millisecond)
	sent, _ := o.m.sentAt(o.peer.Grant.Beat)
	o.acts, o.keeper = nil, false
	o.hear()
	all := o.tokens()
	if len(all) != 1 || all[0].ValidFor != dead/2 || sent == 0 || !all[0].Announce || all[0].Epoch != 1 {
		t.Errorf("tokens %+v", all)
	}
}

// Epochs are above all seen, and above what was reserved before the start.
func TestEpochs(t *testing.T) {
	o := standby(t, func(c *Config) { c.Epoch = 7 })
	o.silent(time.Second)
	if g := o.group(); g.epoch != 41 {
		t.Errorf("epoch %d after 40", g.epoch)
	}
	o = standby(t, func(c *Config) { c.Epoch = 7000 })
	o.silent(time.Second)
	if g := o.group(); g.epoch != 7000 {
		t.Errorf("epoch %d, reserved from 7000", g.epoch)
	}
	o = standby(t, nil)
	o.peer.Epoch = 5000
	o.hear()
	o.silent(time.Second)
	if !slices.Contains(o.acts, Action(Reserve{Before: 6001})) {
		t.Errorf("nothing is reserved after 5001")
	}
}

// Orders are no changes of hands that count, whichever they are and on whichever of
// the two they were given.
func TestOrdersDoNotCount(t *testing.T) {
	s := startPair(t, simOptions{})
	for i := range 12 {
		from, to := s.nodes[i%2], s.nodes[1-i%2]
		switch i % 5 {
		case 0, 1:
			to.step(Ordered{Order: OrderHold})
		case 2:
			from.step(Ordered{Order: OrderRelease})
		case 3:
			from.step(Ordered{Order: OrderStandby})
		case 4:
			from.step(Ordered{Order: OrderOff})
		}
		to.expect(time.Second)
		s.run(5 * time.Second)
		from.step(Ordered{Order: OrderAuto})
		to.keeps(time.Second)
		for _, n := range s.nodes {
			if g := n.m.groups[0]; len(g.changes) > 0 || n.m.frozen(g) {
				s.fatalf("after %d orders %d of them count", i+1, len(g.changes))
			}
		}
	}
}

// The report says which of the links does not work.
func TestDeadLinkIsNamed(t *testing.T) {
	o := holding(t, nil)
	o.cut = true
	o.pass(2 * time.Second)
	if r := o.report("redundancy"); r.Level != Bad || r.Summary != "1 of 2 links work: eth1 is dead" {
		t.Errorf("%+v", r)
	}
}

// More than three changes in ten minutes: it stays, but for a dead peer.
func TestFreeze(t *testing.T) {
	o := holding(t, nil)
	for range 2 {
		o.asks(wire.ByFailback)
		o.peer.Asks, o.peer.Claim, o.peer.Held, o.peer.Epoch = wire.NoCause, wire.Holding, 2, o.group().seen+1
		o.pass(ms100)
		o.peer.Gives = true
		o.hear()
		o.pass(10 * time.Millisecond)
		o.peer.Gives, o.peer.Claim, o.peer.Held = false, wire.Idle, 0
		o.grants()
		o.pass(ms100)
	}
	if g := o.group(); g.claim != wire.Holding || g.reason != IsFrozen {
		t.Fatalf("%s because %s", g.claim, g.reason)
	}
	const want = "holding: it changed hands more than 3 times in 10m0s and stays where it is, but for orders and a dead peer"
	if r := o.report("role-vip"); r.Level != Bad || r.Summary != want {
		t.Errorf("%+v", r)
	}
	o.step(Ordered{Order: OrderHold})
	if r := o.report("role-vip"); r.Summary != want+"; an operator ordered hold" {
		t.Errorf("%+v", r)
	}
	o.step(Ordered{Order: OrderAuto})
	if o.asks(wire.ByFailback); o.group().claim != wire.Holding {
		t.Error("it goes on changing hands")
	}
	o.peer.Asks = wire.NoCause
	o.pass(10 * time.Minute)
	if g := o.group(); g.reason != Serves {
		t.Errorf("after 10 minutes: %s", g.reason)
	}
}

// The configurations differ: an alarm with the second beat.
func TestConfigDiffers(t *testing.T) {
	o := holding(t, nil)
	o.m.cfg.Hash = 6
	o.hear()
	o.hear()
	if r := o.report("redundancy"); r.Code != "config" || r.Level != Bad {
		t.Errorf("%+v", r)
	}
}

// What operators said is known to one of the two: a warning after a while, and no
// longer than that is so.
func TestOperatorsDiffer(t *testing.T) {
	o := holding(t, nil)
	before := o.report("redundancy")
	o.replica, o.facts.Replica = 7, 8
	o.step(o.facts)
	o.hear()
	o.pass(unlikeFor - 2*ms100)
	if r := o.report("redundancy"); r.Code != before.Code {
		t.Errorf("too early: %+v", r)
	}
	o.pass(4 * ms100)
	if r := o.report("redundancy"); r.Code != "operators" || r.Level != Warn {
		t.Errorf("%+v", r)
	}
	o.facts.Replica = 7
	o.step(o.facts)
	o.pass(2 * ms100)
	if r := o.report("redundancy"); r.Code != before.Code {
		t.Errorf("%+v", r)
	}
}

// A peer that heard more of us than we sent: we were put back to a snapshot.
func TestRenew(t *testing.T) {
	o := holding(t, nil)
	o.pass(renewAfter)
	o.m.beats.number = 3
	b := wire.Beat{Number: o.number + 1, Links: []wire.Link{{Link: 0, Last: 500}}, Groups: []wire.Group{o.peer}}
	o.step(Heard{Incarnation: o.inc, Beat: &b})
	if !slices.Contains(o.acts, Action(Renew{})) {
		t.Error("it does not begin anew")
	}
}

// Whatever an authentic peer says, and in whatever order events come, nothing
// panics, the wake is never in the past, and a group is never claimed against a
// live peer that does not grant it.
func TestAnyEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := newOne(t, func(c *Config) { c.Groups[0].Failback = FailbackNow })
		o.keeper = rapid.Bool().Draw(t, "keeper")
		o.answer = ByPeer
		for range 60 {
			switch rapid.IntRange(0, 6).Draw(t, "event") {
			case 0, 1, 2:
				o.peer = drawPeer(t)
				o.peer.Grant = wire.Grant{}
				o.hear()
			case 3:
				o.facts.Groups[0] = Held{Count: rapid.IntRange(0, 2).Draw(t, "held"), Lease: wire.Permanent}
				if !o.group().claims() {
					o.facts.Groups[0] = Held{}
				}
				o.facts.LANs[0].Carrier = rapid.Bool().Draw(t, "carrier")
				o.step(o.facts)
			case 4:
				o.step(Ordered{Order: Order(rapid.IntRange(0, 4).Draw(t, "order"))})
			case 5:
				o.inc += uint64(rapid.IntRange(0, 1).Draw(t, "restart"))
			}
			o.pass(time.Duration(rapid.IntRange(0, 300).Draw(t, "ms")) * time.Millisecond)
			if o.m.Wake() < o.now {
				t.Fatalf("wakes at %v, it is %v", o.m.Wake(), o.now)
			}
			if o.group().claims() {
				t.Fatalf("it is %s: %s", o.group().claim, o.group().text)
			}
		}
	})
}

func drawPeer(t *rapid.T) wire.Group {
	return wire.Group{
		Group: wire.GroupHash("vip"), Claim: wire.Claim(rapid.IntRange(0, 3).Draw(t, "claim")), Order: wire.Order(rapid.IntRange(0, 4).Draw(t, "order")),
		Asks: wire.Cause(rapid.IntRange(0, 4).Draw(t, "asks")), Gives: rapid.Bool().Draw(t, "gives"), Known: rapid.Bool().Draw(t, "known"),
		Able: rapid.Bool().Draw(t, "able"), Priority: rapid.Byte().Draw(t, "priority"), Held: uint8(rapid.IntRange(0, 2).Draw(t, "held")),
		Fitness: uint8(rapid.IntRange(0, 100).Draw(t, "fitness")), Epoch: rapid.Uint64Range(0, wire.MaxEpoch).Draw(t, "epoch"),
	}
}

// For a second after a start a token of the last one may be on its way: nothing
// is granted, and a beat does not say that nothing is held.
func TestKnows(t *testing.T) {
	o := newOne(t, nil)
	o.step(o.facts)
	o.peer.Asks = wire.ByOperator
	o.beats, o.nextOne = true, o.now
	o.pass(900 * time.Millisecond)
	if g := o.sent.Groups[0]; g.Known || g.Grant != (wire.Grant{}) {
		t.Errorf("it says %+v", g)
	}
	o.pass(200 * time.Millisecond)
	if g := o.sent.Groups[0]; !g.Known || g.Grant.Beat != o.number {
		t.Errorf("it says %+v", g)
	}
}

// Where somebody answered during this silence, it takes more than two questions
// that nobody answers.
func TestAnsweredBefore(t *testing.T) {
	o := standby(t, nil)
	o.answer = ByPeer
	o.silent(2 * time.Second)
	o.answer = Nobody
	o.pass(2*o.m.probeEvery() + 10*time.Millisecond)
	if g := o.group(); g.claims() {
		t.Fatalf("%s after two", g.text)
	}
	o.pass(3 * o.m.probeEvery())
	if g := o.group(); !g.claims() {
		t.Fatalf("%s", g.text)
	}
}

// A lease that nobody renews gets no tokens any more; one that is renewed, and
// one of a node that could not send any, does.
func TestUnrenewed(t *testing.T) {
	o := holding(t, nil)
	o.keeper = false
	o.facts.Groups[0].Lease = o.now + 3*time.Second
	o.step(o.facts)
	o.pass(1400 * time.Millisecond)
	o.acts = nil
	o.pass(ms100)
	if len(o.tokens()) == 0 {
		t.Error("no token before half of the lease")
	}
	o.pass(ms100)
	o.acts = nil
	o.pass(time.Second)
	if all := o.tokens(); len(all) > 0 {
		t.Errorf("tokens %+v", all)
	}
	o.facts.Groups[0] = Held{}
	o.step(o.facts)
	o.pass(50 * time.Millisecond)
	if g := o.group(); g.claim != wire.Idle {
		t.Errorf("the lease is over: %s, %s", g.claim, g.text)
	}
}

// A beat that comes after a newer one says nothing of roles.
func TestLateBeat(t *testing.T) {
	o := newOne(t, nil).starts()
	o.number -= 2
	o.peer.Claim, o.peer.Held, o.peer.Epoch = wire.Holding, 2, 77
	o.hear()
	if g := o.group(); g.reason != Asked || g.seen == 77 {
		t.Errorf("%s: %s", g.reason, g.text)
	}
}

// Who granted and hears no more asks the network anew when the grant is over.
func TestGrantThenSilence(t *testing.T) {
	o := newOne(t, nil).starts()
	o.peer.Asks = wire.ByOperator
	o.hear()
	begin := o.now
	o.silent(GrantFor + grantMargin + o.m.probeEvery() - time.Millisecond)
	if g := o.group(); g.claims() {
		t.Fatalf("taken within %v: %s", o.now-begin, g.text)
	}
	o.pass(ms100)
	if g := o.group(); !g.claims() {
		t.Fatalf("%s", g.text)
	}
}

// Status shows what was decided and heard.
func TestStatus(t *testing.T) {
	o := holding(t, nil)
	o.pass(time.Second)
	s := o.m.Status()
	if s.Peer != Alive || s.Beat.Number != o.number || len(s.Links) != 2 || !s.Links[0].Hears || s.Links[0].Loss != 0 {
		t.Errorf("%+v", s)
	}
	if g := s.Groups[0]; g.Name != "vip" || g.Claim != wire.Holding || g.Epoch != 1 || g.Held.Count != 2 || g.Reason != Serves {
		t.Errorf("%+v", g)
	}
}

func TestValidate(t *testing.T) {
	good := Config{Self: 1, Peer: 2, Incarnation: 1, Links: []Link{{"a"}}, Groups: []Group{{Name: "vip", Total: 1}}}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		edit func(c *Config)
		want string
	}{
		{func(c *Config) { c.Peer = 1 }, "both directors have node number 1"},
		{func(c *Config) { c.Peer = 0 }, "node number 0 means every node: take numbers from 1 to 255"},
		{func(c *Config) { c.Incarnation = 0 }, "incarnation 0 means none: draw one at random"},
		{func(c *Config) { c.Interval = time.Millisecond }, "beats each 1ms: from 10ms to 10s"},
		{func(c *Config) { c.Dead = 200 * time.Millisecond }, "a dead time of 200ms is less than 3 beats of 100ms"},
		{func(c *Config) { c.InitDead = ms100 }, "an initial dead time of 100ms is less than the dead time of 500ms"},
		{func(c *Config) { c.Lease = ms100 }, "a lease of 100ms: from 1s to 1m, since the kernel counts seconds"},
		{func(c *Config) { c.LeaseAlone = ms100 }, "a lease of 100ms for a director alone: from 1s to 1m, or none"},
		{func(c *Config) { c.Links = nil }, "there is no link to the peer"},
		{func(c *Config) { c.Links = []Link{{"a"}, {"a"}} }, `link "a": every link needs a name of its own`},
		{func(c *Config) { c.Links = make([]Link, 9) }, "9 links are more than 8"},
		{func(c *Config) { c.Groups = make([]Group, 9) }, "9 groups are more than 8"},
		{func(c *Config) { c.Groups[0].Total = 300 }, "group vip has 300 addresses: from 1 to 255"},
		{func(c *Config) { c.Groups = append(c.Groups, c.Groups[0]) }, `group "vip": every group needs a name of its own`},
		{func(c *Config) { c.Lossy = 25 }, "lossy at 25 of 24 beats"},
		{func(c *Config) { c.TakeWithin = ms100 }, "100ms to take a group: at least 1s"},
	} {
		cfg := good
		cfg.Groups = slices.Clone(good.Groups)
		c.edit(&cfg)
		if err := cfg.Validate(); err == nil || !slices.Contains(strings.Split(err.Error(), "\n"), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
