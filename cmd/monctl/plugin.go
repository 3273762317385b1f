package main

import "github.com/spf13/cobra"

// pluginCommand is for authors of plugins.
func pluginCommand(c *common) *cobra.Command {
	return holds(&cobra.Command{
		Use:   "plugin VERB",
		Short: "begin and test monitors and alerts of your own",
	}, append(c.textOnly(pluginNewCommand()), pluginTestCommand())...)
}
