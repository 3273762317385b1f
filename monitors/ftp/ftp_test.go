package ftp

import (
	"context"
	"errors"
	"flag"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/monitors/tcp/replies/repliestest"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// configure makes a monitor of a command line.
func configure(args ...string) (monitor.Monitor, error) {
	names := &resolve.Resolver{Func: func(context.Context, string) ([]netip.Addr, error) {
		return nil, errors.New("no such host")
	}}
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	m := With(names)(fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	return m, m.(monitor.Validator).Validate()
}

// check runs one check of a port of 127.0.0.1.
func check(t testing.TB, port uint16, options string) monitor.Result {
	t.Helper()
	m, err := configure(append([]string{"-p", strconv.Itoa(int(port))}, strings.Fields(options)...)...)
	must(t, err)
	return m.Check(t.Context(), monitor.Request{Hosts: []string{"127.0.0.1"}})
}

// BenchmarkCheck measures both ends: the server's share of the processor is
// that of this process, too.
func BenchmarkCheck(b *testing.B) {
	port := repliestest.Serve(b, repliestest.Play(b, "220 ready", "> QUIT", "221 bye"))
	m, err := configure("-p", strconv.Itoa(int(port)), "--reset")
	must(b, err)
	b.ReportAllocs()
	b.SetParallelism(8)
	before := cpu()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r := m.Check(b.Context(), monitor.Request{Hosts: []string{"127.0.0.1"}}); r.Failing() {
				b.Error(r.Output())
			}
		}
	})
	b.ReportMetric(float64(cpu()-before)/float64(b.N)/1000, "cpu-us/op")
}

// cpu is the processor time of this process.
func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
