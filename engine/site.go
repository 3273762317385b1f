package engine

import (
	"reflect"
	"time"

	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
)

// siteState is what electors were told of this machine, and what of it takes a
// while to work out.
type siteState struct {
	dirty bool // it may have changed in this turn
	// loaded and results, once they hold, hold until mond ends: they are about a
	// start.
	loaded, results bool
	hash            uint64
	leaving, keep   bool
	sent            []job.Election
}

// sendSites tells electors of this machine, if anything of it has changed.
func (l *loop) sendSites() {
	st := &l.roles.site
	st.dirty = false
	if l.roles.lane == nil || len(l.roles.electors) == 0 && len(st.sent) == 0 {
		return
	}
	elections := make([]job.Election, len(l.roles.electors))
	for i, s := range l.roles.electors {
		c := s.cfg.Monitor
		elections[i] = job.Election{
			Program: c.Program,
			// All hosts, also those that are disabled: moncmd does not move roles.
			Request: monitor.Request{Group: s.cfg.Key.Group, Service: s.cfg.Key.Service, Hosts: s.cfg.Hosts, Args: c.Args, Env: s.cfg.Env},
			Site:    l.siteOf(s),
		}
	}
	if !reflect.DeepEqual(elections, st.sent) {
		st.sent = elections
		l.roles.lane.to.Elect(elections)
	}
}

// siteOf is what there is to tell the elector of s.
func (l *loop) siteOf(s *service) role.Site {
	st := &l.roles.site
	st.loaded = st.loaded || l.tableLoaded()
	st.results = st.results || l.firstResults()
	site := role.Site{
		Loaded: st.loaded, Results: st.results,
		Synced: l.copyLeft(time.Now()) == 0,
		Reals:  l.realsIn(), Replica: l.shared.hash, Share: l.shared.told,
		Version: uint32(st.hash >> 32), Hash: st.hash, //nolint:gosec // the upper half
		Orders: l.siteOrders(s), Leaving: st.leaving, Keep: st.keep,
	}
	for _, h := range s.cfg.Holds {
		site.Lines = append(site.Lines, role.Line{Group: h.Group.Name, Args: h.Args})
	}
	return site
}

// tableLoaded reports whether each keeper has accepted all that is wanted of it
// by now, and each pool was decided.
func (l *loop) tableLoaded() bool {
	for _, p := range l.pools {
		if !p.waits.IsZero() || p.dirty {
			return false
		}
	}
	for program, k := range l.keepers {
		if l.isKeeper(program) && !k.settled() {
			return false
		}
	}
	return true
}

// settled reports whether the keeper has accepted all that it was ever given.
func (k *keeper) settled() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.accepted && !k.full && len(k.changed) == 0 && k.failed == nil
}

// firstResults reports whether every check that pools count on has an answer. One
// that nobody runs will never have one, and is not waited for.
func (l *loop) firstResults() bool {
	if l.globals.Stopped != nil {
		return true
	}
	for _, p := range l.pools {
		for i := range p.members {
			for _, s := range p.members[i].checks {
				if s != nil && !s.answered && s.cfg.Monitor != nil && s.cfg.Plan.Scheduled() && s.skipped == "" {
					return false
				}
			}
		}
	}
	return true
}

// realsIn is the share of real servers that can carry something, in percent, of
// those that no operator took out: 100 without any.
func (l *loop) realsIn() int {
	good, all := 0, 0
	for _, p := range l.pools {
		h := &p.out.Health
		good += h.Good
		all += p.primaries() - h.Ordered
	}
	if all <= 0 {
		return 100
	}
	return min(100*good/all, 100)
}

// primaries is how many members of a pool serve as long as they can.
func (p *pool) primaries() (n int) {
	for i := range p.cfg.Pool.Members {
		if p.cfg.Pool.Members[i].Tier == virtual.Primary {
			n++
		}
	}
	return n
}

// siteOrders are the orders that concern an elector's groups.
func (l *loop) siteOrders(s *service) []role.Order {
	var list []role.Order
	for i := range l.globals.Roles {
		o := l.roleOrder(&l.globals.Roles[i])
		if o.Group == "" || s.holds(o.Group) {
			list = append(list, o)
		}
	}
	return list
}

// holds reports whether a group is declared under s.
func (s *service) holds(group string) bool {
	for i := range s.cfg.Holds {
		if s.cfg.Holds[i].Group.Name == group {
			return true
		}
	}
	return false
}
