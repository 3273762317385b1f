package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/job"
)

// Reload reads the configuration and swaps it in as one step; an error leaves
// everything as it was and makes mond:config fail. States, counters, claims,
// disables and running checks survive by group and service.
func (e *Engine) Reload(ctx context.Context) error {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	loaded, err := e.opt.Load(ctx)
	if err != nil {
		if callErr := e.do(ctx, func(l *loop, now time.Time) error { l.reloadFailed(err, now); return nil }); callErr != nil {
			return callErr
		}
		return fmt.Errorf("reload refused, the running configuration stays: %w", err)
	}
	return e.do(ctx, func(l *loop, now time.Time) error { l.swap(loaded, now); return nil })
}

func (l *loop) reloadFailed(err error, now time.Time) {
	l.daemon.ReloadError = err.Error()
	l.opt.Log.Error("reload refused, the running configuration stays", "err", err)
	l.handleTick(now)
}

// swap puts a configuration that loaded into force.
func (l *loop) swap(loaded Loaded, now time.Time) {
	old := l.services
	records := make(map[opstatus.Key]store.Record, len(old))
	byKey := l.byKey
	for _, s := range old {
		records[s.key()] = s.record()
	}
	l.install(loaded, records, false, now)
	l.inherit(byKey, now)
	l.removeGone(old)
	for _, s := range l.services {
		l.touch(s, true)
	}
	l.daemon.ReloadError = ""
	l.opt.Log.Info("configuration loaded", "file", loaded.Config.Path, "services", len(loaded.Config.Services))
	if loaded.Config.Globals.StartupAlertsOnReset {
		l.startup(now)
	}
	l.handleTick(now)
}

// install builds services, schedule and keepers of a configuration and gives
// them their states. now is the start of the schedule.
func (l *loop) install(loaded Loaded, records map[opstatus.Key]store.Record, unclean bool, now time.Time) {
	l.loaded = loaded
	cfgs := withSelf(loaded.Config)
	l.services = make([]*service, len(cfgs))
	l.byKey = make(map[opstatus.Key]*service, len(cfgs))
	l.heap = newHeap(now)
	base := daemonEnv(loaded.Config.Globals)
	keys, cells := make([]opstatus.Key, len(cfgs)), make([]*view.Cell, len(cfgs))
	for i, c := range cfgs {
		s := newService(c, base, loaded.Config.Globals.HistLength)
		s.id, s.hidden, s.group = i, loaded.Config.Service(c.Key) == nil, loaded.Config.Group(c.Key.Group)
		s.history = c.Monitor != nil && loaded.Programs[c.Monitor.Program].History
		if r, ok := records[c.Key]; ok {
			s.restore(r, unclean)
		}
		l.prune(s)
		s.watchOff = note(l.globals.Watches, c.Key.Group)
		s.phase = phaseOf(s.state)
		l.services[i], l.byKey[c.Key], keys[i], cells[i] = s, s, c.Key, s.cell
		if c.Monitor != nil && c.Plan.Scheduled() {
			l.arm(s, c.Plan.First(c.Key.String(), now, l.opt.Random))
		}
		s.publish()
	}
	l.grain = grainOf(l.services)
	l.self.recount(l.services)
	l.outbox.SetTimeout(loaded.Config.Globals.AlertTimeout)
	l.board.Replace(keys, cells)
	l.daemon.Loaded, l.daemon.ConfigPath = now, loaded.Config.Path
	l.installKeepers()
	l.opt.Runner.Watch(l.watched())
	if loaded.Installed != nil {
		loaded.Installed()
	}
}

// watched are the services whose monitors also speak unasked.
func (l *loop) watched() []job.Check {
	var jobs []job.Check
	for _, s := range l.services {
		if c := s.cfg.Monitor; c != nil && l.loaded.Programs[c.Program].Watcher {
			jobs = append(jobs, l.check(s, l.hosts(s)))
		}
	}
	return jobs
}

// prune drops claims of lines that are no longer in the configuration.
func (l *loop) prune(s *service) {
	if len(s.claims) > 0 {
		s.claims, _ = policy.Prune(s.cfg, l.isKeeper, s.claims)
	}
}

// installKeepers gives every keeping program of the configuration its full
// set. One that the configuration no longer names gets an empty set: hands
// off.
func (l *loop) installKeepers() {
	for program, p := range l.loaded.Programs {
		if p.Keeper && l.keepers[program] == nil {
			k := l.newKeeper(program)
			l.keepers[program] = k
			if l.startKeeper != nil {
				l.startKeeper(k)
			}
		}
	}
	for program, k := range l.keepers {
		k.replace(l.fullSet(program))
	}
}

// inherit takes over what only lives in memory: running checks, due times
// that are unchanged, what is remembered for readers.
func (l *loop) inherit(old map[opstatus.Key]*service, now time.Time) {
	for key, s := range l.byKey {
		o := old[key]
		if o == nil {
			continue
		}
		s.since, s.recent, s.failedHosts, s.skipped = o.since, o.recent, o.failedHosts, o.skipped
		if o.running != 0 {
			s.running = o.running
			l.inflight[o.running] = s
		}
		if s.cfg.Plan.Equal(o.cfg.Plan) && !o.planned.IsZero() && s.cfg.Monitor != nil {
			l.arm(s, o.planned)
		}
		s.publish()
	}
}

// removeGone forgets services that left the configuration and ends their
// checks.
func (l *loop) removeGone(old []*service) {
	var cancel []uint64
	for _, s := range old {
		if l.byKey[s.key()] != nil {
			continue
		}
		l.batch.Gone = append(l.batch.Gone, s.key())
		if s.running != 0 {
			cancel = append(cancel, s.running)
			delete(l.inflight, s.running)
		}
	}
	if len(cancel) > 0 {
		l.opt.Runner.Cancel(cancel)
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
