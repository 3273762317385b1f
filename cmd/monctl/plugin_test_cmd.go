package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/plugins/plugintest"
)

func pluginTestCommand() *cobra.Command {
	o := plugintest.Options{}
	classic, asJSON := false, false
	cmd := &cobra.Command{
		Use:   "test FILE [flags] [-- ARGUMENT...]",
		Short: "try a monitor or an alert in every way that mond may use it",
		Long: `Runs the program FILE, whose name ends in .monitor or .alert, in every way that mon and mond may use it, and
says what to do where it does not hold: exit status 0 if all holds, 1 if not.

The ARGUMENTs are the words that follow the name in mon.cf. With them, and the hosts named by --host, a monitor
must come to a verdict. An alert must succeed: it really tells, some twenty times, and one that keeps something
(lvs.alert) really keeps it. Name a recipient, or a table, that is there for that.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			file, rest, err := fileAndArguments(args, cmd.ArgsLenAtDash())
			if err != nil {
				return err
			}
			o.Path, o.Args = file, rest
			if classic {
				o.Mode = plugintest.ClassicOnly
			}
			return tryPlugin(cmd, o, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.Hosts, "host", nil, "a host for a monitor to look at, up or down; may be repeated (default 127.0.0.1)")
	f.BoolVar(&o.NoHosts, "no-hosts", false, "it looks at no hosts (;; in mon.cf)")
	f.StringArrayVar(&o.Down, "down", nil, "a host that a monitor must find failing; may be repeated")
	f.StringVar(&o.Silent, "silent", "", "a host that never answers")
	f.DurationVar(&o.Limit, "limit", 0, "how long a check of a silent host may take (default 10s)")
	f.BoolVar(&classic, "classic", false, "try it as a classic program only")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// fileAndArguments divides the words at "--", which comes after dash of them,
// or not at all (-1).
func fileAndArguments(args []string, dash int) (file string, rest []string, err error) {
	if dash < 0 {
		dash = len(args)
	}
	if dash != 1 {
		return "", nil, fmt.Errorf("want one FILE, and -- before its arguments; %w", errUsage)
	}
	return args[0], args[1:], nil
}

// tryPlugin prints what was found as it is found.
func tryPlugin(cmd *cobra.Command, o plugintest.Options, asJSON bool) error {
	out := cmd.OutOrStdout()
	if !asJSON {
		o.Each = func(one plugintest.Case) { _, _ = io.WriteString(out, one.String()) }
	}
	r, err := plugintest.Check(cmd.Context(), o)
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(out, r)
	} else {
		_, err = fmt.Fprintln(out, r.Summary())
	}
	if err == nil && !r.OK() {
		err = errSaid
	}
	return err
}
