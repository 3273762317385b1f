package engine

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/share"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/role"
)

// What operators said is shared between the two directors of a pair: what is
// ordered of real servers, disabled or acknowledged here is so on the other one,
// and the other way round (apply.go). Which word holds, engine/share says; how it
// travels is heartbeat.monitor's affair, which begins by saying which director
// this is: before that, and on a director without a peer, nothing is shared.
//
// Nothing here hangs on how a word was given. At the end of a turn in which an
// operator may have said something, what stands is compared with what stood when
// it was last compared (was), and the difference is said to the other director.
// What came from there becomes part of what stood, so that it is not said back.
//
// Not shared are check results, files of maintenance_dir and maintenance_at, which
// are facts of this machine and of its file; the scheduler's stop, traps' clocks,
// and orders about groups of addresses, which are said to one director.

// shared is what the loop knows of it.
type shared struct {
	set *share.Set
	// node and name are this director's; 0 before an elector said so.
	node uint8
	name string
	// was is what stood here when it was last compared.
	was map[share.Key]word
	// idle are entries about what the configuration does not know: they are kept,
	// passed on, shown, and apply when it does.
	idle map[share.Key]bool
	// early are acknowledgements of failures that were not seen here yet, unacked
	// those that an operator ended in this turn.
	early   map[opstatus.Key]early
	unacked map[opstatus.Key]bool
	// user and comment are those of this turn's operator.
	user, comment string
	dirty         bool // something may have changed
	// told is what electors are told, made at an instant, and hash sums it up.
	told    *role.Share
	made    time.Time
	hash    uint64
	refused int
}

// word is what stands about a thing.
type word struct {
	value string
	note  opstatus.Note
	until time.Time
}

// early is an acknowledgement that waits for its failure.
type early struct {
	note opstatus.Note
	came time.Time
}

// freshEvery is how old the parcels may be that say how long something stands.
const freshEvery = 15 * time.Second

// words are what operators said here and is in force, by what it is about.
func (l *loop) words() map[share.Key]word {
	is := map[share.Key]word{}
	for i := range l.globals.Orders {
		o := &l.globals.Orders[i]
		is[share.Key{Kind: o.What, Name: o.Target}] = word{orderValue(o), o.Note, o.Until}
	}
	for name, n := range l.globals.Watches {
		is[share.Key{Kind: share.Watch, Name: name}] = word{note: n}
	}
	for name, n := range l.globals.Hosts {
		is[share.Key{Kind: share.Host, Name: name}] = word{note: n}
	}
	for _, s := range l.services {
		if s.disabled != nil {
			is[share.Key{Kind: share.Service, Name: s.key().String()}] = word{note: *s.disabled}
		}
		if s.state.Ack != nil {
			is[share.Key{Kind: share.Ack, Name: s.key().String()}] = word{note: *s.state.Ack}
		}
	}
	return is
}

// orderValue is what belongs to an order of a kind, as an entry has it.
func orderValue(o *store.Order) string {
	switch {
	case o.What == steer.Weight:
		return strconv.Itoa(o.Weight)
	case o.What == steer.Drain && o.Deadline != 0:
		return o.Deadline.String()
	}
	return ""
}

// keyOf is the service that the name of an entry means.
func keyOf(name string) opstatus.Key {
	group, service, _ := strings.Cut(name, ":")
	return opstatus.Key{Group: group, Service: service}
}

// startShared takes up what was shared when this director last ran.
func (l *loop) startShared(saved []share.Entry, now time.Time) {
	sh := &l.shared
	*sh = shared{
		set: share.New(saved), was: map[share.Key]word{}, idle: map[share.Key]bool{},
		early: map[opstatus.Key]early{}, unacked: map[opstatus.Key]bool{},
	}
	is := l.words()
	for k, w := range is {
		if e, ok := sh.set.Get(k); ok && e.State == share.Stands && e.Value == w.value {
			sh.was[k] = w
		}
	}
	var lost []share.Entry
	for _, e := range sh.set.All() {
		if _, there := is[e.Key]; !there && e.State == share.Stands && e.Kind != share.Ack {
			lost = append(lost, e) // states were forgotten, or it is not known here
		}
	}
	l.applyAgain(lost, now)
}

// sayShared says to the other director what operators said here since it was last
// looked at.
func (l *loop) sayShared(now time.Time) {
	sh := &l.shared
	sh.dirty = false
	if sh.node == 0 {
		return
	}
	is, said := l.words(), false
	for _, k := range slices.SortedFunc(maps.Keys(is), compareShared) {
		if w := is[k]; sh.was[k] != w {
			said = l.sayWord(k, w) || said
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(sh.was), compareShared) {
		if _, stands := is[k]; !stands {
			said = l.sayEnd(k, now) || said
		}
	}
	sh.was, sh.user, sh.comment = is, "", ""
	clear(sh.unacked)
	if said {
		l.sharedChanged(now)
	}
}

func compareShared(a, b share.Key) int { return strings.Compare(a.String(), b.String()) }

// sayWord says what stands. One that is new to the set, which is full, is not
// said: at a start it may be as old as any.
func (l *loop) sayWord(k share.Key, w word) bool {
	sh := &l.shared
	_, first := sh.was[k]
	if _, known := sh.set.Get(k); sh.set.Full() && !known && !first {
		l.unshared(k, fmt.Sprintf("the directors share %d words already", share.MaxLive))
		return false
	}
	where := w.note.Where
	if where == "" {
		where = sh.name
	}
	e := share.Entry{
		Key: k, State: share.Stands, Value: w.value, Until: w.until,
		Who: w.note.User, Where: where, Why: w.note.Text, At: w.note.At,
	}
	if !sh.set.Say(e, sh.node) {
		l.unshared(k, "the name is too long")
		return false
	}
	delete(sh.idle, k)
	return true
}

// unshared tells of a word that stays on this director.
func (l *loop) unshared(k share.Key, why string) {
	l.opt.Log.Warn("the other director is not told", "what", k.Kind, "name", k.Name, "reason", why)
}

// sayEnd says that something stands no more. A service that left the
// configuration takes nothing back.
func (l *loop) sayEnd(k share.Key, now time.Time) bool {
	sh := &l.shared
	state := share.Ended
	if k.Kind == share.Service || k.Kind == share.Ack {
		if l.byKey[keyOf(k.Name)] == nil {
			if k.Kind == share.Service {
				sh.idle[k] = true
			}
			return false
		}
		if k.Kind == share.Ack && !sh.unacked[keyOf(k.Name)] {
			state = share.Over
		}
	}
	if old, known := sh.set.Get(k); !known || old.State != share.Stands {
		return false
	}
	return sh.set.Say(share.Entry{Key: k, State: state, Who: sh.user, Where: sh.name, Why: sh.comment, At: now}, sh.node)
}

// sharedChanged makes what is shared durable and has electors carry it.
func (l *loop) sharedChanged(now time.Time) {
	all := l.shared.set.All()
	l.globals.Shared = all
	l.globalsChanged()
	l.tellShared(all, now)
}

// tellShared makes what electors are told.
func (l *loop) tellShared(all []share.Entry, now time.Time) {
	sh := &l.shared
	sh.told, sh.made, sh.hash = &role.Share{Parcels: share.Parcels(all, now)}, now, sh.set.Hash()
	l.roles.site.dirty = true
}

// tickShared keeps right what is left of what ends by itself.
func (l *loop) tickShared(now time.Time) {
	sh := &l.shared
	if sh.told == nil || now.Sub(sh.made) < freshEvery {
		return
	}
	all := sh.set.All()
	if slices.ContainsFunc(all, func(e share.Entry) bool { return e.State == share.Stands && e.Until.After(now) }) {
		l.tellShared(all, now)
	}
}

// viewShared is what readers see of it.
func (l *loop) viewShared() *view.Shared {
	sh := &l.shared
	if sh.node == 0 {
		return nil
	}
	live, _ := sh.set.Len()
	v := &view.Shared{Node: int(sh.node), Name: sh.name, Stands: live, Refused: sh.refused + sh.set.Refused()}
	for _, k := range slices.SortedFunc(maps.Keys(sh.idle), compareShared) {
		if e, ok := sh.set.Get(k); ok && e.State == share.Stands {
			v.Unknown = append(v.Unknown, view.SharedWord{What: k.Kind, Name: k.Name, Note: noteOfEntry(&e)})
		}
	}
	return v
}

// noteOfEntry is who said it, when, why and where.
func noteOfEntry(e *share.Entry) opstatus.Note {
	return opstatus.Note{At: e.At, User: e.Who, Text: e.Why, Where: e.Where}
}
