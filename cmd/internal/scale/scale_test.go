package scale

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/alerts/lvs"
)

// A reload of many virtual services with one change is one request of the kernel;
// one without a change is none. The soak tries it with a thousand.
func TestReloadOfManyIsOneRequest(t *testing.T) {
	n := 50
	if os.Getenv("MOND_SOAK") != "" {
		n = manyVirtuals
	}
	s := newSite(t, n, time.Second)
	s.reload()
	s.kernel.rounds(t, 2) // what it would have done is done
	if list := s.kernel.take(); len(list) > 0 {
		t.Errorf("a reload without a change: %v", list)
	}
	s.extra = 3
	s.configure()
	s.reload()
	s.kernel.until(t, "the new real server is there", func() bool { return s.kernel.count() > 0 })
	s.kernel.rounds(t, 2)
	list := s.kernel.take()
	if want := "AddDestination tcp 10.1.0.8:80 " + s.spare.addr; len(list) != 1 || list[0].what != want {
		t.Errorf("a reload with one change: %v, want %q", list, want)
	}
	s.detection(t)
}

// detection fails one real server, which is looked at every 200 ms, three
// times. How soon it is out depends on how busy the machine is, and is only
// told; engine's tests have the exact times.
func (s *site) detection(t *testing.T) {
	took, after := s.die(t, 1)
	t.Logf("out of the table %v after its death, %v after its last answer", took, after)
	if n := s.quick[1].asked.Load(); n < fall {
		t.Errorf("looked at %d times before it was out, want %d", n, fall)
	}
}

// die lets real server i of the one die, waits until it is out, and is how long
// that took since its death and since its last answer. It is back at the end.
func (s *site) die(t testing.TB, i int) (took, after time.Duration) {
	t.Helper()
	r := s.quick[i]
	s.kernel.take()
	died := r.fail()
	s.kernel.until(t, r.addr+" is out", func() bool { return s.kernel.count() > 0 })
	answered := r.answered.Load()
	list := s.kernel.take()
	if want := "DeleteDestination tcp 10.2.0.1:80 " + r.addr; len(list) != 1 || list[0].what != want {
		t.Fatalf("the kernel was asked for %v, want %q", list, want)
	}
	took, after = list[0].at.Sub(died), time.Duration(list[0].at.UnixNano()-answered)
	r.heal()
	s.kernel.until(t, r.addr+" is back", func() bool { return s.kernel.count() > 0 })
	if list := s.kernel.take(); len(list) != 1 || !strings.HasPrefix(list[0].what, "AddDestination ") {
		t.Fatalf("the kernel was asked for %v", list)
	}
	return took, after
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// BenchmarkReload is a reload of a thousand virtual services, of which one has
// another weight: from the order to the request at the kernel, and to the
// answer.
func BenchmarkReload(b *testing.B) {
	s := newSite(b, manyVirtuals, 0)
	var kernel, answer []time.Duration
	daemon, keeper := s.usage(""), s.usage(lvs.Name)
	for b.Loop() {
		s.extra = 3 + s.extra%2
		s.configure()
		began := time.Now()
		s.reload()
		answer = append(answer, time.Since(began))
		s.kernel.until(b, "the kernel was asked", func() bool { return s.kernel.count() > 0 })
		list := s.kernel.take()
		if len(list) != 1 {
			b.Fatalf("asked for %v", list)
		}
		kernel = append(kernel, list[0].at.Sub(began))
	}
	daemon, keeper = s.usage("")-daemon, s.usage(lvs.Name)-keeper
	b.ReportMetric(millis(median(kernel)), "kernel-ms")
	b.ReportMetric(millis(slices.Min(kernel)), "kernel-min-ms")
	b.ReportMetric(millis(median(answer)), "answer-ms")
	b.ReportMetric(millis(daemon)/float64(b.N), "mond-cpu-ms/op")
	b.ReportMetric(millis(keeper)/float64(b.N), "keeper-cpu-ms/op")
}

// BenchmarkDecision is the death of a real server that is looked at every
// 200 ms, three times: to the request at the kernel from its death, and from
// its last answer to a check, which is read and judged meanwhile.
func BenchmarkDecision(b *testing.B) {
	s := newSite(b, manyVirtuals, 0)
	var took, after []time.Duration
	i := 0
	for b.Loop() {
		t, a := s.die(b, i%manyReals)
		took, after = append(took, t), append(after, a)
		i++
	}
	b.ReportMetric(millis(median(took)), "death-ms")
	b.ReportMetric(millis(slices.Max(took)), "death-max-ms")
	b.ReportMetric(millis(median(after)), "answer-ms")
	b.ReportMetric(millis(slices.Max(after)), "answer-max-ms")
}

// BenchmarkResync is what it costs to look at the table when nothing changes: an
// op is one round of it, 5 s.
func BenchmarkResync(b *testing.B) {
	s := newSite(b, manyVirtuals, 0)
	s.kernel.rounds(b, 1)
	began, daemon, keeper := time.Now(), s.usage(""), s.usage(lvs.Name)
	for b.Loop() {
		s.kernel.rounds(b, 1)
	}
	wall := time.Since(began)
	b.ReportMetric(100*float64(s.usage(lvs.Name)-keeper)/float64(wall), "keeper-cpu-%")
	b.ReportMetric(100*float64(s.usage("")-daemon)/float64(wall), "mond-cpu-%")
	if list := s.kernel.take(); len(list) > 0 {
		b.Errorf("asked for %v", list)
	}
}
