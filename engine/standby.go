package engine

import (
	"slices"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/alert"
)

// Of two directors both look at everything, and one tells of it (notify): the one
// that holds the first group of addresses that the file declares. The other keeps
// what it would tell for a while, since the first may die before it saw the same:
// once it does not stand by any more it tells what it has kept, which may be told
// twice then. It stands by only while the other is well and holds the group, so
// where nobody holds it both tell.

// keptFor is how long a notice is kept at least: a dead time, and what two
// directors may be apart in what they see. A service's interval, if it is longer,
// is how much later the first may come to look at it.
const keptFor = 10 * time.Second

// keptMost bounds the notices that are kept; the oldest goes.
const keptMost = 10000

// kept is a notice that the other director is to tell.
type kept struct {
	of       opstatus.Key
	decision policy.Decision
	notice   store.Notice
	until    time.Time
}

// leaves reports whether the other director is to tell of s.
func (l *loop) leaves(s *service, kind alert.Kind) bool {
	own := s.cfg.Key.Group == selfGroup || s.cfg.Elects || kind == alert.Startup
	return l.roles.standsBy && !own && !s.cfg.NotifyAlways
}

// setAside keeps a notice.
func (l *loop) setAside(s *service, d policy.Decision, n store.Notice, now time.Time) {
	l.opt.Log.Info("alert is left to the other director", "group", s.cfg.Key.Group, "service", s.cfg.Key.Service,
		"alert", d.Command.Program, "kind", d.Kind.String(), "period", d.Period)
	r := &l.roles
	if len(r.kept) >= keptMost {
		r.kept = r.kept[1:]
	}
	r.kept = append(r.kept, kept{s.key(), d, n, now.Add(max(keptFor, s.cfg.Plan.Up))})
}

// standBy works out whether this director stands by, and tells what was kept if
// it does not any more.
func (l *loop) standBy(groups []group, now time.Time) {
	r := &l.roles
	clock := l.opt.BootTime()
	holds := false
	for i := range groups {
		g := &groups[i]
		holds = holds || g.name == r.first && g.token.Hold && !g.token.Late(clock)
	}
	r.standsBy = r.first != "" && !holds && r.well(rolePrefix+r.first) && r.well("peer") && len(r.told["peer"].result.Hosts) > 0
	if !r.standsBy {
		l.tellKept(now)
	}
	r.kept = slices.DeleteFunc(r.kept, func(k kept) bool { return !now.Before(k.until) })
}

// well reports whether an elector says that a service of group mond is good. That
// of a single director says so of its peer, too, and names none as its host.
func (r *roles) well(name string) bool {
	t, ok := r.told[name]
	return ok && !t.result.Blind() && !t.result.Failing() && !t.result.Warn
}

// tellKept tells what was kept.
func (l *loop) tellKept(now time.Time) {
	for _, k := range l.roles.kept {
		s := l.byKey[k.of]
		if s == nil || !now.Before(k.until) {
			continue
		}
		l.lastSeq++
		k.notice.Request.ID, k.notice.Request.Repeated = l.noticeID(s), true
		l.queue(s, k.decision, k.notice, now)
	}
	l.roles.kept = nil
}
