package engine

import (
	"slices"
	"strconv"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/share"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/job"
)

// What operators said on the other director is done here as if they had said it
// here: by the same ways, kept by the store, logged and in history with who and
// where, as "ann@lvs2".
//
// An acknowledgement is of a failure. It applies where the service fails here,
// too, or if its next verdict here is that it does; it ends here when the service
// recovers here, as any does. That it recovered there ends it for those who did
// not see the failure yet; that an operator took it back ends it.

// handleShared takes what electors say of sharing.
func (l *loop) handleShared(list []job.Shared, now time.Time) {
	var news []share.Entry
	for i := range list {
		d := &list[i]
		s := l.byKey[opstatus.Key{Group: d.Of, Service: d.Service}]
		if s == nil || !s.cfg.Elects {
			continue
		}
		l.introduced(s, d, now)
		if len(d.Parcel) > 0 {
			news = append(news, l.opened(d.Parcel, now)...)
		}
	}
	sh := &l.shared
	news = slices.DeleteFunc(news, func(e share.Entry) bool { // another parcel knew better
		holds, ok := sh.set.Get(e.Key)
		return !ok || holds != e
	})
	if len(news) == 0 {
		return
	}
	l.applyAll(news, true, now)
	if l.offChanged {
		l.offChanged = false
		l.keepDisabled()
	}
	sh.was, sh.user, sh.comment, sh.dirty = l.words(), "", "", false
	clear(sh.unacked)
	l.sharedChanged(now)
}

// introduced takes in which director this is; of several electors the first
// says so.
func (l *loop) introduced(s *service, d *job.Shared, now time.Time) {
	sh := &l.shared
	if s != l.roles.electors[0] || sh.node == d.Node && sh.name == directorName(d) {
		return
	}
	sh.node, sh.name = d.Node, directorName(d)
	l.sayShared(now)
	l.tellShared(sh.set.All(), now)
	l.publishDaemon(now)
}

func directorName(d *job.Shared) string {
	if d.Name == "" {
		return "node " + strconv.Itoa(int(d.Node))
	}
	return d.Name
}

// opened is what of a parcel is news.
func (l *loop) opened(parcel []byte, now time.Time) []share.Entry {
	entries, err := share.Open(parcel, now)
	if err != nil {
		if l.shared.refused++; l.shared.refused == 1 {
			l.opt.Log.Error("what the other director shares cannot be read", "err", err)
		}
		l.publishDaemon(now)
		return nil
	}
	l.sayShared(now) // what was said here since then comes after what was known here, before what comes
	return l.shared.set.Merge(entries)
}

// applyAll does what entries say; tell calls alerts as an operator's word does.
func (l *loop) applyAll(list []share.Entry, tell bool, now time.Time) {
	orders, hosts := false, false
	for i := range list {
		e := &list[i]
		delete(l.shared.idle, e.Key)
		switch e.Kind {
		case share.Maint, share.Drain, share.Weight:
			orders = l.applyOrder(e, now) || orders
		case share.Watch:
			l.applyWatch(e, tell, now)
		case share.Host:
			hosts = l.applyHost(e, now) || hosts
		case share.Service:
			l.applyService(e, tell, now)
		case share.Ack:
			l.applyAck(e, now)
		default:
			l.shared.idle[e.Key] = true // of a later release
		}
	}
	l.globalsChanged()
	if orders {
		l.applyOrders(now)
	}
	if hosts {
		l.opt.Runner.Watch(l.watched())
	}
}

// applyOrder puts an order into force, or ends it; the caller calls applyOrders.
func (l *loop) applyOrder(e *share.Entry, now time.Time) bool {
	left := l.ordersBut(e.Kind, e.Name)
	n := noteOfEntry(e)
	if e.State != share.Stands {
		if len(left) == len(l.globals.Orders) {
			return false
		}
		l.globals.Orders = left
		d := deed{what: e.Kind, user: n.Who(), comment: n.Text, from: e.Name, text: e.Kind + " " + e.Name + " ended"}
		l.operated(config.VirtualGroup, d, now)
		return true
	}
	r := store.Order{Target: e.Name, What: e.Kind, Note: n, Until: e.Until}
	if !orderOfValue(&r, e.Value) {
		l.shared.idle[e.Key] = true
		return false
	}
	l.globals.Orders = append(left, r)
	d := deed{what: r.What, user: n.Who(), comment: n.Text, to: r.Target, text: orderText(&r)}
	l.operated(config.VirtualGroup, d, now)
	return true
}

// orderOfValue reads what [orderValue] writes, by the rules for operators here.
func orderOfValue(r *store.Order, value string) bool {
	var err error
	switch {
	case r.What == steer.Weight:
		r.Weight, err = strconv.Atoi(value)
	case r.What == steer.Drain && value != "":
		r.Deadline, err = time.ParseDuration(value)
	}
	o := steer.Order{What: r.What, Target: r.Target, Weight: r.Weight, Deadline: r.Deadline, Text: r.Note.Text}
	return err == nil && o.Validate() == nil
}

// applyWatch disables a watch, or enables it.
func (l *loop) applyWatch(e *share.Entry, tell bool, now time.Time) {
	n, was := noteOfEntry(e), note(l.globals.Watches, e.Name)
	switch {
	case e.State == share.Stands && !l.hasWatch(e.Name):
		l.shared.idle[e.Key] = true
	case e.State == share.Stands:
		l.disableWatch(e.Name, n, "watch disabled", tell && was == nil, now)
	case was != nil:
		l.enableWatch(e.Name, n.Who(), "watch enabled", now)
	}
}

// applyHost takes a host out of checks, or back, and reports whether it did.
func (l *loop) applyHost(e *share.Entry, now time.Time) bool {
	n := noteOfEntry(e)
	switch {
	case e.State == share.Stands && !l.hasHost(e.Name):
		l.shared.idle[e.Key] = true
		return false
	case e.State == share.Stands:
		l.disableHost(e.Name, n, now)
		return true
	case note(l.globals.Hosts, e.Name) != nil:
		l.enableHost(e.Name, n.Who(), now)
		l.admit(e.Name)
		return true
	}
	return false
}

// applyService disables a service, or enables it.
func (l *loop) applyService(e *share.Entry, tell bool, now time.Time) {
	n, s := noteOfEntry(e), l.byKey[keyOf(e.Name)]
	switch {
	case s == nil:
		if e.State == share.Stands {
			l.shared.idle[e.Key] = true
		}
	case e.State == share.Stands:
		l.silence(s, n, "disabled", tell && s.disabled == nil, now)
	case s.disabled != nil:
		l.enable(s, n.Who(), "enabled", now)
	}
}

// applyAck acknowledges a failure that was seen here, or waits for the next
// verdict.
func (l *loop) applyAck(e *share.Entry, now time.Time) {
	key := keyOf(e.Name)
	s := l.byKey[key]
	delete(l.shared.early, key)
	switch {
	case s == nil:
	case e.State == share.Stands:
		l.shared.early[key] = early{noteOfEntry(e), now}
		l.lookEarly(now)
	case e.State == share.Ended && s.state.Ack != nil:
		n := noteOfEntry(e)
		s.state.Ack = nil
		l.operator(s, deed{what: store.WhatAck, user: n.Who(), comment: n.Text, text: "acknowledgement ended"}, now)
		l.touch(s, true)
	}
}

// lookEarly looks at acknowledgements that wait for their failure. A verdict that
// all is well since they came ends the waiting: a later failure is another one.
func (l *loop) lookEarly(now time.Time) {
	sh := &l.shared
	for key, a := range sh.early {
		s := l.byKey[key]
		switch {
		case s == nil || s.state.LastOK.After(a.came):
			delete(sh.early, key)
		case s.state.Ackable():
			delete(sh.early, key)
			l.observe(s, opstatus.Event{Kind: opstatus.Ack, Note: a.note}, now)
			l.operator(s, deed{what: store.WhatAck, user: a.note.Who(), comment: a.note.Text, text: "acknowledged"}, now)
			sh.was[share.Key{Kind: share.Ack, Name: key.String()}] = word{note: *s.state.Ack}
			sh.user, sh.comment = "", ""
		}
	}
}

// reloadedShared applies what a configuration knows that the one before did not.
func (l *loop) reloadedShared(now time.Time) {
	var known []share.Entry
	for k := range l.shared.idle {
		e, ok := l.shared.set.Get(k)
		if !ok || e.State != share.Stands {
			delete(l.shared.idle, k)
		} else if l.knows(k) {
			known = append(known, e)
		}
	}
	l.applyAgain(known, now)
}

// applyAgain applies entries that were news before.
func (l *loop) applyAgain(list []share.Entry, now time.Time) {
	if len(list) == 0 {
		return
	}
	l.applyAll(list, false, now)
	is := l.words()
	for i := range list {
		if w, ok := is[list[i].Key]; ok {
			l.shared.was[list[i].Key] = w
		}
	}
}

// knows reports whether the configuration has what an entry is about.
func (l *loop) knows(k share.Key) bool {
	switch k.Kind {
	case share.Watch:
		return l.hasWatch(k.Name)
	case share.Host:
		return l.hasHost(k.Name)
	case share.Service:
		return l.byKey[keyOf(k.Name)] != nil
	}
	return false
}
