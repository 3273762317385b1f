package ping

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
)

// sample is what was measured of one host.
type sample struct {
	sent, received int
	least, most    time.Duration
	// sum and squares are those of the round trips in milliseconds, for the mean
	// and the deviation.
	sum, squares float64
}

// add adds a round trip.
func (s *sample) add(rtt time.Duration) {
	if s.received == 0 || rtt < s.least {
		s.least = rtt
	}
	s.most = max(s.most, rtt)
	s.received++
	ms := inMillis(rtt)
	s.sum += ms
	s.squares += ms * ms
}

// loss is the share of lost pings, 0 to 100.
func (s *sample) loss() float64 {
	if s.sent == 0 {
		return 0
	}
	return 100 * float64(s.sent-s.received) / float64(s.sent)
}

// mean is the average round trip, 0 without any.
func (s *sample) mean() time.Duration {
	if s.received == 0 {
		return 0
	}
	return time.Duration(s.sum / float64(s.received) * float64(time.Millisecond))
}

// deviation is the standard deviation of the round trips, in milliseconds.
func (s *sample) deviation() float64 {
	n := float64(max(s.received, 1))
	mean := s.sum / n
	return math.Sqrt(max(0, s.squares/n-mean*mean))
}

// perf is the sample as performance data; without any answer there are no
// times.
func (s *sample) perf() map[string]float64 {
	perf := map[string]float64{"sent": float64(s.sent), "loss_pct": s.loss()}
	if s.received > 0 {
		perf["min_ms"], perf["max_ms"] = inMillis(s.least), inMillis(s.most)
		perf["avg_ms"], perf["stddev_ms"] = s.sum/float64(s.received), s.deviation()
	}
	return perf
}

// String is the sample in words.
func (s sample) String() string {
	text := fmt.Sprintf("%d of %d pings lost", s.sent-s.received, s.sent)
	if s.sent > s.received {
		text += " (" + strconv.FormatFloat(s.loss(), 'f', 0, 64) + "%)"
	}
	return text + fmt.Sprintf(", round trip %s on average, %s to %s", monitor.Span(s.mean()), monitor.Span(s.least), monitor.Span(s.most))
}

func inMillis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
