package report

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
)

// zero is when the worlds of these tests begin.
var zero = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func at(sec int) time.Time { return zero.Add(time.Duration(sec) * time.Second) }

// sim is a world that goes forward in seconds, writes rows as the engine does,
// and notes for every second and service what was seen.
type sim struct {
	world World
	gone  map[opstatus.Key]bool
	rows  []store.Event
	sec   int
	// seen holds 'u', 'd' or '-' for each second; failing whether the status
	// was one of failure.
	seen    map[opstatus.Key][]byte
	failing map[opstatus.Key][]bool
}

func newSim(keys ...string) *sim {
	s := &sim{gone: map[opstatus.Key]bool{}, seen: map[opstatus.Key][]byte{}, failing: map[opstatus.Key][]bool{}}
	s.world.Watches = map[string]bool{}
	for _, k := range keys {
		key, _ := opstatus.ParseKey(k)
		s.world.Services = append(s.world.Services, State{Key: key, Status: opstatus.Untested})
	}
	s.row(store.Event{Kind: store.KindDaemon, What: store.WhatStart})
	return s
}

func (s *sim) row(e store.Event) {
	e.At, e.Number = at(s.sec), uint64(len(s.rows)+1)
	s.rows = append(s.rows, e)
}

// pass lets seconds go by.
func (s *sim) pass(n int) {
	for range n {
		for _, v := range s.world.Services {
			s.seen[v.Key] = append(s.seen[v.Key], s.look(v))
			s.failing[v.Key] = append(s.failing[v.Key], v.Status.Failing() && !s.gone[v.Key])
		}
	}
	s.sec += n
}

func (s *sim) look(v State) byte {
	w := s.world
	switch {
	case w.Down || w.Stopped || w.Excluded || w.Watches[v.Key.Group] || v.Blind || v.Disabled || v.Held || s.gone[v.Key]:
		return '-'
	case v.Status.Failing():
		return 'd'
	case v.Status == opstatus.OK || v.Status == opstatus.Warn:
		return 'u'
	}
	return '-'
}

// of is a row about v.
func of(v *State, e store.Event) store.Event {
	e.Group, e.Service = v.Key.Group, v.Key.Service
	return e
}

func word(off bool) string {
	if off {
		return "disabled"
	}
	return "enabled"
}

func (s *sim) status(v *State, to opstatus.Status) {
	if v.Status != to && !s.world.Down && !s.gone[v.Key] {
		s.row(of(v, store.Event{Kind: store.KindStatus, From: v.Status.String(), To: to.String(), Summary: fmt.Sprint("at ", s.sec)}))
		v.Status = to
	}
}

func (s *sim) blind(v *State) {
	v.Blind = !v.Blind
	what := store.WhatEnded
	if v.Blind {
		what = store.WhatBegan
	}
	s.row(of(v, store.Event{Kind: store.KindBlind, What: what}))
}

func (s *sim) held(v *State) {
	e := store.Event{Kind: store.KindHeld, What: store.WhatExcluded, To: store.WhatExcluded}
	if v.Held {
		e = store.Event{Kind: store.KindHeld, What: store.WhatEnded, From: store.WhatExcluded}
	}
	v.Held = !v.Held
	s.row(of(v, e))
}

// disable may also disable what is disabled.
func (s *sim) disable(v *State, off bool) {
	e := store.Event{Kind: store.KindOperator, What: store.WhatEnable, From: word(v.Disabled), To: word(off)}
	if off {
		e.What = store.WhatDisable
	}
	v.Disabled = off
	s.row(of(v, e))
}

func (s *sim) watch(group string, off bool) {
	e := store.Event{Kind: store.KindOperator, What: store.WhatEnableWatch, Group: group, From: word(s.world.Watches[group]), To: word(off)}
	if off {
		e.What = store.WhatDisableWatch
	}
	s.world.Watches[group] = off
	s.row(e)
}

func (s *sim) scheduler(stop bool) {
	e := store.Event{Kind: store.KindOperator, What: store.WhatStart, From: word(s.world.Stopped), To: word(stop)}
	if stop {
		e.What = store.WhatStop
	} else if !s.world.Stopped {
		return // the engine writes nothing
	}
	s.world.Stopped = stop
	s.row(e)
}

func (s *sim) exclude() {
	s.world.Excluded = !s.world.Excluded
	what := store.WhatEnded
	if s.world.Excluded {
		what = store.WhatExcluded
	}
	s.row(store.Event{Kind: store.KindHeld, What: what})
}

// daemon stops, dies or starts. What it does between its last sign of life
// and its death nobody knows: here that is nothing.
func (s *sim) daemon(end string) {
	if s.world.Down {
		end = store.WhatStart
	}
	s.world.Down = !s.world.Down
	s.row(store.Event{Kind: store.KindDaemon, What: end})
}

func (s *sim) remove(v *State) {
	if s.gone[v.Key] = !s.gone[v.Key]; s.gone[v.Key] {
		s.row(of(v, store.Event{Kind: store.KindConfig, What: store.WhatRemoved, From: v.Status.String(), Note: store.Beside(v.Blind, v.Disabled, v.Held)}))
		return
	}
	v.Status, v.Blind, v.Disabled, v.Held = opstatus.Untested, false, false, false
}

// step does one thing at random.
func (s *sim) step(t *rapid.T) {
	v := &s.world.Services[rapid.IntRange(0, len(s.world.Services)-1).Draw(t, "service")]
	flip := rapid.Bool().Draw(t, "flip")
	what := rapid.IntRange(0, 12).Draw(t, "what")
	if what == 0 {
		s.daemon([]string{store.WhatStop, store.WhatDied}[rapid.IntRange(0, 1).Draw(t, "end")])
		return
	}
	if s.world.Down || s.gone[v.Key] && what != 1 {
		return
	}
	switch what {
	case 1:
		s.remove(v)
	case 2:
		s.blind(v)
	case 3:
		s.held(v)
	case 4:
		s.disable(v, flip)
	case 5:
		s.watch(v.Key.Group, flip)
	case 6:
		s.scheduler(flip)
	case 7:
		s.exclude()
	default:
		s.status(v, rapid.SampledFrom([]opstatus.Status{opstatus.OK, opstatus.Fail, opstatus.Timeout, opstatus.Warn}).Draw(t, "to"))
	}
}

// present is the world without the services that are gone.
func (s *sim) present() World {
	w := s.world
	w.Services = slices.DeleteFunc(slices.Clone(w.Services), func(v State) bool { return s.gone[v.Key] })
	return w
}

// fold makes a report of the whole of the rows.
func (s *sim) fold(o Options) ([]Service, time.Duration, error) {
	f, err := New(o, s.present())
	if err != nil {
		return nil, 0, err
	}
	for _, e := range slices.Backward(s.rows) {
		if e.At.Before(o.From) {
			break
		}
		f.Add(e)
	}
	return f.Services(), f.Total(), nil
}

func drawSim(t *rapid.T) *sim {
	s := newSim("a:x", "a:y", "b:x")
	for range rapid.IntRange(0, 60).Draw(t, "steps") {
		s.step(t)
		s.pass(rapid.IntRange(0, 40).Draw(t, "seconds"))
	}
	s.pass(1)
	return s
}
