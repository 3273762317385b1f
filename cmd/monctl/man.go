package main

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml"
)

// manCommand writes the manual pages from what the programs themselves know,
// so that they cannot disagree.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "man {mon.cf | mond.toml | monctl DIR}",
		Short:     "write manual pages: mon.cf(5) or mond.toml(5) to the terminal, monctl(1) into a folder",
		ValidArgs: []string{"mon.cf", "mond.toml", "monctl"},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 1 && args[0] == "mon.cf":
				return config.WriteMan(cmd.OutOrStdout())
			case len(args) == 1 && args[0] == "mond.toml":
				return toml.WriteMan(cmd.OutOrStdout())
			case len(args) == 2 && args[0] == "monctl":
				return writeMan(cmd.Root(), args[1])
			}
			return misused(cmd, "want mon.cf, mond.toml, or monctl DIR")
		},
	}
}

// writeMan writes a page for each verb. They say the same wherever and
// whenever they are made: one date, and the socket of root.
func writeMan(root *cobra.Command, dir string) error {
	date := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range root.Commands() {
		c.Hidden = c.Hidden || c.Name() == "completion"
	}
	root.DisableAutoGenTag = true
	root.PersistentFlags().Lookup("socket").DefValue = "/run/mond/control.sock"
	return doc.GenManTree(root, &doc.GenManHeader{Title: "MONCTL", Section: "1", Source: "mond", Date: &date}, dir)
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
