package store

import (
	"maps"
	"slices"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
)

// Order is what an operator ordered of real servers; see steer.Order.
type Order struct {
	// Target is REAL or VIRTUAL/REAL, as he wrote it.
	Target string
	// What is a word: "maint", "drain" or "weight".
	What string
	// Weight is that of "weight"; Deadline that of "drain", 0 for the pool's
	// own, negative for none.
	Weight   int
	Deadline time.Duration
	// Note says who, when and why.
	Note opstatus.Note
	// Until is when it ends by itself; zero for never.
	Until time.Time
}

type orderDoc struct {
	Target   text          `json:"target"`
	What     text          `json:"what"`
	Weight   int           `json:"weight,omitempty"`
	Deadline time.Duration `json:"deadline_ns,omitempty"`
	Until    time.Time     `json:"until,omitzero"`
	noteDoc
}

type marksDoc struct {
	Dir   text   `json:"dir"`
	Names []text `json:"names,omitempty"`
}

func (o *object) orders(list []Order) {
	o.list("orders", len(list), func(i int) {
		o.inner(func() {
			r := &list[i]
			o.alwaysText("target", r.Target)
			o.alwaysText("what", r.What)
			o.number("weight", int64(r.Weight))
			o.number("deadline_ns", int64(r.Deadline))
			o.time("until", r.Until)
			o.noteFields(r.Note)
		})
	})
}

func (o *object) marks(m map[string][]string) {
	dirs := slices.Sorted(maps.Keys(m))
	o.list("marks", len(dirs), func(i int) {
		o.inner(func() {
			o.alwaysText("dir", dirs[i])
			o.texts("names", m[dirs[i]])
		})
	})
}

func ordersIn(list []orderDoc) []Order {
	var out []Order
	for i := range list {
		d := &list[i]
		out = append(out, Order{
			Target: string(d.Target), What: string(d.What), Weight: d.Weight, Deadline: d.Deadline,
			Note: *noteIn(&d.noteDoc), Until: local(d.Until),
		})
	}
	return out
}

func marksIn(list []marksDoc) map[string][]string {
	if len(list) == 0 {
		return nil
	}
	m := make(map[string][]string, len(list))
	for _, d := range list {
		m[string(d.Dir)] = stringsOf(d.Names)
	}
	return m
}
