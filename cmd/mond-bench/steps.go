package main

import (
	"context"
	"fmt"
	"io"
)

// step is the measuring of one row.
type step struct {
	what    string
	targets int
	take    func(context.Context, int) (row, error)
}

// steps are the rows of the plan in their order. The bare loop follows mond's
// largest row, to be measured in the same minute.
func (p plan) steps() []step {
	var all []step
	for _, n := range p.targets {
		all = append(all, step{"mond", n, p.tcp})
	}
	if n := len(p.targets); n > 0 {
		all = append(all, step{"bare", p.targets[n-1], p.bare})
	}
	for _, n := range p.httpTargets {
		all = append(all, step{"mond, http", n, p.http})
	}
	if p.mon == "" {
		return all
	}
	for _, n := range p.monTargets {
		all = append(all, step{"mon", n, p.debianMon})
	}
	return all
}

// measure takes the rows, until one cannot be taken.
func (p plan) measure(ctx context.Context, stderr io.Writer) ([]row, error) {
	var rows []row
	for _, s := range p.steps() {
		fmt.Fprintf(stderr, "%s, %d targets at 1 s: %v ...\n", s.what, s.targets, p.warm+p.watch)
		r, err := s.take(ctx, s.targets)
		if err != nil {
			return rows, fmt.Errorf("%s with %d targets: %w", s.what, s.targets, err)
		}
		r.what, r.targets = s.what, s.targets
		rows = append(rows, r)
	}
	return rows, nil
}
