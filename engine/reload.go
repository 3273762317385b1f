package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/engine/schedule"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/job"
)

// alone runs what reads the configuration, one at a time.
func (e *Engine) alone(ctx context.Context, read func() error) error {
	select {
	case e.reloading <- struct{}{}:
		defer func() { <-e.reloading }()
		return read()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Reload reads the configuration and swaps it in as one step; an error leaves
// everything as it was and makes mond:config fail. States, counters, claims,
// disables and running checks survive by group and service.
func (e *Engine) Reload(ctx context.Context) error {
	return e.reload(ctx, steer.ResetHow{KeepState: true}, "")
}

func (e *Engine) reload(ctx context.Context, how steer.ResetHow, user string) error {
	return e.alone(ctx, func() error {
		loaded, err := e.opt.Load(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("reload broken off, the running configuration stays: %w", context.Cause(ctx))
		}
		if err != nil {
			if callErr := e.do(ctx, func(l *loop, now time.Time) error { l.reloadFailed(err, now); return nil }); callErr != nil {
				return callErr
			}
			return refused(err)
		}
		return e.do(ctx, func(l *loop, now time.Time) error { l.swap(loaded, how, user, now); return nil })
	})
}

func (l *loop) reloadFailed(err error, now time.Time) {
	l.daemon.ReloadError = err.Error()
	l.daemonRow(store.Event{What: store.WhatRefused, Text: "reload refused: " + err.Error()}, now)
	l.opt.Log.Error("reload refused, the running configuration stays", "err", err)
	l.handleTick(now)
}

// swap puts a configuration that loaded into force.
func (l *loop) swap(loaded Loaded, how steer.ResetHow, user string, now time.Time) {
	old, byKey, pools, kept := l.services, l.byKey, l.pools, l.keptPools()
	l.install(loaded, l.kept(how), kept, !how.KeepState, now)
	l.reloaded(byKey, now)
	var stale []uint64
	if how.KeepState {
		if user != "" {
			l.operated("", deed{what: store.WhatReset, user: user, text: "reset: states are kept"}, now)
		}
		stale = l.inherit(byKey, now)
		l.inheritPools(pools)
		l.keepStates(now)
	} else {
		stale = l.forgetAll(old, user, now)
	}
	l.removeGone(old, stale, now)
	l.reloadedShared(now)
	l.gonePools(kept)
	l.firstLooks()
	l.self.recount(l.services) // without what inherit made see again
	for _, s := range l.services {
		l.touch(s, true)
	}
	l.flush() // publishes the rows that the board is about to show
	l.showBoard()
	l.daemon.ReloadError = ""
	l.opt.Log.Info("configuration loaded", "file", loaded.Config.Path, "services", len(loaded.Config.Services))
	if loaded.Config.Globals.StartupAlertsOnReset {
		l.startup(now)
	}
	l.handleTick(now)
}

// install builds services, schedule and keepers of a configuration and gives
// them their states. now is the start of the schedule.
func (l *loop) install(loaded Loaded, records map[opstatus.Key]store.Record, pools map[string]store.Pool, unclean bool, now time.Time) {
	l.loaded = loaded
	was := holders{services: l.services}
	l.forgetLinks(loaded.Config)
	cfgs := withSelf(loaded.Config, l.roles.links)
	l.services = make([]*service, len(cfgs))
	l.byKey = make(map[opstatus.Key]*service, len(cfgs))
	l.heap, l.trapHeap, l.watches = schedule.NewHeap(now), schedule.NewHeap(now), map[string]bool{}
	base := daemonEnv(loaded.Config.Globals)
	for i, c := range cfgs {
		s := newService(c, base, loaded.Config.Globals.HistLength)
		s.id, s.hidden, s.group = i, loaded.Config.Service(c.Key) == nil, loaded.Config.Group(c.Key.Group)
		s.history = c.Monitor != nil && loaded.Programs[c.Monitor.Program].History
		if r, ok := records[c.Key]; ok {
			s.restore(r, unclean)
		}
		if !s.hidden {
			l.watches[c.Key.Group] = true
		}
		l.installTraps(s, now)
		l.prune(s, now)
		if c.Monitor == nil || !c.Plan.Scheduled() {
			l.held(s, "", "", now) // nothing is run that could be held
		}
		s.watchOff = note(l.globals.Watches, c.Key.Group)
		s.phase = phaseOf(s.state)
		l.services[i], l.byKey[c.Key] = s, s
		if c.Monitor != nil && c.Plan.Scheduled() {
			l.arm(s, c.Plan.First(c.Key.String(), now, l.opt.Random))
		}
	}
	l.grain = grainOf(l.services)
	l.self.recount(l.services)
	l.outbox.SetTimeout(loaded.Config.Globals.AlertTimeout)
	l.daemon.Loaded, l.daemon.ConfigPath = now, loaded.Config.Path
	l.configureFiles()
	is := holders{services: l.services}
	was.pools, is.pools = l.installPools(pools, unclean, now)
	l.installKeepers(was, is)
	l.roles.site.hash = loaded.Hash
	l.installRoles(now)
	l.watchMarks()
	l.watchFaults()
	l.opt.Runner.Watch(l.watched())
	if loaded.Installed != nil {
		loaded.Installed()
	}
}

// showBoard lets readers see the services of this configuration; each has a
// row by now.
func (l *loop) showBoard() {
	keys, cells := make([]opstatus.Key, len(l.services)), make([]*view.Cell, len(l.services))
	for i, s := range l.services {
		keys[i], cells[i] = s.cfg.Key, s.cell
	}
	l.board.Replace(l.loaded.Config, keys, cells)
	names, rows := make([]string, len(l.pools)), make([]*view.PoolCell, len(l.pools))
	for i, p := range l.pools {
		names[i], rows[i] = p.cfg.Name, p.cell
	}
	l.board.ReplacePools(names, rows)
}

// watched are the services whose monitors also speak unasked.
func (l *loop) watched() []job.Check {
	var jobs []job.Check
	for _, s := range l.services {
		c := s.cfg.Monitor
		if c == nil || !l.loaded.Programs[c.Program].Watcher {
			continue
		}
		if hosts, ok := l.targets(s); ok {
			jobs = append(jobs, l.check(s, hosts))
		}
	}
	return jobs
}

// prune drops claims of lines that are no longer in the configuration.
func (l *loop) prune(s *service, now time.Time) {
	if len(s.claims) == 0 {
		return
	}
	var gone []alert.Claim
	s.claims, gone = policy.Prune(s.cfg, l.isKeeper, s.claims)
	for _, c := range gone {
		l.event(s, claimRow(c), now)
	}
}

// inherit takes over what only lives in memory: running checks, due times
// that are unchanged, what is remembered for readers. It answers the checks
// that are of no use any more, because they run another command.
func (l *loop) inherit(old map[opstatus.Key]*service, now time.Time) (stale []uint64) {
	for key, s := range l.byKey {
		o := old[key]
		if o == nil {
			continue
		}
		s.since, s.recent, s.failedHosts, s.skipped = o.since, o.recent, o.failedHosts, o.skipped
		s.verdict, s.ask, s.answered = o.verdict, o.ask, o.answered
		switch same := sameCheck(s.cfg, o.cfg); {
		case !same:
			if s.state.Blind != nil {
				s.state.Blind = nil // that was the other monitor
				l.event(s, sightedRow("another check takes its place"), now)
			}
			if o.running != 0 {
				stale = append(stale, o.running)
			}
		case o.running != 0:
			s.running, s.began = o.running, o.began
			l.inflight[o.running] = s
		}
		l.inheritTraps(s, o.cfg, now)
		if s.keepsTime(o, now) {
			l.arm(s, o.planned)
		}
	}
	return stale
}

// sameCheck reports whether what a check of b answers is true of a.
func sameCheck(a, b *config.Service) bool {
	if a.Monitor == nil || b.Monitor == nil {
		return a.Monitor == b.Monitor
	}
	return a.Monitor.Program == b.Monitor.Program && a.Monitor.NoHosts == b.Monitor.NoHosts &&
		slices.Equal(a.Monitor.Args, b.Monitor.Args) && slices.Equal(a.Hosts, b.Hosts) && maps.Equal(a.Env, b.Env)
}

// keepsTime reports whether s is due when o, its predecessor, was. A time that
// the plan alone does not give is not kept: the exclude_period behind it may
// be gone.
func (s *service) keepsTime(o *service, now time.Time) bool {
	plan := s.cfg.Plan
	if s.cfg.Monitor == nil || o.planned.IsZero() || !plan.Equal(o.cfg.Plan) {
		return false
	}
	if plan.Calendar != nil {
		return !o.planned.After(s.planned)
	}
	return !o.planned.After(now.Add(max(plan.Up, plan.Suspect, plan.Down, plan.RandStart) + plan.Skew))
}

// removeGone forgets services that left the configuration and ends their
// checks, and those that are stale.
func (l *loop) removeGone(old []*service, stale []uint64, now time.Time) {
	for _, s := range old {
		if l.byKey[s.key()] != nil {
			continue
		}
		l.batch.Gone = append(l.batch.Gone, s.key())
		for _, c := range s.claims {
			c.Withdrawn = true
			l.event(s, claimRow(c), now)
		}
		l.removed(s.key(), s.record(), now)
		if s.running != 0 {
			stale = append(stale, s.running)
		}
	}
	for _, id := range stale {
		delete(l.inflight, id)
	}
	if len(stale) > 0 {
		l.opt.Runner.Cancel(stale)
	}
}

// startup tells of the daemon's start where a startupalert asks for it.
func (l *loop) startup(now time.Time) {
	for _, s := range l.services {
		l.observe(s, opstatus.Event{Kind: opstatus.Startup}, now)
	}
}

func note(m map[string]opstatus.Note, key string) *opstatus.Note {
	if n, ok := m[key]; ok {
		return &n
	}
	return nil
}
