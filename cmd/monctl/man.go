package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/mondhq/mond/engine/config"
)

// manCommand writes the manual pages from what the programs themselves know,
// so that they cannot disagree.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "man {mon.cf | monctl DIR}",
		Short:     "write manual pages: mon.cf(5) to the terminal, monctl(1) into a folder",
		ValidArgs: []string{"mon.cf", "monctl"},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 1 && args[0] == "mon.cf":
				return config.WriteMan(cmd.OutOrStdout())
			case len(args) == 2 && args[0] == "monctl":
				return doc.GenManTree(cmd.Root(), &doc.GenManHeader{Title: "MONCTL", Section: "1", Source: "mond"}, args[1])
			}
			return misused(cmd, "want mon.cf, or monctl DIR")
		},
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Args:  wants(0, "no words"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				v = info.Main.Version
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "monctl", v)
			return err
		},
	}
}
