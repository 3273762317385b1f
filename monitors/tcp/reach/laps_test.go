package reach_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/monitors/tcp/reach"
)

func TestLaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := reach.NewLaps()
		time.Sleep(1500 * time.Microsecond)
		l.Lap("connect")
		time.Sleep(time.Second)
		l.Lap("greeting")
		l.Note("bytes", 5)
		if d := cmp.Diff(map[string]float64{"connect_ms": 1.5, "greeting_ms": 1000, "bytes": 5}, l.Perf()); d != "" {
			t.Error(d)
		}
	})
}
