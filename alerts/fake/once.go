package fake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mondhq/mond/alerts/fake/hold"
	"github.com/mondhq/mond/plugins/role"
)

// Once takes a group for good, or releases it, and returns when that is done, its
// programs too. What is so already is well.
func Once(ctx context.Context, o Options, g role.Group, take bool) error {
	o.StateDir, o.Names = "", nil // the record is the resident's
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o.Context = ctx
	d := newDesk(o.withDefaults())
	d.StateDir, d.record.path = "", ""
	defer d.close()
	m := &managed{Group: hold.New(g, 0), name: g.Name}
	d.groups[claimKey(g.Name)] = m
	m.Tell(role.Token{Group: g.Name, Hold: take, Until: always, Reason: "once"})
	for {
		d.settle()
		if m.Next(d.view, d.Now()).Reason != hold.Busy {
			break
		}
		select {
		case r := <-d.ran:
			d.ended(r)
		case <-ctx.Done():
			return fmt.Errorf("wait for the programs of group %s: %w", g.Name, ctx.Err())
		}
	}
	if take && d.Network != nil {
		d.linger(ctx)
	}
	if text := d.wrong(m); text != "" {
		return errors.New(text)
	}
	return nil
}

// repeats is how long the network is told by a program that ends: long enough
// for the first four announcements.
const repeats = 600 * time.Millisecond

// linger lets the announcer work.
func (d *desk) linger(ctx context.Context) {
	t := time.NewTimer(repeats)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Look says whether a group could be held, and changes nothing.
func Look(o Options, g role.Group) error {
	k, err := o.withDefaults().Open()
	if err != nil {
		return err
	}
	defer k.Close()
	v, err := k.View()
	if err == nil {
		_, err = hold.Place(v, g, 0, k.Via)
	}
	return err
}
