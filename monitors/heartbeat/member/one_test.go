package member

import (
	"slices"
	"time"

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
	replica uint64
	hears   bool
	cut     bool // nothing comes on the second link
	deaf    bool // the peer names no beat of ours any more
	beats   bool // the peer beats each 100 ms
	nextOne time.Duration
	answer  Answer
	blocked string // the network on which nothing proves that nobody answers
	keeper  bool   // tokens are acted on at once
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
	o.facts = Facts{LANs: []LAN{{"eth0", true, true, true, false}}, Loaded: true, Results: true, Reals: 100, Groups: []Held{{}}}
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
				o.step(Probed{Group: a.Group, Asked: o.now, Answer: o.answer, Unproven: o.blocked})
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
	b := wire.Beat{Number: o.number, Interval: ms100, Dead: dead, ConfigHash: 5, Replica: o.replica, Flags: o.flags, Groups: []wire.Group{o.peer}}
	for i := range 2 {
		l := wire.Link{Link: uint8(i), Sent: uint16(o.number), Hears: o.hears, Last: o.m.beats.number}
		if o.deaf {
			l.Last = 1
		}
		b.Links = append(b.Links, l)
	}
	o.step(Heard{Link: 0, Incarnation: o.inc, Beat: &b})
	if !o.cut {
		o.step(Heard{Link: 1, Incarnation: o.inc, Beat: &b, Copy: true})
	}
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
		v := Voted{Group: "vip", Asked: o.now, Yes: yes, For: time.Second}
		for _, a := range o.acts {
			if a, ok := a.(AskVote); ok && a.Want {
				v.For = a.For
			}
		}
		o.step(v)
		o.pass(ms100)
	}
	return o
}
