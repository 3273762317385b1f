package line

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/view"
)

// busy is a rig of n services, one in ten of which fails.
func busy(b *testing.B, n int) *rig {
	r := newRig(b, many(n))
	r.opt.Log = slog.New(slog.DiscardHandler)
	at := noon.Add(-time.Minute)
	i := 0
	for name := range r.rows {
		i++
		r.change(name, func(v *view.Service) {
			v.State = opstatus.State{Status: opstatus.OK, Tested: true, LastOK: at, LastCheck: at, Took: 3e7, Summary: "web1.example 12 ms", Output: "web1.example 12 ms\nweb2.example 14 ms\n"}
			if i%10 == 0 {
				v.State.Status, v.State.Exit, v.State.FirstFail, v.State.LastFail = opstatus.Fail, 1, at, at
				v.State.Output = "web1.example\n" + strings.Repeat("connection \"refused\"\n", 20)
			}
		})
	}
	return r
}

// nowhere is a client that takes everything at once.
type nowhere struct{ net.Conn }

func (nowhere) SetWriteDeadline(time.Time) error { return nil }
func (nowhere) Write(b []byte) (int, error)      { return len(b), nil }

// cpu reports the CPU that an operation takes, of client and server together:
// unlike the time it says something on a machine that others use.
func cpu(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
}

func BenchmarkRender10000(b *testing.B) {
	r := busy(b, 10000)
	c := &session{Server: r.Server, ctx: b.Context(), set: r.set}
	c.out = reply{to: nowhere{}}
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		listOpstatus(c, "")
		_ = c.out.flush()
	}
}

// BenchmarkList10000 is a client on this machine that lists 10,000 services.
func BenchmarkList10000(b *testing.B) {
	r := busy(b, 10000)
	c := dial(b, r.serve(b))
	in := bufio.NewReaderSize(c, 64<<10)
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		ask(b, c, in, "list opstatus\n", 1)
	}
}

func BenchmarkPingPong(b *testing.B) {
	c := dial(b, busy(b, 100).serve(b))
	in := bufio.NewReader(c)
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		ask(b, c, in, "list state\n", 1)
	}
}

// BenchmarkPipelined sends 100 commands in one packet.
func BenchmarkPipelined(b *testing.B) {
	c := dial(b, busy(b, 100).serve(b))
	in := bufio.NewReader(c)
	commands := strings.Repeat("list state\n", 100)
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		ask(b, c, in, commands, 100)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/command")
}

// ask sends commands and reads so many answers.
func ask(b *testing.B, c io.Writer, in *bufio.Reader, commands string, answers int) {
	if _, err := io.WriteString(c, commands); err != nil {
		b.Fatal(err)
	}
	for answers > 0 {
		line, err := in.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		if likeStatus(bytes.TrimSuffix(line, []byte("\n"))) {
			answers--
		}
	}
}
