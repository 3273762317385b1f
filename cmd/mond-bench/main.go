// Command mond-bench measures mond on loopback, a bare loop of connects and
// Debian's mon beside it in the same run, and what the shipped plugins weigh,
// and prints one table. `make bench` runs it. Everything it starts it ends; it
// sends traffic to loopback only, bounded in count and time.
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
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run measures: 0 when every row could be taken. The first word may make it
// one of the helpers that the bench starts.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "serve":
			return serve(args[1:], stdin, stdout, stderr)
		case "connect":
			return connectBare(args[1:], stderr)
		case "lines":
			return lines(stdin, stdout, stderr)
		}
	}
	p, err := parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "mond-bench: %v\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := p.report(ctx, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "mond-bench: %v\n", err)
		return 1
	}
	return 0
}

// report prints what could be measured, also when something could not.
func (p plan) report(ctx context.Context, stdout, stderr io.Writer) error {
	rows, err := p.measure(ctx, stderr)
	print(stdout, rows)
	if err != nil || p.plugins == "" {
		return err
	}
	fmt.Fprintf(stderr, "the plugins of %s, idle ...\n", p.plugins)
	w, err := weigh(ctx, p.plugins)
	if err != nil {
		return fmt.Errorf("weigh the plugins: %w", err)
	}
	w.print(stdout)
	return nil
}

// plan is what to measure.
type plan struct {
	bin, mon, plugins string
	targets           []int
	httpTargets       []int
	monTargets        []int
	warm, watch       time.Duration
}

func parse(args []string) (plan, error) {
	fs := flag.NewFlagSet("mond-bench", flag.ContinueOnError)
	p := plan{targets: []int{100, 1000, 10000}, httpTargets: []int{1000, 4000}, monTargets: []int{100, 500}}
	fs.StringVar(&p.bin, "bin", "bin", "`folder` of mond's programs")
	fs.StringVar(&p.mon, "mon", "", "`folder` that Debian's mon was unpacked in; empty leaves it out")
	fs.StringVar(&p.plugins, "plugins", "", "`folder` of the plugins to weigh; empty leaves it out")
	fs.Var((*numbers)(&p.targets), "targets", "how many targets to connect to, a `list` separated by commas; empty leaves it out")
	fs.Var((*numbers)(&p.httpTargets), "http-targets", "the same `list` for HTTP")
	fs.Var((*numbers)(&p.monTargets), "mon-targets", "the same `list` for Debian's mon")
	fs.DurationVar(&p.warm, "warm", 8*time.Second, "how long to run before measuring")
	fs.DurationVar(&p.watch, "watch", 16*time.Second, "how long to measure")
	return p, fs.Parse(args)
}

// numbers is an option's list of how many targets.
type numbers []int

func (n *numbers) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(*n), " ", ","), "[]")
}

// Set takes the whole list anew.
func (n *numbers) Set(list string) error {
	*n = nil
	for word := range strings.SplitSeq(list, ",") {
		if word == "" {
			continue
		}
		number, err := strconv.Atoi(word)
		if err != nil || number < 1 || number > 60000 {
			return fmt.Errorf("%q: want numbers from 1 to 60000", list)
		}
		*n = append(*n, number)
	}
	return nil
}
