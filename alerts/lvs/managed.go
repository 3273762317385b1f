package lvs

import (
	"context"
	"errors"
	"log/slog"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
)

// managed is one table that the owner keeps.
type managed struct {
	name    string
	table   ipvs.Table // nil while it is not open
	clean   bool       // it agreed with everything the last time
	trouble string     // the error the last time, for the log and Show
	pending map[reconcile.Target]bool
	counts  counts
}

// counts is what the owner did to a table since it was started.
type counts struct {
	Added    uint64 `json:"added"`
	Set      uint64 `json:"set"`
	Deleted  uint64 `json:"deleted"`
	Repaired uint64 `json:"repaired"` // of these, edits by others undone
	Errors   uint64 `json:"errors"`
}

// title is the table's name for people.
func (m *managed) title() string { return title(m.name) }

func title(table string) string {
	if table == "" {
		return "kernel"
	}
	return table
}

func (m *managed) drop() {
	if m.table != nil {
		_ = m.table.Close() // what is left open ends with the process
		m.table = nil
	}
}

// agree makes the table agree with wants, which are all there are if s is
// everything.
func (m *managed) agree(d *desk, wants []reconcile.Want, s scope) error {
	ctx, cancel := context.WithTimeout(d.Context, tableLimit)
	defer cancel()
	var also []ipvs.Virtual
	if s.everything {
		also = d.record.virtuals(m.name)
	}
	out, err := m.edit(ctx, d.Open, wants, also)
	m.count(out, s.resync && m.clean, d.Log)
	if out.actual != nil {
		m.remember(wants, out.pending, s.everything, d.Log)
	}
	switch {
	case err != nil:
		m.counts.Errors++
		m.clean = false
	case s.everything:
		m.clean = true
		d.record.forget(m.name, d.claimed(), out.actual, looked(wants, also))
	}
	m.tell(err, d.Log)
	return err
}

func looked(wants []reconcile.Want, also []ipvs.Virtual) map[ipvs.Virtual]bool {
	out := map[ipvs.Virtual]bool{}
	for _, w := range wants {
		out[w.Virtual] = true
	}
	for _, v := range also {
		out[v] = true
	}
	return out
}

// edit opens the table if need be and makes it agree. A table that failed
// otherwise than by a row is opened anew the next time.
func (m *managed) edit(ctx context.Context, open func(string) (ipvs.Table, error), wants []reconcile.Want, also []ipvs.Virtual) (out outcome, err error) {
	if m.table == nil {
		if m.table, err = open(m.name); err != nil {
			m.table = nil
			return out, err
		}
	}
	out, err = agree(ctx, m.table, wants, also)
	if err != nil && !errors.Is(err, ipvs.ErrInvalid) {
		m.drop()
	}
	return out, err
}

// count counts and logs what was done. Where nothing was due, an edit undoes
// what others did, unless it was its virtual service that was missing.
func (m *managed) count(out outcome, nothingDue bool, log *slog.Logger) {
	for _, op := range out.done {
		repair := nothingDue && !m.pending[op.Target()]
		m.counts.add(op.Kind, repair)
		logOp(log, m.title(), op, repair)
	}
}

func (c *counts) add(k reconcile.Kind, repair bool) {
	switch k {
	case reconcile.Add:
		c.Added++
	case reconcile.Set:
		c.Set++
	case reconcile.Delete:
		c.Deleted++
	case reconcile.None:
	}
	if repair {
		c.Repaired++
	}
}

func logOp(log *slog.Logger, table string, op reconcile.Op, repair bool) {
	level, text := slog.LevelInfo, op.Kind.String()+" real server"
	if repair {
		level, text = slog.LevelWarn, text+": somebody else had changed the table"
	}
	about := []any{"table", table, "virtual", op.Virtual.String(), "real", op.Destination.Addr.String()}
	if op.Kind != reconcile.Delete {
		about = append(about, "weight", op.Destination.Weight, "forward", op.Destination.Forward.String())
	}
	log.Log(context.Background(), level, text, append(about, "reason", op.Reason)...)
}

// remember keeps which targets are pending, and logs those that are new.
func (m *managed) remember(wants, pending []reconcile.Want, whole bool, log *slog.Logger) {
	now := map[reconcile.Target]bool{}
	for _, w := range pending {
		now[w.Target] = true
		if !m.pending[w.Target] {
			log.Warn("real server is pending: its virtual service is missing",
				"table", m.title(), "virtual", w.Virtual.String(), "real", w.Real.String())
		}
	}
	if whole {
		m.pending = now
		return
	}
	for _, w := range wants {
		delete(m.pending, w.Target)
		if now[w.Target] {
			m.pending[w.Target] = true
		}
	}
}

// tell logs a trouble when it begins, changes and ends.
func (m *managed) tell(err error, log *slog.Logger) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == m.trouble {
		return
	}
	if text == "" {
		log.Info("the table agrees again", "table", m.title())
	} else {
		log.Error("the table does not agree with the claims", "table", m.title(), "error", err)
	}
	m.trouble = text
}
