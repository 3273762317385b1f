package lvs

import (
	"slices"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/words"
)

// resyncRound is one look at all tables, which is spread over the time of
// Resync: what could not be written is tried again, what others changed is put
// right. Each virtual service is looked at once in a round.
type resyncRound struct {
	began  time.Time
	slice  int     // the next
	slices int     // of this round; 0 before it begins
	todo   []*pool // what the slices after the first look at
}

// sliceSize is how many virtual services are looked at without a pause,
// maxSlices into how many parts a round is split at most.
const (
	sliceSize = 32
	maxSlices = 32
)

// rests is how often as long as a slice took the next one waits at least, though
// no longer than a resync: on a machine that is slow, or with a table that is
// large, looking must leave most of the time for what is claimed.
const rests = 3

// wake is when the owner has something to do without being told.
func (d *desk) wake() time.Time {
	at := d.now().Add(d.Resync)
	if d.full {
		at = d.lookAt()
	}
	for _, m := range d.tables {
		if !m.again.IsZero() && m.again.Before(at) {
			at = m.again
		}
	}
	return at
}

// lookAt is when the next slice is looked at.
func (d *desk) lookAt() time.Time {
	if at := d.round.due(d.Resync); at.After(d.rest) {
		return at
	}
	return d.rest
}

// due is when the next slice is to be, however long the last one took.
func (r resyncRound) due(resync time.Duration) time.Time {
	if r.slices == 0 {
		return r.began.Add(resync)
	}
	return r.began.Add(resync * time.Duration(r.slice) / time.Duration(r.slices))
}

// tick does what is due.
func (d *desk) tick() {
	if !d.full {
		return
	}
	now := d.now()
	if !d.lookAt().After(now) {
		d.resync()
		d.rest = d.now().Add(min(rests*d.now().Sub(now), d.Resync))
	}
	d.retry(now)
	d.saveRecord()
	d.serve()
}

// retry tries again what failed for a moment.
func (d *desk) retry(now time.Time) {
	var again []*pool
	for _, p := range d.pools {
		m := d.tables[p.table]
		if !p.clean && m != nil && !m.again.IsZero() && !m.again.After(now) {
			again = append(again, p)
		}
	}
	for _, m := range d.tables {
		if !m.again.After(now) {
			m.again = time.Time{}
		}
	}
	if again != nil {
		_ = d.agree(scope{pools: again, checking: true}) // every table has logged its own
	}
}

// resync does the next slice of a round, and begins a new one after the last.
func (d *desk) resync() {
	if d.round.slice >= d.round.slices {
		d.beginRound()
		return
	}
	r := &d.round
	n := (len(r.todo) + r.slices - r.slice - 1) / (r.slices - r.slice)
	part := slices.DeleteFunc(r.todo[:n:n], func(p *pool) bool { return d.pools[p.place] != p })
	r.todo = r.todo[n:]
	r.slice++
	_ = d.agree(scope{pools: part, checking: true})
}

// beginRound begins a round: what did not agree comes first, and all that can
// be looked at at once.
func (d *desk) beginRound() {
	d.thinned = true
	d.readRole()
	for _, p := range d.pools {
		if p.stale && p.sum(d.record, d.part(p)) {
			p.clean = false
		}
	}
	first, rest := d.split()
	n := min(max(1, (len(rest)+sliceSize-1)/sliceSize), maxSlices)
	d.round = resyncRound{began: d.now(), slice: 1, slices: n, todo: rest}
	if n == 1 {
		first, d.round.todo = append(first, rest...), nil
	}
	_ = d.agree(scope{pools: first, services: n == 1, checking: true, limits: true})
}

// split parts the pools into those that are to be looked at first and others:
// those that did not agree, and those whose own row is not as declared.
func (d *desk) split() (first, rest []*pool) {
	byTable := map[words.Place][]*pool{}
	for _, p := range d.pools {
		byTable[p.table] = append(byTable[p.table], p)
	}
	for t, pools := range byTable {
		own := d.ownRows(d.table(t), pools)
		for _, p := range pools {
			if p.strayed = p.strays(own); p.strayed || !p.clean {
				first = append(first, p)
			} else {
				rest = append(rest, p)
			}
		}
	}
	slices.SortFunc(rest, func(a, b *pool) int { return a.compare(b.place) })
	return first, rest
}

// ownRows reads the rows of all virtual services at once; nil if there is no
// need or it fails, which the pools' own turns will tell.
func (d *desk) ownRows(m *managed, pools []*pool) map[ipvs.Virtual]ipvs.Service {
	if m.table == nil || len(pools) <= sliceSize {
		return nil
	}
	ctx, cancel := d.looking()
	defer cancel()
	list, err := m.table.Services(ctx)
	if err != nil {
		return nil
	}
	out := make(map[ipvs.Virtual]ipvs.Service, len(list))
	for _, s := range list {
		out[s.Virtual] = s
	}
	return out
}

// strays reports whether the pool's own row is not as it was declared, in own,
// the rows of all; nil is not known.
func (p *pool) strays(own map[ipvs.Virtual]ipvs.Service) bool {
	if own == nil || p.want.Standby {
		return false
	}
	s, there := own[p.virtual]
	return p.want.Service != nil && (!there || p.want.Service.Service.Virtual == s.Virtual && p.want.Service.Service != s)
}
