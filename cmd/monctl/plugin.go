package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// pluginCommand is for authors of plugins.
func pluginCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "begin and test monitors and alerts of your own",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("plugin has no verb %q; %w", args[0], errUsage)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(pluginNewCommand(), pluginTestCommand())
	return cmd
}
