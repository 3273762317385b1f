package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/alert"
)

// ErrStopped answers calls after the engine has ended.
var ErrStopped = errors.New("the engine has stopped")

// ErrUnknown is what a call about a service, group or host that does not
// exist wraps; it is fs.ErrNotExist. Nothing is created by asking.
var ErrUnknown error = unknownError{}

type unknownError struct{}

func (unknownError) Error() string        { return "no such name in the configuration" }
func (unknownError) Is(target error) bool { return target == fs.ErrNotExist }

// ErrNotFailing answers an acknowledgement of a service that does not fail.
var ErrNotFailing = errors.New("service is in a non-failure state")

// call is something that the loop does for another goroutine.
type call struct {
	do    func(l *loop, now time.Time) error
	reply chan error // holds one: the loop never waits for its caller
}

// do runs f in the loop and waits for it.
func (e *Engine) do(ctx context.Context, f func(l *loop, now time.Time) error) error {
	c := call{do: f, reply: make(chan error, 1)}
	select {
	case e.calls <- c:
		return <-c.reply
	case <-e.ended:
		return ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *loop) handleCall(c call, now time.Time) { c.reply <- c.do(l, now) }

// onService runs f in the loop with the service named key.
func (e *Engine) onService(ctx context.Context, key opstatus.Key, f func(l *loop, s *service, now time.Time) error) error {
	return e.do(ctx, func(l *loop, now time.Time) error {
		s := l.byKey[key]
		if s == nil {
			return fmt.Errorf("service %s: %w", key, ErrUnknown)
		}
		return f(l, s, now)
	})
}

// Ack acknowledges the failure of a service: it alerts no more until it
// recovers. A service that does not fail cannot be acknowledged.
func (e *Engine) Ack(ctx context.Context, key opstatus.Key, user, text string) error {
	return e.onService(ctx, key, func(l *loop, s *service, now time.Time) error {
		if !s.state.Ackable() {
			return fmt.Errorf("acknowledge %s: %w", key, ErrNotFailing)
		}
		l.observe(s, opstatus.Event{Kind: opstatus.Ack, Note: opstatus.Note{At: now, User: user, Text: text}}, now)
		l.operator(s, deed{what: store.WhatAck, user: user, comment: text, text: "acknowledged"}, now)
		return nil
	})
}

// DisableService silences a service: it is checked on, nobody is told.
func (e *Engine) DisableService(ctx context.Context, key opstatus.Key, user, text string) error {
	return e.onService(ctx, key, func(l *loop, s *service, now time.Time) error {
		n, was := opstatus.Note{At: now, User: user, Text: text}, toggled(s.disabled != nil)
		s.disabled = &n
		l.observe(s, opstatus.Event{Kind: opstatus.Disable, Note: n}, now)
		l.operator(s, deed{what: store.WhatDisable, user: user, comment: text, from: was, to: "disabled", text: "disabled"}, now)
		l.touch(s, true)
		return nil
	})
}

// EnableService undoes [Engine.DisableService].
func (e *Engine) EnableService(ctx context.Context, key opstatus.Key, user string) error {
	return e.onService(ctx, key, func(l *loop, s *service, now time.Time) error {
		was := toggled(s.disabled != nil)
		s.disabled = nil
		l.observe(s, opstatus.Event{Kind: opstatus.Enable}, now)
		l.operator(s, deed{what: store.WhatEnable, user: user, from: was, to: "enabled", text: "enabled"}, now)
		l.touch(s, true)
		return nil
	})
}

// DisableWatch silences every service of a watch.
func (e *Engine) DisableWatch(ctx context.Context, group, user, text string) error {
	return e.onWatch(ctx, group, func(l *loop, now time.Time) {
		was := toggled(note(l.globals.Watches, group) != nil)
		l.globals.Watches = with(l.globals.Watches, group, opstatus.Note{At: now, User: user, Text: text})
		l.operated(group, deed{what: store.WhatDisableWatch, user: user, comment: text, from: was, to: "disabled", text: "watch disabled"}, now)
	})
}

// EnableWatch undoes [Engine.DisableWatch].
func (e *Engine) EnableWatch(ctx context.Context, group, user string) error {
	return e.onWatch(ctx, group, func(l *loop, now time.Time) {
		was := toggled(note(l.globals.Watches, group) != nil)
		l.globals.Watches = without(l.globals.Watches, group)
		l.operated(group, deed{what: store.WhatEnableWatch, user: user, from: was, to: "enabled", text: "watch enabled"}, now)
	})
}

// onWatch changes the disabled watches and shows it on all services of group.
func (e *Engine) onWatch(ctx context.Context, group string, change func(l *loop, now time.Time)) error {
	return e.do(ctx, func(l *loop, now time.Time) error {
		found := false
		for _, s := range l.services {
			found = found || s.cfg.Key.Group == group
		}
		if !found {
			return fmt.Errorf("watch %s: %w", group, ErrUnknown)
		}
		change(l, now)
		l.globalsChanged()
		for _, s := range l.services {
			if s.cfg.Key.Group == group {
				s.watchOff = note(l.globals.Watches, group)
				l.touch(s, false)
			}
		}
		return nil
	})
}

// DisableHost takes a host out of all checks and alerts.
func (e *Engine) DisableHost(ctx context.Context, host, user, text string) error {
	return e.onHost(ctx, host, func(l *loop, now time.Time) {
		l.globals.Hosts = with(l.globals.Hosts, host, opstatus.Note{At: now, User: user, Text: text})
		l.operated("", deed{what: store.WhatDisableHost, user: user, comment: text, to: "disabled", text: "host " + host + " disabled"}, now)
	})
}

// EnableHost undoes [Engine.DisableHost].
func (e *Engine) EnableHost(ctx context.Context, host, user string) error {
	return e.onHost(ctx, host, func(l *loop, now time.Time) {
		l.globals.Hosts = without(l.globals.Hosts, host)
		l.operated("", deed{what: store.WhatEnableHost, user: user, to: "enabled", text: "host " + host + " enabled"}, now)
	})
}

func (e *Engine) onHost(ctx context.Context, host string, change func(l *loop, now time.Time)) error {
	return e.do(ctx, func(l *loop, now time.Time) error {
		for _, g := range l.loaded.Config.Groups {
			if slices.Contains(g.Hosts, host) {
				change(l, now)
				l.globalsChanged()
				l.opt.Runner.Watch(l.watched())
				return nil
			}
		}
		return fmt.Errorf("host %s: %w", host, ErrUnknown)
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

// testOutput is what an alert reads when it is tried, as under mon.
const testOutput = "test\ntest detail\n"

// TestAlert calls the lines of one kind of a period with test texts, whatever
// mon's gates say. It counts nowhere. Keepers are left alone: a test must not
// take a server out. A period without such lines is an error.
func (e *Engine) TestAlert(ctx context.Context, key opstatus.Key, on alert.Kind, period string) error {
	return e.onService(ctx, key, func(l *loop, s *service, now time.Time) error {
		i := slices.IndexFunc(s.cfg.Periods, func(p config.Period) bool { return p.Name == period })
		if i < 0 {
			return fmt.Errorf("period %q of %s: %w", period, key, ErrUnknown)
		}
		if l.testLines(s, &s.cfg.Periods[i], on, now) == 0 {
			return fmt.Errorf("test alert of %s: period %q has no %s lines to try (keepers are left alone)", key, period, on)
		}
		return nil
	})
}

// testLines calls the lines of p for one kind and returns how many there are.
func (l *loop) testLines(s *service, p *config.Period, on alert.Kind, now time.Time) (called int) {
	kind := on
	if on == alert.Failure {
		kind = alert.Test
	}
	for i := range p.Lines {
		if c := &p.Lines[i].Command; p.Lines[i].On == on && !l.isKeeper(c.Program) {
			d := policy.Decision{Period: p.Name, Kind: kind, Command: c, Send: true}
			l.queue(s, d, store.Notice{Request: l.request(s, d, s.state, "test", testOutput, now), Test: true}, now)
			called++
		}
	}
	return called
}

// operator records what a person did.
func (l *loop) operator(s *service, d deed, now time.Time) {
	e := d.row()
	l.event(s, e, now)
	l.opt.Log.Info("operator", "group", s.cfg.Key.Group, "service", s.cfg.Key.Service, "user", d.user, "action", e.Text)
}

// operated records what a person did to a whole watch, or, without group, to
// the daemon.
func (l *loop) operated(group string, d deed, now time.Time) {
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

// with and without copy m: batches share it.
func with(m map[string]opstatus.Note, key string, n opstatus.Note) map[string]opstatus.Note {
	c := maps.Clone(m)
	if c == nil {
		c = map[string]opstatus.Note{}
	}
	c[key] = n
	return c
}

func without(m map[string]opstatus.Note, key string) map[string]opstatus.Note {
	c := maps.Clone(m)
	delete(c, key)
	return c
}

// Alive reports whether the loop takes calls; it waits for one turn.
func (e *Engine) Alive(ctx context.Context) bool {
	return e.do(ctx, func(*loop, time.Time) error { return nil }) == nil
}
