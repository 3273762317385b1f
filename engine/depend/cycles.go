package depend

import (
	"cmp"
	"maps"
	"slices"

	"github.com/mondhq/mond/engine/opstatus"
)

// Cycles finds services that depend on themselves; edges says on which
// services each depends. For every knot of services that all depend on each
// other it gives one shortest cycle, which begins with the knot's least
// service: each depends on the next and the last on the first. The order does
// not depend on that of the map.
func Cycles(edges map[opstatus.Key][]opstatus.Key) [][]opstatus.Key {
	f := finder{edges: edges, at: map[opstatus.Key]*mark{}}
	for _, k := range slices.SortedFunc(maps.Keys(edges), compare) {
		if f.at[k] == nil {
			f.visit(k)
		}
	}
	var cycles [][]opstatus.Key
	for _, knot := range f.knots {
		if c := f.shortest(knot); c != nil {
			cycles = append(cycles, c)
		}
	}
	slices.SortFunc(cycles, func(a, b []opstatus.Key) int { return compare(a[0], b[0]) })
	return cycles
}

func compare(a, b opstatus.Key) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Service, b.Service))
}

// finder finds knots (strongly connected components) by Tarjan's algorithm.
type finder struct {
	edges map[opstatus.Key][]opstatus.Key
	at    map[opstatus.Key]*mark
	stack []opstatus.Key
	knots [][]opstatus.Key
}

// mark is the order in which a service was met, and the least order met from
// it among those on the stack.
type mark struct {
	order, low int
	stacked    bool
}

func (f *finder) visit(k opstatus.Key) *mark {
	m := &mark{order: len(f.at), low: len(f.at), stacked: true}
	f.at[k] = m
	f.stack = append(f.stack, k)
	for _, next := range f.edges[k] {
		switch n := f.at[next]; {
		case n == nil:
			m.low = min(m.low, f.visit(next).low)
		case n.stacked:
			m.low = min(m.low, n.order)
		}
	}
	if m.low == m.order {
		f.cut(k)
	}
	return m
}

// cut takes the knot that begins with k off the stack.
func (f *finder) cut(k opstatus.Key) {
	i := len(f.stack) - 1
	for f.stack[i] != k {
		i--
	}
	knot := slices.Clone(f.stack[i:])
	f.stack = f.stack[:i]
	for _, k := range knot {
		f.at[k].stacked = false
	}
	f.knots = append(f.knots, knot)
}

// shortest is the shortest way from the least service of a knot back to
// itself; nil if there is none.
func (f *finder) shortest(knot []opstatus.Key) []opstatus.Key {
	start := slices.MinFunc(knot, compare)
	inside := map[opstatus.Key]bool{}
	for _, k := range knot {
		inside[k] = true
	}
	from := map[opstatus.Key]opstatus.Key{}
	for queue := []opstatus.Key{start}; len(queue) > 0; queue = queue[1:] {
		for _, next := range f.edges[queue[0]] {
			if next == start {
				return path(from, start, queue[0])
			}
			if _, met := from[next]; inside[next] && !met {
				from[next] = queue[0]
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// path goes back from last to start.
func path(from map[opstatus.Key]opstatus.Key, start, last opstatus.Key) []opstatus.Key {
	way := []opstatus.Key{last}
	for last != start {
		last = from[last]
		way = append(way, last)
	}
	slices.Reverse(way)
	return way
}
