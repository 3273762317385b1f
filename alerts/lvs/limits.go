package lvs

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/words"
)

// limits are a table's time limits as they are wanted.
type limits struct {
	want    ipvs.Timeouts
	trouble string
}

// limits are what is claimed of the tables' time limits: of each the newest
// word. A claim that is down or not confirmed asks for nothing: a limit is
// never set back.
func (d *desk) limits() map[words.Place]ipvs.Timeouts {
	var claims []*held
	for _, h := range d.timed {
		if !h.Down && !h.Provisional {
			claims = append(claims, h)
		}
	}
	slices.SortFunc(claims, func(a, b *held) int { return cmp.Or(b.Since.Compare(a.Since), cmp.Compare(a.ID, b.ID)) })
	out := map[words.Place]ipvs.Timeouts{}
	for _, h := range claims {
		out[h.Table] = out[h.Table].Over(h.Timeouts)
	}
	return out
}

// keepLimits makes the table's time limits as they are wanted.
func (m *managed) keepLimits(d *desk, want ipvs.Timeouts) error {
	m.limits = limits{want: want}
	if want == (ipvs.Timeouts{}) {
		return nil
	}
	ctx, cancel := d.looking()
	defer cancel()
	was, err := m.setLimits(ctx, d, want)
	if err != nil {
		m.limits.trouble = err.Error()
		m.counts.Errors++
		return err
	}
	if was != want.Over(was) {
		m.counts.Set++
		d.Log.Info("set time limits", "table", m.place.String(), "to", want.String(), "from", was.String())
	}
	return nil
}

func (m *managed) setLimits(ctx context.Context, d *desk, want ipvs.Timeouts) (was ipvs.Timeouts, err error) {
	if err := m.open(d.Open); err != nil {
		return was, err
	}
	t, ok := m.table.(ipvs.Timer)
	if !ok {
		return was, fmt.Errorf("%s has no time limits: %w", m.place, ipvs.ErrInvalid)
	}
	was, err = t.Timeouts(ctx)
	if err == nil && was != want.Over(was) {
		err = t.SetTimeouts(ctx, want)
	}
	if err != nil {
		m.drop()
	}
	return was, err
}

// sortedTables are the owner's tables, the kernel's own first.
func (d *desk) sortedTables() []words.Place {
	return slices.SortedFunc(maps.Keys(d.tables), words.Place.Compare)
}
