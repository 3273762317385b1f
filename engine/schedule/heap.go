package schedule

import "time"

// Heap holds what is due when, soonest first; what is due at the same time
// comes in the order of its ids. Ids are small integers from 0 on, since a
// table is as long as the largest. It is not safe for concurrent use.
//
// It has four children to a node: half as deep as a binary heap, and the four
// lie side by side.
type Heap struct {
	base  time.Time
	items []item
	// places holds 1 + the position in items of each id; 0 if it is not in.
	places []int32
}

// item is an id and when it is due, in nanoseconds from the base.
type item struct {
	due int64
	id  int32
}

func (a item) before(b item) bool {
	return a.due < b.due || a.due == b.due && a.id < b.id
}

const children = 4

// NewHeap makes an empty heap that counts from base. Times within 292 years of
// base can be told apart. If base and the times set have monotonic readings,
// those count, and steps of the wall clock do not matter.
func NewHeap(base time.Time) *Heap { return &Heap{base: base} }

// Len is how many ids are in h.
func (h *Heap) Len() int { return len(h.items) }

// Set makes id due at due, whether it is in h already or not. With the zero
// time it is [Heap.Remove]. A negative id panics.
func (h *Heap) Set(id int, due time.Time) {
	if due.IsZero() {
		h.Remove(id)
		return
	}
	for id >= len(h.places) {
		h.places = append(h.places, 0)
	}
	it := item{int64(due.Sub(h.base)), int32(id)}
	at := int(h.places[id]) - 1
	if at < 0 {
		at = len(h.items)
		h.items = append(h.items, it)
	}
	h.settle(at, it)
}

// Remove takes id out, if it is in.
func (h *Heap) Remove(id int) {
	if id >= len(h.places) || h.places[id] == 0 {
		return
	}
	at, last := int(h.places[id])-1, len(h.items)-1
	h.places[id] = 0
	moved := h.items[last]
	h.items = h.items[:last]
	if at < last {
		h.settle(at, moved)
	}
}

// Peek is what is due first; ok is false if h is empty.
func (h *Heap) Peek() (id int, due time.Time, ok bool) {
	if len(h.items) == 0 {
		return 0, time.Time{}, false
	}
	first := h.items[0]
	return int(first.id), h.base.Add(time.Duration(first.due)), true
}

// Pop is Peek, and takes it out.
func (h *Heap) Pop() (id int, due time.Time, ok bool) {
	if id, due, ok = h.Peek(); ok {
		h.Remove(id)
	}
	return id, due, ok
}

// PopDue takes out all that is due at now or before and appends the ids to
// into, in order.
func (h *Heap) PopDue(now time.Time, into []int) []int {
	limit := int64(now.Sub(h.base))
	for len(h.items) > 0 && h.items[0].due <= limit {
		id := int(h.items[0].id)
		into = append(into, id)
		h.Remove(id)
	}
	return into
}

// settle puts it where it belongs, given that the place at is free.
func (h *Heap) settle(at int, it item) {
	if at > 0 && it.before(h.items[(at-1)/children]) {
		h.rise(at, it)
		return
	}
	h.sink(at, it)
}

func (h *Heap) rise(at int, it item) {
	for at > 0 {
		parent := (at - 1) / children
		if !it.before(h.items[parent]) {
			break
		}
		h.put(at, h.items[parent])
		at = parent
	}
	h.put(at, it)
}

func (h *Heap) sink(at int, it item) {
	for {
		child := h.least(at*children + 1)
		if child < 0 || !h.items[child].before(it) {
			break
		}
		h.put(at, h.items[child])
		at = child
	}
	h.put(at, it)
}

// least is the soonest of the children that begin at first; -1 if there are
// none.
func (h *Heap) least(first int) int {
	if first >= len(h.items) {
		return -1
	}
	best := first
	for i := first + 1; i < min(first+children, len(h.items)); i++ {
		if h.items[i].before(h.items[best]) {
			best = i
		}
	}
	return best
}

func (h *Heap) put(at int, it item) {
	h.items[at] = it
	h.places[it.id] = int32(at) + 1
}
