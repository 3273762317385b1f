package main

import (
	"encoding/json"
	"fmt"
	"io"
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
		Use:   "status [GROUP[:SERVICE]...]",
		Short: "show what mond sees",
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := c.client().Services(cmd.Context())
			if err != nil {
				return err
			}
			rows = pick(rows, args, all, failing)
			if len(rows) == 0 && len(args) > 0 {
				return fmt.Errorf("no service matches %s", strings.Join(args, " "))
			}
			if c.json {
				return printJSON(cmd.OutOrStdout(), rows)
			}
			d, err := c.client().Daemon(cmd.Context())
			if err != nil {
				return err
			}
			printDaemon(cmd.OutOrStdout(), d)
			return printServices(cmd.OutOrStdout(), rows, time.Now())
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "also show mond's own services that are well")
	cmd.Flags().BoolVarP(&failing, "failing", "f", false, "show only what is not well")
	return cmd
}

// pick keeps the rows that were asked for. mond's own services are shown when
// they are not well, or when asked for.
func pick(rows []control.Service, names []string, all, failing bool) []control.Service {
	var out []control.Service
	for _, r := range rows {
		well := isWell(r)
		switch {
		case !named(r, names):
		case failing && well:
		case r.Own && well && !all && len(names) == 0:
		default:
			out = append(out, r)
		}
	}
	return out
}

func isWell(r control.Service) bool {
	return r.Blind == nil && (r.Status == "ok" || r.Status == "untested")
}

func named(r control.Service, names []string) bool {
	for _, n := range names {
		if n == r.Group || n == r.Group+":"+r.Service {
			return true
		}
	}
	return len(names) == 0
}

func printDaemon(w io.Writer, d control.Daemon) {
	fmt.Fprintf(w, "mond %s, pid %d, up %s, %s: %d services", d.Version, d.PID, age(time.Since(d.Started)), d.Config, d.Services)
	for _, s := range []string{"ok", "warn", "fail", "timeout", "untested"} {
		if n := d.Statuses[s]; n > 0 {
			fmt.Fprintf(w, ", %d %s", n, s)
		}
	}
	fmt.Fprintln(w)
	if d.Stopped != nil {
		fmt.Fprintf(w, "the scheduler is stopped since %s%s\n", d.Stopped.At.Format(time.DateTime), by(d.Stopped))
	}
	if d.ReloadError != "" {
		fmt.Fprintf(w, "the last reload was refused: %s\n", d.ReloadError)
	}
}

func printServices(w io.Writer, rows []control.Service, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SERVICE\tSTATUS\tFOR\tLAST\tNEXT\tALERTS\tSUMMARY")
	for _, r := range rows {
		fmt.Fprintf(t, "%s:%s\t%s\t%s\t%s\t%s\t%d\t%s\n", r.Group, r.Service, statusWord(r),
			since(r.Since, now), since(r.LastCheck, now), until(r.NextCheck, now), r.AlertsSent, remark(r))
	}
	return t.Flush()
}

// statusWord marks what lies beside a status.
func statusWord(r control.Service) string {
	word := r.Status
	if r.Blind != nil {
		word += " (blind)"
	}
	if r.Disabled != nil {
		word += " (disabled)"
	}
	if r.Ack != nil {
		word += " (acked)"
	}
	return word
}

// remark is what a person wants to read first.
func remark(r control.Service) string {
	switch {
	case r.Blind != nil:
		return r.Blind.Cause + ": " + r.Blind.Reason
	case r.Skipped != "" && !r.Running:
		return "not checked: " + r.Skipped
	}
	return r.Summary
}

func by(n *control.Note) string {
	text := ""
	if n.User != "" {
		text += " by " + n.User
	}
	if n.Text != "" {
		text += ": " + n.Text
	}
	return text
}

func since(t *time.Time, now time.Time) string {
	if t == nil {
		return "-"
	}
	return age(now.Sub(*t))
}

func until(t *time.Time, now time.Time) string {
	if t == nil {
		return "-"
	}
	return age(max(t.Sub(now), 0))
}

// age is a duration in two units at most.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
