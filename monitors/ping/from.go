package ping

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/mondhq/mond/monitors/fping/echo"
	"github.com/mondhq/mond/plugins/monitor"
)

// measureFrom is measure from a place that go-ping cannot ping from. A ping that
// somebody says cannot arrive is one lost, as it is there.
func (p *probe) measureFrom(ctx context.Context, to netip.Addr) (s sample, err error) {
	limit := p.sending() + time.Duration(p.wait)
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end))
	}
	var (
		mu    sync.Mutex
		pings sync.WaitGroup
	)
	began := time.Now()
	next := time.NewTicker(time.Duration(p.interval))
	defer next.Stop()
	for i := 0; i < p.count.Value && ctx.Err() == nil; i++ {
		wait := limit - time.Since(began)
		if wait <= 0 {
			break
		}
		pings.Go(func() {
			a := p.engine.Ping(ctx, p.settings(wait), []netip.Addr{to})[0]
			mu.Lock()
			defer mu.Unlock()
			if e := s.take(a); err == nil {
				err = e
			}
		})
		if i == p.count.Value-1 {
			break
		}
		select {
		case <-next.C:
		case <-ctx.Done():
		}
	}
	pings.Wait()
	return s, err
}

// settings are those of one ping.
func (p *probe) settings(wait time.Duration) echo.Settings {
	return echo.Settings{
		Tries: 1, Wait: wait, Backoff: 1, Size: p.size.Value, Pace: echo.Pace,
		Dress: echo.Dress{Origin: p.Origin, TTL: uint8(p.ttl.Value)}, //nolint:gosec // in its range
	}
}

// take adds a ping that is over; an error says nothing of the host.
func (s *sample) take(a echo.Answer) error {
	switch {
	case a.Err == nil:
		s.sent++
		s.add(a.RTT)
	case errors.Is(a.Err, monitor.ErrNotStarted) && a.Sent == 0, errors.Is(a.Err, context.Canceled):
	case monitor.Local(a.Err):
		return a.Err
	default:
		s.sent++
	}
	return nil
}
