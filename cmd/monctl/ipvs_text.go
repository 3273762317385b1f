package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mondhq/mond/alerts/lvs/report"
)

// printTables prints every table: what is wrong first, then each virtual
// service with its real servers.
func printTables(w io.Writer, r report.Report, diff bool, now time.Time) error {
	var b strings.Builder
	switch {
	case !r.Ready:
		b.WriteString("lvs.alert has no claims yet: nothing is written before the first full set\n")
	case len(r.Tables) == 0:
		b.WriteString("nothing is claimed of any table\n")
	}
	for i, t := range r.Tables {
		if i > 0 {
			b.WriteString("\n")
		}
		printTable(&b, t, diff, now)
	}
	_, err := io.WriteString(w, clip(plain(b.String()), widthOf(w)))
	return err
}

func printTable(w io.Writer, t report.Table, diff bool, now time.Time) {
	fmt.Fprintf(w, "%s: %s\n", t.Table, tableSummary(t, diff))
	for line := range strings.Lines(t.Trouble) {
		fmt.Fprintf(w, "trouble: %s\n", strings.TrimSpace(line))
	}
	for _, s := range t.Services {
		for line := range strings.Lines(s.Trouble) {
			fmt.Fprintf(w, "trouble: %s\n", strings.TrimSpace(line))
		}
	}
	if l := t.Timeouts; l != nil {
		fmt.Fprintf(w, "time limits (tcp, tcpfin, udp): %s %s %s: %s\n", limit(l.TCP), limit(l.TCPFin), limit(l.UDP), l.State)
	}
	printSync(w, t.Sync)
	printPools(w, t, now)
}

// printSync prints the kernel's sync daemons.
func printSync(w io.Writer, s *report.Sync) {
	if s == nil {
		return
	}
	fmt.Fprintf(w, "sync daemons: %s\n", s.State)
	if s.Trouble != "" {
		fmt.Fprintf(w, "trouble: %s\n", s.Trouble)
	}
	if s.Warning != "" {
		fmt.Fprintf(w, "warning: %s\n", s.Warning)
	}
	for _, l := range []struct {
		what string
		list []string
	}{{"wanted", s.Desired}, {"kernel", s.Actual}} {
		for _, d := range l.list {
			fmt.Fprintf(w, "  %s  %s\n", l.what, d)
		}
	}
}

// limit is a time limit that is wanted.
func limit(seconds uint32) string {
	if seconds == 0 {
		return "-"
	}
	return span(float64(seconds))
}

// tableSummary is a table in a line.
func tableSummary(t report.Table, diff bool) string {
	wrong := 0
	for _, s := range t.Services {
		wrong += one(report.Wrong(s.State))
	}
	for _, r := range t.Rows {
		wrong += one(report.Wrong(r.State))
	}
	text := "as it should be"
	if wrong > 0 {
		text = count(wrong, "row") + " not as wanted"
	} else if !t.Agrees() {
		text = "not as it should be"
	}
	if !diff {
		text = fmt.Sprintf("%s, %s; %s", count(len(t.Services), "virtual service"), count(len(t.Rows), "real server"), text)
	}
	if t.Repaired > 0 {
		text += "; " + count(int(t.Repaired), "edit") + " by others undone"
	}
	return text
}

// printPools prints the virtual services, each with its real servers below it,
// whose columns are those of the whole table.
func printPools(w io.Writer, t report.Table, now time.Time) {
	lines := realLines(t.Rows, now)
	if len(t.Services)+len(t.Rows) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", lines[0])
	shown := map[string]bool{}
	for _, s := range t.Services {
		shown[s.Virtual] = true
		fmt.Fprintln(w, serviceLine(s))
		printReals(w, t.Rows, lines, s.Virtual)
	}
	for _, r := range t.Rows {
		if !shown[r.Virtual] {
			shown[r.Virtual] = true
			fmt.Fprintln(w, r.Virtual)
			printReals(w, t.Rows, lines, r.Virtual)
		}
	}
}

func printReals(w io.Writer, rows []report.Row, lines []string, virtual string) {
	for i, r := range rows {
		if r.Virtual == virtual {
			fmt.Fprintln(w, lines[i+1])
		}
	}
}

// serviceLine is a virtual service in a line.
func serviceLine(s report.Service) string {
	text := s.Virtual
	if s.Name != "" && s.Name != s.Virtual {
		text += " (" + s.Name + ")"
	}
	how := slices.Clone(s.Flags)
	if s.Scheduler != "" {
		how = append([]string{s.Scheduler}, how...)
	}
	if len(how) > 0 {
		text += " " + strings.Join(how, ", ")
	}
	if word, ok := serviceWords[s.State]; ok {
		text += ": " + word
	}
	if s.State == "differs" && s.Actual != "" && s.Desired != "" {
		text += fmt.Sprintf(" (wanted %s)", s.Desired)
	}
	return text
}

// serviceWords say what a person wants to know of a state; those that are well
// need no word.
var serviceWords = map[string]string{
	"held":    "held as it is until a check has confirmed it",
	"differs": "NOT AS WANTED",
	"blocked": "is to go and STAYS: real servers of others are in it",
	"standby": "standby: no address of it is on this machine, nothing is written",
	"leaving": "is to go",
	"missing": "MISSING, and not declared: make it with ipvsadm, or declare it",
	"unknown": "not known",
}

// realLines are the rows as lines of one table, after their heading.
func realLines(rows []report.Row, now time.Time) []string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  REAL\tSTATE\tWANTED\tKERNEL\tACTIVE\tINACTIVE\tFOR\tWHY")
	for _, r := range rows {
		active, inactive := "-", "-"
		if a := r.Actual; a != nil {
			active, inactive = fmt.Sprint(a.Active), fmt.Sprint(a.Inactive)
		}
		since, why := whyReal(r, now)
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Real, realState(r.State), wanted(r), realText(r.Actual), active, inactive, since, why)
	}
	_ = t.Flush() // into memory
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// realState is a state, loud if it is wrong.
func realState(state string) string {
	if report.Wrong(state) {
		return strings.ToUpper(state)
	}
	return state
}

// wanted is how a real server is to be.
func wanted(r report.Row) string {
	switch {
	case r.Want == "":
		return "-"
	case r.Desired != nil:
		return realText(r.Desired)
	}
	return r.Want
}

// realText is a row in a few words: its weight, its forwarding, and what else
// is unusual about it.
func realText(r *report.Real) string {
	if r == nil {
		return "-"
	}
	text := fmt.Sprintf("%d %s", r.Weight, r.Forward)
	if r.Tunnel != "" {
		text += " " + r.Tunnel
	}
	if r.Upper != 0 || r.Lower != 0 {
		text += fmt.Sprintf(" %d-%d", r.Lower, r.Upper)
	}
	return text
}

// whyReal is since when the deciding claim holds, and its reason.
func whyReal(r report.Row, now time.Time) (since, why string) {
	if len(r.Why) == 0 {
		return "-", map[string]string{
			"foreign": "somebody else's: left alone",
			"left":    "ours under an earlier configuration: left alone",
			"leaving": "in the configuration no more",
		}[r.State]
	}
	w := r.Why[0]
	since = "-"
	if !w.Since.IsZero() {
		since = age(now.Sub(w.Since))
	}
	why = oneLine(cmp.Or(w.Reason, w.Claim))
	if w.Provisional {
		why += " (not confirmed yet)"
	}
	return since, why
}
