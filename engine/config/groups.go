package config

import (
	"strings"

	"github.com/mondhq/mond/engine/opstatus"
)

// selfGroup is the watch of the daemon's own condition. It is there even if
// no file declares it, and its results come from the daemon.
const selfGroup = "mond"

// groupDraft is a hostgroup while the file is read.
type groupDraft struct {
	Hostgroup
	st   *Statement
	used bool
}

// watchDraft is a watch while the file is read.
type watchDraft struct {
	name     string
	st       *Statement
	services int
	broken   bool // a line of it could not be read
}

// viewDraft is a view while the file is read.
type viewDraft struct {
	View
	where []func(sev Severity, message, hint string)
}

func hostgroup(r *resolver, st *Statement) {
	name, hosts := cutName(st.Text)
	if name == "" {
		return
	}
	g := &groupDraft{Hostgroup: Hostgroup{Pos: st.Pos, Name: name, Implied: st.made}, st: st}
	if old := r.byName[name]; old != nil {
		r.diag.warnf(st, 0, "", "hostgroup %s is defined at %s already; this one replaces it", name, old.Pos)
		*old = *g
		g = old
	} else {
		r.groups = append(r.groups, g)
		r.byName[name] = g
	}
	seen := map[string]int{}
	r.hosts(g, seen, st, hosts, len(name))
	r.more = func(st *Statement) { r.hosts(g, seen, st, st.Text, 0) }
}

// hosts adds the hosts of text, which stands at off in st's text.
func (r *resolver) hosts(g *groupDraft, seen map[string]int, st *Statement, text string, off int) {
	for _, w := range fields(text) {
		host, disabled := strings.CutPrefix(w.Text, "*")
		at := off + w.Off
		switch {
		case host == "":
			r.diag.errorf(st, at, "", "a * without a host")
			continue
		case host[0] == '#' && !st.plain():
			r.diag.warnf(st, at, endHint, "%s is read as a host of hostgroup %s", quote(host), g.Name)
		case host[0] == '-':
			r.diag.warnf(st, at, "", "monitors will take the host %s for an option", quote(host))
		case seen[host] == 1:
			r.diag.warnf(st, at, "", "host %s is in hostgroup %s already", quote(host), g.Name)
		}
		seen[host]++
		g.Hosts = append(g.Hosts, host)
		if disabled {
			if g.Disabled == nil {
				g.Disabled = map[string]bool{}
			}
			g.Disabled[host] = true
		}
	}
}

func watch(r *resolver, st *Statement) {
	name, _ := cutName(st.Text)
	if name == "" {
		return
	}
	w := &watchDraft{name: name, st: st}
	if old := r.watches[name]; old != nil {
		r.diag.errorf(st, 0, "put its services into one watch", "watch %s is defined at %s already", name, old.st.Pos)
		w = old
	} else {
		r.watches[name] = w
		r.order = append(r.order, w)
	}
	r.watch = w
}

func alias(r *resolver, st *Statement) {
	name, _ := cutName(st.Text)
	if name == "" {
		return
	}
	at, twice := r.aliasAt[name]
	if twice {
		r.diag.warnf(st, 0, "", "alias %s is defined at %s already; this one replaces it", name, r.c.Aliases[at].Pos)
	} else {
		at = len(r.c.Aliases)
		r.aliasAt[name] = at
		r.c.Aliases = append(r.c.Aliases, Alias{})
	}
	r.c.Aliases[at] = Alias{Pos: st.Pos, Name: name}
	r.more = func(st *Statement) { r.c.Aliases[at].Lines = append(r.c.Aliases[at].Lines, st.Text) }
}

func view(r *resolver, st *Statement) {
	name, members := cutName(st.Text)
	if name == "" {
		return
	}
	v := &viewDraft{View: View{Pos: st.Pos, Name: name}}
	if at, twice := r.viewAt[name]; twice {
		r.diag.warnf(st, 0, "", "view %s is defined at %s already; this one replaces it", name, r.views[at].Pos)
		r.views[at] = v
	} else {
		r.viewAt[name] = len(r.views)
		r.views = append(r.views, v)
	}
	r.members(v, st, members, len(name))
	r.more = func(st *Statement) { r.members(v, st, st.Text, 0) }
}

func (r *resolver) members(v *viewDraft, st *Statement, text string, off int) {
	for _, w := range fields(text) {
		v.Members = append(v.Members, w.Text)
		v.where = append(v.where, func(sev Severity, message, hint string) { r.diag.at(sev, st, off+w.Off, message, message, hint) })
	}
}

// finishGroups makes the hostgroups of watches that have none, and reports
// those without a watch.
func (r *resolver) finishGroups() {
	for _, w := range r.order {
		g := r.byName[w.name]
		if g == nil {
			g = r.imply(w)
		}
		g.used = true
		if w.services == 0 && !w.broken {
			r.diag.warnf(w.st, -1, "", "watch %s has no service", w.name)
		}
	}
	r.c.byGroup = make(map[string]*Hostgroup, len(r.groups))
	r.c.Groups = make([]Hostgroup, len(r.groups))
	for i, g := range r.groups {
		switch {
		case !g.used:
			r.diag.warnf(g.st, -1, "", "hostgroup %s has no watch", g.Name)
		case len(g.Hosts) == 0:
			r.diag.warnf(g.st, -1, "", "hostgroup %s has no hosts", g.Name)
		}
		r.c.Groups[i] = g.Hostgroup
		r.c.byGroup[g.Name] = &r.c.Groups[i]
	}
}

// imply makes the hostgroup of a watch that has none.
func (r *resolver) imply(w *watchDraft) *groupDraft {
	g := &groupDraft{Hostgroup: Hostgroup{Pos: w.st.Pos, Name: w.name, Hosts: []string{w.name}, Implied: true}, st: w.st}
	r.groups = append(r.groups, g)
	r.byName[w.name] = g
	if w.name != selfGroup {
		r.diag.warnf(w.st, 0, r.hint(w.name, r.groupNames), "watch %s has no hostgroup: it gets one with the single host %s", w.name, w.name)
	}
	return g
}

// groupNames are the hostgroups that the file defines.
func (r *resolver) groupNames() []string {
	names := make([]string, 0, len(r.groups))
	for _, g := range r.groups {
		if !g.Implied {
			names = append(names, g.Name)
		}
	}
	return names
}

// finishViews reports members that are not there.
func (r *resolver) finishViews() {
	for _, v := range r.views {
		r.c.Views = append(r.c.Views, v.View)
		for i, m := range v.Members {
			key, service := opstatus.ParseKey(m)
			switch {
			case service && r.byKey[key] == nil && key.Group != selfGroup:
				v.where[i](Warning, "there is no service "+quote(m)+" for view "+v.Name, "")
			case !service && r.byName[m] == nil && m != selfGroup:
				v.where[i](Warning, "there is no hostgroup "+quote(m)+" for view "+v.Name, "")
			}
		}
	}
}
