package engine

import (
	"math"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/perfdata"
)

// What checks say for pools: their verdicts, and the weights they ask for.

// askMost is how much of a result is searched for a figure.
const askMost = 64 << 10

// hear takes what a result asks for, and makes a success of an exit status
// that is one. A result that says nothing leaves what was asked as it is.
func (s *service) hear(r monitor.Result, now time.Time) (monitor.Result, virtual.Ask) {
	from := s.cfg.Asks
	if !from.Exit && from.Label == "" || r.Cause != monitor.Exited {
		return r, s.ask
	}
	if from.Exit {
		switch {
		case r.Exit == 0:
			return r, virtual.Ask{Kind: virtual.AskHold}
		case r.Exit >= 2:
			n := r.Exit - 2
			r.Exit = 0
			return r, virtual.Ask{Kind: virtual.AskWeight, N: n}
		}
		return r, s.ask
	}
	if r.Failing() {
		return r, s.ask
	}
	return r, askFor(from, r, now)
}

// askFor is the figure of that label in r, as an ask.
func askFor(from config.WeightFrom, r monitor.Result, now time.Time) virtual.Ask {
	v, ok := figure(from.Label, r)
	switch {
	case !ok || math.IsNaN(v) || math.IsInf(v, 0):
		return virtual.Ask{Kind: virtual.AskHold}
	case from.Kind == virtual.AskLoad:
		return virtual.Ask{Kind: virtual.AskLoad, Load: v, At: now}
	case from.Kind == virtual.AskNone || from.Kind == virtual.AskHold:
		return virtual.Ask{}
	}
	bounded := min(max(math.Round(v), -virtual.MaxWeight), virtual.MaxWeight)
	return virtual.Ask{Kind: from.Kind, N: int(bounded)}
}

// figure finds the figure of that label: among the performance data of the
// result's hosts, or as a word LABEL=N in what it says.
func figure(label string, r monitor.Result) (float64, bool) {
	for i := range r.Hosts {
		if v, ok := perfdata.Lookup(r.Hosts[i].Perf, label); ok {
			return v, true
		}
	}
	for _, text := range [...]string{r.Summary, r.Detail} {
		if v, ok := perfdata.Find(text[:min(len(text), askMost)], label); ok {
			return v, true
		}
	}
	return 0, false
}

// judged notes what an event says of s for the pools that it is a check of.
// What an operator assigns to a service is no verdict.
func (l *loop) judged(s *service, change opstatus.Transition) {
	v := s.verdict
	v.Blind = s.state.Blind != nil
	if change.Success || change.Failure {
		v.Status = s.state.Status
	}
	if v != s.verdict {
		s.verdict = v
		l.touchPools(s)
	}
}

// asked notes the weight that s asks for.
func (l *loop) asked(s *service, ask virtual.Ask) {
	if ask != s.ask {
		s.ask = ask
		l.touchPools(s)
	}
}

func (l *loop) touchPools(s *service) {
	for _, p := range s.pools {
		l.touchPool(p)
	}
}
