package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/engine/control"
)

// statusCommand shows the daemon and its services.
func statusCommand(c *common) *cobra.Command {
	var all, failing bool
	cmd := &cobra.Command{
		Use:   "status [GROUP | GROUP:SERVICE]...",
		Short: "show what mond sees",
		Long: `Shows what mond sees: itself, what is stopped or disabled, and its services.

On one of two directors (heartbeat.monitor with a peer) the orders maint, drain and weight, what is disabled, and acknowledgements
are shared: a word on either director holds on both, and one that was said on the other is shown with who and where, as ann@lvs2 (the
name is --name of its heartbeat.monitor, else its node number). Shown as unknown is what the other one's operators said of something
that is not in the configuration here: it is kept, and applies when it is. While the two know different things for more than some
seconds, mond:redundancy warns.`,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := c.client().Daemon(cmd.Context())
			if err != nil {
				return err
			}
			rows, err := c.client().Services(cmd.Context())
			if err != nil {
				return err
			}
			shown, err := pick(rows, args, all, failing)
			if err != nil {
				return err
			}
			if c.json {
				return printJSON(cmd.OutOrStdout(), status{d, shown})
			}
			return printStatus(cmd.OutOrStdout(), d, rows, shown, time.Now())
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "also show mond's own services that are well")
	cmd.Flags().BoolVarP(&failing, "failing", "f", false, "show only what is not well")
	return cmd
}

// status is what status --json prints.
type status struct {
	Daemon   control.Daemon    `json:"daemon"`
	Services []control.Service `json:"services"`
}

// pick keeps the rows that were asked for. mond's own services are shown when
// they are not well, or when asked for. A name that is nobody's is an error.
func pick(rows []control.Service, names []string, all, failing bool) ([]control.Service, error) {
	for _, n := range names {
		if !slices.ContainsFunc(rows, func(r control.Service) bool { return named(r, n) }) {
			return nil, fmt.Errorf("no watch or service %q; monctl status --all shows all there are", n)
		}
	}
	out := []control.Service{}
	for _, r := range rows {
		asked := slices.ContainsFunc(names, func(n string) bool { return named(r, n) })
		switch {
		case len(names) > 0 && !asked:
		case failing && isWell(r):
		case r.Own && isWell(r) && !all && !asked:
		default:
			out = append(out, r)
		}
	}
	return out, nil
}

func isWell(r control.Service) bool {
	return r.Blind == nil && (r.Status == "ok" || r.Status == "untested")
}

func named(r control.Service, name string) bool {
	return name == r.Group || name == r.Group+":"+r.Service
}

// printStatus prints what there is to say of all rows, then those shown.
func printStatus(w io.Writer, d control.Daemon, rows, shown []control.Service, now time.Time) error {
	var b strings.Builder
	printDaemon(&b, d, rows, now)
	if len(shown) == 0 {
		b.WriteString("\nnothing to show\n")
	} else {
		b.WriteString("\n")
		printServices(&b, shown, now)
	}
	_, err := io.WriteString(w, clip(plain(b.String()), widthOf(w)))
	return err
}

func printDaemon(w io.Writer, d control.Daemon, rows []control.Service, now time.Time) {
	fmt.Fprintf(w, "mond %s, pid %d, up %s, runs %s\n", d.Version, d.PID, age(now.Sub(d.Started)), d.Config)
	fmt.Fprintf(w, "%s: %s\n", count(d.Services, "service"), tally(d.Statuses, rows))
	if d.Stopped != nil {
		fmt.Fprintf(w, "the scheduler is stopped %s\n", by(*d.Stopped))
	}
	if d.ReloadError != "" {
		fmt.Fprintf(w, "the last reload was refused: %s\n", oneLine(d.ReloadError))
	}
	for _, program := range slices.Sorted(maps.Keys(d.Unkept)) {
		fmt.Fprintf(w, "%s does not keep what is claimed: %s\n", program, oneLine(d.Unkept[program]))
	}
	for _, host := range slices.Sorted(maps.Keys(d.Hosts)) {
		fmt.Fprintf(w, "host %s is disabled %s\n", host, by(d.Hosts[host]))
	}
	if d.Shared != nil {
		printShared(w, d.Shared)
	}
}

// printShared says what two directors share, and what of it means nothing here.
func printShared(w io.Writer, s *control.Shared) {
	fmt.Fprintf(w, "this director is %s (node %d): %s of operators shared with the other one\n", s.Director, s.Node, count(s.Stands, "word"))
	for _, u := range s.Unknown {
		fmt.Fprintf(w, "  %s %s: unknown here, kept %s\n", u.What, u.Name, by(u.Note))
	}
	if s.Refused > 0 {
		fmt.Fprintf(w, "  %d times what the other one said could not be read: mond's log says why\n", s.Refused)
	}
}

// usual are the statuses in the order that they are counted in; others follow.
var usual = []string{"ok", "warn", "fail", "timeout", "untested"}

// tally says how many services are in which state.
func tally(statuses map[string]int, rows []control.Service) string {
	var parts []string
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(statuses)), func(s string) bool { return slices.Contains(usual, s) })
	for _, s := range slices.Concat(usual, others) {
		if n := statuses[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	var blind, disabled, acked int
	for _, r := range rows {
		blind += one(r.Blind != nil && !r.Own)
		disabled += one(r.Disabled != nil && !r.Own)
		acked += one(r.Ack != nil && !r.Own)
	}
	text := strings.Join(parts, ", ")
	for _, p := range []struct {
		n    int
		word string
	}{{blind, "blind"}, {disabled, "disabled"}, {acked, "acked"}} {
		if p.n > 0 {
			text += fmt.Sprintf("; %d %s", p.n, p.word)
		}
	}
	return text
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func printServices(w io.Writer, rows []control.Service, now time.Time) {
	var table strings.Builder
	t := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SERVICE\tSTATUS\tFOR\tLAST\tNEXT\tALERTS\tSUMMARY")
	for _, r := range rows {
		fmt.Fprintf(t, "%s:%s\t%s\t%s\t%s\t%s\t%d\t%s\n", r.Group, r.Service, statusWord(r),
			since(r.Since, now), since(r.LastCheck, now), next(r, now), r.AlertsSent, remark(r))
	}
	_ = t.Flush() // into memory
	for line := range strings.Lines(table.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// statusWord marks what lies beside a status.
func statusWord(r control.Service) string {
	word := r.Status
	if r.Blind != nil {
		word += ", blind"
	}
	if r.Disabled != nil {
		word += ", disabled"
	}
	if r.Ack != nil {
		word += ", acked"
	}
	return word
}

// next is the time to the next check.
func next(r control.Service, now time.Time) string {
	switch {
	case r.Running:
		return "now"
	case r.NextCheck == nil:
		return "-"
	}
	return age(r.NextCheck.Sub(now))
}

// remark is what a person wants to read first.
func remark(r control.Service) string {
	switch {
	case r.Blind != nil:
		return oneLine(r.Blind.Cause + ": " + r.Blind.Reason)
	case r.Skipped != "" && !r.Running:
		return oneLine("not checked: " + r.Skipped)
	}
	return oneLine(r.Summary)
}
