package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/engine/control"
)

const timeForm = time.DateTime

// virtualCommand shows virtual services.
func virtualCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "virtual [NAME]",
		Short: "show virtual services, their real servers, and why each is in or out",
		Long: `Without NAME, a line for each virtual service that the configuration declares, and the orders of operators that are in force.
With NAME, one of them whole: how its quorum stands and which tier serves; of each real server its weight, its connections as the kernel
counts them now, why it is in or out and since when; the orders for it, and in sentences what is being waited for.

A real server is in (with its weight), ramping (it came back, its weight grows), draining (weight 0, to be removed), quiet (weight 0, to
stay) or out. A weight with another in brackets is not the configured one. What has a ? stays as the table has it until a check has judged
it.`,
		Example:           "  monctl virtual\n  monctl virtual shop\n  monctl virtual shop --json",
		ValidArgsFunction: c.completeVirtual,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misused(cmd, "want one NAME or none")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return c.showVirtual(cmd, args[0])
			}
			return c.listVirtuals(cmd)
		},
	}
}

func (c *common) listVirtuals(cmd *cobra.Command) error {
	all, err := c.client().Virtuals(cmd.Context())
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(cmd.OutOrStdout(), all)
	}
	var b strings.Builder
	printVirtuals(&b, all)
	w := cmd.OutOrStdout()
	_, err = io.WriteString(w, clip(plain(b.String()), widthOf(w)))
	return err
}

func (c *common) showVirtual(cmd *cobra.Command, name string) error {
	v, err := c.client().Virtual(cmd.Context(), name)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(cmd.OutOrStdout(), v)
	}
	var b strings.Builder
	printVirtual(&b, v, time.Now())
	return printPlain(cmd.OutOrStdout(), b.String())
}

func printVirtuals(w io.Writer, all control.Virtuals) {
	if len(all.Virtuals) == 0 {
		fmt.Fprintln(w, "the configuration has no virtual services")
	} else {
		table(w, "VIRTUAL\tADDRESS\tSTATUS\tSERVING\tQUORUM\tREALS\tCONNECTIONS\tSUMMARY", func(t io.Writer) {
			for _, v := range all.Virtuals {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d/%d\t%s\t%s\n", v.Name, firstOf(v.Addresses), v.Status, v.Serving, quorumOf(v),
					v.In, len(v.Reals), connections(v.Reals), oneLine(v.Summary))
			}
		})
	}
	if len(all.Orders) > 0 {
		fmt.Fprintln(w, "\norders:")
	}
	for _, o := range all.Orders {
		nobody := ""
		if o.Nobody {
			nobody = " (the configuration has no such real server now)"
		}
		fmt.Fprintf(w, "  %s: %s%s\n", o.Target, orderLine(o), nobody)
	}
}

// table prints rows in columns.
func table(w io.Writer, head string, rows func(t io.Writer)) {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, head)
	rows(t)
	_ = t.Flush() // into memory
	for line := range strings.Lines(b.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

func firstOf(addresses []string) string {
	switch len(addresses) {
	case 0:
		return "-"
	case 1:
		return addresses[0]
	}
	return fmt.Sprintf("%s +%d", addresses[0], len(addresses)-1)
}

func quorumOf(v control.Virtual) string {
	text := v.Quorum
	if v.Need != "" {
		text += " (" + v.Need + ")"
	}
	return text
}

// connections sums up the established ones; - where no real's are known.
func connections(reals []control.Real) string {
	n, known := 0, false
	for _, r := range reals {
		if r.Active != nil {
			n, known = n+*r.Active, true
		}
	}
	if !known {
		return "-"
	}
	return strconv.Itoa(n)
}

func printVirtual(w io.Writer, v control.Virtual, now time.Time) {
	fmt.Fprintf(w, "%s: %s: %s\n", v.Name, v.Status, oneLine(v.Summary))
	if len(v.Addresses) > 0 {
		fmt.Fprintf(w, "  address %s\n", strings.Join(v.Addresses, " "))
	}
	fmt.Fprintf(w, "  %s serves; quorum %s, %d of %s good\n", v.Serving, quorumOf(v), v.Good, count(v.Primaries, "primary real"))
	if v.Panic {
		fmt.Fprintln(w, "  panic: so many fail that their checks are not believed")
	}
	if v.Fault != "" {
		fmt.Fprintf(w, "  local fault: %s; what was decided is held\n", oneLine(v.Fault))
	}
	fmt.Fprintln(w)
	table(w, "REAL\tADDRESS\tTIER\tSTATE\tWEIGHT\tACTIVE\tINACTIVE\tFOR\tREASON", func(t io.Writer) {
		for _, r := range v.Reals {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Address, tierOf(r), stateOf(r), weightOf(r),
				number(r.Active), number(r.Inactive), since(r.Since, now), oneLine(r.Reason))
		}
	})
	for _, r := range v.Reals {
		printReal(w, r)
	}
	fmt.Fprintf(w, "\nalerts and what was before: monctl why virtual:%s, monctl history virtual:%s\n", v.Name, v.Name)
}

// printReal says what a table has no room for.
func printReal(w io.Writer, r control.Real) {
	if len(r.Orders) == 0 && len(r.Why) < 2 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n", r.Name)
	for _, o := range r.Orders {
		fmt.Fprintf(w, "  %s\n", orderLine(o))
	}
	for _, line := range r.Why[min(len(r.Why), 1):] { // the first is the line of the table
		fmt.Fprintf(w, "  %s\n", oneLine(line))
	}
}

func tierOf(r control.Real) string {
	if r.Left {
		return "(left)"
	}
	return r.Tier
}

func stateOf(r control.Real) string {
	if r.Held {
		return r.Phase + "?"
	}
	return r.Phase
}

func weightOf(r control.Real) string {
	text := strconv.Itoa(r.Weight)
	if !r.Left && r.Weight != r.Configured {
		text += " (" + strconv.Itoa(r.Configured) + ")"
	}
	return text
}

func number(n *int) string {
	if n == nil {
		return "-"
	}
	return strconv.Itoa(*n)
}

// virtuals are those of the daemon, for completion.
func (c *common) virtuals(cmd *cobra.Command) []control.Virtual {
	ctx, cancel := context.WithTimeout(cmd.Context(), patience)
	defer cancel()
	all, _ := c.client().Virtuals(ctx)
	return all.Virtuals
}

func (c *common) completeVirtual(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, noFiles
	}
	var offer []cobra.Completion
	for _, v := range c.virtuals(cmd) {
		offer = append(offer, cobra.CompletionWithDesc(v.Name, v.Status))
	}
	return startingWith(begun, offer), noFiles
}

// completeReal offers the targets of orders.
func (c *common) completeReal(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, noFiles
	}
	var offer []cobra.Completion
	seen := map[string]bool{}
	for _, v := range c.virtuals(cmd) {
		for _, r := range v.Reals {
			if !seen[r.Name] && !r.Left {
				offer = append(offer, cobra.CompletionWithDesc(r.Name, "in every virtual service"))
			}
			seen[r.Name] = true
			offer = append(offer, cobra.CompletionWithDesc(v.Name+"/"+r.Name, r.Phase))
		}
	}
	return startingWith(begun, offer), noFiles
}
