package ping

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

func TestMain(m *testing.M) { echotest.Main(m) }

// configure makes a monitor of a command line.
func configure(args ...string) (monitor.Monitor, error) {
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	m := With(&resolve.Resolver{Func: func(_ context.Context, host string) ([]netip.Addr, error) {
		if host == "alive" {
			return []netip.Addr{netip.MustParseAddr("fd09::1:1"), netip.MustParseAddr("10.9.0.99")}, nil
		}
		return nil, errors.New("no such host")
	}})(fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	return m, m.(monitor.Validator).Validate()
}

func check(t testing.TB, hosts, options string) monitor.Result {
	t.Helper()
	m, err := configure(strings.Fields(options)...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Check(t.Context(), monitor.Request{Hosts: strings.Fields(hosts)})
}

// played is a network in which a host loses, of ten pings, as many as the third
// byte of its address says, and answers as somebody else if that is 200.
func played(t testing.TB) {
	var mu sync.Mutex
	counts := map[netip.Addr]int{}
	echotest.Open(t, func(p echotest.Packet) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		counts[p.Dst]++
		lost := 0
		if p.Dst.Is4() {
			lost = int(p.Dst.As4()[2])
		}
		switch {
		case lost == 200:
			return [][]byte{p.ReplyBy(p.Dst, func(icmp []byte) []byte { icmp[20] ^= 1; return icmp })}
		case (counts[p.Dst]-1)%10 < lost:
			return nil
		}
		return [][]byte{p.Reply(), p.Reply()} // twice: that is not better than once
	})
}

// text is a Result without times.
func text(r monitor.Result) string {
	detail, _, _ := strings.Cut(r.Detail, ", round trip")
	if a, b, ok := strings.Cut(detail, "no answer in "); ok {
		_, b, _ = strings.Cut(b, ": ")
		detail = a + "no answer: " + strings.TrimSpace(b)
	}
	return fmt.Sprintf("%v %d %v %q", r.Cause, r.Exit, r.Warn, strings.TrimSpace(detail))
}

func TestCheck(t *testing.T) {
	played(t)
	const fast = "-c 10 -i 5 -w 1000 "
	for name, tt := range map[string]struct{ host, options, want string }{
		"none lost":      {"10.9.0.9", fast, `exited 0 false "10.9.0.9: 0 of 10 pings lost"`},
		"some lost":      {"10.9.3.9", fast, `exited 0 false "10.9.3.9: 3 of 10 pings lost (30%)"`},
		"too many":       {"10.9.3.9", fast + "-loss 30%", `exited 1 false "10.9.3.9: 3 of 10 pings lost (30%)"`},
		"just not":       {"10.9.3.9", fast + "-loss 31", `exited 0 false "10.9.3.9: 3 of 10 pings lost (30%)"`},
		"warned":         {"10.9.3.9", fast + "-loss 50% -warn-loss 10%", `exited 0 true "10.9.3.9: warning: 3 of 10 pings lost (30%)"`},
		"all lost":       {"10.9.10.9", fast, `exited 1 false "10.9.10.9: no answer: 10 pings sent"`},
		"of another":     {"10.9.200.9", fast, `exited 1 false "10.9.200.9: no answer: 10 pings sent"`},
		"too slow":       {"10.9.0.9", fast + "-rtt 0.000001", `exited 1 false "10.9.0.9: 0 of 10 pings lost"`},
		"warned of slow": {"10.9.0.9", fast + "-warn-rtt 0.000001", `exited 0 true "10.9.0.9: warning: 0 of 10 pings lost"`},
		"v6":             {"fd09::9", fast, `exited 0 false "fd09::9: 0 of 10 pings lost"`},
		"by name":        {"alive", fast, `exited 0 false "alive: 0 of 10 pings lost"`},
		"by name, v6":    {"alive", fast + "-6", `exited 0 false "alive: 0 of 10 pings lost"`},
		"one, dressed":   {"10.9.0.9", "-c 1 -size 1000 -ttl 9 -source 10.9.0.1", `exited 0 false "10.9.0.9: 0 of 1 pings lost"`},
		"no name":        {"nobody", fast, `local fault 0 false "nobody: not judged: name nobody has no address: no such host"`},
		"no route":       {"10.66.0.1", fast, `local fault 0 false "10.66.0.1: not judged: ping 10.66.0.1: network is unreachable"`},
		"not our source": {"10.9.0.9", fast + "-source 192.0.2.1", `local fault 0 false "10.9.0.9: not judged: ping 10.9.0.9: cannot assign requested address"`},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, text(check(t, tt.host, tt.options))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnreachableRoute(t *testing.T) {
	echotest.Need(t)
	if err := echotest.IP("route add unreachable 10.66.0.0/16"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = echotest.IP("route del unreachable 10.66.0.0/16") }()
	const want = `exited 1 false "10.66.0.1: ping 10.66.0.1: no route to host`
	if got := text(check(t, "10.66.0.1", "-c 2")); !strings.HasPrefix(got, want) {
		t.Error(got)
	}
}

func TestPerf(t *testing.T) {
	played(t)
	h := check(t, "10.9.2.9", "-c 10 -i 5 -w 100").Hosts[0]
	p := h.Perf
	if p["sent"] != 10 || p["loss_pct"] != 20 || p["min_ms"] <= 0 || p["min_ms"] > p["avg_ms"] || p["avg_ms"] > p["max_ms"] || p["stddev_ms"] < 0 || len(p) != 6 {
		t.Error(p)
	}
	p = check(t, "10.9.10.9", "-c 2 -i 5 -w 100").Hosts[0].Perf
	if diff := cmp.Diff(map[string]float64{"sent": 2, "loss_pct": 100}, p); diff != "" {
		t.Error(diff)
	}
}

// A check that is cancelled ends soon, and without a verdict.
func TestCancel(t *testing.T) {
	played(t)
	m, err := configure("-c", "5", "-w", "60000", "-t", "100")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	r := m.Check(ctx, monitor.Request{Hosts: []string{"10.9.10.9"}})
	if r.Cause != monitor.NotRun || r.Took > 10*time.Second {
		t.Errorf("%+v", r)
	}
}

func TestUnprivileged(t *testing.T) {
	played(t)
	if err := echotest.Sysctl("net/ipv4/ping_group_range", "0 2147483647"); err != nil {
		t.Fatal(err)
	}
	m, err := configure("-c", "3", "-i", "5", "-w", "100")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"10.9.0.9", "fd09::9"} {
		s, err := m.(*probe).run(t.Context(), netip.MustParseAddr(host), false)
		if err != nil || s.sent != 3 || s.received != 3 {
			t.Errorf("%s: %+v, %v", host, s, err)
		}
	}
}

func TestSample(t *testing.T) {
	var s sample
	if s.loss() != 0 || s.mean() != 0 || s.deviation() != 0 || len(s.perf()) != 2 {
		t.Errorf("%+v", s)
	}
	s.sent = 5
	for _, ms := range []int{2, 4, 4, 6} {
		s.add(time.Duration(ms) * time.Millisecond)
	}
	want := map[string]float64{"sent": 5, "loss_pct": 20, "min_ms": 2, "avg_ms": 4, "max_ms": 6, "stddev_ms": math.Sqrt2}
	got := s.perf()
	for k, v := range want {
		if math.Abs(got[k]-v) > 1e-9 {
			t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
	if got, want := s.String(), "1 of 5 pings lost (20%), round trip 4ms on average, 2ms to 6ms"; got != want {
		t.Error(got)
	}
}

func TestOptions(t *testing.T) {
	for args, want := range map[string]string{
		"": "",
		"-c 3 -i 1s -loss 20% -warn-loss 5 -rtt 100 -warn-rtt 50ms": "",
		"-c 0":                     `invalid value "0" for flag -c: want a whole number from 1 to 10000`,
		"-loss 0":                  `invalid value "0" for flag -loss: want a share above 0 and up to 100%, such as 20%`,
		"-loss 101%":               `invalid value "101%" for flag -loss: want a share above 0 and up to 100%, such as 20%`,
		"-loss NaN":                `invalid value "NaN" for flag -loss: want a share above 0 and up to 100%, such as 20%`,
		"-loss 20% -warn-loss 20%": "option --warn-loss: 20% is not below --loss, 20%, from which on hosts fail",
		"-rtt 100 -warn-rtt 100":   "option --warn-rtt: 100ms is not below --rtt, 100ms, from which on hosts fail",
		"-rtt 11s":                 "options --rtt and --warn-rtt: no answer is waited for longer than the time limit of 10s",
		"-c 60":                    "options -c, -i and -t: 60 pings every 200ms take 11.8s, and the time limit is 10s",
		"-c 60 -t 12":              "",
		"-size 23":                 `invalid value "23" for flag -size: want a whole number from 24 to 65507`,
		"-4 -6":                    "options -4 and -6: only one of them can be given",
	} {
		_, err := configure(strings.Fields(args)...)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", args, diff)
		}
	}
}
