package config

import (
	"slices"
	"strings"
)

// Form says what the value of a directive is made of. A mon.cf writes every
// one of them as text; a language that has types of its own, such as TOML,
// takes the type that fits.
type Form uint8

// The forms.
const (
	_            Form = iota
	FormText          // one line of text
	FormFlag          // nothing: that it is there is all
	FormYes           // yes or no
	FormNumber        // a whole number
	FormTime          // a TIMEVAL
	FormTimeWord      // a TIMEVAL, and a word if any
	FormCounts        // a whole number, or text that begins with one or with a TIMEVAL
	FormWords         // words without blanks in them
	FormQuoted        // words, those with blanks in quotes
	FormPaths         // paths with colons between them
	FormPhrase        // text that may stand in quotes
	FormCommand       // a program or template and its words
	FormGrant         // a program and its capabilities
	FormRecord        // begins a record, a service or a period
)

// Yes says what a value of [FormYes] means; known is false if it is no such
// value.
func (k Keyword) Yes(text string) (yes, known bool) {
	if k.yes == nil {
		return false, false
	}
	return k.yes(text)
}

// yesNo judges the value of dtlogging.
func yesNo(text string) (yes, known bool) {
	yes = slices.Contains([]string{"1", "yes", "true"}, text)
	return yes, yes || slices.Contains([]string{"0", "no", "false", "off", ""}, text)
}

// yesSomewhere judges the value of startupalerts_on_reset.
func yesSomewhere(text string) (yes, known bool) {
	s := strings.ToLower(text)
	yes = strings.HasPrefix(s, "1") || strings.Contains(s, "yes") || strings.Contains(s, "true") || strings.HasSuffix(s, "on")
	return yes, yes || slices.Contains([]string{"0", "no", "false", "off", ""}, s)
}

// yesByLetter judges the value of unack_summary.
func yesByLetter(text string) (yes, known bool) {
	s := strings.ToLower(text)
	switch {
	case s == "", strings.Contains(s, "y"), s == "1":
		return true, true
	case strings.Contains(s, "n"), s == "0":
		return false, true
	}
	return false, false
}

// IsName reports whether s may be the name of a group, watch, view, alias or
// service.
func IsName(s string) bool {
	name, rest := cutName(s)
	return name != "" && rest == ""
}

// IsVariable reports whether s may be the name of a variable of a service.
func IsVariable(s string) bool {
	_, _, ok := environment(s + "=")
	return ok && !strings.Contains(s, "=")
}

// CutLabel splits what follows the word period: "[LABEL:] [PERIOD]"; off is
// where the period begins.
func CutLabel(text string) (label, rest string, off int) { return cutLabel(text) }

// Fields splits a list of words that has no quotes.
func Fields(text string) []Word { return fields(text) }

// DidYouMean is a hint with the name nearest to word, or "".
func DidYouMean(word string, names []string) string { return didYouMean(word, names) }
