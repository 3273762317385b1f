package announce

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/mondhq/mond/plugins/neighbour"
)

// Kind is what an Event tells of.
type Kind uint8

// The kinds.
const (
	// Rival: a stranger claims an address that is held. Told of each address at
	// once, and then at most once per DefendInterval.
	Rival Kind = iota
	// Failing: an address cannot be announced, or for another reason than before.
	Failing
	// Working: it can be again.
	Working
	// Moved: all addresses of an interface are announced anew; Text says why.
	Moved
	// Deaf: changes of interfaces, or claims on one, are not heard; it is tried again.
	Deaf
)

// Event is something that a person may want to know.
type Event struct {
	Kind   Kind
	Group  string
	Addr   netip.Addr
	Device string
	When   time.Time
	// MAC is the rival's, Count how often it claimed since it was last told.
	MAC   neighbour.MAC
	Count uint64
	// Text says what is wrong, or why.
	Text string
}

func (e Event) String() string {
	switch e.Kind {
	case Rival:
		return fmt.Sprintf("%s is held here and claimed by %s, too, on %s (%d times)", e.Addr, e.MAC, e.Device, e.Count)
	case Failing:
		return fmt.Sprintf("%s cannot be announced on %s: %s", e.Addr, e.Device, e.Text)
	case Working:
		return fmt.Sprintf("%s is announced again on %s", e.Addr, e.Device)
	case Moved:
		return fmt.Sprintf("announced again on %s: %s", e.Device, e.Text)
	}
	return e.Text
}

// find is the item of a frame, unless it was released.
func (p *Plan) find(f Frame) (*group, *item) {
	g := p.group(f.Group)
	if g == nil {
		return nil, nil
	}
	i := slices.IndexFunc(g.items, func(it *item) bool { return it.Address == f.Address })
	if i < 0 {
		return nil, nil
	}
	return g, g.items[i]
}

// Done says what became of a frame of Next: nil for sent. It returns what is to
// be told.
func (p *Plan) Done(now time.Time, f Frame, err error) (e Event, ok bool) {
	g, it := p.find(f)
	if it == nil {
		return e, false
	}
	e = Event{Group: f.Group, Addr: f.Addr, Device: f.Device, When: now}
	if err != nil {
		it.Failed++
		e.Kind, e.Text = Failing, err.Error()
		changed := it.failure != e.Text
		it.failure = e.Text
		return e, changed
	}
	it.Sent++
	it.Last = now
	if s := g.stations[f.Station]; s != nil && s.silent.IsZero() {
		s.silent = now
	}
	changed := it.failure != ""
	it.failure = ""
	e.Kind = Working
	return e, changed
}

// Needless says that a frame of Next, and all of its address until it begins
// anew, need not be sent: nobody asks for addresses on that interface.
func (p *Plan) Needless(f Frame) {
	if _, it := p.find(f); it != nil {
		it.forms, it.due, it.owed, it.failure = nil, time.Time{}, time.Time{}, ""
	}
}

// Claimed says that somebody else claims an address on an interface. It returns
// what is to be told.
func (p *Plan) Claimed(now time.Time, device string, c neighbour.Claim) (out []Event) {
	for _, g := range p.groups {
		if s := g.stations[c.Addr]; s != nil && c.Kind == neighbour.Answered {
			s.at, s.answered, s.silent = c.MAC, now, time.Time{}
		}
		for _, it := range g.items {
			if it.Addr != c.Addr || it.Device != device {
				continue
			}
			if e, ok := it.claimed(now, c.MAC); ok {
				e.Group = g.Name
				out = append(out, e)
			}
		}
	}
	return out
}

// claimed notes a rival and has the address defended.
func (it *item) claimed(now time.Time, by neighbour.MAC) (e Event, ok bool) {
	ok = it.told.IsZero() || now.Sub(it.told) >= DefendInterval || it.Rival != by && now.Sub(it.told) >= time.Second
	it.Rivals++
	it.untold++
	it.Rival, it.RivalAt = by, now
	if it.owed.IsZero() {
		it.owed = now
		if may := it.defended.Add(DefendInterval); !it.defended.IsZero() && now.Before(may) {
			it.owed = may
		}
	}
	if !ok {
		return e, false
	}
	e = Event{Kind: Rival, Addr: it.Addr, Device: it.Device, When: now, MAC: by, Count: it.untold}
	it.told, it.untold = now, 0
	return e, true
}

// Account is what was done for a group since it was taken.
type Account struct {
	Sent, Failed uint64
	// Error says what could not be sent, or who else claims an address; "" for
	// nothing.
	Error string
	// Next is when something of it is sent next; zero for never.
	Next time.Time
}

// Account sums up a group; zero for one that is not held.
func (p *Plan) Account(now time.Time, name string) (a Account) {
	g := p.group(name)
	if g == nil {
		return a
	}
	failing, rivals := "", ""
	for _, it := range g.items {
		a.Sent += it.Sent
		a.Failed += it.Failed
		a.Next = earlier(a.Next, p.wake(now, g, it))
		if it.failure != "" && failing == "" {
			failing = Event{Kind: Failing, Addr: it.Addr, Device: it.Device, Text: it.failure}.String()
		}
		if rivals == "" && it.rivalled(now) {
			rivals = fmt.Sprintf("%s is claimed by %s, too, on %s", it.Addr, it.Rival, it.Device)
		}
	}
	if a.Error = rivals; rivals == "" {
		a.Error = failing
	}
	return a
}

func (it *item) rivalled(now time.Time) bool { return it.Rivals > 0 && now.Sub(it.RivalAt) < rivalFor }

// Row is what was done for one address since it was taken.
type Row struct {
	Address
	Group string
	// Sent and Failed count frames; Last is when the last went out.
	Sent, Failed uint64
	Last, Next   time.Time
	Error        string
	// Rivals counts claims by strangers; Rival is who did last, at RivalAt.
	Rivals  uint64
	Rival   neighbour.MAC
	RivalAt time.Time
}

// Rows are all addresses, in the order of their groups.
func (p *Plan) Rows(now time.Time) []Row {
	var out []Row
	for _, g := range p.groups {
		for _, it := range g.items {
			out = append(out, Row{
				Address: it.Address, Group: g.Name, Sent: it.Sent, Failed: it.Failed, Last: it.Last, Next: p.wake(now, g, it),
				Error: it.failure, Rivals: it.Rivals, Rival: it.Rival, RivalAt: it.RivalAt,
			})
		}
	}
	return out
}

// Reached is a station that is told, and whether it answered.
type Reached struct {
	Group   string
	Station netip.Addr
	// At is where it was when it last answered, at Answered; zero for never.
	At       neighbour.MAC
	Answered time.Time
	// Silent is since when it owes an answer; zero for not.
	Silent time.Time
}

// Stations are all that are told.
func (p *Plan) Stations() []Reached {
	var out []Reached
	for _, g := range p.groups {
		for _, a := range g.Tell {
			s := g.stations[a]
			out = append(out, Reached{Group: g.Name, Station: a, At: s.at, Answered: s.answered, Silent: s.silent})
		}
	}
	return out
}
