package store

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
)

// pending is what waits for the disk: batches merged so that each row is
// there once. It grows with the number of services and of notices under way,
// never with time.
type pending struct {
	// records holds nil for a service that is gone.
	records map[opstatus.Key]*Record
	// pools holds nil for one that is gone.
	pools         map[string]*Pool
	globals       *Globals
	queued        map[uint64]Notice
	started, done map[uint64]struct{}
	events        []numbered
	// lost counts events dropped since the last commit; lostAt and lostNumber
	// place the row that tells of it.
	lost       uint64
	lostAt     time.Time
	lostNumber uint64
	// nextSeq is above every Seq that was ever queued.
	nextSeq uint64
	// alive is the last sign of life.
	alive   time.Time
	waiters []func(error)
	// more is set where there may be history to remove, and by a commit that
	// had more to remove than one may.
	more bool
}

// numbered is an event with its place in history.
type numbered struct {
	Event
	number uint64
}

func newPending() *pending {
	return &pending{
		records: map[opstatus.Key]*Record{},
		pools:   map[string]*Pool{},
		queued:  map[uint64]Notice{},
		started: map[uint64]struct{}{},
		done:    map[uint64]struct{}{},
	}
}

func (p *pending) empty() bool {
	return len(p.records) == 0 && len(p.pools) == 0 && p.globals == nil && len(p.queued) == 0 && len(p.started) == 0 &&
		len(p.done) == 0 && len(p.events) == 0 && p.lost == 0 && len(p.waiters) == 0 && p.alive.IsZero() && !p.more
}

// add merges b, whose events are numbered from first on.
func (p *pending) add(b Batch, first uint64, committed func(error)) {
	for _, k := range b.Gone {
		p.records[k] = nil
	}
	for k, r := range b.Records {
		p.records[k] = &r
	}
	maps.Copy(p.pools, b.Pools)
	if b.Globals != nil {
		p.globals = b.Globals
	}
	for _, n := range b.Queued {
		p.queued[n.Seq] = n
		p.nextSeq = max(p.nextSeq, n.Seq+1)
	}
	for _, seq := range b.Started {
		p.started[seq] = struct{}{}
	}
	for _, seq := range b.Done {
		p.finish(seq)
	}
	for i, e := range b.Events {
		p.events = append(p.events, numbered{e, first + uint64(i)})
	}
	if !b.Alive.IsZero() {
		p.alive = b.Alive
	}
	if committed != nil {
		p.waiters = append(p.waiters, committed)
	}
}

// finish forgets a notice that never reached the disk. Its deletion is still
// written: a commit that was reported as failed may have left the row there.
func (p *pending) finish(seq uint64) {
	delete(p.queued, seq)
	delete(p.started, seq)
	p.done[seq] = struct{}{}
}

// merge adds what came after p.
func (p *pending) merge(newer *pending) {
	maps.Copy(p.records, newer.records)
	maps.Copy(p.pools, newer.pools)
	if newer.globals != nil {
		p.globals = newer.globals
	}
	for seq, n := range newer.queued {
		p.queued[seq] = n
	}
	for seq := range newer.started {
		p.started[seq] = struct{}{}
	}
	for seq := range newer.done {
		p.finish(seq)
	}
	p.events = append(p.events, newer.events...)
	p.lose(newer.lost, newer.lostAt, newer.lostNumber)
	p.nextSeq = max(p.nextSeq, newer.nextSeq)
	if !newer.alive.IsZero() {
		p.alive = newer.alive
	}
	p.waiters = append(p.waiters, newer.waiters...)
	p.more = p.more || newer.more
}

// trim keeps at most limit events and says how many it dropped. The oldest
// go: whoever looks after an outage of the disk wants to know how things
// stand. A tenth of the limit goes at once, so that trimming is cheap.
func (p *pending) trim(limit int) int {
	if len(p.events) <= limit {
		return 0
	}
	n := min(len(p.events), len(p.events)-limit+limit/10)
	last := p.events[n-1]
	p.events = slices.Delete(p.events, 0, n)
	p.lose(uint64(n), last.At, last.number)
	return n
}

func (p *pending) lose(n uint64, at time.Time, number uint64) {
	if n == 0 {
		return
	}
	p.lost += n
	if !at.Before(p.lostAt) {
		p.lostAt, p.lostNumber = at, number
	}
}

// history is the events to write, with a word for those that were dropped, in
// the place of the last of them.
func (p *pending) history() []numbered {
	if p.lost == 0 {
		return p.events
	}
	gap := Event{At: p.lostAt, Kind: KindLost, Text: fmt.Sprintf("%d events dropped while the disk was slow", p.lost)}
	return append([]numbered{{gap, p.lostNumber}}, p.events...)
}

func (p *pending) tell(err error) {
	for _, f := range p.waiters {
		f(err)
	}
}
