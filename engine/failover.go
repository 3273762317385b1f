package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/role"
)

// Orders of operators about roles. They are kept here and told to electors; what
// becomes of them those decide.

// onceTime is how long an order that is to be obeyed once is told: long enough
// for an elector that is just being started again, and short enough that the next
// one does not obey it a second time.
const onceTime = 10 * time.Second

// once is an order that is to be obeyed once.
type once struct {
	serial uint64
	ends   time.Time
}

// Failover orders what is to become of a group of addresses, or of all.
func (e *Engine) Failover(ctx context.Context, o steer.Failover) error {
	if err := o.Validate(); err != nil {
		return err
	}
	return e.do(ctx, func(l *loop, now time.Time) error { return l.failover(o, now) })
}

func (l *loop) failover(o steer.Failover, now time.Time) error {
	if err := l.knownRole(o.Group); err != nil {
		return fmt.Errorf("failover %s: %w", o.Verb, err)
	}
	serial := l.nextSerial(now)
	r := store.RoleOrder{Group: o.Group, Verb: string(o.Verb), Serial: serial, Note: opstatus.Note{At: now, User: o.User, Text: o.Text}}
	if o.Verb == role.Release { // what stands afterwards is that nothing does
		r.Verb, r.Serial = string(role.Auto), serial+1
		l.roles.once[o.Group] = once{serial, now.Add(onceTime)}
	} else {
		delete(l.roles.once, o.Group)
	}
	// The list is a copy: batches share the old one.
	l.globals.Roles = append(slices.DeleteFunc(slices.Clone(l.globals.Roles), func(old store.RoleOrder) bool {
		return o.Group == "" || old.Group == o.Group
	}), r)
	l.globalsChanged()
	whom := "all groups"
	if o.Group != "" {
		whom = "group " + o.Group
	}
	l.operated("", deed{what: store.WhatFailover, user: o.User, comment: o.Text, to: string(o.Verb), text: fmt.Sprintf("failover: %s: %s", whom, o.Verb)}, now)
	if l.roles.lane != nil {
		l.handleLane(now)
	}
	return nil
}

// nextSerial is above every serial before, also over restarts.
func (l *loop) nextSerial(now time.Time) uint64 {
	serial := uint64(now.UnixNano()) //nolint:gosec // after 1970
	for i := range l.globals.Roles {
		serial = max(serial, l.globals.Roles[i].Serial+1)
	}
	return serial
}

// knownRole says whether a group is one that an elector decides about.
func (l *loop) knownRole(group string) error {
	if by := l.loaded.Config.Globals.RoleSource; by != config.SourceMond {
		return fmt.Errorf("role_source is %s: it decides who holds addresses, so tell %s", by, by)
	}
	if len(l.roles.electors) == 0 {
		return errors.New("no service of the configuration decides about directors (its monitor would be heartbeat.monitor)")
	}
	var have []string
	for _, s := range l.roles.electors {
		for i := range s.cfg.Holds {
			if s.cfg.Holds[i].Group.Name == group {
				return nil
			}
			have = append(have, s.cfg.Holds[i].Group.Name)
		}
	}
	if group == "" {
		return nil
	}
	return &steer.UnknownError{Kind: steer.Role, Name: group + " (there are: " + strings.Join(have, " ") + ")"}
}

// roleOrder is an order as an elector is told it now.
func (l *loop) roleOrder(r *store.RoleOrder) role.Order {
	o := role.Order{Group: r.Group, Verb: role.Verb(r.Verb), Serial: r.Serial}
	if one, ok := l.roles.once[r.Group]; ok {
		o.Verb, o.Serial = role.Release, one.serial
	}
	return o
}

// endOnce ends the telling of what was to be obeyed once.
func (l *loop) endOnce(now time.Time) {
	for group, one := range l.roles.once {
		if !now.Before(one.ends) {
			delete(l.roles.once, group)
		}
	}
}

// standingOrder is what is ordered of a group: the newer of its own and that for
// all.
func (l *loop) standingOrder(group string) *view.RoleOrder {
	var last *store.RoleOrder
	for i := range l.globals.Roles {
		r := &l.globals.Roles[i]
		if (r.Group == group || r.Group == "") && (last == nil || r.Serial > last.Serial) {
			last = r
		}
	}
	if last == nil {
		return nil
	}
	o := l.roleOrder(last)
	if o.Verb == role.Auto {
		return nil
	}
	return &view.RoleOrder{Verb: o.Verb, All: last.Group == "", By: last.Note.User, At: last.Note.At, Text: last.Note.Text}
}
