package engine

import (
	"testing"
	"time"

	"github.com/mondhq/mond/engine/store"
)

// A report finds the outage of an alert by the time of its event, which is that
// of the row to the nanosecond, whatever the monotonic clock says meanwhile.
func TestAlertRowsKeepTheTimeOfTheEvent(t *testing.T) {
	for range 1000 {
		queued := time.Now()
		row := alertRow(store.Notice{Queued: queued}, nil, 1, false, time.Now())
		if at := row.At.Add(-row.Took); !at.Equal(queued.Round(0)) {
			t.Fatalf("%v, want %v", at, queued)
		}
	}
}
