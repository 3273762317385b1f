package main

import (
	"bufio"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"
)

// lines turns what go test -bench prints into lines of the table. Where it
// measured nothing, what it said instead is shown.
func lines(stdin io.Reader, stdout, stderr io.Writer) int {
	var other []string
	measured, name := false, ""
	t := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	in := bufio.NewScanner(stdin)
	for in.Scan() {
		called, figures := benchmark(in.Text())
		if called != "" {
			name = called // its figures may be on a line of their own
		}
		if len(figures) == 0 {
			other = append(other, in.Text())
			continue
		}
		measured = true
		fmt.Fprintf(t, "  %s\t%s\n", name, strings.Join(figures, ", "))
	}
	if !measured {
		fmt.Fprintln(t, "  not measured here:", strings.Join(other, "\n    "))
	}
	if err := t.Flush(); err != nil {
		fmt.Fprintln(stderr, "mond-bench lines:", err)
		return 1
	}
	return 0
}

// benchmark takes a line of go test -bench apart: "BenchmarkX-2  1000  5 us/op
// 0 wrong". A benchmark that says something has its figures on a later line.
func benchmark(line string) (name string, figures []string) {
	if rest, ok := strings.CutPrefix(line, "Benchmark"); ok {
		name, line, _ = strings.Cut(rest, "\t")
		name = strings.TrimSpace(name)
		if n := runtime.GOMAXPROCS(0); n > 1 {
			name = strings.TrimSuffix(name, fmt.Sprint("-", n))
		}
	}
	count, rest, ok := strings.Cut(line, "\t")
	if count = strings.TrimSpace(count); !ok || count == "" || strings.Trim(count, "0123456789") != "" {
		return name, nil
	}
	for figure := range strings.SplitSeq(rest, "\t") {
		figures = append(figures, strings.Join(strings.Fields(figure), " "))
	}
	return name, figures
}
