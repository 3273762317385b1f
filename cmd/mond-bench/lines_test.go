package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	procs := ""
	if n := runtime.GOMAXPROCS(0); n > 1 {
		procs = fmt.Sprint("-", n)
	}
	for _, tt := range []struct{ name, in, want string }{
		{
			"figures", "goos: linux\nBenchmarkPing/live-5000" + procs + " \t       3\t       756.7 mond-ms\t         0 wrong\nPASS\n",
			"  Ping/live-5000  756.7 mond-ms, 0 wrong\n",
		},
		{
			"figures after what it said", "BenchmarkTalk" + procs + "\n    x_test.go:1: hello\n     100\t   5 us/op\n",
			"  Talk  5 us/op\n",
		},
		{
			"nothing measured", "--- SKIP: BenchmarkPing\n    x_test.go:1: no fping\n",
			"  not measured here: --- SKIP: BenchmarkPing\n        x_test.go:1: no fping\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			if code := lines(strings.NewReader(tt.in), &out, io.Discard); code != 0 || out.String() != tt.want {
				t.Errorf("exit %d\n%q, want\n%q", code, out.String(), tt.want)
			}
		})
	}
}
