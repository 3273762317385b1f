package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/engine/steer"
)

// targets is what the orders say of their targets.
const targets = `TARGET is REAL - the name of a real server, its address, or address:port - which means it in every virtual
service, or VIRTUAL/REAL, which means it in that one. An order is kept over restarts and reloads of mond until it ends: after the
time of --for, or by --end with the same TARGET. One for a real server that leaves the configuration stays, and counts again if that
comes back; monctl virtual shows it until then. A second order of the same kind for the same TARGET replaces the first. Who gave the
order is the user that monctl runs as.

With two directors (heartbeat.monitor with a peer) an order holds on both, and can be ended on either; on the other one it is shown
with who gave it and where, as ann@lvs1. A director that was away learns of orders, and of their ends, when it is back.`

// ordering are the options that orders share.
type ordering struct {
	end   bool
	lasts string // --for
	note  string
}

func (o *ordering) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.end, "end", false, "end the order")
	f.StringVar(&o.lasts, "for", "", "end it by itself after this time, such as 90s, 10m, 2h or 1d (default: never)")
	noteFlag(cmd, &o.note)
}

// request is the order as the options have it.
func (o *ordering) request(cmd *cobra.Command, what, target string) (control.OrderRequest, error) {
	r := control.OrderRequest{What: what, Target: target, End: o.end, Text: o.note}
	if o.end && o.lasts != "" {
		return r, misused(cmd, "--for says when an order ends by itself, --end ends it now: want one of them")
	}
	if o.lasts == "" {
		return r, nil
	}
	d, err := config.Timeval(o.lasts)
	if err != nil || d <= 0 {
		return r, misused(cmd, "--for %q: want a time such as 90s, 10m, 2h or 1d", o.lasts)
	}
	r.For = d.Seconds()
	return r, nil
}

func maintCommand(c *common) *cobra.Command {
	var o ordering
	cmd := &cobra.Command{
		Use:   "maint TARGET",
		Short: "take a real server out of the table for maintenance",
		Long: `Takes a real server out of the table at once, whatever its checks say: the kernel drops its connections. Nothing but the
end of the order brings it back: no check, no panic, no standby tier. monctl drain lets its clients finish first. A real server of
on_fail quiesce stays in the table with weight 0 instead, as when it fails: its connections go on.

` + targets + `

A file of the real server's name in the directory of maintenance_dir (as ldirectord has it: its address or name, with or without
:port), and a maintenance_at in the configuration, do the same; those end when the file is removed, and with the period. They are of this director alone: a file is not told to the other
one, and the configuration is its own.`,
		Example:           "  monctl maint www2 --for 2h --note 'new disk'\n  monctl maint shop/192.168.0.2:80\n  monctl maint www2 --end",
		Args:              wants(1, "one TARGET"),
		ValidArgsFunction: c.completeReal,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := o.request(cmd, steer.Maint, args[0])
			if err != nil {
				return err
			}
			return c.client().Order(cmd.Context(), r)
		},
	}
	o.flags(cmd)
	return cmd
}

func drainCommand(c *common) *cobra.Command {
	var o ordering
	var deadline string
	cmd := &cobra.Command{
		Use:   "drain TARGET",
		Short: "let a real server finish what it has, then take it out of the table",
		Long: `Gives a real server weight 0, so that no new client comes to it, waits until it has had no connection for a while (the
idle of the virtual service's drain), and then takes it out of the table; at the deadline it is taken out even so. Clients bound to it by
persistence still come to it while it drains. It stays out until the order ends.

` + targets,
		Example:           "  monctl drain www2 --note 'new kernel'\n  monctl drain shop/www2 --deadline 10m\n  monctl drain www2 --deadline forever\n  monctl drain www2 --end",
		Args:              wants(1, "one TARGET"),
		ValidArgsFunction: c.completeReal,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := o.request(cmd, steer.Drain, args[0])
			if err != nil {
				return err
			}
			if r.Deadline, err = deadlineOf(cmd, deadline, o.end); err != nil {
				return err
			}
			return c.client().Order(cmd.Context(), r)
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&deadline, "deadline", "", "take it out after this time even with connections, or forever (default: that of the virtual service)")
	return cmd
}

// deadlineOf is a deadline in seconds, -1 for none.
func deadlineOf(cmd *cobra.Command, text string, end bool) (float64, error) {
	switch {
	case text == "":
		return 0, nil
	case end:
		return 0, misused(cmd, "--deadline means nothing with --end")
	case text == "forever":
		return -1, nil
	}
	d, err := config.Timeval(text)
	if err != nil || d <= 0 {
		return 0, misused(cmd, "--deadline %q: want a time such as 90s, 10m or 2h, or forever", text)
	}
	return d.Seconds(), nil
}

func weightCommand(c *common) *cobra.Command {
	var o ordering
	cmd := &cobra.Command{
		Use:   "weight TARGET {N | --end}",
		Short: "give a real server a weight",
		Long: `Gives a real server a weight, 0 to 65535, for as long as it serves: at once, without a ramp, and whatever the configuration
and its checks ask for. 0 quiesces it: no new client comes, those that are connected stay. It is taken out all the same when its
checks fail. For a quorum it counts with that weight, but not more than the configured one.

` + targets,
		Example:           "  monctl weight www2 1 --for 30m --note 'is it the disk?'\n  monctl weight www2 --end",
		ValidArgsFunction: c.completeReal,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.end != (len(args) == 1) || len(args) < 1 || len(args) > 2 {
				return misused(cmd, "want TARGET and a weight, or TARGET and --end")
			}
			r, err := o.request(cmd, steer.Weight, args[0])
			if err != nil {
				return err
			}
			if !o.end {
				if r.Weight, err = strconv.Atoi(args[1]); err != nil {
					return misused(cmd, "%q is no weight", args[1])
				}
			}
			return c.client().Order(cmd.Context(), r)
		},
	}
	o.flags(cmd)
	return cmd
}

// orderLine is an order in words, such as "maint by ann since ..., until ...:
// new disk".
func orderLine(o control.Order) string {
	text := o.What
	if o.Weight != nil {
		text += fmt.Sprintf(" %d", *o.Weight)
	}
	switch o.Source {
	case "command":
		if o.By != "" {
			text += " by " + o.By
		}
	default:
		text += " by " + o.Source + " " + o.By
	}
	if o.At != nil {
		text += " since " + o.At.Format(timeForm)
	}
	if o.Until != nil {
		text += " until " + o.Until.Format(timeForm)
	}
	switch {
	case o.Deadline == -1:
		text += ", no deadline"
	case o.Deadline > 0:
		text += ", deadline " + span(o.Deadline)
	}
	if o.Text != "" {
		text += ": " + oneLine(o.Text)
	}
	return strings.TrimSpace(text)
}
