package engine

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/alert"
)

// What is disabled: services, watches, hosts. Each change is written to mon's
// statedir/disabled at the end of the turn (monfiles.go).

// DisableService silences a service: it is checked on, nobody is told.
func (e *Engine) DisableService(ctx context.Context, key opstatus.Key, user, text string) error {
	return e.onService(ctx, key, func(l *loop, s *service, now time.Time) error {
		l.silence(s, opstatus.Note{At: now, User: user, Text: text}, "disabled", true, now)
		return nil
	})
}

// silence disables a service; tell calls its disablealerts.
func (l *loop) silence(s *service, n opstatus.Note, text string, tell bool, now time.Time) {
	was := toggled(s.disabled != nil)
	s.disabled = &n
	if tell {
		l.observe(s, opstatus.Event{Kind: opstatus.Disable, Note: n}, now)
	}
	l.operator(s, deed{what: store.WhatDisable, user: n.Who(), comment: n.Text, from: was, to: "disabled", text: text}, now)
	l.offChanged = true
	l.touch(s, true)
}

// EnableService undoes [Engine.DisableService].
func (e *Engine) EnableService(ctx context.Context, key opstatus.Key, user string) error {
	return e.onService(ctx, key, func(l *loop, s *service, now time.Time) error {
		l.enable(s, user, "enabled", now)
		return nil
	})
}

func (l *loop) enable(s *service, user, text string, now time.Time) {
	was := toggled(s.disabled != nil)
	s.disabled = nil
	l.observe(s, opstatus.Event{Kind: opstatus.Enable}, now)
	l.operator(s, deed{what: store.WhatEnable, user: user, from: was, to: "enabled", text: text}, now)
	l.offChanged = true
	l.touch(s, true)
}

// DisableWatch silences every service of a watch.
func (e *Engine) DisableWatch(ctx context.Context, group, user, text string) error {
	return e.onWatch(ctx, group, func(l *loop, now time.Time) {
		l.disableWatch(group, opstatus.Note{At: now, User: user, Text: text}, "watch disabled", true, now)
	})
}

// EnableWatch undoes [Engine.DisableWatch].
func (e *Engine) EnableWatch(ctx context.Context, group, user string) error {
	return e.onWatch(ctx, group, func(l *loop, now time.Time) {
		l.enableWatch(group, user, "watch enabled", now)
	})
}

func (e *Engine) onWatch(ctx context.Context, group string, change func(l *loop, now time.Time)) error {
	return e.do(ctx, func(l *loop, now time.Time) error {
		if !l.hasWatch(group) {
			return &steer.UnknownError{Kind: steer.Group, Name: group}
		}
		change(l, now)
		l.globalsChanged()
		return nil
	})
}

// disableWatch disables a watch; tell calls the disablealerts of its services.
// The caller calls globalsChanged.
func (l *loop) disableWatch(group string, n opstatus.Note, text string, tell bool, now time.Time) {
	was := toggled(note(l.globals.Watches, group) != nil)
	l.globals.Watches = with(l.globals.Watches, group, n)
	l.operated(group, deed{what: store.WhatDisableWatch, user: n.Who(), comment: n.Text, from: was, to: "disabled", text: text}, now)
	l.showWatch(group)
	for _, s := range l.services {
		if tell && s.cfg.Key.Group == group && s.hears(alert.Disable) {
			l.observe(s, opstatus.Event{Kind: opstatus.Disable, Note: n}, now)
		}
	}
}

func (l *loop) enableWatch(group, user, text string, now time.Time) {
	was := toggled(note(l.globals.Watches, group) != nil)
	l.globals.Watches = without(l.globals.Watches, group)
	l.operated(group, deed{what: store.WhatEnableWatch, user: user, from: was, to: "enabled", text: text}, now)
	l.showWatch(group)
}

// hears reports whether a period calls anything when an event of that kind
// happens.
func (s *service) hears(on alert.Kind) bool {
	for i := range s.cfg.Periods {
		if slices.ContainsFunc(s.cfg.Periods[i].Lines, func(l config.Line) bool { return l.On == on }) {
			return true
		}
	}
	return false
}

// showWatch shows on all services of group whether it is disabled.
func (l *loop) showWatch(group string) {
	l.offChanged = true
	for _, s := range l.services {
		if s.cfg.Key.Group == group {
			s.watchOff = note(l.globals.Watches, group)
			l.touch(s, false)
		}
	}
}

// DisableHost takes a host out of all checks and alerts. As under mon, a watch
// of that host alone is disabled with it.
func (e *Engine) DisableHost(ctx context.Context, host, user, text string) error {
	return e.onHost(ctx, host, func(l *loop, now time.Time) {
		l.disableHost(host, opstatus.Note{At: now, User: user, Text: text}, now)
		for _, group := range l.watchesOf(host) {
			l.disableWatch(group, opstatus.Note{At: now, User: user, Text: text}, "with its only host: watch disabled", true, now)
		}
	})
}

// EnableHost undoes [Engine.DisableHost], also for a host that the file
// disables: until it is read again. As under mon, a watch of that host alone is
// enabled with it.
func (e *Engine) EnableHost(ctx context.Context, host, user string) error {
	return e.onHost(ctx, host, func(l *loop, now time.Time) {
		l.enableHost(host, user, now)
		l.admit(host)
		for _, group := range l.watchesOf(host) {
			l.enableWatch(group, user, "with its only host: watch enabled", now)
		}
	})
}

func (l *loop) disableHost(host string, n opstatus.Note, now time.Time) {
	l.globals.Hosts = with(l.globals.Hosts, host, n)
	l.offChanged = true
	l.operated("", deed{what: store.WhatDisableHost, user: n.Who(), comment: n.Text, to: "disabled", text: "host " + host + " disabled"}, now)
}

func (l *loop) enableHost(host, user string, now time.Time) {
	l.globals.Hosts = without(l.globals.Hosts, host)
	l.offChanged = true
	l.operated("", deed{what: store.WhatEnableHost, user: user, to: "enabled", text: "host " + host + " enabled"}, now)
}

// onHost changes a host of the configuration, or one that left it disabled.
func (e *Engine) onHost(ctx context.Context, host string, change func(l *loop, now time.Time)) error {
	return e.do(ctx, func(l *loop, now time.Time) error {
		if !l.hasHost(host) && note(l.globals.Hosts, host) == nil {
			return &steer.UnknownError{Kind: steer.Host, Name: host}
		}
		change(l, now)
		l.globalsChanged()
		l.opt.Runner.Watch(l.watched())
		return nil
	})
}

func (l *loop) hasHost(host string) bool {
	for i := range l.loaded.Config.Groups {
		if slices.Contains(l.loaded.Config.Groups[i].Hosts, host) {
			return true
		}
	}
	return false
}

// watchesOf are the watches whose only host is host.
func (l *loop) watchesOf(host string) (groups []string) {
	for i := range l.loaded.Config.Groups {
		g := &l.loaded.Config.Groups[i]
		if len(g.Hosts) == 1 && g.Hosts[0] == host && l.hasWatch(g.Name) {
			groups = append(groups, g.Name)
		}
	}
	return groups
}

// admit takes host as one that the file does not disable.
func (l *loop) admit(host string) {
	next := l.loaded.Config.WithHost(host)
	if next == l.loaded.Config {
		return
	}
	l.loaded.Config = next
	for _, s := range l.services {
		s.group = next.Group(s.cfg.Key.Group)
	}
	l.showBoard()
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
