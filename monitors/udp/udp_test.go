package udp

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/plugins/getopt"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// configure makes a monitor of a command line.
func configure(args ...string) (monitor.Monitor, error) {
	names := &resolve.Resolver{Func: func(_ context.Context, host string) ([]netip.Addr, error) {
		if host == "game" {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}
		return nil, errors.New("no such host")
	}}
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	m := With(names)(fs)
	if _, err := getopt.Parse(fs, args); err != nil {
		return nil, err
	}
	return m, m.(monitor.Validator).Validate()
}

// check runs one check of a host at a port.
func check(t testing.TB, host string, port uint16, options ...string) monitor.Result {
	t.Helper()
	m, err := configure(append([]string{"-p", fmt.Sprint(port)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Check(t.Context(), monitor.Request{Hosts: []string{host}})
}

// serve answers datagrams at an address: each of what answer returns is one.
func serve(t testing.TB, at string, answer func(n int, b []byte) []string) (port uint16) {
	t.Helper()
	c, err := net.ListenPacket("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 65536)
		for n := 1; ; n++ {
			size, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, a := range answer(n, buf[:size]) {
				_, _ = c.WriteTo([]byte(a), from)
			}
		}
	}()
	t.Cleanup(func() { c.Close(); <-ended })
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// closed is a port where nobody listens.
func closed(t testing.TB) uint16 {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

func mute(int, []byte) []string { return nil }

func echo(_ int, b []byte) []string { return []string{fmt.Sprintf("%d: %s", len(b), b)} }

// line is a detail without its times and ports.
func line(r monitor.Result) string {
	text := regexp.MustCompile(`[0-9.]+m?s\b`).ReplaceAllString(r.Detail, "T")
	text = regexp.MustCompile(`:\d{4,5}\b`).ReplaceAllString(text, ":P")
	text = regexp.MustCompile(`port \d+`).ReplaceAllString(text, "port P")
	return strings.TrimSuffix(strings.TrimSuffix(text, "\n"), " (T)")
}

func TestAnswers(t *testing.T) {
	echoes := serve(t, "127.0.0.1:0", echo)
	silent := serve(t, "127.0.0.1:0", mute)
	second := serve(t, "127.0.0.1:0", func(n int, b []byte) []string {
		if n < 2 {
			return nil
		}
		return echo(n, b)
	})
	chatter := serve(t, "127.0.0.1:0", func(int, []byte) []string { return []string{"one", "two", "three"} })
	binary := serve(t, "127.0.0.1:0", func(int, []byte) []string { return []string{"\xff\x00\xfe"} })
	long := serve(t, "127.0.0.1:0", func(int, []byte) []string { return []string{strings.Repeat("x", 60000)} })
	empty := serve(t, "127.0.0.1:0", func(int, []byte) []string { return []string{""} })
	for name, tt := range map[string]struct {
		port    uint16
		options []string
		ok      bool
		want    string
	}{
		"text":            {echoes, []string{"-s", `a\n`, "-e", "^2: a"}, true, `127.0.0.1: port P answered 5 bytes: "2: a\n"`},
		"hex":             {echoes, []string{"--hex", "61:62 63", "--answer"}, true, `127.0.0.1: port P answered 6 bytes: "3: abc"`},
		"empty":           {echoes, []string{"--answer"}, true, `127.0.0.1: port P answered 3 bytes: "0: "`},
		"attached":        {echoes, []string{"-sab", "-r0", "-e2: ab"}, true, `127.0.0.1: port P answered 5 bytes: "2: ab"`},
		"from a source":   {echoes, []string{"--source", "127.0.0.1", "--answer"}, true, `127.0.0.1: port P answered 3 bytes: "0: "`},
		"not asked for":   {echoes, nil, true, `127.0.0.1: port P answered 3 bytes: "0: "`},
		"an empty answer": {empty, []string{"--answer"}, true, `127.0.0.1: port P answered 0 bytes: ""`},
		"a second try":    {second, []string{"-t", "9", "--answer"}, true, `127.0.0.1: port P answered 3 bytes: "0: "`},
		"one of many":     {chatter, []string{"-e", "two"}, true, `127.0.0.1: port P answered 3 bytes: "two"`},
		"bytes":           {binary, []string{"-e", `^\xff\x00`}, true, `127.0.0.1: port P answered 3 bytes: "\xff\x00\xfe"`},
		"long":            {long, []string{"-e", `x{1000}`}, true, `127.0.0.1: port P answered 16384 bytes: "` + strings.Repeat("x", 80) + `"...`},
		"another answer":  {echoes, []string{"-r", "0", "-t", "2", "-e", "no"}, false, `127.0.0.1: the answer does not match "no": "0: "`},
		"all others":      {chatter, []string{"-r", "0", "-t", "2", "-e", "no"}, false, `127.0.0.1: the answer does not match "no": "three" (and 2 before it were not as they should be)`},
		"no answer":       {silent, []string{"-t", "50ms", "--answer"}, false, `127.0.0.1: no answer in T: wait for an answer of 127.0.0.1:P`},
		"no refusal":      {silent, []string{"--wait", "50ms"}, true, `127.0.0.1: port P did not refuse in T`},
		"short limit":     {silent, []string{"-t", "50ms"}, true, `127.0.0.1: port P did not refuse in T`},
		"refused":         {closed(t), nil, false, `127.0.0.1: ask 127.0.0.1:P: connection refused`},
		"answer refused":  {closed(t), []string{"--answer"}, false, `127.0.0.1: ask 127.0.0.1:P: connection refused`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			r := check(t, "127.0.0.1", tt.port, tt.options...)
			if got := line(r); r.Blind() || r.Failing() == tt.ok || got != tt.want {
				t.Errorf("%v, exit %d\ngot  %s\nwant %s", r.Cause, r.Exit, got, tt.want)
			}
		})
	}
}

func TestPerf(t *testing.T) {
	r := check(t, "127.0.0.1", serve(t, "127.0.0.1:0", echo), "--answer")
	if rtt, ok := r.Hosts[0].Perf["rtt_ms"]; !ok || rtt <= 0 {
		t.Errorf("%v", r.Hosts[0].Perf)
	}
}

func TestNamesAndFamilies(t *testing.T) {
	port := serve(t, "127.0.0.1:0", echo)
	if r := check(t, "game", port, "--answer"); r.Blind() || r.Failing() {
		t.Errorf("by name: %s", r.Output())
	}
	for _, tt := range []struct{ host, options string }{{"nobody", ""}, {"127.0.0.1", "-6"}, {"game", "-6"}} {
		if r := check(t, tt.host, port, strings.Fields(tt.options)...); r.Cause != monitor.LocalFault {
			t.Errorf("%s %s: %v: %s", tt.host, tt.options, r.Cause, r.Output())
		}
	}
	six, err := net.ListenPacket("udp", "[::1]:0")
	if err != nil {
		t.Logf("no IPv6 here: %v", err)
		return
	}
	six.Close()
	if r := check(t, "::1", serve(t, "[::1]:0", echo), "--answer"); r.Blind() || r.Failing() {
		t.Errorf("IPv6: %s", r.Output())
	}
}

func TestCancelled(t *testing.T) {
	m, err := configure("-p", fmt.Sprint(serve(t, "127.0.0.1:0", mute)), "--answer", "-t", "3600")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stop := time.AfterFunc(10*time.Millisecond, cancel)
	defer stop.Stop()
	if r := m.Check(ctx, monitor.Request{Hosts: []string{"127.0.0.1"}}); r.Cause != monitor.NotRun {
		t.Errorf("%v: %s", r.Cause, r.Output())
	}
}

func TestOptions(t *testing.T) {
	for args, want := range map[string]string{
		"":                      "option -p: say which port",
		"-p 0":                  "want a port from 1 to 65535",
		"-p 9 -s a --hex 00":    "options -s and --hex",
		"-p 9 --hex 0":          "even number",
		"-p 9 --hex":            "missing",
		"-p 9 -r 11":            "from 0 to 10",
		"-p 9 -r -1":            "from 0 to 10",
		"-p 9 -e (":             "regular expression",
		"-p 9 --wait 0":         "want a time",
		"-p 9 -4 -6":            "-4 and -6",
		`-p 9 -s \q`:            "means nothing here",
		"-p 9 -s " + big(65508): "65507 bytes at most",
	} {
		if _, err := configure(strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", args, err)
		}
	}
	for _, args := range []string{"-p 9", "-p 9 -s " + big(65507), "-p9 -r0 --wait 3"} {
		if _, err := configure(strings.Fields(args)...); err != nil {
			t.Errorf("%.40q: %v", args, err)
		}
	}
}

func big(n int) string { return strings.Repeat("x", n) }

func FuzzHex(f *testing.F) {
	for _, seed := range []string{"", "00", "ff 0A", "0:0", "0x00", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var a, b hexBytes
		if a.Set(in) != nil {
			return
		}
		if err := b.Set(a.String()); err != nil || string(a) != string(b) {
			t.Fatalf("%q became %x, then %x (%v)", in, a, b, err)
		}
	})
}
