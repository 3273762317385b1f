package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
)

// Reset reads the configuration again, like [Engine.Reload]; without KeepState
// all services begin anew, untested, and their checks that run do not count.
// What is disabled by host or watch stays. So do claims, as after an unclean
// stop: a table stays as it is until the first verdict. With Stopped the
// scheduler is stopped whatever becomes of the rest, as under mon.
func (e *Engine) Reset(ctx context.Context, how steer.ResetHow, user string) error {
	if how.Stopped {
		if err := e.StopScheduler(ctx, user, "reset stopped"); err != nil {
			return err
		}
	}
	return e.reload(ctx, how, user)
}

// CheckConfig reads the configuration and changes nothing; the error says what
// is wrong with it.
func (e *Engine) CheckConfig(ctx context.Context) error {
	if e.opt.Check == nil {
		return errors.New("check the configuration: this daemon cannot")
	}
	return e.alone(ctx, func() error { return e.opt.Check(ctx) })
}

// kept are the records that survive a reset: all, or of each only what must not
// be lost.
func (l *loop) kept(how steer.ResetHow) map[opstatus.Key]store.Record {
	records := make(map[opstatus.Key]store.Record, len(l.services))
	for _, s := range l.services {
		r := s.record()
		if !how.KeepState {
			r = store.Record{State: opstatus.New(), Claims: r.Claims}
		}
		records[s.key()] = r
	}
	return records
}

// forgetAll tells of what a reset without state forgets, and answers the checks
// that are of no use any more.
func (l *loop) forgetAll(old []*service, user string, now time.Time) (stale []uint64) {
	l.operated("", deed{what: store.WhatReset, user: user, text: "reset: all services begin anew"}, now)
	for _, o := range old {
		if s := l.byKey[o.key()]; s != nil {
			l.forgot(s, o.record(), "forgotten at a reset", now)
			s.since = now
		}
		if o.running != 0 && l.byKey[o.key()] != nil {
			stale = append(stale, o.running)
		}
	}
	l.self.lastPush = nil // the daemon's own condition is known: it is told at once
	return stale
}

// refused words the error of a reload that changed nothing.
func refused(err error) error {
	return fmt.Errorf("reload refused, the running configuration stays: %w", err)
}
