// Package monlog writes the two files in which mon itself keeps history - the
// downtime log (dtlogfile) and the alert history (historicfile) - in mon's
// formats, for the tools that read them, and reads the latter back. The
// history that mond reads is another: engine/store.
//
// Whoever has a line hands it over and goes on: nothing here makes the caller
// wait for a disk. Each file has a goroutine of its own.
package monlog

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/alert"
)

// Downtime is an outage that is over.
type Downtime struct {
	Back           time.Time
	Group, Service string
	FirstFail      time.Time
	// Interval is the one in force when it ended; 0 without one.
	Interval time.Duration
	// Summary is what failed last.
	Summary string
}

// header begins a downtime log, also where a daemon goes on with an old one.
func header(now time.Time) string {
	return fmt.Sprintf("#\n# downtime log start %d\n# time back up, group, service, first failure, downtime, interval, summary\n#\n", now.Unix())
}

// Line is d as a line of the downtime log: the times in seconds since 1970,
// the durations in seconds.
func (d Downtime) Line() string {
	back, first := epoch(d.Back), epoch(d.FirstFail)
	interval := strconv.FormatFloat(d.Interval.Seconds(), 'f', -1, 64)
	return fmt.Sprintf("%d %s %s %d %d %s %s", back, d.Group, d.Service, first, max(back-first, 0), interval, oneLine(d.Summary))
}

// epoch is t in seconds, 0 for the zero time.
func epoch(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// oneLine is the first line of a summary; mon has a word for none.
func oneLine(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	if text = strings.TrimRight(text, "\r"); strings.TrimSpace(text) == "" {
		return opstatus.NoSummary
	}
	return text
}

// TypeOf is mon's word for a call of that kind.
func TypeOf(k alert.Kind) string {
	switch k {
	case alert.Up, alert.Startup, alert.Ack, alert.Disable, alert.Trap, alert.TrapTimeout:
		return k.String() + "alert"
	case alert.Unset, alert.Failure, alert.Test:
	}
	return "alert"
}

// ArgsOf is the words of an alert line as one text; words that need quotes get
// them.
func ArgsOf(args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		if words[i] = a; a == "" || strings.ContainsAny(a, " \t\n\"'") {
			words[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(a) + `"`
		}
	}
	return strings.Join(words, " ")
}

// CallLine is c as a line of the history file.
func CallLine(c view.Call) string {
	return fmt.Sprintf("%s %s %s %d %s (%s) %s", c.Type, c.Group, c.Service, epoch(c.At), c.Path, c.Args, oneLine(c.Summary))
}

// ParseCall reads a line of the history file; ok is false if it is none.
func ParseCall(line string) (c view.Call, ok bool) {
	words := strings.SplitN(strings.TrimRight(line, "\r\n"), " ", 6)
	if len(words) < 6 || !strings.HasPrefix(words[5], "(") || !strings.HasSuffix(words[0], "alert") {
		return c, false
	}
	at, err := strconv.ParseInt(words[3], 10, 64)
	if err != nil || at < 0 || at > 1<<40 {
		return c, false
	}
	args, summary, ok := closing(words[5][1:])
	c = view.Call{Type: words[0], Group: words[1], Service: words[2], At: time.Unix(at, 0), Path: words[4], Args: args, Summary: summary}
	return c, ok
}

// closing splits text at the bracket that ends the arguments, which may hold
// brackets themselves.
func closing(text string) (args, summary string, ok bool) {
	depth := 1
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return text[:i], strings.TrimPrefix(text[i+1:], " "), true
		}
	}
	args, summary, ok = strings.Cut(text, ")") // never balanced
	return args, strings.TrimPrefix(summary, " "), ok
}
