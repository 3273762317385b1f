package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mondhq/mond/engine/control"
)

// readyLimit is how long ready waits for the daemon: who asks decides by it
// where an address is, and a daemon that does not answer in that is not well.
const readyLimit = time.Second

// readyCommand says whether this director is fit to serve, for programs that
// decide which one does: keepalived's vrrp_script, heartbeat's and Pacemaker's
// resource scripts.
func readyCommand(c *common) *cobra.Command {
	serving := false
	cmd := &cobra.Command{
		Use:   "ready [GROUP | GROUP:SERVICE]...",
		Short: "exit status 0 if this director is fit to serve, 1 if not, with a sentence why",
		Long: `Fit to serve means: mond answers within a second, its last reload was well, every virtual service that the configuration declares is
decided, and the kernel has taken its table. Services that are named must be well, too. It asks once and does nothing else, so it may be
asked every second.`,
		Example:           "  monctl ready\n  monctl ready --serving gateway:ping",
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), readyLimit)
			defer cancel()
			why, err := c.unready(ctx, args, serving)
			if err != nil {
				return err
			}
			if len(why) > 0 {
				fmt.Fprintln(cmd.OutOrStdout(), plain("not ready: "+strings.Join(why, "; ")))
				return errSaid
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "ready")
			return err
		},
	}
	cmd.Flags().BoolVar(&serving, "serving", false, "also ask that every virtual service has a real server in")
	return cmd
}

// unready are the reasons that this director is not fit to serve.
func (c *common) unready(ctx context.Context, names []string, serving bool) (why []string, err error) {
	d, err := c.client().Daemon(ctx)
	if err != nil {
		return nil, err
	}
	if d.ReloadError != "" {
		why = append(why, "the last reload failed: "+d.ReloadError)
	}
	for _, program := range slices.Sorted(maps.Keys(d.Unkept)) {
		why = append(why, fmt.Sprintf("%s does not keep what is claimed: %s", program, d.Unkept[program]))
	}
	all, err := c.client().Virtuals(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range all.Virtuals {
		if reason := unreadyVirtual(v, serving); reason != "" {
			why = append(why, reason)
		}
	}
	if len(names) == 0 {
		return why, nil
	}
	rows, err := c.client().Services(ctx)
	if err != nil {
		return nil, err
	}
	failing, err := failingOf(rows, names)
	return append(why, failing...), err
}

func unreadyVirtual(v control.Virtual, serving bool) string {
	switch {
	case v.Waiting:
		return fmt.Sprintf("virtual %s is not decided yet", v.Name)
	case v.Fault != "":
		return fmt.Sprintf("virtual %s: %s", v.Name, v.Fault)
	case serving && v.In == 0:
		return fmt.Sprintf("virtual %s has no real server in", v.Name)
	}
	return ""
}

// failingOf are those of the services named that are not well.
func failingOf(rows []control.Service, names []string) (why []string, err error) {
	for _, n := range names {
		if !slices.ContainsFunc(rows, func(r control.Service) bool { return named(r, n) }) {
			return nil, fmt.Errorf("no watch or service %q; monctl status --all shows all there are", n)
		}
	}
	for _, r := range rows {
		asked := slices.ContainsFunc(names, func(n string) bool { return named(r, n) })
		if asked && r.Status != "ok" && r.Status != "warn" {
			why = append(why, fmt.Sprintf("%s:%s is %s", r.Group, r.Service, r.Status))
		}
	}
	return why, nil
}
