package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
)

// What the loop has to do with roles: it tells electors of this machine
// (site.go), keeps operators' orders for them (failover.go), and shows how they
// decide: in rows for readers, in history, and by services of group mond. Tokens
// do not come by here; see lane.go.

// roles are what the loop knows of them.
type roles struct {
	lane     *lane // nil if nobody passes tokens
	electors []*service
	lines    map[string][]role.Line // by holder, as last told
	// told are the last reports of electors, by service of group mond; links
	// those among their names that only reports make known.
	told  map[string]told
	links map[string]bool
	site  siteState
	// once are orders that are to be obeyed once, by group, for a while.
	once map[string]once
	// first is the group of addresses that the file declares first, "" for none;
	// standsBy and kept are those of [loop.standBy].
	first    string
	standsBy bool
	kept     []kept
}

// told is a report of an elector.
type told struct {
	by     opstatus.Key
	result monitor.Result
	at     time.Time // when it was last pushed
}

func (e *Engine) newRoles(saved store.Saved) roles {
	r := roles{lines: map[string][]role.Line{}, told: map[string]told{}, links: map[string]bool{}, once: map[string]once{}}
	if e.opt.Lane != nil {
		r.lane = e.newLane()
	}
	for key := range saved.Records {
		if key.Group == selfGroup && onceTold(key.Service) && len(r.links) < linksMost {
			r.links[key.Service] = true
		}
	}
	return r
}

// nudge makes the loop look at what may have changed; any goroutine may call it.
func (r *roles) nudge() {
	if r.lane != nil {
		signal(r.lane.wake)
	}
}

// wake is what the loop selects on; nil if there is no lane.
func (r *roles) wake() <-chan struct{} {
	if r.lane == nil {
		return nil
	}
	return r.lane.wake
}

// shared is what the loop selects on for what electors say of sharing.
func (r *roles) shared() <-chan []job.Shared {
	if r.lane == nil {
		return nil
	}
	return r.lane.to.Shared()
}

const (
	linkPrefix = "link-"
	rolePrefix = "role-"
	// directorPrefix is that of the services of a witness.
	directorPrefix = "director-"
	// linksMost is how many services of links there may be; more than any
	// elector has, so that one gone mad does not fill the memory.
	linksMost = 64
)

// onceTold reports whether a service of group mond comes to be when an elector
// first speaks of it: that of a link, of the witness, or, where this is the
// witness, of a director.
func onceTold(name string) bool {
	return name == "witness" || strings.HasPrefix(name, linkPrefix) || strings.HasPrefix(name, directorPrefix)
}

// roleNames are the services of group mond that a configuration with electors
// has: those that are known from it, and links that have been reported.
func roleNames(c *config.Config, links map[string]bool) []string {
	var names []string
	for _, s := range c.Services {
		if !s.Elects {
			continue
		}
		if names == nil {
			names = append([]string{"peer", "redundancy"}, slices.Sorted(maps.Keys(links))...)
		}
		for _, h := range s.Holds {
			names = append(names, rolePrefix+h.Group.Name)
		}
	}
	return names
}

// newSelfService is one of the daemon's own that the file does not declare.
func newSelfService(name, description string) *config.Service {
	return &config.Service{
		Key: opstatus.Key{Group: selfGroup, Service: name}, Description: description, Origin: "mond",
		Settle: opstatus.Settings{Fall: 1, Rise: 1},
	}
}

// installRoles gives holders their lines and the lane its groups. What is not
// declared any more is released by its holder.
func (l *loop) installRoles(now time.Time) {
	r := &l.roles
	var groups []*group
	lines := map[string][]role.Line{}
	r.electors, r.first = nil, ""
	for _, s := range l.services {
		if !s.cfg.Elects {
			continue
		}
		r.electors = append(r.electors, s)
		for _, h := range s.cfg.Holds {
			r.first = cmp.Or(r.first, h.Group.Name)
			line := role.Line{Group: h.Group.Name, Args: h.Args}
			lines[h.Program] = append(lines[h.Program], line)
			groups = append(groups, &group{name: h.Group.Name, elector: s.key(), holder: h.Program, line: line})
		}
	}
	if r.lane == nil {
		return
	}
	for _, program := range r.lane.configure(groups) {
		lines[program] = nil
	}
	for _, program := range slices.Sorted(maps.Keys(lines)) {
		if old, known := r.lines[program]; !known || !sameLines(old, lines[program]) {
			r.lane.to.Hold(program, role.Work{Full: true, Lines: lines[program]})
		}
	}
	r.lines = lines
	l.handleLane(now)
}

func sameLines(a, b []role.Line) bool {
	return slices.EqualFunc(a, b, func(x, y role.Line) bool { return x.Group == y.Group && slices.Equal(x.Args, y.Args) })
}

// forgetLinks forgets links that a configuration may not have any more: those of
// electors that run with other words.
func (l *loop) forgetLinks(next *config.Config) {
	for _, s := range l.roles.electors {
		if c := next.Service(s.key()); c == nil || !c.Elects || !slices.Equal(c.Monitor.Args, s.cfg.Monitor.Args) {
			clear(l.roles.links)
			return
		}
	}
}

// handleLane takes up what changed in the lane.
func (l *loop) handleLane(now time.Time) {
	groups, changes := l.roles.lane.snapshot()
	l.batch.Events = append(l.batch.Events, changes...)
	if len(changes) > 0 {
		for i := range groups {
			l.pushRole(&groups[i], now)
		}
	}
	l.roles.site.dirty = true
	l.standBy(groups, now)
	l.showRoles(groups, now)
}

// reported takes what an elector said of a service of group mond. A name that
// no elector has is dropped.
func (l *loop) reported(d job.Done, now time.Time) {
	by := opstatus.Key{Group: d.Group, Service: d.Service}
	if s := l.byKey[by]; s == nil || !s.cfg.Elects || !l.hasReport(d.About, now) {
		return
	}
	l.roles.lane.heard(by, true)
	l.roles.told[d.About] = told{by: by, result: d.Result, at: now}
	l.pushTold(d.About, now)
	l.roles.nudge() // handleLane, where it is seen who tells
}

// hasReport reports whether there is a service of group mond of that name that
// electors speak of; that of a link comes to be when it is first spoken of.
func (l *loop) hasReport(name string, now time.Time) bool {
	own := name == "peer" || name == "redundancy" || strings.HasPrefix(name, rolePrefix) || onceTold(name)
	switch {
	case !own:
		return false
	case l.byKey[opstatus.Key{Group: selfGroup, Service: name}] != nil:
		return true
	case !onceTold(name) || len(name) > 80 || len(l.roles.links) >= linksMost:
		return false
	}
	l.roles.links[name] = true
	l.addSelf(name, now)
	return true
}

// addSelf adds a service of group mond to those that run.
func (l *loop) addSelf(name string, now time.Time) {
	g := l.loaded.Config.Globals
	s := newService(newSelfService(name, "told by a monitor that elects"), daemonEnv(g), g.HistLength)
	s.id, s.hidden = len(l.services), true
	l.installTraps(s, now)
	l.held(s, "", "", now)
	s.phase = phaseOf(s.state)
	l.services = append(l.services, s)
	l.byKey[s.key()] = s
	s.publish()
	l.showBoard()
}

// pushTold observes the last report of a service.
func (l *loop) pushTold(name string, now time.Time) {
	s := l.byKey[opstatus.Key{Group: selfGroup, Service: name}]
	t, ok := l.roles.told[name]
	if s == nil || !ok {
		return
	}
	t.at = now
	l.roles.told[name] = t
	l.observe(s, opstatus.Event{Kind: opstatus.Pushed, Result: t.result}, now)
}

// pushRole observes how a group stands: as its elector says, unless its holder
// could not do what it was told.
func (l *loop) pushRole(g *group, now time.Time) {
	name := rolePrefix + g.name
	s := l.byKey[opstatus.Key{Group: selfGroup, Service: name}]
	t, ok := l.roles.told[name]
	switch {
	case s == nil || ok && t.result.Failing() || !ok && g.stand.Error == "":
	case g.stand.Error != "":
		detail := fmt.Sprintf("%s holds %d of %d addresses of group %s\n%s\n", g.holder, g.stand.Held, g.stand.Total, g.name, g.stand.Detail)
		l.observe(s, opstatus.Event{Kind: opstatus.Pushed, Result: monitor.Failed(g.stand.Error, detail)}, now)
	case s.state.Status.Failing():
		l.pushTold(name, now)
	}
}

// electorSaid takes what an elector said of itself, or the host of it.
func (l *loop) electorSaid(by opstatus.Key, r monitor.Result, now time.Time) {
	l.roles.lane.heard(by, r.Cause != monitor.CouldNotStart && r.Cause != monitor.PluginLost)
	if r.Blind() {
		l.blindTold(by, r, now)
	}
}

// blindTold makes blind what an elector spoke of that sees nothing any more.
func (l *loop) blindTold(by opstatus.Key, r monitor.Result, now time.Time) {
	for _, name := range slices.Sorted(maps.Keys(l.roles.told)) {
		if t := l.roles.told[name]; t.by == by {
			t.result = r
			l.roles.told[name] = t
			l.pushTold(name, now)
		}
	}
}

// tickRoles tells again what did not change, so that alertevery and alertafter
// have something to count, and looks at what only a clock changes.
func (l *loop) tickRoles(now time.Time) {
	if len(l.roles.electors) == 0 {
		return
	}
	for name, t := range l.roles.told {
		if by := l.byKey[t.by]; by == nil || !by.cfg.Elects {
			delete(l.roles.told, name)
		} else if now.Sub(t.at) >= selfRepeat && !t.result.Blind() {
			l.repeatTold(name, now)
		}
	}
	l.endOnce(now)
	l.tickShared(now)
	l.roles.site.dirty = true
	if l.roles.lane != nil {
		l.handleLane(now)
	}
}

func (l *loop) repeatTold(name string, now time.Time) {
	s := l.byKey[opstatus.Key{Group: selfGroup, Service: name}]
	if s == nil {
		return
	}
	if t := l.roles.told[name]; !t.result.Failing() && s.state.Status.Failing() {
		t.at = now // its holder fails: that is told again by pushRole
		l.roles.told[name] = t
		return
	}
	l.pushTold(name, now)
}

// showRoles publishes how groups stand.
func (l *loop) showRoles(groups []group, now time.Time) {
	rows := make([]view.Role, len(groups))
	clock := l.opt.BootTime()
	for i := range groups {
		g := &groups[i]
		rows[i] = view.Role{
			Group: g.name, Elector: g.elector, Holder: g.holder, Args: g.line.Args,
			Told: g.passed > 0, Hold: g.token.Hold, Epoch: g.token.Epoch, Since: g.at, Reason: g.token.Reason,
			Lease: g.token.Lease, Passed: g.passed, Late: g.late, Stood: g.stood, Stand: g.stand,
		}
		if g.token.Hold {
			rows[i].Until = now.Add(g.token.Until - clock)
		}
		if g.stand.Until > 0 {
			rows[i].Expires = now.Add(g.stand.Until - clock)
		}
		rows[i].Order = l.standingOrder(g.name)
	}
	slices.SortFunc(rows, func(a, b view.Role) int { return cmp.Compare(l.place(a.Group), l.place(b.Group)) })
	l.board.SetRoles(rows)
}

// place is where a group stands in the file.
func (l *loop) place(group string) int {
	n := 0
	for _, s := range l.roles.electors {
		for _, h := range s.cfg.Holds {
			if h.Group.Name == group {
				return n
			}
			n++
		}
	}
	return n
}

// leaveTime bounds how long a stop waits for electors to say their last, and
// releaseTime for holders to let go.
const (
	leaveTime   = 2500 * time.Millisecond
	releaseTime = time.Second
)

// leave tells electors that mond ends, and waits a while for what those have to
// say that run. Then, or when they say nothing, addresses stay as on_stop has it.
func (e *Engine) leave(l *loop) {
	n, how := l.roles.lane, l.loaded.Config.Globals.OnStop
	if n == nil || len(l.roles.electors) == 0 {
		return
	}
	keys := make([]opstatus.Key, len(l.roles.electors))
	for i, s := range l.roles.electors {
		keys[i] = s.key()
	}
	n.leave()
	l.roles.site.leaving, l.roles.site.keep = true, how == config.StopKeep
	l.sendSites()
	present := n.present(keys)
	gone := n.await(leaveTime, func() bool { return n.gone(present) })
	if !gone {
		e.opt.Log.Warn("the monitor that elects did not take leave in time", "on_stop", how.String())
	} else if len(present) < len(keys) {
		e.opt.Log.Warn("a monitor that elects does not run, so it takes no leave", "on_stop", how.String())
		gone = false
	}
	if how == config.StopRelease && !gone {
		n.release("mond ends, and on_stop is release")
	}
	if how != config.StopKeep && !n.await(releaseTime, n.released) {
		e.opt.Log.Error("mond ends while addresses are held still", "on_stop", how.String())
	}
	_, changes := n.snapshot()
	l.batch.Events = append(l.batch.Events, changes...)
}

// startLane begins to pass tokens.
func (l *loop) startLane(run func(f func(ctx context.Context))) {
	if l.roles.lane != nil {
		run(l.roles.lane.run)
	}
}
