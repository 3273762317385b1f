package engine

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
)

// mon's clients read and write the variables of a service by the names that
// they have inside mon: directives by their own, state with an underscore
// before it. What they set holds until the file is read again.

// What is kept of names that nobody knows: mon keeps them too, since its
// services are hashes.
const (
	notesMost    = 64
	noteNameMost = 64
	noteMost     = 4 << 10
)

// Variable is a variable of a service; one that is not set is empty.
func (e *Engine) Variable(ctx context.Context, key opstatus.Key, name string) (value string, err error) {
	err = e.onService(ctx, key, func(l *loop, s *service, now time.Time) error {
		value = l.variable(s, name, now)
		return nil
	})
	return value, err
}

// SetVariable changes a variable until the next reset. Directives take what the
// file may give them, times also as plain seconds, and an empty value takes
// them out. Of the state _timer, _consec_failures, _failure_count,
// _alert_count, _op_status (or opstatus), _ack (0 only), _ack_comment and
// disable can be set.
func (e *Engine) SetVariable(ctx context.Context, key opstatus.Key, name, value, user string) error {
	if name == "monitor" {
		if err := e.judge(ctx, key, value); err != nil {
			return fmt.Errorf("service %s: %w", key, err)
		}
	}
	return e.onService(ctx, key, func(l *loop, s *service, now time.Time) error {
		if err := l.setVariable(s, name, value, user, now); err != nil {
			return fmt.Errorf("service %s: %w", key, err)
		}
		text := name + " set to " + strconv.Quote(shorten(value))
		l.operator(s, deed{what: store.WhatSet, user: user, text: text}, now)
		l.touch(s, true)
		return nil
	})
}

// judge lets a program judge the words that a monitor would be run with; it may
// take its time, outside of the loop.
func (e *Engine) judge(ctx context.Context, key opstatus.Key, value string) error {
	cfg := e.board.Config()
	if e.opt.Judge == nil || cfg.Service(key) == nil {
		return nil
	}
	next, err := cfg.With(key, "monitor", value, time.Now())
	if err != nil {
		return nil // said where it is set
	}
	m := next.Service(key).Monitor
	if m == nil || !runs(cfg, m.Program) {
		return nil // likewise
	}
	if err := e.opt.Judge(ctx, *m); err != nil {
		return &steer.ValueError{Name: "monitor", Value: value, Reason: err.Error()}
	}
	return nil
}

// runs reports whether a program is a monitor of cfg.
func runs(cfg *config.Config, program string) bool {
	return slices.ContainsFunc(cfg.Services, func(s *config.Service) bool {
		return s.Monitor != nil && s.Monitor.Program == program
	})
}

// shorten is text as a row of history holds it.
func shorten(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// variable is the value of a variable, empty if there is none of that name.
func (l *loop) variable(s *service, name string, now time.Time) string {
	for _, read := range []func(*service, string, time.Time) (string, bool){readDirective, readDepend, l.readState, readOutage} {
		if value, ok := read(s, name, now); ok {
			return value
		}
	}
	return s.notes[name]
}

func (l *loop) setVariable(s *service, name, value, user string, now time.Time) error {
	refuse := func(reason string) error { return &steer.ValueError{Name: name, Value: shorten(value), Reason: reason} }
	switch name {
	case "opstatus", "_op_status":
		to, ok := opstatus.ParseStatus(value)
		if !ok {
			return refuse("there is no such opstatus")
		}
		l.assign(s, to, user, now)
	case "disable":
		return l.setDisabled(s, value, user, now, refuse)
	case "_timer":
		return l.setTimer(s, value, now, refuse)
	case "_consec_failures":
		return setCount(&s.state.Failures, value, refuse)
	case "_failure_count":
		return setCount(&s.state.Total, value, refuse)
	case "_alert_count":
		return setCount(&s.alerts, value, refuse)
	case "_ack", "_ack_comment":
		if name == "_ack" && value == "0" {
			l.shared.unacked[s.key()] = true
		}
		return setAck(s, name, value, refuse)
	default:
		return l.setOther(s, name, value, now, refuse)
	}
	return nil
}

type refusal func(reason string) error

// setOther sets a directive, or a note that means nothing here.
func (l *loop) setOther(s *service, name, value string, now time.Time, refuse refusal) error {
	if config.HasDirective(name) {
		return l.setDirective(s, name, value, now, refuse)
	}
	if _, known := l.readState(s, name, now); known {
		return refuse("it is what was seen, and cannot be set")
	}
	if _, known := readOutage(s, name, now); known {
		return refuse("it is what was seen, and cannot be set")
	}
	_, have := s.notes[name]
	switch {
	case !isVariable(name):
		return refuse("the name of a variable is made of letters, digits and _, 64 at most, and begins with no digit")
	case len(value) > noteMost:
		return refuse(fmt.Sprintf("it is longer than %d bytes", noteMost))
	case !have && len(s.notes) >= notesMost:
		return refuse(fmt.Sprintf("the service has %d variables of that sort, and takes no more", notesMost))
	}
	if s.notes == nil {
		s.notes = map[string]string{}
	}
	s.notes[name] = value
	return nil
}

func isVariable(name string) bool {
	if name == "" || len(name) > noteNameMost || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

func setCount(n *int, value string, refuse refusal) error {
	v, err := strconv.Atoi(value)
	if err != nil || v < 0 || v > 1<<31 {
		return refuse("it is no count")
	}
	*n = v
	return nil
}

// setTimer makes a service due so many seconds from now.
func (l *loop) setTimer(s *service, value string, now time.Time, refuse refusal) error {
	seconds, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil || seconds < 0 || seconds > 1e9:
		return refuse("it is no number of seconds")
	case s.cfg.Monitor == nil || !s.cfg.Plan.Scheduled():
		return refuse("the service is not checked: it has no monitor, or no interval")
	}
	l.arm(s, now.Add(time.Duration(seconds*float64(time.Second))))
	l.touch(s, false)
	return nil
}

// setAck ends an acknowledgement, or changes what was said with it. mon has no
// command for either.
func setAck(s *service, name, value string, refuse refusal) error {
	switch {
	case name == "_ack" && value == "0":
		s.state.Ack = nil
	case name == "_ack":
		return refuse("0 ends an acknowledgement; the command ack makes one")
	case s.state.Ack == nil:
		return refuse("the failure is not acknowledged")
	default:
		n := *s.state.Ack
		n.Where = ""
		n.User, n.Text = splitNote(value)
		s.state.Ack = &n
	}
	return nil
}

// splitNote reads "user: comment".
func splitNote(text string) (user, comment string) {
	if user, comment, ok := strings.Cut(text, ": "); ok && !strings.ContainsAny(user, " \t\n") {
		return user, comment
	}
	return "", text
}

func (l *loop) setDisabled(s *service, value, user string, now time.Time, refuse refusal) error {
	switch value {
	case "1":
		l.silence(s, opstatus.Note{At: now, User: user}, "disabled", true, now)
	case "0", "":
		l.enable(s, user, "enabled", now)
	default:
		return refuse("it is 1 or 0")
	}
	return nil
}

// assign gives a service a status that an operator says it has. Nobody is told,
// and keepers go on by what was seen.
func (l *loop) assign(s *service, to opstatus.Status, user string, now time.Time) {
	was := s.state
	s.state = opstatus.Assign(was, to, now)
	if !to.Failing() {
		for i := range s.periods {
			s.periods[i] = s.periods[i].AfterSuccess(s.cfg.Periods[i].Every.Mode)
		}
	}
	if was.Status != to {
		s.since = now
		l.event(s, statusRow(was, s.state, opstatus.Transition{From: was.Status, To: to}), now)
		l.opt.Log.Info("status changed", "group", s.cfg.Key.Group, "service", s.cfg.Key.Service,
			"from", was.Status.String(), "to", to.String(), "user", user)
	}
	l.repace(s, now)
	l.touch(s, true)
}

// ClearTimers makes the alerts of a service begin anew.
func (e *Engine) ClearTimers(ctx context.Context, key opstatus.Key, user string) error {
	return e.onService(ctx, key, func(l *loop, s *service, now time.Time) error {
		s.state.Failures = 0
		s.periods = slices.Clone(s.periods)
		for i, p := range s.periods {
			s.periods[i] = policy.State{Sent: p.Sent, Up: p.Up}
		}
		if i := s.cfg.Plan.Interval(s.phase); i > 0 && s.cfg.Monitor != nil && s.cfg.Plan.Calendar == nil {
			l.arm(s, now.Add(i))
		}
		if s.cfg.TrapTimeout > 0 {
			s.trapSince = now
			l.setTrapClock(s)
		}
		l.operator(s, deed{what: store.WhatClear, user: user, text: "timers cleared"}, now)
		l.touch(s, true)
		return nil
	})
}

// SetKeep changes how many alerts and failures are remembered, until the next
// reset.
func (e *Engine) SetKeep(ctx context.Context, n int, user string) error {
	const most = 1_000_000
	if n < 0 || n > most {
		return &steer.ValueError{Name: "maxkeep", Value: strconv.Itoa(n), Reason: fmt.Sprintf("it is 0 to %d", most)}
	}
	return e.do(ctx, func(l *loop, now time.Time) error {
		l.keepMost(n)
		l.operated("", deed{what: store.WhatSet, user: user, text: fmt.Sprintf("maxkeep set to %d", n)}, now)
		return nil
	})
}

// Keep is how many alerts and failures are remembered.
func (e *Engine) Keep() int { return int(e.keep.Load()) }

// keepMost changes how much is remembered.
func (l *loop) keepMost(n int) {
	l.keep.Store(int64(n))
	l.board.Calls.Resize(n)
	l.board.Failures.Resize(n)
	for _, s := range l.services {
		s.memory = n
	}
}
