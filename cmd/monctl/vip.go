package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/plugins/role"
)

// vipCommand shows who holds which addresses.
func vipCommand(c *common) *cobra.Command {
	var sent bool
	cmd := &cobra.Command{
		Use:   "vip",
		Short: "show the groups of addresses: whether they are held here, until when, and why",
		Long: `Shows a line for each group of addresses that this director and its peer may hold: whether it is held here, how many of its
addresses the kernel has, when it removes them if nobody renews them, the epoch, and why. An epoch grows with every change of who holds
the group: of two directors that both say "here" the one with the higher epoch is right. Below stand the peer, the links to it, and the witness if there is one; monctl show of the
service that decides tells more of each.
Where another program moves addresses (role_source) it says so, and shows the peer and the links only.
With --sent it also shows what the program that holds the addresses says it has done and announced.
The exit status is 0 if every group is as it is to be, 1 if not, or if what decides about them does not run.`,
		Args: wants(0, "no words"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := c.client().Roles(cmd.Context())
			if err != nil {
				return err
			}
			if c.json {
				err = printJSON(cmd.OutOrStdout(), r)
			} else {
				err = c.printRoles(cmd, r, sent)
			}
			if err == nil && (slices.ContainsFunc(r.Groups, func(g control.Role) bool { return !asItShould(g) }) || slices.ContainsFunc(r.Services, sightless)) {
				return errSaid
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&sent, "sent", false, "show what the holder did and announced")
	return cmd
}

// sightless reports whether s is what is to decide and cannot.
func sightless(s control.Service) bool { return s.Group != "mond" && s.Blind != nil }

// asItShould reports whether what is held is what is to be held.
func asItShould(g control.Role) bool {
	switch {
	case g.Error != "":
		return false
	case g.Held == nil:
		return g.State != "hold"
	case g.State == "hold":
		return *g.Held == g.Total
	}
	return g.State == "unknown" || *g.Held == 0
}

func (c *common) printRoles(cmd *cobra.Command, r control.Roles, sent bool) error {
	w := cmd.OutOrStdout()
	var b strings.Builder
	printRoles(&b, r, time.Now())
	if _, err := io.WriteString(w, clip(plain(b.String()), widthOf(w))); err != nil || !sent {
		return err
	}
	var holders []string
	for _, g := range r.Groups {
		if !slices.Contains(holders, g.Holder) {
			holders = append(holders, g.Holder)
		}
	}
	for _, name := range holders {
		text, err := c.client().Show(cmd.Context(), name, "vip")
		if err != nil {
			return err
		}
		if err := printPlain(w, "\n"+name+":\n"+indent(text)); err != nil {
			return err
		}
	}
	return nil
}

func printRoles(w io.Writer, r control.Roles, now time.Time) {
	switch {
	case elsewhere(r):
		fmt.Fprintf(w, "%s decides who holds addresses (role_source): mond moves none by a role, and only looks\n", r.Source)
		printOfPair(w, r.Services, now)
		return
	case len(r.Groups) == 0:
		fmt.Fprintln(w, "the configuration has no service that decides about directors (its monitor would be heartbeat.monitor)")
		return
	}
	table(w, "GROUP\tADDRESSES\tHERE\tKERNEL\tEXPIRES\tEPOCH\tSINCE\tWHY", func(t io.Writer) {
		for _, g := range r.Groups {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", g.Group, firstOf(g.Addresses), hereOf(g), heldOf(g), expiresOf(g, now), g.Epoch,
				since(g.Since, now), oneLine(whyOf(g, r.Services)))
		}
	})
	for _, g := range r.Groups {
		if g.Error != "" {
			fmt.Fprintf(w, "  %s: %s\n", g.Group, oneLine(g.Error))
		}
		if o := g.Order; o != nil {
			fmt.Fprintf(w, "  %s: ordered: %s\n", g.Group, roleOrder(*o))
		}
	}
	printOfPair(w, r.Services, now)
}

// elsewhere reports whether the word of another program counts. A daemon that
// does not say is one whose own does.
func elsewhere(r control.Roles) bool {
	return r.Source != "" && r.Source != config.SourceMond.String()
}

// printOfPair prints the services that tell of a pair of directors.
func printOfPair(w io.Writer, services []control.Service, now time.Time) {
	if len(services) == 0 {
		return
	}
	fmt.Fprintln(w)
	table(w, "SERVICE\tSTATUS\tSINCE\tSUMMARY", func(t io.Writer) {
		for _, s := range services {
			name := s.Service
			if s.Group != "mond" {
				name = s.Group + ":" + name
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", name, statusWord(s), since(s.Since, now), remark(s))
		}
	})
}

// whyOf is the reason of the last token; a director that had none yet says by a
// service how it stands.
func whyOf(g control.Role, services []control.Service) string {
	if g.Reason != "" {
		return g.Reason
	}
	i := slices.IndexFunc(services, func(s control.Service) bool { return s.Service == "role-"+g.Group })
	if i < 0 {
		return ""
	}
	return services[i].Summary
}

// hereOf says whether a group is to be held here. One that nothing was decided
// about yet is not, unless the kernel has some of it.
func hereOf(g control.Role) string {
	switch {
	case g.State == "hold":
		return "yes"
	case g.State == "release", g.Held != nil && *g.Held == 0:
		return "no"
	}
	return "?"
}

func heldOf(g control.Role) string {
	if g.Held == nil {
		return "?"
	}
	return fmt.Sprintf("%d/%d", *g.Held, g.Total)
}

// expiresOf is when the kernel removes the first address if nobody renews it.
func expiresOf(g control.Role, now time.Time) string {
	switch {
	case g.Permanent:
		return "never"
	case g.Expires == nil:
		return "-"
	}
	return span(max(g.Expires.Sub(now).Seconds(), 0))
}

func roleOrder(o control.RoleOrder) string {
	text := o.Verb
	if o.All {
		text += " (all groups)"
	}
	if o.By != "" {
		text += " by " + o.By
	}
	if o.At != nil {
		text += " since " + o.At.Format(timeForm)
	}
	if o.Text != "" {
		text += ": " + oneLine(o.Text)
	}
	return text
}

// failoverCommand orders what is to become of groups of addresses.
func failoverCommand(c *common) *cobra.Command {
	var note string
	var verbs []string
	for _, v := range role.Verbs() {
		verbs = append(verbs, string(v))
	}
	cmd := &cobra.Command{
		Use:   "failover [hold|release|standby|off|auto [GROUP]]",
		Short: "take addresses from the other director, give them to it, or leave it to the rules",
		Long: `Without a word, shows what monctl vip shows. Else it orders what is to become of GROUP, or of all groups of addresses:

    hold     take it from the other director, and keep it
    release  give it to the other director once; then the rules decide
    standby  give it, and hold it again only if the other director is dead
    off      release it, and never hold it here
    auto     the rules decide: ends all of the others

An order is kept over restarts and reloads of mond until another takes its place (release is told for ten seconds, and is not
repeated). The order is carried out by the monitor that decides, which says in monctl vip why it does what it does. Who gave the order is the
user that monctl runs as. monctl stop, disable and ack, and reset, leave addresses where they are.`,
		Example:   "  monctl failover release web --note 'new kernel'\n  monctl failover off\n  monctl failover auto",
		ValidArgs: verbs,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return startingWith(begun, slices.Clone(verbs)), noFiles
			}
			return c.completeRole(cmd, args, begun)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				if note != "" {
					return misused(cmd, "--note says why an order is given: want one of %s", strings.Join(verbs, ", "))
				}
				return c.showFailover(cmd)
			case len(args) > 2 || !slices.Contains(verbs, args[0]):
				return misused(cmd, "want one of %s, and perhaps a GROUP", strings.Join(verbs, ", "))
			case c.json:
				return misused(cmd, "--json: an order has nothing to print as JSON")
			}
			m := control.FailoverRequest{Verb: args[0], Text: note}
			if len(args) == 2 {
				m.Group = args[1]
			}
			return c.client().Failover(cmd.Context(), m)
		},
	}
	noteFlag(cmd, &note)
	return cmd
}

func (c *common) showFailover(cmd *cobra.Command) error {
	r, err := c.client().Roles(cmd.Context())
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(cmd.OutOrStdout(), r)
	}
	return c.printRoles(cmd, r, false)
}

// completeRole offers the groups of addresses as the second word.
func (c *common) completeRole(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 1 {
		return nil, noFiles
	}
	r, _ := c.client().Roles(cmd.Context())
	var offer []cobra.Completion
	for _, g := range r.Groups {
		offer = append(offer, cobra.CompletionWithDesc(g.Group, strings.Join(g.Addresses, " ")))
	}
	return startingWith(begun, offer), noFiles
}
