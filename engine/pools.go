package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/engine/schedule"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/engine/virtual"
)

// The pools of virtual services. What a pool is, is decided by engine/virtual;
// here it is told what there is to know, and what it decides is carried out.
// A pool is decided once in a turn of the loop in which anything about it
// changed, and when it asked to be.

// pool is all that the loop knows of one virtual service.
type pool struct {
	id  int
	cfg *config.Virtual
	// own is its own service; nil where the configuration has none.
	own   *service
	state virtual.State
	out   virtual.Outcome // of the last decision
	in    virtual.Input   // of the last decision; its slices are used again
	// members are those of the configuration, in its order; left those that
	// state knows besides.
	members, left []member
	// fixed are claims that hold as long as it is configured.
	fixed []row
	// rows are the rows of members and left, for the store; never changed.
	rows map[string][]store.Row
	// waits is until when the first decision waits for a look at the table
	// and at maintenanceDir; zero when it does not.
	waits time.Time
	// looks is set while it wants to know how its rows stand, until lookEnds;
	// marks while it does not know who is in maintenance.
	looks, marks bool
	lookEnds     time.Time
	// provisional is set from an unclean stop to the first decision: until then
	// all rows stay as the table has them.
	provisional bool
	dirty       bool
	scheduled   bool // some member has maintenance periods
	told        opstatus.Status
	summary     string // last pushed
	cell        *view.PoolCell
}

// member is what the loop knows of a real of a pool.
type member struct {
	name   string
	checks []*service // nil elements are not configured
	asks   *service   // the check that speaks of its weight, or nil
	rows   []row
	table  virtual.Row
	conns  virtual.Conns
	order  virtual.Order
	by     []view.Order // what made order
	// period is the one of its maintenance that holds, or empty.
	period string
	marked string // the file that takes it out, or empty
}

// row is a claim of a member or, without a weight, of the virtual service.
type row struct {
	id    string
	words []string // of the command line, without a weight
}

// lookWait is how long a pool waits for what it wants to know before its first
// decision.
const lookWait = 2 * time.Second

// installPools builds the pools of a configuration from their last states; those that
// it has as the last one had them go on as they are. gone were only in that, come are
// only in this. Services are there already.
func (l *loop) installPools(saved map[string]store.Pool, unclean bool, now time.Time) (gone, come []*pool) {
	old := make(map[*config.Virtual]*pool, len(l.pools))
	if !unclean {
		for _, p := range l.pools {
			old[p.cfg] = p
		}
	}
	before := l.pools
	l.pools = make([]*pool, len(l.loaded.Config.Virtuals))
	l.poolHeap, l.dirtyPools = schedule.NewHeap(now), nil
	for i, v := range l.loaded.Config.Virtuals {
		p := old[v]
		if p != nil {
			l.pools[i], p.id = p, i
			l.keepPool(p)
			continue
		}
		p = l.newPool(v, saved[v.Name], unclean)
		l.pools[i], p.id = p, i
		l.wait(p, now)
		l.touchPool(p)
		come = append(come, p)
	}
	l.applyOrders(now)
	for _, p := range before {
		if p.id >= len(l.pools) || l.pools[p.id] != p {
			gone = append(gone, p)
		}
	}
	return gone, come
}

// keepPool lets p, whose configuration stays, go on with the services of this one.
func (l *loop) keepPool(p *pool) {
	l.join(p)
	l.poolHeap.Set(p.id, p.out.Wake)
	if !p.waits.IsZero() {
		l.poolHeap.Set(p.id, p.waits)
	}
	if p.dirty {
		p.dirty = false
		l.touchPool(p)
	}
}

// join gives p its services: its own and those of its checks.
func (l *loop) join(p *pool) {
	p.own = l.byKey[p.cfg.Key()]
	for i := range p.members {
		m, set := &p.members[i], &p.cfg.Members[i]
		m.asks = nil
		for j, key := range set.Checks {
			if m.checks[j] = l.byKey[key]; m.checks[j] != nil {
				m.checks[j].judges(p)
			}
		}
		if set.Asks >= 0 && set.Asks < len(m.checks) {
			m.asks = m.checks[set.Asks]
		}
	}
}

func (l *loop) newPool(v *config.Virtual, saved store.Pool, unclean bool) *pool {
	p := &pool{
		cfg: v, state: saved.State, cell: new(view.PoolCell), fixed: rowsOf(v, v.Rows),
		members: make([]member, len(v.Members)), rows: map[string][]store.Row{},
		in: virtual.Input{Members: make([]virtual.Seen, len(v.Members))}, told: opstatus.Untested,
	}
	if unclean {
		p.state, p.provisional = p.state.Provisional(), true
	}
	for i := range v.Members {
		set, name := &v.Members[i], v.Pool.Members[i].Name
		m := &p.members[i]
		m.name, m.rows, m.checks = name, rowsOf(v, set.Rows), make([]*service, len(set.Checks))
		p.scheduled = p.scheduled || len(set.Maintenance) > 0
		p.in.Members[i].Checks = make([]virtual.Verdict, len(m.checks))
		p.rows[name] = storeRows(set.Rows)
	}
	l.join(p)
	p.leave(saved.Rows)
	return p
}

// judges notes that s is a check of p. Pools are installed one after the other.
func (s *service) judges(p *pool) {
	if n := len(s.pools); n == 0 || s.pools[n-1] != p {
		s.pools = append(s.pools, p)
	}
}

// leave takes in the members that the configuration does not name any more, by
// the rows that they had. A row of an address that the virtual service does
// not have any more goes with that.
func (p *pool) leave(saved map[string][]store.Row) {
	for i := range p.state.Members {
		name := p.state.Members[i].Name
		if p.member(name) != nil {
			continue
		}
		var rows []config.VirtualRow
		for _, r := range saved[name] {
			if p.serves(r.Target) {
				rows = append(rows, config.VirtualRow{Target: r.Target, More: r.More})
			}
		}
		m := member{name: name, rows: rowsOf(p.cfg, rows)}
		if len(rows) == 0 {
			m.table = virtual.Row{Known: true} // there is nothing that it could be in
		}
		p.left = append(p.left, m)
		p.rows[name] = storeRows(rows)
	}
}

// serves reports whether the virtual service still has the address that the
// row of a member is about. Without any row of its own it is believed to.
func (p *pool) serves(target []string) bool {
	at := addressIn(target)
	return len(p.cfg.Rows) == 0 || slices.ContainsFunc(p.cfg.Rows, func(r config.VirtualRow) bool { return addressIn(r.Target) == at })
}

// addressIn is the protocol and virtual address that the words of a row name.
func addressIn(target []string) string {
	var at [2]string
	for i, w := range target[:max(len(target)-1, 0)] {
		switch w {
		case "-P":
			at[0] = target[i+1]
		case "-V":
			at[1] = target[i+1]
		}
	}
	return strings.Join(at[:], " ")
}

func rowsOf(v *config.Virtual, rows []config.VirtualRow) []row {
	out := make([]row, len(rows))
	for i, r := range rows {
		out[i] = row{
			id:    policy.ClaimID(v.Key(), &config.Command{Program: v.Program, Args: r.Target}),
			words: slices.Concat(r.Target, r.More),
		}
	}
	return out
}

func storeRows(rows []config.VirtualRow) []store.Row {
	out := make([]store.Row, len(rows))
	for i, r := range rows {
		out[i] = store.Row(r)
	}
	return out
}

// member is the configured member of that name, or nil.
func (p *pool) member(name string) *member { return named(p.members, name) }

func named(all []member, name string) *member {
	for i := range all {
		if all[i].name == name {
			return &all[i]
		}
	}
	return nil
}

// any is the member of that name, configured or not; most likely the one at i.
func (p *pool) any(i int, name string) *member {
	if i < len(p.members) && p.members[i].name == name {
		return &p.members[i]
	}
	if m := p.member(name); m != nil {
		return m
	}
	return named(p.left, name)
}

// wait makes p wait for what it must know before its first decision: what the
// table has, if it is to adopt that, and who is in maintenance.
func (l *loop) wait(p *pool, now time.Time) {
	p.looks = !p.state.Begun && p.cfg.Pool.Start == virtual.Adopt ||
		slices.ContainsFunc(p.state.Members, func(m virtual.MemberState) bool { return m.Unsure })
	p.looks = p.looks && l.isKeeper(p.cfg.Program)
	_, known := l.globals.Marks[p.cfg.MaintenanceDir]
	p.marks = p.cfg.MaintenanceDir != "" && !known
	if !p.looks && !p.marks {
		return
	}
	p.waits, p.lookEnds = now.Add(lookWait), now.Add(lookWait)
	l.poolHeap.Set(p.id, p.waits)
}

// waiting reports whether p is not to be decided yet.
func (p *pool) waiting(now time.Time) bool {
	if p.waits.IsZero() {
		return false
	}
	if !p.looks && !p.marks || !now.Before(p.waits) {
		p.waits, p.looks, p.marks = time.Time{}, false, false
		return false
	}
	return true
}

// touchPool has p decided at the end of this turn.
func (l *loop) touchPool(p *pool) {
	if !p.dirty {
		p.dirty = true
		l.dirtyPools = append(l.dirtyPools, p)
	}
}

// duePools has the pools decided that asked to be now.
func (l *loop) duePools(now time.Time) {
	l.due = l.poolHeap.PopDue(now, l.due[:0])
	for _, id := range l.due {
		l.touchPool(l.pools[id])
	}
}

// keptPools are the states of the pools that run, for a reload. A reset makes
// them what they are after an unclean stop.
func (l *loop) keptPools() map[string]store.Pool {
	kept := make(map[string]store.Pool, len(l.pools))
	for _, p := range l.pools {
		kept[p.cfg.Name] = p.record()
	}
	return kept
}

// record is the durable state; it shares nothing that changes later.
func (p *pool) record() store.Pool { return store.Pool{State: p.state, Rows: p.rows} }

// savePool puts a pool's durable state into the turn's batch.
func (l *loop) savePool(p *pool) {
	if l.batch.Pools == nil {
		l.batch.Pools = map[string]*store.Pool{}
	}
	l.batch.Pools[p.cfg.Name] = new(p.record())
}

// inheritPools takes over what only lives in memory.
func (l *loop) inheritPools(old []*pool) {
	byName := make(map[string]*pool, len(old))
	for _, o := range old {
		byName[o.cfg.Name] = o
	}
	for _, p := range l.pools {
		o := byName[p.cfg.Name]
		switch {
		case o == p && l.strange(p):
			l.touchPool(p)
		case o != p && o != nil:
			p.told, p.summary = o.told, o.summary
			p.inherit(o)
		}
	}
}

// strange reports whether p would see something else now than at its last decision.
func (l *loop) strange(p *pool) bool {
	if p.in.Fault != l.faultOf(p.cfg.Faults) {
		return true
	}
	for i := range p.members {
		m, seen := &p.members[i], &p.in.Members[i]
		if m.order != seen.Order || m.asks != nil && m.asks.ask != seen.Ask {
			return true
		}
		for j, s := range m.checks {
			if s != nil && s.verdict != seen.Checks[j] {
				return true
			}
		}
	}
	return false
}

// inherit takes over what was seen of the table. Of a real that leaves just
// now that is too old: it would be forgotten if it was not there at the start.
func (p *pool) inherit(o *pool) {
	for i := range p.members {
		if m := o.any(i, p.members[i].name); m != nil {
			p.members[i].table, p.members[i].conns = m.table, m.conns
		}
	}
	for i := range p.left {
		if m := named(o.left, p.left[i].name); m != nil && len(p.left[i].rows) > 0 {
			p.left[i].table, p.left[i].conns = m.table, m.conns
		}
	}
}

// gonePools forgets the pools that left the configuration. Their claims went
// with the full set that keepers were given.
func (l *loop) gonePools(saved map[string]store.Pool) {
	stay := make(map[string]bool, len(l.pools))
	for _, p := range l.pools {
		stay[p.cfg.Name] = true
	}
	for name := range saved {
		if stay[name] {
			continue
		}
		if l.batch.Pools == nil {
			l.batch.Pools = map[string]*store.Pool{}
		}
		l.batch.Pools[name] = nil
	}
}

// unknownPool is the error for a virtual service that does not exist.
func unknownPool(name string) error { return &steer.UnknownError{Kind: steer.Virtual, Name: name} }
