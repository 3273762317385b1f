package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestHeap(t *testing.T) {
	h := NewHeap(start)
	if _, _, ok := h.Peek(); ok || h.Len() != 0 {
		t.Fatal("a new heap is not empty")
	}
	if _, _, ok := h.Pop(); ok {
		t.Fatal("popped from an empty heap")
	}
	h.Remove(7)
	for id, after := range []time.Duration{4, 2, -3, 2, 9} {
		h.Set(id, start.Add(after))
	}
	h.Set(0, start.Add(5))
	h.Set(4, start.Add(1))
	h.Set(1, time.Time{})
	var got []string
	for h.Len() > 0 {
		id, due, _ := h.Pop()
		got = append(got, fmt.Sprint(id, due.Sub(start)))
		if !monotonic(due) {
			t.Error("the monotonic reading is lost")
		}
	}
	if diff := cmp.Diff([]string{"2 -3ns", "4 1ns", "3 2ns", "0 5ns"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestPopDue(t *testing.T) {
	h := NewHeap(start)
	for id := range 10 {
		h.Set(id, start.Add(time.Duration(id/2)))
	}
	got := h.PopDue(start.Add(2), []int{99})
	if diff := cmp.Diff([]int{99, 0, 1, 2, 3, 4, 5}, got); diff != "" || h.Len() != 4 {
		t.Error(diff)
	}
	if got := h.PopDue(start.Add(2), nil); got != nil {
		t.Errorf("popped %v twice", got)
	}
}

// model is a heap that is slow and plainly right.
type model []item

func (m *model) remove(id int) {
	*m = slices.DeleteFunc(*m, func(it item) bool { return int(it.id) == id })
}

func (m *model) set(id int, due int64) {
	m.remove(id)
	*m = append(*m, item{due, int32(id)})
	slices.SortFunc(*m, func(a, b item) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
}

func (m *model) popDue(now int64) []int {
	var ids []int
	for len(*m) > 0 && (*m)[0].due <= now {
		ids = append(ids, int((*m)[0].id))
		*m = (*m)[1:]
	}
	return ids
}

func TestHeapAgainstSortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, m := NewHeap(start), &model{}
		ids, times := rapid.IntRange(0, 60), rapid.Int64Range(-5, 40)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(t, "times") {
					id, due := ids.Draw(t, "id"), times.Draw(t, "due")
					h.Set(id, start.Add(time.Duration(due)))
					m.set(id, due)
				}
			},
			"remove": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				h.Remove(id)
				m.remove(id)
			},
			"pop": func(t *rapid.T) {
				id, due, ok := h.Pop()
				if ok != (len(*m) > 0) || ok && (item{int64(due.Sub(start)), int32(id)}) != (*m)[0] {
					t.Fatalf("popped %d %v %v from %v", id, due, ok, *m)
				}
				if ok {
					m.remove(id)
				}
			},
			"pop due": func(t *rapid.T) {
				now := times.Draw(t, "now")
				if diff := cmp.Diff(m.popDue(now), h.PopDue(start.Add(time.Duration(now)), nil)); diff != "" {
					t.Fatal(diff)
				}
			},
			"": func(t *rapid.T) { check(t, h, m) },
		})
	})
}

// check compares h with m, and its parts with each other.
func check(t *rapid.T, h *Heap, m *model) {
	if h.Len() != len(*m) {
		t.Fatalf("length %d, want %d", h.Len(), len(*m))
	}
	if id, _, ok := h.Peek(); ok && id != int((*m)[0].id) {
		t.Fatalf("first is %d, want %d", id, (*m)[0].id)
	}
	for at, it := range h.items {
		if int(h.places[it.id])-1 != at || at > 0 && it.before(h.items[(at-1)/children]) {
			t.Fatalf("item %d is out of place", at)
		}
	}
}

// BenchmarkHeap pops the first and sets it an interval later, as the loop does.
func BenchmarkHeap(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := NewHeap(start)
			random := rand.New(rand.NewPCG(1, 2))
			interval := make([]time.Duration, n)
			for id := range n {
				interval[id] = time.Second + time.Duration(random.Int64N(9e9))
				h.Set(id, start.Add(interval[id]))
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				id, due, _ := h.Pop()
				h.Set(id, due.Add(interval[id]))
			}
		})
	}
}

func BenchmarkNext(b *testing.B) {
	p, planned := Plan{Up: time.Second}, start
	for b.Loop() {
		planned = p.Next(planned, planned.Add(ms), Up, nil)
	}
}
