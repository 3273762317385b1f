package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/alert"
)

// What the loop writes to history. A check that changes nothing writes no row.

// event adds a row of history about s.
func (l *loop) event(s *service, e store.Event, at time.Time) {
	e.At, e.Group, e.Service = at, s.cfg.Key.Group, s.cfg.Key.Service
	l.batch.Events = append(l.batch.Events, e)
}

// daemonRow adds a row about the daemon.
func (l *loop) daemonRow(e store.Event, at time.Time) {
	e.At, e.Kind = at, store.KindDaemon
	l.batch.Events = append(l.batch.Events, e)
}

// statusRow is a change of status. An outage that ended is told with what
// failed last.
func statusRow(was, is opstatus.State, change opstatus.Transition) store.Event {
	e := store.Event{
		Kind: store.KindStatus, From: change.From.String(), To: change.To.String(), Exit: is.Exit, Summary: is.Summary,
		Took: change.Downtime, Text: change.From.String() + " -> " + change.To.String(),
	}
	if is.Summary != "" {
		e.Text += ": " + is.Summary
	}
	if change.Recovered {
		e.Summary = was.FailSummary
	}
	return e
}

func decisionRow(d view.Decision, program, notice string) store.Event {
	e := store.Event{
		Kind: store.KindDecision, Text: decisionText(d), What: d.Event, Outcome: store.NotSent, Reason: d.Reason, Note: d.Note,
		Period: d.Period, Program: program, Notice: notice,
	}
	if d.Sent {
		e.Outcome = store.Sent
	}
	return e
}

// decisionText is "event command: reason (note)" for what was sent, and "event
// period command: reason (note)" for what was not: no line may have been asked.
func decisionText(d view.Decision) string {
	words := []string{d.Event}
	if !d.Sent && d.Period != "" {
		words = append(words, d.Period)
	}
	if d.Command != "" {
		words = append(words, d.Command)
	}
	text := strings.Join(words, " ") + ": " + d.Reason
	if d.Note != "" {
		text += " (" + d.Note + ")"
	}
	return text
}

// alertRow is what became of a notice. Took is how long that took by the
// wall's clock, so that At less Took is when the event was, to the nanosecond.
func alertRow(n store.Notice, err error, attempts int, gaveUp bool, now time.Time) store.Event {
	e := store.Event{
		At: now.Round(0), Group: n.Request.Group, Service: n.Request.Service, Kind: store.KindAlert, What: n.Request.Kind.String(),
		Program: n.Program, Notice: n.Request.ID, Took: max(now.Round(0).Sub(n.Queued.Round(0)), 0),
		Outcome: store.Told, Text: fmt.Sprintf("%s %s: told", n.Request.Kind, n.Program),
	}
	switch {
	case gaveUp:
		e.Outcome = store.GaveUp
		e.Text = fmt.Sprintf("%s %s: given up after %d tries: %v", n.Request.Kind, n.Program, attempts, err)
	case err != nil:
		e.Outcome = store.Refused
		e.Text = fmt.Sprintf("%s %s: refused: %v", n.Request.Kind, n.Program, err)
	}
	return e
}

func blindRow(b *opstatus.Blind) store.Event {
	return store.Event{Kind: store.KindBlind, What: store.WhatBegan, Reason: b.Cause.String(), Text: b.Cause.String() + ": " + b.Reason}
}

func sightedRow(text string) store.Event {
	return store.Event{Kind: store.KindBlind, What: store.WhatEnded, Text: text}
}

func claimRow(c alert.Claim) store.Event {
	e := store.Event{Kind: store.KindClaim, Program: claimProgram(c), Reason: c.Reason, Text: claimText(c), What: store.WhatIn}
	switch {
	case c.Withdrawn:
		e.What = store.WhatWithdrawn
	case c.Down:
		e.What = store.WhatOut
	}
	return e
}

// deed is what a person did: a word of store.Event.What, who, his comment, and
// what it changed.
type deed struct {
	what, user, comment string
	from, to            string
	text                string // for people, before the comment
}

func (d deed) row() store.Event {
	text := d.text
	if d.comment != "" {
		text += ": " + d.comment
	}
	return store.Event{
		Kind: store.KindOperator, What: d.what, From: d.from, To: d.to, User: d.user, Summary: d.comment,
		Text: noteText(opstatus.Note{User: d.user, Text: text}),
	}
}

// toggled is whether something was disabled.
func toggled(off bool) string {
	if off {
		return "disabled"
	}
	return "enabled"
}

// held notes whether checks of s are run: word is why not, empty if they are.
func (l *loop) held(s *service, word, why string, now time.Time) {
	if s.held == word {
		return
	}
	e := store.Event{Kind: store.KindHeld, What: word, From: s.held, To: word, Text: "not checked: " + why}
	if word == "" {
		e.What, e.Text = store.WhatEnded, "checked again"
	}
	s.held = word
	l.event(s, e, now)
	l.touch(s, true)
}

// excluded notes whether the global exclude_period holds.
func (l *loop) excluded(now time.Time) {
	g := l.loaded.Config.Globals.ExcludePeriod
	holds := g.Contains(now)
	if holds == l.globals.Excluded {
		return
	}
	e := store.Event{At: now, Kind: store.KindHeld, What: store.WhatEnded, Text: "checks are run again"}
	if holds {
		e.What, e.Text = store.WhatExcluded, "nothing is checked: inside the global exclude_period "+g.String()
	}
	l.globals.Excluded = holds
	l.batch.Events = append(l.batch.Events, e)
	l.globalsChanged()
}

// forgot tells of what is not taken up at a start or a reset; why says which.
func (l *loop) forgot(s *service, r store.Record, why string, now time.Time) {
	if was := r.State.Status; was != opstatus.Untested {
		to := opstatus.Untested.String()
		l.event(s, store.Event{Kind: store.KindStatus, From: was.String(), To: to, Text: was.String() + " -> " + to + ": " + why}, now)
	}
	if r.State.Blind != nil {
		l.event(s, sightedRow(why), now)
	}
	if r.Held != "" {
		l.event(s, store.Event{Kind: store.KindHeld, What: store.WhatEnded, From: r.Held, Text: why}, now)
	}
	if r.Disabled != nil {
		l.event(s, deed{what: store.WhatEnable, from: "disabled", to: "enabled", text: why + ": enabled"}.row(), now)
	}
}

// removed tells of a service that left the configuration.
func (l *loop) removed(key opstatus.Key, r store.Record, now time.Time) {
	was := r.State.Status
	l.batch.Events = append(l.batch.Events, store.Event{
		At: now, Group: key.Group, Service: key.Service, Kind: store.KindConfig, What: store.WhatRemoved, From: was.String(),
		Note: store.Beside(r.State.Blind != nil, r.Disabled != nil, r.Held != ""),
		Text: "left the configuration, was " + was.String(),
	})
}

// reloaded tells of a configuration that is in force.
func (l *loop) reloaded(old map[opstatus.Key]*service, now time.Time) {
	added := 0
	for key := range l.byKey {
		if old[key] == nil {
			added++
		}
	}
	removed := len(old) + added - len(l.byKey)
	text := fmt.Sprintf("reloaded %s: %d services added, %d removed", l.loaded.Config.Path, added, removed)
	l.daemonRow(store.Event{What: store.WhatReload, Text: text}, now)
}

// signInterval is how often the loop leaves a sign of life when it has nothing
// else to write: what a crash leaves open is at most that long.
const signInterval = time.Minute

// sign leaves a sign of life.
func (l *loop) sign(now time.Time) {
	if now.Sub(l.signed) >= signInterval {
		l.batch.Alive = now
	}
}

// started tells of a start, and of the end of the run before it where that
// could not.
func (l *loop) started(saved store.Saved, now time.Time) {
	start := store.Event{What: store.WhatStart, Text: "started"}
	if v := l.opt.Version; v != "" {
		start.Text = "started " + v
	}
	if last := saved.Alive; !last.IsZero() {
		start.Took = max(now.Sub(last), 0)
		start.Text += fmt.Sprintf(", %v after the last sign of life", start.Took.Round(time.Second))
		if !saved.Clean {
			l.daemonRow(store.Event{What: store.WhatDied, Text: "died or was killed: the last sign of life"}, earlier(last, now))
		}
	}
	l.daemonRow(start, now)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
