package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/engine/virtual"
)

// Orders take reals out, drain them or give them a weight: by command, by a
// file in maintenance_dir, by schedule. Those by command are durable. One for
// a real that leaves the configuration stays, and counts again if that real
// comes back, until it ends by itself or is ended; monctl virtual shows it as
// one that no real is known for.

// Order takes or ends an order of an operator.
func (e *Engine) Order(ctx context.Context, o steer.Order) error {
	if err := o.Validate(); err != nil {
		return err
	}
	return e.do(ctx, func(l *loop, now time.Time) error {
		if o.End {
			return l.endOrder(o, now)
		}
		return l.order(o, now)
	})
}

// order puts an order into force; one of that kind for that target is
// replaced.
func (l *loop) order(o steer.Order, now time.Time) error {
	if err := l.knownTarget(o.Target); err != nil {
		return fmt.Errorf("%s: %w", o.What, err)
	}
	r := store.Order{
		Target: o.Target, What: o.What, Weight: o.Weight, Deadline: o.Deadline,
		Note: opstatus.Note{At: now, User: o.User, Text: o.Text},
	}
	if o.For > 0 {
		r.Until = now.Add(o.For)
	}
	l.setOrders(append(l.ordersBut(o.What, o.Target), r), now)
	d := deed{what: o.What, user: o.User, comment: o.Text, to: o.Target, text: orderText(&r)}
	l.operated(config.VirtualGroup, d, now)
	return nil
}

// endOrder ends an order of an operator.
func (l *loop) endOrder(o steer.Order, now time.Time) error {
	left := l.ordersBut(o.What, o.Target)
	if len(left) == len(l.globals.Orders) {
		return l.noOrder(o)
	}
	l.setOrders(left, now)
	d := deed{what: o.What, user: o.User, comment: o.Text, from: o.Target, text: o.What + " " + o.Target + " ended"}
	l.operated(config.VirtualGroup, d, now)
	return nil
}

// noOrder is the error for an order that is to end and is not there.
func (l *loop) noOrder(o steer.Order) error {
	var have []string
	for i := range l.globals.Orders {
		r := &l.globals.Orders[i]
		have = append(have, r.What+" "+r.Target)
	}
	text := "there is none by command"
	if len(have) > 0 {
		text = "by command there are: " + strings.Join(have, ", ")
	}
	return fmt.Errorf("%s %s: no such order to end; %s", o.What, o.Target, text)
}

// ordersBut are the orders but that of a kind for a target. It is a copy:
// batches share the old one.
func (l *loop) ordersBut(what, target string) []store.Order {
	var left []store.Order
	for _, r := range l.globals.Orders {
		if r.What != what || r.Target != target {
			left = append(left, r)
		}
	}
	return left
}

func (l *loop) setOrders(list []store.Order, now time.Time) {
	l.globals.Orders = list
	l.shared.dirty = true
	l.globalsChanged()
	l.applyOrders(now)
}

// endOrders ends those whose time is over.
func (l *loop) endOrders(now time.Time) {
	over := func(r store.Order) bool { return !r.Until.IsZero() && !now.Before(r.Until) }
	if !slices.ContainsFunc(l.globals.Orders, over) {
		return
	}
	var left []store.Order
	for _, r := range l.globals.Orders {
		if !over(r) {
			left = append(left, r)
			continue
		}
		d := deed{what: r.What, from: r.Target, text: r.What + " " + r.Target + " ended: its time is over"}
		l.operated(config.VirtualGroup, d, now)
	}
	l.setOrders(left, now)
}

// orderText is an order in words.
func orderText(r *store.Order) string {
	text := r.What + " " + r.Target
	if r.What == steer.Weight {
		text += " " + strconv.Itoa(r.Weight)
	}
	switch {
	case r.Deadline == virtual.Forever:
		text += ", without a deadline"
	case r.Deadline > 0:
		text += ", deadline " + r.Deadline.String()
	}
	if !r.Until.IsZero() {
		text += ", until " + r.Until.Format(time.DateTime)
	}
	return text
}

// errNoReal is the error for a target that the configuration does not know.
type errNoReal struct{ target, have string }

func (e errNoReal) Error() string {
	return fmt.Sprintf("no real %s in the configuration; %s", e.target, e.have)
}
func (e errNoReal) Is(target error) bool { return target == fs.ErrNotExist }

// knownTarget says whether a target names a real of the configuration.
func (l *loop) knownTarget(target string) error {
	name, real, one := cutTarget(target)
	if len(l.pools) == 0 {
		return errors.New("the configuration has no virtual services")
	}
	var have []string
	for _, p := range l.pools {
		if one && p.cfg.Name != name {
			continue
		}
		for i := range p.cfg.Members {
			if called(&p.cfg.Members[i], real) {
				return nil
			}
			have = append(have, p.cfg.Members[i].Name)
		}
	}
	if one && have == nil {
		return fmt.Errorf("%w; there are: %s", unknownPool(name), some(l.poolNames()))
	}
	return errNoReal{target, "there are: " + some(have)}
}

// some are the first of names, each once.
func some(names []string) string {
	const most = 20
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	if len(names) > most {
		return strings.Join(names[:most], " ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, " ")
}

func (l *loop) poolNames() []string {
	names := make([]string, len(l.pools))
	for i, p := range l.pools {
		names[i] = p.cfg.Name
	}
	return names
}

// cutTarget takes VIRTUAL/REAL apart; REAL alone is one of any virtual service.
func cutTarget(target string) (name, real string, one bool) {
	if name, real, one = strings.Cut(target, "/"); !one {
		real = target
	}
	return name, real, one
}

// called reports whether word is a name of a real: the one that people gave
// it, its address, each with or without its port.
func called(m *config.VirtualMember, word string) bool {
	return slices.Contains(namesOf(m), word)
}

// namesOf are the names of a real, as commands and files may write them.
func namesOf(m *config.VirtualMember) []string {
	addr, port := m.Addr.Addr().String(), ":"+strconv.Itoa(int(m.Addr.Port()))
	names := []string{m.Name, m.Name + port, addr, addr + port, m.Addr.String()}
	if _, err := netip.ParseAddr(m.Name); err != nil {
		if short, _, cut := strings.Cut(m.Name, "."); cut {
			names = append(names, short, short+port)
		}
	}
	return names
}

// applyOrders works out what is ordered of each real, and has the pools
// decided for which that changed.
func (l *loop) applyOrders(now time.Time) {
	for _, p := range l.pools {
		l.markPool(p)
		if p.scheduled {
			l.schedulePool(p, now)
		}
		l.orderPool(p)
	}
	list := make([]view.Order, len(l.globals.Orders))
	for i := range l.globals.Orders {
		list[i] = viewOrder(&l.globals.Orders[i])
	}
	l.board.SetOrders(list)
}

// orderPool works out what is ordered of the reals of one pool.
func (l *loop) orderPool(p *pool) {
	for i := range p.members {
		m := &p.members[i]
		was := m.order
		m.order, m.by = l.ordered(p, i)
		if m.order != was {
			l.touchPool(p)
		}
	}
}

// ordered is what is ordered of a real: maintenance by anybody before a drain,
// and a weight beside either. An order for VIRTUAL/REAL goes before one for
// REAL of the same kind.
func (l *loop) ordered(p *pool, i int) (virtual.Order, []view.Order) {
	var o virtual.Order
	var by []view.Order
	m := &p.members[i]
	if m.marked != "" {
		by = append(by, view.Order{What: steer.Maint, Source: "file", By: m.marked})
	}
	if m.period != "" {
		by = append(by, view.Order{What: steer.Maint, Source: "schedule", By: m.period})
	}
	for _, whole := range []bool{true, false} {
		for j := range l.globals.Orders {
			r := &l.globals.Orders[j]
			name, real, one := cutTarget(r.Target)
			if one == whole && (!one || name == p.cfg.Name) && called(&p.cfg.Members[i], real) {
				by = append(by, viewOrder(r))
			}
		}
	}
	for j := range by {
		o = withOrder(o, &by[j])
	}
	return o, by
}

// withOrder adds an order to those that go before it.
func withOrder(o virtual.Order, r *view.Order) virtual.Order {
	note := r.String()
	switch {
	case r.What == steer.Weight && o.Weighted:
		return o
	case r.What == steer.Weight:
		o.Weighted, o.Weight = true, r.Weight
	case r.What == steer.Drain && o.Kind == virtual.NoOrder:
		o.Kind, o.Deadline = virtual.DrainOut, r.Deadline
	case r.What == steer.Maint && o.Kind != virtual.Maintenance:
		o.Kind, o.Deadline = virtual.Maintenance, 0
	case r.What == steer.Drain:
		return o
	}
	if o.Note != "" {
		note = o.Note + "; " + note
	}
	o.Note = note
	return o
}

func viewOrder(r *store.Order) view.Order {
	return view.Order{
		What: r.What, Target: r.Target, Weight: r.Weight, Deadline: r.Deadline, Source: "command",
		By: r.Note.Who(), At: r.Note.At, Until: r.Until, Text: r.Note.Text,
	}
}

// schedulePool notes which maintenance periods hold now, and reports whether
// that changed.
func (l *loop) schedulePool(p *pool, now time.Time) (changed bool) {
	for i := range p.members {
		m, is := &p.members[i], ""
		for _, when := range p.cfg.Members[i].Maintenance {
			if when.Contains(now) {
				is = when.String()
				break
			}
		}
		if is != m.period {
			m.period, changed = is, true
		}
	}
	if changed {
		l.orderPool(p)
	}
	return changed
}

// markPool notes which reals have a file in the pool's directory of
// maintenance.
func (l *loop) markPool(p *pool) {
	dir := p.cfg.MaintenanceDir
	names, known := l.globals.Marks[dir]
	p.marks = p.marks && !known
	for i := range p.members {
		m := &p.members[i]
		m.marked = ""
		if dir == "" || len(names) == 0 {
			continue
		}
		for _, name := range namesOf(&p.cfg.Members[i]) {
			if _, found := slices.BinarySearch(names, name); found {
				m.marked = strings.TrimSuffix(dir, "/") + "/" + name
				break
			}
		}
	}
}

// handleMarks takes what a directory of maintenance holds. One that cannot be
// read changes nothing: who was in maintenance stays so.
func (l *loop) handleMarks(r marksRead, now time.Time) {
	if r.err != nil {
		l.unread[r.dir] = r.err.Error()
		l.opt.Log.Warn("directory of maintenance cannot be read, what it said last stays in force", "directory", r.dir, "err", r.err)
		for _, p := range l.pools {
			if p.marks && p.cfg.MaintenanceDir == r.dir {
				p.marks = false
				l.touchPool(p)
			}
		}
		return
	}
	delete(l.unread, r.dir)
	before, known := l.globals.Marks[r.dir]
	if known && slices.Equal(before, r.names) {
		return
	}
	next := maps.Clone(l.globals.Marks)
	if next == nil {
		next = map[string][]string{}
	}
	next[r.dir] = r.names
	l.globals.Marks = next
	l.globalsChanged()
	for _, p := range l.pools {
		if p.cfg.MaintenanceDir == r.dir {
			l.markPool(p)
			l.orderPool(p)
			l.touchPool(p)
		}
	}
}
