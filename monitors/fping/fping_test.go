package fping

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
	"github.com/mondhq/mond/plugins/serve"
)

// asProgram is set in the environment to run this program as the monitor.
const asProgram = "MOND_TEST_FPING_MONITOR"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		serve.Main(serve.Monitor(Name, Synopsis, New))
	}
	echotest.Main(m)
}

// configure makes a monitor of a command line.
func configure(names *resolve.Resolver, args ...string) (monitor.Monitor, error) {
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	m := With(names)(fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	return m, m.(monitor.Validator).Validate()
}

// check runs one check.
func check(t testing.TB, hosts, options string) monitor.Result {
	t.Helper()
	m, err := configure(zone(), strings.Fields(options)...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Check(t.Context(), monitor.Request{Hosts: strings.Fields(hosts)})
}

// zone knows a few names.
func zone() *resolve.Resolver {
	return &resolve.Resolver{Func: func(ctx context.Context, host string) ([]netip.Addr, error) {
		switch host {
		case "alive":
			return []netip.Addr{netip.MustParseAddr("fd09::1:1"), netip.MustParseAddr("10.9.1.1")}, nil
		case "many":
			list := make([]netip.Addr, 1000)
			for i := range list {
				list[i] = netip.AddrFrom4([4]byte{10, 9, 1 + byte(i>>8), byte(i)})
			}
			return list, nil
		case "hangs":
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return nil, errors.New("no such host")
	}}
}

// played is a network in which what happens goes by the third byte of the
// address: 1 answers, 2 does not, 3 is unreachable, 4 answers the second time,
// 5 answers twice, 6 answers as somebody else.
func played(t testing.TB) (asked func() map[string]int) {
	var mu sync.Mutex
	counts := map[string]int{}
	router := netip.MustParseAddr("10.9.255.1")
	echotest.Open(t, func(p echotest.Packet) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		counts[p.Dst.String()]++
		kind := byte(1)
		if p.Dst.Is4() {
			kind = p.Dst.As4()[2]
		}
		switch {
		case kind == 1, kind == 4 && counts[p.Dst.String()] == 2:
			return [][]byte{p.Reply()}
		case kind == 3:
			return [][]byte{p.Error(router, 3, 1, 64)}
		case kind == 5:
			return [][]byte{p.Reply(), p.Reply()}
		case kind == 6:
			return [][]byte{p.ReplyBy(router, nil)}
		}
		return nil
	})
	return func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		got := counts
		counts = map[string]int{}
		return got
	}
}

// lines is a detail without times.
func lines(r monitor.Result) (list []string) {
	for line := range strings.Lines(r.Detail) {
		line = strings.TrimSpace(line)
		if i := strings.LastIndex(line, " ("); i >= 0 && strings.HasSuffix(line, "s)") {
			line = line[:i]
		}
		if a, b, ok := strings.Cut(line, "no answer in "); ok {
			_, b, _ = strings.Cut(b, ":")
			line = a + "no answer:" + b
		}
		list = append(list, line)
	}
	return list
}

func TestCheck(t *testing.T) {
	asked := played(t)
	for name, tt := range map[string]struct {
		hosts, options string
		cause          monitor.Cause
		exit           int
		summary        string
		detail         []string
		asked          int
	}{
		"no hosts": {cause: monitor.Exited},
		"alive": {hosts: "10.9.1.1", detail: []string{"10.9.1.1: ok"}, asked: 1,
			cause: monitor.Exited},
		"dead": {hosts: "10.9.2.1 10.9.1.1", options: "-t 100 -r 0", cause: monitor.Exited, exit: 1, summary: "10.9.2.1", asked: 2,
			detail: []string{"10.9.2.1: no answer: sent 1 echo request to 10.9.2.1", "10.9.1.1: ok"}},
		"tried three times": {hosts: "10.9.2.1", options: "-t 50 -r 2 -B 1", cause: monitor.Exited, exit: 1, summary: "10.9.2.1", asked: 3,
			detail: []string{"10.9.2.1: no answer: sent 3 echo requests to 10.9.2.1"}},
		"unreachable": {hosts: "10.9.3.1", cause: monitor.Exited, exit: 1, summary: "10.9.3.1", asked: 1,
			detail: []string{"10.9.3.1: 10.9.255.1 says host unreachable"}},
		"at the second": {hosts: "10.9.4.1", options: "-t 100", detail: []string{"10.9.4.1: ok, after 1 ping without an answer"}, asked: 2,
			cause: monitor.Exited},
		"twice":          {hosts: "10.9.5.1", detail: []string{"10.9.5.1: ok"}, asked: 1, cause: monitor.Exited},
		"somebody else":  {hosts: "10.9.6.1", options: "-t 50 -r 0", cause: monitor.Exited, exit: 1, summary: "10.9.6.1", asked: 1, detail: []string{"10.9.6.1: no answer: sent 1 echo request to 10.9.6.1"}},
		"named twice":    {hosts: "10.9.1.1 10.9.1.1", detail: []string{"10.9.1.1: ok", "10.9.1.1: ok"}, asked: 2, cause: monitor.Exited},
		"dead and twice": {hosts: "10.9.2.1 10.9.2.1", options: "-t 50 -r 0", cause: monitor.Exited, exit: 1, summary: "10.9.2.1", asked: 2, detail: []string{"10.9.2.1: no answer: sent 1 echo request to 10.9.2.1", "10.9.2.1: no answer: sent 1 echo request to 10.9.2.1"}},
		"slow": {hosts: "10.9.1.1", options: "-s 0.001", cause: monitor.Exited, exit: 1, summary: "10.9.1.1", asked: 1,
			detail: []string{"10.9.1.1: slow: it answered, and not within 0ms"}},
		"by name":        {hosts: "alive", detail: []string{"alive: ok"}, asked: 1, cause: monitor.Exited},
		"by name, v6":    {hosts: "alive", options: "-6", detail: []string{"alive: ok"}, asked: 1, cause: monitor.Exited},
		"many addresses": {hosts: "many", detail: []string{"many: ok"}, asked: 1, cause: monitor.Exited},
		"no name": {hosts: "10.9.1.1 nobody", cause: monitor.LocalFault, summary: "nobody: name nobody has no address: no such host", asked: 1,
			detail: []string{"nobody: not judged: name nobody has no address: no such host", "10.9.1.1: ok"}},
		"no name, and dead": {hosts: "10.9.2.1 nobody", options: "-t 50 -r 0", cause: monitor.Exited, exit: 1, summary: "10.9.2.1", asked: 1,
			detail: []string{"10.9.2.1: no answer: sent 1 echo request to 10.9.2.1", "nobody: not judged: name nobody has no address: no such host"}},
		"wrong family": {hosts: "10.9.1.1", options: "-6", cause: monitor.LocalFault, summary: "10.9.1.1: name 10.9.1.1 has no address: it is no IPv6 address",
			detail: []string{"10.9.1.1: not judged: name 10.9.1.1 has no address: it is no IPv6 address"}},
		"-a, one is alive": {hosts: "10.9.2.1 10.9.1.1", options: "-a -t 50 -r 0", cause: monitor.Exited, asked: 2,
			detail: []string{"10.9.2.1: no answer: sent 1 echo request to 10.9.2.1", "10.9.1.1: ok"}},
		"-a, all are dead": {hosts: "10.9.2.1 10.9.3.1", options: "-a -t 50 -r 0", cause: monitor.Exited, exit: 1, summary: "10.9.2.1 10.9.3.1", asked: 2,
			detail: []string{"10.9.2.1: no answer: sent 1 echo request to 10.9.2.1", "10.9.3.1: 10.9.255.1 says host unreachable"}},
		"-a, one is not known": {hosts: "10.9.3.1 nobody", options: "-a", cause: monitor.LocalFault, summary: "nobody: name nobody has no address: no such host", asked: 1,
			detail: []string{"10.9.3.1: 10.9.255.1 says host unreachable", "nobody: not judged: name nobody has no address: no such host"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, tt.hosts, tt.options)
			if r.Cause != tt.cause || r.Exit != tt.exit || r.Summary != tt.summary {
				t.Errorf("%v %d %q", r.Cause, r.Exit, r.Summary)
			}
			if diff := cmp.Diff(tt.detail, lines(r)); diff != "" {
				t.Error(diff)
			}
			n := 0
			for _, times := range asked() {
				n += times
			}
			if n != tt.asked {
				t.Errorf("%d requests were sent, want %d", n, tt.asked)
			}
		})
	}
}

func TestPerf(t *testing.T) {
	played(t)
	r := check(t, "10.9.1.1 10.9.4.1 10.9.3.1", "-t 200")
	for i, want := range []monitor.Host{
		{Name: "10.9.1.1", OK: true, Perf: map[string]float64{"sent": 1, "lost": 0}},
		{Name: "10.9.4.1", OK: true, Perf: map[string]float64{"sent": 2, "lost": 1}},
		{Name: "10.9.3.1", OK: false, Perf: map[string]float64{"sent": 1, "lost": 1}},
	} {
		got := r.Hosts[i]
		rtt, timed := got.Perf["rtt_ms"]
		if timed != want.OK || timed && (rtt <= 0 || got.Took != time.Duration(rtt*float64(time.Millisecond))) {
			t.Errorf("%+v", got)
		}
		delete(got.Perf, "rtt_ms")
		got.Detail, got.Took = "", 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// A resolver that hangs does not keep the others from being looked at.
func TestAResolverThatHangs(t *testing.T) {
	played(t)
	m, err := configure(zone(), "-t", "100", "-r", "0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	r := m.Check(ctx, monitor.Request{Hosts: []string{"hangs", "10.9.1.1", "10.9.2.1"}})
	if r.Summary != "10.9.2.1" || r.Took > 900*time.Millisecond || len(r.Hosts) != 2 {
		t.Errorf("%+v", r)
	}
}

func TestOptions(t *testing.T) {
	for args, want := range map[string]string{
		"":                            "",
		"-a -r 0 -s 100 -t 500 -4 -T": "",
		"-t 2s -B 1 --pace 100":       "",
		"-r 100":                      `invalid value "100" for flag -r: want a whole number from 0 to 99`,
		"-r -1":                       `invalid value "-1" for flag -r: want a whole number from 0 to 99`,
		"-t 0":                        `invalid value "0" for flag -t: want a time above 0 and up to 3600000 milliseconds, such as 500, 0.5 or 2s`,
		"-t x":                        `invalid value "x" for flag -t: want a time above 0 and up to 3600000 milliseconds, such as 500, 0.5 or 2s`,
		"-B 0.5":                      `invalid value "0.5" for flag -B: want a number from 1 to 5, such as 1.5`,
		"-B NaN":                      `invalid value "NaN" for flag -B: want a number from 1 to 5, such as 1.5`,
		"-size 11":                    `invalid value "11" for flag -size: want a whole number from 12 to 65507`,
		"-ttl 0":                      `invalid value "0" for flag -ttl: want a whole number from 1 to 255`,
		"-device abcdefghijklmnop":    `invalid value "abcdefghijklmnop" for flag -device: want the name of a network interface, such as eth0`,
		"-4 -6":                       "options -4 and -6: only one of them can be given",
		"-6 --source 127.0.0.1":       "option --source: 127.0.0.1 is no IPv6 address",
		"--source here":               `invalid value "here" for flag -source: want an IP address in figures`,
		"-t 100 -r 1 -s 251":          "option -s: no host is waited for as long as 251ms: with -t, -r and -B it is 250ms",
		"-tos 0x1c --mark 0xffffffff": "",
	} {
		_, err := configure(zone(), strings.Fields(args)...)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", args, diff)
		}
	}
}

// Without the right to ping the check is blind and says what to do.
func TestWithoutCapability(t *testing.T) {
	echotest.Need(t)
	if os.Geteuid() != 0 || echotest.Sysctl("net/ipv4/ping_group_range", "1 0") != nil {
		echotest.Missing(t, "root")
	}
	run := func() (string, int) {
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "127.0.0.1", "::1")
		cmd.Env = []string{asProgram + "=1"}
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, err := cmd.Output()
		exit, _ := errors.AsType[*exec.ExitError](err)
		if exit == nil && err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(out), "\n")
		return first, cmd.ProcessState.ExitCode()
	}
	const want = "blind (local fault): 127.0.0.1: open an ICMP socket: not permitted: give the program the capability cap_net_raw " +
		"(mond does so if it was started with it), or its group a place in the sysctl net.ipv4.ping_group_range (and 1 more)"
	if first, _ := run(); first != want {
		t.Errorf("%q", first)
	}
	if err := echotest.Sysctl("net/ipv4/ping_group_range", "65534 65534"); err != nil {
		t.Fatal(err)
	}
	if first, code := run(); code != 0 {
		t.Errorf("%d %q", code, first)
	}
}

// TestAgainstDebiansFping compares verdicts, but of hosts that somebody else
// answers for: fping 5.1 takes a reply from any address.
func TestAgainstDebiansFping(t *testing.T) {
	if _, err := exec.LookPath("fping"); err != nil {
		echotest.Missing(t, "Debian's package fping")
	}
	asked := played(t)
	var hosts []string
	for kind := 1; kind <= 5; kind++ {
		for i := 1; i <= 100; i++ {
			hosts = append(hosts, fmt.Sprintf("10.9.%d.%d", kind, i), fmt.Sprintf("127.%d.0.%d", kind, i))
		}
	}
	asked()
	cmd := exec.CommandContext(t.Context(), "fping", "-u", "-r1", "-t500", "-i1")
	cmd.Stdin = strings.NewReader(strings.Join(hosts, "\n"))
	out, _ := cmd.Output() // it exits 1 when hosts are unreachable
	want := strings.Fields(string(out))
	asked()
	got := strings.Fields(check(t, strings.Join(hosts, " "), "-r 1 -t 500").Summary)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 200 {
		t.Errorf("%d hosts: %s", len(want), diff)
	}
}

// Whatever part of many hosts is dead, just these are found so.
func TestMixed(t *testing.T) {
	played(t)
	for _, n := range []int{1, 10, 250} {
		var hosts, dead []string
		for i := range 5000 {
			host := fmt.Sprintf("127.%d.%d.%d", 1+i/250, i%250, 1)
			if i%250 < n && i < 4*250 {
				host = fmt.Sprintf("10.9.%d.%d", 2+i/250%2, i%250+1)
				dead = append(dead, host)
			}
			hosts = append(hosts, host)
		}
		slices.Sort(dead)
		got := check(t, strings.Join(hosts, " "), "-r 1 -t 500").Summary
		if diff := cmp.Diff(strings.Join(slices.Compact(dead), " "), got); diff != "" {
			t.Errorf("%d: %s", n, diff)
		}
	}
}
