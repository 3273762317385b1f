package reach

import "time"

// Laps notes how long the steps of a check took, for [monitor.Host.Perf].
type Laps struct {
	last time.Time
	perf map[string]float64
}

// NewLaps begins with the first step.
func NewLaps() *Laps { return &Laps{time.Now(), make(map[string]float64, 8)} }

// Lap ends a step. It is noted in milliseconds under its name and "_ms".
func (l *Laps) Lap(step string) {
	now := time.Now()
	l.perf[step+"_ms"] = float64(now.Sub(l.last)) / float64(time.Millisecond)
	l.last = now
}

// Note notes another figure.
func (l *Laps) Note(name string, value float64) { l.perf[name] = value }

// Perf is all that was noted.
func (l *Laps) Perf() map[string]float64 { return l.perf }
