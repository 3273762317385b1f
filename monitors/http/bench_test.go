package httpmon

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
)

// BenchmarkNginx drives checks of nginx (one worker, no access log, a page of
// 1.2 KB) from 64 goroutines and tells what a check costs this process and what
// it costs nginx.
func BenchmarkNginx(b *testing.B) {
	n := startNginx(b)
	worker := n.worker(b)
	for _, bb := range []struct{ name, args string }{
		{"status", "-p PLAINPORT"},
		{"match", "-p PLAINPORT -m works"},
		{"json", "-p PLAINPORT -u /health.json --json $.status=UP"},
		{"gzip", "-p PLAINPORT -u /gz/index.html --compressed -m works"},
		{"tls", "-p TLSPORT --https --ca CAFILE"},
		{"http2", "-p TLSPORT --https --http2 --ca CAFILE"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			m, err := configure(append(n.expand(bb.args), "--reset")...)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			ours, theirs, began := cpu(), cpuOf(b, worker), time.Now()
			drive(b, m)
			took, mine, nginx := time.Since(began), cpu()-ours, cpuOf(b, worker)-theirs
			perOp := func(d time.Duration) float64 { return float64(d) / float64(b.N) / 1000 }
			b.ReportMetric(perOp(mine), "monitor-us/op")
			b.ReportMetric(perOp(nginx), "nginx-us/op")
			b.ReportMetric(float64(b.N)/took.Seconds(), "checks/s")
			b.ReportMetric(float64(b.N)/mine.Seconds(), "checks/monitor-cpu-s")
			b.ReportMetric(float64(b.N)/(mine+nginx).Seconds(), "checks/cpu-s")
		})
	}
}

// drive makes b.N checks, 64 at a time.
func drive(b *testing.B, m monitor.Monitor) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if r := m.Check(context.Background(), monitor.Request{Hosts: []string{"127.0.0.1"}}); r.Blind() || r.Failing() {
					b.Error(r.Output())
					return
				}
			}
		})
	}
	wg.Wait()
}

// worker is the process that serves.
func (n *nginx) worker(b *testing.B) int {
	b.Helper()
	pid := n.cmd.Process.Pid
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		b.Skip("this kernel does not tell the children of a process")
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		b.Fatal(err)
	}
	return child
}

// cpuOf is the processor time of a process (proc(5), fields 14 and 15 of stat,
// in hundredths of a second).
func cpuOf(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		b.Fatal(err1, err2)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}
