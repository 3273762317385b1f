package line

import (
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/depend"
	"github.com/mondhq/mond/engine/view"
)

func listWatch(c *session, _ string) {
	c.each(c.filter(), func(r *view.Service) {
		c.out.text(r.Key.Group).text(" ").text(r.Key.Service).end()
	})
	c.out.status("220 list watch completed")
}

func listDescriptions(c *session, _ string) {
	c.each(c.filter(), func(r *view.Service) {
		c.out.text(r.Key.Group).text(" ").text(r.Key.Service).text(" ").escq(r.Description).end()
	})
	c.out.status("220 list descriptions completed")
}

// listDeps lists depend lines and the services they name.
func listDeps(c *session, _ string) {
	c.each(c.filter(), func(r *view.Service) {
		e := configOf(r).Depend.Depend
		c.dependency("exp", r, "'").escq(orNone(e)).text("'").end()
		c.dependency("cmp", r, "")
		for i, key := range e.Keys() {
			if i > 0 {
				c.out.text(" ")
			}
			c.out.text(key.Group).text(":").text(key.Service)
		}
		if len(e.Keys()) == 0 {
			c.out.text(none)
		}
		c.out.end()
	})
	c.out.status("220 list deps completed")
}

const none = "NONE"

func orNone(e *depend.Expr) string {
	if e == nil {
		return none
	}
	return e.String()
}

func (c *session) dependency(what string, r *view.Service, quote string) *reply {
	return c.out.text(what).text(" ").text(r.Key.Group).text(" ").text(r.Key.Service).text(" ").text(quote)
}

func listState(c *session, _ string) {
	if stopped := c.opt.Board.Daemon().Stopped; stopped != nil {
		c.out.text("scheduler stopped since ").epoch(stopped.At).end()
	} else {
		c.out.text("scheduler running").end()
	}
	c.out.status("220 list state completed")
}

func listPIDs(c *session, _ string) {
	c.out.text("server ").int(int64(c.opt.Board.Daemon().PID)).end()
	for _, p := range c.opt.Processes() {
		if c.row(p.Key.Group, p.Key.Service) != nil {
			c.out.text(p.Key.Group).text(" ").text(p.Key.Service).text(" ").int(int64(p.PID)).end()
		}
	}
	c.out.status("220 list pids completed")
}

// listGroup lists the members of a hostgroup; those that are disabled have an
// asterisk.
func listGroup(c *session, args string) {
	g := c.config().Group(trim(args))
	if g == nil {
		c.out.status("520 list group error, undefined group")
		return
	}
	c.out.text("hostgroup ").text(g.Name)
	hosts := c.opt.Board.Daemon().Hosts
	for _, h := range g.Hosts {
		c.out.text(" ")
		if _, off := hosts[h]; off || g.Disabled[h] {
			c.out.text("*")
		}
		c.out.text(h)
	}
	c.out.end()
	c.out.status("220 list group completed")
}

// listDisabled lists hosts, by group, then watches and services.
func listDisabled(c *session, _ string) {
	f, d := c.filter(), c.opt.Board.Daemon()
	for i := range c.config().Groups {
		if g := &c.config().Groups[i]; f.group(g.Name) {
			c.disabledHosts(g, d)
		}
	}
	last := ""
	c.each(f, func(r *view.Service) {
		if _, off := d.Watches[r.Key.Group]; off && r.Key.Group != last && f.group(r.Key.Group) {
			c.out.text("watch ").text(r.Key.Group).end()
		}
		if last = r.Key.Group; r.OffAlone {
			c.out.text("watch ").text(r.Key.Group).text(" service ").text(r.Key.Service).end()
		}
	})
	c.out.status("220 list disabled completed")
}

func (c *session) disabledHosts(g *config.Hostgroup, d *view.Daemon) {
	first := true
	for _, h := range g.Hosts {
		if _, off := d.Hosts[h]; !off && !g.Disabled[h] {
			continue
		}
		if first {
			c.out.text("group ").text(g.Name).text(":")
		}
		first = false
		c.out.text(" ").text(h)
	}
	if !first {
		c.out.end()
	}
}

// listAliases lists the aliases named, or all. One that is not there is an
// empty one.
func listAliases(c *session, args string) {
	if names := fields(args); len(names) > 0 {
		for _, n := range names {
			c.alias(c.findAlias(n))
		}
	} else {
		for _, a := range c.aliases() {
			c.alias(a)
		}
	}
	c.out.status("220 list aliases completed")
}

// aliases are those that have a text: mon knows no others.
func (c *session) aliases() (all []config.Alias) {
	for _, a := range c.config().Aliases {
		if len(a.Lines) > 0 {
			all = append(all, a)
		}
	}
	return all
}

func (c *session) findAlias(name string) config.Alias {
	all := c.config().Aliases
	if i := slices.IndexFunc(all, func(a config.Alias) bool { return a.Name == name }); i >= 0 {
		return all[i]
	}
	return config.Alias{Name: name}
}

func (c *session) alias(a config.Alias) {
	c.out.text("alias ").text(a.Name).end()
	for _, text := range a.Lines {
		c.out.text(text).end()
	}
	c.out.end()
}

func listAliasGroups(c *session, _ string) {
	var names []string
	for _, a := range c.aliases() {
		names = append(names, a.Name)
	}
	if len(names) > 0 {
		c.out.text(strings.Join(names, " ")).end()
	}
	c.out.status("220 list aliasgroups completed")
}
