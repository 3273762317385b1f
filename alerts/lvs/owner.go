package lvs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
	"github.com/mondhq/mond/plugins/alert"
)

// owner is what the alerts of one factory share. Its goroutine, started by the
// first Keep, owns all of desk; others send it work.
type owner struct {
	given Options

	mu    sync.Mutex
	work  chan func(*desk) // nil until started
	done  chan struct{}
	asked *lvsAlert // who answers Show
}

// errIdle means that there is no owner's goroutine: nobody has claimed yet.
var errIdle = errors.New("nothing was claimed yet")

// errEnded means that the owner's Context has ended.
var errEnded = errors.New("lvs.alert is ending")

// show makes a the alert that answers for all; a kept one replaces others.
func (o *owner) show(a *lvsAlert, kept bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.asked == nil || kept {
		o.asked = a
	}
}

func (o *owner) shows(a *lvsAlert) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked == a
}

// start starts the owner's goroutine unless it runs.
func (o *owner) start() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.work != nil {
		return
	}
	o.work, o.done = make(chan func(*desk)), make(chan struct{})
	d := newDesk(o.given.withDefaults())
	d.work, d.done = o.work, o.done
	go func() {
		defer close(o.done)
		d.run()
	}()
}

// running gives the channels of the owner's goroutine, nil without.
func (o *owner) running() (chan func(*desk), chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.work, o.done
}

// ask has the owner's goroutine run f and waits for it. It fails with errIdle
// when there is none.
func ask[T any](ctx context.Context, o *owner, f func(*desk) (T, error)) (T, error) {
	work, done := o.running()
	if work == nil {
		var none T
		return none, errIdle
	}
	return askVia(ctx, work, done, f)
}

func askVia[T any](ctx context.Context, work chan func(*desk), done chan struct{}, f func(*desk) (T, error)) (T, error) {
	type reply struct {
		value T
		err   error
	}
	var none T
	answer := make(chan reply, 1)
	select {
	case work <- func(d *desk) { v, err := f(d); answer <- reply{v, err} }:
	case <-done:
		return none, errEnded
	case <-ctx.Done():
		return none, fmt.Errorf("wait for the owner of the tables: %w", ctx.Err())
	}
	select {
	case r := <-answer:
		return r.value, r.err
	case <-ctx.Done():
		return none, fmt.Errorf("wait for the owner of the tables: %w", ctx.Err())
	}
}

// desk is the state of the owner's goroutine.
type desk struct {
	Options
	work   chan func(*desk)
	done   chan struct{}   // closed when the goroutine has ended
	claims map[string]held // by Claim.ID
	full   bool            // a full set was there: writing is allowed
	tables map[string]*managed
	record *record
	server *server
	socket string // what was wrong with the socket last, for the log
}

// held is a claim with what its arguments mean.
type held struct {
	alert.Claim
	job
}

func newDesk(o Options) *desk {
	return &desk{
		Options: o,
		claims:  map[string]held{},
		tables:  map[string]*managed{},
		record:  openRecord(o.StateDir, o.Log),
	}
}

// run serves work until the Context ends.
func (d *desk) run() {
	tick := time.NewTicker(d.Resync)
	defer tick.Stop()
	defer d.close()
	for {
		select {
		case f := <-d.work:
			f(d)
		case <-tick.C:
			d.resync()
		case <-d.Context.Done():
			return
		}
	}
}

func (d *desk) close() {
	if d.server != nil {
		d.server.close()
	}
	for _, m := range d.tables {
		m.drop()
	}
	if d.record.writing != nil {
		select {
		case <-d.record.writing:
		case <-time.After(recordLimit):
		}
	}
}

// Limits of what may hold up the owner: one table, and its record.
const (
	tableLimit  = 3 * time.Second
	recordLimit = 300 * time.Millisecond
)

// errNoFull means that a change came before the set that it changes.
var errNoFull = errors.New("no full set of claims yet: nothing is written before it")

// keep takes claims in and makes the tables agree.
func (d *desk) keep(full bool, claims []alert.Claim) error {
	if !full && !d.full {
		return errNoFull
	}
	touched := scope{everything: full}
	if full {
		d.claims = make(map[string]held, len(claims))
	}
	var bad []error
	for _, c := range claims {
		if err := d.take(c, &touched); err != nil {
			bad = append(bad, err)
		}
	}
	d.full = true
	d.saveRecord()
	err := d.agree(touched)
	d.serve()
	if err == nil && bad != nil { // a wrong claim stays wrong
		return alert.Permanent(errors.Join(bad...))
	}
	return errors.Join(append(bad, err)...)
}

// take takes one claim in; what it names, and named before, is touched.
func (d *desk) take(c alert.Claim, touched *scope) error {
	if was, ok := d.claims[c.ID]; ok {
		touched.add(was.job)
		delete(d.claims, c.ID)
	}
	if c.Withdrawn {
		return nil
	}
	j, err := parseJob(c.Args)
	if err != nil {
		return fmt.Errorf("claim %q: %w", c.ID, err)
	}
	d.claims[c.ID] = held{c, j}
	d.record.own(j)
	touched.add(j)
	return nil
}

func (d *desk) saveRecord() {
	if err := d.record.save(recordLimit); err != nil {
		d.Log.Warn("the record of owned rows is behind", "error", err)
	}
}

// scope is what may have to be edited: everything, or some virtual services.
type scope struct {
	everything bool
	resync     bool // nothing new was claimed
	virtuals   map[place]bool
}

// place is a virtual service in a table.
type place struct {
	table   string
	virtual ipvs.Virtual
}

func (s *scope) add(j job) {
	if s.everything {
		return
	}
	if s.virtuals == nil {
		s.virtuals = map[place]bool{}
	}
	s.virtuals[place{j.table, j.Virtual}] = true
}

func (s scope) has(j job) bool { return s.everything || s.virtuals[place{j.table, j.Virtual}] }

// wants sums up the claims and the orders by hand, per table.
func (d *desk) wants(s scope) map[string][]reconcile.Want {
	byTable := map[string][]reconcile.Claim{}
	add := func(j job, c reconcile.Claim) {
		if !s.has(j) {
			return
		}
		c.Target, c.Weight, c.Forward = j.Target, j.weight, j.forward
		byTable[j.table] = append(byTable[j.table], c)
	}
	for _, h := range d.claims {
		add(h.job, reconcile.Claim{ID: h.ID, Down: h.Down, Provisional: h.Provisional, Reason: h.Reason, Since: h.Since})
	}
	named := func(key) bool { return false }
	if len(d.record.hand) > 0 {
		named = d.claimed()
	}
	for k, h := range d.record.hand {
		if named(k) {
			add(h.job, reconcile.Claim{ID: handID, Down: true, Reason: h.Reason, Since: h.Since})
		}
	}
	out := make(map[string][]reconcile.Want, len(byTable))
	for table, claims := range byTable {
		out[table] = reconcile.Desire(claims)
	}
	return out
}

// handID is the claim that an order from outside the config makes.
const handID = "by hand"

// agree makes the tables in s agree with the claims.
func (d *desk) agree(s scope) error {
	wants := d.wants(s)
	if s.everything {
		d.settle(wants)
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(wants)) { // the kernel's, "", is first
		errs = append(errs, d.table(name).agree(d, wants[name], s))
	}
	return errors.Join(errs...)
}

// settle lets go of tables that nobody names any more.
func (d *desk) settle(wants map[string][]reconcile.Want) {
	for name, m := range d.tables {
		if _, named := wants[name]; !named {
			m.drop()
			delete(d.tables, name)
		}
	}
}

func (d *desk) table(name string) *managed {
	m, ok := d.tables[name]
	if !ok {
		m = &managed{name: name, pending: map[reconcile.Target]bool{}}
		d.tables[name] = m
	}
	return m
}

// claimed tells of a key whether a claim names it.
func (d *desk) claimed() func(key) bool {
	named := map[key]bool{}
	for _, h := range d.claims {
		named[h.key()] = true
	}
	return func(k key) bool { return named[k] }
}

// resync looks at every table again: what could not be written is tried again,
// what others changed is put right.
func (d *desk) resync() {
	if !d.full {
		return
	}
	_ = d.agree(scope{everything: true, resync: true}) // every table has logged its own
	d.saveRecord()
	d.serve()
}
