package heartbeat

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/mondhq/mond/monitors/heartbeat/member"
	"github.com/mondhq/mond/monitors/heartbeat/sight"
	"github.com/mondhq/mond/plugins/role"
)

// parse reads the groups that lines declare.
func parse(lines []role.Line) (groups []role.Group, err error) {
	for _, l := range lines {
		g, e := role.ParseGroup(l.Args)
		if e != nil {
			err = errors.Join(err, errGroups(l, e))
			continue
		}
		if l.Group != "" {
			g.Name = l.Group
		}
		groups = append(groups, g)
	}
	return groups, err
}

// configured puts groups and what a site says of the configuration into cfg, and
// begins to look at them.
func (p *pair) configured(s role.Site, groups []role.Group, cfg *member.Config) {
	p.site, p.groups = s, groups
	p.watch()
	cfg.Version, cfg.Hash, cfg.Groups = s.Version, s.Hash, nil
	for i, g := range groups {
		cfg.Groups = append(cfg.Groups, memberGroup(g, p.view.LANs(i)))
	}
	p.third.name(cfg.Groups)
}

func memberGroup(g role.Group, lans []int) member.Group {
	m := member.Group{Name: g.Name, Priority: g.Priority, Total: len(g.Addresses), LANs: lans, After: g.After}
	switch g.Failback {
	case role.FailbackNow:
		m.Failback = member.FailbackNow
	case role.FailbackAfter:
		m.Failback = member.FailbackAfter
	case role.FailbackOff:
	}
	if g.Conflict == role.Takeover {
		m.Rival = member.Takeover
	}
	return m
}

// watch looks at the groups of now, in the place of those before.
func (p *pair) watch() {
	if p.view != nil {
		p.view.stop()
	}
	ctx, stop := context.WithCancel(p.ctx)
	v := &view{sight.New(sight.Options{Groups: p.groups, Neighbours: p.h.neighbours, Peer: p.h.peers()}), stop}
	p.view, p.seen, p.holds = v, sight.Seen{}, make([]bool, len(p.groups))
	p.work.Go(func() {
		v.Run(ctx, func(s sight.Seen) {
			if ctx.Err() != nil {
				return // another one looks already
			}
			select {
			case <-p.looks: // an older one
			default:
			}
			select {
			case p.looks <- look{v, s}:
			default: // another Sight was quicker
			}
		})
	})
}

// look takes in what was seen.
func (p *pair) look(l look) {
	if l.from != p.view {
		return
	}
	if l.LANs == nil { // this machine's own trouble, which says nothing of the networks
		p.seen.Err = l.Err
		return
	}
	p.seen = l.Seen
	p.facts()
}

// facts tells the member what this machine is like.
func (p *pair) facts() {
	if p.seen.LANs == nil && p.seen.Groups == nil {
		return // nothing was seen yet
	}
	s := p.site
	p.step(member.Facts{
		LANs: p.seen.LANs, Groups: p.seen.Groups, Loaded: s.Loaded, Results: s.Results, Synced: s.Synced, Reals: s.Reals, Replica: s.Replica,
	})
}

// reload takes in what mond says anew. A configuration that cannot be used
// changes nothing and is reported.
func (p *pair) reload(s role.Site) {
	if !sameLines(s.Lines, p.site.Lines) || s.Version != p.site.Version || s.Hash != p.site.Hash {
		p.reconfigure(s)
	}
	p.tell(s)
}

func sameLines(a, b []role.Line) bool {
	return slices.EqualFunc(a, b, func(x, y role.Line) bool { return x.Group == y.Group && slices.Equal(x.Args, y.Args) })
}

func (p *pair) reconfigure(s role.Site) {
	groups, err := parse(s.Lines)
	cfg := p.h.config(1, 1) // of a member that runs these two stay as they are
	for i, g := range groups {
		cfg.Groups = append(cfg.Groups, memberGroup(g, []int{i}))
	}
	if err = errors.Join(err, cfg.Validate()); err != nil {
		p.voice.site(err)
		return
	}
	p.voice.site(nil)
	if sameLines(s.Lines, p.site.Lines) {
		cfg.Groups = nil
		for i, g := range p.groups {
			cfg.Groups = append(cfg.Groups, memberGroup(g, p.view.LANs(i)))
		}
		cfg.Version, cfg.Hash = s.Version, s.Hash
	} else {
		p.configured(s, groups, &cfg)
		p.voice.only(groups)
	}
	p.step(member.Configured{Config: cfg})
}

// tell takes in all of a site but its groups.
func (p *pair) tell(s role.Site) {
	lines := p.site.Lines
	p.site = s
	p.site.Lines = lines
	if s.Lines != nil && sameLines(s.Lines, lines) {
		p.site.Lines = s.Lines
	}
	p.facts()
	for _, o := range p.orders.news(s.Orders) {
		p.step(o)
	}
	if s.Leaving && !p.leaving {
		p.leaving = true
		p.step(member.Stopping{Keep: s.Keep, Orphaned: s.Orphaned})
		p.done = p.done || s.Keep
	}
}

// orders are those that were carried out, by group.
type orders map[string]role.Order

// news are the orders that are new, oldest first; one that does not stand any
// more is auto.
func (known *orders) news(list []role.Order) (out []member.Ordered) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b role.Order) int { return cmp.Compare(a.Serial, b.Serial) })
	next := orders{}
	for _, o := range list {
		next[o.Group] = o
		if (*known)[o.Group] != o {
			out = append(out, member.Ordered{Group: o.Group, Order: orderOf(o.Verb)})
		}
	}
	var gone []member.Ordered
	for group, was := range *known {
		if _, stands := next[group]; !stands && was.Verb != role.Release && was.Verb != role.Auto {
			gone = append(gone, member.Ordered{Group: group, Order: member.OrderAuto})
		}
	}
	*known = next
	return append(gone, out...)
}

func orderOf(v role.Verb) member.Order {
	switch v {
	case role.Hold:
		return member.OrderHold
	case role.Release:
		return member.OrderRelease
	case role.Standby:
		return member.OrderStandby
	case role.Off:
		return member.OrderOff
	case role.Auto:
	}
	return member.OrderAuto
}
