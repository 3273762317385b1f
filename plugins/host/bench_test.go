package host

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/procgroup"
)

// benchHost is a host for a benchmark, and the links of its plugins.
func benchHost(b *testing.B) *Host {
	sp, err := procgroup.New()
	if err != nil {
		b.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "mh")
	if err != nil {
		b.Fatal(err)
	}
	self, _ := os.Executable()
	for _, name := range []string{"ok.monitor", "keep.alert"} {
		if err := os.Symlink(self, dir+"/"+name); err != nil {
			b.Fatal(err)
		}
	}
	h, err := New(Options{PluginDirs: []string{dir}, RunDir: dir + "/run", Spawner: sp, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		h.Stop(ctx)
		sp.Close()
		_ = os.RemoveAll(dir)
	})
	return h
}

// cpu is the processor time of this process and of pid, in microseconds.
func cpu(b *testing.B, pid int) (self, child float64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	for _, f := range fields[11:13] { // utime, stime in 10 ms
		n, _ := strconv.ParseFloat(f, 64)
		child += n * 10_000
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1000, child
}

func (h *Host) benchChecks(n int, env map[string]string, do string) []job.Check {
	out := make([]job.Check, n)
	for i := range out {
		out[i] = job.Check{ID: uint64(i + 1), Program: "ok.monitor", Timeout: time.Minute, Request: monitor.Request{
			Group: "web", Service: fmt.Sprint("http", i), Hosts: []string{"10.0.0.1", "10.0.0.2"}, Args: []string{"-do", do}, Env: env,
		}}
	}
	return out
}

// measure reports the processor time of f's n checks.
func measure(b *testing.B, pid int, f func()) {
	s0, c0 := cpu(b, pid)
	b.ResetTimer()
	f()
	b.StopTimer()
	s1, c1 := cpu(b, pid)
	n := float64(b.N)
	b.ReportMetric((s1-s0)/n, "host-us/check")
	b.ReportMetric((c1-c0)/n, "plugin-us/check")
	b.ReportMetric((s1-s0+c1-c0)/n, "cpu-us/check")
}

// BenchmarkSession is the transport of a check over the stream, both ends: a
// number of checks is always out, or so many begin each second.
func BenchmarkSession(b *testing.B) {
	env := map[string]string{
		"MON_LAST_SUMMARY": "10.0.0.1 10.0.0.2", "MON_LAST_OUTPUT": "10.0.0.1 10.0.0.2\nconnection refused\n", "MON_LAST_FAILURE": "1795000000",
		"MON_FIRST_FAILURE": "1795000000", "MON_LAST_SUCCESS": "1795000000", "MON_DEPEND_STATUS": "1", "MON_DESCRIPTION": "the shop",
	}
	for _, bb := range []struct {
		name string
		out  int
		rate int
		env  map[string]string
	}{
		{"out=1", 1, 0, nil}, {"out=100", 100, 0, nil}, {"out=1000", 1000, 0, nil}, {"out=100,env=7", 100, 0, env},
		{"rate=1000,tick=1ms", 1000, 1000, nil}, {"rate=10000,tick=1ms", 10000, 10000, nil}, {"rate=10000,tick=5ms", 10000, 10000, nil},
	} {
		b.Run(bb.name, func(b *testing.B) {
			h := benchHost(b)
			checks := h.benchChecks(bb.out, bb.env, "ok")
			h.Run(h.benchChecks(1, nil, "pid"))
			pid, err := strconv.Atoi((<-h.Results())[0].Result.Summary)
			if err != nil {
				b.Fatal(err)
			}
			h.Run(checks) // once, so that subjects are known
			for got := 0; got < len(checks); {
				got += len(<-h.Results())
			}
			tick := time.Millisecond
			if strings.HasSuffix(bb.name, "5ms") {
				tick *= 5
			}
			measure(b, pid, func() {
				if bb.rate > 0 {
					paced(b, h, checks, bb.rate, tick)
				} else {
					closed(b, h, checks)
				}
			})
		})
	}
}

// closed has all of checks out until b.N were answered, each answer bringing
// the next, as one batch.
func closed(b *testing.B, h *Host, checks []job.Check) {
	sent := min(len(checks), b.N)
	h.Run(checks[:sent])
	var next []job.Check
	for got := 0; got < b.N; {
		batch := <-h.Results()
		got += len(batch)
		next = next[:0]
		for _, d := range batch {
			if d.Result.Cause != monitor.Exited {
				b.Fatal(d.Result)
			}
			if sent < b.N {
				next = append(next, checks[d.ID-1])
				sent++
			}
		}
		h.Run(next)
	}
}

// paced begins rate checks a second, those of a tick together.
func paced(b *testing.B, h *Host, checks []job.Check, rate int, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	began := time.Now()
	for sent, got := 0, 0; got < b.N; {
		select {
		case batch := <-h.Results():
			got += len(batch)
		case <-tick.C:
			due := min(int(time.Since(began).Seconds()*float64(rate)), b.N)
			for sent < due {
				from := sent % len(checks)
				to := min(from+due-sent, len(checks))
				h.Run(checks[from:to])
				sent += to - from
			}
		}
	}
}

// BenchmarkUnary is the same by a call for each, as a notice goes.
func BenchmarkUnary(b *testing.B) {
	h := benchHost(b)
	p, err := h.Find(Alert, "keep.alert")
	if err != nil {
		b.Fatal(err)
	}
	r, err := h.resident(p)
	if err != nil {
		b.Fatal(err)
	}
	proc, err := r.main.get(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	req := alert.Request{ID: "1", Kind: alert.Failure, Group: "web", Service: "http1", Hosts: []string{"10.0.0.1", "10.0.0.2"}}
	measure(b, proc.pid(), func() {
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				for n := i; n < b.N; n += 100 {
					if err := h.Send(b.Context(), "keep.alert", req); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}
