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
	fmt.Fprintf(stderr, "monctl: %v\n", err)
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

// common is what every verb may use.
type common struct {
	socket string
	json   bool
}

func (c *common) client() *control.Client { return control.Dial(c.socket) }

func newRoot() *cobra.Command {
	c := &common{}
	root := &cobra.Command{
		Use:           "monctl",
		Short:         "look at mond, ask why, steer it",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&c.socket, "socket", defaultSocket(), "mond's control socket")
	root.PersistentFlags().BoolVar(&c.json, "json", false, "print JSON")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w; %w", err, errUsage) })
	root.AddCommand(
		statusCommand(c), whyCommand(c), checkCommand(c), ackCommand(c), disableCommand(c), enableCommand(c),
		testCommand(c), stopCommand(c), startCommand(c), reloadCommand(c), showCommand(c), pluginCommand(), manCommand(), versionCommand(),
	)
	return root
}

// wants checks the number of words of a verb.
func wants(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("want %s; %w", what, errUsage)
		}
		return nil
	}
}
