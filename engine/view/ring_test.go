package view

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A ring holds the last ones, whatever its size was meanwhile.
func TestRing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Ring[int]
		r.Push(-1) // without a size: nothing
		var want []int
		most := 0
		for i := range rapid.IntRange(0, 50).Draw(t, "steps") {
			if i == 0 || rapid.IntRange(0, 9).Draw(t, "what") == 0 {
				most = rapid.IntRange(0, 8).Draw(t, "most")
				r.Resize(most)
				most = max(most, 1)
			} else {
				r.Push(i)
				want = append(want, i)
			}
			want = want[max(len(want)-most, 0):]
			if got := r.Items(); !slices.Equal(got, want) {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	})
}
