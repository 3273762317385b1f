package fake

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/mondhq/mond/alerts/fake/hold"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/role"
)

// claimed is a claim and the group that it names.
type claimed struct {
	alert.Claim
	group role.Group
}

// errNoFull means that a change came before the set that it changes.
var errNoFull = errors.New("no full set of claims yet: nothing is done before it")

// always is the Until of what needs no token: a claim holds until it is changed.
const always = time.Duration(math.MaxInt64)

// keep takes claims in: a group is held for good while one that names it is down
// (an alert), released when all say up, and left alone otherwise.
func (d *desk) keep(full bool, claims []alert.Claim) error {
	if !full && !d.keeps {
		return errNoFull
	}
	if full {
		clear(d.claims)
		d.keeps = true
	}
	var bad []error
	for _, c := range claims {
		g, err := parse(c.Args)
		switch {
		case c.Withdrawn:
			delete(d.claims, c.ID)
		case err != nil:
			bad = append(bad, fmt.Errorf("claim %q: %w", c.ID, err))
		default:
			d.claims[c.ID] = claimed{c, g}
		}
	}
	d.sum()
	d.settle()
	err := d.unlike()
	if err == nil && bad != nil { // a wrong claim stays wrong
		return alert.Permanent(errors.Join(bad...))
	}
	return errors.Join(append(bad, err)...)
}

// sum says of each group what its claims want together.
func (d *desk) sum() {
	type wish struct {
		claimed
		down, provisional bool
	}
	wishes := map[string]*wish{}
	for _, c := range d.claims {
		key := claimKey(c.group.Name)
		w := wishes[key]
		if w == nil {
			w = &wish{claimed: c}
			wishes[key] = w
		}
		if c.Down && (!w.down || c.ID < w.ID) {
			w.claimed = c // its reason is told
		}
		w.down, w.provisional = w.down || c.Down && !c.Provisional, w.provisional || c.Provisional
	}
	for key, m := range d.groups {
		if !m.byLine && wishes[key] == nil {
			delete(d.groups, key) // hands off
			d.Announcer.Released(m.name)
		}
	}
	for key, w := range wishes {
		m := d.groups[key]
		if m == nil {
			m = &managed{Group: hold.New(w.group, 0), name: w.group.Name}
			d.groups[key] = m
		} else {
			m.Declare(w.group)
		}
		m.Frozen = w.provisional && !w.down
		m.Tell(role.Token{Group: m.name, Hold: w.down, Until: always, Reason: w.Reason})
	}
	d.clash()
}

// unlike is the error of groups that are not as claimed.
func (d *desk) unlike() error {
	var errs []error
	for _, m := range d.groups {
		if text := d.wrong(m); !m.byLine && text != "" {
			errs = append(errs, fmt.Errorf("group %s: %s", m.name, text))
		}
	}
	return errors.Join(errs...)
}
