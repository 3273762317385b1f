package fake

import (
	"maps"
	"slices"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/alerts/fake/hold"
	"github.com/mondhq/mond/plugins/role"
)

// clean removes, once, what an earlier life has left and no line declares any
// more: addresses with our mark, those with a lease that our record names, and
// the routes and rules of groups in the record. Declared ones stay as they are
// until a token comes. It reports whether it could look.
func (d *desk) clean() bool {
	d.reopen()
	if d.kernel == nil || !d.look() {
		return false
	}
	var steps []address.Step
	for _, e := range d.record.old.Groups {
		steps = append(steps, d.leftBy(e)...)
	}
	for _, r := range d.view.Rows {
		if d.declared(r) || r.Proto != address.Mark && (r.Permanent() || !d.record.names(r)) {
			continue
		}
		d.Log.Info("remove an address of an earlier life that no line declares", "address", r.Prefix.String(), "interface", d.view.Name(r.Index))
		steps = append(steps, address.Step{Op: address.Remove, Thing: address.Address{Prefix: r.Prefix, Index: r.Index, Device: d.view.Name(r.Index)}})
	}
	if err := d.kernel.Clear(steps); err != nil {
		d.Log.Error("what an earlier life has left could not all be removed", "err", err)
	}
	d.look()
	return true
}

// leftBy are the routes, the rules and what had moved away from lo of a group
// that is declared no more.
func (d *desk) leftBy(e entry) []address.Step {
	g, err := parse(e.Args)
	if err != nil || d.groups[lineKey(e.Group)] != nil {
		return nil
	}
	m := &managed{Group: hold.New(g, address.Mark)}
	m.Restore(slices.DeleteFunc(d.record.moved(g), func(a address.Address) bool {
		return d.declared(address.Row{Prefix: a.Prefix})
	}))
	return removals(m, nil)
}

// declared reports whether a line or a claim names the address.
func (d *desk) declared(r address.Row) bool {
	for _, m := range d.groups {
		if slices.ContainsFunc(m.Line.Addresses, func(a role.Address) bool { return a.Prefix.Addr() == r.Prefix.Addr() }) {
			return true
		}
	}
	return false
}

// names reports whether an earlier life had the address among its lines.
func (r *record) names(row address.Row) bool {
	for _, e := range r.old.Groups {
		g, err := parse(e.Args)
		if err == nil && slices.ContainsFunc(g.Addresses, func(a role.Address) bool { return a.Prefix == row.Prefix }) {
			return true
		}
	}
	return false
}

// write has the record written as the groups are now.
func (d *desk) write() {
	b := book{Boot: d.Boot}
	for _, key := range slices.Sorted(maps.Keys(d.groups)) {
		m := d.groups[key]
		if !m.byLine {
			continue
		}
		e := entry{Group: m.name, Args: m.Line.Args()}
		for _, a := range m.Moved() {
			e.Moved = append(e.Moved, a.Prefix)
		}
		b.Groups = append(b.Groups, e)
	}
	d.record.save(b)
}
