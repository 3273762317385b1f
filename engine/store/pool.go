package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/mondhq/mond/engine/virtual"
)

// Pool is what is kept of a virtual service.
type Pool struct {
	State virtual.State
	// Rows are the rows of the table that each of State.Members has, by its
	// name: one that leaves the configuration is drained by them.
	Rows map[string][]Row
}

// Row is a row of a keeper's table in the keeper's own words; see
// config.VirtualRow.
type Row struct{ Target, More []string }

// poolDoc is a [Pool] as it is read. Phases, reasons and tiers are written as
// their numbers, which engine/virtual only ever appends to.
type poolDoc struct {
	Begun        bool          `json:"begun,omitempty"`
	Serving      uint8         `json:"serving,omitempty"`
	ServingSince time.Time     `json:"serving_since,omitzero"`
	Better       uint8         `json:"better,omitempty"`
	BetterSince  time.Time     `json:"better_since,omitzero"`
	Overlap      uint8         `json:"overlap,omitempty"`
	Quorum       uint8         `json:"quorum,omitempty"`
	QuorumSince  time.Time     `json:"quorum_since,omitzero"`
	Panic        bool          `json:"panic,omitempty"`
	PanicSince   time.Time     `json:"panic_since,omitzero"`
	Fault        text          `json:"fault,omitempty"`
	FaultSince   time.Time     `json:"fault_since,omitzero"`
	Members      []memberDoc   `json:"members,omitempty"`
	Rows         []namedRowDoc `json:"rows,omitempty"`
}

type memberDoc struct {
	Name     text      `json:"name"`
	In       bool      `json:"in,omitempty"`
	Weight   int       `json:"weight,omitempty"`
	Held     bool      `json:"held,omitempty"`
	Phase    uint8     `json:"phase,omitempty"`
	Reason   uint8     `json:"reason,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Believed uint8     `json:"believed,omitempty"`
	Judged   time.Time `json:"judged,omitzero"`
	Began    time.Time `json:"began,omitzero"`
	Idle     time.Time `json:"idle,omitzero"`
	AskedBy  uint8     `json:"asked_by,omitempty"`
	Want     int       `json:"want,omitempty"`
	Asked    int       `json:"asked,omitempty"`
	AskedAt  time.Time `json:"asked_at,omitzero"`
	Sample   time.Time `json:"sample,omitzero"`
	Ejected  bool      `json:"ejected,omitempty"`
	Cold     bool      `json:"cold,omitempty"`
	Unsure   bool      `json:"unsure,omitempty"`
}

type namedRowDoc struct {
	Name   text   `json:"name"`
	Target []text `json:"target,omitempty"`
	More   []text `json:"more,omitempty"`
}

func encodePool(p Pool) []byte {
	o := newObject(256 + 384*len(p.State.Members))
	o.standing(p.State.Standing)
	m := p.State.Members
	o.list("members", len(m), func(i int) { o.inner(func() { o.member(m[i]) }) })
	names := slices.Sorted(maps.Keys(p.Rows))
	var rows []namedRowDoc
	for _, name := range names {
		for _, r := range p.Rows[name] {
			rows = append(rows, namedRowDoc{Name: text(name), Target: textsOf(r.Target), More: textsOf(r.More)})
		}
	}
	o.list("rows", len(rows), func(i int) {
		o.inner(func() {
			o.alwaysText("name", string(rows[i].Name))
			o.texts("target", stringsOf(rows[i].Target))
			o.texts("more", stringsOf(rows[i].More))
		})
	})
	return o.end()
}

func textsOf(list []string) []text {
	out := make([]text, len(list))
	for i, s := range list {
		out[i] = text(s)
	}
	return out
}

func (o *object) standing(s virtual.Standing) {
	o.flag("begun", s.Begun)
	o.number("serving", int64(s.Serving))
	o.time("serving_since", s.ServingSince)
	o.number("better", int64(s.Better))
	o.time("better_since", s.BetterSince)
	o.number("overlap", int64(s.Overlap))
	o.number("quorum", int64(s.Quorum))
	o.time("quorum_since", s.QuorumSince)
	o.flag("panic", s.Panic)
	o.time("panic_since", s.PanicSince)
	o.text("fault", s.Fault)
	o.time("fault_since", s.FaultSince)
}

func (o *object) member(m virtual.MemberState) {
	o.alwaysText("name", m.Name)
	o.flag("in", m.In)
	o.number("weight", int64(m.Weight))
	o.flag("held", m.Held)
	o.number("phase", int64(m.Phase))
	o.number("reason", int64(m.Reason))
	o.time("since", m.Since)
	o.number("believed", int64(m.Believed))
	o.time("judged", m.Judged)
	o.time("began", m.Began)
	o.time("idle", m.Idle)
	o.number("asked_by", int64(m.AskedBy))
	o.number("want", int64(m.Want))
	o.number("asked", int64(m.Asked))
	o.time("asked_at", m.AskedAt)
	o.time("sample", m.Sample)
	o.flag("ejected", m.Ejected)
	o.flag("cold", m.Cold)
	o.flag("unsure", m.Unsure)
}

func decodePool(data []byte) (Pool, error) {
	var d poolDoc
	if err := json.Unmarshal(data, &d); err != nil {
		return Pool{}, err
	}
	p := Pool{State: virtual.State{Standing: virtual.Standing{
		Begun: d.Begun, Serving: virtual.Tier(d.Serving), ServingSince: local(d.ServingSince),
		Better: virtual.Tier(d.Better), BetterSince: local(d.BetterSince), Overlap: virtual.Tier(d.Overlap),
		Quorum: virtual.Quorum(d.Quorum), QuorumSince: local(d.QuorumSince), Panic: d.Panic, PanicSince: local(d.PanicSince),
		Fault: string(d.Fault), FaultSince: local(d.FaultSince),
	}}}
	for i := range d.Members {
		p.State.Members = append(p.State.Members, memberIn(&d.Members[i]))
	}
	for _, r := range d.Rows {
		if p.Rows == nil {
			p.Rows = map[string][]Row{}
		}
		p.Rows[string(r.Name)] = append(p.Rows[string(r.Name)], Row{Target: stringsOf(r.Target), More: stringsOf(r.More)})
	}
	return p, nil
}

func memberIn(d *memberDoc) virtual.MemberState {
	return virtual.MemberState{
		Desired: virtual.Desired{
			Name: string(d.Name), In: d.In, Weight: d.Weight, Held: d.Held, Phase: virtual.Phase(d.Phase),
			Reason: virtual.Reason(d.Reason), Since: local(d.Since),
		},
		Believed: virtual.Believed(d.Believed), Judged: local(d.Judged), Began: local(d.Began), Idle: local(d.Idle),
		AskedBy: virtual.AskKind(d.AskedBy), Want: d.Want, Asked: d.Asked, AskedAt: local(d.AskedAt), Sample: local(d.Sample),
		Ejected: d.Ejected, Cold: d.Cold, Unsure: d.Unsure,
	}
}

// putPools writes pools; nil is one that is gone. The bucket is made when it
// is first needed: files of older versions have none.
func (s *Store) putPools(tx *bbolt.Tx, p *pending) error {
	if len(p.pools) == 0 {
		return nil
	}
	b, err := tx.CreateBucketIfNotExists(bucketPools)
	if err != nil {
		return fmt.Errorf("make bucket %q: %w", bucketPools, err)
	}
	for name, pool := range p.pools {
		if pool == nil {
			err = b.Delete([]byte(name))
		} else {
			err = s.putRow(b, []byte(name), encodePool(*pool))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) readPools(tx *bbolt.Tx, saved *Saved) {
	b := tx.Bucket(bucketPools)
	if b == nil {
		return
	}
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		p, err := decodePool(v)
		if err != nil {
			s.skip(saved, "pool", string(k), v, err)
			continue
		}
		if saved.Pools == nil {
			saved.Pools = map[string]Pool{}
		}
		saved.Pools[string(k)] = p
	}
}
