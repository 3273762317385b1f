package control

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/period"
	"github.com/mondhq/mond/engine/report"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
)

// ReportQuery says what a report is about.
type ReportQuery struct {
	// Since and Until bound the time; a zero Until, or one to come, is now.
	Since, Until time.Time
	// Names are those of groups and of services (GROUP:SERVICE); none is all
	// but the daemon's own.
	Names []string
	// Period, an expression as in mon.cf, restricts the report to the time
	// inside it.
	Period  string
	Outages bool
}

// Validate judges what can be judged without a history.
func (q ReportQuery) Validate() error {
	if q.Since.IsZero() {
		return queryError{"since: a report needs a beginning"}
	}
	if !q.Until.IsZero() && !q.Since.Before(q.Until) {
		return queryError{"until: it must be after the beginning"}
	}
	if _, err := period.Parse(q.Period); err != nil {
		return queryError{fmt.Sprintf("period: %q: %v", q.Period, err)}
	}
	return nil
}

func (q ReportQuery) values() url.Values {
	v := url.Values{"name": q.Names}
	setTime(v, "since", q.Since)
	setTime(v, "until", q.Until)
	if q.Period != "" {
		v.Set("period", q.Period)
	}
	if q.Outages {
		v.Set("outages", "yes")
	}
	return v
}

// wants reports whether the report is about key.
func (q ReportQuery) wants(key opstatus.Key, own bool) bool {
	if len(q.Names) == 0 {
		return !own
	}
	return slices.ContainsFunc(q.Names, func(n string) bool { return named(key, n) })
}

func named(key opstatus.Key, name string) bool {
	k := keyFor(name)
	return k.Group == key.Group && (k.Service == "" || k.Service == key.Service)
}

// Report is the availability of services. Durations are in seconds; what is
// outside the period counts nowhere.
type Report struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// HistorySince is where the history begins, if that is after Since: what
	// was before is not watched.
	HistorySince *time.Time      `json:"history_since,omitempty"`
	Period       string          `json:"period,omitempty"`
	Seconds      float64         `json:"seconds"`
	Services     []ServiceReport `json:"services"`
	Rows         int             `json:"rows"`
	Warning      string          `json:"warning,omitempty"`
}

// ServiceReport is that of one service. Up, Down and Unwatched add up to the
// Seconds of the Report.
type ServiceReport struct {
	Group   string `json:"group"`
	Service string `json:"service"`
	// Availability is Up / (Up + Down) in per cent, rounded down to three
	// decimals: only a service that was never down has 100. It is left out
	// where nothing was watched.
	Availability *float64 `json:"availability_percent,omitempty"`
	Up           float64  `json:"up_seconds"`
	Down         float64  `json:"down_seconds"`
	Unwatched    float64  `json:"unwatched_seconds"`
	Outages      int      `json:"outages"`
	Longest      float64  `json:"longest_seconds"`
	// Between is the mean time between outages, Repair their mean length.
	Between float64  `json:"mtbf_seconds,omitempty"`
	Repair  float64  `json:"mttr_seconds,omitempty"`
	List    []Outage `json:"list,omitempty"`
	Gone    bool     `json:"gone,omitempty"` // not in the configuration any more
}

// Outage is a time of failure.
type Outage struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// Down is how much of it counts: what was watched, inside the period.
	Down    float64 `json:"down_seconds"`
	Before  bool    `json:"began_before,omitempty"`
	Ongoing bool    `json:"ongoing,omitempty"`
	Summary string  `json:"summary,omitempty"`
	Acked   bool    `json:"acked,omitempty"`
	AckedBy string  `json:"acked_by,omitempty"`
	Alerts  int     `json:"alerts"`
}

// World is how things stand at a time.
type World struct {
	At time.Time
	report.World
	// Own are the daemon's own services.
	Own map[opstatus.Key]bool
}

// worldOf is what readers see now. Its time is when all of it has been read:
// what changed meanwhile costs a report the moment between, while a change
// after that time would contradict all rows before it.
func worldOf(b *view.Board) World {
	d := b.Daemon()
	w := World{Own: map[opstatus.Key]bool{}}
	w.Stopped, w.Excluded, w.Watches = d.Stopped != nil, d.Excluded, map[string]bool{}
	for group := range d.Watches {
		w.Watches[group] = true
	}
	for v := range b.Services() {
		w.Services = append(w.Services, report.State{
			Key: v.Key, Status: v.State.Status, Blind: v.State.Blind != nil, Disabled: v.OffAlone, Held: v.Held, Summary: v.State.FailSummary,
		})
		if v.Hidden {
			w.Own[v.Key] = true
		}
	}
	w.At = time.Now()
	return w
}

// SavedWorld is how things stood when a daemon that does not run any more last
// wrote them down, in order of the names.
func SavedWorld(saved store.Saved, now time.Time) World {
	w := World{At: now, Own: map[opstatus.Key]bool{}}
	g := saved.Globals
	w.Down, w.Stopped, w.Excluded, w.Watches = true, g.Stopped != nil, g.Excluded, map[string]bool{}
	for group := range g.Watches {
		w.Watches[group] = true
	}
	for key, r := range saved.Records {
		w.Services = append(w.Services, report.State{
			Key: key, Status: r.State.Status, Blind: r.State.Blind != nil, Disabled: r.Disabled != nil, Held: r.Held != "", Summary: r.State.FailSummary,
		})
		w.Own[key] = key.Group == "mond"
	}
	slices.SortFunc(w.Services, func(a, b report.State) int { return compareKeys(a.Key, b.Key) })
	return w
}

func compareKeys(a, b opstatus.Key) int {
	switch {
	case a.String() < b.String():
		return -1
	case a == b:
		return 0
	}
	return 1
}

// Make makes a report of h, which holds all rows up to w.At. step is called
// now and then with the number of rows that were read; its error ends it.
func Make(h History, w World, q ReportQuery, step func(rows int) error) (*Report, error) {
	spec, err := period.Parse(q.Period)
	if err != nil {
		return nil, queryError{fmt.Sprintf("period: %q: %v", q.Period, err)}
	}
	extent, err := h.Extent()
	if err != nil {
		return nil, err
	}
	until := q.Until
	if until.IsZero() || until.After(w.At) {
		until = w.At
	}
	if extent.Rows == 0 {
		extent.Complete = until // nothing is known
	}
	fold, err := report.New(report.Options{
		From: q.Since, To: until, Complete: extent.Complete, Period: spec, Outages: q.Outages,
		Want: func(k opstatus.Key) bool { return q.wants(k, w.Own[k]) },
	}, w.World)
	if err != nil {
		return nil, err
	}
	rows, err := foldAll(h, fold, q.Since, w.At, step)
	if err != nil {
		return nil, err
	}
	out := &Report{Since: q.Since, Until: until, Period: q.Period, Seconds: fold.Total().Seconds(), Rows: rows, Services: []ServiceReport{}}
	if extent.Complete.After(q.Since) {
		out.HistorySince = &extent.Complete
	}
	for i, s := range fold.Services() {
		out.Services = append(out.Services, reportOf(s, i >= present(w, q)))
	}
	return out, q.found(out)
}

// present is how many services of the world q wants; those that are gone come
// after them.
func present(w World, q ReportQuery) (n int) {
	for _, s := range w.Services {
		if q.wants(s.Key, w.Own[s.Key]) {
			n++
		}
	}
	return n
}

// stepRows is how many rows are read between two looks at the clock.
const stepRows = 2000

func foldAll(h History, fold *report.Fold, since, until time.Time, step func(rows int) error) (rows int, err error) {
	for e, err := range h.Events(store.Filter{Since: since, Until: until, Kinds: report.Kinds()}) {
		if err != nil {
			return rows, err
		}
		fold.Add(e)
		if rows++; rows%stepRows == 0 {
			if err := step(rows); err != nil {
				return rows, err
			}
		}
	}
	return rows, nil
}

// found refuses names that are nobody's.
func (q ReportQuery) found(r *Report) error {
	for _, n := range q.Names {
		if !slices.ContainsFunc(r.Services, func(s ServiceReport) bool { return named(opstatus.Key{Group: s.Group, Service: s.Service}, n) }) {
			return fmt.Errorf("no watch or service %q, neither in the configuration nor in the history of that time", n)
		}
	}
	return nil
}

func reportOf(s report.Service, gone bool) ServiceReport {
	r := ServiceReport{
		Group: s.Key.Group, Service: s.Key.Service, Up: s.Up.Seconds(), Down: s.Down.Seconds(), Unwatched: s.Unwatched.Seconds(),
		Outages: s.Outages, Longest: s.Longest.Seconds(), Between: s.Between().Seconds(), Repair: s.Repair().Seconds(), Gone: gone,
	}
	if n, ok := s.Availability(); ok {
		r.Availability = new(float64(n) / 1000)
	}
	for _, o := range s.List {
		r.List = append(r.List, Outage{
			Start: o.Start, End: o.End, Down: o.Down.Seconds(), Before: o.Before, Ongoing: o.Ongoing, Summary: o.Summary,
			Acked: o.Acked, AckedBy: o.AckedBy, Alerts: o.Alerts,
		})
	}
	return r
}
