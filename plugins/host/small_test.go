package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/mondhq/mond/plugins/classic"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

func TestBackoff(t *testing.T) {
	var r row
	now, at := t0, []time.Duration(nil)
	for range 9 {
		p := r.end(time.Time{}, now)
		at = append(at, p)
		now = now.Add(p)
	}
	want := []time.Duration{0, 100e6, 200e6, 400e6, 800e6, 1600e6, 2e9, 2e9, 2e9}
	if diff := cmp.Diff(want, at); diff != "" {
		t.Error(diff)
	}
	if p := r.end(time.Time{}, t0.Add(2*time.Minute)); p != 25600*time.Millisecond {
		t.Errorf("after a minute: %v", p)
	}
	if p := r.end(time.Time{}, t0.Add(3*time.Minute)); p != pauseMost {
		t.Errorf("longest: %v", p)
	}
	if p := r.end(t0.Add(4*time.Minute), t0.Add(5*time.Minute)); p != 0 {
		t.Errorf("after a steady run: %v", p)
	}
}

func TestSuspects(t *testing.T) {
	var s suspects
	both := []string{"a", "b"}
	if s.any() || len(s.crashed(both)) != 0 || !s.any() {
		t.Error("one crash is nobody's fault")
	}
	s.answered("b") // an answer in between clears it
	if diff := cmp.Diff([]string{"a"}, s.crashed(both)); diff != "" {
		t.Error(diff)
	}
	if !s.alone("a") || s.alone("b") || s.alone("c") {
		t.Error("who is alone")
	}
	s.answered("a") // alone, and well: let go once
	if s.alone("a") {
		t.Error("not let go")
	}
	s.crashed(both[:1])
	s.crashed(both[:1])
	s.answered("a")
	if !s.alone("a") {
		t.Error("let go twice")
	}
	s.forget()
	if s.any() {
		t.Error("not forgotten")
	}
}

func TestGrantable(t *testing.T) {
	have := []cap.Value{cap.NET_RAW, cap.NET_ADMIN}
	for _, tt := range []struct {
		grants, wants, missing []string
		caps                   []uintptr
	}{
		{nil, []string{"cap_net_raw"}, nil, nil},
		{[]string{"cap_net_raw"}, nil, nil, nil},
		{[]string{"cap_net_raw", "cap_net_admin"}, []string{"cap_net_raw"}, nil, []uintptr{13}},
		{[]string{"cap_net_raw", "cap_net_admin"}, []string{"cap_net_raw", "cap_net_admin", "cap_net_raw"}, nil, []uintptr{12, 13}},
		{[]string{"cap_sys_time"}, []string{"cap_sys_time"}, []string{"cap_sys_time"}, nil},
		{[]string{"cap_nonsense"}, []string{"cap_nonsense"}, nil, nil},
	} {
		caps, missing := grantable(tt.grants, tt.wants, have)
		if fmt.Sprint(caps, missing) != fmt.Sprint(tt.caps, tt.missing) {
			t.Errorf("%v and %v: got %v, missing %v", tt.grants, tt.wants, caps, missing)
		}
	}
}

func TestHclogToSlog(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l := newHclog(log, slog.LevelWarn).With("a", 1).Named("x").Named("y")
	l.Error("bad", "f", hclog.Fmt("%d%%", 5), "d", time.Second)
	l.Trace("not seen")
	l.StandardLogger(nil).Print("std")
	got := out.String()
	for _, want := range []string{"level=WARN msg=bad a=1 f=5% d=1s", "msg=std"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	if strings.Contains(got, "not seen") || l.Name() != "x.y" || l.IsTrace() || !l.IsDebug() || !l.IsInfo() || !l.IsWarn() || !l.IsError() || l.GetLevel() != hclog.Debug || len(l.ImpliedArgs()) != 2 {
		t.Errorf("%s", got)
	}
}

func TestPluginLog(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p := newPluginLog(log)
	clock := time.Now()
	p.now = func() time.Time { return clock }
	p.read(strings.NewReader(`{"@level":"warn","@message":"table differs","n":3,"@module":"m"}` + "\n" +
		`{"@message": 5, "@level": []}` + "\nplain\n\npanic: boo\ngoroutine 1\n" + strings.Repeat("y", 100<<10) + "\nlast"))
	for _, want := range []string{`level=WARN msg="table differs" n=3`, "level=ERROR msg=\"panic: boo\"", "level=DEBUG msg=plain", "msg=last"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %.3000s", want, out.String())
		}
	}
	if p.words() != "panic: boo" {
		t.Errorf("last words %q", p.words())
	}
	if out.Len() > 40<<10 {
		t.Errorf("a long line was not cut: %d bytes", out.Len())
	}
	out.Reset()
	for range 1000 {
		p.line("x")
	}
	clock = clock.Add(2 * time.Second)
	p.line("x")
	if n := strings.Count(out.String(), "msg=x"); n > linesASecond+1 || !strings.Contains(out.String(), "lines were left out") {
		t.Errorf("%d lines were passed on", n)
	}
}

func FuzzPluginLog(f *testing.F) {
	for _, s := range []string{`{"@message":"x","@level":"info"}`, `{"@message":5}`, "panic: x", "{", "\xff\n\r\n", `{"@message":"x","a":{"b":[null]}}`} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		p := newPluginLog(slog.New(slog.DiscardHandler))
		p.read(strings.NewReader(s))
		_ = p.words()
	})
}

func FuzzHandshake(f *testing.F) {
	for _, s := range []string{"1|1|unix|/x|grpc|", "1|7|unix|/x|grpc", "2|1|unix|/x|grpc", "1|1|unix|/x", "|||", "a|b|c|d"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		if isHandshake(s) {
			_ = badVersion(s)
		}
	})
}

func TestMailboxMergesWhileTheReaderIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMailbox()
		for id := range uint64(100) {
			m.put(job.Done{ID: id + 1})
		}
		m.restarted("a")
		m.restarted("b")
		m.restarted("a")
		synctest.Wait()
		if got := <-m.results; len(got) != 100 || got[99].ID != 100 {
			t.Errorf("%d in one batch", len(got))
		}
		if a, b := <-m.again, <-m.again; a != "a" || b != "b" {
			t.Errorf("restarted %s, %s", a, b)
		}
		for range maxReports + 10 {
			m.put(job.Done{})
		}
		synctest.Wait()
		if got := <-m.results; len(got) != maxReports || m.dropped.Load() != 10 {
			t.Errorf("%d reports, %d dropped", len(got), m.dropped.Load())
		}
		synctest.Wait() // what was taken has made room
		m.put(job.Done{})
		if got := <-m.results; len(got) != 1 {
			t.Errorf("%d reports after that", len(got))
		}
		m.close()
	})
}

// wireOf notes what is sent.
type wireOf struct{ sent []*pb.HostMessage }

func (w *wireOf) Send(m *pb.HostMessage) error { w.sent = append(w.sent, m); return nil }

func (w *wireOf) Recv() (*pb.PluginMessage, error) { return nil, errors.New("none") }

func TestWhatRepeatsIsSentOnce(t *testing.T) {
	w := &wireOf{}
	fs := newFlights(1<<20, noLoss)
	var refused []job.Done
	l := newLink(w, fs, func(d ...job.Done) { refused = append(refused, d...) })
	send := func(checks ...job.Check) {
		t.Helper()
		w.sent = nil
		fs.add(checks, t0)
		batch, _ := fs.take(nil, rpc.MaxItems, t0)
		if err := l.dispatch(batch, orders{}, t0); err != nil {
			t.Fatal(err)
		}
	}
	count := func() (subjects, jobs int) {
		for _, m := range w.sent {
			subjects += len(m.Subjects)
			jobs += len(m.Jobs)
		}
		return subjects, jobs
	}
	one, two := check(1, time.Second), check(2, time.Second)
	one.Request.Hosts = []string{"a", "b"}
	two.Request.Service = "t"
	send(one, two, one)
	if s, j := count(); s != 2 || j != 3 {
		t.Errorf("first: %d subjects, %d jobs", s, j)
	}
	send(one, two)
	if s, j := count(); s != 0 || j != 2 {
		t.Errorf("again: %d subjects, %d jobs", s, j)
	}
	one.Request.Hosts = []string{"a"}
	send(one)
	if s, _ := count(); s != 1 || w.sent[0].Subjects[0].Number != 0 {
		t.Errorf("changed: %v", w.sent)
	}
	big := check(9, time.Second)
	big.Request.Env = map[string]string{"MON_LAST_OUTPUT": strings.Repeat("x", 60<<10)}
	send(big, big, big, big, big, big, big, big, big)
	if len(w.sent) < 3 {
		t.Errorf("540 kB went in %d messages", len(w.sent))
	}
	huge := check(10, time.Second)
	huge.Request.Service, huge.Request.Args = "h", []string{strings.Repeat("x", rpc.MaxSubject+1)}
	send(huge)
	if _, j := count(); j != 0 || len(refused) != 1 || refused[0].Result.Cause != monitor.CouldNotStart {
		t.Errorf("what cannot be sent: %v", refused)
	}
}

func TestSubjectsBeginAnew(t *testing.T) {
	s := newSubjects()
	for i := range maxSubjects {
		if _, _, forget, err := s.number(monitor.Request{Service: fmt.Sprint(i)}); forget || err != nil {
			t.Fatal(i, forget, err)
		}
	}
	n, def, forget, err := s.number(monitor.Request{Service: "one more"})
	if n != 0 || def == nil || !forget || err != nil {
		t.Errorf("%d %v %v %v", n, def, forget, err)
	}
	if name, ok := s.name(0); !ok || name.name != "one more" {
		t.Errorf("%v", name)
	}
	if _, ok := s.name(1); ok {
		t.Error("an old number is known")
	}
}

// poolOf is a pool whose programs are functions.
func poolOf(most int, run func(context.Context, monitor.Request) monitor.Result) (*pool, *mailbox) {
	m := newMailbox()
	p := newPool(m, noLoss)
	p.run = func(ctx context.Context, _ classic.Exec, r monitor.Request) monitor.Result { return run(ctx, r) }
	p.resize(most)
	return p, m
}

func gather(m *mailbox, n int) map[uint64]monitor.Result {
	out := map[uint64]monitor.Result{}
	for len(out) < n {
		for _, d := range <-m.results {
			out[d.ID] = d.Result
		}
	}
	return out
}

func TestPoolIsFairAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		p, m := poolOf(1, func(ctx context.Context, r monitor.Request) monitor.Result {
			order = append(order, r.Service+r.Env[rpc.TimeoutEnv])
			select {
			case <-time.After(time.Second):
				return monitor.OK("")
			case <-ctx.Done():
				return monitor.Result{Cause: monitor.TimedOut}
			}
		})
		var jobs []job.Check
		for i, timeout := range []time.Duration{2, 4, 2, 5} {
			c := check(uint64(i+1), timeout*time.Second)
			c.Request.Service = fmt.Sprint(i + 1)
			jobs = append(jobs, c)
		}
		p.add(classic.Exec{}, jobs)
		got := gather(m, 4)
		if diff := cmp.Diff([]string{"12s", "23s", "43s"}, order); diff != "" {
			t.Error(diff)
		}
		if got[3].Cause != monitor.Overloaded || got[4].Cause != monitor.Exited {
			t.Errorf("got %v", got)
		}
		p.stop(t.Context())
		p.add(classic.Exec{}, jobs[:1])
		if got := gather(m, 1); got[1].Cause != monitor.NotRun {
			t.Errorf("after the stop: %v", got)
		}
		m.close()
	})
}

// A program that the kernel does not end keeps its place, and its check is
// answered all the same.
func TestPoolAnswersForAProgramThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p, m := poolOf(1, func(context.Context, monitor.Request) monitor.Result {
			<-release
			return monitor.OK("")
		})
		began := time.Now()
		p.add(classic.Exec{}, []job.Check{check(1, time.Second), check(2, time.Minute)})
		if got := gather(m, 1); got[1].Cause != monitor.LocalFault || time.Since(began) != time.Second+Grace {
			t.Errorf("got %v after %v", got, time.Since(began))
		}
		close(release)
		if got := gather(m, 1); got[2].Cause != monitor.Exited {
			t.Errorf("got %v", got)
		}
		p.stop(t.Context())
		m.close()
	})
}

func TestPoolCancelAndStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, m := poolOf(1, func(ctx context.Context, _ monitor.Request) monitor.Result {
			<-ctx.Done()
			return monitor.Blinded(monitor.NotRun, "stopped")
		})
		p.add(classic.Exec{}, []job.Check{check(1, time.Minute), check(2, time.Minute), check(3, time.Minute), check(4, time.Minute)})
		p.cancel(map[uint64]bool{1: true, 2: true})
		if got := gather(m, 2); got[1].Cause != monitor.NotRun || got[2].Cause != monitor.NotRun {
			t.Errorf("got %v", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		go p.stop(ctx)
		if got := gather(m, 2); got[3].Cause != monitor.NotRun || got[4].Cause != monitor.NotRun || time.Since(began) != drainMost {
			t.Errorf("got %v after %v", got, time.Since(began))
		}
		m.close()
	})
}

func TestPoolTimeLostByMondIsNoVerdict(t *testing.T) {
	p := &pool{}
	w := &errand{check: check(1, time.Second)}
	late := monitor.Result{Cause: monitor.TimedOut}
	if r := p.sober(late, w, 300*time.Millisecond); r.Cause != monitor.Overloaded {
		t.Errorf("got %v", r.Cause)
	}
	if r := p.sober(late, w, 0); r.Cause != monitor.TimedOut {
		t.Errorf("got %v", r.Cause)
	}
}
