// Command mond-bench measures mond on loopback, a bare loop of connects and
// Debian's mon beside it in the same run, and prints one table. `make bench` runs it. Everything it starts
// it ends; it sends traffic to loopback only, bounded in count and time.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// plan is what to measure.
type plan struct {
	bin, mon    string
	targets     []int
	monTargets  []int
	warm, watch time.Duration
}

// run measures: 0 when every row could be taken.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "serve" {
		return serveTargets(stdout)
	}
	if len(args) > 0 && args[0] == "connect" {
		return connectBare(args[1:], stderr)
	}
	p, err := parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "mond-bench: %v\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	rows, err := p.measure(ctx, stderr)
	print(stdout, rows)
	if err != nil {
		fmt.Fprintf(stderr, "mond-bench: %v\n", err)
		return 1
	}
	return 0
}

func parse(args []string) (plan, error) {
	fs := flag.NewFlagSet("mond-bench", flag.ContinueOnError)
	p := plan{}
	fs.StringVar(&p.bin, "bin", "bin", "folder of mond's programs")
	fs.StringVar(&p.mon, "mon", "", "folder that Debian's mon was unpacked in; empty leaves it out")
	targets := fs.String("targets", "100,1000,10000", "how many targets, separated by commas")
	monTargets := fs.String("mon-targets", "100,500", "the same for mon")
	fs.DurationVar(&p.warm, "warm", 8*time.Second, "how long to run before measuring")
	fs.DurationVar(&p.watch, "watch", 20*time.Second, "how long to measure")
	if err := fs.Parse(args); err != nil {
		return p, err
	}
	var err error
	if p.targets, err = numbers(*targets); err != nil {
		return p, err
	}
	p.monTargets, err = numbers(*monTargets)
	return p, err
}

func numbers(list string) ([]int, error) {
	var out []int
	for word := range strings.SplitSeq(list, ",") {
		if word == "" {
			continue
		}
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > 60000 {
			return nil, fmt.Errorf("%q: want numbers from 1 to 60000", list)
		}
		out = append(out, n)
	}
	return out, nil
}

// row is one line of the table.
type row struct {
	what    string
	targets int
	seen    gaps
	cpu     time.Duration // of the monitoring processes
	watch   time.Duration
	rss     int64 // bytes, all monitoring processes
}

func (r row) perSecond() float64 { return float64(r.seen.checks) / r.watch.Seconds() }

// perCheck is the CPU time of one check.
func (r row) perCheck() time.Duration {
	if r.seen.checks == 0 {
		return 0
	}
	return r.cpu / time.Duration(r.seen.checks)
}

// measure takes every row, mon's between mond's.
func (p plan) measure(ctx context.Context, stderr io.Writer) ([]row, error) {
	var rows []row
	for _, n := range p.targets {
		fmt.Fprintf(stderr, "mond, %d targets at 1 s: %v ...\n", n, p.warm+p.watch)
		r, err := p.mond(ctx, n)
		if err != nil {
			return rows, fmt.Errorf("mond with %d targets: %w", n, err)
		}
		rows = append(rows, r)
	}
	r, err := p.bare(ctx, p.targets[len(p.targets)-1])
	if err != nil {
		return rows, fmt.Errorf("the bare loop: %w", err)
	}
	rows = append(rows, r)
	if p.mon == "" {
		return rows, nil
	}
	for _, n := range p.monTargets {
		fmt.Fprintf(stderr, "mon, %d targets at 1 s: %v ...\n", n, p.warm+p.watch)
		r, err := p.debianMon(ctx, n)
		if err != nil {
			return rows, fmt.Errorf("mon with %d targets: %w", n, err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func print(w io.Writer, rows []row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "daemon\ttargets\tchecks/s\tgap p50\tp99\tmax\tCPU/check\tchecks/CPU-s\tmemory\t")
	for _, r := range rows {
		perCPU := 0.0
		if r.cpu > 0 {
			perCPU = float64(r.seen.checks) / r.cpu.Seconds()
		}
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%v\t%v\t%v\t%v\t%.0f\t%d MB\t\n", r.what, r.targets, r.perSecond(),
			ms(r.seen.p50), ms(r.seen.p99), ms(r.seen.max), r.perCheck().Round(100*time.Nanosecond), perCPU, r.rss>>20)
	}
	_ = t.Flush() // the terminal went away: nothing to do
}

func ms(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
