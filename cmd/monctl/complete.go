package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/engine/control"
)

// patience is how long a shell waits for completions.
const patience = time.Second

// What the shell offers comes from the running daemon. Without one it offers
// nothing and says nothing: the verb itself will.

const noFiles = cobra.ShellCompDirectiveNoFileComp

// rows are the services of the running daemon.
func (c *common) rows(cmd *cobra.Command) []control.Service {
	ctx, cancel := context.WithTimeout(cmd.Context(), patience)
	defer cancel()
	rows, _ := c.client().Services(ctx)
	return rows
}

// completeService offers the services as the first word.
func (c *common) completeService(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, noFiles
	}
	return startingWith(begun, serviceNames(c.rows(cmd))), noFiles
}

// completeFirst offers watches and services as the first word.
func (c *common) completeFirst(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, noFiles
	}
	return c.completeNames(cmd, args, begun)
}

// completeNames offers watches and services as any word.
func (c *common) completeNames(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	rows := c.rows(cmd)
	return startingWith(begun, append(groupNames(rows), serviceNames(rows)...)), noFiles
}

// completeToggle offers what disable and enable take. Of hosts only those that
// are disabled are known here.
func (c *common) completeToggle(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var offer []cobra.Completion
	switch {
	case len(args) == 0:
		offer = append(serviceNames(c.rows(cmd)), "watch\ta whole watch", "host\ta host, wherever it is checked")
	case len(args) == 1 && args[0] == "watch":
		offer = groupNames(c.rows(cmd))
	case len(args) == 1 && args[0] == "host":
		offer = c.disabledHosts(cmd)
	}
	return startingWith(begun, offer), noFiles
}

func (c *common) disabledHosts(cmd *cobra.Command) []cobra.Completion {
	ctx, cancel := context.WithTimeout(cmd.Context(), patience)
	defer cancel()
	d, _ := c.client().Daemon(ctx)
	var out []cobra.Completion
	for _, host := range slices.Sorted(maps.Keys(d.Hosts)) {
		out = append(out, cobra.CompletionWithDesc(host, "disabled "+by(d.Hosts[host])))
	}
	return out
}

func serviceNames(rows []control.Service) []cobra.Completion {
	var out []cobra.Completion
	for _, r := range rows {
		out = append(out, cobra.CompletionWithDesc(r.Group+":"+r.Service, statusWord(r)))
	}
	return out
}

func groupNames(rows []control.Service) []cobra.Completion {
	var out []cobra.Completion
	n := map[string]int{}
	for _, r := range rows {
		n[r.Group]++
	}
	for _, r := range rows {
		if n[r.Group] > 0 {
			out = append(out, cobra.CompletionWithDesc(r.Group, fmt.Sprintf("watch of %s", count(n[r.Group], "service"))))
			n[r.Group] = 0
		}
	}
	return out
}

func startingWith(begun string, offer []cobra.Completion) []cobra.Completion {
	return slices.DeleteFunc(offer, func(o string) bool { return !strings.HasPrefix(o, begun) })
}
