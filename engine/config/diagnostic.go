package config

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Severity says whether a file with this diagnostic may be used.
type Severity uint8

// The severities.
const (
	Warning Severity = iota
	Error
)

// String is "warning" or "error".
func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// Diagnostic is one thing to say about a file.
type Diagnostic struct {
	Pos      Pos
	Severity Severity
	// Message says what is wrong, without capital or full stop.
	Message string
	// Line is the offending line as it stands in the file (as m4 made it, if
	// m4 was used); may be empty. Of an enormous line it is the part round
	// the column, with "..." where it was cut.
	Line string
	// Mark is the offset of Pos in Line, in bytes; -1 if there is none.
	Mark int
	// Hint says what to do; may be empty.
	Hint string
}

// String is the diagnostic on one line: "file:line:col: error: message (hint)".
// Of a line of a template, the message ends in ", used at file:line:col".
func (d Diagnostic) String() string {
	s := fmt.Sprintf("%s: %s: %s", d.Pos, d.Severity, d.Message)
	for _, o := range d.Pos.Uses() {
		s += ", used at " + o.Pos.String()
	}
	if d.Hint != "" {
		s += " (" + d.Hint + ")"
	}
	return s
}

// Diagnostics are in file order.
type Diagnostics []Diagnostic

// Errors is how many of d are errors.
func (d Diagnostics) Errors() int {
	n := 0
	for i := range d {
		if d[i].Severity == Error {
			n++
		}
	}
	return n
}

// HasErrors reports whether the file must not be used.
func (d Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(d, func(d Diagnostic) bool { return d.Severity == Error })
}

// Err is nil without errors; else it says how many there are and what the
// first one is.
func (d Diagnostics) Err() error {
	i := slices.IndexFunc(d, func(d Diagnostic) bool { return d.Severity == Error })
	if i < 0 {
		return nil
	}
	first := fmt.Sprintf("%s: %s", d[i].Pos, d[i].Message)
	switch n := d.Errors() - 1; n {
	case 0:
		return errors.New(first)
	case 1:
		return errors.New(first + " (and 1 more error)")
	default:
		return fmt.Errorf("%s (and %d more errors)", first, n)
	}
}

// Sort puts d in the order of the file, keeping the order of those at one
// place.
func (d Diagnostics) Sort() {
	slices.SortStableFunc(d, func(a, b Diagnostic) int { return a.Pos.compare(b.Pos) })
}

// Write prints d as compilers do: a line "file:line:col: error: message", the
// source line, a caret under the column, where the template was used, the hint.
// Bytes that a terminal might
// act upon are escaped.
func (d Diagnostics) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	for i := range d {
		d[i].write(b)
	}
	return b.Flush()
}

func (d Diagnostic) write(b *bufio.Writer) {
	fmt.Fprintf(b, "%s: %s: %s\n", printable(d.Pos.String()), d.Severity, printable(d.Message))
	if d.Line != "" {
		fmt.Fprintf(b, "    %s\n", printable(d.Line))
		if d.Mark >= 0 && d.Mark <= len(d.Line) {
			fmt.Fprintf(b, "    %s^\n", padding(d.Line[:d.Mark]))
		}
	}
	for _, o := range d.Pos.Uses() {
		fmt.Fprintf(b, "    template %s used at %s\n", printable(o.Template), printable(o.Pos.String()))
	}
	if d.Hint != "" {
		fmt.Fprintf(b, "    hint: %s\n", printable(d.Hint))
	}
}

// printable is s with everything but printable characters and tabs escaped.
func printable(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\t' || unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
		i += n
	}
	return b.String()
}

// padding is as wide as s is when printed: tabs stay, all else is a blank.
func padding(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, printable(s))
}

// A line longer than maxShown is cut to this much before and after the mark.
const (
	maxShown   = 160
	shownLeft  = 60
	shownRight = 80
)

// excerpt is the part of line round mark that is worth showing, and where the
// mark is in it.
func excerpt(line string, mark int) (string, int) {
	line = strings.TrimRight(line, "\r\n")
	if len(line) <= maxShown {
		return line, min(mark, len(line))
	}
	at := max(mark, 0)
	from, to := max(0, at-shownLeft), min(len(line), at+shownRight)
	for from > 0 && from < at && !utf8.RuneStart(line[from]) {
		from++
	}
	const cut = "..."
	out, shift := line[from:to], -from
	if from > 0 {
		out, shift = cut+out, shift+len(cut)
	}
	if to < len(line) {
		out += cut
	}
	if mark < 0 {
		return out, mark
	}
	return out, mark + shift
}

// maxDiagnostics is how many errors, and how many warnings, are kept of one
// pass: nobody reads more, and a file that is no mon.cf at all gives one for
// every line.
const maxDiagnostics = 1000

// collector gathers the diagnostics of one pass over a file.
type collector struct {
	kept  Diagnostics
	count [2]int // by Severity
	// said is how often there was something to say about a line, also where it was
	// said before.
	said int
	// told are the diagnostics about lines that stand in several places: each
	// is given once.
	told map[told]bool
}

// told is a diagnostic about a line that stands in several places.
type told struct {
	pos  Pos // where it stands; without From for one of a template
	what string
}

func (c *collector) add(d Diagnostic) {
	c.count[d.Severity]++
	if c.count[d.Severity] <= maxDiagnostics {
		c.kept = append(c.kept, d)
	}
}

// at adds a diagnostic about the byte at off of st's Text; see
// [Statement.At]. What is wrong with a line of a check is said for the first real
// server only: kind is the same for all of them, the message may not be.
func (c *collector) at(sev Severity, st *Statement, off int, kind, message, hint string) {
	c.said++
	if st.moved && c.again(st.At(off), message) || st.each && c.toldBefore(told{st.At(off), kind}) {
		return
	}
	if c.count[sev] < maxDiagnostics {
		c.add(st.Diagnose(sev, off, message, hint))
		return
	}
	c.count[sev]++
}

// again reports whether that was said of a line before.
func (c *collector) again(pos Pos, message string) bool {
	pos.From = nil
	return c.toldBefore(told{pos, message})
}

func (c *collector) toldBefore(key told) bool {
	if c.told[key] {
		return true
	}
	if c.told == nil {
		c.told = map[told]bool{}
	}
	if len(c.told) < maxDiagnostics {
		c.told[key] = true
	}
	return false
}

// Compact leaves out what is said again of a line that stands in several places:
// one of a template, or of a check of several real servers.
func (d Diagnostics) Compact() Diagnostics {
	var c collector
	return slices.DeleteFunc(d, func(d Diagnostic) bool { return c.again(d.Pos, d.Message) })
}

func (c *collector) errorf(st *Statement, off int, hint, format string, args ...any) {
	c.at(Error, st, off, format, fmt.Sprintf(format, args...), hint)
}

func (c *collector) warnf(st *Statement, off int, hint, format string, args ...any) {
	c.at(Warning, st, off, format, fmt.Sprintf(format, args...), hint)
}

// done is all that was gathered, in order. What was left out is counted in the
// last one of its severity.
func (c *collector) done() Diagnostics {
	for _, sev := range []Severity{Warning, Error} {
		if more := c.count[sev] - maxDiagnostics; more > 0 {
			for i := len(c.kept) - 1; i >= 0; i-- {
				if c.kept[i].Severity == sev {
					c.kept[i].Hint = fmt.Sprintf("and %d more %ss, not shown", more, sev)
					break
				}
			}
		}
	}
	c.kept.Sort()
	return c.kept
}
