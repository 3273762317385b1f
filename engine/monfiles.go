package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/monstate"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
)

// mon's state files: mond's own state is in the store. These are for those who
// come from mon, go back to it, or read them.

// The names in statedir.
const (
	disabledName = "disabled"
	opstatusName = "opstatus"
)

// stateMost is how much of a state file is read: 3,000 services take 1 MB.
const stateMost = 64 << 20

func stateDir(c *config.Config, name string) string { return filepath.Join(c.Globals.StateDir, name) }

// SaveState writes mon's state files and waits for the disk.
func (e *Engine) SaveState(ctx context.Context, what steer.MonState, user string) error {
	var disabled, statuses []byte
	var cfg *config.Config
	err := e.do(ctx, func(l *loop, now time.Time) error {
		cfg = l.loaded.Config
		disabled, statuses = l.disabledNow().Encode(), l.statusesNow(now)
		l.operated("", deed{what: store.WhatSaveState, user: user, text: "mon's state saved: " + stateWords(what)}, now)
		return nil
	})
	if err != nil {
		return err
	}
	if what.Disabled {
		err = e.disabled.Write(ctx, stateDir(cfg, disabledName), disabled)
	}
	if what.OpStatus {
		err = errors.Join(err, e.opstatus.Write(ctx, stateDir(cfg, opstatusName), statuses))
	}
	return err
}

func stateWords(s steer.MonState) string {
	switch {
	case s.Disabled && s.OpStatus:
		return "disabled and opstatus"
	case s.OpStatus:
		return opstatusName
	case s.Disabled:
		return disabledName
	}
	return "nothing"
}

// keepDisabled has statedir/disabled say what is disabled now.
func (l *loop) keepDisabled() {
	if l.opt.StateFiles {
		l.disabled.Set(stateDir(l.loaded.Config, disabledName), l.disabledNow().Encode())
	}
}

// keepStates writes both files, as mon does before a reload that keeps the
// state.
func (l *loop) keepStates(now time.Time) {
	l.keepDisabled()
	if l.opt.StateFiles {
		l.opstatus.Set(stateDir(l.loaded.Config, opstatusName), l.statusesNow(now))
	}
}

// disabledNow is what is disabled, but for the daemon's own services.
func (l *loop) disabledNow() (d monstate.Disabled) {
	hosts := maps.Clone(l.globals.Hosts)
	if hosts == nil {
		hosts = map[string]opstatus.Note{}
	}
	for i := range l.loaded.Config.Groups {
		for h := range l.loaded.Config.Groups[i].Disabled {
			hosts[h] = opstatus.Note{}
		}
	}
	d.Hosts = slices.Sorted(maps.Keys(hosts))
	for _, w := range slices.Sorted(maps.Keys(l.globals.Watches)) {
		if l.loaded.Config.Group(w) != nil {
			d.Watches = append(d.Watches, w)
		}
	}
	for _, s := range l.services {
		if s.disabled != nil && !s.hidden {
			d.Services = append(d.Services, s.cfg.Key)
		}
	}
	return d
}

// statusesNow are all statuses, but for the daemon's own services.
func (l *loop) statusesNow(now time.Time) []byte {
	all := make([]monstate.Service, 0, len(l.services))
	for _, s := range l.services {
		if !s.hidden {
			all = append(all, s.monState(now))
		}
	}
	return monstate.Encode(all)
}

// monState is s as mon keeps it.
func (s *service) monState(now time.Time) monstate.Service {
	st := &s.state
	m := monstate.Service{
		Key: s.cfg.Key, Status: st.Status.Number(), Last: st.Last.Number(), Exit: st.Exit,
		Failures: st.Total, Alerts: s.alerts, Consecutive: st.Failures,
		LastSuccess: unix(st.LastOK), FirstSuccess: unix(st.FirstOK), LastFailure: unix(st.LastFail), FirstFailure: unix(st.FirstFail),
		LastCheck: unix(st.LastCheck), LastTrap: unix(st.LastTrap),
		Summary: st.Summary, Detail: detail(st.Output), Failed: st.FailOutput,
	}
	if st.Ack != nil {
		m.Ack, m.Comment = unix(st.Ack.At), noteText(*st.Ack)
	}
	if due := s.trapDue(); !due.IsZero() {
		m.TrapTimer = max(int64(due.Sub(now)/time.Second), 1)
	}
	for i, p := range s.periods {
		m.Periods = append(m.Periods, monstate.Period{
			Name: s.cfg.Periods[i].Name, LastAlert: unix(p.LastAlert), Sent: p.Sent, FirstFail: unix(p.FirstFail), FailCount: p.FailCount,
		})
	}
	return m
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(t.Unix(), 0)
}

func fromUnix(n int64) time.Time {
	if n <= 0 {
		return time.Time{}
	}
	return time.Unix(n, 0)
}

// monFiles are the contents of mon's files; nil for one that is not to be
// taken up, or not there.
type monFiles struct {
	disabled *monstate.Disabled
	services []monstate.Service
}

// LoadState takes up mon's state files. What the one names is disabled, and
// what else is disabled stays so; services that the other names get the status
// and counters that it says they have, and nobody is told. A file that is not
// there changes nothing.
func (e *Engine) LoadState(ctx context.Context, what steer.MonState, user string) error {
	files, err := e.readMonFiles(what, e.board.Config())
	if err != nil {
		return err
	}
	return e.do(ctx, func(l *loop, now time.Time) error {
		l.takeUp(files, user, false, now)
		l.operated("", deed{what: store.WhatLoadState, user: user, text: "mon's state loaded: " + stateWords(what)}, now)
		return nil
	})
}

// readMonFiles reads files outside of the loop; what they do not make sense in is
// logged.
func (e *Engine) readMonFiles(what steer.MonState, cfg *config.Config) (f monFiles, err error) {
	if what.Disabled {
		path := stateDir(cfg, disabledName)
		text, readErr := readFile(path)
		if err = readErr; text != nil {
			d, bad := monstate.DecodeDisabled(text)
			f.disabled = &d
			e.badLines(path, bad)
		}
	}
	if what.OpStatus {
		path := stateDir(cfg, opstatusName)
		text, readErr := readFile(path)
		err = errors.Join(err, readErr)
		var bad []monstate.Problem
		f.services, bad = monstate.Decode(text)
		e.badLines(path, bad)
	}
	return f, err
}

// readFile is the content of a file, nil without one.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("load mon's state: %w", err)
	case !info.Mode().IsRegular() || info.Size() > stateMost:
		return nil, fmt.Errorf("load mon's state: %s is no file of mon: not regular, or larger than %d bytes", path, stateMost)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load mon's state: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, stateMost))
	if err != nil {
		return nil, fmt.Errorf("load mon's state: %w", err)
	}
	return text, nil
}

func (e *Engine) badLines(path string, bad []monstate.Problem) {
	for _, p := range bad {
		e.opt.Log.Warn("line of mon's state file skipped", "file", path, "line", p.Line, "reason", p.Reason)
	}
}

// firstState takes up mon's files at the start, where -l asks for it: what the
// one says is disabled is all that is, and the other counts where mond knows
// nothing newer. Nothing else runs yet.
func (l *loop) firstState(saved store.Saved, now time.Time) {
	want := l.opt.LoadState
	if !want.Any() {
		l.passedOver(saved)
		return
	}
	path := stateDir(l.loaded.Config, opstatusName)
	if info, err := os.Stat(path); want.OpStatus && err == nil && !l.opt.Forget && !saved.New && info.ModTime().Before(saved.Alive) {
		l.opt.Log.Info("mon's file of statuses is older than mond's own state, which stays", "file", path,
			"hint", "loadstate opstatus takes it up all the same")
		want.OpStatus = false
	}
	files, err := l.readMonFiles(want, l.loaded.Config)
	if err != nil {
		l.opt.Log.Error("mon's state is not taken up", "err", err)
	}
	l.takeUp(files, "", true, now)
	l.offChanged = false // as read
	if n := len(files.services); files.disabled != nil || n > 0 {
		l.opt.Log.Info("mon's state taken up", "dir", l.loaded.Config.Globals.StateDir, "what", stateWords(want), "services", n)
	}
}

// passedOver says at the very first start that mon left files.
func (l *loop) passedOver(saved store.Saved) {
	if !saved.New || !l.opt.StateFiles {
		return
	}
	for _, name := range []string{disabledName, opstatusName} {
		path := stateDir(l.loaded.Config, name)
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			l.opt.Log.Warn("a state file of mon is there and was not taken up, as mon would not have", "file", path, "hint", "start with -l "+name+" (or -l all), or ask for loadstate "+name)
		}
	}
}

// takeUp takes up what files say. With whole, what they do not disable is
// enabled.
func (l *loop) takeUp(files monFiles, user string, whole bool, now time.Time) {
	if d := files.disabled; d != nil {
		note := opstatus.Note{At: now, User: user, Text: "mon's state file"}
		l.takeHosts(d.Hosts, note, whole, now)
		l.takeWatches(d.Watches, note, whole, now)
		l.takeServices(d.Services, note, whole, now)
		l.globalsChanged()
		l.opt.Runner.Watch(l.watched())
	}
	for _, m := range files.services {
		if s := l.byKey[m.Key]; s != nil && !s.hidden {
			l.takeState(s, m, user, now)
		} else {
			l.skipped("service " + m.Key.String())
		}
	}
}

// skipped tells of a name in a state file that the configuration does not have.
func (l *loop) skipped(what string) {
	l.opt.Log.Warn("mon's state file names what is not in the configuration", "name", what)
}

func (l *loop) takeHosts(hosts []string, n opstatus.Note, whole bool, now time.Time) {
	for _, h := range hosts {
		switch {
		case !l.hasHost(h):
			l.skipped("host " + h)
		case note(l.globals.Hosts, h) == nil:
			l.disableHost(h, n, now)
		}
	}
	for _, h := range slices.Sorted(maps.Keys(l.globals.Hosts)) {
		if whole && !slices.Contains(hosts, h) {
			l.enableHost(h, n.User, now)
		}
	}
}

func (l *loop) takeWatches(groups []string, n opstatus.Note, whole bool, now time.Time) {
	for _, g := range groups {
		switch {
		case !l.hasWatch(g):
			l.skipped("watch " + g)
		case note(l.globals.Watches, g) == nil:
			l.disableWatch(g, n, "watch disabled", false, now)
		}
	}
	for _, g := range slices.Sorted(maps.Keys(l.globals.Watches)) {
		if whole && !slices.Contains(groups, g) && l.loaded.Config.Group(g) != nil {
			l.enableWatch(g, n.User, "watch enabled: not in mon's state file", now)
		}
	}
}

func (l *loop) takeServices(keys []opstatus.Key, n opstatus.Note, whole bool, now time.Time) {
	listed := make(map[opstatus.Key]bool, len(keys))
	for _, k := range keys {
		listed[k] = true
		if s := l.byKey[k]; s == nil {
			l.skipped("service " + k.String())
		} else if s.disabled == nil {
			l.silence(s, n, "disabled", false, now)
		}
	}
	for _, s := range l.services {
		if whole && s.disabled != nil && !s.hidden && !listed[s.cfg.Key] {
			l.enable(s, n.User, "enabled: not in mon's state file", now)
		}
	}
}

// takeState gives s the status and counters of a line. Nobody is told, and
// keepers go on by what was seen.
func (l *loop) takeState(s *service, m monstate.Service, user string, now time.Time) {
	was := s.state
	s.state = stateOf(m)
	s.state.Blind = was.Blind
	s.alerts = m.Alerts
	for _, p := range m.Periods {
		for i := range s.cfg.Periods {
			if s.cfg.Periods[i].Name == p.Name {
				s.periods[i] = policy.State{Sent: p.Sent, LastAlert: fromUnix(p.LastAlert), FirstFail: fromUnix(p.FirstFail), FailCount: p.FailCount}
			}
		}
	}
	s.since, s.failedHosts = s.state.LastOK, nil
	if s.state.Status.Failing() {
		s.since, s.failedHosts = s.state.FirstFail, strings.Fields(s.state.FailSummary)
	}
	if was.Status != s.state.Status {
		e := statusRow(was, s.state, opstatus.Transition{From: was.Status, To: s.state.Status})
		e.Text += " (mon's state file)"
		e.User = user
		l.event(s, e, now)
	}
	if wait := s.cfg.TrapTimeout; wait > 0 && m.TrapTimer > 0 {
		s.trapSince = now.Add(time.Duration(min(m.TrapTimer, int64(wait/time.Second)))*time.Second - wait)
		l.setTrapClock(s)
	}
	l.repace(s, now)
	l.touch(s, true)
}

// outputMost is how much of an output is taken from a file.
const outputMost = 64 << 10

// stateOf is what a line says of a service.
func stateOf(m monstate.Service) opstatus.State {
	status, _ := opstatus.ParseStatus(strconv.Itoa(m.Status)) // -1 is untested
	last, _ := opstatus.ParseStatus(strconv.Itoa(m.Last))
	st := opstatus.State{
		Status: status, Last: last, Failures: m.Consecutive, Total: m.Failures, Exit: m.Exit,
		FirstOK: fromUnix(m.FirstSuccess), LastOK: fromUnix(m.LastSuccess), LastCheck: fromUnix(m.LastCheck), LastTrap: fromUnix(m.LastTrap),
		Summary: clean(m.Summary), Tested: m.Exit >= 0,
	}
	if m.Summary != "" || m.Detail != "" {
		st.Output = clean(m.Summary + "\n" + m.Detail)
	}
	if !status.Failing() {
		return st
	}
	st.FirstFail, st.LastFail = fromUnix(m.FirstFailure), fromUnix(m.LastFailure)
	st.FailOutput = clean(m.Failed)
	if m.Failed == "" {
		st.FailOutput = st.Output
	}
	st.FailSummary = st.Summary
	if m.Ack > 0 {
		n := opstatus.Note{At: fromUnix(m.Ack)}
		n.User, n.Text = splitNote(clean(m.Comment))
		st.Ack = &n
	}
	return st
}

// clean is text from a file, bounded and valid.
func clean(text string) string {
	if len(text) > outputMost {
		text = text[:outputMost]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
