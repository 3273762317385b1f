package pulse

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestLostCountsOnlyLongDelays(t *testing.T) {
	p := &Pulse{}
	at := func(d time.Duration) time.Duration { return p.lostAt(int64(d)) }
	p.take(int64(250 * time.Millisecond))
	p.take(int64(700 * time.Millisecond)) // 200 ms late: a busy machine
	if got := at(710 * time.Millisecond); got != 0 {
		t.Errorf("small delays count %v", got)
	}
	if got := at(2700 * time.Millisecond); got != 1750*time.Millisecond {
		t.Errorf("while stopped: %v, want 1.75s", got)
	}
	p.take(int64(2700 * time.Millisecond))
	p.take(int64(2950 * time.Millisecond))
	if got := at(3000 * time.Millisecond); got != 1750*time.Millisecond {
		t.Errorf("after that: %v, want 1.75s still", got)
	}
}

func TestSpoils(t *testing.T) {
	for _, tt := range []struct {
		lost, limit time.Duration
		want        bool
	}{
		{0, 0, false}, {0, time.Second, false}, {250 * time.Millisecond, time.Second, false},
		{251 * time.Millisecond, time.Second, true}, {2 * time.Second, 10 * time.Second, false},
	} {
		if got := Spoils(tt.lost, tt.limit); got != tt.want {
			t.Errorf("Spoils(%v, %v) = %v", tt.lost, tt.limit, got)
		}
	}
}

func TestStartLosesNothingWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := Start(ctx)
		time.Sleep(time.Hour)
		if got := p.Lost(); got != 0 {
			t.Errorf("lost %v of an hour", got)
		}
		cancel()
		synctest.Wait()
	})
}
