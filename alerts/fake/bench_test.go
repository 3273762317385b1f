package fake

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/alerts/fake/address/addresstest"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/role/boottime"
)

// timer is an announcer that notes when the addresses are in the kernel.
type timer struct {
	silence
	at chan time.Duration
}

func (t timer) Took(role.Group, []address.Address) { t.at <- boottime.Now() }

// BenchmarkTake is the time from a token to the last address of its group in the
// kernel, when announcements begin ("kernel"), and to the word that all of them
// were seen there ("seen"). One operation is a take and a release.
func BenchmarkTake(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkTake(b, n) })
	}
}

func benchmarkTake(b *testing.B, n int) {
	s := addresstest.New(b)
	s.Pair(b, "eth0", "10.0.0.1/24", "2001:db8::1/64")
	ctx, cancel := context.WithCancel(context.Background())
	work, stands, took := make(chan role.Work), make(chan role.Stand, 1000), timer{at: make(chan time.Duration, 1)}
	a := NewFactory(Options{Open: func() (Kernel, error) { return s.Open() }, Announcer: took, Log: quiet(), Context: ctx})(flag.NewFlagSet("", flag.ContinueOnError)).(*fakeAlert)
	done := make(chan struct{})
	go func() { defer close(done); _ = a.Hold(ctx, work, func(r role.Stand) { stands <- r }) }()
	args := []string{"--group", "web"}
	for i := range n {
		args = append(args, fmt.Sprintf("10.1.%d.%d/32/eth0", i/250, i%250+1))
	}
	work <- role.Work{Full: true, Lines: []role.Line{{Group: "web", Args: args}}}
	epoch := uint64(0)
	say := func(hold bool) (began time.Duration) {
		epoch++
		began = boottime.Now()
		work <- role.Work{Tokens: []role.Token{{Group: "web", Hold: hold, Epoch: epoch, Until: began + time.Hour, Lease: 3 * time.Second}}}
		for r := range stands {
			if r.Epoch == epoch && (r.Held == n) == hold {
				break
			}
		}
		return began
	}
	var kernel, seen time.Duration
	for b.Loop() {
		began := say(true)
		seen += boottime.Now() - began
		kernel += <-took.at - began
		say(false)
	}
	b.ReportMetric(float64(kernel.Microseconds())/float64(b.N), "µs-kernel")
	b.ReportMetric(float64(seen.Microseconds())/float64(b.N), "µs-seen")
	cancel()
	<-done
	gone := a.owner.Work().Done
	<-gone
}
