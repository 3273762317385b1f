package httpmon

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// configure makes a monitor of a command line.
func configure(args ...string) (monitor.Monitor, error) {
	names := &resolve.Resolver{Func: func(_ context.Context, host string) ([]netip.Addr, error) {
		if known := map[string]string{"web": "127.0.0.1", "other": "127.0.0.2"}[host]; known != "" {
			return []netip.Addr{netip.MustParseAddr(known)}, nil
		}
		return nil, errors.New("no such host")
	}}
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	m := With(names)(fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	return m, m.(monitor.Validator).Validate()
}

// check runs one check of a host at the port of addr.
func check(t testing.TB, addr netip.AddrPort, host string, options ...string) monitor.Result {
	t.Helper()
	m, err := configure(append([]string{"-p", fmt.Sprint(addr.Port())}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Check(t.Context(), monitor.Request{Hosts: strings.Fields(host)})
}

// untimed is a detail without its durations and steps.
func untimed(detail string) string {
	detail = regexp.MustCompile(`[0-9.]+m?s\b`).ReplaceAllString(detail, "T")
	detail = regexp.MustCompile(`; (resolve|connect) T(, (connect|tls|first byte) T)*`).ReplaceAllString(detail, "")
	return strings.TrimSuffix(strings.TrimSuffix(detail, "\n"), " (T)")
}

// lengths are those of bodies, which hold this or that port.
var lengths = regexp.MustCompile(`\b[1-9]\d* bytes( |;|$)`)

// judged compares a Result with the line that is wanted, of which an asterisk at
// the end stands for any more; ok is whether it is a success.
func judged(t *testing.T, r monitor.Result, ok bool, want string) {
	t.Helper()
	got := untimed(r.Detail)
	same := got == want
	if begin, ok := strings.CutSuffix(want, "*"); ok { // the rest is the standard library's words
		same = strings.HasPrefix(got, begin)
	}
	if r.Blind() || r.Failing() == ok || !same {
		t.Errorf("%v, exit %d\ngot  %s\nwant %s", r.Cause, r.Exit, got, want)
	}
}

// site is a web server of many moods.
func site(t testing.TB) (*httptest.Server, netip.AddrPort) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "it works") })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/endless", http.StatusFound) })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) })
	mux.HandleFunc("/hints", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		fmt.Fprint(w, "after the hints")
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s|%s|%s", r.Method, r.RequestURI, r.Proto, r.Host, r.UserAgent())
	})
	mux.HandleFunc("/packed", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		fmt.Fprint(z, "it works")
		z.Close()
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := io.WriteString(w, strings.Repeat("z", 1<<16)); err != nil {
				return
			}
		}
	})
	s := httptest.NewUnstartedServer(mux)
	t.Cleanup(s.Close)
	return s, s.Listener.Addr().(*net.TCPAddr).AddrPort()
}

func TestAnswers(t *testing.T) {
	s, addr := site(t)
	s.Start()
	port := fmt.Sprint(addr.Port())
	for name, tt := range map[string]struct {
		options []string
		ok      bool
		want    string
	}{
		"well":               {nil, true, "200 OK, 8 bytes"},
		"with reset":         {[]string{"--reset"}, true, "200 OK, 8 bytes"},
		"matches":            {[]string{"-m", "w.rks$"}, true, "200 OK, 8 bytes that match"},
		"does not match":     {[]string{"-m", "^works"}, false, `status 200 OK, but the body does not match "^works" (8 bytes)`},
		"redirect":           {[]string{"-u", "/moved"}, true, "302 Found, 31 bytes"},
		"redirect not well":  {[]string{"-u", "/moved", "--status", "200-299,401"}, false, "status 302 Found, want 200-299,401"},
		"status":             {[]string{"-u", "/broken"}, false, "status 503 Service Unavailable, want 200,301,302,401"},
		"asked for":          {[]string{"-u", "broken", "--status", "500-599"}, true, "503 Service Unavailable, 3 bytes"},
		"interim answers":    {[]string{"-u", "/hints", "-m", "after"}, true, "200 OK, 15 bytes that match"},
		"first bytes":        {[]string{"-u", "/endless", "--max-size", "64K", "-m", "z{9}$"}, true, "200 OK, the first 65536 bytes that match"},
		"endless, unmatched": {[]string{"-u", "/endless", "-m", "it works"}, false, `status 200 OK, but the body does not match "it works" (the first 1048576 bytes)`},
		"endless":            {[]string{"-u", "/endless"}, true, "200 OK, the first 1048576 bytes"},
		"packed": {
			[]string{"-u", "/packed", "-m", "^it works$"}, true, "200 OK, 8 bytes that match",
		},
		"request": {
			[]string{"-u", "/echo?a=1&b=http://x", "-m", `^GET /echo\?a=1&b=http://x HTTP/1.1\|127.0.0.1:` + port + `\|mond/http.monitor$`},
			true, "200 OK, BYTES that match",
		},
		"own headers": {
			[]string{"-u", "/echo", "-a", "probe 1", "--host", "www.example.com", "-m", `\|www.example.com\|probe 1$`},
			true, "200 OK, BYTES that match",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, addr, "127.0.0.1", tt.options...)
			if strings.Contains(tt.want, "BYTES") {
				r.Detail = regexp.MustCompile(`\d+ bytes`).ReplaceAllString(r.Detail, "BYTES")
			}
			judged(t, r, tt.ok, "127.0.0.1: "+tt.want)
		})
	}
}

func TestTheDetailTellsTheSteps(t *testing.T) {
	s, addr := site(t)
	s.StartTLS()
	r := check(t, addr, "web", "--https", "--insecure")
	want := regexp.MustCompile(`^web: 200 OK, 8 bytes; resolve \S+ms, connect \S+ms, tls \S+, first byte \S+ \(\S+s\)\n$`)
	if r.Failing() || !want.MatchString(r.Detail) {
		t.Errorf("%q", r.Detail)
	}
}

func TestOmitHealthyHosts(t *testing.T) {
	s, addr := site(t)
	s.Start()
	for option, want := range map[string]string{
		"-o=false": "nowhere: not judged: name nowhere has no address: no such host\nweb: 200 OK, 8 bytes",
		"-o":       "nowhere: not judged: name nowhere has no address: no such host",
	} {
		r := check(t, addr, "web nowhere", option)
		if r.Cause != monitor.LocalFault || untimed(r.Detail) != want {
			t.Errorf("%s: %v, %q", option, r.Cause, r.Detail)
		}
	}
}

func TestHTTPS(t *testing.T) {
	s, addr := site(t)
	var asked sync.Map
	s.TLS = &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		asked.Store(h.ServerName, true)
		return nil, nil
	}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		host    string
		options []string
		failed  string
		asked   string
	}{
		"address":                  {"127.0.0.1", []string{"--ca", ca}, "", ""},
		"spelled --tls":            {"127.0.0.1", []string{"--tls", "--ca", ca}, "", ""},
		"name of the Host header":  {"web", []string{"--ca", ca, "--host", "example.com:8443", "-u", "/echo", "-m", `\|example.com:8443\|`}, "", "example.com"},
		"name of --sni":            {"web", []string{"--ca", ca, "--sni", "example.com", "-u", "/echo", "-m", `\|web:`}, "", "example.com"},
		"--sni beats Host":         {"web", []string{"--ca", ca, "--sni", "example.com", "--host", "other"}, "", "example.com"},
		"any certificate":          {"web", []string{"--insecure"}, "", "web"},
		"verified unless told not": {"127.0.0.1", nil, "--insecure trusts any", ""},
		"wrong name":               {"web", []string{"--ca", ca}, "not web (--sni NAME expects another name)", "web"},
	} {
		t.Run(name, func(t *testing.T) {
			asked.Clear()
			r := check(t, addr, tt.host, append([]string{"--https"}, tt.options...)...)
			if r.Blind() || r.Failing() != (tt.failed != "") || !strings.Contains(r.Detail, tt.failed) {
				t.Errorf("%v, exit %d, %q", r.Cause, r.Exit, r.Detail)
			}
			if _, ok := asked.Load(tt.asked); !ok {
				t.Errorf("the host was not asked for %q", tt.asked)
			}
		})
	}
}

// serve listens on loopback and hands every connection to answer.
func serve(t testing.TB, answer func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { answer(c); c.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// heard reads the request.
func heard(c net.Conn) {
	_, _ = http.ReadRequest(bufio.NewReader(c))
}

// untilHangup reads until the other side hangs up.
func untilHangup(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// answers is a host that says something to a request and stays.
func answers(s string) func(net.Conn) {
	return func(c net.Conn) {
		heard(c)
		io.WriteString(c, s)
		untilHangup(c)
	}
}

// hangsUp is one that hangs up after that.
func hangsUp(s string) func(net.Conn) {
	return func(c net.Conn) { heard(c); io.WriteString(c, s) }
}

// repeats is a host that says something and then something else for ever, with
// a pause between.
func repeats(first, more string, pause time.Duration) func(net.Conn) {
	return func(c net.Conn) {
		heard(c)
		io.WriteString(c, first)
		for {
			if _, err := io.WriteString(c, more); err != nil {
				return
			}
			time.Sleep(pause)
		}
	}
}

func TestHostsThatMisbehave(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, tt := range map[string]struct {
		host    func(net.Conn)
		options string
		ok      bool
		want    string
	}{
		"never answers":   {answers(""), "-t 400ms", false, "no answer in T: wait for the answer"},
		"drips its head":  {repeats(ok+"X: ", "z", time.Millisecond), "-t 400ms", false, "no answer in T: read the headers"},
		"drips its body":  {repeats(ok+"Content-Length: 99999\r\n\r\n", "z", time.Millisecond), "-t 400ms", false, "no answer in T: status 200 OK, read the body: N of 99999 bytes came"},
		"stops short":     {answers(ok + "Content-Length: 10\r\n\r\n12345"), "-t 400ms", false, "no answer in T: status 200 OK, read the body: N of 10 bytes came"},
		"TLS never ends":  {func(c net.Conn) { untilHangup(c) }, "-t 400ms --https", false, "no answer in T: TLS handshake as 127.0.0.1"},
		"TLS drips":       {repeats("\x16\x03\x03\x40\x00", "\x00", time.Millisecond), "-t 400ms --https", false, "no answer in T: TLS handshake as 127.0.0.1"},
		"no TLS":          {answers("HTTP/1.0 400 Bad Request\r\n\r\n"), "--https", false, "TLS handshake as 127.0.0.1: the port does not speak TLS: tls: first record does not look like a TLS handshake"},
		"hangs up":        {hangsUp(""), "", false, "the host hung up without an answer"},
		"hangs up early":  {hangsUp("HTTP/1.1 200 O"), "", false, "the host hung up within the headers"},
		"hangs up later":  {hangsUp(ok + "X-A: b\r\n"), "", false, "the host hung up within the headers"},
		"hangs up at end": {hangsUp(ok + "Content-Length: 10\r\n\r\n12345"), "", false, "status 200 OK, but the host hung up after N of 10 bytes of the body"},
		"half a chunk":    {hangsUp(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\n123"), "", false, "status 200 OK, but the host hung up after N bytes of the body"},
		"ends by hangup":  {hangsUp("HTTP/1.0 200 OK\r\n\r\n12345"), "", true, "200 OK, N bytes"},
		"garbage":         {hangsUp("SSH-2.0-OpenSSH_9.2\r\n"), "", false, `read the headers: malformed HTTP response "SSH-2.0-OpenSSH_9.2"*`},
		"other protocol":  {hangsUp("220 mail ready\r\n"), "", false, `read the headers: malformed HTTP *`},
		"bad status":      {hangsUp("HTTP/1.1 abc OK\r\n\r\n"), "", false, `read the headers: malformed HTTP *`},
		"bad header":      {hangsUp(ok + "no colon\r\n\r\n"), "", false, `read the headers: malformed MIME header*`},
		"bad length":      {hangsUp(ok + "Content-Length: -5\r\n\r\n"), "", false, `read the headers: *`},
		"bad chunk":       {hangsUp(ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), "", false, "status 200 OK, read the body: N bytes came: *"},
		"10 MB of head":   {repeats(ok, "X-Fill: "+strings.Repeat("z", 10<<20), 0), "", false, "more than 65536 bytes of headers"},
		"many headers":    {repeats(ok, strings.Repeat("X-Fill: z\r\n", 1000), 0), "", false, "more than 65536 bytes of headers"},
		"endless status":  {repeats("HTTP/1.1 200 ", strings.Repeat("z", 1000), 0), "", false, "more than 65536 bytes of headers"},
		"only interim":    {repeats("", "HTTP/1.1 100 Continue\r\n\r\n", 0), "", false, "more than 5 interim answers (1xx)"},
		"endless chunks":  {repeats(ok+"Transfer-Encoding: chunked\r\n\r\n", "1000\r\n"+strings.Repeat("z", 4096)+"\r\n", 0), "--max-size 100K", true, "200 OK, the first N bytes"},
		"endless and raw": {repeats(ok+"\r\n", strings.Repeat("z", 4096), 0), "--max-size 100K", true, "200 OK, the first N bytes"},
		"forged status":   {hangsUp("HTTP/1.1 200 OK\x1b[2J\x00" + strings.Repeat("z", 200) + "\r\n\r\n"), "", true, "200 OK [2J " + strings.Repeat("z", 69) + "..., N bytes"},
		"resets": {func(c net.Conn) { heard(c); c.(*net.TCPConn).SetLinger(0) }, "", false,
			"wait for the answer: connection reset by peer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := check(t, serve(t, tt.host), "127.0.0.1", strings.Fields(tt.options)...)
			r.Detail = regexp.MustCompile(`\b\d+ (of \d+ bytes|bytes[ ,;])`).ReplaceAllStringFunc(r.Detail, func(s string) string {
				if strings.HasPrefix(s, "65536") {
					return s
				}
				return "N" + s[strings.IndexByte(s, ' '):]
			})
			judged(t, r, tt.ok, "127.0.0.1: "+tt.want)
			if r.Took > 10*time.Second {
				t.Errorf("took %v", r.Took)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	judged(t, check(t, addr, "127.0.0.1"), false, fmt.Sprintf("127.0.0.1: connect to %v: connection refused", addr))
}

func TestLocalFaults(t *testing.T) {
	s, addr := site(t)
	s.Start()
	if r := check(t, addr, "127.0.0.1", "--source", "192.0.2.77"); r.Cause != monitor.LocalFault {
		t.Errorf("source: %v %q", r.Cause, r.Summary)
	}
	if r := check(t, addr, "127.0.0.1", "-6"); r.Cause != monitor.LocalFault {
		t.Errorf("family: %v %q", r.Cause, r.Summary)
	}
	if r := check(t, addr, "127.0.0.1", "-4", "--source", "127.0.0.9"); r.Blind() || r.Failing() {
		t.Errorf("a source of ours: %v %q", r.Cause, r.Output())
	}
}

func TestCancelled(t *testing.T) {
	addr := serve(t, answers(""))
	m, err := configure("-p", fmt.Sprint(addr.Port()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(30*time.Millisecond, cancel)
	if r := m.Check(ctx, monitor.Request{Hosts: []string{"127.0.0.1"}}); r.Cause != monitor.NotRun || r.Took > 10*time.Second {
		t.Errorf("%v after %v", r.Cause, r.Took)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if r := m.Check(ctx, monitor.Request{Hosts: []string{"127.0.0.1"}}); !r.Failing() || r.Took > 10*time.Second {
		t.Errorf("%v after %v", r.Cause, r.Took)
	}
}

func TestReset(t *testing.T) {
	ended := make(chan error, 1)
	addr := serve(t, func(c net.Conn) {
		heard(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		_, err := c.Read(make([]byte, 1))
		ended <- err
	})
	check(t, addr, "127.0.0.1", "--reset")
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the host saw %v, want a reset", err)
	}
}

func TestHostHeaderAndPort(t *testing.T) {
	for _, tt := range []struct{ options, host, header, name string }{
		{"", "web", "web", "web"},
		{"-p 80", "web", "web", "web"},
		{"-p 8080", "web", "web:8080", "web"},
		{"--https", "web", "web", "web"},
		{"--https -p 80", "web", "web:80", "web"},
		{"", "::1", "[::1]", "::1"},
		{"-p 8080", "fe80::1%eth0", "[fe80::1]:8080", "fe80::1%eth0"},
		{"--host a.example", "web", "a.example", "a.example"},
		{"--host a.example:81 -p 80", "web", "a.example:81", "a.example"},
		{"--host [2001:db8::1]", "web", "[2001:db8::1]", "2001:db8::1"},
		{"--host [2001:db8::1]:81", "web", "[2001:db8::1]:81", "2001:db8::1"},
	} {
		m, err := configure(strings.Fields(tt.options)...)
		if err != nil {
			t.Fatal(err)
		}
		w := m.(*web)
		if got := w.ask.HostHeader(w.first(tt.host)); got != tt.header {
			t.Errorf("%s: %s: Host is %q, want %q", tt.options, tt.host, got, tt.header)
		}
		if got := w.ask.ServerName(w.first(tt.host)); got != tt.name {
			t.Errorf("%s: %s: name is %q, want %q", tt.options, tt.host, got, tt.name)
		}
	}
	for options, want := range map[string]uint16{"": 80, "--https": 443, "--tls": 443, "--https -p 80": 80} {
		m, err := configure(strings.Fields(options)...)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.(*web).port(); got != want {
			t.Errorf("%s: port %d, want %d", options, got, want)
		}
	}
}

func TestUsage(t *testing.T) {
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	var b strings.Builder
	fs.SetOutput(&b)
	New(fs)
	fs.PrintDefaults()
	for _, want := range []string{"(default 80, with --https 443)\n", "(default 30s)", "-status list\n", "(default 200,301,302,401)", "(default 1M)", "(default /)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("usage lacks %q:\n%s", want, b.String())
		}
	}
}

// cpu is the processor time of this process, both ends of the connections.
func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func BenchmarkCheck(b *testing.B) {
	s, addr := site(b)
	s.Start()
	for name, options := range map[string][]string{"status": nil, "match": {"-m", "works"}} {
		b.Run(name, func(b *testing.B) {
			m, err := configure(append(options, "--reset", "-p", fmt.Sprint(addr.Port()))...)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetParallelism(8)
			before := cpu()
			defer func() { b.ReportMetric(float64(cpu()-before)/float64(b.N)/1000, "cpu-us/op") }()
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
