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

// BenchmarkFping pings many hosts and compares the CPU time and the wall time
// with those of Debian's fping, on the same hosts in turn: us/host is CPU time,
// ms is wall time for all hosts, wrong counts false results, and fping-i0.1 is
// fping with -i 0.1.
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
	var ours, wall time.Duration
	rivals := []*rival{{interval: "0"}, {interval: "0.1"}}
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
		for _, r := range rivals {
			r.ping(b, hosts, dead)
		}
	}
	tell := func(who string, cpu, wall time.Duration, wrong int) {
		b.ReportMetric(float64(cpu.Microseconds())/float64(b.N*len(hosts)), who+"-us/host")
		b.ReportMetric(float64(wall.Milliseconds())/float64(b.N), who+"-ms")
		b.ReportMetric(float64(wrong), who+"-wrong")
	}
	tell("mond", ours, wall, wrong)
	for _, r := range rivals {
		tell("fping-i"+r.interval, r.cpu, r.wall, r.wrong)
	}
	b.ReportMetric(0, "ns/op")
}

// rival is Debian's fping with that -i, and what it took so far.
type rival struct {
	interval  string
	cpu, wall time.Duration
	wrong     int
}

// ping pings hosts once; it is told to print the wrong ones, of which there
// should be none.
func (r *rival) ping(b *testing.B, hosts []string, dead bool) {
	list := "-u"
	if dead {
		list = "-a"
	}
	cmd := exec.CommandContext(b.Context(), "fping", "-q", list, "-r0", "-t1000", "-i"+r.interval)
	cmd.Stdin = strings.NewReader(strings.Join(hosts, "\n"))
	began, before := time.Now(), cpu(b, syscall.RUSAGE_CHILDREN)
	out, _ := cmd.Output() // it exits 1 for dead hosts
	r.cpu += cpu(b, syscall.RUSAGE_CHILDREN) - before
	r.wall += time.Since(began)
	r.wrong += strings.Count(string(out), "\n")
}
