package nagios

import (
	"strconv"
	"strings"
)

// The Monitoring Plugins Development Guidelines say what a plugin prints: a line
// of text; after a | performance data; then more lines of text, and after another
// | more performance data in all lines that follow.

// output is what a plugin printed.
type output struct {
	text    string // the first line
	long    string // the lines after it, each with its end
	metrics []metric
}

// metric is one piece of performance data. Its limits are for those who draw
// graphs, and are passed over.
type metric struct {
	label, unit string
	value       float64
}

// maxMetrics is how many metrics are read; no more are passed on, see
// plugins/rpc.
const maxMetrics = 64

// read reads what a plugin printed.
func read(printed string) output {
	first, rest, _ := strings.Cut(printed, "\n")
	text, data, _ := strings.Cut(first, "|")
	long, more, _ := strings.Cut(rest, "|")
	o := output{text: strings.TrimSpace(text), metrics: parsePerf(data + " " + more)}
	if strings.TrimSpace(long) != "" {
		o.long = strings.TrimRight(long, blanks) + "\n"
	}
	return o
}

// parsePerf reads performance data: 'label'=value[unit];[warn];[crit];[min];[max]
// with blanks between. What cannot be read is passed over up to the next blank.
func parsePerf(s string) []metric {
	var found []metric
	for s = skip(s); s != "" && len(found) < maxMetrics; s = skip(s) {
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
// blanks and =, and ” stands for a quote.
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
func parseValue(label, word string) (metric, bool) {
	word, _, _ = strings.Cut(word, ";")
	n := figure(word)
	v, err := strconv.ParseFloat(point(word[:n]), 64)
	if err != nil { // "U" is a value that is not known
		return metric{}, false
	}
	return metric{label: clean(label), unit: clean(word[n:]), value: v}, true
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

// perf is metrics by their names, of which each says its unit: "time_s",
// "/_MB", "load1", "used_percent".
func perf(metrics []metric) map[string]float64 {
	if len(metrics) == 0 {
		return nil
	}
	p := make(map[string]float64, len(metrics))
	for _, m := range metrics {
		p[m.name()] = m.value
	}
	return p
}

// name is the label with the unit; c is a counter's.
func (m metric) name() string {
	switch m.unit {
	case "":
		return m.label
	case "%":
		return m.label + "_percent"
	case "c":
		return m.label + "_total"
	}
	return m.label + "_" + m.unit
}
