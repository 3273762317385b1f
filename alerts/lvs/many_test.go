package lvs

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/alerts/internal/shared"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/words"
	"github.com/mondhq/mond/plugins/alert"
)

// The size that the project promises for.
const (
	manyVirtuals = 1000
	manyReals    = 10
)

// many are the claims of n virtual services with m real servers each.
func many(n, m int) []alert.Claim {
	out := make([]alert.Claim, 0, n*(m+1))
	for i := range n {
		v := fmt.Sprintf("-P tcp -V 10.%d.%d.1:80", i/250, i%250)
		out = append(out, claim(v+" --service -s wlc"))
		for k := range m {
			out = append(out, claim(fmt.Sprintf("%s -R 192.168.%d.%d -W 5 -F dr", v, k, i%250+1)))
		}
	}
	return out
}

// Reads of a reload are those of what changed, a storm is one pass.
func TestManyVirtuals(t *testing.T) {
	r := newRig(t, ipvs.NewFake(), nil)
	claims := many(100, 3)
	r.keep(true, claims...)
	if got := r.fake.Calls("Services"); got != 1 {
		t.Errorf("%d reads of all virtual services at the start, want 1", got)
	}
	list := writes(r.fake)
	reads := r.fake.Calls("Destinations")

	r.keep(true, claims...) // a reload without a change
	wantWrites(t, list)
	if n := r.fake.Calls("Destinations") - reads; n != 0 {
		t.Errorf("%d reads of a reload without a change", n)
	}
	changed := append([]alert.Claim(nil), claims...)
	changed[1].Down = true // a reload with one
	r.keep(true, changed...)
	wantWrites(t, list, "DeleteDestination tcp 10.0.0.1:80 192.168.0.1:80")
	if n := r.fake.Calls("Destinations") - reads; n != 1 {
		t.Errorf("%d reads of a reload with one change, want 1", n)
	}
	reads = r.fake.Calls("Destinations")
	storm(t, r, claims)
	if n := r.fake.Calls("Destinations") - reads; n != 100 {
		t.Errorf("%d reads in a storm over 100 virtual services, want 100", n)
	}
	if n := len(*list); n != 299 {
		t.Errorf("%d edits, want 299", n)
	}
}

func storm(t *testing.T, r *rig, claims []alert.Claim) {
	var out []alert.Claim
	for _, c := range claims {
		if !strings.Contains(c.ID, "--service") {
			c.Down = true
			out = append(out, c)
		}
	}
	r.keep(false, out...)
	if s := r.fake.Text(); strings.Contains(s, "-a") {
		t.Errorf("left:\n%s", s)
	}
}

// A resync of many virtual services looks at each once, and at once only at a
// few; what strays is found within one round.
func TestResyncOfManyIsSpread(t *testing.T) {
	r := newRig(t, ipvs.NewFake(), nil)
	r.keep(true, many(100, 1)...)
	v := virtual("10.0.70.1:80")
	must(t, r.fake.UpdateService(t.Context(), ipvs.Service{Virtual: v, Scheduler: "rr"}))
	must(t, r.fake.DeleteDestination(t.Context(), virtual("10.0.99.1:80"), netip.MustParseAddrPort("192.168.0.100:80")))
	before := r.fake.Calls("Destinations")
	var each []int
	_, err := shared.Ask(t.Context(), r.alert.owner.Work(), func(d *desk) (int, error) {
		for d.beginRound(); ; d.resync() {
			each = append(each, r.fake.Calls("Destinations")-before)
			before = r.fake.Calls("Destinations")
			if d.round.slice >= d.round.slices {
				return 0, nil
			}
		}
	})
	must(t, err)
	sum := 0
	for _, n := range each {
		if sum += n; n > sliceSize+1 { // with what strays
			t.Errorf("%d virtual services at once", n)
		}
	}
	if sum != 100 || len(each) < 4 {
		t.Errorf("looked at %v", each)
	}
	if s := r.fake.Text(); strings.Contains(s, "rr") || strings.Count(s, "-a") != 100 {
		t.Errorf("not right again:\n%s", s)
	}
}

// Where looking takes longer than a resync has, it does not take all the time.
func TestResyncOfManyRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, ipvs.NewFake(), nil)
		r.keep(true, many(100, 1)...)
		const each = 100 * time.Millisecond // 10 s for all
		var looked atomic.Int64
		r.fake.Fail(func(method string, _ ipvs.Virtual, _ netip.AddrPort) error {
			if method == "Destinations" {
				looked.Add(1)
				time.Sleep(each)
			}
			return nil
		})
		time.Sleep(2 * time.Minute)
		took := time.Duration(looked.Load()) * each
		if least, most := 30*time.Second, 45*time.Second; took < least || took > most {
			t.Errorf("it looked for %v of 2 minutes, want a third", took)
		}
		r.end()
	})
}

// A report that is too long for one answer goes on in the next.
func TestReportInParts(t *testing.T) {
	r := newRig(t, ipvs.NewFake(), nil)
	r.keep(true, many(400, 3)...)
	rows, services, parts := 0, 0, 0
	for more := "0"; more != ""; parts++ {
		text, err := r.alert.Show(t.Context(), "table after "+more)
		must(t, err)
		if len(text) > 512<<10 {
			t.Errorf("%d bytes", len(text))
		}
		rep := decode(t, text)
		for _, table := range rep.Tables {
			rows, services = rows+len(table.Rows), services+len(table.Services)
		}
		more = rep.More
	}
	if rows != 1200 || services != 400 || parts < 2 {
		t.Errorf("%d rows, %d virtual services in %d parts", rows, services, parts)
	}
}

// costly is a table whose every call costs what a netlink call does: a message
// to somebody else and one back.
type costly struct {
	*ipvs.Fake
	to net.Conn
}

func newCostly(b *testing.B, f *ipvs.Fake) costly {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET, 0)
	must(b, err)
	ends := make([]net.Conn, 2)
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "pair")
		ends[i], err = net.FileConn(file)
		must(b, err)
		must(b, file.Close())
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := ends[1].Read(buf)
			if err != nil {
				return
			}
			if _, err := ends[1].Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	b.Cleanup(func() { _, _ = ends[0].Close(), ends[1].Close() })
	c := costly{f, ends[0]}
	f.Fail(func(method string, _ ipvs.Virtual, _ netip.AddrPort) error {
		buf := make([]byte, 200)
		if method == "Destinations" {
			buf = make([]byte, manyReals*300)
		}
		if _, err := c.to.Write(buf); err != nil {
			return err
		}
		_, err := c.to.Read(buf)
		return err
	})
	return c
}

// keeper is an owner of a costly table with many claims.
func keeper(b *testing.B) (*lvsAlert, []alert.Claim) {
	fake := ipvs.NewFake()
	ctx, cancel := context.WithCancel(context.Background())
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	table := ipvs.Table(newCostly(b, fake))
	a := NewFactory(Options{Context: ctx, StateDir: b.TempDir(), Sockets: []string{}, Log: slog.New(slog.DiscardHandler), Resync: time.Hour,
		Open: func(at words.Place) (ipvs.Table, error) {
			if underLab() {
				return openTable(at)
			}
			return table, nil
		}})(fs).(*lvsAlert)
	b.Cleanup(func() {
		cancel()
		done := a.owner.Work().Done
		<-done
	})
	claims := many(manyVirtuals, manyReals)
	began := time.Now()
	must(b, a.Keep(b.Context(), true, claims))
	b.Logf("first set of %d claims: %v", len(claims), time.Since(began))
	return a, claims
}

// BenchmarkMany is what an owner of 1,000 virtual services with 10 real servers
// each does; ops are those of a table that costs what netlink does.
func BenchmarkMany(b *testing.B) { benchmarkMany(b) }

func BenchmarkLabMany(b *testing.B) {
	ipvsadm(b, "-C")
	defer ipvsadm(b, "-C")
	benchmarkMany(b)
}

func benchmarkMany(b *testing.B) {
	a, claims := keeper(b)
	down := false
	b.Run("decision", func(b *testing.B) {
		var took []time.Duration
		defer cpu(b, 0)()
		for b.Loop() {
			began := time.Now()
			down = !down
			c := claims[5501+1]
			c.Down = down
			must(b, a.Keep(b.Context(), false, []alert.Claim{c}))
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-us")
	})
	b.Run("reload with one change", func(b *testing.B) {
		defer cpu(b, 0)()
		for b.Loop() {
			down = !down
			all := append([]alert.Claim(nil), claims...)
			all[5502].Down = down
			must(b, a.Keep(b.Context(), true, all))
		}
	})
	b.Run("storm of 1000", func(b *testing.B) {
		defer cpu(b, 0)()
		for b.Loop() {
			down = !down
			var changed []alert.Claim
			for i := range manyVirtuals {
				c := claims[i*(manyReals+1)+3]
				c.Down = down
				changed = append(changed, c)
			}
			must(b, a.Keep(b.Context(), false, changed))
		}
	})
	b.Run("resync", func(b *testing.B) {
		defer cpu(b, defaultResync)()
		for b.Loop() {
			_, err := shared.Ask(b.Context(), a.owner.Work(), func(d *desk) (int, error) {
				for d.beginRound(); d.round.slice < d.round.slices; {
					d.resync()
				}
				return 0, nil
			})
			must(b, err)
		}
	})
}

// cpu reports the CPU time of an op, and its share of every if that is not 0.
func cpu(b *testing.B, every time.Duration) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() {
		each := (used() - before) / time.Duration(b.N)
		b.ReportMetric(float64(each.Microseconds()), "cpu-us/op")
		if every > 0 {
			b.ReportMetric(100*each.Seconds()/every.Seconds(), "cpu-%")
		}
	}
}
