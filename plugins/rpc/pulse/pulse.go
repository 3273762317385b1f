// Package pulse notices that this process did not run for a while: it was
// stopped, the machine was suspended, or the processors were taken by others.
// A time limit that ended meanwhile says nothing of the target.
//
// It measures; what follows is for plugins/serve and plugins/host to say.
package pulse

import (
	"context"
	"sync/atomic"
	"time"
)

// beat is how often the process looks whether it still runs, and the least
// delay that counts.
const beat = 250 * time.Millisecond

// Pulse sums up the time in which this process did not run. Its methods may be
// called concurrently.
type Pulse struct {
	base time.Time
	last atomic.Int64 // ns from base to the last beat
	lost atomic.Int64 // ns in all
}

// Start begins to measure; the goroutine ends with ctx.
func Start(ctx context.Context) *Pulse {
	p := &Pulse{base: time.Now()}
	go p.run(ctx)
	return p
}

func (p *Pulse) run(ctx context.Context) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.take(int64(time.Since(p.base)))
		case <-ctx.Done():
			return
		}
	}
}

// take is one beat. lost is raised before last, so that a reader in between
// counts a delay twice rather than not at all.
func (p *Pulse) take(now int64) {
	p.lost.Add(delay(now - p.last.Load()))
	p.last.Store(now)
}

// delay is what an interval between two beats had too much, 0 when that is less
// than a beat.
func delay(interval int64) int64 {
	late := interval - int64(beat)
	if late < int64(beat) {
		return 0
	}
	return late
}

// Lost is how long this process did not run since Start, the present delay
// included. A mark taken earlier is subtracted to measure a stretch. It is an
// atomic load or two: cheap enough for every check.
func (p *Pulse) Lost() time.Duration {
	return p.lostAt(int64(time.Since(p.base)))
}

func (p *Pulse) lostAt(now int64) time.Duration {
	last := p.last.Load() // before lost: see take
	return time.Duration(delay(now-last) + p.lost.Load())
}

// Spoils reports whether losing so much of a time limit of so much takes the
// meaning from its end: more than a quarter.
func Spoils(lost, limit time.Duration) bool { return lost > limit/4 }
