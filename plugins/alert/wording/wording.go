// Package wording puts a notice into words: the summary, the detail and the
// name of an opstatus as all alerts give them, a stable form in JSON
// ([Notice]), and templates of the operator's own ([Text], [File], [HTML]).
//
// It sends nothing and knows no alert: each has its own default text, and is
// told here what to put in place of it.
package wording

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/mondhq/mond/plugins/alert"
)

// Summary is the summary, or for a notice without one the first line of its
// output.
func Summary(r alert.Request) string {
	if s := strings.TrimSpace(r.Summary); s != "" {
		return s
	}
	first, _, _ := strings.Cut(r.Output, "\n")
	return strings.TrimSpace(first)
}

// Detail is the output without the summary, which is its first line as a
// rule.
func Detail(r alert.Request) string {
	out := strings.ReplaceAll(r.Output, "\r\n", "\n")
	if first, rest, _ := strings.Cut(out, "\n"); strings.TrimSpace(first) == Summary(r) {
		out = rest
	}
	return strings.Trim(strings.ToValidUTF8(out, "\uFFFD"), "\n")
}

// statuses are mon's words in the order of its numbers.
func statuses() [10]string {
	return [...]string{"fail", "ok", "coldstart", "warmstart", "linkdown", "unknown", "timeout", "untested", "dependency", "warn"}
}

// Status is mon's word for an opstatus, its number where there is none.
func Status(n int) string {
	words := statuses()
	if n < 0 || n >= len(words) {
		return strconv.Itoa(n)
	}
	return words[n]
}

// ParseStatus reads an opstatus as [Status] writes it, or its number from 0 to
// 9; ok is false for anything else.
func ParseStatus(text string) (n int, ok bool) {
	for i, word := range statuses() {
		if text == word || text == strconv.Itoa(i) {
			return i, true
		}
	}
	return 0, false
}

// OneLine makes one line of s that is safe in a header, of at most limit
// characters; limit is 3 at least.
func OneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit-3]) + "..."
	}
	return s
}
