package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/mondhq/mond/engine/control"
)

// reportCommand shows how available services were.
func reportCommand(c *common) *cobra.Command {
	var since, until, state string
	var q control.ReportQuery
	cmd := &cobra.Command{
		Use:   "report [GROUP | GROUP:SERVICE]...",
		Short: "show how available services were, and their outages",
		Long: "Shows, for each service, which part of the time it was up. Time that nobody watched it counts neither as up nor as down: " +
			"before the first check, while mond did not run, while it was blind, disabled, excluded or held back by a dependency. " +
			"Percentages are rounded down: only what was never down has 100.000.",
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			now := time.Now()
			if q.Since, err = timeOption(cmd, "since", since, now); err != nil {
				return err
			}
			if q.Until, err = timeOption(cmd, "until", until, now); err != nil {
				return err
			}
			for _, a := range args {
				q.Names = append(q.Names, canonical(a))
			}
			if err := q.Validate(); err != nil {
				return misused(cmd, "%v", err)
			}
			return c.withRecords(state, func(from records) error { return c.showReport(cmd, from, q) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&since, "since", "30d", "where it begins: "+whenHint)
	f.StringVar(&until, "until", "", "where it ends (default now)")
	f.StringVar(&q.Period, "period", "", "count only the time inside this `PERIOD`, as in mon.cf: \"wd {Mon-Fri} hr {9am-5pm}\"")
	f.BoolVarP(&q.Outages, "outages", "o", false, "list the outages as well")
	f.StringVar(&state, "state", "", "read this `FILE` (mond.db in statedir) of a daemon that does not run")
	return cmd
}

func (c *common) showReport(cmd *cobra.Command, from records, q control.ReportQuery) error {
	p := newProgress(cmd.ErrOrStderr())
	r, err := from.Report(cmd.Context(), q, p.rows)
	p.end()
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(cmd.OutOrStdout(), r)
	}
	var b strings.Builder
	printReport(&b, r)
	_, err = io.WriteString(cmd.OutOrStdout(), clip(plain(b.String()), widthOf(cmd.OutOrStdout())))
	return err
}

func printReport(w io.Writer, r *control.Report) {
	fmt.Fprintf(w, "%s to %s, %s", r.Since.Local().Format(time.DateTime), r.Until.Local().Format(time.DateTime), age(seconds(r.Seconds)))
	if r.Period != "" {
		fmt.Fprintf(w, " inside %s", r.Period)
	}
	fmt.Fprintln(w)
	if r.HistorySince != nil {
		fmt.Fprintf(w, "the history begins %s: what was before is not watched\n", r.HistorySince.Local().Format(time.DateTime))
	}
	if r.Warning != "" {
		fmt.Fprintf(w, "%s\n", oneLine(r.Warning))
	}
	if len(r.Services) == 0 {
		fmt.Fprintln(w, "\nnothing to show")
		return
	}
	fmt.Fprintln(w)
	printAvailability(w, r)
	for _, s := range r.Services {
		printOutages(w, s)
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func printAvailability(w io.Writer, r *control.Report) {
	var table strings.Builder
	t := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SERVICE\tUP %\tOUTAGES\tDOWN\tLONGEST\tNOT WATCHED")
	for _, s := range r.Services {
		unwatched := lasted(s.Unwatched)
		if s.Gone {
			unwatched += ", left the configuration"
		}
		fmt.Fprintf(t, "%s:%s\t%s\t%d\t%s\t%s\t%s\n", s.Group, s.Service, percent(s.Availability), s.Outages, lasted(s.Down), lasted(s.Longest), unwatched)
	}
	_ = t.Flush() // into memory
	for line := range strings.Lines(table.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// percent has three decimals, which are all there are: it rounds nothing.
func percent(p *float64) string {
	if p == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", *p)
}

func printOutages(w io.Writer, s control.ServiceReport) {
	if len(s.List) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:%s: %s, %s on average, %s apart\n", s.Group, s.Service, count(s.Outages, "outage"), lasted(s.Repair), lasted(s.Between))
	for _, o := range s.List {
		start, end := o.Start.Local().Format(time.DateTime), lasted(o.Down)
		if o.Before {
			start = "before then        "
		}
		if o.Ongoing {
			end += ", goes on"
		}
		fmt.Fprintf(w, "  %s  %s", start, end)
		if o.Summary != "" {
			fmt.Fprintf(w, ": %s", oneLine(o.Summary))
		}
		fmt.Fprintf(w, " (%s%s)\n", count(o.Alerts, "alert"), ackedBy(o))
	}
}

func ackedBy(o control.Outage) string {
	switch {
	case !o.Acked:
		return ""
	case o.AckedBy == "":
		return ", acknowledged"
	}
	return ", acknowledged by " + o.AckedBy
}

// progress tells a person who waits at a terminal how it goes on.
type progress struct {
	w     io.Writer // nil if nobody waits
	began time.Time
	told  bool
}

// patient is how long nobody needs to be told anything.
const patient = 2 * time.Second

func newProgress(w io.Writer) *progress {
	p := &progress{began: time.Now()}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.w = w
	}
	return p
}

func (p *progress) rows(n int) {
	if p.w == nil || time.Since(p.began) < patient {
		return
	}
	p.told = true
	fmt.Fprintf(p.w, "\rreading history: %d rows ", n)
}

// now tells at once what is being done.
func (p *progress) now(text string) {
	if p.w != nil {
		p.told = true
		fmt.Fprintf(p.w, "\r%s ", text)
	}
}

// end wipes the line.
func (p *progress) end() {
	if p.told {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
