package engine

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/role"
)

// Lane reaches the programs that decide which director holds what, and those
// that hold it. None of its methods waits for anything.
type Lane interface {
	// Elect makes elections the whole set of services that elect; the newest
	// set wins. An elector that begins anew is given its part again.
	Elect(elections []job.Election)
	// Tokens are what electors say, of each group the newest; the lane alone
	// reads it.
	Tokens() <-chan []job.Token
	// Hold gives a holder more work. One that begins anew is given all lines
	// again, and those tokens that are good still.
	Hold(program string, w role.Work)
	// Stands are how groups stand with their holders, of each the newest.
	Stands() <-chan []job.Stand
	// Shared is what electors say of sharing between directors; the loop alone
	// reads it.
	Shared() <-chan []job.Shared
}

const (
	// signLimit is how old the loop's last sign of life may be for a token to
	// pass; see [lane].
	signLimit = 300 * time.Millisecond
	// changesMost is how many changes of roles wait for the loop to write them
	// down; of more the newest are left out.
	changesMost = 256
)

// lane passes tokens from electors to holders.
//
// A token must not wait for the loop, whose handlers may take 100 ms; but a loop
// that is stuck must stop the renewals, so that the kernel drops addresses in
// front of a table that nobody keeps. So the lane has a goroutine of its own, and
// a hold passes it only if the loop gave a sign of life within the last 300 ms:
// three of its longest handlers, a third of the time that a token is good for.
// The loop gives one at each turn, and each token asks it for the next. If there
// is none, the newest token of each group waits here for it, at most until it is
// too old to permit anything. A release needs no sign: it is never wrong to let go.
//
// Nothing else stands in a token's way: no period, acknowledgement, disable, stop,
// dependency, reload or store; and it overtakes all results. What is on the way
// when this process stands still is as old afterwards as it is: too old.
type lane struct {
	to    Lane
	clock func() time.Duration // CLOCK_BOOTTIME
	log   *slog.Logger

	sign  atomic.Int64  // the loop's last sign of life, on clock
	waits atomic.Bool   // tokens wait for one
	alive chan struct{} // holds one: there was one while tokens wait
	wake  chan struct{} // holds one, for the loop: give a sign of life, look at what changed
	moved chan struct{} // holds one, for who waits for the end: a group or an election has changed

	pending role.Newest // of the lane's goroutine

	mu      sync.Mutex
	groups  map[string]*group
	leaving bool // the loop has ended, and the electors were told so
	left    map[opstatus.Key]bool
	speaks  map[opstatus.Key]bool // electors that have said something, and were not lost since
	changes []store.Event
	strays  int // tokens for what is not theirs
}

// group is a group of addresses that is declared.
type group struct {
	name    string
	elector opstatus.Key
	holder  string // a program
	line    role.Line
	token   role.Token // the last that was passed
	passed  uint64     // how many
	late    uint64     // how many came too late
	at      time.Time  // when it was last told to hold, or to release
	stand   role.Stand
	stood   bool
}

func (e *Engine) newLane() *lane {
	return &lane{
		to: e.opt.Lane, clock: e.opt.BootTime, log: e.opt.Log,
		alive: make(chan struct{}, 1), wake: make(chan struct{}, 1), moved: make(chan struct{}, 1),
		groups: map[string]*group{}, left: map[opstatus.Key]bool{}, speaks: map[opstatus.Key]bool{},
	}
}

// signs is the loop's sign of life.
func (n *lane) signs() {
	if n == nil {
		return
	}
	n.sign.Store(int64(n.clock()))
	if n.waits.Load() {
		signal(n.alive)
	}
}

// run passes tokens until ctx ends.
func (n *lane) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case batch := <-n.to.Tokens():
			n.take(batch)
		case <-n.alive:
			n.pass()
		case list := <-n.to.Stands():
			n.stands(list)
		}
		signal(n.wake)
	}
}

// take takes what electors said.
func (n *lane) take(batch []job.Token) {
	for _, t := range batch {
		if !t.Left && n.owns(t) {
			n.pending.Put(t.Token)
		}
	}
	n.pass()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range batch {
		if t.Left {
			n.left[opstatus.Key{Group: t.Of, Service: t.Service}] = true
			signal(n.moved)
		}
	}
}

// owns reports whether the group is one that this elector decides about.
func (n *lane) owns(t job.Token) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	g := n.groups[t.Group]
	if g != nil && g.elector == (opstatus.Key{Group: t.Of, Service: t.Service}) {
		n.speaks[g.elector] = true
		return true
	}
	if n.strays++; n.strays == 1 {
		n.log.Warn("token for a group that is not declared under the service it comes from", "group", t.Group, "service", t.Of+":"+t.Service)
	}
	return false
}

// pass passes on what may pass now. What waited until it permits nothing is
// dropped.
func (n *lane) pass() {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.clock()
	lives := n.leaving || now-time.Duration(n.sign.Load()) <= signLimit
	work := map[string][]role.Token{}
	for _, t := range n.pending.Take() {
		g := n.groups[t.Group]
		switch {
		case g == nil: // it left the configuration meanwhile
		case t.Late(now):
			g.late++
		case t.Hold && !lives:
			n.pending.Put(t)
		default:
			work[g.holder] = append(work[g.holder], t)
		}
	}
	n.waits.Store(n.pending.Len() > 0)
	for program, tokens := range work {
		n.to.Hold(program, role.Work{Tokens: tokens})
	}
	for _, tokens := range work { // the log may be slow
		for _, t := range tokens {
			n.passed(n.groups[t.Group], t)
		}
	}
}

// passed notes a token that is passed on.
func (n *lane) passed(g *group, t role.Token) {
	was, first := g.token, g.passed == 0
	g.token = t
	g.passed++
	if !first && was.Hold == t.Hold && was.Epoch == t.Epoch {
		return
	}
	g.at = time.Now()
	what, text := store.WhatRelease, "release"
	if t.Hold {
		what, text = store.WhatHold, "hold"
	}
	n.changed(g, store.Event{
		At: g.at, What: what, Summary: t.Reason, Note: g.name,
		Text: fmt.Sprintf("group %s: %s, epoch %d: %s", g.name, text, t.Epoch, t.Reason),
	})
}

// changed notes a change for the history, and logs it.
func (n *lane) changed(g *group, e store.Event) {
	e.Group, e.Service, e.Kind, e.Program = g.elector.Group, g.elector.Service, store.KindRole, g.holder
	if len(n.changes) < changesMost {
		n.changes = append(n.changes, e)
	}
	n.log.Info("role", "group", g.name, "alert", g.holder, "text", e.Text)
	signal(n.moved)
}

// stands takes how groups stand.
func (n *lane) stands(list []job.Stand) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range list {
		g := n.groups[s.Group]
		if g == nil || g.holder != s.Program {
			continue
		}
		was := g.stand
		g.stand, g.stood = s.Stand, true
		if was.Held == s.Held && was.Error == s.Error {
			continue
		}
		text := fmt.Sprintf("group %s: %d of %d addresses are held", g.name, s.Held, s.Total)
		for _, more := range []string{s.Error, s.Detail} {
			if more != "" {
				text += ": " + more
			}
		}
		n.changed(g, store.Event{At: time.Now(), What: store.WhatStands, Summary: s.Error, Note: g.name, Text: text})
	}
}

// configure makes these the groups that are declared; what is known of those
// that stay is kept. It returns the programs that hold none any more.
func (n *lane) configure(groups []*group) (idle []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	next := make(map[string]*group, len(groups))
	for _, g := range groups {
		if old := n.groups[g.name]; old != nil && old.holder == g.holder && old.elector == g.elector {
			known := *old
			known.line = g.line
			*g = known
		}
		next[g.name] = g
	}
	for _, old := range n.groups {
		if !slices.ContainsFunc(groups, func(g *group) bool { return g.holder == old.holder }) && !slices.Contains(idle, old.holder) {
			idle = append(idle, old.holder)
		}
	}
	n.groups = next
	return idle
}

// snapshot is a copy of what is known, in the order of names, and the changes
// since the last one.
func (n *lane) snapshot() (groups []group, changes []store.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, g := range n.groups {
		groups = append(groups, *g)
	}
	slices.SortFunc(groups, func(a, b group) int { return strings.Compare(a.name, b.name) })
	changes, n.changes = n.changes, nil
	return groups, changes
}

// leave lets tokens pass without the loop, which has ended.
func (n *lane) leave() {
	n.mu.Lock()
	n.leaving = true
	n.mu.Unlock()
	signal(n.alive)
}

// heard notes that an elector said something, or that its program is lost or could
// not be started.
func (n *lane) heard(elector opstatus.Key, speaks bool) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.speaks[elector] = speaks
}

// present are those of the electors that run, as far as is known: one that has
// never said anything has nobody to hand over to.
func (n *lane) present(electors []opstatus.Key) (all []opstatus.Key) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, k := range electors {
		if n.speaks[k] {
			all = append(all, k)
		}
	}
	return all
}

// gone reports whether these elections have ended, as they were told.
func (n *lane) gone(electors []opstatus.Key) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !slices.ContainsFunc(electors, func(k opstatus.Key) bool { return !n.left[k] })
}

// released reports whether nothing is held any more, as far as is known.
func (n *lane) released() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, g := range n.groups {
		if g.stood && g.stand.Held > 0 {
			return false
		}
	}
	return true
}

// release tells the holders to let everything go.
func (n *lane) release(reason string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, g := range n.groups {
		t := role.Token{Group: g.name, Epoch: g.token.Epoch, Reason: reason}
		n.to.Hold(g.holder, role.Work{Tokens: []role.Token{t}})
		n.passed(g, t)
	}
}

// await waits until done, at most for limit; false means that it took longer.
func (n *lane) await(limit time.Duration, done func() bool) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for !done() {
		select {
		case <-n.moved:
		case <-timer.C:
			return done()
		}
	}
	return true
}
