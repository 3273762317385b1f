package httpmon

import (
	"time"

	"github.com/mondhq/mond/plugins/monitor"
)

// step is a part of a visit.
type step int

const (
	resolving step = iota
	connecting
	tunnelling
	securing
	answering
	steps // how many there are
)

// String is the step in the detail.
func (s step) String() string {
	switch s {
	case resolving:
		return "resolve"
	case connecting:
		return "connect"
	case tunnelling:
		return "proxy"
	case securing:
		return "tls"
	case answering:
		return "first byte"
	case steps:
	}
	return ""
}

// perf is the step's name in the performance data.
func (s step) perf() string {
	switch s {
	case resolving:
		return "resolve_ms"
	case connecting:
		return "connect_ms"
	case tunnelling:
		return "proxy_ms"
	case securing:
		return "tls_ms"
	case answering:
		return "first_byte_ms"
	case steps:
	}
	return ""
}

// clock notes how long each step took; with redirects, all of a kind together.
type clock struct {
	began, last time.Time
	took        [steps]time.Duration
	done        [steps]bool
}

func (c *clock) start() { c.began = time.Now(); c.last = c.began }

// lap ends a step.
func (c *clock) lap(s step) {
	now := time.Now()
	c.took[s] += now.Sub(c.last)
	c.done[s] = true
	c.last = now
}

// total is how long all of it has taken.
func (c *clock) total() time.Duration { return time.Since(c.began) }

// String is the steps for the end of a detail.
func (c *clock) String() string {
	b := make([]byte, 0, 80)
	for s := range steps {
		if !c.done[s] {
			continue
		}
		if len(b) == 0 {
			b = append(b, "; "...)
		} else {
			b = append(b, ", "...)
		}
		b = append(append(b, s.String()...), ' ')
		b = append(b, monitor.Span(c.took[s])...)
	}
	return string(b)
}

// perf is the steps as performance data.
func (c *clock) perf() map[string]float64 {
	perf := make(map[string]float64, steps)
	for s := range steps {
		if c.done[s] {
			perf[s.perf()] = float64(c.took[s]) / float64(time.Millisecond)
		}
	}
	return perf
}
