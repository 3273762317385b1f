package engine

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/alert"
)

// testOutput is what an alert reads when it is tried, as under mon.
const testOutput = "test\ntest detail\n"

// TestAlert calls the lines of one kind of a period with test texts, whatever
// mon's gates and the lines' exit filters say. It counts nowhere. Keepers are
// left alone: a test must not take a server out. A period without such lines is
// [steer.ErrNoLines].
func (e *Engine) TestAlert(ctx context.Context, key opstatus.Key, t steer.AlertTest) error {
	return e.onService(ctx, key, func(l *loop, s *service, now time.Time) error {
		i := slices.IndexFunc(s.cfg.Periods, func(p config.Period) bool { return p.Name == t.Period })
		if i < 0 {
			return fmt.Errorf("test alert of %s: %w", key, &steer.UnknownError{Kind: steer.Period, Name: strconv.Quote(t.Period)})
		}
		if l.testLines(s, &s.cfg.Periods[i], t, now) == 0 {
			return fmt.Errorf("test alert of %s: period %q has no %s lines to try (keepers are left alone): %w", key, t.Period, t.On, steer.ErrNoLines)
		}
		return nil
	})
}

// testLines calls the lines of p for one kind and returns how many there are.
func (l *loop) testLines(s *service, p *config.Period, t steer.AlertTest, now time.Time) (called int) {
	kind := t.On
	if kind == alert.Failure {
		kind = alert.Test
	}
	for i := range p.Lines {
		if c := &p.Lines[i].Command; p.Lines[i].On == t.On && !l.isKeeper(c.Program) {
			d := policy.Decision{Period: p.Name, Kind: kind, Command: c, Send: true}
			l.queue(s, d, store.Notice{Request: l.testRequest(s, d, t.Exit, now), Test: true}, now)
			called++
		}
	}
	return called
}

// testRequest is a notice with test texts; its variables tell, as under mon, of
// what was seen last.
func (l *loop) testRequest(s *service, d policy.Decision, exit *int, now time.Time) alert.Request {
	r := l.request(s, d, s.state, "test", testOutput, now)
	r.Env["MON_LAST_SUMMARY"], r.Env["MON_LAST_OUTPUT"] = s.state.Summary, s.state.Output
	if exit != nil {
		r.Exit = *exit
		r.Env["MON_RETVAL"] = strconv.Itoa(*exit)
	}
	return r
}
