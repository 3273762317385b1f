package fake

import (
	"fmt"
	"time"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/alerts/fake/hold"
)

// perform does what was decided, and tells the decision what came of it.
func (d *desk) perform(m *managed, a hold.Action) {
	switch a.Kind {
	case hold.RunTake, hold.RunRelease:
		d.programs(m, a)
	case hold.Take, hold.PutBack:
		d.add(m, a)
	case hold.Renew:
		d.renew(m, a)
	case hold.Remove:
		d.remove(m, a)
	case hold.None:
	}
}

// add adds the group, or what is missing of it.
func (d *desk) add(m *managed, a hold.Action) {
	o := hold.Outcome{}
	o.Placed, o.Err = hold.Place(d.view, m.Line, a.Lease, d.kernel.Via)
	o.Before = d.Now()
	switch {
	case o.Before >= a.Until:
		m.TooLate()
		return
	case o.Err == nil:
		d.move(m, o.Placed)
		o.Err = d.kernel.Take(d.additions(m, a, o.Placed))
	}
	o.After = d.Now()
	late := o.After >= a.Until
	if o.Err == nil && !late {
		d.announce(m, a, o.Placed)
	}
	if o.Err != nil && a.Kind == hold.Take {
		d.none(m)
	}
	o.View = d.viewNow()
	m.Did(a, o)
	d.note(m, a, o)
}

// additions are the steps of a Take or a PutBack: away from lo, the addresses,
// then rules and routes. What is there already is given the lease.
func (d *desk) additions(m *managed, a hold.Action, p hold.Placed) []address.Step {
	var steps []address.Step
	for _, at := range p.Moved {
		steps = append(steps, address.Step{Op: address.Remove, Thing: at})
	}
	for _, at := range p.Addresses {
		at.Lease, at.Mark = a.Lease, m.Mark
		op := address.Add
		if _, there := d.view.Row(at.Prefix, at.Index); there {
			op = address.Renew
		}
		steps = append(steps, address.Step{Op: op, Thing: at})
	}
	for _, r := range p.Rules {
		r.Mark = m.Mark
		steps = append(steps, address.Step{Op: address.Remove, Thing: r}, address.Step{Op: address.Add, Thing: r})
	}
	for _, r := range p.Routes { // one of ours that was left is another's to the kernel
		r.Mark = m.Mark
		steps = append(steps, address.Step{Op: address.Remove, Thing: r}, address.Step{Op: address.Add, Thing: r})
	}
	return steps
}

// move has the record say what is about to move away from lo.
func (d *desk) move(m *managed, p hold.Placed) {
	if len(p.Moved) > 0 {
		m.Restore(union(m.Moved(), p.Moved))
		d.write()
	}
}

func union(a, b []address.Address) []address.Address {
	out := a
	for _, x := range b {
		there := false
		for _, y := range a {
			there = there || x.Prefix == y.Prefix
		}
		if !there {
			out = append(out, x)
		}
	}
	return out
}

// none removes what is there of a group that could not be taken whole: what was
// here before, from an earlier life of this program.
func (d *desk) none(m *managed) {
	v := d.viewNow()
	there := hold.Present(v, m.Line, m.Taken())
	if len(there) == 0 && len(m.Moved()) == 0 {
		return
	}
	if err := d.kernel.Clear(removals(m, there)); err != nil {
		d.Log.Error("a part of a group stays", "group", m.name, "err", err)
		return
	}
	m.Restore(nil)
	d.write()
}

// announce tells the network of what was added, before all else.
func (d *desk) announce(m *managed, a hold.Action, p hold.Placed) {
	if a.Kind == hold.Take || a.Reason == hold.Rewritten {
		d.Announcer.Took(m.Line, p.Addresses)
		return
	}
	d.Announcer.Again(m.name, "addresses that others removed were put back")
}

// renew sets the lease of what is there.
func (d *desk) renew(m *managed, a hold.Action) {
	var steps []address.Step
	o := hold.Outcome{}
	for _, at := range a.Addresses {
		if r, _ := d.view.Row(at.Prefix, at.Index); a.Reason == hold.Changed && a.Lease > 0 && r.Primary() {
			o.Err = fmt.Errorf("give %s a lease: it is the first address of its network there, and the others would go with it: say /32", at)
		}
		at.Lease, at.Mark = a.Lease, m.Mark
		steps = append(steps, address.Step{Op: address.Renew, Thing: at})
	}
	o.Before = d.Now()
	if o.Before >= a.Until {
		m.TooLate()
		return
	}
	back := m.PutBacks
	if o.Err == nil {
		o.Err = d.kernel.Clear(steps)
	}
	o.After = d.Now()
	o.View = d.viewNow()
	m.Did(a, o)
	if m.PutBacks > back {
		d.again(m, "an address had been removed when it was renewed")
	}
	if o.Err != nil || a.Reason != hold.Due {
		d.note(m, a, o)
	}
}

// remove removes what is there: rules and routes first, then the addresses; what
// came from lo goes back there.
func (d *desk) remove(m *managed, a hold.Action) {
	o := hold.Outcome{Before: d.Now()}
	steps := removals(m, a.Addresses)
	if a.Reason == hold.Rewritten {
		steps = steps[:len(steps)-len(m.Moved())] // they stay away from lo
	} else {
		d.Announcer.Released(m.name)
	}
	o.Err = d.kernel.Clear(steps)
	o.After = d.Now()
	o.View = d.viewNow()
	m.Did(a, o)
	if o.Err == nil {
		d.write()
	}
	d.note(m, a, o)
}

// removals are the steps of a release.
func removals(m *managed, there []address.Address) []address.Step {
	var steps []address.Step
	p := m.Taken()
	if len(p.Addresses) == 0 {
		p.Routes, p.Rules, _ = hold.Paths(m.Line)
	}
	for _, r := range p.Routes {
		r.Mark = m.Mark
		steps = append(steps, address.Step{Op: address.Remove, Thing: r})
	}
	for _, r := range p.Rules {
		r.Mark = m.Mark
		steps = append(steps, address.Step{Op: address.Remove, Thing: r})
	}
	for _, at := range there {
		steps = append(steps, address.Step{Op: address.Remove, Thing: at})
	}
	for _, at := range m.Moved() {
		steps = append(steps, address.Step{Op: address.Add, Thing: at})
	}
	return steps
}

// viewNow looks and gives what was seen.
func (d *desk) viewNow() address.View {
	d.look()
	return d.view
}

// note keeps and logs what was done and why.
func (d *desk) note(m *managed, a hold.Action, o hold.Outcome) {
	m.tell, m.changed = true, time.Now()
	t, _ := m.Token()
	if o.Err != nil {
		if m.logged != o.Err.Error() {
			d.Log.Error("a group is not as it should be", "group", m.name, "action", a.Kind.String(), "reason", a.Reason.String(), "err", o.Err)
		}
		m.logged = o.Err.Error()
		return
	}
	m.logged = ""
	took := (o.After - o.Before).Round(time.Microsecond)
	m.detail = fmt.Sprintf("%v: %v", a.Kind, a.Reason)
	d.Log.Info("changed a group", "group", m.name, "action", a.Kind.String(), "reason", a.Reason.String(), "epoch", t.Epoch, "token", t.Reason, "took", took.String())
}
