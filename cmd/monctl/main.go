// Command monctl is the operator's command: it shows what mond sees, says why
// it did or did not act, checks configurations and steers the daemon. A file a
// verb. It holds no logic of its own: the daemon answers, the packages judge.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/engine/control"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is main without the process. 0: done; 1: refused or bad; 2: the command
// line makes no sense.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errSaid):
		return 1
	}
	fmt.Fprintf(stderr, "monctl: %s\n", plain(err.Error()))
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

var (
	// errSaid ends a verb that has already said what is wrong.
	errSaid = errors.New("see above")
	// errUsage marks a command line that makes no sense.
	errUsage = errors.New("monctl --help shows the verbs")
)

// misuse is an error about the command line of a verb; it is errUsage.
type misuse struct{ what, line string }

func (e misuse) Error() string        { return e.what + "\nusage: " + e.line }
func (e misuse) Is(target error) bool { return target == errUsage }

func misused(cmd *cobra.Command, format string, args ...any) error {
	return misuse{fmt.Sprintf(format, args...), cmd.UseLine()}
}

// common is what every verb may use.
type common struct {
	socket string
	json   bool
}

func (c *common) client() *control.Client { return control.Dial(c.socket) }

func newRoot() *cobra.Command {
	c := &common{}
	root := &cobra.Command{
		Use:           "monctl VERB",
		Short:         "look at mond, ask why, steer it",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&c.socket, "socket", defaultSocket(), "mond's control socket")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return misused(cmd, "%v", err) })
	root.PersistentFlags().BoolVar(&c.json, "json", false, "print JSON")
	holds(root, statusCommand(c), whyCommand(c), virtualCommand(c), ipvsCommand(c), vipCommand(c), failoverCommand(c), historyCommand(c), reportCommand(c),
		checkCommand(c), doctorCommand(c), realserverCommand(c), pluginCommand(c))
	root.AddCommand(c.textOnly(
		ackCommand(c), disableCommand(c), enableCommand(c), testCommand(c), stopCommand(c), startCommand(c),
		maintCommand(c), drainCommand(c), weightCommand(c), readyCommand(c),
		reloadCommand(c), showCommand(c), trapCommand(c), convertCommand(), formatCommand(), manCommand(), versionCommand(),
	)...)
	return root
}

// textOnly refuses --json for verbs that have none: no option is taken and
// ignored.
func (c *common) textOnly(verbs ...*cobra.Command) []*cobra.Command {
	for _, v := range verbs {
		v.PreRunE = func(cmd *cobra.Command, _ []string) error {
			if c.json {
				return misused(cmd, "--json: %s has nothing to print as JSON", cmd.Name())
			}
			return nil
		}
		c.textOnly(v.Commands()...)
	}
	return verbs
}

// holds makes cmd one that has verbs and does nothing itself: alone it shows
// them, any other word is an error.
func holds(cmd *cobra.Command, verbs ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(verbs...)
	cmd.SuggestionsMinimumDistance, cmd.DisableFlagsInUseLine = 2, true
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		text := fmt.Sprintf("no verb %q", args[0])
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			text += "; is it " + strings.Join(near, " or ") + "?"
		}
		return fmt.Errorf("%s; %w", text, errUsage)
	}
	return cmd
}

// wants checks the number of words of a verb.
func wants(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return misused(cmd, "want %s", what)
		}
		return nil
	}
}
