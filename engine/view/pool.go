package view

import (
	"iter"
	"sync/atomic"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/virtual"
)

// PoolCell holds the current row of one virtual service.
type PoolCell = atomic.Pointer[Pool]

// Pool is a virtual service as readers see it. It is immutable once published.
type Pool struct {
	Config *config.Virtual
	// Waiting is set before the first decision.
	Waiting bool
	// Outcome is the last decision, and In what it was made of.
	Outcome virtual.Outcome
	In      virtual.Input
	// Members are in the order of Outcome.State.Members; before the first
	// decision those of the configuration.
	Members []PoolMember
}

// PoolMember is a real as readers see it, beside what Outcome says of it.
type PoolMember struct {
	// Name is that of its row; Host the name that people give it.
	Name, Host string
	Tier       virtual.Tier
	// Left is set for one that the configuration does not name any more.
	Left bool
	// Reason is why it is as it is, with what that rests on.
	Reason string
	// Claims are the IDs of its claims.
	Claims []string
	// Orders are what operators, files and schedules order of it.
	Orders []Order
}

// Order is an order in force.
type Order struct {
	// What is maint, drain or weight; Target as it was written; empty for one
	// by a file or schedule.
	What, Target string
	Weight       int
	Deadline     time.Duration
	// Source is "command", "file" or "schedule"; By is the user, the file or
	// the period.
	Source, By string
	At, Until  time.Time
	Text       string
}

// String is who ordered it, until when and why, such as "ann until 2026-05-04
// 12:00:00: new disk".
func (o *Order) String() string {
	text := o.By
	if o.Source != "command" {
		text = o.Source + " " + o.By
	}
	if text == "" {
		text = "an operator"
	}
	if !o.Until.IsZero() {
		text += " until " + o.Until.Format(time.DateTime)
	}
	if o.Text != "" {
		text += ": " + o.Text
	}
	return text
}

// pools are those of one configuration, in file order.
type pools struct {
	cells  []*PoolCell
	byName map[string]*PoolCell
}

// ReplacePools publishes the virtual services of a configuration. Only the
// loop calls it.
func (b *Board) ReplacePools(names []string, cells []*PoolCell) {
	p := &pools{cells: cells, byName: make(map[string]*PoolCell, len(names))}
	for i, n := range names {
		p.byName[n] = cells[i]
	}
	b.pools.Store(p)
}

// Pool is the row of a virtual service, or nil.
func (b *Board) Pool(name string) *Pool {
	if p := b.pools.Load(); p != nil && p.byName[name] != nil {
		return p.byName[name].Load()
	}
	return nil
}

// Pools are all virtual services in file order.
func (b *Board) Pools() iter.Seq[*Pool] {
	p := b.pools.Load()
	return func(yield func(*Pool) bool) {
		if p == nil {
			return
		}
		for _, c := range p.cells {
			if row := c.Load(); row != nil && !yield(row) {
				return
			}
		}
	}
}

// SetOrders publishes the orders of operators. Only the loop calls it.
func (b *Board) SetOrders(list []Order) { b.orders.Store(&list) }

// Orders are the orders of operators, oldest first, those too that no real is
// known for at present.
func (b *Board) Orders() []Order {
	if list := b.orders.Load(); list != nil {
		return *list
	}
	return nil
}
