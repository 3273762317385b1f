package config

import (
	"slices"
	"strings"
)

// nearest is the name that word was probably meant to be, or "". Names are
// tried in order; of those equally near the first one wins.
func nearest(word string, names []string) string {
	if len(word) > 64 {
		return ""
	}
	low := strings.ToLower(word)
	best, least := "", max(1, len(word)/3)+1
	for _, name := range names {
		if d := distance(low, strings.ToLower(name)); d < least && d < len(name) {
			best, least = name, d
		}
	}
	return best
}

// didYouMean is a hint with the name nearest to word, or "".
func didYouMean(word string, names []string) string {
	name := nearest(word, names)
	switch {
	case name == "":
		return ""
	case strings.EqualFold(name, word):
		return "upper and lower case matter: write " + name
	}
	return "did you mean " + name + "?"
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

// mondHint is a hint for what is only read below that line.
const mondHint = "write syntax = mond above it: only then this is read"

// endHint is a hint for what looks like a comment behind other words.
const endHint = "a comment stands on a line of its own, or write syntax = mond above"

// commentHint is a hint for a line that ends in what looks like a comment.
func commentHint(text, other string) string {
	if slices.ContainsFunc(fields(text), func(w Word) bool { return strings.HasPrefix(w.Text, "#") }) {
		return endHint
	}
	return other
}

// valueHint is a hint for a value that cannot be read.
func valueHint(text, other string) string {
	if strings.HasPrefix(text, "=") {
		return "only variables above the hostgroups are written with ="
	}
	return commentHint(text, other)
}
