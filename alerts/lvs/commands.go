package lvs

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
	"github.com/mondhq/mond/alerts/lvs/words"
)

// commands gives a text of each table's pools, under its name if there are
// several tables.
func (d *desk) commands(names []string, of func(*desk, *strings.Builder, words.Place, []*pool) error) (string, error) {
	pools := d.listed(names)
	var b strings.Builder
	for _, at := range d.sortedTables() {
		mine := slices.DeleteFunc(slices.Clone(pools), func(p *pool) bool { return p.table != at })
		if at != (words.Place{}) && len(mine) > 0 {
			fmt.Fprintf(&b, "# %s\n", at)
		}
		if err := of(d, &b, at, mine); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// saved is what is wanted, in the format of ipvsadm-save -n: what is held is
// as the table has it.
func (d *desk) saved(b *strings.Builder, _ words.Place, pools []*pool) error {
	if len(pools) == 0 {
		return nil
	}
	actual, err := d.look(pools)
	if err != nil {
		return err
	}
	for _, p := range pools {
		if !p.want.Standby {
			p.saved(b, actual[p.virtual])
		}
	}
	return nil
}

func (p *pool) saved(b *strings.Builder, rows reconcile.Rows) {
	switch w := p.want.Service; {
	case w == nil:
	case w.Verdict == reconcile.In:
		fmt.Fprintf(b, "-A %s\n", w.Service.Options())
	case w.Verdict == reconcile.Hold && rows.Service != nil:
		fmt.Fprintf(b, "-A %s\n", rows.Service.Options())
	default:
		return
	}
	for _, w := range p.want.Reals {
		p.savedReal(b, w, rows)
	}
}

func (p *pool) savedReal(b *strings.Builder, w reconcile.Want, rows reconcile.Rows) {
	i := slices.IndexFunc(rows.Reals, func(d ipvs.Destination) bool { return d.Addr == w.Real })
	switch {
	case w.Verdict == reconcile.In && i < 0:
		fmt.Fprintf(b, "-a %s\n", w.Row.Options(p.virtual))
	case w.Verdict == reconcile.In:
		fmt.Fprintf(b, "-a %s\n", w.Corrected(rows.Reals[i]).Options(p.virtual))
	case w.Verdict == reconcile.Hold && i >= 0:
		fmt.Fprintf(b, "-a %s\n", rows.Reals[i].Options(p.virtual))
	}
}

// due are the command lines that would make the table agree.
func (d *desk) due(b *strings.Builder, at words.Place, pools []*pool) error {
	program := ipvsadmIn(at)
	if err := errors.Join(d.dueLimits(b, at, program), d.dueSync(b, at, program)); err != nil {
		return err
	}
	if len(pools) == 0 {
		return nil
	}
	actual, err := d.look(pools)
	if err != nil {
		return err
	}
	wants := make([]reconcile.Pool, len(pools))
	for i, p := range pools {
		wants[i] = p.want
	}
	ops, _ := reconcile.Diff(wants, actual)
	for _, op := range ops {
		fmt.Fprintf(b, "%s %s\n", program, op.Command())
	}
	return nil
}

func (d *desk) dueLimits(b *strings.Builder, at words.Place, program string) error {
	m := d.table(at)
	t, ok := m.table.(ipvs.Timer)
	if m.limits.want == (ipvs.Timeouts{}) || !ok {
		return nil
	}
	ctx, cancel := d.looking()
	defer cancel()
	was, err := t.Timeouts(ctx)
	if err == nil && m.limits.want.Over(was) != was {
		w := m.limits.want // 0 leaves one as it is
		fmt.Fprintf(b, "%s --set %d %d %d\n", program, w.TCP, w.TCPFin, w.UDP)
	}
	return err
}

// ipvsadmIn is how ipvsadm is called for a table.
func ipvsadmIn(at words.Place) string {
	switch {
	case strings.Contains(at.NetNS, "/"):
		return "nsenter --net=" + at.NetNS + " ipvsadm"
	case at.NetNS != "":
		return "ip netns exec " + at.NetNS + " ipvsadm"
	}
	return "ipvsadm"
}
