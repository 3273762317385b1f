package host

import "time"

// How long a plugin that ended is left down. The first end in a row is mended
// at once; in the first minute no pause is longer than two seconds.
const (
	pauseStep   = 100 * time.Millisecond
	pauseMinute = 2 * time.Second
	pauseMost   = 30 * time.Second
	steady      = 10 * time.Second // a plugin that ran so long begins a new row
)

// row is a row of ends without a steady run between them.
type row struct {
	since time.Time
	ends  int
}

// end notes that the plugin ended or could not start at now, having run since
// up (zero if it did not), and returns how long to wait.
func (r *row) end(up, now time.Time) time.Duration {
	if r.ends == 0 || !up.IsZero() && now.Sub(up) >= steady {
		*r = row{since: now}
	}
	r.ends++
	limit := pauseMinute
	if now.Sub(r.since) > time.Minute {
		limit = pauseMost
	}
	return min(pause(r.ends), limit)
}

// pause doubles from nothing.
func pause(ends int) time.Duration {
	if ends <= 1 {
		return 0
	}
	return pauseStep << min(ends-2, 10)
}
