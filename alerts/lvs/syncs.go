package lvs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/alerts/lvs/copying"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/words"
)

// The kernel's sync daemons copy connections to the other director, so that
// they survive a takeover. They are kept as rows are: what runs as wanted is
// adopted, what runs otherwise is replaced, what somebody stopped is started
// again and counted, and all is left running when mond ends.
//
// What is wrong with them is no failure of the claims: a director whose copies
// do not arrive is still better than none, and may hold addresses. It is told as
// the table's trouble, and to the engine, whose service mond:sync fails.

// wantSync is what is wanted of a table's sync daemons.
type wantSync struct {
	ipvs.Sync
	byRole bool
	hold   bool // claims there are, but none is confirmed: all stays as it is
}

// syncing are a table's sync daemons as they are wanted, and as they were seen
// last.
type syncing struct {
	want    wantSync
	states  []ipvs.DaemonState // that should run; nil with hold
	run     []ipvs.Daemon
	facts   copying.Facts
	index   int // of the interface when they were last well
	agreed  bool
	trouble string
	warning string
	lost    drops
	// since is since when a backup runs here, on an interface that is up; zero
	// without one.
	since time.Time
}

// syncs are what is claimed of the tables' sync daemons: of each the newest
// word.
func (d *desk) syncs() map[words.Place]wantSync {
	if len(d.synced) == 0 && !d.syncing() {
		return nil
	}
	var claims []*held
	for _, h := range d.synced {
		claims = append(claims, h)
	}
	slices.SortFunc(claims, func(a, b *held) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
	out := map[words.Place]wantSync{}
	for at, m := range d.tables {
		if m.sync.want != (wantSync{}) {
			out[at] = wantSync{} // to be stopped, unless a claim follows
		}
	}
	for _, h := range claims {
		if !h.Down && !h.Provisional {
			out[h.Table] = wantSync{Sync: h.Sync, byRole: h.ByRole}
		} else if out[h.Table] == (wantSync{}) {
			out[h.Table] = wantSync{hold: true}
		}
	}
	return out
}

// syncing reports whether any table's daemons were wanted.
func (d *desk) syncing() bool {
	for _, m := range d.tables {
		if m.sync.want != (wantSync{}) {
			return true
		}
	}
	return false
}

// keepSync makes the table's sync daemons as they are wanted; checking says that
// nothing new was claimed.
func (m *managed) keepSync(d *desk, want wantSync, checking bool) {
	was := m.sync
	if want == (wantSync{}) && was.want == (wantSync{}) {
		return
	}
	if want.hold && was.want != (wantSync{}) {
		want = was.want // what was wanted before is still wanted
	}
	if want != was.want {
		m.sync = syncing{want: want}
	}
	repairs := checking && was.agreed && want == was.want
	if err := m.agreeSync(d, was, repairs); err != nil {
		m.sync.agreed, m.sync.trouble = false, err.Error()
		m.counts.Errors++
	}
	m.watchSync(d.now())
	if m.sync.warning != was.warning && m.sync.warning != "" {
		d.Log.Warn("connections are copied over an interface that others can reach", "table", m.place.String(), "warning", m.sync.warning)
	}
}

// agreeSync looks at the daemons and edits them if need be.
func (m *managed) agreeSync(d *desk, was syncing, repairs bool) error {
	s := &m.sync
	s.trouble, s.warning = "", ""
	ctx, cancel := d.looking()
	defer cancel()
	if err := m.readSync(ctx, d); err != nil {
		return err
	}
	s.states = d.daemonsOf(m.place, s.want, s.run)
	if s.want == (wantSync{}) {
		return m.stopOurs(ctx, d, was)
	}
	s.warning = d.unwise(m.place, s.facts)
	if err := s.possible(); err != nil {
		return err
	}
	if s.want.hold {
		return nil
	}
	e := syncEdits{managed: m, desk: d, repairs: repairs}
	for range 2 { // once more if somebody else was quicker
		if e.edits(ctx); !errors.Is(e.err, ipvs.ErrExists) && !errors.Is(e.err, ipvs.ErrNoDaemon) {
			break
		}
		e.err = m.readSync(ctx, d)
	}
	if e.done > 0 && e.err == nil {
		e.err = m.readSync(ctx, d) // the kernel filled in what was not asked for, and there are new sockets
	}
	s.agreed = e.err == nil
	if s.agreed {
		s.index = s.facts.Index
	}
	return e.err
}

// readSync reads the daemons that run and what they hang upon.
func (m *managed) readSync(ctx context.Context, d *desk) (err error) {
	if err := m.open(d.Open); err != nil {
		return err
	}
	t, ok := m.table.(ipvs.Syncer)
	if !ok {
		return fmt.Errorf("%s has no sync daemons: %w", m.place, ipvs.ErrInvalid)
	}
	if m.sync.run, err = t.Daemons(ctx); err != nil {
		m.drop()
		return err
	}
	if m.sync.want.Link != "" {
		m.sync.facts, err = d.Copying.Look(m.place.NetNS, m.sync.want.Sync)
	}
	return err
}

// daemonsOf are the daemons that should run: both always, or the one of the
// part that this director has. While that is not known, those that do.
func (d *desk) daemonsOf(at words.Place, w wantSync, run []ipvs.Daemon) (out []ipvs.DaemonState) {
	switch {
	case w.Link == "":
		return nil
	case !w.byRole:
		return []ipvs.DaemonState{ipvs.Master, ipvs.Backup}
	case d.role.local == nil:
		for _, r := range run {
			out = append(out, r.State)
		}
		return out
	case d.serves(at):
		return []ipvs.DaemonState{ipvs.Master}
	}
	return []ipvs.DaemonState{ipvs.Backup}
}

// serves reports whether an address of a table's virtual services is on this
// machine.
func (d *desk) serves(at words.Place) bool {
	for p := range d.pools {
		if p.table == at && p.virtual.Mark == 0 && d.role.local[p.virtual.Addr.Addr()] {
			return true
		}
	}
	return false
}

// unwise says why the interface is a bad place for copies, which anybody there
// can read and forge; "" if it is not.
func (d *desk) unwise(at words.Place, f copying.Facts) string {
	if f.Default {
		return "a default route leads through it: whoever is on it can read and forge connections; a cable from director to director is better"
	}
	for p := range d.pools {
		for _, a := range f.Addresses {
			if p.table == at && p.virtual.Mark == 0 && a.Addr() == p.virtual.Addr.Addr() {
				return fmt.Sprintf("it has the virtual address %s, so clients are on it: whoever is can read and forge connections; a cable from director to director is better", a.Addr())
			}
		}
	}
	return ""
}

// possible is why daemons cannot work as things are.
func (s *syncing) possible() error {
	switch {
	case s.want.hold:
		return nil
	case s.facts.Index == 0:
		return fmt.Errorf("copy connections: %w: there is no interface %s; the daemons are started when it comes", ipvs.ErrNoLink, s.want.Link)
	case s.facts.BackupOnly && !s.want.byRole:
		return fmt.Errorf("copy connections: %w: net.ipv4.vs.backup_only is 1, with which a director whose backup daemon runs forwards nothing, and mode=both runs it always: set it to 0 (sysctl -w net.ipv4.vs.backup_only=0), or say mode=by-role", ipvs.ErrInvalid)
	}
	return nil
}

// stopOurs stops what was wanted before and is not any more. What others started
// stays.
func (m *managed) stopOurs(ctx context.Context, d *desk, was syncing) error {
	var errs []error
	for _, r := range m.sync.run {
		if slices.Contains(was.states, r.State) && was.want.Like(r.Sync) {
			e := syncEdits{managed: m, desk: d}
			e.stop(ctx, r, "nothing declares it any more")
			errs = append(errs, e.err)
		}
	}
	return errors.Join(errs...)
}

// syncEdits are the edits of one look.
type syncEdits struct {
	*managed
	desk    *desk
	repairs bool
	done    int
	err     error
}

// edits makes the daemons as they should be.
func (e *syncEdits) edits(ctx context.Context) {
	s := &e.sync
	stale := s.facts.Stale(s.run, s.index)
	have := map[ipvs.DaemonState]bool{}
	for _, r := range s.run {
		switch {
		case !slices.Contains(s.states, r.State):
			e.stop(ctx, r, "this director has the other part now")
		case stale:
			e.stop(ctx, r, s.want.Link+" is not what it was when the daemon was started")
		case !s.want.Like(r.Sync):
			e.stop(ctx, r, "it runs otherwise than declared")
		default:
			have[r.State] = true
		}
	}
	for _, state := range s.states {
		if !have[state] && e.err == nil {
			e.start(ctx, ipvs.Daemon{State: state, Sync: s.want.Sync})
		}
	}
}

func (e *syncEdits) stop(ctx context.Context, r ipvs.Daemon, why string) {
	err := e.table.(ipvs.Syncer).StopDaemon(ctx, r.State)
	e.err = errors.Join(e.err, err)
	if err == nil {
		e.done++
		e.counts.Deleted++
		e.desk.Log.Info("stopped a sync daemon", "table", e.place.String(), "daemon", r.Options(), "reason", why)
	}
}

func (e *syncEdits) start(ctx context.Context, s ipvs.Daemon) {
	if e.err = e.table.(ipvs.Syncer).StartDaemon(ctx, s); e.err != nil {
		return
	}
	e.done++
	e.counts.Added++
	about := []any{"table", e.place.String(), "daemon", s.Options()}
	if !e.repairs {
		e.desk.Log.Info("started a sync daemon", about...)
		return
	}
	e.counts.Repaired++
	e.desk.Log.Warn("started a sync daemon: somebody else had stopped it, or its interface came back", about...)
}

// onceSync starts the daemons of j, if it is about them, in a process that owns
// nothing.
func onceSync(ctx context.Context, opt Options, t ipvs.Table, j words.Job) error {
	if j.Kind != words.Sync {
		return nil
	}
	if j.ByRole {
		return errors.New("--sync mode=by-role follows addresses all the time: it needs a resident lvs.alert, as a line of mond's configuration (ipvs_sync)")
	}
	opt.Open = func(words.Place) (ipvs.Table, error) { return t, nil }
	d := newDesk(opt)
	m := d.table(j.Table)
	m.sync.want = wantSync{Sync: j.Sync}
	return m.agreeSync(d, m.sync, false)
}

// dueSync are the command lines that would make the daemons agree.
func (d *desk) dueSync(b *strings.Builder, at words.Place, program string) error {
	m := d.table(at)
	s := m.sync // a copy: nothing is changed
	if s.want.Link == "" || m.table == nil {
		return nil
	}
	ctx, cancel := d.looking()
	defer cancel()
	t, ok := m.table.(ipvs.Syncer)
	if !ok {
		return nil
	}
	run, err := t.Daemons(ctx)
	if err != nil {
		return err
	}
	have := map[ipvs.DaemonState]bool{}
	for _, r := range run {
		if slices.Contains(s.states, r.State) && s.want.Like(r.Sync) {
			have[r.State] = true
			continue
		}
		fmt.Fprintf(b, "%s --stop-daemon %s\n", program, r.State)
	}
	for _, state := range s.states {
		if !have[state] {
			fmt.Fprintf(b, "%s --start-daemon %s\n", program, ipvs.Daemon{State: state, Sync: s.want.Sync}.Options())
		}
	}
	return nil
}
