package lvs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
	"github.com/mondhq/mond/alerts/lvs/report"
	"github.com/mondhq/mond/alerts/lvs/words"
)

// managed is one table that the owner keeps.
type managed struct {
	place   words.Place
	table   ipvs.Table // nil while it is not open
	trouble string     // what is wrong with the whole of it, for Show
	told    string     // what was logged last of all that is wrong
	limits  limits     // its time limits
	sync    syncing    // its sync daemons
	counts  report.Counts
	wait    time.Duration // before what failed for a moment is tried again
	again   time.Time     // when that is; zero: with the next resync
}

func (m *managed) drop() {
	if m.table != nil {
		_ = m.table.Close() // what is left open ends with the process
		m.table = nil
	}
}

// Limits of what may hold up the owner: one table, and each real server of it.
const (
	tableLimit = 3 * time.Second
	rowLimit   = 10 * time.Millisecond
)

// limit is how long some pools may take.
func limit(pools []*pool) time.Duration {
	n := 0
	for _, q := range pools {
		n += 1 + len(q.claims)
	}
	return tableLimit + time.Duration(n)*rowLimit
}

// agree makes the table agree with pools; checking says that nothing new was
// claimed, so that an edit undoes what others did.
func (m *managed) agree(d *desk, pools []*pool, s scope) error {
	ctx, cancel := context.WithTimeout(d.Context, limit(pools))
	defer cancel()
	p := &pass{now: d.now(), pools: pools, services: s.services}
	err := m.open(d.Open)
	if err == nil {
		p.table = m.table
		err = p.run(ctx)
		if err != nil && !errors.Is(err, ipvs.ErrInvalid) {
			m.drop()
		}
	}
	m.count(p.done, s.checking, pools, d.Log)
	m.settle(d, p, err)
	return errors.Join(err, p.errors())
}

// open opens the table if need be. One that failed otherwise than by a row is
// opened anew the next time.
func (m *managed) open(open func(words.Place) (ipvs.Table, error)) (err error) {
	if m.table == nil {
		if m.table, err = open(m.place); err != nil {
			m.table = nil
		}
	}
	return err
}

// settle keeps how the pools stand after a pass.
func (m *managed) settle(d *desk, p *pass, err error) {
	m.trouble = ""
	if err != nil {
		m.trouble = err.Error()
		m.counts.Errors++
	}
	for _, q := range p.pools {
		wrong := errors.Join(p.failed[q]...)
		q.trouble, q.strayed = "", false
		if wrong != nil {
			q.trouble = wrong.Error()
			m.counts.Errors++
		}
		q.clean = err == nil && wrong == nil
		if err == nil {
			m.pend(q, d.Log)
			d.record.forget(q.place, q.want, p.actual)
			q.depart(d.record)
		}
		if errors.Is(err, ipvs.ErrNoNamespace) && len(q.claims) == 0 {
			d.record.forget(q.place, q.want, nil) // they went with it
		}
	}
	if p.retry || err != nil && ipvs.ActionFor(err) == ipvs.Retry {
		m.wait = min(max(2*m.wait, retryFirst), d.Resync)
		m.again = d.now().Add(m.wait)
	} else {
		m.wait, m.again = 0, time.Time{}
	}
}

// retryFirst is the first wait before what failed for a moment is tried again;
// each is twice the one before, up to resync.
const retryFirst = 100 * time.Millisecond

// errors are those of the pools.
func (p *pass) errors() error {
	var errs []error
	for _, q := range p.pools {
		errs = append(errs, p.failed[q]...)
		if len(errs) > manyErrors {
			return errors.Join(append(errs[:manyErrors], errors.New("and more"))...)
		}
	}
	return errors.Join(errs...)
}

// manyErrors is how many of a table's errors are told at once.
const manyErrors = 10

// count counts and logs what was done.
func (m *managed) count(done []reconcile.Op, checking bool, pools []*pool, log *slog.Logger) {
	agreed := map[ipvs.Virtual]*pool{}
	if checking && len(done) > 0 {
		for _, q := range pools {
			if q.clean {
				agreed[q.virtual] = q
			}
		}
	}
	for i, op := range done {
		q := agreed[op.Virtual]
		repair := q != nil && !q.toldPending[op.Target()]
		count(&m.counts, op.Kind, repair)
		if i < manyEdits {
			logOp(log, m.place, op, repair)
		}
	}
	if n := len(done) - manyEdits; n > 0 {
		log.Info("and more edits at once", "table", m.place.String(), "edits", n)
	}
}

// manyEdits is how many of a pass's edits are logged one by one.
const manyEdits = 200

func count(c *report.Counts, k reconcile.Kind, repair bool) {
	switch k {
	case reconcile.Add, reconcile.AddService:
		c.Added++
	case reconcile.Set, reconcile.SetService:
		c.Set++
	case reconcile.Delete, reconcile.DeleteService:
		c.Deleted++
	case reconcile.None:
	}
	if repair {
		c.Repaired++
	}
}

func logOp(log *slog.Logger, table words.Place, op reconcile.Op, repair bool) {
	level, text := slog.LevelInfo, op.Kind.String()
	if repair {
		level, text = slog.LevelWarn, text+": somebody else had changed the table"
	}
	about := []any{"table", table.String(), "virtual", op.Virtual.String()}
	switch op.Kind {
	case reconcile.AddService, reconcile.SetService:
		about = append(about, "row", op.Service.Options())
	case reconcile.DeleteService, reconcile.None:
	case reconcile.Delete:
		about = append(about, "real", op.Destination.Addr.String())
	case reconcile.Add, reconcile.Set:
		about = append(about, "real", op.Destination.Addr.String(), "weight", op.Destination.Weight, "forward", op.Destination.Forward.String())
	}
	log.Log(context.Background(), level, text, append(about, "reason", op.Reason)...)
}

// pend logs what has become pending.
func (m *managed) pend(q *pool, log *slog.Logger) {
	for t := range q.pending {
		if !q.toldPending[t] {
			log.Warn("real server is pending: its virtual service is missing",
				"table", m.place.String(), "virtual", q.virtual.String(), "real", t.Real.String())
		}
	}
	q.toldPending = q.pending
}

// tell logs a trouble when it begins, changes and ends.
func (m *managed) tell(pools []*pool, log *slog.Logger) {
	text := m.wrong(pools)
	if text == m.told {
		return
	}
	if text == "" {
		log.Info("the table agrees again", "table", m.place.String())
	} else {
		log.Error("the table does not agree with the claims", "table", m.place.String(), "err", text)
	}
	m.told = text
}

// wrong is all that is wrong with the table and its pools.
func (m *managed) wrong(pools []*pool) string {
	if text := cmp.Or(m.trouble, m.limits.trouble, m.sync.trouble); text != "" {
		return text
	}
	var texts []string
	for _, q := range pools {
		if q.trouble != "" {
			texts = append(texts, q.trouble)
		}
	}
	slices.Sort(texts)
	if n := len(texts); n > manyErrors {
		texts = append(texts[:manyErrors], fmt.Sprintf("and %d more", n-manyErrors))
	}
	return strings.Join(texts, "\n")
}
