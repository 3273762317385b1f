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
		Use:   "monctl VERB",
		Short: "look at mond, ask why, steer it",
		Long: `Shows what mond sees, says why it acted or did not, judges configurations and steers the daemon, which it speaks to by a socket.
That is open to root, to mond's user and to its group. "monctl VERB --help" says what a verb does; names are completed from the running
daemon ("monctl completion --help").

The exit status is 0 when it is done and all is well, 1 when it was refused or what was looked at is not well, 2 when the command line
makes no sense.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&c.socket, "socket", defaultSocket(), "mond's control socket")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return misused(cmd, "%v", err) })
	root.PersistentFlags().BoolVar(&c.json, "json", false, "print JSON")
	holds(root)
	for _, g := range []struct {
		title string
		verbs []*cobra.Command
	}{
		{"What mond sees:", []*cobra.Command{statusCommand(c), whyCommand(c), historyCommand(c), reportCommand(c)}},
		{"Services:", c.textOnly(ackCommand(c), disableCommand(c), enableCommand(c), testCommand(c), stopCommand(c), startCommand(c), trapCommand(c))},
		{"Virtual services and their real servers:", append([]*cobra.Command{virtualCommand(c), ipvsCommand(c)}, c.textOnly(maintCommand(c), drainCommand(c), weightCommand(c))...)},
		{"Directors and addresses:", append([]*cobra.Command{vipCommand(c), failoverCommand(c), doctorCommand(c), realserverCommand(c)}, c.textOnly(readyCommand(c))...)},
		{"Configuration:", append([]*cobra.Command{checkCommand(c)}, c.textOnly(reloadCommand(c), convertCommand(), formatCommand())...)},
		{"Programs:", append([]*cobra.Command{pluginCommand(c)}, c.textOnly(showCommand(c), manCommand(), versionCommand())...)},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, v := range g.verbs {
			v.GroupID = g.title
		}
		root.AddCommand(g.verbs...)
	}
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), usageTwice, "", 1))
	root.SetHelpCommandGroupID("Programs:")
	root.SetCompletionCommandGroupID("Programs:")
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, v := range root.Commands() {
		switch v.Name() {
		case "help":
			v.Short = "say what a verb does"
		case "completion":
			v.Short = "print what completes names in a shell"
		}
	}
	return root
}

// usageTwice is what cobra's template says of a command that has verbs, beside the
// line of its own.
const usageTwice = "{{if .HasAvailableSubCommands}}\n  {{.CommandPath}} [command]{{end}}"

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
