package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/alerts/lvs/report"
)

// lvsAlert is the program that owns the IPVS tables.
const lvsAlert = "lvs.alert"

// tables are the options of ipvs.
type tables struct{ diff, dry bool }

// ipvsCommand shows the IPVS tables beside what is wanted of them.
func ipvsCommand(c *common) *cobra.Command {
	o := tables{}
	cmd := &cobra.Command{
		Use:   "ipvs [VIRTUAL]...",
		Short: "show the IPVS table: what is wanted, what the kernel has, and why",
		Long: `Shows every virtual service that the configuration names, and its real servers: how each is to be, how the kernel has it, its
connections, and why it is in or out. Rows of others in these virtual services are marked foreign, rows that were ours under
an earlier configuration left. VIRTUAL is its name, or its address with or without port, or fwmark:N.
The exit status is 0 if the table is as it should be, 1 if not.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.dry && (o.diff || c.json) {
				return misused(cmd, "--dry-run prints commands: leave the other options out")
			}
			return o.show(cmd, c, args)
		},
	}
	cmd.Flags().BoolVarP(&o.diff, "diff", "d", false, "show only what is not as it should be")
	cmd.Flags().BoolVarP(&o.dry, "dry-run", "n", false, "print the ipvsadm commands that would make the table as it should be; nothing is done")
	return cmd
}

func (o tables) show(cmd *cobra.Command, c *common, names []string) error {
	r, err := c.tables(cmd.Context(), names)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(r.Tables, func(t report.Table) bool { return hasVirtual(t, name) }) {
			return fmt.Errorf("no virtual service %q; monctl ipvs shows all there are", name)
		}
	}
	agrees := !slices.ContainsFunc(r.Tables, func(t report.Table) bool { return !t.Agrees() })
	switch {
	case o.dry:
		err = c.printCommands(cmd, names)
	case c.json:
		err = printJSON(cmd.OutOrStdout(), o.only(r))
	default:
		err = printTables(cmd.OutOrStdout(), o.only(r), o.diff, time.Now())
	}
	if err == nil && !agrees {
		return errSaid
	}
	return err
}

// tables asks for the whole report, in as many parts as it takes.
func (c *common) tables(ctx context.Context, names []string) (report.Report, error) {
	var all report.Report
	for more := "0"; more != ""; {
		text, err := c.client().Show(ctx, lvsAlert, strings.Join(append([]string{"table", "after", more}, names...), " "))
		if err != nil {
			return all, err
		}
		var part report.Report
		if err := json.Unmarshal([]byte(text), &part); err != nil {
			return all, fmt.Errorf("read what %s shows: %w", lvsAlert, err)
		}
		join(&all, part)
		more = part.More
	}
	return all, nil
}

// join puts part behind all.
func join(all *report.Report, part report.Report) {
	all.Ready = part.Ready
	for _, t := range part.Tables {
		i := slices.IndexFunc(all.Tables, func(o report.Table) bool { return o.Table == t.Table })
		if i < 0 {
			all.Tables = append(all.Tables, t)
			continue
		}
		o := &all.Tables[i]
		if o.Trouble == "" {
			o.Trouble = t.Trouble
		}
		o.Services, o.Rows = append(o.Services, t.Services...), append(o.Rows, t.Rows...)
	}
}

func hasVirtual(t report.Table, name string) bool {
	return slices.ContainsFunc(t.Services, func(s report.Service) bool { return report.Called(name, s.Virtual, s.Name) }) ||
		slices.ContainsFunc(t.Rows, func(r report.Row) bool { return report.Called(name, r.Virtual, "") })
}

// only leaves out what is as it should be, with --diff.
func (o tables) only(r report.Report) report.Report {
	if !o.diff {
		return r
	}
	for i := range r.Tables {
		t := &r.Tables[i]
		t.Rows = slices.DeleteFunc(t.Rows, func(r report.Row) bool { return !report.Wrong(r.State) })
		t.Services = slices.DeleteFunc(t.Services, func(s report.Service) bool {
			return !report.Wrong(s.State) && s.Trouble == "" &&
				!slices.ContainsFunc(t.Rows, func(r report.Row) bool { return r.Virtual == s.Virtual })
		})
	}
	return r
}

func (c *common) printCommands(cmd *cobra.Command, names []string) error {
	text, err := c.client().Show(cmd.Context(), lvsAlert, strings.Join(append([]string{"diff"}, names...), " "))
	if err != nil {
		return err
	}
	return printPlain(cmd.OutOrStdout(), text)
}
