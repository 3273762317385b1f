package udp

import (
	"fmt"
	"strconv"
	"time"

	"github.com/mondhq/mond/monitors/tcp/escape"
	"github.com/mondhq/mond/plugins/monitor"
)

const (
	// maxAnswer is how many bytes of an answer are looked at: Ethernet's largest
	// frame carries less, and most protocols keep to that.
	maxAnswer = 16 << 10
	// maxTold is how many bytes of an answer are kept to be shown.
	maxTold = 128
)

// hearing is what was heard of one host.
type hearing struct {
	*wanted
	began time.Time

	came  int    // answers, of any content
	last  []byte // the beginning of the last one
	why   string // what is wrong with it
	bytes int    // its length
	took  time.Duration
}

// take reports whether an answer is as expected.
func (h *hearing) take(b []byte) bool {
	h.came++
	h.last = append(h.last[:0], b[:min(len(b), maxTold)]...)
	h.bytes, h.took = len(b), time.Since(h.began)
	h.why = h.fault(b)
	return h.why == ""
}

// missing is the error of a host that did not answer as expected in its time.
func (h *hearing) missing(to string) error {
	if h.came == 0 {
		return monitor.Late("wait for an answer of " + to)
	}
	more := ""
	if h.came > 1 {
		more = fmt.Sprintf(" (and %d before it were not as they should be)", h.came-1)
	}
	return fmt.Errorf("the answer %s: %s%s", h.why, escape.Show(h.last), more)
}

// said is what the host said in the time it had, for the detail.
func (h *hearing) said(window time.Duration) string {
	if h.came == 0 {
		return " did not refuse in " + monitor.Span(window)
	}
	return " answered " + strconv.Itoa(h.bytes) + " bytes: " + escape.Show(h.last)
}

// perf is what was measured: the time to the answer, in milliseconds.
func (h *hearing) perf() map[string]float64 {
	if h.came == 0 {
		return nil
	}
	return map[string]float64{"rtt_ms": float64(h.took) / float64(time.Millisecond)}
}
