package nagios

import (
	"strings"

	"github.com/mondhq/mond/plugins/perfdata"
)

// The Monitoring Plugins Development Guidelines say what a plugin prints: a line
// of text; after a | performance data; then more lines of text, and after another
// | more performance data in all lines that follow.

// output is what a plugin printed.
type output struct {
	text    string // the first line
	long    string // the lines after it, each with its end
	metrics []perfdata.Metric
}

// maxMetrics is how many metrics are read; no more are passed on, see
// plugins/rpc.
const maxMetrics = 64

// read reads what a plugin printed.
func read(printed string) output {
	first, rest, _ := strings.Cut(printed, "\n")
	text, data, _ := strings.Cut(first, "|")
	long, more, _ := strings.Cut(rest, "|")
	o := output{text: strings.TrimSpace(text), metrics: perfdata.Parse(data+" "+more, maxMetrics)}
	if strings.TrimSpace(long) != "" {
		o.long = strings.TrimRight(long, blanks) + "\n"
	}
	return o
}

const blanks = " \t\r\n"

// perf is metrics by their names, of which each says its unit: "time_s",
// "/_MB", "load1", "used_percent".
func perf(metrics []perfdata.Metric) map[string]float64 {
	if len(metrics) == 0 {
		return nil
	}
	p := make(map[string]float64, len(metrics))
	for _, m := range metrics {
		p[m.Name()] = m.Value
	}
	return p
}
