package lvs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mondhq/mond/alerts/internal/shared"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/report"
	"github.com/mondhq/mond/alerts/lvs/words"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/getopt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	shop = "-A -t 10.0.0.3:80 -s wlc\n"
	web1 = "-P tcp -V 10.0.0.3:80 -R 192.168.0.1 -W 5 -F dr"
	web2 = "-P tcp -V 10.0.0.3:80 -R 192.168.0.2 -W 5 -F dr"
	row1 = "-a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 5\n"
	row2 = "-a -t 10.0.0.3:80 -r 192.168.0.2:80 -g -w 5\n"
)

func virtual(s string) ipvs.Virtual {
	return ipvs.Virtual{Protocol: ipvs.TCP, Addr: netip.MustParseAddrPort(s)}
}

func shopTable() *ipvs.Fake {
	return ipvs.NewFake(ipvs.Service{Virtual: virtual("10.0.0.3:80"), Scheduler: "wlc"})
}

// logText is a log that may be read while it is written.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// rig is a keeper whose tables are fakes.
type rig struct {
	t     *testing.T
	opt   Options
	fake  *ipvs.Fake
	log   *logText
	new   alert.New
	alert *lvsAlert
	end   context.CancelFunc
}

// newRig makes one with the table fake as the kernel's; change may change its
// options.
func newRig(t *testing.T, fake *ipvs.Fake, change func(*Options)) *rig {
	r := &rig{t: t, fake: fake, log: &logText{}}
	ctx, cancel := context.WithCancel(context.Background())
	r.opt = Options{
		Open:     func(words.Place) (ipvs.Table, error) { return fake, nil },
		Log:      slog.New(slog.NewTextHandler(r.log, nil)),
		StateDir: t.TempDir(),
		Sockets:  []string{},
		Context:  ctx,
	}
	if change != nil {
		change(&r.opt)
	}
	r.new = NewFactory(r.opt)
	r.alert = r.make("")
	r.end = func() {
		cancel()
		if done := r.alert.owner.Work().Done; done != nil {
			<-done
		}
	}
	t.Cleanup(r.end)
	return r
}

// make makes an alert of a list of arguments.
func (r *rig) make(args string) *lvsAlert {
	r.t.Helper()
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	a := r.new(fs).(*lvsAlert)
	if _, err := getopt.Parse(fs, strings.Fields(args)); err != nil {
		r.t.Fatal(err)
	}
	return a
}

func (r *rig) keep(full bool, claims ...alert.Claim) {
	r.t.Helper()
	if err := r.alert.Keep(r.t.Context(), full, claims); err != nil {
		r.t.Fatal(err)
	}
}

// resync has the owner look at all tables now.
func (r *rig) resync() {
	r.t.Helper()
	_, err := shared.Ask(r.t.Context(), r.alert.owner.Work(), func(d *desk) (struct{}, error) {
		for d.beginRound(); d.round.slice < d.round.slices; {
			d.resync()
		}
		d.saveRecord()
		return struct{}{}, nil
	})
	must(r.t, err)
}

// want compares the table with text, by writes since the last want.
func (r *rig) want(text string) {
	r.t.Helper()
	if d := cmp.Diff(text, r.fake.Text()); d != "" {
		r.t.Errorf("table (-want +got):\n%s", d)
	}
}

func claim(args string, change ...func(*alert.Claim)) alert.Claim {
	c := alert.Claim{ID: "shop:http lvs.alert " + args, Reason: "because", Args: strings.Fields(args)}
	for _, f := range change {
		f(&c)
	}
	return c
}

func down(c *alert.Claim)        { c.Down = true }
func withdrawn(c *alert.Claim)   { c.Withdrawn = true }
func provisional(c *alert.Claim) { c.Provisional = true }

func by(service string) func(*alert.Claim) {
	return func(c *alert.Claim) { c.ID = service + " " + c.ID }
}

func TestKeep(t *testing.T) {
	r := newRig(t, shopTable(), nil)
	r.keep(true, claim(web1), claim(web2, down))
	r.want(shop + row1)
	r.keep(false, claim(web2))
	r.want(shop + row1 + row2)
	r.keep(false, claim(web1, down))
	r.want(shop + row2)
	r.keep(false, claim(web1, down, by("ping")))
	r.keep(false, claim(web1))
	r.want(shop + row2) // ping says down still
	r.keep(false, claim(web1, by("ping"), withdrawn))
	r.want(shop + row1 + row2)
	r.keep(false, claim(web1, withdrawn))
	r.want(shop + row1 + row2) // hands off
	if n := r.fake.Writes(); n != 4 {
		t.Errorf("%d writes, want 4", n)
	}
}

func TestKeepOfManyLists(t *testing.T) {
	r := newRig(t, shopTable(), nil)
	r.keep(true, claim(web1))
	other := r.make(web2) // Keep may be called on any alert of the factory
	if err := other.Keep(t.Context(), false, []alert.Claim{claim(web2)}); err != nil {
		t.Fatal(err)
	}
	r.want(shop + row1 + row2)
}

func TestNothingBeforeTheFullSet(t *testing.T) {
	r := newRig(t, shopTable(), nil)
	if err := r.alert.Keep(t.Context(), false, []alert.Claim{claim(web1)}); !errors.Is(err, errNoFull) {
		t.Errorf("got %v, want errNoFull", err)
	}
	if n := r.fake.Writes() + r.fake.Calls("Destinations"); n != 0 {
		t.Errorf("%d calls before the full set", n)
	}
}

func TestProvisionalStays(t *testing.T) {
	r := newRig(t, shopTable(), nil)
	r.keep(true, claim(web1, provisional), claim(web2, provisional, down))
	r.want(shop)
	r.keep(false, claim(web1))
	r.want(shop + row1)
}

func TestForeignRowsStay(t *testing.T) {
	fake := shopTable()
	foreign := ipvs.Destination{Addr: netip.MustParseAddrPort("192.168.0.9:80"), Weight: 3}
	if err := fake.AddDestination(t.Context(), virtual("10.0.0.3:80"), foreign); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, fake, nil)
	r.keep(true, claim(web1))
	r.keep(true) // nothing is claimed: hands off
	r.want(shop + row1 + "-a -t 10.0.0.3:80 -r 192.168.0.9:80 -m -w 3\n")
}

func TestBadClaimStopsNoOther(t *testing.T) {
	r := newRig(t, shopTable(), nil)
	err := r.alert.Keep(t.Context(), true, []alert.Claim{claim("-V nonsense"), claim(web1)})
	if err == nil || !alert.IsPermanent(err) || !strings.Contains(err.Error(), "shop:http") {
		t.Errorf("got %v, want a permanent error that names the claim", err)
	}
	r.want(shop + row1)
}

func TestRefusedRowStopsNoOther(t *testing.T) {
	r := newRig(t, shopTable(), nil)
	boom := errors.New("boom")
	r.fake.Fail(func(method string, _ ipvs.Virtual, real netip.AddrPort) error {
		if method == "AddDestination" && real.Addr().String() == "192.168.0.1" {
			return boom
		}
		return nil
	})
	err := r.alert.Keep(t.Context(), true, []alert.Claim{claim(web1), claim(web2)})
	if !errors.Is(err, boom) || alert.IsPermanent(err) {
		t.Errorf("got %v, want boom, to be tried again", err)
	}
	r.want(shop + row2)
}

// A table that changes between the reading and the edit is read again.
func TestLostRace(t *testing.T) {
	r := newRig(t, shopTable(), nil)
	raced := false
	r.fake.Fail(func(method string, v ipvs.Virtual, real netip.AddrPort) error {
		if method == "AddDestination" && !raced {
			raced = true
			return ipvs.ErrExists
		}
		return nil
	})
	r.keep(true, claim(web1))
	r.want(shop + row1)
}

func TestResync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, shopTable(), nil)
		ctx := t.Context()
		r.keep(true, claim(web1), claim(web2, down))
		v := virtual("10.0.0.3:80")
		row := ipvs.Destination{Addr: netip.MustParseAddrPort("192.168.0.1:80"), Weight: 77, Forward: ipvs.Direct, Upper: 9}
		must(t, r.fake.UpdateDestination(ctx, v, row))
		row.Addr = netip.MustParseAddrPort("192.168.0.2:80")
		must(t, r.fake.AddDestination(ctx, v, row))
		time.Sleep(defaultResync + time.Second)
		r.want(shop + "-a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 5 -x 9\n")
		now := r.report()
		if got := now.Tables[0].Counts; got != (report.Counts{Added: 1, Set: 1, Deleted: 1, Repaired: 2}) {
			t.Errorf("counts %+v", got)
		}
		writes := r.fake.Writes()
		time.Sleep(time.Minute)
		if n := r.fake.Writes() - writes; n != 0 {
			t.Errorf("%d writes where nothing was to do", n)
		}
		r.end()
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) report() report.Report {
	r.t.Helper()
	text, err := r.alert.Show(r.t.Context(), "")
	must(r.t, err)
	return decode(r.t, text)
}

func decode(t *testing.T, text string) (out report.Report) {
	t.Helper()
	must(t, json.Unmarshal([]byte(text), &out))
	return out
}

func TestPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, ipvs.NewFake(), nil)
		r.keep(true, claim(web1)) // no error: nothing can be done about it here
		if rows := r.report().Tables[0].Rows; len(rows) != 1 || rows[0].State != "pending" || rows[0].Want != "in" {
			t.Errorf("rows %+v, want one pending", rows)
		}
		must(t, r.fake.AddService(t.Context(), ipvs.Service{Virtual: virtual("10.0.0.3:80"), Scheduler: "wlc"}))
		time.Sleep(defaultResync + time.Second)
		r.want(shop + row1)
		if n := r.report().Tables[0].Repaired; n != 0 {
			t.Errorf("%d repaired: what was pending is no edit by others", n)
		}
		if n := strings.Count(r.log.String(), "pending"); n != 1 {
			t.Errorf("logged %d times, want once:\n%s", n, r.log)
		}
		r.end()
	})
}

// A kernel without IPVS is an error; when the module comes, so do the rows.
func TestTableComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := shopTable()
		var there atomic.Bool
		r := newRig(t, fake, func(o *Options) {
			o.Open = func(words.Place) (ipvs.Table, error) {
				if !there.Load() {
					return nil, ipvs.ErrNoKernel
				}
				return fake, nil
			}
		})
		err := r.alert.Keep(t.Context(), true, []alert.Claim{claim(web1)})
		if !errors.Is(err, ipvs.ErrNoKernel) || alert.IsPermanent(err) {
			t.Errorf("got %v, want ErrNoKernel, to be tried again", err)
		}
		time.Sleep(time.Minute)
		if n := strings.Count(r.log.String(), "does not agree"); n != 1 {
			t.Errorf("logged %d times, want once", n)
		}
		there.Store(true)
		time.Sleep(defaultResync + time.Second)
		r.want(shop + row1)
		r.end()
	})
}

func TestFailedWriteIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, shopTable(), nil)
		r.keep(true, claim(web1))
		r.fake.Fail(func(method string, _ ipvs.Virtual, _ netip.AddrPort) error {
			if method == "DeleteDestination" {
				return ipvs.ErrTimeout
			}
			return nil
		})
		if err := r.alert.Keep(t.Context(), false, []alert.Claim{claim(web1, down)}); !errors.Is(err, ipvs.ErrTimeout) {
			t.Errorf("got %v, want ErrTimeout", err)
		}
		if !r.fake.Closed() {
			t.Error("a table that does not answer was kept open")
		}
		r.fake.Fail(nil)
		time.Sleep(defaultResync + time.Second)
		r.want(shop)
		r.end()
	})
}

// A keeper that starts anew and finds what it left writes nothing at all.
func TestRestartWritesNothing(t *testing.T) {
	fake, dir := shopTable(), t.TempDir()
	same := func(o *Options) { o.StateDir = dir }
	first := newRig(t, fake, same)
	first.keep(true, claim(web1), claim(web2, down))
	first.end()
	writes := fake.Writes()
	before, err := os.Stat(filepath.Join(dir, recordName))
	must(t, err)
	second := newRig(t, fake, same)
	second.keep(true, claim(web1), claim(web2, down))
	second.end()
	if n := fake.Writes() - writes; n != 0 {
		t.Errorf("%d writes after a restart", n)
	}
	after, err := os.Stat(filepath.Join(dir, recordName))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the record was written again: %v", err)
	}
}

func TestSeveralTables(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "demo")
	must(t, os.WriteFile(file, []byte(shop), 0o600))
	r := newRig(t, shopTable(), func(o *Options) {
		kernel := o.Open
		o.Open = func(at words.Place) (ipvs.Table, error) {
			if at.File == "" {
				return kernel(at)
			}
			return ipvs.OpenFile(at.File)
		}
	})
	r.keep(true, claim(web1), claim(web2+" --table "+file))
	r.want(shop + row1)
	if got, _ := os.ReadFile(file); string(got) != shop+row2 {
		t.Errorf("file:\n%s", got)
	}
	r.keep(true, claim(web1)) // the file is let go of, as it is
	if got, _ := os.ReadFile(file); string(got) != shop+row2 {
		t.Errorf("file:\n%s", got)
	}
	if n := len(r.report().Tables); n != 1 {
		t.Errorf("%d tables, want 1", n)
	}
}

func TestShow(t *testing.T) {
	fake := shopTable()
	foreign := ipvs.Destination{Addr: netip.MustParseAddrPort("192.168.0.9:80"), Weight: 3}
	must(t, fake.AddDestination(t.Context(), virtual("10.0.0.3:80"), foreign))
	r := newRig(t, fake, nil)
	if text, err := r.alert.Show(t.Context(), ""); err != nil || text != idleReport {
		t.Errorf("before the first claim: %q, %v", text, err)
	}
	r.keep(true, claim(web1), claim(web2))
	r.keep(true, claim(web1), claim(web1, down, by("ping")))
	got := r.report()
	want := report.Report{Ready: true, Tables: []report.Table{{Table: "kernel", Counts: report.Counts{Added: 2, Deleted: 1}, Services: []report.Service{
		{Virtual: "tcp 10.0.0.3:80", State: "foreign", Scheduler: "wlc", Actual: "-t 10.0.0.3:80 -s wlc"},
	}, Rows: []report.Row{
		{Virtual: "tcp 10.0.0.3:80", Real: "192.168.0.1:80", Want: "out", State: "agrees", Why: []report.Why{
			{Claim: "ping shop:http lvs.alert " + web1, Down: true, Reason: "because"},
			{Claim: "shop:http lvs.alert " + web1, Reason: "because"},
		}},
		{Virtual: "tcp 10.0.0.3:80", Real: "192.168.0.2:80", State: "left", Actual: &report.Real{Weight: 5, Forward: "dr"}},
		{Virtual: "tcp 10.0.0.3:80", Real: "192.168.0.9:80", State: "foreign", Actual: &report.Real{Weight: 3, Forward: "nat"}},
	}}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if text, err := r.make(web1).Show(t.Context(), "table"); text != "" || err != nil {
		t.Errorf("a second alert shows it again: %q, %v", text, err)
	}
	if _, err := r.alert.Show(t.Context(), "weather"); err == nil {
		t.Error("an unknown topic was accepted")
	}
}

func TestEndedOwner(t *testing.T) {
	r := newRig(t, shopTable(), nil)
	r.keep(true, claim(web1))
	r.end()
	if err := r.alert.Keep(t.Context(), true, nil); !errors.Is(err, shared.ErrEnded) {
		t.Errorf("got %v, want shared.ErrEnded", err)
	}
	if !r.fake.Closed() {
		t.Error("the table was not closed")
	}
	r.want(shop + row1)
}

// BenchmarkDecision is from a claim to the table.
func BenchmarkDecision(b *testing.B) {
	file := filepath.Join(b.TempDir(), "table")
	must(b, os.WriteFile(file, []byte(shop), 0o600))
	for name, args := range map[string]string{"file": web1 + " --table " + file, "fake": web1} {
		b.Run(name, func(b *testing.B) { benchmark(b, args) })
	}
}

func benchmark(b *testing.B, args string) {
	fake := shopTable()
	ctx, cancel := context.WithCancel(b.Context())
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	a := NewFactory(Options{Context: ctx, StateDir: b.TempDir(), Sockets: []string{}, Log: slog.New(slog.DiscardHandler),
		Open: func(at words.Place) (ipvs.Table, error) {
			if at == (words.Place{}) && !underLab() {
				return fake, nil
			}
			return openTable(at)
		}})(fs).(*lvsAlert)
	must(b, a.Keep(b.Context(), true, []alert.Claim{claim(args)}))
	isDown := false
	for b.Loop() {
		isDown = !isDown
		c := claim(args)
		c.Down = isDown
		must(b, a.Keep(b.Context(), false, []alert.Claim{c}))
	}
	cancel()
	done := a.owner.Work().Done
	<-done
}
