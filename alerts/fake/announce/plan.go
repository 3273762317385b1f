package announce

import (
	"net/netip"
	"slices"
	"time"

	"github.com/mondhq/mond/plugins/neighbour"
)

// Address is one that is held.
type Address struct {
	Addr   netip.Addr
	Device string
	// Router: other machines use it as their gateway, whatever the interface's
	// forwarding says. IPv6 only.
	Router bool
}

// Group is what is held together.
type Group struct {
	Name      string
	Addresses []Address
	// Tell are stations that are told by a packet of their own.
	Tell []netip.Addr
	// Refresh is the time between announcements once the first minute is over,
	// at least a second; 0 for none.
	Refresh time.Duration
}

// Limits are of each interface. Zero stands for the defaults.
type Limits struct {
	// Rate is how many frames a second it sends, Burst how many at once after a
	// time of silence.
	Rate, Burst int
}

// The limits by default: an address or a few are told of at once; 300 have their
// first frame within 0.6 s. Switches that guard themselves take some hundreds of
// ARP packets a second.
const (
	defaultRate  = 500
	defaultBurst = 20
	maxRate      = 100_000
)

func (l Limits) withDefaults() Limits {
	if l.Rate <= 0 {
		l.Rate = defaultRate
	}
	if l.Burst <= 0 {
		l.Burst = defaultBurst
	}
	l.Rate = min(l.Rate, maxRate)
	return l
}

// When things are done.
const (
	// DefendInterval is the least time between two defences (RFC 5227 1.1).
	DefendInterval = 10 * time.Second
	// restartInterval is the least time between two beginnings of an address.
	restartInterval = time.Second
	// rivalFor is how long a claim by somebody else counts as one that stands.
	rivalFor = time.Minute
	// silence is how long a station may take to answer before it is asked by a
	// frame to all.
	silence = time.Second
	// leastRefresh is the least time between two refreshes.
	leastRefresh = time.Second
	// some is how many frames go together when more are waiting than the rate
	// lets through.
	some = 8
)

// steps are when an address is announced, from the beginning.
func steps(a netip.Addr) []time.Duration {
	if a.Is6() {
		return []time.Duration{0, time.Second, 2 * time.Second}
	}
	const ms = time.Millisecond
	return []time.Duration{
		0, 100 * ms, 200 * ms, 500 * ms, time.Second, 2 * time.Second, 5 * time.Second,
		10 * time.Second, 30 * time.Second, 60 * time.Second,
	}
}

// Form is what a frame is.
type Form uint8

// The forms.
const (
	Request Form = iota // announcement of ARP
	Reply               // gratuitous reply of ARP
	Nodes               // advertisement to all nodes
	Routers             // advertisement to all routers
	Tell                // question to a station
)

func (f Form) String() string {
	return [...]string{"request", "reply", "nodes", "routers", "tell"}[min(f, Tell)]
}

// Frame is one that is to be sent now.
type Frame struct {
	Address
	Group string
	Form  Form
	// Station is who is told, and At where it was when it last answered, zero
	// where that is not known. All: it does not answer, so everybody is asked
	// for it.
	Station netip.Addr
	At      neighbour.MAC
	All     bool
}

// Plan says what is to be sent when. It is told of all that happens with the
// time; it reads no clock and is used by one goroutine at a time.
type Plan struct {
	limits  Limits
	groups  []*group
	gates   map[string]*gate
	turn    uint64
	version uint64
}

// NewPlan is a plan for nothing yet.
func NewPlan(l Limits) *Plan {
	return &Plan{limits: l.withDefaults(), gates: map[string]*gate{}}
}

// group is a Group with what was done for it.
type group struct {
	Group
	items    []*item
	served   uint64 // the turn at which it last had a frame
	stations map[netip.Addr]*station
}

// station is one that is told.
type station struct {
	at       neighbour.MAC
	answered time.Time
	silent   time.Time // since when it owes an answer; zero for not
}

// gate lets frames of one interface through at the rate: the generic cell rate
// algorithm, whose theoretical arrival time is due.
type gate struct{ due time.Time }

// opens is when the next frame may go.
func (g *gate) opens(l Limits) time.Time {
	return g.due.Add(-time.Duration(l.Burst-1) * l.interval())
}

func (g *gate) take(l Limits, now time.Time) {
	if g.due.Before(now) {
		g.due = now
	}
	g.due = g.due.Add(l.interval())
}

// interval is that of frames, rounded up: never faster than the rate.
func (l Limits) interval() time.Duration {
	return (time.Second + time.Duration(l.Rate) - 1) / time.Duration(l.Rate)
}

func (p *Plan) gate(device string) *gate {
	g := p.gates[device]
	if g == nil {
		g = &gate{}
		p.gates[device] = g
	}
	return g
}

func (p *Plan) group(name string) *group {
	i := slices.IndexFunc(p.groups, func(g *group) bool { return g.Name == name })
	if i < 0 {
		return nil
	}
	return p.groups[i]
}

// Took says that a group is held from now on, or holds other addresses than
// before. What is new begins; what was held already goes on as it was.
func (p *Plan) Took(now time.Time, g Group) {
	if g.Refresh > 0 {
		g.Refresh = max(g.Refresh, leastRefresh)
	}
	had := p.group(g.Name)
	if had == nil {
		had = &group{}
		p.groups = append(p.groups, had)
	}
	items, stations := had.items, had.stations
	had.Group, had.items, had.stations = g, nil, map[netip.Addr]*station{}
	for _, a := range g.Addresses {
		i := slices.IndexFunc(items, func(it *item) bool { return it.Address == a })
		if i >= 0 {
			had.items = append(had.items, items[i])
			continue
		}
		it := &item{Address: a}
		it.begin(now)
		had.items = append(had.items, it)
	}
	for _, a := range g.Tell {
		if had.stations[a] = stations[a]; had.stations[a] == nil {
			had.stations[a] = &station{}
		}
	}
	p.version++
}

// Released says that a group is not held any more.
func (p *Plan) Released(name string) {
	p.groups = slices.DeleteFunc(p.groups, func(g *group) bool { return g.Name == name })
	p.version++
}

// Again begins a group anew.
func (p *Plan) Again(now time.Time, name string) {
	if g := p.group(name); g != nil {
		for _, it := range g.items {
			it.restart(now)
		}
	}
}

// AgainOn begins all addresses of an interface anew; it says how many.
func (p *Plan) AgainOn(now time.Time, device string) int {
	n := 0
	for _, g := range p.groups {
		for _, it := range g.items {
			if it.Device == device {
				it.restart(now)
				n++
			}
		}
	}
	return n
}

// Next is the frame to send now, if there is one: of interfaces that are ready,
// whose gate is open. It counts as gone: Done says what became of it.
func (p *Plan) Next(now time.Time, ready func(device string) bool) (Frame, bool) {
	var of *group
	var best *item
	for _, g := range p.groups {
		for _, it := range g.items {
			it.advance(now, g)
			if len(it.forms) == 0 || best != nil && !before(g, it, of, best) || !ready(it.Device) || p.gate(it.Device).opens(p.limits).After(now) {
				continue
			}
			of, best = g, it
		}
	}
	if best == nil {
		return Frame{}, false
	}
	p.gate(best.Device).take(p.limits, now)
	p.turn++
	of.served = p.turn
	return best.pop(now, of), true
}

// before reports whether an address goes before another: with the fewer frames
// since its beginning, then of the group whose turn is longer ago. Equals go in
// the order of their group.
func before(g *group, it *item, than *group, other *item) bool {
	if it.sent != other.sent {
		return it.sent < other.sent
	}
	return g.served < than.served
}

// Wake is when Next has something again; zero for never.
func (p *Plan) Wake(now time.Time) time.Time {
	var first time.Time
	for _, g := range p.groups {
		for _, it := range g.items {
			first = earlier(first, p.wake(now, g, it))
		}
	}
	return first
}

func (p *Plan) wake(now time.Time, g *group, it *item) time.Time {
	it.advance(now, g)
	if len(it.forms) > 0 {
		opens := p.gate(it.Device).opens(p.limits)
		if opens.After(now) { // some at once: a look at the kernel goes before them
			opens = opens.Add(time.Duration(min(some, p.limits.Burst)-1) * p.limits.interval())
		}
		return opens
	}
	return earlier(earlier(it.due, it.again), it.owed)
}

// earlier is the earlier of two instants, of which zero ones do not count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Due are the interfaces that Next has frames for.
func (p *Plan) Due(now time.Time) []string {
	var out []string
	for _, g := range p.groups {
		for _, it := range g.items {
			if it.advance(now, g); len(it.forms) > 0 && !slices.Contains(out, it.Device) && !p.gate(it.Device).opens(p.limits).After(now) {
				out = append(out, it.Device)
			}
		}
	}
	return out
}

// Heard are the addresses whose claims mean something, by interface; Version
// changes when they may have.
func (p *Plan) Heard() map[string][]netip.Addr {
	out := map[string][]netip.Addr{}
	for _, g := range p.groups {
		told := map[string]bool{}
		for _, it := range g.items {
			if !told[it.Device] {
				told[it.Device] = true
				out[it.Device] = append(out[it.Device], g.Tell...)
			}
			out[it.Device] = append(out[it.Device], it.Addr)
		}
	}
	return out
}

// Version changes when a group was taken or released.
func (p *Plan) Version() uint64 { return p.version }

// Uses reports whether an address is held on an interface.
func (p *Plan) Uses(device string) bool {
	return slices.ContainsFunc(p.groups, func(g *group) bool {
		return slices.ContainsFunc(g.items, func(it *item) bool { return it.Device == device })
	})
}

// Unknown are the stations of an interface that have not said where they are.
func (p *Plan) Unknown(device string) (out []netip.Addr) {
	for _, g := range p.groups {
		if !slices.ContainsFunc(g.items, func(it *item) bool { return it.Device == device }) {
			continue
		}
		for _, a := range g.Tell {
			if g.stations[a].at.IsZero() {
				out = append(out, a)
			}
		}
	}
	return out
}
