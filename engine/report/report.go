// Package report makes sums of history: how long each service was up, down or
// not watched, and its outages. It is pure: rows in, figures out. It is not
// where rows are written (engine) or kept (engine/store).
//
// Rows are read backwards, from a state of the world that is known - now -
// into the past: each row says how things were before it, so that the state at
// any time is known without the row that began it, which may have been removed
// long ago. Where what a row leaves behind is not what the next one finds,
// something is missing, and the time between them counts as not watched.
//
// Not watched is also the time before the first check, while the daemon did
// not run, while the scheduler was stopped, inside an exclude_period, while a
// service was blind, disabled or held back by a dependency, and all time that
// the history does not reach back to.
package report

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/period"
	"github.com/mondhq/mond/engine/store"
)

// Options say what a report is about.
type Options struct {
	// From and To bound the time.
	From, To time.Time
	// Complete is since when every row is there (store.Extent).
	Complete time.Time
	// Period restricts the time to what is inside it, such as service hours;
	// the zero Spec is always.
	Period period.Spec
	// Want chooses services; nil means all.
	Want func(opstatus.Key) bool
	// Outages lists them as well as counting them.
	Outages bool
}

// World is how things stand at a time that is Options.To or later: rows up to
// that time are added.
type World struct {
	Services []State
	// Watches are those that are disabled.
	Watches map[string]bool
	// Stopped is set while the scheduler is stopped, Excluded inside the global
	// exclude_period, Down while the daemon does not run.
	Stopped, Excluded, Down bool
}

// State is how a service stands.
type State struct {
	Key                   opstatus.Key
	Status                opstatus.Status
	Blind, Disabled, Held bool
	// Summary is what it says while it fails.
	Summary string
}

// Service is what came of one service. Up, Down and Unwatched add up to all
// the time that the report is about.
type Service struct {
	Key                 opstatus.Key
	Up, Down, Unwatched time.Duration
	// Outages counts those with any time in the report; Longest is the longest
	// of them, as far as it lies in it and was watched.
	Outages int
	Longest time.Duration
	// List is set if Options.Outages is, oldest first.
	List []Outage
}

// Outage is a time of failure.
type Outage struct {
	Start, End time.Time
	// Down is how long of it lies in the report and was watched.
	Down time.Duration
	// Before is set if it began before the report does, Ongoing if it goes on
	// at its end; Start and End are those of the report then.
	Before, Ongoing bool
	Summary         string
	// Acked is set if somebody acknowledged it; AckedBy is who.
	Acked   bool
	AckedBy string
	// Alerts is how many alerts told of it.
	Alerts int
}

// thousandths is a hundred per cent.
const thousandths = 100_000

// Availability is the part of the watched time that the service was up, in
// thousandths of a per cent, rounded down: nothing but a service that was
// never down has 100,000. ok is false if it was not watched at all.
func (s Service) Availability() (n int, ok bool) {
	all := s.Up + s.Down
	if all <= 0 {
		return 0, false
	}
	hi, lo := bits.Mul64(uint64(s.Up), thousandths)
	q, _ := bits.Div64(hi, lo, uint64(all))
	return int(q), true
}

// Between is the mean time between outages: from the end of one to the
// beginning of the next; 0 without an outage.
func (s Service) Between() time.Duration { return mean(s.Up, s.Outages) }

// Repair is the mean length of an outage.
func (s Service) Repair() time.Duration { return mean(s.Down, s.Outages) }

func mean(d time.Duration, n int) time.Duration {
	if n == 0 {
		return 0
	}
	return d / time.Duration(n)
}

// Kinds are the kinds of rows that a report is made of; others are not looked
// at.
func Kinds() []string {
	return []string{
		store.KindStatus, store.KindAlert, store.KindBlind, store.KindHeld, store.KindOperator,
		store.KindDaemon, store.KindConfig, store.KindLost,
	}
}

// Fold takes rows in and keeps sums. Its memory grows with the services, and
// with their outages where those are listed.
type Fold struct {
	opt      Options
	hours    hours
	world    World
	services []*service
	byKey    map[opstatus.Key]*service
	byGroup  map[string][]*service
	// lost is set between a row that tells of lost rows and the one before.
	lost bool
}

// New begins a report from how things stand. An error is about the options.
func New(o Options, w World) (*Fold, error) {
	o.From, o.To = o.From.Round(0), o.To.Round(0) // without monotonic readings
	if !o.From.Before(o.To) {
		return nil, fmt.Errorf("a report from %s to %s is of no time at all", o.From.Format(time.DateTime), o.To.Format(time.DateTime))
	}
	f := &Fold{opt: o, world: w, byKey: map[opstatus.Key]*service{}, byGroup: map[string][]*service{}}
	watches := map[string]bool{}
	for g, off := range w.Watches {
		watches[g] = off
	}
	f.world.Watches = watches
	var err error
	if f.hours, err = hoursOf(o.Period, o.From, o.To); err != nil {
		return nil, err
	}
	for _, s := range w.Services {
		if o.Want == nil || o.Want(s.Key) {
			f.add(&service{State: s, summary: s.Summary, at: o.To})
		}
	}
	return f, nil
}

func (f *Fold) add(s *service) {
	f.services = append(f.services, s)
	f.byKey[s.Key] = s
	f.byGroup[s.Key.Group] = append(f.byGroup[s.Key.Group], s)
}

// Total is the time that the report is about.
func (f *Fold) Total() time.Duration { return f.hours.within(f.opt.From, f.opt.To) }

// Services ends the report: all services of the world in its order, then those
// that are no more, as rows told of them, newest first. No row is added after
// it.
func (f *Fold) Services() []Service {
	out := make([]Service, len(f.services))
	for i, s := range f.services {
		f.account(s, f.opt.From)
		f.close(s, true)
		out[i] = s.result()
	}
	return out
}
