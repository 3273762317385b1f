package reach_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

func TestMain(m *testing.M) { echotest.Main(m) }

// options reads a command line.
func options(t testing.TB, args string) *reach.Options {
	t.Helper()
	o := &reach.Options{Port: 1, Limit: reach.Seconds(10 * time.Second), Resolver: new(resolve.Resolver)}
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o.Declare(fs)
	if err := errors.Join(fs.Parse(strings.Fields(args)), o.Validate()); err != nil {
		t.Fatal(err)
	}
	return o
}

// listen is an open port; what comes is accepted and hung up.
func listen(t testing.TB) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func TestFailure(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for name, tt := range map[string]struct {
		err   error
		want  string
		local bool
	}{
		"system":         {refused, "try: connection refused", false},
		"system, ours":   {&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}, "try: too many open files", true},
		"deadline":       {os.ErrDeadlineExceeded, "try", false},
		"deadline, both": {fmt.Errorf("x: %w", context.DeadlineExceeded), "try", false},
		"network":        {&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, "try: tls: bad certificate", false},
		"other":          {errors.New("whatever"), "try: whatever", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := reach.Failure("try", tt.err)
			if got.Error() != tt.want || monitor.Local(got) != tt.local {
				t.Errorf("%q, local %v; want %q, %v", got, monitor.Local(got), tt.want, tt.local)
			}
		})
	}
}

func TestDeadline(t *testing.T) {
	o := options(t, "-t 10")
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if d := time.Until(o.Deadline(ctx)); d > 10*time.Second || d < 9*time.Second {
		t.Errorf("the option's limit became %v", d)
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if d := time.Until(o.Deadline(ctx)); d > time.Second {
		t.Errorf("the check's deadline became %v", d)
	}
}

func TestTargetHonoursTheDeadline(t *testing.T) {
	o := options(t, "-t 30ms")
	o.Resolver = &resolve.Resolver{Func: func(ctx context.Context, _ string) ([]netip.Addr, error) {
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
		return nil, errors.New("late")
	}}
	started := time.Now()
	_, err := o.Target(t.Context(), o.Deadline(t.Context()), "web", 80)
	if !monitor.Local(err) || time.Since(started) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(started))
	}
	_, _ = o.Resolver.Lookup(t.Context(), "web") // until the lookup ended
}

func TestOpenLooksOnceMoreWhenTheDeadlineHasPassed(t *testing.T) {
	// As if this process had been stopped after the handshake: the peer
	// answered in time, and nobody looked.
	o := options(t, "--reset")
	addr := listen(t)
	for range 20 {
		if err := o.Open(t.Context(), time.Now().Add(50*time.Microsecond), addr); err != nil && !strings.HasPrefix(err.Error(), "connect to ") {
			t.Fatal(err)
		}
	}
	err := o.Open(t.Context(), time.Unix(1, 0), addr)
	if err != nil && err.Error() != "connect to "+addr.String() {
		t.Errorf("%v", err)
	}
}

// A closed port of this machine may be chosen by the kernel as the source of a
// connection to it, which then succeeds with itself.
func TestAConnectionToItselfIsNone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	o := options(t, "--reset")
	for range 500 {
		if err := o.Open(t.Context(), time.Now().Add(time.Second), addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("a closed port: %v", err)
		}
	}
}

func TestCancelledWhileConnecting(t *testing.T) {
	o := options(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Dial(ctx, time.Now().Add(time.Second), listen(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestACancelledCheckCutsTheConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	c, err := options(t, "").Dial(ctx, time.Now().Add(time.Minute), l.Addr().(*net.TCPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	time.AfterFunc(10*time.Millisecond, cancel)
	started := time.Now()
	if _, err := c.Read(make([]byte, 1)); err == nil || time.Since(started) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(started))
	}
}

// accepts is an open port that keeps up with any client: one whose queue fills
// makes clients wait for a second.
func accepts(b *testing.B) netip.AddrPort {
	b.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 4096)); err != nil {
		b.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				c, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
				if errors.Is(err, unix.EINVAL) { // shut down
					return
				}
				_ = unix.Close(c)
			}
		})
	}
	b.Cleanup(func() { _ = unix.Shutdown(fd, unix.SHUT_RDWR); wg.Wait(); _ = unix.Close(fd) })
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(sa.(*unix.SockaddrInet4).Port))
}

func BenchmarkConnect(b *testing.B) {
	addr := accepts(b)
	for _, args := range []string{"--reset", "", "--source 127.0.0.1 --reset"} {
		o := options(b, args)
		b.Run("open "+args, func(b *testing.B) {
			bench(b, func(ctx context.Context) error { return o.Open(ctx, o.Deadline(ctx), addr) })
		})
		b.Run("dial "+args, func(b *testing.B) {
			bench(b, func(ctx context.Context) error {
				c, err := o.Dial(ctx, o.Deadline(ctx), addr)
				if err != nil {
					return err
				}
				return c.Close()
			})
		})
	}
}

func bench(b *testing.B, connect func(context.Context) error) {
	b.ReportAllocs()
	b.SetParallelism(8)
	before := cpu()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := connect(b.Context()); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(cpu()-before)/float64(b.N)/1000, "cpu-us/op")
}

// cpu is the processor time of this process, both ends of the connections.
func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
