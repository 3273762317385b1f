package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/faults"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

// Faults watches what of this machine may be at fault; a faults.Watcher is
// one.
type Faults interface {
	// Watch replaces the set that is watched. It never blocks.
	Watch(set []config.LocalFault)
	// Changes says what began or ended to be at fault. It is read by the loop
	// only; while the loop is busy changes are gathered.
	Changes() <-chan []faults.Change
}

// watchFaults has those of the configuration watched.
func (l *loop) watchFaults() {
	if l.opt.Faults == nil {
		return
	}
	var set []config.LocalFault
	add := func(list []config.LocalFault) {
		for _, f := range list {
			if !slices.Contains(set, f) {
				set = append(set, f)
			}
		}
	}
	for _, s := range l.services {
		add(s.cfg.Faults)
	}
	for _, v := range l.loaded.Config.Virtuals {
		add(v.Faults)
	}
	for f := range l.faults {
		if !slices.Contains(set, f) {
			delete(l.faults, f)
		}
	}
	l.faultsWatched = set
	l.opt.Faults.Watch(set)
}

// faultChanges is what the watcher says; nil without one.
func (l *loop) faultChanges() <-chan []faults.Change {
	if l.opt.Faults == nil {
		return nil
	}
	return l.opt.Faults.Changes()
}

// handleFaults takes what began or ended to be at fault.
func (l *loop) handleFaults(changes []faults.Change, now time.Time) {
	for _, c := range changes {
		if c.Text == l.faults[c.Fault] || !slices.Contains(l.faultsWatched, c.Fault) {
			continue // a reload came between
		}
		if c.Text == "" {
			l.opt.Log.Info("local fault is over", "was", l.faults[c.Fault])
			delete(l.faults, c.Fault)
		} else {
			l.opt.Log.Error("local fault: checks that need it mean nothing, what they decide is held", "fault", c.Text)
			l.faults[c.Fault] = c.Text
		}
		for _, p := range l.pools {
			if slices.Contains(p.cfg.Faults, c.Fault) {
				l.touchPool(p)
			}
		}
	}
	l.decide(now)
	l.self.push(l, "local", l.localResult(), now)
}

// faultOf says which of these faults hold now; empty if none does.
func (l *loop) faultOf(list []config.LocalFault) string {
	if len(l.faults) == 0 {
		return ""
	}
	text := ""
	for _, f := range list {
		if why := l.faults[f]; why != "" {
			if text != "" {
				text += "; "
			}
			text += why
		}
	}
	return text
}

// believe is a result as far as it may be believed: while this machine is at
// fault it says nothing of the target.
func (l *loop) believe(s *service, d *job.Done) {
	if why := l.faultOf(s.cfg.Faults); why != "" {
		d.Result = monitor.Blinded(monitor.LocalFault, why)
	}
}

// localResult fails while anything of this machine that checks need is at
// fault.
func (l *loop) localResult() monitor.Result {
	if len(l.faults) == 0 {
		return monitor.OK("nothing that checks need is at fault")
	}
	var texts []string
	for _, why := range l.faults {
		texts = append(texts, why)
	}
	slices.Sort(texts)
	return monitor.Failed(strings.Join(texts, "; "), "checks that need it are not believed: their last state holds\n")
}
