package httpmon

import (
	"bufio"
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/mondhq/mond/plugins/monitor"
)

// proxy is an HTTP proxy that wants the password s3cret, and knows no names but
// these.
func proxy(t testing.TB) string {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:s3cret"))
	return serve(t, func(c net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		if req.Header.Get("Proxy-Authorization") != want {
			io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
			return
		}
		host, port, _ := net.SplitHostPort(req.Host)
		if host == "far" {
			host = "127.0.0.1"
		}
		up, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err != nil {
			io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
			return
		}
		defer up.Close()
		if req.Method == http.MethodConnect {
			io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
		} else {
			req.Header.Del("Proxy-Authorization")
			req.Header.Set("Via", "1.1 test")
			_ = req.Write(up)
		}
		join(c, up)
	}).String()
}

// join copies both ways until one end hangs up.
func join(a, b net.Conn) {
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(a, b); a.Close() })
	_, _ = io.Copy(b, a)
	b.Close()
	wg.Wait()
}

func TestProxy(t *testing.T) {
	s, plain := site(t)
	s.Start()
	secure, tls := site(t)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	_, plainPort, _ := net.SplitHostPort(plain.String())
	_, tlsPort, _ := net.SplitHostPort(tls.String())
	at := proxy(t)
	ends := serve(t, func(net.Conn) {}).String()
	closed := freePort(t)
	t.Setenv("http_proxy", "http://127.0.0.1:1") // and is not regarded
	for name, tt := range map[string]struct {
		options string
		cause   monitor.Cause
		ok      bool
		want    string
	}{
		"plain":      {"-p " + plainPort + " --proxy http://me:s3cret@" + at + " -u /echo -m ^GET./echo.HTTP/1.1.far:" + plainPort, monitor.Exited, true, "200 OK, *"},
		"TLS":        {"-p " + tlsPort + " --https --insecure --proxy http://me:s3cret@" + at + " -m works", monitor.Exited, true, "200 OK, 8 bytes that match, proxy T, tls T, first byte T"},
		"HTTP/2":     {"-p " + tlsPort + " --https --http2 --insecure --proxy http://me:s3cret@" + at + " -m works", monitor.Exited, true, "200 OK, 8 bytes that match, proxy T, tls T, first byte T"},
		"TLS, Host":  {"-p " + tlsPort + " --https --insecure --host a.example --proxy http://me:s3cret@" + at + " -u /echo -m a.example", monitor.Exited, true, "200 OK, *"},
		"host down":  {"-p " + closed + " --proxy http://me:s3cret@" + at, monitor.Exited, false, "status 502 Bad Gateway, want 200,301,302,401"},
		"down, TLS":  {"-p " + closed + " --https --proxy http://me:s3cret@" + at, monitor.Exited, false, "the proxy does not connect to the host: status 502 Bad Gateway"},
		"password":   {"-p " + plainPort + " --proxy http://me:no@" + at, monitor.LocalFault, false, "not judged: the proxy wants a name and a password, or others (status 407)"},
		"its, TLS":   {"-p " + tlsPort + " --https --proxy http://" + at, monitor.LocalFault, false, "not judged: the proxy does not connect to the host: status 407 Proxy Authentication Required"},
		"proxy down": {"-p " + plainPort + " --proxy http://127.0.0.1:" + closed, monitor.LocalFault, false, "not judged: the proxy cannot be used: connect to 127.0.0.1:" + closed + ": connection refused"},
		"no name":    {"-p " + plainPort + " --proxy http://nowhere:3128", monitor.LocalFault, false, "not judged: name nowhere has no address: no such host"},
		"hangs up":   {"-p " + tlsPort + " --https --proxy http://" + ends, monitor.LocalFault, false, "not judged: the proxy cannot be used: *"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := configure(strings.Fields(tt.options)...)
			if err != nil {
				t.Fatal(err)
			}
			r := m.Check(t.Context(), monitor.Request{Hosts: []string{"far"}})
			got := untimed(r.Detail)
			same := got == "far: "+tt.want
			if begin, ok := strings.CutSuffix("far: "+tt.want, "*"); ok {
				same = strings.HasPrefix(got, begin)
			}
			if r.Cause != tt.cause || !r.Blind() && r.Failing() == tt.ok || !same {
				t.Errorf("%v, exit %d\ngot  %s\nwant %s", r.Cause, r.Exit, got, "far: "+tt.want)
			}
			if strings.Contains(r.Output(), "s3cret") {
				t.Errorf("the password is told: %s", r.Output())
			}
		})
	}
}

func TestAProxyThatHangs(t *testing.T) {
	at := serve(t, answers("")).String()
	for options, want := range map[string]string{
		"-t 200ms --https": "far: no answer in T: the proxy connects to the host",
		"-t 200ms":         "far: no answer in T: wait for the answer",
	} {
		m, err := configure(append(strings.Fields(options), "--proxy", "http://"+at)...)
		if err != nil {
			t.Fatal(err)
		}
		r := m.Check(t.Context(), monitor.Request{Hosts: []string{"far"}})
		if got := untimed(r.Detail); got != want || !r.Failing() {
			t.Errorf("%s: %v %s", options, r.Cause, got)
		}
	}
	m, err := configure("--https", "--proxy", "http://"+at)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := m.Check(ctx, monitor.Request{Hosts: []string{"far"}}); r.Cause != monitor.NotRun {
		t.Errorf("cancelled: %v %s", r.Cause, r.Output())
	}
}
