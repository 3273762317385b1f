// Package spelling finds the name that a misspelt word was probably meant to
// be. It makes no sentence of it: whoever refuses the word knows how it is
// written.
package spelling

import "strings"

// Nearest is the name that word was probably meant to be, or "": at most a third of
// its letters are wrong. Of names equally near one with the same first letter
// wins, then the first.
func Nearest(word string, names []string) string {
	if len(word) > 64 {
		return ""
	}
	low := strings.ToLower(word)
	best, least, alike := "", max(1, len(word)/3)+1, true
	for _, name := range names {
		other := strings.ToLower(name)
		d := distance(low, other)
		first := low != "" && other != "" && low[0] == other[0]
		if d < len(name) && (d < least || d == least && first && !alike) {
			best, least, alike = name, d, first
		}
	}
	return best
}

// distance is how many letters are to be inserted, removed, replaced or
// exchanged with their neighbour to make b of a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
