package serve

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// fakeStream is the host's end of a session, without a wire.
type fakeStream struct {
	grpc.ServerStream
	ctx context.Context
	in  chan *pb.HostMessage
	out chan *pb.PluginMessage
}

func (f *fakeStream) Context() context.Context { return f.ctx }

func (f *fakeStream) Recv() (*pb.HostMessage, error) {
	select {
	case m := <-f.in:
		return m, nil
	case <-f.ctx.Done():
		return nil, io.EOF
	}
}

func (f *fakeStream) Send(m *pb.PluginMessage) error {
	// The session fills these slices again.
	m = &pb.PluginMessage{Results: slices.Clone(m.Results), Reports: m.Reports, Left: slices.Clone(m.Left), Pong: m.Pong, Drained: m.Drained}
	select {
	case f.out <- m:
		return nil
	case <-f.ctx.Done():
		return io.EOF
	}
}

// open begins a session with p; it ends with the test.
func open(t *testing.T, p Plugin) *fakeStream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &fakeStream{ctx: ctx, in: make(chan *pb.HostMessage), out: make(chan *pb.PluginMessage)}
	svc := newService(ctx, p, slog.New(slog.DiscardHandler))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = svc.Session(f)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return f
}

func subjectOf(n uint32, args ...string) *pb.Subject {
	return &pb.Subject{Number: n, Group: "g", Service: fmt.Sprint("s", n), Hosts: []string{"a", "b"}, Args: args}
}

// results reads until n have come.
func (f *fakeStream) results(n int) (out []monitor.Result) {
	for len(out) < n {
		for _, r := range (<-f.out).Results {
			out = append(out, rpc.DecodeResult(r, time.Now()))
		}
	}
	return out
}

// scripted is a monitor that does what -do says.
func scripted(fs *flag.FlagSet) monitor.Monitor {
	do := fs.String("do", "ok", "what to `do`")
	return monitor.Func(func(ctx context.Context, r monitor.Request) monitor.Result {
		switch *do {
		case "ok":
			return monitor.OK(strings.Join(r.Hosts, " ") + " " + r.Env["V"])
		case "fail":
			return monitor.Failed("a", "refused")
		case "panic":
			var m map[string]int
			m["x"] = 1
		case "goexit":
			runtime.Goexit()
		case "wait":
			<-ctx.Done()
			return monitor.Failed("a", ctx.Err().Error())
		case "nothing":
		}
		return monitor.Result{}
	})
}

func script(opts ...Option) Plugin {
	return Monitor("scripted.monitor", "does what it is told", scripted, opts...)
}

func TestEveryJobIsAnswered(t *testing.T) {
	for _, tt := range []struct {
		name   string
		args   []string
		cause  monitor.Cause
		exit   int
		has    string
		detail string
	}{
		{"ok", nil, monitor.Exited, 0, "a b 1", ""},
		{"operands come before the hosts", []string{"-do", "ok", "first"}, monitor.Exited, 0, "first a b 1", ""},
		{"fail", []string{"-dofail"}, monitor.CouldNotStart, 0, "no such option", ""},
		{"failed", []string{"-do=fail"}, monitor.Exited, 1, "a", "refused"},
		{"panic", []string{"--do", "panic"}, monitor.Panicked, 0, "assignment to entry in nil map", "session_test.go"},
		{"goexit", []string{"--do", "goexit"}, monitor.Panicked, 0, "ended its own goroutine", ""},
		{"zero result", []string{"--do", "nothing"}, monitor.NotRun, 0, "did not say why", ""},
		{"deadline", []string{"--do", "wait"}, monitor.Exited, 1, "a", "deadline exceeded"},
		{"bad option", []string{"-x"}, monitor.CouldNotStart, 0, "option -x: there is no such option", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := open(t, script())
				f.in <- &pb.HostMessage{
					Subjects: []*pb.Subject{subjectOf(1, tt.args...)},
					Jobs:     []*pb.Job{{Id: 5, Subject: 1, RemainingMs: 1000, Env: []string{"V", "1"}}},
				}
				r := f.results(1)[0]
				if r.Cause != tt.cause || r.Exit != tt.exit || !strings.Contains(r.Summary, tt.has) || !strings.Contains(r.Detail, tt.detail) {
					t.Errorf("got %v %d %q\n%s", r.Cause, r.Exit, r.Summary, r.Detail)
				}
			})
		})
	}
}

func TestPanicHurtsOnlyItsOwnCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, script())
		m := &pb.HostMessage{Subjects: []*pb.Subject{subjectOf(1), subjectOf(2, "-do", "panic")}}
		for id := range uint64(100) {
			m.Jobs = append(m.Jobs, &pb.Job{Id: id + 1, Subject: uint32(1 + id%2), RemainingMs: 1000})
		}
		f.in <- m
		n := map[monitor.Cause]int{}
		for _, r := range f.results(100) {
			n[r.Cause]++
		}
		if diff := cmp.Diff(map[monitor.Cause]int{monitor.Exited: 50, monitor.Panicked: 50}, n); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCancelIsNoVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, script())
		f.in <- &pb.HostMessage{
			Subjects: []*pb.Subject{subjectOf(1, "-do", "wait")},
			Jobs:     []*pb.Job{{Id: 5, Subject: 1, RemainingMs: 60_000}},
		}
		synctest.Wait()
		f.in <- &pb.HostMessage{Cancel: []uint64{5, 6}}
		if r := f.results(1)[0]; r.Cause != monitor.NotRun {
			t.Errorf("got %v %q", r.Cause, r.Summary)
		}
	})
}

func TestInflightLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, script(MaxInflight(2)))
		m := &pb.HostMessage{Subjects: []*pb.Subject{subjectOf(1, "-do", "wait")}}
		for id := range uint64(5) {
			m.Jobs = append(m.Jobs, &pb.Job{Id: id + 1, Subject: 1, RemainingMs: 1000})
		}
		f.in <- m
		for _, r := range f.results(3) {
			if r.Cause != monitor.Overloaded {
				t.Errorf("got %v, want overloaded", r.Cause)
			}
		}
		for _, r := range f.results(2) {
			if r.Cause != monitor.Exited {
				t.Errorf("got %v, want the two that run to end", r.Cause)
			}
		}
	})
}

func TestUnknownSubjectIsGarbled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, script())
		f.in <- &pb.HostMessage{Jobs: []*pb.Job{{Id: 1, Subject: 9, RemainingMs: 1000}}}
		if r := f.results(1)[0]; r.Cause != monitor.Garbled {
			t.Errorf("got %v", r.Cause)
		}
		f.in <- &pb.HostMessage{Subjects: []*pb.Subject{subjectOf(9)}}
		f.in <- &pb.HostMessage{Forget: true, Jobs: []*pb.Job{{Id: 2, Subject: 9, RemainingMs: 1000}}}
		if r := f.results(1)[0]; r.Cause != monitor.Garbled {
			t.Errorf("after forget: %v", r.Cause)
		}
	})
}

// A pong says that all jobs before the ping were begun, so it must not be
// quicker than their answers.
func TestPongComesAfterResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, script())
		m := &pb.HostMessage{Subjects: []*pb.Subject{subjectOf(1)}, Ping: 7}
		for id := range uint64(1000) {
			m.Jobs = append(m.Jobs, &pb.Job{Id: id + 1, Subject: 1, RemainingMs: 1000})
		}
		f.in <- m
		synctest.Wait() // all checks have answered; one message is being sent
		got := 0
		for got < 1000 {
			m := <-f.out
			if len(m.Results) > rpc.MaxItems {
				t.Errorf("%d results in one message", len(m.Results))
			}
			got += len(m.Results)
			if m.Pong != 0 && m.Pong != 7 {
				t.Errorf("pong %d", m.Pong)
			}
		}
	})
}

func TestDrainAnswersAllFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, script())
		f.in <- &pb.HostMessage{
			Subjects: []*pb.Subject{subjectOf(1, "-do", "wait")},
			Jobs:     []*pb.Job{{Id: 1, Subject: 1, RemainingMs: 1000}, {Id: 2, Subject: 1, RemainingMs: 2000}},
			Drain:    true,
		}
		f.in <- &pb.HostMessage{Jobs: []*pb.Job{{Id: 3, Subject: 1, RemainingMs: 1000}}}
		n := 0
		for {
			m := <-f.out
			n += len(m.Results)
			if m.Drained {
				break
			}
		}
		if n != 3 {
			t.Errorf("%d results before drained, want 3", n)
		}
	})
}

func TestOneInstanceForEqualArguments(t *testing.T) {
	made := 0
	p := Monitor("m", "", func(fs *flag.FlagSet) monitor.Monitor { made++; return scripted(fs) })
	c := newInstances(p)
	if c.get([]string{"-do", "ok"}) != c.get([]string{"-do", "ok"}) || made != 1 {
		t.Errorf("made %d", made)
	}
	if c.get(nil) == c.get([]string{""}) {
		t.Error("no argument and an empty one are the same")
	}
	for i := range maxInstances + 10 {
		c.get([]string{"-do", fmt.Sprint(i)})
	}
	if len(c.byKey) != maxInstances || len(c.all()) != maxInstances {
		t.Errorf("%d are remembered, want %d", len(c.byKey), maxInstances)
	}
}

func TestJudge(t *testing.T) {
	start := time.Now()
	base := timing{started: start, took: time.Second, limit: 2 * time.Second}
	slow, gone := base, base
	slow.lost = 600 * time.Millisecond
	gone.cancelled = true
	for _, tt := range []struct {
		name string
		in   monitor.Result
		t    timing
		want monitor.Cause
	}{
		{"ok", monitor.OK(""), base, monitor.Exited},
		{"failed", monitor.Failed("a", ""), base, monitor.Exited},
		{"failed while the plugin was stopped", monitor.Failed("a", ""), slow, monitor.Overloaded},
		{"timed out while the plugin was stopped", monitor.Result{Cause: monitor.TimedOut}, slow, monitor.Overloaded},
		{"ok though the plugin was stopped", monitor.OK(""), slow, monitor.Exited},
		{"cancelled", monitor.Failed("a", ""), gone, monitor.NotRun},
	} {
		r := judge(tt.in, tt.t)
		if r.Cause != tt.want || r.Started != start || r.Took != time.Second {
			t.Errorf("%s: got %+v", tt.name, r)
		}
	}
}

// watcher reports what is in its channel, and ends with its error.
type watcher struct {
	monitor.Func
	says chan monitor.Result
	end  chan error
	runs *int
}

func (w watcher) Watch(ctx context.Context, r monitor.Request, report func(monitor.Result)) error {
	*w.runs++
	for {
		select {
		case res := <-w.says:
			res.Detail = strings.Join(r.Hosts, " ")
			report(res)
		case err := <-w.end:
			if err == nil {
				panic("boo")
			}
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fakeStream) report() monitor.Result {
	for {
		if m := <-f.out; len(m.Reports) > 0 {
			return rpc.DecodeResult(m.Reports[0].Result, time.Now())
		}
	}
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		w := watcher{says: make(chan monitor.Result), end: make(chan error), runs: &runs}
		f := open(t, Monitor("w.monitor", "", func(*flag.FlagSet) monitor.Monitor { return w }))
		set := &pb.HostMessage{Subjects: []*pb.Subject{subjectOf(1)}, Watch: &pb.Watch{Watched: []*pb.Watched{{Subject: 1}}}}
		f.in <- set
		w.says <- monitor.OK("fine")
		if r := f.report(); r.Cause != monitor.Exited || r.Detail != "a b" {
			t.Errorf("got %+v", r)
		}
		f.in <- set // the same set again: nothing is disturbed
		synctest.Wait()
		if runs != 1 {
			t.Errorf("Watch was begun %d times", runs)
		}
		w.end <- errors.New("peer gone")
		if r := f.report(); !r.Blind() || !strings.Contains(r.Summary, "peer gone") {
			t.Errorf("after an error: %+v", r)
		}
		w.end <- nil // begun again by itself; panics
		if r := f.report(); r.Cause != monitor.Panicked {
			t.Errorf("after a panic: %+v", r)
		}
		w.says <- monitor.Failed("a", "") // and again
		if r := f.report(); !r.Failing() {
			t.Errorf("got %+v", r)
		}
		f.in <- &pb.HostMessage{Watch: &pb.Watch{}}
		synctest.Wait()
		select {
		case w.says <- monitor.OK(""):
			t.Error("still watched after it left the set")
		default:
		}
	})
}

func TestWatchOfAMonitorThatCannot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, script())
		f.in <- &pb.HostMessage{Subjects: []*pb.Subject{subjectOf(1)}, Watch: &pb.Watch{Watched: []*pb.Watched{{Subject: 1}}}}
		if r := f.report(); r.Cause != monitor.CouldNotStart {
			t.Errorf("got %+v", r)
		}
	})
}

func TestASecondSessionEndsTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		svc := newService(ctx, script(), slog.New(slog.DiscardHandler))
		begin := func(ctx context.Context) chan error {
			ended := make(chan error, 1)
			go func() { ended <- svc.Session(&fakeStream{ctx: ctx}) }()
			synctest.Wait()
			return ended
		}
		first := begin(ctx)
		second := begin(ctx)
		if err := <-first; !errors.Is(err, errSecond) {
			t.Errorf("the first ended with %v", err)
		}
		over, end := context.WithCancel(ctx)
		end()
		<-begin(over) // one that is over already ends nobody
		select {
		case err := <-second:
			t.Errorf("the second ended with %v", err)
		default:
		}
		cancel()
		<-second
	})
}

func TestOutboxKeepsTheLimits(t *testing.T) {
	o := newOutbox()
	big := strings.Repeat("x", 60<<10)
	for id := range uint64(20) {
		o.result(rpc.EncodeResult(id, monitor.Failed("", big), time.Now()))
	}
	for id := range uint64(300) {
		o.result(rpc.EncodeResult(id, monitor.OK(""), time.Now()))
	}
	o.answer(3)
	got, bytes := 0, 0
	err := o.deliver(o.take(nil), func(m *pb.PluginMessage) error {
		bytes = 0
		for _, r := range m.Results {
			bytes += rpc.ResultSize(r)
		}
		if bytes > rpc.MaxBytes || len(m.Results) > rpc.MaxItems {
			t.Errorf("%d results of %d bytes in one message", len(m.Results), bytes)
		}
		got += len(m.Results)
		if m.Pong != 0 && got != 320 {
			t.Errorf("pong after %d results", got)
		}
		return nil
	})
	if err != nil || got != 320 {
		t.Errorf("sent %d, %v", got, err)
	}
}
