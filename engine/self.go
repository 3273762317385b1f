package engine

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/monitor"
)

const (
	// selfGroup is the watch of the daemon's own condition.
	selfGroup = "mond"
	// selfInterval is how often the daemon looks at itself.
	selfInterval = time.Second
	// selfRepeat is how often it tells mon's policy that nothing changed.
	selfRepeat = 10 * time.Second
	// lateLimit is the lateness of a check that is worth an alarm.
	lateLimit = time.Second
	// waitLimit is how old a waiting notice may be before it is.
	waitLimit = 5 * time.Minute
)

// selfNames are the services of group mond.
var selfNames = []string{"plugins", "store", "lateness", "outbox", "config", "local"}

// withSelf is the services of c, and after them those of group mond that the
// file does not declare.
func withSelf(c *config.Config, links map[string]bool) []*config.Service {
	all := slices.Clone(c.Services)
	for _, name := range slices.Concat(selfNames, copyNames(c), roleNames(c, links)) {
		if c.Service(opstatus.Key{Group: selfGroup, Service: name}) == nil {
			all = append(all, newSelfService(name, "the daemon's own condition"))
		}
	}
	return all
}

// self watches the daemon itself. The loop owns it.
type self struct {
	blind    map[string]int // services that see nothing now, by program
	reason   map[string]string
	changed  bool // blind changed since the last look
	late     time.Duration
	lastPush map[string]time.Time
	lastFail map[string]string // summary last pushed, "" for good
	window   time.Time         // start of the lateness window
}

// lateness notes how late a check was sent out.
func (s *self) lateness(d time.Duration) { s.late = max(s.late, d) }

// blinded notes a service that saw nothing.
func (s *self) blinded(v *service, was opstatus.State) {
	if was.Blind != nil || v.cfg.Monitor == nil {
		return
	}
	s.add(v)
	s.changed = true
}

// add counts a service that sees nothing.
func (s *self) add(v *service) {
	b, p := v.state.Blind, v.cfg.Monitor.Program
	s.blind[p]++
	s.reason[p] = b.Cause.String() + ": " + b.Reason
}

// sighted notes that a service sees again.
func (s *self) sighted(v *service) {
	if v.cfg.Monitor == nil {
		return
	}
	p := v.cfg.Monitor.Program
	if s.blind[p]--; s.blind[p] <= 0 {
		delete(s.blind, p)
	}
	s.changed = true
}

// recount is for a reload: services come and go.
func (s *self) recount(services []*service) {
	s.blind, s.reason = map[string]int{}, map[string]string{}
	for _, v := range services {
		if v.state.Blind != nil && v.cfg.Monitor != nil {
			s.add(v)
		}
	}
	s.changed = true
}

// urgent looks at the plugins at once when services became blind or saw
// again, instead of at the next tick.
func (s *self) urgent(l *loop, now time.Time) {
	if s.changed {
		s.changed = false
		s.push(l, "plugins", s.plugins(l), now)
	}
}

// handleTick looks at the daemon's own condition.
func (l *loop) handleTick(now time.Time) {
	l.countBlind()
	l.self.check(l, now)
	l.tickPools(now)
	l.tickRoles(now)
	l.tickCopies(now)
	l.excluded(now)
	l.holdTraps(now)
	l.publishDaemon(now)
	l.sign(now)
}

// check pushes a result for each service of group mond.
func (s *self) check(l *loop, now time.Time) {
	s.push(l, "plugins", s.plugins(l), now)
	s.push(l, "store", storeResult(l, now), now)
	s.push(l, "lateness", s.latenessResult(), now)
	s.push(l, "outbox", outboxResult(l, now), now)
	s.push(l, "config", configResult(l), now)
	s.push(l, "local", l.localResult(), now)
	if now.Sub(s.window) >= time.Minute {
		s.window, s.late = now, 0
	}
}

// push hands a result to the loop when it is news, and now and then when it
// is not, so that alertevery and alertafter have something to count.
func (s *self) push(l *loop, name string, r monitor.Result, now time.Time) {
	v := l.byKey[opstatus.Key{Group: selfGroup, Service: name}]
	if v == nil {
		return
	}
	if s.lastPush == nil {
		s.lastPush, s.lastFail = map[string]time.Time{}, map[string]string{}
	}
	text := ""
	if r.Failing() {
		text = r.Summary
	}
	if last, ok := s.lastPush[name]; ok && text == s.lastFail[name] && now.Sub(last) < selfRepeat {
		return
	}
	s.lastPush[name], s.lastFail[name] = now, text
	l.observe(v, opstatus.Event{Kind: opstatus.Pushed, Result: r}, now)
}

// plugins fails while any service sees nothing or a keeper is not reached.
func (s *self) plugins(l *loop) monitor.Result {
	var bad, detail []string
	for _, p := range slices.Sorted(maps.Keys(s.blind)) {
		bad = append(bad, p)
		detail = append(detail, fmt.Sprintf("%s: %d services see nothing (%s)", p, s.blind[p], s.reason[p]))
	}
	unkept := l.unkept()
	for _, p := range slices.Sorted(maps.Keys(unkept)) {
		bad = append(bad, p)
		detail = append(detail, fmt.Sprintf("%s: claims are not kept: %s", p, unkept[p]))
	}
	if len(bad) == 0 {
		return monitor.OK("all plugins answer")
	}
	return monitor.Failed(strings.Join(bad, " "), strings.Join(detail, "\n")+"\n")
}

// unkept are the keepers that do not keep what is claimed, with the reason.
func (l *loop) unkept() map[string]string {
	var all map[string]string
	for program, k := range l.keepers {
		if err := k.state(); err != nil {
			if all == nil {
				all = map[string]string{}
			}
			all[program] = err.Error()
		}
	}
	return all
}

func storeResult(l *loop, now time.Time) monitor.Result {
	ok, since, err := l.opt.Store.Health()
	if files := l.files.Err(); ok && files != nil {
		return monitor.Failed("log files are not written", files.Error()+"\n")
	}
	if files := errors.Join(l.disabled.Err(), l.opstatus.Err()); ok && files != nil {
		return monitor.Failed("mon's state files are not written", files.Error()+"\n")
	}
	if ok {
		return monitor.OK("state is on disk")
	}
	return monitor.Failed("state is not on disk", fmt.Sprintf("for %v: %v\n", now.Sub(since).Round(time.Second), err))
}

func (s *self) latenessResult() monitor.Result {
	if s.late <= lateLimit {
		return monitor.OK("checks start on time")
	}
	return monitor.Failed("checks start late", fmt.Sprintf("up to %v in the last minute; more is due than this machine can run\n", s.late.Round(time.Millisecond)))
}

func outboxResult(l *loop, now time.Time) monitor.Result {
	oldest := l.outbox.Oldest()
	if oldest.IsZero() || now.Sub(oldest) < waitLimit {
		return monitor.OK("no alert waits")
	}
	return monitor.Failed("alerts wait", fmt.Sprintf("%d alerts, the oldest since %s\n", l.outbox.Len(), oldest.Format(time.DateTime)))
}

func configResult(l *loop) monitor.Result {
	if l.daemon.ReloadError != "" {
		return monitor.Failed("the last reload was refused", l.daemon.ReloadError+"\n")
	}
	if len(l.unread) == 0 {
		return monitor.OK("the file and the running configuration agree")
	}
	var detail strings.Builder
	for _, dir := range slices.Sorted(maps.Keys(l.unread)) {
		fmt.Fprintf(&detail, "%s: %s; what it said last stays in force\n", dir, l.unread[dir])
	}
	return monitor.Failed("a directory of maintenance cannot be read", detail.String())
}

// publishDaemon shows readers the daemon's row.
func (l *loop) publishDaemon(now time.Time) {
	d := l.daemon
	d.Stopped, d.Hosts = l.globals.Stopped, l.globals.Hosts
	d.Watches, d.Excluded = l.globals.Watches, l.globals.Excluded
	d.Shared, d.Unkept = l.viewShared(), l.unkept()
	d.Running, d.Outbox, d.Late = len(l.inflight), l.outbox.Len(), l.self.late
	l.board.SetDaemon(&d)
}
