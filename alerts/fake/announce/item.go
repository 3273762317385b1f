package announce

import (
	"net/netip"
	"slices"
	"time"

	"github.com/mondhq/mond/plugins/neighbour"
)

// item is an address that is held, and what was done for it.
type item struct {
	Address
	begun time.Time // the beginning that steps count from
	step  int       // the next
	due   time.Time // when it is; zero for no more
	forms []form    // of a step that is going out
	sent  int       // frames since the beginning

	again time.Time // when to begin anew; zero for not
	owed  time.Time // when to defend; zero for not
	// defended is when that last happened.
	defended time.Time

	account
}

// form is a frame that is still to go.
type form struct {
	Form
	station netip.Addr
}

// account is what became of the frames of an address, and who claims it.
type account struct {
	Sent, Failed uint64
	Last         time.Time // that a frame went out
	failure      string    // of the last frame; "" for none

	Rivals  uint64
	Rival   neighbour.MAC
	RivalAt time.Time
	told    time.Time // when a rival was last told of
	untold  uint64    // claims since
}

func (it *item) begin(now time.Time) {
	it.begun, it.due, it.step, it.sent = now, now, 0, 0
	it.forms, it.again = nil, time.Time{}
}

// restart begins anew, or as soon as it may.
func (it *item) restart(now time.Time) {
	if may := it.begun.Add(restartInterval); now.Before(may) {
		it.again = may
		return
	}
	it.begin(now)
}

// advance takes up what is due: a beginning, a step, or a defence. It changes
// nothing when called twice.
func (it *item) advance(now time.Time, g *group) {
	if !it.again.IsZero() && !now.Before(it.again) {
		it.begin(now)
	}
	if len(it.forms) > 0 {
		return
	}
	step, defence := reached(it.due, now), reached(it.owed, now)
	if !step && !defence {
		return
	}
	if step {
		it.skip(now, g.Refresh)
	}
	if defence { // a step does as well
		it.defended, it.owed = now, time.Time{}
	}
	it.forms = it.all(g.Tell)
}

func reached(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }

// skip goes to the next step that is not due yet.
func (it *item) skip(now time.Time, refresh time.Duration) {
	for reached(it.due, now) {
		it.step++
		it.due = it.at(it.step, refresh)
	}
}

// at is when a step is due.
func (it *item) at(step int, refresh time.Duration) time.Time {
	first := steps(it.Addr)
	if step < len(first) {
		return it.begun.Add(first[step])
	}
	if refresh == 0 {
		return time.Time{}
	}
	return it.begun.Add(first[len(first)-1] + time.Duration(step-len(first)+1)*refresh)
}

// all are the frames of a step, in their order.
func (it *item) all(tell []netip.Addr) []form {
	out := []form{{Form: Request}, {Form: Reply}}
	if it.Addr.Is6() {
		out = []form{{Form: Nodes}, {Form: Routers}}
	}
	for _, s := range tell {
		if neighbour.FamilyOf(s) == neighbour.FamilyOf(it.Addr) {
			out = append(out, form{Tell, s})
		}
	}
	return out
}

// pop takes the next frame of the step that goes out.
func (it *item) pop(now time.Time, g *group) Frame {
	f := Frame{Address: it.Address, Group: g.Name, Form: it.forms[0].Form, Station: it.forms[0].station}
	it.forms = slices.Delete(it.forms, 0, 1)
	it.sent++
	if s := g.stations[f.Station]; s != nil {
		f.At, f.All = s.at, !s.silent.IsZero() && now.Sub(s.silent) > silence
		if f.All {
			f.At = neighbour.MAC{}
		}
	}
	return f
}
