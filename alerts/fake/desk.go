package fake

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/alerts/fake/hold"
	"github.com/mondhq/mond/alerts/internal/shared"
	"github.com/mondhq/mond/plugins/role"
)

// standEvery is the time between two Stands of a group that is held; lookEvery
// that between two looks at what nobody told of.
const (
	standEvery = time.Second
	lookEvery  = time.Second
)

// desk is the state of the one goroutine.
type desk struct {
	Options
	work chan func(*desk)

	kernel  Kernel
	changes <-chan struct{} // of the watch; nil without
	unwatch context.CancelFunc
	view    address.View
	fresh   bool   // the view is of this round
	trouble string // what keeps the kernel from being read

	groups map[string]*managed // by key
	claims map[string]claimed  // by Claim.ID
	keeps  bool                // a full set of claims was there
	ran    chan ran            // programs that have ended; see runAll
	record *record
	lines  bool // the lines were there: what is declared is known

	session int
	say     func(role.Stand) // nil without a Hold
}

// managed is a group with what was told of it.
type managed struct {
	*hold.Group
	name    string
	byLine  bool
	bad     string // what is wrong with its line
	clash   string // who else has one of its addresses
	said    role.Stand
	saidAt  time.Duration
	tell    bool   // say it, whatever was said
	detail  string // of the last change
	logged  string // the last error in the log
	changed time.Time
}

// The keys of groups: those of lines, and those of claims.
func lineKey(name string) string  { return "line " + name }
func claimKey(name string) string { return "claim " + name }

func newDesk(o Options) *desk {
	return &desk{
		Options: o, groups: map[string]*managed{}, claims: map[string]claimed{},
		ran: make(chan ran), record: openRecord(o.StateDir, o.Boot, o.Log),
	}
}

// run serves until the Context ends.
func (d *desk) run() {
	timer := time.NewTimer(lookEvery)
	defer timer.Stop()
	defer d.close()
	for {
		select {
		case f := <-d.work:
			f(d)
		case _, more := <-d.changes:
			d.noticed(more)
		case <-d.Announcer.Changed():
		case r := <-d.ran:
			d.ended(r)
		case <-timer.C:
		case <-d.Context.Done():
			return
		}
		d.settle()
		timer.Reset(d.pause())
	}
}

func (d *desk) close() {
	if d.unwatch != nil {
		d.unwatch()
	}
	if d.kernel != nil {
		_ = d.kernel.Close()
	}
	if d.Names != nil {
		d.Names.Close()
	}
	d.record.close()
}

// noticed handles a word of the watch: others changed something.
func (d *desk) noticed(more bool) {
	if !more { // it has ended: the next look opens another
		d.changes = nil
	}
	d.look()
}

// begin takes in a host that says lines and tokens. The newest counts: one that
// came before has lost its connection and not noticed it yet.
func (d *desk) begin(say func(role.Stand)) (session int) {
	d.session++
	d.say = say
	return d.session
}

// end leaves all groups of lines as they are: nobody says tokens any more.
func (d *desk) end(session int) {
	if session != d.session {
		return
	}
	d.say = nil
	for _, m := range d.groups {
		m.Frozen = m.Frozen || m.byLine
	}
}

// orphan releases what is leased: mond is gone, and a peer may have it.
func (d *desk) orphan(session int) error {
	if session != d.session {
		return shared.ErrEnded
	}
	for _, m := range d.groups {
		if t, told := m.Token(); m.byLine && told && t.Hold && t.Lease > 0 {
			m.Tell(role.Token{Group: t.Group, Epoch: t.Epoch, Reason: role.ErrOrphaned.Error()})
		}
	}
	d.settle()
	return nil
}

// take takes in work; run settles it.
func (d *desk) take(session int, w role.Work) error {
	if session != d.session || d.say == nil {
		return shared.ErrEnded
	}
	if w.Full {
		d.declare(w.Lines)
	}
	for _, t := range w.Tokens {
		d.token(t)
	}
	return nil
}

// declare takes in all lines there are.
func (d *desk) declare(lines []role.Line) {
	there := map[string]bool{}
	for _, l := range lines {
		g, err := parse(l.Args)
		if l.Group != "" {
			g.Name = l.Group
		}
		key := lineKey(g.Name)
		there[key] = true
		d.line(key, g, err)
	}
	for key, m := range d.groups {
		if m.byLine && !there[key] {
			m.Undeclare()
			m.Frozen = false
			d.fresh = false
		}
	}
	d.clash()
	d.name()
	if !d.lines {
		d.lines = d.clean()
	}
	d.write()
}

// name tells others on this machine which addresses lines move: nobody else may.
func (d *desk) name() {
	if d.Names == nil {
		return
	}
	var all []netip.Addr
	for _, m := range d.groups {
		if m.byLine {
			all = append(all, m.Line.Hosts()...)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	if err := d.Names.Declare(slices.Compact(all)); err != nil {
		d.Log.Warn("others on this machine may not know that these addresses are moved by roles", "err", err)
	}
}

// line takes in one line; one that means nothing leaves the group as it is and is
// told.
func (d *desk) line(key string, g role.Group, err error) {
	m, ok := d.groups[key]
	switch {
	case err != nil && !ok:
		m = &managed{Group: hold.New(role.Group{Name: g.Name}, address.Mark), name: g.Name, byLine: true}
	case !ok:
		m = &managed{Group: hold.New(g, address.Mark), name: g.Name, byLine: true}
		m.Restore(d.record.moved(g))
	case err == nil:
		m.Declare(g)
	}
	m.bad = ""
	if err != nil {
		m.bad = fmt.Sprintf("the line of group %s: %v", g.Name, err)
	}
	m.Frozen, m.tell, d.fresh = false, true, false
	d.groups[key] = m
}

// clash finds addresses that two groups name: only the first by name has them.
func (d *desk) clash() {
	owner := map[netip.Addr]string{}
	for _, key := range slices.Sorted(maps.Keys(d.groups)) {
		m := d.groups[key]
		m.clash = ""
		for _, a := range m.Line.Addresses {
			ip := a.Prefix.Addr()
			if other, taken := owner[ip]; taken {
				m.clash = fmt.Sprintf("hold %s: it is in group %s too: name it once", ip, other)
			} else {
				owner[ip] = m.name
			}
		}
	}
}

// token takes in one token.
func (d *desk) token(t role.Token) {
	m, ok := d.groups[lineKey(t.Group)]
	if !ok {
		if t.Hold {
			d.Log.Warn("a token for a group that no line declares", "group", t.Group, "epoch", t.Epoch)
		}
		return
	}
	was, had := m.Token()
	if !m.Tell(t) {
		d.Log.Warn("a token of an epoch that is over", "group", t.Group, "epoch", t.Epoch, "newest", was.Epoch, "reason", t.Reason)
		return
	}
	m.tell = m.tell || !had || was.Epoch != t.Epoch || was.Hold != t.Hold
	if t.Announce && m.Held() {
		d.Announcer.Again(m.name, t.Reason)
	}
}

// settle does all that is to be done now.
func (d *desk) settle() {
	d.fresh = false
	d.reopen()
	for _, key := range slices.Sorted(maps.Keys(d.groups)) {
		m := d.groups[key]
		if m.clash == "" && m.bad == "" && d.trouble == "" {
			d.step(m)
		}
		d.stand(m)
		if m.Gone(d.view) && d.trouble == "" {
			delete(d.groups, key)
			d.write()
		}
	}
}

// most bounds what is done with one group at once: a decision that repeats is a
// bug, and must not keep the other groups waiting.
const most = 8

// step does what is to be done with one group.
func (d *desk) step(m *managed) {
	for range most {
		a := m.Next(d.view, d.Now())
		switch {
		case a.Kind == hold.None:
			return
		case !d.fresh && a.Kind != hold.Renew && a.Kind != hold.RunTake && a.Kind != hold.RunRelease:
			if !d.look() {
				return
			}
		default:
			d.perform(m, a)
		}
	}
	d.Log.Error("a group does not come to rest", "group", m.name)
}

// pause is how long nothing needs to be done if nothing happens.
func (d *desk) pause() time.Duration {
	now := d.Now()
	wait := lookEvery
	for _, m := range d.groups {
		if at := m.Wake(now); at > 0 {
			wait = min(wait, at-now)
		}
		if at := m.saidAt + standEvery; m.said.Held > 0 && at > now {
			wait = min(wait, at-now)
		}
	}
	return max(wait, time.Millisecond)
}

// reopen opens the kernel and its watch, where they are not, and looks if
// nobody tells of changes.
func (d *desk) reopen() {
	if d.kernel == nil {
		k, err := d.Open()
		if err != nil {
			d.failing(err)
			return
		}
		d.kernel = k
	}
	if d.changes == nil {
		ctx, stop := context.WithCancel(d.Context)
		changes, err := d.kernel.Watch(ctx)
		if err != nil {
			stop()
			d.Log.Warn("changes by others are seen once a second only", "err", err)
		} else {
			if d.unwatch != nil {
				d.unwatch()
			}
			d.changes, d.unwatch = changes, stop
		}
		d.look()
	}
	if d.trouble != "" {
		d.look()
	}
}

// look reads what the kernel has.
func (d *desk) look() bool {
	if d.kernel == nil {
		return false
	}
	v, err := d.kernel.View()
	if err != nil {
		d.failing(err)
		return false
	}
	d.view, d.fresh, d.trouble = v, true, ""
	return true
}

// failing notes that the kernel cannot be read.
func (d *desk) failing(err error) {
	if d.trouble != err.Error() {
		d.Log.Error("the kernel's addresses cannot be read", "err", err)
	}
	d.trouble = err.Error()
}

func (d *desk) again(m *managed, why string) {
	d.Log.Info("announce again", "group", m.name, "reason", why)
	m.detail, m.changed, m.tell = why, time.Now(), true
	d.Announcer.Again(m.name, why)
}
