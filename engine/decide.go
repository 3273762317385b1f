package engine

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
)

// decide decides the pools that this turn touched. Their claims go out before
// anything is written down or told.
func (l *loop) decide(now time.Time) {
	if len(l.dirtyPools) == 0 {
		return
	}
	l.decided, l.claimed = l.decided[:0], l.claimed[:0]
	program := ""
	for _, p := range l.dirtyPools {
		p.dirty = false
		if p.waiting(now) {
			p.publish()
			continue
		}
		if p.cfg.Program != program { // there is hardly ever more than one
			l.handOver(program)
			program = p.cfg.Program
		}
		l.round(p, now)
		l.decided = append(l.decided, p)
	}
	l.handOver(program)
	l.dirtyPools = l.dirtyPools[:0]
	l.roles.site.dirty = l.roles.site.dirty || len(l.roles.electors) > 0
	for _, p := range l.decided {
		l.follow(p, now)
	}
}

// handOver gives a keeper the claims that changed, all of a turn together.
func (l *loop) handOver(program string) {
	if k := l.keepers[program]; k != nil && len(l.claimed) > 0 {
		k.update(l.claimed)
	}
	l.claimed = l.claimed[:0]
}

// round decides one pool and gathers the claims that changed.
func (l *loop) round(p *pool, now time.Time) {
	l.look(p)
	was, all := p.state, p.provisional
	p.out = virtual.Decide(p.cfg.Pool, was, p.in, now)
	p.state, p.provisional = p.out.State, false
	l.poolHeap.Set(p.id, p.out.Wake)
	if !all && sameState(was, p.state) {
		return
	}
	l.claimed = p.changed(l.claimed, was, all)
	l.savePool(p)
	p.settle(now)
}

// sameState reports whether a decision left the state as it was: it is the
// old one itself then.
func sameState(a, b virtual.State) bool {
	if a.Standing != b.Standing || len(a.Members) != len(b.Members) {
		return false
	}
	return len(a.Members) == 0 || &a.Members[0] == &b.Members[0]
}

// look gathers what is seen of a pool.
func (l *loop) look(p *pool) {
	in := &p.in
	in.Fault = l.faultOf(p.cfg.Faults)
	for i := range p.members {
		m, seen := &p.members[i], &in.Members[i]
		for j, s := range m.checks {
			if s != nil {
				seen.Checks[j] = s.verdict
			}
		}
		seen.Order, seen.Table, seen.Conns, seen.Ask = m.order, m.table, m.conns, virtual.Ask{}
		if m.asks != nil {
			seen.Ask = m.asks.ask
		}
	}
	in.Left = in.Left[:0]
	for i := range p.left {
		m := &p.left[i]
		in.Left = append(in.Left, virtual.SeenLeft{Name: m.name, Table: m.table, Conns: m.conns})
	}
}

// changed appends the claims of the members that are not as they were, or of
// all.
func (p *pool) changed(into []alert.Claim, was virtual.State, all bool) []alert.Claim {
	for i := range p.state.Members {
		d := &p.state.Members[i].Desired
		if !all && asBefore(was, i, d) {
			continue
		}
		if m := p.any(i, d.Name); m != nil {
			into = p.claims(into, m, d)
		}
	}
	for i := range p.left {
		m := &p.left[i]
		if _, ok := p.state.Member(m.name); ok {
			continue
		}
		if _, ok := was.Member(m.name); ok { // forgotten
			from := len(into)
			into = p.claims(into, m, &virtual.Desired{Name: m.name, Reason: virtual.Forgotten})
			for j := range into[from:] {
				into[from+j].Withdrawn = true
			}
		}
	}
	return into
}

// asBefore reports whether d, most likely at i, is what was desired before.
func asBefore(was virtual.State, i int, d *virtual.Desired) bool {
	if i < len(was.Members) && was.Members[i].Name == d.Name {
		return was.Members[i].Desired == *d
	}
	old, ok := was.Member(d.Name)
	return ok && old.Desired == *d
}

// claims appends the claims of one member.
func (p *pool) claims(into []alert.Claim, m *member, d *virtual.Desired) []alert.Claim {
	reason := p.reason(m, d)
	weight := strconv.Itoa(d.Weight)
	for i := range m.rows {
		r := &m.rows[i]
		args := make([]string, 0, len(r.words)+2)
		args = append(append(args, r.words...), "-W", weight)
		c := p.claim(r, args, reason, d.Since)
		c.Down, c.Provisional = !d.In, d.Held
		into = append(into, c)
	}
	return into
}

func (p *pool) claim(r *row, args []string, reason string, since time.Time) alert.Claim {
	key := p.cfg.Key()
	return alert.Claim{ID: r.id, Group: key.Group, Service: key.Service, Args: args, Reason: reason, Since: since}
}

// reason is why a member is as it is, with what that rests on.
func (p *pool) reason(m *member, d *virtual.Desired) string {
	note := ""
	switch d.Reason {
	case virtual.InMaintenance, virtual.OrderedDrain, virtual.OrderedIn, virtual.OrderedWeight:
		note = m.order.Note
	case virtual.Failed, virtual.HeldByCap, virtual.HeldByPanic, virtual.FailureIgnored, virtual.Warned, virtual.HeldBlind:
		note = m.complaint(d.Reason)
	case virtual.HeldByFault:
		note = p.in.Fault
	default:
	}
	if note == "" {
		return d.Reason.String()
	}
	return d.Reason.String() + ": " + note
}

// complaint is what the first of a member's checks says that is not well.
func (m *member) complaint(why virtual.Reason) string {
	for _, s := range m.checks {
		switch {
		case s == nil:
		case why == virtual.HeldBlind:
			if b := s.state.Blind; b != nil {
				return s.cfg.Key.String() + ": " + b.Cause.String() + ": " + b.Reason
			}
		case s.verdict.Status.Failing() || s.verdict.Status == opstatus.Warn:
			return s.cfg.Key.String() + ": " + oneLine(s.state.Summary)
		}
	}
	return ""
}

// oneLine is text on one line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// settle forgets what was seen of connections that no decision rests on any
// more, and members that are gone: a count that is old would end a later drain
// too soon.
func (p *pool) settle(now time.Time) {
	for i := range p.state.Members {
		d := &p.state.Members[i]
		m := p.any(i, d.Name)
		if m != nil && (d.Phase != virtual.Draining || d.Began.Equal(now)) {
			m.conns = virtual.Conns{}
		}
	}
	kept := p.left[:0]
	for _, m := range p.left {
		if _, ok := p.state.Member(m.name); ok {
			kept = append(kept, m)
		}
	}
	p.left = kept
}

// allClaims adds every claim of the pool to all. What was not decided yet
// stays as the table has it.
func (p *pool) allClaims(all map[string]alert.Claim) {
	for i := range p.fixed {
		r := &p.fixed[i]
		all[r.id] = p.claim(r, r.words, "virtual service "+p.cfg.Name+" is configured", time.Time{})
	}
	var list []alert.Claim
	for i := range p.members {
		m := &p.members[i]
		if _, ok := p.state.Member(m.name); !ok {
			list = p.claims(list, m, &virtual.Desired{Name: m.name, Held: true, Reason: virtual.Adopted})
		}
	}
	for i := range p.state.Members {
		st := &p.state.Members[i]
		d := st.Desired
		d.Held = d.Held || p.provisional
		if m := p.any(i, d.Name); m != nil {
			list = p.claims(list, m, &d)
		}
	}
	for _, c := range list {
		all[c.ID] = c
	}
}

// follow writes down and tells what was decided.
func (l *loop) follow(p *pool, now time.Time) {
	for i := range p.out.Changes {
		c := &p.out.Changes[i]
		if p.own != nil {
			l.event(p.own, p.changeRow(c), now)
		}
		level := slog.LevelInfo
		if c.Member != "" && c.To.In == c.From.In && c.To.Phase == c.From.Phase && c.To.Weight == c.From.Weight {
			level = slog.LevelDebug // another reason for the same; the history has it
		}
		l.opt.Log.Log(context.Background(), level, "pool changed", "virtual", p.cfg.Name, "change", c.String())
	}
	l.tell(p, false, now)
	p.publish()
}

// changeRow is a row of history.
func (p *pool) changeRow(c *virtual.Change) store.Event {
	e := store.Event{Kind: store.KindDecision, What: store.WhatPool, Reason: c.Reason.String(), Note: c.Note, Text: c.String()}
	if c.Member == "" {
		return e
	}
	e.Kind, e.Program, e.What = store.KindClaim, p.cfg.Program, store.WhatIn
	switch {
	case c.Reason == virtual.Forgotten:
		e.What = store.WhatWithdrawn
	case !c.To.In:
		e.What = store.WhatOut
	}
	if m := p.any(0, c.Member); m != nil && c.Note == "" {
		if why := p.reason(m, &c.To); why != c.To.Reason.String() {
			_, e.Note, _ = strings.Cut(why, ": ")
			e.Text += " (" + e.Note + ")"
		}
	}
	return e
}

// tell pushes how the pool is to its own service: a change of status at once,
// another summary too while it is well, and now and then the same, so that
// alertevery and alertafter have something to count.
func (l *loop) tell(p *pool, again bool, now time.Time) {
	status := p.out.Status
	if p.own == nil || status == opstatus.Untested || !p.waits.IsZero() {
		return
	}
	summary := p.out.Summary()
	news := status != p.told || !status.Failing() && summary != p.summary
	if !news && !again {
		return
	}
	p.told, p.summary = status, summary
	r := monitor.OK(summary)
	r.Detail = p.detail()
	switch {
	case status.Failing():
		r.Exit = 1
	case status == opstatus.Warn:
		r.Warn = true
	}
	l.observe(p.own, opstatus.Event{Kind: opstatus.Pushed, Result: r}, now)
}

// detail is a line for each member.
func (p *pool) detail() string {
	var b strings.Builder
	for i := range p.state.Members {
		d := &p.state.Members[i].Desired
		b.WriteString(d.Name + ": " + d.Phase.String())
		if d.In {
			b.WriteString(", weight " + strconv.Itoa(d.Weight))
		}
		reason := d.Reason.String()
		if m := p.any(i, d.Name); m != nil {
			reason = p.reason(m, d)
		}
		b.WriteString(": " + reason + "\n")
	}
	return b.String()
}

// tickPools looks at what a clock decides: schedules, orders that end, drains
// that want to know of connections, and what is told again.
func (l *loop) tickPools(now time.Time) {
	if len(l.pools) == 0 {
		return
	}
	l.endOrders(now)
	l.ticks++
	for _, p := range l.pools {
		if p.scheduled && l.schedulePool(p, now) {
			l.touchPool(p)
		}
		if p.leaves() {
			l.askTable(p, false)
		}
		if (l.ticks+p.id)%int(selfRepeat/selfInterval) == 0 {
			l.tell(p, true, now)
		}
	}
}

// leaves reports whether a member of p is on its way out.
func (p *pool) leaves() bool {
	if len(p.left) > 0 {
		return true
	}
	for i := range p.state.Members {
		if p.state.Members[i].Phase == virtual.Draining {
			return true
		}
	}
	return false
}

// publish makes the pool's row visible to readers.
func (p *pool) publish() {
	v := &view.Pool{Config: p.cfg, Waiting: !p.waits.IsZero(), Outcome: p.out, In: p.seen()}
	v.Outcome.Changes = nil
	if v.Waiting {
		v.Outcome.State = p.state
	}
	for i := range p.state.Members {
		d := &p.state.Members[i].Desired
		if m := p.any(i, d.Name); m != nil {
			v.Members = append(v.Members, p.memberRow(m, p.reason(m, d)))
		}
	}
	p.cell.Store(v)
}

// seen is a copy of what the last decision was made of: the loop uses that
// again.
func (p *pool) seen() virtual.Input {
	in := p.in
	in.Members, in.Left = slices.Clone(in.Members), slices.Clone(in.Left)
	for i := range in.Members {
		in.Members[i].Checks = slices.Clone(in.Members[i].Checks)
	}
	return in
}

func (p *pool) memberRow(m *member, reason string) view.PoolMember {
	row := view.PoolMember{Name: m.name, Host: m.name, Left: true, Reason: reason, Orders: m.by}
	for i := range p.members {
		if &p.members[i] == m {
			row.Left, row.Host, row.Tier = false, p.cfg.Members[i].Name, p.cfg.Pool.Members[i].Tier
		}
	}
	for _, r := range m.rows {
		row.Claims = append(row.Claims, r.id)
	}
	return row
}
