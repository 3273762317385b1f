package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/engine/control"
)

func ackCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "ack GROUP:SERVICE COMMENT...",
		Short: "acknowledge a failure: no more alerts until it recovers",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return fmt.Errorf("want GROUP:SERVICE and a comment; %w", errUsage)
			}
			group, service, err := split(args[0])
			if err != nil {
				return err
			}
			return c.client().Do(cmd.Context(), control.Remark{Text: strings.Join(args[1:], " ")}, "services", group, service, "ack")
		},
	}
}

func disableCommand(c *common) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "disable {GROUP:SERVICE | watch GROUP | host HOST}",
		Short: "silence a service, a watch, or leave a host out of all checks",
		RunE:  func(cmd *cobra.Command, args []string) error { return c.toggle(cmd, args, "disable", reason) },
	}
	cmd.Flags().StringVarP(&reason, "reason", "r", "", "why, for those who look later")
	return cmd
}

func enableCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "enable {GROUP:SERVICE | watch GROUP | host HOST}",
		Short: "undo disable",
		RunE:  func(cmd *cobra.Command, args []string) error { return c.toggle(cmd, args, "enable", "") },
	}
}

// toggle disables or enables what the words name.
func (c *common) toggle(cmd *cobra.Command, args []string, action, reason string) error {
	m := control.Remark{Text: reason}
	switch {
	case len(args) == 1:
		group, service, err := split(args[0])
		if err != nil {
			return err
		}
		return c.client().Do(cmd.Context(), m, "services", group, service, action)
	case len(args) == 2 && args[0] == "watch":
		return c.client().Do(cmd.Context(), m, "watches", args[1], action)
	case len(args) == 2 && args[0] == "host":
		return c.client().Do(cmd.Context(), m, "hosts", args[1], action)
	}
	return fmt.Errorf("want GROUP:SERVICE, watch GROUP or host HOST; %w", errUsage)
}

func testCommand(c *common) *cobra.Command {
	cmd := &cobra.Command{Use: "test", Short: "check a service now, or try its alerts"}
	cmd.AddCommand(&cobra.Command{
		Use:   "monitor GROUP:SERVICE",
		Short: "check a service now",
		Args:  wants(1, "one GROUP:SERVICE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			group, service, err := split(args[0])
			if err != nil {
				return err
			}
			return c.client().Do(cmd.Context(), control.Remark{}, "services", group, service, "test")
		},
	})
	var kind string
	alerts := &cobra.Command{
		Use:   "alert GROUP:SERVICE PERIOD",
		Short: "call the alerts of a period with test texts; keepers such as lvs.alert are left alone",
		Args:  wants(2, "GROUP:SERVICE and PERIOD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			group, service, err := split(args[0])
			if err != nil {
				return err
			}
			return c.client().Do(cmd.Context(), control.Remark{Kind: kind, Period: args[1]}, "services", group, service, "test-alert")
		},
	}
	alerts.Flags().StringVar(&kind, "kind", "failure", "failure, up, startup, ack or disable")
	cmd.AddCommand(alerts)
	return cmd
}

func stopCommand(c *common) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "stop",
		Short: "stop the scheduler: no checks, no alerts; tables stay as they are",
		Args:  wants(0, "no words"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.client().Do(cmd.Context(), control.Remark{Text: reason}, "scheduler", "stop")
		},
	}
	cmd.Flags().StringVarP(&reason, "reason", "r", "", "why, for those who look later")
	return cmd
}

func startCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "start",
		Short: "start the scheduler again",
		Args:  wants(0, "no words"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.client().Do(cmd.Context(), control.Remark{}, "scheduler", "start")
		},
	}
}

func reloadCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "read the configuration again; a bad one changes nothing",
		Args:  wants(0, "no words"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.client().Do(cmd.Context(), control.Remark{}, "reload")
		},
	}
}

func showCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "show PROGRAM TOPIC",
		Short: "ask a resident plugin about itself, such as: show lvs.alert table",
		Args:  wants(2, "PROGRAM and TOPIC"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := c.client().Show(cmd.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), strings.TrimRight(text, "\n"))
			return err
		},
	}
}
