package member

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// one is a member whose peer, network and kernel are the test's.
type one struct {
	t       tb
	m       *Member
	now     time.Duration
	number  uint32
	inc     uint64
	facts   Facts
	peer    wire.Group
	flags   wire.Flags
	hears   bool
	beats   bool // the peer beats each 100 ms
	nextOne time.Duration
	answer  Answer
	keeper  bool // tokens are acted on at once
	acts    []Action
	sent    wire.Beat
}

func newOne(t tb, edit func(c *Config)) *one {
	c := Config{
		Self: 1, Peer: 2, SelfName: "A", PeerName: "B", Incarnation: 7, Hash: 5, Links: []Link{{"eth0"}, {"eth1"}},
		Groups: []Group{{Name: "vip", Priority: 150, Total: 2}},
	}
	if edit != nil {
		edit(&c)
	}
	o := &one{t: t, now: time.Hour, inc: 9, hears: true, keeper: true, flags: wire.Ready}
	o.peer = wire.Group{Group: wire.GroupHash("vip"), Known: true, Able: true, Priority: 100, Total: 2, Fitness: 100}
	o.facts = Facts{LANs: []LAN{{true, true, true, false}}, Loaded: true, Results: true, Reals: 100, Groups: []Held{{}}}
	m, err := New(c, o.now)
	if err != nil {
		t.Fatal(err)
	}
	o.m = m
	return o
}

func (o *one) group() *group { return o.m.groups[0] }

func (o *one) step(e Event) {
	for _, a := range slices.Clone(o.m.Step(e, o.now)) {
		o.acts = append(o.acts, a)
		switch a := a.(type) {
		case Send:
			copyBeat(&o.sent, a.Beat)
		case Probe:
			if o.answer != Unlooked {
				o.step(Probed{Group: a.Group, Asked: o.now, Answer: o.answer})
			}
		case Token:
			if o.keeper {
				o.held(a)
			}
		}
	}
}

// held is a keeper that acts at once.
func (o *one) held(t Token) {
	h := &o.facts.Groups[0]
	*h = Held{}
	if t.Hold {
		*h = Held{Count: 2, Lease: wire.Permanent}
		if t.Lease != 0 {
			h.Lease = o.now + t.Lease
		}
	}
	o.step(o.facts)
}

// hear has the peer send a beat.
func (o *one) hear() {
	o.number++
	b := wire.Beat{Number: o.number, Interval: ms100, Dead: dead, ConfigHash: 5, Flags: o.flags, Groups: []wire.Group{o.peer}}
	for i := range 2 {
		b.Links = append(b.Links, wire.Link{Link: uint8(i), Sent: uint16(o.number), Hears: o.hears, Last: o.m.beats.number})
	}
	o.step(Heard{Link: 0, Incarnation: o.inc, Beat: &b})
	o.step(Heard{Link: 1, Incarnation: o.inc, Beat: &b, Copy: true})
}

// pass lets d pass.
func (o *one) pass(d time.Duration) {
	end := o.now + d
	for {
		next := max(o.m.Wake(), o.now)
		if o.beats {
			next = min(next, max(o.nextOne, o.now))
		}
		if next > end {
			break
		}
		o.now = next
		if o.beats && next == o.nextOne {
			o.nextOne = next + ms100
			o.hear()
		} else {
			o.step(Tick{})
		}
	}
	o.now = end
}

// starts has facts and the peer's beats come in.
func (o *one) starts() *one {
	o.beats, o.nextOne = true, o.now
	o.step(o.facts)
	o.pass(1200 * time.Millisecond)
	return o
}

// grants has the peer grant what is asked for.
func (o *one) grants() *one {
	o.peer.Grant = wire.Grant{Incarnation: 7, Beat: o.m.beats.number}
	o.hear()
	o.peer.Grant = wire.Grant{}
	o.hear()
	return o
}

// holding is one that holds by grant.
func holding(t tb, edit func(c *Config)) *one {
	o := newOne(t, edit).starts().grants()
	o.pass(ms100)
	if o.group().claim != wire.Holding {
		t.Fatalf("it is %s: %s", o.group().claim, o.group().text)
	}
	o.acts = nil
	return o
}

// standby is one whose peer holds.
func standby(t tb, edit func(c *Config)) *one {
	o := newOne(t, edit)
	o.peer.Claim, o.peer.Held, o.peer.Epoch, o.peer.Lease = wire.Holding, 2, 40, 3*time.Second
	o.starts()
	o.pass(time.Second)
	o.acts = nil
	return o
}

// tokens are the holds and releases sent, newest last.
func (o *one) tokens() (all []Token) {
	for _, a := range o.acts {
		if t, ok := a.(Token); ok {
			all = append(all, t)
		}
	}
	return all
}

func (o *one) report(service string) Report {
	for _, r := range o.m.Reports() {
		if r.Service == service {
			return r
		}
	}
	return Report{}
}

// silent has the peer stop.
func (o *one) silent(d time.Duration) *one {
	o.beats = false
	o.pass(d)
	return o
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name string
		play func(t *testing.T) *one
		// claim and reason at the end; text is part of the reason's sentence.
		claim  wire.Claim
		reason Reason
		text   string
	}{
		{"no dump yet", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.beats, o.nextOne = true, o.now
			o.pass(time.Second)
			return o
		}, wire.Idle, NoDump, "have not been looked at"},
		{"no carrier", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.facts.LANs[0] = LAN{}
			return o.starts()
		}, wire.Idle, NoCarrier, ""},
		{"nobody answers", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.facts.LANs[0] = LAN{Carrier: true}
			return o.starts()
		}, wire.Idle, NoNeighbour, ""},
		{"a network that is not there", func(t *testing.T) *one {
			return newOne(t, func(c *Config) { c.Groups[0].LANs = []int{0, 3} }).starts()
		}, wire.Idle, NoCarrier, ""},
		{"no table", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.facts.Loaded = false
			return o.starts()
		}, wire.Idle, NoTable, ""},
		{"no results", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.facts.Results = false
			return o.starts()
		}, wire.Idle, NoResults, ""},
		{"no word of the peer, before initdead", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.step(o.facts)
			o.pass(9900 * time.Millisecond)
			return o
		}, wire.Idle, AwaitsPeer, "until 10s"},
		{"no word of the peer", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.step(o.facts)
			o.pass(10100 * time.Millisecond)
			return o
		}, wire.Holding, ServesAlone, ""},
		{"no word of the peer, but its kernel answers", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.answer = ByPeer
			o.step(o.facts)
			o.pass(30 * time.Second)
			return o
		}, wire.Idle, KernelServes, "did not say a word for 10s, but its kernel still answers"},
		{"the peer does not know its kernel yet", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.peer.Known = false
			o.starts()
			o.pass(5 * time.Second)
			return o
		}, wire.Idle, PeerHolds, ""},
		{"nobody holds: asked", func(t *testing.T) *one { return newOne(t, nil).starts() }, wire.Idle, Asked, ""},
		{"granted", func(t *testing.T) *one { o := newOne(t, nil).starts().grants(); o.pass(ms100); return o }, wire.Holding, Serves, ""},
		{"a grant for another start of ours", func(t *testing.T) *one {
			o := newOne(t, nil).starts()
			o.peer.Grant = wire.Grant{Incarnation: 6, Beat: o.m.beats.number}
			o.hear()
			return o
		}, wire.Idle, Asked, ""},
		{"a grant for a beat that did not ask", func(t *testing.T) *one {
			o := newOne(t, nil).starts()
			o.peer.Grant = wire.Grant{Incarnation: 7, Beat: o.group().askedFrom - 1}
			o.hear()
			return o
		}, wire.Idle, Asked, ""},
		{"a grant that is too late", func(t *testing.T) *one {
			o := newOne(t, nil).starts()
			o.peer.Grant = wire.Grant{Incarnation: 7, Beat: o.m.beats.number}
			o.beats = false
			o.pass(GrantFor - grantLeast/2)
			o.hear()
			return o
		}, wire.Idle, Asked, ""},
		{"a grant of one that holds", func(t *testing.T) *one {
			o := newOne(t, nil).starts()
			o.peer.Held = 1
			o.grants()
			return o
		}, wire.Idle, PeerHolds, ""},
		{"a grant after we granted", func(t *testing.T) *one {
			o := newOne(t, nil).starts()
			beat := o.m.beats.number
			o.peer.Asks = wire.ByOperator
			o.hear()
			o.peer.Grant = wire.Grant{Incarnation: 7, Beat: beat}
			o.hear()
			return o
		}, wire.Idle, Granted, ""},
		{"the peer is preferred", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.peer.Priority = 200
			return o.starts()
		}, wire.Idle, PeerBetter, "B is to take it"},
		{"the peer is preferred, and starts", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.peer.Priority, o.peer.Able, o.flags = 200, false, 0
			o.starts()
			o.pass(5 * time.Second)
			return o
		}, wire.Idle, PeerBetter, "preferred and starts"},
		{"the peer is preferred, and does not take it", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.peer.Priority = 200
			o.starts()
			o.pass(freeWait)
			return o
		}, wire.Idle, Asked, ""},
		{"equal priorities", func(t *testing.T) *one {
			return newOne(t, func(c *Config) { c.Groups[0].Priority = 100 }).starts()
		}, wire.Idle, Asked, ""},
		{"the peer is fitter", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.facts.Reals = 50
			return o.starts()
		}, wire.Idle, PeerBetter, ""},
		{"the peer is a little fitter", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.facts.Reals = 70
			return o.starts()
		}, wire.Idle, Asked, ""},
		{"the peer holds", func(t *testing.T) *one { return standby(t, nil) }, wire.Idle, PeerHolds, ""},
		{"failback at once", func(t *testing.T) *one {
			return standby(t, func(c *Config) { c.Groups[0].Failback = FailbackNow })
		}, wire.Idle, Asked, ""},
		{"failback, not preferred", func(t *testing.T) *one {
			return standby(t, func(c *Config) { c.Groups[0].Failback, c.Groups[0].Priority = FailbackNow, 100 })
		}, wire.Idle, PeerHolds, ""},
		{"failback, the peer was ordered to hold", func(t *testing.T) *one {
			o := standby(t, func(c *Config) { c.Groups[0].Failback = FailbackNow })
			o.peer.Order = wire.Hold
			o.hear()
			return o
		}, wire.Idle, PeerHolds, ""},
		{"failback waits for the copy", func(t *testing.T) *one {
			o := standby(t, func(c *Config) { c.Groups[0].Failback = FailbackAfter })
			o.pass(time.Minute)
			return o
		}, wire.Idle, AwaitsSync, ""},
		{"failback waits until stable", func(t *testing.T) *one {
			o := standby(t, func(c *Config) { c.Groups[0].Failback, c.Groups[0].After = FailbackAfter, 10*time.Second })
			o.facts.Synced = true
			o.step(o.facts)
			o.pass(7 * time.Second)
			return o
		}, wire.Idle, AwaitsStable, "fit for 10s"},
		{"failback is stable", func(t *testing.T) *one {
			o := standby(t, func(c *Config) { c.Groups[0].Failback, c.Groups[0].After = FailbackAfter, 10*time.Second })
			o.facts.Synced = true
			o.step(o.facts)
			o.pass(11 * time.Second)
			return o
		}, wire.Idle, Asked, ""},
		{"the peer gives it", func(t *testing.T) *one {
			o := standby(t, nil)
			o.peer.Gives = true
			o.hear()
			return o
		}, wire.Idle, Asked, ""},
		{"the peer gives it, ordered standby", func(t *testing.T) *one {
			o := standby(t, nil)
			o.step(Ordered{Order: OrderStandby})
			o.peer.Gives = true
			o.hear()
			return o
		}, wire.Idle, PeerHolds, ""},
		{"ordered hold", func(t *testing.T) *one {
			o := standby(t, nil)
			o.step(Ordered{Group: "vip", Order: OrderHold})
			return o
		}, wire.Idle, Asked, ""},
		{"ordered off, the peer is dead", func(t *testing.T) *one {
			o := standby(t, nil)
			o.step(Ordered{Order: OrderOff})
			return o.silent(time.Second)
		}, wire.Idle, IsOff, ""},
		{"ordered standby, the peer is dead", func(t *testing.T) *one {
			o := standby(t, nil)
			o.step(Ordered{Order: OrderStandby})
			return o.silent(dead + ms100)
		}, wire.Holding, ServesAlone, ""},
		{"the peer is late", func(t *testing.T) *one { return standby(t, nil).silent(dead - 100*time.Millisecond) }, wire.Idle, PeerHolds, ""},
		{"the peer is dead", func(t *testing.T) *one { return standby(t, nil).silent(dead) }, wire.Holding, ServesAlone, ""},
		{"the peer is dead, nothing was asked", func(t *testing.T) *one {
			o := standby(t, nil)
			o.answer = Unlooked
			return o.silent(2 * time.Second)
		}, wire.Idle, Probing, ""},
		{"the peer is dead, its kernel answers", func(t *testing.T) *one {
			o := standby(t, nil)
			o.answer = ByPeer
			return o.silent(2 * time.Second)
		}, wire.Idle, KernelServes, "its kernel still answers for the addresses, for "},
		{"the peer is dead, a stranger answers", func(t *testing.T) *one {
			o := standby(t, nil)
			o.answer = ByRival
			return o.silent(2 * time.Second)
		}, wire.Idle, RivalServes, ""},
		{"the peer is dead, a stranger answers, takeover", func(t *testing.T) *one {
			o := standby(t, func(c *Config) { c.Rival = Takeover })
			o.answer = ByRival
			return o.silent(time.Second)
		}, wire.Holding, ServesAlone, ""},
		{"the peer is dead, no gateway", func(t *testing.T) *one {
			o := standby(t, nil)
			o.facts.LANs[0].Gateway = false
			o.step(o.facts)
			return o.silent(time.Second)
		}, wire.Idle, Isolated, "silent 500ms on eth0, eth1, but the gateway"},
		{"the peer is dead, no gateway, ordered hold", func(t *testing.T) *one {
			o := standby(t, nil)
			o.facts.LANs[0].Gateway = false
			o.step(o.facts)
			o.step(Ordered{Order: OrderHold})
			return o.silent(time.Second)
		}, wire.Holding, ServesAlone, ""},
		{"the peer is dead, a neighbour stands for the gateway", func(t *testing.T) *one {
			o := standby(t, nil)
			o.facts.LANs[0] = LAN{Carrier: true, Neighbour: true, NoGateway: true}
			o.step(o.facts)
			return o.silent(dead + ms100)
		}, wire.Holding, ServesAlone, ""},
		{"the peer is dead, this node is hardly fit", func(t *testing.T) *one {
			o := standby(t, nil)
			o.facts.Reals = 0
			o.step(o.facts)
			return o.silent(dead + ms100)
		}, wire.Holding, ServesAlone, ""},
		{"the peer said goodbye", func(t *testing.T) *one {
			o := standby(t, nil)
			o.answer = Unlooked
			o.peer.Claim, o.peer.Held, o.beats = wire.Idle, 0, false
			o.goodbye()
			return o
		}, wire.Holding, ServesAlone, ""},
		{"the peer said goodbye, and still holds", func(t *testing.T) *one {
			o := standby(t, nil)
			o.answer, o.beats = ByPeer, false
			o.goodbye()
			o.pass(ms100)
			return o
		}, wire.Idle, KernelServes, "said goodbye"},
		{"held, the peer asks by election", func(t *testing.T) *one {
			return holding(t, nil).asks(wire.ByElection)
		}, wire.Holding, Serves, ""},
		{"held, the peer asks for a gift that is none", func(t *testing.T) *one {
			return holding(t, nil).asks(wire.ByGift)
		}, wire.Holding, Serves, ""},
		{"held, the peer asks by failback", func(t *testing.T) *one {
			return holding(t, nil).asks(wire.ByFailback)
		}, wire.Idle, Granted, ""},
		{"held by order, the peer asks by failback", func(t *testing.T) *one {
			o := holding(t, nil)
			o.step(Ordered{Order: OrderHold})
			return o.asks(wire.ByFailback)
		}, wire.Holding, Serves, ""},
		{"held by order, the peer asks by order", func(t *testing.T) *one {
			o := holding(t, nil)
			o.step(Ordered{Order: OrderHold})
			return o.asks(wire.ByOperator)
		}, wire.Idle, Granted, ""},
		{"held, ordered off", func(t *testing.T) *one {
			o := holding(t, nil)
			o.step(Ordered{Order: OrderOff})
			o.pass(ms100)
			return o
		}, wire.Idle, IsOff, ""},
		{"held, ordered release", func(t *testing.T) *one {
			o := holding(t, nil)
			o.step(Ordered{Order: OrderRelease})
			return o
		}, wire.Holding, Gives, "ordered release"},
		{"held, ordered release, nobody asks", func(t *testing.T) *one {
			o := holding(t, nil)
			o.step(Ordered{Order: OrderRelease})
			o.pass(releaseWithin + ms100)
			return o
		}, wire.Holding, Serves, ""},
		{"held, carrier lost", func(t *testing.T) *one {
			o := holding(t, nil)
			o.facts.LANs[0] = LAN{}
			o.step(o.facts)
			o.pass(unfitDwell + ms100)
			return o
		}, wire.Holding, Gives, "fit to 100 %, this node to 0 %"},
		{"held, carrier lost, the peer is no better", func(t *testing.T) *one {
			o := holding(t, nil)
			o.facts.LANs[0], o.peer.Fitness, o.peer.Able = LAN{}, 0, false
			o.step(o.facts)
			o.pass(10 * time.Second)
			return o
		}, wire.Holding, ServesAlone, ""},
		{"held, real servers lost for a moment", func(t *testing.T) *one {
			o := holding(t, nil)
			o.facts.Reals = 0
			o.step(o.facts)
			o.pass(betterDwell - ms100)
			o.facts.Reals = 100
			o.step(o.facts)
			o.pass(betterDwell)
			return o
		}, wire.Holding, Serves, ""},
		{"held, real servers lost", func(t *testing.T) *one {
			o := holding(t, nil)
			o.facts.Reals = 0
			o.step(o.facts)
			o.pass(betterDwell + ms100)
			return o
		}, wire.Holding, Gives, ""},
		{"held, the peer is dead", func(t *testing.T) *one { return holding(t, nil).silent(10 * time.Second) }, wire.Holding, ServesAlone, ""},
		{"held, isolated", func(t *testing.T) *one {
			o := holding(t, nil)
			o.facts.LANs[0] = LAN{}
			o.step(o.facts)
			return o.silent(10 * time.Second)
		}, wire.Holding, ServesAlone, ""},
		{"held, and so does the peer, with a higher epoch", func(t *testing.T) *one {
			return holding(t, nil).both(99, 0)
		}, wire.Idle, PeerHolds, ""},
		{"held, and so does the peer, with a lower epoch", func(t *testing.T) *one {
			return holding(t, nil).both(0, 999)
		}, wire.Holding, Serves, ""},
		{"held, and so does the peer, with more traffic", func(t *testing.T) *one {
			return holding(t, nil).both(1, 999)
		}, wire.Idle, PeerHolds, ""},
		{"held, and so does the peer, all equal", func(t *testing.T) *one {
			return holding(t, nil).both(1, 0)
		}, wire.Holding, Serves, ""},
		{"taken, and the keeper does not add it", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.keeper = false
			o.starts().grants()
			o.pass(DefaultTakeWithin + time.Second + ms100)
			return o
		}, wire.Idle, StandsOff, "not again before 30s"},
		{"taken from a dead peer, and the keeper does not add it", func(t *testing.T) *one {
			o := standby(t, nil)
			o.keeper = false
			o.silent(time.Second)
			if g := o.group(); g.claim != wire.Taking || g.text != "took over: B silent 500ms on eth0, eth1; probe unanswered" {
				t.Fatalf("%s: %s", g.claim, g.text)
			}
			return o.silent(DefaultTakeWithin)
		}, wire.Releasing, GaveUp, "0 of 2 addresses are there after 5s"},
		{"the same, later: it begins anew", func(t *testing.T) *one {
			o := standby(t, nil)
			o.keeper = false
			return o.silent(DefaultTakeWithin + 3*time.Second)
		}, wire.Taking, TookDead, ""},
		{"taken by grant, and the peer is lost before it was added", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.keeper = false
			o.starts().grants()
			for _, token := range o.tokens() {
				if token.ValidFor > GrantFor {
					t.Errorf("a token to add is good for %v", token.ValidFor)
				}
			}
			o.answer = ByPeer
			return o.silent(time.Second)
		}, wire.Idle, KernelServes, ""},
		{"found in the kernel, the peer does not hold it", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.facts.Groups[0] = Held{Count: 2, Lease: o.now + 2*time.Second}
			o.step(o.facts)
			o.hear()
			o.pass(50 * time.Millisecond)
			return o
		}, wire.Holding, Serves, ""},
		{"found in the kernel, the peer holds it", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.peer.Claim, o.peer.Held, o.peer.Epoch = wire.Holding, 2, 4
			o.facts.Groups[0] = Held{Count: 2, Lease: o.now + 2*time.Second}
			return o.starts()
		}, wire.Idle, PeerHolds, ""},
		{"found in the kernel, no word yet", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.facts.Groups[0] = Held{Count: 2, Lease: wire.Permanent}
			o.step(o.facts)
			o.pass(9 * time.Second)
			return o
		}, wire.Idle, AwaitsPeer, "kernel has it already"},
		{"found in the kernel, the peer is dead", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.facts.Groups[0] = Held{Count: 2, Lease: wire.Permanent}
			o.step(o.facts)
			o.pass(10100 * time.Millisecond)
			return o
		}, wire.Holding, ServesAlone, ""},
		{"a peer without the group", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.peer.Group++
			o.starts()
			return o
		}, wire.Holding, ServesAlone, ""},
		{"stood still", func(t *testing.T) *one {
			o := holding(t, nil)
			o.now += 5 * time.Second
			o.beats = false
			o.step(Tick{})
			return o
		}, wire.Holding, InDoubt, ""},
		{"stood still, the peer heard us since", func(t *testing.T) *one {
			o := holding(t, nil)
			o.now += 5 * time.Second
			o.step(Tick{})
			o.hear()
			return o
		}, wire.Holding, Serves, ""},
		{"stood still, and the peer is gone", func(t *testing.T) *one {
			o := holding(t, nil)
			o.now += 5 * time.Second
			o.step(Tick{})
			return o.silent(dead + ms100)
		}, wire.Holding, ServesAlone, ""},
		{"stood still as standby: the peer is not dead for that", func(t *testing.T) *one {
			o := standby(t, nil)
			o.beats = false
			o.now += 5 * time.Second
			o.step(Tick{})
			o.pass(dead - 200*time.Millisecond)
			return o
		}, wire.Idle, PeerHolds, ""},
		{"changed hands too often: no failback", func(t *testing.T) *one {
			o := standby(t, func(c *Config) { c.Groups[0].Failback = FailbackNow })
			o.peer.Frozen = true
			o.hear()
			return o
		}, wire.Idle, IsFrozen, ""},
		{"the witness says no", func(t *testing.T) *one {
			o := standby(t, func(c *Config) { c.Witness = true })
			return o.silent(dead).votes(false, 5)
		}, wire.Idle, NoVote, ""},
		{"the witness says yes, without a gateway", func(t *testing.T) *one {
			o := standby(t, func(c *Config) { c.Witness = true })
			o.facts.LANs[0].Gateway = false
			o.step(o.facts)
			return o.silent(dead).votes(true, 5)
		}, wire.Holding, ServesAlone, ""},
		{"held, peer and witness lost", func(t *testing.T) *one {
			o := holding(t, func(c *Config) { c.Witness = true }).votes(true, 1)
			o.silent(2 * time.Second)
			return o
		}, wire.Holding, ServesAlone, ""}, // it released, nobody answers, the gateway does: it takes it again
		{"held, peer and witness lost, and the gateway", func(t *testing.T) *one {
			o := holding(t, func(c *Config) { c.Witness = true }).votes(true, 1)
			o.facts.LANs[0].Gateway = false
			o.step(o.facts)
			o.silent(2 * time.Second)
			return o
		}, wire.Idle, Isolated, ""},
		{"held, the witness was lost long before the peer", func(t *testing.T) *one {
			o := holding(t, func(c *Config) { c.Witness = true }).votes(true, 1)
			o.pass(5 * time.Second)
			o.facts.LANs[0].Gateway = false
			o.step(o.facts)
			o.silent(2 * time.Second)
			return o
		}, wire.Holding, ServesAlone, ""},
		{"this program ends", func(t *testing.T) *one {
			o := holding(t, nil)
			o.step(Stopping{})
			o.pass(ms100)
			return o
		}, wire.Idle, Ends, ""},
		{"another configuration without the group", func(t *testing.T) *one {
			o := holding(t, nil)
			c := o.m.cfg
			c.Groups = []Group{{Name: "other", Total: 1}}
			o.step(Configured{c})
			if all := o.tokens(); len(all) == 0 || all[len(all)-1].Hold || all[len(all)-1].Group != "vip" {
				o.t.Fatalf("tokens: %v", all)
			}
			return o
		}, wire.Idle, Probing, "no such group"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := c.play(t).group()
			if g.claim != c.claim || g.reason != c.reason || !strings.Contains(g.text, c.text) {
				t.Errorf("%s because %s: %q", g.claim, g.reason, g.text)
			}
		})
	}
}

func (o *one) goodbye() {
	o.number++
	b := wire.Beat{Number: o.number, Interval: ms100, Dead: dead, Flags: wire.Leaving, Groups: []wire.Group{o.peer}}
	o.step(Heard{Link: 0, Incarnation: o.inc, Beat: &b, Goodbye: true})
}

// asks has the peer ask for what is held here.
func (o *one) asks(c wire.Cause) *one {
	o.peer.Asks = c
	o.hear()
	o.pass(250 * time.Millisecond)
	return o
}

// both has the peer hold, too; epoch is 0 for a lower one than ours, 1 for the
// same. If it loses, it releases.
func (o *one) both(epoch uint64, traffic uint16) *one {
	o.peer.Claim, o.peer.Held, o.peer.Traffic, o.peer.Epoch = wire.Holding, 2, traffic, o.group().epoch+epoch-1
	o.hear()
	before := len(o.tokens())
	if o.group().claim == wire.Holding {
		if all := o.tokens(); !all[len(all)-1].Announce {
			o.t.Fatalf("the winner does not announce")
		}
		if r := o.report("role-vip"); r.Level != Bad {
			o.t.Fatalf("%+v", r)
		}
		o.peer.Claim, o.peer.Held = wire.Idle, 0
		o.hear()
		if all := o.tokens()[before:]; len(all) == 0 || !all[len(all)-1].Announce {
			o.t.Fatalf("the winner does not announce when the other is gone")
		}
	}
	o.pass(ms100)
	return o
}

// votes has the witness answer for some seconds.
func (o *one) votes(yes bool, seconds int) *one {
	for range 10 * seconds {
		o.step(Voted{Group: "vip", Yes: yes, For: time.Second})
		o.pass(ms100)
	}
	return o
}

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
	if r := o.report("role-vip"); r.Level != Bad {
		t.Errorf("%+v", r)
	}
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
		Group: wire.GroupHash("vip"), Claim: wire.Claim(rapid.IntRange(0, 3).Draw(t, "claim")), Order: wire.Order(rapid.IntRange(0, 3).Draw(t, "order")),
		Asks: wire.Cause(rapid.IntRange(0, 4).Draw(t, "asks")), Gives: rapid.Bool().Draw(t, "gives"), Known: rapid.Bool().Draw(t, "known"),
		Able: rapid.Bool().Draw(t, "able"), Priority: rapid.Byte().Draw(t, "priority"), Held: uint8(rapid.IntRange(0, 2).Draw(t, "held")),
		Fitness: uint8(rapid.IntRange(0, 100).Draw(t, "fitness")), Epoch: rapid.Uint64Range(0, wire.MaxEpoch).Draw(t, "epoch"),
	}
}
