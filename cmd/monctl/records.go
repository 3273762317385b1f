package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
)

// records are where history comes from: the running daemon, or the file that one
// left.
type records interface {
	History(ctx context.Context, q control.HistoryQuery) iter.Seq2[control.Event, error]
	Report(ctx context.Context, q control.ReportQuery, told func(rows int)) (*control.Report, error)
}

// withRecords opens the file of state, or the daemon where that is empty.
func (c *common) withRecords(state string, do func(records) error) error {
	if state == "" {
		return do(c.client())
	}
	st, err := store.OpenReader(state)
	if errors.Is(err, store.ErrLocked) {
		return fmt.Errorf("a daemon has %s open: leave --state out to ask it", state)
	}
	if err != nil {
		return err
	}
	defer st.Close(context.Background())
	return do(left{st})
}

// left is the state of a daemon that does not run.
type left struct{ st *store.Store }

func (l left) History(_ context.Context, q control.HistoryQuery) iter.Seq2[control.Event, error] {
	return control.Select(l.st, q)
}

func (l left) Report(ctx context.Context, q control.ReportQuery, told func(rows int)) (*control.Report, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	return control.Make(l.st, control.SavedWorld(l.st.Found(), time.Now()), q, func(rows int) error {
		told(rows)
		return ctx.Err()
	})
}

// isKnown reports whether name is a watch or service of the configuration, or
// of the history.
func isKnown(ctx context.Context, from records, name string) (bool, error) {
	if d, ok := from.(*control.Client); ok {
		rows, err := d.Services(ctx)
		if err != nil {
			return false, err
		}
		for _, r := range rows {
			if named(r, canonical(name)) {
				return true, nil
			}
		}
	}
	for e, err := range from.History(ctx, control.HistoryQuery{Name: name}) {
		if err != nil {
			return false, err
		}
		if named(control.Service{Group: e.Group, Service: e.Service}, canonical(name)) {
			return true, nil
		}
	}
	return false, nil
}

// canonical is name with a colon, as mon's comma may stand for one.
func canonical(name string) string {
	if key, ok := opstatus.ParseKey(name); ok {
		return key.String()
	}
	return name
}
