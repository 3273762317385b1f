// Package perfdata reads the performance data of Nagios plugins, as the
// Monitoring Plugins Development Guidelines have it:
//
//	'label'=value[unit];[warn];[crit];[min];[max]
//
// and knows by which names its figures are passed on, so that whoever makes them
// and whoever looks for one agree. What a plugin prints around it is not its
// concern.
package perfdata

import (
	"strconv"
	"strings"
)

// Metric is one piece of performance data. Its limits are for those who draw
// graphs, and are passed over.
type Metric struct {
	Label string
	// Unit is what stands behind the figure, such as s, ms, % or c.
	Unit  string
	Value float64
}

// Name is the name of m among the figures of a result: the label, with the unit
// behind it if there is one, as in time_s, /_MB, used_percent and, of a counter,
// hits_total.
func (m Metric) Name() string {
	switch m.Unit {
	case "":
		return m.Label
	case "%":
		return m.Label + "_percent"
	case "c":
		return m.Label + "_total"
	}
	return m.Label + "_" + m.Unit
}

// units are those of the guidelines.
func units() [11]string {
	return [...]string{"", "%", "c", "s", "ms", "us", "B", "KB", "MB", "GB", "TB"}
}

// Lookup finds the figure of that label among those that are named by
// [Metric.Name]. Label may also be such a name itself, which is how one with a
// unit that the guidelines do not know is found.
func Lookup(figures map[string]float64, label string) (float64, bool) {
	if len(figures) == 0 {
		return 0, false
	}
	for _, unit := range units() {
		if v, ok := figures[Metric{Label: label, Unit: unit}.Name()]; ok {
			return v, true
		}
	}
	return 0, false
}

// Parse reads metrics with blanks between, most of them at most. What cannot be
// read is passed over up to the next blank.
func Parse(s string, most int) []Metric {
	var found []Metric
	for s = skip(s); s != "" && len(found) < most; s = skip(s) {
		label, rest, ok := cutLabel(s)
		word, after := cutBlank(rest)
		if m, read := parseValue(label, word); ok && read {
			found = append(found, m)
		}
		s = after
	}
	return found
}

const blanks = " \t\r\n"

func skip(s string) string { return strings.TrimLeft(s, blanks) }

// cutBlank divides s at the first blank.
func cutBlank(s string) (word, after string) {
	if i := strings.IndexAny(s, blanks); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// cutLabel takes a label and its = off the front of s. In quotes it may hold
// blanks and =, and two quotes stand for one.
func cutLabel(s string) (label, rest string, ok bool) {
	if s[0] != '\'' {
		word, _ := cutBlank(s)
		label, _, ok = strings.Cut(word, "=")
		if !ok {
			return "", s, false
		}
		return label, s[len(label)+1:], label != ""
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '\'':
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == '\'':
			b.WriteByte('\'')
			i++
		case i+1 < len(s) && s[i+1] == '=':
			return b.String(), s[i+2:], b.Len() > 0
		default:
			return "", s[i:], false
		}
	}
	return "", "", false
}

// parseValue reads a value and its unit; the limits after them are passed over.
func parseValue(label, word string) (Metric, bool) {
	word, _, _ = strings.Cut(word, ";")
	v, unit, ok := number(word)
	if !ok { // "U" is a value that is not known
		return Metric{}, false
	}
	return Metric{Label: clean(label), Unit: clean(unit), Value: v}, true
}

// number reads the figure that text begins with, and gives what follows it.
func number(text string) (v float64, rest string, ok bool) {
	n := figure(text)
	v, err := strconv.ParseFloat(point(text[:n]), 64)
	return v, text[n:], err == nil
}

// figure is how long the figure is that word begins with. An E belongs to it only
// with an exponent: 5EB are exabytes.
func figure(word string) int {
	n := span(word, "0123456789+-.,")
	if n == 0 || n == len(word) || word[n] != 'e' && word[n] != 'E' {
		return n
	}
	sign := span(word[n+1:], "+-")
	digits := span(word[n+1+sign:], "0123456789")
	if digits == 0 {
		return n
	}
	return n + 1 + sign + digits
}

// span is how many bytes at the front of s are among those of set.
func span(s, set string) int {
	n := 0
	for n < len(s) && strings.IndexByte(set, s[n]) >= 0 {
		n++
	}
	return n
}

// point is a figure with a point where some locales have a comma; beside a point
// commas divide thousands.
func point(figure string) string {
	if strings.Contains(figure, ".") {
		return strings.ReplaceAll(figure, ",", "")
	}
	return strings.Replace(figure, ",", ".", 1)
}

// clean is text without what would break a line.
func clean(text string) string {
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, text), "_")
}

// Find finds the figure of that label in text for people, where it is a word
// label=N or 'label'=N; a unit may follow.
func Find(text, label string) (float64, bool) {
	quoted := "'" + strings.ReplaceAll(label, "'", "''") + "'"
	if v, ok := follows(text, quoted+"="); ok {
		return v, true
	}
	return follows(text, label+"=")
}

// follows finds the first figure behind word, where a word may begin.
func follows(text, word string) (float64, bool) {
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return 0, false
		}
		at := from + i
		from = at + len(word)
		if v, _, ok := number(text[from:]); ok && begins(text[:at]) {
			return v, true
		}
	}
}

// begins reports whether a word may begin after text.
func begins(text string) bool {
	return text == "" || strings.IndexByte(blanks+"|,;(", text[len(text)-1]) >= 0
}
