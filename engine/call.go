package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
)

// ErrStopped answers calls after the engine has ended.
var ErrStopped = errors.New("the engine has stopped")

// safeLimit is how long who orders something waits for the disk. mond:store
// tells of one that hangs.
const safeLimit = 5 * time.Second

// call is something that the loop does for another goroutine.
type call struct {
	do    func(l *loop, now time.Time) error
	reply chan error // holds one: the loop never waits for its caller
	// safe is closed when what was done is on disk, or cannot be.
	safe chan struct{}
}

// do runs f in the loop and waits for it, and until what it changed would
// outlive this process.
func (e *Engine) do(ctx context.Context, f func(l *loop, now time.Time) error) error {
	c := call{do: f, reply: make(chan error, 1), safe: make(chan struct{})}
	select {
	case e.calls <- c:
		err := <-c.reply
		e.wait(ctx, c)
		return err
	case <-e.ended:
		return ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// wait waits until what c did is on disk, but not for long.
func (e *Engine) wait(ctx context.Context, c call) {
	limit := time.NewTimer(safeLimit)
	defer limit.Stop()
	select {
	case <-c.safe:
	case <-limit.C:
	case <-e.ended:
	case <-ctx.Done():
	}
}

// handleCall answers when readers see what the call did: who disables a service
// and asks for its row next must find it disabled.
func (l *loop) handleCall(c call, now time.Time) {
	err := c.do(l, now)
	if l.offChanged {
		l.offChanged = false
		l.keepDisabled()
	}
	if len(l.roles.electors) > 0 {
		l.shared.dirty, l.roles.site.dirty = true, true
	}
	l.safe = c.safe
	l.flush()
	if l.safe != nil { // there was nothing to keep
		close(l.safe)
		l.safe = nil
	}
	c.reply <- err
}

// onService runs f in the loop with the service named key.
func (e *Engine) onService(ctx context.Context, key opstatus.Key, f func(l *loop, s *service, now time.Time) error) error {
	return e.do(ctx, func(l *loop, now time.Time) error {
		s := l.byKey[key]
		if s == nil {
			return l.unknown(key)
		}
		return f(l, s, now)
	})
}

// unknown says which part of key does not exist.
func (l *loop) unknown(key opstatus.Key) error {
	if l.hasWatch(key.Group) || l.loaded.Config.Group(key.Group) != nil {
		return &steer.UnknownError{Kind: steer.Service, Name: key.String()}
	}
	return &steer.UnknownError{Kind: steer.Group, Name: key.Group}
}

func (l *loop) hasWatch(group string) bool {
	return slices.ContainsFunc(l.services, func(s *service) bool { return s.cfg.Key.Group == group })
}

// Ack acknowledges the failure of a service: it alerts no more until it
// recovers. A service that does not fail cannot be acknowledged.
func (e *Engine) Ack(ctx context.Context, key opstatus.Key, user, text string) error {
	return e.onService(ctx, key, func(l *loop, s *service, now time.Time) error {
		if !s.state.Ackable() {
			return fmt.Errorf("acknowledge %s: %w", key, steer.ErrNotFailing)
		}
		l.observe(s, opstatus.Event{Kind: opstatus.Ack, Note: opstatus.Note{At: now, User: user, Text: text}}, now)
		l.operator(s, deed{what: store.WhatAck, user: user, comment: text, text: "acknowledged"}, now)
		return nil
	})
}

// StopScheduler stops all checks and alerts; claims and roles are kept.
func (e *Engine) StopScheduler(ctx context.Context, user, text string) error {
	return e.do(ctx, func(l *loop, now time.Time) error {
		was := toggled(l.globals.Stopped != nil)
		l.globals.Stopped = &opstatus.Note{At: now, User: user, Text: text}
		l.globalsChanged()
		l.holdTraps(now)
		l.operated("", deed{what: store.WhatStop, user: user, comment: text, from: was, to: "disabled", text: "scheduler stopped"}, now)
		return nil
	})
}

// StartScheduler undoes [Engine.StopScheduler]; what fell due meanwhile is
// checked within 10 s, spread as the first checks are.
func (e *Engine) StartScheduler(ctx context.Context, user string) error {
	return e.do(ctx, func(l *loop, now time.Time) error {
		if l.globals.Stopped == nil {
			return nil
		}
		l.globals.Stopped = nil
		l.globalsChanged()
		l.holdTraps(now)
		for _, s := range l.services {
			if !s.planned.IsZero() && s.planned.Before(now) {
				l.arm(s, s.after(now))
			}
		}
		l.operated("", deed{what: store.WhatStart, user: user, from: "disabled", to: "enabled", text: "scheduler started"}, now)
		return nil
	})
}

// TestMonitor makes a service due now. One that is being checked stays as it
// is: the answer is on its way.
func (e *Engine) TestMonitor(ctx context.Context, key opstatus.Key) error {
	return e.onService(ctx, key, func(l *loop, s *service, now time.Time) error {
		if s.cfg.Monitor == nil {
			return fmt.Errorf("test monitor %s: it has no monitor", key)
		}
		if s.running == 0 {
			l.arm(s, now)
		}
		return nil
	})
}

// operator records what a person did.
func (l *loop) operator(s *service, d deed, now time.Time) {
	l.shared.user, l.shared.comment = d.user, d.comment
	e := d.row()
	l.event(s, e, now)
	l.opt.Log.Info("operator", "group", s.cfg.Key.Group, "service", s.cfg.Key.Service, "user", d.user, "action", e.Text)
}

// operated records what a person did to a whole watch, or, without group, to
// the daemon.
func (l *loop) operated(group string, d deed, now time.Time) {
	l.shared.user, l.shared.comment = d.user, d.comment
	e := d.row()
	e.At, e.Group = now, group
	l.batch.Events = append(l.batch.Events, e)
	l.opt.Log.Info("operator", "group", group, "user", d.user, "action", e.Text)
}

// globalsChanged makes the daemon-wide state durable.
func (l *loop) globalsChanged() {
	g := l.globals
	l.batch.Globals = &g
	l.publishDaemon(time.Now())
}

// Alive reports whether the loop takes calls; it waits for one turn.
func (e *Engine) Alive(ctx context.Context) bool {
	return e.do(ctx, func(*loop, time.Time) error { return nil }) == nil
}
