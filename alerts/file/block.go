package file

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/mondhq/mond/plugins/alert"
)

// block is the text of one event; summary replaces the notice's own.
func block(r alert.Request, summary string) []byte {
	first, detail := split(r)
	if summary == "" {
		summary = first
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %d (%s) %s\n", r.Kind.Heading(), oneLine(r.Group), oneLine(r.Service),
		r.At.Unix(), r.At.Local().Format(time.ANSIC), oneLine(summary))
	fmt.Fprintf(&b, "DESCR=%s\nOPSTATUS=%d\n", oneLine(r.Env["MON_DESCRIPTION"]), r.Status)
	for line := range strings.Lines(detail) {
		b.WriteString(escape(strings.TrimRight(line, "\r\n")))
		b.WriteByte('\n')
	}
	b.WriteString(".\n")
	return []byte(b.String())
}

// split gives the summary and what the output says beyond it. The first line
// of the output is the summary, as a rule, and stands in for a missing one.
func split(r alert.Request) (summary, detail string) {
	first, rest, _ := strings.Cut(r.Output, "\n")
	summary = strings.TrimSpace(r.Summary)
	if summary == "" {
		summary = strings.TrimSpace(first)
	}
	if summary == strings.TrimSpace(first) {
		return summary, rest
	}
	return summary, r.Output
}

// escape keeps a line of the detail from being read as the end of the block.
func escape(line string) string {
	if strings.HasPrefix(line, ".") {
		return "." + line
	}
	return line
}

// oneLine makes one line of s.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(s)
}
