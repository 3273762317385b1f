package tcp

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

func TestMain(m *testing.M) { echotest.Main(m) }

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

// check runs one check; the port is that of addr, whose host is checked unless
// hosts are given.
func check(t testing.TB, addr netip.AddrPort, hosts, options string) monitor.Result {
	t.Helper()
	if hosts == "" {
		hosts = addr.Addr().String()
	}
	args := append([]string{"-p", fmt.Sprint(addr.Port())}, strings.Fields(options)...)
	m, err := configure(loopback(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Check(t.Context(), monitor.Request{Hosts: strings.Fields(hosts)})
}

// loopback knows the name web, and no other.
func loopback() *resolve.Resolver {
	return &resolve.Resolver{Func: func(_ context.Context, host string) ([]netip.Addr, error) {
		if host == "web" {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}
		return nil, errors.New("no such host")
	}}
}

// serve listens on loopback and hands every connection to answer.
func serve(t testing.TB, answer func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wg.Go(func() { answer(c); c.Close() })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// closed is an address where nobody listens.
func closed(t testing.TB) netip.AddrPort {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// silent is an address that does not answer: its queue is full.
func silent(t testing.TB) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(sa.(*unix.SockaddrInet4).Port))
	for range 10 {
		c, err := net.DialTimeout("tcp", addr.String(), 100*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Fatal("the queue does not fill")
	return addr
}

// reads consumes n bytes.
func reads(c net.Conn, n int) string {
	b := make([]byte, n)
	n, _ = io.ReadFull(c, b)
	return string(b[:n])
}

// untimed is a detail without its durations.
func untimed(detail string) string {
	return regexp.MustCompile(`[0-9.]+m?s\b`).ReplaceAllString(detail, "T")
}

func TestConnect(t *testing.T) {
	open := serve(t, func(net.Conn) {})
	resets := serve(t, func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) })
	shut := closed(t)
	for name, tt := range map[string]struct {
		addr           netip.AddrPort
		hosts, options string
		summary        string
		detail         string
	}{
		"open":            {addr: open, detail: "127.0.0.1: port P open (T)\n"},
		"open by name":    {addr: open, hosts: "web", detail: "web: port P open (T)\n"},
		"open, reset":     {addr: open, options: "--reset", detail: "127.0.0.1: port P open (T)\n"},
		"open, source":    {addr: open, options: "--source 127.0.0.9", detail: "127.0.0.1: port P open (T)\n"},
		"open, IPv4":      {addr: open, options: "-4", detail: "127.0.0.1: port P open (T)\n"},
		"reset at once":   {addr: resets, detail: "127.0.0.1: port P open (T)\n"},
		"closed":          {addr: shut, summary: "127.0.0.1", detail: "127.0.0.1: connect to 127.0.0.1:P: connection refused (T)\n"},
		"closed, by name": {addr: shut, hosts: "web", summary: "web", detail: "web: connect to 127.0.0.1:P: connection refused (T)\n"},
		"closed, for a dialogue": {
			addr: shut, options: "-e x", summary: "127.0.0.1",
			detail: "127.0.0.1: connect to 127.0.0.1:P: connection refused (T)\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, tt.addr, tt.hosts, tt.options)
			detail := strings.ReplaceAll(untimed(r.Detail), fmt.Sprint(tt.addr.Port()), "P")
			if r.Blind() || r.Failing() != (tt.summary != "") || r.Summary != tt.summary || detail != tt.detail {
				t.Errorf("%v, exit %d, summary %q, detail %q", r.Cause, r.Exit, r.Summary, detail)
			}
		})
	}
}

func TestLocalFaultsAreNoVerdict(t *testing.T) {
	open := serve(t, func(net.Conn) {})
	for name, tt := range map[string]struct{ hosts, options, reason string }{
		"source not ours":    {"", "--source 192.0.2.77", "connect to 127.0.0.1:%d: cannot assign requested address"},
		"same, for dialogue": {"", "--source 192.0.2.77 -q x", "connect to 127.0.0.1:%d: cannot assign requested address"},
		"unknown name":       {"nowhere", "", "name nowhere has no address: no such host"},
		"wrong family":       {"", "-6", "name 127.0.0.1 has no address: it is no IPv6 address"},
		"family of source":   {"", "--source ::1", "name 127.0.0.1 has no address: it is no IPv6 address"},
		"IPv4 only":          {"::1", "-4", "name ::1 has no address: it is no IPv4 address"},
		"source of IPv4":     {"::1", "--source 127.0.0.1", "name ::1 has no address: it is no IPv4 address"},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, open, tt.hosts, tt.options)
			want := tt.reason
			if strings.Contains(want, "%d") {
				want = fmt.Sprintf(want, open.Port())
			}
			if r.Cause != monitor.LocalFault || !strings.HasSuffix(r.Summary, ": "+want) {
				t.Errorf("%v: %q, want %q", r.Cause, r.Summary, want)
			}
		})
	}
}

func TestIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatalf("this machine has no IPv6 loopback: %v", err)
	}
	defer l.Close()
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	for _, options := range []string{"", "-6", "--source ::1", "--reset", "-q x"} {
		if r := check(t, addr, "", options); r.Blind() || r.Failing() {
			t.Errorf("%s: %v %q", options, r.Cause, r.Output())
		}
	}
	l.Close()
	if r := check(t, addr, "", ""); !r.Failing() || !strings.Contains(r.Detail, "connection refused") {
		t.Errorf("%v %q", r.Cause, r.Output())
	}
}

func TestNoAnswer(t *testing.T) {
	addr := silent(t)
	for _, options := range []string{"-t 50ms", "-t 50ms -e x", "-t 0.05 --source 127.0.0.9"} {
		r := check(t, addr, "", options)
		want := fmt.Sprintf("127.0.0.1: no answer in T: connect to %v\n", addr)
		if !r.Failing() || untimed(r.Detail) != want {
			t.Errorf("%s: %v, exit %d, %q", options, r.Cause, r.Exit, r.Detail)
		}
		if r.Took < 50*time.Millisecond || r.Took > 5*time.Second {
			t.Errorf("%s: took %v", options, r.Took)
		}
	}
}

func TestTheChecksOwnDeadline(t *testing.T) {
	m, err := configure(loopback(), "-p", fmt.Sprint(silent(t).Port()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if r := m.Check(ctx, monitor.Request{Hosts: []string{"127.0.0.1"}}); !r.Failing() || r.Took > 5*time.Second {
		t.Errorf("%v after %v: %q", r.Cause, r.Took, r.Output())
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if r := m.Check(ctx, monitor.Request{Hosts: []string{"127.0.0.1"}}); r.Cause != monitor.NotRun || r.Took > 5*time.Second {
		t.Errorf("cancelled: %v after %v: %q", r.Cause, r.Took, r.Output())
	}
}

// smtp is a host that greets, answers one command and waits for QUIT.
func smtp(said chan<- string) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, "220 mail ready\r\n")
		got := reads(c, len("NOOP\r\n"))
		io.WriteString(c, "250 ok\r\n")
		said <- got + reads(c, len("QUIT\r\n"))
	}
}

func TestDialogue(t *testing.T) {
	said := make(chan string, 1)
	addr := serve(t, smtp(said))
	r := check(t, addr, "", `-s NOOP\r\n -e (?s)^220.*\n250 -q QUIT\x0d\n`)
	want := fmt.Sprintf(`127.0.0.1: port %d open, answered "220 mail ready\r\n250 ok\r\n" (T)`+"\n", addr.Port())
	if r.Blind() || r.Failing() || untimed(r.Detail) != want {
		t.Errorf("%v, exit %d, %q", r.Cause, r.Exit, r.Detail)
	}
	if got := <-said; got != "NOOP\r\nQUIT\r\n" {
		t.Errorf("the host heard %q", got)
	}
}

func TestAnswers(t *testing.T) {
	says := func(s string) func(net.Conn) {
		return func(c net.Conn) {
			io.WriteString(c, s)
			reads(c, 1) // until the other side hangs up
		}
	}
	hangsUp := func(s string) func(net.Conn) { return func(c net.Conn) { io.WriteString(c, s) } }
	drips := func(s string) func(net.Conn) {
		return func(c net.Conn) {
			for _, b := range []byte(s) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
			reads(c, 1)
		}
	}
	for name, tt := range map[string]struct {
		host    func(net.Conn)
		options string
		failed  bool
		detail  string
	}{
		"plain word":         {host: says("+OK ready\n"), options: "-e OK", detail: `port P open, answered "+OK ready\n"`},
		"anchored":           {host: says("220 x\n"), options: "-e ^220", detail: `port P open, answered "220 x\n"`},
		"in pieces":          {host: drips("hello world"), options: "-e wor", detail: `port P open, answered "hello wor"`},
		"many pieces":        {host: drips(strings.Repeat(".", 200) + "!" + strings.Repeat(".", 40)), options: "-e !", detail: `port P open, answered "` + strings.Repeat(".", 80) + `"...`},
		"bytes":              {host: says("\xff\xfb\x01\xff"), options: `-e ^\xff\xfb`, detail: `port P open, answered "\xff\xfb\x01\xff"`},
		"first line":         {host: says("220 x\r\n250 y\r\n"), options: `-e ^220 -d \r\n`, detail: `port P open, answered "220 x"`},
		"any line":           {host: says("hi\n"), options: `-d \n`, detail: `port P open, answered "hi"`},
		"delimiter in two":   {host: drips("hi\r\n"), options: `-d \r\n`, detail: `port P open, answered "hi"`},
		"wrong line":         {host: says("421 busy\r\n220 x\r\n"), options: `-e ^220 -d \r\n`, failed: true, detail: `the answer does not match "^220": "421 busy"`},
		"hangs up":           {host: hangsUp(""), options: "-e OK", failed: true, detail: `the host hung up without an answer that matches "OK"; nothing came`},
		"hangs up too early": {host: hangsUp("+O"), options: `-e OK -d \n`, failed: true, detail: `the host hung up without an answer that matches "OK" and ends with "\n"; 2 bytes came: "+O"`},
		"hangs up in time":   {host: hangsUp("OK"), options: "-e OK$", detail: `port P open, answered "OK"`},
		"says nothing":       {host: says(""), options: "-t 400ms -e OK", failed: true, detail: `no answer in T: wait for an answer that matches "OK"; nothing came`},
		"says something else": {
			host: says("ERR\n"), options: "-t 400ms -e OK", failed: true,
			detail: `no answer in T: wait for an answer that matches "OK"; 4 bytes came: "ERR\n"`,
		},
		"drips for ever": {
			host: drips(strings.Repeat("z", 100_000)), options: "-t 400ms -e OK", failed: true,
			detail: `no answer in T: wait for an answer that matches "OK"; N bytes came: "z..."`,
		},
		"endless": {
			host: says(strings.Repeat("z", 1<<20)), options: `-e OK -d \n`, failed: true,
			detail: `no answer that matches "OK" and ends with "\n" within 65536 bytes: "z..."...`,
		},
		"reset": {
			host: func(c net.Conn) { c.(*net.TCPConn).SetLinger(0); reads(c, 1) }, options: "-s x -e OK", failed: true,
			detail: `wait for an answer that matches "OK"; nothing came: connection reset by peer`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := serve(t, tt.host)
			r := check(t, addr, "", tt.options)
			got := strings.TrimSuffix(strings.TrimSuffix(untimed(r.Detail), "\n"), " (T)")
			got = strings.ReplaceAll(got, fmt.Sprint("port ", addr.Port()), "port P")
			got = regexp.MustCompile(`zz+`).ReplaceAllString(got, "z...")
			if tt.detail != "" && strings.Contains(tt.detail, "N bytes") {
				got = regexp.MustCompile(`\d+ bytes`).ReplaceAllString(got, "N bytes")
				got = strings.Replace(got, `"...`, `"`, 1)
			}
			if r.Blind() || r.Failing() != tt.failed || got != "127.0.0.1: "+tt.detail {
				t.Errorf("%v, exit %d\ngot  %s\nwant %s", r.Cause, r.Exit, got, "127.0.0.1: "+tt.detail)
			}
		})
	}
}

// secure is a TLS host with a certificate for example.com and 127.0.0.1, and
// the file that vouches for it.
func secure(t *testing.T) (netip.AddrPort, string) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate only
	defer s.Close()
	config := &tls.Config{Certificates: s.TLS.Certificates}
	addr := serve(t, func(c net.Conn) {
		secured := tls.Server(c, config)
		io.WriteString(secured, "* OK ready\r\n")
		reads(secured, 1)
	})
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return addr, file
}

func TestTLS(t *testing.T) {
	addr, ca := secure(t)
	plain := serve(t, func(c net.Conn) { io.WriteString(c, "220 plain text here\r\n"); reads(c, 1<<10) })
	never := serve(t, func(c net.Conn) { reads(c, 1<<20) })
	for name, tt := range map[string]struct {
		addr           netip.AddrPort
		hosts, options string
		failed         string // part of the reason
	}{
		"verified":         {addr, "", "--ca " + ca, ""},
		"verified name":    {addr, "web", "--ca " + ca + " --sni example.com", ""},
		"with an answer":   {addr, "", "--ca " + ca + " -e OK", ""},
		"insecure":         {addr, "web", "--insecure", ""},
		"unknown issuer":   {addr, "", "", "(--ca FILE trusts another, --insecure trusts any)"},
		"wrong name":       {addr, "web", "--ca " + ca, "(--sni NAME expects another name)"},
		"no TLS there":     {plain, "", "", "the port does not speak TLS"},
		"never finishes":   {never, "", "-t 400ms", "no answer in T: TLS handshake as 127.0.0.1"},
		"refused as usual": {closed(t), "", "", "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, tt.addr, tt.hosts, "--tls "+tt.options)
			if r.Blind() || r.Failing() != (tt.failed != "") || !strings.Contains(untimed(r.Detail), tt.failed) {
				t.Errorf("%v, exit %d, %q", r.Cause, r.Exit, r.Detail)
			}
			if tt.failed == "" && !strings.Contains(r.Detail, "open with TLS") {
				t.Errorf("detail %q", r.Detail)
			}
		})
	}
}

func TestKeptAddressIsRemarkedOn(t *testing.T) {
	addr := serve(t, func(net.Conn) {})
	asked := 0
	names := &resolve.Resolver{Fresh: time.Nanosecond, Func: func(context.Context, string) ([]netip.Addr, error) {
		if asked++; asked > 1 {
			return nil, errors.New("server misbehaving")
		}
		return []netip.Addr{addr.Addr()}, nil
	}}
	m, err := configure(names, "-p", fmt.Sprint(addr.Port()))
	if err != nil {
		t.Fatal(err)
	}
	req := monitor.Request{Hosts: []string{"web"}}
	for deadline := time.Now().Add(10 * time.Second); names.LastError("web") == nil; {
		if r := m.Check(t.Context(), req); r.Failing() || time.Now().After(deadline) {
			t.Fatalf("%v %q", r.Cause, r.Output())
		}
	}
	r := m.Check(t.Context(), req)
	if r.Failing() || !strings.Contains(r.Detail, "old, for the resolver says: server misbehaving (") {
		t.Errorf("%q", r.Detail)
	}
}

func TestResetLeavesNoTimeWait(t *testing.T) {
	ended := make(chan error, 1)
	addr := serve(t, func(c net.Conn) {
		_, err := c.Read(make([]byte, 1))
		ended <- err
	})
	check(t, addr, "", "--reset")
	if err := <-ended; !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("the host saw %v, want a reset", err)
	}
	check(t, addr, "", "")
	if err := <-ended; err != io.EOF {
		t.Errorf("the host saw %v, want the end", err)
	}
}

func TestOptionErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-p 0":                     `invalid value "0" for flag -p: want a port from 1 to 65535`,
		"-p 70000":                 `invalid value "70000" for flag -p: want a port from 1 to 65535`,
		"-p http":                  `invalid value "http" for flag -p: want a port from 1 to 65535`,
		"-t 0":                     `invalid value "0" for flag -t: want a time above 0 and up to 86400 seconds, such as 10, 0.5 or 500ms`,
		"-t -1":                    `invalid value "-1" for flag -t: want a time above 0 and up to 86400 seconds, such as 10, 0.5 or 500ms`,
		"-e (":                     "invalid value \"(\" for flag -e: want a regular expression: error parsing regexp: missing closing ): `(`",
		`-s \q`:                    `invalid value "\\q" for flag -s: \q means nothing here: want \n, \r, \t, \0, \\ or \xHH`,
		"--source web1":            `invalid value "web1" for flag -source: want an IP address in figures`,
		"-4 -6":                    "options -4 and -6: only one of them can be given",
		"-4 --source ::1":          "option --source: ::1 is no IPv4 address",
		"--insecure":               "option --insecure: it needs --tls",
		"--sni x":                  "option --sni: it needs --tls",
		"--ca x":                   "option --ca: it needs --tls",
		"--tls --ca /no/such":      "option --ca: open /no/such: no such file or directory",
		"--tls --ca /dev/null":     "option --ca: read /dev/null: it is no regular file",
		"--tls --ca x --insecure":  "options --ca and --insecure: only one of them can be given",
		"-4 -6 --sni x --insecure": "options -4 and -6: only one of them can be given\noption --insecure: it needs --tls",
	} {
		t.Run(args, func(t *testing.T) {
			_, err := configure(loopback(), strings.Fields(args)...)
			if err == nil || err.Error() != want {
				t.Errorf("got %v\nwant %s", err, want)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	var b strings.Builder
	fs.SetOutput(&b)
	New(fs)
	fs.PrintDefaults()
	for _, want := range []string{"-p port\n", "(default 23)", "-t seconds\n", "(default 10s)", "-e expression\n", "-source address\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("usage lacks %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "panic") {
		t.Error(b.String())
	}
}

func BenchmarkCheck(b *testing.B) {
	addr := serve(b, func(net.Conn) {})
	for name, options := range map[string]string{"connect": "--reset", "dialogue": "--reset -q x"} {
		b.Run(name, func(b *testing.B) {
			m, err := configure(loopback(), append(strings.Fields(options), "-p", fmt.Sprint(addr.Port()))...)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if r := m.Check(b.Context(), monitor.Request{Hosts: []string{"127.0.0.1"}}); r.Failing() {
						b.Error(r.Output())
					}
				}
			})
		})
	}
}
