package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/engine/control"
)

func ackCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "ack GROUP:SERVICE COMMENT...",
		Short: "acknowledge a failure: no more alerts until it recovers",
		Long: `Acknowledges a failure: its service alerts no more until it recovers.

With two directors the other one acknowledges it as well, if the service fails there, too, or does so at its next check there. It ends
on each of them when the service recovers there.`,
		ValidArgsFunction: c.completeService,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return misused(cmd, "want GROUP:SERVICE and a comment")
			}
			return c.onService(cmd, args[0], "ack", control.Remark{Text: strings.Join(args[1:], " ")})
		},
	}
}

// onService does something to the service that word names.
func (c *common) onService(cmd *cobra.Command, word, action string, m control.Remark) error {
	key, err := keyOf(cmd, word)
	if err != nil {
		return err
	}
	return c.client().Do(cmd.Context(), m, "services", key.Group, key.Service, action)
}

// noteFlag is the option of those who leave a word.
func noteFlag(cmd *cobra.Command, note *string) {
	cmd.Flags().StringVarP(note, "note", "n", "", "why, for those who look later")
}

const whatToggles = "GROUP:SERVICE, watch GROUP or host HOST"

func disableCommand(c *common) *cobra.Command {
	var note string
	cmd := &cobra.Command{
		Use:   "disable {GROUP:SERVICE | watch GROUP | host HOST}",
		Short: "silence a service, a watch, or leave a host out of all checks",
		Long: `Silences a service or a watch - it is checked on, nobody is told - or leaves a host out of all checks, until enable. With two
directors it is so on both, whichever of them is told.`,
		ValidArgsFunction: c.completeToggle,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.toggle(cmd, args, "disable", note) },
	}
	noteFlag(cmd, &note)
	return cmd
}

func enableCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:               "enable {GROUP:SERVICE | watch GROUP | host HOST}",
		Short:             "undo disable",
		ValidArgsFunction: c.completeToggle,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.toggle(cmd, args, "enable", "") },
	}
}

// toggle disables or enables what the words name.
func (c *common) toggle(cmd *cobra.Command, args []string, action, note string) error {
	m := control.Remark{Text: note}
	switch {
	case len(args) == 1 && strings.ContainsAny(args[0], ":,"):
		return c.onService(cmd, args[0], action, m)
	case len(args) == 2 && args[1] == "":
	case len(args) == 2 && args[0] == "watch":
		return c.client().Do(cmd.Context(), m, "watches", args[1], action)
	case len(args) == 2 && args[0] == "host":
		return c.client().Do(cmd.Context(), m, "hosts", args[1], action)
	}
	return misused(cmd, "want %s", whatToggles)
}

func testCommand(c *common) *cobra.Command {
	return holds(&cobra.Command{Use: "test VERB", Short: "check a service now, or try its alerts"}, testMonitorCommand(c), testAlertCommand(c))
}

func testMonitorCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:               "monitor GROUP:SERVICE",
		Short:             "check a service now",
		Args:              wants(1, "one GROUP:SERVICE"),
		ValidArgsFunction: c.completeService,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.onService(cmd, args[0], "test", control.Remark{})
		},
	}
}

func testAlertCommand(c *common) *cobra.Command {
	kinds := []string{"failure", "up", "startup", "ack", "disable"}
	var kind string
	var exit int
	cmd := &cobra.Command{
		Use:               "alert GROUP:SERVICE PERIOD",
		Short:             "call the alerts of a period with test texts; keepers such as lvs.alert are left alone",
		Args:              wants(2, "GROUP:SERVICE and PERIOD"),
		ValidArgsFunction: c.completeService,
		RunE: func(cmd *cobra.Command, args []string) error {
			m := control.Remark{Kind: kind, Period: args[1]}
			if cmd.Flags().Changed("exit") {
				m.Exit = &exit
			}
			return c.onService(cmd, args[0], "test-alert", m)
		},
	}
	cmd.Flags().StringVar(&kind, "kind", kinds[0], strings.Join(kinds, ", "))
	cmd.Flags().IntVar(&exit, "exit", 0, "the exit status that they are told of (default: that of the last check)")
	_ = cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(kinds, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
	return cmd
}

func stopCommand(c *common) *cobra.Command {
	var note string
	cmd := &cobra.Command{
		Use:   "stop",
		Short: "stop the scheduler: no checks, no alerts; tables stay as they are",
		Args:  wants(0, "no words"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.client().Do(cmd.Context(), control.Remark{Text: note}, "scheduler", "stop")
		},
	}
	noteFlag(cmd, &note)
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
			return printPlain(cmd.OutOrStdout(), strings.TrimRight(text, "\n")+"\n")
		},
	}
}
