package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	trapalert "github.com/mondhq/mond/alerts/trap"
	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/credential"
	"github.com/mondhq/mond/plugins/trap"
)

const (
	// trapPatience is how long a trap may take to all hosts together.
	trapPatience = 10 * time.Second
	// noStatus stands for a --status that was not given: neither success nor
	// failure is a good guess.
	noStatus = -1
	// maxStatus is the largest exit status.
	maxStatus = 255
)

// trapOptions are those of the verb.
type trapOptions struct {
	group, service, summary, detail, user string
	status                                int
	passwordOf                            string
}

// trapCommand sends a trap, to mond or to mon.
func trapCommand(c *common) *cobra.Command {
	var o trapOptions
	cmd := &cobra.Command{
		Use:   "trap --group GROUP --service SERVICE --status N HOST[:PORT]...",
		Short: "report the status of a service to mond or mon on other hosts, or on this one",
		Long: `Sends mon's trap, one UDP packet that nobody answers, to each HOST (port 2583 if none is given). The service there takes
the status, and alerts are called, as if a monitor had ended with it: 0 is success, anything else a failure.

The text is read from standard input if there is no --summary: its first line is the summary, the rest the detail, as
monitors print them. With --summary, "--detail -" reads the detail from there.

The name to send by is that of -U, or of MON_TRAP_USER in the environment; its password is MON_TRAP_PASS in the
environment, or the first line of --password-file. It goes over the network in clear. That it was sent does not mean
that it was taken: what is refused stands in the log of the daemon there.`,
		Example: "  monctl trap --group db --service backup --status 0 --summary done mon.example.com\n" +
			"  MON_TRAP_PASS=secret monctl trap -U db1 --group db --service disk --status 1 mon1 mon2 <report",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			addresses, err := o.validate(cmd, args)
			if err != nil {
				return err
			}
			packet, err := o.packet(cmd)
			if err != nil {
				return err
			}
			return sendTraps(cmd.Context(), addresses, packet)
		},
	}
	o.flags(cmd, c)
	return cmd
}

func (o *trapOptions) flags(cmd *cobra.Command, c *common) {
	f := cmd.Flags()
	f.StringVar(&o.group, "group", "", "`GROUP` of the service, as it is called there")
	f.StringVar(&o.service, "service", "", "`SERVICE` to report on")
	f.IntVar(&o.status, "status", noStatus, "its status, `N` from 0 to 255: 0 is success")
	f.StringVar(&o.summary, "summary", "", "`TEXT` in a line, such as the names of the hosts that fail")
	f.StringVar(&o.detail, "detail", "", "more `TEXT`; - reads it from standard input")
	f.StringVarP(&o.user, "user", "U", "", "`NAME` to send by (default: MON_TRAP_USER in the environment)")
	f.StringVar(&o.passwordOf, "password-file", "", "`FILE` whose first line is the password (default: MON_TRAP_PASS in the environment)")
	f.Lookup("status").DefValue = "0" // none: pflag prints no default then
	complete := func(flag string, names func([]control.Service) []cobra.Completion) {
		_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return startingWith(begun, names(c.rows(cmd))), noFiles
		}) // the flag is there
	}
	complete("group", groupNames)
	complete("service", func(rows []control.Service) (all []cobra.Completion) {
		for _, r := range rows {
			if o.group == "" || r.Group == o.group {
				all = append(all, r.Service)
			}
		}
		return all
	})
}

// validate judges the line and answers where to send to.
func (o *trapOptions) validate(cmd *cobra.Command, hosts []string) (addresses []string, err error) {
	switch {
	case len(hosts) == 0:
		return nil, misused(cmd, "want a HOST to send to")
	case o.group == "" || o.service == "":
		return nil, misused(cmd, "want --group and --service")
	case !cmd.Flags().Changed("status"):
		return nil, misused(cmd, "want --status: 0 is success, anything else a failure")
	case o.status < 0 || o.status > maxStatus:
		return nil, misused(cmd, "--status %d: want a number from 0 to %d", o.status, maxStatus)
	case !cmd.Flags().Changed("summary") && o.detail != "":
		return nil, misused(cmd, "--detail without --summary")
	}
	for _, h := range hosts {
		a, err := trapalert.Address(h)
		if err != nil {
			return nil, misused(cmd, "%v", err)
		}
		addresses = append(addresses, a)
	}
	return addresses, nil
}

// packet is what is sent.
func (o *trapOptions) packet(cmd *cobra.Command) ([]byte, error) {
	t := trap.Trap{
		User:  cmp.Or(o.user, os.Getenv("MON_TRAP_USER")),
		Group: o.group, Service: o.service, Status: o.status, HasStatus: true, OpStatus: opstatus.OK.Number(),
		Time: time.Now(),
	}
	if o.status != 0 {
		t.OpStatus = opstatus.Fail.Number()
	}
	var err error
	if t.Password, err = o.password(); err != nil {
		return nil, err
	}
	if t.User == "" && t.Password != "" {
		return nil, misused(cmd, "a password without a name: want -U")
	}
	if t.Summary, t.Detail, err = o.text(cmd); err != nil {
		return nil, err
	}
	return trapalert.Pack(t)
}

func (o *trapOptions) password() (string, error) {
	if o.passwordOf == "" {
		return os.Getenv("MON_TRAP_PASS"), nil
	}
	file := credential.File(o.passwordOf)
	text, err := file.Read()
	if err != nil {
		return "", fmt.Errorf("--password-file: %w", err)
	}
	return text, nil
}

// text is summary and detail, from the options or from standard input.
func (o *trapOptions) text(cmd *cobra.Command) (summary, detail string, err error) {
	given := cmd.Flags().Changed("summary")
	if given && o.detail != "-" {
		return o.summary, o.detail, nil
	}
	in := cmd.InOrStdin()
	if f, ok := in.(*os.File); ok && !given && term.IsTerminal(int(f.Fd())) {
		return "", "", misused(cmd, "want --summary, or a text on standard input")
	}
	// More than a packet takes, so that what is cut is seen to be.
	text, err := io.ReadAll(io.LimitReader(in, 2*trap.MaxPacket))
	if err != nil {
		return "", "", fmt.Errorf("read standard input: %w", err)
	}
	if given {
		return o.summary, strings.TrimSuffix(string(text), "\n"), nil
	}
	summary, detail, _ = strings.Cut(string(text), "\n")
	return strings.TrimSuffix(summary, "\r"), strings.TrimSuffix(detail, "\n"), nil
}

// sendTraps sends to each; one that fails does not keep the others from theirs.
func sendTraps(ctx context.Context, addresses []string, packet []byte) error {
	ctx, cancel := context.WithTimeout(ctx, trapPatience)
	defer cancel()
	var errs []error
	for _, a := range addresses {
		errs = append(errs, trapalert.Send(ctx, a, packet))
	}
	return errors.Join(errs...)
}
