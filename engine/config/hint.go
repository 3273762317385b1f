package config

import (
	"slices"
	"strings"

	"github.com/mondhq/mond/plugins/spelling"
)

// didYouMean is a hint with the name nearest to word, or "".
func didYouMean(word string, names []string) string {
	name := spelling.Nearest(word, names)
	switch {
	case name == "":
		return ""
	case strings.EqualFold(name, word):
		return "upper and lower case matter: write " + name
	}
	return "did you mean " + name + "?"
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
