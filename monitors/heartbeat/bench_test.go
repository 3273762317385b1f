package heartbeat

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/role/boottime"
)

// BenchmarkBeats is what a director of a pair costs while nothing happens: CPU a
// beat, with what it hears, asks and looks at meanwhile.
func BenchmarkBeats(b *testing.B) {
	for _, interval := range []time.Duration{100 * time.Millisecond, 10 * time.Millisecond} {
		b.Run(interval.String(), func(b *testing.B) {
			l := newLab(b)
			words := []string{"--interval", interval.String(), "--dead", (5 * interval).String()}
			a, z := l.start(1, site(web), words...), l.start(2, site(web), words...)
			a.says("role-web", "holding", soon)
			z.says("role-web", "standby", soon)
			const each = 5 * time.Second
			b.ResetTimer()
			began := used(b, z.cmd.Process.Pid)
			time.Sleep(each) // the standby's: no keeper works there
			took := used(b, z.cmd.Process.Pid) - began
			b.ReportMetric(float64(took.Microseconds())/(float64(each)/float64(interval)), "us-CPU/beat")
			b.ReportMetric(100*float64(took)/float64(each), "%-CPU")
		})
	}
}

// used is the CPU time of a director so far, in user and kernel (proc(5), stat).
func used(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, behind, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(behind)
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err := errors.Join(err1, err2); err != nil {
		b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// BenchmarkPowerOff is the time from the end of a director, with all its
// interfaces, to the token of the other.
func BenchmarkPowerOff(b *testing.B) {
	for _, c := range [][2]time.Duration{{100 * time.Millisecond, 500 * time.Millisecond}, {10 * time.Millisecond, 50 * time.Millisecond}} {
		b.Run(fmt.Sprintf("%v/%v", c[0], c[1]), func(b *testing.B) {
			var sum, worst time.Duration
			for b.Loop() {
				l := newLab(b)
				words := []string{"--interval", c[0].String(), "--dead", c[1].String()}
				a, z := l.start(1, site(web), words...), l.start(2, site(web), words...)
				a.says("role-web", "holding", soon)
				z.says("redundancy", "could take over", soon)
				l.eventually("A has it", soon, func() bool { return l.has(1) })
				port := l.port(1)
				off := boottime.Now()
				_ = a.cmd.Process.Kill()
				port()
				took := z.takes("web", soon).At - off
				sum += took
				worst = max(worst, took)
			}
			b.ReportMetric(float64(sum.Milliseconds())/float64(b.N), "ms/takeover")
			b.ReportMetric(float64(worst.Milliseconds()), "ms-worst")
		})
	}
}

// BenchmarkSending is what one beat costs from the member's word to the links,
// which are closed here: what is sealed for two of them.
func BenchmarkSending(b *testing.B) {
	p := sending(b)
	b.ReportAllocs()
	for b.Loop() {
		p.send(p.beat())
	}
}

// TestSendingAllocatesNothing: what a beat needs is there.
func TestSendingAllocatesNothing(t *testing.T) {
	p := sending(t)
	if n := testing.AllocsPerRun(100, func() { p.send(p.beat()) }); n != 0 {
		t.Errorf("%v allocations a beat", n)
	}
}
