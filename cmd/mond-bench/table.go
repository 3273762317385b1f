package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// row is one line of the table.
type row struct {
	what    string
	targets int
	seen    gaps
	cpu     time.Duration // of the monitoring processes
	server  time.Duration // of the server that they ask
	watch   time.Duration
	rss     int64 // bytes, all monitoring processes

	warnings int // lines on the daemon's standard error since its start
}

func (r row) perSecond() float64 { return float64(r.seen.checks) / r.watch.Seconds() }

// perCheck is one check's share of a time.
func (r row) perCheck(d time.Duration) time.Duration {
	if r.seen.checks == 0 {
		return 0
	}
	return (d / time.Duration(r.seen.checks)).Round(100 * time.Nanosecond)
}

// perCPU is how many checks a second of processor time is good for.
func (r row) perCPU() float64 {
	if r.cpu == 0 {
		return 0
	}
	return float64(r.seen.checks) / r.cpu.Seconds()
}

// print prints nothing where there are no rows.
func print(w io.Writer, rows []row) {
	if len(rows) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "daemon\ttargets\tchecks/s\tgap p50\tp99\tmax\tCPU/check\tchecks/CPU-s\tserver's CPU/check\tmemory\twarnings\t")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%v\t%v\t%v\t%v\t%.0f\t%v\t%d MB\t%d\t\n", r.what, r.targets, r.perSecond(),
			ms(r.seen.p50), ms(r.seen.p99), ms(r.seen.max), r.perCheck(r.cpu), r.perCPU(), r.perCheck(r.server), r.rss>>20, r.warnings)
	}
	_ = t.Flush() // the terminal went away: nothing to do
}

func ms(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
