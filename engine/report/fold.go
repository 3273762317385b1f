package report

import (
	"slices"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
)

// service is one service while rows are added: its state just before the
// oldest row so far, and what is accounted for after that.
type service struct {
	State
	// gone is set where the service does not exist.
	gone bool
	// doubt is set where the rows disagree.
	doubt bool
	// at is the time down to which all is accounted for.
	at time.Time

	up, down, unwatched time.Duration
	outages             int
	longest             time.Duration
	list                []Outage
	// open is the outage whose beginning has not been seen, if any; summary
	// what it says.
	open    *Outage
	summary string
	// alerts are the times of the events that were told and belong to no
	// outage so far.
	alerts []time.Time
}

// Add takes a row in. Rows come newest first; those before Options.From may be
// left out.
func (f *Fold) Add(e store.Event) {
	if f.lost {
		f.cutAll(e.At)
		f.lost = false
	}
	switch e.Kind {
	case store.KindDaemon:
		f.daemon(e)
		return
	case store.KindLost:
		f.cutAll(e.At)
		f.lost = true
		return
	case store.KindStatus, store.KindBlind, store.KindHeld, store.KindOperator:
		f.alive(e.At)
	}
	switch {
	case e.Group == "":
		f.whole(e)
	case e.Service == "":
		f.watch(e)
	default:
		f.service(e)
	}
}

// daemon takes in that the daemon started or ended.
func (f *Fold) daemon(e store.Event) {
	switch e.What {
	case store.WhatStart:
		f.turn(f.services, e.At, &f.world.Down, false, true)
	case store.WhatStop, store.WhatDied:
		f.turn(f.services, e.At, &f.world.Down, true, false)
	}
}

// alive ends a time without daemon whose beginning was not told: somebody
// wrote a row.
func (f *Fold) alive(at time.Time) {
	if f.world.Down {
		f.cutAll(at)
		f.world.Down = false
	}
}

// whole takes in what concerns all services.
func (f *Fold) whole(e store.Event) {
	switch {
	case e.Kind == store.KindHeld:
		holds := e.What == store.WhatExcluded
		f.turn(f.services, e.At, &f.world.Excluded, holds, !holds)
	case e.Kind == store.KindOperator && e.What == store.WhatStop:
		f.turn(f.services, e.At, &f.world.Stopped, true, e.From == "disabled")
	case e.Kind == store.KindOperator && e.What == store.WhatStart:
		f.turn(f.services, e.At, &f.world.Stopped, false, e.From == "disabled")
	}
}

// watch takes in what concerns a watch.
func (f *Fold) watch(e store.Event) {
	if e.Kind != store.KindOperator || e.What != store.WhatDisableWatch && e.What != store.WhatEnableWatch {
		return
	}
	off := f.world.Watches[e.Group]
	f.turn(f.byGroup[e.Group], e.At, &off, e.What == store.WhatDisableWatch, e.From == "disabled")
	f.world.Watches[e.Group] = off
}

// turn takes in a row at which flag became after and before which it was
// before, for some services.
func (f *Fold) turn(services []*service, at time.Time, flag *bool, after, before bool) {
	for _, s := range services {
		s.doubt = s.doubt || *flag != after
		f.account(s, at)
	}
	*flag = before
}

func (f *Fold) cutAll(at time.Time) {
	for _, s := range f.services {
		f.account(s, at)
	}
}

// service takes in what concerns one service.
func (f *Fold) service(e store.Event) {
	s := f.find(opstatus.Key{Group: e.Group, Service: e.Service}, e)
	if s == nil {
		return
	}
	switch e.Kind {
	case store.KindStatus:
		f.status(s, e)
	case store.KindConfig:
		s.doubt = s.doubt || !s.gone
		f.account(s, e.At)
		s.gone, s.Status = false, statusOf(e.From)
		s.Blind, s.Disabled, s.Held = e.Beside()
	case store.KindBlind:
		began := e.What == store.WhatBegan
		f.turn([]*service{s}, e.At, &s.Blind, began, !began)
	case store.KindHeld:
		f.turn([]*service{s}, e.At, &s.Held, e.What != store.WhatEnded, e.From != "")
	case store.KindOperator:
		f.operator(s, e)
	case store.KindAlert:
		s.alert(e)
	}
}

// find is the service of e; one that is not of the world existed once, if e is
// a row about its state.
func (f *Fold) find(key opstatus.Key, e store.Event) *service {
	if s := f.byKey[key]; s != nil {
		return s
	}
	if f.opt.Want != nil && !f.opt.Want(key) || e.Kind != store.KindStatus && e.Kind != store.KindConfig {
		return nil
	}
	s := &service{State: State{Key: key}, gone: true, at: f.opt.To}
	f.add(s)
	return s
}

// status takes in a change of status. A row of an older version does not say
// what it was: nothing is known before it.
func (f *Fold) status(s *service, e store.Event) {
	from, to := statusOf(e.From), statusOf(e.To)
	s.doubt = s.doubt || s.gone || e.To != "" && s.Status != to
	f.account(s, e.At)
	switch {
	case from.Failing():
		s.summary = e.Summary
	case to.Failing() && s.open != nil:
		s.open.Summary = e.Summary
	}
	s.Status, s.gone = from, false
}

func (f *Fold) operator(s *service, e store.Event) {
	switch e.What {
	case store.WhatDisable, store.WhatEnable:
		f.turn([]*service{s}, e.At, &s.Disabled, e.What == store.WhatDisable, e.From == "disabled")
	case store.WhatAck:
		f.account(s, e.At)
		if s.open != nil {
			s.open.Acked, s.open.AckedBy = true, e.User
		}
	}
}

// alert keeps when the event was that an alert told of.
func (s *service) alert(e store.Event) {
	if e.Outcome == store.Told && (e.What == "failure" || e.What == "trap" || e.What == "traptimeout") {
		s.alerts = append(s.alerts, e.At.Add(-e.Took))
	}
}

// statusOf is the status of a word; a word that is not known is Unknown, which
// is not watched.
func statusOf(word string) opstatus.Status {
	for s := opstatus.Untested; s <= opstatus.Warn; s++ {
		if s.String() == word {
			return s
		}
	}
	return opstatus.Unknown
}

// up reports whether a status says that the service works. Others that do not
// fail say nothing.
func up(s opstatus.Status) bool {
	return s == opstatus.OK || s == opstatus.Warn || s == opstatus.Coldstart || s == opstatus.Warmstart
}

// unseen reports whether nobody watched s.
func (f *Fold) unseen(s *service) bool {
	w := &f.world
	return s.doubt || s.gone || f.lost || w.Down || w.Stopped || w.Excluded || w.Watches[s.Key.Group] ||
		s.Blind || s.Disabled || s.Held || !up(s.Status) && !s.Status.Failing()
}

// account books the time from at to where s was accounted for, in the state
// that s is in.
func (f *Fold) account(s *service, at time.Time) {
	end := s.at
	at = later(at, f.opt.From)
	if !at.Before(end) {
		s.doubt = false // about no time at all
		return
	}
	// Before this nobody knows.
	edge := earlier(later(at, f.opt.Complete), end)
	if edge.Before(end) {
		f.book(s, edge, end)
	}
	s.unwatched += f.hours.within(at, edge)
	s.at, s.doubt = at, false
}

// book books the time from one to the other.
func (f *Fold) book(s *service, from, to time.Time) {
	took, unseen := f.hours.within(from, to), f.unseen(s)
	failing := s.Status.Failing() && !s.doubt && !s.gone
	if !failing {
		f.close(s, false)
	} else if s.open == nil {
		s.open = &Outage{End: to, Ongoing: to.Equal(f.opt.To), Summary: s.summary}
	}
	if failing {
		s.open.Start = from
	}
	switch {
	case unseen:
		s.unwatched += took
	case failing:
		s.down += took
		s.open.Down += took
	default:
		s.up += took
	}
}

// close ends the outage that is open; before is set at the beginning of the
// report. An outage that nobody watched any of is none.
func (f *Fold) close(s *service, before bool) {
	o := s.open
	if s.open = nil; o == nil {
		return
	}
	o.Before = before
	s.alerts = slices.DeleteFunc(s.alerts, func(at time.Time) bool {
		mine := !at.Before(o.Start)
		if mine {
			o.Alerts++
		}
		return mine
	})
	if o.Down == 0 {
		return
	}
	s.outages++
	s.longest = max(s.longest, o.Down)
	if f.opt.Outages {
		s.list = append(s.list, *o)
	}
}

func (s *service) result() Service {
	slices.Reverse(s.list)
	return Service{
		Key: s.Key, Up: s.up, Down: s.down, Unwatched: s.unwatched, Outages: s.outages, Longest: s.longest, List: s.list,
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
