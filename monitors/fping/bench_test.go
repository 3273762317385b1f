package fping

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/plugins/monitor"
)

// cpu is the CPU time of this process, or of the children it has waited for.
func cpu(b *testing.B, who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFping pings many hosts and compares the CPU time with that of
// Debian's fping, on the same hosts in turn: us-cpu/host is ours, the others
// are fping's with that -i. wrong counts false results.
func BenchmarkFping(b *testing.B) {
	echotest.Need(b)
	if _, err := exec.LookPath("fping"); err != nil {
		echotest.Missing(b, "Debian's package fping")
	}
	nowhere(b)
	for _, bb := range []struct {
		name, net string
		n         int
		dead      bool
	}{{"live", "127.1", 1, false}, {"live", "127.1", 100, false}, {"live", "127.1", 1000, false}, {"live", "127.1", 5000, false}, {"dead", "10.7", 1000, true}} {
		hosts := make([]string, bb.n)
		for i := range hosts {
			hosts[i] = fmt.Sprintf("%s.%d.%d", bb.net, i/250, i%250+1)
		}
		b.Run(fmt.Sprintf("%s-%d", bb.name, bb.n), func(b *testing.B) { sideBySide(b, hosts, bb.dead) })
	}
}

// nowhere is a network that swallows everything.
func nowhere(b *testing.B) {
	for _, words := range []string{
		"link add near type veth peer name far", "addr add 10.8.0.1/16 dev near", "link set near up", "link set far up",
		"neigh replace 10.8.0.2 lladdr 02:00:00:00:00:99 dev near nud permanent", "route add 10.7.0.0/16 via 10.8.0.2 dev near",
	} {
		if err := echotest.IP(words); err != nil {
			b.Fatal(err)
		}
	}
	b.Cleanup(func() { _ = echotest.IP("link del near") })
}

// sideBySide pings hosts once by ours and by Debian's fping in turn.
func sideBySide(b *testing.B, hosts []string, dead bool) {
	m, err := configure(zone(), "-r", "0", "-t", "1000")
	if err != nil {
		b.Fatal(err)
	}
	list := strings.Join(hosts, "\n")
	var ours, wall time.Duration
	theirs := map[string]time.Duration{"0": 0, "0.1": 0}
	wrong := 0
	for b.Loop() {
		began, before := time.Now(), cpu(b, syscall.RUSAGE_SELF)
		r := m.Check(b.Context(), monitor.Request{Hosts: hosts})
		ours += cpu(b, syscall.RUSAGE_SELF) - before
		wall += time.Since(began)
		for _, h := range r.Hosts {
			if h.OK == dead {
				wrong++
			}
		}
		wrong += len(hosts) - len(r.Hosts)
		for i := range theirs {
			before := cpu(b, syscall.RUSAGE_CHILDREN)
			cmd := exec.CommandContext(b.Context(), "fping", "-q", "-r0", "-t1000", "-i"+i)
			cmd.Stdin = strings.NewReader(list)
			_ = cmd.Run() // it exits 1 for dead hosts
			theirs[i] += cpu(b, syscall.RUSAGE_CHILDREN) - before
		}
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(b.N*len(hosts)) }
	b.ReportMetric(each(ours), "us-cpu/host")
	b.ReportMetric(each(theirs["0"]), "us-fping-i0/host")
	b.ReportMetric(each(theirs["0.1"]), "us-fping-i0.1/host")
	b.ReportMetric(float64(wall.Milliseconds())/float64(b.N), "ms-wall")
	b.ReportMetric(float64(wrong), "wrong")
	b.ReportMetric(0, "ns/op")
}
