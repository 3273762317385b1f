package engine

import (
	"slices"
	"time"

	"github.com/mondhq/mond/engine/depend"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

// dependRetry is how soon a check that a dependency holds back is looked at
// again; mon looks once a second.
const dependRetry = time.Second

// spread is the most that first checks are apart (see schedule.Plan.First).
const spread = 10 * time.Second

// handleDue handles the clocks of traps that have run down, and sends out every
// check that is due, as one batch.
func (l *loop) handleDue(now time.Time) {
	l.duePools(now)
	if l.globals.Stopped != nil {
		return
	}
	l.dueTraps(now)
	l.due = l.heap.PopDue(now, l.due[:0])
	if len(l.due) == 0 {
		return
	}
	l.lastBatch = now
	jobs := make([]job.Check, 0, len(l.due))
	for _, id := range l.due {
		if j, ok := l.dispatch(l.services[id], now); ok {
			jobs = append(jobs, j)
		}
	}
	if len(jobs) > 0 {
		l.opt.Runner.Run(jobs)
	}
}

// dispatch re-arms s and makes its job, unless a gate refuses.
func (l *loop) dispatch(s *service, now time.Time) (job.Check, bool) {
	planned := s.planned
	l.self.lateness(now.Sub(planned))
	hosts, again, word, why := l.gate(s, now)
	if again.IsZero() {
		again = s.cfg.Plan.Next(planned, now, s.phase, l.opt.Random)
	}
	l.arm(s, again)
	if why != s.skipped {
		s.skipped = why
		l.touch(s, false)
	}
	if word != s.held && (word != "" || why == "") {
		l.held(s, word, why, now)
	}
	if why != "" {
		return job.Check{}, false
	}
	return l.job(s, hosts, now), true
}

// arm sets when s is due; a zero time means never.
func (l *loop) arm(s *service, at time.Time) {
	s.planned = at
	if at.IsZero() {
		l.heap.Remove(s.id)
		return
	}
	l.heap.Set(s.id, at)
}

// gate asks whether s may be checked now. It answers the hosts to check, or
// why not, and when to look again if that is not the plan's next time. word is
// why not, of store.Event.What, where nobody watches s for a while; the global
// exclude_period is a row of its own.
func (l *loop) gate(s *service, now time.Time) (hosts []string, again time.Time, word, why string) {
	if g := l.loaded.Config.Globals.ExcludePeriod; g.Contains(now) {
		return nil, s.after(g.NextChange(now)), "", "inside the global exclude_period " + g.String()
	}
	if x := s.cfg.Exclude; x != nil && x.Contains(now) {
		return nil, s.after(x.NextChange(now)), store.WhatExcluded, "inside exclude_period " + x.String()
	}
	if s.running != 0 && !l.lost(s, now) {
		return nil, time.Time{}, "", "the last check is still running"
	}
	if ok, reason := l.monitorDependency(s, now); !ok {
		return nil, l.soon(s, now), store.WhatDependency, "monitor dependency: " + reason
	}
	hosts, ok := l.targets(s)
	if !ok {
		return nil, time.Time{}, store.WhatNoHosts, "no hosts are left to check"
	}
	return hosts, time.Time{}, "", ""
}

// monitorDependency is the value of the monitor dependency, which is also told
// as the service's depstatus.
func (l *loop) monitorDependency(s *service, now time.Time) (ok bool, reason string) {
	e := s.cfg.Depend.Monitor
	if e == nil {
		return true, ""
	}
	ok, reason = l.dependency(e, monitorDepend, s.cfg.Depend.Memory, now)
	if s.dependOK == nil || *s.dependOK != ok {
		s.dependOK = &ok
		l.touch(s, false)
	}
	return ok, reason
}

// targets are the hosts that a check of s is given; ok is false when there is
// nothing to check.
func (l *loop) targets(s *service) (hosts []string, ok bool) {
	hosts = l.hosts(s)
	if s.cfg.Monitor.NoHosts {
		return nil, true
	}
	return hosts, len(hosts) > 0 || s.cfg.AllowEmptyGroup
}

// lostAfter is how long after its limit a check counts as lost. Every Runner
// answers long before.
const lostAfter = time.Minute

// lost gives up a check that its Runner never answered, so that a fault there
// does not leave a service unwatched for good; it reports whether it did.
func (l *loop) lost(s *service, now time.Time) bool {
	if now.Sub(s.began) < s.cfg.Timeout+lostAfter {
		return false
	}
	l.opt.Log.Error("check was never answered, given up", "group", s.cfg.Key.Group, "service", s.cfg.Key.Service, "since", s.began)
	delete(l.inflight, s.running)
	l.opt.Runner.Cancel([]uint64{s.running})
	s.running = 0
	l.observe(s, opstatus.Event{Kind: opstatus.Exit, Result: monitor.Blinded(monitor.PluginLost, "the check was never answered")}, now)
	return true
}

// after is when s is checked first after checks were held back until end: at
// once, as under mon, but spread like the first checks of a start. The zero
// time, a period without an end, stays so: the plan's next time counts then.
func (s *service) after(end time.Time) time.Time {
	plan := s.cfg.Plan
	if end.IsZero() || !plan.Scheduled() || plan.Calendar != nil {
		return end
	}
	plan.RandStart = 0
	return plan.First(s.cfg.Key.String(), end.Add(min(plan.Up, spread)-plan.Up), nil)
}

// soon is when a check that is held back is looked at again.
func (l *loop) soon(s *service, now time.Time) time.Time {
	wait := dependRetry
	if i := s.cfg.Plan.Interval(s.phase); i > 0 {
		wait = min(wait, i)
	}
	return now.Add(wait)
}

// hosts are the service's, less those disabled and those that a host
// dependency holds to be down.
func (l *loop) hosts(s *service) []string {
	if len(l.globals.Hosts) == 0 && len(s.group.Disabled) == 0 && s.cfg.Depend.Host == nil {
		return s.cfg.Hosts
	}
	var drop []string
	if s.cfg.Depend.Host != nil {
		for _, k := range s.cfg.Depend.Host.Keys() {
			if d := l.byKey[k]; d != nil && d.state.Status.Failing() {
				drop = append(drop, d.failedHosts...)
			}
		}
	}
	var hosts []string
	for _, h := range s.cfg.Hosts {
		if _, off := l.globals.Hosts[h]; !off && !s.group.Disabled[h] && !slices.Contains(drop, h) {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// job makes the check and marks the service as running.
func (l *loop) job(s *service, hosts []string, now time.Time) job.Check {
	l.lastID++
	s.running, s.began = l.lastID, now
	l.inflight[l.lastID] = s
	l.touch(s, false)
	j := l.check(s, hosts)
	j.ID = l.lastID
	return j
}

// check is a check of s without a number.
func (l *loop) check(s *service, hosts []string) job.Check {
	c := s.cfg.Monitor
	env := s.cfg.Env
	if s.history {
		env = l.monitorEnv(s)
	}
	return job.Check{Program: c.Program, Timeout: s.cfg.Timeout, Request: monitor.Request{
		Group: s.cfg.Key.Group, Service: s.cfg.Key.Service, Hosts: hosts, Args: c.Args, Env: env,
	}}
}

// dependKind picks a service's own expression of one kind, for recursion.
type dependKind func(s *service) *depend.Expr

func monitorDepend(s *service) *depend.Expr { return s.cfg.Depend.Monitor }
func alertDepend(s *service) *depend.Expr   { return s.cfg.Depend.Alert }

// dependency is the value of an expression now; true without one. memory is
// how long a dependency counts as failed after it recovered.
func (l *loop) dependency(e *depend.Expr, kind dependKind, memory time.Duration, now time.Time) (ok bool, reason string) {
	if e == nil {
		return true, ""
	}
	return depend.Value(e, l.loaded.Config.Globals.DepRecurLimit, func(k opstatus.Key) (bool, *depend.Expr) {
		d := l.byKey[k]
		if d == nil {
			return false, nil
		}
		good := d.state.Status.Good() && (memory == 0 || d.lastFailed.IsZero() || now.Sub(d.lastFailed) >= memory)
		return good, kind(d)
	})
}
