package line

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
)

// disableHosts takes hosts out, all or none. As under mon a host that is
// disabled does not exist.
func disableHosts(c *session, hosts []string) {
	if missing := c.missing(hosts); len(missing) > 0 {
		c.out.text("520 disable host failed, host(s) ").text(strings.Join(missing, " ")).status(" do not exist")
		return
	}
	err := c.onHosts(hosts, func(ctx context.Context, host string) error {
		return c.opt.Controller.DisableHost(ctx, host, c.user, "")
	})
	c.answerTo(err, "220 disable host completed", "520 disable host failed, host(s) "+strings.Join(hosts, " ")+" do not exist")
}

// enableHosts undoes disableHosts; hosts that are not there are passed over.
func enableHosts(c *session, hosts []string) {
	off, in := c.opt.Board.Daemon().Hosts, c.groupsOf(hosts)
	known := slices.DeleteFunc(hosts, func(h string) bool {
		_, disabled := off[h] // it may have left its groups since
		return in[h] == nil && !disabled
	})
	err := c.onHosts(known, func(ctx context.Context, host string) error {
		if err := c.opt.Controller.EnableHost(ctx, host, c.user); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	c.answerTo(err, "220 enable completed", "")
}

// onHosts does something with each host, up to the first that is refused.
func (c *session) onHosts(hosts []string, do func(context.Context, string) error) error {
	return c.ask(func(ctx context.Context) error {
		for _, h := range hosts {
			if err := do(ctx, h); err != nil {
				return err
			}
		}
		return nil
	})
}

// missing are the hosts that are in no group, or disabled.
func (c *session) missing(hosts []string) (missing []string) {
	off, in := c.opt.Board.Daemon().Hosts, c.groupsOf(hosts)
	for _, h := range hosts {
		_, disabled := off[h]
		on := func(g *config.Hostgroup) bool { return !g.Disabled[h] }
		if disabled || !slices.ContainsFunc(in[h], on) {
			missing = append(missing, h)
		}
	}
	return missing
}

// groupsOf are the groups that hosts are in, by host. Those that are in none
// are not there.
func (c *session) groupsOf(hosts []string) map[string][]*config.Hostgroup {
	asked := make(map[string]bool, len(hosts))
	for _, h := range hosts {
		asked[h] = true
	}
	in := map[string][]*config.Hostgroup{}
	groups := c.config().Groups
	for i := range groups {
		for _, h := range groups[i].Hosts {
			if asked[h] {
				in[h] = append(in[h], &groups[i])
			}
		}
	}
	return in
}
