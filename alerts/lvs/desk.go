package lvs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/mondhq/mond/alerts/internal/shared"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
	"github.com/mondhq/mond/alerts/lvs/words"
	"github.com/mondhq/mond/plugins/alert"
)

// desk is the state of the owner's goroutine.
type desk struct {
	Options
	work   shared.Work[desk]
	claims map[string]*held // by Claim.ID
	timed  map[string]*held // of these, the ones on time limits
	synced map[string]*held // the ones on sync daemons
	roled  map[string]*held // and those that follow a role
	full   bool             // a full set was there: writing is allowed
	pools  map[place]*pool
	tables map[words.Place]*managed
	parser *words.Parser
	record *record
	role   roles
	round  resyncRound
	rest   time.Time // no slice of it before
	// thinned says that there may be pools or tables that nobody names.
	thinned bool
	server  *server
	socket  string // what was wrong with the socket last, for the log
}

func newDesk(o Options) *desk {
	return &desk{
		Options: o,
		claims:  map[string]*held{},
		timed:   map[string]*held{},
		synced:  map[string]*held{},
		roled:   map[string]*held{},
		parser:  words.NewParser(),
		pools:   map[place]*pool{},
		tables:  map[words.Place]*managed{},
		record:  openRecord(o.StateDir, o.Log),
	}
}

func (d *desk) now() time.Time { return time.Now() }

// run serves work until the Context ends.
func (d *desk) run() {
	tick := time.NewTimer(d.Resync)
	defer tick.Stop()
	defer d.close()
	for {
		select {
		case f := <-d.work.To:
			f(d)
		case _, more := <-d.role.changed:
			d.followRole(more)
		case <-tick.C:
			d.tick()
		case <-d.Context.Done():
			return
		}
		tick.Reset(time.Until(d.wake()))
	}
}

func (d *desk) close() {
	if d.server != nil {
		d.server.close()
	}
	d.role.close()
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

// recordLimit is how long the record may hold up the owner.
const recordLimit = 300 * time.Millisecond

// errNoFull means that a change came before the set that it changes.
var errNoFull = errors.New("no full set of claims yet: nothing is written before it")

// keep takes claims in and makes the tables agree.
func (d *desk) keep(full bool, claims []alert.Claim) error {
	if !full && !d.full {
		return errNoFull
	}
	var bad []error
	if full {
		bad = d.takeAll(claims)
	} else {
		bad = d.takeSome(claims)
	}
	if full && !d.full {
		d.full = true
		d.round = resyncRound{began: d.now()}
	}
	d.readRole()
	err := d.agree(d.touched())
	d.saveRecord() // what is owned no more
	d.serve()
	if err == nil && bad != nil { // a wrong claim stays wrong
		return alert.Permanent(errors.Join(bad...))
	}
	return errors.Join(append(bad, err)...)
}

// takeSome takes claims that changed.
func (d *desk) takeSome(claims []alert.Claim) (bad []error) {
	for _, c := range claims {
		h, err := d.read(c)
		if err != nil {
			bad = append(bad, err)
		}
		if c.Withdrawn {
			h = nil
		}
		d.put(c.ID, h)
	}
	return bad
}

// takeAll takes claims as all there are. What is in none of them and was
// declared once is to go.
func (d *desk) takeAll(claims []alert.Claim) (bad []error) {
	gone := maps.Clone(d.claims)
	for _, c := range claims {
		h, err := d.read(c)
		if err != nil {
			bad = append(bad, err)
		}
		delete(gone, c.ID)
		d.put(c.ID, h)
	}
	for id := range gone {
		d.put(id, nil)
	}
	d.leave()
	d.thinned = true
	return bad
}

// leave notes which of the recorded rows nobody claims any more. Those that
// were never declared matter only in tables that are looked at anyway.
func (d *desk) leave() {
	named := map[words.Place]bool{}
	for _, h := range d.claims {
		named[h.Table] = true
	}
	for at, rows := range d.record.owned {
		declared := false
		for _, o := range rows {
			declared = declared || o.declared
		}
		if declared || named[at.table] {
			d.pool(at).leaving(rows)
		}
	}
}

// leaving notes which of the recorded rows nobody claims any more.
func (p *pool) leaving(rows map[netip.AddrPort]owned) {
	for real, o := range rows {
		if o.declared && !p.left[real] && !p.claimed(real) {
			p.left[real], p.stale = true, true
		}
	}
}

// read says what a claim means; nil with an error for one that means nothing.
// That of a claim whose words are known is known.
func (d *desk) read(c alert.Claim) (*held, error) {
	if was, ok := d.claims[c.ID]; ok && slices.Equal(was.Args, c.Args) {
		return &held{c, was.Job}, nil
	}
	if c.Withdrawn {
		return nil, nil
	}
	j, err := d.parser.Parse(c.Args)
	if err != nil {
		return nil, fmt.Errorf("claim %q: %w", c.ID, err)
	}
	return &held{c, j}, nil
}

// put puts h, nil for none, in the place of the claim id.
func (d *desk) put(id string, h *held) {
	was := d.claims[id]
	same := was != nil && h != nil && was.sameAs(h)
	if was != nil && (h == nil || was.Job != h.Job) {
		d.unclaim(id, was)
	}
	if h == nil {
		delete(d.claims, id)
		return
	}
	d.claims[id] = h
	switch h.Kind {
	case words.Timeouts:
		d.timed[id] = h
	case words.Sync:
		d.synced[id] = h
	case words.Real, words.Service:
	}
	if h.ByRole {
		d.roled[id] = h
	}
	for v := range h.Virtuals() {
		p := d.pool(place{h.Table, v})
		p.claims[id] = h
		p.stale = p.stale || !same
	}
}

func (d *desk) unclaim(id string, h *held) {
	delete(d.timed, id)
	delete(d.synced, id)
	delete(d.roled, id)
	d.thinned = true
	for v := range h.Virtuals() {
		p := d.pool(place{h.Table, v})
		delete(p.claims, id)
		p.stale = true
	}
}

func (d *desk) pool(at place) *pool {
	p, ok := d.pools[at]
	if !ok {
		p = newPool(at)
		d.pools[at] = p
	}
	return p
}

func (d *desk) saveRecord() {
	if err := d.record.save(recordLimit); err != nil {
		d.Log.Warn("the record of owned rows is behind", "err", err)
	}
}

// scope is what is to be looked at.
type scope struct {
	pools []*pool
	// services says that the virtual services' own rows are looked at too.
	services bool
	// checking says that nothing new was claimed.
	checking bool
	// limits says that the tables' time limits and sync daemons are looked at.
	limits bool
}

// touched are the pools of which something else is wanted than before, or that
// did not agree.
func (d *desk) touched() scope {
	s := scope{limits: true}
	for _, p := range d.pools {
		changed := p.stale && p.sum(d.record, d.part(p))
		if changed || !p.clean {
			p.clean = false
			s.pools = append(s.pools, p)
		}
	}
	return s
}

// agree makes the tables agree with the claims, as far as s says.
func (d *desk) agree(s scope) error {
	for _, p := range s.pools {
		if !p.clean {
			p.own(d.record)
		}
	}
	d.saveRecord()
	byTable := map[words.Place][]*pool{}
	for _, p := range s.pools {
		byTable[p.table] = append(byTable[p.table], p)
	}
	wanted, synced := d.limits(), d.syncs()
	if s.limits {
		for t := range wanted {
			byTable[t] = byTable[t][:len(byTable[t]):len(byTable[t])]
		}
		for t := range synced {
			byTable[t] = byTable[t][:len(byTable[t]):len(byTable[t])]
		}
	}
	var errs []error
	for _, t := range slices.SortedFunc(maps.Keys(byTable), words.Place.Compare) { // the kernel's own is first
		m := d.table(t)
		pools := byTable[t]
		slices.SortFunc(pools, func(a, b *pool) int { return a.compare(b.place) })
		if len(pools) > 0 {
			errs = append(errs, m.agree(d, pools, s))
		}
		if s.limits {
			errs = append(errs, m.keepLimits(d, wanted[t]))
			m.keepSync(d, synced[t], s.checking)
		}
	}
	d.tell()
	if d.thinned {
		d.letGo()
	}
	return errors.Join(errs...)
}

// tell logs what is wrong with each table, and what no longer is.
func (d *desk) tell() {
	byTable := map[words.Place][]*pool{}
	for _, p := range d.pools {
		if p.trouble != "" {
			byTable[p.table] = append(byTable[p.table], p)
		}
	}
	for t, m := range d.tables {
		m.tell(byTable[t], d.Log)
	}
}

// letGo lets go of pools and tables that nobody names any more.
func (d *desk) letGo() {
	d.thinned = false
	named := map[words.Place]bool{}
	for at, p := range d.pools {
		named[at.table] = named[at.table] || len(p.claims) > 0 || len(p.left) > 0
	}
	for _, h := range d.timed {
		named[h.Table] = true
	}
	for _, h := range d.synced {
		named[h.Table] = true
	}
	for at, p := range d.pools {
		if len(p.claims) == 0 && (len(d.record.owned[at]) == 0 || !named[at.table]) {
			delete(d.pools, at)
		}
	}
	for t, m := range d.tables {
		if !named[t] {
			m.drop()
			delete(d.tables, t)
		}
	}
}

func (d *desk) table(at words.Place) *managed {
	m, ok := d.tables[at]
	if !ok {
		m = &managed{place: at}
		d.tables[at] = m
	}
	return m
}

// claimed reports whether a claim names the target.
func (d *desk) claimed(k key) bool {
	p, ok := d.pools[place{k.table, k.Virtual}]
	return ok && p.claimed(k.Real)
}

// want is what is wanted of a target that is claimed.
func (d *desk) want(k key) (reconcile.Want, bool) {
	p, ok := d.pools[place{k.table, k.Virtual}]
	if !ok {
		return reconcile.Want{}, false
	}
	if k.IsService() && p.want.Service != nil {
		return *p.want.Service, true
	}
	i := slices.IndexFunc(p.want.Reals, func(w reconcile.Want) bool { return w.Target == k.Target })
	if i < 0 {
		return reconcile.Want{}, false
	}
	return p.want.Reals[i], true
}

// context for one look at a table.
func (d *desk) looking() (context.Context, context.CancelFunc) {
	return context.WithTimeout(d.Context, tableLimit)
}
