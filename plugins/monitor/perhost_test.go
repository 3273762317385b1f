package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/monitor"
)

// byName is a check whose answer is told by the host's name.
func byName(_ context.Context, host string) (string, error) {
	switch {
	case strings.HasPrefix(host, "dead"):
		return "", fmt.Errorf("connect: %w", syscall.ECONNREFUSED)
	case strings.HasPrefix(host, "blind"):
		return "", fmt.Errorf("connect: %w", syscall.EMFILE)
	case strings.HasPrefix(host, "odd"):
		return "", context.Canceled
	case strings.HasPrefix(host, "late"):
		return "", monitor.Late("connect to " + host)
	case strings.HasPrefix(host, "mute"):
		return "", nil
	case strings.HasPrefix(host, "chatty"):
		return "hello\r\nweb9: \x1b[31mfake line\x00", nil
	}
	return "port 80 open", nil
}

// known is a monitor.Host without its times.
type known struct {
	Name, Detail string
	OK           bool
}

func strip(hosts []monitor.Host) (out []known) {
	for _, h := range hosts {
		out = append(out, known{h.Name, h.Detail, h.OK})
	}
	return out
}

func TestPerHost(t *testing.T) {
	for name, tt := range map[string]struct {
		hosts   string
		brief   bool
		cause   monitor.Cause
		exit    int
		summary string
		detail  string
		known   []known
	}{
		"no hosts": {cause: monitor.Exited},
		"one well": {
			hosts: "a", cause: monitor.Exited, detail: "a: port 80 open (0ms)\n",
			known: []known{{"a", "port 80 open (0ms)", true}},
		},
		"one that says nothing": {
			hosts: "mute", cause: monitor.Exited, detail: "mute: ok (0ms)\n",
			known: []known{{"mute", "ok (0ms)", true}},
		},
		"one dead": {
			hosts: "dead", cause: monitor.Exited, exit: 1, summary: "dead",
			detail: "dead: connect: connection refused (0ms)\n",
			known:  []known{{"dead", "connect: connection refused (0ms)", false}},
		},
		"one late": {
			hosts: "late", cause: monitor.Exited, exit: 1, summary: "late",
			detail: "late: no answer in 0ms: connect to late\n",
			known:  []known{{"late", "no answer in 0ms: connect to late", false}},
		},
		"one blind": {
			hosts: "blind", cause: monitor.LocalFault,
			summary: "blind: connect: too many open files",
			detail:  "blind: not judged: connect: too many open files\n",
		},
		"cancelled by itself": {
			hosts: "odd", cause: monitor.NotRun, summary: "odd: context canceled",
			detail: "odd: not judged: context canceled\n",
		},
		"failed are sorted and come first": {
			hosts: "a dead2 b dead1 dead2", cause: monitor.Exited, exit: 1, summary: "dead1 dead2",
			detail: "dead2: connect: connection refused (0ms)\ndead1: connect: connection refused (0ms)\n" +
				"dead2: connect: connection refused (0ms)\na: port 80 open (0ms)\nb: port 80 open (0ms)\n",
			known: []known{
				{"a", "port 80 open (0ms)", true}, {"dead2", "connect: connection refused (0ms)", false},
				{"b", "port 80 open (0ms)", true}, {"dead1", "connect: connection refused (0ms)", false},
				{"dead2", "connect: connection refused (0ms)", false},
			},
		},
		"failed beats blind": {
			hosts: "a blind dead", cause: monitor.Exited, exit: 1, summary: "dead",
			detail: "dead: connect: connection refused (0ms)\nblind: not judged: connect: too many open files\na: port 80 open (0ms)\n",
			known:  []known{{"a", "port 80 open (0ms)", true}, {"dead", "connect: connection refused (0ms)", false}},
		},
		"blind beats well": {
			hosts: "a blind1 blind2 b", cause: monitor.LocalFault,
			summary: "blind1: connect: too many open files (and 1 more)",
			detail: "blind1: not judged: connect: too many open files\nblind2: not judged: connect: too many open files\n" +
				"a: port 80 open (0ms)\nb: port 80 open (0ms)\n",
			known: []known{{"a", "port 80 open (0ms)", true}, {"b", "port 80 open (0ms)", true}},
		},
		"brief": {
			hosts: "a dead blind", brief: true, cause: monitor.Exited, exit: 1, summary: "dead",
			detail: "dead: connect: connection refused (0ms)\nblind: not judged: connect: too many open files\n",
			known:  []known{{"a", "port 80 open (0ms)", true}, {"dead", "connect: connection refused (0ms)", false}},
		},
		"a host cannot forge lines": {
			hosts: "chatty", cause: monitor.Exited,
			detail: "chatty: hello web9:  [31mfake line (0ms)\n",
			known:  []known{{"chatty", "hello web9:  [31mfake line (0ms)", true}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := monitor.EachHost{One: byName, Brief: tt.brief}
				got := m.Check(t.Context(), monitor.Request{Hosts: strings.Fields(tt.hosts)})
				want := monitor.Result{Cause: tt.cause, Exit: tt.exit, Summary: tt.summary, Detail: tt.detail, Started: time.Now()}
				hosts := got.Hosts
				got.Hosts = nil
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
				if d := cmp.Diff(tt.known, strip(hosts)); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

func names(n int) (hosts []string) {
	for i := range n {
		hosts = append(hosts, fmt.Sprintf("h%03d", i))
	}
	return hosts
}

func TestPerHostRunsInParallelButBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		m := monitor.PerHost(func(context.Context, string) (string, error) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return "", nil
		})
		r := m.Check(t.Context(), monitor.Request{Hosts: names(200)})
		if r.Blind() || r.Failing() || len(r.Hosts) != 200 {
			t.Errorf("got %v, %d hosts", r.Cause, len(r.Hosts))
		}
		if most.Load() != 64 || r.Took != 4*time.Second {
			t.Errorf("%d at once, took %v; want 64 and 4s", most.Load(), r.Took)
		}
		if r.Hosts[7].Took != time.Second {
			t.Errorf("a host took %v, want 1s", r.Hosts[7].Took)
		}
	})
}

func TestOneHostRunsInTheCallersGoroutine(t *testing.T) {
	var stack string
	m := monitor.PerHost(func(context.Context, string) (string, error) {
		stack = string(debug.Stack())
		return "", nil
	})
	m.Check(t.Context(), monitor.Request{Hosts: []string{"a"}})
	if !strings.Contains(stack, t.Name()) {
		t.Errorf("not called from here:\n%s", stack)
	}
}

// wait is a check that ends with its context.
func wait(ctx context.Context, _ string) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

func TestDeadlineIsAVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		r := monitor.PerHost(wait).Check(ctx, monitor.Request{Hosts: []string{"b", "a"}})
		want := monitor.Result{
			Cause: monitor.Exited, Exit: 1, Summary: "a b",
			Detail: "b: no answer in 10s: context deadline exceeded\na: no answer in 10s: context deadline exceeded\n",
		}
		r.Hosts, r.Started, r.Took = nil, time.Time{}, 0
		if d := cmp.Diff(want, r); d != "" {
			t.Error(d)
		}
	})
}

func TestHostsThatNobodyGotToAreNotJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reached := map[string]bool{}
		for range 40 { // the chance that lot leaves one host out of all is (1/2)^40
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			r := monitor.EachHost{One: wait, Parallel: 2}.Check(ctx, monitor.Request{Hosts: names(4)})
			cancel()
			if r.Cause != monitor.Exited || r.Exit != 1 || len(strings.Fields(r.Summary)) != 2 || len(r.Hosts) != 2 {
				t.Fatalf("want two failed hosts, got %v %q", r.Cause, r.Summary)
			}
			if n := strings.Count(r.Detail, "not judged: the time limit passed before its turn came"); n != 2 {
				t.Fatalf("want two hosts not judged: %q", r.Detail)
			}
			for _, h := range r.Hosts {
				reached[h.Name] = true
			}
		}
		if len(reached) != 4 {
			t.Errorf("the same hosts are always first: %v", reached)
		}
	})
}

func TestExpiredBeforeTheStart(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	for _, hosts := range [][]string{{"a"}, {"a", "b"}} {
		r := monitor.PerHost(byName).Check(ctx, monitor.Request{Hosts: hosts})
		if r.Cause != monitor.Overloaded || len(r.Hosts) != 0 {
			t.Errorf("%v: got %v, %v", hosts, r.Cause, r.Hosts)
		}
	}
}

func TestCancelledIsBlind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, hosts := range [][]string{{"a"}, {"a", "b"}} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			r := monitor.PerHost(wait).Check(ctx, monitor.Request{Hosts: hosts})
			if r.Cause != monitor.NotRun || r.Summary != "the check was cancelled" || r.Took != time.Second {
				t.Errorf("%v: got %v %q", hosts, r.Cause, r.Summary)
			}
		}
	})
}

func TestPanicReachesTheCaller(t *testing.T) {
	for name, hosts := range map[string][]string{"alone": {"bug"}, "beside others": {"a", "bug", "b", "c"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer func() {
					v := recover()
					if v == nil || !strings.Contains(fmt.Sprint(v), "nil pointer") {
						t.Errorf("recovered %v", v)
					}
					if s, ok := v.(interface{ Stack() []byte }); ok && !strings.Contains(string(s.Stack()), "perhost_test.go") {
						t.Errorf("not the stack of the check:\n%s", s.Stack())
					}
					if _, ok := errors.AsType[runtime.Error](v.(error)); !ok {
						t.Errorf("%T does not wrap the runtime's error", v)
					}
				}()
				monitor.PerHost(func(ctx context.Context, host string) (string, error) {
					if host == "bug" {
						var r *monitor.Request
						return r.Group, nil
					}
					return wait(ctx, host) // ended by the panic, else by nothing
				}).Check(t.Context(), monitor.Request{Hosts: hosts})
				t.Error("no panic")
			})
		})
	}
}

func TestLongTextIsCut(t *testing.T) {
	m := monitor.PerHost(func(context.Context, string) (string, error) {
		return "", errors.New(strings.Repeat("ä", 100_000))
	})
	r := m.Check(t.Context(), monitor.Request{Hosts: []string{"a"}})
	if n := len(r.Detail); n > 1100 || !strings.Contains(r.Detail, "ä... (") {
		t.Errorf("%d bytes: %q", n, r.Detail[max(0, n-40):])
	}
}

func TestTimeoutsOfConnections(t *testing.T) {
	m := monitor.PerHost(func(context.Context, string) (string, error) {
		return "", fmt.Errorf("read: %w", os.ErrDeadlineExceeded)
	})
	r := m.Check(t.Context(), monitor.Request{Hosts: []string{"a"}})
	if !r.Failing() || !strings.HasPrefix(r.Detail, "a: no answer in ") {
		t.Errorf("got %q", r.Detail)
	}
}

func TestWarningIsASuccess(t *testing.T) {
	look := func(_ context.Context, host string) (monitor.Host, error) {
		h := monitor.Host{Detail: "fine", Perf: map[string]float64{"rtt_ms": 3}}
		switch host {
		case "old":
			return h, monitor.Warning("certificate ends in 2 days")
		case "dead":
			return h, errors.New("gone")
		}
		return h, nil
	}
	m := monitor.EachHost{Look: look, Brief: true}
	r := m.Check(t.Context(), monitor.Request{Hosts: []string{"young", "old"}})
	if r.Cause != monitor.Exited || r.Exit != 0 || !r.Warn || r.Summary != "old: certificate ends in 2 days" {
		t.Errorf("got %v, exit %d, warn %v, %q", r.Cause, r.Exit, r.Warn, r.Summary)
	}
	if !strings.HasPrefix(r.Detail, "old: warning: certificate ends in 2 days (") || strings.Contains(r.Detail, "young") {
		t.Errorf("got %q", r.Detail)
	}
	for _, h := range r.Hosts {
		if !h.OK || h.Perf["rtt_ms"] != 3 {
			t.Errorf("got %+v", h)
		}
	}
	r = m.Check(t.Context(), monitor.Request{Hosts: []string{"old", "dead"}})
	if r.Exit != 1 || r.Warn || r.Summary != "dead" {
		t.Errorf("beside a failure: exit %d, warn %v, %q", r.Exit, r.Warn, r.Summary)
	}
}

func TestSpan(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0ms":     0,
		"0.01ms":  5 * time.Microsecond,
		"0.31ms":  312 * time.Microsecond,
		"1ms":     time.Millisecond,
		"12.4ms":  12_386 * time.Microsecond,
		"250ms":   250 * time.Millisecond,
		"999ms":   999_400 * time.Microsecond,
		"1s":      999_700 * time.Microsecond,
		"1.25s":   1_254 * time.Millisecond,
		"10s":     10_003 * time.Millisecond,
		"99.9s":   99_900 * time.Millisecond,
		"1m40s":   100 * time.Second,
		"1h0m10s": time.Hour + 10*time.Second + time.Millisecond,
	} {
		if got := monitor.Span(d); got != want {
			t.Errorf("Span(%d) = %q, want %q", d, got, want)
		}
	}
}

func BenchmarkPerHost(b *testing.B) {
	m := monitor.PerHost(byName)
	for _, n := range []int{1, 8} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := monitor.Request{Hosts: names(n)}
			b.ReportAllocs()
			for b.Loop() {
				m.Check(b.Context(), r)
			}
		})
	}
}

// Sum follows the rules of EachHost for hosts that were looked at together.
func TestSum(t *testing.T) {
	seen := []monitor.Seen{
		{Host: monitor.Host{Name: "web1", Took: 2 * time.Millisecond, Perf: map[string]float64{"rtt_ms": 2}}},
		{Host: monitor.Host{Name: "web2", Took: time.Second}, Err: monitor.Late("sent 1 echo request")},
		{Host: monitor.Host{Name: "web3"}, Err: monitor.ErrNotStarted},
	}
	r := monitor.Sum(seen, false)
	const detail = "web2: no answer in 1s: sent 1 echo request\nweb3: not judged: the time limit passed before its turn came\nweb1: ok (2ms)\n"
	if r.Cause != monitor.Exited || r.Exit != 1 || r.Summary != "web2" || r.Detail != detail {
		t.Errorf("%+v", r)
	}
	want := []monitor.Host{
		{Name: "web1", Detail: "ok (2ms)", OK: true, Took: 2 * time.Millisecond, Perf: map[string]float64{"rtt_ms": 2}},
		{Name: "web2", Detail: "no answer in 1s: sent 1 echo request", Took: time.Second},
	}
	if diff := cmp.Diff(want, r.Hosts); diff != "" {
		t.Error(diff)
	}
	if r := monitor.Sum(seen[2:], true); r.Cause != monitor.Overloaded {
		t.Errorf("%+v", r)
	}
}

func TestHostsAreJudgedTogether(t *testing.T) {
	e := monitor.EachHost{
		One: func(_ context.Context, host string) (string, error) {
			if host == "dead" {
				return "", errors.New("refused")
			}
			return "page of " + host, nil
		},
		Together: func(hosts []string, errs []error) {
			for i, host := range hosts {
				switch {
				case host == "stale" && errs[i] == nil:
					errs[i] = errors.New("differs")
				case host == "odd":
					errs[i] = monitor.Warning("deserves a look")
				case host == "dead" && errs[i] == nil:
					t.Error("the error of dead is not told")
				}
			}
			hosts[0] = "spoilt" // it is a copy
		},
	}
	r := e.Check(t.Context(), monitor.Request{Hosts: []string{"well", "stale", "odd", "dead"}})
	if r.Summary != "dead stale" || r.Hosts[0].Name != "well" || !strings.Contains(r.Detail, "stale: differs (") || !strings.Contains(r.Detail, "odd: warning: deserves a look (") {
		t.Errorf("%s", r.Output())
	}
	r = e.Check(t.Context(), monitor.Request{Hosts: []string{"well", "odd"}})
	if r.Failing() || !r.Warn {
		t.Errorf("%s", r.Output())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e.Together = func([]string, []error) { t.Error("a cancelled check is judged") }
	if r := e.Check(ctx, monitor.Request{Hosts: []string{"well"}}); r.Cause != monitor.NotRun {
		t.Errorf("%v", r.Cause)
	}
}
