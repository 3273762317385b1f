package member

import (
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

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
			o.facts.LANs[0] = LAN{Name: "eth0"}
			return o.starts()
		}, wire.Idle, NoCarrier, "eth0 has no carrier"},
		{"nobody answers", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.facts.LANs[0] = LAN{Name: "eth0", Carrier: true}
			return o.starts()
		}, wire.Idle, NoNeighbour, "nobody answers on eth0: neither a gateway nor a station of --neighbour"},
		{"nobody answers, then on another network", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.facts.LANs = []LAN{{Name: "eth0", Carrier: true}, {Name: "eth1", Carrier: true}}
			o.starts()
			o.facts.LANs[0].Neighbour = true
			o.step(o.facts)
			return o
		}, wire.Idle, NoNeighbour, "nobody answers on eth1"},
		{"a network that is not there", func(t *testing.T) *one {
			return newOne(t, func(c *Config) { c.Groups[0].LANs = []int{0, 3} }).starts()
		}, wire.Idle, NoCarrier, "a network that it needs has no carrier"},
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
			o := standby(t, func(c *Config) { c.Groups[0].Failback = FailbackNow })
			o.facts.Synced = true
			o.step(o.facts)
			return o
		}, wire.Idle, Asked, ""},
		{"failback at once waits for the copy", func(t *testing.T) *one {
			return standby(t, func(c *Config) { c.Groups[0].Failback = FailbackNow })
		}, wire.Idle, AwaitsSync, ""},
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
		}, wire.Idle, KernelServes, "its kernel still answers for the addresses, for 4.8s at most"},
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
		}, wire.Idle, Isolated, "silent 500ms on eth0, eth1, but this node may be cut off: no gateway answers on eth0"},
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
		}, wire.Holding, Gives, "fit to 100 %, this node to 0 %: a network that it needs has no carrier"},
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
		}, wire.Idle, NoWitness, "the witness is silent, too"},
		{"held, peer and witness lost, and the gateway", func(t *testing.T) *one {
			o := holding(t, func(c *Config) { c.Witness = true }).votes(true, 1)
			o.facts.LANs[0].Gateway = false
			o.step(o.facts)
			o.silent(2 * time.Second)
			return o
		}, wire.Idle, NoWitness, ""},
		{"held, peer and witness lost, an operator orders hold", func(t *testing.T) *one {
			o := holding(t, func(c *Config) { c.Witness = true }).votes(true, 1)
			o.step(Ordered{Order: OrderHold})
			o.silent(2 * time.Second)
			return o
		}, wire.Holding, ServesAlone, ""},
		{"held, the witness lost while the peer is alone with it", func(t *testing.T) *one {
			o := holding(t, func(c *Config) { c.Witness = true }).votes(true, 1)
			o.flags |= wire.Witnessed
			o.pass(20 * time.Second)
			o.silent(2 * time.Second)
			return o
		}, wire.Idle, NoWitness, ""},
		{"held, the witness lost, the peer does not hear this node", func(t *testing.T) *one {
			o := holding(t, func(c *Config) { c.Witness = true }).votes(true, 1)
			o.flags |= wire.Witnessed
			o.hears = false
			o.deaf = true
			o.pass(2 * time.Second)
			return o
		}, wire.Idle, Asked, ""},
		{"alone, the witness is away for a while", func(t *testing.T) *one {
			o := holding(t, func(c *Config) { c.Witness = true }).votes(true, 1)
			o.beats = false
			o.votes(true, 60)
			o.pass(25 * time.Second)
			return o
		}, wire.Holding, ServesAlone, ""},
		{"alone, the witness is away for long", func(t *testing.T) *one {
			o := holding(t, func(c *Config) { c.Witness = true }).votes(true, 1)
			o.beats = false
			o.votes(true, 60)
			o.pass(35 * time.Second)
			return o
		}, wire.Idle, NoWitness, ""},
		{"the witness starts and is undecided", func(t *testing.T) *one {
			o := standby(t, func(c *Config) { c.Witness = true })
			o.silent(dead)
			for range 50 {
				o.step(Voted{Group: "vip", Asked: o.now, Undecided: true, Left: 20 * time.Second})
				o.pass(ms100)
			}
			return o
		}, wire.Idle, NoVote, "has just started"},
		{"the peer said goodbye: no vote is needed", func(t *testing.T) *one {
			o := standby(t, func(c *Config) { c.Witness = true })
			o.peer.Claim, o.peer.Held, o.peer.Lease = wire.Idle, 0, 0
			o.beats = false
			o.goodbye()
			o.pass(ms100)
			return o.votes(false, 3)
		}, wire.Holding, ServesAlone, ""},
		{"a stranger answers at the first start", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.answer = ByRival
			o.starts().grants()
			o.pass(time.Second)
			return o
		}, wire.Idle, RivalServes, "nobody of the two"},
		{"a stranger that has gone", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.answer = ByRival
			o.starts()
			o.answer = Nobody
			o.pass(3 * time.Second)
			o.grants()
			o.pass(ms100)
			return o
		}, wire.Holding, Serves, ""},
		{"a stranger, and the policy is to take over", func(t *testing.T) *one {
			o := newOne(t, func(c *Config) { c.Groups[0].Rival = Takeover })
			o.answer = ByRival
			o.starts().grants()
			o.pass(ms100)
			o.pass(20 * time.Second)
			if r := o.report("role-vip"); r.Level != Bad {
				t.Errorf("%+v", r)
			}
			o.answer = Nobody
			o.pass(25 * time.Second)
			if r := o.report("role-vip"); r.Level != Good {
				t.Errorf("it has gone: %+v", r)
			}
			return o
		}, wire.Holding, Serves, ""},
		{"the peer answers for what it does not hold", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.answer = ByPeer
			o.starts().grants()
			o.pass(ms100)
			return o
		}, wire.Holding, Serves, ""},
		{"what the peer held needs no question", func(t *testing.T) *one {
			o := standby(t, nil)
			o.answer = ByRival
			o.peer.Gives = true
			o.hear()
			o.pass(20 * time.Millisecond)
			o.beats = false
			o.peer.Gives, o.peer.Claim, o.peer.Held, o.peer.Lease = false, wire.Idle, 0, 0
			o.grants()
			o.pass(ms100)
			return o
		}, wire.Holding, Serves, ""},
		{"the peer never came, a stranger answers", func(t *testing.T) *one {
			o := newOne(t, nil)
			o.answer = ByRival
			o.step(o.facts)
			o.pass(12 * time.Second)
			return o
		}, wire.Idle, RivalServes, ""},
		{"held, the witness was lost long before the peer", func(t *testing.T) *one {
			o := holding(t, func(c *Config) { c.Witness = true }).votes(true, 1)
			o.pass(6 * time.Second) // the peer says that it misses it, too
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
